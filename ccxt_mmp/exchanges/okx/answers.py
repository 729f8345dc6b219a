"""How answers of OKX are read: which error they are, and which leave it open what was done."""

from typing import Any
from urllib.parse import unquote

from ccxt.base.errors import (
    BadResponse,
    BaseError,
    NullResponse,
    OperationFailed,
)

from ccxt_mmp.core.request_context import current_request
from ccxt_mmp.core.statuses import error_of_status
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.okx.tables import DONE, MMP_PATHS, NO_CODE, PATHS_WITH_RESULT
from ccxt_mmp.exchanges.okx.underlyings import OkxUnderlyings
from ccxt_mmp.types import Params


class OkxAnswers(OkxUnderlyings):
    """Reads the answers to the plugin's requests and to ccxt's own."""

    def _entries(self, method: str, response: object) -> list[dict[str, Any]]:
        data = response.get('data') if isinstance(response, dict) else None
        if not isinstance(data, list) or not {*map(type, data)} <= {dict}:
            raise BadResponse(f'{self.id} {method}() received an answer without a list of data: {shown(response)}')
        return data

    def _first_entry(self, method: str, response: object) -> dict[str, Any]:
        entries = self._entries(method, response)
        if not entries:
            raise NullResponse(f'{self.id} {method}() received an answer without data: {shown(response)}')
        return entries[0]

    def _family_of(self, method: str, entry: dict[str, Any]) -> str:
        family: str | None = self.safe_string(entry, 'instFamily')
        if family is None:
            raise BadResponse(f'{self.id} {method}() received a rule without an instFamily: {shown(entry)}')
        return family

    def _raise_unless_done(self, method: str, entry: dict[str, Any]) -> None:
        if entry.get('result') is not True:
            raise OperationFailed(f'{self.id} {method}() was not done: {shown(entry)}')

    def _refusal(self, item: Params) -> BaseError | None:
        code = self.safe_string(item, 'sCode')
        if code is None:
            return BadResponse(f'{self.id} received an answer about an order without an sCode: {shown(item)}')
        if code == '0':
            return None
        error = self._matched_error(code, item, self.exceptions['exact'])
        if NO_CODE in str(error):
            self._explain_no_code(error)
        return error

    @staticmethod
    def _explain_no_code(error: Exception) -> None:
        why = (
            'since 2026-02 OKX takes orders over the websocket by instIdCode alone, which the loaded market does not '
            'have: load_markets(True) may tell it, create_order() goes over REST'
        )
        error.args = (f'{error}: {why}',)

    def _refuses_every_item(self, response: object) -> bool:
        """An answer to a batch of which each item says why: ccxt would raise the first reason alone."""
        rows = self.safe_list(response, 'data', []) if isinstance(response, dict) else []
        is_of_items = any(not isinstance(row, dict) or 'sCode' in row for row in rows)
        return is_of_items and self.safe_string(response, 'code') == '1'

    def _raise_mmp_error(self, path: str, code: str, feedback: str) -> None:
        if path == 'trade/mass-cancel':
            self.throw_exactly_matched_exception(self.exceptions['massCancel'], code, feedback)
        self.throw_exactly_matched_exception(self.exceptions['mmp'], code, feedback)

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
        is_success = httpCode == 200 and isinstance(response, dict) and response.get('code') == '0'
        if is_success and path in PATHS_WITH_RESULT and response.get('data') == DONE:
            return None  # a kill switch spends no time on looking for errors
        context = None if is_success and path in MMP_PATHS else current_request(self)
        if context is not None and context.has_items and self._refuses_every_item(response):
            return None
        if context is not None and not context.is_ordinary and not is_coded(response):
            if httpCode >= 400:
                raise error_of_status(self, httpCode, reason, body)
            if response is not None:
                raise BadResponse(f'{self.id} received an answer without a code: {shown(response)}')
        if path not in MMP_PATHS or not isinstance(response, dict):
            handled = super().handle_errors(
                httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
            )
            if context is not None and context.needs_data and httpCode == 200:
                self._entries('fetchOpenOrders', response)
            return handled
        rows = response.get('data')
        rows = rows if isinstance(rows, list) else []
        is_done = True
        for each in (response, *rows):
            if isinstance(each, dict):
                code = each.get('code', each.get('sCode'))
                if code is not None and code != '0':
                    self._raise_mmp_error(path, str(code), f'{self.id} {body}')
                is_done = is_done and (each is response or each.get('result') is True)
        handled = super().handle_errors(
            httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
        )
        if path in PATHS_WITH_RESULT and not is_done:
            raise OperationFailed(f'{self.id} {body}')
        return handled


def is_coded(response: object) -> bool:
    """Whether OKX says by its code what was done; ccxt takes an answer without one for a refusal."""
    return isinstance(response, dict) and response.get('code') not in (None, '')


def api_path(url: str) -> str:
    """The path of the API that a URL has; a proxyUrl prefixes the whole URL and percent-encodes it."""
    unquoted = unquote(url) if '%' in url else url
    return unquoted.partition('/api/v5/')[2].partition('?')[0]


class Pages:
    """The way through a list that OKX gives in pages, the newest orders first."""

    def __init__(self, request: Params) -> None:
        self.request = request  # of the page that comes next
        self._turned: set[str] = set()

    def turn(self, last: str | None) -> bool:
        """Ask next for what is older than the last order of a page; False if that would lead to no other page."""
        if not last or last in self._turned:
            return False
        self._turned.add(last)
        self.request = {**self.request, 'after': last}
        return True
