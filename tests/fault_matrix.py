"""What each method does when something goes wrong: every fault of every request, in all flavours, on the simulator.

``python -m tests.fault_matrix`` observes it and writes docs/faults.md.
"""

import asyncio
import copy
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from ccxt.base.errors import BaseError

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.simulator import Rule, Simulator, redirect
from tests.conftest import FLAVOURS, Flavour
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

DOCUMENT = Path(__file__).parent.parent / 'docs' / 'faults.md'

LANES = 3  # calls at once in each flavour: some wait for answers that do not come
PATIENCE = 500  # ms that a client waits for one of them
AGES = 5  # s in which a request reaches the simulator, however busy the machine is
# ms of a mass cancel that a limit holds up for ever: OKX's is waited out once, and half of the time is left then
CANCEL_TIME = 3900
NEVER = 600_000  # ms
FOR_EVER = 1000  # times
HOUR = 3_600_000  # ms
NOT_KNOWN = 'whether others rest is not known'  # says a MassCancelIncomplete

OTHER = {'okx': 'ETH-USD', 'binance': 'ETHUSDT'}

LATE = 'no answer in time'

# of one request, as the simulator knows them
FAULTS: dict[str, dict[str, Any]] = {
    LATE: {'kind': 'delay', 'milliseconds': NEVER},
    'dropped before the effect': {'kind': 'drop_before'},
    'dropped after the effect': {'kind': 'drop_after'},
    'answer cut off': {'kind': 'truncated'},
    'HTML with status 200': {'kind': 'malformed'},
    'HTTP 500': {'kind': 'status', 'status': 500},
    'HTTP 502': {'kind': 'status', 'status': 502},
    'HTTP 503': {'kind': 'status', 'status': 503},
    'HTTP 429': {'kind': 'status', 'status': 429},
    'HTTP 418': {'kind': 'status', 'status': 418},
    '`"result": false`': {'kind': 'result_false'},
    'every second order refused': {'kind': 'half_batch'},
}
SAME_FOR_EVER = ('HTTP 500', 'HTTP 502')  # as HTTP 503
WITH_RESULT = ('POST account/mmp-reset', 'POST trade/mass-cancel')
BATCHES = (
    'POST trade/batch-orders',
    'POST trade/cancel-batch-orders',
    'POST batchOrders',
    'DELETE batchOrders',
)

# of the whole call
UNREACHABLE, SKEWED = 'connection refused', 'clock an hour behind'
WRONG_SECRET, NO_PRIVILEGE = 'wrong secret', 'privilege revoked'
CONDITIONS = (UNREACHABLE, SKEWED, WRONG_SECRET, NO_PRIVILEGE)


@dataclass(frozen=True)
class Observation:
    """What came of a call, and how things are on the exchange after it."""

    result: Any
    error: BaseError | None
    requests: Counter[str]  # that reached the exchange, those that it dropped among them
    rule: Rule | None
    is_frozen: bool
    is_armed: bool
    prepared: list[str]  # ids of the orders that rested before and that the call is about
    resting: dict[str, str]  # client order ids by id of those that rest after it, without the others
    others_rest: bool  # the orders that are none of its business
    has_struck: bool  # the fault


# --- the methods, and how one sees what they did


@dataclass(frozen=True)
class Method:
    before: ClassVar[str]  # how things are before the call, for people

    exchange_id: str
    name: str
    endpoints: tuple[str, ...]  # in the order in which they are asked
    call: Callable[[Any, list[str]], Any]  # of an exchange and the ids that prepare() returned
    scope: str = 'orders'

    @property
    def underlying(self) -> str | None:
        return UNDERLYING[self.exchange_id] if self.scope == 'orders' else None

    def prepare(self, simulator: Simulator) -> list[str]:
        """Put things as they are before the call; the ids of the orders that it is about."""
        return []

    def prepare_others(self, simulator: Simulator) -> list[str]:
        """The ids of orders that are none of its business."""
        return [self.rest(simulator, mmp=False), self.rest(simulator, OTHER[self.exchange_id])]

    def rest(self, simulator: Simulator, underlying: str = '', contract: int = 0, *, mmp: bool = True) -> str:
        underlying = underlying or UNDERLYING[self.exchange_id]
        symbol = simulator.instruments(self.exchange_id, underlying)[contract]
        return simulator.rest(self.exchange_id, underlying, mmp=mmp, symbol=symbol).order_id

    def is_done(self, seen: Observation) -> bool:
        """Whether the exchange did what was asked, and the result says what is."""
        raise NotImplementedError

    def is_untouched(self, seen: Observation) -> bool:
        """Whether the exchange did nothing."""
        raise NotImplementedError

    def returned(self, result: Any) -> str:
        raise NotImplementedError

    def afterwards(self, seen: Observation) -> str:
        raise NotImplementedError


