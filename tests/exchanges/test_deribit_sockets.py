"""Orders and the kill switch over Deribit's websocket."""

import asyncio
import json
import time
from contextlib import suppress

import ccxt
import pytest

import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked, MmpFrozen, MmpHalted, MmpNotEnabled
from ccxt_mmp.simulator import Rule
from tests.core import sockets
from tests.core.sockets import client_of, run
from tests.simulator.sockets import until, venue_of
from tests.trading import symbols, with_markets

INDEX = 'btc_usd'
MMP = {'mmp': True}
HEDGE = {'hedge': True}


def connected(simulator, **options):
    return sockets.connected(simulator, 'deribit', **options)


def received(simulator, *methods):
    frames = [json.loads(each.text) for each in simulator.frames if each.direction == 'received']
    return [each for each in frames if each['method'].partition('/')[2] in methods]


def methods(simulator):
    frames = [json.loads(each.text) for each in simulator.frames if each.direction == 'received']
    return [each['method'] for each in frames]


def first(exchange):
    return symbols(exchange, INDEX)[0]


def place(exchange, amount=1, price=0.01, **params):
    return exchange.create_order_ws(first(exchange), 'limit', 'buy', amount, price, {**MMP, **params})


def listed(exchange, count, **params):
    order = {'symbol': first(exchange), 'type': 'limit', 'side': 'sell', 'amount': 1}
    return [{**order, 'price': 0.01 * (each + 1), 'params': params} for each in range(count)]


def resting(simulator):
    return simulator.resting('deribit', INDEX)


def freeze(simulator):
    simulator.set_rule('deribit', INDEX, Rule(window=5000, frozen_time=0, qty_limit='100'))
    simulator.trip('deribit', INDEX)


# --- orders


@pytest.mark.parametrize('params', [{}, {'postOnly': True}, {'clientOrderId': 'mine'}])
def test_order_goes_over_the_socket_as_over_rest(simulator, params):
    async def main():
        async with connected(simulator) as exchange:
            order = await place(exchange, 1.5, 0.0105, **params)
            [message] = received(simulator, 'buy')
            assert isinstance(message['id'], int)
            assert message['params'] == {
                'instrument_name': exchange.market(first(exchange))['id'],
                'amount': 1.5,
                'price': 0.0105,
                'type': 'limit',
                'time_in_force': 'good_til_cancelled',
                'post_only': bool(params.get('postOnly')),
                'label': params.get('clientOrderId', 'mmp:btc_usd'),
                'mmp': True,
                **({'reject_post_only': True} if params.get('postOnly') else {}),
            }
            [resting_order] = resting(simulator)
            expected = {'id': resting_order.order_id, 'mmp': True, 'status': 'open', 'side': 'buy', 'amount': 1.5}
            assert {name: order[name] for name in expected} == expected
            assert not [each for each in simulator.requests if 'private' in each.path]
            client = client_of(exchange)
            assert set(client.futures) == set()
            assert set(client.subscriptions) == {'authenticated'}

    run(main())


@pytest.mark.parametrize('is_limited', [True, False])
def test_order_without_the_flag_is_none_and_loads_markets_itself(simulator, is_limited):
    async def main():
        async with connected(simulator, has_markets=False, enableRateLimit=is_limited) as exchange:
            symbol = 'BTC/USD:BTC'
            order = await exchange.create_order_ws(symbol, 'limit', 'sell', 10, 70000)
            assert (order['mmp'], order['symbol']) == (False, symbol)
            edited = await exchange.edit_order_ws(order['id'], symbol, 'limit', 'sell', 20)
            assert (edited['amount'], edited['price']) == (20, 70000)
            with pytest.raises(ccxt.ArgumentsRequired, match='amount'):
                await exchange.edit_order_ws(order['id'], symbol, 'limit', 'sell')
            with pytest.raises(ccxt.NotSupported, match='limit orders alone'):
                await exchange.create_order_ws(symbol, 'market', 'sell', 10)

    run(main())


def test_edit_keeps_the_flag(simulator):
    async def main():
        async with connected(simulator) as exchange:
            order = await place(exchange)
            edited = await exchange.edit_order_ws(order['id'], order['symbol'], 'limit', 'buy', 2, 0.02, MMP)
            assert (edited['amount'], edited['price'], edited['mmp']) == (2, 0.02, True)
            [message] = received(simulator, 'edit')
            assert message['params'] == {'order_id': order['id'], 'amount': 2, 'price': 0.02, 'post_only': False}
            with pytest.raises(ccxt.InvalidOrder, match='cannot change the flag'):
                await exchange.edit_order_ws(order['id'], order['symbol'], 'limit', 'buy', 2, 0.02, {'mmp': False})

    run(main())


