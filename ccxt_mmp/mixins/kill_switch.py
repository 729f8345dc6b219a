"""What the mass cancels of the exchanges have in common: repeating, time, and the one that takes several requests."""

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from ccxt.base.errors import (
    AuthenticationError,
    BadRequest,
    BadResponse,
    BaseError,
    DDoSProtection,
    ExchangeClosedByUser,
    ExchangeNotAvailable,
    InvalidNonce,
    NetworkError,
    OrderNotFound,
    RateLimitExceeded,
)

from ccxt_mmp._io import side_by_side, succeeded, take
from ccxt_mmp._numbers import MAX_NUMBER, exact_decimal, is_integer
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.mixins.base import described, shown
from ccxt_mmp.throttling import REFUSALS, Fence, OutOfTimeError, current_request
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
    """What a mass cancel may do, and what it knows so far."""

    ends: float  # of time.monotonic()
    fence: Fence
    own_departures: int  # of orders that it is called in the course of
    is_settled: bool = False  # no order that this object sent before it is still on its way
    has_no_clock: bool = False  # the exchange's could not be asked
    lock: int = 0  # ms that each of its requests locks new orders
    sent_at: int = 0  # ms since the epoch, of a request that locks
    locked_until: float = 0.0  # of time.monotonic(), for certain
    answers: list[Any] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    # where it takes several requests, by id
    is_verified: bool = False  # a list was read to its end after the last cancellation
    resting: dict[str, Params] = field(default_factory=dict)  # orders to cancel, as listed
    undecided: dict[str, Any] = field(default_factory=dict)  # listed without saying whether they are to go
    acknowledged: dict[str, Params] = field(default_factory=dict)  # unified orders that were said to be cancelled
    unanswered: set[str] = field(default_factory=set)  # orders whose cancellation may have taken effect

    def __enter__(self) -> 'Progress':
        """The fence before new orders is closed as long as the mass cancel is under way."""
        self.fence.__enter__()
        self.look_around()
        return self

    def __exit__(self, *error: object) -> None:
        self.fence.__exit__(*error)

    def look_around(self) -> None:
        self.is_settled = self.fence.is_settled(self.own_departures, self.locked_until)

    @property
    def cancelled(self) -> dict[str, Params]:
        """Orders that were said to be cancelled and are not listed again."""
        listed = self.resting.keys() | self.undecided.keys()
        return {order_id: order for order_id, order in self.acknowledged.items() if order_id not in listed}

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

    def fail(self, error: Exception) -> None:
        if error not in self.failures:
            self.failures.append(error)


