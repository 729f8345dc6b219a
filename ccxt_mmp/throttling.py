"""What an MMP request waits for: its endpoint's own window, never the queue of other traffic; and what it holds up.

ccxt throttles before every request, in ``throttle``, and does not tell it which request. A context variable does: the
**errand** of the request that is on its way. A kill switch overtakes the queue, so the MMP orders that still wait in it
must not be placed behind its back: the **fence** stops them.
"""

import time
from bisect import insort
from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import Any

from ccxt.base.errors import DDoSProtection, ExchangeError, InvalidNonce, RateLimitExceeded

# the exchange counts when requests arrive, which is not as far apart as when they were sent
MARGIN = 1.02

# how long an order whose answer was given up may still be on its way, s
GRACE = 1.0

# one for all windows and fences, each of which holds it for microseconds
_LOCK = Lock()

# what was asked for did not happen, for certain; any other failure leaves it open
REFUSALS = (ExchangeError, DDoSProtection, RateLimitExceeded, InvalidNonce)


class OutOfTimeError(RateLimitExceeded):
    """A request was not sent: its limit has no room before its time is over."""


class Fence:
    """Stops the orders that were asked for before a mass cancel of their underlying was over. Thread-safe.

    Closed as long as a mass cancel is under way: ``with fence: ...``.
    """

    def __init__(self) -> None:
        self._changes = 0  # mass cancels that have begun, and those that are over
        self._under_way = 0
        self.departed = 0  # orders that are handed to the transport and not answered yet
        self.lost_until = 0.0  # time.monotonic() until which one whose answer was given up may still arrive

    def __reduce__(self) -> tuple[Any, ...]:
        return Fence, ()  # a copy of an exchange has sent nothing

    def __enter__(self) -> None:
        self._count(1)

    def __exit__(self, *error: object) -> None:
        self._count(-1)

    def mark(self) -> int:
        """When an order is asked for, in terms of this fence."""
        return self._changes

    def lets_pass(self, mark: int) -> bool:
        """Whether no mass cancel has begun or been under way since."""
        return self._under_way == 0 and self._changes == mark

    def depart(self, mark: int) -> bool:
        """Let an order go, if it may; ``arrive`` when it is answered."""
        with _LOCK:
            passes = self.lets_pass(mark)
            self.departed += passes
            return passes

    def arrive(self, *, is_lost: bool) -> None:
        with _LOCK:
            self.departed -= 1
            if is_lost:
                self.lost_until = time.monotonic() + GRACE

    def is_settled(self, own: int, locked_until: float) -> bool:
        """Whether nothing but one's own may be on its way that the exchange does not refuse until some time."""
        return self.departed <= own and max(time.monotonic(), locked_until) >= self.lost_until

    def _count(self, change: int) -> None:
        with _LOCK:
            self._changes += 1
            self._under_way += change


class Errand:
    """What the request of an exchange that is on its way is, as long as it is entered: ``with Errand(...): await ...``.

    It has either an endpoint, whose window it waits for instead of ccxt's queue, such as 'POST account/mmp-config'; or
    none, as orders, which wait in the queue as any other request.

    owner: the exchange; the errand is none of the business of another one that is called meanwhile.
    cost: how many calls of the window it counts as.
    ends: time.monotonic() at which it need not be sent any more.
    is_repeatable: whether ccxt's own retries apply.
    has_items: whether the answer tells of each order for itself.
    needs_data: whether an answer of OKX without any is no answer.
    fence, mark: of the MMP orders in it, and when they were asked for.
    request: the order as it is sent, once it is known.
    """

    __slots__ = (
        '_token',
        'cost',
        'endpoint',
        'ends',
        'fence',
        'has_departed',
        'has_items',
        'is_repeatable',
        'mark',
        'needs_data',
        'owner',
        'request',
    )

    def __init__(
        self,
        owner: object,
        endpoint: str | None = None,
        *,
        cost: int = 1,
        ends: float | None = None,
        is_repeatable: bool = False,
        has_items: bool = False,
        needs_data: bool = False,
        fence: Fence | None = None,
        mark: int = 0,
    ) -> None:
        self.owner = owner
        self.endpoint = endpoint
        self.cost = cost
        self.ends = ends
        self.is_repeatable = is_repeatable
        self.has_items = has_items
        self.needs_data = needs_data
        self.fence = fence
        self.mark = mark
        self.has_departed = False
        self.request: dict[str, Any] | None = None

    def __enter__(self) -> 'Errand':
        self._token = _ERRAND.set(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        _ERRAND.reset(self._token)
        if self.fence is not None and self.has_departed:
            self.has_departed = False
            self.fence.arrive(is_lost=error is not None and not isinstance(error, REFUSALS))

    def departs(self) -> bool:
        """Called right before it is sent: whether it may be."""
        if self.fence is None or self.has_departed:
            return True
        self.has_departed = self.fence.depart(self.mark)
        return self.has_departed


_ERRAND: ContextVar[Errand | None] = ContextVar('ccxt_mmp_errand', default=None)


def current_errand(owner: object) -> Errand | None:
    """The errand of the request of an exchange that is on its way."""
    errand = _ERRAND.get()
    return errand if errand is not None and errand.owner is owner else None


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
            self._slots = [slot for slot in self._slots if slot > now - window]
            surplus = len(self._slots) + cost - calls
            slot = now if surplus <= 0 else max(now, self._slots[surplus - 1] + window)
            for _ in range(cost):
                insort(self._slots, slot)
            return slot

    def give_back(self, slot: float, cost: int = 1) -> None:
        """The call that had reserved this time is not made."""
        with _LOCK:
            for _ in range(min(cost, self._slots.count(slot))):
                self._slots.remove(slot)
