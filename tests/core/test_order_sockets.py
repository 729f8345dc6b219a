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
from tests.core.ordering import listed
from tests.core.sockets import FAMILY, MMP, OVER_SOCKET, client_of, connected, is_idle, received, run
from tests.simulator.sockets import until
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

PLACING = ('batch-orders', 'amend-order', 'private/buy', 'private/edit')  # in what is sent
CONFIG = {'apiKey': 'k', 'secret': 's', 'password': 'p', 'enableRateLimit': False}


def over_socket(simulator, main, **config):
    """Run a test with an exchange and a symbol."""

    async def bounded():
        async with connected(simulator, **config) as exchange:
            await main(exchange, symbols(exchange, FAMILY)[0])

    run(bounded())


def edit(exchange, order, symbol, **params):
    return exchange.edit_order_ws(order.order_id, symbol, 'limit', 'buy', 12, 6, params)


def rest(simulator, exchange, symbol, mmp=True):
    return simulator.rest('okx', FAMILY, mmp=mmp, symbol=exchange.market(symbol)['id'])


@pytest.mark.parametrize('op', ['batch-orders', 'order'])
@pytest.mark.parametrize('params', [{}, {'postOnly': True}, {'clientOrderId': 'mine'}])
def test_thin_answer_is_filled_in_from_the_request(simulator, op, params):
    async def main(exchange, symbol):
        order = await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, {**MMP, **params, 'op': op})
        [message] = received(simulator, op)
        post_only = bool(params.get('postOnly'))
        assert message['args'][0]['ordType'] == ('mmp_and_post_only' if post_only else 'mmp')
        assert not message['args'][0].keys() & {'mmp', 'postOnly'}
        [resting] = simulator.resting('okx', FAMILY)
        expected = {
            'id': resting.order_id,
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

    over_socket(simulator, main)


def test_order_without_the_flag_is_none(simulator):
    async def main(exchange, symbol):
        for params in ({}, {'mmp': False}, {'mmp': None}):
            assert (await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, params))['mmp'] is False
        messages = received(simulator, 'batch-orders')
        assert [message['args'][0]['ordType'] for message in messages] == ['limit'] * 3
        assert not any('mmp' in message['args'][0] for message in messages)

    over_socket(simulator, main)


@pytest.mark.parametrize('is_edit', [False, True])
def test_refusal_is_that_of_the_order(simulator, is_edit):
    simulator.set_rule('okx', FAMILY)

    async def main(exchange, symbol):
        order = rest(simulator, exchange, symbol)
        simulator.protection('okx', FAMILY).freeze_ends = float('inf')
        if is_edit:
            placing = edit(exchange, order, symbol, **MMP)
        else:
            placing = exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        with pytest.raises(MmpFrozen, match='51034'):
            await placing
        simulator.protection('okx', FAMILY).freeze_ends = 0
        assert (await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP))['status'] == 'open'

    over_socket(simulator, main)


@pytest.mark.parametrize(
    'answer', [{'code': '0', 'data': []}, {'code': '1', 'data': []}, {'code': '1', 'data': [None]}]
)
def test_answer_without_the_order_is_an_error(simulator, answer):
    async def main(exchange, symbol):
        await exchange.authenticate()
        client = client_of(exchange)

        async def send_str(text):
            message = json.loads(text)
            client.on_message_callback(client, {'id': message['id'], 'op': message['op'], 'msg': '', **answer})

        client.connection.send_str = send_str
        with pytest.raises((ccxt.BadResponse, ccxt.ExchangeError)):
            await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)

    over_socket(simulator, main)


@pytest.mark.parametrize('flag', [True, False, None])
def test_edit_never_sends_the_flag(simulator, flag):
    async def main(exchange, symbol):
        before = rest(simulator, exchange, symbol, mmp=flag is not False)
        order = await edit(exchange, before, symbol, mmp=flag)
        [message] = received(simulator, 'amend-order')
        assert message.keys() == {'id', 'op', 'args'}
        [sent] = message['args']
        assert sent.pop('instIdCode') == int(exchange.market(symbol)['info']['instIdCode'])
        assert sent == {'ordId': before.order_id, 'newSz': '12', 'newPx': '6'}
        if flag:
            expected = {'mmp': True, 'status': 'open', 'type': 'limit', 'symbol': symbol, 'price': 6.0, 'amount': 12.0}
            assert {name: order[name] for name in expected} == expected
        assert 'mmp' not in json.dumps(message)

    over_socket(simulator, main)


@pytest.mark.parametrize('flag', [True, False])
def test_edit_that_would_change_the_flag_is_refused_before_a_socket_is_opened(simulator, flag):
    async def main(exchange, symbol):
        order = rest(simulator, exchange, symbol, mmp=not flag)
        with pytest.raises(ccxt.InvalidOrder, match='cannot change the flag'):
            await edit(exchange, order, symbol, mmp=flag)
        assert exchange.clients == {}

    over_socket(simulator, main)


