"""Orders on Deribit: the MMP flag, labels, lists and edits.

https://docs.deribit.com/api-reference/trading/private-buy
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ccxt.base.errors import BadResponse, InvalidOrder, NotSupported

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers
from ccxt_mmp.exchanges.deribit.tables import CONDITIONS, LABEL_PREFIX, MAX_LABEL
from ccxt_mmp.types import Order, Params, Stock

ENDPOINTS = {'buy': 'privateGetBuy', 'sell': 'privateGetSell'}


class DeribitOrders(DeribitAnswers):
    """Orders of options, futures and perpetuals, with the flag or without."""

    def _mmp_underlyings_sent(self, path: str, params: Any) -> Iterator[str]:
        # an edit does not say whether its order is an MMP order
        given = params if isinstance(params, dict) else {}
        quotes = given.get('quotes')
        orders = [given] if path in ENDPOINTS and str(given.get('mmp')).lower() == 'true' else []
        if path in self._quote_paths and isinstance(quotes, list):
            orders = [each for each in quotes if isinstance(each, dict)]  # which are MMP orders all
        for order in orders:
            market_id = str(order.get('instrument_name'))
            index = self._underlying_named(market_id)
            if index is not None:
                yield index

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        return set()  # its name is ccxt's

    def _flag_told(self, info: Any) -> bool | None:
        flag: bool | None = self.safe_bool(info, 'mmp') if isinstance(info, dict) else None
        return flag

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        return params.get('post_only') in (True, 'true')

    def _flagged(self, request: Params) -> Params | None:
        is_conditional = any(request.get(name) is not None for name in CONDITIONS)
        is_good = request['time_in_force'] == 'good_til_cancelled'
        is_plain = request['type'] == 'limit'  # params may have another one
        return {**self._named(request), 'mmp': True} if is_plain and is_good and not is_conditional else None

    def _named(self, request: Params) -> Params:
        """With a label: an order without one has that of its index, so that one request cancels all of them."""
        if request.get('label'):
            return request
        prefix, _ = self._mmp_option('createOrder', 'mmpLabel', LABEL_PREFIX, {})
        label = f'{prefix}:{self._resolve_underlying("createOrder", request["instrument_name"])}'
        if not isinstance(prefix, str) or not prefix or len(label) > MAX_LABEL:
            raise InvalidOrder(
                f"{self.id} createOrder() options['createOrder']['mmpLabel'] must be a text of which a label of at "
                f'most {MAX_LABEL} characters can be made, received {shown(prefix)}'
            )
        return {**request, 'label': label}

    def _as_order(self, request: Params) -> Params:
        return {**request, 'order_type': request['type'], 'mmp': request.get('mmp', False)}

    async def _place_batch(self, requests: list[Params], params: Params) -> list[Any]:
        return [await self._send_order('createOrders', request) for request in requests]

    def _stock_order_request(
        self, symbol: Any, type: Any, side: Any, amount: Any, price: Any, params: Params
    ) -> Params:
        """What ccxt's create_order sends for a limit order, with the side, as it makes no request of its own."""
        if side not in ENDPOINTS:
            raise InvalidOrder(f'{self.id} createOrder() side must be buy or sell, received {shown(side)}')
        if type != 'limit':
            raise NotSupported(f'{self.id} create_order_request() is there for limit orders alone')
        time_in_force = str(params.get('timeInForce') or 'GTC').upper()
        names = {'GTC': 'good_til_cancelled', 'IOC': 'immediate_or_cancel', 'FOK': 'fill_or_kill'}
        post_only = params.get('postOnly') is True
        request = {
            'instrument_name': self.market_id(symbol),
            'direction': side,
            'amount': self.amount_to_precision(symbol, amount),
            'price': self.price_to_precision(symbol, price),
            'type': 'limit',
            'time_in_force': names.get(time_in_force, time_in_force),
            # written in any case: what an order without it is, is not documented [unverified]
            'post_only': post_only,
        }
        if post_only:
            request['reject_post_only'] = True
        if params.get('reduceOnly') is not None:
            request['reduce_only'] = params['reduceOnly']
        rest = self.omit(self._labelled('createOrder', params), ['timeInForce', 'postOnly', 'reduceOnly', 'post_only'])
        return {**request, **rest}

    def _labelled(self, method: str, params: Params) -> Params:
        """The params with the client's id under Deribit's name, and without ccxt's."""
        given = {str(params[name]) for name in ('clientOrderId', 'label') if params.get(name) is not None}
        if not given:
            return params
        if len(given) > 1 or len(next(iter(given))) > MAX_LABEL:
            raise InvalidOrder(
                f'{self.id} {method}() clientOrderId is the label, one of at most {MAX_LABEL} characters, '
                f'received {shown(sorted(given))}'
            )
        return {**self.omit(params, 'clientOrderId'), 'label': next(iter(given))}

    async def _create_order(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Order:
        if self._is_mmp_order(type, params):
            place = partial(self._place_by, stock)
            return await super()._create_order(place, symbol, type, side, amount, price, params)
        rest = self._labelled('createOrder', self.omit(params, 'mmp') if 'mmp' in params else params)
        return await super()._create_order(stock, symbol, type, side, amount, price, rest)

    async def _place_by(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Order:
        """By ccxt's create_order, with the terms of the request under Deribit's names."""
        request = self.create_order_request(symbol, type, side, amount, price, params)
        terms = self.omit(request, ['instrument_name', 'direction', 'amount', 'price', 'type'])
        order: Order = await await_result(stock(symbol, 'limit', side, amount, price, terms))
        return order

    async def _send_order(self, method: str, request: Params) -> Any:
        """The order as it was answered; a refusal is raised."""
        send = getattr(self, ENDPOINTS[request['direction']])
        response = await await_result(send(self.omit(request, 'direction')))
        #
        #     {"jsonrpc":"2.0","id":5275,"result":{"trades":[],"order":
        #         {"order_id":"ETH-349249","order_state":"open","label":"market0000234","mmp":false,...}}}
        #
        return self._order_in(method, response)

    def _order_in(self, method: str, response: Any) -> Any:
        result = self._result(method, response)
        order = result.get('order') if isinstance(result, dict) else None
        if not isinstance(order, dict):
            raise BadResponse(f'{self.id} {method}() received an answer without an order: {shown(response)}')
        return order

    async def _fetch_open_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        # ccxt would ask for the orders of one currency, or of one market
        with RequestContext(self, is_repeatable=True):
            response = await await_result(self.privateGetGetOpenOrders(self._sent(params)))
        listed: list[Order] = self.parse_orders(self._entries('fetchOpenOrders', response))
        return listed

    def fetch_canceled_orders(self, *arguments: Any, **keywords: Any) -> Any:
        # older versions of ccxt have none at all
        raise NotSupported(f'{self.id} fetchCanceledOrders() is not supported')

    async def _fetch_canceled_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        raise NotSupported(f'{self.id} fetchCanceledOrders() is not supported with the MMP flag')

    async def _order_before(self, method: str, order_id: str, market: Params, params: Params) -> Order:
        with RequestContext(self, is_repeatable=True):
            response = await await_result(self.privateGetGetOrderState({'order_id': order_id}))
        before: Order = self.parse_order(self._result(method, response), market)
        return before

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
    ) -> Order:
        """Deribit refuses to change the flag. The terms that an edit leaves out might not be kept [unverified]."""
        kept = {name: before['info'][name] for name in ('post_only', 'reject_post_only') if name in before['info']}
        rest = {**kept, **self.omit(params, ['postOnly', 'timeInForce', 'clientOrderId'])}
        asked = (before['amount'] if amount is None else amount, before['price'] if price is None else price)
        request = self._edit_request(order_id, market['symbol'], *asked, rest)
        if method == 'editOrderWs':
            response = await self._order_over_socket('POST edit', request)
        else:
            response = await await_result(self.privateGetEdit(request))
        order: Order = self.parse_order(self._order_in(method, response), market)
        return order

    def _edit_request(self, order_id: str, symbol: str, amount: Any, price: Any, params: Params) -> Params:
        request = {'order_id': order_id, 'amount': self.amount_to_precision(symbol, amount)}
        if price is not None:
            request['price'] = self.price_to_precision(symbol, price)
        return {**request, **params}

    def safe_order(self, order: Params, market: Any = None) -> Order:
        info = order.get('info') if isinstance(order, dict) else None
        parsed: Order = super().safe_order(order, market)
        parsed['mmp'] = self._flag_read(info, market)
        label = self.safe_string(info, 'label') if isinstance(info, dict) else None
        if label and parsed.get('clientOrderId') is None:
            parsed['clientOrderId'] = label
        if parsed.get('reduceOnly') is None and isinstance(info, dict):
            parsed['reduceOnly'] = self.safe_bool(info, 'reduce_only')
        return parsed
