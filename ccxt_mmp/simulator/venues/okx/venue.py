"""The simulated OKX: how a request is routed, authenticated and counted.

https://www.okx.com/docs-v5/en/
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import ClassVar
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.limits import RollingWindows
from ccxt_mmp.simulator.session import Session
from ccxt_mmp.simulator.venue import Venue
from ccxt_mmp.simulator.venues.okx.calls import Call, Endpoint, Parameters, Rows, code_of, require_permission
from ccxt_mmp.simulator.venues.okx.endpoints import ENDPOINTS
from ccxt_mmp.simulator.venues.okx.listing import OkxListing
from ccxt_mmp.simulator.venues.okx.stream import OkxSession
from ccxt_mmp.simulator.venues.okx.tables import MAX_BATCH, PREFIX, SOCKET_PATH, TIMESTAMP_TOLERANCE, TOO_MANY_REQUESTS
from ccxt_mmp.simulator.wire import Answer, ApiError, Request, Times, parse_json


class OkxVenue(Venue):
    listing = OkxListing()
    too_many_requests: ClassVar = {'code': TOO_MANY_REQUESTS[0], 'data': [], 'msg': TOO_MANY_REQUESTS[1]}
    result_false: ClassVar = {'code': '0', 'data': [{'result': False}], 'msg': ''}

    def __init__(self, engine: Engine, accounts: Mapping[str, Account], *, enforce_limits: bool = True) -> None:
        super().__init__(engine, accounts, enforce_limits=enforce_limits)
        self._used = RollingWindows()

    def serves(self, path: str) -> bool:
        return path.startswith(PREFIX)

    def answer(self, request: Request, times: Times) -> tuple[Answer, list[str]] | None:
        """The answer to a request and the parameters that it does not know; None if its path is none of ours."""
        endpoint = ENDPOINTS.get((request.method, request.path.removeprefix(PREFIX)))
        if endpoint is None or not request.path.startswith(PREFIX):
            return None
        unknown: list[str] = []
        try:
            account = Account('', '', '')
            if endpoint.needs is not None:
                account = self._authenticate(request, times)
            require_permission(endpoint, account)
            parameters, items = _parameters(request, endpoint)
            unknown = sorted({name for each in (parameters, *items) for name in each} - set(endpoint.known))
            self.count((request.method, request.path), endpoint, account, len(items), times.now)
            call = Call(self.engine, account, parameters, items, times.now, request.refuse_every_second)
            rows = endpoint.handle(call)
            return Answer({'code': code_of(rows), 'data': rows, 'msg': ''}), unknown
        except ApiError as error:
            return Answer({'code': error.code, 'data': [], 'msg': error.message}, error.status, error.headers), unknown

    def open_session(self, request: Request, serial: int, peers: Sequence[Session]) -> Session | None:
        if request.path != SOCKET_PATH:
            return None
        return OkxSession(serial, peers, self.engine, self.accounts, self.count, enforce_limits=self.enforce_limits)

    def forget(self) -> None:
        self._used = RollingWindows()

    def count(self, name: tuple[str, str], endpoint: Endpoint, account: Account, items: int, now: int) -> None:
        """By user and endpoint, over HTTP and sockets alike; a batch counts as many as it has items."""
        calls, window = endpoint.limit
        if self.enforce_limits and not self._used.admit((account.key, *name), max(items, 1), calls, window, now):
            raise ApiError(429, *TOO_MANY_REQUESTS)

    def _authenticate(self, request: Request, times: Times) -> Account:
        headers = request.headers
        timestamp = headers.get('OK-ACCESS-TIMESTAMP', '')
        account = self.accounts.get(headers.get('OK-ACCESS-KEY', ''))
        if account is None:
            raise ApiError(401, '50111', 'Invalid OK-ACCESS-KEY')
        if headers.get('OK-ACCESS-PASSPHRASE') != account.passphrase:
            raise ApiError(401, '50105', 'Request header OK-ACCESS-PASSPHRASE incorrect.')
        try:
            signed_at = datetime.strptime(timestamp, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=timezone.utc)
        except ValueError:
            raise ApiError(401, '50112', 'Invalid OK-ACCESS-TIMESTAMP') from None
        if not times.within(signed_at.timestamp() * 1000, TIMESTAMP_TOLERANCE, TIMESTAMP_TOLERANCE):
            raise ApiError(401, '50102', 'Timestamp request expired')
        target = f'{request.path}?{request.query}' if request.query else request.path
        prehash = f'{timestamp}{request.method}{target}{request.body}'
        signed = prehash.encode(errors='surrogateescape')
        digest = base64.b64encode(hmac.new(account.secret.encode(), signed, hashlib.sha256).digest())
        received = headers.get('OK-ACCESS-SIGN', '').encode(errors='surrogateescape')
        if not hmac.compare_digest(digest, received):
            raise ApiError(401, '50113', 'Invalid Sign')
        return account


def _parameters(request: Request, endpoint: Endpoint) -> tuple[Parameters, Rows]:
    """The parameters of a request, or the items of a batch."""
    if request.method == 'GET':
        return dict(parse_qsl(request.query)), []
    try:
        body = parse_json(request.body or '{}')
    except ValueError:
        raise ApiError(400, '50002', 'JSON syntax error') from None
    if endpoint.is_batch:
        if not isinstance(body, list) or not all(isinstance(item, dict) for item in body) or not body:
            raise ApiError(400, '50002', 'JSON syntax error')
        if len(body) > MAX_BATCH:
            raise ApiError(400, '51000', 'Parameter orders error')
        return {}, body
    if not isinstance(body, dict):
        raise ApiError(400, '50002', 'JSON syntax error')
    return body, []
