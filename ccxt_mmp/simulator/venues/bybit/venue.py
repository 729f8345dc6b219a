"""The simulated Bybit: how a request is routed, authenticated and counted.

https://bybit-exchange.github.io/docs/v5/intro
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.limits import RollingWindows
from ccxt_mmp.simulator.session import Session
from ccxt_mmp.simulator.venue import Venue
from ccxt_mmp.simulator.venues.bybit.calls import (
    Batch,
    Call,
    Endpoint,
    Parameters,
    Returned,
    Windows,
    is_signed,
    refusal,
    require_permission,
)
from ccxt_mmp.simulator.venues.bybit.endpoints import ENDPOINTS, limit_of, unknown
from ccxt_mmp.simulator.venues.bybit.listing import BybitListing
from ccxt_mmp.simulator.venues.bybit.stream import PrivateSession, TradeSession
from ccxt_mmp.simulator.venues.bybit.tables import (
    ADDRESS_LIMIT,
    AHEAD,
    BAD_KEY,
    BAD_SIGN,
    BAD_TIME,
    BAN,
    DEFAULT_RECV_WINDOW,
    PARAMETER,
    PREFIX,
    PRIVATE_PATH,
    SECOND,
    TOO_FREQUENT,
    TOO_MANY_VISITS,
    TRADE_PATH,
)
from ccxt_mmp.simulator.wire import Answer, ApiError, Request, Times, is_natural, parse_json

Headers = dict[str, str]
HEADERS = ('X-BAPI-API-KEY', 'X-BAPI-TIMESTAMP', 'X-BAPI-SIGN')


class BybitVenue(Venue):
    listing = BybitListing()
    too_many_requests: ClassVar = {
        'retCode': int(TOO_MANY_VISITS[0]),
        'retMsg': TOO_MANY_VISITS[1],
        'result': {},
    }
    # without a list: an empty one would say that there are no orders
    result_false: ClassVar = {'retCode': 0, 'retMsg': 'OK', 'result': {'success': '0'}}

    def __init__(self, engine: Engine, accounts: Mapping[str, Account], *, enforce_limits: bool = True) -> None:
        super().__init__(engine, accounts, enforce_limits=enforce_limits)
        self._windows: Windows = {}
        self.forget()

    def serves(self, path: str) -> bool:
        return path.startswith(PREFIX)

    def answer(self, request: Request, times: Times) -> tuple[Answer, list[str]] | None:
        """The answer to a request and the parameters that it does not know; None if its path is none of ours."""
        endpoint = ENDPOINTS.get((request.method, request.path.removeprefix(PREFIX)))
        if endpoint is None or not request.path.startswith(PREFIX):
            return None
        if self._is_banned(times.now):
            return Answer(None, 403, text=TOO_FREQUENT, content_type='text/plain'), []
        headers: Headers = {}
        unread: list[str] = []
        try:
            account = Account('', '', '')
            if endpoint.needs is not None:
                if not all(request.headers.get(name) for name in HEADERS):
                    return Answer(None, 401, text='', content_type='text/plain'), []
                account = self._authenticate(request, times)
            require_permission(endpoint, account)
            parameters = _parameters(request)
            unread = unknown(endpoint, parameters)
            self._count(request.path, endpoint, account, parameters, times.now, headers)
            call = Call(self.engine, account, parameters, times.now, request.refuse_every_second, self._windows)
            return Answer(shape(endpoint.handle(call), times.now), headers=headers), unread
        except ApiError as error:
            return Answer(refused(error, times.now), error.status, headers), unread

    def open_session(self, request: Request, serial: int, peers: Sequence[Session]) -> Session | None:
        if request.path == PRIVATE_PATH:
            return PrivateSession(serial, peers, self.accounts, self.engine, self._windows)
        if request.path == TRADE_PATH:
            return TradeSession(serial, peers, self.accounts, self.perform)
        return None

    def forget(self) -> None:
        self._used = RollingWindows()
        self._banned_until = 0
        self._windows.clear()

    def perform(self, account: Account, name: str, parameters: Parameters, now: int, headers: Headers) -> Parameters:
        """An operation over a socket: the answer that the endpoint of that name has."""
        endpoint = ENDPOINTS['POST', name]
        try:
            require_permission(endpoint, account)
            self._count(f'{PREFIX}{name}', endpoint, account, parameters, now, headers)
            call = Call(self.engine, account, parameters, now, False, self._windows)
            return shape(endpoint.handle(call), now)
        except ApiError as error:
            return refused(error, now)

    def _count(
        self,
        path: str,
        endpoint: Endpoint,
        account: Account,
        parameters: Parameters,
        now: int,
        headers: Headers,
    ) -> None:
        """By account and endpoint, over HTTP and sockets alike; the headers say what is left of the second."""
        limit = limit_of(endpoint, parameters)
        if limit is None or not self.enforce_limits:
            return
        key = (account.key, path, limit)
        is_admitted = self._used.admit(key, 1, limit, SECOND, now)
        left, reset = self._used.left(key, limit, SECOND, now)
        headers |= {
            'X-Bapi-Limit': str(limit),
            'X-Bapi-Limit-Status': str(left),
            'X-Bapi-Limit-Reset-Timestamp': str(now if is_admitted else reset),
        }
        if not is_admitted:
            raise refusal(TOO_MANY_VISITS)

    def _is_banned(self, now: int) -> bool:
        """Whether the address has sent too much, and the simulator has one."""
        if not self.enforce_limits:
            return False
        if now >= self._banned_until and not self._used.admit('address', 1, *ADDRESS_LIMIT, now):
            self._banned_until = now + BAN
        return now < self._banned_until

    def _authenticate(self, request: Request, times: Times) -> Account:
        key, timestamp, sign = (request.headers[name] for name in HEADERS)
        window = request.headers.get('X-BAPI-RECV-WINDOW', '')
        account = self.accounts.get(key)
        if account is None:
            raise refusal(BAD_KEY)
        if not is_natural(timestamp) or not is_natural(window or DEFAULT_RECV_WINDOW):
            raise refusal(BAD_TIME)
        if not times.within(int(timestamp), int(window or DEFAULT_RECV_WINDOW), AHEAD):
            raise refusal(BAD_TIME)
        signed = f'{timestamp}{key}{window}{request.query if request.method == "GET" else request.body}'
        if not is_signed(account, signed, sign):
            raise refusal(BAD_SIGN)
        return account


def shape(returned: Returned, now: int) -> Parameters:
    """The answer; the documented ones that have no result have no time either."""
    if returned is None:
        return {'retCode': 0, 'retMsg': 'success'}
    result, further = returned, {}
    if isinstance(returned, Batch):
        result, further = {'list': returned.rows}, {'list': returned.outcomes}
    return {'retCode': 0, 'retMsg': 'OK', 'result': result, 'retExtInfo': further, 'time': now}


def refused(error: ApiError, now: int) -> Parameters:
    return {'retCode': int(error.code), 'retMsg': error.message, 'result': {}, 'retExtInfo': {}, 'time': now}


def _parameters(request: Request) -> Parameters:
    if request.method == 'GET':
        return dict(parse_qsl(request.query))
    try:
        body = parse_json(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(200, PARAMETER, 'Request parameter error: the body is no JSON object')
    return body
