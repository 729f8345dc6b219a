"""The kill switch's own connections: it waits for no other request and shares no lock with one.

``Connections`` is for sync exchanges, ``AsyncConnections`` for async and pro ones. If the user has replaced the session
of the exchange, the kill switch uses that session: only the user knows what it needs.
"""

import asyncio
import io
import os
import sys
import time
from collections.abc import Coroutine, Generator
from contextlib import suppress
from functools import cache, lru_cache
from types import coroutine
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from ccxt_mmp.core.awaiting import within
from ccxt_mmp.core.request_context import answer_ends

# s, longer than aiohttp's, so that what warm_up has opened is still open when it is needed
KEEPALIVE, DNS_CACHE = 60, 600
# s that close() waits for requests under way; aiohttp waits until they are sent, and the other side may read nothing
CLOSING = 1.0
SETTINGS = frozenset(requests.Session.__attrs__)


class Connections:
    """Sessions of ``requests``. Each serves one request at a time: threads and signal handlers never share one."""

    def __init__(self) -> None:
        self._idle: list[tuple[int, requests.Session, requests.Session]] = []  # process, the exchange's session, ours

    def __reduce__(self) -> tuple[Any, ...]:
        return Connections, ()  # a copy of an exchange has no connections

    def lend(self, stock: Any) -> 'Loan':
        """``with connections.lend(stock) as session: ...``: a session with the settings of the exchange's own."""
        return Loan(self, stock)

    def give_back(self, stock: requests.Session, session: requests.Session) -> None:
        self._idle.append((os.getpid(), stock, session))

    def take(self, stock: requests.Session) -> requests.Session:
        while self._idle:
            try:
                process, like, session = self._idle.pop()
            except IndexError:  # another thread has taken it
                break
            if like is stock and process == os.getpid():  # after a fork both processes would share its sockets
                return session
            session.close()
        session = _Session()
        session.adapters.clear()
        for prefix, adapter in stock.adapters.items():
            session.mount(prefix, _Adapter.like(adapter))
        return session

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[-1].close()


class Loan:
    """What ``Connections.lend`` returns."""

    __slots__ = ('_connections', '_session', '_stock')

    def __init__(self, connections: Connections, stock: Any) -> None:
        self._connections = connections
        self._stock = stock
        self._session: Any = None

    def __enter__(self) -> Any:
        stock = self._stock
        if not is_plain(stock):
            return stock
        session = self._session = self._connections.take(stock)
        adapters = session.adapters
        session.__dict__.update(stock.__dict__)  # of which any may have been replaced since
        session.adapters = adapters
        return session

    def __exit__(self, *error: object) -> None:
        if self._session is not None:
            self._connections.give_back(self._stock, self._session)


def is_plain(session: Any) -> bool:
    """Whether it is an unmodified session of ``requests``: its settings can be copied, anything else cannot."""
    if type(session) is not requests.Session or not vars(session).keys() <= SETTINGS:
        return False
    return all(type(adapter) is HTTPAdapter for adapter in session.adapters.values())


class _Session(requests.Session):
    """Sends what ``requests`` would send, and does not ask each time for what ccxt never gives it."""

    def request(  # type: ignore[override]
        self, method: Any, url: Any, data: Any = None, headers: Any = None, proxies: Any = None, **others: Any
    ) -> requests.Response:
        all_headers = {**self.headers, **(headers or {})}
        is_usual = (
            not (proxies or self.proxies or self.auth or self.params or self.trust_env or self.hooks['response'])
            and (data is None or type(data) is bytes)
            and '@' not in url
            and None not in all_headers.values()
            and others.get('files') is None
        )
        if not is_usual:
            return super().request(method, url, data=data, headers=headers, proxies=proxies, **others)
        others.pop('files', None)
        request = requests.PreparedRequest()
        request.method = method
        request.prepare_url(url, None)
        request.prepare_headers(all_headers)
        request._cookies = self.cookies
        request.body = data or None
        request.prepare_content_length(request.body)
        return self.send(request, proxies={}, **others)


class _Reader(io.RawIOBase):
    """Reads an answer until its deadline. A socket's own timeout starts again with every byte."""

    def __init__(self, sock: Any, raw: Any) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        ends = answer_ends()
        if ends is not None:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError('timed out')
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _bounded(connection: Any) -> Any:
    """A connection of urllib3 that reads answers until their deadline."""
    stock = connection.response_class

    def response(sock: Any, *arguments: Any, **keywords: Any) -> Any:
        made = stock(sock, *arguments, **keywords)
        made.fp = io.BufferedReader(_Reader(sock, made.fp.detach()))
        return made

    connection.response_class = response
    return connection


