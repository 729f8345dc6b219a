"""HTTP and websockets on one loopback port, served by a thread of its own.

It knows what handles a request or a socket, and nothing of that.
"""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web

from ccxt_mmp._version import __version__
from ccxt_mmp.simulator.wire import Answer, Request

HOST = '127.0.0.1'
SERVER = f'ccxt-mmp-simulator/{__version__}'
SHUTDOWN_TIMEOUT = 0.1  # s that requests under way have when the server is closed
END_TIMEOUT = 0.1  # s after which a task that goes on is cancelled again
BACKLOG = 128
TURNS = 5  # of asyncio's loop, one more than it takes

Handle = Callable[[Request], Awaitable[Answer | None]]  # None: the connection is dropped


class SocketHandler(Protocol):
    """What serves websockets, run by the server's thread."""

    async def serve(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse | None:
        """None: there is no websocket at its path, and the request is answered as any other."""

    async def close(self) -> None:
        """End every connection."""


class Server:
    """Serves 127.0.0.1 alone.

    :param handle: what answers a request, run by the server's thread
    :param sockets: what serves websockets
    :param list errors: where what a handler raises goes
    :param int port: 0 for any that is free
    """

    def __init__(self, handle: Handle, sockets: SocketHandler, errors: list[Exception], port: int = 0) -> None:
        self.port = port  # once it was started: the one that it has
        self._handle = handle
        self._sockets = sockets
        self._errors = errors
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    @property
    def url(self) -> str:
        return f'http://{HOST}:{self.port}'

    def start(self) -> None:
        """Open the port and serve it, unless it does so."""
        if self._thread is not None:
            return
        listener = _listen(self.port)
        self._loop = asyncio.SelectorEventLoop()  # on every system: see _serve
        self.port = listener.getsockname()[1]
        self._stop = asyncio.Event()
        # clients can connect from now on: the listener queues them until the thread takes them
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, listener, self._stop), name='ccxt-mmp-simulator', daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving; returns when the thread has ended."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = self._loop = None

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket, stop: asyncio.Event) -> None:
        try:
            loop.run_until_complete(self._serve(listener, stop))
        finally:
            loop.close()

    async def _serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        protocol = web.Server(self._respond, access_log=None)
        server = await loop.create_server(protocol, sock=listener)
        await stop.wait()
        # no further client is accepted; a closed server would forget those that were, but have no transport yet
        loop.remove_reader(listener)
        await _turns()  # connections that have come begin to be handled
        server.close()
        await self._sockets.close()
        transports = [each.transport for each in protocol.connections]
        protocol.pre_shutdown()
        await protocol.shutdown(SHUTDOWN_TIMEOUT)
        await _end({task for task in asyncio.all_tasks() if task is not asyncio.current_task()})
        for transport in transports:
            if transport is not None:
                transport.abort()  # if a client does not read what it was sent
        await _turns()  # the transports let go of their sockets

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            received = await self._received(request)
            if _asks_for_websocket(request) and isinstance(received, Request):
                try:
                    response = await self._sockets.serve(request, received)
                except ConnectionError:  # the client went during the handshake
                    return web.Response()
                if response is not None:
                    return response
            answer = await self._handle(received) if isinstance(received, Request) else received
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - raised in the test that caused it, by check()
            self._errors.append(error)
            answer = Answer({'msg': f'the simulator failed: {error!r}'}, 500)
        return _dropped(request) if answer is None else _response(answer)

    async def _received(self, request: web.BaseRequest) -> Request | Answer | None:
        """What has come, or why it is refused. None: the client went before all of it had come."""
        # a page in a browser cannot be made to reach this server under another name
        own = (f'{HOST}:{self.port}', f'localhost:{self.port}')
        if request.host not in own:
            return Answer({'msg': 'this server answers 127.0.0.1 alone'}, 403)
        # nor to open a websocket, for which browsers ask nobody
        origin = request.headers.get('Origin', f'http://{own[0]}')
        if _asks_for_websocket(request) and origin.partition('://')[2] not in own:
            return Answer({'msg': 'this server opens no websocket to a page of another origin'}, 403)
        path, _, query = request.raw_path.partition('?')
        try:
            body = (await request.read()).decode(errors='surrogateescape')
        except OSError:  # of the connection
            return None
        port = request.transport.get_extra_info('peername')[1] if request.transport else 0
        return Request(request.method, path, query, body, request.headers, port)


async def _turns() -> None:
    """Let asyncio do what it spreads over turns of its loop: accept a connection, or close one."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def _end(tasks: set['asyncio.Task[Any]']) -> None:
    """Cancel tasks until they have ended: one may go on after a cancellation.

    Up to Python 3.11 ``asyncio.wait_for`` loses one that comes together with a result, on 3.10 aiohttp some others.
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=END_TIMEOUT)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, os.name == 'posix')
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except BaseException as error:
        listener.close()
        if isinstance(error, OSError):
            raise OSError(error.errno, f'cannot listen on {HOST}:{port}: {error.strerror}') from error
        raise
    return listener


def _asks_for_websocket(request: web.BaseRequest) -> bool:
    return request.headers.get('Upgrade', '').lower() == 'websocket'


def _dropped(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:  # unless the client has given up before
        request.transport.abort()
    return web.Response()


def _response(answer: Answer) -> web.StreamResponse:
    return web.Response(
        text=json.dumps(answer.body) if answer.text is None else answer.text,
        status=answer.status,
        content_type=answer.content_type,
        headers={'Server': SERVER, **answer.headers},
    )
