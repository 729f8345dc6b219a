"""What an MMP request waits for, and what it holds up: windows of its own, the fence, repeating, warming up."""

import asyncio
import copy
import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked
from ccxt_mmp.simulator import Simulator
from ccxt_mmp.throttling import MARGIN, Errand, Fence, RollingWindow, current_errand
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

SOON = 0.25  # s: far below any wait of ccxt's that is tested here, far above the work


# --- the window


def window_at(calls, milliseconds, now=0.0):
    window = RollingWindow(calls, milliseconds, lambda: window.now)
    window.now = now
    return window


def assert_kept(slots, calls, seconds):
    slots = sorted(slots)
    assert all(later - earlier >= seconds - 1e-9 for earlier, later in zip(slots, slots[calls:], strict=False))


def test_window_lets_so_many_go_at_once_and_the_next_when_the_first_are_out_of_it():
    window = window_at(5, 2000)
    assert [round(window.reserve(), 3) for _ in range(11)] == [0] * 5 + [2.04] * 5 + [4.08]


def test_window_forgets_what_is_out_of_it():
    window = window_at(2, 1000)
    window.reserve()
    window.now = 0.5
    window.reserve()
    window.now = 1.02
    assert window.reserve() == 1.02
    assert window.reserve() == 0.5 + MARGIN


def test_slot_that_is_given_back_is_taken_again():
    window = window_at(1, 1000)
    window.reserve()
    slots = [window.reserve() for _ in range(10)]
    for slot in slots:
        window.give_back(slot)
    assert window.reserve() == slots[0]


def test_cost_takes_as_many_slots():
    window = window_at(300, 2000)
    assert [round(window.reserve(20), 2) for _ in range(16)] == [0] * 15 + [2.04]
    assert window.reserve(1000) == pytest.approx(4.08)  # more than there are is all of them


@given(
    calls=st.integers(1, 6),
    steps=st.lists(
        st.tuples(st.sampled_from(['reserve', 'give back', 'wait']), st.integers(0, 7), st.integers(1, 4)), max_size=60
    ),
)
def test_window_is_kept_whatever_is_given_back(calls, steps):
    window = window_at(calls, 1000)
    taken = []
    for step, number, cost in steps:
        if step == 'wait':
            window.now += number / 10
        elif step == 'reserve':
            slots = min(cost, calls)
            recent = [slot for slot in taken if slot > window.now - MARGIN]
            slot = window.reserve(slots)
            assert slot >= window.now
            if len(recent) + slots <= calls:
                assert slot == window.now  # nobody waits for nothing
            taken += [slot] * slots
        elif taken and taken[-1 - number % len(taken)] > window.now:
            slot = taken.pop(-1 - number % len(taken))
            window.give_back(slot)
        assert_kept(taken, calls, MARGIN)


def test_window_is_kept_by_threads():
    window = RollingWindow(7, 1000)
    with ThreadPoolExecutor(8) as threads:
        slots = list(threads.map(lambda _: window.reserve(), range(400)))
    assert_kept(slots, 7, MARGIN)


# --- what waits for what


@pytest.fixture
def fast():
    """A simulator without limits of its own, so that windows can be shorter than OKX's."""
    with Simulator(enforce_limits=False) as simulator:
        yield simulator


def throttled(flavour, simulator, exchange_id='okx', **config):
    exchange = flavour.exchange(exchange_id, simulator.url, enableRateLimit=True, **config)
    return with_markets(exchange)


def took(flavour, call):
    started = time.monotonic()
    flavour.take(call())
    return time.monotonic() - started


