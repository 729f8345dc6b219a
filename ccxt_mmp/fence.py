"""The fence: MMP orders that wait to be sent are not sent once a mass cancel has come, and those in flight are known.

Nothing here takes a lock. Each step is one atomic operation, so a signal handler, a finalizer or another thread may
come between any two of them.
"""

import time
import weakref
from typing import Any

Mark = object  # what an order remembers of a fence from when it was asked for

UNUSED: Mark = object()  # the mark of a fence that no mass cancel has closed yet

# how long an order may still be on its way after its answer was given up, s
GRACE = 1.0


class InFlight:
    """An order, or a batch, that was handed to the transport: in flight until it is answered or given up."""

    __slots__ = ('_holder', 'ends')

    def __init__(self, ends: float, holder: object) -> None:
        self.ends = ends  # of time.monotonic()
        # the task or thread that waits for its answer; a task is not kept alive for it
        self._holder = holder if isinstance(holder, int) or holder is None else weakref.ref(holder)

    @property
    def holder(self) -> object:
        return self._holder() if isinstance(self._holder, weakref.ref) else self._holder

    def abandon(self) -> None:
        """Nobody waits for its answer any more."""
        self._holder = None


class Fence:
    """Stops the orders of an underlying that were asked for before a mass cancel of it was over.

    It is closed as long as a mass cancel is under way: ``with fence: ...``. Orders in flight cannot be stopped:
    ``settled_at`` says when none of them can arrive any more.
    """

    def __init__(self) -> None:
        self._mark = UNUSED
        self._cancels: list[None] = []  # one for each mass cancel that is under way
        self._in_flight: set[InFlight] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return Fence, ()  # a copy of an exchange has sent nothing

    def __enter__(self) -> None:
        self._cancels.append(None)
        self._mark = object()

    def __exit__(self, *error: object) -> None:
        self._mark = object()
        self._cancels.pop()

    def mark(self) -> Mark:
        """When an order is asked for, in terms of this fence."""
        return self._mark

    def lets_pass(self, mark: Mark) -> bool:
        """Whether no mass cancel has begun or been under way since."""
        return not self._cancels and self._mark is mark

    def send(self, mark: Mark, ends: float, holder: object = None) -> InFlight | None:
        """Let an order go, if it may; ``ends`` is when it counts as given up, of time.monotonic()."""
        order = InFlight(ends, holder)
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
        order.abandon()

    def has_interrupted(self, holder: object) -> bool:
        """Whether an order of this task or thread waits until what it is asked in the course of is over.

        Such as a signal handler. It may be sent only then, whenever that is.
        """
        return any(order.holder == holder for order in tuple(self._in_flight))

    @property
    def has_in_flight(self) -> bool:
        """Whether an order is in flight, or was when somebody last looked."""
        return bool(self._in_flight)

    def settled_at(self) -> float:
        """When no order that was sent can arrive any more, of time.monotonic(); in the past if none is in flight."""
        now = time.monotonic()
        latest = 0.0
        for order in tuple(self._in_flight):
            if order.ends <= now and order.holder is None:
                self._in_flight.discard(order)
            latest = max(latest, order.ends)
        return latest
