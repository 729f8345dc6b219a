"""What an object knows of the freezes of its protections, and what it says when the exchange refuses because of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ccxt.base.errors import ExchangeError

from ccxt_mmp.core.host import Host
from ccxt_mmp.errors import MmpFrozen, MmpNotEnabled
from ccxt_mmp.types import MmpState, Scope

Protection = tuple[Scope, str | None]  # its scope and the exchange's id of its underlying

# how every MmpFrozen begins until it is known which protection it is of
FROZEN = 'Market Maker Protection is frozen: fetch_mmp() says until when, reset_mmp() ends it'


@dataclass
class Freeze:
    """What is known of the freeze of one protection, by the answers that this object had."""

    frozen_time: int | None = None  # ms, of the rule; 0 = until a reset
    until: int | None = None  # ms since the epoch, of a freeze that the exchange told of
    refused_at: int | None = None  # ms since the epoch, of the last MmpFrozen since the last reset
    resets: int = 0  # of this object, that succeeded
    triggered_at_reset: int = 0  # the last trigger that the last of them answered for, ms since the epoch

    def reset(self) -> None:
        self.resets += 1
        self.until = self.refused_at = None


class Freezes(Host):
    """Explains ``MmpFrozen`` and ``MmpNotEnabled``, and remembers what this object was told of freezes."""

    _mmp_access: str = ''  # what the privilege needs and whom to ask for it

    def _freeze(self, scope: Scope, underlying_id: str | None) -> Freeze:
        freezes: dict[Protection, Freeze] = self.__dict__.setdefault('_mmp_freezes', {})
        return freezes.get((scope, underlying_id)) or freezes.setdefault((scope, underlying_id), Freeze())

    def _resets_so_far(self) -> dict[Protection, int]:
        """When something is asked for, in terms of this object's resets of each protection."""
        freezes: dict[Protection, Freeze] = self.__dict__.get('_mmp_freezes', {})
        return {protection: freeze.resets for protection, freeze in list(freezes.items())}

    def _remember(self, state: MmpState, asked: dict[Protection, int]) -> MmpState:
        """What an answer says of a freeze, unless a reset came in between: then it may be of one that is over."""
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
        """Around requests about a protection, from when they are asked for: says what it is that refuses them."""
        asked = self._resets_so_far()
        try:
            yield
        except ExchangeError as error:
            self._explain(error, scope, underlying_id, asked)
            raise

    def _explain(self, error: object, scope: Scope, underlying_id: str | None, asked: dict[Protection, int]) -> None:
        """Say in an MmpFrozen, once, what is frozen, until when and what ends it; and remember that it came.

        asked: what ``_resets_so_far`` said when the refused order was asked for. Whether a refusal came before or after
        a reset that was over since is not known, so it says nothing of the time after it.
        """
        is_of_none = scope == 'orders' and underlying_id is None  # a batch without MMP orders
        if not isinstance(error, MmpFrozen) or error.is_explained or is_of_none:
            return
        # as nonce(), which fails where options that were replaced lack the difference, and would hide the refusal
        now: int = self.milliseconds() - (self.safe_integer(self.options, 'timeDifference') or 0)
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
            ends = f'until {self.iso8601(until)}'
        elif frozen_time == 0:
            ends = 'until it is reset (its frozenTime is 0)'
        else:
            ends = 'for how long is not known, fetch_mmp() may tell'
        what = f'MMP of {name}' if name else 'block-trading (RFQ) MMP'
        said = str(error).removeprefix(f'{self.id} ').removeprefix(FROZEN).removeprefix(': ')
        error.args = (f'{self.id} {what} is frozen, {ends}; reset_mmp({repr(name) if name else ""}) ends it: {said}',)
        error.underlying, error.underlyingId, error.until = underlying, underlying_id, until
        error.is_explained = True

    def throw_exactly_matched_exception(self, exact: Any, string: Any, message: Any) -> None:
        # here ccxt makes errors of codes, wherever they stand: in answers, in their items and on sockets
        try:
            super().throw_exactly_matched_exception(exact, string, message)
        except MmpNotEnabled as error:
            self._say_first(error, f'the account has no market maker privilege: {self._mmp_access}')
            raise
        except MmpFrozen as error:
            self._say_first(error, FROZEN)
            raise

    def _say_first(self, error: MmpFrozen | MmpNotEnabled, words: str) -> None:
        error.args = (f'{self.id} {words}: {str(error).removeprefix(f"{self.id} ")}',)
