"""Orders with the MMP flag, and batches of option orders with one answer per order."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from ccxt.base.errors import BadResponse, BaseError, ExchangeError, InvalidOrder

from ccxt_mmp._redaction import redacted
from ccxt_mmp.core.awaiting import await_result, gather, succeeded
from ccxt_mmp.core.editing import UNKNOWN_FILL, OrderEditing
from ccxt_mmp.core.fence import Mark
from ccxt_mmp.core.order_flag import POST_ONLY
from ccxt_mmp.core.other_orders import OtherOrders
from ccxt_mmp.core.params import RETRY_OPTIONS, option_names
from ccxt_mmp.core.request_context import REFUSALS, RequestContext, current_request
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.types import Order, Params, Stock

T = TypeVar('T')
Answer = tuple[Any, Exception | None]  # an order, and why it failed
PlaceBatch = Callable[[list[Params]], Awaitable[list[Any]]]  # sends requests; the items of the answer

TERMS = ('symbol', 'type', 'side', 'amount', 'price')

# fields of an order that its request has, and those that only the exchange can know
REQUESTED = ('symbol', 'side', 'price', 'amount', 'timeInForce', 'clientOrderId')
REQUESTED_KIND = ('type', 'postOnly', 'reduceOnly', 'mmp')  # ccxt makes up some of these if an answer lacks them


class MmpOrders(OrderEditing, OtherOrders):
    """``create_order``, ``create_orders`` and ``cancel_orders``, with the flag or without."""

    # --- set by the exchange mixins

    _max_batch: int  # orders
    _batch_params: tuple[str, ...]  # params of a whole batch, not of each order
    _order_id_field: str
    _client_id_field: str
    _filled_field: str
    _refusal_field: str
    _has_lists: bool = True  # whether ccxt has create_orders for it; else orders without the flag go one by one

    def _flagged(self, request: Params) -> Params | None:
        """The request with the flag, or None if it is not a plain limit order."""
        raise NotImplementedError

    def _named(self, request: Params) -> Params:
        """The request with a client order id, which identifies the order even if its answer is lost."""
        raise NotImplementedError

    def _as_order(self, request: Params) -> Params:
        """The request in the form of the exchange's answer about the order."""
        raise NotImplementedError

    async def _place_batch(self, requests: list[Params], params: Params) -> list[Any]:
        """The items of the answer."""
        raise NotImplementedError

    def _refusal(self, item: Params) -> BaseError | None:
        """The error of a refused item of an answer, or None if it was accepted."""
        raise NotImplementedError

    def _errors_of_others(self) -> Params:
        """ccxt's errors by code, for refused orders of other markets."""
        errors: Params = self.exceptions['exact']
        return errors

    # --- requests

    def create_order_request(
        self, symbol: Any, type: Any, side: Any, amount: Any, price: Any = None, params: Params = {}
    ) -> Params:
        """ccxt's request with the flag. ccxt builds it for create_order, create_orders and create_order_ws."""
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        if not self._is_mmp_order(type, params):
            return self._stock_order_request(symbol, type, side, amount, price, rest)
        post_only = self._is_post_only(symbol, type, rest)
        rest = self.omit(rest, [*self._own_flag_names, 'postOnly'])
        if str(rest.get('timeInForce', '')).upper() in POST_ONLY:
            rest = self.omit(rest, 'timeInForce')
        if post_only:
            rest = {**rest, 'postOnly': True}
        self._refuse_foreign_params('createOrder', rest)
        flagged = self._flagged(self._stock_order_request(symbol, 'limit', side, amount, price, rest))
        if flagged is None:
            raise self._no_mmp_order(symbol, 'plain limit orders', params)
        context = current_request(self)
        if context is not None and not context.is_in_use:
            context.request = dict(flagged)  # a copy, since ccxt changes its own before it sends it over a websocket
        return flagged

    def _stock_order_request(
        self, symbol: Any, type: Any, side: Any, amount: Any, price: Any, params: Params
    ) -> Params:
        """What ccxt sends for an order."""
        request: Params = super().create_order_request(symbol, type, side, amount, price, params)
        return request

    # --- one order

    async def _create_order(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Order:
        marks = self._fence_marks()
        if not self._is_mmp_order(type, params):
            placed: Order = unflagged(await await_result(stock(symbol, type, side, amount, price, params)))
            return placed
        await self._load_markets()
        with self._one_order('createOrder', self._underlying_of(symbol), marks) as context:
            order: Order = await await_result(stock(symbol, type, side, amount, price, params))
            # a subclass of the user may have placed it in another way
            return order if context.request is None else self._placed(order, context.request)

    async def _create_order_ws(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Any:
        marks = self._fence_marks()
        if not self._is_mmp_order(type, params, 'createOrderWs'):
            return unflagged(await await_result(stock(symbol, type, side, amount, price, params)))
        self._require_flag_over_websocket('createOrderWs')
        await self._load_markets()
        underlying_id = self._underlying_of(symbol, 'createOrderWs')
        await await_result(self.authenticate())  # so that nothing delays the order between the fence and the socket
        with self._one_order('createOrderWs', underlying_id, marks) as context:
            try:
                self._pass_fence(context)
            except ExchangeError:
                # the context keeps the request, for the order in the error
                self.create_order_request(symbol, type, side, amount, price, params)
                raise
            order = await self._told_over_websocket(stock(symbol, type, side, amount, price, params))
            return order if context.request is None else self._placed(order, context.request)

    @contextmanager
    def _one_order(self, method: str, underlying_id: str, marks: dict[str, Mark]) -> Iterator[RequestContext]:
        """A single order. Its error has the order in ``orders``, with the client order id, as in a batch."""
        with self._explaining('orders', underlying_id), self._order_context(method, underlying_id, marks) as context:
            try:
                yield context
            except Exception as error:
                if context.request is not None:
                    vars(error)['orders'] = [self._unplaced(context.request, error)[0]]
                raise

    def _order_context(
        self, method: str, underlying_id: str | None, marks: dict[str, Mark], *, has_items: bool = False
    ) -> RequestContext:
        """The context of MMP orders, which a mass cancel of their underlying stops until they are sent."""
        underlyings = () if underlying_id is None else (underlying_id,)
        self.options.setdefault(
            'timeDifference', 0
        )  # ccxt signs with it, and options that the user replaced may lack it
        return RequestContext(self, has_items=has_items, method=method, marks=marks, underlyings=underlyings)

    def _underlying_of(self, symbol: Any, method: str = 'createOrder') -> str:
        """The underlying of an MMP order."""
        market = self._listed_market(method, symbol)
        if not self._can_have_flag(market):
            raise self._no_mmp_order(symbol, f'of {self._flagged_markets}', {}, method)
        return str(self._resolve_underlying(method, market['id']))

    def _placed(self, order: Any, request: Params) -> Any:
        """The order that ccxt parsed, with what the answer leaves out filled in from the request."""
        if not isinstance(order, dict):
            return order  # from a subclass of the user: ccxt's own methods return a dict
        if not order.get('id'):
            raise BadResponse(f'{self.id} createOrder() received an answer without an id: {shown(order)}')
        requested = self.parse_order(self._as_order(request))
        filled_in = {name: requested[name] for name in REQUESTED if order.get(name) is None}
        filled_in |= {name: requested[name] for name in REQUESTED_KIND if requested[name] is not None}
        told = self._flag_told(order.get('info'))
        if told is not None:
            filled_in['mmp'] = told  # the exchange's word, even if it is not what was asked for
        if order.get('status') is None:
            filled_in['status'] = 'open'
        info = order.get('info')
        if not isinstance(info, dict) or self._filled_field not in info:
            filled_in |= UNKNOWN_FILL
        return {**order, **filled_in}

    # --- batches

    async def _create_orders(self, stock: Stock, orders: Sequence[Params], params: Params) -> list[Order]:
        def place(requests: list[Params]) -> Awaitable[list[Any]]:
            return self._place_batch(requests, params)

        if not self._has_lists:
            return await self._create_each_order(place, self._create_alone, orders, params)
        return await self._create_each_order(place, stock, orders, params, stock)

    async def _create_each_order(
        self,
        place: PlaceBatch,
        place_other: Stock,
        orders: Sequence[Params],
        params: Params,
        place_others: Stock | None = None,
        method: str = 'createOrders',
    ) -> list[Order]:
        """
        place: sends a batch of requests of options.
        place_other: ccxt's own method for a list of one order of another market.
        place_others: the same for a list without any order of options, if it loses no answer.
        """
        marks = self._fence_marks()
        orders = orders if isinstance(orders, list) else list(orders)
        for order in orders:
            self._refuse_flag_beside_params(order)
        await self._load_markets()
        of_options: dict[int, Params] = {}
        others: dict[int, Params] = {}
        for index, order in enumerate(orders):
            (of_options if self._is_option_order(order, params) else others)[index] = order
        unflagged_params = self.omit(params, 'mmp') if 'mmp' in params else params
        if not of_options and place_others is not None:
            placed = await await_result(place_others(orders, unflagged_params))
            return [self._answer_of_other(order)[0] for order in placed] if isinstance(placed, list) else placed
        calls = [
            partial(self._try_batch, method, place, requests, underlying_id, marks)
            for underlying_id, requests in self._batches(of_options, params)
        ]
        # one by one: ccxt sorts the answers to a list, so that they could not be assigned to the orders
        calls += [
            partial(self._try_other, place_other, index, order, unflagged_params) for index, order in others.items()
        ]
        answers: dict[int, Answer] = {}
        for answered in succeeded(await gather(self.synchronous, calls)):
            answers.update(answered)
        return if_any_succeeded([answers[index] for index in sorted(answers)])

    def _is_option_order(self, order: Params, params: Params) -> bool:
        """Whether an order of a list goes with the others of its kind, and not by ccxt's own method."""
        market = self._listed_market('createOrders', order.get('symbol'))
        if market['option'] and self._has_lists:
            return True
        is_flagged = self._is_mmp_order(order.get('type'), self._with_common(order, params), 'createOrders')
        if is_flagged and not self._can_have_flag(market):
            raise self._no_mmp_order(str(order.get('symbol')), f'of {self._flagged_markets}', params, 'createOrders')
        return is_flagged

    async def _create_alone(self, orders: Sequence[Params], params: Params) -> list[Any]:
        """An order without the flag, where ccxt has no lists of orders."""
        [order] = orders
        terms = [order.get(name) for name in TERMS]
        return [await await_result(self.create_order(*terms, {**(order.get('params') or {}), **params}))]

    def _with_common(self, order: Params, params: Params) -> Params:
        """The order's own params and the common ones, which win as in ccxt. Flags must not contradict each other."""
        own = order.get('params') or {}
        flags = {
            self._flag('createOrders', 'mmp', given.get('mmp'), InvalidOrder): None for given in (own, params)
        }.keys() - {None}
        if len(flags) > 1:
            raise InvalidOrder(
                f'{self.id} createOrders() received contradicting MMP flags in its params '
                f'and in the order: {shown(order)}'
            )
        return {**own, **params, 'mmp': next(iter(flags), None)}

    def _batches(self, orders: dict[int, Params], params: Params) -> Iterator[tuple[str | None, dict[int, Params]]]:
        """The requests in batches, each with the underlying of its MMP orders.

        The fence stops whole batches, so each batch has MMP orders of one underlying, or none.
        """
        grouped: dict[str | None, dict[int, Params]] = {}
        not_of_an_order = [*self._batch_params, *(name for option in RETRY_OPTIONS for name in option_names(option))]
        for index, order in orders.items():
            given = self.omit(self._with_common(order, params), not_of_an_order)
            symbol, kind, side, amount, price = (order.get(name) for name in TERMS)
            request = self._named(self.create_order_request(symbol, kind, side, amount, price, given))
            group = self._underlying_of(symbol) if self._is_mmp_order(kind, given) else None
            grouped.setdefault(group, {})[index] = request
        for underlying_id, requests in grouped.items():
            for batch in chunked(list(requests.items()), self._max_batch):
                yield underlying_id, dict(batch)

    async def _try_batch(
        self,
        method: str,
        place: PlaceBatch,
        requests: dict[int, Params],
        underlying_id: str | None,
        marks: dict[str, Mark],
    ) -> dict[int, Answer]:
        sent = list(requests.values())
        asked = self._resets_so_far()
        try:
            context = self._order_context(method, underlying_id, marks, has_items=True)
            with self._explaining('orders', underlying_id), context:
                items = self._items_of(sent, await place(sent))
        except Exception as error:  # noqa: BLE001 - no failure may lose the answers to the other batches
            return {index: self._unplaced(request, error) for index, request in requests.items()}
        answers = {
            index: self._answer(request, item) for (index, request), item in zip(requests.items(), items, strict=True)
        }
        for _, refusal in answers.values():
            self._explain(refusal, 'orders', underlying_id, asked)
        return answers

    def _items_of(self, requests: list[Params], items: list[Any]) -> list[Any]:
        """The item of each request, matched by client order id if the items are in another order.

        None where no item certainly belongs to the request.
        """
        wanted = [request[self._client_id_field] for request in requests]
        ids = [self.safe_string(item, self._client_id_field) if isinstance(item, dict) else None for item in items]
        if len(ids) == len(wanted) and all(each in (None, '', want) for each, want in zip(ids, wanted, strict=True)):
            return items
        by_id = {
            each: item for each, item in zip(ids, items, strict=True) if ids.count(each) == wanted.count(each) == 1
        }
        return [by_id.get(want) for want in wanted]

    def _answer(self, request: Params, item: Any) -> Answer:
        if not isinstance(item, dict):
            return self._unplaced(
                request, BadResponse(f'{self.id} createOrders() received no answer to an order: {shown(item)}')
            )
        try:
            refusal = self._refusal(item)
            order_id = self.safe_string(item, self._order_id_field)
            if refusal is None and not order_id:
                refusal = BadResponse(f'{self.id} createOrders() received an answer without an id: {shown(item)}')
        except Exception as error:  # noqa: BLE001 - an unreadable item must not lose the others
            refusal = BadResponse(f'{self.id} createOrders() received an order that cannot be read: {described(error)}')
        if refusal is not None:
            return self._unplaced(request, refusal, item)
        try:
            said = {name: value for name, value in item.items() if value is not None and value != ''}
            order = self.parse_order({**self._as_order(request), **said})
            return {**self._placed(order, request), 'info': item, 'error': None}, None
        except Exception:  # noqa: BLE001 - it was accepted, even if its item cannot be parsed
            return {**self._as_asked(request), 'id': order_id, 'info': item, 'error': None}, None

    async def _try_other(self, stock: Stock, index: int, order: Params, params: Params) -> dict[int, Answer]:
        """Place an order of another market by ccxt's own method."""
        try:
            [placed] = await await_result(stock([order], params))
        except Exception as error:  # noqa: BLE001 - as in _try_batch
            terms = {name: order.get(name) for name in TERMS}
            client_order_id = self.safe_string(order.get('params') or {}, 'clientOrderId')
            unplaced = self.safe_order({**terms, 'clientOrderId': client_order_id, **failed(error)})
            return {index: ({**unplaced, 'mmp': False, 'error': error}, error)}
        return {index: self._answer_of_other(placed)}

    def _answer_of_other(self, order: Any) -> Answer:
        """The answer of ccxt's own method about an order of another market."""
        if not isinstance(order, dict):
            return order, None
        error: BaseError | None = None
        if not order.get('id'):
            info = order.get('info')
            said: Params = info if isinstance(info, dict) else {}
            code = self.safe_string(said, self._refusal_field)
            if code in (None, '0'):
                error = BadResponse(f'{self.id} createOrders() received an answer without an id: {shown(info)}')
            else:
                error = self._matched_error(str(code), said, self._errors_of_others())
            order = {**order, 'status': failed(error)['status']}
        return {**unflagged(order), 'error': error}, error

    def _unplaced(self, request: Params, error: Exception, info: Any = None) -> Answer:
        """An order that was refused, or whose outcome is unknown."""
        told = failed(error) if info is None else {**failed(error), 'info': info}
        return {**self._as_asked(request), **told, 'error': error}, error

    def _as_asked(self, request: Params) -> Order:
        """The order as far as its request describes it."""
        try:
            order: Order = {**self.parse_order(self._as_order(request)), 'id': None, 'status': None}
        except Exception:  # noqa: BLE001 - as in _answer
            order = {'id': None, 'clientOrderId': request[self._client_id_field], 'status': None, 'mmp': None}
        return {**order, **UNKNOWN_FILL}

    def _matched_error(self, code: str, item: Params, exceptions: Params) -> BaseError:
        """The error of an item of a batch, by code."""
        text = f'{self.id} {redacted(self.json(item))}'
        try:
            self.throw_exactly_matched_exception(exceptions, code, text)
        except BaseError as error:
            return error
        return ExchangeError(text)

    def _rows(self, method: str, response: object) -> list[Any]:
        if not isinstance(response, list):
            raise BadResponse(f'{self.id} {method}() received an answer that is no list: {shown(response)}')
        return response

    def _cancelled_order(self, row: Params, option_id: str, underlying_id: str) -> Order:
        """A cancelled order of an option. It has its unified symbol even if no markets are loaded."""
        if self.markets_by_id is None:
            self.markets_by_id: dict[str, Any] = {}  # older versions of ccxt look the option up in it
        try:
            order: Order = self.parse_order(row)
        except Exception:  # noqa: BLE001 - it is cancelled, even if it cannot be parsed
            order = {'id': self.safe_string(row, self._order_id_field), 'status': None, 'mmp': True, 'info': row}
        if option_id not in self.markets_by_id:
            order['symbol'] = self._unified_symbol(option_id, underlying_id)
        return order

    def _unified_symbol(self, option_id: str, underlying_id: str) -> str:
        """The symbol of an option that no loaded market is of."""
        expiry_strike_type = '-'.join(option_id.split('-')[-3:])
        return f'{self._unified_underlying(underlying_id)}-{expiry_strike_type}'

    # --- orders that are ccxt's alone unless the exchange mixin says otherwise

    async def _cancel_orders(self, stock: Stock, ids: Sequence[str], symbol: str | None, params: Params) -> list[Order]:
        orders: list[Order] = await await_result(stock(ids, symbol, params))
        return orders

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        answer: Params = await await_result(stock(timeout, params))
        return answer


def unflagged(order: Any) -> Any:
    """An order that was placed without the flag. A subclass of the user may return anything."""
    if isinstance(order, dict) and order.get('mmp') is None:
        order['mmp'] = False
    return order


def failed(error: Exception) -> Order:
    return {'status': 'rejected' if isinstance(error, REFUSALS) else None, 'info': {'error': described(error)}}


def if_any_succeeded(answers: Sequence[Answer]) -> list[Order]:
    """The orders. If all failed, raise a failure with an unknown outcome, or else the first, with the orders."""
    orders = [order for order, _ in answers]
    failures = [error for _, error in answers if error is not None]
    if failures and len(failures) == len(answers):
        failure = next((error for error in failures if not isinstance(error, REFUSALS)), failures[0])
        vars(failure)['orders'] = orders
        raise failure
    return orders


def chunked(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
