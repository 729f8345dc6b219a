"""More of ccxt's methods of orders: they leave the flag out, or refuse it where it would choose among orders."""

from typing import TYPE_CHECKING

from ccxt.base.errors import BadRequest, NotSupported

from ccxt_mmp.core.order_flag import OrderFlag
from ccxt_mmp.types import Params

CANCELS = 'mass_cancel_mmp() cancels the MMP orders of an underlying'
LISTS = 'fetch_open_orders() and fetch_canceled_orders() list MMP orders alone'
TRADES = 'trades do not say whether their orders were'
INSTEAD = {
    'cancelAllOrders': CANCELS,
    'cancelAllOrdersWs': CANCELS,
    'cancelAllOrdersAfter': 'no exchange has such a countdown',
    'fetchOrders': LISTS,
    'fetchClosedOrders': LISTS,
    'fetchCanceledAndClosedOrders': LISTS,
    'fetchOrdersWs': LISTS,
    'fetchOpenOrdersWs': LISTS,
    'fetchClosedOrdersWs': LISTS,
    'fetchMyTrades': TRADES,
    'fetchMyTradesWs': TRADES,
    'watchOrders': 'each says in mmp whether it is, where the exchange says it',
    'watchMyTrades': TRADES,
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
        # of orders that are named

        def cancel_order(self, id, symbol=None, params={}):
            return super().cancel_order(id, symbol, self._of_named_order('cancelOrder', params))

        def cancel_order_ws(self, id, symbol=None, params={}):
            return super().cancel_order_ws(id, symbol, self._of_named_order('cancelOrderWs', params))

        def cancel_orders_ws(self, ids, symbol=None, params={}):
            return super().cancel_orders_ws(ids, symbol, self._of_named_order('cancelOrdersWs', params))

        def cancel_orders_for_symbols(self, orders, params={}):
            return super().cancel_orders_for_symbols(orders, self._of_named_order('cancelOrdersForSymbols', params))

        def fetch_order(self, id, symbol=None, params={}):
            return super().fetch_order(id, symbol, self._of_named_order('fetchOrder', params))

        def fetch_order_ws(self, id, symbol=None, params={}):
            return super().fetch_order_ws(id, symbol, self._of_named_order('fetchOrderWs', params))

        def fetch_order_trades(self, id, symbol=None, since=None, limit=None, params={}):
            return super().fetch_order_trades(
                id, symbol, since, limit, self._of_named_order('fetchOrderTrades', params)
            )

        # of all orders

        def cancel_all_orders(self, symbol=None, params={}):
            return super().cancel_all_orders(symbol, self._of_all_orders('cancelAllOrders', params))

        def cancel_all_orders_ws(self, symbol=None, params={}):
            return super().cancel_all_orders_ws(symbol, self._of_all_orders('cancelAllOrdersWs', params))

        def fetch_orders(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_orders(symbol, since, limit, self._of_all_orders('fetchOrders', params))

        def fetch_orders_ws(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_orders_ws(symbol, since, limit, self._of_all_orders('fetchOrdersWs', params))

        def fetch_open_orders_ws(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_open_orders_ws(symbol, since, limit, self._of_all_orders('fetchOpenOrdersWs', params))

        def fetch_closed_orders(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_closed_orders(symbol, since, limit, self._of_all_orders('fetchClosedOrders', params))

        def fetch_closed_orders_ws(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_closed_orders_ws(
                symbol, since, limit, self._of_all_orders('fetchClosedOrdersWs', params)
            )

        def fetch_canceled_and_closed_orders(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_canceled_and_closed_orders(
                symbol, since, limit, self._of_all_orders('fetchCanceledAndClosedOrders', params)
            )

        def fetch_my_trades(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_my_trades(symbol, since, limit, self._of_all_orders('fetchMyTrades', params))

        def fetch_my_trades_ws(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_my_trades_ws(symbol, since, limit, self._of_all_orders('fetchMyTradesWs', params))

        def watch_orders(self, symbol=None, since=None, limit=None, params={}):
            return super().watch_orders(symbol, since, limit, self._of_all_orders('watchOrders', params))

        def watch_my_trades(self, symbol=None, since=None, limit=None, params={}):
            return super().watch_my_trades(symbol, since, limit, self._of_all_orders('watchMyTrades', params))
