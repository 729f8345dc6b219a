"""OKX's private websocket: its login, channels and operations, and what clients that nobody changed make of it."""

import asyncio
import inspect
import json

import ccxt.pro
import pytest

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Rule, Simulator
from ccxt_mmp.simulator.venues.okx import stream
from tests.simulator.sockets import OPTIONS, PATIENCE, logged_in, login, opened, rows, signature, subscribe, until

FAMILY = 'BTC-USD'
NUMBER_OF_ORDERS = 200
HAS_CODES = 'instIdCode' in inspect.getsource(ccxt.pro.okx.create_order_ws)
ORDER = {'tdMode': 'cross', 'side': 'buy', 'ordType': 'mmp', 'px': '0.01', 'sz': '10'}


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def codes(simulator):
    """The instIdCode of each option, as public/instruments has it."""
    exchange = simulator.connect(ccxt.okx)
    answer = exchange.publicGetPublicInstruments({'instType': 'OPTION'})
    return {row['instId']: int(row['instIdCode']) for row in answer['data']}


# --- login


def test_signature_is_that_of_the_check_vector():
    expected = 'm+lzVL6siKIpimAa/6y8lHpWZe0SCpehAqymC8Nel0A='  # pragma: allowlist secret
    assert signature('mysecret', '1538054050') == expected


@pytest.mark.parametrize(
    ('wrong', 'code'),
    [
        ({'key': 'nobody'}, '60005'),
        ({'timestamp': '1'}, '60006'),
        ({'timestamp': 'now'}, '60006'),
        ({'sign': 'wrong'}, '60007'),
        ({'secret': 'another'}, '60007'),  # pragma: allowlist secret
        ({'apiKey': ''}, '60009'),
        ({'passphrase': 'another'}, '60024'),
    ],
)
def test_wrong_login_is_refused_and_the_next_is_heard(simulator, wrong, code):
    async def main():
        async with opened(simulator) as client:
            refused = await client.ask(login(simulator.now(), **wrong))
            assert (refused['event'], refused['code']) == ('error', code)
            assert refused['connId']
            assert (await client.ask({'op': 'subscribe', 'args': [OPTIONS]}))['code'] == '60011'
            accepted = await client.ask(login(simulator.now()))
            assert accepted == {'event': 'login', 'code': '0', 'msg': '', 'connId': refused['connId']}

    run(main())


@pytest.mark.parametrize(('seconds', 'is_accepted'), [(-29, True), (29, True), (-31, False), (31, False)])
def test_login_is_within_30_s_of_the_exchange(seconds, is_accepted):
    async def main():
        with Simulator(clock=lambda: 1_700_000_000_000) as simulator:
            async with opened(simulator) as client:
                answer = await client.ask(login(simulator.now() + seconds * 1000))
                assert answer['event'] == ('login' if is_accepted else 'error')

    run(main())


def test_connection_is_of_one_account(simulator):
    simulator.add_account('other', SECRET)

    async def main():
        async with logged_in(simulator) as client:
            refused = await client.ask(login(simulator.now(), 'other', secret=SECRET, passphrase=PASSPHRASE))
            assert refused['code'] == '60009'

    run(main())


# --- channels


@pytest.mark.parametrize(
    ('message', 'code'),
    [
        ('no JSON', '60012'),
        ('[1]', '60012'),
        ({'op': 'subscribe', 'argss': [OPTIONS]}, '60012'),
        ({'op': 'subscribe', 'args': ['orders']}, '60012'),
        ({'op': 'subscribe', 'args': [{'instType': 'OPTION'}]}, '60012'),
        ({'op': 'unsubscribe', 'args': [OPTIONS]}, '60012'),
        ({'op': 'order', 'args': [{}], 'postOnly': True}, '60012'),
        ({'op': 'cancel-everything', 'args': [{}]}, '60012'),
        ({'op': 'subscribe', 'args': [{'channel': 'candles'}]}, '60018'),
        ({'op': 'subscribe', 'args': [{'channel': 'orders'}]}, '60018'),
        ({'op': 'subscribe', 'args': [{'channel': 'orders', 'instType': 'OPTIONS'}]}, '60018'),
        ({'op': 'subscribe', 'args': [{**OPTIONS, 'family': FAMILY}]}, '60018'),
    ],
)
def test_what_is_not_understood_is_an_error(simulator, message, code):
    async def main():
        async with logged_in(simulator) as client:
            refused = await client.ask(message)
            assert (refused['event'], refused['code']) == ('error', code)
            assert 'id' not in refused
            if isinstance(message, dict):
                assert (await client.ask({**message, 'id': 'a1'}))['id'] == 'a1'

    run(main())


