"""The mixins behind the exchange classes, public so that they can be composed with a subclass of your own::

class my_okx(SyncMmp, OkxMmp, ccxt.okx): ...
class my_async_okx(AsyncMmp, OkxMmp, ccxt.async_support.okx): ...
"""

import sys
from typing import TYPE_CHECKING

from ccxt_mmp._fall_through import fall_through
from ccxt_mmp._lazy_exchanges import lazy_mixins
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.fronts import AsyncMmp, SyncMmp

if TYPE_CHECKING:
    from ccxt_mmp.exchanges.binance import BinanceMmp
    from ccxt_mmp.exchanges.bybit import BybitMmp
    from ccxt_mmp.exchanges.deribit import DeribitMmp
    from ccxt_mmp.exchanges.okx import OkxMmp

__all__ = ['AsyncMmp', 'BinanceMmp', 'BybitMmp', 'DeribitMmp', 'Mmp', 'OkxMmp', 'SyncMmp']

__getattr__, __dir__ = fall_through(sys.modules[__name__], makers=lazy_mixins())
