"""The time that a mass cancel has: answers that do not come, clocks that are wrong, limits that are used up."""

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from types import SimpleNamespace

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core.kill_switch import CLOCK_TRIES
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from tests.core.mass_cancel.cancelling import (
    CLOCK,
    LIST,
    MINUTE,
    cancel,
    ids,
    quote,
    resting,
)
from tests.trading import UNIFIED


def test_rate_limit_of_okx_passes(flavour, simulator):
    limits = {'POST trade/cancel-batch-orders': [300, 50]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits})
    mine = quote(simulator, 'okx', 3)
    simulator.fault('status', 'cancel-batch-orders', status=429)
    assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)


def test_time_that_is_over_ends_it(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    for timeout in (100, 500, 2000):  # a busy machine may need more for some to be cancelled
        simulator.clear()
        mine = quote(simulator, 'binance', 20)
        simulator.latency = timeout // 10
        with pytest.raises(MassCancelIncomplete) as caught:
            cancel(flavour, exchange, timeout=timeout)
        error = caught.value
        if error.cancelled:
            break
    assert 'its time is over' in str(error)
    assert 0 < len(error.cancelled) < len(mine)
    # the last answer had too little time left to be waited for; what a list after it has no more is in none of these
    named = [*error.cancelled, *error.remaining, *error.unknown]
    assert len(named) == len({*named})
    assert {*mine}.difference(named).isdisjoint(resting(simulator, 'binance'))
    assert {*error.remaining} <= {*resting(simulator, 'binance')} <= {*error.remaining, *error.unknown}
    assert len(simulator.requests) < 20  # of the batches alone


def test_list_without_an_end_does_not_take_all_the_time(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    numbers = iter(range(10**6))

    async def endless(endpoint, request, progress, **keywords):
        assert endpoint == 'GET trade/orders-pending'
        time.sleep(0.01)  # noqa: ASYNC251 - it is no event loop that waits
        return {'data': [{'ordId': str(next(numbers)), 'ordType': 'limit', 'instId': 'BTC-USD-1-1-C'}] * 100}

    exchange._urgent_request = endless
    started = time.monotonic()
    with pytest.raises(MassCancelIncomplete, match='its time is over'):
        cancel(flavour, exchange, timeout=100)
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@pytest.mark.parametrize('emulated', [True, False])
def test_clock_that_cannot_be_asked_does_not_stop_it(flavour, simulator, exchange_id, emulated):
    exchange = flavour.exchange(exchange_id, simulator.url, options={'adjustForTimeDifference': True})
    quote(simulator, exchange_id, 2)
    simulator.fault('status', CLOCK.get(exchange_id, 'time'), status=503, times=100)
    params = {'emulate': emulated} if exchange_id == 'okx' else {'includeNonMmp': not emulated}
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], params))
    assert resting(simulator, exchange_id) == []
    assert len([each for each in simulator.requests if each.path.endswith(CLOCK.get(exchange_id, 'time'))]) <= 6


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_clock_that_cannot_be_asked_is_asked_twice(flavour, simulator, exchange_id):
    """However many requests there are to make."""
    options = {'adjustForTimeDifference': True, 'massCancelMmp': {'concurrency': 1}}
    exchange = flavour.exchange(exchange_id, simulator.url, options=options)
    quote(simulator, exchange_id, 9)
    simulator.fault('status', CLOCK.get(exchange_id, 'time'), status=503, times=100)
    cancel(flavour, exchange)
    asked = [request.path.endswith(CLOCK.get(exchange_id, 'time')) for request in simulator.requests]
    assert asked.count(False) > CLOCK_TRIES
    assert asked.count(True) == CLOCK_TRIES


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_clock_that_hangs_does_not_use_up_the_time(flavour, simulator, exchange_id):
    """It has a tenth of it, and is part of the time."""
    path = CLOCK.get(exchange_id, 'time')
    for timeout in (300, 3000):  # a busy machine may need more for the rest
        exchange = flavour.exchange(exchange_id, simulator.url, options={'adjustForTimeDifference': True})
        simulator.clear()
        quote(simulator, exchange_id, 1)
        simulator.fault('delay', path, milliseconds=60_000, times=9)
        started = time.monotonic()
        with suppress(MassCancelIncomplete, ccxt.RequestTimeout):
            flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], {'timeout': timeout}))
            taken = time.monotonic() - started
            assert resting(simulator, exchange_id) == []
            asked = [request.time for request in simulator.requests if request.path.endswith(path)]
            others = [request.time for request in simulator.requests if not request.path.endswith(path)]
            # as any other request it would have had a third of the time
            if taken < timeout / 1000 and asked and others[0] - asked[0] < 0.3 * timeout:
                return
    pytest.fail('the clock uses up the time')


