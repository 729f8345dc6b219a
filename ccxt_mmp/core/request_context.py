"""Which request ccxt's hooks serve: ``throttle``, ``sign``, ``fetch`` and ``handle_errors`` are not told by ccxt.

A method of this package enters a ``RequestContext`` around ccxt's call. The context belongs to the task or thread that
entered it, while it is entered. A task or thread that a hook starts inherits nothing. A request that a hook makes in
between has a context of its own.
"""

import asyncio
import sys
import time
from asyncio import _get_running_loop as running_loop
from contextvars import ContextVar
from threading import get_ident as thread_id
from typing import Any

from ccxt.base.errors import DDoSProtection, ExchangeError, InvalidNonce, RateLimitExceeded

from ccxt_mmp.core.fence import UNUSED, Fence, InFlight, Mark

# before Python 3.12 asyncio's own is written in Python, and a mass cancel asks eleven times
current_task = asyncio.current_task if sys.version_info >= (3, 12) else vars(asyncio.tasks)['_current_tasks'].get

# after these nothing was done, for certain; after any other failure the outcome is unknown
REFUSALS = (ExchangeError, DDoSProtection, RateLimitExceeded, InvalidNonce)


class RequestContext:
    """One request, or several in a row: ``with RequestContext(exchange, ...): await ...``.

    endpoint: such as 'POST account/mmp-config'. The request waits for the window of this endpoint instead of ccxt's
        queue. None: it waits in the queue, as orders do.
    owner: the exchange. Requests of another exchange that is called meanwhile are not part of it.
    cost: the number of calls that it counts as.
    ends: time.monotonic() after which it is not worth sending.
    least_timeout: s that its answer has at least, if as much is left.
    is_urgent: it goes over the kill switch's own connections.
    is_ordinary: it is ccxt's own and stays as it is.
    is_repeatable: ccxt's own retries apply.
    has_items: the answer tells the outcome of each order.
    needs_data: an answer of OKX without data is an error.
    method: the unified method that was called for MMP orders, for texts.
    marks: of each fence, taken when its orders were asked for.
    underlyings: of the MMP orders that it places or changes; by default the request itself tells.
    request: the order as it is sent, once it is known.
    client_ids: of its new MMP orders, where an answer only acknowledges them: the owner notes those that are lost.
    is_of_orders: it places or changes orders; None before it is signed.
    is_of_quotes: those are mass quotes, which have protections of their own.
    session: its connections, if they are not the exchange's own.
    timeout: ms for its answer, if it is not the exchange's own.
    answer_ends: time.monotonic() at which its answer is given up, for transports without a deadline.
    """

    # class attributes, since most requests differ in two or three of them, and setting all of them takes time
    cost: int = 1
    ends: float | None = None
    least_timeout: float = 0.0
    is_urgent: bool = False
    is_ordinary: bool = False
    is_repeatable: bool = False
    has_items: bool = False
    needs_data: bool = False
    method: str | None = None
    marks: dict[str, Mark] | None = None
    underlyings: tuple[str, ...] = ()
    request: dict[str, Any] | None = None
    client_ids: tuple[str, ...] = ()
    session: Any = None
    timeout: float | None = None
    answer_ends: float | None = None
    is_in_use: bool = False
    is_of_orders: bool | None = None
    is_of_quotes: bool = False
    _in_flight: tuple[tuple[Fence, Mark, InFlight], ...] = ()
    _withdrawn: tuple[tuple[Fence, Mark, InFlight], ...] = ()
    _holder: object = None
    _outer: 'RequestContext | None' = None

    def __init__(self, owner: Any, endpoint: str | None = None, **about: Any) -> None:
        self.owner = owner
        self.endpoint = endpoint
        if about:
            self.__dict__.update(about)

    def __enter__(self) -> 'RequestContext':
        loop = running_loop()
        self._holder = thread_id() if loop is None else current_task(loop) or thread_id()
        self._outer = _CURRENT.get()
        _CURRENT.set(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._holder = None
        # a task that is collected after its loop has closed ends in another contextvars context
        if _CURRENT.get() is self:
            _CURRENT.set(self._outer)
        self._outer = None
        if self._in_flight or self._withdrawn:
            self.ended(error)

    @property
    def unsent(self) -> str:
        """Begins the text of an error: what was called, or what it was, and that it was not sent."""
        return f'{"an MMP order" if self.method is None else f"{self.method}()"} was not sent'

    @property
    def holder(self) -> object:
        """The task or thread that has entered it, or None."""
        return self._holder

    @property
    def is_entered(self) -> bool:
        return self._holder is not None

    # --- MMP orders in flight

    @property
    def is_counted(self) -> bool:
        """Whether its orders are in flight, as far as the fence knows, or withdrawn."""
        return bool(self._in_flight or self._withdrawn)

    def is_counted_by(self, fence: Fence) -> bool:
        return any(each is fence for each, _, _ in self._in_flight)

    def send(self, fence: Fence, underlying_id: str, timeout: float) -> bool:
        """Whether MMP orders of an underlying may be sent; called right before they are.

        timeout: s after which they count as given up
        """
        mark = (self.marks or {}).get(underlying_id, UNUSED)
        order = fence.send(mark, time.monotonic() + timeout, self)
        if order is None:
            return False
        self._in_flight = (*self._in_flight, (fence, mark, order))
        return True

    def may_still_be_sent(self, timeout: float) -> bool:
        """Whether no mass cancel has come since ``send``. They count again, if withdrawn; the timeout starts again."""
        self._in_flight, self._withdrawn = self._in_flight or self._withdrawn, ()
        ends = time.monotonic() + timeout
        for fence, _, order in self._in_flight:
            fence.count(order, ends)
        return all(fence.lets_pass(mark) for fence, mark, _ in self._in_flight)

    def withdraw(self) -> None:
        """Count its orders as not sent, until they may be: something else is waited for first."""
        self.answered()
        self._in_flight, self._withdrawn = (), self._in_flight or self._withdrawn

    def answered(self) -> None:
        """An answer has come. What it says is known when the request ends."""
        for fence, _, order in self._in_flight:
            fence.answered(order)

    def ended(self, error: BaseException | None) -> None:
        """The orders in flight are answered, or given up, or their outcome is unknown."""
        is_open = error is not None and not is_refusal(error)
        if is_open and self._in_flight and self.client_ids:
            self.owner._note_lost(self.underlyings, self.client_ids)
        for fence, _, order in self._in_flight:
            if is_open:
                fence.lost(order)
            else:
                fence.answered(order)
        self._in_flight = self._withdrawn = ()


class ActiveRequest:
    """The request that ccxt is making: ``with ActiveRequest(context): ...``.

    It marks its context as in use, so that a request which a hook makes in between gets another one.
    """

    __slots__ = ('_context', '_is_new')

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._is_new = context._holder is None

    def __enter__(self) -> RequestContext:
        context = self._context
        if self._is_new:
            context.__enter__()
        context.is_in_use = True
        context.is_of_orders = None
        return context

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        context = self._context
        context.is_in_use = False
        if context._in_flight or context._withdrawn:
            context.ended(error)
        if self._is_new:
            context.__exit__(kind, error, traceback)


class Sending:
    """One attempt to send a request. Its session and timeout, and what it has in flight, end with it."""

    __slots__ = ('_context',)

    def __init__(self, context: RequestContext | None) -> None:
        self._context = context

    def __enter__(self) -> RequestContext | None:
        return self._context

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        context = self._context
        if context is None:
            return
        context.session = context.timeout = context.answer_ends = None
        if context._in_flight:
            context.ended(error)


_CURRENT: ContextVar[RequestContext | None] = ContextVar('ccxt_mmp_request', default=None)


def current_holder() -> object:
    """The current task, or the thread if there is none."""
    loop = running_loop()
    if loop is None:
        return thread_id()
    return current_task(loop) or thread_id()


def current_request(owner: object) -> RequestContext | None:
    """The innermost request that this task or thread makes on an exchange."""
    context = _CURRENT.get()
    if context is None or context.owner is not owner:
        return None
    loop = running_loop()
    # current_holder(), without a call
    return context if context._holder == (thread_id() if loop is None else current_task(loop) or thread_id()) else None


def note_answer(owner: object) -> None:
    """The current request has its answer; what only matters to orders in flight."""
    context = _CURRENT.get()
    if context is not None and context._in_flight and current_request(owner) is context:
        context.answered()


def inherited_request(owner: object) -> RequestContext | None:
    """The request during which the current task was started, if that request is not over.

    A task inherits none of it, but what can stop an MMP order: the marks, of which old ones are safe, since all they do
    is stop orders that are older than a mass cancel; and whether its orders are halted.
    """
    context = _CURRENT.get()
    return context if context is not None and context.owner is owner and context.is_entered else None


def answer_ends() -> float | None:
    """time.monotonic() at which the answer to the current request is given up, or None."""
    context = _CURRENT.get()
    return None if context is None else context.answer_ends


def is_refusal(error: BaseException) -> bool:
    """Whether nothing was done, for certain."""
    return isinstance(error, REFUSALS) and not is_transport_failure(error.__cause__)


def is_transport_failure(cause: BaseException | None) -> bool:
    """Whether the HTTP client failed, as opposed to an answer with an error status."""
    names = {f'{each.__module__}.{each.__name__}' for each in type(cause).__mro__}
    of_transport = {'aiohttp.client_exceptions.ClientError', 'requests.exceptions.RequestException'}
    return bool(names & of_transport) and 'requests.exceptions.HTTPError' not in names


class RequestAttribute:
    """An attribute of the exchange that the current request can override."""

    def __init__(self, *default: Any) -> None:
        self._default = default  # the value of a user's class, if it replaces ccxt's

    def __set_name__(self, mixin: type, name: str) -> None:
        self._mixin = mixin
        self._name = name

    def __get__(self, exchange: Any, kind: type | None = None) -> Any:
        if exchange is None:
            return self
        context = _CURRENT.get()
        if context is not None and context.owner is exchange:
            value = getattr(context, self._name)
            if value is not None:
                loop = running_loop()
                # checked last, as it takes longest, and without a call
                if context._holder == (thread_id() if loop is None else current_task(loop) or thread_id()):
                    return value
        try:
            return exchange.__dict__[self._name]
        except KeyError:
            return self._default[0] if self._default else getattr(super(self._mixin, exchange), self._name)

    def __set__(self, exchange: Any, value: Any) -> None:
        exchange.__dict__[self._name] = value
