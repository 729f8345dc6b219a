"""More of ccxt's methods of orders and positions: they leave the flag out, or refuse it where it would choose."""

from typing import TYPE_CHECKING

from ccxt.base.errors import BadRequest, NotSupported

from ccxt_mmp.core.listing import OrderLists
from ccxt_mmp.types import Params

CANCELS = 'mass_cancel_mmp() cancels the MMP orders of an underlying'
LISTS = 'fetch_open_orders() and fetch_canceled_orders() list MMP orders alone'
TRADES = 'trades do not say whether their orders were'
POSITIONS = 'positions do not say which orders made them'
INSTEAD = {
    'cancelAllOrders': CANCELS,
    'cancelAllOrdersWs': CANCELS,
    'cancelAllOrdersAfter': 'no exchange has such a countdown',
    'fetchOrders': LISTS,
    'fetchOrdersClassic': LISTS,
    'fetchClosedOrders': LISTS,
    'fetchCanceledAndClosedOrders': LISTS,
    'fetchOrdersWs': LISTS,
    'fetchOpenOrdersWs': LISTS,
    'fetchClosedOrdersWs': LISTS,
    'fetchMyTrades': TRADES,
    'fetchMyTradesWs': TRADES,
    'watchOrders': 'each says in mmp whether it is, where the exchange says it',
    'watchMyTrades': TRADES,
    'unWatchOrders': 'it ends what watch_orders() has begun',
    'unWatchMyTrades': 'it ends what watch_my_trades() has begun',
    'fetchPosition': POSITIONS,
    'fetchPositions': POSITIONS,
    'fetchPositionsForSymbol': POSITIONS,
    'fetchPositionsRisk': POSITIONS,
    'fetchAccountPositions': POSITIONS,
    'fetchOptionPositions': POSITIONS,
    'fetchPositionHistory': POSITIONS,
    'fetchPositionsHistory': POSITIONS,
    'fetchPositionWs': POSITIONS,
    'fetchPositionsWs': POSITIONS,
    'watchPositions': POSITIONS,
    'unWatchPositions': POSITIONS,
}


class OtherOrders(OrderLists):
    """Methods that are ccxt's own, but for the flag in their params."""

    def _of_named_order(self, method: str, params: Params) -> Params:
        """The params of a method that is told which order: the flag says no more."""
        self._refuse_misnamed_flag(method, params, (*self._own_flag_names, *self._own_flag_names_of_lists))
        self._flag(method, 'mmp', params.get('mmp'), BadRequest)
        return self.omit(params, 'mmp') if 'mmp' in params else params

    def _of_all_orders(self, method: str, params: Params) -> Params:
        """The params of a method that cannot keep to the MMP orders: NotSupported if it is to."""
        flag, rest = self._flag_of_list(method, params)
        if flag is not None:
            raise NotSupported(f'{self.id} {method}() is of all orders, MMP or not: {INSTEAD[method]}')
        return rest

    def _of_market_order(self, method: str, symbol: str, params: Params) -> Params:
        """The params of a method that places a market order: InvalidOrder if it is to be an MMP order."""
        if self._is_mmp_order('market', params, method):
            raise self._no_mmp_order(symbol, 'limit orders', {'type': 'market'}, method)
        return self.omit(params, 'mmp') if 'mmp' in params else params

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

        # of positions

        def close_position(self, symbol, side=None, params={}):
            return super().close_position(symbol, side, self._of_market_order('closePosition', symbol, params))

        def fetch_position(self, symbol, params={}):
            return super().fetch_position(symbol, self._of_all_orders('fetchPosition', params))

        def fetch_position_ws(self, symbol, params={}):
            return super().fetch_position_ws(symbol, self._of_all_orders('fetchPositionWs', params))

        def fetch_positions(self, symbols=None, params={}):
            return super().fetch_positions(symbols, self._of_all_orders('fetchPositions', params))

        def fetch_positions_ws(self, symbols=None, params={}):
            return super().fetch_positions_ws(symbols, self._of_all_orders('fetchPositionsWs', params))

        def fetch_positions_for_symbol(self, symbol, params={}):
            return super().fetch_positions_for_symbol(symbol, self._of_all_orders('fetchPositionsForSymbol', params))

        def fetch_positions_risk(self, symbols=None, params={}):
            return super().fetch_positions_risk(symbols, self._of_all_orders('fetchPositionsRisk', params))

        def fetch_position_history(self, symbol, since=None, limit=None, params={}):
            return super().fetch_position_history(
                symbol, since, limit, self._of_all_orders('fetchPositionHistory', params)
            )

        def fetch_positions_history(self, symbols=None, since=None, limit=None, params={}):
            return super().fetch_positions_history(
                symbols, since, limit, self._of_all_orders('fetchPositionsHistory', params)
            )

        def watch_positions(self, symbols=None, since=None, limit=None, params={}):
            return super().watch_positions(symbols, since, limit, self._of_all_orders('watchPositions', params))