def test_mass_cancel_waits_neither_for_another_endpoint_nor_for_ordinary_calls(flavour, fast):
    exchange = throttled(flavour, fast)
    flavour.take(exchange.fetch_time())
    assert took(flavour, lambda: exchange.set_mmp('BTC/USD', 5000, 2000, 100)) < SOON
    assert took(flavour, lambda: exchange.mass_cancel_mmp('BTC/USD')) < SOON  # stock ccxt: 5.5 s


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_no_mmp_method_waits_for_another(flavour, fast, exchange_id):
    exchange = throttled(flavour, fast, exchange_id)
    underlying = UNIFIED[exchange_id]
    delta = {'okx': None, 'binance': 1}[exchange_id]
    started = time.monotonic()
    flavour.take(exchange.set_mmp(underlying, 5000, 2000, 100, delta))
    flavour.take(exchange.fetch_mmp(underlying))
    flavour.take(exchange.fetch_mmps([underlying]))
    flavour.take(exchange.reset_mmp(underlying))
    flavour.take(exchange.mass_cancel_mmp(underlying))
    assert time.monotonic() - started < 3 * SOON


def test_full_book_of_binance_does_not_queue(flavour, fast):
    exchange = throttled(flavour, fast, 'binance')
    for symbol in fast.instruments('binance', 'BTCUSDT')[:40]:
        for _ in range(2):
            fast.rest('binance', 'BTCUSDT', mmp=True, symbol=symbol)
    assert took(flavour, lambda: exchange.mass_cancel_mmp('BTC/USDT')) < 1.5  # queued: 42 times 50 ms and more


def test_mass_cancel_overtakes_what_is_queued(fast):
    async def main():
        async with ccxt_mmp.async_support.okx() as exchange:
            fast_exchange(exchange, fast)
            queued = [asyncio.ensure_future(exchange.fetch_time()) for _ in range(30)]
            await asyncio.sleep(0)
            started = time.monotonic()
            await exchange.mass_cancel_mmp('BTC/USD')
            assert time.monotonic() - started < SOON
            assert sum(task.done() for task in queued) < 5
            for task in queued:
                task.cancel()
            await asyncio.gather(*queued, return_exceptions=True)

    asyncio.run(main())


def fast_exchange(exchange, simulator):
    """An object made by the user, at the simulator."""
    from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET  # noqa: PLC0415
    from ccxt_mmp.simulator.server import redirect  # noqa: PLC0415

    exchange.apiKey, exchange.secret, exchange.password = KEY, SECRET, PASSPHRASE
    exchange.timeout_on_exit = 0
    redirect(exchange, simulator.url)
    if not exchange.synchronous:
        exchange.throttler.config['maxCapacity'] = 2000  # as in newer versions of ccxt
    return with_markets(exchange)


def test_calls_beyond_the_limit_of_an_endpoint_wait_for_it_alone(flavour, fast):
    """On a clock that nothing but the waiting moves; in ccxt's queue they would wait for 40 s of the real one."""
    exchange = throttled(flavour, fast, rateLimit=1000)
    exchange.options['mmpRateLimits'] = {'POST trade/mass-cancel': [5, 300]}
    now, sent, fetching = 0.0, [], exchange.fetch

    def sleep(milliseconds):
        nonlocal now
        now += milliseconds / 1000
        return None if exchange.synchronous else asyncio.sleep(0)

    def fetch(*arguments):
        sent.append(round(now, 3))
        return fetching(*arguments)

    exchange.sleep, exchange.fetch = sleep, fetch
    exchange._mmp_window('POST trade/mass-cancel').clock = lambda: now
    started = time.monotonic()
    for _ in range(11):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert time.monotonic() - started < 10
    assert sent == [0] * 5 + [0.306] * 5 + [0.612]
    assert len(fast.requests) == 11