def test_subscription_is_acknowledged_with_its_id_and_the_connections(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS), logged_in(simulator) as client:
            acknowledged = await client.ask({'id': '1512', 'op': 'subscribe', 'args': [OPTIONS]})
            connection = acknowledged.pop('connId')
            assert acknowledged == {'id': '1512', 'event': 'subscribe', 'arg': OPTIONS}
            assert await client.receive() == {
                'event': 'channel-conn-count',
                'channel': 'orders',
                'connCount': '2',
                'connId': connection,
            }
            ended = await client.ask({'id': '1513', 'op': 'unsubscribe', 'args': [OPTIONS]})
            assert ended == {'id': '1513', 'event': 'unsubscribe', 'arg': OPTIONS, 'connId': connection}
            simulator.rest('okx', FAMILY, mmp=True)
            assert await client.is_silent()

    run(main())


@pytest.mark.parametrize(
    ('further', 'pushed'),
    [
        ({}, 3),
        ({'instType': 'ANY'}, 3),
        ({'instFamily': FAMILY}, 2),
        ({'instId': 'first'}, 1),
        ({'instType': 'SWAP'}, 0),
    ],
)
def test_subscription_covers_what_it_names(simulator, further, pushed):
    first, second = simulator.instruments('okx', FAMILY)[:2]
    wanted = {**OPTIONS, **further, **({'instId': first} if 'instId' in further else {})}

    async def main():
        async with logged_in(simulator, wanted) as client:
            for family, symbol in ((FAMILY, second), (FAMILY, first), ('ETH-USD', None)):
                simulator.rest('okx', family, mmp=True, symbol=symbol)
            frames = [await client.receive() for _ in range(pushed)]
            assert len(rows(frames)) == pushed
            assert all({**frame['arg'], **wanted} == frame['arg'] for frame in frames)
            assert await client.is_silent()

    run(main())


def test_channel_has_at_most_30_connections_of_an_account(simulator, monkeypatch):
    assert stream.CONNECTIONS == 30
    monkeypatch.setattr(stream, 'CONNECTIONS', 1)  # 30 are many to open
    simulator.add_account('other', SECRET)

    async def main():
        async with logged_in(simulator, OPTIONS), logged_in(simulator) as second:
            acknowledged = await second.ask({'op': 'subscribe', 'args': [OPTIONS]})
            assert acknowledged['event'] == 'subscribe'
            refused = await second.receive()
            assert (refused['event'], refused['channel']) == ('channel-conn-count-error', 'orders')
            simulator.rest('okx', FAMILY, mmp=True)
            assert await second.is_silent()
            async with logged_in(simulator, OPTIONS, key='other'):
                pass

    run(main())


def test_connection_has_480_subscriptions_an_hour(simulator):
    async def main():
        async with logged_in(simulator) as client:  # the first
            for _ in range(479):
                await client.send({'op': 'unsubscribe', 'args': [{}]})
            assert {(await client.receive())['code'] for _ in range(479)} == {'60012'}
            assert (await client.ask({'op': 'subscribe', 'args': [OPTIONS]}))['code'] == '60014'
            simulator.advance(3_600_000)
            await subscribe(client)

    run(main())


