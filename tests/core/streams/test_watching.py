"""``watch_mmp`` and ``watch_mmps``: what calls wait for, and who is told what."""

import asyncio
import math
import pickle

import ccxt
import pytest
from ccxt.base.errors import UnsubscribeError

import ccxt_mmp.async_support
from ccxt_mmp import MmpFrozen, NotSupported
from ccxt_mmp.core import watching
from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.core.watching import GATHERING
from tests.core.fencing import until
from tests.core.streams.watching import FROZEN_TIME, POLL, WINDOW, WITHOUT_POLLS
from tests.fault_matrix.methods import OTHER
from tests.trading import RULES

# --- changes


def test_trip_is_told(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        state = await watcher.tripped(await watcher.waiting(), orders=3)
        triggered = watcher.simulator.protection(watcher.exchange_id, watcher.underlying).last_trigger
        says_when = watcher.exchange_id != 'deribit'
        assert (state['frozen'], state['lastTriggerTimestamp']) == (True, triggered if says_when else None)
        assert state['frozenUntil'] == triggered + FROZEN_TIME
        assert state['window'] == WINDOW

    watcher.run(main)


def test_push_tells_of_a_trip_without_a_read(okx):
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        state = await okx.tripped(await okx.waiting(), orders=20)
        assert (state['info']['state'], state['info']['cancelSource']) == ('mmp_canceled', '39')
        await okx.waiting()  # the other rows are of the same trip
        await until(lambda: len([each for each in okx.simulator.frames if 'mmp_canceled' in each.text]) == 20)
        assert len(okx.reads) == 1
        assert okx.futures

    okx.run(main)


def test_trip_is_told_before_the_rows_behind_it_are_handled(okx):
    """ccxt's loop that receives is scheduled again after each message, and handles all that have come meanwhile."""
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        steps = []

        async def waits():
            await okx.watch()
            steps.append('told')

        task = await okx.waiting(waits())
        exchange._mmp_watched.pushed(okx.underlying, Trip({}, at=exchange.nonce()))
        asyncio.get_running_loop().call_soon(steps.append, 'next row')
        await until(lambda: len(steps) == 2)
        assert steps == ['told', 'next row']
        await task

    okx.run(main)


def test_trip_that_a_refused_order_tells_of_during_a_read_is_told_once(binance):
    """The answer was asked for before the trip: with the refusal it says that it is frozen, but not until when."""
    binance.set_rule()

    async def main(exchange):
        symbol = binance.with_markets()[0]
        await binance.watch()
        task = await binance.waiting()
        binance.simulator.fault('delay', binance.path, milliseconds=200)
        await binance.poll()
        triggered = binance.trip(orders=0)
        with pytest.raises(MmpFrozen):
            await exchange.create_order(symbol, 'limit', 'buy', 1, 5, {'mmp': True})
        assert not task.done()
        state = await task
        assert (state['frozen'], state['lastTriggerTimestamp']) == (True, triggered)
        assert state['frozenUntil'] == triggered + FROZEN_TIME

    binance.run(main)


def test_trip_that_leaves_nothing_to_cancel_is_found_by_one_read(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        orders = [watcher.rest(quantity=each) for each in ('10', '90')]
        before = len(watcher.reads)
        for order in orders:
            watcher.simulator.fill(order.order_id)
        if not watcher.has_stream:
            await watcher.poll()
        assert (await task)['frozen'] is True
        is_pushed = watcher.exchange_id == 'deribit'  # whatever rests
        assert len(watcher.reads) == before + (not is_pushed)

    watcher.run(main)


def test_fills_are_gathered_for_one_read(okx, monkeypatch):
    """Here the clock stands until both have come."""
    monkeypatch.setattr(watching, 'SET_BACK', math.inf)

    async def main(exchange):
        await okx.watch()
        await okx.waiting()
        before, now, pauses, is_over = len(okx.reads), exchange.milliseconds(), [], asyncio.Event()
        exchange.milliseconds = lambda: now + GATHERING * is_over.is_set()

        async def sleep(milliseconds):
            pauses.append(milliseconds)
            await is_over.wait()

        exchange.sleep = sleep
        for _ in range(2):
            exchange._mmp_watching.pushed(okx.underlying, None)
            await until(lambda: pauses)
        first, reads = pauses[0], len(okx.reads)
        is_over.set()  # also of what close() waits for
        await until(lambda: len(pauses) > 1)
        assert (first, reads, len(okx.reads)) == (GATHERING, before, before + 1)

    okx.run(main, **WITHOUT_POLLS)


def test_thaw_is_told_after_one_read_at_its_time(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch(pollInterval=POLL * 1000)
        task = await watcher.waiting(watcher.watch(pollInterval=POLL * 1000))
        watcher.trip()
        if not watcher.has_stream:
            await watcher.poll(POLL * 1000)
            assert (await task)['frozen'] is False  # a trip that is over
            return
        await task
        before = len(watcher.reads)
        task = await watcher.waiting()
        await until(lambda: watcher.simulator.sleepers)
        watcher.simulator.advance(FROZEN_TIME - POLL)
        assert (len(watcher.reads), task.done()) == (before, False)
        watcher.simulator.advance(POLL)
        state = await task
        assert (state['frozen'], state['frozenUntil']) == (False, None)
        assert len(watcher.reads) == before + 1

    watcher.run(main, **WITHOUT_POLLS)


def test_own_reset_is_told_without_a_read(watcher):
    watcher.set_rule(frozen_time=0)

    async def main(exchange):
        await watcher.watch()
        await watcher.tripped(await watcher.waiting())
        task, before = await watcher.waiting(), len(watcher.reads)
        if not watcher.pushes_trips:  # that nothing else is frozen after a reset is known where it is said
            assert not task.done()
        await exchange.reset_mmp(watcher.name)
        state = await task
        assert (state['frozen'], state['frozenUntil'], len(watcher.reads)) == (False, None, before)

    watcher.run(main)


def test_own_rule_is_told(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        limits = {**RULES[watcher.exchange_id], 'qtyLimit': 7}
        await exchange.set_mmp(watcher.name, 4000, 3000, **limits)
        state = await task
        assert (state['window'], state['frozenTime'], state['qtyLimit']) == (4000, 3000, 7)

    watcher.run(main)


def test_rule_of_another_program_is_told_within_the_interval(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        watcher.set_rule(qty_limit='55')
        await watcher.poll()
        assert (await task)['qtyLimit'] == 55

    watcher.run(main)


def test_reset_of_another_program_is_told_within_the_interval(pushed):
    pushed.set_rule()

    async def main(exchange):
        await pushed.watch()
        await pushed.tripped(await pushed.waiting())
        task = await pushed.waiting()
        pushed.thaw()
        await pushed.poll()
        assert (await task)['frozen'] is False

    pushed.run(main)


def test_nothing_is_told_where_nothing_changed(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        for _ in range(5):
            await watcher.poll()
        watcher.simulator.fill(watcher.rest().order_id, 1)
        await watcher.poll()
        await exchange.reset_mmp(watcher.name)
        await watcher.poll()
        assert not task.done()

    watcher.run(main)


def test_nothing_is_read_without_an_interval(okx):
    okx.set_rule()

    async def main(exchange):
        await okx.watch(pollInterval=0)
        await okx.waiting(okx.watch(pollInterval=0))
        okx.simulator.advance(10_000)
        okx.simulator.fill(okx.rest().order_id, 1)
        await until(lambda: len(okx.reads) == 2)  # the fill's

    okx.run(main)


def test_clock_that_is_set_back_does_not_end_the_reads(pushed, monkeypatch):
    async def main(exchange):
        await pushed.watch()
        await pushed.waiting()
        before = len(pushed.reads)
        exchange.milliseconds = lambda: pushed.simulator.now() - 3_600_000
        exchange.nonce = pushed.simulator.now  # as with ccxt's timeDifference: the reads are signed with the right time
        pushed.rest()
        await pushed.poll()
        assert len(pushed.reads) > before

    pushed.run(main)


# --- who is told


def test_change_between_two_calls_is_told_at_once(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        task.cancel()
        watcher.trip()
        if not watcher.has_stream:
            await watcher.poll()
        await until(lambda: exchange._mmp_watching.watched[watcher.underlying].known.is_frozen)
        assert (await watcher.watch())['frozen'] is True

    watcher.run(main)


def test_each_change_is_told_to_all_that_wait_and_to_a_later_call_only_once(watcher):
    watcher.set_rule()

    async def main(exchange):
        first = await asyncio.gather(*(watcher.watch() for _ in range(3)))
        assert [state['frozen'] for state in first] == [False] * 3
        assert len(watcher.reads) == 1
        tasks = [await watcher.waiting() for _ in range(3)]
        assert (await watcher.tripped(tasks[0]))['frozen'] is True
        assert [state['frozen'] for state in await asyncio.gather(*tasks[1:])] == [True] * 2
        assert not (await watcher.waiting()).done()

    watcher.run(main)


@pytest.mark.parametrize('is_cancelled', [False, True])
def test_bot_whose_call_failed_is_told_what_others_were_told_meanwhile(watcher, is_cancelled):
    """Its next call goes on where the one that failed began."""
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        has_failed, has_been_told = asyncio.Event(), asyncio.Event()

        async def watch_twice():
            with pytest.raises((ccxt.NetworkError, asyncio.CancelledError)):
                await watcher.watch()
            has_failed.set()
            await has_been_told.wait()
            return await watcher.watch()

        bot = await watcher.waiting(watch_twice())
        if is_cancelled:
            bot.cancel()
        else:
            watching = exchange._mmp_watched
            watching._fail([watching.watched[watcher.underlying].message_hash], ccxt.NetworkError('lost'))
        await has_failed.wait()
        assert (await watcher.tripped(await watcher.waiting()))['frozen'] is True
        has_been_told.set()
        await asyncio.wait({bot}, timeout=5)
        assert bot.done()
        assert (await bot)['frozen'] is True
        assert not (await watcher.waiting()).done()

    watcher.run(main)


def test_call_that_is_cancelled_takes_nothing_from_others(watcher):
    watcher.set_rule()

    async def main(exchange):
        starting = [asyncio.ensure_future(watcher.watch()) for _ in range(2)]
        await asyncio.sleep(0)
        starting[0].cancel()
        await starting[1]
        first, second = await watcher.waiting(), await watcher.waiting()
        first.cancel()
        assert (await watcher.tripped(second))['frozen'] is True
        assert first.cancelled()

    watcher.run(main)


def test_state_of_a_call_is_its_own(watcher):
    async def main(exchange):
        first, second = await asyncio.gather(watcher.watch(), watcher.watch())
        first['window'] = 1
        assert second['window'] is None

    watcher.run(main)


# --- several


def test_several_are_watched_and_those_that_changed_are_returned(watcher):
    watcher.set_rule()
    other = OTHER[watcher.exchange_id]
    watcher.set_rule(other)

    async def main(exchange):
        names = [watcher.name, other]
        first = await exchange.watch_mmps(names)
        assert {name: state['underlyingId'] for name, state in first.items()} == {
            watcher.name: watcher.underlying,
            other: other,
        }
        task = await watcher.waiting(exchange.watch_mmps(names))
        watcher.trip()
        if not watcher.has_stream:
            await watcher.poll()
        changed = await task
        assert [(name, state['frozen']) for name, state in changed.items()] == [(watcher.name, True)]
        assert not (await watcher.waiting(watcher.watch())).done()  # they share what was given last

    watcher.run(main)


def test_one_read_is_enough_for_several(pushed):
    pushed.set_rule()

    async def main(exchange):
        await exchange.watch_mmps(['BTC/USD', 'ETH/USD'])
        [read] = pushed.reads
        assert pushed.underlying not in read.query + read.body
        await pushed.waiting(exchange.watch_mmps(['BTC/USD', 'ETH/USD']))
        await pushed.poll()
        assert len(pushed.reads) == 2

    pushed.run(main)


@pytest.mark.parametrize('snapshot', [True, False])
def test_all_that_are_listed_are_watched(pushed, snapshot):
    pushed.set_rule()

    async def main(exchange):
        params = {'fetchSnapshot': snapshot}
        task = asyncio.ensure_future(exchange.watch_mmps(None, params))
        if snapshot:
            assert list(await task) == ['BTC/USD:BTC']
            task = await pushed.waiting(exchange.watch_mmps(None, params))
        await until(lambda: pushed.reads and pushed.futures)
        pushed.set_rule(OTHER[pushed.exchange_id])
        await pushed.poll()
        assert list(await task) == ['ETH/USD:ETH']
        task = await pushed.waiting(exchange.watch_mmps(None, params))
        pushed.trip()
        assert {name: state['frozen'] for name, state in (await task).items()} == {'BTC/USD:BTC': True}

    pushed.run(main)


def test_trip_of_a_family_that_was_not_listed_yet_is_told(okx):
    async def main(exchange):
        task = asyncio.ensure_future(exchange.watch_mmps())
        await until(lambda: okx.reads and okx.futures)
        okx.set_rule()
        okx.trip()
        assert (await task)['BTC/USD:BTC']['frozen'] is True

    okx.run(main)


# --- the end


def test_un_watch_ends_pending_calls_and_reads(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        tasks = [await watcher.waiting(), await watcher.waiting(exchange.watch_mmps([watcher.name]))]
        await exchange.un_watch_mmp(OTHER[watcher.exchange_id])  # which nobody watches
        assert not any(task.done() for task in tasks)
        await exchange.un_watch_mmp(watcher.name)
        for task in tasks:
            with pytest.raises(UnsubscribeError, match='unWatchMmp'):
                await task
        before = len(watcher.reads)
        watcher.simulator.advance(POLL * 10)
        assert (await watcher.watch())['frozen'] is False  # a first call again
        assert len(watcher.reads) == before + 1

    watcher.run(main)


def test_un_watch_of_one_leaves_the_others(watcher):
    watcher.set_rule()
    other = OTHER[watcher.exchange_id]

    async def main(exchange):
        await exchange.watch_mmps([watcher.name, other])
        first, second = await watcher.waiting(), await watcher.waiting(watcher.watch(other))
        await exchange.un_watch_mmp(None, {exchange_field(watcher): other})
        with pytest.raises(UnsubscribeError):
            await second
        assert (await watcher.tripped(first))['frozen'] is True
        await exchange.un_watch_mmp()
        assert not exchange._mmp_watching.watched

    watcher.run(main)


def exchange_field(watcher):
    return watcher.exchange._underlying_field


def test_un_watch_ends_a_call_that_still_begins(watcher):
    async def main(exchange):
        task = asyncio.ensure_future(watcher.watch())
        await asyncio.sleep(0)
        await exchange.un_watch_mmp()
        with pytest.raises(UnsubscribeError):
            await task

    watcher.run(main)


def test_un_watch_ends_a_call_for_all(pushed):
    pushed.set_rule()

    async def main(exchange):
        await exchange.watch_mmps()
        task = await pushed.waiting(exchange.watch_mmps())
        await exchange.un_watch_mmp()
        with pytest.raises(UnsubscribeError):
            await task
        starting = asyncio.ensure_future(exchange.watch_mmps())
        await asyncio.sleep(0)
        await exchange.un_watch_mmp()
        with pytest.raises(UnsubscribeError):
            await starting

    pushed.run(main)


def test_un_watch_of_one_of_all_lasts_until_it_is_watched_by_name(pushed):
    pushed.set_rule()
    pushed.set_rule(OTHER[pushed.exchange_id])

    async def main(exchange):
        await exchange.un_watch_mmp(pushed.name)  # of nothing: it leaves none out
        assert len(await exchange.watch_mmps()) == 2
        task = await pushed.waiting(exchange.watch_mmps())
        await exchange.un_watch_mmp(pushed.name)
        pushed.trip()
        await pushed.poll()
        await pushed.poll()
        assert (task.done(), list(exchange._mmp_watched.watched)) == (False, [OTHER[pushed.exchange_id]])
        assert (await pushed.watch())['frozen'] is True
        await exchange.un_watch_mmp()
        with pytest.raises(UnsubscribeError):
            await task
        assert len(await exchange.watch_mmps()) == 2

    pushed.run(main)


def test_un_watch_before_anything_is_watched_does_nothing(watcher):
    async def main(exchange):
        assert await exchange.un_watch_mmp() is None
        assert await exchange.un_watch_mmp(watcher.name) is None

    watcher.run(main)


@pytest.mark.parametrize('watches_orders', [True, False])
def test_channel_is_unsubscribed_unless_ccxt_has_subscribed_it(okx, watches_orders):
    def operations():
        return [each['op'] for each in okx.received()]

    async def main(exchange):
        okx.with_markets()
        await okx.watch()
        if watches_orders:
            orders = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
            await until(lambda: operations().count('subscribe') == 2)
        await exchange.un_watch_mmp()
        if watches_orders:
            okx.rest()
            assert len(await orders) == 1
        else:
            await until(lambda: operations().count('unsubscribe') == 1)
        assert operations().count('unsubscribe') == (not watches_orders)

    okx.run(main)


def test_close_ends_pending_calls_as_those_of_ccxt_and_leaves_no_task(watcher):
    ended = []

    async def main(exchange):
        tasks = []
        await watcher.watch()
        if watcher.pushes_trips:
            watcher.with_markets()
            tasks.append(await watcher.watching_orders())
        tasks.append(await watcher.waiting())
        await exchange.close()
        # CancelledError in newer versions of ccxt
        ended.extend(map(type, await asyncio.gather(*tasks, return_exceptions=True)))
        await until(lambda: len(asyncio.all_tasks()) <= 2)  # this one and the one that bounds its time
        before = len(watcher.reads)
        watcher.simulator.advance(POLL * 10)
        assert (await watcher.watch())['enabled'] is False  # it can be used again
        assert len(watcher.reads) == before + 1

    watcher.run(main)
    assert len(set(ended)) == 1
    assert ended[0].__name__ in ('CancelledError', 'ExchangeClosedByUser')


def test_copy_of_an_object_watches_nothing(pushed):
    async def main(exchange):
        await pushed.watch()
        assert pickle.loads(pickle.dumps(exchange._mmp_watching)) is None

    pushed.run(main)


# --- what has no streams


def test_other_flavours_say_that_they_have_none(flavour, exchange_id):
    exchange = flavour.exchange(exchange_id)
    names = ('watchMmp', 'watchMmps', 'unWatchMmp')
    if flavour.name == 'pro':
        told = 'emulated' if exchange_id in ('binance', 'bybit') else True
        assert [exchange.has[name] for name in names] == [told, told, True]
        return
    assert [exchange.has[name] for name in names] == [False] * 3
    for method, arguments in (('watch_mmp', ['BTC/USD']), ('watch_mmps', []), ('un_watch_mmp', [])):
        with pytest.raises(NotSupported, match=r'ccxt_mmp\.pro'):
            flavour.take(getattr(exchange, method)(*arguments))


def test_object_that_was_extended_watches(watcher):
    async def main(exchange):
        exchange = ccxt_mmp.extend(getattr(ccxt_mmp.pro.ccxt.pro, watcher.exchange_id)())
        assert exchange.has['watchMmp']
        other = ccxt_mmp.extend(getattr(ccxt_mmp.async_support.ccxt.async_support, watcher.exchange_id)())
        assert other.has['watchMmp'] is False
        await other.close()
        await exchange.close()

    watcher.run(main)


# --- beside ccxt's own streams


def test_orders_are_parsed_for_those_that_watch_them_alone(watcher):
    if not watcher.has_stream:
        pytest.skip('ccxt has no streams of these options')
    watcher.set_rule()

    async def main(exchange):
        watcher.with_markets()
        exchange.options['watchPositions'] = {'fetchPositionsSnapshot': False}
        parsed = []
        stock = exchange.safe_order
        exchange.safe_order = lambda *arguments: parsed.append(1) or stock(*arguments)
        await watcher.watch()
        await watcher.tripped(await watcher.waiting())
        assert not parsed
        await exchange.reset_mmp(watcher.name)
        orders = await watcher.watching_orders()
        watcher.rest()
        assert len(await orders) == 1
        assert parsed

    watcher.run(main)
