"""Batches of option orders over a websocket, for the exchange mixins."""

from collections.abc import Awaitable, Sequence
from typing import Any

from ccxt.base.errors import NotSupported

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.orders import TERMS, MmpOrders
from ccxt_mmp.core.request_context import current_request
from ccxt_mmp.core.socket_contract import SocketContract
from ccxt_mmp.core.sockets import Sockets
from ccxt_mmp.types import Order, Params, Stock


class SocketOrders(MmpOrders, Sockets, SocketContract):
    """``create_orders_ws``, for the exchange mixins."""

    # --- what the exchange mixins say of it

    _socket_batch_params: tuple[str, ...] = ()  # of create_orders_ws, that stand beside the orders

    async def _place_batch_over_socket(self, requests: list[Params], params: Params) -> list[Any]:
        """The items of the answer to a batch that the fence lets pass."""
        raise NotSupported(f'{self.id} createOrdersWs() is not supported yet')

    # --- what they share

    async def _order_over_socket(self, endpoint: str, request: Any, beside: Params = {}) -> Any:
        """The answer to orders or an edit, which wait for ccxt's limiter of the websocket, where a mass cancel stops
        them.

        beside: what stands beside the request in the message
        """
        context, seconds = current_request(self), self._answer_seconds()
        if context is not None:
            context.withdraw()  # a mass cancel waits for no limiter
        client = await self._ready_socket(None)
        if self.enableRateLimit:
            await client.throttle(self.safe_value(self.options.get('ws'), 'cost', 1))
        request_id, message = self._socket_request(endpoint, request)
        answer = await self._ask(client, request_id, {**message, **beside}, seconds)
        self._read_answer_of_socket(endpoint, answer)
        return answer

    # --- batches

    async def _create_orders_ws(self, place_one: Stock, orders: Sequence[Params], params: Params) -> list[Order]:
        self._require_socket('createOrdersWs')

        def place(requests: list[Params]) -> Awaitable[list[Any]]:
            return self._place_batch_over_socket(requests, beside)

        async def place_other(listed: Sequence[Params], common: Params) -> list[Any]:
            """One of another market, by ccxt's own method."""
            [order] = listed
            terms = [order.get(name) for name in TERMS]
            return [await await_result(place_one(*terms, {**(order.get('params') or {}), **common}))]

        beside = {name: params[name] for name in self._socket_batch_params if name in params}
        rest = self.omit(params, list(beside)) if beside else params
        return await self._create_each_order(place, place_other, orders, rest, method='createOrdersWs')
