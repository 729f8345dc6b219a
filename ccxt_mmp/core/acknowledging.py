"""Mass cancels where an answer only acknowledges, and the list of open orders tells what came of it."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from ccxt.base.errors import BaseError

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.fence import GRACE
from ccxt_mmp.core.kill_switch import Progress
from ccxt_mmp.core.list_and_cancel import ROUNDS, ListAndCancel, Progresses
from ccxt_mmp.types import Params

WAIT = 2.0  # s that an acknowledged cancellation or order has to take effect
PAUSE = 0.1  # s, at the least between two lists


class AcknowledgedCancels(ListAndCancel):
    """Waits for acknowledged cancellations before they are sent again, and for new orders that no list has yet."""

    # --- set by the exchange mixins

    async def _list_closed_orders(self, underlying_id: str, progress: Progress, rows: list[Any]) -> None:
        """Add the latest orders that are closed."""
        raise NotImplementedError

    # --- the lists

    async def _list_what_rests(
        self,
        progresses: Progresses,
        params: Params,
        listing: Progress,
        joining: Callable[[list[Any]], Progresses] | None,
    ) -> None:
        """List, and list again while something acknowledged may still take effect."""
        await super()._list_what_rests(progresses, params, listing, joining)
        ends = self._effect_ends(listing, progresses)
        while (
            listing.orders.is_verified
            and await self._is_to_list_again(progresses)
            and await self._waited(PAUSE, ends, listing)
        ):
            await super()._list_what_rests(progresses, params, listing, joining)
        for underlying_id, progress in progresses.items():
            unlisted = self._unlisted(underlying_id)
            if unlisted and not progress.orders.resting:
                progress.orders.is_verified = False
                progress.orders.unconfirmed |= unlisted.keys()

    async def _is_to_list_again(self, progresses: Progresses) -> bool:
        for underlying_id, progress in progresses.items():
            if not progress.orders.acknowledged.keys().isdisjoint(progress.orders.resting):
                return True
            if not progress.orders.resting and await self._has_unlisted(underlying_id, progress):
                return True
        return False

    def _note_listed(self, rows: list[Any], underlying_id: str, progress: Progress, *, is_whole: bool) -> None:
        super()._note_listed(rows, underlying_id, progress, is_whole=is_whole)
        self._forget_accepted(underlying_id, rows)

    def _raise_if_no_underlying(self, underlying_id: str, error: Exception) -> None:
        if not self._unlisted(underlying_id):  # else it has had an order a moment ago
            super()._raise_if_no_underlying(underlying_id, error)

    # --- new orders: an answer acknowledges one before the list has it, or is lost

    def _note_accepted(self, underlying_ids: Iterable[str], ids: Iterable[str], seconds: float = 0.0) -> None:
        """MMP orders that the exchange has just acknowledged, by its ids or those of the client, '' = none.

        seconds: within which they arrive
        """
        ends = time.monotonic() + seconds + WAIT
        for each in underlying_ids:
            self._unlisted(each).update((name, ends) for name in ids if name)

    def _note_lost(self, underlying_ids: Iterable[str], client_ids: Iterable[str]) -> None:
        """MMP orders of which it is not known whether they arrive."""
        self._note_accepted(underlying_ids, client_ids, GRACE)

    def _unlisted(self, underlying_id: str) -> dict[str, float]:
        """MMP orders that were sent lately and that no list has had since, and until when they may come."""
        accepted: dict[str, float] = self.__dict__.setdefault('_mmp_accepted', {}).setdefault(underlying_id, {})
        now = time.monotonic()
        for order_id, ends in list(accepted.items()):
            if ends <= now:
                accepted.pop(order_id, None)
        return accepted

    def _forget_accepted(self, underlying_id: str, rows: list[Any]) -> None:
        accepted = self._unlisted(underlying_id)
        for row in rows if accepted else ():
            for name in (self._order_id_field, self._client_id_field) if isinstance(row, dict) else ():
                accepted.pop(str(row.get(name)), None)

    async def _has_unlisted(self, underlying_id: str, progress: Progress) -> bool:
        """Whether an MMP order that may come is neither listed nor closed yet."""
        if not self._unlisted(underlying_id):
            return False
        rows: list[Any] = []
        try:
            await self._list_closed_orders(underlying_id, progress, rows)
        except Exception as error:  # noqa: BLE001 - the next list of open orders may tell
            progress.fail(error)
        self._forget_accepted(underlying_id, rows)
        return bool(self._unlisted(underlying_id))

    # --- the cancellations

    async def _cancel_what_rests(self, progresses: Progresses, params: Params, concurrency: int) -> None:
        before = {each: {*progress.orders.acknowledged} for each, progress in progresses.items()}
        await super()._cancel_what_rests(progresses, params, concurrency)
        for each, progress in progresses.items():
            progress.orders.unconfirmed |= progress.orders.acknowledged.keys() - before[each]

    async def _cancel_until_none_rests(
        self, endpoint: str, request: Any, underlying_id: str, progress: Progress
    ) -> Any:
        """Cancel every order by one request, until the list has none; the answer that did it."""
        for _ in range(ROUNDS):
            answer = await self._only_request(endpoint, request, underlying_id, progress)
            if await self._none_rests(underlying_id, progress):
                return answer
        raise self._incomplete(underlying_id, progress)

    async def _none_rests(self, underlying_id: str, progress: Progress) -> bool:
        """Whether no order of the underlying is listed within the time that cancellations have to take effect."""
        ends = self._effect_ends(progress, [underlying_id])
        while True:
            rows: list[Any] = []
            progress.orders.is_verified = False
            try:
                await self._list_open_orders(underlying_id, {}, progress, rows)
            except BaseError as error:
                progress.fail(error)
                raise self._incomplete(underlying_id, progress) from error
            progress.orders.is_verified = True
            progress.orders.resting = {str(self.safe_string(row, self._order_id_field)): row for row in rows}
            self._forget_accepted(underlying_id, rows)
            none_rests = not rows and not await self._has_unlisted(underlying_id, progress)
            if none_rests or not await self._waited(PAUSE, ends, progress):
                return none_rests

    async def _waited(self, seconds: float, ends: float, progress: Progress) -> bool:
        """Pause before the next request; False if there is no time for one."""
        if progress.must_stop or time.monotonic() + seconds > ends:
            return False
        await await_result(self.sleep(seconds * 1000))
        return True

    def _effect_ends(self, progress: Progress, underlying_ids: Iterable[str]) -> float:
        """time.monotonic() until which what was sent or acknowledged by now may still take effect."""
        unlisted = [ends + PAUSE for each in underlying_ids for ends in self._unlisted(each).values()]
        return min(max(time.monotonic() + WAIT, *unlisted, 0.0), progress.ends - progress.reserve)
