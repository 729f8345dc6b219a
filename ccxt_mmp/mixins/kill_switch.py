"""What the mass cancels of the exchanges have in common: repeating, time, and the one that takes several requests."""

import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import (
    AuthenticationError,
    BadRequest,
    BadResponse,
    BaseError,
    DDoSProtection,
    ExchangeClosedByUser,
    InvalidNonce,
    NetworkError,
    OperationFailed,
    RateLimitExceeded,
)

from ccxt_mmp._io import side_by_side, take
from ccxt_mmp._numbers import exact_decimal, is_integer
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.throttling import Fence
from ccxt_mmp.types import MassCancel, Params

if TYPE_CHECKING:
    from ccxt.base.exchange import Exchange
else:
    Exchange = object

# of options['massCancelMmp']
TIMEOUT = 10_000  # ms
CONCURRENCY = 20

REPEATS = 2
ROUNDS = 3
POLL = 2  # ms
SHOWN_IDS = 5

QUERY = re.compile(r'\?\S*')  # of a URL in an error text of ccxt, with the signature

# a request that failed so did not take effect, for certain
REFUSED = (DDoSProtection, RateLimitExceeded, InvalidNonce)
# permissions and keys, which no repetition mends
PERMANENT = (AuthenticationError, ExchangeClosedByUser)


@dataclass
class Outcome:
    """What is known about the orders of a request that was to cancel them; the others may still rest."""

    cancelled: dict[str, Params] = field(default_factory=dict)  # unified orders by id, as the exchange said
    gone: set[str] = field(default_factory=set)  # they were not open any more
    refusals: list[BaseError] = field(default_factory=list)


@dataclass
class Progress:
    """What a mass cancel knows so far."""

    ends: float  # of time.monotonic()
    fence: Fence
    has_orders_under_way: bool  # which this object had handed to the transport before, and which may rest after it
    resting: dict[str, Params] = field(default_factory=dict)  # orders to cancel, as listed, by id
    undecided: dict[str, Params] = field(default_factory=dict)  # listed without saying whether they are to go
    cancelled: dict[str, Params] = field(default_factory=dict)  # unified orders by id
    unanswered: set[str] = field(default_factory=set)  # ids whose cancellation may have taken effect
    failures: list[BaseError] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    verified: bool = False  # a list was read after the last cancellation
    sent_at: int = 0  # ms since the epoch, of the last request

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.ends

    @property
    def must_stop(self) -> bool:
        """Whether nothing more may be sent: no time is left, or the address would be banned."""
        return self.is_late or any(isinstance(failure, DDoSProtection) for failure in self.failures)

    @property
    def is_over(self) -> bool:
        """Whether another round is of no use."""
        return self.must_stop or any(isinstance(failure, PERMANENT) for failure in self.failures)


