"""The fence: what a mass cancel stops, what it waits for, and that nothing can leave it shut or waiting for ever."""

import asyncio
import contextvars
import copy
import gc
import pickle
import re
import threading
import time

import ccxt
import ccxt.async_support
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked
from ccxt_mmp.core.fence import GRACE, UNUSED, Fence
from ccxt_mmp.core.request_context import RequestContext, Sending, current_request
from ccxt_mmp.core.throttling import RollingWindow
from ccxt_mmp.exchanges.binance.orders import encoded_json
from tests.trading import UNDERLYING, UNIFIED, at_simulator, symbols, with_markets

# --- the fence


class Waiting:
    def __init__(self, holder):
        self.holder = holder


ORDER = {'okx': 'batch-orders', 'binance': 'order'}  # the paths by which ccxt places an order
MIXINS = {'okx': ccxt_mmp.OkxMmp, 'binance': ccxt_mmp.BinanceMmp}
WAYS = [('okx', {}), ('okx', {'emulate': True}), ('binance', {}), ('binance', {'includeNonMmp': True})]


async def until(holds):
    while not holds():  # noqa: ASYNC110 - another thread brings it about
        await asyncio.sleep(0.001)


def order(symbol, price=5, **params):
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': price, 'params': params}


def test_fence_stops_what_was_asked_for_before_the_end_of_a_mass_cancel():
    fence = Fence()
    before = fence.mark()
    assert fence.lets_pass(before)
    with fence.close():
        during = fence.mark()
        assert not fence.lets_pass(before)
        assert not fence.lets_pass(during)
        with fence.close():
            pass
        assert not fence.lets_pass(fence.mark())
    assert not fence.lets_pass(before)
    assert not fence.lets_pass(during)
    assert fence.lets_pass(fence.mark())


def test_order_that_is_asked_for_during_a_mass_cancel_is_stopped_after_it_too():
    fence = Fence()
    with fence.close():
        during = fence.mark()
    assert not fence.lets_pass(during)


def test_fence_opens_again_after_a_failure():
    fence = Fence()
    with pytest.raises(ZeroDivisionError), fence.close():
        raise ZeroDivisionError
    assert fence.lets_pass(fence.mark())


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_queued_mmp_orders_are_never_placed_behind_a_mass_cancel(fast, exchange_id):
    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'rateLimit': 1}) as exchange:
            at_simulator(exchange, fast)
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
            at_simulator(exchange, fast)
            symbol = symbols(exchange, 'BTC-USD')[0]
            fast.latency = 100
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD'))
            await asyncio.sleep(0.03)
            with pytest.raises(MassCancelLocked):
                await exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
            await cancelling
            await exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})

    asyncio.run(main())


@pytest.mark.parametrize('method', ['create_order', 'create_orders'])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_asked_for_before_the_markets_are_loaded_is_stopped(fast, exchange_id, method):
    """It counts when it was asked for, not when its underlying became known."""

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'enableRateLimit': False}) as exchange:
            markets = at_simulator(exchange, fast).markets
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            exchange.markets = None
            is_loaded = asyncio.Event()

            async def load_markets(*arguments):
                await is_loaded.wait()
                exchange.markets = markets

            exchange.load_markets = load_markets
            arguments = {
                'create_order': (symbol, 'limit', 'buy', 10, 5, {'mmp': True}),
                'create_orders': ([order(symbol, mmp=True)],),
            }[method]
            # by then it has seen a mass cancel: a fence that was never used is a case of its own
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
            waiting = asyncio.ensure_future(getattr(exchange, method)(*arguments))
            await asyncio.sleep(0)
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
            is_loaded.set()
            with pytest.raises(MassCancelLocked):
                await waiting

    asyncio.run(main())
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


