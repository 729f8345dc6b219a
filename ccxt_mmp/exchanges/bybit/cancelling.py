"""The kill switch on Bybit, by the tag of MMP orders, and the other ways to cancel several orders.

https://bybit-exchange.github.io/docs/v5/order/batch-cancel
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ccxt.base.errors import (
    BadRequest,
    BadResponse,
    BaseError,
    OperationFailed,
    OrderNotFound,
    RateLimitExceeded,
)

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.core.acknowledging import PAUSE
from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.batch_cancelling import cancelled_in_batches
from ccxt_mmp.core.editing import UNKNOWN_FILL
from ccxt_mmp.core.kill_switch import RETRIES, Outcome, Progress, all_of
from ccxt_mmp.core.mass_cancels import NOT_TOLD
from ccxt_mmp.core.numbers import EXACT, exact_decimal
from ccxt_mmp.core.orders import Answer, chunked, failed
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import shown
from ccxt_mmp.core.throttling import MARGIN
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.exchanges.bybit.answers import BybitAnswers
from ccxt_mmp.exchanges.bybit.tables import (
    CATEGORY,
    CLOSED_STATES,
    LEAST_COUNTDOWN,
    MAX_BATCH,
    MAX_ROWS,
    MOST_COUNTDOWN,
    OPTION_ID,
    SECOND,
)
from ccxt_mmp.types import MassCancel, Order, Params, Stock

CANCEL_ALL, CANCEL_BATCH = 'POST order/cancel-all', 'POST order/cancel-batch'
WRONG_PARAMETER = Pattern(r'retCode\W+10001\b')  # in the text of an error


class BybitCancelling(BybitAnswers):
    """``mass_cancel_mmp`` by the tag, or of all orders of a coin in one request."""

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        scope, params = self._mmp_scope('massCancelMmp', params)
        named, params = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        params, coin = self._mass_cancel_params(params), str(named)
        _, params = self._is_hedged(params)
        include_non_mmp, params = self._flag_option('massCancelMmp', 'includeNonMmp', params)
        if not include_non_mmp:
            self._mmp_tag('massCancelMmp', BadRequest)  # one that is none is refused before anything is sent
        with self._mass_cancel(coin, params) as progress:
            if not include_non_mmp:
                try:
                    return await self._cancel_listed(coin, self._sent(params), progress)
                except MassCancelIncomplete:
                    self._raise_if_no_coin(coin, progress)
                    raise
            request = {'category': CATEGORY, 'baseCoin': coin}
            response = await self._cancel_until_none_rests(CANCEL_ALL, request, coin, progress)
        #
        #     {"retCode":0,"retMsg":"OK","result":{"list":[
        #         {"orderId":"1616024329462743808","orderLinkId":"1616024329462743809"},
        #         {"orderId":"1616024287544869632","orderLinkId":"1616024287544869633"}
        #     ],"success":"1"},"retExtInfo":{},"time":1707381118116}
        #
        return self._mass_cancelled(coin, response, None)

    def _underlying_of_mmp(self, row: Any) -> str | None:
        link_id = row.get('orderLinkId') if isinstance(row, dict) else None
        if link_id is not None and not self._has_tag(link_id):
            return None
        option = None if link_id is None else OPTION_ID.fullmatch(str(row.get('symbol')))
        return NOT_TOLD if option is None else option['base']

    def _confirm_cancelled(self, answer: Any) -> None:
        if self._result('massCancelMmp', answer).get('success') not in (None, '1'):
            raise BadResponse(f'{self.id} massCancelMmp() received an answer that is no success: {shown(answer)}')

    def _until_room(self, endpoint: str) -> float:
        _, milliseconds = self._mmp_rate_limit(endpoint) or (1, SECOND)
        return milliseconds

    def _raise_if_no_coin(self, coin: str, progress: Progress) -> None:
        """Raise BadSymbol if the exchange has refused to list because it knows no such coin.

        A list that it refuses after another answer, such as a later page, may have orders of the coin.
        """
        if progress.failures and not progress.answers:
            self._raise_if_no_underlying(coin, progress.failures[0])

    def _says_no_such_underlying(self, error: Exception) -> bool:
        # which code names it is not documented; the coin is the only parameter that can be wrong [unverified]
        is_of_name = isinstance(error, BadRequest) and WRONG_PARAMETER.search(str(error)) is not None
        return is_of_name or super()._says_no_such_underlying(error)

    async def _list_open_orders(self, coin: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        #
        #     {"retCode":0,"retMsg":"OK","result":{"category":"option","nextPageCursor":"","list":[
        #         {"symbol":"BTC-27MAR26-70000-P-USDT","orderId":"5cf98598-39a7-459e-97bf-76ca765ee020",
        #          "orderLinkId":"mmp-6f1c...","orderStatus":"New",...}
        #     ]},"retExtInfo":{},"time":1684765770483}
        #
        of_coin = {'baseCoin': coin} if coin else {}  # else of all
        request = {'category': CATEGORY, **of_coin, 'openOnly': '0', **params}
        ask = partial(self._ask_page, progress)
        await self._read_pages('massCancelMmp', ask, request, rows, lambda: progress.must_stop)

    async def _list_closed_orders(self, coin: str, progress: Progress, rows: list[Any]) -> None:
        # that openOnly 1 lists the latest closed orders is [unverified]: those count that say that they are
        request = {'category': CATEGORY, 'baseCoin': coin, 'openOnly': '1', 'limit': str(MAX_ROWS)}
        listed = self._listed('massCancelMmp', await self._ask_page(progress, request))
        rows += [row for row in listed if isinstance(row, dict) and row.get('orderStatus') in CLOSED_STATES]

    async def _ask_page(self, progress: Progress, request: Params) -> Any:
        return await self._urgent_request('GET order/realtime', request, progress)

    def _is_to_cancel(self, row: Params, coin: str) -> bool | None:
        """Whether a listed order of the coin has the tag; None if it does not say."""
        market_id = str(row.get('symbol'))
        named = self._underlying_named(market_id)
        link_id = row.get('orderLinkId')
        return all_of(None if named is None else named == coin, None if link_id is None else self._has_tag(link_id))

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        return [dict(chunk) for chunk in chunked(list(resting.items()), MAX_BATCH)]

    async def _cancel_chunk(self, chunk: dict[str, Params], coin: str, params: Params, progress: Progress) -> Outcome:
        outcome, left, retries_left = Outcome(), chunk, RETRIES
        while left:
            request = [{'symbol': row['symbol'], 'orderId': order_id} for order_id, row in left.items()]
            response = await self._urgent_request(CANCEL_BATCH, {'category': CATEGORY, 'request': request}, progress)
            later: dict[str, BaseError] = {}
            for order_id, item in zip(left, self._items('massCancelMmp', response, len(left)), strict=True):
                self._note_outcome(order_id, item, chunk[order_id], coin, outcome, later)
            left = {order_id: chunk[order_id] for order_id in later}
            is_limited = any(isinstance(each, RateLimitExceeded) for each in later.values())
            retries_left -= not is_limited
            if later and (retries_left < 0 or not await self._waited_for_room(is_limited, progress)):
                outcome.refusals += later.values()
                break
        return outcome

    def _note_outcome(
        self, order_id: str, item: Params, row: Params, coin: str, outcome: Outcome, later: dict[str, BaseError]
    ) -> None:
        """What came of one order of a batch, or that it has to be asked for again."""
        refusal = self._refusal(item)
        if self.safe_string(item, 'orderId') not in ('', None, order_id):
            refusal = BadResponse(f'{self.id} massCancelMmp() was told of another order: {shown(item)}')
        if refusal is None:
            order = self._cancelled_order({**row, 'orderStatus': 'Cancelled'}, row['symbol'], coin)
            # it may have been filled in part since it was listed
            outcome.cancelled[order_id] = {**order, **UNKNOWN_FILL, 'info': item}
        elif isinstance(refusal, OrderNotFound):
            outcome.gone.add(order_id)
        elif isinstance(refusal, OperationFailed):
            later[order_id] = refusal
        else:
            outcome.refusals.append(refusal)

    async def _waited_for_room(self, is_limited: bool, progress: Progress) -> bool:
        """Wait until orders that were refused for the moment can be asked for again; False if there is no time."""
        pause = self._until_room(CANCEL_BATCH) / SECOND * MARGIN if is_limited else PAUSE
        return await self._waited(pause, progress.ends - progress.reserve, progress)

    # --- other ways

    async def _cancel_orders(self, stock: Stock, ids: Sequence[str], symbol: str | None, params: Params) -> list[Order]:
        """ccxt's own would take a refused cancellation for one that was done."""
        await self._load_markets()
        if symbol is None or not self._listed_market('cancelOrders', symbol)['option']:
            return await super()._cancel_orders(stock, ids, symbol, params)
        market = self.market(symbol)
        link_ids = self.safe_list_2(params, 'clientOrderIds', 'clientOids')
        name, given = ('orderId', ids) if link_ids is None else ('orderLinkId', link_ids)
        rest = self._sent(self.omit(params, ['clientOrderIds', 'clientOids']))
        return await cancelled_in_batches(self, given, MAX_BATCH, partial(self._try_cancellation, market, name, rest))

    async def _try_cancellation(self, market: Params, name: str, params: Params, ids: Sequence[str]) -> list[Answer]:
        request = [{'symbol': market['id'], name: str(each)} for each in ids]
        items: list[Any] = []
        failure: Exception | None = None
        try:
            with RequestContext(self, has_items=True, is_repeatable=True):
                response = await await_result(
                    self.privatePostV5OrderCancelBatch({'category': CATEGORY, 'request': request, **params})
                )
            items = self._items('cancelOrders', response, len(ids))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other batches have their answers
            failure = error
        field = 'id' if name == 'orderId' else 'clientOrderId'
        answers: list[Answer] = []
        for index, each in enumerate(map(str, ids)):
            item = None if failure is not None else items[index]
            reason = failure if item is None else self._refusal(item)
            told = {} if item is None else {'id': item.get('orderId') or None, 'clientOrderId': item.get('orderLinkId')}
            # acknowledged is not cancelled: the status is not known
            about = {'info': item} if reason is None else failed(reason)
            asked = {'symbol': market['symbol'], **told, field: each}
            answers.append((self.safe_order({**asked, **about, 'status': None}, market), reason))
        return answers

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        """ccxt's own, which sends whole seconds: of a disconnection, after which Bybit cancels."""
        milliseconds = exact_decimal(timeout)
        if (
            milliseconds is None
            or not LEAST_COUNTDOWN <= milliseconds <= MOST_COUNTDOWN
            or EXACT.remainder(milliseconds, SECOND)
        ):
            raise BadRequest(
                f'{self.id} cancelAllOrdersAfter() timeout must be whole seconds, {LEAST_COUNTDOWN} to '
                f'{MOST_COUNTDOWN} ms, received {shown(timeout)}: it is no countdown and cannot be disarmed. Bybit '
                'cancels when every private websocket that is subscribed to dcp has been dead for so long'
            )
        with RequestContext(self, is_repeatable=True):
            return await super()._cancel_all_orders_after(stock, int(milliseconds), params)
