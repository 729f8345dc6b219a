"""Any sequence of orders, losses, cancelled tasks, closed loops, hooks, signals and threads: the book is the judge.

After a mass cancel that returned, no MMP order rests that was asked for before it, then or later; and whatever has
happened, the next one in quiet times returns.
"""

import asyncio
import gc
import itertools
import os
import signal
import threading
import time

import ccxt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import ccxt_mmp
import ccxt_mmp.pro
from ccxt_mmp.simulator import Simulator
from tests.trading import UNDERLYING, UNIFIED, at_simulator, symbols

TIMEOUT, GRACE = 60, 0.3  # ms that an answer has, s that an order may still be on its way after it
ORDER_PATH = {'okx': 'orders', 'binance': 'order'}
WAYS = {'okx': [{}, {'emulate': True}, {'lockInterval': 50}], 'binance': [{}, {'includeNonMmp': True}]}
WHICH = st.sampled_from(['one', 'named', 'all'])  # the underlying alone, by its name among several, or unnamed
KILL_PATHS = {
    'okx': ['mass-cancel', 'orders-pending', 'cancel-batch-orders', 'mmp-config'],
    'binance': ['openOrders', 'allOpenOrdersByUnderlying', 'batchOrders', 'order'],
}
ORDER_FAULTS = st.sampled_from(
    [
        ('hold', {'milliseconds': 30}),  # it arrives late, and is answered
        ('hold', {'milliseconds': TIMEOUT + 40}),  # it arrives after its answer was given up
        ('delay', {'milliseconds': TIMEOUT + 40}),
        ('drop_after', {}),
        ('drop_before', {}),
        ('truncated', {}),
        ('malformed', {}),
        ('status', {'status': 503}),
    ]
)
KILL_FAULTS = st.sampled_from(
    [
        ('status', {'status': 503}),
        ('drop_after', {}),
        ('truncated', {}),
        ('malformed', {}),
        ('delay', {'milliseconds': 90}),
    ]
)


@pytest.fixture(scope='module')
def market():
    with Simulator(enforce_limits=False) as simulator, pytest.MonkeyPatch.context() as patch:
        patch.setattr('ccxt_mmp.core.fence.GRACE', GRACE)
        patch.setattr('ccxt_mmp.core.requests.GRACE', GRACE)
        yield simulator


# what closed loops leave behind
pytestmark = pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')


class Book(RuleBasedStateMachine):
    """What both machines share: the orders that were asked for, and the judgement."""

    simulator: Simulator

    def __init__(self):
        super().__init__()
        self.simulator.clear()
        self.numbers = itertools.count()
        self.asked_for = set()  # client order ids
        self.asking = threading.local()
        self.must_be_gone = set()  # those that were asked for before a mass cancel that returned

    def begin(self, exchange_id, namespace, **options):
        self.exchange = getattr(namespace, exchange_id)({'timeout': TIMEOUT, 'options': options})
        at_simulator(self.exchange, self.simulator)
        self.symbols = symbols(self.exchange, UNDERLYING[exchange_id])
        self.stock = getattr(ccxt, exchange_id)({'enableRateLimit': False})
        at_simulator(self.stock, self.simulator)

    def next_id(self):
        return f'n{next(self.numbers)}'

    def order(self, client_order_id):
        self.asking.id = client_order_id
        flagged = {'mmp': True, 'clientOrderId': client_order_id}
        return self.symbols[0], 'limit', 'buy', 10, 5, flagged

    @rule(fault=ORDER_FAULTS)
    def order_goes_wrong(self, fault):
        kind, details = fault
        self.simulator.fault(kind, ORDER_PATH[self.exchange.id], method='POST', **details)

    @rule(data=st.data(), fault=KILL_FAULTS)
    def cancel_goes_wrong(self, data, fault):
        kind, details = fault
        method = None if self.exchange.id == 'okx' else data.draw(st.sampled_from(['GET', 'DELETE']))
        self.simulator.fault(kind, data.draw(st.sampled_from(KILL_PATHS[self.exchange.id])), method=method, **details)

    def params(self, data):
        return {'timeout': 3000, **data.draw(st.sampled_from(WAYS[self.exchange.id]))}

    def cancelling(self, params, which):
        name = UNIFIED[self.exchange.id]
        if which == 'one':
            return self.exchange.mass_cancel_mmp(name, params)
        return self.exchange.mass_cancel_mmps([name] if which == 'named' else None, params)

    def judge(self, asked_for):
        """A mass cancel has returned, before which these orders had been asked for."""
        self.must_be_gone |= asked_for
        self.nothing_rests_that_was_asked_for_before()

    @invariant()
    def nothing_rests_that_was_asked_for_before(self):
        resting = self.simulator.resting(self.exchange.id, UNDERLYING[self.exchange.id]) if self.started else []
        left = {each.client_order_id for each in resting if each.mmp} & self.must_be_gone
        assert not left, f'{left} rest, and a mass cancel that came after them has returned'

    started = False