@pytest.mark.parametrize('method', ['create_order', 'create_orders', 'raw'])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_orders_that_are_asked_for_after_a_mass_cancel_go(flavour, fast, exchange_id, method):
    exchange = with_markets(flavour.exchange(exchange_id, fast.url))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    if method == 'create_order':
        flavour.take(placing(exchange, symbol))
    elif method == 'create_orders':
        [placed] = flavour.take(exchange.create_orders([order(symbol, mmp=True)]))
        assert placed['error'] is None
    else:
        for call in raw_orders(exchange):
            flavour.take(call())
    assert {each.mmp for each in fast.resting(exchange_id, UNDERLYING[exchange_id])} == {True}
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() == 0


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('rate_limit', [True, False])
def test_order_that_was_on_its_way_before_a_mass_cancel_does_not_survive_it(fast, way, rate_limit):
    """Its answer comes after that of the mass cancel, which then looks again."""
    exchange_id, params = way

    async def main():
        config = {'enableRateLimit': rate_limit}
        async with getattr(ccxt_mmp.async_support, exchange_id)(config) as exchange:
            at_simulator(exchange, fast)
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            fast.fault('hold', ORDER[exchange_id], milliseconds=100)
            placing = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await until(lambda: not fast._faults)
            cancelled = await exchange.mass_cancel_mmp(UNIFIED[exchange_id], params)
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
            at_simulator(exchange, fast)
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
def test_lock_looks_after_orders_that_were_in_flight_if_it_lasts_as_long(fast, is_lost, lock, requests):
    async def main():
        async with ccxt_mmp.async_support.okx({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            fence = exchange._mmp_fence('BTC-USD')
            sent = fence.send(fence.mark(), time.monotonic() + 11)
            asyncio.get_running_loop().call_later(0.2, fence.lost if is_lost else fence.answered, sent)
            return await exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': lock})

    cancelled = asyncio.run(main())
    assert len(fast.requests) == requests
    assert cancelled['lockedUntil'] <= fast.requests[-1].time + lock


def test_lock_that_outlasts_orders_in_flight_spares_the_wait(flavour, fast):
    """The exchange refuses them when they come."""
    exchange = flavour.exchange('okx', fast.url)
    fence = exchange._mmp_fence('BTC-USD')
    fence.send(fence.mark(), time.monotonic() + 8)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 10_000}))
    assert fence.in_flight_until() > time.monotonic()
    assert len(fast.requests) == 1


@pytest.mark.parametrize('way', WAYS)
def test_order_that_may_arrive_after_the_time_is_over_is_told_and_cancelled_for_a_last_time(flavour, simulator, way):
    exchange_id, params = way
    exchange = flavour.exchange(exchange_id, simulator.url)
    fence = exchange._mmp_fence(UNDERLYING[exchange_id])
    fence.send(fence.mark(), time.monotonic() + 5)
    with pytest.raises(MassCancelIncomplete, match='sent before it are not answered'):
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], {'timeout': 200, **params}))
    assert len(simulator.requests) >= 2
    times = [request.time for request in simulator.requests]
    assert times[-1] - times[0] >= 150  # the last one when nearly all of the time is over


def test_batches_that_the_fence_stops_take_no_others_with_them(fast):
    async def main():
        async with ccxt_mmp.async_support.okx({'rateLimit': 50}) as exchange:
            at_simulator(exchange, fast)
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
    exchange = with_markets(fast.connect(getattr(ccxt_mmp, exchange_id), rateLimit=1500))
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
    assert not any(order.mmp for order in fast.resting(exchange_id, UNDERLYING[exchange_id]))
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
                seen.append(current_request(other))
            return super().handle_errors(code, reason, url, *arguments)

    fast.set_rule('binance', 'BTCUSDT')
    exchange = with_markets(fast.connect(Mine, rateLimit=1))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() == 0
    assert seen
    assert set(seen) == {None}
    exchange.mass_cancel_mmp(UNIFIED[exchange_id])
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


def test_copies_have_sent_nothing():
    window = RollingWindow(1, 60_000)
    window.reserve()
    fence = Fence()
    fence.send(fence.mark(), time.monotonic() + 60)
    for copied in (copy.deepcopy([window, fence]), pickle.loads(pickle.dumps([window, fence]))):
        assert copied[0].limit == (1, 60_000)
        assert copied[0].reserve() <= time.monotonic()
        assert copied[1].in_flight_until() == 0
        assert copied[1].lets_pass(UNUSED)


