"""The rate limits of MMP endpoints: each has a window of its own, as the exchange counts."""

import os
import time
from bisect import insort
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Any

from ccxt.base.errors import RateLimitExceeded

# the exchange counts arrivals, which may be closer together than the sendings
MARGIN = 1.02

# one lock for all windows, held for microseconds; reentrant, since a signal handler may interrupt its own thread
_LOCK = RLock()


def _renew_lock() -> None:
    """A forked process has only one thread: the one that held the lock may be gone."""
    global _LOCK  # noqa: PLW0603
    _LOCK = RLock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_renew_lock)


class OutOfTimeError(RateLimitExceeded):
    """The request was not sent: its rate limit has no room before its deadline."""


class RollingWindow:
    """At most ``calls`` calls in any ``milliseconds``, as exchanges count. Thread-safe.

    :param int calls: at least 1
    :param float milliseconds: above 0
    :param clock: seconds that never go back
    """

    def __init__(self, calls: int, milliseconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = (calls, milliseconds)
        self.clock = clock
        self._slots: list[float] = []  # times of calls that were or will be sent, ascending

    def __reduce__(self) -> tuple[Any, ...]:
        return RollingWindow, self.limit  # a copy has made no calls, and may be on another machine

    def reserve(self, cost: int = 1) -> float:
        """Reserve and return the earliest time of the clock at which a call may be sent."""
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
                insort(self._slots, slot)  # read again, since a signal handler may have replaced it
            return slot

    def give_back(self, slot: float, cost: int = 1) -> None:
        """Release a reserved time: the call is not made."""
        with _LOCK, suppress(ValueError):  # it is out of the window
            for _ in range(cost):
                self._slots.remove(slot)
