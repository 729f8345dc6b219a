"""The kill switch on OKX, and the other ways to cancel several orders.

https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-mass-cancel-order
"""

from functools import partial
from typing import Any

from ccxt.base.errors import BadRequest, BadResponse, BaseError, NotSupported

from ccxt_mmp.core.editing import UNKNOWN_FILL
from ccxt_mmp.core.kill_switch import Outcome, Progress, Send, all_of
from ccxt_mmp.core.mass_cancels import NOT_TOLD
from ccxt_mmp.core.numbers import exact_decimal
from ccxt_mmp.core.orders import chunked
from ccxt_mmp.core.params import NO_PARAMS
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.okx.answers import OkxAnswers, Pages
from ccxt_mmp.exchanges.okx.tables import MAX_BATCH, MAX_ROWS, MMP_ORDER_TYPES, OWN_ID, SHARED_RATE_LIMIT
from ccxt_mmp.types import MassCancel, Params, Stock

ENDPOINT = 'POST trade/mass-cancel'


class OkxCancelling(OkxAnswers):
    """``mass_cancel_mmp`` in one request or in several, and the countdown."""

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        return await self._mass_cancel_over(None, underlying, params)

    async def _mass_cancel_mmp_ws(self, underlying: str | None, params: Params) -> MassCancel:
        self._require_socket('massCancelMmpWs')
        return await self._mass_cancel_over(self._send_over_socket, underlying, params)

    async def _mass_cancel_over(self, send: Send | None, underlying: str | None, params: Params) -> MassCancel:
        """send: the way of its requests, by default REST."""
        scope, params = self._mmp_scope('massCancelMmp', params)
        family, params = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        params = self._mass_cancel_params(params)
        if family is None:
            raise NotSupported(f'{self.id} massCancelMmp() cancels orders, there is none in the scope rfq')
        request: Params = {'instType': 'OPTION', 'instFamily': family}
        emulate = hedge = False
        if params is not NO_PARAMS:
            lock, params = self._mmp_option('massCancelMmp', 'lockInterval', None, params)
            if lock is not None:
                limit = self._mmp_limits(scope)['lockInterval']
                request['lockInterval'] = self._mmp_number('massCancelMmp', 'lockInterval', limit, lock)
            emulate, hedge, params = self._ways(send, lock is not None, params)
        locked = int(request.get('lockInterval', 0))
        with self._mass_cancel(family, params) as progress:
            if emulate:
                return await self._cancel_listed(family, self._sent(params), progress)
            progress.lock, progress.send = locked, send
            lock = self._next_lock(family, progress.closure)
            if params:
                request |= self._sent(params)
            if hedge:
                only_request = partial(self._only_request, ENDPOINT, request, family)
                response, way = await self._hedged(only_request, progress)
            else:
                response, way = await self._only_request(ENDPOINT, request, family, progress), progress
        #
        #     {"code":"0","msg":"","data":[{"result":true}]}
        #
        cancelled = self._mass_cancelled(family, response, None)
        if locked:
            cancelled['lockedUntil'] = lock.ends(way.sent_at + locked)
        return cancelled

    def _ways(self, send: Send | None, locks: bool, params: Params) -> tuple[bool, bool, Params]:
        """Whether a mass cancel is emulated, and whether it goes over both ways."""
        emulate, params = self._flag_option('massCancelMmp', 'emulate', params)
        if emulate and locks:
            raise NotSupported(f'{self.id} massCancelMmp() has no lockInterval where it is emulated')
        hedge, params = self._is_hedged(params, send)
        if emulate and (hedge or send is not None):
            raise NotSupported(f'{self.id} massCancelMmp() goes over REST alone where it is emulated')
        return emulate, hedge, params

    async def _find_underlyings(self, params: Params, progress: Progress, found: set[str]) -> None:
        emulate, _ = self._flag_option('massCancelMmp', 'emulate', params)
        if emulate:
            await super()._find_underlyings(params, progress, found)
            return
        response = await self._urgent_request('GET account/mmp-config', {}, progress)
        #
        #     {"code":"0","msg":"","data":[{"instFamily":"ETH-USD","mmpFrozen":true,"timeInterval":"5000",...}]}
        #
        entries = self._entries('massCancelMmps', response)
        found |= {str(entry['instFamily']) for entry in entries if entry.get('instFamily')}
        for entry in entries:
            self._family_of('massCancelMmps', entry)  # else others are not known

    def _underlying_of_mmp(self, row: Any) -> str | None:
        option = OWN_ID.fullmatch(str(row.get('instId'))) if isinstance(row, dict) else None
        if option is None:
            return NOT_TOLD
        return self._parse_underlying(option[0]) if row.get('ordType') in (None, *MMP_ORDER_TYPES) else None

    def _confirm_cancelled(self, answer: Any) -> None:
        data = answer.get('data') if type(answer) is dict else None
        if type(data) is list and len(data) == 1 and type(data[0]) is dict and data[0].get('result') is True:
            return
        self._raise_unless_done('massCancelMmp', self._first_entry('massCancelMmp', answer))

    def _until_room(self, endpoint: str) -> float:
        _, milliseconds = self._mmp_rate_limit(endpoint) or SHARED_RATE_LIMIT
        return milliseconds

    def _says_no_such_underlying(self, error: Exception) -> bool:
        # which code names it is not documented; 51000 names the parameter [unverified]
        is_of_name = isinstance(error, BadRequest) and 'instFamily' in str(error)
        return is_of_name or super()._says_no_such_underlying(error)

    async def _list_open_orders(self, family: str, params: Params, progress: Progress, rows: list[Any]) -> None:
        of_mmp = {
            'instType': 'OPTION',
            **({'instFamily': family} if family else {}),
            'ordType': ','.join(MMP_ORDER_TYPES),
        }
        pages = Pages({**of_mmp, 'limit': str(MAX_ROWS), **params})
        while True:
            response = await self._urgent_request('GET trade/orders-pending', pages.request, progress)
            page = response.get('data') if isinstance(response, dict) else None
            if not isinstance(page, list):
                raise BadResponse(f'{self.id} massCancelMmp() received an answer without data: {shown(response)}')
            #
            #     {"code":"0","msg":"","data":[
            #         {"instId":"BTC-USD-260327-100000-C","ordId":"312269865356374016","ordType":"mmp",...}
            #     ]}
            #
            rows += page
            if len(page) < MAX_ROWS:
                return
            last = self.safe_string(page[-1], 'ordId') if isinstance(page[-1], dict) else None
            if progress.must_stop or not pages.turn(last):
                raise BadResponse(f'{self.id} massCancelMmp() could not list all open orders, only {len(rows)}')

    def _is_to_cancel(self, row: Params, family: str) -> bool | None:
        """Whether a listed order is an MMP order of the family; None if it does not say."""
        option = OWN_ID.fullmatch(str(row.get('instId')))
        order_type = self.safe_string(row, 'ordType')
        return all_of(
            None if option is None else self._parse_underlying(option[0]) == family,
            None if order_type is None else order_type in MMP_ORDER_TYPES,
        )

    def _chunks(self, resting: dict[str, Params]) -> list[dict[str, Params]]:
        return [dict(chunk) for chunk in chunked(list(resting.items()), MAX_BATCH)]

    async def _cancel_chunk(self, chunk: dict[str, Params], family: str, params: Params, progress: Progress) -> Outcome:
        request = [{'instId': row['instId'], 'ordId': order_id} for order_id, row in chunk.items()]
        response = await self._urgent_request('POST trade/cancel-batch-orders', request, progress, cost=len(request))
        #
        #     {"code":"2","msg":"","data":[
        #         {"clOrdId":"oktswap6","ordId":"12345689","sCode":"0","sMsg":""},
        #         {"clOrdId":"oktswap7","ordId":"12344","sCode":"51400","sMsg":"Cancellation failed as ..."}
        #     ]}
        #
        cancelled: dict[str, Params] = {}
        refused: list[BaseError] = []
        for item in self._entries('massCancelMmp', response):
            order_id, refusal = str(item.get('ordId')), self._refusal(item)
            if refusal is not None:
                refused.append(refusal)
            elif order_id in chunk:
                row = {**chunk[order_id], 'state': 'canceled'}
                order = self._cancelled_order(row, row['instId'], family)
                # it may have been filled in part since it was listed
                cancelled[order_id] = {**order, **UNKNOWN_FILL, 'info': item}
        return self._outcome(chunk, cancelled, refused)

    async def _cancel_all_orders_after(self, stock: Stock, timeout: int | None, params: Params) -> Params:
        milliseconds = exact_decimal(timeout)
        if milliseconds is None or (milliseconds < 1000 and milliseconds != 0):
            raise BadRequest(
                f'{self.id} cancelAllOrdersAfter() timeout must be 0 or at least 1000 ms: {shown(timeout)} would be '
                'sent as 0 seconds, which disarms the timer'
            )
        with RequestContext(self, is_repeatable=True):
            return await super()._cancel_all_orders_after(stock, int(milliseconds), params)
