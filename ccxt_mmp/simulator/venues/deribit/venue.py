"""The simulated Deribit: how a request is routed, authenticated and counted. JSON-RPC over GET and POST.

https://docs.deribit.com/
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.limits import Buckets
from ccxt_mmp.simulator.session import Session
from ccxt_mmp.simulator.venue import Venue
from ccxt_mmp.simulator.venues.deribit.calls import (
    Bucket,
    Call,
    Endpoint,
    Logins,
    Parameters,
    refusal,
    require_scope,
    rpc_answer,
    rpc_error,
)
from ccxt_mmp.simulator.venues.deribit.endpoints import ENDPOINTS, bucket
from ccxt_mmp.simulator.venues.deribit.listing import DeribitListing
from ccxt_mmp.simulator.venues.deribit.stream import DeribitSession
from ccxt_mmp.simulator.venues.deribit.tables import (
    AHEAD,
    BUCKETS,
    INVALID_CREDENTIALS,
    INVALID_REQUEST,
    INVALID_TOKEN,
    PARSE_ERROR,
    PREFIX,
    ROOT,
    SIGNATURE_LIFE,
    SOCKET_PATH,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
)
from ccxt_mmp.simulator.wire import Answer, ApiError, Request, Times, is_natural, parse_json

HMAC, BEARER, BASIC = 'deri-hmac-sha256', 'bearer', 'basic'
NOBODY = Account('', '', '')  # who asks for what is public


class DeribitVenue(Venue):
    listing = DeribitListing()
    too_many_requests: ClassVar = {
        'jsonrpc': '2.0',
        'error': {'code': TOO_MANY_REQUESTS[0], 'message': TOO_MANY_REQUESTS[1]},
        'testnet': False,
    }
    result_false: ClassVar = {'jsonrpc': '2.0', 'result': False, 'testnet': False}

    def __init__(self, engine: Engine, accounts: Mapping[str, Account], *, enforce_limits: bool = True) -> None:
        super().__init__(engine, accounts, enforce_limits=enforce_limits)
        self._used = Buckets()
        self._logins = Logins()

    def serves(self, path: str) -> bool:
        return path == ROOT or path.startswith(PREFIX)

    def answer(self, request: Request, times: Times) -> tuple[Answer, list[str]] | None:
        """The answer to a request and the parameters that it does not know; None if its path is none of ours."""
        if not self.serves(request.path) or request.method not in ('GET', 'POST'):
            return None
        method = request.path.removeprefix(ROOT).removeprefix('/')
        envelope: Parameters = {}
        unknown: list[str] = []
        try:
            if request.method == 'POST':
                method, envelope = _read_envelope(request, method)
            parameters = envelope.get('params', {}) if envelope else dict(parse_qsl(request.query))
            endpoint = ENDPOINTS.get(method)
            if endpoint is None:
                return None
            if not isinstance(parameters, dict):
                raise ApiError(400, '-32602', 'Invalid params')
            account = NOBODY if endpoint.needs is None else self._authenticate(request, times)
            unknown = sorted(set(parameters) - set(endpoint.known))
            result = self._perform(endpoint, parameters, account, times)
            return Answer(rpc_answer(envelope, times.now, {'result': result})), unknown
        except ApiError as error:
            return Answer(rpc_answer(envelope, times.now, rpc_error(error)), error.status, error.headers), unknown

    def open_session(self, request: Request, serial: int, peers: Sequence[Session]) -> Session | None:
        if request.path != SOCKET_PATH:
            return None
        return DeribitSession(serial, peers, self.engine, self._perform_on_socket, self._logged_in, self._subscribed)

    def forget(self) -> None:
        self._used = Buckets()

    def _perform(self, endpoint: Endpoint, parameters: Parameters, account: Account, times: Times) -> Any:
        require_scope(endpoint, account)
        call = Call(self.engine, account, parameters, times, self._logins, self.accounts.get)
        self._count(account, bucket(endpoint, call), times.now)
        return endpoint.handle(call)

    # --- for its websockets

    def _perform_on_socket(self, method: str, parameters: Parameters, account: Account | None, times: Times) -> Any:
        """What a method says; None if there is none of that name."""
        endpoint = ENDPOINTS.get(method)
        if endpoint is None:
            return None
        if endpoint.needs is None:
            return self._perform(endpoint, parameters, NOBODY, times)
        if account is None:
            raise refusal(UNAUTHORIZED)
        return self._perform(endpoint, parameters, account, times)

    def _logged_in(self, token: str) -> Account:
        """How long the login of a connection lasts is not documented: as long as the connection [unverified]."""
        return self._logins.tokens[token][0]

    def _subscribed(self, account: Account, now: int) -> None:
        self._count(account, 'subscribe', now)

    # --- limits and credentials

    def _count(self, account: Account, name: Bucket, now: int) -> None:
        burst, rate = BUCKETS[name]
        if self.enforce_limits and not self._used.admit((account.key, name), burst, rate, now):
            raise refusal(TOO_MANY_REQUESTS)

    def _authenticate(self, request: Request, times: Times) -> Account:
        kind, _, given = request.headers.get('Authorization', '').partition(' ')
        if kind.lower() == HMAC:
            return self._signed(request, given, times)
        if kind.lower() == BEARER:
            account, ends = self._logins.tokens.get(given, (None, 0))
            if account is None or times.now >= ends:
                raise refusal(INVALID_TOKEN)
            return account
        if kind.lower() == BASIC:
            try:
                key, _, secret = base64.b64decode(given, validate=True).decode().partition(':')
            except ValueError:
                raise refusal(INVALID_CREDENTIALS) from None
            return self._known(key, secret)
        raise refusal(UNAUTHORIZED)

    def _known(self, key: str, secret: str) -> Account:
        account = self.accounts.get(key)
        if account is None or not hmac.compare_digest(account.secret.encode(), secret.encode()):
            raise refusal(INVALID_CREDENTIALS)
        return account

    def _signed(self, request: Request, given: str, times: Times) -> Account:
        fields = dict(each.strip().partition('=')[::2] for each in given.split(','))
        account = self.accounts.get(fields.get('id', ''))
        timestamp, nonce = fields.get('ts', ''), fields.get('nonce', '')
        if account is None:
            raise refusal(INVALID_CREDENTIALS)
        target = f'{request.path}?{request.query}' if request.query else request.path
        signed = f'{timestamp}\n{nonce}\n{request.method}\n{target}\n{request.body}\n'
        digest = hmac.new(account.secret.encode(), signed.encode(errors='surrogateescape'), hashlib.sha256).hexdigest()
        received = fields.get('sig', '').encode(errors='surrogateescape')
        if not hmac.compare_digest(digest.encode(), received):
            raise refusal(INVALID_CREDENTIALS)
        if not is_natural(timestamp) or not times.within(int(timestamp), SIGNATURE_LIFE, AHEAD):
            raise refusal(INVALID_TOKEN)
        if not nonce or (account.key, nonce) in self._logins.nonces:
            raise refusal(INVALID_TOKEN)
        self._logins.nonces.add((account.key, nonce))
        return account


def _read_envelope(request: Request, path: str) -> tuple[str, Parameters]:
    """The method that a POST asks for, and its whole JSON-RPC envelope."""
    try:
        body = parse_json(request.body)
    except ValueError:
        raise refusal(PARSE_ERROR) from None
    method = body.get('method') if isinstance(body, dict) else None
    if not isinstance(method, str) or path not in ('', method):
        raise refusal(INVALID_REQUEST)
    return method, body