def test_documented_limit_is_kept_as_the_exchange_counts_it():
    """All three flavours at once, as it takes OKX's own 4 s."""

    def cancel_eleven_times(flavour_class):
        with Simulator() as simulator:
            exchange = simulator.connect(flavour_class)
            if flavour_class is ccxt_mmp.okx:
                for _ in range(11):
                    exchange.mass_cancel_mmp('BTC/USD')
            else:

                async def main():
                    async with exchange:
                        for _ in range(11):
                            await exchange.mass_cancel_mmp('BTC/USD')

                asyncio.run(main())
            times = [request.time for request in simulator.requests]
            return (times[-1] - times[0]) / 1000, [request.status for request in simulator.requests]

    with ThreadPoolExecutor(3) as threads:
        classes = (ccxt_mmp.okx, ccxt_mmp.async_support.okx, ccxt_mmp.pro.okx)
        for duration, statuses in threads.map(cancel_eleven_times, classes):
            assert statuses == [200] * 11  # the simulator refuses the sixth in any 2 s
            assert 4 <= duration <= 4 * 1.1


def test_cancelled_waiters_cost_the_next_call_nothing(fast):
    async def main():
        async with ccxt_mmp.async_support.okx() as exchange:
            fast_exchange(exchange, fast)
            exchange.options['mmpRateLimits'] = {'POST trade/mass-cancel': [2, 300]}
            for _ in range(2):
                await exchange.mass_cancel_mmp('BTC/USD')
            started = time.monotonic()
            waiters = [asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD')) for _ in range(10)]
            await asyncio.sleep(0.05)
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)
            await exchange.mass_cancel_mmp('BTC/USD')
            assert time.monotonic() - started < 0.300 + SOON  # with a slot for each: 1.5 s and more
        assert len(fast.requests) == 3

    asyncio.run(main())


def test_threads_on_one_object_keep_the_limit(fast):
    """On a clock that stands still, so that what they wait for is exact, and is over at once."""
    exchange = fast.connect(ccxt_mmp.okx)
    exchange.options['mmpRateLimits'] = {'POST trade/mass-cancel': [5, 200]}
    waiting, sent, fetching = threading.local(), [], exchange.fetch

    def sleep(milliseconds):
        waiting.milliseconds = round(milliseconds)

    def fetch(*arguments):
        sent.append(waiting.__dict__.pop('milliseconds', 0))
        return fetching(*arguments)

    exchange.sleep, exchange.fetch = sleep, fetch
    exchange._mmp_window('POST trade/mass-cancel').clock = lambda: 0.0
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: exchange.mass_cancel_mmp('BTC/USD'), range(20)))
    assert sorted(sent) == [0] * 5 + [204] * 5 + [408] * 5 + [612] * 5
    assert len(fast.requests) == 20


def test_windows_belong_to_the_object(flavour, fast):
    limits = {'POST trade/mass-cancel': [1, 5000]}
    for _ in range(2):
        exchange = throttled(flavour, fast, options={'mmpRateLimits': limits})
        assert took(flavour, lambda exchange=exchange: exchange.mass_cancel_mmp('BTC/USD')) < SOON


def test_limit_that_is_changed_holds_from_then_on(flavour, fast):
    exchange = throttled(flavour, fast, options={'mmpRateLimits': {'POST trade/mass-cancel': [1, 100_000]}})
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    exchange.options['mmpRateLimits']['POST trade/mass-cancel'] = [1, 100]
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert 0.08 <= took(flavour, lambda: exchange.mass_cancel_mmp('BTC/USD')) < 0.1 + SOON


def test_without_ccxts_switch_nothing_waits(flavour, fast):
    exchange = flavour.exchange('okx', fast.url, enableRateLimit=False)
    exchange.options['mmpRateLimits'] = {'POST trade/mass-cancel': [1, 100_000]}
    for _ in range(3):
        assert took(flavour, lambda: exchange.mass_cancel_mmp('BTC/USD')) < SOON


@pytest.mark.parametrize(
    'limit',
    [
        *([calls, 1000] for calls in (0, -1, 1.5, True, '5')),
        *([5, milliseconds] for milliseconds in (0, -1, float('inf'), float('nan'), '2000', True)),
        *([5], [5, 1, 1], 5, 'x', {}),
    ],
)
def test_limit_that_is_none_is_a_bad_request(flavour, fast, limit):
    exchange = throttled(flavour, fast)
    exchange.options['mmpRateLimits']['POST account/mmp-reset'] = limit
    with pytest.raises(ccxt.BadRequest, match='POST account/mmp-reset'):
        flavour.take(exchange.reset_mmp('BTC/USD'))
    assert fast.requests == []


