"""Orders with the MMP flag, and batches of option orders that lose no answer, for the exchange mixins."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ccxt.base.errors import BadRequest, BadResponse, BaseError, ExchangeError, InvalidOrder

from ccxt_mmp._io import side_by_side, succeeded, take
from ccxt_mmp.mixins.base import RETRY_OPTIONS, described, option_names, shown
from ccxt_mmp.throttling import REFUSALS, RequestContext, Fence, current_request
from ccxt_mmp.types import Params

if TYPE_CHECKING:
    from ccxt.base.exchange import Exchange
else:
    Exchange = object

T = TypeVar('T')
Order = dict[str, Any]
Answer = tuple[Order, BaseError | None]  # an order, and why it failed
Stock = Callable[..., Any]  # ccxt's own method

# what makes a limit order something else, by ccxt's names and Binance's
CONDITIONS = (
    'activationPrice',
    'callbackRate',
    'stopLoss',
    'stopLossPrice',
    'stopPrice',
    'takeProfit',
    'takeProfitPrice',
    'trailingAmount',
    'trailingDelta',
    'trailingPercent',
    'trailingPrice',
    'trailingTriggerPrice',
    'triggerPrice',
)
POST_ONLY = ('PO', 'GTX')  # as times in force
TERMS = ('symbol', 'type', 'side', 'amount', 'price')

# what a request says of its order, and what nobody knows of it before the exchange has said it
REQUESTED = ('symbol', 'side', 'price', 'amount', 'timeInForce', 'clientOrderId')
REQUESTED_KIND = ('type', 'postOnly', 'reduceOnly', 'mmp')  # of which ccxt makes up some where an answer is thin
UNKNOWN_FILL = {'filled': None, 'remaining': None, 'cost': None, 'average': None}


class MmpOrders(Exchange):
    """``create_order``, ``create_orders``, ``fetch_open_orders`` and ``cancel_orders``, for the exchange mixins."""

    # --- what the exchange mixins say of it

    _max_batch: int  # orders
    _batch_params: tuple[str, ...]  # of create_orders that are not of each order
    _order_id_field: str
    _client_id_field: str
    _filled_field: str
    _own_flag_names: tuple[str, ...]  # params that say whether it is an MMP order
    _own_order_types: tuple[str, ...]  # besides 'limit'

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        """What the exchange's own names say about the flag."""
        raise NotImplementedError

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        raise NotImplementedError

    def _flagged(self, request: Params) -> Params | None:
        """The request of a limit order with the flag; None if it is not that of a plain one."""
        raise NotImplementedError

    def _named(self, request: Params) -> Params:
        """The request with an id of the client, which tells the order also if its answer is lost."""
        raise NotImplementedError

    def _as_order(self, request: Params) -> Params:
        """The request as if it were the exchange's answer about the order."""
        raise NotImplementedError

    async def _place_batch(self, requests: list[Params], params: Params) -> list[Any]:
        """The items of the answer."""
        raise NotImplementedError

    def _refusal(self, item: Params) -> BaseError | None:
        """Why an item of an answer says that nothing was done; None if it was."""
        raise NotImplementedError

    async def _fetch_open_mmp_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        raise NotImplementedError

    # --- requests

    def create_order_request(
        self, symbol: Any, type: Any, side: Any, amount: Any, price: Any = None, params: Params = {}
    ) -> Params:
        """ccxt's own request, which it builds for create_order, create_orders and create_order_ws, with the flag."""
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        if not self._is_mmp_order(type, params):
            request: Params = super().create_order_request(symbol, type, side, amount, price, rest)
            return request
        post_only = self._is_post_only(symbol, type, rest)
        rest = self.omit(rest, [*self._own_flag_names, 'postOnly'])
        if str(rest.get('timeInForce', '')).upper() in POST_ONLY:
            rest = self.omit(rest, 'timeInForce')
        if post_only:
            rest = {**rest, 'postOnly': True}
        flagged = self._flagged(super().create_order_request(symbol, 'limit', side, amount, price, rest))
        if flagged is None:
            raise self._no_mmp_order(symbol, 'plain limit', params)
        context = current_request(self)
        if context is not None:
            context.request = flagged
        return flagged

    def _is_mmp_order(self, type: Any, params: Params) -> bool:
        """Whether an order is to carry the flag, by ccxt's name or the exchange's own; InvalidOrder if they differ."""
        says = {self._flag('createOrder', 'mmp', params.get('mmp'), InvalidOrder), *self._own_flags(type, params)}
        if True in says and False in says:
            raise InvalidOrder(
                f'{self.id} createOrder() is told by one name that it is an MMP order and by another that it is not: '
                f'type {shown(type)}, params {shown(params)}'
            )
        return True in says

    def _is_post_only(self, symbol: str, type: Any, params: Params) -> bool:
        """Whether an MMP order is post-only; InvalidOrder if it is anything but a limit order of an option."""
        if not self.market(symbol)['option']:
            raise self._no_mmp_order(symbol, 'options', params)
        if str(type).lower() not in ('limit', *self._own_order_types):
            raise self._no_mmp_order(symbol, 'limit', {'type': type})
        conditions = {name: params[name] for name in CONDITIONS if params.get(name) is not None}
        if conditions:
            raise self._no_mmp_order(symbol, 'unconditional', conditions)
        time_in_force = str(params.get('timeInForce') or 'GTC').upper()
        if time_in_force not in ('GTC', *POST_ONLY):
            raise self._no_mmp_order(symbol, 'GTC or post-only', {'timeInForce': time_in_force})
        given = self._flag('createOrder', 'postOnly', params.get('postOnly'), InvalidOrder)
        implied = time_in_force in POST_ONLY or self._own_type_is_post_only(type, params)
        if implied and given is False:
            raise self._no_mmp_order(symbol, 'either post-only or not', params)
        return implied or given is True

    def _no_mmp_order(self, symbol: str, kind: str, given: Params) -> InvalidOrder:
        return InvalidOrder(f'{self.id} createOrder() MMP orders are {kind} alone, received {symbol} {shown(given)}')

    # --- one order

    async def _create_order(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Order:
        marks = self._fence_marks()
        if not self._is_mmp_order(type, params):
            order: Order = await take(stock(symbol, type, side, amount, price, params))
            if order.get('mmp') is None:
                order['mmp'] = False
            return order
        await self._load_markets()
        underlying_id = self._underlying_of(symbol)
        with self._explaining('orders', underlying_id), self._order_context(underlying_id, marks) as context:
            order = await take(stock(symbol, type, side, amount, price, params))
        # a class of the user's may have placed it in a way of its own
        return order if context.request is None else self._placed(order, context.request)

    async def _create_order_ws(
        self, stock: Stock, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Any:
        marks = self._fence_marks()
        if not self._is_mmp_order(type, params):
            return await take(stock(symbol, type, side, amount, price, params))
        await self._load_markets()
        await take(self.authenticate())  # so that nothing is waited for between the fence and the sending
        underlying_id = self._underlying_of(symbol)
        with self._explaining('orders', underlying_id), self._order_context(underlying_id, marks) as context:
            self._depart(context)
            return await take(stock(symbol, type, side, amount, price, params))

    def _order_context(self, underlying_id: str | None, marks: dict[str, int], *, has_items: bool = False) -> RequestContext:
        """Orders on their way, which a mass cancel of their underlying stops if it came after they were asked for."""
        if underlying_id is None:
            return RequestContext(self, has_items=has_items)
        fence, mark = self._mmp_fence(underlying_id), marks.get(underlying_id, 0)
        return RequestContext(self, has_items=has_items, fence=fence, mark=mark)

    def _fence_marks(self) -> dict[str, int]:
        """When orders are asked for, in terms of each fence; of one that is not there yet it is 0."""
        fences: dict[str, Fence] = self.__dict__.get('_mmp_fences', {})
        return {underlying_id: fence.mark() for underlying_id, fence in list(fences.items())}

    def _underlying_of(self, symbol: Any) -> str:
        """The underlying of the option that an MMP order is of."""
        market = self.market(symbol)
        if not market['option']:
            raise self._no_mmp_order(symbol, 'options', {})
        return str(self._resolve_underlying('createOrder', market['id']))

    async def _load_markets(self) -> None:
        if not self.markets:
            await take(self.load_markets())

    def _placed(self, order: Order, request: Params) -> Order:
        """An order that ccxt parsed; what a thin answer leaves out is filled in from the request."""
        if not isinstance(order, dict) or not order.get('id'):
            raise BadResponse(f'{self.id} createOrder() received an answer without an id: {shown(order)}')
        requested = self.parse_order(self._as_order(request))
        filled_in = {name: requested[name] for name in REQUESTED if order.get(name) is None}
        filled_in |= {name: requested[name] for name in REQUESTED_KIND if requested[name] is not None}
        if order.get('status') is None:
            filled_in['status'] = 'open'
        info = order.get('info')
        if not isinstance(info, dict) or self._filled_field not in info:
            filled_in |= UNKNOWN_FILL
        return {**order, **filled_in}

    # --- batches

    async def _create_orders(self, stock: Stock, orders: Sequence[Params], params: Params) -> list[Order]:
        marks = self._fence_marks()
        orders = orders if isinstance(orders, list) else list(orders)
        await self._load_markets()
        of_options: dict[int, Params] = {}
        others: dict[int, Params] = {}
        for index, order in enumerate(orders):
            (of_options if self._is_option_order(order, params) else others)[index] = order
        unflagged = self.omit(params, 'mmp') if 'mmp' in params else params
        if not of_options:
            placed: list[Order] = await take(stock(orders, unflagged))
            return placed
        calls = [
            partial(self._try_batch, requests, params, underlying_id, marks)
            for underlying_id, requests in self._batches(of_options, params)
        ]
        # in lists of one: ccxt sorts its answers, so that those of more could not be told apart
        calls += [partial(self._try_other, stock, index, order, unflagged) for index, order in others.items()]
        answers: dict[int, Answer] = {}
        for answered in succeeded(await side_by_side(self.synchronous, calls)):
            answers.update(answered)
        return if_any_succeeded([answers[index] for index in sorted(answers)])

    def _is_option_order(self, order: Params, params: Params) -> bool:
        if self.market(order.get('symbol'))['option']:
            return True
        if self._is_mmp_order(order.get('type'), self._with_common(order, params)):
            raise self._no_mmp_order(str(order.get('symbol')), 'options', params)
        return False

    def _with_common(self, order: Params, params: Params) -> Params:
        """The params of an order of a list and those that are common to all, which win, as in ccxt; but not a flag."""
        own = order.get('params') or {}
        flags = {
            self._flag('createOrders', 'mmp', given.get('mmp'), InvalidOrder): None for given in (own, params)
        }.keys() - {None}
        if len(flags) > 1:
            raise InvalidOrder(
                f'{self.id} createOrders() is told one thing by its params and another by the order, '
                f'whether it is an MMP order: {shown(order)}'
            )
        return {**own, **params, 'mmp': next(iter(flags), None)}

    def _batches(self, orders: dict[int, Params], params: Params) -> Iterator[tuple[str | None, dict[int, Params]]]:
        """The requests in batches, each with the underlying of its MMP orders.

        The fence stops whole batches, so no batch has orders that it stops and others.
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
        self, requests: dict[int, Params], params: Params, underlying_id: str | None, marks: dict[str, int]
    ) -> dict[int, Answer]:
        sent = list(requests.values())
        asked = self._resets_so_far()
        try:
            with self._explaining('orders', underlying_id), self._order_context(underlying_id, marks, has_items=True):
                items = self._items_of(sent, await self._place_batch(sent, params))
        except BaseError as error:
            return {index: (self._unplaced(request, error), error) for index, request in requests.items()}
        answers = {
            index: self._answer(request, item) for (index, request), item in zip(requests.items(), items, strict=True)
        }
        for _, refusal in answers.values():
            self._explain(refusal, 'orders', underlying_id, asked)
        return answers

    def _items_of(self, requests: list[Params], items: list[Any]) -> list[Any]:
        """The items of an answer in the order of the requests, by the client's ids if all have one."""
        wanted = [request[self._client_id_field] for request in requests]
        ids = [item.get(self._client_id_field) if isinstance(item, dict) else None for item in items]
        if sorted(map(str, ids)) == sorted(wanted):
            by_id = dict(zip(ids, items, strict=True))
            return [by_id[each] for each in wanted]
        strange = [each for each, want in zip(ids, wanted, strict=False) if each and each != want]
        if len(items) != len(requests) or strange:
            raise BadResponse(f'{self.id} createOrders() received an answer to other orders: {shown(items)}')
        return items

    def _answer(self, request: Params, item: Any) -> Answer:
        try:
            refusal = self._refusal(item) if isinstance(item, dict) else BadResponse(f'{self.id} {shown(item)}')
            if refusal is None:
                said = {name: value for name, value in item.items() if value is not None and value != ''}
                order = self.parse_order({**self._as_order(request), **said})
                return self._placed({**order, 'info': item}, request), None
        except Exception as error:  # noqa: BLE001 - an item that cannot be read is no reason to lose the others
            refusal = BadResponse(f'{self.id} createOrders() received an order that cannot be read: {described(error)}')
        return {**self._unplaced(request, refusal), 'info': item}, refusal

    async def _try_other(self, stock: Stock, index: int, order: Params, params: Params) -> dict[int, Answer]:
        """An order of another market by ccxt's own method."""
        try:
            [placed] = await take(stock([order], params))
        except (BaseError, ValueError) as error:
            failure = error if isinstance(error, BaseError) else BadResponse(f'{self.id} createOrders() {error}')
            terms = {name: order.get(name) for name in TERMS}
            client_order_id = self.safe_string(order.get('params') or {}, 'clientOrderId')
            unplaced = self.safe_order({**terms, 'clientOrderId': client_order_id, **failed(failure)})
            return {index: ({**unplaced, 'mmp': False}, failure)}
        return {index: (placed, None)}

    def _unplaced(self, request: Params, error: BaseError) -> Order:
        """An order that was refused or of which nothing is known."""
        order: Order = self.parse_order(self._as_order(request))
        return {**order, **UNKNOWN_FILL, **failed(error)}

    def _matched_error(self, code: str, item: Params, exceptions: Params) -> BaseError:
        """The error of an item of a batch, by its code."""
        text = f'{self.id} {self.json(item)}'
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
        """An order of an option that was cancelled, with its unified symbol also where no markets are loaded."""
        if self.markets_by_id is None:
            self.markets_by_id: dict[str, Any] = {}  # older versions of ccxt look for the option in it
        try:
            order: Order = self.parse_order(row)
        except Exception:  # noqa: BLE001 - what cannot be read of it does not make it less cancelled
            order = {'id': self.safe_string(row, self._order_id_field), 'status': None, 'mmp': True, 'info': row}
        if option_id not in self.markets_by_id:
            expiry_strike_type = '-'.join(option_id.split('-')[-3:])
            order['symbol'] = f'{self._unified_underlying(underlying_id)}-{expiry_strike_type}'
        return order

    # --- open orders

    async def _fetch_open_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        flag = self._flag('fetchOpenOrders', 'mmp', params.get('mmp'), BadRequest)
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        if not flag:
            listed: list[Order] = await take(stock(symbol, since, limit, rest))
            return listed
        orders = await self._fetch_open_mmp_orders(stock, symbol, since, limit, rest)
        unclear = [order['id'] for order in orders if order['mmp'] is None]
        if unclear:
            raise BadResponse(f'{self.id} fetchOpenOrders() was not told whether {unclear} are MMP orders')
        return [order for order in orders if order['mmp']]

    # --- orders that are ccxt's alone unless the exchange mixin says otherwise

    async def _fetch_canceled_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        orders: list[Order] = await take(stock(symbol, since, limit, params))
        return orders

    async def _cancel_orders(self, stock: Stock, ids: Sequence[str], symbol: str | None, params: Params) -> list[Order]:
        orders: list[Order] = await take(stock(ids, symbol, params))
        return orders

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Any:
        return await take(stock(timeout, params))


def failed(error: BaseError) -> Order:
    return {'status': 'rejected' if isinstance(error, REFUSALS) else None, 'info': {'error': described(error)}}


def if_any_succeeded(answers: Sequence[Answer]) -> list[Order]:
    """The orders, unless nothing succeeded: then a failure that leaves it open, or else the first."""
    failures = [error for _, error in answers if error is not None]
    if failures and len(failures) == len(answers):
        raise next((error for error in failures if not isinstance(error, REFUSALS)), failures[0])
    return [order for order, _ in answers]


def chunked(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
