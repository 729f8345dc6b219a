"""Websockets on the simulator's port: connections, what they are pushed and answered, and the faults that strike them.

What a venue says and understands is in its ``Session``. Everything here runs in the server's loop, but for what is
called from other threads: ``observe``, ``flush``, ``strike`` and ``wake``.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from aiohttp import WSMsgType, web

from ccxt_mmp.simulator.events import Event
from ccxt_mmp.simulator.frames import Direction, FrameLog, LoggedFrame
from ccxt_mmp.simulator.session import Frame, Session
from ccxt_mmp.simulator.socket_faults import SocketFault
from ccxt_mmp.simulator.state import State
from ccxt_mmp.simulator.wire import Request

TICK = 0.1  # s between looks at what time has brought about
CLOSING = 0.1  # s that clients have to answer a close frame when the server ends
STRIKING = 5  # s after which a fault that could not strike at once is an error
MAX_WAITING = 50_000  # frames that a client has not read, after which it is dropped
GOING_AWAY, FAILED = 1001, 1011  # close codes


class Connection:
    """A client's socket: what is sent goes through one queue, in order."""

    def __init__(self, socket: web.WebSocketResponse, session: Session, request: Request, raw: web.BaseRequest) -> None:
        self.socket = socket
        self.session = session
        self.path = request.path
        self.is_muted = False
        self.is_ready = False  # the handshake is over
        self.is_ended = False  # by a fault or a rule, whether the client knows it or not
        self.last_frame = asyncio.get_running_loop().time()  # of either side
        self._raw = raw
        self._queue: deque[tuple[float, str]] = deque()
        self._wake = asyncio.Event()
        self._end: Callable[[], None] | None = None  # when the queue is empty

    @property
    def is_served(self) -> bool:
        return self.is_ready and not self.is_ended and not self.is_muted

    def enqueue(self, text: str, due: float = 0) -> None:
        """Send a text after those before it, and not before it is due."""
        self._queue.append((due, text))
        self._wake.set()
        if len(self._queue) > MAX_WAITING:
            self.drop()

    def end_with(self, end: Callable[[], None]) -> None:
        """Call something when all that was enqueued is sent."""
        self._end = end
        self._wake.set()

    async def write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                due, text = self._queue.popleft()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if self.socket.closed or self.is_muted:
                    continue
                try:
                    await self.socket.send_str(text)
                except ConnectionError:  # the client has gone: its reader ends
                    return
                self.last_frame = loop.time()
            if self._end is not None:
                end, self._end = self._end, None
                end()

    def drop(self) -> None:
        """End it without a close frame."""
        self.is_ended = True
        self._queue.clear()
        if self._raw.transport is not None:
            self._raw.transport.abort()