def test_binance_waits_where_the_user_says_so(flavour, fast):
    exchange = throttled(flavour, fast, 'binance', options={'mmpRateLimits': {'GET mmp': [1, 150]}})
    fast.set_rule('binance', 'BTCUSDT')
    flavour.take(exchange.fetch_mmp('BTC/USDT'))
    # counted from before the first was sent
    assert 0.05 <= took(flavour, lambda: exchange.fetch_mmp('BTC/USDT')) < 0.15 + SOON


# --- what does not notice


@pytest.mark.parametrize('mmp_calls', [0, 3])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_ordinary_calls_take_as_long_after_mmp_calls_as_without_them(flavour, fast, exchange_id, mmp_calls):
    limits = {'GET account/mmp-config': [100, 100]}
    exchange = throttled(flavour, fast, exchange_id, rateLimit=50, options={'mmpRateLimits': limits})
    fast.set_rule(exchange_id, UNDERLYING[exchange_id])
    ordinary = {'okx': 'publicGetPublicTime', 'binance': 'eapiPublicGetTime'}[exchange_id]
    pause = 0.050 * {'okx': 2, 'binance': 1}[exchange_id]
    for _ in range(mmp_calls):
        flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    for _ in range(4):
        flavour.take(getattr(exchange, ordinary)())
        for _ in range(mmp_calls):
            flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    arrivals = [request.time / 1000 for request in fast.requests if request.path.endswith('/time')]
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    assert all(gap >= pause / 2 for gap in gaps[1:])  # not let loose, for all jitter
    assert sum(gaps) < 3 * pause + 4 * mmp_calls * 0.01 + 0.1  # and not held up


def test_first_ordinary_call_does_not_wait_for_an_mmp_call(flavour, fast):
    exchange = throttled(flavour, fast, rateLimit=1000)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert took(flavour, exchange.publicGetPublicTime) < SOON  # 2 s, if it were an ordinary one


# --- the fence


def order(symbol, price=5, **params):
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': price, 'params': params}


def test_fence_stops_what_was_asked_for_before_the_end_of_a_mass_cancel():
    fence = Fence()
    before = fence.mark()
    assert fence.lets_pass(before)
    with fence:
        during = fence.mark()
        assert not fence.lets_pass(before)
        assert not fence.lets_pass(during)
        with fence:
            pass
        assert not fence.lets_pass(fence.mark())
    assert not fence.lets_pass(before)
    assert not fence.lets_pass(during)
    assert fence.lets_pass(fence.mark())


def test_fence_opens_again_after_a_failure():
    fence = Fence()
    with pytest.raises(ZeroDivisionError), fence:
        raise ZeroDivisionError
    assert fence.lets_pass(fence.mark())


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_queued_mmp_orders_are_never_placed_behind_a_mass_cancel(fast, exchange_id):
    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'rateLimit': 1}) as exchange:
            fast_exchange(exchange, fast)
            quoted = symbols(exchange, UNDERLYING[exchange_id])
            other = symbols(exchange, {'okx': 'BTC-USD_UM', 'binance': 'ETHUSDT'}[exchange_id])[0]
            limit = (10, 5)

            def quote(symbol, **params):
                return asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', *limit, params))

            quotes, others = [], []
            for index in range(1000):
                quotes.append(quote(quoted[index % len(quoted)], mmp=True))
                if index % 100 == 0:
                    others += [quote(quoted[0]), quote(other, mmp=True), asyncio.ensure_future(exchange.fetch_time())]
            await asyncio.sleep(0.02)
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
            results = await asyncio.gather(*quotes, return_exceptions=True)
            passed = await asyncio.gather(*others)
            again = await exchange.create_order(quoted[0], 'limit', 'buy', 10, 5, {'mmp': True})
        return results, passed, again

    results, passed, again = asyncio.run(main())
    resting = fast.resting(exchange_id, UNDERLYING[exchange_id])
    assert [each.order_id for each in resting if each.mmp] == [again['id']]
    stopped = [each for each in results if isinstance(each, BaseException)]
    assert {type(each) for each in stopped} == {MassCancelLocked}
    assert len(stopped) > 500
    assert len(passed) == 30
    assert len([each for each in resting if not each.mmp]) == 10


