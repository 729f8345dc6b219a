"""Edits of orders, which keep the MMP flag."""

from typing import TYPE_CHECKING, Any

from ccxt.base.errors import BadResponse, BaseError, ExchangeError, InvalidOrder, NotSupported

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.fence import Mark
from ccxt_mmp.core.order_flag import OrderFlag
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import Order, Params, Stock

UNKNOWN_FILL = {'filled': None, 'remaining': None, 'cost': None, 'average': None}


class OrderEditing(OrderFlag):
    """``edit_order`` and ``edit_order_ws``, with the flag or without."""

    # --- set by the exchange mixins

    async def _order_before(self, method: str, order_id: str, market: Params, params: Params) -> Order:
        """An order that is about to be edited, with its flag."""
        raise NotImplementedError

    def _conditions_of_edit(self, params: Params) -> Params:
        """The params of an edit that would make something else of a limit order."""
        raise NotImplementedError

    async def _send_edit(
        self,
        stock: Stock,
        method: str,
        order_id: str,
        market: Params,
        before: Order,
        side: Any,
        amount: Any,
        price: Any,
        params: Params,
    ) -> Any:
        """Edit an MMP order; the order as it is then."""
        raise NotImplementedError

    # --- edits

    async def _edit_order(
        self,
        stock: Stock,
        method: str,
        order_id: str,
        symbol: str,
        type: Any,
        side: Any,
        amount: Any,
        price: Any,
        params: Params,
    ) -> Any:
        marks: dict[str, Mark] = self._fence_marks()
        is_flagged = self._is_mmp_order(type, params, method)
        flag = True if is_flagged else params.get('mmp')
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        if flag is None:
            return await await_result(stock(order_id, symbol, type, side, amount, price, rest))
        if flag and method == 'editOrderWs':
            self._require_flag_over_websocket(method)
        await self._load_markets()
        market = self._listed_market(method, symbol)
        if self._can_have_flag(market):
            return await self._edit_option_order(
                stock, method, order_id, market, type, side, amount, price, rest, flag, marks
            )
        if flag:
            raise self._no_mmp_order(symbol, f'of {self._flagged_markets}', params, method)
        return await await_result(stock(order_id, symbol, type, side, amount, price, rest))

    async def _edit_option_order(
        self,
        stock: Stock,
        method: str,
        order_id: str,
        market: Params,
        type: Any,
        side: Any,
        amount: Any,
        price: Any,
        params: Params,
        flag: bool,
        marks: dict[str, Mark],
    ) -> Any:
        """Edit an order that can have the flag. An edit changes no flag, so the order is read before.

        flag: whether the caller says that it is an MMP order
        """
        symbol = market['symbol']
        before = await self._order_before(method, order_id, market, params)
        self._require_same_flag(method, before, flag)
        if not flag:
            return await await_result(stock(order_id, symbol, type, side, amount, price, params))
        self._require_same_kind(method, before, type, side, params)
        conditions = self._conditions_of_edit(params)
        if conditions:
            raise self._no_mmp_order(symbol, 'unconditional', conditions, method)
        underlying_id = self._underlying_of(symbol, method)
        if method == 'editOrderWs':
            await await_result(self.authenticate())  # so that nothing is waited for between the fence and the sending
        with self._explaining('orders', underlying_id), self._order_context(method, underlying_id, marks) as context:
            if method == 'editOrderWs':
                self._pass_fence(context)
            return await self._send_edit(stock, method, order_id, market, before, side, amount, price, params)

    if not TYPE_CHECKING:  # to type checkers it is as ccxt has it

        def edit_orders(self, orders, params={}):
            for order in orders:  # before ccxt loads markets
                self._without_flag(self.safe_dict(order, 'params', {}), 'editOrders')
                said = {name: value for name, value in order.items() if name != 'params' and value is not False}
                self._without_flag(said, 'editOrders')  # without False, as orders that were read have it
            return super().edit_orders(orders, self._without_flag(params, 'editOrders'))

    def _without_flag(self, params: Params, method: str = 'editOrder') -> Params:
        """The params of a request of an edit, which has no flag: only ``edit_order`` reads it."""
        self._refuse_misnamed_flag(method, params)
        if self._flag(method, 'mmp', params.get('mmp'), InvalidOrder) is not None:
            raise NotSupported(f'{self.id} edit_order() alone makes sure of the flag of an order')
        return self.omit(params, 'mmp') if 'mmp' in params else params

    def _edited(self, method: str, answer: Any, before: Order, amount: Any, price: Any) -> Any:
        """The order as it was, with what was asked for and what the answer says; how much is filled is not known."""
        if not isinstance(answer, dict):
            return answer  # of a class of the user's
        if not answer.get('id'):
            raise BadResponse(f'{self.id} {method}() received an answer without an id: {shown(answer)}')
        asked: Params = {}
        if amount is not None:
            asked['amount'] = self.parse_number(self.amount_to_precision(before['symbol'], amount))
        if price is not None:
            asked['price'] = self.parse_number(self.price_to_precision(before['symbol'], price))
        said = {name: answer[name] for name in ('id', 'clientOrderId') if answer.get(name) is not None}
        return {**before, **UNKNOWN_FILL, **asked, **said, 'info': answer.get('info')}

    def _require_flag_over_websocket(self, method: str) -> None:
        """Raise NotSupported before a socket is opened."""
        if not (self._has_flag_over_websocket and self.has.get(method)):
            raise NotSupported(f'{self.id} {method}() has no MMP orders: use the method without _ws')

    async def _told_over_websocket(self, answer: Any) -> Any:
        """The result of an order over a websocket. ccxt ignores what the item of a refused order says."""
        try:
            return await await_result(answer)
        except ExchangeError as error:
            refusal = self._refusal_over_websocket(error)
            if refusal is None:
                raise
            raise refusal from error

    def _refusal_over_websocket(self, error: ExchangeError) -> BaseError | None:
        """The specific error of a refusal that ccxt could not map, or None."""
        return None

    def _require_same_flag(self, method: str, before: Order, flag: bool) -> None:
        if before.get('mmp') is None:
            raise BadResponse(f'{self.id} {method}() was not told whether it is an MMP order: {shown(before)}')
        if before['mmp'] is not flag:
            is_one = 'an' if before['mmp'] else 'no'
            raise InvalidOrder(
                f'{self.id} {method}() cannot change the flag: order {before["id"]} is {is_one} MMP order. '
                'Cancel it and create another one'
            )

    def _require_same_kind(self, method: str, before: Order, type: Any, side: Any, params: Params) -> None:
        """Raise unless the edit changes price and amount only: the exchange would ignore the rest."""
        post_only = self._is_post_only(before['symbol'], type, params, method)
        is_asked = post_only or params.get('postOnly') is not None or params.get('timeInForce') is not None
        if is_asked and before.get('postOnly') is not None and post_only is not before['postOnly']:
            raise self._no_mmp_order(before['symbol'], 'either post-only or not', params, method)
        if side is not None and before.get('side') is not None and side != before['side']:
            raise InvalidOrder(f'{self.id} {method}() cannot change the side of order {before["id"]}')