class SetMmp(Method):
    before = 'No rule is set.'

    @property
    def rule(self) -> Rule:
        limits = {'okx': {'qty_limit': '100'}, 'binance': {'qty_limit': '100', 'delta_limit': '2.5'}}
        return Rule(5000, 300_000, **(limits[self.exchange_id] if self.scope == 'orders' else {'count_limit': '10'}))

    def is_done(self, seen: Observation) -> bool:
        return seen.rule == self.rule and (seen.result['window'], seen.result['frozenTime']) == (5000, 300_000)

    def is_untouched(self, seen: Observation) -> bool:
        return seen.rule is None

    def returned(self, result: Any) -> str:
        return 'the rule'

    def afterwards(self, seen: Observation) -> str:
        return 'no rule' if seen.rule is None else 'rule set'


class ResetMmp(SetMmp):
    before = 'The protection has tripped.'

    def prepare(self, simulator: Simulator) -> list[str]:
        simulator.set_rule(self.exchange_id, self.underlying, self.rule)
        simulator.trip(self.exchange_id, self.underlying)
        return []

    def is_done(self, seen: Observation) -> bool:
        return not seen.is_frozen and seen.result['frozen'] is False

    def is_untouched(self, seen: Observation) -> bool:
        return seen.is_frozen

    def returned(self, result: Any) -> str:
        return {False: 'not frozen', True: 'frozen', None: 'no rule'}[result['frozen']]

    def afterwards(self, seen: Observation) -> str:
        return 'frozen' if seen.is_frozen else 'not frozen'


class FetchMmp(ResetMmp):
    def states(self, result: Any) -> list[Any]:
        return [result]

    def is_done(self, seen: Observation) -> bool:
        [state, *_] = self.states(seen.result)
        return (state['frozen'], state['window']) == (seen.is_frozen, 5000)

    def returned(self, result: Any) -> str:
        return ', '.join(super(FetchMmp, self).returned(state) for state in self.states(result))


class FetchMmps(FetchMmp):
    before = 'The protection of BTC has tripped, that of ETH has no rule.'

    def states(self, result: Any) -> list[Any]:
        return list(result.values())


class MassCancel(Method):
    before = 'Three MMP orders rest, two of them of one contract, and others.'

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, contract=contract) for contract in (0, 0, 1)]

    def is_done(self, seen: Observation) -> bool:
        return not seen.resting and {order['id'] for order in seen.result['orders'] or ()} <= {*seen.prepared}

    def is_untouched(self, seen: Observation) -> bool:
        return [*seen.resting] == seen.prepared

    def returned(self, result: Any) -> str:
        return 'done' if result['orders'] is None else f'{len(result["orders"])} cancelled'

    def afterwards(self, seen: Observation) -> str:
        return f'{len(seen.resting)} of {len(seen.prepared)} rest' if seen.resting else 'none rests'


class MassCancelOfAll(MassCancel):
    before = 'Two MMP orders of one contract rest, and one without the flag of another.'

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, contract=contract, mmp=contract == 0) for contract in (0, 0, 1)]

    def prepare_others(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, OTHER[self.exchange_id])]


class CancelOrders(MassCancel):
    before = 'Two MMP orders of one contract rest.'

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator), self.rest(simulator)]

    def is_done(self, seen: Observation) -> bool:
        cancelled = {order['id'] for order in seen.result if order['status'] == 'canceled'}
        return [order['id'] for order in seen.result] == seen.prepared and cancelled.isdisjoint(seen.resting)

    def returned(self, result: Any) -> str:
        return by_status(result)


