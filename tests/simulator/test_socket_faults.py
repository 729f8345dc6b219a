"""What goes wrong on websockets by order, in Python and from outside."""

import asyncio

import ccxt
import ccxt.pro
import pytest

from ccxt_mmp.simulator import Simulator
from tests.simulator.commands import control
from tests.simulator.sockets import OPTIONS, PATIENCE, logged_in, login, opened, rows, subscribe, until

FAMILY = 'BTC-USD'
MASS_CANCEL = {'id': '1', 'op': 'mass-cancel', 'args': [{'instType': 'OPTION', 'instFamily': FAMILY}]}


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def rest(simulator, **options):
    return simulator.rest('okx', FAMILY, mmp=True, **options)


# --- connections


@pytest.mark.parametrize(('kind', 'code'), [('drop', None), ('close', 1001)])
def test_connection_ends_at_once(simulator, kind, code):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault(kind)
            assert await client.ended() == code
        async with logged_in(simulator) as client:
            assert await client.is_silent()  # the next is well

    run(main())


def test_connection_is_closed_with_any_code(simulator):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('close', code=4001)
            assert await client.ended() == 4001

    run(main())


def test_fault_strikes_so_many_connections_the_oldest_first(simulator):
    async def main():
        async with logged_in(simulator) as first, logged_in(simulator) as second, logged_in(simulator) as third:
            simulator.fault('close', code=4002, times=2)
            assert [await first.ended(), await second.ended()] == [4002, 4002]
            assert await third.is_silent()

    run(main())


def test_fault_waits_for_a_connection_of_its_path(simulator):
    simulator.fault('drop', '/ws/v5/private')
    with pytest.raises(AssertionError, match='drop of sockets /ws/v5/private'):
        simulator.check()

    async def main():
        async with opened(simulator, '/private/stream') as other:
            async with opened(simulator) as client:
                assert await client.ended() is None
            await other.send({'method': 'LIST_SUBSCRIPTIONS', 'id': 1})
            assert (await other.receive())['id'] == 1

    run(main())
    simulator.check()


def test_mute_connection_hears_nothing_and_says_nothing(simulator):
    order = rest(simulator)

    async def main():
        async with logged_in(simulator, OPTIONS, autoping=False) as mute, logged_in(simulator, OPTIONS) as other:
            simulator.fault('mute')
            await mute.send(MASS_CANCEL)
            await mute.send('ping')
            await mute.socket.ping()
            await until(lambda: simulator.frames[-1].text == 'ping')
            rest(simulator)
            assert rows([await other.receive()])
            assert order.is_open
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(mute.socket.receive(), 0.2)
            assert not mute.socket.closed

    run(main())


def test_notice_is_told(simulator):
    async def main():
        async with logged_in(simulator) as client, opened(simulator, '/private/stream') as other:
            simulator.fault('notice', times=1)
            notice = await client.receive()
            assert (notice['event'], notice['code']) == ('notice', '64008')
            assert await client.is_silent()  # and still served
            simulator.fault('notice')
            assert (await client.receive())['code'] == '64008'
            await other.send({'method': 'LIST_SUBSCRIPTIONS', 'id': 1})
            assert (await other.receive())['id'] == 1  # which has no such notice

    run(main())


# --- operations


def test_operation_takes_effect_and_the_connection_ends(simulator):
    order = rest(simulator)

    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('drop_after', op='mass-cancel')
            await client.send(MASS_CANCEL)
            assert await client.ended() is None
        assert not order.is_open

    run(main())


@pytest.mark.parametrize(('kind', 'code'), [('drop', None), ('close', 1001)])
def test_connection_ends_at_an_operation_without_effect(simulator, kind, code):
    order = rest(simulator)

    async def main():
        async with logged_in(simulator) as client:
            simulator.fault(kind, op='mass-cancel')
            assert await client.is_silent()
            await client.send(MASS_CANCEL)
            assert await client.ended() == code
        assert order.is_open

    run(main())


