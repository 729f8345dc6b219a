"""The wire format of Binance's options API over the engine.

https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Market-Maker-Protection-Config
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.engine import Engine, Protection, Rule
from ccxt_mmp.simulator.wire import Account, Answer, ApiError, Request

PREFIX = '/eapi/v1/'
TIME_PATHS = ('/eapi/v1/time', '/api/v3/time')  # ccxt asks the spot API for the time
UNDERLYING_IDS = {'BTCUSDT': 2, 'ETHUSDT': 1}  # 2 is the documented example's, the other is made up
MAX_WINDOW = 5_000
DEFAULT_RECV_WINDOW = 5_000
MAX_RECV_WINDOW = 60_000

RULE_PARAMETERS = ('underlying', 'windowTimeInMilliseconds', 'frozenTimeInMilliseconds', 'qtyLimit', 'deltaLimit')
SECURITY_PARAMETERS = ('timestamp', 'recvWindow', 'signature')

Parameters = dict[str, str]
Endpoint = Callable[[Parameters], dict[str, Any]]


class BinanceVenue:
    name = 'binance'

    def __init__(self, engine: Engine, account: Account) -> None:
        self.engine = engine
        self.account = account
        self.routes: dict[tuple[str, str], tuple[Endpoint, tuple[str, ...]]] = {
            ('POST', 'mmpSet'): (self.set_config, RULE_PARAMETERS),
            ('POST', 'mmpReset'): (self.reset, ('underlying',)),
            ('GET', 'mmp'): (self.get_config, ('underlying',)),
        }

    def answer(self, request: Request, now: int) -> Answer | None:
        """The answer to a request, None if its path is none of ours."""
        if request.method == 'GET' and request.path in TIME_PATHS:
            return Answer({'serverTime': now})
        route = self.routes.get((request.method, request.path.removeprefix(PREFIX)))
        if route is None:
            return None
        endpoint, known = route
        try:
            parameters = dict(parse_qsl('&'.join(part for part in (request.query, request.body) if part)))
            self._authenticate(request, parameters, now)
            unread = [name for name in parameters if name not in known + SECURITY_PARAMETERS]
            if unread:
                read = len(parameters) - len(unread)
                message = (
                    f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(parameters)}'."
                )
                raise ApiError(400, '-1104', message)
            if not self.account.privileged:
                raise ApiError(400, '-6005', 'It is not market maker')
            return Answer(endpoint(parameters))
        except ApiError as error:
            return Answer({'code': int(error.code), 'msg': error.message}, error.status)

    # --- the endpoints

    def set_config(self, parameters: Parameters) -> dict[str, Any]:
        underlying = self._underlying(parameters)
        window = self._integer(parameters, 'windowTimeInMilliseconds')
        if not 0 < window <= MAX_WINDOW:
            raise ApiError(400, '-6001', 'Invalid mmp window time limit')
        protection = self.engine.protection(self.name, underlying)
        protection.rule = Rule(
            window=window,
            frozen_time=self._integer(parameters, 'frozenTimeInMilliseconds', '-6002', 'Invalid mmp frozen time limit'),
            qty_limit=self._positive(parameters, 'qtyLimit'),
            delta_limit=self._positive(parameters, 'deltaLimit'),
        )
        return self._config(underlying, protection.rule, protection)

    def reset(self, parameters: Parameters) -> dict[str, Any]:
        underlying, rule, protection = self._known_rule(parameters)
        self.engine.reset(self.name, underlying)
        return self._config(underlying, rule, protection)

    def get_config(self, parameters: Parameters) -> dict[str, Any]:
        return self._config(*self._known_rule(parameters))

    # --- the shapes

    @staticmethod
    def _config(underlying: str, rule: Rule, protection: Protection) -> dict[str, Any]:
        return {
            'underlyingId': UNDERLYING_IDS[underlying],
            'underlying': underlying,
            'windowTimeInMilliseconds': rule.window,
            'frozenTimeInMilliseconds': rule.frozen_time,
            'qtyLimit': rule.qty_limit,
            'deltaLimit': rule.delta_limit,
            'lastTriggerTime': protection.last_trigger,
        }

    # --- what is refused

    def _authenticate(self, request: Request, parameters: Parameters, now: int) -> None:
        if request.headers.get('X-MBX-APIKEY') != self.account.key:
            raise ApiError(401, '-2015', 'Invalid API-key, IP, or permissions for action.')
        for name in ('timestamp', 'signature'):
            self._text(parameters, name)
        timestamp = self._integer(parameters, 'timestamp')
        window = min(
            self._integer({'recvWindow': str(DEFAULT_RECV_WINDOW), **parameters}, 'recvWindow'), MAX_RECV_WINDOW
        )
        if timestamp >= now + 1000:
            raise ApiError(400, '-1021', "Timestamp for this request was 1000ms ahead of the server's time.")
        if now - timestamp > window:
            raise ApiError(400, '-1021', 'Timestamp for this request is outside of the recvWindow.')
        signed = re.sub(r'&?signature=[^&]*', '', request.query) + re.sub(r'&?signature=[^&]*', '', request.body)
        digest = hmac.new(self.account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(digest, parameters['signature']):
            raise ApiError(400, '-1022', 'Signature for this request is not valid.')

    def _known_rule(self, parameters: Parameters) -> tuple[str, Rule, Protection]:
        underlying = self._underlying(parameters)
        protection = self.engine.protection(self.name, underlying)
        if protection.rule is None:
            raise ApiError(400, '-6006', 'Mmp rules are not existing')
        return underlying, protection.rule, protection

    @staticmethod
    def _text(parameters: Parameters, name: str) -> str:
        value = parameters.get(name, '')
        if value == '':
            raise ApiError(400, '-1102', f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def _underlying(self, parameters: Parameters) -> str:
        underlying = self._text(parameters, 'underlying')
        if underlying not in UNDERLYING_IDS:
            raise ApiError(400, '-6003', 'Invalid underlying')
        return underlying

    def _integer(
        self,
        parameters: Parameters,
        name: str,
        code: str = '-1130',
        message: str = 'Data sent for parameter is not valid.',
    ) -> int:
        text = self._text(parameters, name)
        if not (text.isascii() and text.isdigit()):
            raise ApiError(400, code, message)
        return int(text)

    def _positive(self, parameters: Parameters, name: str) -> str:
        text = self._text(parameters, name)
        if not (text.isascii() and text.replace('.', '', 1).isdigit() and float(text) > 0):
            raise ApiError(400, '-6040', 'Invalid qtyLimit or deltaLimit.')
        return text
