"""Websockets that hang nobody: logins, dials and answers are waited for in bounds, and no message ends the connection.

ccxt's own methods go on over the same clients. What is repaired here is what would let a call wait for ever.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import (
    BadResponse,
    BaseError,
    ExchangeClosedByUser,
    ExchangeError,
    NetworkError,
    NotSupported,
    RequestTimeout,
)

from ccxt_mmp._redaction import guard
from ccxt_mmp.core.awaiting import await_result, within
from ccxt_mmp.core.logins import RefusedLogins
from ccxt_mmp.core.request_context import current_request
from ccxt_mmp.core.requests import Requests
from ccxt_mmp.core.socket_state import LOGIN, SocketRequest, forget_login, state_of
from ccxt_mmp.core.tasks import Tasks, retrieve
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.types import Params

_DIALS = count()


class Sockets(Requests):
    """The websockets of a pro exchange, for the exchange mixins. The other flavours never get here."""

    # --- what the exchange mixins say of it

    def _answered_id(self, message: Any) -> str | None:
        """The id of the request that a message answers; None if it answers none."""
        request_id = message.get('id') if isinstance(message, dict) else None
        return None if request_id is None else str(request_id)

    def _hashes_of(self, client: Any, message: Any) -> Iterable[str]:
        """Who waits for such a message that is not an answer, by the hashes of their futures."""
        return ()

    def _take_message(self, client: Any, message: Any) -> bool:
        """Whether a message is done with, and none of ccxt's business."""
        request_id = self._answered_id(message)
        request = None if request_id is None else state_of(client).requests.get(request_id)
        if request is None or not request.is_own:
            return False
        client.resolve(message, request_id)
        return True

    def _socket_url(self) -> str:
        """Of the private websocket."""
        raise NotSupported(f'{self.id} has no private websocket here')

    def _socket_request(self, endpoint: str, request: Any) -> tuple[str, Params]:
        """The id and the message of a request over the websocket that is what an endpoint is over REST."""
        raise NotSupported(f'{self.id} {endpoint} does not go over a websocket')

    def _read_answer_of_socket(self, endpoint: str, answer: Any) -> None:
        """Raise what an answer says to be wrong, as of the endpoint."""

    # --- ccxt's hooks: hidden from type checkers, to which they are as ccxt has them

    if not TYPE_CHECKING:

        def client(self, *arguments: Any, **keywords: Any) -> Any:
            client = super().client(*arguments, **keywords)
            self._guard_client(client)
            return client

        def watch(self, url, message_hash, message=None, subscribe_hash=None, subscription=None):
            future = super().watch(url, message_hash, message, subscribe_hash, subscription)
            request_id = message.get('id') if isinstance(message, dict) else None
            if request_id is not None and str(request_id) == message_hash == subscribe_hash:
                self._expect_answer(self.client(url), message_hash, future, self._answer_seconds())
            return future

        def handle_message(self, client, message):
            self._handle(super().handle_message, client, message)

        def delay(self, timeout, method, *arguments):
            timer = super().delay(timeout, method, *arguments)
            self._tasks().keep(timer)
            return timer

    def _guard_client(self, client: Any) -> None:
        """Let a client of ccxt, old or new, send and receive as this object wants it."""
        guard(client, self)
        if getattr(client.send, 'mmp_owner', None) is self:
            return
        stock = getattr(client.send, '__wrapped__', client.send)

        async def send(message: Any) -> Any:
            return await self._send_frame(client, stock, message)

        send.__wrapped__, send.mmp_owner = stock, self  # type: ignore[attr-defined]
        client.send = send
        stock_close = getattr(client.close, '__wrapped__', client.close)

        async def close(*arguments: Any) -> Any:
            # after a failure, too: ccxt would cancel those who began to wait since, and so the tasks that they are in
            if client.error is not None:
                client.reject(client.error)
            return await stock_close(*arguments)

        close.__wrapped__ = stock_close  # type: ignore[attr-defined]
        client.close = close
        callback = client.on_message_callback
        if getattr(callback, '__self__', None) is self:  # bound before this object was extended
            client.on_message_callback = self.handle_message

    # --- what is received

    def _handle(self, stock: Callable[[Any, Any], Any], client: Any, message: Any) -> None:
        """Handle a message. Nothing is raised: it would end the connection for every other call, in silence."""
        state_of(client).heard_at = time.monotonic()
        try:
            if not self._take_message(client, message):
                stock(client, message)
        except Exception as error:  # noqa: BLE001 - see above
            self._unread(client, message, error)

    def _unread(self, client: Any, message: Any, error: Exception) -> None:
        """Tell those who wait for a message that cannot be read; if there are none, the log."""
        request_id = self._answered_id(message)
        if request_id is None or not isinstance(error, BaseError):
            text = f'{self.id} received a message over the websocket that cannot be read: {described(error)}'
            error = BadResponse(f'{text} {shown(message)}')
        hashes = [request_id] if request_id is not None else [*self._hashes_of(client, message)]
        waiting = [each for each in hashes if each in client.futures]
        for each in waiting:
            client.reject(error, each)
        if not waiting:
            self.logger.error('%s', error)

    # --- requests

    def _answer_seconds(self) -> float | None:
        return self.timeout / 1000 if self.timeout else None

    def _expect_answer(
        self, client: Any, request_id: str, future: Any, seconds: float | None, *, is_own: bool = False
    ) -> SocketRequest:
        """From when the request is sent, its answer has so many seconds; then nothing of it is left on the client."""
        request = SocketRequest(future, seconds, current_request(self), is_own)
        if request.context is not None:
            request.context.withdraw()  # until it is sent: a mass cancel waits for no limiter
        state_of(client).requests[request_id] = request
        future.add_done_callback(partial(self._forget_request, client, request_id))
        return request

    def _forget_request(self, client: Any, request_id: str, future: Any) -> None:
        state = state_of(client)
        request = state.requests.pop(request_id)
        if not request.sent_at:
            state.given_up.add(request_id)
        if request.timer is not None:
            request.timer.cancel()
        client.subscriptions.pop(request_id, None)
        if client.futures.get(request_id) is future:  # it was given up
            del client.futures[request_id]
        self._leave_if_done(client)

    async def _send_frame(self, client: Any, stock: Callable[[Any], Awaitable[Any]], message: Any) -> Any:
        """Send a frame, which may have waited: not if it was given up meanwhile, or if a mass cancel came."""
        state, request_id = state_of(client), self._answered_id(message)
        if request_id in state.given_up:
            state.given_up.discard(request_id)
            return None
        request = None if request_id is None else state.requests.get(request_id)
        if request is not None and request_id is not None:
            if request.context is not None and request.context.underlyings:
                try:
                    await await_result(self._pass_halt(request.context))
                    if request_id in state.given_up:  # while the store of halts was read
                        state.given_up.discard(request_id)
                        return None
                    self._pass_fence(request.context)
                except BaseError as error:  # that it must not be sent: ccxt would end the connection
                    return client.reject(error, request_id)
            request.sent_at = time.monotonic()
            if request.seconds is not None:
                loop = asyncio.get_running_loop()
                request.timer = loop.call_later(request.seconds, self._give_up, client, request_id)
        try:
            return await stock(message)
        except Exception as error:  # the transport's, with which ccxt would fail all that wait
            raise NetworkError(f'{self.id} could not send over the websocket: {described(error)}') from error

    def _give_up(self, client: Any, request_id: str) -> None:
        """An answer did not come. If nothing else came either, the connection is dead: the next call opens another."""
        state = state_of(client)
        request = state.requests.get(request_id)
        if request is None or request.future.done():
            return
        if request.sender is not None:  # the transport takes nothing more
            request.is_stuck = True
            request.sender.cancel()
            return
        milliseconds = round((request.seconds or 0) * 1000)
        client.reject(
            RequestTimeout(f'{self.id} received no answer over the websocket within {milliseconds} ms'), request_id
        )
        if state.heard_at < request.sent_at:
            client.on_error(RequestTimeout(f'{self.id} received nothing over the websocket for {milliseconds} ms'))

    async def _ask(self, client: Any, request_id: str, message: Params, seconds: float | None) -> Any:
        """The answer to a request that is sent at once, whatever else the client has to send, as it came."""
        future = client.future(request_id)
        request = self._expect_answer(client, request_id, future, seconds, is_own=True)
        try:
            await self._send_in_time(client, request, message)
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.cancelled():  # the caller is
                raise
            raise self._closed() from None
        finally:
            future.cancel()

    async def _send_in_time(self, client: Any, request: SocketRequest, message: Params) -> None:
        """Send a message, and give the connection up if it does not take it: then the request has failed."""
        request.sender = asyncio.current_task()
        try:
            await client.send(message)
        except asyncio.CancelledError:
            if not request.is_stuck:
                raise
            if sys.version_info >= (3, 11) and request.sender is not None and request.sender.uncancel() > 0:
                raise  # the caller is cancelled as well
            client.on_error(RequestTimeout(f'{self.id} could not send over the websocket in time'))
        except NetworkError as error:  # which the connection does not survive
            client.on_error(error)
        finally:
            request.sender = None

    def _closed(self) -> ExchangeClosedByUser:
        return ExchangeClosedByUser(f'{self.id} the websocket was closed')

    # --- connections

    async def _ready_socket(self, ends: float | None) -> Any:
        """The client of the private websocket, open and logged in, at the latest at ``ends`` of time.monotonic()."""
        self.open()
        url = self._socket_url()
        client = self.client(url)
        if not (state_of(client).is_logged_in and client.connected.done()):
            try:
                await within(None if ends is None else max(ends - time.monotonic(), 0), self.authenticate())
            except asyncio.TimeoutError:
                error = RequestTimeout(f'{self.id} had no websocket with a login in time')
                if client.connected.done():  # a login that is not answered: the retry opens another connection
                    client.on_error(error)
                raise error from None
            client = self.client(url)
        return client

    async def _dial(self, url: str) -> Any:
        """The client of an address, open. How long it takes is bounded by ccxt: its pause after failures, its dial."""
        client = self.client(url)
        if client.connected.done():
            return client
        name = f'mmp:dial:{next(_DIALS)}'
        failed = self.watch(url, name, None, name)  # which opens it; of a failure ccxt tells the futures alone
        failed.add_done_callback(retrieve)
        try:
            await asyncio.wait({failed, client.connected}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            client.subscriptions.pop(name, None)
            client.futures.pop(name, None)
        return failed.result() if failed.done() else client

    async def _log_in(self, url: str, stock: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """One login for a connection, whoever asks for it; a call that is cancelled ends it for no other.

        stock: ccxt's, which sends the login and waits for its answer
        """
        self.open()
        if state_of(self.client(url)).is_logged_in:
            return True
        timeout, _ = self._mmp_option('authenticate', 'timeout', self.timeout, {})
        seconds = timeout / 1000 if timeout else None
        return await self._shared(f'{LOGIN} {url}', partial(self._log_in_once, url, stock, seconds))

    async def _log_in_once(self, url: str, stock: Callable[[], Coroutine[Any, Any, Any]], seconds: float | None) -> Any:
        refused = self._refused_logins(url)
        credentials = hash((self.apiKey, self.secret, self.password))
        pause = refused.pause(credentials)
        if pause:
            await await_result(self.sleep(pause * 1000))
        client = self.client(url)

        async def log_in() -> None:
            nonlocal client
            client = self.client(url)  # not the one that was dialled, if that is lost already
            await stock()

        try:
            await within(seconds, self._dial(url))
        except asyncio.TimeoutError:  # ccxt goes on with it
            raise RequestTimeout(f'{self.id} had no connection for its websocket in time') from None
        try:
            await within(seconds, log_in())
        except asyncio.TimeoutError:
            error = RequestTimeout(f'{self.id} received no answer to its login over the websocket')
            forget_login(client)
            client.on_error(error)
            raise error from None
        except BaseException as error:
            forget_login(client)
            if isinstance(error, ExchangeError):
                refused.note(credentials)
            raise
        refused.forget()
        state_of(client).is_logged_in = True
        return True

    def _refused_logins(self, url: str) -> RefusedLogins:
        by_url: dict[str, RefusedLogins] = self.__dict__.setdefault('_mmp_refused_logins', {})
        return by_url.setdefault(url, RefusedLogins())

    async def _shared(self, name: str, start: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The result of something that all who ask for it meanwhile wait for together."""
        task = self._tasks().join(name, start)
        await asyncio.wait({task})
        if task.cancelled():
            raise self._closed()
        return task.result()

    def _leave(self, client: Any, error: Exception) -> None:
        """End a connection, once the requests are answered that are on their way."""
        state = state_of(client)
        state.is_leaving = error
        for each in [name for name in client.futures if name not in state.requests and name != LOGIN]:
            client.reject(error, each)
        self._leave_if_done(client)

    @staticmethod
    def _leave_if_done(client: Any) -> None:
        state = state_of(client)
        if state.is_leaving is not None and not state.requests:
            error, state.is_leaving = state.is_leaving, None
            client.on_error(error)

    def _tasks(self) -> Tasks:
        tasks: Tasks | None = self.__dict__.get('_mmp_tasks')
        return tasks or self.__dict__.setdefault('_mmp_tasks', Tasks())