class KillSwitch(Exchange):
    """Mass cancels, for the exchange mixins."""

    async def _warm_up(self) -> None:
        await self._load_time_difference()

    # --- one request

    def _mass_cancel(self, underlying_id: str, params: Params) -> Progress:
        """What goes around a mass cancel: the time that it has, and the fence before new orders."""
        timeout, _ = self._mmp_option('massCancelMmp', 'timeout', TIMEOUT, params)
        milliseconds = self._natural('timeout', timeout)
        fence = self._mmp_fence(underlying_id)
        context = current_request(self)
        own = int(context is not None and context.fence is fence and context.has_departed)
        return Progress(time.monotonic() + milliseconds / 1000, fence, own)

    def _natural(self, name: str, value: object) -> int:
        if type(value) is int and 0 < value <= MAX_NUMBER:
            return value
        number = exact_decimal(value)
        if number is None or number <= 0 or not is_integer(number):
            raise BadRequest(f'{self.id} massCancelMmp() {name} must be an integer above 0, received {shown(value)}')
        return int(number)

    async def _urgent_request(self, endpoint: str, request: Any, progress: Progress, *, cost: int = 1) -> Any:
        """A request of a mass cancel, which is harmless to repeat: at most twice, at once, while there is time.

        Fails with the first failure that leaves it open whether it took effect, if there was one.
        """
        lost: NetworkError | None = None
        clock_was_loaded = False
        if self.options.get('adjustForTimeDifference'):
            await self._try_clock(self._adjust_clock, progress)
        repeats_left = REPEATS
        while True:
            if progress.lock:
                progress.sent_at = self.nonce()
                progress.locked_until = time.monotonic() + progress.lock / 1000
            try:
                answer = await self._send(endpoint, request, cost=cost, ends=progress.ends)
            except NetworkError as error:
                progress.fail(error)
                if lost is None and not isinstance(error, REFUSALS):
                    lost = error
                is_final = isinstance(error, (DDoSProtection, OutOfTimeError))
                is_final = is_final or (isinstance(error, InvalidNonce) and clock_was_loaded)
                if is_final or not repeats_left or progress.must_stop:
                    raise (lost or error) from error
                repeats_left -= 1
                if isinstance(error, RateLimitExceeded):
                    calls, milliseconds = self._mmp_rate_limit(endpoint) or self._shared_rate_limit
                    pause = min(milliseconds / calls * cost, (progress.ends - time.monotonic()) * 1000)
                    await take(self.sleep(max(pause, 0)))
                elif isinstance(error, InvalidNonce):
                    clock_was_loaded = True
                    await self._try_clock(self._load_time_difference, progress)
                    if progress.must_stop:
                        raise (lost or error) from error
            except BaseError:
                raise
            except Exception as error:  # a session or a loop that is closed
                raise ExchangeNotAvailable(f'{self.id} {endpoint} failed: {described(error)}') from error
            else:
                progress.answers.append(answer)
                return answer

    async def _try_clock(self, load: Callable[[], Awaitable[None]], progress: Progress) -> None:
        """A clock that cannot be asked does not keep a kill switch from trying with the one at hand."""
        if progress.has_no_clock:
            return
        started = time.monotonic()
        try:
            await load()
        except Exception:  # noqa: BLE001 - if the clock at hand is wrong, the exchange will say so
            progress.has_no_clock = True
            progress.ends += time.monotonic() - started  # a clock that hangs must not use up the time of the switch

    async def _only_request(self, endpoint: str, request: Params, underlying_id: str, progress: Progress) -> Any:
        """The request of a mass cancel that is a single one; a second if orders were on their way before the first.

        Unless it locks, and those have been answered, or must have come, before the lock ends: they were refused.
        """
        try:
            answer = await self._urgent_request(endpoint, request, progress)
            if not progress.is_settled:
                await self._settle(progress)
                if progress.is_late:
                    raise self._incomplete(underlying_id, progress)
                if time.monotonic() >= progress.locked_until:
                    answer = await self._urgent_request(endpoint, request, progress)
        except NetworkError as error:
            if progress.is_late or isinstance(error, OutOfTimeError):
                raise self._incomplete(underlying_id, progress) from error
            raise
        return answer

    async def _settle(self, progress: Progress) -> None:
        """Wait for the answers of the orders that this object had sent before, and which may rest after it."""
        progress.look_around()
        while not progress.is_settled and not progress.is_late:
            await take(self.sleep(POLL))
            progress.look_around()

    # --- list, cancel, verify

    async def _cancel_listed(self, underlying_id: str, params: Params, progress: Progress) -> MassCancel:
        """List the open orders, cancel the MMP orders of the underlying among them, and list again to see.

        The exchange mixin knows how: ``_list_open_orders``, ``_is_to_cancel``, ``_chunks`` and ``_cancel_chunk``.
        """
        concurrency = self._natural(
            'concurrency', self._mmp_option('massCancelMmp', 'concurrency', CONCURRENCY, params)[0]
        )
        rounds_left = ROUNDS
        while True:
            await self._list_what_rests(underlying_id, params, progress)
            is_done = progress.is_verified and not progress.resting and progress.is_settled
            if is_done or progress.is_over or not rounds_left:
                break
            rounds_left -= 1
            await self._cancel_what_rests(underlying_id, params, progress, concurrency)
            await self._settle(progress)
            if progress.is_over:
                break
        if progress.resting or not progress.is_verified or not progress.is_settled:
            self._raise_incomplete(underlying_id, progress)
        if progress.undecided:
            raise BadResponse(
                f'{self.id} massCancelMmp() cancelled {len(progress.cancelled)} orders of {underlying_id}, but some '
                f'are listed without saying whether they are MMP orders of it: {_first(progress.undecided)}'
            )
        return self._mass_cancelled(underlying_id, progress.answers, list(progress.cancelled.values()))

    async def _list_what_rests(self, underlying_id: str, params: Params, progress: Progress) -> None:
        rows: list[Any] = []
        try:
            await self._list_open_orders(underlying_id, params, progress, rows)
        except Exception as error:  # noqa: BLE001 - nor is this a reason to stop
            progress.fail(error)
        else:
            # what was listed before and is not now does not rest
            progress.resting, progress.undecided = {}, {}
            progress.unanswered.clear()
            progress.is_verified = True
        for row in rows:
            order_id = self.safe_string(row, self._order_id_field) if isinstance(row, dict) else None
            if not order_id:
                progress.undecided[f'an order without an id: {shown(row)}'] = row
                continue
            is_to_cancel = self._is_to_cancel(row, underlying_id)
            if is_to_cancel is None:
                progress.undecided[order_id] = row
            elif is_to_cancel:
                progress.resting[order_id] = row

    async def _cancel_what_rests(
        self, underlying_id: str, params: Params, progress: Progress, concurrency: int
    ) -> None:
        chunks: list[dict[str, Params]] = self._chunks(progress.resting)
        progress.is_verified = False
        outcomes = await side_by_side(
            self.synchronous,
            [partial(self._try_chunk, chunk, underlying_id, params, progress) for chunk in chunks],
            concurrency,
        )
        for outcome in succeeded(outcomes):
            for refusal in outcome.refusals:
                progress.fail(refusal)
            progress.acknowledged.update(outcome.cancelled)
            for order_id in (*outcome.cancelled, *outcome.gone):
                progress.resting.pop(order_id, None)

    async def _try_chunk(
        self, chunk: dict[str, Params], underlying_id: str, params: Params, progress: Progress
    ) -> Outcome:
        if progress.must_stop:
            return Outcome()
        try:
            outcome: Outcome = await self._cancel_chunk(chunk, underlying_id, params, progress)
        except Exception as error:  # noqa: BLE001 - the others are to go whatever it is; the list tells about these
            progress.fail(error)
            if not isinstance(error, REFUSALS):
                progress.unanswered.update(chunk)
            return Outcome()
        if len(outcome.cancelled) + len(outcome.gone) < len(chunk) and not outcome.refusals:
            outcome.refusals.append(BadResponse(f'{self.id} massCancelMmp() was not told about each of {list(chunk)}'))
        return outcome

    @staticmethod
    def _outcome(chunk: dict[str, Params], cancelled: dict[str, Params], refused: list[BaseError]) -> Outcome:
        """What an answer says. Which order a refusal is of it need not say, so all others are gone or none is."""
        refusals = [error for error in refused if not isinstance(error, OrderNotFound)]
        is_known = not refusals and len(cancelled) + len(refused) == len(chunk)
        return Outcome(cancelled, chunk.keys() - cancelled.keys() if is_known else set(), refusals)

    # --- what came of it

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
        if not progress.acknowledged:
            for failure in progress.failures:
                if isinstance(failure, PERMANENT):
                    raise failure
        raise self._incomplete(underlying_id, progress) from (progress.failures[0] if progress.failures else None)

    def _incomplete(self, underlying_id: str, progress: Progress) -> MassCancelIncomplete:
        remaining = [order_id for order_id in progress.resting if order_id not in progress.unanswered]
        unknown = [*progress.unanswered.intersection(progress.resting), *progress.undecided]
        known = (
            f'cancelled {len(progress.cancelled)}, remaining {_first(remaining)}, unknown {_first(unknown)}'
            f'{"" if progress.is_verified else ", and whether others rest is not known"}'
        )
        if progress.is_late:
            known += '; its time is over'
        if not progress.is_settled:
            known += '; orders that were sent before it are not answered'
        if progress.failures:
            known += f'; first failure {described(progress.failures[0])}'
        return MassCancelIncomplete(
            f'{self.id} massCancelMmp() of {underlying_id} is incomplete: {known}',
            progress.cancelled,
            remaining,
            unknown,
        )


def all_of(*facts: bool | None) -> bool | None:
    """Whether all hold; False if one certainly does not, None if that is not known."""
    if any(fact is False for fact in facts):
        return False
    return None if None in facts else True


def _first(ids: Collection[str]) -> str:
    """How many ids there are, and the first of them."""
    named = ', '.join(list(ids)[:SHOWN_IDS])
    more = ', ...' if len(ids) > SHOWN_IDS else ''
    return f'{len(ids)} ({named}{more})' if ids else '0'
