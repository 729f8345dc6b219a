"""Mass cancels of several underlyings at once, by default of every one that may have MMP orders."""

import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from ccxt.base.errors import BadResponse, BadSymbol, NotSupported

from ccxt_mmp.core.awaiting import gather
from ccxt_mmp.core.fence import EVERY, Fence
from ccxt_mmp.core.host import Host
from ccxt_mmp.core.kill_switch import AFTER_WHAT_IT_INTERRUPTED, AGAIN, MAX_THREADS, RESERVE, TIMEOUT, Progress
from ccxt_mmp.core.params import ONLY_CHECK, Checked
from ccxt_mmp.core.request_context import current_holder
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.types import MassCancel, Params

ANY_UNDERLYING = ('BTC/USD', 'BTC/USDT', 'BTC')  # one of them is one, whatever the exchange calls it

NOT_TOLD = ''  # in place of an underlying

Cancels = dict[str, MassCancel | Exception]  # by underlying: what its mass cancel returned or raised


class Several:
    """What came of mass cancels of several underlyings."""

    cancels: Cancels
    failure: Exception | None  # of the list that tells which others there are
    found: Collection[str]  # the underlyings on that list

    def __init__(self, cancels: Cancels, failure: Exception | None = None, found: Collection[str] = ()) -> None:
        self.cancels, self.failure, self.found = cancels, failure, found


