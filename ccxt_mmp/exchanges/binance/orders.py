"""Orders of options on Binance: the MMP flag, batches, lists and edits.

https://developers.binance.com/docs/derivatives/options-trading/trade/New-Order
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from ccxt.base.errors import ArgumentsRequired, BadResponse, InvalidOrder, NotSupported

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.binance.answers import BinanceAnswers
from ccxt_mmp.exchanges.binance.tables import MAX_ROWS
from ccxt_mmp.types import Order, Params, Stock


class BinanceOrders(BinanceAnswers):
    """Orders of options, with the flag or without."""

    def _mmp_underlyings_sent(self, path: str, params: Any) -> Iterator[str]:
        # the spot and futures APIs have paths of these names, but no such flag
        orders = [params]
        if path == 'batchOrders':
            try:
                orders = json.loads(unquote(str(params.get('orders'))))
            except (AttributeError, ValueError):  # the exchange will refuse it
                return
        for order in orders if isinstance(orders, list) else ():
            if isinstance(order, dict) and str(order.get('isMmp')).lower() == 'true':
                option_id = str(order.get('symbol'))
                underlying_id = self._underlying_named(option_id)
                if underlying_id is not None:
                    yield underlying_id

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        given = params.get('isMmp')
        if given is None:
            return set()
        named = {'true': True, 'false': False}.get(str(given).lower())
        if named is None:
            raise InvalidOrder(f'{self.id} createOrder() isMmp must be true or false, received {shown(given)}')
        return {named}

    def _flag_told(self, info: Any) -> bool | None:
        flag: bool | None = self.safe_bool(info, 'mmp') if isinstance(info, dict) else None
        return flag

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        return False

    def _flagged(self, request: Params) -> Params | None:
        time_in_force = str(request.get('timeInForce') or 'GTC').upper()  # ccxt's default may have been replaced
        is_plain = request['type'] == 'LIMIT' and time_in_force in ('GTC', 'GTX')
        return {**self._named(request), 'timeInForce': time_in_force, 'isMmp': True} if is_plain else None

    def _named(self, request: Params) -> Params:
        # older versions of ccxt send the name of the other APIs
        return {'clientOrderId' if name == 'newClientOrderId' else name: value for name, value in request.items()}

    def _as_order(self, request: Params) -> Params:
        return {**request, 'mmp': request.get('isMmp', False)}

    async def _place_batch(self, requests: list[Params], params: Params) -> list[Any]:
        body = {name: params[name] for name in self._batch_params if name in params}
        response = await await_result(self.eapiPrivatePostBatchOrders({'orders': encoded_json(requests), **body}))
        #
        #     [{"orderId":4612288550799409153,"symbol":"ETH-220826-1800-C","clientOrderId":"test001","mmp":true,...},
        #      {"code":-2010,"msg":"NEW_ORDER_REJECTED"}]
        #
        items: list[Any] = self._rows('createOrders', response)
        return items

    async def _fetch_open_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        # ccxt would ask another API or warn of the weight without a symbol, and stumble over an answer that is no list
        given = {'symbol': market and market['id'], 'startTime': since}
        period = {name: value for name, value in given.items() if value is not None}
        response = await await_result(self.eapiPrivateGetOpenOrders({**period, **self._sent(params)}))
        listed: list[Order] = self.parse_orders(self._order_rows('fetchOpenOrders', response), market)
        return listed

    async def _fetch_canceled_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """As many pages as it takes of the finished orders: from an id on, after the first.

        https://developers.binance.com/docs/derivatives/options-trading/trade/Query-Option-Order-History
        """
        if market is None:
            raise ArgumentsRequired(f'{self.id} fetchCanceledOrders() requires a symbol argument')
        until = self.safe_integer_n(params, ['until', 'till', 'endTime'])
        given = {'startTime': since, 'endTime': until, 'limit': MAX_ROWS}
        period = {name: value for name, value in given.items() if value is not None}
        request = {'symbol': market['id'], **period, **self._sent(self.omit(params, ['until', 'till', 'endTime']))}
        rows: dict[str | None, Any] = {}
        from_id: int | None = None
        while True:
            paged = request if from_id is None else {**self.omit(request, 'startTime'), 'orderId': from_id}
            response = await await_result(self.eapiPrivateGetHistoryOrders(paged))
            page = {self.safe_string(row, 'orderId'): row for row in self._order_rows('fetchCanceledOrders', response)}
            rows |= page
            if len(page) < MAX_ROWS:
                break
            ids = [int(each) for each in page if each and each.isdecimal()]
            if not ids or (from_id is not None and max(ids) < from_id):
                raise BadResponse(f'{self.id} fetchCanceledOrders() could not list all orders, only {len(rows)}')
            # a first page that does not say from when on is of the newest ones
            from_id = 1 if from_id is None and since is None else max(ids) + 1
        orders: list[Order] = self.parse_orders(list(rows.values()), market)
        return [order for order in orders if order['status'] == 'canceled']

    def _order_rows(self, method: str, response: object) -> list[Any]:
        rows = self._rows(method, response)
        if not all(isinstance(row, dict) for row in rows):
            raise BadResponse(f'{self.id} {method}() received a list of something else than orders: {shown(rows)}')
        return rows

    # --- what ccxt has of this exchange alone, but for the flag; hidden from type checkers

    if not TYPE_CHECKING:

        def fetch_open_order(self, id, symbol=None, params={}):
            return super().fetch_open_order(id, symbol, self._of_named_order('fetchOpenOrder', params))

        def fetch_account_positions(self, symbols=None, params={}):
            return super().fetch_account_positions(symbols, self._of_all_orders('fetchAccountPositions', params))

        def fetch_option_positions(self, symbols=None, params={}):
            return super().fetch_option_positions(symbols, self._of_all_orders('fetchOptionPositions', params))

        def edit_spot_order(self, id, symbol, type, side, amount, price=None, params={}):
            return super().edit_spot_order(id, symbol, type, side, amount, price, self._without_flag(params))

        def edit_contract_order(self, id, symbol, type, side, amount, price=None, params={}):
            return super().edit_contract_order(id, symbol, type, side, amount, price, self._without_flag(params))

        def edit_spot_order_request(self, id, symbol, type, side, amount, price=None, params={}):
            return super().edit_spot_order_request(id, symbol, type, side, amount, price, self._without_flag(params))

        def edit_contract_order_request(self, id, symbol, type, side, amount, price=None, params={}):
            return super().edit_contract_order_request(
                id, symbol, type, side, amount, price, self._without_flag(params)
            )

    async def _edit_option_order(self, stock: Stock, method: str, *arguments: Any) -> Any:
        raise NotSupported(f'{self.id} {method}() has no edits of options: cancel the order and create another one')

    @classmethod
    def rawencode(cls, params: Params = {}, *arguments: Any, **keywords: Any) -> str:
        # ccxt adds the field of the futures API to every path of that name, and this API refuses what it does not read
        sent = {name: params[name] for name in params if name != 'batchOrders'} if 'orders' in params else params
        encoded: str = super().rawencode(sent, *arguments, **keywords)
        return encoded

    def safe_order(self, order: Params, market: Any = None) -> Order:
        info = order.get('info') if isinstance(order, dict) else None
        parsed: Order = super().safe_order(order, market)
        parsed['mmp'] = self._flag_read(info, market)
        return parsed


def encoded_json(value: object) -> str:
    """JSON, percent-encoded: only so do all transports send what was signed."""
    return quote(json.dumps(value, separators=(',', ':')), safe='')


def order_ids(ids: Sequence[object]) -> list[object]:
    """Numbers, as documented."""
    return [int(each) if each.isascii() and each.isdecimal() else each for each in map(str, ids)]