class KillSwitch(Exchange):
    """Mass cancels, for the exchange mixins."""

    @contextmanager
    def _mass_cancel(self, underlying_id: str, params: Params) -> Iterator[Progress]:
        """What goes around a mass cancel: the time that it has, and the fence before new orders."""
        timeout, _ = self._mmp_option('massCancelMmp', 'timeout', TIMEOUT, params)
        milliseconds = exact_decimal(timeout)
        if milliseconds is None or milliseconds <= 0 or not is_integer(milliseconds):
            raise BadRequest(
                f'{self.id} massCancelMmp() timeout must be an integer of ms above 0, received {timeout!r}'
            )
        fence = self._mmp_fence(underlying_id)
        with fence.closed():
            yield Progress(time.monotonic() + int(milliseconds) / 1000, fence, fence.departed > 0)

    async def _urgent_request(self, endpoint: str, request: Any, progress: Progress, *, cost: int = 1) -> Any:
        """A request of a mass cancel, which is harmless to repeat: at most twice, at once, while there is time."""
        clock_was_loaded = False
        for repeats_left in range(REPEATS, -1, -1):
            try:
                await self._adjust_clock()
                progress.sent_at = self.nonce()
                answer = await self._mmp_request(endpoint, request, cost=cost)
            except NetworkError as error:  # noqa: PERF203 - repeated thrice
                if not repeats_left or progress.must_stop or isinstance(error, DDoSProtection):
                    raise
                if isinstance(error, RateLimitExceeded):
                    calls, milliseconds = self._mmp_rate_limit(endpoint) or self._shared_rate_limit
                    await take(self.sleep(milliseconds / calls * cost))
                elif isinstance(error, InvalidNonce):
                    if clock_was_loaded:
                        raise
                    await self._load_time_difference()
                    clock_was_loaded = True
            else:
                progress.answers.append(answer)
                return answer
        raise AssertionError('the last turn returns or raises')

    async def _only_request(
        self, endpoint: str, request: Params, underlying_id: str, progress: Progress, *, locks: bool = False
    ) -> Any:
        """The request of a mass cancel that is a single one; a second if orders were on their way before the first."""
        try:
            answer = await self._urgent_request(endpoint, request, progress)
            if progress.has_orders_under_way and not locks:
                await self._wait_for_orders_under_way(progress)
                if progress.is_late:
                    raise self._incomplete(underlying_id, progress)
                answer = await self._urgent_request(endpoint, request, progress)
            return answer
        except NetworkError as error:
            if not progress.is_late:
                raise
            progress.failures.append(error)
            raise self._incomplete(underlying_id, progress) from error

    async def _cancel_listed(self, underlying_id: str, params: Params, progress: Progress) -> MassCancel:
        """List the open orders, cancel the MMP orders of the underlying among them, and list again to see.

        The exchange mixin knows how: ``_list_open_orders``, ``_is_to_cancel``, ``_chunks`` and ``_cancel_chunk``.
        """
        for rounds_left in range(ROUNDS, -1, -1):
            await self._list_what_rests(underlying_id, params, progress)
            is_done = progress.verified and not progress.resting and not progress.has_orders_under_way
            if is_done or progress.is_over or not rounds_left:
                break
            await self._cancel_what_rests(underlying_id, progress)
            await self._wait_for_orders_under_way(progress)
            if progress.is_over:
                break
        if progress.resting or not progress.verified or progress.has_orders_under_way:
            self._raise_incomplete(underlying_id, progress)
        if progress.undecided:
            raise BadResponse(
                f'{self.id} massCancelMmp() cancelled {len(progress.cancelled)} orders of {underlying_id}, but some '
                f'are listed without saying whether they are MMP orders of it: {_first(progress.undecided)}'
            )
        return {
            'info': progress.answers,
            'underlying': self._unified_underlying(underlying_id),
            'underlyingId': underlying_id,
            'orders': list(progress.cancelled.values()),
            'lockedUntil': None,
            'timestamp': None,
            'datetime': None,
        }

    async def _wait_for_orders_under_way(self, progress: Progress) -> None:
        while progress.fence.departed and not progress.is_late:
            await take(self.sleep(POLL))
        progress.has_orders_under_way = progress.fence.departed > 0

    async def _list_what_rests(self, underlying_id: str, params: Params, progress: Progress) -> None:
        try:
            listed = await self._list_open_orders(underlying_id, params, progress)
        except BaseError as error:
            progress.failures.append(error)
            return
        decided = {order_id: self._is_to_cancel(order, underlying_id) for order_id, order in listed.items()}
        progress.resting = {order_id: listed[order_id] for order_id, is_one in decided.items() if is_one}
        progress.undecided = {order_id: listed[order_id] for order_id, is_one in decided.items() if is_one is None}
        for order_id in progress.resting:  # it was not cancelled, whatever an answer said
            progress.cancelled.pop(order_id, None)
        progress.unanswered.clear()
        progress.verified = True

    async def _cancel_what_rests(self, underlying_id: str, progress: Progress) -> None:
        chunks = self._chunks(progress.resting)
        outcomes = await side_by_side(
            self.synchronous,
            [partial(self._try_chunk, chunk, underlying_id, progress) for chunk in chunks],
            self.handle_option('massCancelMmp', 'concurrency', CONCURRENCY),
        )
        progress.verified = False
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            progress.failures.extend(outcome.refusals)
            progress.cancelled.update(outcome.cancelled)
            for order_id in (*outcome.cancelled, *outcome.gone):
                progress.resting.pop(order_id, None)

    async def _try_chunk(self, chunk: dict[str, Params], underlying_id: str, progress: Progress) -> Outcome:
        if progress.must_stop:
            return Outcome()
        try:
            outcome: Outcome = await self._cancel_chunk(chunk, underlying_id, progress)
        except BaseError as error:
            progress.failures.append(error)
            if isinstance(error, OperationFailed) and not isinstance(error, REFUSED):
                progress.unanswered.update(chunk)
            return Outcome()
        return outcome

    def _raise_incomplete(self, underlying_id: str, progress: Progress) -> None:
        cause = progress.failures[0] if progress.failures else None
        if not progress.cancelled:
            for failure in progress.failures:
                if isinstance(failure, PERMANENT):
                    raise failure
        raise self._incomplete(underlying_id, progress) from cause

    def _incomplete(self, underlying_id: str, progress: Progress) -> MassCancelIncomplete:
        remaining = [order_id for order_id in progress.resting if order_id not in progress.unanswered]
        unknown = [*progress.unanswered.intersection(progress.resting), *progress.undecided]
        known = f'cancelled {len(progress.cancelled)}, remaining {_first(remaining)}, unknown {_first(unknown)}'
        if not progress.verified:
            known += ', and whether others rest is not known'
        if progress.is_late:
            known += '; its time is over'
        if progress.has_orders_under_way:
            known += '; orders that were sent before it are not answered'
        if progress.failures:
            cause = progress.failures[0]
            known += f'; first failure {type(cause).__name__}: {QUERY.sub("", str(cause))}'
        return MassCancelIncomplete(
            f'{self.id} massCancelMmp() of {underlying_id} is incomplete: {known}',
            progress.cancelled,
            remaining,
            unknown,
        )


def both(first: bool | None, second: bool | None) -> bool | None:
    """Whether both hold; None if that is not known."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _first(ids: Collection[str]) -> str:
    """How many ids there are, and the first of them."""
    shown = ', '.join(list(ids)[:SHOWN_IDS])
    more = ', ...' if len(ids) > SHOWN_IDS else ''
    return f'{len(ids)} ({shown}{more})' if ids else '0'