class MassCancels(Host):
    """``mass_cancel_mmps``."""

    # --- the public method

    def mass_cancel_mmps(
        self, underlyings: Sequence[str] | None = None, params: Params = {}
    ) -> dict[str, MassCancel] | Awaitable[dict[str, MassCancel]]:
        """
        cancel every MMP order of several underlyings at once, by default of all that may have some

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-mass-cancel-order
        https://developers.binance.com/docs/derivatives/options-trading/trade/Cancel-Multiple-Option-Orders
        https://docs.deribit.com/api-reference/trading/private-cancel_by_label

        A ``mass_cancel_mmp`` of each, at once. Without names: of each underlying of which this object has sent an MMP
        order, at once, and of those that the exchange tells: OKX and Deribit list the rules, Binance and Bybit the open
        orders. Where that list fails, it cancels what this object knows of, and raises. MMP orders of these
        underlyings, without names of all, are stopped from the first moment on until the whole call is over:
        ``MassCancelLocked``.

        Each request waits for the limit of its endpoint (OKX: 5 in 2 seconds, so the sixth family waits up to 2
        seconds). Binance: one list of the open orders serves all underlyings, before and after the cancellations.
        In sync over at most 10 connections, in threads that end with the call.

        No failure stops another. If any failed, ``MassCancelIncomplete`` names the failed ones first, and its
        ``results`` has for each name what the mass cancel returned or raised.

        :param str[] [underlyings]: as in ``mass_cancel_mmp``; by default all that may have MMP orders, ``[]`` is none
        :param dict [params]: those of ``mass_cancel_mmp``, for each
        :param int [params.timeout]: ms that the whole call may take, with the list, 10000 by default
        :param bool [params.halt]: True to ``halt_mmp`` the underlyings, too, without names all of the account
        :returns dict: MassCancels by the names that were asked for, without names by unified underlying; empty if
            there is none
        """
        self._front_missing()

    if TYPE_CHECKING:

        def _front_missing(self) -> NoReturn: ...

    # --- set by the exchange mixins

    _lists_every_underlying: bool = False  # one list of open orders has those of all underlyings

    async def _find_underlyings(self, params: Params, progress: Progress, found: set[str]) -> None:
        """Add the underlyings that have a rule, or by default a listed MMP order. What was read counts if it fails."""
        rows: list[Any] = []
        try:
            await self._list_open_orders('', self._sent(params), progress, rows)
        finally:
            self._find_underlyings_of(rows, found)

    def _underlying_of_mmp(self, row: Any) -> str | None:
        """The underlying of a listed order, None if it is certainly no MMP order, NOT_TOLD if the list is silent."""
        raise NotImplementedError

    def _find_underlyings_of(self, rows: list[Any], found: set[str]) -> None:
        """Add the underlyings of the MMP orders of a list. Raises after it if one is not told."""
        found |= {each for each in map(self._underlying_of_mmp, rows) if each}
        for row in rows:
            if self._underlying_of_mmp(row) == NOT_TOLD:
                raise BadResponse(
                    f'{self.id} massCancelMmps() is not told the underlying of an open order: {shown(row)}'
                )

    # --- the cores

    async def _mass_cancel_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MassCancel]:
        if not self.has.get('massCancelMmps'):
            raise NotSupported(f'{self.id} massCancelMmps() is not supported yet')
        halts, params = self._flag_option('massCancelMmp', 'halt', params)
        scope, params = self._mmp_scope('massCancelMmp', params)
        names, params = self._mmp_underlyings('massCancelMmps', scope, underlyings, params)
        ids = list(dict.fromkeys(str(each) for each in names.values()))
        params = {**params, 'scope': scope}
        cancel = self._halt_and_cancel_each if halts else self._check_and_cancel_each
        several = await cancel(None if underlyings is None and not names else ids, params)
        if not names:
            names = {self._unified_underlying(each) or each: each for each in sorted(several.cancels)}
        results = {name: several.cancels[underlying_id] for name, underlying_id in names.items()}
        failed = [done for done in results.values() if isinstance(done, Exception)]
        if failed or several.failure is not None:
            raise self._incomplete_of_several(results, several.failure, halts) from (several.failure or failed[0])
        return {name: done.copy() for name, done in results.items() if not isinstance(done, Exception)}

    async def _check_and_cancel_each(self, ids: Sequence[str] | None, params: Params) -> Several:
        self._check_mass_cancel(ids[0] if ids else None, params)
        return await self._cancel_each(ids, self._mass_cancel_params(params))

    def _check_mass_cancel(self, underlying_id: str | None, params: Params) -> None:
        """Raise what a mass cancel raises for its params and credentials, and send nothing."""
        any_one = next(each for each in ANY_UNDERLYING if self._parse_underlying(each) is not None)
        with suppress(Checked):
            self._mass_cancel_mmp(underlying_id or any_one, {**params, 'halt': ONLY_CHECK}).send(None)

    async def _cancel_each(self, ids: Sequence[str] | None, params: Params) -> Several:
        """Cancel the underlyings with these ids of the exchange, by default all that may have MMP orders.

        The fence of each is closed before the first request, until all are over.
        """
        if ids is not None and not ids:
            return Several({})
        timeout, params = self._mmp_option('massCancelMmp', 'timeout', TIMEOUT, params)
        seconds = self._natural('timeout', timeout) / 1000
        ends = time.monotonic() + seconds
        flag = self._mass_cancel_flag
        together = self._lists_every_underlying and not (flag and self._flag_option('massCancelMmp', flag, params)[0])
        with ExitStack() as closed:
            for each in (EVERY,) if ids is None else ids:
                closed.enter_context(self._mmp_fence(each).close(ends + seconds))
            fence = Fence()  # that no order passes
            listing = Progress(ends, seconds * RESERVE, fence, fence.close())
            known = [each for each in self.__dict__.get('_mmp_fences', {}) if each != EVERY] if ids is None else ids
            cancel = self._cancel_together if together else self._cancel_side_by_side
            several: Several = await cancel(list(known), params, listing, finds_others=ids is None)
            for underlying_id, done in list(several.cancels.items()):
                if ids is None and isinstance(done, BadSymbol) and underlying_id not in several.found:
                    del several.cancels[underlying_id]  # nobody has named it now
                elif not isinstance(done, Exception):
                    several.cancels[underlying_id] = self._unless_interrupted(underlying_id, done)
        return several

    def _unless_interrupted(self, underlying_id: str, done: MassCancel) -> MassCancel | Exception:
        """A task or thread of its own may have cancelled, and the caller may interrupt an order that goes on later."""
        if not self._mmp_fence(underlying_id).has_interrupted(current_holder()):
            return done
        return MassCancelIncomplete(
            f'{self.id} massCancelMmps() of {underlying_id} is incomplete: it has interrupted an order that may still '
            f'arrive; {AFTER_WHAT_IT_INTERRUPTED}',
            [order['id'] for order in done['orders'] or ()],
        )

    # --- side by side, a mass cancel each

    async def _cancel_side_by_side(
        self, ids: Sequence[str], params: Params, listing: Progress, *, finds_others: bool
    ) -> Several:
        cancels: Cancels = {}
        at_once = None
        if self.synchronous:
            at_once = MAX_THREADS // 2 if finds_others else MAX_THREADS

        async def cancel(ids: Sequence[str]) -> None:
            answers = await gather(
                self.synchronous, [partial(self._cancel_in_time, each, params, listing.ends) for each in ids], at_once
            )
            cancels.update(zip(ids, map(exception_or_result, answers), strict=True))

        found: set[str] = set()

        async def cancel_others() -> None:
            failure: Exception | None = None
            try:
                await self._find_underlyings(params, listing, found)
            except Exception as error:  # noqa: BLE001 - it is told when those are cancelled that were found
                failure = error
            await cancel([each for each in sorted(found) if each not in ids])
            if failure is not None:
                raise failure

        steps: list[Callable[[], Coroutine[Any, Any, None]]] = [partial(cancel, ids)]
        if finds_others:
            steps.append(cancel_others)
        failures = [exception_or_result(each) for each in await gather(self.synchronous, steps, len(steps))]
        return Several(cancels, next(filter(None, failures), None), found)

    def _cancel_in_time(self, underlying_id: str, params: Params, ends: float) -> Coroutine[Any, Any, MassCancel]:
        cancelling: Coroutine[Any, Any, MassCancel] = self._mass_cancel_mmp(underlying_id, until(ends, params))
        return cancelling

    # --- together, where one list has the orders of all

    async def _cancel_together(
        self, ids: Sequence[str], params: Params, listing: Progress, *, finds_others: bool
    ) -> Several:
        unclear: list[Exception] = []
        with ExitStack() as closed:

            def begin(underlying_id: str) -> Progress:
                progress: Progress = self._mass_cancel(underlying_id, until(listing.ends, params))
                return closed.enter_context(progress)

            progresses = {each: begin(each) for each in ids}

            def join(rows: list[Any]) -> dict[str, Progress]:
                found: set[str] = set()
                try:
                    self._find_underlyings_of(rows, found)
                except BadResponse as error:
                    unclear.append(error)
                added = {each: begin(each) for each in sorted(found - progresses.keys())}
                progresses.update(added)
                return added

            await self._cancel_in_rounds(
                progresses, self._sent(params), listing, joining=join if finds_others else None
            )
            answers = await gather(
                self.synchronous,
                [partial(self._result_of_rounds, each, progress) for each, progress in progresses.items()],
                MAX_THREADS if self.synchronous else None,
            )
        failures = unclear if listing.orders.is_verified else listing.failures
        cancels = dict(zip(progresses, map(exception_or_result, answers), strict=True))
        return Several(cancels, failures[0] if finds_others and failures else None)

    # --- failures

    def _incomplete_of_several(self, results: Cancels, failure: Exception | None, halted: bool) -> MassCancelIncomplete:
        """results: by the names that the caller sees."""
        failed = {name: done for name, done in results.items() if isinstance(done, Exception)}
        text = f'{self.id} massCancelMmps() is incomplete'
        if failed:
            text += f': it failed for {", ".join(failed)}'
        if failure is not None:
            text += f'; whether others have MMP orders is not known: {described(failure)}'
        done = [name for name in results if name not in failed]
        text += f'{told(failed)}; done: {", ".join(done) or "none"}{"; the halt stands" if halted else ""}'
        return incomplete(text, results)


def until(ends: float, params: Params) -> Params:
    """Params of a mass cancel that has the time that is left."""
    return {**params, 'timeout': max(int((ends - time.monotonic()) * 1000), 1)}


def exception_or_result(answer: Any) -> Any:
    """An answer of ``gather``. Raises a cancellation or Ctrl-C."""
    if isinstance(answer, BaseException) and not isinstance(answer, Exception):
        raise answer
    return answer


def incomplete(text: str, results: Cancels) -> MassCancelIncomplete:
    """An exception with the orders of all, and with the results."""
    error = MassCancelIncomplete(f'{text}; {AGAIN}', results=results)
    for done in results.values():
        if isinstance(done, MassCancelIncomplete):
            error.cancelled += done.cancelled
            error.remaining += done.remaining
            error.unknown += done.unknown
        elif not isinstance(done, Exception):
            error.cancelled += [order['id'] for order in done['orders'] or ()]
    return error


def told(failures: dict[str, Exception]) -> str:
    return ''.join(f'; {each}: {described(error)}' for each, error in failures.items())