def test_refusal_is_that_of_rest(simulator):
    freeze(simulator)

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(MmpFrozen, match='13030') as caught:
                await place(exchange)
            assert (caught.value.underlyingId, caught.value.orders[0]['clientOrderId']) == (INDEX, 'mmp:btc_usd')
            with pytest.raises(MmpFrozen) as caught:
                await exchange.create_orders_ws(listed(exchange, 2, **MMP))
            assert [each['status'] for each in caught.value.orders] == ['rejected', 'rejected']

    run(main())


def test_each_order_of_a_list_has_its_answer(simulator):
    async def main():
        async with connected(simulator) as exchange:
            asked = [*listed(exchange, 3, **MMP), *listed(exchange, 1)]
            asked[1] = {**asked[1], 'amount': 0.15}  # of no whole lots
            exchange.amount_to_precision = lambda symbol, amount: str(amount)
            orders = await exchange.create_orders_ws(asked)
            assert [each['status'] for each in orders] == ['open', 'rejected', 'open', 'open']
            assert [each['mmp'] for each in orders] == [True, True, True, False]
            assert isinstance(orders[1]['error'], ccxt.BadRequest)
            assert len(resting(simulator)) == 3

    run(main())


def test_order_whose_answer_is_lost_is_told_by_its_label(simulator):
    async def main():
        async with connected(simulator, timeout=300) as exchange:
            await exchange.authenticate()
            simulator.fault('lose', op='private/buy')
            with pytest.raises(ccxt.RequestTimeout) as caught:
                await place(exchange, clientOrderId='mine')
            assert [(each['clientOrderId'], each['status']) for each in caught.value.orders] == [('mine', None)]
            await until(lambda: [each.client_order_id for each in resting(simulator)] == ['mine'])

    run(main())


@pytest.mark.parametrize('said', [{'result': {}}, {'result': 'ok'}, {}])
def test_answer_without_an_order_is_an_error(simulator, said):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            client = client_of(exchange)

            async def send(message):
                client.on_message_callback(client, {'jsonrpc': '2.0', 'id': message['id'], **said})

            client.send = send
            with pytest.raises(ccxt.BadResponse):
                await place(exchange)

    run(main())


@pytest.mark.parametrize('is_halted', [True, False])
def test_halt_stops_orders_over_the_socket(simulator, tmp_path, is_halted):
    async def main():
        option = {'url': f'sqlite:{tmp_path}/halt.db', 'account': 'desk1', 'grace': 0}
        async with connected(simulator, options={'mmpHalt': option}) as exchange:
            order = await place(exchange)
            await exchange.halt_mmp('BTC/USD', {'cancel': False})
            if not is_halted:
                await exchange.resume_mmp('BTC/USD')
                assert (await place(exchange))['status'] == 'open'
                return
            with pytest.raises(MmpHalted):
                await place(exchange)
            with pytest.raises(MmpHalted):
                await exchange.edit_order_ws(order['id'], order['symbol'], 'limit', 'buy', 2, 0.02, MMP)
            with pytest.raises(MmpHalted):
                await exchange.create_orders_ws(listed(exchange, 1, **MMP))
            [other] = await exchange.create_orders_ws(listed(exchange, 1))
            assert other['status'] == 'open'
            await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert [each.order_id for each in resting(simulator)] == [other['id']]

    run(main())


# --- the kill switch


def test_mass_cancel_lists_cancels_and_lists_again_over_the_socket(simulator):
    other = simulator.rest('deribit', INDEX, mmp=False)
    of_another_index = simulator.rest('deribit', 'eth_usd', mmp=True)

    async def main():
        async with connected(simulator) as exchange:
            await exchange.create_orders_ws([*listed(exchange, 3, **MMP), *listed(exchange, 2, **MMP, label='b')])
            alone = simulator.rest('deribit', INDEX, mmp=True)
            ids = {each.order_id for each in resting(simulator)} - {other.order_id}
            before = len(simulator.frames)
            cancelled = await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert {each['id'] for each in cancelled['orders']} == ids
            assert alone.order_id in ids
            assert resting(simulator) == [other]
            assert of_another_index.is_open
            sent = methods(simulator)[-5:]
            assert sent[0] == sent[-1] == 'private/get_open_orders'
            assert sorted(sent[1:-1]) == ['private/cancel', *['private/cancel_by_label'] * 2]
            assert len(simulator.frames) == before + 10
            assert not [each for each in simulator.requests if 'private' in each.path]

    run(main())