def test_order_asked_for_while_a_mass_cancel_is_under_way_is_stopped(fast):
    async def main():
        async with ccxt_mmp.async_support.okx() as exchange:
            fast_exchange(exchange, fast)
            symbol = symbols(exchange, 'BTC-USD')[0]
            fast.latency = 100
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD'))
            await asyncio.sleep(0.03)
            with pytest.raises(MassCancelLocked):
                await exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
            await cancelling
            await exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})

    asyncio.run(main())


def test_order_asked_for_before_the_markets_are_loaded_is_stopped(fast):
    """It counts when it was asked for, not when its underlying became known."""

    async def main():
        async with ccxt_mmp.async_support.okx({'enableRateLimit': False}) as exchange:
            markets = fast_exchange(exchange, fast).markets
            symbol = symbols(exchange, 'BTC-USD')[0]
            exchange.markets = None
            is_loaded = asyncio.Event()

            async def load_markets(*arguments):
                await is_loaded.wait()
                exchange.markets = markets

            exchange.load_markets = load_markets
            waiting = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0)
            await exchange.mass_cancel_mmp('BTC/USD')
            is_loaded.set()
            with pytest.raises(MassCancelLocked):
                await waiting

    asyncio.run(main())
    assert fast.resting('okx', 'BTC-USD') == []


@pytest.mark.parametrize(
    'way', [('okx', {}), ('okx', {'emulate': True}), ('binance', {}), ('binance', {'includeNonMmp': True})]
)
@pytest.mark.parametrize('rate_limit', [True, False])
def test_order_that_was_on_its_way_before_a_mass_cancel_does_not_survive_it(fast, way, rate_limit):
    """Its answer comes after that of the mass cancel, which then looks again."""
    exchange_id, params = way

    async def main():
        config = {'enableRateLimit': rate_limit}
        async with getattr(ccxt_mmp.async_support, exchange_id)(config) as exchange:
            fast_exchange(exchange, fast)
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            sending = exchange.fetch

            async def send_orders_slowly(url, method='GET', headers=None, body=None):
                if method == 'POST' and 'mass-cancel' not in url and 'cancel-batch' not in url:
                    await asyncio.sleep(0.1)
                return await sending(url, method, headers, body)

            exchange.fetch = send_orders_slowly
            placing = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0.03)
            started = time.monotonic()
            cancelled = await exchange.mass_cancel_mmp(UNIFIED[exchange_id], params)
            assert 0.05 < time.monotonic() - started < 0.2
            placed = await placing
            if cancelled['orders'] is not None:
                assert [each['id'] for each in cancelled['orders']] == [placed['id']]

    asyncio.run(main())
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []
    first = next(each for each in fast.requests if not each.path.endswith('order'))
    assert fast.requests.index(first) == 0  # the mass cancel itself did not wait


@pytest.mark.parametrize('way', [('okx', {}), ('binance', {})])
def test_order_whose_answer_was_given_up_does_not_survive_a_mass_cancel(fast, way):
    """Its task is cancelled, as bots do before they pull the plug; it arrives later."""
    exchange_id, params = way

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'enableRateLimit': False}) as exchange:
            fast_exchange(exchange, fast)
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            exchange_fetch, arriving = exchange.fetch, []

            async def arrive_later(url, method='GET', headers=None, body=None):
                if method == 'POST' and 'cancel' not in url:
                    arriving.append(asyncio.ensure_future(send_later(url, method, headers, body)))
                    await asyncio.shield(arriving[-1])
                return await exchange_fetch(url, method, headers, body)

            async def send_later(*request):
                await asyncio.sleep(0.2)
                return await exchange_fetch(*request)

            exchange.fetch = arrive_later
            placing = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0.02)
            placing.cancel()
            await asyncio.gather(placing, return_exceptions=True)
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id], params)
            await asyncio.gather(*arriving)

    asyncio.run(main())
    assert len([each for each in fast.requests if each.path.endswith('order') or 'batch' in each.path]) > 0
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


