"""Mass cancels: retries, time, mass cancels in one request, and what is told of the orders."""

import time
from collections.abc import Awaitable, Callable, Collection
from copy import copy
from functools import cached_property
from typing import Any, NoReturn

from ccxt.base.errors import (
    AuthenticationError,
    BadRequest,
    BadSymbol,
    BaseError,
    DDoSProtection,
    ExchangeClosedByUser,
    ExchangeNotAvailable,
    InvalidNonce,
    NetworkError,
    RateLimitExceeded,
)

from ccxt_mmp._redaction import redact
from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.credentials import are_checked
from ccxt_mmp.core.fence import Closure, Fence
from ccxt_mmp.core.numbers import MAX_NUMBER, exact_decimal, is_integer
from ccxt_mmp.core.params import ONLY_CHECK, Checked
from ccxt_mmp.core.request_context import REFUSALS, current_holder
from ccxt_mmp.core.requests import Requests
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.core.throttling import MARGIN, OutOfTimeError
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.types import MassCancel, Params

# of options['massCancelMmp']
TIMEOUT = 10_000  # ms
CONCURRENCY = 20
MAX_THREADS = 10  # of a sync exchange

RETRIES = 2
POLL = 2  # ms
RESERVE = 0.1  # share of the time: the least for an answer, and kept for a last request
CLOCK_SHARE = 0.3  # share of what is left, for loading the time difference first
CLOCK_TRIES = 2
SHOWN_IDS = 5

# what to do next, at the end of every MassCancelIncomplete
AGAIN = 'call it again'
AFTER_WHAT_IT_INTERRUPTED = f'{AGAIN} when the order that it has interrupted is over: after a signal handler'

# permissions and keys: no retry helps
PERMANENT = (AuthenticationError, ExchangeClosedByUser)

Send = Callable[..., Awaitable[Any]]  # one request, as Requests._send


class Outcome:
    """What a cancel request did to its orders. Those that it does not name may still rest."""

    cancelled: dict[str, Params]  # unified orders by id
    gone: set[str]  # not open any more
    refusals: list[BaseError]

    def __init__(
        self,
        cancelled: dict[str, Params] | None = None,
        gone: set[str] | None = None,
        refusals: list[BaseError] | None = None,
    ) -> None:
        self.cancelled = {} if cancelled is None else cancelled
        self.gone = set() if gone is None else gone
        self.refusals = [] if refusals is None else refusals


class Attempts:
    """The retries of one request."""

    retries_left = RETRIES
    clock_was_set: bool  # or the way needs no time difference

    def __init__(self, *, clock_was_set: bool) -> None:
        self.clock_was_set = clock_was_set


class KnownOrders:
    """What a mass cancel in several requests knows of the orders, by id."""

    has_listed = False  # a list had an order of the underlying
    is_verified = False  # a whole list was read after the last cancellation
    resting: dict[str, Params]  # orders to cancel, as listed
    undecided: dict[str, Any]  # the list does not say whether to cancel them
    acknowledged: dict[str, Params]  # unified orders that the exchange says it cancelled
    unconfirmed: set[str]  # of these: those that the list has to confirm
    gone: set[str]  # orders that were not open any more
    unanswered: set[str]  # their cancellation may have taken effect

    def __init__(self) -> None:
        self.resting, self.undecided, self.acknowledged = {}, {}, {}
        self.unconfirmed, self.gone, self.unanswered = set(), set(), set()

    def shared(self) -> 'KnownOrders':
        """For another way of the same mass cancel: what either has cancelled is known to both."""
        other = copy(self)
        other.resting, other.undecided, other.gone, other.unanswered = {}, {}, set(), set()
        return other

    @property
    def cancelled(self) -> dict[str, Params]:
        """Orders that the exchange says it cancelled, that are not listed again and need no list to confirm it."""
        others = self.resting.keys() | self.undecided.keys() | self.unconfirmed
        return {order_id: order for order_id, order in self.acknowledged.items() if order_id not in others}


