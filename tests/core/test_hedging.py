"""A mass cancel over REST and the websocket at once: the first success counts, and both failures are told."""

import asyncio
import time

import ccxt
import pytest

from ccxt_mmp import MassCancelIncomplete, MassCancelLocked, MmpHalted, MmpNotEnabled
from tests.core.sockets import FAMILY, client_of, connected, place, received, run
from tests.simulator.sockets import until

HEDGE = {'hedge': True}
REST = 'trade/mass-cancel'


def over_rest(simulator):
    return [each for each in simulator.requests if each.path.endswith(REST)]


@pytest.mark.parametrize('by', ['params', 'option'])
def test_both_ways_are_taken_and_the_orders_are_cancelled(simulator, by):
    simulator.rest('okx', FAMILY, mmp=True)

    async def main():
        async with connected(simulator, enableRateLimit=True) as exchange:
            if by == 'option':
                exchange.options['massCancelMmp']['hedge'] = True
            await exchange.warm_up(HEDGE)
            before = exchange.milliseconds()
            params = HEDGE if by == 'params' else {}
            cancelled = await exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 500, **params})
            await until(lambda: not exchange._tasks()._running)
            assert asyncio.all_tasks() - {asyncio.current_task(), *exchange_tasks()} == set()
            assert simulator.resting('okx', FAMILY) == []
            assert abs(cancelled['lockedUntil'] - before - 500) < 2000
            assert len(exchange._mmp_window('POST trade/mass-cancel')._slots) == 2
            await until(lambda: len(received(simulator, 'mass-cancel')) == len(over_rest(simulator)) == 1)

    run(main())


def exchange_tasks():
    """ccxt's own, of its open websockets, and of the test."""
    names = ('ping_loop', 'receive', 'bounded')
    return {each for each in asyncio.all_tasks() if any(name in str(each.get_coro()) for name in names)}


