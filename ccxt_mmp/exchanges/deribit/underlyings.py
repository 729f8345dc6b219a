"""The underlyings of Deribit: indices, whose options are one coin each."""

from functools import lru_cache
from typing import Any

from ccxt_mmp.exchanges.deribit.tables import MARKET_ID, MONTHS, OWN_ID, UNIFIED, DeribitTables


class DeribitUnderlyings(DeribitTables):
    """Which index a text names."""

    @staticmethod
    @lru_cache
    def _parse_underlying(text: str) -> str | None:
        if OWN_ID.fullmatch(text):
            return text
        market = MARKET_ID.fullmatch(text)
        if market:
            return f'{market["base"]}_{market["quote"] or "USD"}'.lower()
        unified = UNIFIED.fullmatch(text)
        if unified is None:
            return None
        usual = unified['base'] if unified['quote'] == 'USD' else unified['quote']
        return f'{unified["base"]}_{unified["quote"]}'.lower() if unified['settle'] in (None, usual) else None

    @staticmethod
    @lru_cache
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        if own is None:
            return None
        base, quote = own['base'].upper(), own['quote'].upper()
        return f'{base}/{quote}:{base if quote == "USD" else quote}'

    def _can_have_flag(self, market: dict[str, Any]) -> bool:
        return any(market.get(kind) is True for kind in ('option', 'swap', 'future'))

    def _unified_symbol(self, option_id: str, underlying_id: str) -> str:
        underlying = str(self._unified_underlying(underlying_id))
        named = MARKET_ID.fullmatch(option_id)
        if named is None or named['combo']:
            return option_id  # ccxt has no other symbol of a combo
        if named['month'] is None:
            return underlying  # of a perpetual
        date = f'{named["year"]}{MONTHS.index(named["month"]) + 1:02}{named["day"]:0>2}'
        terms = [named['strike'].replace('d', '.'), named['kind']] if named['kind'] else []
        return '-'.join([underlying, date, *terms])