@pytest.mark.parametrize('is_lost', [False, True])
@pytest.mark.parametrize(('lock', 'requests'), [(10_000, 1), (20, 2)])
def test_lock_looks_after_orders_that_were_on_their_way_if_it_lasts_as_long(fast, is_lost, lock, requests):
    async def main():
        async with ccxt_mmp.async_support.okx({'enableRateLimit': False}) as exchange:
            fast_exchange(exchange, fast)
            fence = exchange._mmp_fence('BTC-USD')
            fence.depart(0)
            asyncio.get_running_loop().call_later(0.2, lambda: fence.arrive(is_lost=is_lost))
            return await exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': lock})

    cancelled = asyncio.run(main())
    assert len(fast.requests) == requests
    assert cancelled['lockedUntil'] <= fast.requests[-1].time + lock


def test_orders_that_stay_on_their_way_are_not_forgotten(flavour, simulator):
    for exchange_id in ('okx', 'binance'):
        exchange = flavour.exchange(exchange_id, simulator.url)
        exchange._mmp_fence(UNDERLYING[exchange_id]).depart(0)
        with pytest.raises(MassCancelIncomplete, match='its time is over'):
            flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], {'timeout': 50}))


def test_batches_that_the_fence_stops_take_no_others_with_them(fast):
    async def main():
        async with ccxt_mmp.async_support.okx({'rateLimit': 50}) as exchange:
            fast_exchange(exchange, fast)
            quoted, other = symbols(exchange, 'BTC-USD')[0], symbols(exchange, 'BTC-USD_UM')[0]
            wanted = [order(quoted, mmp=True), order(quoted), order(other, mmp=True), order(quoted, mmp=True)]
            held_up = [asyncio.ensure_future(exchange.fetch_time()) for _ in range(3)]
            placing = asyncio.ensure_future(exchange.create_orders(wanted))
            await asyncio.sleep(0.01)
            await exchange.mass_cancel_mmp('BTC/USD')
            await asyncio.gather(*held_up)
            return await placing

    placed = asyncio.run(main())
    assert [each['status'] for each in placed] == ['rejected', 'open', 'open', 'rejected']
    assert 'MassCancelLocked' in placed[0]['info']['error']
    assert not any(each.mmp for each in fast.resting('okx', 'BTC-USD'))


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_of_a_thread_that_sleeps_in_the_throttle_is_never_placed(fast, exchange_id):
    exchange = with_markets(fast.connect(getattr(ccxt_mmp, exchange_id), rateLimit=300))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    exchange.publicGetPublicTime() if exchange_id == 'okx' else exchange.eapiPublicGetTime()
    outcomes = []

    def quote(params):
        try:
            outcomes.append(exchange.create_order(symbol, 'limit', 'buy', 10, 5, params))
        except ccxt.BaseError as error:
            outcomes.append(error)

    exchange.calculate_rate_limiter_cost = lambda *arguments: 1
    threads = [threading.Thread(target=quote, args=[params]) for params in ({'mmp': True}, {})]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    exchange.mass_cancel_mmp(UNIFIED[exchange_id])
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in outcomes) == ['MassCancelLocked', 'dict']
    assert [each.mmp for each in fast.resting(exchange_id, UNDERLYING[exchange_id])] == [False]


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_calls_in_the_course_of_an_order_leave_the_fence_as_it_was(fast, exchange_id):
    """The time is asked for while errors are handled, and another exchange."""
    other = fast.connect(ccxt_mmp.binance)
    seen = []

    class Mine(getattr(ccxt_mmp, exchange_id)):
        def handle_errors(self, code, reason, url, *arguments):
            if url.endswith(('batch-orders', 'order')):
                self.load_time_difference()
                other.fetch_mmp('BTC/USDT')
                seen.append(current_errand(other))
            return super().handle_errors(code, reason, url, *arguments)

    fast.set_rule('binance', 'BTCUSDT')
    exchange = with_markets(fast.connect(Mine, rateLimit=1))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).departed == 0
    assert seen
    assert set(seen) == {None}
    exchange.mass_cancel_mmp(UNIFIED[exchange_id])
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