def test_pause_does_not_outlast_the_time(flavour, simulator):
    """A limit that has no room before the time is over is not waited for."""
    limits = {'POST trade/mass-cancel': [1, 30_000]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits})
    simulator.fault('status', 'mass-cancel', status=429)
    started = time.monotonic()
    with pytest.raises(MassCancelIncomplete, match='RateLimitExceeded'):
        cancel(flavour, exchange, emulate=False, timeout=20_000)
    assert time.monotonic() - started < 10
    assert len(simulator.requests) == 1


def test_window_without_room_while_there_is_time_is_not_waited_for(flavour, simulator):
    limits = {'POST trade/mass-cancel': [1, 3000]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits}, enableRateLimit=True)
    cancel(flavour, exchange, emulate=False)
    started = time.monotonic()
    with pytest.raises(MassCancelIncomplete, match='no room'):
        cancel(flavour, exchange, emulate=False, timeout=500)
    assert time.monotonic() - started < 0.3
    assert len(simulator.requests) == 1


def test_answer_that_does_not_come_leaves_time_to_ask_again(flavour, simulator, exchange_id, exchange):
    """Each answer has a third of what is left, whatever the exchange's own timeout is."""
    path = {'okx': 'cancel-batch-orders', 'binance': 'order', 'deribit': '/cancel', 'bybit': 'cancel-batch'}[
        exchange_id
    ]
    for timeout in (300, 1500, 6000):  # a busy machine may need more to ask again
        simulator.clear()
        mine = quote(simulator, exchange_id, 1, 1)
        simulator.fault('hold', LIST[exchange_id], milliseconds=60_000)
        simulator.fault('hold', path, milliseconds=60_000)
        started = time.monotonic()
        try:
            cancelled = cancel(flavour, exchange, timeout=timeout)
        except MassCancelIncomplete:
            continue
        finally:
            taken = time.monotonic() - started
        assert exchange.timeout == 10_000
        # a request of the last attempt that comes late is held in place of one of this
        if timeout / 2000 < taken < timeout / 1000 and ids(cancelled['orders']) == mine:
            simulator.clear()
            return
    pytest.fail('it leaves no time to ask again')


def test_answers_that_never_come_do_not_outlast_the_time(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    for timeout in (200, 1000, 5000):  # a busy machine may need more to ask three times
        simulator.clear()
        simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=9)
        started = time.monotonic()
        with pytest.raises((ccxt.RequestTimeout, MassCancelIncomplete)) as caught:
            cancel(flavour, exchange, emulate=False, timeout=timeout)
        is_in_time = time.monotonic() - started < timeout / 1000
        if is_in_time and caught.type is ccxt.RequestTimeout and len(simulator.requests) == 3:
            return
    pytest.fail('it outlasts its time, or asks less often')


def test_timeout_of_the_exchange_holds_where_it_is_shorter(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url, timeout=100)
    simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=3)
    started = time.monotonic()
    with pytest.raises(ccxt.RequestTimeout):
        cancel(flavour, exchange, emulate=False)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])  # Deribit's code for a wrong clock is not documented
