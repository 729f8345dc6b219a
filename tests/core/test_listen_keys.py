"""The listen key of a user data stream: asked for, renewed while it is watched, and told when it is over."""

import asyncio
import gc
import weakref

import ccxt
import ccxt.pro
import pytest

from tests.core.sockets import connected, run, watching
from tests.simulator.sockets import until
from tests.trading import symbols

UNDERLYING = 'BTCUSDT'
REFRESH = 1_200_000  # ms
HAS_OPTIONS = hasattr(ccxt.pro.binance, 'handle_options_account_update')
needs_options = pytest.mark.skipif(not HAS_OPTIONS, reason='this ccxt has no streams of options')


def sleeping_by(simulator, exchange):
    """Lets it sleep by the exchange's clock, in turns with the test."""
    exchange.sleep = lambda milliseconds: simulator.async_sleep(milliseconds / 1000)


def requests(simulator):
    return [(each.method, each.status) for each in simulator.requests if each.path.endswith('listenKey')]


async def streaming(simulator, exchange):
    serial = simulator._sockets._serial
    task = await watching(exchange)
    sockets = simulator._sockets
    await until(lambda: sockets._serial > serial and [each.is_ready for each in sockets._connections][-1:] == [True])
    return task


async def pushes(simulator, task):
    order = simulator.rest('binance', UNDERLYING, mmp=True)
    [watched] = await task
    return watched['id'] == order.order_id


