"""What an MMP request waits for, and what it holds up: windows of its own, the fence, repeating, warming up."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp.core.throttling import MARGIN, RollingWindow
from ccxt_mmp.simulator import Simulator
from tests.rows import rows
from tests.trading import UNDERLYING, UNIFIED, at_simulator, with_markets

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
            at_simulator(exchange, fast)
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
            # the simulator refuses the sixth in any 2 s; requests may arrive closer than they were sent
            assert statuses.count(200) == 11
            assert statuses.count(429) <= 1
            assert duration >= 4


def test_cancelled_waiters_cost_the_next_call_nothing(fast):
    async def main():
        async with ccxt_mmp.async_support.okx() as exchange:
            at_simulator(exchange, fast)
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


@rows(
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
def test_ordinary_calls_take_as_long_after_mmp_calls_as_without_them(
    flavour, fast, monkeypatch, exchange_id, mmp_calls
):
    limits = {'GET account/mmp-config': [100, 100]}
    exchange = throttled(flavour, fast, exchange_id, rateLimit=12, options={'mmpRateLimits': limits})
    fast.set_rule(exchange_id, UNDERLYING[exchange_id])
    ordinary = {'okx': 'publicGetPublicTime', 'binance': 'eapiPublicGetTime'}[exchange_id]
    pause = 0.012 * {'okx': 2, 'binance': 1}[exchange_id]
    slept = sleeps(monkeypatch)
    begun = fast.now()
    for _ in range(mmp_calls):
        flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    for _ in range(4):
        flavour.take(getattr(exchange, ordinary)())
        for _ in range(mmp_calls):
            flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    last = [request.time for request in fast.requests if request.path.endswith('/time')][-1]
    assert last - begun >= 2.5 * pause * 1000  # not let loose
    assert sum(slept) < 3.5 * pause  # and not held up: what a busy machine adds is no sleep


def sleeps(monkeypatch):
    """How long this thread will be told to sleep, by ccxt or the plugin."""
    asked, own = [], threading.get_ident()
    for module in (time, asyncio):
        stock = module.sleep

        def sleep(seconds, *arguments, stock=stock):
            if threading.get_ident() == own:
                asked.append(seconds)
            return stock(seconds, *arguments)

        monkeypatch.setattr(module, 'sleep', sleep)
    return asked


def test_first_ordinary_call_does_not_wait_for_an_mmp_call(flavour, fast):
    exchange = throttled(flavour, fast, rateLimit=1000)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert took(flavour, exchange.publicGetPublicTime) < SOON  # 2 s, if it were an ordinary one


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
        simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
        assert [request.path.endswith('/time') for request in simulator.requests].count(True) == 1


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


def test_docstring_tells_the_limit_that_is_kept():
    calls, milliseconds = ccxt_mmp.okx().options['mmpRateLimits']['POST account/mmp-config']
    assert f'OKX takes {calls} calls in {milliseconds // 1000} seconds' in ccxt_mmp.Mmp.set_mmp.__doc__
    assert 'waits until there is room' in ' '.join(ccxt_mmp.Mmp.set_mmp.__doc__.split())
