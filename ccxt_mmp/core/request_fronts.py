"""The sync and the async front of requests: ccxt's hooks around the transport.

They are the last of the fronts: each of them asks for ccxt's own, which is found sooner from here.
"""

import sys
import time
from typing import Any

from ccxt.base.errors import BaseError

from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.connections import AsyncConnections, Connections
from ccxt_mmp.core.request_context import current_request, inherited_request
from ccxt_mmp.core.requests import UNREADABLE, Requests


class SyncRequests(Requests):
    """Requests of a sync exchange."""

    lastRestRequestTimestamp: float  # noqa: N815 - of ccxt

    def fetch2(self, *arguments: Any, **keywords: Any) -> Any:
        with self._active_request():
            return super().fetch2(*arguments, **keywords)

    def fetch(self, url: str, method: str = 'GET', headers: Any = None, body: Any = None) -> Any:
        handled = sys.exc_info()[1]
        context = current_request(self)
        if context is not None and self.options.get('mmpHalt') is not None:
            self._pass_halt(context)  # in a thread that the user has started there is none: see _has_own_fetch
        with self._sending(context, headers):
            try:
                if context is None or not context.is_urgent:
                    return self._read(super().fetch(url, method, headers, body))
                if context.timeout is not None:
                    context.answer_ends = time.monotonic() + context.timeout / 1000
                with self._connections().lend(self.session) as context.session:
                    return self._read(super().fetch(url, method, headers, body))
            except BaseError as error:
                self._raise_if_lost(error, handled)
                raise
            except UNREADABLE as error:
                self._raise_if_unread(error)
                raise

    @property
    def _has_own_fetch(self) -> bool:
        """Whether a class or an object of the user replaces ours, and may call it elsewhere, or not at all."""
        return 'fetch' in self.__dict__ or type(self).fetch is not SyncRequests.fetch

    def throttle(self, cost: Any = None) -> None:
        # ccxt measures its pause from the last request of any kind; those that do not queue are none of its business
        queued_at = self.__dict__.setdefault('_mmp_queued_at', self.lastRestRequestTimestamp)
        context = current_request(self)
        if context is not None and context.endpoint is not None:
            run_sync(self._wait_for_window(context))
            return
        self.lastRestRequestTimestamp = queued_at
        super().throttle(cost)
        self._mmp_queued_at = self.milliseconds()

    def _connections(self) -> Connections:
        connections: Connections | None = self.__dict__.get('_mmp_connections')
        return connections or self.__dict__.setdefault('_mmp_connections', Connections())


class AsyncRequests(Requests):
    """Requests of an async or pro exchange."""

    async def fetch2(self, *arguments: Any, **keywords: Any) -> Any:
        with self._active_request():
            return await super().fetch2(*arguments, **keywords)

    async def fetch(self, url: str, method: str = 'GET', headers: Any = None, body: Any = None) -> Any:
        handled = sys.exc_info()[1]
        context = current_request(self)
        if self.options.get('mmpHalt') is not None:
            # a class of the user may have it fetched in another task
            halt = self._pass_halt(context or inherited_request(self), is_own=context is not None)
            if halt is not None:
                await halt
        with self._sending(context, headers):
            try:
                if context is not None and context.is_urgent:
                    context.session = (self.__dict__.get('_mmp_connections') or self._connections()).session(self)
                answer = await super().fetch(url, method, headers, body)
                return answer if type(answer) is dict else self._read(answer)
            except BaseError as error:
                self._raise_if_lost(error, handled)
                raise
            except UNREADABLE as error:
                self._raise_if_unread(error)
                raise

    @property
    def _has_own_fetch(self) -> bool:
        return 'fetch' in self.__dict__ or type(self).fetch is not AsyncRequests.fetch

    async def throttle(self, cost: Any = None) -> None:
        context = current_request(self)
        if context is not None and context.endpoint is not None:
            await self._wait_for_window(context)
        else:
            await super().throttle(cost)

    def _connections(self) -> AsyncConnections:
        connections: AsyncConnections | None = self.__dict__.get('_mmp_connections')
        return connections or self.__dict__.setdefault('_mmp_connections', AsyncConnections())
