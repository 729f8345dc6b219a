"""The exchange classes for websocket users: ``from ccxt_mmp.pro import okx, binance``."""

import ccxt.pro

from ccxt_mmp.mixins import AsyncMmp, BinanceMmp, OkxMmp

__all__ = ['binance', 'okx']


class okx(AsyncMmp, OkxMmp, ccxt.pro.okx):
    """``ccxt.pro.okx`` with Market Maker Protection."""


class binance(AsyncMmp, BinanceMmp, ccxt.pro.binance):
    """``ccxt.pro.binance`` with Market Maker Protection."""
