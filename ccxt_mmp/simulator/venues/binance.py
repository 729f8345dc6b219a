"""The wire format of Binance's options API over the engine, and the bit of its spot API that ccxt asks for.

https://developers.binance.com/docs/derivatives/options-trading/
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.engine import Account, Engine, Order, Protection, RejectedError, Rule, Side
from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.limits import FixedWindows
from ccxt_mmp.simulator.wire import Answer, ApiError, Request, Times, is_natural, is_positive, parse_json

UNDERLYING_IDS = {'BTCUSDT': 2, 'ETHUSDT': 1}  # 2 is the documented example's, the other and those after it made up
MAX_WINDOW = 5_000
MAX_BATCH = 10
MAX_ROWS = 1000
MIN_COUNTDOWN = 5_000
DEFAULT_RECV_WINDOW = 5_000
MAX_RECV_WINDOW = 60_000
AHEAD = 1_000  # ms that a timestamp may be ahead of the server

MINUTE, TEN_SECONDS = 60_000, 10_000
WEIGHT_LIMIT = 2400  # a minute, of the address
ORDER_LIMITS = {MINUTE: 1200, TEN_SECONDS: 300}  # of the account

SECURITY = ('timestamp', 'recvWindow', 'signature')
REPORTED = ('newClientOrderId',)  # not of this API, but ccxt 4.4.87 sends it: reported, where others are refused
STATES = {
    'live': 'NEW',
    'partially_filled': 'PARTIALLY_FILLED',
    'filled': 'FILLED',
    'canceled': 'CANCELED',
    'mmp_canceled': 'CANCELED',  # nothing tells what MMP cancelled
}
REJECTED = {
    'no_privilege': ('-6005', 'It is not market maker'),
    'frozen': ('-6058', 'MMP triggered. Please reset MMP config'),
    'countdown': ('-2010', 'NEW_ORDER_REJECTED'),
    'duplicate': ('-6044', 'clientOrderId is duplicated'),
    'expired': ('-1121', 'Invalid symbol.'),
    'cancel_refused': ('-6063', 'Cancel rejected by system'),
}
GONE = ('-2011', 'Unknown order sent.')

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """What a handler gets."""

    account: Account
    parameters: Parameters
    now: int
    refuse_every_second: bool


@dataclass(frozen=True)
class Endpoint:
    handle: Callable[[Call], Any]
    weight: int = 1
    known: tuple[str, ...] = ()
    needs: str | None = 'read'  # permission of the key, None for public endpoints


class BinanceVenue:
    name = 'binance'

    def __init__(self, engine: Engine, accounts: dict[str, Account], limits: FixedWindows | None) -> None:
        self.engine = engine
        self.accounts = accounts
        self.limits = limits
        self.endpoints = self._endpoints()

    def _endpoints(self) -> dict[tuple[str, str], Endpoint]:
        rule = ('underlying', 'windowTimeInMilliseconds', 'frozenTimeInMilliseconds', 'qtyLimit', 'deltaLimit')
        terms = ('symbol', 'side', 'type', 'quantity', 'price', 'timeInForce', 'reduceOnly', 'postOnly')
        order = (*terms, 'newOrderRespType', 'clientOrderId', 'isMmp', 'selfTradePreventionMode')
        one = ('symbol', 'orderId', 'clientOrderId')
        period = ('symbol', 'orderId', 'startTime', 'endTime', 'limit')
        nothing_listed = Endpoint(self.nothing_listed, needs=None)
        return {
            ('GET', '/eapi/v1/time'): Endpoint(self.time, needs=None),
            ('GET', '/eapi/v1/exchangeInfo'): Endpoint(self.exchange_info, needs=None),
            ('GET', '/eapi/v1/mmp'): Endpoint(self.get_config, 1, ('underlying',), 'trade'),
            ('POST', '/eapi/v1/mmpSet'): Endpoint(self.set_config, 1, rule, 'trade'),
            ('POST', '/eapi/v1/mmpReset'): Endpoint(self.reset, 1, ('underlying',), 'trade'),
            ('POST', '/eapi/v1/order'): Endpoint(self.place, 0, order, 'trade'),
            ('GET', '/eapi/v1/order'): Endpoint(self.order, 1, one),
            ('DELETE', '/eapi/v1/order'): Endpoint(self.cancel, 1, one, 'trade'),
            ('POST', '/eapi/v1/batchOrders'): Endpoint(self.place_batch, 5, ('orders',), 'trade'),
            ('DELETE', '/eapi/v1/batchOrders'): Endpoint(
                self.cancel_batch, 5, ('symbol', 'orderIds', 'clientOrderIds'), 'trade'
            ),
            ('GET', '/eapi/v1/openOrders'): Endpoint(self.open_orders, 1, period),
            ('GET', '/eapi/v1/historyOrders'): Endpoint(self.history, 3, period),
            ('DELETE', '/eapi/v1/allOpenOrders'): Endpoint(self.cancel_contract, 1, ('symbol',), 'trade'),
            ('DELETE', '/eapi/v1/allOpenOrdersByUnderlying'): Endpoint(
                self.cancel_underlying, 5, ('underlying',), 'trade'
            ),
            ('POST', '/eapi/v1/countdownCancelAll'): Endpoint(
                self.set_countdown, 1, ('underlying', 'countdownTime'), 'trade'
            ),
            ('GET', '/eapi/v1/countdownCancelAll'): Endpoint(self.get_countdown, 1, ('underlying',), 'trade'),
            ('POST', '/eapi/v1/countdownCancelAllHeartBeat'): Endpoint(self.heartbeat, 10, ('underlyings',), 'trade'),
            # what ccxt asks of the other APIs, for the time and while it loads markets and balances
            ('GET', '/api/v3/time'): Endpoint(self.time, needs=None),
            ('GET', '/api/v3/exchangeInfo'): nothing_listed,
            ('GET', '/fapi/v1/exchangeInfo'): nothing_listed,
            ('GET', '/dapi/v1/exchangeInfo'): nothing_listed,
            ('GET', '/sapi/v1/capital/config/getall'): Endpoint(lambda call: []),
            ('GET', '/sapi/v1/margin/allPairs'): Endpoint(lambda call: []),
            ('GET', '/sapi/v1/margin/isolated/allPairs'): Endpoint(lambda call: []),
            ('GET', '/api/v3/account'): Endpoint(self.spot_account, 20, ('omitZeroBalances',)),
        }

    def answer(self, request: Request, times: Times) -> tuple[Answer, list[str]] | None:
        """The answer to a request and the parameters that it does not know; None if its path is none of ours."""
        endpoint = self.endpoints.get((request.method, request.path))
        if endpoint is None:
            return None
        headers: dict[str, str] = {}
        try:
            parameters: Parameters = dict(parse_qsl('&'.join(part for part in (request.query, request.body) if part)))
            weight = endpoint.weight
            if endpoint.handle == self.open_orders and 'symbol' not in parameters:
                weight = 40
            self._count_weight(weight, times.now, headers)
            account = Account('', '', '')
            if endpoint.needs is not None:
                account = self._authenticate(request, parameters, times)
            self._refuse_unknown(parameters, endpoint.known)
            if endpoint.needs not in (None, *account.permissions):
                raise ApiError(401, '-2015', 'Invalid API-key, IP, or permissions for action.')
            call = Call(account, parameters, times.now, request.refuse_every_second)
            if endpoint.handle in (self.place, self.place_batch):
                self._count_orders(call, headers)
            unknown = [name for name in REPORTED if name in parameters]
            return Answer(endpoint.handle(call), 200, headers), unknown
        except ApiError as error:
            body = {'code': int(error.code), 'msg': error.message}
            return Answer(body, error.status, {**headers, **error.headers}), []

    def used_weight(self, now: int) -> int:
        return 0 if self.limits is None else self.limits.used('weight', MINUTE, now)

    def use_weight(self, weight: int, now: int) -> None:
        """Count a weight that others of the address used."""
        if self.limits is None:
            raise ValueError('a simulator that does not enforce limits counts no weight')
        self.limits.use('weight', weight, MINUTE, now)

    # --- market data and account

    def time(self, call: Call) -> Parameters:
        return {'serverTime': call.now}

    def nothing_listed(self, call: Call) -> Parameters:
        return {'timezone': 'UTC', 'serverTime': call.now, 'rateLimits': [], 'exchangeFilters': [], 'symbols': []}

    def exchange_info(self, call: Call) -> Parameters:
        options = self.engine.listed(self.name, call.now)
        series = self.engine.series[self.name].values()
        assets = dict.fromkeys(each.settle for each in series)
        limits = [
            ('REQUEST_WEIGHT', 'MINUTE', 1, WEIGHT_LIMIT),
            ('ORDERS', 'MINUTE', 1, ORDER_LIMITS[MINUTE]),
            ('ORDERS', 'SECOND', 10, ORDER_LIMITS[TEN_SECONDS]),
        ]
        return {
            'timezone': 'UTC',
            'serverTime': call.now,
            'optionContracts': [
                {
                    'id': self._underlying_id(each.underlying),
                    'baseAsset': each.base,
                    'quoteAsset': each.settle,
                    'underlying': each.underlying,
                    'settleAsset': each.settle,
                }
                for each in series
            ],
            'optionAssets': [{'id': number, 'name': asset} for number, asset in enumerate(assets, 1)],
            'optionSymbols': [self._symbol(number, option) for number, option in enumerate(options, 1)],
            'rateLimits': [
                {'rateLimitType': kind, 'interval': interval, 'intervalNum': number, 'limit': limit}
                for kind, interval, number, limit in limits
            ],
        }

    def spot_account(self, call: Call) -> Parameters:
        return {
            'makerCommission': 0,
            'takerCommission': 0,
            'buyerCommission': 0,
            'sellerCommission': 0,
            'canTrade': True,
            'canWithdraw': False,
            'canDeposit': False,
            'updateTime': call.now,
            'accountType': 'SPOT',
            'balances': [
                {'asset': asset, 'free': amount, 'locked': '0'} for asset, amount in call.account.balances.items()
            ],
            'permissions': ['SPOT'],
        }

    # --- market maker protection

    def set_config(self, call: Call) -> Parameters:
        underlying = self._privileged_underlying(call)
        window = self._integer(call.parameters, 'windowTimeInMilliseconds')
        if not 0 < window <= MAX_WINDOW:
            raise ApiError(400, '-6001', 'Invalid mmp window time limit')
        text = self._text(call.parameters, 'frozenTimeInMilliseconds')
        if not is_natural(text):
            raise ApiError(400, '-6002', 'Invalid mmp frozen time limit')
        rule = Rule(
            window=window,
            frozen_time=int(text),
            qty_limit=self._limit(call.parameters, 'qtyLimit'),
            delta_limit=self._limit(call.parameters, 'deltaLimit'),
        )
        return self._config(underlying, rule, self.engine.set_rule(call.account, self.name, underlying, rule))

    def reset(self, call: Call) -> Parameters:
        underlying, rule, protection = self._known_rule(call)
        self.engine.reset(call.account, self.name, underlying)
        return self._config(underlying, rule, protection)

    def get_config(self, call: Call) -> Parameters:
        return self._config(*self._known_rule(call))

    # --- orders

    def place(self, call: Call) -> Parameters:
        order = self._place(call, call.parameters)
        if call.parameters.get('newOrderRespType') == 'RESULT':
            return self._placed(order)
        # which fields the default, ACK, leaves out is not documented in what was captured [unverified]
        kept = ('orderId', 'symbol', 'price', 'quantity', 'side', 'type', 'reduceOnly', 'mmp', 'clientOrderId')
        answer = self._order(order)
        return {**{name: answer[name] for name in kept}, 'createDate': order.created}

    def place_batch(self, call: Call) -> list[Parameters]:
        items = self._json_list(call.parameters, 'orders')
        if len(items) > MAX_BATCH:
            raise ApiError(400, '-6011', 'Maximum 10 orders in one batchOrder request.')
        # for the half of a batch that is refused: codes after which nothing can have happened
        return self._each(call, items, lambda item: self._placed(self._place(call, item)), REJECTED['countdown'])

    def order(self, call: Call) -> Parameters:
        order = self._find(call, call.parameters.get('orderId'), call.parameters.get('clientOrderId'))
        if order is None:
            raise ApiError(400, '-2013', 'Order does not exist.')
        return {**self._order(order), 'postOnly': order.time_in_force == 'GTX'}

    def open_orders(self, call: Call) -> list[Parameters]:
        symbol = call.parameters.get('symbol')
        orders = call.account.open_orders(self.name)
        return self._page(call, [each for each in orders if symbol in (None, each.instrument.instrument_id)])

    def history(self, call: Call) -> list[Parameters]:
        symbol = self._option(call.parameters).instrument_id
        orders = call.account.orders
        return self._page(
            call, [each for each in orders if each.instrument.instrument_id == symbol and not each.is_open]
        )

    def _page(self, call: Call, orders: list[Order]) -> list[Parameters]:
        """From an order id or time on, to a time, at most so many."""
        bounds = {'orderId': 0, 'startTime': 0, 'endTime': call.now, 'limit': MAX_ROWS}
        for name in bounds.keys() & call.parameters.keys():
            bounds[name] = self._integer(call.parameters, name)
        rows = [
            self._order(order)
            for order in orders
            if int(order.order_id) >= bounds['orderId'] and bounds['startTime'] <= order.created <= bounds['endTime']
        ]
        return rows[: min(bounds['limit'], MAX_ROWS)]

    def cancel(self, call: Call) -> Parameters:
        self._option(call.parameters)
        answer = self._cancel(call, call.parameters.get('orderId'), call.parameters.get('clientOrderId'))
        return {**{name: answer[name] for name in answer if name != 'createTime'}, 'createDate': answer['createTime']}

    def cancel_batch(self, call: Call) -> list[Parameters]:
        self._option(call.parameters)
        names = [name for name in ('orderIds', 'clientOrderIds') if name in call.parameters]
        if len(names) != 1:
            raise ApiError(
                400, '-1102', "Mandatory parameter 'orderIds' or 'clientOrderIds' was not sent, or both were."
            )
        ids = self._json_list(call.parameters, names[0])
        if len(ids) > MAX_BATCH:  # the documentation names no maximum of this endpoint [unverified]
            raise ApiError(400, '-6011', 'Maximum 10 orders in one batchOrder request.')
        by_id = names == ['orderIds']

        def cancel(each: Any) -> Parameters:
            return {**self._cancel(call, *((str(each), None) if by_id else (None, str(each)))), 'fee': '0'}

        answers = self._each(call, ids, cancel, REJECTED['cancel_refused'])
        return answers[::-1] if self.engine.unverified.reverse_batch_cancels else answers

    def cancel_contract(self, call: Call) -> Parameters:
        symbol = self._option(call.parameters).instrument_id
        self.engine.cancel_where(
            call.account, self.name, lambda order: order.instrument.instrument_id == symbol, call.now
        )
        return {'code': '0', 'msg': 'success'}

    def cancel_underlying(self, call: Call) -> Parameters:
        underlying = self._underlying(call.parameters)
        self.engine.cancel_where(call.account, self.name, lambda order: order.underlying == underlying, call.now)
        return {'code': 0, 'msg': 'success'}

    def set_countdown(self, call: Call) -> Parameters:
        underlying = self._privileged_underlying(call)
        milliseconds = self._integer(call.parameters, 'countdownTime')
        if 0 < milliseconds < MIN_COUNTDOWN:
            raise ApiError(400, '-6009', 'countdownTime must be no less than 5000 or equal to 0')
        self.engine.start_countdown(call.account, self.name, underlying, milliseconds, call.now)
        return {'underlying': underlying, 'countdownTime': milliseconds}

    def get_countdown(self, call: Call) -> Parameters:
        underlying = self._privileged_underlying(call)
        countdown = call.account.countdowns.get((self.name, underlying))
        return {'underlying': underlying, 'countdownTime': 0 if countdown is None else countdown.milliseconds}

    def heartbeat(self, call: Call) -> Parameters:
        underlyings = self._text(call.parameters, 'underlyings').split(',')
        beating = []
        for underlying in underlyings:
            countdown = call.account.countdowns.get((self.name, underlying))
            if countdown is not None:
                self.engine.start_countdown(call.account, self.name, underlying, countdown.milliseconds, call.now)
                beating.append(underlying)
        return {'underlyings': beating}

    def _each(
        self, call: Call, items: list[Any], handle: Callable[[Any], Parameters], refusal: tuple[str, str]
    ) -> list[Parameters]:
        """The items of a batch, each with its own outcome."""

        def outcome(index: int, item: Any) -> Parameters:
            try:
                if call.refuse_every_second and index % 2:
                    raise ApiError(400, *refusal)
                return handle(item)
            except ApiError as error:
                return {'code': int(error.code), 'msg': error.message}

        return [outcome(index, item) for index, item in enumerate(items)]

    def _place(self, call: Call, item: Any) -> Order:
        if not isinstance(item, dict):
            raise ApiError(400, '-1130', "Data sent for parameter 'orders' is not valid.")
        option = self._option(item)
        if self._text(item, 'type') != 'LIMIT':
            raise ApiError(400, '-1116', 'Invalid orderType.')
        time_in_force = item.get('timeInForce', 'GTC')
        if time_in_force not in ('GTC', 'IOC', 'FOK', 'GTX'):
            raise ApiError(400, '-1115', 'Invalid timeInForce.')
        order = Order(
            order_id='',
            instrument=option,
            side=self._side(item),
            price=self._positive(item, 'price'),
            quantity=Decimal(self._positive(item, 'quantity')),
            mmp=self._boolean(item, 'isMmp'),
            client_order_id=str(item.get('clientOrderId', '')),
            time_in_force='GTX' if self._boolean(item, 'postOnly') else time_in_force,
            reduce_only=self._boolean(item, 'reduceOnly'),
        )
        if order.quantity % Decimal(option.lot):
            raise ApiError(400, '-1111', 'Precision is over the maximum defined for this asset.')
        try:
            return self.engine.place(call.account, order, call.now)
        except RejectedError as rejected:
            raise ApiError(400, *REJECTED[rejected.reason]) from rejected

    def _cancel(self, call: Call, order_id: str | None, client_order_id: str | None) -> Parameters:
        order = self._find(call, order_id, client_order_id)
        if order is None or not order.is_open:
            raise ApiError(400, *GONE)
        try:
            self.engine.cancel(call.account, order, call.now)
        except RejectedError as rejected:
            raise ApiError(400, *REJECTED[rejected.reason]) from rejected
        return {**self._order(order), 'source': 'API'}

    def _find(self, call: Call, order_id: str | None, client_order_id: str | None) -> Order | None:
        if order_id is None and client_order_id is None:
            raise ApiError(400, '-1102', "Mandatory parameter 'orderId' was not sent, was empty/null, or malformed.")
        order = call.account.find(self.name, order_id, client_order_id)
        if order is None or order.instrument.instrument_id != call.parameters.get('symbol'):
            return None
        return order

    # --- the shapes

    def _underlying_id(self, underlying: str) -> int:
        return UNDERLYING_IDS.get(underlying) or 1 + list(self.engine.series[self.name]).index(underlying)

    def _config(self, underlying: str, rule: Rule, protection: Protection) -> Parameters:
        return {
            'underlyingId': self._underlying_id(underlying),
            'underlying': underlying,
            'windowTimeInMilliseconds': rule.window,
            'frozenTimeInMilliseconds': rule.frozen_time,
            'qtyLimit': rule.qty_limit,
            'deltaLimit': rule.delta_limit,
            'lastTriggerTime': protection.last_trigger,
        }

    @staticmethod
    def _order(order: Order) -> Parameters:
        return {
            'orderId': int(order.order_id),
            'symbol': order.instrument.instrument_id,
            'price': order.price,
            'quantity': str(order.quantity),
            'executedQty': str(order.filled),
            'side': order.side.upper(),
            'type': 'LIMIT',
            'timeInForce': order.time_in_force,
            'reduceOnly': order.reduce_only,
            'createTime': order.created,
            'updateTime': order.updated,
            'status': STATES[order.state],
            'avgPrice': order.price if order.filled else '0',
            'clientOrderId': order.client_order_id,
            'priceScale': 1,
            'quantityScale': 2,
            'optionSide': 'CALL' if order.instrument.is_call else 'PUT',
            'quoteAsset': order.instrument.settle,
            'mmp': order.mmp,
            'selfTradePreventionMode': 'EXPIRE_MAKER',
        }

    def _placed(self, order: Order) -> Parameters:
        return {**self._order(order), 'fee': 0, 'postOnly': order.time_in_force == 'GTX', 'source': 'API'}

    def _symbol(self, number: int, option: Instrument) -> Parameters:
        return {
            'contractId': self._underlying_id(option.underlying),
            'expiryDate': option.expiry,
            'filters': [
                {'filterType': 'PRICE_FILTER', 'minPrice': option.tick, 'maxPrice': '100000', 'tickSize': option.tick},
                {'filterType': 'LOT_SIZE', 'minQty': option.lot, 'maxQty': '1000', 'stepSize': option.lot},
            ],
            'id': number,
            'symbol': option.instrument_id,
            'side': 'CALL' if option.is_call else 'PUT',
            'strikePrice': f'{Decimal(option.strike):.8f}',
            'underlying': option.underlying,
            'unit': int(option.coins_per_contract),
            'makerFeeRate': '0.00020000',
            'takerFeeRate': '0.00020000',
            'minQty': option.lot,
            'maxQty': '1000',
            'initialMargin': '0.15000000',
            'maintenanceMargin': '0.07500000',
            'minInitialMargin': '0.10000000',
            'minMaintenanceMargin': '0.05000000',
            'priceScale': 1,
            'quantityScale': 2,
            'quoteAsset': option.settle,
            # documented by the official client, which says their types and no example [unverified]
            'liquidationFeeRate': '0.0019000',
            'contractType': '',
            'underlyingType': '',
            'nakedSell': True,
            'status': 'TRADING',
        }

    # --- what is refused

    def _authenticate(self, request: Request, parameters: Parameters, times: Times) -> Account:
        account = self.accounts.get(request.headers.get('X-MBX-APIKEY', ''))
        if account is None:
            raise ApiError(401, '-2015', 'Invalid API-key, IP, or permissions for action.')
        for name in ('timestamp', 'signature'):
            self._text(parameters, name)
        timestamp = self._integer(parameters, 'timestamp')
        window = self._integer({'recvWindow': str(DEFAULT_RECV_WINDOW), **parameters}, 'recvWindow')
        if window > MAX_RECV_WINDOW:
            raise ApiError(400, '-1131', 'recvWindow must be less than 60000')
        if not times.within(timestamp, window, AHEAD):
            raise ApiError(400, '-1021', 'Timestamp for this request is outside of the recvWindow.')
        signed = re.sub(r'&?signature=[^&]*', '', request.query) + re.sub(r'&?signature=[^&]*', '', request.body)
        digest = hmac.new(account.secret.encode(), signed.encode(errors='surrogateescape'), hashlib.sha256).hexdigest()
        received = parameters['signature'].encode(errors='surrogateescape')
        if not hmac.compare_digest(digest.encode(), received):
            raise ApiError(400, '-1022', 'Signature for this request is not valid.')
        return account

    def _count_weight(self, weight: int, now: int, headers: dict[str, str]) -> None:
        """By address, and the simulator has one."""
        if self.limits is None:
            return
        used = self.limits.use('weight', weight, MINUTE, now)
        headers['X-MBX-USED-WEIGHT-1M'] = str(used)
        if used > WEIGHT_LIMIT:
            message = f'Too many requests; current limit of IP is {WEIGHT_LIMIT} request weight per 1 MINUTE.'
            raise ApiError(429, '-1003', message, {'Retry-After': self._seconds_left(MINUTE, now)})

    def _count_orders(self, call: Call, headers: dict[str, str]) -> None:
        if self.limits is None:
            return
        orders = len(self._json_list(call.parameters, 'orders')) if 'orders' in call.parameters else 1
        for window, name in ((TEN_SECONDS, '10S'), (MINUTE, '1M')):
            used = self.limits.use(('orders', call.account.key), orders, window, call.now)
            headers[f'X-MBX-ORDER-COUNT-{name}'] = str(used)
            if used > ORDER_LIMITS[window]:
                message = f'Too many new orders; current limit is {ORDER_LIMITS[window]} orders per {name}.'
                raise ApiError(429, '-1015', message, {'Retry-After': self._seconds_left(window, call.now)})

    @staticmethod
    def _seconds_left(window: int, now: int) -> str:
        return str((window - now % window + 999) // 1000)

    @staticmethod
    def _refuse_unknown(parameters: Parameters, known: tuple[str, ...]) -> None:
        unread = [name for name in parameters if name not in known + SECURITY + REPORTED]
        if unread:
            read, sent = len(parameters) - len(unread), len(parameters)
            message = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
            raise ApiError(400, '-1104', message)

    def _known_rule(self, call: Call) -> tuple[str, Rule, Protection]:
        underlying = self._privileged_underlying(call)
        protection = call.account.protection(self.name, underlying)
        if protection.rule is None:
            raise ApiError(400, '-6006', 'Mmp rules are not existing')
        return underlying, protection.rule, protection

    def _privileged_underlying(self, call: Call) -> str:
        if not call.account.privileged:
            raise ApiError(400, *REJECTED['no_privilege'])
        return self._underlying(call.parameters)

    @staticmethod
    def _text(parameters: Parameters, name: str) -> str:
        value = parameters.get(name, '')
        if value is None or value == '':
            raise ApiError(400, '-1102', f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return str(value)

    def _underlying(self, parameters: Parameters) -> str:
        underlying = self._text(parameters, 'underlying')
        if underlying not in self.engine.series[self.name]:
            raise ApiError(400, '-6003', 'Invalid underlying')
        return underlying

    def _option(self, parameters: Parameters) -> Instrument:
        option = self.engine.instruments.get(self._text(parameters, 'symbol'))
        if option is None or option.venue != self.name:
            raise ApiError(400, '-1121', 'Invalid symbol.')
        return option

    def _side(self, parameters: Parameters) -> Side:
        side = self._text(parameters, 'side')
        if side not in ('BUY', 'SELL'):
            raise ApiError(400, '-1117', 'Invalid side.')
        return 'buy' if side == 'BUY' else 'sell'

    @staticmethod
    def _boolean(parameters: Parameters, name: str) -> bool:
        value = str(parameters.get(name, False)).lower()
        if value not in ('true', 'false'):
            raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
        return value == 'true'

    def _json_list(self, parameters: Parameters, name: str) -> list[Any]:
        try:
            items = parse_json(self._text(parameters, name))
        except ValueError:
            items = None
        if not isinstance(items, list) or not items:
            raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
        return items

    def _integer(self, parameters: Parameters, name: str) -> int:
        text = self._text(parameters, name)
        if not is_natural(text):
            raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
        return int(text)

    def _limit(self, parameters: Parameters, name: str) -> str:
        text = self._text(parameters, name)
        if not is_positive(text):
            raise ApiError(400, '-6040', 'Invalid qtyLimit or deltaLimit.')
        return text

    def _positive(self, parameters: Parameters, name: str) -> str:
        text = self._text(parameters, name)
        if not is_positive(text):
            raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
        return text