def test_order_that_is_sent_again_departs_once():
    fence = Fence()
    with Errand('exchange', fence=fence, mark=fence.mark()) as errand:
        assert errand.departs()
        with fence:
            pass
        assert errand.departs()
        assert fence.departed == 1
    assert fence.departed == 0


def test_copies_have_sent_nothing():
    window = RollingWindow(1, 60_000)
    window.reserve()
    fence = Fence()
    fence.depart(0)
    for copied in (copy.deepcopy([window, fence]), pickle.loads(pickle.dumps([window, fence]))):
        assert copied[0].limit == (1, 60_000)
        assert copied[0].reserve() <= time.monotonic()
        assert copied[1].departed == 0
        assert copied[1].lets_pass(0)


def test_throttle_of_the_user_does_not_open_the_fence(fast):
    async def main():
        async with ccxt_mmp.async_support.okx() as exchange:
            fast_exchange(exchange, fast)
            symbol = symbols(exchange, 'BTC-USD')[0]

            async def throttle(cost=None):
                await asyncio.sleep(0 if current_errand(exchange).endpoint else 0.1)

            exchange.throttle = throttle
            waiting = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0.01)
            await exchange.mass_cancel_mmp('BTC/USD')
            with pytest.raises(MassCancelLocked):
                await waiting

    asyncio.run(main())
    assert fast.resting('okx', 'BTC-USD') == []


def test_mass_cancel_in_the_course_of_an_order_does_not_wait_for_it(fast):
    exchange = with_markets(fast.connect(ccxt_mmp.okx, enableRateLimit=False))
    symbol = symbols(exchange, 'BTC-USD')[0]
    fetching = exchange.fetch
    took = []

    def cancel_before_an_order(url, method='GET', headers=None, body=None):
        if 'batch-orders' in url:
            started = time.monotonic()
            exchange.mass_cancel_mmp('BTC/USD')
            took.append(time.monotonic() - started)
        return fetching(url, method, headers, body)

    exchange.fetch = cancel_before_an_order
    exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
    assert took[0] < SOON


@pytest.mark.parametrize('is_flagged', [True, False])
def test_order_over_the_websocket_is_stopped_by_the_fence(fast, is_flagged):
    sent = []

    async def main():
        async with ccxt_mmp.pro.okx() as exchange:
            fast_exchange(exchange, fast)
            symbol = symbols(exchange, 'BTC-USD')[0]
            logged_in = asyncio.Event()

            async def authenticate(params={}):
                await logged_in.wait()

            async def watch(url, message_hash, message, *rest):
                sent.append(message['args'][0]['ordType'])
                return []

            exchange.authenticate, exchange.watch = authenticate, watch
            params = {'mmp': True} if is_flagged else {}
            placing = asyncio.ensure_future(exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, params))
            await asyncio.sleep(0.01)
            await exchange.mass_cancel_mmp('BTC/USD')
            logged_in.set()
            if is_flagged:
                with pytest.raises(MassCancelLocked):
                    await placing
            else:
                await placing
            await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, params)
            assert exchange._mmp_fence('BTC-USD').departed == 0

    asyncio.run(main())
    assert sent == (['mmp'] if is_flagged else ['limit', 'limit'])


