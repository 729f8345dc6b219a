"""Orders and edits over a websocket."""

import asyncio
import json
import time

import ccxt
import pytest

import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelLocked, MmpFrozen
from ccxt_mmp.core.fence import GRACE
from tests.okx_socket import nothing, okx_socket, placed, refused
from tests.trading import symbols, with_markets

CONFIG = {'apiKey': 'k', 'secret': 's', 'password': 'p', 'enableRateLimit': False}
MMP = {'mmp': True}


def over_socket(main):
    """Run a test with an exchange, its socket and a symbol."""

    async def run():
        exchange = with_markets(ccxt_mmp.pro.okx(CONFIG))
        async with okx_socket(exchange) as socket:
            await main(exchange, socket, symbols(exchange, 'BTC-USD')[0])

    asyncio.run(asyncio.wait_for(run(), 30))


def before(exchange, symbol, **terms):
    """Lets the exchange read an order that is edited, without REST."""
    raw = {'instId': exchange.market(symbol)['id'], 'ordId': '7', 'ordType': 'mmp', 'state': 'live', 'side': 'buy'}

    async def fetch_order(order_id, symbol, params={}):
        return exchange.parse_order({**raw, 'px': '5', 'sz': '10', 'clOrdId': 'mine', **terms})

    exchange.fetch_order = fetch_order


@pytest.mark.parametrize('op', ['batch-orders', 'order'])
@pytest.mark.parametrize('params', [{}, {'postOnly': True}, {'clientOrderId': 'mine'}])
def test_thin_answer_is_filled_in_from_the_request(op, params):
    async def main(exchange, socket, symbol):
        order = await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, {**MMP, **params, 'op': op})
        [message] = socket.orders
        post_only = bool(params.get('postOnly'))
        assert (message['op'], message['args'][0]['ordType']) == (op, 'mmp_and_post_only' if post_only else 'mmp')
        assert not message['args'][0].keys() & {'mmp', 'postOnly'}
        expected = {
            'id': '12345689',
            'symbol': symbol,
            'type': 'limit',
            'side': 'buy',
            'price': 5.0,
            'amount': 10.0,
            'status': 'open',
            'mmp': True,
            'postOnly': post_only,
            'reduceOnly': False,
            'filled': None,
            'clientOrderId': params.get('clientOrderId', message['args'][0].get('clOrdId')),
        }
        assert {name: order[name] for name in expected} == expected

    over_socket(main)


def test_symbol_is_filled_in_where_the_contract_goes_by_its_code():
    async def main(exchange, socket, symbol):
        exchange.market(symbol)['instIdCode'] = 123456
        order = await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        del exchange.market(symbol)['instIdCode']
        assert order['symbol'] == symbol

    over_socket(main)


def test_order_without_the_flag_is_none():
    async def main(exchange, socket, symbol):
        for params in ({}, {'mmp': False}, {'mmp': None}):
            assert (await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, params))['mmp'] is False
        assert all(message['args'][0]['ordType'] == 'limit' for message in socket.orders)
        assert not any('mmp' in message['args'][0] for message in socket.orders)

    over_socket(main)


@pytest.mark.parametrize('is_edit', [False, True])
def test_refusal_is_that_of_the_order(is_edit):
    async def main(exchange, socket, symbol):
        before(exchange, symbol)
        socket.answer = refused
        if is_edit:
            placing = exchange.edit_order_ws('7', symbol, 'limit', 'buy', 12, 6, MMP)
        else:
            placing = exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        with pytest.raises(MmpFrozen, match='51034'):
            await placing
        socket.answer = placed
        assert (await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP))['status'] == 'open'

    over_socket(main)


@pytest.mark.parametrize(
    'answer', [{'code': '0', 'data': []}, {'code': '1', 'data': []}, {'code': '1', 'data': [None]}]
)
def test_answer_without_the_order_is_an_error(answer):
    async def main(exchange, socket, symbol):
        socket.answer = lambda message: answer
        with pytest.raises((ccxt.BadResponse, ccxt.ExchangeError)):
            await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)

    over_socket(main)


