"""How answers of Binance are read: which error they are, and which leave it open what was done."""

from typing import Any
from urllib.parse import unquote

from ccxt.base.errors import BadResponse, BaseError, OperationRejected

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.request_context import RequestContext, current_request
from ccxt_mmp.core.statuses import error_of_status
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.binance.tables import CANCEL_ALL, OPTIONS_API, USED_WEIGHT
from ccxt_mmp.exchanges.binance.underlyings import BinanceUnderlyings
from ccxt_mmp.types import Params


class NoMmpRuleError(OperationRejected):
    """-6006 to a question is an answer: no rule is set."""


class BinanceAnswers(BinanceUnderlyings):
    """Reads the answers to the plugin's requests and to ccxt's own."""

    async def _load_time_difference(self, **about: Any) -> None:
        # ccxt would ask the spot API, which is another host
        with RequestContext(self, self._time_endpoint, **about):
            response = await await_result(self.eapiPublicGetTime())
        server_time = self._safe_integer(response, 'serverTime') if isinstance(response, dict) else None
        if server_time is None:
            raise BadResponse(f'{self.id} received an answer without a serverTime: {shown(response)}')
        self.options['timeDifference'] = self.milliseconds() - server_time
        self._mmp_clock_adjusted = True

    def _note_used_weight(self, headers: Any) -> None:
        for name, value in (headers or {}).items():
            if len(name) == len(USED_WEIGHT) and name.upper() == USED_WEIGHT and str(value).isdigit():
                self._mmp_used_weight = int(value)

    def _refusal(self, item: Params) -> BaseError | None:
        code = self.safe_string(item, 'code')
        return None if code is None else self._matched_error(code, item, self.exceptions['option']['exact'])

    def _errors_of_others(self) -> Params:
        return {**super()._errors_of_others(), **self.exceptions.get('linear', {}).get('exact', {})}

    def get_exceptions_by_url(self, url: str | None, exactOrBroad: str) -> Any:
        # ccxt knows the options API by its public host alone
        if options_path(url or ''):
            return self.exceptions['option'].get(exactOrBroad, {})
        return super().get_exceptions_by_url(url, exactOrBroad)

    def handle_errors(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        requestHeaders: Any,
        requestBody: Any,
    ) -> Any:
        path = options_path(url)
        if path:
            self._note_used_weight(headers)
        if code == 200 and path == CANCEL_ALL and type(response) is dict and response.get('code') == 0:
            return None  # a kill switch spends no time on looking for errors
        context = current_request(self) if path else None
        is_own = context is not None and not context.is_ordinary
        # of 418 and 429 ccxt says itself that they are limits
        if is_own and code >= 400 and code not in (418, 429) and not is_coded(response):
            raise error_of_status(self, code, reason, body)
        if isinstance(response, list) and context is not None and (context.has_items or context.endpoint):
            return None  # each item says for itself; ccxt would raise what a single one says
        if path == 'mmp' and self.safe_string(response, 'code') == '-6006':
            raise NoMmpRuleError(f'{self.id} {body}')
        return super().handle_errors(code, reason, url, method, headers, body, response, requestHeaders, requestBody)


def is_coded(response: object) -> bool:
    """Whether Binance says by its code why it refused."""
    return isinstance(response, dict) and response.get('code') not in (None, '')


def options_path(url: str) -> str | None:
    """The path of the options API that a URL has; a proxyUrl prefixes the whole URL and percent-encodes it."""
    found = OPTIONS_API.search(unquote(url) if '%' in url else url)
    return found['path'] if found else None