class CreateOrder(Method):
    before = 'No MMP order rests; one is asked for.'

    def orders(self, result: Any) -> list[Any]:
        return [result]

    def is_done(self, seen: Observation) -> bool:
        return all(self.is_true(order, seen.resting) for order in self.orders(seen.result))

    def is_true(self, order: Any, resting: dict[str, str]) -> bool:
        client_order_id = order['clientOrderId']
        return {
            'open': resting.get(order['id']) == client_order_id,
            'rejected': client_order_id not in resting.values(),
            None: bool(client_order_id),
        }[order['status']]

    def is_untouched(self, seen: Observation) -> bool:
        return not seen.resting

    def returned(self, result: Any) -> str:
        return by_status(self.orders(result))

    def afterwards(self, seen: Observation) -> str:
        return {0: 'none rests', 1: '1 rests'}.get(len(seen.resting), f'{len(seen.resting)} rest')


class CreateOrders(CreateOrder):
    before = 'No MMP order rests; two are asked for of each of two underlyings, which takes two requests.'

    def orders(self, result: Any) -> list[Any]:
        [*orders] = result
        return orders


class CancelAllOrdersAfter(Method):
    before = 'No countdown runs.'

    def is_done(self, seen: Observation) -> bool:
        return seen.is_armed

    def is_untouched(self, seen: Observation) -> bool:
        return not seen.is_armed

    def returned(self, result: Any) -> str:
        return 'the countdown'

    def afterwards(self, seen: Observation) -> str:
        return 'armed' if seen.is_armed else 'not armed'


def by_status(orders: Iterable[Any]) -> str:
    counts = Counter(str(order['status']) for order in orders)
    return ', '.join(
        f'{counts[status]} {status}' for status in ('open', 'canceled', 'rejected', 'None') if status in counts
    )


def order_of(symbol: str) -> dict[str, Any]:
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': {'mmp': True}}


def create_order(exchange: Any, _: list[str]) -> Any:
    [symbol, *_] = symbols(with_markets(exchange), UNDERLYING[exchange.id])
    return exchange.create_order(**order_of(symbol))


def create_orders(exchange: Any, _: list[str]) -> Any:
    with_markets(exchange)
    underlyings = (UNDERLYING[exchange.id], OTHER[exchange.id])
    return exchange.create_orders([order_of(each) for name in underlyings for each in symbols(exchange, name)[:2]])


def cancel_orders(exchange: Any, ids: list[str]) -> Any:
    [symbol, *_] = symbols(with_markets(exchange), UNDERLYING[exchange.id])
    return exchange.cancel_orders(ids, symbol)


def mass_cancel(**params: Any) -> Callable[[Any, list[str]], Any]:
    return lambda exchange, _: exchange.mass_cancel_mmp(UNIFIED[exchange.id], params)


