"""The fence by itself: what it stops, what it counts as in flight, and nothing can leave it shut for ever."""

import copy
import pickle
import threading
import time
from types import SimpleNamespace

import ccxt
import ccxt.async_support
import pytest

from ccxt_mmp.core.fence import GRACE, UNUSED, Fence
from ccxt_mmp.core.request_context import ActiveRequest, RequestContext
from ccxt_mmp.core.throttling import RollingWindow


class Waiting:
    def __init__(self, holder):
        self.holder = holder


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


@pytest.mark.parametrize('error', [ccxt.InvalidOrder, ccxt.DDoSProtection, ccxt.RateLimitExceeded, ccxt.InvalidNonce])
def test_every_refusal_says_that_an_order_cannot_arrive(error):
    fence, context = Fence(), RequestContext('exchange')
    context.send(fence, 'BTC-USD', 11)
    context.ended(error('refused'))
    assert fence.in_flight_until() == 0


def test_order_that_is_sent_late_is_given_up_late():
    fence, context = Fence(), RequestContext('exchange')
    context.send(fence, 'BTC-USD', -1)
    assert context.may_still_be_sent(11)
    assert fence.in_flight_until() > time.monotonic() + 10


def test_order_that_is_withdrawn_is_in_flight_again_when_it_is_sent():
    fence, context = Fence(), RequestContext('exchange')
    context.send(fence, 'BTC-USD', -1)
    for _ in range(2):
        context.withdraw()
        assert not fence.has_in_flight
    assert context.may_still_be_sent(11)
    assert fence.in_flight_until() > time.monotonic() + 10


def test_order_that_is_withdrawn_is_not_sent_after_a_mass_cancel():
    fence, context = Fence(), RequestContext('exchange')
    context.send(fence, 'BTC-USD', 11)
    context.withdraw()
    with fence.close():
        pass
    assert not context.may_still_be_sent(11)


def test_order_that_is_broken_off_while_it_is_withdrawn_cannot_arrive():
    fence, context = Fence(), RequestContext('exchange')

    def break_off(request):
        with request:
            context.send(fence, 'BTC-USD', 11)
            context.withdraw()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off(context)
    assert not context.is_counted
    with context:  # of several requests in a row
        with pytest.raises(KeyboardInterrupt):
            break_off(ActiveRequest(context))
        assert not context.is_counted
    assert not fence.has_in_flight


def test_owner_is_told_of_orders_that_were_sent_and_lost():
    told = []
    owner = SimpleNamespace(_note_lost=lambda *orders: told.append(orders))

    def end(error, *, is_withdrawn=False):
        told.clear()
        fence, context = Fence(), RequestContext(owner, underlyings=('BTC',), client_ids=('mmp-1',))
        context.send(fence, 'BTC', 11)
        if is_withdrawn:
            context.withdraw()
        context.ended(error)
        return told

    assert end(KeyboardInterrupt()) == [(('BTC',), ('mmp-1',))]
    assert end(KeyboardInterrupt(), is_withdrawn=True) == []
    assert end(ccxt.InsufficientFunds()) == []
    assert end(None) == []


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


def test_mass_cancel_is_in_progress_until_it_is_over_or_its_time_is():
    fence = Fence()
    closure, late = fence.close(), fence.close(time.monotonic())
    assert not closure.is_open
    with closure, late:
        assert closure.is_open
        assert not late.is_open
    assert not closure.is_open
