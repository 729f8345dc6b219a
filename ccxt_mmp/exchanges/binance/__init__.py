"""Binance European options: MMP per underlying.

https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Market-Maker-Protection-Config
"""

from ccxt_mmp.exchanges.binance.cancelling import BinanceCancelling
from ccxt_mmp.exchanges.binance.orders import BinanceOrders
from ccxt_mmp.exchanges.binance.protection import BinanceProtection
from ccxt_mmp.exchanges.binance.sockets import BinanceSockets
from ccxt_mmp.exchanges.binance.watching import BinanceWatching

__all__ = ['BinanceMmp']


class BinanceMmp(BinanceProtection, BinanceOrders, BinanceCancelling, BinanceWatching, BinanceSockets):
    """The Binance side of the MMP methods, for any flavour of ``ccxt.binance``."""