def test_account_and_positions_begin_with_a_snapshot(simulator):
    async def main():
        positions = {'channel': 'positions', 'instType': 'OPTION'}
        async with logged_in(simulator, {'channel': 'account', 'ccy': 'BTC'}) as client:
            snapshot = await client.receive()
            assert (snapshot['arg']['channel'], snapshot['eventType']) == ('account', 'snapshot')
            assert [detail['ccy'] for detail in snapshot['data'][0]['details']] == ['BTC']
            simulator.rest('okx', FAMILY, mmp=True)
            assert (await client.receive())['eventType'] == 'event_update'
            await subscribe(client, positions)

    run(main())


def test_amendment_over_the_socket_is_pushed_and_fills_are_positions(simulator):
    async def main():
        order = simulator.rest('okx', FAMILY, mmp=True)
        item = {'instIdCode': codes(simulator)[order.instrument.instrument_id], 'ordId': order.order_id}
        async with logged_in(simulator, OPTIONS) as client:
            await client.send({'id': '1', 'op': 'amend-order', 'args': [{**item, 'newPx': '0.5'}]})
            frames = [await client.receive() for _ in range(2)]
            [answer] = [frame for frame in frames if frame.get('op')]
            assert (answer['code'], answer['data'][0]['ordId']) == ('0', order.order_id)
            [pushed] = [frame['data'][0] for frame in frames if 'arg' in frame]
            assert (pushed['px'], pushed['ordType'], pushed['amendResult']) == ('0.5', 'mmp', '0')
        async with logged_in(simulator, {'channel': 'positions', 'instType': 'OPTION'}) as client:
            assert (await client.receive())['data'] == []
            simulator.fill(order.order_id, 3)
            [position] = (await client.receive())['data']
            assert (position['instId'], position['pos']) == (order.instrument.instrument_id, '3')

    run(main())


def test_ping_is_answered_in_bare_text_before_login_too(simulator):
    async def main():
        async with opened(simulator) as client:
            assert await client.is_silent()

    run(main())


def test_30_s_of_silence_end_a_connection(simulator, monkeypatch):
    assert stream.OkxSession.idle == 30_000
    monkeypatch.setattr(stream.OkxSession, 'idle', 300)

    async def main():
        async with logged_in(simulator) as silent, logged_in(simulator) as alive:
            ended = asyncio.ensure_future(silent.ended())
            while not ended.done():
                assert await alive.is_silent()
                await asyncio.sleep(0.02)
            assert await ended == 4004
            assert await alive.is_silent()

    run(main())


# --- pushes


def test_order_is_pushed_as_it_was_at_each_change(simulator):
    simulator.set_rule('okx', FAMILY, Rule(5000, 0, qty_limit='10'))

    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            order = simulator.rest('okx', FAMILY, mmp=True)
            other = simulator.rest('okx', FAMILY, mmp=True)
            simulator.fill(order.order_id, '4')
            simulator.fill(order.order_id, '6')
            frames = [await client.receive() for _ in range(5)]
        assert rows(frames) == [
            (order.order_id, 'live'),
            (other.order_id, 'live'),
            (order.order_id, 'partially_filled'),
            (order.order_id, 'filled'),  # before what it trips
            (other.order_id, 'mmp_canceled'),
        ]
        placed, partial, cancelled = (frames[number]['data'][0] for number in (0, 2, 4))
        assert (placed['accFillSz'], placed['tradeId'], placed['ordType']) == ('0', '', 'mmp')
        assert (partial['accFillSz'], partial['fillSz'], partial['tradeId']) == ('4', '4', '1')
        assert frames[3]['data'][0]['tradeId'] == '2'
        assert cancelled['cancelSource'] == '39'
        assert frames[0]['arg']['uid'].isdigit()

    run(main())


def test_countdown_that_advance_lets_fire_is_pushed(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)

    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            order = simulator.rest('okx', FAMILY, mmp=False)
            exchange.privatePostTradeCancelAllAfter({'timeOut': '10'})
            simulator.advance(10_000)
            frames = [await client.receive() for _ in range(2)]
            assert rows(frames) == [(order.order_id, 'live'), (order.order_id, 'canceled')]
            assert frames[1]['data'][0]['cancelSource'] == '20'

    run(main())


