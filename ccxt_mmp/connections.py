"""The kill switch's own connections, so that it neither queues behind other requests nor shares their locks.

``Connections`` serves sync exchanges, ``AsyncConnections`` async and pro ones. A session that the user has put into the
exchange is used as it is: nobody but the user knows what it needs.
"""

import asyncio
import copy
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from ccxt_mmp.request_context import answer_ends


class Connections:
    """Sessions of ``requests``, each lent to one request at a time: threads and signal handlers never share one."""

    def __init__(self) -> None:
        self._idle: list[tuple[requests.Session, requests.Session]] = []  # the exchange's own, and ours that is like it

    def __reduce__(self) -> tuple[Any, ...]:
        return Connections, ()  # a copy of an exchange has connected nowhere

    @contextmanager
    def lend(self, stock: Any) -> Iterator[Any]:
        """A session with the settings of the exchange's own."""
        if not isinstance(stock, requests.Session):
            yield stock
            return
        session = self._take(stock)
        try:
            yield session
        finally:
            self._idle.append((stock, session))

    def _take(self, stock: requests.Session) -> requests.Session:
        while self._idle:
            try:
                like, session = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if like is stock:
                return session
            session.close()
        session = copy.copy(stock)
        session.adapters = type(stock.adapters)()
        for prefix, adapter in stock.adapters.items():
            # an adapter of the user's keeps what it does
            session.mount(prefix, _Adapter() if type(adapter) is HTTPAdapter else copy.copy(adapter))
        return session

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


class _Reader(io.RawIOBase):
    """A socket's answer, until its time is over: a socket's own timeout starts again with every byte."""

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
    """A connection of urllib3 whose answers are read until their time is over."""
    stock = connection.response_class

    def response(sock: Any, *arguments: Any, **keywords: Any) -> Any:
        made = stock(sock, *arguments, **keywords)
        made.fp = io.BufferedReader(_Reader(sock, made.fp.detach()))
        return made

    connection.response_class = response
    return connection


class _Pool(HTTPConnectionPool):
    def _new_conn(self) -> Any:
        return _bounded(super()._new_conn())


class _TlsPool(HTTPSConnectionPool):
    def _new_conn(self) -> Any:
        return _bounded(super()._new_conn())


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = {'http': _Pool, 'https': _TlsPool}

    def proxy_manager_for(self, *arguments: Any, **keywords: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **keywords)
        manager.pool_classes_by_scheme = {'http': _Pool, 'https': _TlsPool}
        return manager


class AsyncConnections:
    """A session of ``aiohttp`` on the loop that runs, whatever became of the one that the exchange was made on."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return AsyncConnections, ()  # a copy of an exchange has connected nowhere

    def session(self, exchange: Any) -> Any:
        """The session; the exchange's own if that is of the user's, or closed."""
        stock = exchange.session
        connector = exchange.tcp_connector  # of a session that ccxt made
        is_of_the_user = stock is not None and (connector is None or getattr(stock, 'connector', None) is not connector)
        if is_of_the_user or getattr(exchange, 'closed_by_user', False):
            return stock
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            import aiohttp  # noqa: PLC0415 - a sync user has no need of it

            exchange.open()  # it makes the context of TLS
            connector = aiohttp.TCPConnector(ssl=exchange.ssl_context, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=exchange.aiohttp_trust_env)
            self._loop = loop
        return self._session

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()
