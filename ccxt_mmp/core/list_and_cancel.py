"""Mass cancels where no single request does it: list the open orders, cancel, and list again to verify.

Several underlyings can be cancelled together where one list has the orders of all.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ccxt.base.errors import BadResponse, BaseError, DDoSProtection, OrderNotFound

from ccxt_mmp.core.awaiting import gather, succeeded
from ccxt_mmp.core.kill_switch import CONCURRENCY, MAX_THREADS, KillSwitch, Outcome, Progress, first_of
from ccxt_mmp.core.request_context import REFUSALS
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import MassCancel, Params

ROUNDS = 3

Progresses = dict[str, Progress]  # by underlying


class ListAndCancel(KillSwitch):
    """Mass cancels in several requests, for the exchange mixins."""

    # --- the steps, set by the exchange mixins

    async def _list_open_orders(self, underlying_id: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        """Add the open orders to ``rows`` as they are listed: what was read counts also if a page fails."""
        raise NotImplementedError

    def _is_to_cancel(self, row: Params, underlying_id: str) -> bool | None:
        """Whether a listed order is an MMP order of the underlying; None if the list does not say."""
        raise NotImplementedError

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        """The orders to cancel, by id, in parts of one request each."""
        raise NotImplementedError

    def _chunks_of_each(self, resting: dict[str, dict[str, Params]]) -> list[tuple[str, dict[str, Params]]]:
        """The same of several underlyings: each part with its underlying."""
        return [(each, chunk) for each, orders in resting.items() for chunk in self._chunks(orders)]

    async def _cancel_chunk(
        self, chunk: dict[str, Params], underlying_id: str, params: Params, progress: Progress
    ) -> Outcome:
        """Send the request of one part, and say what it did."""
        raise NotImplementedError

    # --- the rounds

    async def _cancel_listed(self, underlying_id: str, params: Params, progress: Progress) -> MassCancel:
        """List the open orders, cancel the MMP orders of the underlying, and list again to verify."""
        await self._cancel_in_rounds({underlying_id: progress}, params, progress)
        return await self._result_of_rounds(underlying_id, progress)

    async def _cancel_in_rounds(
        self,
        progresses: Progresses,
        params: Params,
        listing: Progress,
        joining: Callable[[list[Any]], Progresses] | None = None,
    ) -> None:
        """
        progresses: of the underlyings to cancel; more than one only where one list has the orders of all.
        listing: has the requests of the lists; the progress itself if there is one alone.
        joining: adds the underlyings that a list shows to ``progresses`` and returns what it has added.
        """
        concurrency = self._natural(
            'concurrency', self._mmp_option('massCancelMmp', 'concurrency', CONCURRENCY, params)[0]
        )
        rounds_left, left = ROUNDS, dict(progresses)
        while True:
            await self._list_what_rests(left, params, listing, joining)
            left = {each: progress for each, progress in left.items() if not (progress.is_done or progress.is_over)}
            is_listed = joining is None or listing.orders.is_verified
            if (is_listed and not left) or listing.is_over or not rounds_left:
                break
            rounds_left -= 1
            await self._cancel_what_rests(left, params, concurrency)
            for progress in left.values():
                await self._await_in_flight(progress)
            left = {each: progress for each, progress in left.items() if not progress.is_over}
            if is_listed and not left:
                break

    async def _list_what_rests(
        self,
        progresses: Progresses,
        params: Params,
        listing: Progress,
        joining: Callable[[list[Any]], Progresses] | None,
    ) -> None:
        rows: list[Any] = []
        failure: Exception | None = None
        answered = len(listing.answers)
        try:
            await self._list_open_orders(next(iter(progresses), ''), params, listing, rows)
        except Exception as error:  # noqa: BLE001 - a failed list must not stop the cancels
            failure = error
            listing.fail(error)
        else:
            listing.orders.is_verified = True
        if joining is not None:
            progresses |= joining(rows)
        for underlying_id, progress in progresses.items():
            if progress is not listing:
                progress.answers += listing.answers[answered:]
                for each in listing.failures:
                    progress.fail(each)
            self._note_listed(rows, underlying_id, progress, is_whole=failure is None)

    def _note_listed(self, rows: list[Any], underlying_id: str, progress: Progress, *, is_whole: bool) -> None:
        orders = progress.orders
        if is_whole:
            # what is not listed any more does not rest
            orders.resting, orders.undecided = {}, {}
            orders.unanswered.clear()
            orders.unconfirmed.clear()
            orders.is_verified = True
        for row in rows:
            order_id = self.safe_string(row, self._order_id_field) if isinstance(row, dict) else None
            if not order_id:
                orders.undecided[f'an order without an id: {shown(row)}'] = row
                continue
            is_to_cancel = self._is_to_cancel(row, underlying_id)
            if is_to_cancel is None:
                orders.undecided[order_id] = row
            elif is_to_cancel:
                orders.resting[order_id] = row
        orders.has_listed = orders.has_listed or bool(orders.resting or orders.undecided)

    async def _cancel_what_rests(self, progresses: Progresses, params: Params, concurrency: int) -> None:
        chunks = self._chunks_of_each({each: progress.orders.resting for each, progress in progresses.items()})
        for progress in progresses.values():
            progress.orders.is_verified = False
        if self.synchronous:
            concurrency = min(concurrency, MAX_THREADS)
        outcomes = await gather(
            self.synchronous,
            [partial(self._try_chunk, chunk, each, params, progresses) for each, chunk in chunks],
            concurrency,
        )
        for (underlying_id, _), outcome in zip(chunks, succeeded(outcomes), strict=True):
            progress = progresses[underlying_id]
            orders = progress.orders
            for refusal in outcome.refusals:
                progress.fail(refusal)
            orders.acknowledged.update(outcome.cancelled)
            orders.gone.update(outcome.gone)
            for order_id in (*outcome.cancelled, *outcome.gone):
                orders.resting.pop(order_id, None)
        for ban in list(bans(progresses)):
            for progress in progresses.values():
                progress.fail(ban)

    async def _try_chunk(
        self, chunk: dict[str, Params], underlying_id: str, params: Params, progresses: Progresses
    ) -> Outcome:
        progress = progresses[underlying_id]
        if progress.must_stop or any(bans(progresses)):
            return Outcome()
        try:
            outcome: Outcome = await self._cancel_chunk(chunk, underlying_id, params, progress)
        except Exception as error:  # noqa: BLE001 - the others are to go whatever it is; the list tells about these
            progress.fail(error)
            if not isinstance(error, REFUSALS):
                progress.orders.unanswered.update(chunk)
            return Outcome()
        if len(outcome.cancelled) + len(outcome.gone) < len(chunk) and not outcome.refusals:
            outcome.refusals.append(BadResponse(f'{self.id} massCancelMmp() was not told about each of {list(chunk)}'))
        return outcome

    @staticmethod
    def _outcome(chunk: dict[str, Params], cancelled: dict[str, Params], refused: list[BaseError]) -> Outcome:
        """What an answer says. It may not say which order a refusal is of: then all others are gone, or none is."""
        refusals = [error for error in refused if not isinstance(error, OrderNotFound)]
        is_known = not refusals and len(cancelled) + len(refused) == len(chunk)
        return Outcome(cancelled, chunk.keys() - cancelled.keys() if is_known else set(), refusals)

    # --- after them

    async def _result_of_rounds(self, underlying_id: str, progress: Progress) -> MassCancel:
        orders = progress.orders
        if not progress.is_done:
            self._raise_incomplete(underlying_id, progress)
        if orders.undecided:
            raise BadResponse(
                f'{self.id} massCancelMmp() cancelled {len(orders.cancelled)} orders of {underlying_id}, but some '
                f'are listed without saying whether they are MMP orders of it: {first_of(orders.undecided)}'
            )
        if not orders.has_listed:
            await self._raise_if_unknown(underlying_id, progress)
        return self._mass_cancelled(underlying_id, progress.answers, list(orders.cancelled.values()))

    async def _raise_if_unknown(self, underlying_id: str, progress: Progress) -> None:
        """Nothing was listed: ask the exchange whether it knows the underlying, and ignore any other answer."""
        try:
            request = {self._underlying_field: underlying_id}
            await (progress.send or self._send)(
                self._rule_endpoint, request, cost=1, ends=progress.ends, least_timeout=progress.reserve, is_urgent=True
            )
        except Exception as error:  # noqa: BLE001 - no order rests, which is what was asked for
            self._raise_if_no_underlying(underlying_id, error)


def bans(progresses: Progresses) -> Iterator[Exception]:
    """The failures that say that the address is banned, or would be by the next request."""
    for progress in progresses.values():
        yield from (each for each in progress.failures if isinstance(each, DDoSProtection))