def test_answer_is_lost_and_the_connection_stays(simulator):
    order = rest(simulator)

    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('lose', op='mass-cancel')
            await client.send(MASS_CANCEL)
            assert await client.is_silent()
            assert not order.is_open
            assert (await client.ask(MASS_CANCEL))['code'] == '0'

    run(main())


def test_answer_is_late_and_others_overtake_it(simulator):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('delay', op='mass-cancel', milliseconds=100)
            await client.send(MASS_CANCEL)
            assert await client.is_silent()
            assert (await client.receive())['op'] == 'mass-cancel'

    run(main())


def test_answer_comes_twice(simulator):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('duplicate', op='mass-cancel')
            assert await client.ask(MASS_CANCEL) == await client.receive()
            assert await client.is_silent()

    run(main())


@pytest.mark.parametrize('is_struck', [False, True])
def test_push_comes_before_the_answer_by_order_alone(simulator, is_struck):
    rest(simulator)

    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            if is_struck:
                simulator.fault('push_before_answer', op='mass-cancel')
            await client.send(MASS_CANCEL)
            frames = [await client.receive() for _ in range(2)]
            assert ['data' in frame and 'arg' in frame for frame in frames] == [is_struck, not is_struck]

    run(main())


def test_login_that_is_never_answered(simulator):
    async def main():
        async with opened(simulator) as client:
            simulator.fault('lose', op='login')
            await client.send(login(simulator.now()))
            assert await client.is_silent()
            await subscribe(client)  # it has taken effect

    run(main())


# --- pushes