def test_skewed_clock_is_set_and_it_goes_on(flavour, exchange_id):
    with Simulator(clock=lambda: time.time_ns() // 1_000_000 - 3_600_000) as simulator:
        exchange = flavour.exchange(exchange_id, simulator.url)
        quote(simulator, exchange_id, 2)
        cancel(flavour, exchange, **({'emulate': False} if exchange_id == 'okx' else {}))
        assert resting(simulator, exchange_id) == []
        times = [request for request in simulator.requests if request.path.endswith(CLOCK.get(exchange_id, 'time'))]
        assert len(times) == 1


def test_clock_that_stays_wrong_is_set_once(flavour, canned):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('{"code":"50102","data":[],"msg":"Timestamp request expired"}')
    exchange.load_time_difference = lambda *arguments: 0
    with pytest.raises(ccxt.InvalidNonce):
        cancel(flavour, exchange, emulate=False)
    assert len(canned.received()) == 2


def test_clock_that_takes_all_the_time_is_the_last_request(flavour, canned, monkeypatch):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('{"code":"50102","data":[],"msg":"Timestamp request expired"}')
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + 10)
    exchange.load_time_difference = lambda *arguments: monkeypatch.setattr('ccxt_mmp.core.kill_switch.time', later)
    with pytest.raises(MassCancelIncomplete, match='its time is over'):
        cancel(flavour, exchange, emulate=False)
    assert len(canned.received()) == 1


def test_rate_limit_is_waited_out_as_often_as_there_is_time(flavour, simulator):
    """More often than a request is repeated after other failures."""
    limits = {'POST trade/mass-cancel': [5, 50]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits})
    simulator.fault('status', 'mass-cancel', status=429, times=4)
    started = time.monotonic()
    cancel(flavour, exchange, emulate=False)
    assert time.monotonic() - started >= 4 * 0.05
    assert len(simulator.requests) == 5


def asleep_at(simulator, exchange):
    """Let an exchange sleep on the simulator's clock, which it sets forward."""
    slept = []

    def sleep(milliseconds):
        slept.append(milliseconds)
        simulator.advance(int(milliseconds) + 1)

    async def async_sleep(milliseconds):
        sleep(milliseconds)

    exchange.sleep = sleep if exchange.synchronous else async_sleep
    return slept


@pytest.mark.parametrize('rate_limit', [True, False])
def test_limit_that_others_have_used_up_is_waited_out(flavour, simulator, rate_limit):
    exchange = flavour.exchange('okx', simulator.url, enableRateLimit=rate_limit)
    other = flavour.exchange('okx', simulator.url)
    exchange.milliseconds = other.milliseconds = simulator.now
    quote(simulator, 'okx', 2)
    for _ in range(5):
        flavour.take(other.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': 'ETH-USD'}))
    slept = asleep_at(simulator, exchange)
    cancel(flavour, exchange, emulate=False)
    assert len(slept) == 1
    assert 2000 < slept[0] < 2100
    assert resting(simulator, 'okx') == []


def test_objects_that_cancel_at_once_all_get_their_turn(simulator):
    """Eight, where the exchange takes five in two seconds."""

    async def main():
        async with AsyncExitStack() as stack:
            exchanges = [
                await stack.enter_async_context(simulator.connect(ccxt_mmp.async_support.okx)) for _ in range(8)
            ]
            for exchange in exchanges:
                exchange.timeout_on_exit = 0
                asleep_at(simulator, exchange)
            await asyncio.gather(*(exchange.mass_cancel_mmp('BTC/USD') for exchange in exchanges))

    asyncio.run(main())
    assert sorted({request.status for request in simulator.requests}) == [200, 429]


def test_weight_of_binance_that_is_used_up_is_waited_for_until_the_minute_is_over(flavour):
    with Simulator(clock=lambda: MINUTE + 55_000) as simulator:
        exchange = flavour.exchange('binance', simulator.url)
        exchange.milliseconds = simulator.now
        mine = quote(simulator, 'binance', 1)
        simulator.fault('status', 'openOrders', status=400)
        told = []
        handling = exchange.handle_errors

        def too_many(code, *arguments):
            if code == 400:
                told.append(code)
                raise ccxt.RateLimitExceeded('-1003')
            return handling(code, *arguments)

        exchange.handle_errors = too_many
        slept = asleep_at(simulator, exchange)
        assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)
        assert told == [400]
        assert slept == [pytest.approx(5000 * 1.02)]


def test_too_many_requests_of_okx_without_a_code_are_a_rate_limit(flavour, canned):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('<html>429</html>', 429, 'text/html')
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange, emulate=False, timeout=1000)
    assert type(caught.value.__cause__) is ccxt.RateLimitExceeded
    with pytest.raises(ccxt.RateLimitExceeded):
        flavour.take(exchange.fetch_mmp('BTC/USD'))
