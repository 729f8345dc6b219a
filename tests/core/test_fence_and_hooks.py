"""Hooks of the user in the course of an order or a mass cancel: what they start is neither fenced nor waited for."""

import asyncio
import contextlib
import time

import ccxt
import ccxt.async_support
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked
from ccxt_mmp.core.request_context import current_request
from ccxt_mmp.registry import EXCHANGES
from tests.core.fencing import ORDER, placing
from tests.trading import UNDERLYING, UNIFIED, at_simulator, symbols, with_markets


def test_calls_in_the_course_of_an_order_leave_the_fence_as_it_was(fast, exchange_id):
    """The time is asked for while errors are handled, and another exchange."""
    other = fast.connect(ccxt_mmp.binance)
    seen = []

    class Mine(getattr(ccxt_mmp, exchange_id)):
        def handle_errors(self, code, reason, url, *arguments):
            if url.endswith(ORDER[exchange_id]):
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


HOOKS = ['on_rest_response', 'handle_errors', 'sign', 'create_order']


@pytest.mark.parametrize('hook', HOOKS)
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

    Base = type(exchange_id, (ccxt_mmp.AsyncMmp, EXCHANGES[exchange_id].mixin, Below), {})
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


def in_flight_in_a_hook(flavour, simulator, exchange_id):
    """Whether an order is in flight while a hook of the user's looks at its answer."""

    class Mine(flavour.exchange_class(exchange_id)):
        def handle_errors(self, code, reason, url, *arguments):
            if url.endswith(ORDER[exchange_id]):
                seen.append(self._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() > time.monotonic())
            return super().handle_errors(code, reason, url, *arguments)

    seen = []
    exchange = simulator.connect(Mine, enableRateLimit=False)
    flavour.opened.append(exchange)
    exchange.timeout_on_exit = 0
    with_markets(exchange)
    with contextlib.suppress(ccxt.NetworkError):
        flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    return seen[0]


def test_hook_of_an_answer_may_cancel_without_waiting_for_it(flavour, fast, exchange_id):
    assert not in_flight_in_a_hook(flavour, fast, exchange_id)


def test_hook_of_a_gateways_answer_has_an_order_that_may_still_arrive(flavour, fast, exchange_id):
    fast.fault('status', ORDER[exchange_id], status=504)
    assert in_flight_in_a_hook(flavour, fast, exchange_id)


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
