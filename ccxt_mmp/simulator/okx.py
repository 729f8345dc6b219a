"""OKX's wire format over the engine.

https://www.okx.com/docs-v5/en/#trading-account-rest-api-set-mmp
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

from ccxt_mmp.simulator.engine import Engine, Protection, Rule
from ccxt_mmp.simulator.wire import Account, Answer, ApiError, Request

PREFIX = '/api/v5/'
FAMILIES = ('BTC-USD', 'ETH-USD', 'BTC-USD_UM', 'ETH-USD_UM', 'SOL-USD_UM')
TIMESTAMP_TOLERANCE = 30_000  # ms
MAX_LOCK_INTERVAL = 10_000
MAX_RFQ_WINDOW = 600_000

Parameters = dict[str, Any]


class OkxVenue:
    name = 'okx'

    def __init__(self, engine: Engine, account: Account) -> None:
        self.engine = engine
        self.account = account
        self.routes: dict[tuple[str, str], Callable[[Parameters, int], list[Parameters]]] = {
            ('POST', 'account/mmp-config'): self.set_config,
            ('GET', 'account/mmp-config'): self.get_config,
            ('POST', 'account/mmp-reset'): self.reset,
            ('POST', 'trade/mass-cancel'): self.mass_cancel,
            ('POST', 'rfq/mmp-config'): self.set_rfq_config,
            ('GET', 'rfq/mmp-config'): self.get_rfq_config,
            ('POST', 'rfq/mmp-reset'): self.reset_rfq,
        }

    def answer(self, request: Request, now: int) -> Answer | None:
        """The answer to a request, None if its path is none of ours."""
        path = request.path.removeprefix(PREFIX)
        if (request.method, path) == ('GET', 'public/time'):
            return self._envelope([{'ts': str(now)}])
        endpoint = self.routes.get((request.method, path))
        if endpoint is None:
            return None
        try:
            self._authenticate(request, now)
            return self._envelope(endpoint(self._parameters(request), now))
        except ApiError as error:
            return Answer({'code': error.code, 'data': [], 'msg': error.message}, error.status)

    # --- the endpoints

    def set_config(self, parameters: Parameters, now: int) -> list[Parameters]:
        self._require_privilege('51035', "This account doesn't have permission to submit MM quote order.")
        family = self._family(parameters)
        rule = Rule(
            window=self._integer(parameters, 'timeInterval'),
            frozen_time=self._integer(parameters, 'frozenInterval'),
            qty_limit=self._positive(parameters, 'qtyLimit'),
        )
        self.engine.protection(self.name, family).rule = rule
        return [self._config(family, rule)]

    def get_config(self, parameters: Parameters, now: int) -> list[Parameters]:
        self._require_privilege('51035', "This account doesn't have permission to submit MM quote order.")
        families = [self._family(parameters)] if 'instFamily' in parameters else list(FAMILIES)
        protections = [(family, self.engine.protection(self.name, family)) for family in families]
        return [
            {**self._config(family, protection.rule), **self._freeze(protection, now)}
            for family, protection in protections
            if protection.rule is not None
        ]

    def reset(self, parameters: Parameters, now: int) -> list[Parameters]:
        self._require_privilege('59509', 'Account does not have permission to reset MMP status')
        self.engine.reset(self.name, self._family(parameters))
        return [{'result': True}]

    def mass_cancel(self, parameters: Parameters, now: int) -> list[Parameters]:
        self._require_privilege('51411', 'Account does not have permission for mass cancellation.')
        if self._text(parameters, 'instType') != 'OPTION':
            raise ApiError(400, '51000', 'Parameter instType error')
        family = self._family(parameters)
        lock = self._integer({'lockInterval': '0', **parameters}, 'lockInterval')
        if lock > MAX_LOCK_INTERVAL:
            raise ApiError(200, '54009', f'The range of lockInterval should be [0, {MAX_LOCK_INTERVAL}].')
        self.engine.mass_cancel(self.name, family, now + lock)
        return [{'result': True}]

    def set_rfq_config(self, parameters: Parameters, now: int) -> list[Parameters]:
        self._require_privilege('51035', "This account doesn't have permission to submit MM quote order.")
        rule = Rule(
            window=self._integer(parameters, 'timeInterval'),
            frozen_time=self._integer(parameters, 'frozenInterval'),
            count_limit=self._positive(parameters, 'countLimit'),
        )
        if rule.window > MAX_RFQ_WINDOW:
            raise ApiError(400, '51000', 'Parameter timeInterval error')
        self.engine.protection(self.name, None).rule = rule
        return [self._rfq_config(rule)]

    def get_rfq_config(self, parameters: Parameters, now: int) -> list[Parameters]:
        protection = self.engine.protection(self.name, None)
        if protection.rule is None:
            return []
        return [{**self._rfq_config(protection.rule), **self._freeze(protection, now)}]

    def reset_rfq(self, parameters: Parameters, now: int) -> list[Parameters]:
        self._require_privilege('59509', 'Account does not have permission to reset MMP status')
        self.engine.reset(self.name, None)
        return [{'ts': str(now)}]

    # --- the shapes

    @staticmethod
    def _envelope(data: list[Parameters]) -> Answer:
        return Answer({'code': '0', 'data': data, 'msg': ''})

    @staticmethod
    def _config(family: str, rule: Rule) -> Parameters:
        return {
            'frozenInterval': str(rule.frozen_time),
            'instFamily': family,
            'qtyLimit': rule.qty_limit,
            'timeInterval': str(rule.window),
        }

    @staticmethod
    def _rfq_config(rule: Rule) -> Parameters:
        return {
            'frozenInterval': str(rule.frozen_time),
            'countLimit': rule.count_limit,
            'timeInterval': str(rule.window),
        }

    @staticmethod
    def _freeze(protection: Protection, now: int) -> Parameters:
        # documented as remaining ms today, "" when not frozen or frozen until a reset
        until = protection.frozen_until(now)
        return {
            'mmpFrozen': protection.is_frozen(now),
            'mmpFrozenUntil': '' if until is None else str(until - now),
        }

    # --- what is refused

    def _authenticate(self, request: Request, now: int) -> None:
        headers = request.headers
        timestamp = headers.get('OK-ACCESS-TIMESTAMP', '')
        if headers.get('OK-ACCESS-KEY') != self.account.key:
            raise ApiError(401, '50111', 'Invalid OK-ACCESS-KEY')
        if headers.get('OK-ACCESS-PASSPHRASE') != self.account.passphrase:
            raise ApiError(401, '50105', 'Request header OK-ACCESS-PASSPHRASE incorrect.')
        try:
            signed_at = datetime.strptime(timestamp, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=timezone.utc)
        except ValueError:
            raise ApiError(401, '50112', 'Invalid OK-ACCESS-TIMESTAMP') from None
        if abs(now - signed_at.timestamp() * 1000) > TIMESTAMP_TOLERANCE:
            raise ApiError(401, '50102', 'Timestamp request expired')
        target = f'{request.path}?{request.query}' if request.query else request.path
        prehash = f'{timestamp}{request.method}{target}{request.body}'
        digest = hmac.new(self.account.secret.encode(), prehash.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(digest).decode(), headers.get('OK-ACCESS-SIGN', '')):
            raise ApiError(401, '50113', 'Invalid Sign')

    def _require_privilege(self, code: str, message: str) -> None:
        # which code the config endpoints answer without the privilege is not documented [unverified]
        if not self.account.privileged:
            raise ApiError(200, code, message)

    @staticmethod
    def _parameters(request: Request) -> Parameters:
        if request.method == 'GET':
            return dict(parse_qsl(request.query))
        try:
            parameters = json.loads(request.body or '{}')
        except ValueError:
            raise ApiError(400, '50002', 'JSON syntax error') from None
        if not isinstance(parameters, dict):
            raise ApiError(400, '50002', 'JSON syntax error')
        return parameters

    @staticmethod
    def _text(parameters: Parameters, name: str) -> str:
        value = parameters.get(name)
        if value is None or value == '':
            raise ApiError(400, '50014', f'Parameter {name} can not be empty.')
        if not isinstance(value, str):
            raise ApiError(400, '51000', f'Parameter {name} error')
        return value

    def _family(self, parameters: Parameters) -> str:
        family = self._text(parameters, 'instFamily')
        if family not in FAMILIES:
            # which code names an unknown family here is not documented [unverified]
            raise ApiError(400, '51000', 'Parameter instFamily error')
        return family

    def _integer(self, parameters: Parameters, name: str) -> int:
        text = self._text(parameters, name)
        if not (text.isascii() and text.isdigit()):
            raise ApiError(400, '51000', f'Parameter {name} error')
        return int(text)

    def _positive(self, parameters: Parameters, name: str) -> str:
        text = self._text(parameters, name)
        if not (text.isascii() and text.replace('.', '', 1).isdigit() and float(text) > 0):
            raise ApiError(400, '51000', f'Parameter {name} error')
        return text