def test_next_pushes_are_lost(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            simulator.fault('lose', channel='orders', times=2)
            ids = [rest(simulator).order_id for _ in range(4)]
            assert rows([await client.receive() for _ in range(2)]) == [(each, 'live') for each in ids[2:]]
            assert await client.is_silent()

    run(main())


def test_push_comes_twice(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            simulator.fault('duplicate')
            ids = [rest(simulator).order_id for _ in range(2)]
            pushed = rows([await client.receive() for _ in range(3)])
            assert [order_id for order_id, _ in pushed] == [ids[0], ids[0], ids[1]]

    run(main())


def test_push_is_late_and_others_overtake_it(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            simulator.fault('delay', channel='orders', milliseconds=100)
            ids = [rest(simulator).order_id for _ in range(2)]
            pushed = rows([await client.receive() for _ in range(2)])
            assert [order_id for order_id, _ in pushed] == ids[::-1]

    run(main())


@pytest.mark.parametrize(('kind', 'code'), [('drop', None), ('close', 1001)])
def test_connection_ends_instead_of_a_push(simulator, kind, code):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            simulator.fault(kind, channel='orders')
            rest(simulator)
            assert await client.ended() == code

    run(main())


def test_fault_of_a_channel_strikes_no_other(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            simulator.fault('lose', channel='account')
            rest(simulator)
            assert rows([await client.receive()])
        with pytest.raises(AssertionError, match='lose of channel account'):
            simulator.check()
        simulator.clear_faults()

    run(main())


def test_binance_stream_has_the_same_faults(simulator):
    exchange = simulator.connect(ccxt.binance)
    key = exchange.eapiPrivatePostListenKey()['listenKey']

    async def main():
        async with opened(simulator, '/private/stream') as client:
            simulator.fault('lose', op='SUBSCRIBE')
            await client.send({'method': 'SUBSCRIBE', 'params': [key], 'id': 1})
            assert (await client.ask({'method': 'LIST_SUBSCRIPTIONS', 'id': 2}))['result'] == [key]
            simulator.fault('duplicate', channel='ORDER_TRADE_UPDATE')
            simulator.rest('binance', 'BTCUSDT', mmp=True)
            assert await client.receive() == await client.receive()

    run(main())


def test_subscription_is_acknowledged_and_ended(simulator):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('conn_count_error', channel='orders')
            await subscribe(client)
            ended = await client.receive()
            assert (ended['event'], ended['channel']) == ('channel-conn-count-error', 'orders')
            rest(simulator)
            assert await client.is_silent()
            await subscribe(client)
            rest(simulator)
            assert rows([await client.receive()])

    run(main())


# --- asking for them


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        ({'kind': 'explode', 'op': 'order'}, 'a fault of a socket is one of drop, '),
        ({'kind': 'explode'}, 'a fault is one of delay, '),
        ({'kind': 'status', 'channel': 'orders'}, 'a fault of a socket is one of'),
        ({'kind': 'drop', 'op': 'order', 'channel': 'orders'}, 'an op or a channel, not both'),
        ({'kind': 'drop', 'op': 7}, 'are text'),
        ({'kind': 'lose', 'times': 0}, 'times of a fault is an integer from 1'),
        ({'kind': 'close', 'code': 1006}, 'no close frame has the code 1006'),
        ({'kind': 'close', 'code': 99}, 'code of a fault is an integer from 1000 to 4999'),
        ({'kind': 'push_before_answer'}, 'a push_before_answer needs an op'),
        ({'kind': 'drop_after', 'channel': 'orders'}, 'a drop_after needs an op'),
        ({'kind': 'drop', 'method': 'GET'}, 'has no method'),
    ],
)
def test_wrong_fault_is_refused(simulator, arguments, said):
    with pytest.raises(ValueError, match=said):
        simulator.fault(**arguments)
    assert control(simulator, 'fault', arguments)[0] == 400
    simulator.check()


def test_faults_come_from_outside_too(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            wanted = {'kind': 'lose', 'channel': 'orders'}
            assert (await asyncio.to_thread(control, simulator, 'fault', wanted))[0] == 200
            rest(simulator)
            assert await client.is_silent()
            assert (await asyncio.to_thread(control, simulator, 'fault', {'kind': 'close', 'code': 4000}))[0] == 200
            assert await client.ended() == 4000
        frames = control(simulator, 'frames')[1]['frames']
        assert frames[0] == {
            'direction': 'received',
            'text': '{"op": "login", "args": "***"}',
            'path': '/ws/v5/private',
            'connection': 1,
            'time': frames[0]['time'],
        }

    run(main())


def test_clear_forgets_faults_and_frames_and_keeps_subscriptions(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as client:
            simulator.fault('lose', channel='orders')
            simulator.clear()
            assert simulator.frames == []
            rest(simulator)
            assert rows([await client.receive()])

    run(main())


def test_answers_and_pushes_have_the_latency():
    async def main():
        with Simulator(latency=50) as simulator:
            async with logged_in(simulator, OPTIONS) as client:
                loop = asyncio.get_running_loop()
                started = loop.time()
                ids = [rest(simulator).order_id for _ in range(5)]
                pushed = rows([await client.receive() for _ in range(5)])
                assert loop.time() - started >= 0.05
                assert [order_id for order_id, _ in pushed] == ids

    run(main())


def test_stock_ccxt_learns_of_a_lost_connection(simulator):
    async def main():
        exchange = simulator.connect(ccxt.pro.okx, enableRateLimit=False)
        try:
            await exchange.load_markets()
            watching = asyncio.ensure_future(exchange.watch_orders())
            await until(lambda: any('conn-count' in frame.text for frame in simulator.frames))
            simulator.fault('drop')
            with pytest.raises(ccxt.NetworkError):
                await asyncio.wait_for(watching, PATIENCE)
            watching = asyncio.ensure_future(exchange.watch_orders())
            await until(lambda: sum('conn-count' in frame.text for frame in simulator.frames) == 2)
            order = rest(simulator)
            [watched] = await asyncio.wait_for(watching, PATIENCE)
            assert watched['id'] == order.order_id
        finally:
            await exchange.close()

    run(main())
