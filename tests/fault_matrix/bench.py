"""Tries the rows on simulators, in all flavours, some at the same time."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from ccxt.base.errors import BaseError

from ccxt_mmp._redaction import _EXCHANGES
from ccxt_mmp.core.socket_state import state_of
from ccxt_mmp.simulator import Simulator, redirect
from ccxt_mmp.simulator.session import Frame
from tests.fault_matrix.methods import (
    OTHER,
    HaltMmp,
    MassCancelByLabelOverSocket,
    MassCancelOverSocket,
    Observation,
    WatchMmp,
)
from tests.fault_matrix.rows import (
    BANS,
    CANCEL_TIME,
    FAULTS,
    HALTED,
    HOUR,
    LOST,
    RATE_LIMIT,
    SKEWED,
    SOCKET_ANSWERS,
    SOCKET_FAULTS,
    STORE_GONE,
    UNREACHABLE,
    WRONG_SECRET,
    Row,
)
from tests.flavours import FLAVOURS, Flavour
from tests.ports import nowhere
from tests.trading import UNDERLYING

# calls at once, of all flavours together: calls that compute take longer beside each other, those that wait do not
QUICK, WAITING = 1, 6
PATIENCE = 500  # ms that a client waits for one of them
AGES = 5  # s in which a request reaches the simulator, however busy the machine is


@dataclass(frozen=True)
class Place:
    """Where one row after another is tried."""

    simulator: Simulator
    flavour: Flavour

    def exchange(self, row: Row) -> Any:
        """An exchange object that nothing has been done with; its connection is open where that makes a difference."""
        exchange = self.flavour.exchange(row.method.exchange_id, self.simulator.url)
        if row.is_repeated_by_the_transport and not row.method.has_own_connections:
            self.flavour.take(exchange.fetch_time())
            self.simulator.requests.clear()
        return exchange


class Bench:
    """Simulators, and users of each flavour: ``with Bench() as bench: bench.observe(row)``."""

    def __enter__(self) -> 'Bench':
        with ExitStack() as stack:
            self.nowhere = stack.enter_context(nowhere())
            self.places: dict[str, SimpleQueue[Place]] = {name: SimpleQueue() for name in FLAVOURS}
            for name, places in self.places.items():
                for _ in range(QUICK + WAITING):  # so that no call waits for a place
                    places.put(Place(stack.enter_context(Simulator()), Flavour(name)))
            self.quick, self.waiting = (stack.enter_context(ThreadPoolExecutor(each)) for each in (QUICK, WAITING))
            self.futures: dict[Row, dict[str, Any]] = {}
            self.folder, self.numbers = stack.enter_context(TemporaryDirectory()), count()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        for pool in (self.quick, self.waiting):
            pool.shutdown(cancel_futures=True)
        self.stack.close()
        for places in self.places.values():
            while not places.empty():
                places.get().flavour.close()

    def begin(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row not in self.futures:
                pool = self.waiting if row.is_waiting else self.quick
                self.futures[row] = {name: pool.submit(self._observe, name, row) for name in row.method.flavours}

    def observe(self, row: Row) -> dict[str, Observation]:
        """What came of it, by flavour."""
        self.begin([row])
        return {name: future.result() for name, future in self.futures[row].items()}

    def _observe(self, name: str, row: Row) -> Observation:
        place = self.places[name].get()
        try:
            return self._try(row, place)
        finally:
            self.places[name].put(place)

    def _try(self, row: Row, place: Place) -> Observation:
        method, simulator, flavour = row.method, place.simulator, place.flavour
        wait_until(lambda: not simulator._sockets._sessions)  # what the row before it sent last has been read
        simulator.clear()
        prepared, others = method.prepare(simulator), method.prepare_others(simulator)
        exchange = self._exchange(row, place)
        result, error = None, None
        try:
            result = flavour.take(give_up_what_is_lost(exchange, row, simulator, method.call(exchange, prepared)))
        except BaseError as raised:
            error = raised

        def has_struck() -> bool:
            faults = (*simulator._faults, *simulator._sockets.faults)
            return not row.is_of_simulator or sum(each.times for each in faults) < row.times

        if method.is_over_socket:  # the way that was not waited for arrives
            flavour.take(sleep_until(has_struck))
        flavour.disconnect()
        _EXCHANGES.pop(id(exchange), None)  # else every later text is searched for its credentials, too
        struck_at_all = wait_until(has_struck)
        forget_frames(error)
        orders = [
            order
            for underlying in (UNDERLYING, OTHER)
            for order in simulator.resting(method.exchange_id, underlying[method.exchange_id])
        ]
        resting = {order.order_id: order.client_order_id for order in orders}
        protection = simulator.protection(method.exchange_id, method.underlying)
        try:
            simulator.check()
        except AssertionError as failure:
            raise AssertionError(f'{row.name}, {flavour.name}: {failure}; {result} {error!r}') from error
        return Observation(
            result=result,
            error=error,
            requests=Counter([*requested(simulator), *operated(simulator)]),
            rule=protection.rule,
            is_frozen=protection.is_frozen(simulator.now()),
            is_armed=bool(simulator._account.countdowns),
            prepared=prepared,
            resting={order_id: client_id for order_id, client_id in resting.items() if order_id not in others},
            prices={order.order_id: float(order.price) for order in orders},
            others_rest=resting.keys() >= {*others},
            has_struck=struck_at_all,
        )

    def _exchange(self, row: Row, place: Place) -> Any:
        """An exchange with the fault before it."""
        fault, simulator = FAULTS.get(row.fault), place.simulator
        exchange = place.exchange(row)
        options = exchange.options['massCancelMmp'] = dict(exchange.options['massCancelMmp'])
        is_in_turn = isinstance(row.method, MassCancelByLabelOverSocket)  # else one is answered before another, or not
        if row.fault in BANS or is_in_turn:
            options['concurrency'] = 1
        if row.is_for_ever and row.fault == 'HTTP 429':
            options['timeout'] = CANCEL_TIME
        if row.fault in (HALTED, STORE_GONE) or isinstance(row.method, HaltMmp):
            self._keep_halts(exchange, row, place)
        if row.method.is_over_socket and row.endpoint:
            strike_socket(exchange, simulator, row, place.flavour.take)
        elif fault is not None:
            method, path = row.endpoint.split()
            strike = partial(simulator.fault, path=f'/{path}', method=method, times=row.times, **fault)
            if fault['kind'] == 'delay':
                lose_patience(exchange, simulator, PATIENCE)
            if row.is_of_second_list:
                after_the_first_list(exchange, strike)
            else:
                strike()
        elif row.fault == UNREACHABLE:
            redirect(exchange, self.nowhere)
        elif row.fault == SKEWED:
            exchange.milliseconds = lambda: simulator.now() - HOUR
        elif row.fault == WRONG_SECRET:
            exchange.secret = 'wrong'  # pragma: allowlist secret
        elif row.fault not in (HALTED, STORE_GONE):
            simulator.privileged = False
        return exchange

    def _keep_halts(self, exchange: Any, row: Row, place: Place) -> None:
        folder = 'none' if row.fault == STORE_GONE else ''
        url = f'sqlite:{Path(self.folder) / folder / f"{next(self.numbers)}.db"}'
        exchange.options['mmpHalt'] = {'url': url, 'grace': 0}
        if row.fault == HALTED:
            place.flavour.take(exchange.halt_mmp(params={'cancel': False}))


def strike_socket(exchange: Any, simulator: Simulator, row: Row, take: Callable[[Any], Any]) -> None:
    """Open the ways, and let one of them go wrong."""
    kind, name = row.endpoint.split()
    is_of_socket = kind == 'op'
    is_login = name in ('login', 'public/auth')
    if not is_login and not isinstance(row.method, WatchMmp):
        take(exchange.warm_up({'hedge': True}))
    if row.fault == RATE_LIMIT:
        for _ in range(5):
            take(exchange.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': 'BTC-USD_UM'}))
    simulator._log.clear()
    if not is_of_socket:
        simulator.fault(path=f'/{name}', method=kind, times=row.times, **FAULTS[row.fault])
    elif row.fault in SOCKET_ANSWERS:
        session: Any = simulator._sockets._sessions[-1]
        said = SOCKET_ANSWERS[row.fault]
        session._operate = lambda message, _: Frame({'id': message['id'], 'op': message['op'], 'msg': '', **said})
    elif row.fault != RATE_LIMIT:
        simulator.fault(op=name, times=row.times, **SOCKET_FAULTS[row.fault])
        [fault] = simulator._sockets.faults
        if (
            isinstance(row.method, MassCancelOverSocket) and not row.is_for_ever
        ):  # the attempt that is struck is given up soon, the next one has time on a busy machine
            exchange._answer_ends = lambda *_: time.monotonic() + (AGES if fault.was_used else PATIENCE / 1000)


def requested(simulator: Simulator) -> list[str]:
    return [f'{each.method} {endpoint_of(each.path)}' for each in simulator.requests]


def operated(simulator: Simulator) -> list[str]:
    """The operations that arrived over a websocket."""
    texts = [each.text for each in simulator.frames if each.direction == 'received']
    frames = [json.loads(each) for each in texts if each != 'ping']
    sent = [f'op {each.get("op") or each.get("method")}' for each in frames]
    return [each for each in sent if each != 'op ping']  # of ccxt, whose versions begin with it sooner or later


def give_up_what_is_lost(exchange: Any, row: Row, simulator: Simulator, call: Any) -> Any:
    """An order over a websocket whose answer never comes is given up when it is the only one that is not answered."""
    is_of_orders = row.method.is_over_socket and not isinstance(row.method, MassCancelOverSocket)
    if not is_of_orders or row.fault not in LOST:
        return call
    [fault] = simulator._sockets.faults
    exchange._answer_seconds = lambda: None

    async def bounded() -> Any:
        task = asyncio.ensure_future(call)
        await sleep_until(lambda: fault.was_used and len(requests_of(exchange)) == 1)
        for client, request_id in requests_of(exchange):
            exchange._give_up(client, request_id)
        return await task

    return bounded()


def requests_of(exchange: Any) -> list[tuple[Any, str]]:
    return [(client, each) for client in exchange.clients.values() for each in state_of(client).requests]


async def sleep_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + AGES
    while not is_so() and time.monotonic() < ends:  # noqa: ASYNC110 - another thread brings it about
        await asyncio.sleep(0.005)


def wait_until(is_so: Callable[[], bool]) -> bool:
    """Whether it comes to be so: a request that was given up may not have been read yet."""
    ends = time.monotonic() + AGES
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.01)
    return is_so()


def forget_frames(error: BaseException | None) -> None:
    """Nor the exchange objects in them, which an observation would keep alive."""
    chain = [] if error is None else [error]
    for each in chain:  # which grows meanwhile, and may be a ring
        each.__traceback__ = None
        chain += [other for other in (each.__cause__, each.__context__) if other is not None and other not in chain]


def lose_patience(exchange: Any, simulator: Simulator, milliseconds: int) -> None:
    """Wait so long for the answer that is to be late alone: on a busy machine all others take their time, too.

    Another request that the fault could strike goes when it has.
    """
    fetch, patience = exchange.fetch, exchange.timeout
    first = threading.Lock()

    def may_strike(method: str, url: str) -> bool:
        return any(fault.strikes(method, urlsplit(url).path) for fault in simulator._faults)

    def fetch_with_patience(url: str, method: str, *arguments: Any) -> Any:
        is_late = may_strike(method, url) and first.acquire(blocking=False)
        if not is_late:
            wait_until(lambda: not may_strike(method, url))
        exchange.timeout = milliseconds if is_late else patience
        return fetch(url, method, *arguments)

    async def async_fetch_with_patience(url: str, method: str, *arguments: Any) -> Any:
        is_late = may_strike(method, url) and first.acquire(blocking=False)
        if not is_late:
            await sleep_until(lambda: not may_strike(method, url))
        exchange.timeout = milliseconds if is_late else patience
        return await fetch(url, method, *arguments)

    exchange.fetch = fetch_with_patience if exchange.synchronous else async_fetch_with_patience


def after_the_first_list(exchange: Any, strike: Callable[[], None]) -> None:
    list_orders = exchange._list_open_orders

    async def list_then_strike(*arguments: Any) -> None:
        exchange._list_open_orders = list_orders
        await list_orders(*arguments)
        strike()

    exchange._list_open_orders = list_then_strike


def endpoint_of(path: str) -> str:
    for prefix in ('/api/v5/', '/eapi/v1/', '/api/v2/private/', '/api/v2/public/', '/v5/'):
        path = path.removeprefix(prefix)
    return path
