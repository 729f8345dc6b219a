"""The exchange classes for websocket users: ``from ccxt_mmp.pro import okx, binance, deribit, bybit``."""

import sys
from typing import TYPE_CHECKING

import ccxt.pro

from ccxt_mmp._fall_through import fall_through
from ccxt_mmp._lazy_exchanges import lazy_exchanges
from ccxt_mmp._version import __version__
from ccxt_mmp.errors import MassCancelIncomplete, MassCancelLocked, MmpFrozen, MmpHalted, MmpNotEnabled
from ccxt_mmp.mixins import AsyncMmp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccxt.base.types import Order, OrderRequest

    from ccxt_mmp.mixins import BinanceMmp, BybitMmp, DeribitMmp, OkxMmp
    from ccxt_mmp.types import Params

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

    class okx(AsyncMmp, OkxMmp, ccxt.pro.okx):
        """``ccxt.pro.okx`` with Market Maker Protection."""

        async def create_orders_ws(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, orders: 'Sequence[OrderRequest | Params]', params: 'Params' = {}
        ) -> 'list[Order]': ...

    class binance(AsyncMmp, BinanceMmp, ccxt.pro.binance):
        """``ccxt.pro.binance`` with Market Maker Protection."""

    class deribit(AsyncMmp, DeribitMmp, ccxt.pro.deribit):
        """``ccxt.pro.deribit`` with Market Maker Protection."""

    class bybit(AsyncMmp, BybitMmp, ccxt.pro.bybit):
        """``ccxt.pro.bybit`` with Market Maker Protection."""


_MAKERS = lazy_exchanges(sys.modules[__name__], AsyncMmp, ccxt.pro)
__getattr__, __dir__ = fall_through(sys.modules[__name__], ccxt.pro, makers=_MAKERS)
