"""The underlyings of Bybit: coins, whatever their options settle in; a contract is one coin."""

from functools import lru_cache
from typing import Any

from ccxt_mmp.exchanges.bybit.tables import MONTHS, OPTION_ID, OWN_ID, UNIFIED, BybitTables


class BybitUnderlyings(BybitTables):
    """Which coin a text names."""

    @staticmethod
    @lru_cache
    def _parse_underlying(text: str) -> str | None:
        for form in (OWN_ID, UNIFIED, OPTION_ID):
            parts = form.fullmatch(text)
            if parts:
                return parts['base']
        return None

    @staticmethod
    @lru_cache
    def _unified_underlying(underlying_id: str) -> str | None:
        return underlying_id if OWN_ID.fullmatch(underlying_id) else None

    def _unified_symbol(self, option_id: str, underlying_id: str) -> str:
        option = OPTION_ID.fullmatch(option_id)
        if option is None:
            return option_id
        date = f'{option["year"]}{MONTHS.index(option["month"]) + 1:02}{option["day"]:0>2}'
        settle = option['settle'] or 'USDC'
        return f'{option["base"]}/{settle}:{settle}-{date}-{option["strike"]}-{option["kind"]}'

    def create_expired_option_market(self, symbol: str) -> Any:
        """The market of an option that is not loaded; ccxt's id of one that is settled in USDT is of another option."""
        market = super().create_expired_option_market(symbol)
        if market['settle'] == 'USDT' and not market['id'].endswith('-USDT'):
            market['id'] += '-USDT'
        return market
