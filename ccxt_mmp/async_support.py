"""The exchange classes for asyncio: ``from ccxt_mmp.async_support import okx, binance, deribit, bybit``."""

import sys
from typing import TYPE_CHECKING

import ccxt.async_support

from ccxt_mmp._fall_through import fall_through
from ccxt_mmp._lazy_exchanges import lazy_exchanges
from ccxt_mmp._version import __version__
from ccxt_mmp.errors import MassCancelIncomplete, MassCancelLocked, MmpFrozen, MmpHalted, MmpNotEnabled
from ccxt_mmp.mixins import AsyncMmp

if TYPE_CHECKING:
    from ccxt_mmp.mixins import BinanceMmp, BybitMmp, DeribitMmp, OkxMmp

__all__ = [
    'MassCancelIncomplete',
    'MassCancelLocked',
    'MmpFrozen',
    'MmpHalted',
    'MmpNotEnabled',
    '__version__',
    'binance',
    'bybit',
    'deribit',
    'okx',
]


if TYPE_CHECKING:  # _lazy_exchanges.py makes the same

    class okx(AsyncMmp, OkxMmp, ccxt.async_support.okx):
        """``ccxt.async_support.okx`` with Market Maker Protection."""

    class binance(AsyncMmp, BinanceMmp, ccxt.async_support.binance):
        """``ccxt.async_support.binance`` with Market Maker Protection."""

    class deribit(AsyncMmp, DeribitMmp, ccxt.async_support.deribit):
        """``ccxt.async_support.deribit`` with Market Maker Protection."""

    class bybit(AsyncMmp, BybitMmp, ccxt.async_support.bybit):
        """``ccxt.async_support.bybit`` with Market Maker Protection."""


_MAKERS = lazy_exchanges(sys.modules[__name__], AsyncMmp, ccxt.async_support)
__getattr__, __dir__ = fall_through(sys.modules[__name__], ccxt.async_support, makers=_MAKERS)
