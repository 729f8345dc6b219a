"""Orders of options on Bybit: the MMP flag and the tag that tells it, batches, lists and edits.

https://bybit-exchange.github.io/docs/v5/order/create-order
"""

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import BadResponse, InvalidOrder

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.orders import MmpOrders
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.bybit.answers import BybitAnswers
from ccxt_mmp.exchanges.bybit.tables import CATEGORY, CONDITIONS, CREATE, LINK_ID, MAX_LINK_ID, OPTION_ID
from ccxt_mmp.types import Order, Params, Stock

LINK_ID_NAMES = ('clientOrderId', 'orderLinkId')
POST_ONLY = 'PostOnly'
UNTIL_NAMES = ('until', 'till', 'endTime')


class BybitOrders(BybitAnswers):
    """Orders of options, with the flag or without."""

    def _mmp_underlyings_sent(self, path: str, params: Any) -> Iterator[str]:
        for order in orders_sent(path, params):
            if str(order.get('mmp')).lower() == 'true' or self._has_tag(order.get('orderLinkId')):
                option_id = str(order.get('symbol'))
                coin = self._underlying_named(option_id)
                if coin is not None:
                    yield coin

    def _find_mmp_orders(self, context: RequestContext, path: str = '', params: Any = None, **further: Any) -> None:
        super()._find_mmp_orders(context, path, params, **further)
        orders = orders_sent(path, params) if f'/{path}'.startswith(CREATE) else []  # an edit makes no order
        link_ids = [order.get('orderLinkId') for order in orders]
        context.client_ids = tuple(str(each) if self._has_tag(each) else '' for each in link_ids)

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        return set()  # its name is ccxt's

    def _flag_told(self, info: Any) -> bool | None:
        if not isinstance(info, dict):
            return None
        # no answer has the flag, but the requests of this package that are read as one
        told: bool | None = True if self._has_tag(info.get('orderLinkId')) else self.safe_bool(info, 'mmp')
        return told

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        return False

    # --- requests

    def create_order_request(
        self, symbol: Any, type: Any, side: Any, amount: Any, price: Any = None, params: Params = {}, isUTA: bool = True
    ) -> Params:
        if self._is_mmp_order(type, params):
            return super().create_order_request(symbol, type, side, amount, price, self._tagged(params))
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        request: Params = super(MmpOrders, self).create_order_request(symbol, type, side, amount, price, rest, isUTA)
        link_id = request.get('orderLinkId')
        if request.get('category') == CATEGORY and self._has_tag(link_id):
            raise InvalidOrder(
                f'{self.id} createOrder() clientOrderId {shown(link_id)} begins with '
                f"options['createOrder']['mmpTag'], as those of MMP orders alone: a mass cancel would cancel the order"
            )
        return request

    def _tagged(self, params: Params) -> Params:
        """The params of an MMP order with a client order id that begins with the tag."""
        tag = self._mmp_tag('createOrder', InvalidOrder)
        if params.get('timeInForce') == POST_ONLY:
            params = {**params, 'timeInForce': 'PO'}  # by ccxt's name
        given = {str(params[name]) for name in LINK_ID_NAMES if params.get(name) is not None}
        if not given:
            return {**params, 'clientOrderId': tag + secrets.token_hex(MAX_LINK_ID)[: MAX_LINK_ID - len(tag)]}
        link_id = next(iter(given))
        if len(given) > 1 or not LINK_ID.fullmatch(link_id) or not link_id.startswith(tag):
            raise InvalidOrder(
                f'{self.id} createOrder() clientOrderId of an MMP order must begin with {tag}, by which a mass cancel '
                f'finds it, and have at most {MAX_LINK_ID} letters, digits, hyphens and underscores, '
                f'received {shown(sorted(given))}'
            )
        return params

    def _flagged(self, request: Params) -> Params | None:
        is_conditional = any(request.get(name) is not None for name in CONDITIONS)
        is_good = request.get('timeInForce') in (None, 'GTC', POST_ONLY)
        is_plain = request.get('category') == CATEGORY and request.get('orderType') == 'Limit'
        return {**request, 'mmp': True} if is_plain and is_good and not is_conditional else None

    def _named(self, request: Params) -> Params:
        return request  # ccxt has named it

    def _as_order(self, request: Params) -> Params:
        defaults = {'timeInForce': 'GTC', 'reduceOnly': False, 'mmp': False}
        return {**defaults, **request}

    async def _create_order(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Order:
        if self._is_mmp_order(type, params):
            # it needs a unified account: ccxt would ask two endpoints whether it is one
            for name, value in (('enableUnifiedMargin', False), ('enableUnifiedAccount', True)):
                if self.options.get(name) is None:
                    self.options[name] = value
        return await super()._create_order(stock, symbol, type, side, amount, price, params)

    async def _place_batch(self, requests: list[Params], params: Params) -> list[Any]:
        orders = [self.omit(request, 'category') for request in requests]
        response = await await_result(self.privatePostV5OrderCreateBatch({'category': CATEGORY, 'request': orders}))
        #
        #     {"retCode":0,"retMsg":"OK","result":{"list":[
        #         {"category":"option","symbol":"BTC-27MAR26-70000-P","orderId":"","orderLinkId":"","createAt":""},
        #         {"category":"option","symbol":"BTC-27MAR26-70000-P","orderId":"3c9f65b6-01ad-4ac0-9741-df17e02a4223",
        #          "orderLinkId":"mmp-6f1c...","createAt":"1698075516029"}
        #     ]},"retExtInfo":{"list":[{"code":10001,"msg":"..."},{"code":0,"msg":"OK"}]},"time":1698075516029}
        #
        return self._items('createOrders', response)

    # --- lists

    async def _fetch_open_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        # ccxt would read one page
        request = {'openOnly': '0', **self._sent(params)}
        return await self._tagged_orders('fetchOpenOrders', self.privateGetV5OrderRealtime, market, request)

    async def _fetch_canceled_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        period = {'startTime': since, 'endTime': self.safe_integer_n(params, [*UNTIL_NAMES])}
        given = {name: value for name, value in period.items() if value is not None}
        request = {'orderStatus': 'Cancelled', **given, **self._sent(self.omit(params, [*UNTIL_NAMES]))}
        return await self._tagged_orders('fetchCanceledOrders', self.privateGetV5OrderHistory, market, request)

    async def _tagged_orders(self, method: str, ask: Any, market: Params | None, request: Params) -> list[Order]:
        """The orders of as many pages as it takes that have the tag."""
        rows: list[Any] = []

        async def ask_page(of_page: Params) -> Any:
            with RequestContext(self, is_repeatable=True):
                return await await_result(ask(of_page))

        of_market = {} if market is None else {'symbol': market['id']}
        await self._read_pages(method, ask_page, {'category': CATEGORY, **of_market, **request}, rows)
        if not all(isinstance(row, dict) for row in rows):
            raise BadResponse(f'{self.id} {method}() received a list of something else than orders: {shown(rows)}')
        tagged = [row for row in rows if self._has_tag(row.get('orderLinkId'))]
        orders: list[Order] = self.parse_orders(tagged, market)
        return orders

    # --- what ccxt has of this exchange alone, but for the flag; hidden from type checkers

    if not TYPE_CHECKING:

        def fetch_open_order(self, id, symbol=None, params={}):
            return super().fetch_open_order(id, symbol, self._of_named_order('fetchOpenOrder', params))

        def fetch_closed_order(self, id, symbol=None, params={}):
            return super().fetch_closed_order(id, symbol, self._of_named_order('fetchClosedOrder', params))

        def fetch_order_classic(self, id, symbol=None, params={}):
            return super().fetch_order_classic(id, symbol, self._of_named_order('fetchOrderClassic', params))

        def fetch_orders_classic(self, symbol=None, since=None, limit=None, params={}):
            return super().fetch_orders_classic(symbol, since, limit, self._of_all_orders('fetchOrdersClassic', params))

        def un_watch_orders(self, symbol=None, params={}):
            return super().un_watch_orders(symbol, self._of_all_orders('unWatchOrders', params))

        def un_watch_my_trades(self, symbol=None, params={}):
            return super().un_watch_my_trades(symbol, self._of_all_orders('unWatchMyTrades', params))

        def un_watch_positions(self, symbols=None, params={}):
            return super().un_watch_positions(symbols, self._of_all_orders('unWatchPositions', params))

    # --- edits

    def cancel_order_request(self, *arguments: Any, **keywords: Any) -> Params:
        return with_category(super().cancel_order_request(*arguments, **keywords))

    def edit_order_request(
        self, id: Any, symbol: Any, type: Any, side: Any, amount: Any = None, price: Any = None, params: Params = {}
    ) -> Params:
        rest = self._without_flag(params)
        return with_category(super().edit_order_request(id, symbol, type, side, amount, price, rest))

    async def _order_before(self, method: str, order_id: str, market: Params, params: Params) -> Order:
        named = self._named_in(order_id, params)
        with RequestContext(self, is_repeatable=True):
            response = await await_result(
                self.privateGetV5OrderRealtime({'category': CATEGORY, 'symbol': market['id'], **named})
            )
        [(name, value)] = named.items()
        rows = [row for row in self._listed(method, response) if isinstance(row, dict) and row.get(name) == value]
        if len(rows) != 1:
            raise BadResponse(f'{self.id} {method}() received another answer than that order: {shown(response)}')
        before: Order = self.parse_order(rows[0], market)
        return {**before, 'mmp': before['mmp'] is True}  # its tag tells

    def _conditions_of_edit(self, params: Params) -> Params:
        return {name: params[name] for name in CONDITIONS if params.get(name) is not None}

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
        rest = self._sent(self.omit(params, [*LINK_ID_NAMES, 'postOnly', 'timeInForce']))
        request = {'category': CATEGORY, 'symbol': market['id'], **self._named_in(order_id, params), **rest}
        if amount is not None:
            request['qty'] = self.amount_to_precision(market['symbol'], amount)
        if price is not None:
            request['price'] = self.price_to_precision(market['symbol'], price)
        response = await await_result(self.privatePostV5OrderAmend(request))
        #
        #     {"retCode":0,"retMsg":"OK","result":
        #         {"orderId":"c6f055d9-7f21-4079-913d-e6523a9cfffa","orderLinkId":"linear-004"},...}
        #
        result = self._result(method, response)
        ids = {'id': result.get('orderId') or None, 'clientOrderId': result.get('orderLinkId') or None}
        return self._edited(method, {**ids, 'info': response}, before, amount, price)

    def _named_in(self, order_id: str, params: Params) -> Params:
        """Bybit's field that names an order, and its value."""
        if any(params.get(name) is not None for name in LINK_ID_NAMES):
            return {'orderLinkId': self.safe_string_2(params, *LINK_ID_NAMES)}
        return {'orderId': order_id}

    def safe_order(self, order: Params, market: Any = None) -> Order:
        info = order.get('info') if isinstance(order, dict) else None
        parsed: Order = super().safe_order(order, market)
        flag = self._flag_read(info, market)
        if flag is None and self._has_tag(parsed.get('clientOrderId')):
            flag = True  # its info may be a whole answer
        parsed['mmp'] = flag
        return parsed


def orders_sent(path: str, params: Any) -> list[Params]:
    """The orders of options in a request to one of the paths of orders."""
    given = params if isinstance(params, dict) else {}
    orders = given.get('request') if path.endswith('-batch') else [given]
    is_of_options = given.get('category') == CATEGORY
    return [each for each in orders if isinstance(each, dict)] if is_of_options and isinstance(orders, list) else []


def with_category(request: Params) -> Params:
    """The request with the category of options, which older versions of ccxt take for linear contracts."""
    is_option = OPTION_ID.fullmatch(str(request.get('symbol'))) is not None
    return {**request, 'category': CATEGORY} if is_option else request
