"""Bybit options: MMP per coin, of a unified account.

https://bybit-exchange.github.io/docs/v5/account/set-mmp
"""

from ccxt_mmp.exchanges.bybit.cancelling import BybitCancelling
from ccxt_mmp.exchanges.bybit.orders import BybitOrders
from ccxt_mmp.exchanges.bybit.protection import BybitProtection
from ccxt_mmp.exchanges.bybit.sockets import BybitSockets
from ccxt_mmp.exchanges.bybit.watching import BybitWatching

__all__ = ['BybitMmp']


class BybitMmp(BybitProtection, BybitOrders, BybitCancelling, BybitWatching, BybitSockets):
    """The Bybit side of the MMP methods, for any flavour of ``ccxt.bybit``."""
