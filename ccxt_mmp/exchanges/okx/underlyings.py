"""The underlyings of OKX: instrument families of options, and the size of their contracts."""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ccxt_mmp.core.numbers import EXACT, exact_decimal
from ccxt_mmp.exchanges.okx.tables import OWN_ID, UNIFIED, OkxTables


class OkxUnderlyings(OkxTables):
    """Which instrument family a text names, and how many coins its contracts are."""

    @staticmethod
    @lru_cache
    def _parse_underlying(text: str) -> str | None:
        own = OWN_ID.fullmatch(text)
        if own:
            return f'{own["base"]}-USD{own["usd_margined"] or ""}'
        unified = UNIFIED.fullmatch(text)
        if unified is None:
            return None
        families = {None: '', unified['base']: '', 'USD': '_UM'}
        suffix = families.get(unified['settle'])
        return None if suffix is None else f'{unified["base"]}-USD{suffix}'

    @staticmethod
    @lru_cache
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        if own is None:
            return None
        return f'{own["base"]}/USD:{"USD" if own["usd_margined"] else own["base"]}'

    def _contract_size(self, family: str) -> Decimal | None:
        options = (market for market in (self.markets or {}).values() if market.get('option'))
        infos = (market['info'] for market in options if market.get('info'))
        listed = listed_size((each for each in infos if each.get('instFamily') == family), family.partition('-')[0])
        if listed is not None:
            return listed
        sizes = self.options.get('mmpContractSizes', self._default_option('mmpContractSizes'))
        size = exact_decimal(sizes.get(family)) if isinstance(sizes, dict) else None
        return size if size is not None and size > 0 else None


def listed_size(infos: Iterable[dict[str, Any]], base: str) -> Decimal | None:
    """Coins per contract as the options of a family are listed: ctVal x ctMult of the first that says both.

    A ctVal in another currency than the base says nothing about coins.
    """
    for info in infos:
        value, multiplier = exact_decimal(info.get('ctVal')), exact_decimal(info.get('ctMult'))
        if value and multiplier and info.get('ctValCcy') in (None, '', base):
            return EXACT.multiply(value, multiplier)
    return None
