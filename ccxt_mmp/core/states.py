"""What the exchange mixins read of a rule, and the MmpStates that they return."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

from ccxt.base.errors import BadResponse

from ccxt_mmp.core.host import Host
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import MmpState, Scope


class MmpStates(Host):
    """Reads rules, and makes states in which None is what the exchange does not say."""

    _underlying_field: str  # set by the exchange mixins, as in contract.py

    def _mmp_entry(
        self, method: str, entry: object, underlying_id: str | None, window_field: str
    ) -> tuple[dict[str, Any], int]:
        """The rule in an answer, and its window. Raises BadResponse unless it is the rule that was asked for."""
        if not isinstance(entry, dict):
            raise BadResponse(f'{self.id} {method}() received an answer that is no rule: {shown(entry)}')
        if str(entry.get(self._underlying_field) or '').upper() != (underlying_id or '').upper():
            raise BadResponse(
                f'{self.id} {method}() asked for {underlying_id or "the block-trading rule"} '
                f'and received another answer: {shown(entry)}'
            )
        window = self._safe_integer(entry, window_field)
        if window is None:
            raise BadResponse(f'{self.id} {method}() received an answer without a {window_field}: {shown(entry)}')
        return entry, window

    def _safe_integer(self, entry: dict[str, Any], name: str) -> int | None:
        """ccxt's safe_integer, but None for an infinity: older versions raise OverflowError."""
        try:
            value: int | None = self.safe_integer(entry, name)
        except OverflowError:
            return None
        return value

    def _safe_number(self, entry: dict[str, Any], name: str) -> float | None:
        """ccxt's safe_number, but None for NaN and infinities."""
        try:
            is_finite = isfinite(float(self.safe_string(entry, name, 'nan')))
        except ValueError:
            return None
        value: float | None = self.safe_number(entry, name) if is_finite else None
        return value

    def _unknown_mmp_state(self, info: dict[str, Any], scope: Scope, underlying_id: str | None) -> MmpState:
        """An MmpState in which only the protection is known."""
        return {
            'info': info,
            'underlying': None if underlying_id is None else self._unified_underlying(underlying_id),
            'underlyingId': underlying_id,
            'scope': scope,
            'enabled': None,
            'window': None,
            'frozenTime': None,
            'qtyLimit': None,
            'qtyLimitBase': None,
            'deltaLimit': None,
            'vegaLimit': None,
            'countLimit': None,
            'maxQuoteQuantity': None,
            'frozen': None,
            'frozenUntil': None,
            'lastTriggerTimestamp': None,
            'timestamp': None,
            'datetime': None,
        }

    def _no_mmp_rule(self, scope: Scope, underlying_id: str | None) -> MmpState:
        return {**self._unknown_mmp_state({}, scope, underlying_id), 'enabled': False}

    @staticmethod
    def _by_name(names: dict[str, str | None], states: Iterable[MmpState]) -> dict[str, MmpState]:
        """States by the names that the caller used, each a copy; without names by unified underlying."""
        by_id = {state['underlyingId']: state for state in states}
        if not names:
            return {str(state['underlying'] or state['underlyingId']): state for state in by_id.values()}
        return {name: by_id[underlying_id].copy() for name, underlying_id in names.items()}
