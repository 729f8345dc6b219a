"""How requests to Deribit are signed, and how its answers are read: which error they are.

https://docs.deribit.com/articles/json-rpc-overview
"""

import hashlib
import json
import secrets
from typing import Any

from ccxt.base.errors import BadResponse, BaseError

from ccxt_mmp.core.numbers import exact_decimal, is_integer, plain
from ccxt_mmp.core.request_context import current_request
from ccxt_mmp.core.statuses import error_of_status
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.deribit.tables import NUMBERS
from ccxt_mmp.exchanges.deribit.underlyings import DeribitUnderlyings
from ccxt_mmp.types import Params

ROOT = '/api/v2/'


class DeribitAnswers(DeribitUnderlyings):
    """Signs requests, those of ccxt too, and reads the answers."""

    def _result(self, method: str, response: object) -> Any:
        if not isinstance(response, dict) or response.get('result') is None:
            raise BadResponse(f'{self.id} {method}() received an answer without a result: {shown(response)}')
        return response['result']

    def _entries(self, method: str, response: object) -> list[Params]:
        entries = self._result(method, response)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadResponse(f'{self.id} {method}() received an answer that is no list: {shown(response)}')
        return entries

    def _index_of(self, method: str, entry: Params) -> str:
        index: str | None = self.safe_string(entry, 'index_name')
        if index is None:
            raise BadResponse(f'{self.id} {method}() received a rule without an index_name: {shown(entry)}')
        return index

    def _refusal(self, item: Params) -> BaseError | None:
        code = self.safe_string(item, 'code')
        return None if code is None else self._matched_error(code, item, self.exceptions)

    def _errors_of_others(self) -> Params:
        errors: Params = self.exceptions
        return errors

    def nonce(self) -> Any:
        # ccxt passes over the difference
        return self.milliseconds() - (self.safe_integer(self.options, 'timeDifference') or 0)

    def sign(
        self, path: str, api: Any = 'public', method: str = 'GET', params: Any = {}, *others: Any, **named: Any
    ) -> Any:
        """What is private goes out as POST, with a nonce that is never used again.

        aiohttp repeats a GET whose kept connection drops: an order would be placed twice, and what only reads would be
        refused, since its nonce was used.
        """
        signed = super().sign(path, api, method, params, *others, **named)
        if (api if isinstance(api, str) else api[0]) != 'private':
            return signed
        host = signed['url'].partition(ROOT)[0]
        target, body = f'{ROOT}private/{path}', envelope(path, params)
        time, nonce = str(self.nonce()), secrets.token_hex(8)
        text = f'{time}\n{nonce}\nPOST\n{target}\n{body}\n'
        signature = self.hmac(self.encode(text), self.encode(self.secret), hashlib.sha256)
        headers = {
            'Content-Type': 'application/json',
            'Authorization': f'deri-hmac-sha256 id={self.apiKey},ts={time},sig={signature},nonce={nonce}',
        }
        return {'url': host + target, 'method': 'POST', 'body': body, 'headers': headers}

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
        context = current_request(self)
        is_own = context is not None and not context.is_ordinary
        is_of_order = context is not None and context.is_of_orders is True
        if is_own and httpCode >= 400 and not is_error(response):
            raise error_of_status(self, httpCode, reason, body)
        if is_own and isinstance(response, (dict, list)) and not is_rpc(response):
            raise BadResponse(f'{self.id} received an answer with neither a result nor an error: {shown(response)}')
        if is_own and is_of_order and is_rpc(response) and not has_order(response):
            raise BadResponse(f'{self.id} received an answer without an order: {shown(response)}')
        return super().handle_errors(
            httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
        )


def is_rpc(response: object) -> bool:
    """Whether an answer says what came of the request."""
    return isinstance(response, dict) and ('result' in response or is_error(response))


def is_error(response: object) -> bool:
    """Whether Deribit says by its code why the request was refused; ccxt takes an error without one for a refusal."""
    error = response.get('error') if isinstance(response, dict) else None
    return isinstance(error, dict) and error.get('code') not in (None, '')


def has_order(response: Any) -> bool:
    """Whether an answer is about an order, or says why there is none: ccxt stumbles over any other."""
    result = response.get('result')
    return is_error(response) or (isinstance(result, dict) and isinstance(result.get('order'), dict))


def envelope(path: str, params: Params) -> str:
    """The body of a POST, with its numbers as plain decimals. Each connection has one at a time: any id will do."""
    fields = ','.join(f'{json.dumps(name)}:{_json(name, value)}' for name, value in params.items() if value is not None)
    return f'{{"jsonrpc":"2.0","id":1,"method":"private/{path}","params":{{{fields}}}}}'


def json_value(name: str, value: object) -> Any:
    """A value as JSON has it: what ccxt makes a text of is a number."""
    number = exact_decimal(value) if name in NUMBERS else None
    if number is None:
        return value
    return int(number) if is_integer(number) else float(number)


def _json(name: str, value: object) -> str:
    number = exact_decimal(value) if name in NUMBERS else None
    return json.dumps(value) if number is None else plain(number)
