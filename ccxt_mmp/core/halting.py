"""Halts: no MMP order of an account is sent, from any process, until somebody resumes."""

import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from ccxt.base.errors import ArgumentsRequired, BadRequest, BaseError, NotSupported, OperationFailed, OperationRejected

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.halt_check import OPTION, HaltCheck
from ccxt_mmp.core.halt_settings import Halts
from ccxt_mmp.core.mass_cancels import Several, incomplete, told
from ccxt_mmp.core.numbers import exact_decimal, is_integer
from ccxt_mmp.core.params import NO_PARAMS, ONLY_CHECK, Checked, sets_no_switch
from ccxt_mmp.core.side_by_side import side_by_side
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.halts import ALL, HaltStoreError, StoredHalt
from ccxt_mmp.types import MassCancel, MmpHalt, Params

OWN_PARAMS = ('reason', 'duration', 'cancel', 'underlyings')
MAX_REASON = 200  # characters

Core = Callable[[str | None, Params], Coroutine[Any, Any, MassCancel]]  # of a mass cancel


class Wanted:
    """A halt that is asked for, and whether it cancels."""

    reason: str | None
    duration: int | None  # ms
    cancels: bool
    underlyings: Any

    def __init__(self, reason: str | None, duration: int | None, cancels: bool, underlyings: Any) -> None:
        self.reason, self.duration = reason, duration
        self.cancels, self.underlyings = cancels, underlyings


