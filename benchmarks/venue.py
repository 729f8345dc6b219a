"""The simulator in a process of its own, so that its work is not counted as the client's, and clients of it."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.managers import BaseManager
from typing import Any, cast

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, LoggedRequest, Simulator, redirect

Book = dict[str, list[str]]  # ids of orders by contract

UNLISTED_STRIKES = range(165_000, 380_000, 5_000)  # beyond those that the simulator lists by itself


class StampedLog(list[LoggedRequest]):
    """A log that knows when each request came; its own times are whole milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def append(self, request: LoggedRequest) -> None:
        self.times.append(time.perf_counter())  # the same clock in all processes
        super().append(request)

    def clear(self) -> None:
        self.times.clear()
        super().clear()


class Venue(Simulator):
    """A simulator led from another process, which reaches methods alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.requests: list[LoggedRequest] = StampedLog()
        self.list_options('binance', 'BTCUSDT', base='BTC', settle='USDT', strikes=UNLISTED_STRIKES)

    def open(self) -> str:
        return self.start().url

    def arrivals(self, path: str) -> list[float]:
        """When the requests came whose path ends so, in terms of time.perf_counter."""
        log = cast(StampedLog, self.requests)
        return [moment for moment, request in zip(log.times, log, strict=True) if request.path.endswith(path)]

    def sent(self) -> int:
        """How many requests came."""
        return len(self.requests)

    def faults_left(self) -> int:
        """How many requests are still to be struck by a fault."""
        return sum(fault.times for fault in self._faults)

    def weight(self) -> int:
        return self.used_weight

    def fill_book(self, venue: str, underlying: str, orders: int, contracts: int) -> Book:
        """Nothing but so many MMP orders over so many contracts."""
        self.clear()
        listed = self.instruments(venue, underlying)[:contracts]
        book: Book = {contract: [] for contract in listed}
        for index in range(orders):
            contract = listed[index % contracts]
            book[contract].append(self.rest(venue, underlying, mmp=True, symbol=contract).order_id)
        return book

    def clear_orders(self) -> None:
        """Nothing rests, and OKX has a rule."""
        self.clear()
        self.set_rule('okx', 'BTC-USD')

    def rest_orders(self, venue: str, underlying: str, orders: int) -> list[str]:
        """The ids of so many MMP orders that rest from now on."""
        return [self.rest(venue, underlying, mmp=True).order_id for _ in range(orders)]

    def trip_now(self, venue: str, underlying: str) -> float:
        """Trip a protection; when that began, in terms of time.perf_counter."""
        began = time.perf_counter()
        self.trip(venue, underlying)
        return began

    def thaw(self, venue: str, underlying: str) -> None:
        """End a freeze that nobody is told of."""
        self.protection(venue, underlying).freeze_ends = 0

    def orders_left(self, venue: str, underlying: str) -> int:
        return len(self.resting(venue, underlying))


class _Manager(BaseManager):
    pass


_Manager.register('Venue', Venue)


@contextmanager
def opened_venue(**options: Any) -> Iterator[tuple[Venue, str]]:
    """A venue and its URL; ``options`` are those of the simulator."""
    with _Manager(ctx=multiprocessing.get_context('spawn')) as manager:
        venue = cast(Venue, cast(Any, manager).Venue(**options))
        url = venue.open()
        yield venue, url
        venue.close()
        venue.check()


def connected(exchange_class: type, url: str, **config: Any) -> Any:
    """An exchange of any class of ccxt or ccxt_mmp that talks to a venue.

    Those of ccxt are of a subclass: programs have one or the other, and from Python 3.13 on what ccxt's constructor
    does to the class of an object slows every class that extends it.
    """
    if exchange_class.__module__.startswith('ccxt.'):
        exchange_class = type(exchange_class.__name__, (exchange_class,), {})
    credentials = {'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE}
    # ccxt's async classes would sleep when they are closed
    exchange = exchange_class({**credentials, 'timeout_on_exit': 0, **config})
    redirect(exchange, url)
    return exchange