def test_edit_that_waits_behind_a_mass_cancel_is_not_sent(simulator):
    async def main(exchange, symbol):
        order = rest(simulator, exchange, symbol)
        logged_in, asked, authenticate = asyncio.Event(), asyncio.Event(), exchange.authenticate

        async def later(*arguments):
            asked.set()
            await logged_in.wait()
            return await authenticate(*arguments)

        exchange.authenticate = later
        task = asyncio.ensure_future(edit(exchange, order, symbol, **MMP))
        await asked.wait()
        with exchange._mmp_fence(FAMILY).close():  # as a mass cancel does
            pass
        logged_in.set()
        with pytest.raises(MassCancelLocked):
            await task
        assert received(simulator, 'amend-order') == []
        assert (await edit(exchange, order, symbol, **MMP))['mmp'] is True

    over_socket(simulator, main)


def test_order_that_is_not_answered_can_be_given_up(simulator):
    async def main(exchange, symbol):
        simulator.fault('lose', op='batch-orders')
        task = asyncio.ensure_future(exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP))
        await until(lambda: received(simulator, 'batch-orders'))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert exchange._mmp_fence(FAMILY).in_flight_until() <= time.monotonic() + GRACE

    over_socket(simulator, main)


# --- what waits, in each of the ways


@pytest.fixture(params=OVER_SOCKET)
def exchange_id(request):
    return request.param


@pytest.fixture(params=['create_order_ws', 'create_orders_ws', 'edit_order_ws'])
def ask(request, simulator, exchange_id):
    """Asks for an order, or for the edit of the one that rests."""

    def asked(exchange):
        symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
        if request.param == 'create_orders_ws':
            return exchange.create_orders_ws(listed([symbol], 2))
        ids = []
        if request.param == 'edit_order_ws':
            [resting] = simulator.resting(exchange_id, UNDERLYING[exchange_id])
            ids = [resting.order_id]
        return getattr(exchange, request.param)(*ids, symbol, 'limit', 'buy', 12, 6, MMP)

    option_id = simulator.instruments(exchange_id, UNDERLYING[exchange_id])[0]
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True, symbol=option_id)
    return asked


def test_what_waits_for_the_limiter_is_not_waited_for_and_not_sent(simulator, exchange_id, ask):
    async def main():
        async with connected(simulator, exchange_id, enableRateLimit=True) as exchange:
            await exchange.authenticate()
            queued, go = [], asyncio.Event()

            async def throttle(cost=None):
                queued.append(cost)
                await go.wait()

            client_of(exchange).throttle = throttle
            task = asyncio.ensure_future(ask(exchange))
            await until(lambda: queued)
            assert not exchange._mmp_fence(UNDERLYING[exchange_id]).has_in_flight
            await exchange.mass_cancel_mmp_ws(UNIFIED[exchange_id])
            go.set()
            with pytest.raises(MassCancelLocked):
                await task
            assert simulator.resting(exchange_id, UNDERLYING[exchange_id]) == []
            assert not any(name in each.text for each in simulator.frames for name in PLACING)

    run(main())


def test_what_is_sent_is_waited_for(simulator, exchange_id, ask):
    async def main():
        async with connected(simulator, exchange_id) as exchange:
            await exchange.authenticate()
            is_sent, answered = asyncio.Event(), asyncio.Event()
            client = client_of(exchange)
            send = client.send.__wrapped__

            async def late(message):
                if any(name in json.dumps(message) for name in PLACING):
                    is_sent.set()
                    await answered.wait()
                await send(message)

            client.send = late  # which the exchange wraps again
            task = asyncio.ensure_future(ask(exchange))
            await is_sent.wait()
            assert exchange._mmp_fence(UNDERLYING[exchange_id]).has_in_flight
            answered.set()
            await task
            assert not exchange._mmp_fence(UNDERLYING[exchange_id]).has_in_flight

    run(main())


def test_order_that_is_given_up_while_the_halts_are_read_is_not_sent(simulator, exchange_id, ask):
    async def main():
        async with connected(simulator, exchange_id) as exchange:
            await exchange.authenticate()
            asked, read = asyncio.Event(), asyncio.Event()

            async def pass_halt(context):
                asked.set()
                await read.wait()

            exchange._pass_halt = pass_halt
            task = asyncio.ensure_future(ask(exchange))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            read.set()
            for _ in range(2):  # by when it would have been sent, and received
                await is_idle(exchange)
            assert not any(name in each.text for each in simulator.frames for name in PLACING)

    run(main())


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


def test_flag_over_a_websocket_of_bybit_is_refused_before_anything_is_opened():
    """Its orders over a websocket carry no flag that the exchange documents."""

    async def main():
        async with ccxt_mmp.pro.bybit(CONFIG) as exchange:
            with_markets(exchange)
            symbol = symbols(exchange, 'BTC')[0]

            async def fetch(*arguments):
                raise AssertionError('nothing is sent')

            exchange.fetch = exchange.watch = exchange.authenticate = fetch
            with pytest.raises(ccxt.NotSupported, match='createOrderWs'):
                await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
            with pytest.raises(ccxt.NotSupported, match='editOrderWs'):
                await exchange.edit_order_ws('7', symbol, 'limit', 'buy', 10, 5, MMP)
            terms = {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': MMP}
            with pytest.raises(ccxt.NotSupported):
                await exchange.create_orders_ws([terms])
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
