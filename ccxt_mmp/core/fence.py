"""The fence: a mass cancel stops the MMP orders that have not been sent, and knows those in flight.

Nothing here takes a lock. Each step is one atomic operation, so a signal handler, a finalizer or another thread may run
between any two steps. If one of them raises and leaves something undone, it ends by its time.
"""

import math
import time
import weakref
from typing import Any

Mark = object  # identifies the state of a fence at the time when an order was asked for

UNUSED: Mark = object()  # of a fence that no mass cancel has closed yet

# in place of an underlying: the fence that all MMP orders pass, and that a mass cancel of everything closes
EVERY = ''

# how long an order may still be in flight after its answer was given up, s
GRACE = 1.0


class InFlight:
    """An order or a batch in flight: from when the transport has it until it is answered or given up."""

    __slots__ = ('_context', 'ends')

    def __init__(self, ends: float, context: Any) -> None:
        self.ends = ends  # of time.monotonic()
        # weak: it keeps neither a task nor what the task waits for alive
        self._context = None if context is None else weakref.ref(context)

    @property
    def holder(self) -> object:
        """The task or thread that waits for its answer; None if none waits any more."""
        context = None if self._context is None else self._context()
        return None if context is None else context.holder


class Closure:
    """A mass cancel in progress: ``with fence.close(ends): ...``.

    ends: time.monotonic() after which it counts as over, whatever became of it
    """

    __slots__ = ('_fence', 'ends')

    def __init__(self, fence: 'Fence', ends: float) -> None:
        self._fence = fence
        self.ends = ends

    def __enter__(self) -> None:
        self._fence.in_progress.add(self)
        self._fence._mark = object()

    def __exit__(self, *error: object) -> None:
        self._fence._mark = object()
        self._fence.in_progress.discard(self)

    @property
    def is_open(self) -> bool:
        return self in self._fence.in_progress and time.monotonic() < self.ends


class Fence:
    """Stops the orders of an underlying that were asked for before a mass cancel of it was over.

    It is closed while a mass cancel is in progress. It cannot stop orders in flight: ``in_flight_until`` says when the
    last of them can arrive.
    """

    def __init__(self) -> None:
        self._mark = UNUSED
        self.in_progress: set[Closure] = set()
        self._in_flight: set[InFlight] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return Fence, ()  # a copy of an exchange has sent nothing

    def close(self, ends: float = math.inf) -> Closure:
        return Closure(self, ends)

    def mark(self) -> Mark:
        """Taken when an order is asked for."""
        return self._mark

    def lets_pass(self, mark: Mark) -> bool:
        """Whether no mass cancel has begun or been in progress since the mark was taken."""
        return self._mark is mark and (not self.in_progress or self._is_over(time.monotonic()))

    def _is_over(self, now: float) -> bool:
        """Whether no mass cancel is in progress. An interrupted one, or one of a closed loop, ends by its time."""
        return all(cancel.ends <= now for cancel in self.in_progress.copy())

    def send(self, mark: Mark, ends: float, context: Any = None) -> InFlight | None:
        """Count an order as in flight; None if it must not be sent.

        ends: time.monotonic() at which it counts as given up
        context: its ``holder`` is the task or thread that waits for the answer
        """
        order = InFlight(ends, context)
        # counted before the check: a mass cancel in between sees the order, stops it, or both
        self._in_flight.add(order)
        if self.lets_pass(mark):
            return order
        self._in_flight.discard(order)
        return None

    def count(self, order: InFlight, ends: float) -> None:
        """Count an order that was withdrawn, or is sent later than it was counted."""
        order.ends = ends
        self._in_flight.add(order)

    def answered(self, order: InFlight) -> None:
        self._in_flight.discard(order)

    def lost(self, order: InFlight) -> None:
        """Its answer was given up. It may still arrive within GRACE, but no later than was known before."""
        order.ends = min(order.ends, time.monotonic() + GRACE)
        self._in_flight.add(order)  # an answer had come that did not tell the outcome

    def has_interrupted(self, holder: object) -> bool:
        """Whether the caller interrupts an order of its own task or thread, as a signal handler or a hook does.

        Such an order goes on only when the caller is done, so nobody can wait for it here.
        """
        return any(order.holder == holder for order in self._in_flight.copy())

    @property
    def has_in_flight(self) -> bool:
        """Whether an order may be in flight; False is certain."""
        return bool(self._in_flight)

    def in_flight_until(self) -> float:
        """time.monotonic() at which the last order in flight can arrive; in the past if there is none."""
        now = time.monotonic()
        latest = 0.0
        for order in self._in_flight.copy():
            if order.ends <= now and order.holder is None:
                self._in_flight.discard(order)
            latest = max(latest, order.ends)
        return latest