def test_connection_of_the_slower_way_is_there_for_the_next_call(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.warm_up(HEDGE)
            simulator.latency = 20
            for number in range(3):
                simulator.fault('delay', REST, milliseconds=20)
                assert (await exchange.mass_cancel_mmp('BTC/USD', HEDGE))['info']['op'] == 'mass-cancel'
                await until(lambda: len(over_rest(simulator)) == number + 1)  # noqa: B023 - called at once
                await until(lambda: not exchange._tasks()._running)
            assert len({each.port for each in simulator.requests}) == 1
            simulator.latency = 0

    run(main())


def test_slower_way_ends_with_close(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.warm_up(HEDGE)
            simulator.fault('delay', REST, milliseconds=60_000)
            await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            [task] = exchange._tasks()._running.values()
            await exchange.close()
            assert task.cancelled()
            simulator.clear_faults()

    run(main())


@pytest.mark.parametrize('params', [HEDGE, {}])
def test_warm_up_opens_the_websocket_where_it_is_going_to_be_used(simulator, params):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.warm_up(params)
            assert len(received(simulator, 'login')) == len(params)
            assert [each.path for each in simulator.requests] == ['/api/v5/public/time']
            with pytest.raises(ccxt.NotSupported, match='lockInterval'):
                await exchange.warm_up({'lockInterval': 5})
            with pytest.raises(ccxt.BadRequest, match='hedge'):
                await exchange.warm_up({'Hedge': True})

    run(main())


@pytest.mark.parametrize('fault', ['mute', 'refused', 'lose'])
def test_rest_never_waits_for_the_websocket(simulator, fault):
    async def main():
        async with connected(simulator) as exchange:
            if fault == 'refused':
                exchange.urls['api']['ws'] = 'ws://127.0.0.1:1/ws/v5'
            else:
                simulator.fault(fault, op='login' if fault == 'mute' else 'mass-cancel')
            started = time.monotonic()
            await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert time.monotonic() - started < 2.5
            assert len(over_rest(simulator)) == 1
            simulator.clear_faults()

    run(main())


def test_websocket_never_waits_for_rest(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            simulator.fault('delay', REST, milliseconds=60_000)
            started = time.monotonic()
            cancelled = await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert time.monotonic() - started < 2.5
            assert cancelled['info']['op'] == 'mass-cancel'
            simulator.clear_faults()

    run(main())


def refuse_over_the_websocket(exchange):
    client = client_of(exchange)

    async def send(message):
        answer = {'id': message['id'], 'op': message['op'], 'code': '51411', 'msg': '', 'data': []}
        client.on_message_callback(client, answer)

    client.send = send


@pytest.mark.parametrize('faster', ['rest', 'websocket'])
def test_failure_of_the_faster_way_is_no_failure(simulator, faster):
    simulator.rest('okx', FAMILY, mmp=True)

    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            if faster == 'rest':
                simulator.fault('malformed', REST)
                simulator.fault('delay', op='mass-cancel', milliseconds=200)
            else:
                refuse_over_the_websocket(exchange)
                simulator.fault('delay', REST, milliseconds=200)
            cancelled = await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert cancelled['info']['data'] == [{'result': True}]
            assert ('op' in cancelled['info']) == (faster == 'rest')
            assert simulator.resting('okx', FAMILY) == []

    run(main())


def test_both_refusals_are_told(simulator):
    simulator.privileged = False

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(MmpNotEnabled, match='51411') as caught:
                await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert 'over REST' in str(caught.value)
            assert 'over the websocket: MmpNotEnabled' in str(caught.value)

    run(main())


@pytest.mark.parametrize('open_way', ['rest', 'websocket'])
def test_failure_that_leaves_it_open_is_raised_before_a_refusal(simulator, open_way):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            if open_way == 'rest':
                simulator.fault('malformed', REST)
                refuse_over_the_websocket(exchange)
                error = ccxt.BadResponse
            else:
                simulator.fault('drop_after', op='mass-cancel', times=3)
                simulator.privileged = False
                simulator.fault('drop_after', op='login', times=3)
                error = ccxt.NetworkError
            with pytest.raises(error) as caught:
                await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert 'MmpNotEnabled' in str(caught.value)
            simulator.clear_faults()

    run(main())


def test_its_time_is_that_of_the_call(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            simulator.fault('delay', REST, milliseconds=60_000, times=100)
            simulator.fault('lose', op='mass-cancel', times=100)
            started = time.monotonic()
            with pytest.raises((MassCancelIncomplete, ccxt.RequestTimeout)) as caught:
                await exchange.mass_cancel_mmp('BTC/USD', {**HEDGE, 'timeout': 500})
            assert time.monotonic() - started < 4
            assert 'over the websocket' in str(caught.value)
            simulator.clear_faults()

    run(main())


def test_fence_is_closed_until_it_is_over_and_orders_in_flight_are_waited_for(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await place(exchange)
            simulator.fault('delay', op='batch-orders', milliseconds=100)
            in_flight = asyncio.ensure_future(place(exchange))
            await until(lambda: len(received(simulator, 'batch-orders')) == 2)
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD', HEDGE))
            await until(lambda: received(simulator, 'mass-cancel'))
            with pytest.raises(MassCancelLocked):
                await place(exchange)
            await cancelling
            assert in_flight.done()
            assert simulator.resting('okx', FAMILY) == []
            assert (await place(exchange))['status'] == 'open'

    run(main())


def test_order_of_the_same_task_that_it_interrupts_is_told(simulator, short_grace):
    async def main():
        async with connected(simulator, timeout=300) as exchange:
            await exchange.authenticate()
            fence = exchange._mmp_fence(FAMILY)
            with exchange._order_context('createOrder', FAMILY, {}) as context:
                exchange._pass_fence(context)
                with pytest.raises(MassCancelIncomplete, match='may still arrive'):
                    await exchange.mass_cancel_mmp('BTC/USD', HEDGE)
            assert not fence.in_progress

    run(main())


def test_caller_that_is_cancelled_ends_both_ways(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            simulator.fault('delay', REST, milliseconds=60_000)
            simulator.fault('lose', op='mass-cancel')
            call = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD', HEDGE))
            await until(lambda: received(simulator, 'mass-cancel') and over_rest(simulator))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert not exchange._mmp_fence(FAMILY).in_progress
            simulator.clear_faults()

    run(main())


@pytest.mark.parametrize('way', ['hedge', 'websocket'])
def test_it_halts_where_that_is_asked_for(simulator, tmp_path, way):
    simulator.rest('okx', FAMILY, mmp=True)
    halts = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}

    async def main():
        async with connected(simulator, options={'mmpHalt': halts}) as exchange:
            await exchange.authenticate()
            cancel = exchange.mass_cancel_mmp if way == 'hedge' else exchange.mass_cancel_mmp_ws
            params = {'halt': True, 'reason': 'a wild market', 'lockInterval': 5, **(HEDGE if way == 'hedge' else {})}
            await cancel('BTC/USD', params)
            assert simulator.resting('okx', FAMILY) == []
            await until(lambda: len(received(simulator, 'mass-cancel')) == 2)
            assert (way == 'hedge') == bool(over_rest(simulator))
            with pytest.raises(MmpHalted, match='a wild market'):
                await place(exchange)
            with pytest.raises(ccxt.BadRequest):
                await cancel('BTC/USD', {**params, 'halt': 1})
            with pytest.raises(ccxt.BadRequest, match='lockInterval'):
                await cancel('BTC/USD', {**params, 'lockInterval': -1})

    run(main())


def test_halt_stands_where_the_cancel_over_the_websocket_fails(simulator, tmp_path):
    simulator.privileged = False
    halts = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}

    async def main():
        async with connected(simulator, options={'mmpHalt': halts}) as exchange:
            with pytest.raises(MmpNotEnabled, match='the halt stands'):
                await exchange.mass_cancel_mmp_ws('BTC/USD', {'halt': True})
            assert len(await exchange.fetch_mmp_halts()) == 1

    run(main())


@pytest.mark.parametrize(
    ('params', 'error'),
    [
        ({'hedge': True, 'emulate': True}, ccxt.NotSupported),
        ({'hedge': 'yes'}, ccxt.BadRequest),
        ({'hedge': 1}, ccxt.BadRequest),
        ({'Hedge': True}, ccxt.BadRequest),
    ],
)
def test_bad_input_sends_nothing(simulator, params, error):
    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            with pytest.raises(error):
                await exchange.mass_cancel_mmp('BTC/USD', params)
            assert exchange.clients == {}
            assert simulator.requests == []

    run(main())
