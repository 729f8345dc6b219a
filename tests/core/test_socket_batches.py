"""Batches of orders over a websocket: no answer is lost, whatever becomes of the message."""

import asyncio

import ccxt
import ccxt.pro
import pytest

from ccxt_mmp import MmpFrozen
from ccxt_mmp.simulator import Simulator
from tests.core.sockets import FAMILY, MMP, client_of, connected, received, run
from tests.simulator.sockets import until
from tests.trading import option_market, symbols

OLD = pytest.mark.parametrize('instruments', ['new', 'old'])


def order(symbol, price=5, **params):
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': price, 'params': params}


def of_family(exchange, count, **params):
    listed = symbols(exchange, FAMILY)
    return [order(listed[index % len(listed)], 5 + index, **params) for index in range(count)]


def test_orders_go_by_twenty_and_each_has_its_answer_in_the_order_asked(simulator):
    async def main():
        async with connected(simulator) as exchange:
            asked = of_family(exchange, 23, **MMP) + of_family(exchange, 2)
            orders = await exchange.create_orders_ws(asked)
            assert sorted(len(each['args']) for each in received(simulator, 'batch-orders')) == [2, 3, 20]
            assert [(each['symbol'], each['price']) for each in orders] == [
                (each['symbol'], each['price']) for each in asked
            ]
            assert {(each['status'], each['error']) for each in orders} == {('open', None)}
            assert [each['mmp'] for each in orders] == [True] * 23 + [False] * 2
            assert {each['id'] for each in orders} == {each.order_id for each in simulator.resting('okx', FAMILY)}
            assert not [each for each in simulator.requests if 'order' in each.path]
            client = client_of(exchange)
            assert (set(client.subscriptions), set(client.futures)) == ({'authenticated'}, {'authenticated'})

    run(main())


def test_options_are_named_by_their_code_where_the_market_has_one(simulator):
    async def main():
        async with connected(simulator) as exchange:
            [placed] = await exchange.create_orders_ws(of_family(exchange, 1, **MMP))
            [sent] = received(simulator, 'batch-orders')[0]['args']
            assert 'instId' not in sent
            assert sent['instIdCode'] == int(exchange.market(placed['symbol'])['info']['instIdCode'])
            # by ccxt's own method, too, whatever version of it
            await exchange.create_order_ws(placed['symbol'], 'limit', 'buy', 10, 5, MMP)
            assert 'instId' not in received(simulator, 'batch-orders')[1]['args'][0]

    run(main())


@pytest.mark.parametrize('instruments', ['new', 'old'])
def test_option_without_a_code_goes_by_its_id_and_the_refusal_says_why(instruments):
    async def main(simulator):
        async with connected(simulator, has_markets=False) as exchange:
            [option_id, *_] = simulator.instruments('okx', FAMILY)
            exchange.set_markets([option_market(exchange, option_id, FAMILY)])
            [symbol] = exchange.symbols
            asked = exchange.create_orders_ws([order(symbol, **MMP)])
            alone = exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
            if instruments == 'old':
                assert [each['status'] for each in [*(await asked), await alone]] == ['open', 'open']
                return
            for each in (asked, alone):
                with pytest.raises(ccxt.BaseError, match='since 2026-02'):
                    await each

    with Simulator(instruments=instruments) as simulator:
        run(main(simulator))


def test_part_that_is_refused_loses_no_accepted_order(simulator):
    async def main():
        async with connected(simulator) as exchange:
            first, second, third = symbols(exchange, FAMILY)[:3]
            code_of = exchange._instrument_code
            wrong = exchange.market(second)['id']
            exchange._instrument_code = lambda option_id: 1 if option_id == wrong else code_of(option_id)
            orders = await exchange.create_orders_ws([order(each, **MMP) for each in (first, second, third)])
            assert [each['status'] for each in orders] == ['open', 'rejected', 'open']
            assert isinstance(orders[1]['error'], ccxt.BaseError)
            assert orders[0]['error'] is None
            assert len(simulator.resting('okx', FAMILY)) == 2

    run(main())