class Tasks(Book):
    """An object of ccxt.pro, its tasks and its loops."""

    @initialize(exchange_id=st.sampled_from(['okx', 'binance']))
    def start(self, exchange_id):
        self.begin(exchange_id, ccxt_mmp.pro)
        self.tasks, self.abandoned = [], []
        self.hooks = []
        handling = self.exchange.handle_errors

        def handle_errors(*arguments, **keywords):
            while self.hooks:
                self.spawn(self.hooks.pop())
            return handling(*arguments, **keywords)

        self.exchange.handle_errors = handle_errors
        self.exchange.authenticate = self.authenticate
        self.exchange.watch = self.answer_over_the_websocket
        self.websocket = 'answers'
        self.open_loop()
        self.started = True

    def open_loop(self):
        self.loop = asyncio.new_event_loop()
        self.gate = asyncio.Event()
        self.exchange.throttler = lambda cost: self.gate.wait()

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def spawn(self, coroutine):
        self.tasks.append(self.loop.create_task(coroutine))

    async def authenticate(self, params={}):
        pass

    async def answer_over_the_websocket(self, url, message_hash, message, *rest):
        [order] = message['args']
        if self.websocket == 'late':
            await asyncio.sleep(0.03)
        self.stock.privatePostTradeOrder(order)
        if self.websocket == 'is silent':
            await asyncio.Event().wait()
        return []

    # --- what happens

    @rule(kind=st.sampled_from(['one', 'several', 'raw']))
    def ask(self, kind):
        self.spawn(self.asked(kind))

    def order(self, client_order_id):
        self.asked_for.add(client_order_id)  # its task begins before any that comes later
        return super().order(client_order_id)

    def asked(self, kind):
        if kind == 'one':
            return self.exchange.create_order(*self.order(self.next_id()))
        if kind == 'several':
            names = ('symbol', 'type', 'side', 'amount', 'price', 'params')
            orders = [dict(zip(names, self.order(self.next_id()), strict=True)) for _ in range(3)]
            return self.exchange.create_orders(orders)
        request = self.stock.create_order_request(*self.order(self.next_id()))
        request.pop('mmp', None)
        if self.exchange.id == 'okx':
            return self.exchange.privatePostTradeOrder({**request, 'ordType': 'mmp'})
        return self.exchange.eapiPrivatePostOrder({**request, 'isMmp': 'true'})

    @precondition(lambda self: self.exchange.id == 'okx')
    @rule(behaviour=st.sampled_from(['answers', 'late', 'is silent']))
    def ask_over_the_websocket(self, behaviour):
        self.websocket = behaviour
        self.spawn(self.exchange.create_order_ws(*self.order(self.next_id())))
        self.run(asyncio.sleep(0))

    @rule(kind=st.sampled_from(['one', 'several', 'read']))
    def hook_will_start_a_task(self, kind):
        async def later():
            if kind == 'read':
                await self.exchange.fetch_open_orders(None, None, None, {'mmp': True})
            else:
                await self.asked(kind)

        self.hooks.append(later())

    @rule(is_open=st.booleans())
    def queue_moves(self, is_open):
        self.gate.set() if is_open else self.gate.clear()
        self.run(asyncio.sleep(0))

    @rule(milliseconds=st.sampled_from([0, 1, 5, 40]))
    def time_passes(self, milliseconds):
        self.run(asyncio.sleep(milliseconds / 1000))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def task_is_cancelled(self, data):
        data.draw(st.sampled_from(self.tasks)).cancel()
        self.run(asyncio.sleep(0))

    @rule(is_collected=st.booleans())
    def loop_is_closed(self, is_collected):
        """As a program that calls asyncio.run more than once, and forgets what it had begun."""
        for task in self.tasks:
            task._log_destroy_pending = False
        if not is_collected:
            self.abandoned += self.tasks
        self.tasks = []
        self.loop.close()
        self.exchange.session = self.exchange.tcp_connector = self.exchange.asyncio_loop = None
        gc.collect()
        self.open_loop()

    @rule(data=st.data(), which=WHICH, is_interrupted=st.booleans())
    def mass_cancel(self, data, which, is_interrupted):
        asked_for = set(self.asked_for)
        cancelling = self.cancelling(self.params(data), which)
        if is_interrupted:
            task = self.loop.create_task(cancelling)
            self.run(asyncio.wait([task], timeout=0.002))
            task.cancel()
            self.run(asyncio.wait([task]))
            if task.cancelled() or task.exception() is not None:
                return
        else:
            try:
                self.run(cancelling)
            except ccxt.BaseError:
                return
        self.judge(asked_for)

    async def clean_up(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.exchange.close()

    def teardown(self):
        if not self.started:
            return
        self.simulator._faults.clear()
        for hook in self.hooks:
            hook.close()
        asked_for = set(self.asked_for)
        self.run(self.exchange.mass_cancel_mmp(UNIFIED[self.exchange.id]))
        self.judge(asked_for)
        self.gate.set()
        self.run(self.clean_up())
        self.nothing_rests_that_was_asked_for_before()
        self.loop.close()


class Threads(Book):
    """A sync object, threads that queue in its throttle, and signals."""

    @initialize(exchange_id=st.sampled_from(['okx', 'binance']))
    def start(self, exchange_id):
        self.begin(exchange_id, ccxt_mmp)
        self.threads = []
        self.gate = threading.Event()
        self.gate.set()
        self.exchange.tokenBucket = {}
        self.exchange.calculate_rate_limiter_cost = lambda *arguments: 1
        queue = self.exchange.throttle

        def throttle(cost=None):
            if ccxt_mmp.core.request_context.current_request(self.exchange).endpoint is None:
                self.gate.wait()
            else:
                queue(cost)

        self.exchange.throttle = throttle
        mark = self.exchange._fence_marks

        def fence_marks():
            marks = mark()
            self.asked_for.add(getattr(self.asking, 'id', None))
            return marks

        self.exchange._fence_marks = fence_marks
        self.started = True

    def ask_one(self):
        try:
            self.exchange.create_order(*self.order(self.next_id()))
        except ccxt.BaseError:
            return

    @precondition(lambda self: self.gate.is_set())
    @rule()
    def ask(self):
        self.ask_one()

    @rule()
    def thread_asks(self):
        asked_for = len(self.asked_for)
        self.threads.append(threading.Thread(target=self.ask_one, daemon=True))
        self.threads[-1].start()
        while len(self.asked_for) == asked_for:
            time.sleep(0.0005)

    @rule(is_open=st.booleans())
    def queue_moves(self, is_open):
        self.gate.set() if is_open else self.gate.clear()

    def cancel(self, params, which):
        asked_for = set(self.asked_for)
        try:
            self.cancelling(params, which)
        except ccxt.BaseError:
            return
        self.judge(asked_for)

    @rule(data=st.data(), which=WHICH)
    def mass_cancel(self, data, which):
        self.cancel(self.params(data), which)

    @rule(data=st.data(), which=WHICH, milliseconds=st.sampled_from([0.2, 1, 3, 6]))
    def signal_interrupts(self, data, which, milliseconds):
        """Whatever the main thread does when it comes."""
        params = self.params(data)
        handled = []

        def handle(*_):
            handled.append(self.cancel(params, which))

        signal.signal(signal.SIGUSR1, handle)
        timer = threading.Timer(milliseconds / 1000, os.kill, [os.getpid(), signal.SIGUSR1])
        timer.start()
        self.gate.set()
        while not handled:
            self.ask_one()
        timer.join()

    def teardown(self):
        if not self.started:
            return
        self.simulator._faults.clear()
        asked_for = set(self.asked_for)
        self.exchange.mass_cancel_mmp(UNIFIED[self.exchange.id])
        self.judge(asked_for)
        self.gate.set()
        for thread in self.threads:
            thread.join()
        self.nothing_rests_that_was_asked_for_before()
        self.exchange.close()


@pytest.mark.parametrize('machine', [Tasks, Threads])
def test_no_sequence_of_events_leaves_an_order_behind_or_disables_the_kill_switch(market, machine):
    machine.simulator = market
    share = max(settings.default.max_examples // 20, 5)  # an example takes a second, and more are tried by hand
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=share, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
