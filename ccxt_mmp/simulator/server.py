"""Both venues on one loopback port, served by a thread of its own."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from ccxt_mmp._redaction import redacted_by_shape
from ccxt_mmp._version import __version__
from ccxt_mmp.simulator import control
from ccxt_mmp.simulator.engine import EXAMPLE_RULE, Account, Engine, Order, Protection, Rule, Side, Trigger, Unverified
from ccxt_mmp.simulator.faults import Fault, Kind
from ccxt_mmp.simulator.limits import FixedWindows, RollingWindows
from ccxt_mmp.simulator.names import (
    BLOCK_TRADING,
    new_underlying_id,
    require_venue,
    underlying_id,
    unified_symbol,
)
from ccxt_mmp.simulator.venues.binance import BinanceVenue
from ccxt_mmp.simulator.venues.okx import PREFIX as OKX_PREFIX
from ccxt_mmp.simulator.venues.okx import OkxVenue
from ccxt_mmp.simulator.wire import Answer, Request, Times, is_positive

E = TypeVar('E')

# the published credentials of the simulator
KEY = 'simulator-key'
SECRET = 'simulator-secret'  # noqa: S105  # pragma: allowlist secret
PASSPHRASE = 'simulator-passphrase'  # noqa: S105

HOST = '127.0.0.1'
SERVER = f'ccxt-mmp-simulator/{__version__}'
CONTROL = '/_control/'
MAX_LATENCY = 600_000  # ms
SHUTDOWN_TIMEOUT = 0.1  # s that requests under way have when the simulator is closed
URL_TABLES = ('api', 'test', 'demo', 'apiBackup', 'apiBackupDemoTrading')
PAGE = '<html><body>The service is unavailable.</body></html>'


@dataclass(frozen=True)
class LoggedRequest:
    """A request that the simulator received, without its signature; its headers, which carry the key, are not kept."""

    method: str
    path: str
    query: str
    body: str
    status: int | None  # None: the connection was dropped before it took effect
    unknown: tuple[str, ...] = ()  # parameters that the endpoint does not know (OKX; Binance refuses them)
    time: int = 0  # ms since the epoch
    port: int = 0  # of the client: one for each connection


class Simulator:
    """OKX and Binance on loopback, as far as options and Market Maker Protection go::

        with Simulator() as simulator:
            exchange = simulator.connect(ccxt_mmp.okx)
            exchange.set_mmp('BTC/USD', 5000, 2000, 100)

    It serves 127.0.0.1 alone. The methods below take an underlying as the exchange's own id or as ccxt's unified name
    (``'BTC-USD'``, ``'BTC/USD'``, ``'BTC/USD:BTC'``), and raise ``ValueError`` for one that is not listed. At the end
    of the block, a request that it does not know, a fault that was never used and an error of its own are raised
    (``check``).

    :param int port: of 127.0.0.1, 0 for any that is free
    :param clock: the exchange's time in ms since the epoch, the system's by default
    :param bool enforce_limits: refuse what is beyond the documented rate limits
    :param str trigger: 'reach' or 'exceed': when a sum of fills trips a protection [unverified]
    :param bool reset_clears_last_trigger: whether a reset clears Binance's lastTriggerTime [unverified]
    :param bool set_ends_freeze: whether setting a rule ends a freeze [unverified]
    :param bool reverse_batch_cancels: whether Binance answers ``DELETE batchOrders`` from the last item to the first,
        for clients that must not rely on an order [unverified]
    :param int latency: ms by which every answer of the venues is late, see the attribute
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Callable[[], int] | None = None,
        enforce_limits: bool = True,
        latency: int = 0,
        trigger: Trigger = 'reach',
        reset_clears_last_trigger: bool = False,
        set_ends_freeze: bool = False,
        reverse_batch_cancels: bool = False,
    ) -> None:
        self.requests: list[LoggedRequest] = []
        self.unexpected: list[LoggedRequest] = []
        self.errors: list[Exception] = []
        self._port = port
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)
        self._advanced = 0
        self.latency = latency
        self._enforce_limits = enforce_limits
        self._lock = threading.Lock()  # the server's thread and the control methods use the same state
        unverified = Unverified(trigger, reset_clears_last_trigger, set_ends_freeze, reverse_batch_cancels)
        self._engine = Engine(self.now(), unverified)
        self._account = Account(KEY, SECRET, PASSPHRASE)
        self._accounts = {KEY: self._account}
        self._faults: list[Fault] = []
        self._open_venues()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @contextmanager
    def _state(self) -> Iterator[int]:
        """The state to oneself, with every countdown expired that is over; the exchange's time."""
        with self._lock:
            now = self.now()
            self._engine.expire_countdowns(self._accounts.values(), now)
            yield now

    def _open_venues(self) -> None:
        """The venues, with nothing counted yet towards their limits."""
        windows, weights = (RollingWindows(), FixedWindows()) if self._enforce_limits else (None, None)
        self._okx = OkxVenue(self._engine, self._accounts, windows)
        self._binance = BinanceVenue(self._engine, self._accounts, weights)

    # --- life cycle

    def __enter__(self) -> 'Simulator':
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            self.check()

    def start(self) -> 'Simulator':
        """Serve; returns when the port is open, and at once if it is."""
        if self._thread is not None:
            return self
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name='ccxt-mmp-simulator', daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            self._thread = None
            raise self._failure
        return self

    def close(self) -> None:
        """Stop serving; the state of the exchanges is kept."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def check(self) -> None:
        """Raise what went wrong in the simulator itself, for requests that it does not know and for unused faults."""
        if self.errors:
            raise self.errors[0]
        if self.unexpected:
            paths = ', '.join(f'{request.method} {request.path}' for request in self.unexpected)
            raise AssertionError(f'the simulator received requests that it does not know: {paths}')
        unused = [fault for fault in self._faults if not fault.was_used]
        if unused:
            named = ', '.join(map(str, unused))
            raise AssertionError(f'faults were asked for and no request came that they strike: {named}')

    @property
    def url(self) -> str:
        """The base of both venues, ``http://127.0.0.1:<port>``."""
        return f'http://{HOST}:{self._port}'

    def connect(self, exchange_class: type[E], account: Account | None = None, **config: Any) -> E:
        """An exchange of any ccxt class of either venue, plain or extended, that talks to this simulator alone.

        It has the credentials of an account and shares the exchange's clock, also after ``advance``, for which it
        cannot be copied or pickled. Everything else is as in production: ``load_markets`` of Binance loads no options
        unless they are among ``options['fetchMarkets']``.
        """
        account = account or self._account
        credentials = {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase}
        make: Callable[..., Any] = exchange_class
        exchange = make({**credentials, **config})
        redirect(exchange, self.url)
        exchange.milliseconds = self.now
        connected: E = exchange
        return connected

    # --- control

    def now(self) -> int:
        """The exchange's time, ms since the epoch."""
        return self._clock() + self._advanced

    def advance(self, milliseconds: int) -> None:
        """Set the exchange's clock forward; freezes and locks end, countdowns fire."""
        if type(milliseconds) is not int or milliseconds < 0:
            raise ValueError(f'time goes forward by whole milliseconds, not by {milliseconds!r}')
        with self._lock:
            self._advanced += milliseconds
        with self._state():
            pass

    def add_account(self, key: str, secret: str, passphrase: str = PASSPHRASE, *, privileged: bool = True) -> Account:
        """Another account, with orders, protections and limits of its own."""
        account = Account(key, secret, passphrase, privileged)
        with self._lock:
            self._accounts[key] = account
        return account

    @property
    def privileged(self) -> bool:
        """Whether the account has the market maker privilege."""
        return self._account.privileged

    @privileged.setter
    def privileged(self, privileged: bool) -> None:
        if not isinstance(privileged, bool):
            raise TypeError(f'a privilege is granted or not, {privileged!r} is neither')
        self._account.privileged = privileged

    def list_options(
        self, venue: str, underlying: str, *, base: str, settle: str, strikes: Iterable[int | str]
    ) -> list[str]:
        """List further options of a new or a listed underlying, over the expiries of the others; their ids.

        An id is listed once, ValueError otherwise. A unified name says what it is settled in. Binance's ids do not
        name the quote: a series of another one, such as ``list_options('binance', 'BTCUSDC', base='BTC',
        settle='USDC', strikes=[61_000])``, which is made up, needs strikes that ``BTCUSDT`` does not have.
        """
        wanted = list(strikes)
        wrong = [strike for strike in wanted if not is_positive(str(strike))]
        if wrong:
            raise ValueError(f'a strike is a plain number above 0, not {wrong[0]!r}')
        with self._state():
            own_id = new_underlying_id(venue, underlying, base, settle)
            options = self._engine.list_options(venue, own_id, base, settle, wanted)
        return [option.instrument_id for option in options]

    def instruments(self, venue: str, underlying: str) -> list[str]:
        """The ids of an underlying's options that have not expired; ValueError if there are none."""
        own_id = self._named(venue, underlying)
        with self._state() as now:
            return [option.instrument_id for option in self._engine.options(venue, own_id, now)]

    def _named(self, venue: str, underlying: str) -> str:
        """The id of a listed underlying by any of its names."""
        require_venue(venue)
        return underlying_id(venue, underlying, self._engine.series[venue])

    def _protected(self, venue: str, underlying: str | None) -> str | None:
        """The same, or None for block trading where there is some."""
        return None if underlying is None and venue in BLOCK_TRADING else self._named(venue, str(underlying))

    def set_rule(
        self, venue: str, underlying: str | None = None, rule: Rule = EXAMPLE_RULE, *, account: Account | None = None
    ) -> None:
        """Set the rule of a protection, as another client of the account would."""
        own_id = self._protected(venue, underlying)
        with self._state():
            self._engine.set_rule(account or self._account, venue, own_id, rule)

    def protection(self, venue: str, underlying: str | None = None, *, account: Account | None = None) -> Protection:
        """The exchange's side of a protection."""
        own_id = self._protected(venue, underlying)
        with self._state():
            return (account or self._account).protection(venue, own_id)

    def trip(self, venue: str, underlying: str | None = None, *, account: Account | None = None) -> None:
        """Trip a protection, as fills beyond its limits would: ``trip('okx', 'BTC-USD')``, ``trip('okx')`` for RFQ."""
        own_id = self._protected(venue, underlying)
        with self._state() as now:
            self._engine.trip(account or self._account, venue, own_id, now)

    def rest(
        self,
        venue: str,
        underlying: str,
        *,
        mmp: bool,
        side: Side = 'buy',
        quantity: str = '10',
        symbol: str | None = None,
        account: Account | None = None,
    ) -> Order:
        """Put an order of an underlying into the book, as another client of the account would.

        :param str symbol: the exchange's own id or the unified symbol of the option, the first one by default
        """
        own_id = self._named(venue, underlying)
        with self._state() as now:
            series = self._engine.series[venue][own_id]
            options = self._engine.options(venue, own_id, now)
            option = next((each for each in options if symbol in (None, each.instrument_id)), None)
            if option is None:
                option = next((each for each in options if symbol == unified_symbol(each, series)), None)
            if option is None:
                raise ValueError(f'{venue} lists no option {symbol} of {underlying}')
            order = Order('', option, side, option.tick, Decimal(quantity), mmp, order_type='mmp' if mmp else 'limit')
            return self._engine.place(account or self._account, order, now)

    def resting(self, venue: str, underlying: str, *, account: Account | None = None) -> list[Order]:
        """The orders that rest in the book."""
        own_id = self._named(venue, underlying)
        with self._state():
            orders = (account or self._account).open_orders(venue)
        return [order for order in orders if order.underlying == own_id]

    def order(self, order_id: str) -> Order:
        """Any order by its id."""
        with self._state():
            return self._order(order_id)[1]

    def _order(self, order_id: str) -> tuple[Account, Order]:
        everywhere = ((account, order) for account in self._accounts.values() for order in account.orders)
        found = next((each for each in everywhere if each[1].order_id == str(order_id)), None)
        if found is None:
            raise KeyError(f'there is no order {order_id}')
        return found

    def fill(self, order_id: str, quantity: float | str | None = None, *, delta: float | str | None = None) -> None:
        """Somebody trades with an order: all of what is left of it, or some contracts.

        :param delta: of one contract of the option when it is bought, in the coin, for Binance's delta limit
        """
        with self._state() as now:
            account, order = self._order(order_id)
            contracts = order.quantity - order.filled if quantity is None else Decimal(str(quantity))
            self._engine.fill(account, order, contracts, now, None if delta is None else Decimal(str(delta)))

    def refuse_cancel(self, order_id: str) -> None:
        """Refuse every cancellation of an order by its owner, alone or in a batch, until ``allow_cancel``.

        The exchange itself still cancels it: by underlying, by a mass cancel, by a countdown or by a trigger.
        """
        self.order(order_id).cancel_refused = True

    def allow_cancel(self, order_id: str) -> None:
        """End ``refuse_cancel``."""
        self.order(order_id).cancel_refused = False

    def execute_block_trades(self, attempts: int = 1, *, account: Account | None = None) -> None:
        """Execution attempts of OKX block trading, which its protection counts."""
        if type(attempts) is not int or attempts < 1:
            raise ValueError(f'attempts are an integer of at least 1, not {attempts!r}')
        with self._state() as now:
            self._engine.execute_block_trades(account or self._account, attempts, now)

    def fault(
        self,
        kind: Kind,
        path: str = '',
        *,
        method: str | None = None,
        times: int = 1,
        milliseconds: int = 0,
        status: int = 500,
        retry_after: int = 1,
    ) -> None:
        """Let the next requests go wrong, those whose path ends so: see ``ccxt_mmp.simulator.faults`` for the kinds."""
        fault = Fault(kind, path, method, times, milliseconds, status, retry_after)
        with self._lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        """Forget the faults that are left, also for ``check``."""
        with self._lock:
            self._faults.clear()

    @property
    def used_weight(self) -> int:
        """Binance's request weight of this minute."""
        return self._binance.used_weight(self.now())

    def use_weight(self, weight: int) -> None:
        """Count Binance's request weight of this minute as if other programs of the same address had used it."""
        if type(weight) is not int or weight < 1:
            raise ValueError(f'a weight is an integer of at least 1, not {weight!r}')
        with self._state() as now:
            self._binance.use_weight(weight, now)

    @property
    def latency(self) -> int:
        """ms by which every answer of the venues is late, each on its own; requests take effect when they come."""
        return self._latency

    @latency.setter
    def latency(self, milliseconds: int) -> None:
        if type(milliseconds) is not int or not 0 <= milliseconds <= MAX_LATENCY:
            raise ValueError(f'a latency is an integer from 0 to {MAX_LATENCY}, not {milliseconds!r}')
        self._latency = milliseconds

    def clear(self) -> None:
        """Forget orders, protections, faults, what was counted and what was logged.

        Accounts, listed options, the clock and the latency stay.
        """
        with self._lock:
            for account in self._accounts.values():
                account.orders.clear()
                account.resting.clear()
                account.protections.clear()
                account.countdowns.clear()
                account.privileged = True
            for log in (self.requests, self.unexpected, self.errors, self._faults):
                log.clear()
            self._open_venues()

    # --- serving

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised by start()
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=SHUTDOWN_TIMEOUT)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, self._port)
            await site.start()
            self._port = runner.addresses[0][1]
            self._ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._respond(request)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - raised in the test that caused it, by check()
            self.errors.append(error)
            return self._response(Answer({'msg': f'the simulator failed: {error!r}'}, 500))

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition('?')
        # a page in a browser cannot be made to reach this server under another name
        if request.host not in (f'{HOST}:{self._port}', f'localhost:{self._port}'):
            return self._response(Answer({'msg': 'this server answers 127.0.0.1 alone'}, 403))
        body = (await request.read()).decode(errors='surrogateescape')
        if path.startswith(CONTROL):
            answer = control.answer(self, request.method, path.removeprefix(CONTROL), request.content_type, body)
            return self._response(answer)
        fault = self._next_fault(request.method, path)
        port = request.transport.get_extra_info('peername')[1] if request.transport else 0
        received = Request(request.method, path, query, body, request.headers, port)
        if fault is not None and fault.kind == 'drop_before':
            self._log(received, None)
            return self._dropped(request)
        if fault is not None and fault.kind == 'hold':
            await asyncio.sleep(fault.milliseconds / 1000)
        answer = self._fault_answer(fault, received) or self._effect(received, fault)
        late = self._latency + (fault.milliseconds if fault is not None and fault.kind == 'delay' else 0)
        if late:
            await asyncio.sleep(late / 1000)
        if fault is not None and fault.kind == 'drop_after':
            return self._dropped(request)
        return self._response(answer, None if fault is None else fault.kind)

    def _next_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            fault = next((each for each in self._faults if each.strikes(method, path)), None)
            if fault is not None:
                fault.was_used = True
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
            return fault

    def _fault_answer(self, fault: Fault | None, request: Request) -> Answer | None:
        """The answer of a fault that keeps a request from taking effect."""
        if fault is None or fault.kind not in ('status', 'result_false'):
            return None
        if fault.kind == 'result_false':
            answer = Answer({'code': '0', 'data': [{'result': False}], 'msg': ''})
        elif fault.status in (418, 429):
            is_okx = request.path.startswith(OKX_PREFIX)
            refusal = (
                {'code': '50011', 'data': [], 'msg': 'Too Many Requests'}
                if is_okx
                else {'code': -1003, 'msg': 'Too many requests.'}
            )
            answer = Answer(refusal, fault.status, {'Retry-After': str(fault.retry_after)})
        else:
            answer = Answer(PAGE, fault.status)
        self._log(request, answer.status)
        return answer

    def _effect(self, request: Request, fault: Fault | None) -> Answer:
        """What a venue does about a request."""
        if fault is not None and fault.kind == 'half_batch':
            request = replace(request, refuse_every_second=True)
        with self._state() as now:
            times = Times(now, now - self._advanced)
            try:
                answered = self._okx.answer(request, times) or self._binance.answer(request, times)
            except Exception:
                self._log(request, 500)
                raise
        if answered is None:
            answered = Answer({'msg': f'the simulator has no {request.method} {request.path}'}, 404), []
            self.unexpected.append(self._log(request, 404))
        else:
            self._log(request, answered[0].status, answered[1])
        return answered[0]

    def _log(self, request: Request, status: int | None, unknown: list[str] | None = None) -> LoggedRequest:
        logged = LoggedRequest(
            method=request.method,
            path=request.path,
            query=redacted_by_shape(request.query),
            body=redacted_by_shape(request.body),
            status=status,
            unknown=tuple(unknown or ()),
            time=self.now(),
            port=request.port,
        )
        self.requests.append(logged)
        return logged

    @staticmethod
    def _dropped(request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:  # unless the client has given up before
            request.transport.abort()
        return web.Response()

    @staticmethod
    def _response(answer: Answer, fault: Kind | None = None) -> web.StreamResponse:
        text, content_type = json.dumps(answer.body), 'application/json'
        if fault == 'truncated':
            text = text[: len(text) // 2]
        if fault == 'malformed' or answer.body == PAGE:
            text, content_type = PAGE, 'text/html'
        return web.Response(
            text=text, status=answer.status, content_type=content_type, headers={'Server': SERVER, **answer.headers}
        )


def redirect(exchange: Any, url: str) -> None:
    """Let every API of an exchange object, live, sandbox and demo, be at another base."""
    exchange.urls = {
        name: _redirected(table, url) if name in URL_TABLES else table for name, table in exchange.urls.items()
    }


def _redirected(urls: Any, base: str) -> Any:
    if isinstance(urls, dict):
        return {name: _redirected(each, base) for name, each in urls.items()}
    scheme, _, rest = urls.partition('://')
    _, slash, path = rest.partition('/')
    return (base.replace('http', 'ws', 1) if scheme in ('ws', 'wss') else base) + slash + path
