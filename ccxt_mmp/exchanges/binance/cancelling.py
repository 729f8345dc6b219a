"""The kill switch on Binance, and the other ways to cancel several orders.

https://developers.binance.com/docs/derivatives/options-trading/trade/Cancel-All-Option-Orders-By-Underlying
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ccxt.base.errors import BadRequest, BadResponse, BaseError, OrderNotFound

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.batch_cancelling import cancelled_in_batches
from ccxt_mmp.core.kill_switch import Outcome, Progress, all_of
from ccxt_mmp.core.mass_cancels import NOT_TOLD
from ccxt_mmp.core.numbers import exact_decimal, is_integer, plain
from ccxt_mmp.core.orders import Answer, chunked, failed
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import described, shown
from ccxt_mmp.exchanges.binance.answers import BinanceAnswers
from ccxt_mmp.exchanges.binance.orders import encoded_json, order_ids
from ccxt_mmp.exchanges.binance.tables import (
    BATCH_WEIGHT,
    LIST_WEIGHT,
    MAX_BATCH,
    MIN_COUNTDOWN,
    MINUTE,
    OPTION_ID,
    WEIGHT_LIMIT,
)
from ccxt_mmp.types import MassCancel, Order, Params, Stock


class BinanceCancelling(BinanceAnswers):
    """``mass_cancel_mmp`` in one request or in several, and the countdown."""

    _lists_every_underlying = True

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        scope, params = self._mmp_scope('massCancelMmp', params)
        named, params = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        params, underlying_id = self._mass_cancel_params(params), str(named)
        _, params = self._is_hedged(params)
        include_non_mmp, params = self._flag_option('massCancelMmp', 'includeNonMmp', params)
        rest = self._sent(params)
        if not include_non_mmp:
            self._weight_limit()  # one that is none is refused before anything is sent
        with self._mass_cancel(underlying_id, params) as progress:
            if not include_non_mmp:
                return await self._cancel_listed(underlying_id, rest, progress)
            response = await self._only_request(
                'DELETE allOpenOrdersByUnderlying', {'underlying': underlying_id, **rest}, underlying_id, progress
            )
        #
        #     {"code":0,"msg":"success"}
        #
        return self._mass_cancelled(underlying_id, response, None)

    def _underlying_of_mmp(self, row: Any) -> str | None:
        if isinstance(row, dict) and row.get('mmp') is False:
            return None
        option = OPTION_ID.fullmatch(str(row.get('symbol'))) if isinstance(row, dict) else None
        quote = None if option is None else self.safe_string(row, 'quoteAsset')
        return NOT_TOLD if option is None or quote is None else f'{option["base"]}{quote}'

    def _confirm_cancelled(self, answer: Any) -> None:
        if not isinstance(answer, dict) or str(answer.get('code')) != '0':
            raise BadResponse(f'{self.id} massCancelMmp() received an answer that is no success: {shown(answer)}')

    def _until_room(self, endpoint: str) -> float:
        limit = self._mmp_rate_limit(endpoint)
        # the weight of the address is counted by the minutes of the exchange's clock
        return MINUTE - self.nonce() % MINUTE if limit is None else limit[1]

    async def _list_open_orders(self, underlying_id: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        response = await self._urgent_request('GET openOrders', params, progress)
        #
        #     [{"orderId":4611875134427365000,"symbol":"BTC-200730-9000-C","quoteAsset":"USDT","mmp":false,...}]
        #
        rows += self._rows('massCancelMmp', response)

    def _is_to_cancel(self, row: Params, underlying_id: str) -> bool | None:
        """Whether a listed order is an MMP order of the underlying; None if it does not say.

        A base or a quote that is certainly another one tells enough, whatever else is missing.
        """
        option = OPTION_ID.fullmatch(str(row.get('symbol')))
        quote = self.safe_string(row, 'quoteAsset')
        return all_of(
            None if option is None else underlying_id.startswith(option['base']),
            None if quote is None else underlying_id.endswith(quote),
            None if option is None or quote is None else option['base'] + quote == underlying_id,
            self.safe_bool(row, 'mmp'),
        )

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        """By contract: in batches, or one by one where that is cheaper and the weight of the batches is not left."""
        by_contract: dict[str, list[tuple[str, Params]]] = {}
        for order_id, row in resting.items():
            by_contract.setdefault(row['symbol'], []).append((order_id, row))
        batches = [batch for orders in by_contract.values() for batch in chunked(orders, MAX_BATCH)]
        weight = sum(BATCH_WEIGHT if len(batch) > 1 else 1 for batch in batches)
        if weight > self._weight_limit() - self.__dict__.get('_mmp_used_weight', 0) - LIST_WEIGHT:
            batches = [
                part for batch in batches for part in (chunked(batch, 1) if len(batch) < BATCH_WEIGHT else [batch])
            ]
        return [dict(batch) for batch in batches]

    def _chunks_of_each(self, resting: dict[str, dict[str, Params]]) -> list[tuple[str, dict[str, Params]]]:
        # they share one weight
        underlyings = {order_id: each for each, orders in resting.items() for order_id in orders}
        chunks = self._chunks({order_id: row for orders in resting.values() for order_id, row in orders.items()})
        return [(underlyings[next(iter(chunk))], chunk) for chunk in chunks]

    def _weight_limit(self) -> int:
        return self._natural('weightLimit', self._mmp_option('massCancelMmp', 'weightLimit', WEIGHT_LIMIT, {})[0])

    async def _cancel_chunk(
        self, chunk: dict[str, Params], underlying_id: str, params: Params, progress: Progress
    ) -> Outcome:
        [*ids] = chunk
        request = {'symbol': chunk[ids[0]]['symbol']}
        if 'recvWindow' in params:
            request['recvWindow'] = params['recvWindow']
        if len(ids) == 1:
            try:
                rows = [await self._urgent_request('DELETE order', {**request, 'orderId': ids[0]}, progress)]
            except OrderNotFound:
                return Outcome(gone={*ids})
        else:
            request['orderIds'] = encoded_json(order_ids(ids))
            rows = self._rows('massCancelMmp', await self._urgent_request('DELETE batchOrders', request, progress))
        #
        #     [{"orderId":4611875134427365377,"symbol":"BTC-200730-9000-C","status":"CANCELED","mmp":true,...},
        #      {"code":-2011,"msg":"Unknown order sent."}]
        #
        cancelled: dict[str, Params] = {}
        refused: list[BaseError] = []
        for row in rows:
            refusal = self._refusal(row) if isinstance(row, dict) else BadResponse(f'{self.id} {shown(row)}')
            order_id = self.safe_string(row, 'orderId') if refusal is None else None
            if refusal is not None:
                refused.append(refusal)
            elif order_id in chunk and self.parse_order_status(self.safe_string(row, 'status')) == 'canceled':
                cancelled[str(order_id)] = self._cancelled_order(row, request['symbol'], underlying_id)
        return self._outcome(chunk, cancelled, refused)

    async def _cancel_orders(self, stock: Stock, ids: Sequence[str], symbol: str | None, params: Params) -> list[Order]:
        await self._load_markets()
        if symbol is None or not self.market(symbol)['option']:
            return await super()._cancel_orders(stock, ids, symbol, params)
        market = self.market(symbol)
        client_order_ids = params.get('clientOrderIds')
        name, given = ('orderIds', ids) if client_order_ids is None else ('clientOrderIds', client_order_ids)
        rest = self._sent(self.omit(params, ['clientOrderIds', 'orderIds']))
        return await cancelled_in_batches(self, given, MAX_BATCH, partial(self._try_cancellation, market, name, rest))

    async def _try_cancellation(self, market: Params, name: str, params: Params, ids: Sequence[str]) -> list[Answer]:
        id_field = name.removesuffix('s')
        named = order_ids(ids) if id_field == 'orderId' else [str(each) for each in ids]
        request = {'symbol': market['id'], name: encoded_json(named), **params}
        by_id: dict[str | None, Params] = {}
        failure: Exception | None = None
        try:
            with RequestContext(self, has_items=True, is_repeatable=True):
                response = await await_result(self.eapiPrivateDeleteBatchOrders(request))
            for row in self._rows('cancelOrders', response):
                refusal = self._refusal(row) if isinstance(row, dict) else BadResponse(f'{self.id} {shown(row)}')
                failure = failure or refusal
                if refusal is None:
                    by_id[self.safe_string(row, id_field)] = row
        except Exception as error:  # noqa: BLE001 - whatever it is, the other batches have their answers
            failure = error
        failure = failure or BadResponse(f'{self.id} cancelOrders() was not told about each of {list(ids)}')
        answers: list[Answer] = []
        for each in map(str, ids):
            reason = failure
            if each in by_id:
                try:
                    answers.append((self.parse_order(by_id[each], market), None))
                    continue
                except Exception as error:  # noqa: BLE001 - one that cannot be read is no reason to lose the others
                    reason = BadResponse(
                        f'{self.id} cancelOrders() received an order that cannot be read: {described(error)}'
                    )
            unknown = {'symbol': market['symbol'], 'id' if id_field == 'orderId' else 'clientOrderId': each}
            answers.append((self.safe_order({**unknown, **failed(reason), 'status': None}, market), reason))
        return answers

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        underlying = params.get('underlying')
        if underlying is None:
            return await super()._cancel_all_orders_after(stock, timeout, params)
        milliseconds = exact_decimal(timeout)
        if milliseconds is None or not is_integer(milliseconds) or milliseconds < 0 or 0 < milliseconds < MIN_COUNTDOWN:
            raise BadRequest(
                f'{self.id} cancelAllOrdersAfter() timeout must be 0, which disarms, or at least {MIN_COUNTDOWN} ms, '
                f'received {shown(timeout)}'
            )
        underlying_id = self._resolve_underlying('cancelAllOrdersAfter', underlying)
        request = {**self._sent(params), 'underlying': underlying_id, 'countdownTime': plain(milliseconds)}
        response = await self._mmp_request('POST countdownCancelAll', request)
        #
        #     {"underlying":"ETHUSDT","countdownTime":30000}
        #
        if not isinstance(response, dict) or str(response.get('countdownTime')) != request['countdownTime']:
            raise BadResponse(f'{self.id} cancelAllOrdersAfter() received another countdown: {shown(response)}')
        return response