def test_fence_stays_shut_after_a_mass_cancel_that_failed(fast):
    async def main():
        async with ccxt_mmp.async_support.okx({'rateLimit': 100}) as exchange:
            fast_exchange(exchange, fast)
            symbol = symbols(exchange, 'BTC-USD')[0]
            await exchange.fetch_time()
            waiting = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0.01)
            fast.fault('result_false', 'mass-cancel')
            with pytest.raises(ccxt.OperationFailed):
                await exchange.mass_cancel_mmp('BTC/USD')
            with pytest.raises(MassCancelLocked):
                await waiting

    asyncio.run(main())


def test_object_that_was_used_is_copied_and_pickled(fast):
    exchange = with_markets(ccxt_mmp.okx())
    fast_exchange(exchange, fast)
    exchange.mass_cancel_mmp('BTC/USD')
    for twin in (copy.deepcopy(exchange), pickle.loads(pickle.dumps(exchange))):
        twin.mass_cancel_mmp('BTC/USD')
    assert len(fast.requests) == 3


# --- repeating


def test_reset_whose_answer_is_lost_is_never_repeated(flavour, simulator):
    """Repeated, it would end the freeze of the second trigger."""
    exchange = flavour.exchange('binance', simulator.url, options={'maxRetriesOnFailure': 3})
    simulator.set_rule('binance', 'BTCUSDT')
    simulator.trip('binance', 'BTCUSDT')
    simulator.fault('drop_after', 'mmpReset')
    with pytest.raises(ccxt.NetworkError):
        flavour.take(exchange.reset_mmp('BTC/USDT', {'maxRetriesOnFailure': 3}))
    assert not simulator.protection('binance', 'BTCUSDT').is_frozen(simulator.now())
    simulator.trip('binance', 'BTCUSDT')
    assert len(simulator.requests) == 1
    assert simulator.protection('binance', 'BTCUSDT').is_frozen(simulator.now())


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_ccxts_own_retries_do_not_multiply_those_of_a_mass_cancel(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url, options={'maxRetriesOnFailure': 5})
    path = {'okx': 'mass-cancel', 'binance': 'openOrders'}[exchange_id]
    simulator.fault('status', path, status=503, times=100)
    with pytest.raises(ccxt.OperationFailed):
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], {'maxRetriesOnFailure': 5}))
    rounds = {'okx': 1, 'binance': 4}[exchange_id]
    assert len(simulator.requests) == 3 * rounds
    assert not any('maxRetries' in request.query + request.body for request in simulator.requests)


# --- warming up


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_kill_switch_goes_over_the_connection_that_was_warmed_up(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    assert flavour.take(exchange.warm_up()) is None
    [warming] = simulator.requests
    assert warming.path == {'okx': '/api/v5/public/time', 'binance': '/eapi/v1/time'}[exchange_id]
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    assert len({request.port for request in simulator.requests}) == 1
    assert len(simulator.requests) > 1


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_warming_up_loads_the_time_difference(flavour, exchange_id):
    with Simulator(clock=lambda: time.time_ns() // 1_000_000 - 3_600_000) as simulator:
        exchange = flavour.exchange(exchange_id, simulator.url, options={'adjustForTimeDifference': True})
        flavour.take(exchange.warm_up())
        assert 3_599_000 < exchange.options['timeDifference'] < 3_601_000
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
        assert len(simulator.requests) == 2


def test_warming_up_does_not_queue(flavour, fast):
    exchange = throttled(flavour, fast, rateLimit=1000)
    flavour.take(exchange.publicGetPublicTime())
    assert took(flavour, exchange.warm_up) < SOON


@pytest.mark.parametrize('body', ['{}', '[]', '"x"', json.dumps({'serverTime': None})])
def test_clock_that_does_not_say_the_time_is_no_answer(flavour, canned, body):
    exchange = flavour.exchange('binance', canned.url)
    canned.answer(body)
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.warm_up())