def test_200_orders_and_one_trip_are_200_rows_in_order(simulator):
    simulator.set_rule('okx', FAMILY)

    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            ids = [simulator.rest('okx', FAMILY, mmp=True).order_id for _ in range(NUMBER_OF_ORDERS)]
            simulator.trip('okx', FAMILY)
            frames = [await client.receive() for _ in range(2 * NUMBER_OF_ORDERS)]
            assert rows(frames) == [(each, 'live') for each in ids] + [(each, 'mmp_canceled') for each in ids]
            assert await client.is_silent()

    run(main())


def test_accounts_do_not_see_each_others_orders(simulator):
    other = simulator.add_account('other', SECRET)

    async def main():
        async with logged_in(simulator, OPTIONS) as mine, logged_in(simulator, OPTIONS, key='other') as theirs:
            own = simulator.rest('okx', FAMILY, mmp=True)
            foreign = simulator.rest('okx', FAMILY, mmp=True, account=other)
            first, second = await mine.receive(), await theirs.receive()
            assert rows([first]) == [(own.order_id, 'live')]
            assert rows([second]) == [(foreign.order_id, 'live')]
            assert first['arg']['uid'] != second['arg']['uid']
            assert await mine.is_silent()
            assert await theirs.is_silent()

    run(main())


# --- operations


def test_orders_go_over_the_socket_as_over_http(simulator):
    [(option, code), *_] = codes(simulator).items()

    async def main():
        async with logged_in(simulator) as client:
            item = {**ORDER, 'instIdCode': code, 'clOrdId': 'mine', 'tag': 'tag'}
            answer = await client.ask({'id': '1', 'op': 'order', 'args': [item]})
            [row] = answer.pop('data')
            assert int(answer.pop('outTime')) >= int(answer.pop('inTime')) > simulator.now() * 999
            assert answer == {'id': '1', 'op': 'order', 'code': '0', 'msg': ''}
            assert (row['sCode'], row['clOrdId'], row['tag'], row['subCode']) == ('0', 'mine', 'tag', '')
            order = simulator.order(row['ordId'])
            assert (order.mmp, order.instrument.instrument_id) == (True, option)

            batch = [{**ORDER, 'instIdCode': code}, {**ORDER, 'instIdCode': 1}, {**ORDER, 'instId': option}]
            answer = await client.ask({'id': '2', 'op': 'batch-orders', 'args': batch})
            assert answer['code'] == '2'
            assert [item['sCode'] for item in answer['data']] == ['0', '51001', '50014']
            assert answer['data'][2]['sMsg'] == 'Parameter instIdCode can not be empty.'
            placed = answer['data'][0]['ordId']

            wrong = {'id': '3', 'op': 'cancel-order', 'args': [{'instIdCode': code, 'ordId': '1'}]}
            assert (await client.ask(wrong))['data'][0]['sCode'] == '51400'
            ids = [{'instIdCode': code, 'ordId': each} for each in (order.order_id, placed)]
            answer = await client.ask({'id': '4', 'op': 'batch-cancel-orders', 'args': ids})
            assert (answer['op'], answer['code'], len(answer['data'])) == ('batch-cancel-orders', '0', 2)
            assert simulator.resting('okx', FAMILY) == []

    run(main())


def test_mass_cancel_answers_as_documented(simulator):
    simulator.rest('okx', FAMILY, mmp=True)

    async def main():
        async with logged_in(simulator) as client:
            args = [{'instType': 'OPTION', 'instFamily': FAMILY, 'lockInterval': '0'}]
            answer = await client.ask({'id': '1512', 'op': 'mass-cancel', 'args': args})
            assert answer == {'id': '1512', 'op': 'mass-cancel', 'data': [{'result': True}], 'code': '0', 'msg': ''}
            assert simulator.resting('okx', FAMILY) == []
            answer = await client.ask({'id': '1513', 'op': 'mass-cancel', 'args': []})
            invalid = {'id': '1513', 'op': 'mass-cancel', 'data': [], 'code': '60013', 'msg': 'Invalid args'}
            assert answer == invalid

    run(main())


