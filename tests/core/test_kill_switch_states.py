"""Any sequence of orders, losses, cancelled tasks, closed loops, hooks, signals and threads: the book is the judge.

After a mass cancel that returned, no MMP order rests that was asked for before it, then or later; and whatever has
happened, the next one in quiet times returns.
"""

import asyncio
import gc
import os
import signal
import threading
import time

import ccxt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

import ccxt_mmp
import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from tests.core.kill_switch_states import CANCEL_TIME, GRACE, KINDS, TERMS, TIMEOUT, WHICH, Book
from tests.trading import UNIFIED

HALTING = st.sampled_from([False, False, True])
SOCKETS = {'okx': ['order', 'batch-orders', 'mass-cancel'], 'deribit': ['private/buy', 'private/cancel_by_label']}
SOCKET_FAULTS = st.sampled_from(
    [
        ('delay', {'milliseconds': 30}),  # it is done and answered late
        ('delay', {'milliseconds': TIMEOUT + 40}),  # it is done, and its answer was given up
        ('lose', {}),
        ('drop_after', {}),
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


class Tasks(Book):
    """An object of ccxt.pro, its tasks and its loops."""

    @initialize(is_halting=HALTING)
    def start(self, is_halting):
        self.begin(ccxt_mmp.pro, is_halting)
        self.tasks, self.abandoned = [], []
        self.hooks = []
        handling = self.exchange.handle_errors

        def handle_errors(*arguments, **keywords):
            while self.hooks:
                self.spawn(self.hooks.pop())
            return handling(*arguments, **keywords)

        self.exchange.handle_errors = handle_errors
        self.open_loop()

    def open_loop(self):
        self.loop = asyncio.new_event_loop()
        self.gate = asyncio.Event()
        self.exchange.throttler = lambda cost: self.gate.wait()

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def spawn(self, coroutine):
        self.tasks.append(self.loop.create_task(coroutine))

    # --- what happens

    def orders(self, count):
        orders = super().orders(count)
        self.note_asked(self.asking.ids)  # its task begins before any that comes later
        return orders

    @rule(kind=KINDS)
    def ask(self, kind):
        self.spawn(self.asked(kind))

    @precondition(lambda self: self.exchange_id in SOCKETS)
    @rule(is_batch=st.booleans())
    def ask_over_the_websocket(self, is_batch):
        if is_batch:
            self.spawn(self.exchange.create_orders_ws([dict(zip(TERMS, each, strict=True)) for each in self.orders(2)]))
        else:
            self.spawn(self.exchange.create_order_ws(*self.orders(1)[0]))
        self.run(asyncio.sleep(0))

    @precondition(lambda self: self.exchange_id != 'binance')
    @rule(which=st.integers(0, 9))
    def edit(self, which):
        editing = self.edited(which)
        if editing is not None:
            self.spawn(editing)
            self.run(asyncio.sleep(0))

    @precondition(lambda self: self.exchange_id in SOCKETS)
    @rule(data=st.data(), fault=SOCKET_FAULTS)
    def websocket_goes_wrong(self, data, fault):
        kind, details = fault
        self.simulator.fault(kind, op=data.draw(st.sampled_from(SOCKETS[self.exchange_id])), **details)

    @precondition(lambda self: self.exchange_id in SOCKETS)
    @rule()
    def connections_drop(self):
        self.simulator.fault('drop')
        self.run(asyncio.sleep(0))

    @rule(kind=st.sampled_from(['one', 'several', 'read']))
    def hook_will_start_a_task(self, kind):
        async def later():
            if kind == 'read':
                await self.exchange.fetch_open_orders(None, None, None, {'mmp': True, 'type': 'option'})
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

    @rule(which=st.integers(0, 9))
    def task_is_cancelled(self, which):
        if self.tasks:
            self.tasks[which % len(self.tasks)].cancel()
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
        self.exchange.clients = {}
        gc.collect()
        self.open_loop()

    @rule(data=st.data(), which=WHICH, is_interrupted=st.booleans())
    def mass_cancel(self, data, which, is_interrupted):
        asked_for = set(self.asked_for)
        params = self.drawn_params(data, which)
        if self.exchange_id in SOCKETS and 'emulate' not in params and data.draw(st.booleans()):
            params['hedge'] = True
        cancelling = self.cancelling(params, which)
        if is_interrupted:
            task = self.loop.create_task(cancelling)
            self.run(asyncio.wait([task], timeout=0.002))
            task.cancel()
            self.run(asyncio.wait([task]))
            if not task.cancelled():
                self.take(task, asked_for, which, params)
        else:
            self.take(cancelling, asked_for, which, params)

    @precondition(lambda self: self.exchange_id in SOCKETS)
    @rule()
    def mass_cancel_over_the_websocket(self):
        asked_for, params = set(self.asked_for), {'timeout': CANCEL_TIME}
        self.take(self.exchange.mass_cancel_mmp_ws(UNIFIED[self.exchange_id], params), asked_for, 'one', params)

    def take(self, cancelling, asked_for, which, params):
        try:
            done = self.run(cancelling)
        except ccxt.BaseError as error:
            self.judge_failure(error)
        else:
            self.judge(asked_for, done, which, params)

    async def clean_up(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.exchange.close()

    def teardown(self):
        if not self.started:
            return
        self.simulator.clear_faults()
        for hook in self.hooks:
            hook.close()
        asked_for = set(self.asked_for)
        done = self.run(self.exchange.mass_cancel_mmp(UNIFIED[self.exchange_id]))
        self.judge(asked_for, done, 'one', {})
        self.gate.set()
        if self.tasks:
            self.run(asyncio.wait(self.tasks, timeout=0.05))  # what has waited may go on
        self.what_it_said_is_so()
        self.run(self.clean_up())
        self.what_it_said_is_so()
        self.loop.close()
        self.end()


class Threads(Book):
    """A sync object, threads that queue in its throttle, and signals."""

    @initialize(is_halting=HALTING)
    def start(self, is_halting):
        self.begin(ccxt_mmp, is_halting)
        self.threads = []
        self.gate = threading.Event()
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
            self.note_asked(getattr(self.asking, 'ids', ()))
            return marks

        self.exchange._fence_marks = fence_marks

    def ask_now(self, kind):
        try:
            self.asked(kind)
        except ccxt.BaseError:
            return

    @precondition(lambda self: self.started and self.gate.is_set())
    @rule(kind=KINDS)
    def ask(self, kind):
        self.ask_now(kind)

    @precondition(lambda self: self.started and self.exchange_id != 'binance' and self.gate.is_set())
    @rule(which=st.integers(0, 9))
    def edit(self, which):
        self.asking.ids = ()
        try:
            self.edited(which)
        except ccxt.BaseError:
            return

    @rule(kind=st.sampled_from(['one', 'several']))
    def thread_asks(self, kind):
        asked_for = len(self.asked_for)
        self.threads.append(threading.Thread(target=self.ask_now, args=[kind], daemon=True))
        self.threads[-1].start()
        while len(self.asked_for) == asked_for and self.threads[-1].is_alive():
            time.sleep(0.0005)
        assert len(self.asked_for) > asked_for, 'its order was not asked for'

    @rule(is_open=st.booleans())
    def queue_moves(self, is_open):
        self.gate.set() if is_open else self.gate.clear()

    def cancel(self, params, which):
        asked_for = set(self.asked_for)
        try:
            done = self.cancelling(params, which)
        except ccxt.BaseError as error:
            self.judge_failure(error)
        else:
            self.judge(asked_for, done, which, params)

    @rule(data=st.data(), which=WHICH)
    def mass_cancel(self, data, which):
        self.cancel(self.drawn_params(data, which), which)

    @rule(data=st.data(), which=WHICH, milliseconds=st.sampled_from([0.2, 1, 3, 6]))
    def signal_interrupts(self, data, which, milliseconds):
        """Whatever the main thread does when it comes."""
        params = self.drawn_params(data, which)
        handled = []

        def handle(*_):
            handled.append(self.cancel(params, which))

        signal.signal(signal.SIGUSR1, handle)
        timer = threading.Timer(milliseconds / 1000, os.kill, [os.getpid(), signal.SIGUSR1])
        timer.start()
        self.gate.set()
        while not handled:
            self.ask_now('one')
        timer.join()

    def teardown(self):
        if not self.started:
            return
        self.simulator.clear_faults()
        asked_for = set(self.asked_for)
        self.judge(asked_for, self.exchange.mass_cancel_mmp(UNIFIED[self.exchange_id]), 'one', {})
        self.gate.set()
        for thread in self.threads:
            thread.join()
        self.what_it_said_is_so()
        self.exchange.close()
        self.end()


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@pytest.mark.parametrize('kind', [Tasks, Threads])
def test_no_sequence_of_events_leaves_an_order_behind_or_disables_the_kill_switch(market, kind, exchange_id):
    machine = type(kind.__name__, (kind,), {'exchange_id': exchange_id, 'simulator': market})
    share = max(settings.default.max_examples // 30, 2)  # an example takes a second, and more are tried by hand
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=share, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
