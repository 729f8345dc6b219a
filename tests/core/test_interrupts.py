"""The kill switch in a signal handler and in a finalizer, in the middle of whatever they interrupt."""

import gc
import os
import re
import signal
import subprocess
import textwrap
import threading
import time
from contextlib import contextmanager, suppress

import ccxt
import pytest
from requests.adapters import HTTPAdapter

import ccxt_mmp
from ccxt_mmp import MassCancelIncomplete
from tests.core.fencing import CANCEL, ORDER
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets
from tests.warm import python


@contextmanager
def handler_of_a_signal(handle):
    """A function that is called in the middle of what the main thread does when ``SIGUSR1`` comes."""
    before = signal.signal(signal.SIGUSR1, lambda *_: handle())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def signal_when(holds):
    def wait():
        while not holds():
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.fixture
def exchange(exchange_id, fast):
    return with_markets(fast.connect(getattr(ccxt_mmp, exchange_id), enableRateLimit=False))


def placing(exchange):
    symbol = symbols(exchange, UNDERLYING[exchange.id])[0]
    return exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})


AFTER = 'may still arrive; call it again when the order that it has interrupted is over: after a signal handler$'


def test_order_that_a_mass_cancel_interrupts_is_cancelled_and_told(fast, exchange, set_grace):
    """Nobody reads its answer before the handler is over: it is cancelled when it must have arrived.

    That it was sent before the handler is over is not certain, so it is not said.
    """
    outcomes = []
    for grace in (0.05, 0.25, 1.25):  # a busy machine may need more, for the order and for the answers
        set_grace(grace)
        exchange.timeout = 1000 * grace

        def pull_the_plug():
            started, text = time.monotonic(), ''
            try:
                exchange.mass_cancel_mmp(UNIFIED[exchange.id])
            except MassCancelIncomplete as error:
                text = str(error)
            outcomes.append((time.monotonic() - started, fast.resting(exchange.id, UNDERLYING[exchange.id]), text))

        fast.fault('hold', ORDER[exchange.id], milliseconds=round(600 * grace))
        with handler_of_a_signal(pull_the_plug):
            thread = signal_when(lambda: not fast._faults)
            # the handler took longer than an answer may, if the socket was waited for
            with suppress(ccxt.RequestTimeout):
                placing(exchange)
            fast.clear_faults()  # so that the thread ends though the order was never received
            thread.join()
        took, resting, text = outcomes[-1]
        if not resting and grace <= took < 5 and re.search(AFTER, text):  # and it does not take all of its time
            break
    else:
        pytest.fail(str(outcomes))
    exchange.timeout = 10_000
    assert {order.state for order in fast._account.orders} == {'canceled'}
    exchange.mass_cancel_mmp(UNIFIED[exchange.id])


def test_order_that_is_interrupted_before_it_is_sent_is_told_of(fast, exchange, short_grace):
    """It is sent when the handler is over, long after it counts as given up."""
    exchange.timeout = 50
    interrupted = []

    class Interrupted(HTTPAdapter):
        def send(self, *arguments, **keywords):
            if not interrupted:
                interrupted.append(True)
                exchange.timeout = 10_000  # a busy machine may need more for an answer
                with pytest.raises(MassCancelIncomplete, match=AFTER):
                    exchange.mass_cancel_mmp(UNIFIED[exchange.id])
            return super().send(*arguments, **{**keywords, 'timeout': 10})

    exchange.session.mount('http://', Interrupted())
    placing(exchange)
    assert interrupted
    assert len(fast.resting(exchange.id, UNDERLYING[exchange.id])) == 1
    exchange.mass_cancel_mmp(UNIFIED[exchange.id])
    assert fast.resting(exchange.id, UNDERLYING[exchange.id]) == []


