"""What an exchange object knows about freezes, and the texts of MmpFrozen and MmpNotEnabled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ccxt.base.errors import ExchangeError

from ccxt_mmp.core.locks import LOCKED, Locks
from ccxt_mmp.core.text import date_of
from ccxt_mmp.errors import MassCancelLocked, MmpFrozen, MmpNotEnabled
from ccxt_mmp.types import MmpState, Scope

Protection = tuple[Scope, str | None]  # its scope and the exchange's id of its underlying

# begins every MmpFrozen until the protection is known
FROZEN = 'Market Maker Protection is frozen: fetch_mmp() says until when'


class Freeze:
    """What this object's answers say about the freeze of one protection."""

    frozen_time: int | None = None  # ms, of the rule; 0 = until a reset
    until: int | None = None  # ms since the epoch, as the exchange said
    refused_at: int | None = None  # ms since the epoch, of the last MmpFrozen since the last reset
    resets: int = 0  # successful resets by this object
    triggered_at_reset: int = 0  # ms since the epoch: the last trigger before the last reset

    def reset(self) -> None:
        self.resets += 1
        self.until = self.refused_at = None


class Freezes(Locks):
    """Explains ``MmpFrozen`` and ``MmpNotEnabled``, and remembers freezes."""

    _mmp_access: str = ''  # what the privilege needs and whom to ask for it

    def _freeze(self, scope: Scope, underlying_id: str | None) -> Freeze:
        freezes: dict[Protection, Freeze] = self.__dict__.setdefault('_mmp_freezes', {})
        return freezes.get((scope, underlying_id)) or freezes.setdefault((scope, underlying_id), Freeze())

    def _resets_so_far(self) -> dict[Protection, int]:
        """The number of this object's resets of each protection: a mark of when something was asked for."""
        freezes: dict[Protection, Freeze] = self.__dict__.get('_mmp_freezes', {})
        return {protection: freeze.resets for protection, freeze in list(freezes.items())}

    def _remember(self, state: MmpState, asked: dict[Protection, int]) -> MmpState:
        """Remember what an answer says about a freeze, unless a reset came after the request."""
        freeze = self._freeze(state['scope'], state['underlyingId'])
        if state['frozenTime'] is not None:
            freeze.frozen_time = state['frozenTime']
        if state['frozenTime'] == 0:
            freeze.until = None
        if state['frozen'] is not None and freeze.resets == asked.get((state['scope'], state['underlyingId']), 0):
            freeze.until = state['frozenUntil']
        return state

    @contextmanager
    def _explaining(self, scope: Scope, underlying_id: str | None) -> Iterator[None]:
        """Explain MmpFrozen and MassCancelLocked in requests about a protection.

        Enter it when the request is asked for.
        """
        asked = self._resets_so_far()
        try:
            yield
        except ExchangeError as error:
            self._explain(error, scope, underlying_id, asked)
            raise

    def _explain(self, error: object, scope: Scope, underlying_id: str | None, asked: dict[Protection, int]) -> None:
        """Say once in a refusal what is frozen or locked, until when and what ends it, and remember a freeze.

        asked: ``_resets_so_far`` of when the refused order was asked for. If a reset came since, the refusal may be
        older than the reset, so it is not remembered.
        """
        has_no_name = scope == 'orders' or isinstance(error, MassCancelLocked)
        is_of_none = underlying_id is None and has_no_name  # a batch without MMP orders
        if not isinstance(error, (MmpFrozen, MassCancelLocked)) or error.is_explained or is_of_none:
            return
        # like nonce(), which fails if replaced options lack the difference
        now: int = self.milliseconds() - (self.safe_integer(self.options, 'timeDifference') or 0)
        if isinstance(error, MassCancelLocked):
            self._name_lock(error, str(underlying_id), now)
            return
        freeze = self._freeze(scope, underlying_id)
        if freeze.resets == asked.get((scope, underlying_id), 0):
            freeze.refused_at = now
            self._note_refusal(scope, underlying_id)
        self._name_freeze(error, underlying_id, freeze.until, freeze.frozen_time, now)

    def _name_freeze(
        self, error: MmpFrozen, underlying_id: str | None, until: int | None, frozen_time: int | None, now: int
    ) -> None:
        """Say what is frozen, until when and what ends it."""
        until = until if until is not None and until > now else None
        underlying = None if underlying_id is None else self._unified_underlying(underlying_id)
        name = underlying or underlying_id
        if until is not None:
            ends = f'until {date_of(self, until) or f"{until} ms"}'
        elif frozen_time == 0:
            ends = 'until it is reset (its frozenTime is 0)'
        else:
            ends = 'for how long is not known, fetch_mmp() may tell'
        what = f'MMP of {name}' if name else 'block-trading (RFQ) MMP'
        said = str(error).removeprefix(f'{self.id} ').removeprefix(FROZEN + self._way_out(', ')).removeprefix(': ')
        error.args = (f'{self.id} {what} is frozen, {ends}{self._way_out("; ", name)}: {said}',)
        error.underlying, error.underlyingId, error.until = underlying, underlying_id, until
        error.is_explained = True

    def _way_out(self, before: str, name: str | None = None) -> str:
        """Says that a reset ends a freeze, where there is one."""
        return f'{before}reset_mmp({repr(name) if name else ""}) ends it' if self.has.get('resetMmp') else ''

    def throw_exactly_matched_exception(self, exact: Any, string: Any, message: Any) -> None:
        # ccxt makes all errors of codes here: of answers, of their items and of socket messages
        try:
            super().throw_exactly_matched_exception(exact, string, message)
        except MmpNotEnabled as error:
            self._say_first(error, f'the account has no market maker privilege: {self._mmp_access}')
            raise
        except MmpFrozen as error:
            self._say_first(error, FROZEN + self._way_out(', '))
            raise
        except MassCancelLocked as error:
            self._say_first(error, LOCKED)
            error.is_explained = False
            raise

    def _say_first(self, error: MmpFrozen | MmpNotEnabled | MassCancelLocked, words: str) -> None:
        error.args = (f'{self.id} {words}: {str(error).removeprefix(f"{self.id} ")}',)
