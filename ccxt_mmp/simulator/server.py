"""Both venues on one loopback port, served by a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from aiohttp import web

from ccxt_mmp._version import __version__
from ccxt_mmp.simulator.binance import BinanceVenue
from ccxt_mmp.simulator.engine import EXAMPLE_RULE, Engine, Order, Protection, Rule
from ccxt_mmp.simulator.okx import OkxVenue
from ccxt_mmp.simulator.wire import Account, Answer, Request

# the published credentials of the simulator
KEY = 'simulator-key'
SECRET = 'simulator-secret'  # noqa: S105  # pragma: allowlist secret
PASSPHRASE = 'simulator-passphrase'  # noqa: S105

HOST = '127.0.0.1'
SERVER = f'ccxt-mmp-simulator/{__version__}'
URL_TABLES = ('api', 'test', 'demo', 'apiBackup', 'apiBackupDemoTrading')


@dataclass(frozen=True)
class LoggedRequest:
    """A request that the simulator received; its headers, which carry the key, are not kept."""

    method: str
    path: str
    query: str
    body: str
    status: int


class Simulator:
    """OKX and Binance on loopback, as far as Market Maker Protection goes::

        with Simulator() as simulator:
            exchange = simulator.connect(ccxt_mmp.okx)
            exchange.set_mmp('BTC/USD', 5000, 2000, 100)

    :param int port: of 127.0.0.1, 0 for any that is free
    :param clock: the exchange's time in ms since the epoch, the system's by default
    :param bool reset_clears_last_trigger: whether a reset clears Binance's lastTriggerTime [unverified]
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Callable[[], int] | None = None,
        reset_clears_last_trigger: bool = False,
    ) -> None:
        self.requests: list[LoggedRequest] = []
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)
        self._port = port
        self._lock = threading.Lock()  # the engine is used by the server's thread and by the control methods
        self._engine = Engine(reset_clears_last_trigger)
        self._account = Account(KEY, SECRET, PASSPHRASE)
        self._venues = (OkxVenue(self._engine, self._account), BinanceVenue(self._engine, self._account))
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    # --- life cycle

    def __enter__(self) -> 'Simulator':
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> 'Simulator':
        """Serve; returns when the port is open."""
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name='ccxt-mmp-simulator', daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def close(self) -> None:
        """Stop serving; the state of the exchanges is kept."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    @property
    def url(self) -> str:
        """The base of both venues, ``http://127.0.0.1:<port>``."""
        return f'http://{HOST}:{self._port}'

    def connect(self, exchange_class: Callable[[dict[str, Any]], Any], **config: Any) -> Any:
        """An exchange of any ccxt class of either venue, plain or extended, that talks to this simulator alone."""
        exchange = exchange_class({'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE, **config})
        redirect(exchange, self.url)
        return exchange

    # --- control

    @property
    def privileged(self) -> bool:
        """Whether the account has the market maker privilege."""
        return self._account.privileged

    @privileged.setter
    def privileged(self, privileged: bool) -> None:
        self._account.privileged = privileged

    def now(self) -> int:
        """The exchange's time, ms since the epoch."""
        return self._clock()

    def set_rule(self, venue: str, underlying: str | None = None, rule: Rule = EXAMPLE_RULE) -> None:
        """Set the rule of a protection, as another client of the account would."""
        with self._lock:
            self._engine.protection(venue, underlying).rule = rule

    def trip(self, venue: str, underlying: str | None = None) -> None:
        """Trip a protection, as fills beyond its limits would: ``trip('okx', 'BTC-USD')``, ``trip('okx')`` for RFQ."""
        with self._lock:
            self._engine.trip(venue, underlying, self._clock())

    def rest(self, venue: str, underlying: str, *, mmp: bool) -> Order:
        """Put an order into the book."""
        with self._lock:
            return self._engine.rest(venue, underlying, mmp)

    def resting(self, venue: str, underlying: str) -> list[Order]:
        """The orders that rest in the book."""
        with self._lock:
            return self._engine.resting(venue, underlying)

    def protection(self, venue: str, underlying: str | None = None) -> Protection:
        """The exchange's side of a protection."""
        with self._lock:
            return self._engine.protection(venue, underlying)

    # --- serving

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        runner = web.ServerRunner(web.Server(self._handle, access_log=None))
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
        path, _, query = request.raw_path.partition('?')
        body = (await request.read()).decode()
        received = Request(request.method, path, query, body, request.headers)
        with self._lock:
            answer = self._answer(received)
            self.requests.append(LoggedRequest(request.method, path, query, body, answer.status))
        return web.json_response(answer.body, status=answer.status, headers={'Server': SERVER})

    def _answer(self, request: Request) -> Answer:
        now = self._clock()
        for venue in self._venues:
            answer = venue.answer(request, now)
            if answer is not None:
                return answer
        return Answer({'msg': f'the simulator has no {request.method} {request.path}'}, 404)


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