def test_throttle_of_the_user_does_not_open_the_fence(fast):
    async def main():
        async with ccxt_mmp.async_support.okx() as exchange:
            at_simulator(exchange, fast)
            symbol = symbols(exchange, 'BTC-USD')[0]

            async def throttle(cost=None):
                await asyncio.sleep(0 if current_request(exchange).endpoint else 0.1)

            exchange.throttle = throttle
            waiting = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0.01)
            await exchange.mass_cancel_mmp('BTC/USD')
            with pytest.raises(MassCancelLocked):
                await waiting

    asyncio.run(main())
    assert fast.resting('okx', 'BTC-USD') == []


def test_order_whose_hook_cancels_before_it_is_sent_is_not_sent(fast):
    exchange = with_markets(fast.connect(ccxt_mmp.okx, enableRateLimit=False))
    symbol = symbols(exchange, 'BTC-USD')[0]
    fetching = exchange.fetch

    def cancel_before_an_order(url, method='GET', headers=None, body=None):
        if 'batch-orders' in url:
            # it cannot know that the order will be stopped: a hook may as well send it in a way of its own
            with pytest.raises(MassCancelIncomplete):
                exchange.mass_cancel_mmp('BTC/USD', {'timeout': 50})
        return fetching(url, method, headers, body)

    exchange.fetch = cancel_before_an_order
    with pytest.raises(MassCancelLocked):
        exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
    assert fast.resting('okx', 'BTC-USD') == []


@pytest.mark.parametrize('is_flagged', [True, False])
def test_order_over_the_websocket_is_stopped_by_the_fence(fast, is_flagged):
    sent = []

    async def main():
        async with ccxt_mmp.pro.okx() as exchange:
            at_simulator(exchange, fast)
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
            assert exchange._mmp_fence('BTC-USD').in_flight_until() == 0

    asyncio.run(main())
    assert sent == (['mmp'] if is_flagged else ['limit', 'limit'])


def test_fence_stays_shut_after_a_mass_cancel_that_failed(fast):
    async def main():
        async with ccxt_mmp.async_support.okx({'rateLimit': 100}) as exchange:
            at_simulator(exchange, fast)
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
    at_simulator(exchange, fast)
    exchange.mass_cancel_mmp('BTC/USD')
    for twin in (copy.deepcopy(exchange), pickle.loads(pickle.dumps(exchange))):
        twin.mass_cancel_mmp('BTC/USD')
    assert len(fast.requests) == 3


# --- what is in flight


def test_order_in_flight_is_waited_for_until_it_is_answered():
    fence = Fence()
    before = time.monotonic()
    sent = fence.send(fence.mark(), before + 11)
    assert fence.in_flight_until() == before + 11
    fence.answered(sent)
    assert fence.in_flight_until() == 0


def test_order_whose_answer_was_lost_may_still_arrive_for_a_while():
    fence = Fence()
    sent = fence.send(fence.mark(), time.monotonic() + 11)
    before = time.monotonic()
    fence.lost(sent)
    assert before + GRACE <= fence.in_flight_until() <= time.monotonic() + GRACE


def test_loss_does_not_prolong_what_was_given_up_before():
    fence = Fence()
    ends = time.monotonic() + 0.5
    fence.lost(fence.send(fence.mark(), ends))
    assert fence.in_flight_until() == ends


def test_order_that_nobody_takes_back_is_given_up():
    fence = Fence()
    fence.send(fence.mark(), time.monotonic() - 0.001)
    assert fence.in_flight_until() <= time.monotonic()
    assert fence.in_flight_until() == 0


def test_order_that_is_interrupted_is_never_given_up_by_what_interrupts_it():
    """It may be sent when that is over. Others give it up."""
    fence = Fence()
    waiting = Waiting(1)
    sent = fence.send(fence.mark(), time.monotonic() - 0.001, waiting)
    assert fence.in_flight_until() <= time.monotonic()
    assert fence.has_interrupted(1)
    assert not fence.has_interrupted(2)
    fence.lost(sent)
    waiting.holder = None
    assert not fence.has_interrupted(1)


def test_order_that_is_stopped_is_not_in_flight():
    fence = Fence()
    mark = fence.mark()
    with fence.close():
        assert fence.send(mark, time.monotonic() + 11) is None
    assert fence.send(mark, time.monotonic() + 11) is None
    assert fence.in_flight_until() == 0


