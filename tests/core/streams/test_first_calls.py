"""``watch_mmp``: what the first call returns, or waits for."""

import asyncio

import pytest

from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.types import MmpState
from tests.core.fencing import until
from tests.core.streams.watching import FROZEN_TIME, POLL, WINDOW


def test_first_call_returns_the_state(watcher):
    watcher.set_rule()

    async def main(exchange):
        state = await watcher.watch()
        assert list(state) == list(MmpState.__annotations__)
        assert (state['window'], state['frozen'], state['underlyingId']) == (WINDOW, False, watcher.underlying)
        assert len(watcher.reads) == 1

    watcher.run(main)


def test_first_call_is_subscribed_before_it_reads(pushed):
    async def main(exchange):
        pushed.simulator.fault('delay', op=pushed.subscribe, milliseconds=50)
        task = asyncio.ensure_future(pushed.watch())
        await until(lambda: pushed.subscribe in pushed.operations)
        assert not pushed.reads
        assert (await task)['enabled'] is False
        assert pushed.operations == [pushed.login, pushed.subscribe]
        subscribed = pushed.received()[1]
        assert subscribed['id']
        if pushed.exchange_id == 'okx':
            assert subscribed['args'] == [{'channel': 'orders', 'instType': 'OPTION'}]
        else:
            assert subscribed['params'] == {'channels': ['user.mmp_trigger.btc_usd']}

    pushed.run(main)


def test_bot_that_starts_in_a_freeze_knows_it(watcher):
    watcher.set_rule()
    triggered = watcher.trip()

    async def main(exchange):
        state = await watcher.watch()
        assert state['frozen'] is True
        assert abs(state['frozenUntil'] - triggered - FROZEN_TIME) < 1000

    watcher.run(main)


def test_first_call_may_wait_for_a_change(watcher):
    watcher.set_rule()

    async def main(exchange):
        task = await watcher.waiting(watcher.watch(fetchSnapshot=False, pollInterval=POLL * 1000))
        assert not watcher.reads
        await watcher.poll(POLL * 1000)  # the first answer is what there is, and no change
        assert not task.done()
        watcher.set_rule(frozen_time=POLL * 5000)
        watcher.trip()
        if not watcher.has_stream:
            await watcher.poll(POLL * 1000)
        assert (await task)['frozen'] is True

    watcher.run(main)


def test_trip_that_the_first_answer_knew_before_its_push_came_is_told_once(watcher):
    if not watcher.pushes_trips:
        pytest.skip('a read tells of the trip')
    watcher.set_rule(frozen_time=POLL * 5000)
    at = watcher.trip()

    async def main(exchange):
        task = await watcher.waiting(watcher.watch(fetchSnapshot=False, pollInterval=POLL * 1000))
        await watcher.poll(POLL * 1000)
        known = exchange._mmp_watched.watched[watcher.underlying].known
        await until(lambda: known.is_read)
        assert not task.done()
        push = Trip({}, at, until=known.until)
        exchange._mmp_watched.pushed(watcher.underlying, push)
        assert (await task)['frozen'] is True
        task = await watcher.waiting()
        exchange._mmp_watched.pushed(watcher.underlying, push)
        for _ in range(3):
            await asyncio.sleep(0)
        assert not task.done()

    watcher.run(main)


def test_trip_during_the_first_read_is_no_reason_to_believe_its_answer(pushed):
    pushed.set_rule()

    async def main(exchange):
        pushed.simulator.fault('delay', pushed.path, milliseconds=60)
        task = asyncio.ensure_future(pushed.watch())
        await until(lambda: pushed.reads)
        pushed.trip()
        state = await task
        assert (state['frozen'], state['window']) == (True, WINDOW)
        assert len(pushed.reads) == 2

    pushed.run(main)
