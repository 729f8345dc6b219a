"""Deribit's websocket: logins, requests and orders by JSON-RPC, and the answers that ccxt would end the connection for.

https://docs.deribit.com/articles/json-rpc-overview
"""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import ArgumentsRequired, AuthenticationError, BadRequest, BaseError

from ccxt_mmp.core.socket_state import (
    LOGIN,
    Subscription,
    end_subscriptions,
    forget_login,
    open_subscriptions,
    state_of,
)
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers, json_value
from ccxt_mmp.types import Order, Params


class DeribitSockets(DeribitAnswers):
    """The websocket. ccxt looks for these methods on the object, in all its versions."""

    if not TYPE_CHECKING:

        async def authenticate(self, params={}):
            # ccxt would put the params of watch_orders into the login
            self.check_required_credentials()
            return await self._log_in(self._socket_url(), self._send_login)

        def watch(self, url, message_hash, message=None, subscribe_hash=None, subscription=None):
            self._note_subscriptions(url, message, [(message_hash, subscribe_hash)])
            return super().watch(url, message_hash, message, subscribe_hash, subscription)

        def watch_multiple(self, url, message_hashes, message=None, subscribe_hashes=None, subscription=None):
            hashes = list(zip(message_hashes, subscribe_hashes or [], strict=False))
            self._note_subscriptions(url, message, hashes)
            return super().watch_multiple(url, message_hashes, message, subscribe_hashes, subscription)

        # which ccxt does not have here

        def create_order_ws(self, symbol, type, side, amount, price=None, params={}):
            self._require_socket('createOrderWs')
            return self._create_over_socket(symbol, type, side, amount, price, params)

        def edit_order_ws(self, id, symbol, type, side, amount=None, price=None, params={}):
            self._require_socket('editOrderWs')
            return self._edit_over_socket(id, symbol, amount, price, params)

    # --- what is received

    def _hashes_of(self, client: Any, message: Any) -> list[str]:
        channel = channel_of(message)
        return [each.message_hash for _, each in open_subscriptions(client) if is_in(channel, each.arg['channels'])]

    def _take_message(self, client: Any, message: Any) -> bool:
        if super()._take_message(client, message):
            return True
        if not isinstance(message, dict):
            return False
        if self._take_trigger(client, message):
            return True
        if message.get('method') == 'heartbeat':
            #
            #     {"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}
            #
            if 'test_request' in str(message.get('params')):
                self._tasks().join(f'heartbeat {id(client)}', partial(self._answer_heartbeat, client))
            return True
        request_id = self._answered_id(message)
        return request_id is not None and self._take_answer(client, message, request_id)

    def _take_answer(self, client: Any, message: Params, request_id: str) -> bool:
        """Tell an answer to those whom it is about: after an error, ccxt would receive nothing more."""
        #
        #     {"jsonrpc":"2.0","id":2,"result":["user.orders.any.any.raw"],"usIn":...,"usOut":...,"usDiff":122}
        #     {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params","data":{...}},"usIn":...}
        #
        asked = [(key, each) for key, each in open_subscriptions(client) if each.request_id == request_id]
        error: BaseError | None = None
        try:
            self._read_answer_of_socket('', message)
        except BaseError as refusal:
            error = refusal
        if isinstance(error, AuthenticationError):
            forget_login(client)
        subscribed = message.get('result')
        refused = [
            key
            for key, each in asked
            if error is not None
            or (
                isinstance(subscribed, list) and not any(is_in(channel, subscribed) for channel in each.arg['channels'])
            )
        ]
        end_subscriptions(client, error or BadRequest(f'{self.id} did not subscribe it: {shown(message)}'), refused)
        if error is not None and not refused:
            self.logger.error('%s', error)  # nobody waits for it any more
        return error is not None or bool(asked) or isinstance(subscribed, (list, str))

    async def _answer_heartbeat(self, client: Any) -> None:
        with suppress(BaseError):  # which those who wait for the connection are told
            await self._ask(client, *self._rpc('public/test', {}), self._answer_seconds())

    # --- what is sent

    def _note_subscriptions(self, url: str, message: Any, hashes: Sequence[tuple[Any, Any]]) -> None:
        """Which watchers wait for the answer to a message, which ccxt forgets. One that is subscribed sends none."""
        request_id = self._answered_id(message)
        if request_id is None:
            return
        client = self.client(url)
        channels = self.safe_dict(message, 'params', {}).get('channels') or []
        for message_hash, subscribe_hash in hashes:
            if subscribe_hash not in client.subscriptions:
                own = [subscribe_hash] if subscribe_hash in channels else channels
                arg = {'channels': own}
                state_of(client).subscriptions[subscribe_hash] = Subscription(message_hash, arg, request_id)

    def _socket_url(self) -> str:
        url: str = self.urls['api']['ws']
        return url

    def _rpc(self, method: str, params: Params) -> tuple[str, Params]:
        request_id = self.request_id()
        return str(request_id), {'jsonrpc': '2.0', 'id': request_id, 'method': method, 'params': params}

    def _socket_request(self, endpoint: str, request: Any) -> tuple[str, Params]:
        params = {name: json_value(name, value) for name, value in request.items() if value is not None}
        return self._rpc(f'private/{endpoint.split()[1]}', params)

    def _read_answer_of_socket(self, endpoint: str, answer: Any) -> None:
        self.handle_errors(200, '', self._socket_url(), 'POST', {}, self.json(answer), answer, {}, {})

    async def _send_login(self) -> None:
        """By a nonce that is never used again, and by the exchange's clock as far as it is known: ccxt does neither."""
        client = self.client(self._socket_url())
        time, nonce = str(self.nonce()), secrets.token_hex(8)
        params = {
            'grant_type': 'client_signature',
            'client_id': self.apiKey,
            'timestamp': int(time),
            'signature': self._login_signature(time, nonce),
            'nonce': nonce,
            'data': '',
        }
        answer = await self._ask(client, *self._rpc('public/auth', params), None)
        #
        #     {"jsonrpc":"2.0","id":1,"result":{"token_type":"bearer","scope":"...","refresh_token":"...",
        #         "expires_in":31536000,"access_token":"..."},"usIn":...,"usOut":...,"usDiff":803,"testnet":false}
        #
        self._read_answer_of_socket('', answer)
        client.subscriptions[LOGIN] = True  # which ccxt looks for

    def _login_signature(self, time: str, nonce: str) -> str:
        signature: str = self.hmac(self.encode(f'{time}\n{nonce}\n'), self.encode(self.secret), hashlib.sha256)
        return signature

    # --- orders

    async def _create_over_socket(
        self, symbol: str, type: str, side: str, amount: Any, price: Any, params: Params
    ) -> Order:
        await self._load_markets()
        request = self.create_order_request(symbol, type, side, amount, price, params)
        [row] = await self._place_batch_over_socket([request], {})
        order: Order = self.parse_order(row, self.market(symbol))
        return order

    async def _edit_over_socket(self, order_id: str, symbol: str, amount: Any, price: Any, params: Params) -> Order:
        if amount is None:
            raise ArgumentsRequired(f'{self.id} editOrderWs() requires an amount argument')
        await self._load_markets()
        request = self._edit_request(order_id, symbol, amount, price, params)
        answer = await self._order_over_socket('POST edit', request)
        order: Order = self.parse_order(self._order_in('editOrderWs', answer), self.market(symbol))
        return order

    async def _place_batch_over_socket(self, requests: list[Params], params: Params) -> list[Any]:
        rows = []
        for request in requests:
            endpoint = f'POST {request["direction"]}'
            answer = await self._order_over_socket(endpoint, self.omit(request, 'direction'))
            rows.append(self._order_in('createOrderWs', answer))
        return rows


def channel_of(message: Any) -> str | None:
    """The channel of a notification; None if it is none."""
    params = message.get('params') if isinstance(message, dict) else None
    channel = params.get('channel') if isinstance(params, dict) else None
    return channel if isinstance(channel, str) else None


def is_in(channel: str | None, channels: Sequence[Any]) -> bool:
    """Whether a channel is among some, whatever the case of its currency."""
    return channel is not None and channel.lower() in [str(each).lower() for each in channels]
