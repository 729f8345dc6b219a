"""Orders of options on OKX: the MMP flag, batches, lists and edits.

https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-order
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ccxt.base.errors import BadResponse, BaseError, ExchangeError, InvalidOrder

from ccxt_mmp.core.awaiting import await_result, gather, succeeded
from ccxt_mmp.core.listing import last_id
from ccxt_mmp.core.order_flag import FLAGGED_TYPES, plain_name
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.okx.answers import OkxAnswers, Pages
from ccxt_mmp.exchanges.okx.tables import CANCELED_STATES, FLAGGED, MAX_ROWS, MMP_ORDER_TYPES
from ccxt_mmp.types import Order, Params, Stock


class OkxOrders(OkxAnswers):
    """Orders of options, with the flag or without."""

    def _mmp_underlyings_sent(self, path: str, params: Any) -> Iterator[str]:
        # an amendment does not say whether its order is an MMP order
        for order in params if isinstance(params, list) else [params]:
            if isinstance(order, dict) and order.get('ordType') in MMP_ORDER_TYPES:
                option_id = str(order.get('instId'))
                family = self._underlying_named(option_id)
                if family is not None:
                    yield family

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        flags = {True} if type in MMP_ORDER_TYPES else set()
        own = params.get('ordType')
        if isinstance(own, str) and own not in MMP_ORDER_TYPES and plain_name(own) in FLAGGED_TYPES:
            raise InvalidOrder(f'{self.id} has no ordType {shown(own)}: it has {", ".join(MMP_ORDER_TYPES)}')
        return flags if own is None else flags | {own in MMP_ORDER_TYPES}

    def _flag_told(self, info: Any) -> bool | None:
        order_type = self.safe_string(info, 'ordType') if isinstance(info, dict) else None
        return None if order_type is None else order_type in MMP_ORDER_TYPES

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        return any(each in ('mmp_and_post_only', 'post_only') for each in (type, params.get('ordType')))

    def _flagged(self, request: Params) -> Params | None:
        order_type = FLAGGED.get(request['ordType'])
        return None if order_type is None or 'attachAlgoOrds' in request else {**request, 'ordType': order_type}

    def _named(self, request: Params) -> Params:
        return request if request.get('clOrdId') else {**request, 'clOrdId': self.uuid16()}

    def _as_order(self, request: Params) -> Params:
        reduce_only = {'reduceOnly': self.json(request['reduceOnly']).strip('"')} if 'reduceOnly' in request else {}
        return {**request, **reduce_only}

    async def _place_batch(self, requests: list[Params], params: Params) -> list[Any]:
        response = await await_result(self.privatePostTradeBatchOrders(requests))
        #
        #     {"code":"2","msg":"","data":[
        #         {"clOrdId":"oktswap6","ordId":"12345689","tag":"","sCode":"0","sMsg":""},
        #         {"clOrdId":"oktswap7","ordId":"","tag":"","sCode":"51034","sMsg":"Fill rate exceeds ..."}
        #     ]}
        #
        items = response.get('data') if isinstance(response, dict) else None
        if not isinstance(items, list):
            raise BadResponse(f'{self.id} createOrders() received an answer without a list of data: {shown(response)}')
        return items

    async def _fetch_open_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        of_mmp = {'instType': 'OPTION', 'ordType': ','.join(MMP_ORDER_TYPES), 'paginate': False}
        return await self._all_pages('fetchOpenOrders', stock, market, since, limit, {**of_mmp, **params})

    async def _fetch_canceled_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        of_mmp = {'type': 'option'} if since is None else {'type': 'option', 'begin': since}
        states = CANCELED_STATES if params.get('state') is None else (params['state'],)
        listed = await gather(
            self.synchronous,
            [
                partial(
                    self._all_pages,
                    'fetchCanceledOrders',
                    stock,
                    market,
                    since,
                    limit,
                    {**of_mmp, **params, 'state': state},
                )
                for state in states
            ],
        )
        return [order for orders in succeeded(listed) for order in orders]

    async def _all_pages(
        self, method: str, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """The orders of as many pages as it takes, which come with the newest first."""
        symbol = None if market is None else market['symbol']
        pages = Pages(params)
        listed: list[Order] = []
        while True:
            # ccxt reads an answer without data, such as a page of HTML, as that there are none
            with RequestContext(self, is_repeatable=True, needs_data=True):
                page: list[Order] = await await_result(stock(symbol, None, None, pages.request))
            listed += page
            is_enough = since is None and limit is not None and sum(order['mmp'] is True for order in listed) >= limit
            if len(page) < MAX_ROWS or is_enough:
                return listed
            if not pages.turn(last_id(page)):
                raise BadResponse(f'{self.id} {method}() could not list all orders, only {len(listed)}')

    async def _fetch_any_canceled_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """Those of options also with the state of what the trigger cancelled, which is not 'canceled'."""
        await self._load_markets()
        market = None if symbol is None else self.market(symbol)
        market_type, _ = self.handle_market_type_and_params('fetchCanceledOrders', market, params)
        is_algo = any(params.get(name) is not None for name in ('stop', 'trigger', 'trailing', 'ordType', 'method'))
        if market_type != 'option' or is_algo or params.get('state') is not None:
            return await super()._fetch_any_canceled_orders(stock, symbol, since, limit, params)
        fetch = super()._fetch_any_canceled_orders
        listed = await gather(
            self.synchronous,
            [partial(fetch, stock, symbol, since, limit, {**params, 'state': state}) for state in CANCELED_STATES],
        )
        in_time = self.sort_by([order for orders in succeeded(listed) for order in orders], 'timestamp')
        result: list[Order] = self.filter_by_symbol_since_limit(in_time, symbol, since, limit)
        return result

    def edit_order_request(
        self, id: Any, symbol: Any, type: Any, side: Any, amount: Any = None, price: Any = None, params: Params = {}
    ) -> Params:
        """ccxt's own request, which it builds for edit_order, edit_orders and edit_order_ws; none has a flag in it."""
        rest = self._without_flag(params)
        request: Params = super().edit_order_request(id, symbol, type, side, amount, price, rest)
        return request

    async def _order_before(self, method: str, order_id: str, market: Params, params: Params) -> Order:
        ids = {name: params[name] for name in ('clientOrderId', 'clOrdId') if params.get(name) is not None}
        with RequestContext(self, is_repeatable=True, needs_data=True):
            before: Order = await await_result(self.fetch_order(order_id, market['symbol'], ids))
        return before

    def _conditions_of_edit(self, params: Params) -> Params:
        return {name: value for name, value in params.items() if name.startswith(('newSl', 'newTp', 'attachAlgo'))}

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
        rest = self.omit(params, ['ordType', 'postOnly', 'timeInForce'])
        placing = stock(order_id, market['symbol'], 'limit', side, amount, price, rest)
        answer = await self._told_over_websocket(placing)
        #
        #     {"code":"0","msg":"","data":[
        #         {"clOrdId":"","ordId":"12344","ts":"1695190491421","reqId":"b12344","sCode":"0","sMsg":""}
        #     ]}
        #
        return self._edited(method, answer, before, amount, price)

    def _refusal_over_websocket(self, error: ExchangeError) -> BaseError | None:
        message = self.parse_json(str(error).partition(' ')[2]) if type(error) is ExchangeError else None
        #
        #     {"id":"1513","op":"order","code":"1","msg":"","data":[
        #         {"clOrdId":"","ordId":"","tag":"","ts":"1695190491421","sCode":"51034","sMsg":"Fill rate exceeds ..."}
        #     ]}
        #
        items = message.get('data') if isinstance(message, dict) else None
        first = items[0] if isinstance(items, list) and items else None
        return self._refusal(first) if isinstance(first, dict) else None

    def parse_order_status(self, status: str | None) -> str | None:
        # older versions of ccxt do not know this one
        unified: str | None = 'canceled' if status == 'mmp_canceled' else super().parse_order_status(status)
        return unified

    def safe_order(self, order: Params, market: Any = None) -> Order:
        info = order.get('info') if isinstance(order, dict) else None
        order_type = self.safe_string(info, 'ordType') if isinstance(info, dict) else None
        if order_type in MMP_ORDER_TYPES:
            order = {**order, 'type': 'limit', 'postOnly': MMP_ORDER_TYPES[order_type]}
        parsed: Order = super().safe_order(order, market)
        parsed['mmp'] = self._flag_read(info, market)
        return parsed
