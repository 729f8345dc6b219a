"""More of ccxt's methods of orders, over REST: they leave the flag out, or refuse it where it would choose orders."""

from typing import TYPE_CHECKING

from ccxt.base.errors import BadRequest, NotSupported

from ccxt_mmp.core.order_flag import OrderFlag
from ccxt_mmp.types import Params

LISTS = 'fetch_open_orders() and fetch_canceled_orders() list MMP orders alone'
INSTEAD = {
    'cancelAllOrders': 'mass_cancel_mmp() cancels the MMP orders of an underlying',
    'cancelAllOrdersAfter': 'no exchange has such a countdown',
    'fetchOrders': LISTS,
    'fetchClosedOrders': LISTS,
    'fetchMyTrades': 'trades do not say whether their orders were',
}


class OtherOrders(OrderFlag):
    """Methods that are ccxt's own, but for the flag in their params."""

    def _of_named_order(self, method: str, params: Params) -> Params:
        """The params of a method that is told which order: the flag says no more."""
        self._flag(method, 'mmp', params.get('mmp'), BadRequest)
        return self.omit(params, 'mmp') if 'mmp' in params else params

    def _of_all_orders(self, method: str, params: Params) -> Params:
        """The params of a method that cannot keep to the MMP orders: NotSupported if it is to."""
        rest = self._of_named_order(method, params)
        if params.get('mmp') is not None:
            raise NotSupported(f'{self.id} {method}() is of all orders, MMP or not: {INSTEAD[method]}')
        return rest

    # --- hidden from type checkers, to which they are as ccxt has them

    if not TYPE_CHECKING:

        def cancel_order(self, id, symbol=None, params={}):
            return super().cancel_order(id, symbol, self._of_named_order('cancelOrder', params))

        def fetch_order(self, id, symbol=None, params={}):
            return super().fetch_order(id, symbol, self._of_named_order('fetchOrder', params))

        def cancel_all_orders(self, symbol=None, params={}):
            return super().cancel_all_orders(symbol, self._of_all_orders('cancelAllOrders', params))

        def fetch_orders(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_orders(symbol, since, limit, self._of_all_orders('fetchOrders', params))

        def fetch_closed_orders(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_closed_orders(symbol, since, limit, self._of_all_orders('fetchClosedOrders', params))

        def fetch_my_trades(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_my_trades(symbol, since, limit, self._of_all_orders('fetchMyTrades', params))