@pytest.mark.parametrize('flag', [True, False, None])
def test_edit_never_sends_the_flag(flag):
    async def main(exchange, socket, symbol):
        before(exchange, symbol, ordType='limit' if flag is False else 'mmp')
        order = await exchange.edit_order_ws('7', symbol, 'limit', 'buy', 12, 6, {'mmp': flag})
        [message] = socket.orders
        assert message.keys() == {'id', 'op', 'args'}
        assert message['op'] == 'amend-order'
        [sent] = message['args']
        # newer versions of ccxt name the option by its code
        market = exchange.market(symbol)
        [name] = [sent.pop(field) for field in ('instId', 'instIdCode') if field in sent]
        assert str(name) in (market['id'], str(market['info'].get('instIdCode')))
        assert sent == {'ordId': '7', 'newSz': '12', 'newPx': '6'}
        if flag:
            expected = {'mmp': True, 'status': 'open', 'type': 'limit', 'symbol': symbol, 'price': 6.0, 'amount': 12.0}
            assert {name: order[name] for name in expected} == expected
        assert 'mmp' not in json.dumps(socket.received)

    over_socket(main)


@pytest.mark.parametrize(('flag', 'kind'), [(True, 'limit'), (False, 'mmp')])
def test_edit_that_would_change_the_flag_is_refused_before_a_socket_is_opened(flag, kind):
    async def main(exchange, socket, symbol):
        before(exchange, symbol, ordType=kind)
        with pytest.raises(ccxt.InvalidOrder, match='cannot change the flag'):
            await exchange.edit_order_ws('7', symbol, 'limit', 'buy', 12, 6, {'mmp': flag})
        assert socket.connections == 0

    over_socket(main)


def test_edit_that_waits_behind_a_mass_cancel_is_not_sent():
    async def main(exchange, socket, symbol):
        before(exchange, symbol)
        logged_in = asyncio.Event()
        asked = asyncio.Event()
        authenticate = exchange.authenticate

        async def later(*arguments):
            asked.set()
            await logged_in.wait()
            return await authenticate(*arguments)

        exchange.authenticate = later
        task = asyncio.ensure_future(exchange.edit_order_ws('7', symbol, 'limit', 'buy', 12, 6, MMP))
        await asked.wait()
        with exchange._mmp_fence('BTC-USD').close():  # as a mass cancel does
            pass
        logged_in.set()
        with pytest.raises(MassCancelLocked):
            await task
        assert socket.orders == []
        assert (await exchange.edit_order_ws('7', symbol, 'limit', 'buy', 12, 6, MMP))['mmp'] is True

    over_socket(main)


def test_order_that_is_not_answered_can_be_given_up():
    async def main(exchange, socket, symbol):
        socket.answer = nothing
        task = asyncio.ensure_future(exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP))
        await socket.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert exchange._mmp_fence('BTC-USD').in_flight_until() <= time.monotonic() + GRACE

    over_socket(main)


# --- where there is no such way


@pytest.mark.parametrize('symbol', ['option', 'BTC/USDT'])
@pytest.mark.parametrize('params', [MMP, {'isMmp': True}])
@pytest.mark.parametrize('has_markets', [True, False])
def test_flag_over_a_websocket_of_binance_is_refused_before_anything_is_opened(symbol, params, has_markets):
    async def main():
        async with ccxt_mmp.pro.binance(CONFIG) as exchange:
            option = symbols(with_markets(ccxt_mmp.pro.binance()), 'BTCUSDT')[0]
            if has_markets:
                with_markets(exchange)

            async def fetch(*arguments):
                raise AssertionError('nothing is sent')

            exchange.fetch = exchange.watch = exchange.authenticate = fetch
            name = option if symbol == 'option' else symbol
            with pytest.raises(ccxt.NotSupported, match='createOrderWs'):
                await exchange.create_order_ws(name, 'limit', 'buy', 10, 5, params)
            with pytest.raises(ccxt.NotSupported, match='editOrderWs'):
                await exchange.edit_order_ws('7', name, 'limit', 'buy', 10, 5, params)
            assert exchange.clients == {}

    asyncio.run(main())


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_class_without_websockets_does_not_support_them(exchange_id):
    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)(CONFIG) as exchange:
            with_markets(exchange)
            symbol = symbols(exchange, {'okx': 'BTC-USD', 'binance': 'BTCUSDT'}[exchange_id])[0]
            for params in (MMP, {}):
                with pytest.raises(ccxt.NotSupported):
                    await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, params)
            with pytest.raises(ccxt.NotSupported):
                await exchange.edit_order_ws('7', symbol, 'limit', 'buy', 10, 5, MMP)

    asyncio.run(main())
