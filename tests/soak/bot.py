"""A market maker of one flavour: it quotes, watches its protections, and cancels, until its time is over."""

import asyncio
import ctypes
import gc
import os
import threading
import time
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import ccxt

import ccxt_mmp
from ccxt_mmp.core.awaiting import await_result, run_sync
from ccxt_mmp.core.request_context import current_request
from ccxt_mmp.simulator import redirect
from tests.soak import special
from tests.trading import ID_PREFIX, option_market

UNDERLYINGS = {
    'okx': {'BTC-USD': 'BTC/USD', 'ETH-USD': 'ETH/USD'},
    'binance': {'BTCUSDT': 'BTC/USDT', 'ETHUSDT': 'ETH/USDT'},
    'deribit': {'btc_usd': 'BTC/USD', 'eth_usd': 'ETH/USD'},
    'bybit': {'BTC': 'BTC', 'ETH': 'ETH'},
}
# of an object and an account of its own, to which happens what happens to no other (``tests.soak.special``)
SPECIAL = ('okx', 'BTC-USD_UM')
SPECIAL_UNIFIED = 'BTC/USD:USD'
LIMITS = {
    'okx': {'qtyLimit': 2},
    'binance': {'qtyLimit': 2, 'deltaLimit': 100},
    'deribit': {'qtyLimit': 2, 'deltaLimit': None, 'params': {'maxQuoteQuantity': 10_000}},
    'bybit': {'qtyLimit': 2, 'deltaLimit': 100},
}
TIMEOUT = 2000  # ms; some answers take longer
LATEST_EFFECT = 3  # s after the end of a call, of a request whose answer was given up
HEALTH_CHECK = 2  # s
MOST_WAITING = 10  # calls of a bot that wait for one limit, such as the one of Bybit's cancel-all in a second
MAX_IN_FLIGHT = 50  # requests of an underlying

# s from the end of a call to the next one, at most: OKX's mass cancels come as often as it allows, those of Binance as
# the weight of the address allows, and what Deribit matches as its credits allow
PAUSES = {
    'okx': {'quote': 0.6, 'keep': 1.0, 'cancel': 0.6},
    'binance': {'quote': 2.0, 'keep': 2.0, 'cancel': 9.0},
    'deribit': {'quote': 4.0, 'keep': 3.0, 'cancel': 4.0},
    'bybit': {'quote': 1.5, 'keep': 2.0, 'cancel': 3.0},
}
WAYS = {
    'okx': [{}, {}, {'emulate': True}, {'lockInterval': 100}],
    'binance': [{}, {}, {'includeNonMmp': True}],
    'deribit': [{}, {}, {'includeNonMmp': True}],
    'bybit': [{}, {}, {'includeNonMmp': True}],
}
# where pro quotes and cancels over the websocket, too; those of OKX go over one by themselves (``tests.soak.special``)
OVER_SOCKET = ('deribit',)
ABANDONED = 0.05  # of the quotes in async, whose task is cancelled before it is over
IN_BETWEEN = 0.02  # of the requests and answers, in the middle of which a hook makes a call, or in async starts a task

# what may come of a call where answers are lost, late, broken, or refusals; anything else is a defect
IN_FREEZE = 'refused by the market maker protection'  # of Bybit, which documents no code for it
EXPECTED = (ccxt.OperationFailed, ccxt.OperationRejected, ccxt_mmp.MassCancelLocked, asyncio.TimeoutError)

LIBC = ctypes.CDLL(None)

# the numbers of the orders that the running task or thread asks for
_ASKING: ContextVar[tuple[int, ...]] = ContextVar('asking', default=())
_IN_HOOK: ContextVar[bool] = ContextVar('in_hook', default=False)


@dataclass(frozen=True)
class Plan:
    flavour: str
    seed: int
    seconds: float
    url: str
    credentials: dict[str, str]
    contracts: dict[str, dict[str, list[str]]]  # by exchange and underlying
    special_credentials: dict[str, str]
    special_contracts: list[str]
    socket_url: str