OKX_RFQ_RULE = (None, 5000, 300_000, None, None, {'scope': 'rfq', 'countLimit': 10})
OKX_LISTED = ('GET trade/orders-pending', 'POST trade/cancel-batch-orders')
BINANCE_LISTED = ('GET openOrders', 'DELETE batchOrders', 'DELETE order')
METHODS = (
    SetMmp('okx', 'set_mmp', ('POST account/mmp-config',), lambda okx, _: okx.set_mmp('BTC/USD', 5000, 300_000, 100)),
    SetMmp('okx', 'set_mmp, rfq', ('POST rfq/mmp-config',), lambda okx, _: okx.set_mmp(*OKX_RFQ_RULE), 'rfq'),
    ResetMmp('okx', 'reset_mmp', ('POST account/mmp-reset',), lambda okx, _: okx.reset_mmp('BTC/USD')),
    ResetMmp('okx', 'reset_mmp, rfq', ('POST rfq/mmp-reset',), lambda okx, _: okx.reset_mmp(), 'rfq'),
    FetchMmp('okx', 'fetch_mmp', ('GET account/mmp-config',), lambda okx, _: okx.fetch_mmp('BTC/USD')),
    FetchMmp(
        'okx',
        'fetch_mmp, rfq',
        ('GET rfq/mmp-config',),
        lambda okx, _: okx.fetch_mmp(params={'scope': 'rfq'}),
        'rfq',
    ),
    FetchMmps('okx', 'fetch_mmps', ('GET account/mmp-config',), lambda okx, _: okx.fetch_mmps()),
    MassCancel('okx', 'mass_cancel_mmp', ('POST trade/mass-cancel',), mass_cancel()),
    MassCancel('okx', 'mass_cancel_mmp, emulate', OKX_LISTED, mass_cancel(emulate=True)),
    CreateOrder('okx', 'create_order', ('POST trade/batch-orders',), create_order),
    CreateOrders('okx', 'create_orders', ('POST trade/batch-orders',), create_orders),
    SetMmp(
        'binance',
        'set_mmp',
        ('POST mmpSet',),
        lambda binance, _: binance.set_mmp('BTC/USDT', 5000, 300_000, 100, '2.5'),
    ),
    ResetMmp('binance', 'reset_mmp', ('POST mmpReset',), lambda binance, _: binance.reset_mmp('BTC/USDT')),
    FetchMmp('binance', 'fetch_mmp', ('GET mmp',), lambda binance, _: binance.fetch_mmp('BTC/USDT')),
    FetchMmps('binance', 'fetch_mmps', ('GET mmp',), lambda binance, _: binance.fetch_mmps(['BTC/USDT', 'ETH/USDT'])),
    MassCancel('binance', 'mass_cancel_mmp', BINANCE_LISTED, mass_cancel()),
    MassCancelOfAll(
        'binance',
        'mass_cancel_mmp, includeNonMmp',
        ('DELETE allOpenOrdersByUnderlying',),
        mass_cancel(includeNonMmp=True),
    ),
    CreateOrder('binance', 'create_order', ('POST order',), create_order),
    CreateOrders('binance', 'create_orders', ('POST batchOrders',), create_orders),
    CancelOrders('binance', 'cancel_orders', ('DELETE batchOrders',), cancel_orders),
    CancelAllOrdersAfter(
        'binance',
        'cancel_all_orders_after',
        ('POST countdownCancelAll',),
        lambda binance, _: binance.cancel_all_orders_after(30_000, {'underlying': 'BTC/USDT'}),
    ),
)


# --- the rows


@dataclass(frozen=True)
class Row:
    method: Method
    fault: str
    endpoint: str = ''  # whose request the fault strikes; none of a condition
    is_of_second_list: bool = False
    is_for_ever: bool = False

    @property
    def times(self) -> int:
        return FOR_EVER if self.is_for_ever else 1

    @property
    def struck(self) -> str:
        """What is struck, for people."""
        if not self.endpoint:
            return 'the call'
        which = 'the second ' if self.is_of_second_list else ''
        return f'{which}`{self.endpoint}`{" and all after it" if self.is_for_ever else ""}'

    @property
    def name(self) -> str:
        return f'{self.method.exchange_id} {self.method.name}: {self.fault} of {self.struck}'.replace('`', '')


def rows_of(method: Method) -> Iterator[Row]:
    for condition in CONDITIONS:
        yield Row(method, condition)
    is_mass_cancel = method.name.startswith('mass_cancel_mmp')
    strikes = [(endpoint, False) for endpoint in method.endpoints]
    if len(strikes) > 1:
        strikes.append((method.endpoints[0], True))
    for is_for_ever in (False, True) if is_mass_cancel else (False,):
        for endpoint, is_of_second_list in strikes:
            for fault in FAULTS:
                if is_there(fault, method, endpoint) and not (is_for_ever and fault in (*SAME_FOR_EVER, LATE)):
                    yield Row(method, fault, endpoint, is_of_second_list, is_for_ever)


def is_there(fault: str, method: Method, endpoint: str) -> bool:
    """Whether the exchange can answer so."""
    kind = FAULTS[fault]['kind']
    if kind == 'half_batch':
        return endpoint in BATCHES and method.name != 'create_order'
    if kind == 'result_false':
        return endpoint in WITH_RESULT
    return fault != 'HTTP 418' or method.exchange_id == 'binance'


ROWS = tuple(row for method in METHODS for row in rows_of(method))


# --- to observe them