class Sockets:
    def __init__(
        self, state: State, log: FrameLog, errors: list[Exception], latency: Callable[[], int] = lambda: 0
    ) -> None:
        self.faults: list[SocketFault] = []
        self._state = state
        self._log = log
        self._errors = errors
        self._latency = latency
        self._connections: list[Connection] = []
        self._sessions: list[Session] = []
        self._serial = 0
        self._events: list[Event] = []  # that nobody was told of yet
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0  # of the loop
        self._ticking: asyncio.TimerHandle | None = None
        self._closers: set[asyncio.Task[bool]] = set()
        state.engine.observe = self.observe
        state.released = self.flush

    # --- from any thread

    def observe(self, event: Event) -> None:
        """Keep a change for the loop, in the order in which changes happen. Called with the state's lock."""
        if self._connections:
            self._events.append(event)

    def flush(self) -> None:
        """Let the loop tell what has changed: once for all that one trip cancels, and without the state's lock."""
        loop = self._loop
        if loop is None or not self._events:
            return
        try:
            loop.call_soon_threadsafe(self._do, self._tell)
        except RuntimeError:
            if not loop.is_closed():  # else there is nobody left to tell
                raise

    def wake(self) -> None:
        """Tell clients what the exchange's time has brought about."""
        self._run(self._wake)

    def strike(self, fault: SocketFault) -> None:
        """Let a fault strike: at once, when this returns, or the frames to come."""
        with self._state.lock:
            self.faults.append(fault)
        self._run(self._strike_connections)

    def unused(self) -> list[SocketFault]:
        return [fault for fault in self.faults if not fault.was_used]

    def _run(self, work: Callable[[], None]) -> None:
        """Do some work in the loop and wait for it; nothing if no connection was ever opened."""
        with self._state.lock:
            loop, done = self._loop, threading.Event()
            if loop is None:
                return
            is_elsewhere = threading.get_ident() != self._thread
            if is_elsewhere:
                loop.call_soon_threadsafe(self._do, work, done)
        if not is_elsewhere:
            work()
        elif not done.wait(STRIKING):
            raise TimeoutError('the simulator does not get round to its websockets')

    def _do(self, work: Callable[[], None], done: threading.Event | None = None) -> None:
        """Do some work that nobody awaits; check() raises what it raises."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            self._errors.append(error)
        finally:
            if done is not None:
                done.set()

    # --- connections

    async def serve(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse | None:
        """Serve a client until its connection ends; None if no venue has a websocket at its path."""
        opened = (venue.open_session(request, self._serial + 1, self._sessions) for venue in self._state.venues)
        session = next((each for each in opened if each is not None), None)
        if session is None:
            return None
        self._serial += 1
        connection = Connection(web.WebSocketResponse(autoping=False), session, request, raw)
        self._register(connection)  # before the client knows that it is open, so that it misses nothing
        writer = None
        try:
            await connection.socket.prepare(raw)
            connection.is_ready = True
            writer = asyncio.ensure_future(connection.write())
            self._strike_connections()
            await self._read(connection)
        finally:
            if writer is not None:
                writer.cancel()
            self._connections.remove(connection)
            self._sessions.remove(session)
            with self._state.held() as now:
                session.end(now)
        return connection.socket

    async def close(self) -> None:
        """End every connection, as a server does that goes away; for the end of the loop."""
        with self._state.lock:
            self._loop = None
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        for connection in list(self._connections):
            self._close(connection, GOING_AWAY)
        if self._closers:
            await asyncio.wait(self._closers, timeout=CLOSING)

    def _register(self, connection: Connection) -> None:
        with self._state.lock:
            if not self._connections:
                self._events.clear()
            self._loop = asyncio.get_running_loop()
            self._thread = threading.get_ident()
            self._connections.append(connection)
        self._sessions.append(connection.session)
        if self._ticking is None:
            self._ticking = self._loop.call_later(TICK, self._tick)

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.PING and not connection.is_muted:
                await connection.socket.pong(message.data)
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                self._receive(connection, message.data)
            except Exception as error:  # noqa: BLE001 - raised in the test that caused it, by check()
                self._errors.append(error)
                self._close(connection, FAILED)

    def _close(self, connection: Connection, code: int, reason: str = '') -> None:
        """Close with a code; the client is waited for elsewhere."""
        if not connection.is_ready:
            connection.drop()
            return
        connection.is_ended = True
        closer = asyncio.ensure_future(connection.socket.close(code=code, message=reason.encode()))
        self._closers.add(closer)
        closer.add_done_callback(self._closers.discard)

    def _tick(self) -> None:
        self._ticking = None
        if not self._connections or self._loop is None:
            return
        self._ticking = self._loop.call_later(TICK, self._tick)
        for connection in list(self._connections):
            session = connection.session
            if session.idle is None or not connection.is_served:
                continue
            if self._loop.time() - connection.last_frame > session.idle / 1000:
                self._close(connection, session.idle_code, session.idle_reason)
        self._do(self._pass_time)

    def _pass_time(self) -> None:
        with self._state.held():  # what is due by now happens, and is told
            pass
        self._wake()

    # --- frames

    def _receive(self, connection: Connection, text: str) -> None:
        session = connection.session
        connection.last_frame = asyncio.get_running_loop().time()
        self._note(connection, 'received', text)
        if not connection.is_served:
            return
        op = session.operation(text)
        fault = self._take(lambda each: each.strikes_operation(op, connection.path))
        if fault is not None and fault.kind in ('drop', 'close', 'mute'):
            self._end(connection, fault)
            return
        with self._state.held() as now:
            frames = session.receive(text, self._state.times(now))
        if op == session.subscribing:
            frames += self._refuse_channels(connection)
        if fault is not None and fault.kind == 'drop_after':
            connection.drop()
        elif fault is not None and fault.kind == 'push_before_answer':
            # what it brought about is in the loop's queue already
            asyncio.get_running_loop().call_soon(self._send_all, connection, frames)
        else:
            self._send_all(connection, frames, fault)
        self._end_if_over(connection)

    def _end_if_over(self, connection: Connection) -> None:
        if connection.session.is_over and connection.is_served:
            connection.end_with(partial(self._close, connection, connection.session.idle_code))

    def _tell(self) -> None:
        with self._state.lock:  # what is pushed may be read from the account
            events, self._events = self._events, []
            told = [(each, each.session.tell(event)) for event in events for each in self._connections]
        for connection, frames in told:
            self._push(connection, frames)

    def _wake(self) -> None:
        now = self._state.now()
        for connection in list(self._connections):
            self._push(connection, connection.session.wake(now))
            self._end_if_over(connection)

    def _push(self, connection: Connection, frames: list[Frame]) -> None:
        for frame in frames:
            channel = frame.channel or ''
            fault = self._take(lambda each: each.strikes_push(channel, connection.path))  # noqa: B023 - called at once
            if fault is not None and fault.kind in ('drop', 'close', 'mute'):
                self._end(connection, fault)
                return
            self._send_all(connection, [frame], fault)

    def _send_all(self, connection: Connection, frames: list[Frame], fault: SocketFault | None = None) -> None:
        """Send answers or a push, each as a fault has it."""
        kind = None if fault is None else fault.kind
        if kind == 'lose':
            return
        for frame in frames * 2 if kind == 'duplicate' else frames:
            text = frame.body if isinstance(frame.body, str) else json.dumps(frame.body)
            if fault is not None and kind == 'delay':
                asyncio.get_running_loop().call_later(fault.milliseconds / 1000, self._send, connection, text)
            else:
                self._send(connection, text)
        notice = connection.session.notice()
        if kind == 'notice' and notice is not None:
            self._send(connection, json.dumps(notice.body))

    def _send(self, connection: Connection, text: str) -> None:
        if connection.is_muted or connection.is_ended:
            return
        self._note(connection, 'sent', text)
        latency = self._latency() / 1000
        connection.enqueue(text, asyncio.get_running_loop().time() + latency if latency else 0)

    def _note(self, connection: Connection, direction: Direction, text: str) -> None:
        session = connection.session
        self._log.add(
            LoggedFrame(
                direction,
                session.shown(text),
                session.shown(connection.path),
                session.serial,
                self._state.now(),
            )
        )

    # --- faults

    def _take(self, strikes: Callable[[SocketFault], bool]) -> SocketFault | None:
        """The first fault that strikes, which has struck once more."""
        if not self.faults:
            return None
        with self._state.lock:
            fault = next((each for each in self.faults if strikes(each)), None)
            if fault is not None:
                fault.use(self.faults)
        return fault

    def _end(self, connection: Connection, fault: SocketFault) -> None:
        if fault.kind == 'drop':
            connection.drop()
        elif fault.kind == 'mute':
            connection.is_muted = True
        else:
            self._close(connection, fault.code)

    def _strike_connections(self) -> None:
        """The faults of whole connections, the oldest first, of each once."""
        for connection in list(self._connections):
            if not connection.is_served:
                continue
            notice = connection.session.notice()
            fault = self._take(
                lambda each: (
                    each.is_of_connections
                    and connection.path.endswith(each.path)  # noqa: B023 - called at once
                    and (each.kind != 'notice' or notice is not None)  # noqa: B023 - called at once
                )
            )
            if fault is None:
                continue
            if fault.kind == 'notice' and notice is not None:
                self._send(connection, json.dumps(notice.body))
            else:
                self._end(connection, fault)

    def _refuse_channels(self, connection: Connection) -> list[Frame]:
        """What a client that has just subscribed is told by faults that end its subscriptions."""
        for fault in list(self.faults):
            if fault.kind == 'conn_count_error' and connection.path.endswith(fault.path):
                frames = connection.session.end_channel(fault.channel or '')
                if frames:
                    with self._state.lock:
                        fault.use(self.faults)
                    return frames
        return []