@dataclass(frozen=True)
class Cancelled:
    """What a mass cancel said."""

    exchange_id: str
    underlying: str
    called_at: int  # ms since the epoch
    asked: int  # the number of the last order that was asked for before it
    pending: frozenset[int]  # earlier numbers of orders that were not asked for yet
    seconds: float
    error: str | None  # the class
    claimed: list[str]  # ids of orders that it says it cancelled
    params: dict[str, object]
    may_others_be_gone: bool  # one with includeNonMmp was under way, too, or its request may have come late


@dataclass(frozen=True)
class Health:
    time: float  # s since the start
    rss: int  # bytes
    sockets: int
    tasks: int
    threads: int
    calls: dict[str, int]
    errors: dict[str, int]
    broken: list[str]  # what may not be, of the process itself


@dataclass
class Bot:
    plan: Plan
    connection: Connection
    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_sync = self.plan.flavour == 'sync'
        self.module = {'sync': ccxt_mmp, 'async': ccxt_mmp.async_support, 'pro': ccxt_mmp.pro}[self.plan.flavour]
        self.number = 0  # of the last order
        self.asked = 0  # the last number that was asked for
        self.pending: set[int] = set()  # numbers that are not asked for yet
        self.numbering = threading.RLock()
        self.alls: Counter[tuple[str, str]] = Counter()  # those with includeNonMmp that are under way
        self.last_all: dict[tuple[str, str], float] = {}  # when one of them may have had effect, at last
        self.strays: set[asyncio.Task[None]] = set()
        self.lock = threading.RLock()
        self.started = time.monotonic()
        self.ends = self.started + self.plan.seconds

    def dice(self, *names: str) -> Random:
        return dice(self.plan.seed, self.plan.flavour, *names)

    # --- life

    def live(self) -> None:
        """The roles in one event loop or, in sync, in threads of their own."""
        before = self.health()
        if self.is_sync:
            exchanges = [self.exchange(exchange_id) for exchange_id in UNDERLYINGS]
            threads = [
                threading.Thread(target=asyncio.run, args=(role,))
                for role in [self.check(exchanges), *(role for each in exchanges for role in self.roles(each))]
            ]
            for thread in threads:
                thread.start()
            special.live_with_signals(self)  # signals are handled in this thread alone
            for thread in threads:
                thread.join()
            for exchange in exchanges:
                exchange.close()
                exchange.session.close()  # older versions of ccxt leave that to the end of the object
                self.broken += unsettled(exchange)
        else:
            asyncio.run(self.live_in_a_loop())
        self.compare(before)

    async def live_in_a_loop(self) -> None:
        exchanges = [self.exchange(exchange_id) for exchange_id in UNDERLYINGS]
        roles = [self.check(exchanges), *(role for each in exchanges for role in self.roles(each))]
        if self.plan.flavour == 'pro':
            roles.append(special.live_on_a_socket(self))
        else:
            roles.append(asyncio.to_thread(special.live_through_loops, self))
        await asyncio.gather(*roles)
        while self.strays:
            await asyncio.gather(*self.strays)
        for exchange in exchanges:
            await exchange.close()
            self.broken += unsettled(exchange)
        await asyncio.get_running_loop().shutdown_default_executor()
        await asyncio.sleep(0.5)  # connections close
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            self.broken.append(f'tasks are left at the end: {left}')

    def exchange(self, exchange_id):
        exchange = self.new_exchange(exchange_id, self.plan.credentials, self.plan.contracts[exchange_id])
        self.interrupt(exchange)
        return exchange

    def new_exchange(self, exchange_id, credentials, contracts):
        exchange = getattr(self.module, exchange_id)({**credentials, 'timeout': TIMEOUT})
        exchange.timeout_on_exit = 0
        take_marks = exchange._fence_marks

        def fence_marks():
            marks = take_marks()
            numbers = _ASKING.get()
            if numbers:
                with self.numbering:
                    self.asked = max(self.asked, *numbers)
                    self.pending.difference_update(numbers)
            return marks

        exchange._fence_marks = fence_marks  # create_orders begins with it: an order before it is not asked for yet
        redirect(exchange, self.plan.url)
        exchange.set_markets(
            [
                option_market(exchange, option_id, underlying)
                for underlying in contracts
                for option_id in contracts[underlying]
            ]
        )
        return exchange

    def interrupt(self, exchange):
        """Let hooks call the exchange in the middle of its requests, and right after their answers."""
        rolled = self.dice(exchange.id, 'in between')

        def interrupting(hook):
            def call(*arguments, **keywords):
                self.come_in_between(exchange, rolled)
                return hook(*arguments, **keywords)

            return call

        exchange.sign = interrupting(exchange.sign)
        exchange.on_rest_response = interrupting(exchange.on_rest_response)

    def come_in_between(self, exchange, rolled):
        if _IN_HOOK.get() or rolled.random() >= IN_BETWEEN or time.monotonic() >= self.ends:
            return
        role = rolled.choice([self.watch_one, self.watch_one, self.quote_some, self.cancel_one])
        if self.is_sync:
            token = _IN_HOOK.set(True)
            try:
                run_sync(role(exchange, rolled))
            finally:
                _IN_HOOK.reset(token)
        else:
            stray = asyncio.ensure_future(role(exchange, rolled))
            self.strays.add(stray)
            stray.add_done_callback(self.strays.discard)

    def roles(self, exchange):
        return self.quote(exchange), self.keep(exchange), self.cancel(exchange)

    async def call(self, exchange, name, *arguments, patience=None):
        """A call and its failure, if it failed in a way that is expected; any other is a defect."""
        self.calls[name] += 1
        outer = current_request(exchange)
        try:
            answer = getattr(exchange, name)(*arguments)
            outcome = await (await_result(answer) if patience is None else asyncio.wait_for(answer, patience)), None
        except Exception as error:  # noqa: BLE001 - to tell of it
            self.errors[f'{name} {type(error).__name__}'] += 1
            if not isinstance(error, EXPECTED) and IN_FREEZE not in str(error):
                self.broken.append(f'{exchange.id} {name}() raised {error!r}')
            outcome = None, error
        # not after GeneratorExit: a task that is collected ends in the middle of another one
        if current_request(exchange) is not outer:
            self.broken.append(f'{exchange.id} {name}() left its request context behind')
        return outcome

    async def turns(self, exchange, role):
        """Until the time is over; the dice of each turn."""
        rolled = self.dice(exchange.id, role)
        while time.monotonic() < self.ends:
            yield rolled
            await asyncio.sleep(min(rolled.uniform(0, PAUSES[exchange.id][role]), self.ends - time.monotonic()))

    # --- roles

    async def quote(self, exchange):
        async for rolled in self.turns(exchange, 'quote'):
            is_abandoned = not self.is_sync and rolled.random() < ABANDONED
            await self.quote_some(exchange, rolled, rolled.uniform(0, 0.5) if is_abandoned else None)

    async def quote_some(self, exchange, rolled, patience=None):
        contracts = self.plan.contracts[exchange.id]
        listed = contracts[rolled.choice(list(contracts))]
        await self.place(exchange, [rolled.choice(listed) for _ in range(rolled.randint(1, 6))], patience)

    async def place(self, exchange, option_ids, patience=None):
        numbers = tuple(self.next_number() for _ in option_ids)
        orders = [self.order(exchange, *each) for each in zip(option_ids, numbers, strict=True)]
        goes_over_socket = self.has_socket(exchange) and numbers[0] % 2
        with asking_for(numbers):
            await self.call(
                exchange, 'create_orders_ws' if goes_over_socket else 'create_orders', orders, patience=patience
            )

    @staticmethod
    def has_socket(exchange):
        return exchange.id in OVER_SOCKET and exchange.has['massCancelMmpWs']

    def next_number(self):
        with self.numbering:
            self.pending.add(self.number + 1)  # first: a signal handler may come in between
            self.number += 1
            return self.number

    def order(self, exchange, option_id, number):
        symbol = exchange.markets_by_id[option_id][0]['symbol']
        params = {'mmp': True, 'postOnly': True, 'clientOrderId': f'{ID_PREFIX.get(exchange.id, "")}soak{number:012d}'}
        return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 1, 'params': params}

    async def watch_one(self, exchange, rolled):
        await self.call(exchange, 'fetch_mmp', rolled.choice(list(UNDERLYINGS[exchange.id].values())))

    async def keep(self, exchange):
        """Keep the protections set and ready."""
        underlyings = UNDERLYINGS[exchange.id]
        for underlying in underlyings.values():
            await self.set_rule(exchange, underlying)
        async for rolled in self.turns(exchange, 'keep'):
            underlying = rolled.choice(list(underlyings.values()))
            state, _ = await self.call(exchange, 'fetch_mmp', underlying)
            if state is not None and not state['enabled']:
                await self.set_rule(exchange, underlying)
            if state is not None and state['frozen'] is not False:
                await self.call(exchange, 'reset_mmp', underlying)
            if rolled.random() < 0.3:
                await self.call(exchange, 'fetch_mmps', list(underlyings.values()))
            if rolled.random() < 0.3:
                symbol = rolled.choice(list(exchange.markets))
                await self.call(exchange, 'fetch_open_orders', symbol, None, None, {'mmp': True})
            if rolled.random() < 0.1:
                await self.set_rule(exchange, underlying)

    async def set_rule(self, exchange, underlying):
        await self.call(exchange, 'set_mmp', underlying, 5000, 0, *LIMITS[exchange.id].values())

    async def cancel(self, exchange):
        async for rolled in self.turns(exchange, 'cancel'):
            await self.cancel_one(exchange, rolled)

    async def cancel_one(self, exchange, rolled):
        underlying, unified = rolled.choice(list(UNDERLYINGS[exchange.id].items()))
        method, params = 'mass_cancel_mmp', rolled.choice(WAYS[exchange.id])
        if self.has_socket(exchange):
            further = [('mass_cancel_mmp_ws', params), (method, {**params, 'hedge': True})]
            method, params = rolled.choice([(method, params), *further])
        await self.pull_the_plug(exchange, underlying, unified, params, method)

    async def pull_the_plug(self, exchange, underlying, unified, params, method='mass_cancel_mmp'):
        place = exchange.id, underlying
        with self.numbering:
            asked, pending = self.asked, frozenset(self.pending)
        if 'includeNonMmp' in params:
            with self.lock:  # none begins while another one is judged
                self.alls[place] += 1
        called_at, started = time.time_ns() // 1_000_000, time.monotonic()
        cancelled, error = await self.call(exchange, method, unified, params)
        orders = [] if cancelled is None else cancelled['orders'] or []
        seconds = time.monotonic() - started
        with self.lock:
            may_others_be_gone = self.alls[place] > 0 or self.last_all.get(place, 0) >= started
            if 'includeNonMmp' in params:
                self.last_all[place] = time.monotonic() + LATEST_EFFECT
                self.alls[place] -= 1
            self.tell(
                Cancelled(
                    exchange_id=exchange.id,
                    underlying=underlying,
                    called_at=called_at,
                    asked=asked,
                    pending=pending,
                    seconds=seconds,
                    error=None if error is None else type(error).__name__,
                    claimed=[order['id'] for order in orders] + list(getattr(error, 'cancelled', [])),
                    params=params,
                    may_others_be_gone=may_others_be_gone,
                )
            )

    def tell(self, fact: object) -> None:
        """Tell the exchanges' side, and wait until it has looked: what happens meanwhile would blur the picture."""
        with self.lock:
            self.connection.send(fact)
            self.connection.recv()

    # --- the process

    async def check(self, exchanges):
        while time.monotonic() < self.ends:
            await asyncio.sleep(min(HEALTH_CHECK, max(self.ends - time.monotonic(), 0)))
            for exchange in exchanges:
                self.broken += overgrown(exchange)
            health = self.health()
            self.broken = []
            self.tell(health)

    def health(self) -> Health:
        try:
            tasks = len(asyncio.all_tasks())
        except RuntimeError:  # there is no loop
            tasks = 0
        return Health(
            time=time.monotonic() - self.started,
            rss=used_memory(),
            sockets=open_sockets(),
            tasks=tasks,
            threads=len(running_threads()),
            calls=dict(self.calls),
            errors=dict(self.errors),
            broken=self.broken,
        )

    def compare(self, before: Health) -> None:
        """What was opened is closed."""
        gc.collect()
        after = self.health()
        for name in ('sockets', 'threads'):
            more = getattr(after, name) - getattr(before, name)
            if more:
                self.broken.append(f'{more} more {name} at the end than at the start; threads {running_threads()}')
        self.tell(after)