@cache
def _bounded_pool(stock: type) -> type:
    def new_connection(self: Any) -> Any:
        return _bounded(stock._new_conn(self))  # type: ignore[attr-defined]

    return type(stock.__name__, (stock,), {'_new_conn': new_connection})


def _bound(manager: Any) -> Any:
    """A pool manager, of a proxy or not, whose connections read answers until their deadline."""
    manager.pool_classes_by_scheme = {
        scheme: _bounded_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


class _Adapter(HTTPAdapter):
    @classmethod
    def like(cls, stock: Any) -> '_Adapter':
        """One with the same settings, and connections of its own."""
        adapter = cls.__new__(cls)
        adapter.__setstate__(stock.__getstate__())
        return adapter

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        super().init_poolmanager(*arguments, **keywords)
        _bound(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **keywords: Any) -> Any:
        is_known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **keywords)
        return manager if is_known else _bound(manager)


class _AsyncSession:
    """A session of ``aiohttp`` with one timer for an answer: ccxt asks for three, which are all of the same time."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.headers = session.headers  # which ccxt reads each time

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get(self, url: Any, *, timeout: Any, **others: Any) -> Any:
        return self._session.get(url, timeout=_total(timeout), **others)

    def post(self, url: Any, *, timeout: Any, **others: Any) -> Any:
        return self._session.post(url, timeout=_total(timeout), **others)

    def delete(self, url: Any, *, timeout: Any, **others: Any) -> Any:
        return self._session.delete(url, timeout=_total(timeout), **others)


def _total(timeout: Any) -> Any:
    """The timeout of the whole request alone, which is all that older versions of ccxt say."""
    return timeout if type(timeout) is float else _of_whole_request(timeout.__class__, timeout.total)


@lru_cache(100)  # most requests have the same
def _of_whole_request(kind: Any, seconds: float) -> Any:
    return kind(total=seconds)


@cache
def _request_class() -> Any:
    """A request of ``aiohttp`` that writes its body at once; before Python 3.12 a task does, when it has its turn."""
    from aiohttp import ClientRequest  # noqa: PLC0415 - sync users do not need it

    class Request(ClientRequest):
        def write_bytes(self, *arguments: Any) -> Any:
            return started(super().write_bytes(*arguments))

    return ClientRequest if sys.version_info >= (3, 12) else Request


def started(work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    """The rest of a coroutine, after its first step."""
    try:
        return _rest(work, work.send(None))
    except StopIteration:
        return _nothing()


async def _nothing() -> None:
    pass


async def _rest(work: Coroutine[Any, Any, None], awaited: Any) -> None:
    await _next_steps(work, awaited)


@coroutine
def _next_steps(work: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    with suppress(StopIteration):
        while True:
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001, PERF203 - such as a cancellation
                awaited = work.throw(error)
            else:
                awaited = work.send(None)


class AsyncConnections:
    """A session of ``aiohttp`` on the running loop, which may not be the loop that the exchange was made on."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None  # of aiohttp
        self._session: Any = None  # the same, as the exchange gets it

    def __reduce__(self) -> tuple[Any, ...]:
        return AsyncConnections, ()  # a copy of an exchange has no connections

    def session(self, exchange: Any) -> Any:
        """The session; the exchange's own if the user has replaced or closed it."""
        stock = exchange.session
        connector = exchange.tcp_connector  # of a session that ccxt made
        is_of_the_user = stock is not None and (connector is None or getattr(stock, 'connector', None) is not connector)
        is_closed = exchange.__dict__.get('closed_by_user', False)
        if is_of_the_user or is_closed or not type(exchange).open.__module__.startswith('ccxt.'):
            return stock
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._client is None or self._client.closed:
            import aiohttp  # noqa: PLC0415 - sync users do not need it

            if exchange.ssl_context is None:
                exchange.open()  # creates it
            connector = aiohttp.TCPConnector(
                ssl=exchange.ssl_context, limit=0, keepalive_timeout=KEEPALIVE, ttl_dns_cache=DNS_CACHE
            )
            self._client = aiohttp.ClientSession(
                connector=connector, trust_env=exchange.aiohttp_trust_env, request_class=_request_class()
            )
            self._session, self._loop = _AsyncSession(self._client), loop
        return self._session

    async def close(self) -> None:
        session, self._client = self._client, None
        if session is not None and self._loop is asyncio.get_running_loop():
            with suppress(asyncio.TimeoutError):
                await within(CLOSING, session.close())
