"""Mass cancels where an answer only acknowledges a cancellation, and the list of open orders tells what came of it."""

import time
from collections.abc import Callable
from typing import Any

from ccxt.base.errors import BaseError

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.kill_switch import Progress
from ccxt_mmp.core.list_and_cancel import ROUNDS, ListAndCancel, Progresses
from ccxt_mmp.types import Params

WAIT = 2.0  # s that an acknowledged cancellation has to take effect
PAUSE = 0.1  # s, at the least between two lists


class AcknowledgedCancels(ListAndCancel):
    """Waits for acknowledged cancellations to take effect, before they are sent again."""

    async def _list_what_rests(
        self,
        progresses: Progresses,
        params: Params,
        listing: Progress,
        joining: Callable[[list[Any]], Progresses] | None,
    ) -> None:
        """List, and list again while orders rest whose cancellation was acknowledged, as long as they may still go."""
        await super()._list_what_rests(progresses, params, listing, joining)
        ends = effect_ends(listing)
        while (
            listing.is_verified
            and any(not each.acknowledged.keys().isdisjoint(each.resting) for each in progresses.values())
            and await self._waited(PAUSE, ends, listing)
        ):
            await super()._list_what_rests(progresses, params, listing, joining)

    async def _cancel_what_rests(self, progresses: Progresses, params: Params, concurrency: int) -> None:
        before = {each: {*progress.acknowledged} for each, progress in progresses.items()}
        await super()._cancel_what_rests(progresses, params, concurrency)
        for each, progress in progresses.items():
            progress.unconfirmed |= progress.acknowledged.keys() - before[each]

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
        ends = effect_ends(progress)
        while True:
            rows: list[Any] = []
            progress.is_verified = False
            try:
                await self._list_open_orders(underlying_id, {}, progress, rows)
            except BaseError as error:
                progress.fail(error)
                raise self._incomplete(underlying_id, progress) from error
            progress.is_verified = True
            progress.resting = {str(self.safe_string(row, self._order_id_field)): row for row in rows}
            if not rows or not await self._waited(PAUSE, ends, progress):
                return not rows

    async def _waited(self, seconds: float, ends: float, progress: Progress) -> bool:
        """Pause before the next request; False if there is no time for one."""
        if progress.must_stop or time.monotonic() + seconds > ends:
            return False
        await await_result(self.sleep(seconds * 1000))
        return True


def effect_ends(progress: Progress) -> float:
    """time.monotonic() until which what was acknowledged by now may still take effect."""
    return min(time.monotonic() + WAIT, progress.ends - progress.reserve)