@contextmanager
def asking_for(numbers):
    outer = _ASKING.get()
    _ASKING.set(numbers)
    try:
        yield
    finally:
        if _ASKING.get() is numbers:  # a task that is collected after its loop has closed ends in another context
            _ASKING.set(outer)


def dice(seed: int, *names: str) -> Random:
    """Decisions that are the same in each run with this seed."""
    return Random('/'.join([str(seed), *names]))  # noqa: S311 - not for secrets


def used_memory() -> int:
    """Bytes, of this process, without those that the C library keeps of what was freed."""
    if hasattr(LIBC, 'malloc_trim'):  # of glibc
        LIBC.malloc_trim(0)
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def open_sockets() -> int:
    # what was closed meanwhile, such as the list itself, leads nowhere
    return sum(
        os.path.realpath(each).rpartition('/')[2].startswith('socket:') for each in Path('/proc/self/fd').iterdir()
    )


def running_threads() -> list[str]:
    # pycares, which resolves names for older versions of ccxt, starts one of its own for the whole process
    return [thread.name for thread in threading.enumerate() if '_run_safe_shutdown_loop' not in thread.name]


def overgrown(exchange) -> list[str]:
    """What the exchange object keeps more of than it needs."""
    kept = {name: getattr(exchange, name, {}) for name in ('_mmp_windows', '_mmp_fences', '_mmp_freezes')}
    bounds = {
        '_mmp_windows': len(exchange.options['mmpRateLimits']),
        '_mmp_fences': len(UNDERLYINGS[exchange.id]),
        '_mmp_freezes': len(UNDERLYINGS[exchange.id]),
    }
    grown = [f'{exchange.id} has {len(kept[name])} in {name}' for name in kept if len(kept[name]) > bounds[name]]
    for endpoint, window in kept['_mmp_windows'].items():
        if len(window._slots) > window.limit[0] + max(window.limit[0], MOST_WAITING):  # of the last window, and waiting
            grown.append(f'{exchange.id} counts {len(window._slots)} calls of {endpoint}')
    for underlying, fence in kept['_mmp_fences'].items():
        if len(fence._in_flight) > MAX_IN_FLIGHT:
            grown.append(f'{exchange.id} counts {len(fence._in_flight)} requests of {underlying} as in flight')
    return grown


def unsettled(exchange) -> list[str]:
    """What a closed exchange still counts as in flight, of which there are no tasks and threads any more."""
    held = [
        order for fence in getattr(exchange, '_mmp_fences', {}).values() for order in fence._in_flight if order.holder
    ]
    return [f'{exchange.id} still waits for {len(held)} orders'] if held else []


def main() -> None:
    """The standard input leads to the exchanges' side, in both directions."""
    connection = Connection(os.dup(0))
    Bot(connection.recv(), connection).live()
    connection.close()
