"""The fence: MMP orders that wait to be sent are not sent once a mass cancel has come, and those in flight are known.

Nothing here takes a lock. Each step is one atomic operation, so a signal handler, a finalizer or another thread may
come between any two of them; and what a handler that raises leaves undone ends by its time.
"""

import math
import time
import weakref
from typing import Any

Mark = object  # what an order remembers of a fence from when it was asked for

UNUSED: Mark = object()  # the mark of a fence that no mass cancel has closed yet

# how long an order may still be on its way after its answer was given up, s
GRACE = 1.0


class InFlight:
    """An order, or a batch, that was handed to the transport: in flight until it is answered or given up."""

    __slots__ = ('_context', 'ends')

    def __init__(self, ends: float, context: Any) -> None:
        self.ends = ends  # of time.monotonic()
        # neither a task nor what it waits for is kept alive for it
        self._context = None if context is None else weakref.ref(context)

    @property
    def holder(self) -> object:
        """The task or thread that waits for its answer; None if none does any more."""
        context = None if self._context is None else self._context()
        return None if context is None else context.holder


class Shut:
    """A mass cancel that is under way: ``with fence.shut(ends): ...``.

    ends: time.monotonic() after which it counts as over, whatever became of it
    """

    __slots__ = ('_fence', 'ends')

    def __init__(self, fence: 'Fence', ends: float) -> None:
        self._fence = fence
        self.ends = ends

    def __enter__(self) -> None:
        self._fence.cancels.add(self)
        self._fence.renew_mark()

    def __exit__(self, *error: object) -> None:
        self._fence.renew_mark()
        self._fence.cancels.discard(self)


class Fence:
    """Stops the orders of an underlying that were asked for before a mass cancel of it was over.

    It is shut as long as a mass cancel is under way. Orders in flight cannot be stopped: ``settled_at`` says when none
    of them can arrive any more.
    """

    def __init__(self) -> None:
        self._mark = UNUSED
        self.cancels: set[Shut] = set()
        self._in_flight: set[InFlight] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return Fence, ()  # a copy of an exchange has sent nothing

    def shut(self, ends: float = math.inf) -> Shut:
        return Shut(self, ends)

    def renew_mark(self) -> None:
        self._mark = object()

    def mark(self) -> Mark:
        """When an order is asked for, in terms of this fence."""
        return self._mark

    def lets_pass(self, mark: Mark) -> bool:
        """Whether no mass cancel has begun or been under way since."""
        return self._mark is mark and (not self.cancels or self._is_over(time.monotonic()))

    def _is_over(self, now: float) -> bool:
        """Whether no mass cancel is under way; one that was broken off, or whose loop is closed, ends by its time."""
        return all(cancel.ends <= now for cancel in self.cancels.copy())

    def send(self, mark: Mark, ends: float, context: Any = None) -> InFlight | None:
        """Let an order go, if it may.

        ends: time.monotonic() at which it counts as given up
        context: whose ``holder`` is the task or thread that waits for its answer, as long as one does
        """
        order = InFlight(ends, context)
        # counted before the check: a mass cancel that comes in between sees the order, or stops it, or both
        self._in_flight.add(order)
        if self.lets_pass(mark):
            return order
        self._in_flight.discard(order)
        return None

    def answered(self, order: InFlight) -> None:
        self._in_flight.discard(order)

    def lost(self, order: InFlight) -> None:
        """Its answer was given up: it may still arrive for a while, though not for longer than before."""
        order.ends = min(order.ends, time.monotonic() + GRACE)
        self._in_flight.add(order)  # an answer had come, and left it open

    def has_interrupted(self, holder: object) -> bool:
        """Whether an order of this task or thread waits until what it is asked in the course of is over.

        Such as a signal handler. It may be sent only then, whenever that is.
        """
        return any(order.holder == holder for order in self._in_flight.copy())

    @property
    def has_in_flight(self) -> bool:
        """Whether an order is in flight, or was when somebody last looked."""
        return bool(self._in_flight)

    def settled_at(self) -> float:
        """When no order that was sent can arrive any more, of time.monotonic(); in the past if none is in flight."""
        now = time.monotonic()
        latest = 0.0
        for order in self._in_flight.copy():
            if order.ends <= now and order.holder is None:
                self._in_flight.discard(order)
            latest = max(latest, order.ends)
        return latest