class Progress:
    """What a mass cancel has left to do it with, and what it knows so far."""

    ends: float  # of time.monotonic()
    reserve: float  # s, kept for a last request
    fence: Fence
    closure: Closure
    holder: object  # the task or thread that it was called in
    answers: list[Any]
    failures: list[Exception]

    # most mass cancels change none of these
    nothing_in_flight = False  # no order that this object has sent can still arrive
    is_banned = False  # the address is banned, or would be by the next request
    clock_tries_left = CLOCK_TRIES
    lock = 0  # ms for which each of its requests locks new orders
    sent_at = 0  # ms since the epoch, of the last request that locks
    locked_until = 0.0  # of time.monotonic(), at the least
    send: Send | None = None  # another way than REST
    send_over_rest: Send | None = None  # instead of ``_send``

    def __init__(self, ends: float, reserve: float, fence: Fence, closure: Closure) -> None:
        self.ends, self.reserve = ends, reserve
        self.fence, self.closure = fence, closure
        self.holder = current_holder()
        self.answers, self.failures = [], []

    @cached_property
    def orders(self) -> KnownOrders:
        return KnownOrders()

    def __enter__(self) -> 'Progress':
        """Close the fence while the mass cancel is in progress."""
        self.closure.__enter__()
        self.check_in_flight()
        return self

    def __exit__(self, *error: object) -> None:
        self.closure.__exit__(*error)

    def check_in_flight(self) -> None:
        self.nothing_in_flight = not self.fence.has_in_flight or not (
            self.awaits_answers or self.fence.has_interrupted(self.holder)
        )

    @property
    def awaits_answers(self) -> bool:
        """Whether orders in flight may still be accepted. The exchange refuses what arrives while it locks orders."""
        return self.fence.in_flight_until() > max(time.monotonic(), self.locked_until)

    @property
    def is_done(self) -> bool:
        """Whether a list shows that no order to cancel rests, and none can still arrive."""
        return self.orders.is_verified and not self.orders.resting and self.nothing_in_flight

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.ends

    @property
    def must_stop(self) -> bool:
        """Whether it must send nothing more: no time is left, or the address would be banned."""
        return self.is_late or self.is_banned

    @property
    def is_over(self) -> bool:
        """Whether another round is useless."""
        return self.must_stop or any(isinstance(failure, PERMANENT) for failure in self.failures)

    def fail(self, error: Exception) -> None:
        self.is_banned = self.is_banned or isinstance(error, DDoSProtection)
        if error not in self.failures:
            self.failures.append(error)


