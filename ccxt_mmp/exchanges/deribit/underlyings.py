"""The underlyings of Deribit: indices, whose options are one coin each."""

from functools import lru_cache
from typing import Any

from ccxt_mmp.exchanges.deribit.tables import MARKET_ID, MONTHS, OPTION_ID, OWN_ID, UNIFIED, DeribitTables


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
        dated = OPTION_ID.fullmatch(option_id)
        if dated is None or dated['month'] not in MONTHS:
            return underlying if option_id.endswith('-PERPETUAL') else option_id  # of combos ccxt has no other symbol
        date = f'{dated["year"]}{MONTHS.index(dated["month"]) + 1:02}{dated["day"]:0>2}'
        terms = [dated['strike'].replace('d', '.'), dated['kind']] if dated['strike'] else []
        return '-'.join([underlying, date, *terms])
