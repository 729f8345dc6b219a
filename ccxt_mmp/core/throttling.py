"""What an MMP request waits for: its endpoint's own window, as the exchange counts it, never other traffic."""

import os
import time
from bisect import insort
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Any

from ccxt.base.errors import RateLimitExceeded

# the exchange counts when requests arrive, which is not as far apart as when they were sent
MARGIN = 1.02

# one for all windows, each of which holds it for microseconds; a signal handler may interrupt its own thread here
_LOCK = RLock()


def _renew_lock() -> None:
    """A thread that held it is not there any more in a process that was forked meanwhile."""
    global _LOCK  # noqa: PLW0603
    _LOCK = RLock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_renew_lock)


class OutOfTimeError(RateLimitExceeded):
    """A request was not sent: its limit has no room before its time is over."""


class RollingWindow:
    """At most so many calls in any so many milliseconds, as exchanges count. Thread-safe.

    :param int calls: at least 1
    :param float milliseconds: above 0
    :param clock: seconds that never go back
    """

    def __init__(self, calls: int, milliseconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = (calls, milliseconds)
        self.clock = clock
        self._slots: list[float] = []  # when calls went or may go, ascending

    def __reduce__(self) -> tuple[Any, ...]:
        return RollingWindow, self.limit  # a copy has made no calls, and its clock may be that of another machine

    def reserve(self, cost: int = 1) -> float:
        """Take the earliest time, on the clock, at which a call may go."""
        calls, milliseconds = self.limit
        window = milliseconds / 1000 * MARGIN
        cost = min(cost, calls)
        with _LOCK:
            now = self.clock()
            slots = [slot for slot in self._slots if slot > now - window]
            self._slots = slots
            surplus = len(slots) + cost - calls
            slot = now if surplus <= 0 else max(now, slots[surplus - 1] + window)
            for _ in range(cost):
                insort(self._slots, slot)  # which a signal handler may have replaced
            return slot

    def give_back(self, slot: float, cost: int = 1) -> None:
        """The call that had reserved this time is not made."""
        with _LOCK, suppress(ValueError):  # it is out of the window
            for _ in range(cost):
                self._slots.remove(slot)