@dataclass(frozen=True)
class Place:
    """Where one row after another is tried."""

    simulator: Simulator
    flavour: Flavour
    unused: dict[str, Any] = field(default_factory=dict)  # an exchange object each, as it was made

    def exchange(self, exchange_id: str) -> Any:
        """An exchange object that nothing has been done with: a copy, since to make one takes longest."""
        if exchange_id not in self.unused:
            self.unused[exchange_id] = self.flavour.exchange(exchange_id, self.simulator.url)
            self.flavour.opened.clear()
        made = self.unused[exchange_id]
        exchange = copy.copy(made)
        exchange.options = dict(made.options)
        if made.synchronous:
            exchange.session = requests.Session()
            exchange.session.trust_env = made.session.trust_env
        self.flavour.opened.append(exchange)
        return exchange


class Bench:
    """Simulators, and users of each flavour: ``with Bench() as bench: bench.observe(row)``."""

    def __enter__(self) -> 'Bench':
        with ExitStack() as stack:
            nowhere = stack.enter_context(socket.socket())  # of a port that is taken and does not listen
            nowhere.bind(('127.0.0.1', 0))
            self.nowhere = f'http://127.0.0.1:{nowhere.getsockname()[1]}'
            self.places: dict[str, SimpleQueue[Place]] = {name: SimpleQueue() for name in FLAVOURS}
            for name, places in self.places.items():
                for _ in range(LANES):
                    places.put(Place(stack.enter_context(Simulator()), Flavour(name)))
            self.pool = stack.enter_context(ThreadPoolExecutor(LANES * len(FLAVOURS)))
            self.futures: dict[Row, dict[str, Any]] = {}
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.stack.close()
        for places in self.places.values():
            while not places.empty():
                places.get().flavour.close()

    def begin(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row not in self.futures:
                self.futures[row] = {name: self.pool.submit(self._observe, name, row) for name in FLAVOURS}

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
        simulator.clear()
        prepared, others = method.prepare(simulator), method.prepare_others(simulator)
        exchange = self._exchange(row, place)
        result, error = None, None
        try:
            result = flavour.take(method.call(exchange, prepared))
        except BaseError as raised:
            error = raised
        flavour.disconnect()
        forget_frames(error)
        has_struck = row.endpoint == '' or wait_until(lambda: sum(each.times for each in simulator._faults) < row.times)
        resting = {
            order.order_id: order.client_order_id
            for underlying in (UNDERLYING, OTHER)
            for order in simulator.resting(method.exchange_id, underlying[method.exchange_id])
        }
        protection = simulator.protection(method.exchange_id, method.underlying)
        simulator.check()
        return Observation(
            result=result,
            error=error,
            requests=Counter(f'{each.method} {endpoint_of(each.path)}' for each in simulator.requests),
            rule=protection.rule,
            is_frozen=protection.is_frozen(simulator.now()),
            is_armed=bool(simulator._account.countdowns),
            prepared=prepared,
            resting={order_id: client_id for order_id, client_id in resting.items() if order_id not in others},
            others_rest=resting.keys() >= {*others},
            has_struck=has_struck,
        )

    def _exchange(self, row: Row, place: Place) -> Any:
        """An exchange whose connection is open, with the fault before it."""
        fault, simulator = FAULTS.get(row.fault), place.simulator
        exchange = place.exchange(row.method.exchange_id)
        if row.is_for_ever and row.fault == 'HTTP 429':
            exchange.options['massCancelMmp'] = {**exchange.options['massCancelMmp'], 'timeout': CANCEL_TIME}
        place.flavour.take(exchange.fetch_time())
        simulator.requests.clear()
        if fault is not None:
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
        else:
            simulator.privileged = False
        return exchange


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
        while not is_late and may_strike(method, url):  # noqa: ASYNC110 - another thread brings it about
            await asyncio.sleep(0.01)
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
    return path.removeprefix('/api/v5/').removeprefix('/eapi/v1/')


# --- to write them down

INTRODUCTION = """\
# When something goes wrong

What each method does if one of its requests goes wrong, as it was observed on the built-in simulator. The command
`python -m tests.fault_matrix` writes this page, and a test compares it with what it observes: it is not edited by hand.
The exchanges themselves have not been asked.

**Columns.** *What goes wrong* and *where*: "the call" is every request of it, an endpoint is the first request to it,
which fails once unless "and all after it" is said. *Raised or returned*: the error's class, or what is returned.
*Arrived*: the requests that reached the exchange. *Afterwards*: how things are on the exchange.

- *Repeatedly* stands for a number in the rows with "and all after it": how often a request is tried again in the time
  of a call depends on the machine.

- *No answer in time*: the request took effect, and its answer comes after `timeout` of the exchange object. Answers
  that never come again are not in the table, since how often they are asked for depends on the machine: a mass cancel
  then raises `RequestTimeout` or `MassCancelIncomplete` within its time.
- *Answer cut off*, *HTML with status 200*: the request took effect, and its answer cannot be read.
- *HTTP ...*: it did not take effect, though the client cannot know that of 500, 502 and 503.
- `MassCancelIncomplete` has its counts and its cause with it; "perhaps others" is said where no list could be read
  after the last cancellation. What a mass cancel returns counts the orders that it is known to have cancelled, which
  those whose answer was lost are not.
- Orders of which nothing is known have the `status` None.

**Flavours.** sync, async and pro do the same, but for this, which is the transports':

- A connection that breaks is ccxt's `NetworkError` in sync, and its subclass `ExchangeNotAvailable` in async and pro.
- In async and pro, aiohttp itself repeats a GET or DELETE once if a connection that it had kept open was dropped,
  beneath all counting of repetitions. It never repeats a POST.
"""
EXCHANGES = {'okx': 'OKX', 'binance': 'Binance'}
HEAD = ('what goes wrong', 'where', 'raised or returned', 'arrived', 'afterwards')


def outcome(method: Method, seen: Observation) -> str:
    """What is raised or returned."""
    error = seen.error
    if error is None:
        return f'returns: {method.returned(seen.result)}'
    text = f'`{type(error).__name__}`'
    if not isinstance(error, MassCancelIncomplete):
        return text
    ids = {'cancelled': error.cancelled, 'remaining': error.remaining, 'unknown': error.unknown}
    known = [f'{len(each)} {name}' for name, each in ids.items() if each]
    if NOT_KNOWN in str(error):
        known.append('perhaps others')
    return f'{text} ({", ".join(known)}), cause `{type(error.__cause__).__name__}`'


def arrived(row: Row, seen: Observation) -> str:
    endpoints = [*row.method.endpoints, *sorted(seen.requests.keys() - {*row.method.endpoints})]
    return ', '.join(times(row, seen, endpoint) for endpoint in endpoints if endpoint in seen.requests) or 'none'


def times(row: Row, seen: Observation, endpoint: str) -> str:
    count = seen.requests[endpoint]
    if count == 1:
        return f'`{endpoint}`'
    # how often something is tried in the time that a call has depends on the machine
    return f'`{endpoint}` repeatedly' if row.is_for_ever else f'{count} x `{endpoint}`'


def cells(row: Row, seen: dict[str, Observation]) -> tuple[str, ...]:
    """The last three columns."""
    return tuple(
        by_flavour({name: describe(each) for name, each in seen.items()})
        for describe in (
            partial(outcome, row.method),
            partial(arrived, row),
            row.method.afterwards,
        )
    )


def by_flavour(texts: dict[str, str]) -> str:
    names: dict[str, list[str]] = {}
    for name, text in texts.items():
        names.setdefault(text, []).append(name)
    return '; '.join(text if len(names) == 1 else f'{", ".join(names[text])}: {text}' for text in names)


def document(bench: Bench) -> str:
    bench.begin(ROWS)
    return '\n'.join([INTRODUCTION, *(section(method, bench) for method in METHODS)])


def section(method: Method, bench: Bench) -> str:
    faults: dict[tuple[str, ...], list[str]] = {}  # those of which the same came, by all other columns
    for row in ROWS:
        if row.method is method:
            faults.setdefault((row.struck, *cells(row, bench.observe(row))), []).append(row.fault)
    table = [HEAD, ('---',) * len(HEAD), *((', '.join(names), *others) for others, names in faults.items())]
    lines = [f'## {EXCHANGES[method.exchange_id]}: {method.name}', '', method.before, '']
    return '\n'.join([*lines, *(f'| {" | ".join(columns)} |' for columns in table), ''])


if __name__ == '__main__':
    with Bench() as bench:
        DOCUMENT.write_text(document(bench))