def test_order_that_may_arrive_later_than_the_mass_cancel_may_take_is_told(fast, exchange):
    outcomes = []
    for timeout in (60, 300, 1500):  # a busy machine may need more for the answers of the mass cancel

        def pull_the_plug(timeout=timeout):
            with pytest.raises(MassCancelIncomplete) as caught:
                exchange.mass_cancel_mmp(UNIFIED[exchange.id], {'timeout': timeout})
            outcomes.append(str(caught.value))

        fast.fault('hold', ORDER[exchange.id], milliseconds=2 * timeout + 100)
        with handler_of_a_signal(pull_the_plug):
            thread = signal_when(lambda: not fast._faults)
            placing(exchange)
            thread.join()
        if re.search(AFTER, outcomes[-1]):
            break
    else:
        pytest.fail(str(outcomes))
    exchange.mass_cancel_mmp(UNIFIED[exchange.id])
    assert fast.resting(exchange.id, UNDERLYING[exchange.id]) == []


def test_mass_cancel_that_a_mass_cancel_interrupts(fast, exchange):
    """It goes over connections of its own, so that it needs nothing that the interrupted one holds."""
    fast.rest(exchange.id, UNDERLYING[exchange.id], mmp=True)
    fast.fault('hold', CANCEL[exchange.id], milliseconds=300)
    ended = []

    def pull_the_plug():
        exchange.mass_cancel_mmp(UNIFIED[exchange.id])
        ended.append(fast.resting(exchange.id, UNDERLYING[exchange.id]))

    with handler_of_a_signal(pull_the_plug):
        thread = signal_when(lambda: not fast._faults)
        exchange.mass_cancel_mmp(UNIFIED[exchange.id])
        thread.join()
    assert ended == [[]]


def test_mass_cancel_in_a_finalizer(fast, exchange):
    """In the middle of the handling of an order's answer."""
    cancelled = []

    class Guard:
        def __init__(self):
            self.itself = self

        def __del__(self):
            cancelled.append(exchange.mass_cancel_mmp(UNIFIED[exchange.id]))

    handling = exchange.handle_errors

    def collect(*arguments):
        exchange.handle_errors = handling
        gc.collect()
        return handling(*arguments)

    exchange.handle_errors = collect
    gc.disable()  # so that it is collected there and nowhere else
    try:
        Guard()
        placing(exchange)
    finally:
        gc.enable()
    assert len(cancelled) == 1
    assert fast.resting(exchange.id, UNDERLYING[exchange.id]) == []


STRESS = """
    import signal
    import time
    import ccxt_mmp
    from ccxt_mmp.core.fence import Fence
    from ccxt_mmp.simulator import Simulator
    from ccxt_mmp.core.throttling import RollingWindow

    with Simulator(enforce_limits=False) as simulator:
        exchange = simulator.connect(ccxt_mmp.okx, options={'mmpRateLimits': {'POST trade/mass-cancel': [10**6, 1]}})
        fence, window = exchange._mmp_fence('BTC-USD'), RollingWindow(3, 0.01)
        handled = 0

        def pull_the_plug(*_):
            global handled
            exchange.mass_cancel_mmp('BTC/USD')
            window.give_back(window.reserve())
            handled += 1
            signal.setitimer(signal.ITIMER_REAL, 0.0003)

        signal.signal(signal.SIGALRM, pull_the_plug)
        signal.setitimer(signal.ITIMER_REAL, 0.0003)
        while handled < 250:
            sent = fence.send(fence.mark(), time.monotonic() + 0.0001)
            if sent is not None:
                fence.answered(sent)
            with fence.close():
                fence.in_flight_until()
            window.give_back(window.reserve())
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert fence.in_flight_until() == 0
        assert fence.lets_pass(fence.mark())
    print('handled', handled >= 250)  # the timer may strike once more before it is stopped
"""


def test_nothing_that_is_interrupted_holds_a_lock_that_the_handler_needs():
    command = python('-c', textwrap.dedent(STRESS))
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout == 'handled True\n', done.stderr