@pytest.mark.parametrize('method', ['mass_cancel_mmp_ws', 'mass_cancel_mmp'])
def test_every_order_of_an_index_goes_by_one_request(simulator, method):
    simulator.rest('deribit', INDEX, mmp=False)
    simulator.rest('deribit', INDEX, mmp=True)

    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            params = {'includeNonMmp': True}
            if method == 'mass_cancel_mmp':
                params |= HEDGE
            cancelled = await getattr(exchange, method)('BTC/USD', params)
            assert (cancelled['orders'], resting(simulator)) == (None, [])
            assert int(cancelled['info']['result']) in (0, 2)  # a text in older versions of ccxt

    run(main())


def test_mass_cancel_that_finds_nothing_asks_over_the_socket_whether_there_is_such_an_index(simulator):
    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            assert (await exchange.mass_cancel_mmp_ws('BTC/USD'))['orders'] == []
            assert methods(simulator)[-1] == 'private/get_mmp_config'
            with pytest.raises(ccxt.BadSymbol):
                await exchange.mass_cancel_mmp_ws('DOGE/USDC')
            assert simulator.requests == []

    run(main())


def test_credits_are_shared_with_rest(simulator):
    async def main():
        limits = {'mmpRateLimits': {'others': [4, 60_000], 'matching': [5, 60_000], 'cancel_all': [5, 60_000]}}
        async with connected(simulator, enableRateLimit=True, options=limits) as exchange:
            for method in (exchange.mass_cancel_mmp, exchange.mass_cancel_mmp_ws):
                simulator.rest('deribit', INDEX, mmp=True)
                await method('BTC/USD')
            with pytest.raises(MassCancelIncomplete, match='no room'):
                await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 200})

    run(main())


def test_used_up_credits_that_the_exchange_tells_of_are_waited_out(simulator):
    async def main():
        async with connected(simulator) as exchange:
            simulator.rest('deribit', INDEX, mmp=True)
            waits = []

            async def sleep(milliseconds):
                waits.append(milliseconds)
                simulator.advance(5000)

            exchange.sleep = sleep
            for _ in range(200):  # credits come back all the time
                await asyncio.gather(*(exchange.privateGetGetOpenOrders({}) for _ in range(30)), return_exceptions=True)
                venue_of(simulator)._used._left[simulator._account.key, 'others'] = (0.0, simulator.now())
                await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 60_000})
                if waits:
                    break
            assert waits
            assert resting(simulator) == []

    run(main())


def test_refusal_of_a_mass_cancel_is_that_of_rest(simulator):
    account = simulator._account
    account.permissions = {'read'}
    simulator.rest('deribit', INDEX, mmp=True)

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(ccxt.PermissionDenied, match='13021'):
                await exchange.mass_cancel_mmp_ws('BTC/USD')

    run(main())


@pytest.mark.parametrize('kind', ['lose', 'drop_after', 'drop', 'close', 'mute'])
@pytest.mark.parametrize('op', ['public/auth', 'private/get_open_orders', 'private/cancel'])
def test_what_is_lost_once_is_repeated(simulator, kind, op):
    async def main(seconds):
        async with connected(simulator) as exchange:
            simulator.rest('deribit', INDEX, mmp=True)
            simulator.fault(kind, op=op)
            [fault] = simulator._sockets.faults
            if op != 'public/auth':
                await exchange.authenticate()
            # the attempt that is struck is given up soon, the next one has time on a busy machine
            exchange._answer_ends = lambda *_: time.monotonic() + (20 if fault.was_used else seconds)
            await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 60_000})
            assert resting(simulator) == []

    for seconds in (0.05, 0.3, 1):  # a busy machine may need more for what comes before it
        simulator.clear()
        with suppress(MassCancelIncomplete):
            run(main(seconds))
            return
    pytest.fail('it is not repeated')


def test_orders_in_flight_are_waited_for(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await place(exchange)
            simulator.fault('delay', op='private/buy', milliseconds=500)
            in_flight = asyncio.ensure_future(place(exchange))
            await until(lambda: len(received(simulator, 'buy')) == 2)
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp_ws('BTC/USD'))
            await until(lambda: received(simulator, 'get_open_orders'))
            with pytest.raises(MassCancelLocked):
                await place(exchange)
            await cancelling
            assert in_flight.done()
            assert resting(simulator) == []

    run(main())


# --- both ways at once


