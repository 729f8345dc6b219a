"""The mixins behind the exchange classes, public so that they can be composed with a subclass of your own::

class my_okx(SyncMmp, OkxMmp, ccxt.okx): ...
class my_async_okx(AsyncMmp, OkxMmp, ccxt.async_support.okx): ...
"""

from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.fronts import AsyncMmp, SyncMmp
from ccxt_mmp.exchanges.binance import BinanceMmp
from ccxt_mmp.exchanges.bybit import BybitMmp
from ccxt_mmp.exchanges.deribit import DeribitMmp
from ccxt_mmp.exchanges.okx import OkxMmp

__all__ = ['AsyncMmp', 'BinanceMmp', 'BybitMmp', 'DeribitMmp', 'Mmp', 'OkxMmp', 'SyncMmp']
