"""OKX: order-book MMP per instrument family of options, and block-trading (RFQ) MMP, one per account.

https://www.okx.com/docs-v5/en/#trading-account-rest-api-set-mmp
"""

from ccxt_mmp.exchanges.okx.cancelling import OkxCancelling
from ccxt_mmp.exchanges.okx.orders import OkxOrders
from ccxt_mmp.exchanges.okx.protection import OkxProtection
from ccxt_mmp.exchanges.okx.sockets import OkxSockets
from ccxt_mmp.exchanges.okx.watching import OkxWatching

__all__ = ['OkxMmp']


class OkxMmp(OkxProtection, OkxOrders, OkxCancelling, OkxWatching, OkxSockets):
    """The OKX side of the MMP methods, for any flavour of ``ccxt.okx``."""
