"""Orders with the MMP flag, and batches of option orders that lose no answer, for the exchange mixins."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ccxt.base.errors import BadRequest, BadResponse, BaseError, ExchangeError, InvalidOrder, OperationFailed

from ccxt_mmp._io import side_by_side, take
from ccxt_mmp.errors import MassCancelLocked
from ccxt_mmp.mixins.base import shown
from ccxt_mmp.mixins.kill_switch import REFUSED
from ccxt_mmp.throttling import Errand, Fence, on_errand
from ccxt_mmp.types import Params

if TYPE_CHECKING:
    from ccxt.base.exchange import Exchange
else:
    Exchange = object

T = TypeVar('T')
Order = dict[str, Any]
Answer = tuple[Order, BaseError | None]  # an order, and why it failed
Stock = Callable[..., Any]  # ccxt's own method

# what makes a limit order something else, by ccxt's names
CONDITIONS = (
    'triggerPrice',
    'stopPrice',
    'stopLossPrice',
    'takeProfitPrice',
    'stopLoss',
    'takeProfit',
    'trailingAmount',
    'trailingPercent',
    'trailingPrice',
    'trailingTriggerPrice',
)
POST_ONLY = ('PO', 'GTX')  # as times in force

TERMS = ('symbol', 'type', 'side', 'amount', 'price')

# what nobody knows of an order before the exchange has said it
UNKNOWN_FILL = {'filled': None, 'remaining': None, 'cost': None, 'average': None}


class MmpOrders(Exchange):
    """``create_order``, ``create_orders``, ``fetch_open_orders`` and ``cancel_orders``, for the exchange mixins.

    The exchange mixins know the names: ``_own_flag``, ``_flagged``, ``_as_order``, ``_place_one``, ``_place_batch``,
    ``_refusal``, ``_fetch_open_mmp_orders``.
    """

    # --- requests

    def create_order_request(
        self, symbol: Any, type: Any, side: Any, amount: Any, price: Any = None, params: Params = {}
    ) -> Params:
        """ccxt's own request, which it builds for create_order, create_orders and create_order_ws, with the flag."""
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        if not self._is_mmp_order(type, params):
            request: Params = super().create_order_request(symbol, type, side, amount, price, rest)
            return request
        post_only = self._post_only(symbol, type, rest)
        rest = self.omit(rest, [*self._own_flag_names, 'postOnly'])
        if str(rest.get('timeInForce', '')).upper() in POST_ONLY:
            rest = self.omit(rest, 'timeInForce')
        if post_only:
            rest = {**rest, 'postOnly': True}
        flagged: Params | None = self._flagged(super().create_order_request(symbol, 'limit', side, amount, price, rest))
        if flagged is None:
            raise self._no_mmp_order(symbol, 'plain limit', params)
        return flagged

    def _is_mmp_order(self, type: Any, params: Params) -> bool:
        """Whether an order is to carry the flag, by ccxt's name or the exchange's own; InvalidOrder if they differ."""
        flag = params.get('mmp')
        if flag is not None and flag is not True and flag is not False:
            raise InvalidOrder(f'{self.id} createOrder() mmp must be True, False or None, received {shown(flag)}')
        says = {flag, *self._own_flag(type, params)} - {None}
        if len(says) > 1:
            raise InvalidOrder(
                f'{self.id} createOrder() is told by one name that it is an MMP order and by another that it is not: '
                f'type {shown(type)}, params {shown(params)}'
            )
        return True in says

    def _post_only(self, symbol: str, type: Any, params: Params) -> bool:
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
        given = params.get('postOnly')
        if given is not None and given is not True and given is not False:
            raise InvalidOrder(f'{self.id} createOrder() postOnly must be True, False or None, received {shown(given)}')
        implied = time_in_force in POST_ONLY or self._own_type_is_post_only(type, params)
        if implied and given is False:
            raise self._no_mmp_order(symbol, 'either post-only or not', params)
        return implied or given is True

    def _no_mmp_order(self, symbol: str, kind: str, given: Params) -> InvalidOrder:
        return InvalidOrder(f'{self.id} createOrder() MMP orders are {kind} alone, received {symbol} {shown(given)}')

    # --- create

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
        request = self._named_order(self.create_order_request(symbol, type, side, amount, price, params))
        with self._order_errand(self._underlying_of(symbol), marks):
            item = await self._place_one(request)
        refusal = self._refusal(item)
        if refusal is not None:
            raise refusal
        return self._accepted(request, item)

    async def _create_orders(self, stock: Stock, orders: Sequence[Params], params: Params) -> list[Order]:
        marks = self._fence_marks()
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
        if others:
            calls.append(partial(self._try_others, stock, others, unflagged))
        answers: dict[int, Answer] = {}
        for answered in await side_by_side(self.synchronous, calls):
            if isinstance(answered, BaseException):
                raise answered
            answers.update(answered)
        return if_any_succeeded([answers[index] for index in sorted(answers)])

    def _is_option_order(self, order: Params, params: Params) -> bool:
        if self.market(order.get('symbol'))['option']:
            return True
        if self._is_mmp_order(order.get('type'), self._with_common(order, params)):
            raise self._no_mmp_order(str(order.get('symbol')), 'options', params)
        return False

    @staticmethod
    def _with_common(order: Params, params: Params) -> Params:
        """The params of an order of a list and those that are common to all, which win, as in ccxt."""
        return {**(order.get('params') or {}), **params}

    def _batches(self, orders: dict[int, Params], params: Params) -> Iterator[tuple[str | None, dict[int, Params]]]:
        """The requests in batches, each with the underlying of its MMP orders.

        The fence stops whole batches, so no batch has orders that it stops and others.
        """
        grouped: dict[str | None, dict[int, Params]] = {}
        common = self.omit(params, list(self._batch_params))
        for index, order in orders.items():
            given = self._with_common(order, common)
            symbol, kind, side, amount, price = (order.get(name) for name in TERMS)
            request = self._named_order(self.create_order_request(symbol, kind, side, amount, price, given))
            is_mmp_order = self._is_mmp_order(order.get('type'), given)
            group = self._underlying_of(order['symbol']) if is_mmp_order else None
            grouped.setdefault(group, {})[index] = request
        for underlying_id, requests in grouped.items():
            for batch in chunked(list(requests.items()), self._max_batch):
                yield underlying_id, dict(batch)

    async def _try_batch(
        self, requests: dict[int, Params], params: Params, underlying_id: str | None, marks: dict[str, int]
    ) -> dict[int, Answer]:
        try:
            with self._order_errand(underlying_id, marks):
                items = await self._place_batch(list(requests.values()), params)
        except BaseError as error:
            return {index: (self._unplaced(request, error), error) for index, request in requests.items()}
        answers: dict[int, Answer] = {}
        for (index, request), item in zip(requests.items(), items, strict=True):
            refusal = self._refusal(item)
            answers[index] = (
                (self._accepted(request, item), None)
                if refusal is None
                else ({**self._unplaced(request, refusal), 'info': item}, refusal)
            )
        return answers

    async def _try_others(self, stock: Stock, orders: dict[int, Params], params: Params) -> dict[int, Answer]:
        """The orders of other markets by ccxt's own method, each answer in the place of its order."""
        try:
            placed = await take(stock(list(orders.values()), params))
            return {index: (order, None) for index, order in zip(orders, placed, strict=True)}
        except BaseError as error:
            return {
                index: (
                    self.safe_order({**{name: order.get(name) for name in TERMS}, **failed(error)}),
                    error,
                )
                for index, order in orders.items()
            }

    @contextmanager
    def _order_errand(self, underlying_id: str | None, marks: dict[str, int]) -> Iterator[None]:
        """Orders on their way, which a mass cancel of their underlying stops if it came after they were asked for."""
        if underlying_id is None:
            with on_errand(Errand()):
                yield
            return
        fence, mark = self._mmp_fence(underlying_id), marks.get(underlying_id, 0)
        has_departed = False

        def depart() -> None:
            nonlocal has_departed
            has_departed = fence.depart(mark)
            if not has_departed:
                raise MassCancelLocked(
                    f'{self.id} createOrder() was not sent: a mass cancel of {underlying_id} came after it'
                )

        if not self.enableRateLimit:  # nothing queues
            depart()
        try:
            with on_errand(Errand(before_sending=depart)):
                yield
        finally:
            if has_departed:
                fence.arrive()

    def _fence_marks(self) -> dict[str, int]:
        """When orders are asked for, in terms of each fence; of one that is not there yet it is 0."""
        fences: dict[str, Fence] = self.__dict__.get('_mmp_fences', {})
        return {underlying_id: fence.mark() for underlying_id, fence in list(fences.items())}

    def _underlying_of(self, symbol: str) -> str:
        return str(self._resolve_underlying('createOrder', self.market(symbol)['id']))

    async def _load_markets(self) -> None:
        if not self.markets:
            await take(self.load_markets())

    # --- answers

    def _accepted(self, request: Params, item: Params) -> Order:
        """An accepted order; what a thin answer leaves out is filled in from the request."""
        said = {name: value for name, value in item.items() if value is not None and value != ''}
        order: Order = self.parse_order({**self._as_order(request), **said})
        order['info'] = item
        if order['status'] is None:
            order['status'] = 'open'
        if self._filled_field not in item:
            order.update(UNKNOWN_FILL)
        return order

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

    def _rows(self, method: str, response: object) -> list[Params]:
        if not isinstance(response, list) or not all(isinstance(row, dict) for row in response):
            raise BadResponse(f'{self.id} {method}() received an answer that is no list of objects: {shown(response)}')
        return response

    def _answered_rows(self, requests: Sequence[Params], response: object, id_field: str) -> list[Params]:
        """An answer to a batch, if it has an item for each request, in their order."""
        items = self._rows('createOrders', response)
        theirs = [(request.get(id_field), item.get(id_field)) for request, item in zip(requests, items, strict=False)]
        if len(items) != len(requests) or any(received and sent != received for sent, received in theirs):
            raise BadResponse(f'{self.id} createOrders() received an answer to other orders: {shown(response)}')
        return items

    # --- open orders

    async def _fetch_open_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        flag = params.get('mmp')
        if flag is not None and flag is not True and flag is not False:
            raise BadRequest(f'{self.id} fetchOpenOrders() mmp must be True, False or None, received {shown(flag)}')
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        if not flag:
            listed: list[Order] = await take(stock(symbol, since, limit, rest))
            return listed
        orders: list[Order] = await self._fetch_open_mmp_orders(stock, symbol, since, limit, rest)
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


def _is_refusal(error: BaseError) -> bool:
    """Whether what was asked for did not happen, for certain."""
    return isinstance(error, REFUSED) or not isinstance(error, OperationFailed)


def failed(error: BaseError) -> Order:
    return {
        'status': 'rejected' if _is_refusal(error) else None,
        'info': {'error': f'{type(error).__name__}: {error}'},
    }


def if_any_succeeded(answers: Sequence[Answer]) -> list[Order]:
    """The orders, unless nothing succeeded: then a failure that leaves it open, or else the first."""
    failures = [error for _, error in answers if error is not None]
    if len(failures) == len(answers):
        raise next((error for error in failures if not _is_refusal(error)), failures[0])
    return [order for order, _ in answers]


def chunked(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