class KillSwitch(Requests):
    """Mass cancels, for the exchange mixins."""

    # --- set by the exchange mixins

    _order_id_field: str
    _underlying_field: str
    _rule_endpoint: str  # tells whether the exchange knows an underlying

    def _confirm_cancelled(self, answer: Any) -> None:
        """Raise unless the answer to a mass cancel in one request says that it is done."""
        raise NotImplementedError

    def _until_room(self, endpoint: str) -> float:
        """ms after which the limit of an endpoint must have room again."""
        raise NotImplementedError

    def _says_no_such_underlying(self, error: Exception) -> bool:
        return isinstance(error, BadSymbol)

    def _raise_if_no_underlying(self, underlying_id: str, error: Exception) -> None:
        """Raise BadSymbol if the exchange has refused a request because it knows no such underlying."""
        if self._says_no_such_underlying(error):
            if type(error) is BadSymbol:
                raise error
            raise BadSymbol(f'{self.id} massCancelMmp() {underlying_id}: {described(error)}') from error

    async def _warm_up_connection(self) -> None:
        await self._load_time_difference(is_urgent=True)

    # --- one request

    def _mass_cancel(self, underlying_id: str, params: Params) -> Progress:
        """The frame of a mass cancel: its time, and the closed fence."""
        if not are_checked(self):
            self.check_required_credentials()  # before it waits for anything
        timeout, _ = self._mmp_option('massCancelMmp', 'timeout', TIMEOUT, params)
        seconds = self._natural('timeout', timeout) / 1000
        if params.get('halt') is ONLY_CHECK:
            raise Checked
        ends = time.monotonic() + seconds
        fence = self._mmp_fence(underlying_id)
        return Progress(ends, seconds * RESERVE, fence, fence.close(ends + seconds))

    def _natural(self, name: str, value: object) -> int:
        if type(value) is int and 0 < value <= MAX_NUMBER:
            return value
        number = exact_decimal(value)
        if number is None or number <= 0 or not is_integer(number):
            raise BadRequest(f'{self.id} massCancelMmp() {name} must be an integer above 0, received {shown(value)}')
        return int(number)

    async def _urgent_request(self, endpoint: str, request: Any, progress: Progress, *, cost: int = 1) -> Any:
        """A request of a mass cancel, which is safe to repeat.

        Raises the first failure after which the outcome is unknown, if there was one, else the last.
        """
        lost: BaseError | None = None
        attempts: Attempts | None = None
        if self.options.get('adjustForTimeDifference') and progress.send is None:
            left = progress.ends - time.monotonic()
            await self._try_clock(self._adjust_clock, progress, progress.ends - left * (1 - CLOCK_SHARE))
        while True:
            if progress.lock:
                progress.sent_at = self.nonce()
                progress.locked_until = time.monotonic() + progress.lock / 1000
            try:
                answer = await (progress.send or progress.send_over_rest or self._send)(
                    endpoint, request, cost=cost, ends=progress.ends, least_timeout=progress.reserve, is_urgent=True
                )
            except BaseError as error:
                progress.fail(error)
                if lost is None and isinstance(error, NetworkError) and not isinstance(error, REFUSALS):
                    lost = error
                attempts = attempts or Attempts(clock_was_set=progress.send is not None)
                if not await self._should_retry(error, endpoint, attempts, progress):
                    raise (lost or error) from error
            except Exception as error:  # such as a closed session or loop
                redact(error, None)
                raise ExchangeNotAvailable(f'{self.id} {endpoint} failed: {described(error)}') from error
            else:
                progress.answers.append(answer)
                return answer

    async def _should_retry(self, error: BaseError, endpoint: str, attempts: Attempts, progress: Progress) -> bool:
        """Whether to retry a request that failed, after what has to come first.

        Transient failures: at once, at most twice. A wrong clock: once, after the time difference is loaded. A used-up
        rate limit: when it must have room again, as long as there is time.
        """
        if not isinstance(error, NetworkError) or isinstance(error, OutOfTimeError) or progress.must_stop:
            return False
        if isinstance(error, RateLimitExceeded):
            pause = self._until_room(endpoint) * MARGIN
            is_in_time = time.monotonic() + pause / 1000 < progress.ends - progress.reserve
            if is_in_time:
                await await_result(self.sleep(pause))
            return is_in_time
        if isinstance(error, InvalidNonce):
            if attempts.clock_was_set:
                return False
            attempts.clock_was_set = True
            await self._try_clock(self._load_time_difference, progress, progress.ends)
            return not progress.must_stop
        attempts.retries_left -= 1
        return attempts.retries_left >= 0

    async def _try_clock(self, load: Callable[..., Awaitable[None]], progress: Progress, ends: float) -> None:
        """Load the time difference if possible; else the kill switch goes on with the clock that there is."""
        if not progress.clock_tries_left:
            return
        try:
            await load(ends=ends, is_urgent=True)
        except Exception:  # noqa: BLE001 - if the clock is wrong, the exchange will say so
            progress.clock_tries_left -= 1

    async def _only_request(self, endpoint: str, request: Params, underlying_id: str, progress: Progress) -> Any:
        """A mass cancel in one request; a second one if orders were in flight before the first.

        No second one if the first locks and those orders must have arrived before the lock ends: they were refused.
        """
        try:
            answer = await self._urgent_request(endpoint, request, progress)
        except NetworkError as error:
            if progress.is_late or isinstance(error, RateLimitExceeded):
                raise self._incomplete(underlying_id, progress) from error
            raise
        except BadRequest as error:
            if progress.answers:  # of an earlier round, after which orders rest
                raise self._incomplete(underlying_id, progress) from error
            self._raise_if_no_underlying(underlying_id, error)
            raise
        self._confirm_cancelled(answer)
        if progress.nothing_in_flight:
            return answer
        await self._await_in_flight(progress)
        if not progress.nothing_in_flight or time.monotonic() >= progress.locked_until:
            try:
                answer = await self._urgent_request(endpoint, request, progress)
                self._confirm_cancelled(answer)
            except BaseError as error:
                progress.fail(error)
                raise self._incomplete(underlying_id, progress) from error
        if not progress.nothing_in_flight:
            raise self._incomplete(underlying_id, progress)
        return answer

    async def _await_in_flight(self, progress: Progress) -> None:
        """Wait for the orders in flight, but leave time for a last cancel."""
        while progress.awaits_answers and time.monotonic() < progress.ends - progress.reserve:
            await await_result(self.sleep(POLL))
        progress.check_in_flight()

    # --- the result

    def _mass_cancelled(self, underlying_id: str, info: Any, orders: list[Params] | None) -> MassCancel:
        return {
            'info': info,
            'underlying': self._unified_underlying(underlying_id),
            'underlyingId': underlying_id,
            'orders': orders,
            'lockedUntil': None,
            'timestamp': None,
            'datetime': None,
        }

    def _raise_incomplete(self, underlying_id: str, progress: Progress) -> NoReturn:
        orders = progress.orders
        has_done_nothing = not (orders.acknowledged or orders.gone or orders.unanswered)
        if has_done_nothing and progress.nothing_in_flight:
            for failure in progress.failures:
                if isinstance(failure, PERMANENT):
                    raise failure
        raise self._incomplete(underlying_id, progress) from (progress.failures[0] if progress.failures else None)

    def _incomplete(self, underlying_id: str, progress: Progress) -> MassCancelIncomplete:
        orders = progress.orders
        remaining = [order_id for order_id in orders.resting if order_id not in orders.unanswered]
        unlisted = orders.unconfirmed.difference(orders.resting, orders.undecided)
        unknown = [*orders.unanswered.intersection(orders.resting), *unlisted, *orders.undecided]
        known = (
            f'cancelled {len(orders.cancelled)}, remaining {first_of(remaining)}, unknown {first_of(unknown)}'
            f'{"" if orders.is_verified else ", and whether others rest is not known"}'
        )
        if progress.is_late:
            known += '; its time is over'
        if not progress.nothing_in_flight:
            known += '; orders that were sent before it are not answered and may still arrive'
        if progress.failures:
            known += f'; first failure {described(progress.failures[0])}'
        next_step = AFTER_WHAT_IT_INTERRUPTED if progress.fence.has_interrupted(progress.holder) else AGAIN
        if progress.is_banned:
            next_step += ' once the exchange answers this address'
        return MassCancelIncomplete(
            f'{self.id} massCancelMmp() of {underlying_id} is incomplete: {known}; {next_step}',
            orders.cancelled,
            remaining,
            unknown,
        )


def all_of(*facts: bool | None) -> bool | None:
    """False if one fact is False, else None if one is unknown, else True."""
    if any(fact is False for fact in facts):
        return False
    return None if None in facts else True


def first_of(ids: Collection[str]) -> str:
    """The number of ids, and the first of them."""
    named = ', '.join(list(ids)[:SHOWN_IDS])
    more = ', ...' if len(ids) > SHOWN_IDS else ''
    return f'{len(ids)} ({named}{more})' if ids else '0'
