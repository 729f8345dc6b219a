"""Orders that wait while a mass cancel comes are never placed; those that are asked for after it are."""

import asyncio
import copy
import pickle
import threading

import ccxt
import ccxt.async_support
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelLocked
from tests.core.fencing import order, placing, raw_orders
from tests.fault_matrix.methods import OTHER
from tests.trading import UNDERLYING, UNIFIED, at_simulator, symbols, with_markets


def test_queued_mmp_orders_are_never_placed_behind_a_mass_cancel(fast, exchange_id):
    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'rateLimit': 1}) as exchange:
            at_simulator(exchange, fast)
            quoted = symbols(exchange, UNDERLYING[exchange_id])
            other = symbols(exchange, OTHER[exchange_id])[0]
            limit = (10, 5)

            def quote(symbol, **params):
                return asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', *limit, params))

            quotes, others = [], []
            for index in range(120):
                quotes.append(quote(quoted[index % len(quoted)], mmp=True))
                if index % 12 == 0:
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
    assert len(stopped) > 60
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


def test_order_of_a_thread_that_sleeps_in_the_throttle_is_never_placed(fast, monkeypatch, exchange_id):
    exchange = with_markets(fast.connect(getattr(ccxt_mmp, exchange_id)))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    outcomes, asleep, woken = [], threading.Semaphore(0), threading.Event()

    def throttle(*arguments):
        asleep.release()
        assert woken.wait(60)

    monkeypatch.setattr(ccxt.Exchange, 'throttle', throttle)

    def quote(params):
        try:
            outcomes.append(exchange.create_order(symbol, 'limit', 'buy', 10, 5, params))
        except ccxt.BaseError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=quote, args=[params]) for params in ({'mmp': True}, {})]
    for thread in threads:
        thread.start()
        assert asleep.acquire(timeout=60)
    exchange.mass_cancel_mmp(UNIFIED[exchange_id])
    assert not any(order.mmp for order in fast.resting(exchange_id, UNDERLYING[exchange_id]))
    woken.set()
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in outcomes) == ['MassCancelLocked', 'dict']
    assert [each.mmp for each in fast.resting(exchange_id, UNDERLYING[exchange_id])] == [False]


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
