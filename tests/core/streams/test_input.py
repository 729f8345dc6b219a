"""Arguments and params of the streams: what is wrong is told at once, and nothing is dialled or sent."""

import pytest

from ccxt_mmp import ArgumentsRequired, AuthenticationError, BadRequest, BadSymbol, NotSupported
from ccxt_mmp.core.streams import Streams
from tests.rows import rows

LEAST = {'okx': 500, 'binance': 200, 'deribit': 500, 'bybit': 250}


def refused(watcher, error, match, method, *arguments):
    async def main(exchange):
        with pytest.raises(error, match=match):
            await getattr(exchange, method)(*arguments)
        assert not exchange.clients
        assert not watcher.simulator.requests
        assert exchange._mmp_watched is None

    watcher.run(main)


@rows(
    ('error', 'match', 'method', 'arguments'),
    [
        (ArgumentsRequired, 'requires an underlying', 'watch_mmp', [None]),
        (BadRequest, r'watchMmps\(\) takes several', 'watch_mmp', [['BTC/USD']]),
        (BadRequest, r'watchMmps\(\) takes several', 'watch_mmp', [[]]),
        (BadSymbol, 'cannot tell', 'watch_mmp', ['']),
        (BadSymbol, 'cannot tell', 'watch_mmp', ['DOGE/EUR']),
        (BadSymbol, 'cannot tell', 'watch_mmp', [7]),
        (ArgumentsRequired, 'requires underlyings', 'watch_mmps', [[]]),
        (BadRequest, 'list of underlyings', 'watch_mmps', ['BTC/USD']),
        (BadSymbol, 'cannot tell', 'watch_mmps', [['DOGE/EUR']]),
        (BadRequest, 'takes one underlying', 'un_watch_mmp', [['BTC/USD']]),
        (BadSymbol, 'cannot tell', 'un_watch_mmp', ['DOGE/EUR']),
    ],
)
def test_underlying_that_is_none(watcher, error, match, method, arguments):
    refused(watcher, error, match, method, *arguments)


def test_underlyings_are_required_where_the_exchange_does_not_list_them(binance):
    refused(binance, ArgumentsRequired, 'requires underlyings', 'watch_mmps')


@rows(
    ('error', 'match', 'params'),
    [
        *((BadRequest, 'pollInterval must be', {'pollInterval': each}) for each in (-1, 1, True, '', 'x', [], 1000.5)),
        *((BadRequest, 'pollInterval must be', {'pollInterval': float(each)}) for each in ('nan', 'inf')),
        *((BadRequest, 'timeout must be', {'timeout': each}) for each in (0, -1, True, 'x', 0.5)),
        *((BadRequest, 'must be True, False', {name: 1}) for name in ('fetchSnapshot', 'stopOrders')),
        (BadRequest, 'did you mean pollInterval', {'poll_interval': 1000}),
        (BadRequest, 'did you mean stopOrders', {'stoporders': True}),
        (NotSupported, "takes no 'recvWindow'", {'recvWindow': 1}),
        (NotSupported, 'has no qtyLimit', {'qtyLimit': 1}),
        (BadRequest, 'scope must be one of', {'scope': 'quotes'}),
        (NotSupported, 'rfq', {'scope': 'rfq'}),
    ],
)
def test_params_that_are_wrong(watcher, error, match, params):
    refused(watcher, error, match, 'watch_mmp', watcher.name, params)
    refused(watcher, error, match, 'watch_mmps', [watcher.name], params)


def test_interval_below_what_the_endpoint_takes(watcher):
    least = LEAST[watcher.exchange_id]
    refused(watcher, BadRequest, f'at least {least} ms', 'watch_mmp', watcher.name, {'pollInterval': least - 1})

    async def main(exchange):
        await watcher.watch(pollInterval=str(least))
        assert exchange._mmp_watching.settings.poll_interval == least

    watcher.run(main)


def test_options_are_read_as_params_are(watcher):
    async def main(exchange):
        exchange.options['watchMmp'] = {'pollInterval': 7000}
        await watcher.watch()
        assert exchange._mmp_watching.settings.poll_interval == 7000
        exchange.options['watchMmp'] = {'pollInterval': 1}
        with pytest.raises(BadRequest, match='pollInterval must be'):
            await watcher.watch()

    watcher.run(main)


def test_credentials_that_are_missing(watcher):
    async def main(exchange):
        exchange.secret = ''
        with pytest.raises(AuthenticationError, match='secret'):
            await watcher.watch()
        assert not exchange.clients

    watcher.run(main)


def test_underlying_may_stand_in_params(watcher):
    async def main(exchange):
        params = {exchange._underlying_field: watcher.underlying}
        assert (await exchange.watch_mmp(None, params))['underlyingId'] == watcher.underlying

    watcher.run(main)


def test_exchange_that_says_nothing_of_a_stream_has_none():
    assert Streams._has_mmp_stream(None) is False
    assert Streams._mmp_pushes(None, None) == ()
