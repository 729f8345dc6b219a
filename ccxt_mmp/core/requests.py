"""How requests are made: their windows, the fence, their connections, and how their answers are read."""

import time
from collections.abc import Iterable
from math import inf
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ClassVar

from ccxt.base.errors import BadRequest, BadResponse, BaseError, ExchangeError, NetworkError

from ccxt_mmp._redaction import redact
from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.credentials import are_checked, check_credentials
from ccxt_mmp.core.direct_requests import endpoint_of
from ccxt_mmp.core.fence import EVERY, GRACE, Fence, Mark
from ccxt_mmp.core.host import Host
from ccxt_mmp.core.params import RETRY_OPTIONS, option_names
from ccxt_mmp.core.request_context import (
    ActiveRequest,
    RequestAttribute,
    RequestContext,
    Sending,
    current_request,
    inherited_request,
    is_transport_failure,
    note_answer,
)
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.core.throttling import OutOfTimeError, RollingWindow
from ccxt_mmp.errors import MassCancelLocked

UNREADABLE = (RecursionError, ValueError)  # raised by ccxt for an answer that it cannot read
SIGNED = ('path', 'api', 'method', 'params')  # ccxt's arguments of sign


class Requests(Host):
    """Requests, for the fronts and the exchange mixins."""

    # --- set by the exchange mixins

    _mmp_endpoints: ClassVar[dict[str, str]]  # ccxt's implicit method of each endpoint
    _shared_limits: ClassVar[dict[str, str]] = {}  # of endpoints that share one: its name in options['mmpRateLimits']
    _time_endpoint: str  # of load_time_difference
    _has_plain_request: bool = False  # ccxt's own ``request`` of the exchange does nothing for these endpoints
    _order_paths: ClassVar[tuple[str, ...]] = ()  # they place or change orders
    _quote_paths: ClassVar[tuple[str, ...]] = ()  # of these: mass quotes, which a freeze of MMP orders does not stop

    def _mmp_underlyings_sent(self, path: str, params: Any) -> Iterable[str]:
        """The underlyings of the MMP orders in a request to one of those paths."""
        raise NotImplementedError

    # --- attributes that a request can override

    if not TYPE_CHECKING:
        session = RequestAttribute()
        timeout = RequestAttribute()

        def __init_subclass__(cls, **keywords: Any) -> None:
            """A user's class may set them, before or after the mixins."""
            super().__init_subclass__(**keywords)
            for name in ('session', 'timeout'):
                if not isinstance(getattr(cls, name), RequestAttribute):
                    attribute = RequestAttribute(next(vars(each)[name] for each in cls.__mro__ if name in vars(each)))
                    attribute.__set_name__(cls, name)
                    setattr(cls, name, attribute)

    # --- sending

    async def _mmp_request(self, endpoint: str, request: Any, *, is_repeatable: bool = False) -> Any:
        """One request, which waits only for its endpoint's own window.

        ccxt's retry options apply only if it is repeatable: a repeated set or reset could end a freeze that began in
        between.
        """
        await self._adjust_clock()
        return await self._send(endpoint, request, is_repeatable=is_repeatable)

    async def _send(
        self,
        endpoint: str,
        request: Any,
        *,
        cost: int = 1,
        ends: float | None = None,
        least_timeout: float = 0.0,
        is_urgent: bool = False,
        is_repeatable: bool = False,
    ) -> Any:
        """One request to an endpoint; the keywords are those of its ``RequestContext``."""
        name = self._mmp_endpoints[endpoint]
        entry = endpoint_of(self, name) if is_urgent else None
        context = RequestContext(self, endpoint)
        context.cost, context.ends, context.least_timeout = cost, ends, least_timeout
        context.is_urgent, context.is_repeatable = is_urgent, is_repeatable
        context.has_items = isinstance(request, list)
        context.is_in_use = entry is not None  # otherwise from when ccxt calls fetch2
        with context:
            if entry is None:
                return await await_result(getattr(self, name)(request))
            path, api, method = entry.path, entry.api, entry.method
            if self.enableRateLimit:
                await await_result(
                    self.throttle(self.calculate_rate_limiter_cost(api, method, path, request, entry.config))
                )
            self.lastRestRequestTimestamp = self.milliseconds()
            signed = self.sign(path, api, method, request)
            self.last_request_headers = signed['headers']
            self.last_request_body = signed['body']
            self.last_request_url = signed['url']
            answer = self.fetch(signed['url'], signed['method'], signed['headers'], signed['body'])
            return await (answer if type(answer) is CoroutineType else await_result(answer))

    async def _adjust_clock(self, **about: Any) -> None:
        """Load the time difference if ccxt has to adjust for it and has not loaded it."""
        if not self.options.get('adjustForTimeDifference'):
            return
        # a loaded difference of exactly 0 looks like none
        loaded = self.safe_integer(self.options, 'timeDifference') or getattr(self, '_mmp_clock_adjusted', False)
        if not loaded:
            self.check_required_credentials()  # before anything is sent
            await self._load_time_difference(**about)

    async def _load_time_difference(self, **about: Any) -> None:
        with RequestContext(self, self._time_endpoint, **about):
            try:
                await await_result(self.load_time_difference())
            except (OverflowError, TypeError) as error:  # of older versions of ccxt
                raise BadResponse(f'{self.id} received an answer without the time: {described(error)}') from error
        self._mmp_clock_adjusted = True

    def handle_option_and_params(self, params: Any, methodName: Any, optionName: str, defaultValue: Any = None) -> Any:
        if optionName in RETRY_OPTIONS:
            context = current_request(self)
            if context is not None and not context.is_repeatable:
                name, default_name = option_names(optionName)
                is_given = name in params or default_name in params
                return [0, self.omit(params, [name, default_name]) if is_given else params]
        return super().handle_option_and_params(params, methodName, optionName, defaultValue)

    # --- ccxt's hooks

    def _active_request(self) -> ActiveRequest:
        """The request that begins: in the context that a method has entered for it, or in a new one."""
        context = current_request(self)
        if context is None or context.is_in_use:
            outer = inherited_request(self) if context is None else None
            marks = None if outer is None else outer.marks
            if marks is None:
                marks = self._fence_marks()
            context = RequestContext(self, is_ordinary=True, is_repeatable=True, marks=marks)
        return ActiveRequest(context)

    def _sending(self, context: RequestContext | None, headers: Any) -> Sending:
        if context is None or not context.is_urgent:  # a mass cancel has checked them
            self._check_sent_key(headers)
        if context is None:
            return Sending(None)
        if context.is_of_orders is not False:
            self._pass_fence(context)
        if context.is_urgent and context.ends is not None:
            # a third of what is left, so that after an answer that never comes there is time to ask again
            left, least = context.ends - time.monotonic(), context.least_timeout
            milliseconds = int((left / 3 if left > 3 * least else min(left, least)) * 1000)
            context.timeout = max(min(milliseconds, self.timeout or milliseconds), 1)
        return Sending(context)

    def _check_sent_key(self, headers: Any) -> None:
        """ccxt checks credentials when it signs, but not for requests that carry the key alone, such as listen keys."""
        if headers and self.apiKey and self.apiKey in headers.values() and not are_checked(self):
            check_credentials(self)

    def sign(self, *arguments: Any, **keywords: Any) -> Any:
        # ccxt signs a request when it has waited, right before it goes to the transport
        context = current_request(self)
        if context is not None and context.is_in_use:
            path = arguments[0] if arguments else keywords.get('path')
            context.is_of_orders = path in self._order_paths
            if context.is_counted:  # by an attempt that a fetch of the user sent elsewhere: how it ended is not known
                context.ended(NetworkError())
            if context.is_of_orders:
                context.is_of_quotes = path in self._quote_paths
                self._find_mmp_orders(context, **dict(zip(SIGNED, arguments, strict=False)), **keywords)
                if self.options.get('mmpHalt') is not None and self._has_own_fetch:
                    self._pass_halt_early(context)
                self._pass_fence(context)
        return super().sign(*arguments, **keywords)

    def _find_mmp_orders(self, context: RequestContext, path: str = '', params: Any = None, **_: Any) -> None:
        """Find the underlyings of the MMP orders of a request, unless the method that makes it has named them."""
        context.underlyings = context.underlyings or tuple(dict.fromkeys(self._mmp_underlyings_sent(path, params)))

    def _pass_fence(self, context: RequestContext) -> None:
        """Count the MMP orders of a request as in flight; raise if a mass cancel came after they were asked for.

        Called twice for each attempt: hooks run between the signing and the transport, and may cancel.
        """
        for each in () if context.is_of_quotes else context.underlyings:
            self._refuse_in_freeze(each)
        given_up_after = self.timeout / 1000 + GRACE
        if context.is_counted:
            passes = context.may_still_be_sent(given_up_after)
        else:
            passes = all(context.send(self._mmp_fence(each), each, given_up_after) for each in context.underlyings)
        # looked up last: a mass cancel of everything closes it first, and looks for the other fences then
        every = self.__dict__['_mmp_fences'].get(EVERY) if context.underlyings else None
        if every is not None and not context.is_counted_by(every):
            passes = passes and context.send(every, EVERY, given_up_after)
        if not passes:
            raise self._locked(context)

    def _locked(self, context: RequestContext) -> MassCancelLocked:
        only = context.underlyings[0] if len(context.underlyings) == 1 else None
        return MassCancelLocked(
            f'{self.id} {context.unsent}: a mass cancel came after it was asked for; '
            'send it again if you still want it',
            None if only is None else self._unified_underlying(only),
            only,
        )

    def on_rest_response(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        response_headers: Any,
        response_body: Any,
        request_headers: Any,
        request_body: Any,
    ) -> Any:
        # hooks after this one may cancel, and need not wait for an answered order
        if code < 500:
            note_answer(self)
        return super().on_rest_response(
            code, reason, url, method, response_headers, response_body, request_headers, request_body
        )

    def _read(self, answer: Any) -> Any:
        """ccxt returns an answer that is no JSON as a text or a stream, and fails later where it expects an order."""
        if not isinstance(answer, (dict, list)) and self._is_own_request():
            raise BadResponse(f'{self.id} received an answer that is no JSON object: {shown(answer)}')
        return answer

    def _raise_if_unread(self, error: Exception) -> None:
        """ccxt raises Python's own errors for answers that it cannot read: the outcome is unknown."""
        redact(error, error.__context__)
        if self._is_own_request():
            raise BadResponse(f'{self.id} received an answer that cannot be read: {described(error)}') from error

    def _raise_if_lost(self, error: BaseError, handled: BaseException | None) -> None:
        """ccxt raises ExchangeError, as for a refusal, for an answer that was cut off: the outcome is unknown.

        handled: the exception that was being handled when the request was made
        """
        is_lost = type(error) is ExchangeError and self._is_own_request() and is_transport_failure(error.__cause__)
        redact(error, handled)
        if is_lost:
            raise NetworkError(str(error)) from error

    def _is_own_request(self) -> bool:
        """Whether a method of this package makes the request, as opposed to one of ccxt's."""
        context = current_request(self)
        return context is not None and not context.is_ordinary

    # --- fences

    def _mmp_fence(self, underlying_id: str) -> Fence:
        fences: dict[str, Fence] = self.__dict__.setdefault('_mmp_fences', {})
        return fences.get(underlying_id) or fences.setdefault(underlying_id, Fence())

    def _fence_marks(self) -> dict[str, Mark]:
        """A mark of each fence, taken when orders are asked for."""
        fences: dict[str, Fence] = self.__dict__.get('_mmp_fences', {})
        return {underlying_id: fence.mark() for underlying_id, fence in list(fences.items())}

    # --- windows

    async def _wait_for_window(self, context: RequestContext) -> None:
        """Wait until the endpoint's documented limit has room."""
        window = self._mmp_window(str(context.endpoint))
        if window is None:
            return
        slot = window.reserve(context.cost)
        try:
            delay = slot - window.clock()
            if delay > 0 and context.ends is not None and slot > context.ends - context.least_timeout:
                raise OutOfTimeError(f'{self.id} {context.endpoint} has no room within its limit while there is time')
            if delay > 0:
                await await_result(self.sleep(delay * 1000))
        except BaseException:
            window.give_back(slot, context.cost)
            raise

    def _mmp_window(self, endpoint: str) -> RollingWindow | None:
        """The window of an endpoint; None if the endpoint has no limit of its own."""
        limit = self._mmp_rate_limit(endpoint)
        if limit is None:
            return None
        endpoint = self._shared_limits.get(endpoint, endpoint)
        windows: dict[str, RollingWindow] = self.__dict__.setdefault('_mmp_windows', {})
        window = windows.get(endpoint) or windows.setdefault(endpoint, RollingWindow(*limit))
        window.limit = limit
        return window

    def _mmp_rate_limit(self, endpoint: str) -> tuple[int, float] | None:
        """Calls and ms."""
        endpoint = self._shared_limits.get(endpoint, endpoint)
        limits = (
            self.options['mmpRateLimits'] if 'mmpRateLimits' in self.options else self._default_option('mmpRateLimits')
        )
        limit = (limits or {}).get(endpoint)
        if limit is None:
            return None
        calls, milliseconds = limit if isinstance(limit, (list, tuple)) and len(limit) == 2 else (0, 0)
        if type(calls) is not int or calls < 1 or type(milliseconds) not in (int, float) or not 0 < milliseconds < inf:
            raise BadRequest(
                f"{self.id} options['mmpRateLimits']['{endpoint}'] must be [calls of at least 1, ms above 0], "
                f'received {shown(limit)}'
            )
        return calls, milliseconds