def test_limit_of_an_operation_is_shared_with_http(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    args = {'instType': 'OPTION', 'instFamily': FAMILY}

    async def main():
        async with logged_in(simulator) as client:
            for _ in range(3):
                exchange.privatePostTradeMassCancel(args)
            wanted = {'id': '1', 'op': 'mass-cancel', 'args': [args]}
            assert [(await client.ask(wanted))['code'] for _ in range(3)] == ['0', '0', '50011']
            with pytest.raises(ccxt.RateLimitExceeded):
                exchange.privatePostTradeMassCancel(args)

    run(main())


@pytest.mark.parametrize(
    ('change', 'code'),
    [({'privileged': False}, '51411'), ({'permissions': {'read'}}, '50120')],
)
def test_operation_has_the_errors_of_its_endpoint(simulator, change, code):
    account = simulator.add_account('other', SECRET)
    for name, value in change.items():
        setattr(account, name, value)

    async def main():
        async with logged_in(simulator, key='other') as client:
            wanted = {'op': 'mass-cancel', 'args': [{'instType': 'OPTION', 'instFamily': FAMILY}]}
            assert (await client.ask(wanted))['code'] == code

    run(main())


@pytest.mark.parametrize('op', ['order', 'mass-cancel', 'amend-order', 'batch-orders'])
def test_operation_needs_a_login_and_arguments(simulator, op):
    async def main():
        async with opened(simulator) as client:
            assert (await client.ask({'id': '1', 'op': op, 'args': [{}]}))['code'] == '60011'
        async with logged_in(simulator) as client:
            assert (await client.ask({'id': '1', 'op': op, 'args': {}}))['code'] == '60013'
            assert (await client.ask({'id': '1', 'op': op, 'args': [{}] * 21}))['code'] == '60013'

    run(main())


def test_order_after_its_deadline_is_discarded(simulator):
    code = next(iter(codes(simulator).values()))

    async def main():
        async with logged_in(simulator) as client:
            order = {'id': '1', 'op': 'order', 'args': [{**ORDER, 'instIdCode': code}]}
            late = await client.ask({**order, 'expTime': str(simulator.now() - 1)})
            assert (late['code'], late['data']) == ('51149', [])
            in_time = await client.ask({**order, 'expTime': str(simulator.now() + 60_000)})
            assert in_time['code'] == '0'

    run(main())


def test_freeze_and_lock_are_told_over_the_socket(simulator):
    code = next(iter(codes(simulator).values()))
    simulator.set_rule('okx', FAMILY)

    async def main():
        async with logged_in(simulator) as client:
            order = {'id': '1', 'op': 'order', 'args': [{**ORDER, 'instIdCode': code}]}
            simulator.trip('okx', FAMILY)
            assert (await client.ask(order))['data'][0]['sCode'] == '51034'
            simulator.protection('okx', FAMILY).freeze_ends = 0
            args = [{'instType': 'OPTION', 'instFamily': FAMILY, 'lockInterval': '10000'}]
            await client.ask({'id': '2', 'op': 'mass-cancel', 'args': args})
            assert (await client.ask(order))['data'][0]['sCode'] == '54008'

    run(main())


def test_old_way_takes_ids_and_lists_no_codes():
    async def main():
        with Simulator(instruments='old') as simulator:
            [option, *_] = simulator.instruments('okx', FAMILY)
            listed = simulator.connect(ccxt.okx).publicGetPublicInstruments({'instType': 'OPTION'})['data']
            assert not any('instIdCode' in row for row in listed)
            async with logged_in(simulator) as client:
                answer = await client.ask({'id': '1', 'op': 'order', 'args': [{**ORDER, 'instId': option}]})
                assert answer['code'] == '0'

    run(main())


# --- clients that nobody changed


async def symbol_of(exchange):
    await exchange.load_markets()
    return next(symbol for symbol in exchange.symbols if symbol.startswith('BTC/USD:BTC-'))


def test_stock_ccxt_watches_and_places_orders():
    async def main():
        with Simulator(instruments='new' if HAS_CODES else 'old') as simulator:
            exchange = simulator.connect(ccxt.pro.okx, enableRateLimit=False)
            simulator.set_rule('okx', FAMILY)
            try:
                symbol = await symbol_of(exchange)
                watching = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
                await until(lambda: any('conn-count' in frame.text for frame in simulator.frames))
                order = await exchange.create_order_ws(symbol, 'mmp', 'buy', 10, 0.01)
                [watched] = await asyncio.wait_for(watching, PATIENCE)
                assert (watched['id'], watched['symbol'], watched['status']) == (order['id'], symbol, 'open')
                watching = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
                await until(lambda: any('orders' in client.futures for client in exchange.clients.values()))
                simulator.trip('okx', FAMILY)
                [cancelled] = await asyncio.wait_for(watching, PATIENCE)
                assert (cancelled['id'], cancelled['info']['state']) == (order['id'], 'mmp_canceled')
                with pytest.raises(ccxt.ExchangeError, match='51034'):
                    await exchange.create_order_ws(symbol, 'mmp', 'buy', 10, 0.01)
            finally:
                await exchange.close()

    run(main())


@pytest.mark.skipif(HAS_CODES, reason='this ccxt names options by their code')
def test_oldest_ccxt_is_refused_as_by_okx_since_2026(simulator):
    async def main():
        exchange = simulator.connect(ccxt.pro.okx, enableRateLimit=False)
        try:
            with pytest.raises(ccxt.ExchangeError, match='instIdCode can not be empty'):
                await exchange.create_order_ws(await symbol_of(exchange), 'mmp', 'buy', 10, 0.01)
        finally:
            await exchange.close()

    run(main())


@pytest.mark.skipif(not HAS_CODES, reason='this ccxt names options by their id')
def test_stock_ccxt_cancels_over_the_socket(simulator):
    async def main():
        exchange = simulator.connect(ccxt.pro.okx, enableRateLimit=False)
        try:
            symbol = await symbol_of(exchange)
            ids = [(await exchange.create_order_ws(symbol, 'mmp', 'buy', 10, 0.01))['id'] for _ in range(3)]
            await exchange.cancel_order_ws(ids[0], symbol)
            await exchange.cancel_orders_ws(ids[1:], symbol)
            assert simulator.resting('okx', FAMILY) == []
            simulator.rest('okx', FAMILY, mmp=True)
            await exchange.cancel_all_orders_ws(symbol, {'instFamily': FAMILY})
            assert simulator.resting('okx', FAMILY) == []
        finally:
            await exchange.close()

    run(main())


def test_python_okx_is_pushed_orders(simulator, monkeypatch):
    ws_private = pytest.importorskip('okx.websocket.WsPrivateAsync')
    websockets = pytest.importorskip('websockets')

    async def connect(factory):
        factory.websocket = await websockets.connect(factory.url)  # without the TLS that it insists on
        return factory.websocket

    monkeypatch.setattr(ws_private.WebSocketFactory, 'connect', connect)
    received = []

    async def main():
        url = simulator.url.replace('http', 'ws') + '/ws/v5/private'
        client = ws_private.WsPrivateAsync(KEY, PASSPHRASE, SECRET, url)
        consuming = await client.start()
        # its subscribe is a login, 5 s of sleep and this
        await client.login()
        client.callback = lambda text: received.append(json.loads(text))
        await client.send('subscribe', [OPTIONS], id='1512')
        await until(lambda: len(received) >= 3)
        order = simulator.rest('okx', FAMILY, mmp=True)
        await until(lambda: rows(received) == [(order.order_id, 'live')])
        args = [{'instType': 'OPTION', 'instFamily': FAMILY}]
        await client.mass_cancel(args, id='1513')
        await until(lambda: rows(received)[1:] == [(order.order_id, 'canceled')])
        assert [frame['code'] for frame in received if frame.get('op') == 'mass-cancel'] == ['0']
        await client.stop()
        await asyncio.wait_for(consuming, PATIENCE)

    run(main())