def test_order_counts_as_in_flight_before_the_fence_is_asked():
    """So that a mass cancel which comes in between, in a signal handler or a thread, sees it."""
    fence = Fence()
    seen = []

    class Watched(Fence):
        def lets_pass(self, mark):
            seen.append(self.in_flight_until())
            return super().lets_pass(mark)

    fence.__class__ = Watched
    fence.send(fence.mark(), 10**10)
    assert seen == [10**10]


REFUSED = {'okx': '{"code":"51008","msg":"","data":[]}', 'binance': '{"code":-2010,"msg":"NEW_ORDER_REJECTED"}'}


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_that_was_refused_is_not_waited_for(flavour, canned, exchange_id):
    """Whatever the status of the answer says."""
    canned.answer(REFUSED[exchange_id], status=500)
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    with pytest.raises(ccxt.ExchangeError):
        flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert len(canned.received()) == 1
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() == 0


@pytest.mark.parametrize('error', [ccxt.InvalidOrder, ccxt.DDoSProtection, ccxt.RateLimitExceeded, ccxt.InvalidNonce])
def test_every_refusal_says_that_an_order_cannot_arrive(error):
    fence, context = Fence(), RequestContext('exchange')
    context.send(fence, 'BTC-USD', 11)
    context.ended(error('refused'))
    assert fence.in_flight_until() == 0


@pytest.mark.parametrize('status', [500, 503, 504])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_that_a_gateway_gave_up_may_still_arrive(flavour, fast, exchange_id, status):
    fast.fault('status', ORDER[exchange_id], status=status)
    exchange = with_markets(flavour.exchange(exchange_id, fast.url))
    with pytest.raises(ccxt.NetworkError):
        flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() > time.monotonic()


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_whose_answer_broke_off_may_still_arrive(flavour, httpserver, exchange_id):
    """ccxt raises the same as for a refusal."""
    broken = {'Content-Encoding': 'gzip'}
    httpserver.expect_request(re.compile('')).respond_with_data(b'{"code":"0"', headers=broken)
    exchange = with_markets(flavour.exchange(exchange_id, f'http://{httpserver.host}:{httpserver.port}'))
    with pytest.raises(ccxt.ExchangeError):
        flavour.take(raw_orders(exchange)[0]())
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() > time.monotonic()


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_is_counted_when_it_is_signed(flavour, exchange_id):
    """So that a fetch of the user's is fenced, too."""
    exchange = with_markets(flavour.exchange(exchange_id))
    fence = exchange._mmp_fence(UNDERLYING[exchange_id])
    answer = {'okx': {'code': '0', 'data': [{'ordId': '1', 'sCode': '0'}]}, 'binance': {'orderId': 1}}[exchange_id]
    seen = []

    def fetch(*arguments):
        seen.append(fence.in_flight_until() > time.monotonic())
        return answer

    async def async_fetch(*arguments):
        return fetch(*arguments)

    exchange.fetch = fetch if exchange.synchronous else async_fetch
    flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert seen == [True]
    assert fence.in_flight_until() == 0


# --- whose a request is


def test_context_is_of_the_task_that_entered_it():
    exchange = object()

    async def child():
        return current_request(exchange)

    async def main():
        with RequestContext(exchange) as context:
            assert current_request(exchange) is context
            assert await child() is context
            assert await asyncio.create_task(child()) is None
            assert await asyncio.to_thread(current_request, exchange) is None
            seen = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(lambda: seen.set_result(current_request(exchange)))
            assert await seen is None
            assert current_request(object()) is None
            late = asyncio.create_task(child())
        assert current_request(exchange) is None
        assert await late is None

    asyncio.run(main())


def test_context_is_of_the_thread_that_entered_it():
    seen = []
    with RequestContext('exchange') as context:
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=[lambda: seen.append(current_request('exchange'))]
        )
        thread.start()
        thread.join()
        assert current_request('exchange') is context
    assert seen == [None]


def test_context_that_ends_elsewhere_ends():
    """As that of a coroutine that is collected after its loop has closed."""
    fence = Fence()
    context = RequestContext('exchange')
    contextvars.copy_context().run(context.__enter__)
    context.send(fence, 'BTC-USD', 11)
    assert fence.in_flight_until() > time.monotonic() + 10
    context.__exit__(GeneratorExit, GeneratorExit(), None)
    assert fence.in_flight_until() <= time.monotonic() + GRACE
    assert not context.is_entered