def test_frozen_orders_are_told_as_over_rest(simulator):
    simulator.set_rule('okx', FAMILY)
    simulator.trip('okx', FAMILY)

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(MmpFrozen, match='reset_mmp') as caught:
                await exchange.create_orders_ws(of_family(exchange, 2, **MMP))
            assert [each['status'] for each in caught.value.orders] == ['rejected', 'rejected']

    run(main())


def test_batch_without_an_answer_is_told_by_its_client_ids(simulator):
    async def main():
        async with connected(simulator, timeout=300) as exchange:
            simulator.fault('lose', op='batch-orders')
            asked = of_family(exchange, 21, **MMP)
            orders = await exchange.create_orders_ws(asked)
            lost = [each for each in orders if each['status'] is None]
            assert len(lost) in (1, 20)
            assert all(isinstance(each['error'], ccxt.RequestTimeout) for each in lost)
            resting = {each.client_order_id for each in simulator.resting('okx', FAMILY)}
            assert {each['clientOrderId'] for each in orders} == resting

    run(main())


@pytest.mark.parametrize('said', [{'code': '60013', 'msg': 'Invalid args', 'data': []}, {'code': '0', 'data': None}])
def test_answer_of_a_whole_batch_that_is_none(simulator, said):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            client = client_of(exchange)

            async def send(message):
                client.on_message_callback(client, {'id': message['id'], 'op': message['op'], 'msg': '', **said})

            client.send = send
            with pytest.raises((ccxt.BadRequest, ccxt.BadResponse)) as caught:
                await exchange.create_orders_ws(of_family(exchange, 2, **MMP))
            assert all(each['clientOrderId'] for each in caught.value.orders)

    run(main())


def test_batch_that_is_on_its_way_is_waited_for_by_a_mass_cancel(simulator):
    async def main():
        async with connected(simulator) as exchange:
            simulator.fault('delay', op='batch-orders', milliseconds=100)
            call = asyncio.ensure_future(exchange.create_orders_ws(of_family(exchange, 2, **MMP)))
            await until(lambda: received(simulator, 'batch-orders'))
            await exchange.mass_cancel_mmp('BTC/USD')
            assert [each['status'] for each in await call] == ['open', 'open']
            assert simulator.resting('okx', FAMILY) == []

    run(main())


def test_deadline_stands_beside_the_orders(simulator):
    async def main():
        async with connected(simulator) as exchange:
            late = str(exchange.milliseconds() - 1)
            with pytest.raises(ccxt.BaseError, match='51149') as caught:
                await exchange.create_orders_ws(of_family(exchange, 1, **MMP), {'expTime': late})
            [message] = received(simulator, 'batch-orders')
            assert message['expTime'] == late
            assert 'expTime' not in message['args'][0]
            assert len(caught.value.orders) == 1

    run(main())


@pytest.mark.parametrize('count', [0, 2])
def test_orders_of_other_markets_go_by_ccxts_own_method(simulator, count):
    async def main():
        async with connected(simulator) as exchange:
            asked = [order('BTC/USDT', clientOrderId='mine'), *of_family(exchange, count, **MMP)]
            call = exchange.create_orders_ws(asked)
            if not count:
                with pytest.raises(ccxt.BaseError):  # the simulator lists no spot market
                    await call
                return
            orders = await call
            assert [each['status'] for each in orders] == ['rejected', 'open', 'open']
            assert orders[0]['clientOrderId'] == 'mine'

    run(main())


@pytest.mark.parametrize(
    'wrong',
    [{'mmp': 1}, {'isMmp': True}, {'mmp': True, 'timeInForce': 'IOC'}, {'mmp': True, 'hedge': True}],
)
def test_flag_has_the_rules_of_create_orders(simulator, wrong):
    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(ccxt.InvalidOrder):
                await exchange.create_orders_ws([*of_family(exchange, 1, **MMP), *of_family(exchange, 1, **wrong)])
            with pytest.raises(ccxt.InvalidOrder):
                await exchange.create_orders_ws([{**order(symbols(exchange, FAMILY)[0]), 'mmp': True}])
            assert exchange.clients == {}

    run(main())
