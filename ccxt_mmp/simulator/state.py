"""What all requests and control methods share: the exchanges' engine, accounts and clock, with one lock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator.accounts import Account, Order
from ccxt_mmp.simulator.engine import Engine, Unverified
from ccxt_mmp.simulator.venue import Venue
from ccxt_mmp.simulator.wire import Times


def system_time() -> int:
    return time.time_ns() // 1_000_000


MAX_ADVANCE = 10 * 365 * 86_400_000  # ms, of all that a clock is set forward


class State:
    def __init__(self, clock: Callable[[], int], unverified: Unverified, *, enforce_limits: bool) -> None:
        self.lock = threading.Lock()  # the server's thread and the control methods use the same state
        self.accounts: dict[str, Account] = {}  # by key
        self.released: Callable[[], None] = lambda: None  # called whenever somebody had the state to himself
        self._clock = clock
        self._advanced = 0
        self._classes: dict[str, type[Venue]] = {each.id: each.venue for each in EXCHANGES.values()}
        self.listings = {name: each.listing for name, each in self._classes.items()}
        self.engine = Engine(self.now(), self.listings.values(), unverified)
        self.venues: list[Venue] = [
            each(self.engine, self.accounts, enforce_limits=enforce_limits) for each in self._classes.values()
        ]

    def now(self) -> int:
        """The exchanges' time, ms since the epoch."""
        return self._clock() + self._advanced

    def times(self, now: int) -> Times:
        return Times(now, now - self._advanced)

    @contextmanager
    def held(self) -> Iterator[int]:
        """The state to oneself, with every countdown expired that is over; the exchanges' time."""
        try:
            with self.lock:
                now = self.now()
                self.engine.process(now)
                self.engine.expire_countdowns(self.accounts.values(), now)
                yield now
        finally:
            self.released()

    def advance(self, milliseconds: int) -> None:
        with self.lock:
            if self._advanced + milliseconds > MAX_ADVANCE:
                left = MAX_ADVANCE - self._advanced
                raise ValueError(f'the clock goes forward by ten years in all, {left} ms are left, not {milliseconds}')
            self._advanced += milliseconds
        with self.held():
            pass

    def find_order(self, order_id: str) -> tuple[Account, Order]:
        """Whose it is and the order; ValueError if there is none."""
        everywhere = ((account, order) for account in self.accounts.values() for order in account.orders)
        found = next((each for each in everywhere if each[1].order_id == str(order_id)), None)
        if found is None:
            raise ValueError(f'there is no order {order_id}')
        return found

    def clear(self) -> None:
        """Forget what the accounts did and what was counted. Called with the lock."""
        for account in self.accounts.values():
            account.orders.clear()
            account.resting.clear()
            account.protections.clear()
            account.client_ids.clear()
            account.countdowns.clear()
            account.positions.clear()
            account.privileged = True
        self.engine.clear()
        for venue in self.venues:
            venue.forget()
