"""The simulator as a test or a bot's author holds it: start, connect, and every control method."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, TypeVar

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import control
from ccxt_mmp.simulator.accounts import Account, Order, Protection, Rule, Side, Trigger
from ccxt_mmp.simulator.bot_support import BotSupport
from ccxt_mmp.simulator.cancel_control import CancelControl
from ccxt_mmp.simulator.engine import FrozenOrders, Instruments, StreamForm, Unverified
from ccxt_mmp.simulator.faults import Fault, Kind
from ccxt_mmp.simulator.frames import LoggedFrame
from ccxt_mmp.simulator.gateway import Gateway
from ccxt_mmp.simulator.log import Log, LoggedRequest
from ccxt_mmp.simulator.redirection import redirect
from ccxt_mmp.simulator.server import Server
from ccxt_mmp.simulator.sleeping import Sleepers
from ccxt_mmp.simulator.socket_faults import SocketFault, SocketKind, is_of_sockets
from ccxt_mmp.simulator.sockets import Sockets
from ccxt_mmp.simulator.state import State, system_time
from ccxt_mmp.simulator.venue import WeighingVenue
from ccxt_mmp.simulator.wire import Answer, Request, is_positive

E = TypeVar('E')

# the published credentials of the simulator
KEY = 'simulator-key'
SECRET = 'simulator-secret'  # noqa: S105  # pragma: allowlist secret
PASSPHRASE = 'simulator-passphrase'  # noqa: S105

MAX_LATENCY = 600_000  # ms
LOG_SIZE = 100_000  # requests, some tens of MB
EXAMPLE_RULE = Rule(window=3000, frozen_time=300_000, qty_limit='2', delta_limit='2.3')  # a documented one


class Simulator(CancelControl, BotSupport):
    """The exchanges on loopback, as far as options and Market Maker Protection go::

        with Simulator() as simulator:
            exchange = simulator.connect(ccxt_mmp.okx)
            exchange.set_mmp('BTC/USD', 5000, 2000, 100)

    It serves 127.0.0.1 alone. The methods below take a venue by ccxt's id of the exchange, and an underlying as the
    exchange's own id or as ccxt's unified name (``'BTC-USD'``, ``'BTC/USD'``, ``'BTC/USD:BTC'``). They raise
    ``ValueError`` for one that is not listed. At the end of the block, a request that it does not know, a fault that
    was never used and an error of its own are raised (``check``).

    :param int port: of 127.0.0.1, 0 for any that is free
    :param clock: the exchange's time in ms since the epoch, the system's by default
    :param bool enforce_limits: refuse what is beyond the documented rate limits
    :param str trigger: 'reach' or 'exceed': when a sum of fills trips a protection [unverified]
    :param bool reset_clears_last_trigger: whether a reset clears Binance's lastTriggerTime [unverified]
    :param bool set_ends_freeze: whether setting a rule ends a freeze [unverified]
    :param bool reverse_batch_cancels: whether Binance answers ``DELETE batchOrders`` from the last item to the first,
        for clients that must not rely on an order [unverified]
    :param str stream_form: 'object' or 'list': the form of Binance's ORDER_TRADE_UPDATE, which documents both
    :param str instruments: 'new' or 'old': whether orders over OKX's websocket name an option by its ``instIdCode`` or,
        as before 2026, by its ``instId``
    :param str frozen_orders: 'refuse' or 'reject': whether Bybit refuses an MMP order in a freeze at once, with a code
        that no page lists, or acknowledges it and then rejects it [unverified]
    :param int processing_time: ms, see the attribute
    :param int latency: ms by which every answer of the venues is late, see the attribute
    :param str unknown: 'fail': a request that it does not know is raised by ``check``; 'ignore': it is a 404 alone
    :param int log_size: how many requests are kept in ``requests``; the oldest go
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
        unknown: Literal['fail', 'ignore'] = 'fail',
        log_size: int = LOG_SIZE,
        stream_form: StreamForm = 'object',
        instruments: Instruments = 'new',
        frozen_orders: FrozenOrders = 'refuse',
        processing_time: int = 0,
    ) -> None:
        if unknown not in ('fail', 'ignore'):
            raise ValueError(f'unknown is one of fail, ignore, not {unknown!r}')
        self.errors: list[Exception] = []
        self._unknown = unknown
        unverified = Unverified(
            trigger,
            reset_clears_last_trigger,
            set_ends_freeze,
            reverse_batch_cancels,
            stream_form,
            instruments,
            frozen_orders,
        )
        self._state = State(clock or system_time, unverified, enforce_limits=enforce_limits)
        self._engine = self._state.engine
        self._account = self.add_account(KEY, SECRET)
        self._log = Log(log_size)
        self._sleepers = Sleepers(self._state.now)
        self._gateway = Gateway(self._state, self._log)
        self._faults = self._gateway.faults
        self.latency = latency
        self.processing_time = processing_time
        self._sockets = Sockets(self._state, self._log.frames, self.errors, lambda: self._gateway.latency)
        self._server = Server(self._handle, self._sockets, self.errors, port)

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
        """Serve; the port is open when it returns."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop serving; the state of the exchanges is kept."""
        self._server.close()

    def check(self) -> None:
        """Raise what went wrong in the simulator itself, for requests that it does not know and for unused faults."""
        if self.errors:
            raise self.errors[0]
        if self.unexpected and self._unknown == 'fail':
            paths = ', '.join(f'{request.method} {request.path}' for request in self.unexpected)
            raise AssertionError(f'the simulator received requests that it does not know: {paths}')
        unused = [*(fault for fault in self._faults if not fault.was_used), *self._sockets.unused()]
        if unused:
            named = ', '.join(map(str, unused))
            raise AssertionError(f'faults were asked for and no request came that they strike: {named}')

    @property
    def url(self) -> str:
        """The base of all venues, ``http://127.0.0.1:<port>``."""
        return self._server.url

    @property
    def requests(self) -> list[LoggedRequest]:
        """What the venues received, the latest last."""
        return self._log.requests

    @requests.setter
    def requests(self, requests: list[LoggedRequest]) -> None:
        self._log.requests = requests

    @property
    def frames(self) -> list[LoggedFrame]:
        """The latest that went over the websockets, both ways, without credentials; the latest last."""
        return self._log.frames.all()

    @property
    def unexpected(self) -> list[LoggedRequest]:
        """Those that no venue knows."""
        return self._log.unexpected

    def connect(self, exchange_class: type[E], account: Account | None = None, **config: Any) -> E:
        """An exchange of any ccxt class of a venue, plain or extended, that talks to this simulator alone.

        It has the credentials of an account and shares the exchange's clock, also after ``advance``, for which it
        cannot be deep-copied or pickled. Everything else is as in production: ``load_markets`` of Binance loads no
        options unless they are among ``options['fetchMarkets']``. TypeError for what is no class, such as a name or an
        object, and ValueError for an exchange that is no venue.
        """
        venues = list(self._state.listings)
        if not isinstance(exchange_class, type):
            raise TypeError(f'connect takes a class, such as ccxt_mmp.{venues[0]}, not {exchange_class!r}')
        names = {each.__name__ for each in exchange_class.__mro__}
        if names.isdisjoint(venues):
            raise ValueError(f'{exchange_class.__name__} is no venue, nor a class of one: {", ".join(venues)}')
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
        return self._state.now()

    def advance(self, milliseconds: int) -> None:
        """Set the exchange's clock forward; freezes and locks end, countdowns fire, and who sleeps by it wakes.

        By ten years in all, ValueError beyond them.
        """
        if type(milliseconds) is not int or milliseconds < 0:
            raise ValueError(f'time goes forward by whole milliseconds, not by {milliseconds!r}')
        self._state.advance(milliseconds)
        self._sleepers.wake()
        self._sockets.wake()

    def add_account(self, key: str, secret: str, passphrase: str = PASSPHRASE, *, privileged: bool = True) -> Account:
        """Another account, with orders, protections and limits of its own."""
        account = Account(key, secret, passphrase, privileged)
        with self._state.lock:
            self._state.accounts[key] = account
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
        listing = self._listing(venue)
        with self._state.held():
            own_id = listing.new_underlying_id(underlying, base, settle)
            options = self._engine.list_options(venue, own_id, base, settle, wanted)
        return [option.instrument_id for option in options]

    def instruments(self, venue: str, underlying: str) -> list[str]:
        """The ids of an underlying's options that have not expired; ValueError if there are none."""
        own_id = self._named(venue, underlying)
        with self._state.held() as now:
            return [option.instrument_id for option in self._engine.options(venue, own_id, now)]

    def _protected(self, venue: str, underlying: str | None) -> str | None:
        """The same, or None for block trading where there is some."""
        if underlying is None and venue in self._state.listings and EXCHANGES[venue].has_rfq:
            return None
        return self._named(venue, str(underlying))

    def set_rule(
        self, venue: str, underlying: str | None = None, rule: Rule = EXAMPLE_RULE, *, account: Account | None = None
    ) -> None:
        """Set the rule of a protection, as another client of the account would."""
        own_id = self._protected(venue, underlying)
        with self._state.held():
            self._engine.set_rule(account or self._account, venue, own_id, rule)

    def protection(self, venue: str, underlying: str | None = None, *, account: Account | None = None) -> Protection:
        """The exchange's side of a protection."""
        own_id = self._protected(venue, underlying)
        with self._state.held():
            return (account or self._account).protection(venue, own_id)

    def trip(self, venue: str, underlying: str | None = None, *, account: Account | None = None) -> None:
        """Trip a protection, as fills beyond its limits would: ``trip('okx', 'BTC-USD')``, ``trip('okx')`` for RFQ."""
        own_id = self._protected(venue, underlying)
        with self._state.held() as now:
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
        client_order_id: str = '',
        account: Account | None = None,
    ) -> Order:
        """Put an order of an underlying into the book, as another client of the account would.

        :param str symbol: the exchange's own id or the unified symbol of the option, the first one by default
        """
        own_id = self._named(venue, underlying)
        with self._state.held() as now:
            listing, series = self._listing(venue), self._engine.series[venue][own_id]
            options = self._engine.options(venue, own_id, now)
            option = next((each for each in options if symbol in (None, each.instrument_id)), None)
            if option is None:
                option = next((each for each in options if symbol == listing.unified_symbol(each, series)), None)
            if option is None:
                raise ValueError(f'{venue} lists no option {symbol} of {underlying}')
            order = Order('', option, side, option.tick, Decimal(quantity), mmp, client_order_id)
            order.order_type = 'mmp' if mmp else 'limit'
            return self._engine.place(account or self._account, order, now)

    def resting(self, venue: str, underlying: str, *, account: Account | None = None) -> list[Order]:
        """The orders that rest in the book."""
        own_id = self._named(venue, underlying)
        with self._state.held():
            orders = (account or self._account).open_orders(venue)
        return [order for order in orders if order.underlying == own_id]

    def fill(self, order_id: str, quantity: float | str | None = None, *, delta: float | str | None = None) -> None:
        """Somebody trades with an order: all of what is left of it, or some contracts.

        :param delta: of one contract of the option when it is bought, in the coin, for Binance's delta limit
        """
        with self._state.held() as now:
            account, order = self._state.find_order(order_id)
            contracts = order.quantity - order.filled if quantity is None else Decimal(str(quantity))
            self._engine.fill(account, order, contracts, now, None if delta is None else Decimal(str(delta)))

    def execute_block_trades(self, attempts: int = 1, *, account: Account | None = None) -> None:
        """Execution attempts of block trading, which its protection counts: of the first venue that has one."""
        if type(attempts) is not int or attempts < 1:
            raise ValueError(f'attempts are an integer of at least 1, not {attempts!r}')
        venue = next(name for name in self._state.listings if EXCHANGES[name].has_rfq)
        with self._state.held() as now:
            self._engine.execute_block_trades(account or self._account, venue, attempts, now)

    def fault(
        self,
        kind: Kind | SocketKind,
        path: str = '',
        *,
        method: str | None = None,
        times: int = 1,
        milliseconds: int = 0,
        status: int = 500,
        retry_after: int = 1,
        op: str | None = None,
        channel: str | None = None,
        code: int | None = None,
    ) -> None:
        """Let the next requests go wrong, those whose path ends so: see ``ccxt_mmp.simulator.faults`` for the kinds.

        With an ``op`` or a ``channel``, or of a kind that requests do not have, it strikes websockets: the operations
        and pushes of that name, for the kinds see ``ccxt_mmp.simulator.socket_faults``. ``drop``, ``close``, ``mute``
        and ``notice`` without either strike at once: so many open connections, the oldest first, then new ones.
        """
        if is_of_sockets(kind, {'op': op, 'channel': channel, 'code': code}):
            if method is not None:
                raise ValueError('a fault of a socket has no method')
            socket_kind: Any = kind
            self._sockets.strike(
                SocketFault(socket_kind, op, channel, path, times, milliseconds, 1001 if code is None else code)
            )
            return
        request_kind: Any = kind
        fault = Fault(request_kind, path, method, times, milliseconds, status, retry_after)
        with self._state.lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        """Forget the faults that are left, also for ``check``."""
        with self._state.lock:
            self._faults.clear()
            self._sockets.faults.clear()

    @property
    def used_weight(self) -> int:
        """Binance's request weight of this minute."""
        return self._weighing_venue().used_weight(self.now())

    def use_weight(self, weight: int) -> None:
        """Count Binance's request weight of this minute as if other programs of the same address had used it."""
        if type(weight) is not int or weight < 1:
            raise ValueError(f'a weight is an integer of at least 1, not {weight!r}')
        with self._state.held() as now:
            self._weighing_venue().use_weight(weight, now)

    def _weighing_venue(self) -> WeighingVenue:
        return next(venue for venue in self._state.venues if isinstance(venue, WeighingVenue))

    @property
    def latency(self) -> int:
        """ms by which every answer of the venues is late, each on its own; requests take effect when they come."""
        return self._gateway.latency

    @latency.setter
    def latency(self, milliseconds: int) -> None:
        if type(milliseconds) is not int or not 0 <= milliseconds <= MAX_LATENCY:
            raise ValueError(f'a latency is an integer from 0 to {MAX_LATENCY}, not {milliseconds!r}')
        self._gateway.latency = milliseconds

    def clear(self) -> None:
        """Forget orders, positions, protections, faults, answers, prices, what was counted and what was logged.

        Accounts, listed options, the clock, the latency and the processing time stay.
        """
        with self._state.lock:
            self._state.clear()
            self._log.clear()
            self.errors.clear()
            self._faults.clear()
            self._gateway.stubs.clear()
            self._sockets.faults.clear()

    # --- serving

    async def _handle(self, request: Request) -> Answer | None:
        if request.path.startswith(control.PREFIX):
            return control.answer(request, self._commands(), self._log, self.now)
        return await self._gateway.answer(request)

    def _commands(self) -> control.Commands:
        return {
            'fill': self.fill,
            'trip': self.trip,
            'advance': self.advance,
            'fault': self.fault,
            'clear_faults': self.clear_faults,
            'privilege': lambda granted: setattr(self, 'privileged', granted),
            'refuse_cancel': self.refuse_cancel,
            'allow_cancel': self.allow_cancel,
            'use_weight': self.use_weight,
            'latency': lambda milliseconds: setattr(self, 'latency', milliseconds),
            'processing_time': lambda milliseconds: setattr(self, 'processing_time', milliseconds),
            'execute_block_trades': self.execute_block_trades,
            'answer': self.answer,
            'set_index': self.set_index,
            'clear': self.clear,
        }