def test_context_that_ends_elsewhere_leaves_the_request_there_alone():
    context = RequestContext('exchange')
    contextvars.copy_context().run(context.__enter__)
    with RequestContext('exchange') as other:
        context.__exit__(GeneratorExit, GeneratorExit(), None)
        assert current_request('exchange') is other


def test_request_is_that_around_it_again_when_one_is_over():
    with RequestContext('exchange') as outer:
        with RequestContext('exchange') as inner:
            assert current_request('exchange') is inner
        assert current_request('exchange') is outer
    assert current_request('exchange') is None


def test_attempt_leaves_nothing_to_the_next():
    with RequestContext('exchange') as context:
        context.timeout = 1000
        with Sending(context):
            context.session = object()
            assert context.answer_ends > time.monotonic()
        assert (context.session, context.timeout, context.answer_ends) == (None, None, None)


def placing(exchange, symbol):
    return exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # what the closed loop leaves behind
@pytest.mark.parametrize('is_collected', [True, False])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_order_whose_loop_was_closed_disables_no_mass_cancel(fast, exchange_id, is_collected):
    exchange = at_simulator(getattr(ccxt_mmp.async_support, exchange_id)({'timeout': 300}), fast)
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    fast.fault('hold', ORDER[exchange_id], milliseconds=200)
    loop = asyncio.new_event_loop()
    pending = loop.create_task(placing(exchange, symbol))
    loop.run_until_complete(until(lambda: not fast._faults))
    loop.close()
    pending._log_destroy_pending = False  # asyncio would warn, rightly
    if is_collected:
        del pending
        gc.collect()

    async def main():
        await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
        assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []
        started = time.monotonic()
        await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
        assert time.monotonic() - started < GRACE
        await exchange._connections().close()

    asyncio.run(main())
    # here, and not in the course of another test
    exchange.session = exchange.tcp_connector = None
    exchange = pending = loop = None
    gc.collect()


HOOKS = ['on_rest_response', 'handle_errors', 'sign', 'create_order']


