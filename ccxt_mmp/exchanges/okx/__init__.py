"""OKX: order-book MMP per instrument family of options, and block-trading (RFQ) MMP, one per account.

https://www.okx.com/docs-v5/en/#trading-account-rest-api-set-mmp
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar
from urllib.parse import unquote

from ccxt.base.errors import (
    BadRequest,
    BadResponse,
    BadSymbol,
    BaseError,
    ExchangeError,
    ExchangeNotAvailable,
    InvalidOrder,
    NotSupported,
    NullResponse,
    OperationFailed,
    PermissionDenied,
    RateLimitExceeded,
)

from ccxt_mmp.core.awaiting import await_result, gather, succeeded
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.contract_sizes import listed_size
from ccxt_mmp.core.fence import Mark
from ccxt_mmp.core.kill_switch import CONCURRENCY, TIMEOUT, KillSwitch, Outcome, Progress, all_of
from ccxt_mmp.core.listing import Order, Stock, last_id
from ccxt_mmp.core.numbers import exact_decimal
from ccxt_mmp.core.order_flag import FLAGGED_TYPES, plain_name
from ccxt_mmp.core.orders import UNKNOWN_FILL, MmpOrders, chunked
from ccxt_mmp.core.request_context import RequestContext, current_request
from ccxt_mmp.core.text import shown
from ccxt_mmp.errors import MassCancelLocked, MmpFrozen, MmpNotEnabled
from ccxt_mmp.types import MassCancel, MmpState, Number, Params, Scope

OPTION = r'-[0-9]{6}-[0-9]+(?:\.[0-9]+)?-[CP]'
OWN_ID = re.compile(rf'(?P<base>[A-Z0-9]+)-USD(?P<usd_margined>_UM)?(?:{OPTION})?')
UNIFIED = re.compile(rf'(?P<base>[A-Z0-9]+)/USD(?::(?P<settle>[A-Z0-9]+)(?:{OPTION})?)?')

SHARED_RATE_LIMIT = (60, 2000)  # calls and ms, of an endpoint that has none of its own here

MMP_PATHS = ('account/mmp-config', 'account/mmp-reset', 'rfq/mmp-config', 'rfq/mmp-reset', 'trade/mass-cancel')
PATHS_WITH_RESULT = ('account/mmp-reset', 'trade/mass-cancel')

# mmpFrozenUntil is documented as remaining ms and was documented as a timestamp: its magnitude tells
EPOCH_FROM = 10**11


MMP_ORDER_TYPES = {'mmp': False, 'mmp_and_post_only': True}  # ordType, and whether it is post-only
CANCELED_STATES = ('canceled', 'mmp_canceled')  # of which a list has one
FLAGGED = {'limit': 'mmp', 'post_only': 'mmp_and_post_only'}

MAX_BATCH = 20
MAX_ROWS = 100


class OkxMmp(MmpOrders, KillSwitch, Mmp):
    """The OKX side of the MMP methods, for any flavour of ``ccxt.okx``."""

    _mmp_endpoints: ClassVar[dict[str, str]] = {
        'POST account/mmp-config': 'privatePostAccountMmpConfig',
        'GET account/mmp-config': 'privateGetAccountMmpConfig',
        'POST account/mmp-reset': 'privatePostAccountMmpReset',
        'POST rfq/mmp-config': 'privatePostRfqMmpConfig',
        'GET rfq/mmp-config': 'privateGetRfqMmpConfig',
        'POST rfq/mmp-reset': 'privatePostRfqMmpReset',
        'POST trade/mass-cancel': 'privatePostTradeMassCancel',
        'GET trade/orders-pending': 'privateGetTradeOrdersPending',
        'POST trade/cancel-batch-orders': 'privatePostTradeCancelBatchOrders',
    }
    _time_endpoint = 'GET public/time'
    _rule_endpoint = 'GET account/mmp-config'
    _order_paths = ('trade/order', 'trade/batch-orders', 'trade/amend-order', 'trade/amend-batch-orders')
    _mass_cancel_flag = 'emulate'
    _mmp_access = (
        'OKX gives it on request (institutional@okx.com or your business development manager) to accounts in portfolio '
        'margin mode'
    )
    _max_batch = MAX_BATCH
    _batch_params = ()
    _order_id_field = 'ordId'
    _client_id_field = 'clOrdId'
    _filled_field = 'accFillSz'
    _refusal_field = 'sCode'
    _own_flag_names = ('ordType',)
    _own_flag_names_of_lists = ('ordType',)
    _has_flag_over_websocket = True
    _loads_options = True
    _own_order_types = (*MMP_ORDER_TYPES, 'post_only')
    _underlying_field = 'instFamily'
    _accepted_underlyings = "'BTC/USD', 'BTC/USD:USD', an option's symbol, an instrument family or an option's id"

    def _describe_mmp(self) -> dict[str, Any]:
        return {
            'has': {
                'setMmp': True,
                'resetMmp': True,
                'fetchMmp': True,
                'fetchMmps': True,
                'massCancelMmp': True,
                'warmUp': True,
            },
            'options': {
                'massCancelMmp': {
                    'timeout': TIMEOUT,
                    'concurrency': CONCURRENCY,
                },
                # calls in ms, as documented; orders, not requests, of cancel-batch-orders
                'mmpRateLimits': {
                    'POST account/mmp-config': [2, 10000],
                    'GET account/mmp-config': [5, 2000],
                    'POST account/mmp-reset': [5, 2000],
                    'POST rfq/mmp-config': [1, 10000],
                    'GET rfq/mmp-config': [5, 2000],
                    'POST rfq/mmp-reset': [5, 2000],
                    'POST trade/mass-cancel': [5, 2000],
                    'GET trade/orders-pending': [60, 2000],
                    'POST trade/cancel-batch-orders': [300, 2000],
                    'GET public/time': [10, 2000],
                },
                # coins, by instrument family; those of loaded markets come first
                'mmpContractSizes': {
                    'BTC-USD': '0.01',
                    'ETH-USD': '0.1',
                },
                'mmpLimits': {
                    'orders': {
                        'window': {'field': 'timeInterval', 'integer': True, 'min': 0},
                        'frozenTime': {'field': 'frozenInterval', 'integer': True, 'min': 0},
                        'qtyLimit': {'field': 'qtyLimit', 'integer': False, 'above': 0},
                        'deltaLimit': None,
                        'vegaLimit': None,
                        'countLimit': None,
                        'maxQuoteQuantity': None,
                        'lockInterval': {'field': 'lockInterval', 'integer': True, 'min': 0, 'max': 10000},
                    },
                    'rfq': {
                        'window': {'field': 'timeInterval', 'integer': True, 'min': 0, 'max': 600000},
                        'frozenTime': {'field': 'frozenInterval', 'integer': True, 'min': 0},
                        'qtyLimit': None,
                        'deltaLimit': None,
                        'vegaLimit': None,
                        'maxQuoteQuantity': None,
                        'countLimit': {'field': 'countLimit', 'integer': True, 'min': 1},
                        'lockInterval': None,
                    },
                },
            },
            'exceptions': {
                'exact': {
                    '51034': MmpFrozen,  # Fill rate exceeds the limit that you've set. Please reset the market...
                    '51035': MmpNotEnabled,  # This account doesn't have permission to submit MM quote order.
                    '51036': InvalidOrder,  # Only options instrument of the PM account supports MMP orders.
                    '51042': InvalidOrder,  # Under the Portfolio margin account, users can only place market...
                    '51411': MmpNotEnabled,  # Account does not have permission for mass cancellation.
                    '54008': MassCancelLocked,  # This operation is disabled by the 'mass cancel order' endpoint...
                    '59509': MmpNotEnabled,  # Account does not have permission to reset MMP status
                    '70007': BadSymbol,  # Underlying index {instFamily} does not exist under instType {instType}.
                    '70008': MmpFrozen,  # Operation failed under MMP status.
                },
                # these mean something else, or nothing for certain, elsewhere
                'mmp': {
                    '2': OperationFailed,  # a part of the operation failed
                    '50030': PermissionDenied,  # You don't have permission to use this API endpoint
                    '50038': NotSupported,  # This feature is unavailable in demo trading
                },
                'massCancel': {
                    '54009': BadRequest,  # The range of {param0} should be [{param1}, {param2}].
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
        family, params = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            family,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        endpoint = 'POST rfq/mmp-config' if scope == 'rfq' else 'POST account/mmp-config'
        asked = self._resets_so_far()
        with self._explaining(scope, family):
            response = await self._mmp_request(endpoint, {**self._family(family), **rule})
        #
        #     {"code":"0","msg":"","data":[
        #         {"frozenInterval":"2000","instFamily":"BTC-USD","qtyLimit":"100","timeInterval":"5000"}
        #     ]}
        #
        state = self._parse_mmp_state('setMmp', scope, family, self._first_entry('setMmp', response))
        return self._remember(state, asked)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        nothing_named = underlying is None and params.get('instFamily') is None
        scope, params = self._mmp_scope('resetMmp', params, 'rfq' if nothing_named else 'orders')
        family, params = self._mmp_underlying('resetMmp', scope, underlying, params)
        request = {**self._family(family), **self._sent(params)}
        with self._explaining(scope, family):
            if scope == 'rfq':
                response = await self._mmp_request('POST rfq/mmp-reset', request)
                #
                #     {"code":"0","msg":"","data":[{"ts":"1597026383085"}]}
                #
            else:
                response = await self._mmp_request('POST account/mmp-reset', {'instType': 'OPTION', **request})
                #
                #     {"code":"0","msg":"","data":[{"result":true}]}
                #
        entry = self._first_entry('resetMmp', response)
        if scope == 'orders':
            self._raise_unless_done('resetMmp', entry)
        timestamp = self._safe_integer(entry, 'ts')
        if scope == 'rfq' and timestamp is None:
            raise BadResponse(f'{self.id} resetMmp() received an answer without a ts: {shown(entry)}')
        self._freeze(scope, family).reset()
        return {
            **self._unknown_mmp_state(entry, scope, family),
            'frozen': False,
            'timestamp': timestamp,
            'datetime': self.iso8601(timestamp),
        }

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        family, params = self._mmp_underlying('fetchMmp', scope, underlying, params)
        asked = self._resets_so_far()
        endpoint = 'GET rfq/mmp-config' if scope == 'rfq' else 'GET account/mmp-config'
        request = {**self._family(family), **self._sent(params)}
        with self._explaining(scope, family):
            response = await self._mmp_request(endpoint, request, is_repeatable=True)
        #
        #     {"code":"0","msg":"","data":[
        #         {"frozenInterval":"2000","instFamily":"ETH-USD","mmpFrozen":true,"mmpFrozenUntil":"1000",
        #          "qtyLimit":"10","timeInterval":"5000"}
        #     ]}
        #
        entries = self._entries('fetchMmp', response)
        if not entries:
            return self._no_mmp_rule(scope, family)
        state = self._parse_mmp_state('fetchMmp', scope, family, self._with_freeze('fetchMmp', entries[0]))
        return self._remember(state, asked)

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        if scope == 'rfq':
            raise NotSupported(f'{self.id} fetchMmps() has no underlyings in the scope rfq, use fetchMmp()')
        is_one = params.get('instFamily') is not None
        names, params = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        asked = self._resets_so_far()
        request = {**(self._family(next(iter(names.values()))) if is_one else {}), **self._sent(params)}
        response = await self._mmp_request('GET account/mmp-config', request, is_repeatable=True)
        listed = {self._family_of('fetchMmps', entry): entry for entry in self._entries('fetchMmps', response)}
        states = [
            self._remember(
                self._parse_mmp_state('fetchMmps', scope, family, self._with_freeze('fetchMmps', listed[family])), asked
            )
            if family in listed
            else self._no_mmp_rule(scope, family)
            for family in dict.fromkeys(names.values()) or listed
        ]
        return self._by_name(names, states)

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        scope, params = self._mmp_scope('massCancelMmp', params)
        family, params = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        params = self._mass_cancel_params(params)
        if family is None:
            raise NotSupported(f'{self.id} massCancelMmp() cancels orders, there is none in the scope rfq')
        lock, params = self._mmp_option('massCancelMmp', 'lockInterval', None, params)
        request = {'instType': 'OPTION', 'instFamily': family}
        locked = 0
        if lock is not None:
            limit = self._mmp_limits(scope)['lockInterval']
            request['lockInterval'] = self._mmp_number('massCancelMmp', 'lockInterval', limit, lock)
            locked = int(request['lockInterval'])
        emulate, params = self._flag_option('massCancelMmp', 'emulate', params)
        if emulate and lock is not None:
            raise NotSupported(f'{self.id} massCancelMmp() has no lockInterval where it is emulated')
        with self._mass_cancel(family, params) as progress:
            if emulate:
                return await self._cancel_listed(family, self._sent(params), progress)
            progress.lock = locked
            response = await self._only_request(
                'POST trade/mass-cancel', {**request, **self._sent(params)}, family, progress
            )
        #
        #     {"code":"0","msg":"","data":[{"result":true}]}
        #
        cancelled = self._mass_cancelled(family, response, None)
        if locked:
            cancelled['lockedUntil'] = progress.sent_at + locked
        return cancelled

    def _confirm_cancelled(self, answer: Any) -> None:
        self._raise_unless_done('massCancelMmp', self._first_entry('massCancelMmp', answer))

    def _raise_unless_done(self, method: str, entry: dict[str, Any]) -> None:
        if entry.get('result') is not True:
            raise OperationFailed(f'{self.id} {method}() was not done: {shown(entry)}')

    def _until_room(self, endpoint: str) -> float:
        _, milliseconds = self._mmp_rate_limit(endpoint) or SHARED_RATE_LIMIT
        return milliseconds

    def _says_no_such_underlying(self, error: Exception) -> bool:
        # which code names it is not documented; 51000 names the parameter [unverified]
        is_of_name = isinstance(error, BadRequest) and 'instFamily' in str(error)
        return is_of_name or super()._says_no_such_underlying(error)

    # --- a mass cancel that takes several requests

    async def _list_open_orders(self, family: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        request = {
            'instType': 'OPTION',
            'instFamily': family,
            'ordType': ','.join(MMP_ORDER_TYPES),
            'limit': str(MAX_ROWS),
            **params,
        }
        seen: set[str | None] = set()
        while True:
            response = await self._urgent_request('GET trade/orders-pending', request, progress)
            page = response.get('data') if isinstance(response, dict) else None
            if not isinstance(page, list):
                raise BadResponse(f'{self.id} massCancelMmp() received an answer without data: {shown(response)}')
            #
            #     {"code":"0","msg":"","data":[
            #         {"instId":"BTC-USD-260327-100000-C","ordId":"312269865356374016","ordType":"mmp",...}
            #     ]}
            #
            rows += page
            last = self.safe_string(page[-1], 'ordId') if page and isinstance(page[-1], dict) else None
            if len(page) < MAX_ROWS:
                return
            if not last or last in seen or progress.must_stop:
                raise BadResponse(f'{self.id} massCancelMmp() could not list all open orders, only {len(rows)}')
            seen.add(last)
            request['after'] = last

    def _is_to_cancel(self, row: Params, family: str) -> bool | None:
        """Whether a listed order is an MMP order of the family; None if it does not say."""
        option = OWN_ID.fullmatch(str(row.get('instId')))
        order_type = self.safe_string(row, 'ordType')
        return all_of(
            None if option is None else self._parse_underlying(option[0]) == family,
            None if order_type is None else order_type in MMP_ORDER_TYPES,
        )

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        return [dict(chunk) for chunk in chunked(list(resting.items()), MAX_BATCH)]

    async def _cancel_chunk(self, chunk: dict[str, Params], family: str, params: Params, progress: Progress) -> Outcome:
        request = [{'instId': row['instId'], 'ordId': order_id} for order_id, row in chunk.items()]
        response = await self._urgent_request('POST trade/cancel-batch-orders', request, progress, cost=len(request))
        #
        #     {"code":"2","msg":"","data":[
        #         {"clOrdId":"oktswap6","ordId":"12345689","sCode":"0","sMsg":""},
        #         {"clOrdId":"oktswap7","ordId":"12344","sCode":"51400","sMsg":"Cancellation failed as ..."}
        #     ]}
        #
        cancelled: dict[str, Params] = {}
        refused: list[BaseError] = []
        for item in self._entries('massCancelMmp', response):
            order_id, refusal = str(item.get('ordId')), self._refusal(item)
            if refusal is not None:
                refused.append(refusal)
            elif order_id in chunk:
                row = {**chunk[order_id], 'state': 'canceled'}
                order = self._cancelled_order(row, row['instId'], family)
                # it may have been filled in part since it was listed
                cancelled[order_id] = {**order, **UNKNOWN_FILL, 'info': item}
        return self._outcome(chunk, cancelled, refused)

    # --- orders

    def _mmp_underlyings_sent(self, path: str, params: Any) -> Iterator[str]:
        # an amendment does not say whether its order is an MMP order
        for order in params if isinstance(params, list) else [params]:
            if isinstance(order, dict) and order.get('ordType') in MMP_ORDER_TYPES:
                option_id = str(order.get('instId'))
                family = self._listed_underlying(option_id) or self._parse_underlying(option_id)
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

    def _refusal(self, item: Params) -> BaseError | None:
        code = self.safe_string(item, 'sCode')
        if code is None:
            return BadResponse(f'{self.id} received an answer about an order without an sCode: {shown(item)}')
        return None if code == '0' else self._matched_error(code, item, self.exceptions['exact'])

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
        request = params
        listed: list[Order] = []
        while True:
            # ccxt reads an answer without data, such as a page of HTML, as that there are none
            with RequestContext(self, is_repeatable=True, needs_data=True):
                page: list[Order] = await await_result(stock(symbol, None, None, request))
            listed += page
            is_enough = since is None and limit is not None and sum(order['mmp'] is True for order in listed) >= limit
            if len(page) < MAX_ROWS or is_enough:
                return listed
            last = last_id(page)
            if last is None or last == request.get('after'):
                raise BadResponse(f'{self.id} {method}() could not list all orders, only {len(listed)}')
            request = {**params, 'after': last}

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
        self._refuse_misnamed_flag('editOrder', params)
        if self._flag('editOrder', 'mmp', params.get('mmp'), InvalidOrder) is not None:
            raise NotSupported(f'{self.id} edit_order() alone makes sure of the flag of an order')
        rest = self.omit(params, 'mmp') if 'mmp' in params else params
        request: Params = super().edit_order_request(id, symbol, type, side, amount, price, rest)
        return request

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
        """An edit changes neither flag nor order type, and its answer tells of none: the order is read before."""
        symbol = market['symbol']
        ids = {name: params[name] for name in ('clientOrderId', 'clOrdId') if params.get(name) is not None}
        with RequestContext(self, is_repeatable=True, needs_data=True):
            before = await await_result(self.fetch_order(order_id, symbol, ids))
        self._require_same_flag(method, before, flag)
        if not flag:
            return await await_result(stock(order_id, symbol, type, side, amount, price, params))
        self._require_same_kind(method, before, type, side, params)
        attached = [name for name in params if name.startswith(('newSl', 'newTp', 'attachAlgo'))]
        if attached:
            raise self._no_mmp_order(symbol, 'unconditional', {name: params[name] for name in attached}, method)
        rest = self.omit(params, ['ordType', 'postOnly', 'timeInForce'])
        underlying_id = self._underlying_of(symbol, method)
        if method == 'editOrderWs':
            await await_result(self.authenticate())  # so that nothing is waited for between the fence and the sending
        with self._explaining('orders', underlying_id), self._order_context(underlying_id, marks) as context:
            if method == 'editOrderWs':
                self._pass_fence(context)
            answer = await self._told_over_websocket(stock(order_id, symbol, 'limit', side, amount, price, rest))
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

    def _edited(self, method: str, answer: Any, before: Order, amount: Any, price: Any) -> Any:
        """The order as it was, with what was asked for and what the answer says; how much is filled is not known."""
        #
        #     {"code":"0","msg":"","data":[
        #         {"clOrdId":"","ordId":"12344","ts":"1695190491421","reqId":"b12344","sCode":"0","sMsg":""}
        #     ]}
        #
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

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        milliseconds = exact_decimal(timeout)
        if milliseconds is None or (milliseconds < 1000 and milliseconds != 0):
            raise BadRequest(
                f'{self.id} cancelAllOrdersAfter() timeout must be 0 or at least 1000 ms: {shown(timeout)} would be '
                'sent as 0 seconds, which disarms the timer'
            )
        with RequestContext(self, is_repeatable=True):
            return await super()._cancel_all_orders_after(stock, int(milliseconds), params)

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
        parsed['mmp'] = self._flag_told(info)
        if self._is_option(market) is False:
            parsed['mmp'] = False
        return parsed

    # --- underlyings

    @staticmethod
    @lru_cache
    def _parse_underlying(text: str) -> str | None:
        own = OWN_ID.fullmatch(text)
        if own:
            return f'{own["base"]}-USD{own["usd_margined"] or ""}'
        unified = UNIFIED.fullmatch(text)
        if unified is None:
            return None
        families = {None: '', unified['base']: '', 'USD': '_UM'}
        suffix = families.get(unified['settle'])
        return None if suffix is None else f'{unified["base"]}-USD{suffix}'

    @staticmethod
    @lru_cache
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        if own is None:
            return None
        return f'{own["base"]}/USD:{"USD" if own["usd_margined"] else own["base"]}'

    def _contract_size(self, family: str) -> Decimal | None:
        options = (market for market in (self.markets or {}).values() if market.get('option'))
        infos = (market['info'] for market in options if market.get('info'))
        listed = listed_size((each for each in infos if each.get('instFamily') == family), family.partition('-')[0])
        if listed is not None:
            return listed
        sizes = self.options.get('mmpContractSizes', self._default_option('mmpContractSizes'))
        size = exact_decimal(sizes.get(family)) if isinstance(sizes, dict) else None
        return size if size is not None and size > 0 else None

    @staticmethod
    def _family(family: str | None) -> Params:
        return {} if family is None else {'instFamily': family}

    # --- answers

    def _family_of(self, method: str, entry: dict[str, Any]) -> str:
        family: str | None = self.safe_string(entry, 'instFamily')
        if family is None:
            raise BadResponse(f'{self.id} {method}() received a rule without an instFamily: {shown(entry)}')
        return family

    def _entries(self, method: str, response: object) -> list[dict[str, Any]]:
        data = response.get('data') if isinstance(response, dict) else None
        if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
            raise BadResponse(f'{self.id} {method}() received an answer without a list of data: {shown(response)}')
        return data

    def _first_entry(self, method: str, response: object) -> dict[str, Any]:
        entries = self._entries(method, response)
        if not entries:
            raise NullResponse(f'{self.id} {method}() received an answer without data: {shown(response)}')
        return entries[0]

    def _with_freeze(self, method: str, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry that says whether it is frozen, as those of the GET endpoints do."""
        if not isinstance(entry.get('mmpFrozen'), bool):
            raise BadResponse(f'{self.id} {method}() received an answer without a mmpFrozen: {shown(entry)}')
        return entry

    def _raise_mmp_error(self, path: str, code: str, feedback: str) -> None:
        if path == 'trade/mass-cancel':
            self.throw_exactly_matched_exception(self.exceptions['massCancel'], code, feedback)
        self.throw_exactly_matched_exception(self.exceptions['mmp'], code, feedback)

    def _refuses_every_item(self, response: object) -> bool:
        """An answer to a batch of which each item says why: ccxt would raise the first reason alone."""
        rows = self.safe_list(response, 'data', []) if isinstance(response, dict) else []
        is_of_items = any(not isinstance(row, dict) or 'sCode' in row for row in rows)
        return is_of_items and self.safe_string(response, 'code') == '1'

    @staticmethod
    def _has_no_code(response: object) -> bool:
        """An answer that leaves it open what was done, which ccxt takes for a refusal."""
        return not isinstance(response, dict) or response.get('code') is None

    def _parse_mmp_state(self, method: str, scope: Scope, family: str | None, entry: dict[str, Any]) -> MmpState:
        entry, window = self._mmp_entry(method, entry, family, 'timeInterval')
        frozen = self.safe_bool(entry, 'mmpFrozen')
        return {
            **self._unknown_mmp_state(entry, scope, family),
            'enabled': window > 0,
            'window': window,
            'frozenTime': self._safe_integer(entry, 'frozenInterval'),
            'qtyLimit': self._safe_number(entry, 'qtyLimit'),
            'qtyLimitBase': self._qty_limit_base(entry, 'qtyLimit', family),
            'countLimit': self._safe_integer(entry, 'countLimit'),
            'frozen': frozen,
            'frozenUntil': self._frozen_until(entry) if frozen else None,
        }

    def _frozen_until(self, entry: dict[str, Any]) -> int | None:
        until: int | None = self._safe_integer(entry, 'mmpFrozenUntil')
        if not until:
            return None
        now: int = self.nonce()
        return until if until >= EPOCH_FROM else now + until

    def handle_errors(
        self,
        httpCode: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        requestHeaders: Any,
        requestBody: Any,
    ) -> Any:
        path = api_path(url)
        context = current_request(self)
        if httpCode == 429 and context is not None and not context.is_ordinary and not is_coded(response):
            raise RateLimitExceeded(f'{self.id} {httpCode} {reason} {body}')
        if context is not None and context.has_items and self._refuses_every_item(response):
            return None
        is_own = context is not None and not context.is_ordinary
        if is_own and httpCode >= 500 and self._has_no_code(response):
            raise ExchangeNotAvailable(f'{self.id} {httpCode} {reason} {body}')
        if is_own and httpCode == 200 and response is not None and self._has_no_code(response):
            raise BadResponse(f'{self.id} received an answer without a code: {shown(response)}')
        if path not in MMP_PATHS or not isinstance(response, dict):
            handled = super().handle_errors(
                httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
            )
            if context is not None and context.needs_data and httpCode == 200:
                self._entries('fetchOpenOrders', response)
            return handled
        rows = response.get('data')
        data = [entry for entry in rows if isinstance(entry, dict)] if isinstance(rows, list) else []
        for each in (response, *data):
            code = each.get('code', each.get('sCode'))
            if code is not None and code != '0':
                self._raise_mmp_error(path, str(code), f'{self.id} {body}')
        handled = super().handle_errors(
            httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
        )
        if path in PATHS_WITH_RESULT and any(entry.get('result') is not True for entry in data):
            raise OperationFailed(f'{self.id} {body}')
        return handled


def is_coded(response: object) -> bool:
    """Whether an answer says by a code of the exchange's what it is."""
    return isinstance(response, dict) and bool(response.get('code'))


def api_path(url: str) -> str:
    """The path of the API that a URL has; a proxyUrl prefixes the whole URL and percent-encodes it."""
    unquoted = unquote(url) if '%' in url else url
    return unquoted.partition('/api/v5/')[2].partition('?')[0]
