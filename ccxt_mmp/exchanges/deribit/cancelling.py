"""The kill switch on Deribit.

https://docs.deribit.com/api-reference/trading/private-cancel_by_label
"""

from collections import defaultdict
from functools import partial
from typing import Any

from ccxt.base.errors import BadRequest, BadResponse, BaseError, NotSupported, OrderNotFound

from ccxt_mmp.core.editing import UNKNOWN_FILL
from ccxt_mmp.core.kill_switch import Outcome, Progress, Send, all_of
from ccxt_mmp.core.mass_cancels import NOT_TOLD
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers
from ccxt_mmp.exchanges.deribit.tables import ALL
from ccxt_mmp.types import MassCancel, Params, Stock

NAMES_OF_INDEX = ('index_name', 'currency_pair')  # of the parameter that a refusal is about
LEAST_PAUSE = 50  # ms, in which one request that matches nothing gets its credit back


class DeribitCancelling(DeribitAnswers):
    """``mass_cancel_mmp`` in one request or in several."""

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        return await self._mass_cancel_over(None, underlying, params)

    async def _mass_cancel_mmp_ws(self, underlying: str | None, params: Params) -> MassCancel:
        self._require_socket('massCancelMmpWs')
        return await self._mass_cancel_over(self._send_over_socket, underlying, params)

    async def _mass_cancel_over(self, send: Send | None, underlying: str | None, params: Params) -> MassCancel:
        """send: the way of its requests, by default REST."""
        scope, params = self._mmp_scope('massCancelMmp', params)
        named, params = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        if scope == 'rfq':
            raise NotSupported(f'{self.id} massCancelMmp() cancels orders, there is none in the scope rfq')
        params, index = self._mass_cancel_params(params), str(named)
        hedge, params = self._is_hedged(params, send)
        include_non_mmp, params = self._flag_option('massCancelMmp', 'includeNonMmp', params)
        if include_non_mmp:
            cancel = partial(self._cancel_all_of, index)
        else:
            cancel = partial(self._cancel_listed, index, self._sent(params))
        with self._mass_cancel(index, params) as progress:
            progress.send = send
            cancelled: MassCancel = (await self._hedged(cancel, progress))[0] if hedge else await cancel(progress)
        return cancelled

    async def _cancel_all_of(self, index: str, progress: Progress) -> MassCancel:
        """Every order of an index, with the flag or without."""
        request = {'currency_pair': index}
        response = await self._only_request('POST cancel_all_by_currency_pair', request, index, progress)
        #
        #     {"jsonrpc":"2.0","id":1,"result":4}
        #
        return self._mass_cancelled(index, response, None)

    async def _find_underlyings(self, params: Params, progress: Progress, found: set[str]) -> None:
        response = await self._urgent_request('POST get_mmp_config', {}, progress)
        #
        #     {"jsonrpc":"2.0","id":3,"result":[{"index_name":"btc_usd","interval":2,"frozen_time":5,...}]}
        #
        listed = self._entries('massCancelMmps', response)
        entries = [each for each in listed if each.get('index_name') != ALL]  # which has trades, and no orders
        found |= {str(entry['index_name']) for entry in entries if entry.get('index_name')}
        for entry in entries:
            self._index_of('massCancelMmps', entry)  # else others are not known

    def _underlying_of_mmp(self, row: Any) -> str | None:
        if isinstance(row, dict) and row.get('mmp') is False:
            return None
        market_id = str(row.get('instrument_name')) if isinstance(row, dict) else ''
        return self._underlying_named(market_id) or NOT_TOLD

    def _confirm_cancelled(self, answer: Any) -> None:
        if self._number_cancelled(answer) is None:
            raise BadResponse(f'{self.id} massCancelMmp() received an answer that is no success: {shown(answer)}')

    def _until_room(self, endpoint: str) -> float:
        """Credit for one request comes back in a moment, whoever used it up."""
        calls, milliseconds = self._mmp_rate_limit(endpoint) or (1, LEAST_PAUSE)
        return max(milliseconds / calls, LEAST_PAUSE)

    def _says_no_such_underlying(self, error: Exception) -> bool:
        is_of_name = isinstance(error, BadRequest) and any(name in str(error) for name in NAMES_OF_INDEX)
        return is_of_name or super()._says_no_such_underlying(error)

    async def _list_open_orders(self, index: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        response = await self._urgent_request('POST get_open_orders', params, progress)
        listed = response.get('result') if isinstance(response, dict) else None
        if not isinstance(listed, list):
            raise BadResponse(f'{self.id} massCancelMmp() received an answer without a list: {shown(response)}')
        #
        #     {"jsonrpc":"2.0","id":1953,"result":[
        #         {"order_id":"ETH-349249","instrument_name":"ETH-PERPETUAL","label":"mmp:eth_usd","mmp":true,...}
        #     ]}
        #
        shared = {
            row.get('label')
            for row in listed
            if index and isinstance(row, dict) and self._is_to_cancel(row, index) is not True
        }
        # a label that others have, too, cannot tell which to cancel
        rows += [
            {**row, 'label': ''} if isinstance(row, dict) and row.get('label') in shared else row for row in listed
        ]

    def _is_to_cancel(self, row: Params, index: str) -> bool | None:
        """Whether a listed order is an MMP order of the index; None if it does not say."""
        market_id = str(row.get('instrument_name'))
        named = self._underlying_named(market_id)
        return all_of(None if named is None else named == index, self.safe_bool(row, 'mmp'))

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        """Quotes, the orders of each label, and every other order by itself; those that one request cancels first."""
        together: defaultdict[tuple[bool, str], dict[str, Params]] = defaultdict(dict)
        alone: list[dict[str, Params]] = []
        for order_id, row in resting.items():
            is_quote, label = is_of_quotes(row), self.safe_string(row, 'label')
            if is_quote or label:
                together[is_quote, '' if is_quote else str(label)][order_id] = row
            else:
                alone.append({order_id: row})
        return [*together.values(), *alone]

    async def _cancel_chunk(self, chunk: dict[str, Params], index: str, params: Params, progress: Progress) -> Outcome:
        first = next(iter(chunk.values()))
        label = self.safe_string(first, 'label')
        if is_of_quotes(first):
            request = {'cancel_type': 'currency_pair', 'currency_pair': index}
            answer = await self._urgent_request('POST cancel_quotes', request, progress)
            return self._outcome_of_many(chunk, answer, index)
        if label:
            answer = await self._urgent_request('POST cancel_by_label', {'label': label}, progress)
            return self._outcome_of_many(chunk, answer, index)
        [order_id] = chunk
        try:
            answer = await self._urgent_request('POST cancel', {'order_id': order_id}, progress)
        except OrderNotFound:
            return Outcome(gone={order_id})
        #
        #     {"jsonrpc":"2.0","id":4214,"result":{"order_id":"ETH-SLIS-12","order_state":"cancelled",...}}
        #
        order = self._result('massCancelMmp', answer)
        if not isinstance(order, dict) or self.safe_string(order, 'order_id') != order_id:
            return Outcome(
                refusals=[BadResponse(f'{self.id} massCancelMmp() was told of another order: {shown(answer)}')]
            )
        if self.safe_string(order, 'order_state') != 'cancelled':
            return Outcome(gone={order_id} if self.safe_string(order, 'order_state') == 'filled' else set())
        return Outcome({order_id: self._cancelled_order(order, first['instrument_name'], index)})

    def _outcome_of_many(self, chunk: dict[str, Params], answer: Any, index: str) -> Outcome:
        """The answer has their number alone. If it is lower, the list tells which of them are left."""
        number = self._number_cancelled(answer)
        if number is None or number < len(chunk):
            error: BaseError = BadResponse(
                f'{self.id} massCancelMmp() cancelled {number} of {len(chunk)} orders: {shown(answer)}'
            )
            return Outcome(refusals=[error])
        cancelled = {}
        for order_id, row in chunk.items():
            order = self._cancelled_order({**row, 'order_state': 'cancelled'}, row['instrument_name'], index)
            # it may have been filled in part since it was listed
            cancelled[order_id] = {**order, **UNKNOWN_FILL, 'info': row}
        return Outcome(cancelled)

    def _number_cancelled(self, answer: Any) -> int | None:
        number = answer.get('result') if isinstance(answer, dict) else None
        return None if isinstance(number, bool) else self._safe_integer({'number': number}, 'number')

    def cancel_orders(self, *arguments: Any) -> Any:
        # older versions of ccxt have none at all
        raise NotSupported(f'{self.id} cancelOrders() is not supported')

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        raise NotSupported(
            f'{self.id} cancelAllOrdersAfter() is not supported: Deribit has no countdown. It can cancel on disconnect '
            'the orders of a websocket connection (private/enable_cancel_on_disconnect), over the websocket alone'
        )


def is_of_quotes(row: Params) -> bool:
    """Whether an order is one of mass quotes, which are all MMP."""
    return row.get('quote') is True
