"""The underlyings of Binance options, whose contracts are one coin each."""

from functools import lru_cache

from ccxt_mmp.exchanges.binance.tables import OPTION_ID, OWN_ID, UNIFIED, BinanceTables


class BinanceUnderlyings(BinanceTables):
    """Which underlying a text names."""

    @staticmethod
    @lru_cache
    def _parse_underlying(text: str) -> str | None:
        for form in (OWN_ID, UNIFIED, OPTION_ID):
            parts = form.fullmatch(text)
            if parts:
                return f'{parts["base"]}USDT'
        return None

    @staticmethod
    @lru_cache
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        return None if own is None else f'{own["base"]}/USDT:USDT'
