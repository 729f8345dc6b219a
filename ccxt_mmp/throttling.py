"""What an MMP request waits for: its endpoint's own window, never the queue of other traffic; and what it holds up.

ccxt throttles before every request, in ``throttle``, and does not tell it which request. A context variable does: the
**errand** of the request that is on its way. A kill switch overtakes the queue, so the MMP orders that still wait in it
must not be placed behind its back: the **fence** stops them.
"""

import time
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock

# the exchange counts when requests arrive, which is not evenly apart from when they were sent
MARGIN = 1.02

# one for all windows and fences: each holds it for microseconds, and objects with a lock of their own cannot be copied
_LOCK = Lock()


@dataclass(frozen=True)
class Errand:
    """What the request that is on its way is.

    endpoint: whose window it waits for instead of ccxt's queue, such as 'POST account/mmp-config'; None for an order,
        which waits in the queue as any other.
    cost: how many calls of the window it counts as.
    repeatable: whether ccxt's own retries apply.
    before_sending: called when the waiting is over; raises if the request must not be sent any more.
    """

    endpoint: str | None = None
    cost: int = 1
    repeatable: bool = False
    before_sending: Callable[[], None] | None = None


_ERRAND: ContextVar[Errand | None] = ContextVar('ccxt_mmp_errand', default=None)


def current_errand() -> Errand | None:
    return _ERRAND.get()


@contextmanager
def on_errand(errand: Errand) -> Iterator[None]:
    token = _ERRAND.set(errand)
    try:
        yield
    finally:
        _ERRAND.reset(token)


class RollingWindow:
    """At most so many calls in any so many milliseconds, as exchanges count. Thread-safe.

    :param int calls: at least 1
    :param float milliseconds: above 0
    :param clock: seconds that never go back
    """

    def __init__(self, calls: int, milliseconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = (calls, milliseconds)
        self.clock = clock
        self._seconds = milliseconds / 1000 * MARGIN
        self._slots: list[float] = []  # when calls went or may go, ascending

    def reserve(self, cost: int = 1) -> float:
        """Take the earliest time, on the clock, at which a call may go."""
        calls = self.limit[0]
        cost = min(cost, calls)
        with _LOCK:
            now = self.clock()
            self._slots = [slot for slot in self._slots if slot > now - self._seconds]
            surplus = len(self._slots) + cost - calls
            slot = now if surplus <= 0 else max(now, self._slots[surplus - 1] + self._seconds)
            for _ in range(cost):
                insort(self._slots, slot)
            return slot

    def give_back(self, slot: float, cost: int = 1) -> None:
        """The call that had reserved this time is not made."""
        with _LOCK:
            for _ in range(min(cost, self._slots.count(slot))):
                self._slots.remove(slot)


class Fence:
    """Stops the orders that were asked for before a mass cancel of their underlying was over. Thread-safe."""

    def __init__(self) -> None:
        self._mass_cancels = 0  # those that have begun and those that are over
        self._under_way = 0
        self.departed = 0  # orders that have been handed to the transport and are not answered yet

    @contextmanager
    def closed(self) -> Iterator[None]:
        """While a mass cancel is under way."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def mark(self) -> int:
        """When an order is asked for, in terms of this fence."""
        return self._mass_cancels

    def lets_pass(self, mark: int) -> bool:
        """Whether no mass cancel has begun or been under way since."""
        return self._under_way == 0 and self._mass_cancels == mark

    def depart(self, mark: int) -> bool:
        """Let an order go, if it may; ``arrive`` when it is answered."""
        with _LOCK:
            passes = self.lets_pass(mark)
            self.departed += passes
            return passes

    def arrive(self) -> None:
        with _LOCK:
            self.departed -= 1

    def _count(self, change: int) -> None:
        with _LOCK:
            self._mass_cancels += 1
            self._under_way += change