class Halting(HaltCheck):
    """``halt_mmp``, ``resume_mmp``, ``fetch_mmp_halt`` and ``fetch_mmp_halts``."""

    # --- the public methods

    def halt_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpHalt | Awaitable[MmpHalt]:
        """
        stop the MMP orders of an account in every process, and cancel those that rest

        Needs ``options['mmpHalt']`` (docs/halt.md). From now on every object with the same url and account, in any
        process, raises ``MmpHalted`` instead of sending an MMP order of the underlying, until ``resume_mmp``. Other
        orders, cancels, mass cancels, resets and reads go on. A halt never shortens one that stands: the longer one
        is returned.

        The halt is stored and ``mass_cancel_mmp`` is sent at the same time. After both and ``grace`` (options, 1000 ms)
        the mass cancel is sent once more, for orders that were under way when the halt was stored. On OKX both have a
        ``lockInterval``, 10000 unless it is given: OKX may refuse MMP orders for the rest of it, also after a resume.

        If the halt could not be stored, the mass cancel is done all the same, and ``MassCancelIncomplete`` says that
        nothing keeps other processes from quoting. Without ``cancel`` it is ``OperationFailed``. If a mass cancel fails
        the halt stands, and its error is raised.

        :param str [underlying]: unified underlying, exchange id or option symbol; None for all of the account
        :param dict [params]: those of ``mass_cancel_mmp``, and the following
        :param str [params.reason]: shown wherever the halt is, at most 200 characters
        :param int [params.duration]: ms after which the halt is over; by default ``resume_mmp`` ends it
        :param bool [params.cancel]: False to cancel nothing
        :param str[] [params.underlyings]: without an underlying: those to cancel; by default all that
            ``mass_cancel_mmps`` finds
        :returns dict: the MmpHalt that stands
        """
        self._front_missing()

    def resume_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpHalt | Awaitable[MmpHalt]:
        """
        end a halt, so that MMP orders are sent again; what is not halted is no error

        A lock of the exchange (OKX: ``lockInterval`` of the mass cancel) goes on until its time is over.

        :param str [underlying]: as in ``halt_mmp``; None ends every halt of the account. ``OperationRejected`` for one
            underlying while all are halted
        :param dict [params]: none but the underlying under the exchange's own name
        :returns dict: the MmpHalt that was ended, with the time of its end as ``until``; ``since`` None if there was
            none. ``info`` is a list of all that were ended, the oldest first. Of several it is the oldest, and its
            ``underlying`` is None
        """
        self._front_missing()

    def fetch_mmp_halt(
        self, underlying: str | None = None, params: Params = {}
    ) -> MmpHalt | Awaitable[MmpHalt | None] | None:
        """
        fetch what halts the MMP orders of an underlying: its own halt or that of all; ``OperationFailed`` if the store
        cannot be read

        :param str [underlying]: as in ``halt_mmp``; None for a halt of all
        :param dict [params]: none but the underlying under the exchange's own name
        :returns dict: an MmpHalt, None if there is none
        """
        self._front_missing()

    def fetch_mmp_halts(self, params: Params = {}) -> list[MmpHalt] | Awaitable[list[MmpHalt]]:
        """
        fetch every halt of the account; ``OperationFailed`` if the store cannot be read

        :param dict [params]: none
        :returns dict[]: MmpHalts
        """
        self._front_missing()

    if TYPE_CHECKING:

        def _front_missing(self) -> NoReturn: ...

    # --- the cores

    async def _halt_mmp(self, underlying: str | None, params: Params) -> MmpHalt:
        halts = self._required_halts('haltMmp')
        wanted, rest = self._wanted_halt('haltMmp', params)
        if rest.get('halt') is not None:  # which its mass cancels are not told
            raise NotSupported(f'{self.id} haltMmp() takes no halt, it always halts')
        underlying_id, rest = self._halted_underlying('haltMmp', underlying, rest)
        if not wanted.cancels:
            self._refuse_params('haltMmp', rest)
            if wanted.underlyings is not None:
                raise BadRequest(f'{self.id} haltMmp() takes underlyings only to cancel')
            try:
                stands = await self._write_halt(halts, wanted, underlying_id)
            except HaltStoreError as error:
                raise OperationFailed(f'{self.id} haltMmp() halted nothing: {error}') from error
            return self._mmp_halt(halts, stands)
        ids = self._underlyings_to_cancel(underlying_id, wanted.underlyings)
        rest = self._checked_cancel_params('haltMmp', underlying_id if ids is None else ids[0], rest)
        [stands], several = await self._halt_and_cancel('haltMmp', halts, wanted, [underlying_id], ids, rest)
        self._raise_failed_cancels('haltMmp', several)
        return self._mmp_halt(halts, stands)

    def _cancel_or_halt(
        self, underlying: str | None, params: Params, cancel: Core | None = None
    ) -> Coroutine[Any, Any, MassCancel]:
        """A mass cancel with ``halt`` or without. cancel: its core, by default that of ``mass_cancel_mmp``."""
        if not params and sets_no_switch(self.options, self.options.get('massCancelMmp')):
            halts, rest = False, NO_PARAMS  # a kill switch spends no time on what is not set
        else:
            halts, rest = self._flag_option('massCancelMmp', 'halt', params)
        core: Coroutine[Any, Any, MassCancel] = (
            self._cancel_and_halt(underlying, rest, cancel)
            if halts
            else (cancel or self._mass_cancel_mmp)(underlying, rest)
        )
        return core

    async def _cancel_and_halt(self, underlying: str | None, params: Params, cancel: Core | None) -> MassCancel:
        method = 'massCancelMmp' if cancel is None else 'massCancelMmpWs'
        halts = self._required_halts(method)
        wanted, rest = self._wanted_halt(method, params, ('reason', 'duration'))
        underlying_id, rest = self._mmp_underlying(method, 'orders', underlying, rest)
        rest = self._checked_cancel_params(method, underlying_id, rest)
        ids = [str(underlying_id)]
        if cancel is not None:
            with self._naming(method), suppress(Checked):
                cancel(underlying_id, {**rest, 'halt': ONLY_CHECK}).send(None)
        cancel_one = None if cancel is None else partial(cancelled_by, cancel)
        _, several = await self._halt_and_cancel(method, halts, wanted, ids, ids, rest, cancel_one)
        self._raise_failed_cancels(method, several)
        [cancelled] = several.cancels.values()
        return cancelled  # type: ignore[return-value]  # a failure was raised

    async def _halt_and_cancel_each(self, ids: list[str] | None, params: Params) -> Several:
        """The core of ``mass_cancel_mmps`` with ``halt``. Without ids all of the account is halted."""
        halts = self._required_halts('massCancelMmps')
        wanted, rest = self._wanted_halt('massCancelMmps', params, ('reason', 'duration'))
        rest = self._checked_cancel_params('massCancelMmps', ids[0] if ids else None, rest)
        halted = [None] if ids is None else ids
        _, several = await self._halt_and_cancel('massCancelMmps', halts, wanted, halted, ids, rest)
        return several

    async def _resume_mmp(self, underlying: str | None, params: Params) -> MmpHalt:
        halts = self._required_halts('resumeMmp')
        underlying_id, rest = self._halted_underlying('resumeMmp', underlying, params)
        self._refuse_params('resumeMmp', rest)
        try:
            if underlying_id is not None:
                found = await await_result(halts.store.read(halts.key, (ALL,)))
                if self._in_force(found):
                    raise OperationRejected(
                        f'{self.id} resumeMmp() cannot resume {underlying_id} alone: MMP orders of all underlyings are '
                        'halted; resume_mmp() ends every halt'
                    )
            # one whose time was over halted nothing
            ended = self._in_force(await await_result(halts.store.end(halts.key, underlying_id)))
        except HaltStoreError as error:
            raise self._failed_to_reach_halts('resumeMmp', error) from error
        ended = sorted(ended, key=lambda each: each.since)
        was = self._mmp_halt(halts, ended[0] if ended else StoredHalt(underlying_id or ALL, 0, None, None, ''))
        if not ended:
            was['since'] = was['by'] = None
        if len(ended) > 1:
            was['underlying'] = was['underlyingId'] = None
        return {**was, 'until': self.milliseconds(), 'info': [each._asdict() for each in ended]}

    async def _fetch_mmp_halt(self, underlying: str | None, params: Params) -> MmpHalt | None:
        halts = self._required_halts('fetchMmpHalt')
        underlying_id, rest = self._halted_underlying('fetchMmpHalt', underlying, params)
        self._refuse_params('fetchMmpHalt', rest)
        names = (ALL,) if underlying_id is None else (underlying_id, ALL)
        try:
            found = await await_result(halts.store.read(halts.key, names))
        except HaltStoreError as error:
            raise self._failed_to_reach_halts('fetchMmpHalt', error) from error
        in_force = sorted(self._in_force(found), key=lambda each: names.index(each.underlying))
        return self._mmp_halt(halts, in_force[0]) if in_force else None

    async def _fetch_mmp_halts(self, params: Params) -> list[MmpHalt]:
        halts = self._required_halts('fetchMmpHalts')
        self._refuse_params('fetchMmpHalts', params)
        try:
            found = await await_result(halts.store.read_all(halts.key))
        except HaltStoreError as error:
            raise self._failed_to_reach_halts('fetchMmpHalts', error) from error
        return [self._mmp_halt(halts, each) for each in sorted(self._in_force(found))]

    # --- what is asked for

    def _required_halts(self, method: str) -> Halts:
        halts = self._halts()
        if halts is None:
            raise NotSupported(
                f"{self.id} {method}() keeps halts where every process reads them: set options['{OPTION}'] = "
                "{'url': 'sqlite:/path/halt.db'} or {'url': 'redis://host:6379/0'}"
            )
        return halts

    def _wanted_halt(self, method: str, params: Params, names: tuple[str, ...] = OWN_PARAMS) -> tuple[Wanted, Params]:
        for name in params:
            meant = name.replace('_', '').lower() if isinstance(name, str) else ''
            if meant in names and name != meant:
                raise BadRequest(f'{self.id} {method}() has no {name} in params, did you mean {meant}?')
        of_halt = {name: params.get(name) for name in names}
        rest = {name: value for name, value in params.items() if name not in names}
        reason, duration = of_halt['reason'], of_halt['duration']
        if reason is not None and not (
            isinstance(reason, str) and len(reason) <= MAX_REASON and (reason.isprintable() or not reason)
        ):
            raise BadRequest(
                f'{self.id} {method}() reason must be a text of at most {MAX_REASON} characters without control '
                f'characters, received {shown(reason)}'
            )
        number = None
        if duration is not None:
            number = exact_decimal(duration)
            if number is None or number <= 0 or not is_integer(number):
                raise BadRequest(
                    f'{self.id} {method}() duration must be an integer above 0 (ms), received {shown(duration)}'
                )
        cancels = self._flag(method, 'cancel', of_halt.get('cancel'), BadRequest) is not False
        underlyings = of_halt.get('underlyings')
        return Wanted(reason or None, None if number is None else int(number), cancels, underlyings), rest

    def _halted_underlying(self, method: str, underlying: str | None, params: Params) -> tuple[str | None, Params]:
        """The exchange's id of the underlying that is named, None for all."""
        if underlying is None and params.get(self._underlying_field) is None:
            return None, params
        named: tuple[str | None, Params] = self._mmp_underlying(method, 'orders', underlying, params)
        return named

    def _refuse_params(self, method: str, params: Params) -> None:
        unknown = [name for name, value in params.items() if value is not None and name != self._underlying_field]
        if unknown:
            raise NotSupported(f'{self.id} {method}() takes no {shown(unknown[0])}')

    def _underlyings_to_cancel(self, underlying_id: str | None, underlyings: Any) -> list[str] | None:
        """The exchange's ids; None for those that it lists."""
        if underlying_id is not None:
            if underlyings is not None:
                raise BadRequest(f'{self.id} haltMmp() takes underlyings only without an underlying')
            return [underlying_id]
        if underlyings is not None:
            names, _ = self._mmp_underlyings('haltMmp', 'orders', underlyings, {})
            if names:
                return list(dict.fromkeys(str(each) for each in names.values()))
        elif self.has.get('massCancelMmps'):
            return None
        raise ArgumentsRequired(
            f"{self.id} haltMmp() must know what to cancel: name an underlying or params['underlyings'], "
            "or halt without a cancel, {'cancel': False}"
        )

    def _checked_cancel_params(self, method: str, underlying_id: str | None, params: Params) -> Params:
        """The params of the mass cancel, with a lock where the exchange has one. Raises for those that it refuses."""
        with self._naming(method):
            limits = self._mmp_limits('orders')
            lock, _ = self._mmp_option('massCancelMmp', 'lockInterval', None, params)
            emulates, _ = self._flag_option('massCancelMmp', 'emulate', params)
            if limits.get('lockInterval') is not None and lock is None and not emulates:
                params = {**params, 'lockInterval': limits['lockInterval']['max']}
            self._check_mass_cancel(underlying_id, params)
        return params

    @contextmanager
    def _naming(self, method: str) -> Iterator[None]:
        """What the checks of a mass cancel raise names the method that was called."""
        try:
            yield
        except BaseError as error:
            error.args = (str(error).replace(f'{self.id} massCancelMmp()', f'{self.id} {method}()', 1),)
            raise

    # --- the halt, and the cancels beside it

    async def _halt_and_cancel(
        self,
        method: str,
        halts: Halts,
        wanted: Wanted,
        halted: Sequence[str | None],
        ids: Sequence[str] | None,
        rest: Params,
        cancel: Callable[[Sequence[str] | None, Params], Coroutine[Any, Any, Several]] | None = None,
    ) -> tuple[list[StoredHalt], Several]:
        """The halts that stand, and the mass cancels after them. Raises if one could not be stored."""
        cancel = cancel or self._cancel_each
        written, first = await side_by_side(
            self.synchronous,
            partial(self._write_halts, halts, wanted, halted),
            partial(cancel, ids, rest),
            blocks=not halts.store.is_async,
        )
        if isinstance(written, BaseException):
            self._raise_not_halted(method, written, first)
        if isinstance(first, BaseException):
            raise first
        await await_result(self.sleep(halts.grace))
        again = await cancel(ids, rest)  # without ids, an order that was under way may be of yet another underlying
        cancels = {each: merged(first.cancels.get(each), done) for each, done in again.cancels.items()}
        return written, Several({**first.cancels, **cancels}, again.failure)

    async def _write_halts(self, halts: Halts, wanted: Wanted, halted: Sequence[str | None]) -> list[StoredHalt]:
        """The halts that stand. A failure of one keeps no other from being stored."""
        stands: list[StoredHalt] = []
        failures: dict[str, Exception] = {}
        for each in halted:
            try:
                stands.append(await self._write_halt(halts, wanted, each))
            except Exception as error:  # noqa: BLE001, PERF203 - raised after the others
                failures[each or ALL] = error
                if len(failures) > 1 and not stands:
                    break  # the store is lost, and each attempt takes its timeout
        if not failures:
            return stands
        first = next(iter(failures.values()))
        if not stands:
            raise first
        raise HaltStoreError(f'{", ".join(failures)} (others are halted): {described(first)}') from first

    async def _write_halt(self, halts: Halts, wanted: Wanted, underlying_id: str | None) -> StoredHalt:
        since = self.milliseconds()
        until = None if wanted.duration is None else since + wanted.duration
        by = f'{socket.gethostname()}:{os.getpid()}'
        halt = StoredHalt(underlying_id or ALL, since, until, wanted.reason, by)
        stands: StoredHalt = await await_result(halts.store.write(halts.key, halt))
        return stands

    # --- failures

    def _failed_to_reach_halts(self, method: str, error: Exception) -> OperationFailed:
        return OperationFailed(f'{self.id} {method}() does not know the halts: {error}')

    def _raise_not_halted(self, method: str, error: BaseException, cancelled: Several | BaseException) -> NoReturn:
        """Tell what the mass cancel did, whatever kept the halt from being stored."""
        for each in (error, cancelled):
            if isinstance(each, BaseException) and not isinstance(each, Exception):
                raise each  # a cancellation or Ctrl-C
        several = cancelled if isinstance(cancelled, Several) else Several({}, cancelled)  # type: ignore[arg-type]
        failures = {each: done for each, done in several.cancels.items() if isinstance(done, Exception)}
        failed = bool(failures) or several.failure is not None
        was_cancelled = 'the mass cancel failed, too' if failed else 'the mass cancel was done'
        others = '' if several.failure is None else f'; {described(several.failure)}'
        said = str(error) if isinstance(error, HaltStoreError) else described(error)
        raise incomplete(
            f'{self.id} {method}() could not store the halt, so nothing keeps other processes from quoting: '
            f'{said}; {was_cancelled}{told(failures)}{others}',
            several.cancels,
        ) from error

    def _raise_failed_cancels(self, method: str, several: Several) -> None:
        cancels, failure = several.cancels, several.failure
        failed = {each: done for each, done in cancels.items() if isinstance(done, Exception)}
        causes = [*([failure] if failure is not None else ()), *failed.values()]
        if not causes:
            return
        if len(causes) == 1 and len(cancels) < 2:
            [cause] = causes
            if isinstance(cause, BaseError) and cause.args:
                cause.args = (f'{cause.args[0]}; the halt stands', *cause.args[1:])
            raise cause
        others = '' if failure is None else f'; whether others have MMP orders is not known: {described(failure)}'
        raise incomplete(
            f'{self.id} {method}() halted, but could not cancel every MMP order of {len(failed)} of '
            f'{len(cancels)} underlyings{told(failed)}{others}',
            cancels,
        ) from causes[0]


async def cancelled_by(cancel: Core, ids: Sequence[str] | None, params: Params) -> Several:
    """What a mass cancel of one underlying did, or why it failed."""
    [underlying_id] = ids or ()
    try:
        return Several({underlying_id: await cancel(underlying_id, params)})
    except Exception as error:  # noqa: BLE001 - the halt goes on
        return Several({underlying_id: error})


def merged(first: Any, again: Any) -> Any:
    """What two mass cancels did; a failure of the second one if there was one."""
    if first is None or isinstance(first, Exception) or isinstance(again, Exception) or again['orders'] is None:
        return again
    return {**again, 'orders': [*first['orders'], *again['orders']]}
