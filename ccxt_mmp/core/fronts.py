"""The sync and the async front: the methods that users call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ccxt.base.types import Order, OrderRequest, OrderSide, OrderType

from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.halt_fronts import AsyncHalts, SyncHalts
from ccxt_mmp.core.request_fronts import AsyncRequests, SyncRequests
from ccxt_mmp.core.socket_fronts import AsyncSockets, SyncSockets
from ccxt_mmp.core.socket_state import LOGIN
from ccxt_mmp.core.streams import AsyncStreams, SyncStreams
from ccxt_mmp.types import MassCancel, MmpState, Number, Params

if TYPE_CHECKING:
    from typing_extensions import Self


class SyncMmp(SyncStreams, SyncHalts, SyncSockets, Mmp, SyncRequests):
    """The front of a sync exchange: put it before the exchange mixin and the class of ``ccxt``."""

    def set_mmp(
        self,
        underlying: str | None,
        window: Number | None,
        frozenTime: Number | None,
        qtyLimit: Number | None = None,
        deltaLimit: Number | None = None,
        params: Params = {},
    ) -> MmpState:
        return run_sync(self._set_mmp(underlying, window, frozenTime, qtyLimit, deltaLimit, params))

    def reset_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpState:
        return run_sync(self._reset_mmp(underlying, params))

    def fetch_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpState:
        return run_sync(self._fetch_mmp(underlying, params))

    def fetch_mmps(self, underlyings: Sequence[str] | None = None, params: Params = {}) -> dict[str, MmpState]:
        return run_sync(self._fetch_mmps(underlyings, params))

    def mass_cancel_mmp(self, underlying: str, params: Params = {}) -> MassCancel:
        return run_sync(self._cancel_or_halt(underlying, params))

    def mass_cancel_mmp_ws(self, underlying: str, params: Params = {}) -> MassCancel:
        return run_sync(self._cancel_or_halt(underlying, params, self._mass_cancel_mmp_ws))

    def mass_cancel_mmps(self, underlyings: Sequence[str] | None = None, params: Params = {}) -> dict[str, MassCancel]:
        return run_sync(self._mass_cancel_mmps(underlyings, params))

    def warm_up(self, params: Params = {}) -> None:
        run_sync(self._warm_up(params))

    # --- ccxt's own methods, with the flag

    def create_order(
        self, symbol: str, type: str, side: str, amount: Any, price: Any = None, params: Params = {}
    ) -> Order:
        """
        create a trade order; with the flag, one that Market Maker Protection cancels and refuses

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-order
        https://developers.binance.com/docs/derivatives/options-trading/trade/New-Order
        https://docs.deribit.com/api-reference/trading/private-buy

        An order without the flag is placed as ccxt does it. With it, it must be a plain limit order of an option
        (Deribit: of a future or perpetual, too), GTC or post-only; anything else is ``InvalidOrder`` before it is sent,
        and it is never repeated. It is not sent (``MassCancelLocked``) if a ``mass_cancel_mmp`` of its underlying came
        while it waited to be.

        :param str symbol: unified symbol
        :param str type: 'limit'
        :param str side: 'buy' or 'sell'
        :param float amount: contracts; on Deribit coins of an option, USD of an inverse future or perpetual
        :param float price: of one contract, in quote currency
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param bool [params.mmp]: True for an MMP order
        :param bool [params.postOnly]: True to place a post-only order, as ``timeInForce`` 'PO'
        :returns dict: ccxt's order structure with ``mmp``: True, False, or None where the exchange does not say
        """
        return run_sync(self._create_order(super().create_order, symbol, type, side, amount, price, params))

    def edit_order(
        self,
        id: str,
        symbol: str,
        type: OrderType,
        side: OrderSide,
        amount: Any = None,
        price: Any = None,
        params: Params = {},
    ) -> Order:
        """
        edit a trade order; with the flag, make sure that it is an MMP order, which it stays

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-amend-order
        https://docs.deribit.com/api-reference/trading/private-edit

        Without the flag it is ccxt's own, and OKX and Deribit keep an MMP order one. With it the order is read first,
        which is one request more: ``mmp`` True for an order that is none is ``InvalidOrder``, as is False for one that
        is. Price and amount can change, nothing else. It is not sent (``MassCancelLocked``) if a ``mass_cancel_mmp`` of
        its underlying came while it waited to be. Binance has no edits of options: ``NotSupported``.

        :param str id: order id
        :param str symbol: unified symbol
        :param str type: 'limit'
        :param str side: 'buy' or 'sell'
        :param float [amount]: as in ``create_order``, with what is filled
        :param float [price]: of one contract, in quote currency
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param bool [params.mmp]: True for an MMP order, which it must be and stays
        :returns dict: ccxt's order structure with ``mmp``; with the flag as it was, with the new price and amount
        """
        return run_sync(
            self._edit_order(super().edit_order, 'editOrder', id, symbol, type, side, amount, price, params)
        )

    def create_orders(self, orders: Sequence[OrderRequest | Params], params: Params = {}) -> list[Order]:
        """
        create a list of trade orders, each with ``params`` of its own; those of options in batches of 20 (OKX) or 10

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-multiple-orders
        https://developers.binance.com/docs/derivatives/options-trading/trade/Place-Multiple-Orders
        https://docs.deribit.com/api-reference/trading/private-buy

        Deribit has no batches: there they go one by one, side by side.

        Those of options are all checked before any is sent, and never repeated. Each order has its answer, with
        ``error``: None if it was accepted; the exception, such as ``MmpFrozen``, if it was refused (``status``
        'rejected') or its answer was lost (``status`` None). Its ``clientOrderId`` tells what became of it. Raises
        only if none was accepted; then the exception has the answers in ``orders``. A list without orders of options
        goes to ccxt as it is; of a list of both, the orders of other markets go to ccxt one by one.

        :param dict[] orders: with symbol, type, side, amount, price and params, as for ``create_order``
        :param dict [params]: added to the params of each
        :returns dict[]: ccxt's order structures with ``mmp`` and ``error``, in the order asked
        """
        return run_sync(self._create_orders(super().create_orders, orders, params))

    def fetch_open_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = {}
    ) -> list[Order]:
        """
        fetch all open orders, or the MMP orders of options alone

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-order-list
        https://developers.binance.com/docs/derivatives/options-trading/trade/Query-Current-Open-Option-Orders
        https://docs.deribit.com/api-reference/trading/private-get_open_orders

        With the flag all of them, whatever number the exchange lists at a time (OKX: one request for each 100), and on
        Deribit those of futures, perpetuals and mass quotes, too.

        :param str [symbol]: unified symbol
        :param int [since]: ms since the epoch
        :param int [limit]: how many at most; with the flag of MMP orders, without it how many the exchange is asked for
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param bool [params.mmp]: True for MMP orders alone
        :returns dict[]: ccxt's order structures with ``mmp``
        """
        return run_sync(self._fetch_open_orders(super().fetch_open_orders, symbol, since, limit, params))

    def fetch_canceled_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = {}
    ) -> list[Order]:
        """
        fetch cancelled orders; on OKX those of options include the ones that Market Maker Protection cancelled

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-order-history-last-7-days
        https://developers.binance.com/docs/derivatives/options-trading/trade/Query-Option-Order-History

        Takes two requests for options of OKX, which lists one state at a time. With the flag all MMP orders that the
        exchange still lists (OKX 7 days, Binance 5), in as many requests as it takes. Deribit: ``NotSupported``.

        :param str [symbol]: unified symbol
        :param int [since]: ms since the epoch
        :param int [limit]: how many at most
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param str [params.type]: 'option', without a symbol
        :param bool [params.mmp]: True for MMP orders alone
        :returns dict[]: ccxt's order structures with ``mmp``
        """
        return run_sync(self._fetch_canceled_orders(super().fetch_canceled_orders, symbol, since, limit, params))

    def cancel_orders(self, ids: Sequence[str], symbol: str | None = None, params: Params = {}) -> list[Order]:
        """
        cancel several orders; those of an option in batches, on Binance of 10 through the options API, on Bybit of 20

        https://developers.binance.com/docs/derivatives/options-trading/trade/Cancel-Multiple-Option-Orders
        https://bybit-exchange.github.io/docs/v5/order/batch-cancel

        Of an option of Binance or Bybit each id has its answer: an order that was not cancelled, or may not have been,
        has ``status`` None and the reason as a text in ``info['error']``. Bybit only acknowledges: there one without
        that ``error`` has ``status`` None, too. Raises only if no cancellation is known to be accepted; then the
        answers are in the exception's ``orders``. OKX: ccxt's own, an id that was refused is missing from the answer.
        Deribit: ``NotSupported``.

        :param str[] ids: order ids
        :param str symbol: unified symbol
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param str[] [params.clientOrderIds]: Binance and Bybit: instead of the ids
        :returns dict[]: ccxt's order structures, on Binance and Bybit in the order asked
        """
        return run_sync(
            self._cancel_orders(super().cancel_orders, ids, symbol, self._of_named_order('cancelOrders', params))
        )

    def cancel_all_orders_after(self, timeout: int | None, params: Params = {}) -> Params:
        """
        dead man's switch: the exchange cancels all orders, MMP or not, unless this is called again in time

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-cancel-all-after
        https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Auto-Cancel-All-Open-Orders-Config

        Binance: of one underlying of options; without ``underlying`` it is ccxt's own. After it has cancelled, it
        refuses new orders (-2010) until it is disarmed. OKX: of the account, 10 to 120 seconds; ccxt sends whole
        seconds, rounded down. Deribit has no countdown: ``NotSupported``.

        :param int timeout: ms, 0 disarms it; what would be sent as 0 without being 0 is ``BadRequest``
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param str [params.underlying]: Binance: as in ``set_mmp``
        :returns dict: the exchange's answer
        """
        return run_sync(
            self._cancel_all_orders_after(
                super().cancel_all_orders_after, timeout, self._of_all_orders('cancelAllOrdersAfter', params)
            )
        )

    # --- its life

    def close(self, *arguments: Any, **keywords: Any) -> None:
        self._connections().close()
        run_sync(self._close_halts())
        if hasattr(super(), 'close'):  # not in older versions of ccxt
            super().close(*arguments, **keywords)


class AsyncMmp(AsyncStreams, AsyncHalts, AsyncSockets, Mmp, AsyncRequests):
    """The front of an async or pro exchange: put it before the exchange mixin and the class of ``ccxt``."""

    if TYPE_CHECKING:

        async def __aenter__(self) -> Self: ...  # ccxt's, of which it does not say the type

    else:

        def __init_subclass__(cls, **keywords):
            super().__init_subclass__(**keywords)
            from ccxt_mmp.core.coroutines import await_as_in_ccxt  # noqa: PLC0415 - sync users do not need it

            await_as_in_ccxt(cls)

    async def set_mmp(
        self,
        underlying: str | None,
        window: Number | None,
        frozenTime: Number | None,
        qtyLimit: Number | None = None,
        deltaLimit: Number | None = None,
        params: Params = {},
    ) -> MmpState:
        call = self._set_mmp(underlying, window, frozenTime, qtyLimit, deltaLimit, params)
        return await self._noted(call, is_reset=False)

    async def reset_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpState:
        return await self._noted(self._reset_mmp(underlying, params), is_reset=True)

    async def fetch_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpState:
        return await self._fetch_mmp(underlying, params)

    async def fetch_mmps(self, underlyings: Sequence[str] | None = None, params: Params = {}) -> dict[str, MmpState]:
        return await self._fetch_mmps(underlyings, params)

    async def mass_cancel_mmp(self, underlying: str, params: Params = {}) -> MassCancel:
        return await self._cancel_or_halt(underlying, params)

    async def mass_cancel_mmp_ws(self, underlying: str, params: Params = {}) -> MassCancel:
        return await self._cancel_or_halt(underlying, params, self._mass_cancel_mmp_ws)

    async def mass_cancel_mmps(
        self, underlyings: Sequence[str] | None = None, params: Params = {}
    ) -> dict[str, MassCancel]:
        return await self._mass_cancel_mmps(underlyings, params)

    async def warm_up(self, params: Params = {}) -> None:
        await self._warm_up(params)

    # --- ccxt's own methods, with the flag

    async def create_order(
        self, symbol: str, type: str, side: str, amount: Any, price: Any = None, params: Params = {}
    ) -> Order:
        return await self._create_order(super().create_order, symbol, type, side, amount, price, params)

    async def edit_order(
        self,
        id: str,
        symbol: str,
        type: OrderType,
        side: OrderSide,
        amount: Any = None,
        price: Any = None,
        params: Params = {},
    ) -> Order:
        order: Order = await self._edit_order(
            super().edit_order, 'editOrder', id, symbol, type, side, amount, price, params
        )
        return order

    async def create_orders(self, orders: Sequence[OrderRequest | Params], params: Params = {}) -> list[Order]:
        return await self._create_orders(super().create_orders, orders, params)

    async def fetch_open_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = {}
    ) -> list[Order]:
        return await self._fetch_open_orders(super().fetch_open_orders, symbol, since, limit, params)

    async def fetch_canceled_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = {}
    ) -> list[Order]:
        return await self._fetch_canceled_orders(super().fetch_canceled_orders, symbol, since, limit, params)

    async def cancel_orders(self, ids: Sequence[str], symbol: str | None = None, params: Params = {}) -> list[Order]:
        return await self._cancel_orders(
            super().cancel_orders, ids, symbol, self._of_named_order('cancelOrders', params)
        )

    async def cancel_all_orders_after(self, timeout: int | None, params: Params = {}) -> Params:
        return await self._cancel_all_orders_after(
            super().cancel_all_orders_after, timeout, self._of_all_orders('cancelAllOrdersAfter', params)
        )

    # --- its life

    async def close(self, *arguments: Any, **keywords: Any) -> None:
        try:
            await self._tasks().end_those(LOGIN)  # one that goes on would open a connection again
            await super().close(*arguments, **keywords)
        finally:  # a mass cancel that was under way has opened its own again
            await self._tasks().end()
            await self._connections().close()
            await self._close_halts()


# written once, read by help() of both
for _name in (
    'create_order',
    'edit_order',
    'create_orders',
    'fetch_open_orders',
    'fetch_canceled_orders',
    'cancel_orders',
    'cancel_all_orders_after',
):
    getattr(AsyncMmp, _name).__doc__ = getattr(SyncMmp, _name).__doc__
