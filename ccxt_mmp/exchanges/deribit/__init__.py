"""Deribit: MMP per index, for orders of options, futures and perpetuals.

https://docs.deribit.com/api-reference/trading/private-set_mmp_config
"""

from ccxt_mmp.exchanges.deribit.cancelling import DeribitCancelling
from ccxt_mmp.exchanges.deribit.orders import DeribitOrders
from ccxt_mmp.exchanges.deribit.protection import DeribitProtection
from ccxt_mmp.exchanges.deribit.sockets import DeribitSockets
from ccxt_mmp.exchanges.deribit.watching import DeribitWatching

__all__ = ['DeribitMmp']


class DeribitMmp(DeribitProtection, DeribitOrders, DeribitCancelling, DeribitWatching, DeribitSockets):
    """The Deribit side of the MMP methods, for any flavour of ``ccxt.deribit``."""