@pytest.mark.parametrize('hook', HOOKS)
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_task_that_a_hook_of_an_order_starts_inherits_nothing(fast, exchange_id, hook):
    """Its own requests queue, are not stopped with the order, and are none of those that a mass cancel waits for."""
    stock = getattr(ccxt.async_support, exchange_id)
    started, seen = [], []

    async def read(exchange):
        seen.append(current_request(exchange))
        return await exchange.fetch_open_orders(None, None, None, {'mmp': True})

    class Below(stock):
        async def create_order(self, *arguments):
            if hook == 'create_order':
                started.append(asyncio.ensure_future(read(self)))
            return await super().create_order(*arguments)

    def start_a_task(self, *arguments, **keywords):
        if not started:
            started.append(asyncio.ensure_future(read(self)))
        return getattr(Base, hook)(self, *arguments, **keywords)

    Base = type(exchange_id, (ccxt_mmp.AsyncMmp, MIXINS[exchange_id], Below), {})
    Mine = Base if hook == 'create_order' else type(exchange_id, (Base,), {hook: start_a_task})

    async def main():
        async with Mine({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            await placing(exchange, symbol)
            assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() == 0
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
            [listed] = await asyncio.gather(*started)
            await cancelling
            assert seen == [None]
            assert len(listed) <= 1

    asyncio.run(main())
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


def test_task_that_a_hook_of_a_mass_cancel_starts_queues_as_any_other(fast):
    started = []

    class Mine(ccxt_mmp.async_support.okx):
        def handle_errors(self, *arguments, **keywords):
            if not started:
                started.append(asyncio.ensure_future(self.privatePostTradeMassCancel({'instType': 'OPTION'})))
            return super().handle_errors(*arguments, **keywords)

    async def main():
        async with Mine() as exchange:
            at_simulator(exchange, fast)
            queued = []

            async def throttle(cost=None):
                queued.append(cost)

            exchange.throttler = throttle
            await exchange.mass_cancel_mmp('BTC/USD')
            await asyncio.gather(*started, return_exceptions=True)
            assert len(queued) == 1
            assert len(exchange._mmp_windows['POST trade/mass-cancel']._slots) == 1

    asyncio.run(main())


def test_request_that_a_hook_makes_meanwhile_is_one_of_its_own(fast):
    """Not of the kill switch: it queues, and goes over the exchange's own connections."""
    queued = []

    class Mine(ccxt_mmp.okx):
        def throttle(self, cost=None):
            queued.append(current_request(self).endpoint)
            super().throttle(cost)

        def handle_errors(self, code, reason, url, *arguments):
            if 'mass-cancel' in url:
                self.publicGetPublicTime()
            return super().handle_errors(code, reason, url, *arguments)

    exchange = with_markets(fast.connect(Mine, rateLimit=1))
    exchange.mass_cancel_mmp('BTC/USD')
    assert queued == ['POST trade/mass-cancel', None]
    [cancelled, asked] = fast.requests
    assert cancelled.port != asked.port


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_hook_of_an_answer_may_cancel_without_waiting_for_it(flavour, fast, exchange_id):
    class Mine(flavour.exchange_class(exchange_id)):
        def handle_errors(self, code, reason, url, *arguments):
            if url.endswith(('batch-orders', 'order')) and not answered:
                answered.append(time.monotonic())
                assert self._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() == 0
            return super().handle_errors(code, reason, url, *arguments)

    answered = []
    exchange = fast.connect(Mine, enableRateLimit=False)
    flavour.opened.append(exchange)
    exchange.timeout_on_exit = 0
    with_markets(exchange)
    flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert answered


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_queued_raw_requests_with_mmp_orders_are_stopped_too(fast, exchange_id):
    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)() as exchange:
            at_simulator(exchange, fast)
            gate = asyncio.Event()
            exchange.throttler = lambda cost: gate.wait()
            raw = raw_orders(exchange)
            queued = [asyncio.ensure_future(call()) for call in raw]
            others = [asyncio.ensure_future(call()) for call in raw_orders(exchange, mmp=False)]
            await asyncio.sleep(0)
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
            gate.set()
            results = await asyncio.gather(*queued, return_exceptions=True)
            assert {type(result) for result in results} == {MassCancelLocked}
            await asyncio.gather(*others)
            assert [order.mmp for order in fast.resting(exchange_id, UNDERLYING[exchange_id])] == [False] * len(others)
            # asked for after it, they go
            await asyncio.gather(*(call() for call in raw))

    asyncio.run(main())


def raw_orders(exchange, mmp=True):
    """Raw calls that place an order each."""
    option_id = exchange.market(symbols(exchange, UNDERLYING[exchange.id])[0])['id']
    if exchange.id == 'okx':
        order = {'instId': option_id, 'tdMode': 'cross', 'side': 'buy', 'sz': '1', 'px': '0.01'}
        order['ordType'] = 'mmp' if mmp else 'limit'
        return [
            lambda: exchange.privatePostTradeOrder(order),
            lambda: exchange.privatePostTradeBatchOrders([order]),
        ]
    order = {'symbol': option_id, 'side': 'BUY', 'type': 'LIMIT', 'quantity': '1', 'price': '5', 'timeInForce': 'GTC'}
    flagged = {**order, 'isMmp': 'true'} if mmp else order
    batch = [{**order, 'isMmp': True} if mmp else order]
    return [
        lambda: exchange.eapiPrivatePostOrder(flagged),
        lambda: exchange.eapiPrivatePostBatchOrders({'orders': encoded_json(batch)}),
    ]


def test_attempt_of_ccxts_own_to_repeat_a_raw_order_is_stopped(fast):
    """A mass cancel came between the two attempts."""
    exchange = with_markets(fast.connect(ccxt_mmp.okx, enableRateLimit=False))
    exchange.timeout = 100
    [place, _] = raw_orders(exchange)
    exchange.options['maxRetriesOnFailure'] = 1
    fast.fault('status', 'trade/order', status=503)
    handling = exchange.handle_http_status_code

    def cancel(*arguments):
        exchange.handle_http_status_code = handling
        with exchange._mmp_fence('BTC-USD').close():
            pass
        return handling(*arguments)

    exchange.handle_http_status_code = cancel
    with pytest.raises(MassCancelLocked):
        place()
    assert fast.resting('okx', 'BTC-USD') == []


def test_order_over_the_websocket_that_is_never_answered_disables_no_mass_cancel(fast):
    async def main():
        async with ccxt_mmp.pro.okx({'timeout': 200}) as exchange:
            at_simulator(exchange, fast)
            sent = asyncio.Event()

            async def authenticate(params={}):
                pass

            async def watch(*arguments):
                sent.set()
                await asyncio.Event().wait()

            exchange.authenticate, exchange.watch = authenticate, watch
            symbol = symbols(exchange, 'BTC-USD')[0]
            waiting = asyncio.ensure_future(exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await sent.wait()
            started = time.monotonic()
            await exchange.mass_cancel_mmp('BTC/USD')  # waits until it is given up, and cancels again
            assert time.monotonic() - started >= GRACE
            assert len(fast.requests) == 2
            await exchange.mass_cancel_mmp('BTC/USD')
            assert len(fast.requests) == 3
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(main())


# --- what leaves it open, and what is broken off


@pytest.mark.parametrize('status', [200, 400])
def test_order_whose_answer_leaves_it_open_may_still_arrive(flavour, canned, status):
    """OKX 50004: the endpoint request timed out, which does not say whether it was done."""
    canned.answer('{"code":"50004","data":[],"msg":"Endpoint request timeout"}', status=status)
    exchange = with_markets(flavour.exchange('okx', canned.url))
    with pytest.raises(ccxt.RequestTimeout):
        flavour.take(placing(exchange, symbols(exchange, 'BTC-USD')[0]))
    assert exchange._mmp_fence('BTC-USD').in_flight_until() > time.monotonic()


def test_gateway_that_has_no_code_of_okx_leaves_it_open(flavour, canned):
    canned.answer('{"message":"upstream request timeout"}', status=504)
    exchange = with_markets(flavour.exchange('okx', canned.url))
    with pytest.raises(ccxt.ExchangeNotAvailable):
        flavour.take(placing(exchange, symbols(exchange, 'BTC-USD')[0]))
    assert exchange._mmp_fence('BTC-USD').in_flight_until() > time.monotonic()


def test_order_that_is_sent_late_is_given_up_late():
    fence, context = Fence(), RequestContext('exchange')
    context.send(fence, 'BTC-USD', -1)
    assert context.may_still_be_sent(11)
    assert fence.in_flight_until() > time.monotonic() + 10


def test_mass_cancel_that_was_broken_off_ends_by_its_time():
    """By a handler that raises, or with its loop."""
    fence = Fence()
    fence.close(time.monotonic() - 0.001).__enter__()
    assert fence.lets_pass(fence.mark())
    fence.close(time.monotonic() + 60).__enter__()
    assert not fence.lets_pass(fence.mark())


def test_order_that_is_broken_off_is_given_up_by_its_time():
    """A handler that raises came between its being counted and its being known to its request."""
    fence, context = Fence(), RequestContext('exchange')
    with context:
        fence.send(fence.mark(), time.monotonic() - 0.001, context)
        assert fence.has_interrupted(context.holder)
    assert not fence.has_interrupted(threading.get_ident())
    assert fence.in_flight_until() <= time.monotonic()


@pytest.mark.parametrize('hook', ['request', 'fetch2'])
def test_order_that_a_hook_sends_in_a_task_of_its_own_is_stopped(fast, hook):
    async def main():
        class Mine(ccxt_mmp.async_support.okx):
            pass

        async def later(self, *arguments, **keywords):
            await gate.wait()
            return await asyncio.create_task(getattr(ccxt_mmp.async_support.okx, hook)(self, *arguments, **keywords))

        gate = asyncio.Event()
        async with Mine({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            setattr(Mine, hook, later)
            waiting = asyncio.ensure_future(placing(exchange, symbols(exchange, 'BTC-USD')[0]))
            await asyncio.sleep(0)
            setattr(Mine, hook, getattr(ccxt_mmp.async_support.okx, hook))
            await exchange.mass_cancel_mmp('BTC/USD')
            gate.set()
            with pytest.raises(MassCancelLocked):
                await waiting

    asyncio.run(main())
    assert fast.resting('okx', 'BTC-USD') == []
