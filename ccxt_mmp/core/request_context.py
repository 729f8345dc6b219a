"""What ccxt does not tell its hooks: which request ``throttle``, ``sign``, ``fetch`` and ``handle_errors`` serve.

A method of this package enters a ``RequestContext`` around ccxt's call. It belongs to the task or thread that entered
it, as long as it is entered: a task or a thread that a hook starts meanwhile inherits nothing of it, and a request
that a hook makes in between has one of its own.
"""

import asyncio
import time
from asyncio import _get_running_loop as running_loop
from contextvars import ContextVar
from threading import get_ident as thread_id
from typing import Any

from ccxt.base.errors import DDoSProtection, ExchangeError, InvalidNonce, RateLimitExceeded

from ccxt_mmp.core.fence import UNUSED, Fence, InFlight, Mark

# what was asked for did not happen, for certain; any other failure leaves it open
REFUSALS = (ExchangeError, DDoSProtection, RateLimitExceeded, InvalidNonce)


class RequestContext:
    """What a request is, or several in a row: ``with RequestContext(exchange, ...): await ...``.

    It has either an endpoint, whose window it waits for instead of ccxt's queue, such as 'POST account/mmp-config'; or
    none, as orders, which wait in the queue as any other request.

    owner: the exchange; the requests of another one that is called meanwhile are none of its business.
    cost: how many calls of the window it counts as.
    ends: time.monotonic() at which it need not be sent any more.
    least_timeout: s that its answer has at least, if there is so much left.
    is_urgent: whether it goes over the kill switch's own connections.
    is_ordinary: whether it is ccxt's own, which nothing is known of and which is left as it is.
    is_repeatable: whether ccxt's own retries apply.
    has_items: whether the answer tells of each order for itself.
    needs_data: whether an answer of OKX without any is no answer.
    marks: of each fence, from when its orders were asked for.
    underlyings: of the MMP orders that it places or changes; where none is given the request itself tells.
    request: the order as it is sent, once it is known.
    is_of_orders: whether the request that is being made places or changes orders; None before it is signed.
    session: the connections that it goes over, where they are not the exchange's own.
    timeout: ms that its answer has, where it is not the exchange's own.
    answer_ends: time.monotonic() at which its answer is given up, for a transport that does not do it by itself.
    """

    # as class attributes: a request is made in no time, and most differ from this in two or three
    cost: int = 1
    ends: float | None = None
    least_timeout: float = 0.0
    is_urgent: bool = False
    is_ordinary: bool = False
    is_repeatable: bool = False
    has_items: bool = False
    needs_data: bool = False
    marks: dict[str, Mark] | None = None
    underlyings: tuple[str, ...] = ()
    request: dict[str, Any] | None = None
    session: Any = None
    timeout: float | None = None
    answer_ends: float | None = None
    is_in_use: bool = False
    is_of_orders: bool | None = None
    _in_flight: tuple[tuple[Fence, Mark, InFlight], ...] = ()
    _holder: object = None
    _outer: 'RequestContext | None' = None

    def __init__(self, owner: object, endpoint: str | None = None, **about: Any) -> None:
        self.owner = owner
        self.endpoint = endpoint
        self.__dict__.update(about)

    def __enter__(self) -> 'RequestContext':
        self._holder = current_holder()
        self._outer = _CURRENT.get()
        _CURRENT.set(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._holder = None
        # a task that is collected after its loop has closed ends in another context
        if _CURRENT.get() is self:
            _CURRENT.set(self._outer)
        self._outer = None
        if self._in_flight:
            self.ended(error)

    @property
    def holder(self) -> object:
        """The task or thread that has entered it; None if none has."""
        return self._holder

    @property
    def is_entered(self) -> bool:
        return self._holder is not None

    # --- MMP orders in flight

    @property
    def is_sent(self) -> bool:
        """Whether orders of it are in flight."""
        return bool(self._in_flight)

    def send(self, fence: Fence, underlying_id: str, timeout: float) -> bool:
        """Called right before MMP orders of an underlying are sent: whether they may be.

        timeout: s after which they count as given up
        """
        mark = (self.marks or {}).get(underlying_id, UNUSED)
        order = fence.send(mark, time.monotonic() + timeout, self)
        if order is None:
            return False
        self._in_flight = (*self._in_flight, (fence, mark, order))
        return True

    def may_still_be_sent(self, timeout: float) -> bool:
        """Whether no mass cancel has come since ``send``; what is sent only now is given up so much later."""
        for _, _, order in self._in_flight:
            order.ends = time.monotonic() + timeout
        return all(fence.lets_pass(mark) for fence, mark, _ in self._in_flight)

    def answered(self) -> None:
        """An answer has come; what it says is seen when the request ends."""
        for fence, _, order in self._in_flight:
            fence.answered(order)

    def ended(self, error: BaseException | None) -> None:
        """The orders in flight are answered, or their answer is given up or leaves it open."""
        is_open = error is not None and not leaves_nothing_open(error)
        for fence, _, order in self._in_flight:
            if is_open:
                fence.lost(order)
            else:
                fence.answered(order)
        self._in_flight = ()


class UnderWay:
    """The request that ccxt is making: ``with UnderWay(context): ...``.

    Its context is in use meanwhile, so that a request which a hook makes in between has another one.
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
        if context._in_flight:
            context.ended(error)
        if self._is_new:
            context.__exit__(kind, error, traceback)


class Sending:
    """One attempt to send it: what it has of its own, and whose answer it waits for, ends with it."""

    __slots__ = ('_context',)

    def __init__(self, context: RequestContext | None) -> None:
        self._context = context

    def __enter__(self) -> RequestContext | None:
        context = self._context
        if context is not None and context.timeout is not None:
            context.answer_ends = time.monotonic() + context.timeout / 1000
        return context

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        context = self._context
        if context is None:
            return
        context.session = context.timeout = context.answer_ends = None
        if context._in_flight:
            context.ended(error)


_CURRENT: ContextVar[RequestContext | None] = ContextVar('ccxt_mmp_request', default=None)


def current_holder() -> object:
    """The task that runs, or the thread where none does."""
    loop = running_loop()
    if loop is None:
        return thread_id()
    return asyncio.current_task(loop) or thread_id()


def current_request(owner: object) -> RequestContext | None:
    """The innermost request of an exchange that this task or thread is making."""
    context = _CURRENT.get()
    if context is None or context.owner is not owner or context._holder != current_holder():
        return None
    return context


def marks_around(owner: object) -> dict[str, Mark] | None:
    """The marks of the request of an exchange that a task was started in the course of, if that is not over.

    Nothing else of it is inherited; old marks can but stop MMP orders that a mass cancel came after.
    """
    context = _CURRENT.get()
    return context.marks if context is not None and context.owner is owner and context.is_entered else None


def answer_ends() -> float | None:
    """time.monotonic() at which the answer to the request that is being made is given up; None if it says nothing."""
    context = _CURRENT.get()
    return None if context is None else context.answer_ends


def leaves_nothing_open(error: BaseException) -> bool:
    """Whether a failure says for certain that what was asked for did not happen."""
    return isinstance(error, REFUSALS) and not broke_off(error.__cause__)


def broke_off(cause: BaseException | None) -> bool:
    """Whether it is a failure of the HTTP client, and not an answer with a status of its own."""
    names = {f'{each.__module__}.{each.__name__}' for each in type(cause).__mro__}
    of_transport = {'aiohttp.client_exceptions.ClientError', 'requests.exceptions.RequestException'}
    return bool(names & of_transport) and 'requests.exceptions.HTTPError' not in names


class RequestAttribute:
    """An attribute of the exchange of which the request that is being made may have a value of its own."""

    def __init__(self, *default: Any) -> None:
        self._default = default  # of a class of the user's, in place of ccxt's

    def __set_name__(self, mixin: type, name: str) -> None:
        self._mixin = mixin
        self._name = name

    def __get__(self, exchange: Any, kind: type | None = None) -> Any:
        if exchange is None:
            return self
        context = _CURRENT.get()
        if context is not None and context.owner is exchange:
            value = getattr(context, self._name)
            # asked last, as it takes longest
            if value is not None and context._holder == current_holder():
                return value
        try:
            return exchange.__dict__[self._name]
        except KeyError:
            return self._default[0] if self._default else getattr(super(self._mixin, exchange), self._name)

    def __set__(self, exchange: Any, value: Any) -> None:
        exchange.__dict__[self._name] = value
