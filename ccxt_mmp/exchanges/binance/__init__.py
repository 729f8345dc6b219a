"""Binance European options: MMP per underlying.

https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Market-Maker-Protection-Config
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from ccxt.base.errors import (
    ArgumentsRequired,
    BadRequest,
    BadResponse,
    BadSymbol,
    BaseError,
    DuplicateOrderId,
    InvalidOrder,
    NotSupported,
    OperationFailed,
    OperationRejected,
    OrderNotFillable,
    OrderNotFound,
    PermissionDenied,
    RateLimitExceeded,
    RequestTimeout,
)

from ccxt_mmp.core.awaiting import await_result, gather, succeeded
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.freezes import Freeze
from ccxt_mmp.core.kill_switch import CONCURRENCY, TIMEOUT, KillSwitch, Outcome, Progress, all_of
from ccxt_mmp.core.listing import Order, Stock
from ccxt_mmp.core.numbers import exact_decimal, is_integer, plain
from ccxt_mmp.core.orders import Answer, MmpOrders, chunked, failed, if_any_succeeded
from ccxt_mmp.core.request_context import RequestContext, current_request
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.errors import MmpFrozen, MmpNotEnabled
from ccxt_mmp.types import MassCancel, MmpState, Number, Params, Scope

OPTION = r'-[0-9]{6}-[0-9]+(?:\.[0-9]+)?-[CP]'
OWN_ID = re.compile(r'(?P<base>[A-Z0-9]+)USDT')
OPTION_ID = re.compile(rf'(?P<base>[A-Z0-9]+){OPTION}')
UNIFIED = re.compile(rf'(?P<base>[A-Z0-9]+)/USDT(?::USDT(?:{OPTION})?)?')

OPTIONS_API = re.compile(r'/eapi/v[0-9]+/(?P<path>[^?]*)')
DEMO_API = 'https://demo-fapi.binance.com/eapi/v1'  # documented since 2026-06

USED_WEIGHT = 'X-MBX-USED-WEIGHT-1M'
LIST_WEIGHT, BATCH_WEIGHT = 40, 5  # of openOrders without a symbol and of a batch; a single cancellation is 1
WEIGHT_LIMIT = 2400  # a minute, of the address
MINUTE = 60_000  # ms
MAX_BATCH = 10
MAX_ROWS = 1000  # of finished orders
MIN_COUNTDOWN = 5000  # ms


class _NoMmpRule(OperationRejected):
    """-6006 to a question is an answer: no rule is set."""


class BinanceMmp(MmpOrders, KillSwitch, Mmp):
    """The Binance side of the MMP methods, for any flavour of ``ccxt.binance``."""

    _mmp_endpoints: ClassVar[dict[str, str]] = {
        'POST mmpSet': 'eapiPrivatePostMmpSet',
        'POST mmpReset': 'eapiPrivatePostMmpReset',
        'GET mmp': 'eapiPrivateGetMmp',
        'GET openOrders': 'eapiPrivateGetOpenOrders',
        'DELETE order': 'eapiPrivateDeleteOrder',
        'DELETE batchOrders': 'eapiPrivateDeleteBatchOrders',
        'DELETE allOpenOrdersByUnderlying': 'eapiPrivateDeleteAllOpenOrdersByUnderlying',
        'POST countdownCancelAll': 'eapiPrivatePostCountdownCancelAll',
    }
    _time_endpoint = 'GET time'
    _rule_endpoint = 'GET mmp'
    _order_paths = ('order', 'batchOrders')
    _mass_cancel_flag = 'includeNonMmp'
    _mass_cancel_fields = ('recvWindow',)
    _mmp_access = (
        'Binance gives it to market makers of its options (apply to its options market maker program or ask your key '
        'account manager), and the API key needs the permission to trade options'
    )
    _max_batch = MAX_BATCH
    _batch_params = ('recvWindow',)
    _order_id_field = 'orderId'
    _client_id_field = 'clientOrderId'
    _filled_field = 'executedQty'
    _refusal_field = 'code'
    _own_flag_names = ('isMmp',)
    _own_flag_names_of_lists = ()
    _has_flag_over_websocket = False
    _loads_options = False
    _own_order_types = ()
    _underlying_field = 'underlying'
    _accepted_underlyings = (
        "'BTC/USDT', 'BTC/USDT:USDT', an option's symbol, the exchange's 'BTCUSDT' or an option's id"
    )

    def _describe_mmp(self) -> dict[str, Any]:
        return {
            'has': {
                'setMmp': True,
                'resetMmp': True,
                'fetchMmp': True,
                'fetchMmps': 'emulated',
                'massCancelMmp': 'emulated',
                'warmUp': True,
            },
            'urls': {
                'demo': {
                    'eapiPublic': DEMO_API,
                    'eapiPrivate': DEMO_API,
                },
            },
            'options': {
                'massCancelMmp': {
                    'timeout': TIMEOUT,
                    'concurrency': CONCURRENCY,
                    'weightLimit': WEIGHT_LIMIT,
                },
                'mmpRateLimits': {},  # one limit for the address, shared with everything: no request waits for it
                'mmpLimits': {
                    'orders': {
                        'window': {'field': 'windowTimeInMilliseconds', 'integer': True, 'min': 1, 'max': 5000},
                        'frozenTime': {'field': 'frozenTimeInMilliseconds', 'integer': True, 'min': 0},
                        'qtyLimit': {'field': 'qtyLimit', 'integer': False, 'above': 0},
                        'deltaLimit': {'field': 'deltaLimit', 'integer': False, 'above': 0},
                        'vegaLimit': None,
                        'countLimit': None,
                        'maxQuoteQuantity': None,
                        'lockInterval': None,
                    },
                },
            },
            'exceptions': {
                'option': {
                    'exact': {
                        '-1003': RateLimitExceeded,  # Too many requests.
                        '-1006': OperationFailed,  # ... Execution status unknown.
                        '-1007': RequestTimeout,  # ... Send status unknown; execution status unknown.
                        '-2011': OrderNotFound,  # Unknown order sent.
                        '-5002': PermissionDenied,  # Option user not access
                        '-6001': BadRequest,  # Invalid mmp window time limit
                        '-6002': BadRequest,  # Invalid mmp frozen time limit
                        '-6003': BadSymbol,  # Invalid underlying
                        '-6004': BadSymbol,  # Underlying not found
                        '-6005': MmpNotEnabled,  # It is not market maker
                        '-6006': OperationRejected,  # Mmp rules are not existing
                        '-6007': OperationFailed,  # Mmp unknown error
                        '-6009': BadRequest,  # countdownTime must be no less than 5000 or equal to 0
                        '-6011': BadRequest,  # Maximum 10 orders in one batchOrder request.
                        '-6028': OrderNotFound,  # Order is in final state
                        '-6029': BadRequest,  # %s is required
                        '-6040': BadRequest,  # Invalid qtyLimit or deltaLimit.
                        '-6044': DuplicateOrderId,  # clientOrderId is duplicated
                        '-6047': OrderNotFillable,  # ... the Post Only order will be rejected.
                        '-6058': MmpFrozen,  # MMP triggered. Please reset MMP config
                        '-6063': OperationRejected,  # Cancel rejected by system
                    },
                },
            },
        }

    # --- the methods

    async def _set_mmp(
        self,
        underlying: str | None,
        window: Number | None,
        frozenTime: Number | None,
        qtyLimit: Number | None,
        deltaLimit: Number | None,
        params: Params,
    ) -> MmpState:
        scope, params = self._mmp_scope('setMmp', params)
        underlying_id, params = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            underlying_id,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        asked = self._resets_so_far()
        with self._explaining(scope, underlying_id):
            response = await self._mmp_request('POST mmpSet', {'underlying': underlying_id, **rule})
        #
        #     {"underlyingId":2,"underlying":"BTCUSDT","windowTimeInMilliseconds":3000,
        #      "frozenTimeInMilliseconds":300000,"qtyLimit":"2","deltaLimit":"2.3","lastTriggerTime":0}
        #
        return self._remember(self._parse_mmp_state('setMmp', scope, underlying_id, response), asked)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('resetMmp', params)
        underlying_id, params = self._mmp_underlying('resetMmp', scope, underlying, params)
        with self._explaining(scope, underlying_id):
            response = await self._mmp_request('POST mmpReset', {'underlying': underlying_id, **self._sent(params)})
        #
        # as in _set_mmp
        #
        state = self._parse_mmp_state('resetMmp', scope, underlying_id, response)
        freeze = self._freeze(scope, underlying_id)
        freeze.reset()
        triggered = self._safe_integer(response, 'lastTriggerTime')
        if triggered is not None:
            freeze.triggered_at_reset = triggered
        return {**state, 'frozen': False, 'frozenUntil': None}

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        underlying_id, params = self._mmp_underlying('fetchMmp', scope, underlying, params)
        return await self._fetch_rule(scope, underlying_id, params)

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        names, params = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        if not names:
            raise ArgumentsRequired(f'{self.id} fetchMmps() requires underlyings: {self._accepted_underlyings}')
        await self._adjust_clock()  # once, not once for each
        states = await gather(
            self.synchronous, [partial(self._fetch_rule, scope, each, params) for each in dict.fromkeys(names.values())]
        )
        return self._by_name(names, succeeded(states))

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        scope, params = self._mmp_scope('massCancelMmp', params)
        named, params = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        params, underlying_id = self._mass_cancel_params(params), str(named)
        include_non_mmp, params = self._flag_option('massCancelMmp', 'includeNonMmp', params)
        rest = self._sent(params)
        if not include_non_mmp:
            self._weight_limit()  # one that is none is refused before anything is sent
        with self._mass_cancel(underlying_id, params) as progress:
            if not include_non_mmp:
                return await self._cancel_listed(underlying_id, rest, progress)
            response = await self._only_request(
                'DELETE allOpenOrdersByUnderlying', {'underlying': underlying_id, **rest}, underlying_id, progress
            )
        #
        #     {"code":0,"msg":"success"}
        #
        return self._mass_cancelled(underlying_id, response, None)

    def _confirm_cancelled(self, answer: Any) -> None:
        if not isinstance(answer, dict) or str(answer.get('code')) != '0':
            raise BadResponse(f'{self.id} massCancelMmp() received an answer that is no success: {shown(answer)}')

    def _until_room(self, endpoint: str) -> float:
        limit = self._mmp_rate_limit(endpoint)
        # the weight of the address is counted by the minutes of the exchange's clock
        return MINUTE - self.nonce() % MINUTE if limit is None else limit[1]

    async def _load_time_difference(self, **about: Any) -> None:
        # ccxt would ask the spot API, which is another host
        with RequestContext(self, self._time_endpoint, **about):
            response = await await_result(self.eapiPublicGetTime())
        server_time = self._safe_integer(response, 'serverTime') if isinstance(response, dict) else None
        if server_time is None:
            raise BadResponse(f'{self.id} received an answer without a serverTime: {shown(response)}')
        self.options['timeDifference'] = self.milliseconds() - server_time
        self._mmp_clock_adjusted = True

    # --- a mass cancel that takes several requests

    async def _list_open_orders(self, underlying_id: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        response = await self._urgent_request('GET openOrders', params, progress)
        #
        #     [{"orderId":4611875134427365000,"symbol":"BTC-200730-9000-C","quoteAsset":"USDT","mmp":false,...}]
        #
        rows += self._rows('massCancelMmp', response)

    def _is_to_cancel(self, row: Params, underlying_id: str) -> bool | None:
        """Whether a listed order is an MMP order of the underlying; None if it does not say.

        A base or a quote that is certainly another one tells enough, whatever else is missing.
        """
        option = OPTION_ID.fullmatch(str(row.get('symbol')))
        quote = self.safe_string(row, 'quoteAsset')
        return all_of(
            None if option is None else underlying_id.startswith(option['base']),
            None if quote is None else underlying_id.endswith(quote),
            None if option is None or quote is None else option['base'] + quote == underlying_id,
            self.safe_bool(row, 'mmp'),
        )

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        """By contract: in batches, or one by one where that is cheaper and the weight of the batches is not left."""
        by_contract: dict[str, list[tuple[str, Params]]] = {}
        for order_id, row in resting.items():
            by_contract.setdefault(row['symbol'], []).append((order_id, row))
        batches = [batch for orders in by_contract.values() for batch in chunked(orders, MAX_BATCH)]
        weight = sum(BATCH_WEIGHT if len(batch) > 1 else 1 for batch in batches)
        if weight > self._weight_limit() - self.__dict__.get('_mmp_used_weight', 0) - LIST_WEIGHT:
            batches = [
                part for batch in batches for part in (chunked(batch, 1) if len(batch) < BATCH_WEIGHT else [batch])
            ]
        return [dict(batch) for batch in batches]

    def _weight_limit(self) -> int:
        return self._natural('weightLimit', self._mmp_option('massCancelMmp', 'weightLimit', WEIGHT_LIMIT, {})[0])

    async def _cancel_chunk(
        self, chunk: dict[str, Params], underlying_id: str, params: Params, progress: Progress
    ) -> Outcome:
        [*ids] = chunk
        request = {'symbol': chunk[ids[0]]['symbol']}
        if 'recvWindow' in params:
            request['recvWindow'] = params['recvWindow']
        if len(ids) == 1:
            try:
                rows = [await self._urgent_request('DELETE order', {**request, 'orderId': ids[0]}, progress)]
            except OrderNotFound:
                return Outcome(gone={*ids})
        else:
            request['orderIds'] = encoded_json(order_ids(ids))
            rows = self._rows('massCancelMmp', await self._urgent_request('DELETE batchOrders', request, progress))
        #
        #     [{"orderId":4611875134427365377,"symbol":"BTC-200730-9000-C","status":"CANCELED","mmp":true,...},
        #      {"code":-2011,"msg":"Unknown order sent."}]
        #
        cancelled: dict[str, Params] = {}
        refused: list[BaseError] = []
        for row in rows:
            refusal = self._refusal(row) if isinstance(row, dict) else BadResponse(f'{self.id} {shown(row)}')
            order_id = self.safe_string(row, 'orderId') if refusal is None else None
            if refusal is not None:
                refused.append(refusal)
            elif order_id in chunk and self.parse_order_status(self.safe_string(row, 'status')) == 'canceled':
                cancelled[str(order_id)] = self._cancelled_order(row, request['symbol'], underlying_id)
        return self._outcome(chunk, cancelled, refused)

    # --- orders

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
                underlying_id = self._listed_underlying(option_id) or self._parse_underlying(option_id)
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

    def _refusal(self, item: Params) -> BaseError | None:
        code = self.safe_string(item, 'code')
        return None if code is None else self._matched_error(code, item, self.exceptions['option']['exact'])

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

    async def _edit_option_order(self, stock: Stock, method: str, *arguments: Any) -> Any:
        raise NotSupported(f'{self.id} {method}() has no edits of options: cancel the order and create another one')

    @staticmethod
    def _sent(params: Params) -> Params:
        # of ccxt, for other APIs
        return {name: value for name, value in Mmp._sent(params).items() if name not in ('papi', 'portfolioMargin')}

    async def _cancel_orders(self, stock: Stock, ids: Sequence[str], symbol: str | None, params: Params) -> list[Order]:
        await self._load_markets()
        if symbol is None or not self.market(symbol)['option']:
            return await super()._cancel_orders(stock, ids, symbol, params)
        market = self.market(symbol)
        client_order_ids = params.get('clientOrderIds')
        name, given = ('orderIds', ids) if client_order_ids is None else ('clientOrderIds', client_order_ids)
        if isinstance(given, str):
            raise BadRequest(f'{self.id} cancelOrders() takes a list of ids, received {shown(given)}')
        if not given:
            raise ArgumentsRequired(f'{self.id} cancelOrders() requires ids')
        rest = self._sent(self.omit(params, ['clientOrderIds', 'orderIds']))
        tried = await gather(
            self.synchronous,
            [partial(self._try_cancellation, market, name, batch, rest) for batch in chunked(list(given), MAX_BATCH)],
        )
        return if_any_succeeded([answer for answers in succeeded(tried) for answer in answers])

    async def _try_cancellation(self, market: Params, name: str, ids: Sequence[str], params: Params) -> list[Answer]:
        id_field = name.removesuffix('s')
        named = order_ids(ids) if id_field == 'orderId' else [str(each) for each in ids]
        request = {'symbol': market['id'], name: encoded_json(named), **params}
        by_id: dict[str | None, Params] = {}
        failure: Exception | None = None
        try:
            with RequestContext(self, has_items=True, is_repeatable=True):
                response = await await_result(self.eapiPrivateDeleteBatchOrders(request))
            for row in self._rows('cancelOrders', response):
                refusal = self._refusal(row) if isinstance(row, dict) else BadResponse(f'{self.id} {shown(row)}')
                failure = failure or refusal
                if refusal is None:
                    by_id[self.safe_string(row, id_field)] = row
        except Exception as error:  # noqa: BLE001 - whatever it is, the other batches have their answers
            failure = error
        failure = failure or BadResponse(f'{self.id} cancelOrders() was not told about each of {list(ids)}')
        answers: list[Answer] = []
        for each in map(str, ids):
            reason = failure
            if each in by_id:
                try:
                    answers.append((self.parse_order(by_id[each], market), None))
                    continue
                except Exception as error:  # noqa: BLE001 - one that cannot be read is no reason to lose the others
                    reason = BadResponse(
                        f'{self.id} cancelOrders() received an order that cannot be read: {described(error)}'
                    )
            unknown = {'symbol': market['symbol'], 'id' if id_field == 'orderId' else 'clientOrderId': each}
            answers.append((self.safe_order({**unknown, **failed(reason), 'status': None}, market), reason))
        return answers

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        underlying = params.get('underlying')
        if underlying is None:
            return await super()._cancel_all_orders_after(stock, timeout, params)
        milliseconds = exact_decimal(timeout)
        if milliseconds is None or not is_integer(milliseconds) or milliseconds < 0 or 0 < milliseconds < MIN_COUNTDOWN:
            raise BadRequest(
                f'{self.id} cancelAllOrdersAfter() timeout must be 0, which disarms, or at least {MIN_COUNTDOWN} ms, '
                f'received {shown(timeout)}'
            )
        underlying_id = self._resolve_underlying('cancelAllOrdersAfter', underlying)
        request = {**self._sent(params), 'underlying': underlying_id, 'countdownTime': plain(milliseconds)}
        response = await self._mmp_request('POST countdownCancelAll', request)
        #
        #     {"underlying":"ETHUSDT","countdownTime":30000}
        #
        if not isinstance(response, dict) or str(response.get('countdownTime')) != request['countdownTime']:
            raise BadResponse(f'{self.id} cancelAllOrdersAfter() received another countdown: {shown(response)}')
        return response

    @classmethod
    def rawencode(cls, params: Params = {}, *arguments: Any, **keywords: Any) -> str:
        # ccxt adds the field of the futures API to every path of that name, and this API refuses what it does not read
        sent = {name: params[name] for name in params if name != 'batchOrders'} if 'orders' in params else params
        encoded: str = super().rawencode(sent, *arguments, **keywords)
        return encoded

    def safe_order(self, order: Params, market: Any = None) -> Order:
        info = order.get('info') if isinstance(order, dict) else None
        parsed: Order = super().safe_order(order, market)
        parsed['mmp'] = self._flag_told(info)
        if self._is_option(market) is False:
            parsed['mmp'] = False
        return parsed

    # --- underlyings

    @staticmethod
    @lru_cache
    def _parse_underlying(text: str) -> str | None:
        for form in (OWN_ID, UNIFIED, OPTION_ID):
            parts = form.fullmatch(text)
            if parts:
                return f'{parts["base"]}USDT'
        return None

    @staticmethod
    @lru_cache
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        return None if own is None else f'{own["base"]}/USDT:USDT'

    # --- answers

    async def _fetch_rule(self, scope: Scope, underlying_id: str | None, params: Params) -> MmpState:
        asked = self._resets_so_far()
        try:
            with self._explaining(scope, underlying_id):
                response = await self._mmp_request(
                    'GET mmp', {'underlying': underlying_id, **self._sent(params)}, is_repeatable=True
                )
            #
            # as in _set_mmp
            #
        except _NoMmpRule:
            return self._no_mmp_rule(scope, underlying_id)
        return self._remember(self._parse_mmp_state('fetchMmp', scope, underlying_id, response), asked)

    def _parse_mmp_state(self, method: str, scope: Scope, underlying_id: str | None, response: object) -> MmpState:
        entry, window = self._mmp_entry(method, response, underlying_id, 'windowTimeInMilliseconds')
        frozen_time = self._safe_integer(entry, 'frozenTimeInMilliseconds')
        triggered = self._safe_integer(entry, 'lastTriggerTime')
        frozen, frozen_until = self._derive_freeze(triggered, frozen_time, self._freeze(scope, underlying_id))
        return {
            **self._unknown_mmp_state(entry, scope, underlying_id),
            'enabled': window > 0,
            'window': window,
            'frozenTime': frozen_time,
            'qtyLimit': self._safe_number(entry, 'qtyLimit'),
            'qtyLimitBase': self._qty_limit_base(entry, 'qtyLimit', underlying_id),
            'deltaLimit': self._safe_number(entry, 'deltaLimit'),
            'frozen': frozen,
            'frozenUntil': frozen_until,
            'lastTriggerTimestamp': triggered or None,
        }

    def _derive_freeze(
        self, triggered: int | None, frozen_time: int | None, freeze: Freeze
    ) -> tuple[bool | None, int | None]:
        """Whether MMP is frozen, and until when. Binance does not say: the last trigger and the frozen time tell.

        They cannot tell after a trigger that freezes until a reset, as a reset elsewhere does not show in them for
        certain: whether it clears lastTriggerTime is not documented. An MmpFrozen that this object had since its last
        reset tells then, and where it came after the freeze that they tell of: until its own frozen time is over.
        """
        refused_at = freeze.refused_at
        until = None
        if triggered is not None and triggered > freeze.triggered_at_reset and frozen_time:
            until = triggered + frozen_time
        now = self.nonce()
        if (
            refused_at is not None
            and (until is None or until <= refused_at)
            and (not frozen_time or now < refused_at + frozen_time)
        ):
            return True, None
        if triggered is None:
            return None, None
        if triggered <= freeze.triggered_at_reset:
            return False, None
        if until is None:
            return None, None
        return (True, until) if now < until else (False, None)

    def _note_used_weight(self, headers: Any) -> None:
        for name, value in (headers or {}).items():
            if name.upper() == USED_WEIGHT and str(value).isdigit():
                self._mmp_used_weight = int(value)

    def get_exceptions_by_url(self, url: str | None, exactOrBroad: str) -> Any:
        # ccxt knows the options API by its public host alone
        if options_path(url or ''):
            return self.exceptions['option'].get(exactOrBroad, {})
        return super().get_exceptions_by_url(url, exactOrBroad)

    def handle_errors(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        requestHeaders: Any,
        requestBody: Any,
    ) -> Any:
        path = options_path(url)
        if path:
            self._note_used_weight(headers)
        context = current_request(self)
        if path and isinstance(response, list) and context is not None and (context.has_items or context.endpoint):
            return None  # each item says for itself; ccxt would raise what a single one says
        if path == 'mmp' and self.safe_string(response, 'code') == '-6006':
            raise _NoMmpRule(f'{self.id} {body}')
        return super().handle_errors(code, reason, url, method, headers, body, response, requestHeaders, requestBody)


def options_path(url: str) -> str | None:
    """The path of the options API that a URL has; a proxyUrl prefixes the whole URL and percent-encodes it."""
    found = OPTIONS_API.search(unquote(url) if '%' in url else url)
    return found['path'] if found else None


def encoded_json(value: object) -> str:
    """JSON, percent-encoded: only so do all transports send what was signed."""
    return quote(json.dumps(value, separators=(',', ':')), safe='')


def order_ids(ids: Sequence[object]) -> list[object]:
    """Numbers, as documented."""
    return [int(each) if each.isascii() and each.isdecimal() else each for each in map(str, ids)]