@pytest.mark.parametrize('by', ['params', 'option'])
def test_both_ways_are_taken_and_the_orders_are_cancelled(simulator, by):
    ids = {simulator.rest('deribit', INDEX, mmp=True).order_id for _ in range(5)}

    async def main():
        async with connected(simulator) as exchange:
            exchange.options['massCancelMmp']['hedge'] = by == 'option'
            await exchange.warm_up(HEDGE if by == 'params' else {})
            assert methods(simulator) == ['public/auth']
            cancelled = await exchange.mass_cancel_mmp('BTC/USD', HEDGE if by == 'params' else {})
            assert resting(simulator) == []
            assert {each['id'] for each in cancelled['orders']} <= ids
            assert received(simulator, 'get_open_orders')
            assert [each for each in simulator.requests if each.path.endswith('get_open_orders')]

    run(main())


def test_orders_that_the_slower_way_has_cancelled_are_known(simulator):
    ids = {simulator.rest('deribit', INDEX, mmp=True).order_id for _ in range(2)}

    async def main():
        async with connected(simulator) as exchange:
            await exchange.warm_up(HEDGE)
            listed, cancel_chunk, list_orders = asyncio.Event(), exchange._cancel_chunk, exchange._list_open_orders

            async def cancel(chunk, index, params, progress):
                """Over REST all are cancelled, when the websocket has listed them, too."""
                if progress.send is None:
                    await listed.wait()
                else:
                    listed.set()
                    await until(lambda: len(progress.orders.acknowledged) == len(ids))
                return await cancel_chunk(chunk, index, params, progress)

            async def list_again(index, params, progress, rows):
                if progress.send is None and progress.orders.acknowledged:
                    await asyncio.Event().wait()
                await list_orders(index, params, progress, rows)

            exchange._cancel_chunk, exchange._list_open_orders = cancel, list_again
            cancelled = await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert {each['id'] for each in cancelled['orders']} == ids

    run(main())


@pytest.mark.parametrize('dead', ['websocket', 'rest'])
def test_neither_way_waits_for_the_other(simulator, dead):
    simulator.rest('deribit', INDEX, mmp=True)

    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            if dead == 'rest':
                simulator.fault('delay', 'get_open_orders', milliseconds=60_000)
            else:
                simulator.fault('mute')
            started = time.monotonic()
            await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert time.monotonic() - started < 2.5
            assert resting(simulator) == []
            simulator.clear_faults()

    run(main())


def test_both_failures_are_told(simulator):
    simulator.rest('deribit', INDEX, mmp=True)
    simulator._account.permissions = {'trade'}

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(ccxt.BaseError, match='13021') as caught:
                await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert 'over the websocket' in str(caught.value)

    run(main())


def test_refused_login_is_told(simulator):
    async def main():
        async with connected(simulator) as exchange:
            exchange.secret = 'wrong-secret'  # pragma: allowlist secret
            with pytest.raises((ccxt.AuthenticationError, MassCancelIncomplete), match='13004'):
                await exchange.mass_cancel_mmp_ws('BTC/USD')

    run(main())


def test_privilege_that_is_missing_is_told(simulator):
    simulator.privileged = False

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(MmpNotEnabled, match='13040'):
                await place(exchange)

    run(main())


@pytest.mark.parametrize(
    ('params', 'error'),
    [
        (HEDGE, ccxt.NotSupported),
        ({'lockInterval': 5}, ccxt.NotSupported),
        ({'scope': 'rfq'}, ccxt.NotSupported),
        ({'timeout': 0}, ccxt.BadRequest),
        ({'includeNonMmp': 1}, ccxt.BadRequest),
    ],
)
def test_bad_input_opens_no_socket(simulator, params, error):
    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            with pytest.raises(error):
                await exchange.mass_cancel_mmp_ws('BTC/USD', params)
            assert exchange.clients == {}

    run(main())


# --- where there is none


@pytest.mark.parametrize('name', ['sync', 'async'])
def test_class_without_websockets_says_so(name):
    module = {'sync': ccxt_mmp, 'async': ccxt_mmp.async_support}[name]

    async def main():
        exchange = with_markets(module.deribit({'apiKey': 'k', 'secret': 's'}))
        names = ('massCancelMmpWs', 'createOrdersWs', 'createOrderWs', 'editOrderWs')
        assert not any(exchange.has[each] for each in names)
        terms = (first(exchange), 'limit', 'buy', 1, 0.01)
        with pytest.raises(ccxt.NotSupported):
            await exchange.create_order_ws(*terms)
        with pytest.raises(ccxt.NotSupported):
            await exchange.edit_order_ws('7', *terms)
        if name == 'async':
            await exchange.close()

    asyncio.run(main())
