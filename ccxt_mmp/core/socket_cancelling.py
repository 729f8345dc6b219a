"""The kill switch over a websocket, and over both ways at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from copy import copy
from functools import partial
from itertools import count
from typing import Any

from ccxt.base.errors import BadRequest, NotSupported

from ccxt_mmp.core.awaiting import gather, succeeded
from ccxt_mmp.core.kill_switch import Progress, Send
from ccxt_mmp.core.list_and_cancel import ListAndCancel
from ccxt_mmp.core.request_context import REFUSALS, RequestContext
from ccxt_mmp.core.socket_contract import SocketContract
from ccxt_mmp.core.sockets import Sockets
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.types import Params

_SENT = count()
WAYS = ('over the websocket', 'over REST')


class SocketKillSwitch(ListAndCancel, Sockets, SocketContract):
    """Mass cancels in one request, over a websocket or over both ways, for the exchange mixins."""

    # --- over the websocket

    async def _send_over_socket(
        self, endpoint: str, request: Any, *, cost: int, ends: float, least_timeout: float, is_urgent: bool
    ) -> Any:
        """As ``_send``: one request, which waits for its endpoint's window alone, and for its answer a third of what
        is left, so that there is time to ask again.
        """
        with RequestContext(self, endpoint, cost=cost, ends=ends, is_urgent=is_urgent) as context:
            client = await self._ready_socket(self._answer_ends(ends, least_timeout))
            if self.enableRateLimit:
                await self._wait_for_window(context)
            request_id, message = self._socket_request(endpoint, request)
            left = self._answer_ends(ends, least_timeout) - time.monotonic()
            answer = await self._ask(client, request_id, message, left)
            self._read_answer_of_socket(endpoint, answer)
            return answer

    def _answer_ends(self, ends: float, least: float) -> float:
        now = time.monotonic()
        left = max(ends - now, 0.001)
        seconds = max(left / 3, min(left, least))
        return now + min(seconds, self._answer_seconds() or seconds)

    # --- over both ways

    def _is_hedged(self, params: Params, send: Send | None = None) -> tuple[bool, Params]:
        """send: the only way of a mass cancel, whatever the option says."""
        if send is not None and params.get('hedge'):
            raise NotSupported(f'{self.id} massCancelMmpWs() is one way: massCancelMmp() takes hedge')
        hedge, rest = self._flag_option('massCancelMmp', 'hedge', params)
        if send is not None:
            return False, rest
        if hedge and not self.has.get('massCancelMmpWs'):
            raise NotSupported(f'{self.id} massCancelMmp() has no second way to hedge with: there is no websocket')
        return hedge, rest

    async def _hedged(
        self, cancel: Callable[[Progress], Coroutine[Any, Any, Any]], progress: Progress
    ) -> tuple[Any, Progress]:
        """Do a mass cancel over both ways at once; the first success counts: its result, and what came of that way.

        Neither waits for the other. The slower one is cancelled and sends nothing more when this returns. Orders that
        either way has cancelled are known to both.
        """

        def copied() -> Progress:
            own = copy(progress)
            own.answers, own.failures = [], []
            own.orders = progress.orders.shared()
            return own

        over_socket, over_rest = ways = copied(), copied()
        over_socket.send, over_rest.send_over_rest = self._send_over_socket, self._send_to_its_end
        tasks = [asyncio.ensure_future(cancel(way)) for way in ways]
        try:
            pending = {*tasks}
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task, way in zip(tasks, ways, strict=True):
                    if task in done and task.exception() is None:
                        return task.result(), way
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        failures = {name: task.exception() for name, task in zip(WAYS, tasks, strict=True)}
        raise self._both_failed({name: failure for name, failure in failures.items() if failure is not None})

    async def _send_to_its_end(self, endpoint: str, request: Any, **about: Any) -> Any:
        """As ``_send``; a call that is over leaves it to its answer, so that its connection stays open for the next."""
        return await self._shared(f'{endpoint} {next(_SENT)}', partial(self._send, endpoint, request, **about))

    @staticmethod
    def _both_failed(failures: dict[str, BaseException]) -> BaseException:
        """The failure that leaves it open what was done, if one does, and in its text the other one, too."""
        in_turn = reversed(WAYS)
        first = next((name for name in in_turn if not isinstance(failures[name], REFUSALS)), WAYS[-1])
        failure = failures.pop(first)
        [(other_way, other)] = failures.items()
        failure.args = (f'{failure} ({first}; {other_way}: {described(other)})',)
        failure.__cause__ = failure.__cause__ or other
        return failure

    # --- before it is needed

    async def _warm_up(self, params: Params) -> None:
        self._refuse_misspelt('warmUp', params, BadRequest)
        unknown = [name for name, value in params.items() if value is not None and name != 'hedge']
        if unknown:
            raise NotSupported(f'{self.id} warmUp() takes no {shown(unknown[0])}')
        hedge, _ = self._is_hedged(params)
        calls = [self._warm_up_connection]
        if hedge:
            calls.append(partial(self._ready_socket, None))
        succeeded(await gather(self.synchronous, calls))