@needs_options
def test_key_is_asked_for_without_a_parameter_and_no_other_api_is_called(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            assert await pushes(simulator, await streaming(simulator, exchange))
            assert [(each.method, each.path, each.unknown) for each in simulator.requests] == [
                ('POST', '/eapi/v1/listenKey', ())
            ]
            assert exchange.positions == {'option': []}

    run(main())


@needs_options
@pytest.mark.parametrize('options', [{}, {'defaultType': 'option'}])
def test_key_is_renewed_as_long_as_it_is_watched(simulator, options):
    async def main():
        async with connected(simulator, 'binance', options=options) as exchange:
            sleeping_by(simulator, exchange)
            task = await streaming(simulator, exchange)
            for renewals in range(1, 6):  # 100 minutes
                await until(lambda: simulator.sleepers == 1)
                simulator.advance(REFRESH)
                await until(lambda: requests(simulator)[1:] == [('PUT', 200)] * renewals)  # noqa: B023 - called at once
            assert await pushes(simulator, task)
            await until(lambda: simulator.sleepers == 1)
            for client in [*exchange.clients.values()]:
                await client.close()
            exchange.clients.clear()
            simulator.advance(REFRESH)
            await until(lambda: 'renewal' not in exchange._tasks()._running)  # it has ended by itself
            assert len(requests(simulator)) == 6
            task = await streaming(simulator, exchange)
            await until(lambda: simulator.sleepers == 1)
            task.cancel()

    run(main())


@needs_options
def test_renewal_that_fails_is_tried_again_after_a_minute(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            sleeping_by(simulator, exchange)
            task = await streaming(simulator, exchange)
            await until(lambda: simulator.sleepers == 1)
            simulator.fault('status', 'listenKey', status=503)
            simulator.advance(REFRESH)
            await until(lambda: requests(simulator)[1:] == [('PUT', 503)] and simulator.sleepers == 1)
            simulator.advance(60_000)
            await until(lambda: requests(simulator)[1:] == [('PUT', 503), ('PUT', 200)])
            assert await pushes(simulator, task)

    run(main())


@needs_options
@pytest.mark.parametrize('is_refused', [True, False])
def test_key_that_cannot_be_renewed_ends_the_stream_and_the_next_call_opens_another(simulator, is_refused):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            sleeping_by(simulator, exchange)
            task = await streaming(simulator, exchange)
            await until(lambda: simulator.sleepers == 1)
            if is_refused:
                await exchange.eapiPrivateDeleteListenKey()
                simulator.advance(REFRESH)
            else:
                simulator.fault('status', 'listenKey', status=503, method='PUT', times=100)
                exchange.options['listenKeyRefreshRate'] = REFRESH
                for _ in range(41):  # until its hour is over
                    await until(lambda: simulator.sleepers == 1 or task.done())
                    if task.done():
                        break
                    simulator.advance(REFRESH if simulator.requests[-1].method == 'POST' else 60_000)
            with pytest.raises(ccxt.NetworkError, match='listen key'):
                await task
            simulator.clear_faults()
            assert await pushes(simulator, await streaming(simulator, exchange))

    run(main())


@needs_options
def test_expired_key_is_told_and_the_next_call_opens_another_stream(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            task = await streaming(simulator, exchange)
            first = exchange.options['option']['listenKey']
            simulator.advance(3_600_000)
            with pytest.raises(ccxt.NetworkError, match='expired'):
                await task
            assert await pushes(simulator, await streaming(simulator, exchange))
            assert exchange.options['option']['listenKey'] != first
            assert len(exchange.clients) == 2  # the other is where ccxt registers its requests for a key

    run(main())


@needs_options
def test_stream_of_a_key_that_another_one_replaced_is_ended(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            task = await streaming(simulator, exchange)
            await exchange.eapiPrivateDeleteListenKey()
            exchange.options['option']['lastAuthenticatedTime'] = 0
            other = await streaming(simulator, exchange)
            with pytest.raises(ccxt.NetworkError, match='replaced'):
                await task
            assert await pushes(simulator, other)

    run(main())


@needs_options
def test_call_that_is_cancelled_while_it_asks_for_a_key_ends_it_for_no_other(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            simulator.fault('delay', 'listenKey', milliseconds=100)
            first = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
            second = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
            await until(lambda: len(simulator.requests) == 1)
            first.cancel()
            await until(lambda: simulator._sockets._connections and simulator._sockets._connections[-1].is_ready)
            assert await pushes(simulator, second)
            assert requests(simulator) == [('POST', 200)]

    run(main())


@needs_options
def test_event_that_cannot_be_read_is_told(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            task = await streaming(simulator, exchange)
            [client] = [each for each in exchange.clients.values() if 'orders' in each.futures]
            exchange.handle_order_update = lambda *_: {}['o']  # as if ccxt could not read it
            client.on_message_callback(client, {'stream': 'x', 'data': {'e': 'ORDER_TRADE_UPDATE', 'o': {}}})
            client.on_message_callback(client, {'stream': 'x', 'data': 5})
            with pytest.raises(ccxt.BadResponse, match='cannot be read'):
                await task

    run(main())


def test_keys_of_other_apis_are_ccxts_business(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            asked = []

            async def post(params={}):
                asked.append(params)
                return {'listenKey': 'key-of-futures'}

            exchange.fapiPrivatePostListenKey = exchange.papiPostListenKey = post
            exchange.fapiPrivatePutListenKey = post
            exchange.open()
            await exchange.authenticate({'type': 'swap', 'subType': 'linear', 'symbol': None})
            await exchange.keep_alive_listen_key({'type': 'swap', 'subType': 'linear'})
            await exchange.keep_alive_listen_key({'type': 'option'})
            assert len(asked) == 2
            assert None not in asked[0].values()
            await exchange.authenticate({'type': 'option', 'portfolioMargin': True})
            assert len(asked) == 3

    run(main())


@pytest.mark.parametrize('is_named', [False, True])
def test_older_ccxt_says_that_it_has_no_stream(simulator, is_named):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            exchange.urls['api']['ws'].pop('optionPrivate', None)
            named = (symbols(exchange, UNDERLYING)[0],) if is_named else ()
            with pytest.raises(ccxt.NotSupported, match='need ccxt'):
                await exchange.watch_orders(*named, params={} if is_named else {'type': 'option'})

    run(main())
    assert simulator.requests == []


@needs_options
def test_closed_object_is_not_kept_for_the_renewal(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            assert await pushes(simulator, await streaming(simulator, exchange))
            kept = weakref.ref(exchange)
        del exchange
        for _ in range(3):
            await asyncio.sleep(0)
            gc.collect()
        assert kept() is None

    run(main())
