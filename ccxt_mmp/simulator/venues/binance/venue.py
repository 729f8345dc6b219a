"""The simulated Binance: how a request is routed, authenticated and counted.

https://developers.binance.com/docs/derivatives/options-trading/
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.limits import FixedWindows
from ccxt_mmp.simulator.session import Session
from ccxt_mmp.simulator.venue import WeighingVenue
from ccxt_mmp.simulator.venues.binance import orders, stream
from ccxt_mmp.simulator.venues.binance.calls import (
    Call,
    Endpoint,
    ListenKeys,
    Parameters,
    read_integer,
    read_json_list,
    read_text,
)
from ccxt_mmp.simulator.venues.binance.endpoints import ENDPOINTS
from ccxt_mmp.simulator.venues.binance.listing import BinanceListing
from ccxt_mmp.simulator.venues.binance.tables import (
    AHEAD,
    DEFAULT_RECV_WINDOW,
    MAX_RECV_WINDOW,
    MINUTE,
    NO_PERMISSION,
    ORDER_LIMITS,
    PREFIXES,
    REPORTED,
    SECURITY,
    TEN_SECONDS,
    TOO_MANY_REQUESTS,
    WEIGHT_LIMIT,
)
from ccxt_mmp.simulator.wire import Answer, ApiError, Request, Times


class BinanceVenue(WeighingVenue):
    listing = BinanceListing()
    too_many_requests = TOO_MANY_REQUESTS

    def __init__(self, engine: Engine, accounts: Mapping[str, Account], *, enforce_limits: bool = True) -> None:
        super().__init__(engine, accounts, enforce_limits=enforce_limits)
        self._used = FixedWindows()
        self._listen_keys = ListenKeys()

    def serves(self, path: str) -> bool:
        return path.startswith(PREFIXES)

    def answer(self, request: Request, times: Times) -> tuple[Answer, list[str]] | None:
        """The answer to a request and the parameters that it does not know; None if its path is none of ours."""
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return None
        headers: dict[str, str] = {}
        try:
            parameters: Parameters = dict(parse_qsl('&'.join(part for part in (request.query, request.body) if part)))
            weight = endpoint.weight
            if endpoint.handle == orders.open_orders and 'symbol' not in parameters:
                weight = 40
            self._count_weight(weight, times.now, headers)
            account = Account('', '', '')
            if endpoint.needs is not None:
                account = self._authenticate(request, parameters, times, endpoint)
            if endpoint.is_signed:
                _refuse_unknown(parameters, endpoint.known)
            if endpoint.needs not in (None, *account.permissions):
                raise ApiError(401, *NO_PERMISSION)
            call = Call(self.engine, account, parameters, times.now, request.refuse_every_second, self._listen_keys)
            if endpoint.handle in (orders.place, orders.place_batch):
                self._count_orders(call, headers)
            reported = REPORTED if endpoint.is_signed else parameters
            unknown = [name for name in reported if name in parameters]
            return Answer(endpoint.handle(call), 200, headers), unknown
        except ApiError as error:
            body = {'code': int(error.code), 'msg': error.message}
            return Answer(body, error.status, {**headers, **error.headers}), []

    def open_session(self, request: Request, serial: int, peers: Sequence[Session]) -> Session | None:
        form = self.engine.unverified.stream_form
        return stream.open_session(request.path, request.query, serial, peers, self._listen_keys, form)

    def forget(self) -> None:
        self._used = FixedWindows()

    def used_weight(self, now: int) -> int:
        return self._used.used('weight', MINUTE, now)

    def use_weight(self, weight: int, now: int) -> None:
        """Count a weight that others of the address used."""
        if not self.enforce_limits:
            raise ValueError('a simulator that does not enforce limits counts no weight')
        self._used.use('weight', weight, MINUTE, now)

    def _authenticate(self, request: Request, parameters: Parameters, times: Times, endpoint: Endpoint) -> Account:
        account = self.accounts.get(request.headers.get('X-MBX-APIKEY', ''))
        if account is None:
            raise ApiError(401, *NO_PERMISSION)
        if endpoint.is_signed:
            _verify(account, request, parameters, times)
        return account

    def _count_weight(self, weight: int, now: int, headers: dict[str, str]) -> None:
        """By address, and the simulator has one."""
        if not self.enforce_limits:
            return
        used = self._used.use('weight', weight, MINUTE, now)
        headers['X-MBX-USED-WEIGHT-1M'] = str(used)
        if used > WEIGHT_LIMIT:
            message = f'Too many requests; current limit of IP is {WEIGHT_LIMIT} request weight per 1 MINUTE.'
            raise ApiError(429, '-1003', message, {'Retry-After': _seconds_left(MINUTE, now)})

    def _count_orders(self, call: Call, headers: dict[str, str]) -> None:
        if not self.enforce_limits:
            return
        count = len(read_json_list(call.parameters, 'orders')) if 'orders' in call.parameters else 1
        for window, name in ((TEN_SECONDS, '10S'), (MINUTE, '1M')):
            used = self._used.use(('orders', call.account.key), count, window, call.now)
            headers[f'X-MBX-ORDER-COUNT-{name}'] = str(used)
            if used > ORDER_LIMITS[window]:
                message = f'Too many new orders; current limit is {ORDER_LIMITS[window]} orders per {name}.'
                raise ApiError(429, '-1015', message, {'Retry-After': _seconds_left(window, call.now)})


def _verify(account: Account, request: Request, parameters: Parameters, times: Times) -> None:
    for name in ('timestamp', 'signature'):
        read_text(parameters, name)
    timestamp = read_integer(parameters, 'timestamp')
    window = read_integer({'recvWindow': str(DEFAULT_RECV_WINDOW), **parameters}, 'recvWindow')
    if window > MAX_RECV_WINDOW:
        raise ApiError(400, '-1131', 'recvWindow must be less than 60000')
    if not times.within(timestamp, window, AHEAD):
        raise ApiError(400, '-1021', 'Timestamp for this request is outside of the recvWindow.')
    signed = re.sub(r'&?signature=[^&]*', '', request.query) + re.sub(r'&?signature=[^&]*', '', request.body)
    digest = hmac.new(account.secret.encode(), signed.encode(errors='surrogateescape'), hashlib.sha256).hexdigest()
    received = parameters['signature'].encode(errors='surrogateescape')
    if not hmac.compare_digest(digest.encode(), received):
        raise ApiError(400, '-1022', 'Signature for this request is not valid.')


def _seconds_left(window: int, now: int) -> str:
    return str((window - now % window + 999) // 1000)


def _refuse_unknown(parameters: Parameters, known: tuple[str, ...]) -> None:
    unread = [name for name in parameters if name not in known + SECURITY + REPORTED]
    if unread:
        read, sent = len(parameters) - len(unread), len(parameters)
        message = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
        raise ApiError(400, '-1104', message)
