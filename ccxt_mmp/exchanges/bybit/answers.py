"""How answers of Bybit are read: which error they are, what came of each order, and which orders have the tag.

https://bybit-exchange.github.io/docs/v5/error
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ccxt.base.errors import (
    BadResponse,
    BaseError,
    DDoSProtection,
    ExchangeError,
)

from ccxt_mmp.core.request_context import REFUSALS, current_request
from ccxt_mmp.core.statuses import error_of_status
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.bybit.tables import CREATE, HEX_DIGITS, LINK_ID, MAX_ROWS, MAX_TAG, MMP_TAG, RECV_WINDOW
from ccxt_mmp.exchanges.bybit.underlyings import BybitUnderlyings
from ccxt_mmp.types import Params


class BybitAnswers(BybitUnderlyings):
    """Reads the answers to the plugin's requests and to ccxt's own."""

    def _entries(self, method: str, response: Any) -> list[Params]:
        """The rules in an answer: the documentation has them in a result of its own, others in the answer's."""
        result = response.get('result')
        entries = result.get('result') if isinstance(result, dict) else result
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise BadResponse(f'{self.id} {method}() received an answer without a list of rules: {shown(response)}')
        return entries

    def _result(self, method: str, response: object) -> Params:
        result = response.get('result') if isinstance(response, dict) else None
        if not isinstance(result, dict):
            raise BadResponse(f'{self.id} {method}() received an answer without a result: {shown(response)}')
        return result

    def _listed(self, method: str, response: object) -> list[Any]:
        listed = self._result(method, response).get('list')
        if not isinstance(listed, list):
            raise BadResponse(f'{self.id} {method}() received an answer without a list: {shown(response)}')
        return listed

    def _items(self, method: str, response: Any, number: int | None = None) -> list[Any]:
        """What an answer to a batch says of each order: what it is called, and what came of it.

        number: of orders in the batch
        """
        #
        #     {"retCode":0,"retMsg":"OK","result":{"list":[
        #         {"category":"spot","symbol":"BTCUSDT","orderId":"1666800494330512128","orderLinkId":"spot-btc-03"},
        #         {"category":"spot","symbol":"ATOMUSDT","orderId":"","orderLinkId":"1666800494330512129"}
        #     ]},"retExtInfo":{"list":[
        #         {"code":0,"msg":"OK"},{"code":170213,"msg":"Order does not exist."}
        #     ]},"time":1713434299047}
        #
        rows = self._listed(method, response)
        outcomes = self._listed(method, {'result': response.get('retExtInfo')})
        is_of_all = len(rows) == len(outcomes) and number in (None, len(rows))
        if not is_of_all or not {*map(type, (*rows, *outcomes))} <= {dict}:
            raise BadResponse(f'{self.id} {method}() was not told about each order: {shown(response)}')
        return [{**row, **outcome} for row, outcome in zip(rows, outcomes, strict=True)]

    def _refusal(self, item: Params) -> BaseError | None:
        code = self.safe_string(item, 'code')
        if code is None:
            return BadResponse(f'{self.id} received an answer about an order without a code: {shown(item)}')
        return None if code == '0' else self._matched_error(code, item, self.exceptions['exact'])

    async def _read_pages(
        self,
        method: str,
        ask: Callable[[Params], Awaitable[Any]],
        request: Params,
        rows: list[Any],
        must_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Add the rows of as many pages as it takes, the newest first.

        A cursor may stand on the last page, too, and on one that is empty: orders may be on the next.
        """
        request, cursors = {**request, 'limit': str(MAX_ROWS)}, set[str]()
        while True:
            response = await ask(request)
            page = self._listed(method, response)
            rows += page
            cursor = self.safe_string(self._result(method, response), 'nextPageCursor')
            is_same_again = not page and cursor == request.get('cursor')
            if not cursor or is_same_again:
                return
            if cursor in cursors or must_stop():
                raise BadResponse(f'{self.id} {method}() could not list all orders, only {len(rows)}')
            cursors.add(cursor)
            request = {**request, 'cursor': cursor}

    # --- the tag

    def _mmp_tag(self, method: str, error: type[ExchangeError]) -> str:
        """What begins the client order id of an MMP order: no answer says that an order is one."""
        tag, _ = self._mmp_option('createOrder', 'mmpTag', MMP_TAG, {})
        if (
            not isinstance(tag, str)
            or not LINK_ID.fullmatch(tag)
            or len(tag) > MAX_TAG
            or HEX_DIGITS.issuperset(tag)  # ids that ccxt makes may begin so
        ):
            raise error(
                f"{self.id} {method}() options['createOrder']['mmpTag'] must be a text of at most {MAX_TAG} letters, "
                f'digits, hyphens and underscores that is no hexadecimal number, received {shown(tag)}'
            )
        return tag

    def _has_tag(self, link_id: object) -> bool:
        tag, _ = self._mmp_option('createOrder', 'mmpTag', MMP_TAG, {})
        return isinstance(tag, str) and tag != '' and isinstance(link_id, str) and link_id.startswith(tag)

    # --- ccxt's hooks

    def sign(self, *arguments: Any, **keywords: Any) -> Any:
        self.options.setdefault('recvWindow', RECV_WINDOW)  # options that the user replaced may lack it
        return super().sign(*arguments, **keywords)

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
        if context is not None and not context.is_ordinary:
            if httpCode == 403:  # ccxt takes it for a limit of the account: it would be asked again
                raise DDoSProtection(f'{self.id} {httpCode} {reason} {body}')
            if httpCode >= 400 and not is_coded(response):
                raise error_of_status(self, httpCode, reason, body)
            if response is not None and not is_coded(response):
                raise BadResponse(f'{self.id} received an answer without a retCode: {shown(response)}')
        handled = super().handle_errors(
            httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
        )
        if context is not None and context.underlyings and CREATE in url:
            self._note_accepted(context.underlyings, accepted_ids(response))
            self._note_accepted(context.underlyings, self._untold(context.client_ids, response))
        return handled

    def _untold(self, link_ids: Sequence[str], response: Any) -> list[str]:
        """The orders of a request that its answer neither acknowledges nor refuses, by their ids of the client."""
        if len(accepted_ids(response)) == len(link_ids):
            return []
        try:
            items = self._items('createOrders', response, len(link_ids))
        except BadResponse:
            return [*link_ids]
        return [each for each, item in zip(link_ids, items, strict=True) if not self._is_told(item)]

    def _is_told(self, item: Params) -> bool:
        """Whether an item of an answer acknowledges or refuses its order."""
        refusal = self._refusal(item)
        return bool(item.get('orderId')) if refusal is None else isinstance(refusal, REFUSALS)


def accepted_ids(response: Any) -> list[str]:
    """The ids of the orders that an answer acknowledges."""
    result = response.get('result') if isinstance(response, dict) else None
    rows = result.get('list', [result]) if isinstance(result, dict) else []
    ids = [row.get('orderId') for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [each for each in ids if isinstance(each, str) and each]


def is_coded(response: object) -> bool:
    """Whether Bybit says by its code what was done; ccxt takes an answer without one for a refusal."""
    return isinstance(response, dict) and response.get('retCode') not in (None, '')
