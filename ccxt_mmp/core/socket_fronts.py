"""The fronts of what goes over a websocket: it is there in pro, and ``NotSupported`` elsewhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ccxt.base.types import Order, OrderRequest, OrderSide, OrderType

from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.socket_orders import SocketOrders
from ccxt_mmp.types import Params


class SyncSockets(SocketOrders):
    """Of a sync exchange: all of it is ``NotSupported``."""

    if not TYPE_CHECKING:  # ccxt's own never returns, says its type

        def create_orders_ws(self, orders: Sequence[OrderRequest | Params], params: Params = {}) -> list[Order]:
            return run_sync(self._create_orders_ws(None, orders, params))


class AsyncSockets(SocketOrders):
    """Of an async or a pro exchange."""

    if not TYPE_CHECKING:  # the classes of ccxt_mmp.pro say its type: ccxt's own never returns

        async def create_orders_ws(self, orders: Sequence[OrderRequest | Params], params: Params = {}) -> list[Order]:
            """
            ``create_orders`` over the private websocket (OKX and Deribit, pro)

            https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-place-multiple-orders
            https://docs.deribit.com/api-reference/trading/private-buy

            OKX: those of options in batches of 20. Deribit: one message for each, side by side. They go with the
            checks, the fence and the answers of ``create_orders``: each order has its answer, also where the exchange
            refuses a part of a batch. A batch that is not answered within ``timeout`` of the exchange object has
            ``status`` None and its ``clientOrderId`` tells what became of it. They wait for ccxt's limiter of the
            websocket. Orders of other markets, and on Deribit those without the flag, go one by one, by
            ``create_order_ws``.

            OKX names options by their ``instIdCode`` here since 2026-02. It is sent where the market has one, else
            the ``instId``, which OKX refuses. ``NotSupported`` in sync and async and on Binance.

            :param dict[] orders: as for ``create_orders``
            :param dict [params]: added to the params of each
            :param int [params.expTime]: OKX: ms since the epoch after which it discards the batch
            :returns dict[]: ccxt's order structures with ``mmp`` and ``error``, in the order asked
            """
            return await self._create_orders_ws(super().create_order_ws, orders, params)

    async def create_order_ws(
        self, symbol: str, type: str, side: str, amount: Any, price: Any = None, params: Params = {}
    ) -> Order:
        """
        ``create_order`` over the websocket (OKX and Deribit, pro), with the flag as there

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-place-order
        https://docs.deribit.com/api-reference/trading/private-buy

        While it waits for ccxt's limiter of the websocket, a ``mass_cancel_mmp`` or a halt stops it as over REST. On
        Deribit, where ccxt has no such method, it must be a limit order. The flag is ``NotSupported`` on Binance, which
        takes no orders of options over it.
        """
        return await self._create_order_ws(super().create_order_ws, symbol, type, side, amount, price, params)

    async def edit_order_ws(
        self,
        id: str,
        symbol: str,
        type: OrderType,
        side: OrderSide,
        amount: Any = None,
        price: Any = None,
        params: Params = {},
    ) -> Any:
        """
        ``edit_order`` over the websocket (OKX and Deribit, pro), with the flag as there: the order is read first, by
        REST

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-amend-order
        https://docs.deribit.com/api-reference/trading/private-edit
        """
        return await self._edit_order(
            super().edit_order_ws, 'editOrderWs', id, symbol, type, side, amount, price, params
        )


vars(SyncSockets)['create_orders_ws'].__doc__ = vars(AsyncSockets)['create_orders_ws'].__doc__
