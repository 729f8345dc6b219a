"""What Bybit's stream of orders tells of trips: orders that a trigger cancelled, and fills that may have tripped it.

https://bybit-exchange.github.io/docs/v5/websocket/private/order
"""

from collections.abc import Iterator
from typing import Any

from ccxt.base.errors import AuthenticationError, ExchangeError, NetworkError

from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.core.socket_state import LOGIN
from ccxt_mmp.core.tasks import retrieve
from ccxt_mmp.core.watching import in_time
from ccxt_mmp.exchanges.bybit.answers import BybitAnswers
from ccxt_mmp.exchanges.bybit.tables import FILLED_STATES, TOPIC, TRIPPED

SUBSCRIBED = 'watchMmp'  # among the client's subscriptions: one of ours, whatever ccxt has subscribed
REQUEST = 'mmp:'  # begins the id of a request of ours


class BybitWatching(BybitAnswers):
    """The topic ``order.option``, subscribed apart from ccxt's own ``order``. Bybit pushes no trip of a coin."""

    _lists_mmps = False
    _reads_mmps_at_once = False
    _least_poll_interval = 250  # of 200, so that other reads have room

    def _has_mmp_stream(self) -> bool:
        return True

    async def _open_mmp_stream(self, seconds: float) -> Any:
        url = self.implode_hostname(self.urls['api']['ws']['private']['contract'])
        client = self.client(url)
        await in_time(self.authenticate(url), seconds, client, f'{self.id} watchMmp() the login')
        client.subscriptions[SUBSCRIBED] = True  # before it is acknowledged: what it tells may come at once
        try:
            await in_time(self._subscribe(client), seconds, client, f'{self.id} watchMmp() the subscription')
        except BaseException:
            client.subscriptions.pop(SUBSCRIBED, None)
            raise
        return client

    async def _close_mmp_stream(self, client: Any) -> None:
        client.subscriptions.pop(SUBSCRIBED, None)
        await self._send_to_stream(client, {'op': 'unsubscribe', 'args': [TOPIC]})

    async def _subscribe(self, client: Any) -> None:
        #
        #     {"success":true,"ret_msg":"","conn_id":"cejreaspqfh3sjdnldmg-p","req_id":"mmp:1","op":"subscribe"}
        #
        request_id = f'{REQUEST}{self.request_id()}'
        acknowledged = client.future(request_id)
        acknowledged.add_done_callback(retrieve)  # the connection may be lost before it is awaited
        await self._send_to_stream(client, {'req_id': request_id, 'op': 'subscribe', 'args': [TOPIC]})
        await acknowledged

    async def _send_to_stream(self, client: Any, frame: Any) -> None:
        """On the connection itself: ccxt's way would wait for its limiter, and remember each frame for ever."""
        try:
            await client.send(frame)
        except Exception as error:  # such as a connection that has just closed
            raise NetworkError(f'{self.id} watchMmp() could not send: {error}') from error

    def _mmp_pushes(self, message: Any) -> Iterator[tuple[str, Trip | None]]:
        #
        #     {"id":"5923240c6880ab-c59f-420b-9adb-3639adc9dd90","topic":"order.option","creationTime":1672364262474,
        #      "data":[{"category":"option","symbol":"BTC-27MAR26-70000-P-USDT","orderLinkId":"mmp-6f1c...",
        #               "orderStatus":"Cancelled","cancelType":"CancelByMmpTriggered","createdTime":"1672364262444",
        #               "updatedTime":"1672364262457",...}]}
        #
        for row in message['data']:
            is_trip = row.get('cancelType') == TRIPPED
            may_have_tripped = row['orderStatus'] in FILLED_STATES and self._has_tag(row.get('orderLinkId'))
            coin = self._parse_underlying(row['symbol']) if is_trip or may_have_tripped else None
            if coin is None:
                continue
            if is_trip:
                yield coin, Trip(row, at=int(row['updatedTime']), placed=self._safe_integer(row, 'createdTime'))
            else:
                yield coin, None

    def handle_order(self, client: Any, message: Any) -> None:
        self._note_mmp_pushes(message)
        if message.get('topic') != TOPIC:  # else ccxt has them by its own subscription, or nobody waits for them
            super().handle_order(client, message)

    def handle_message(self, client: Any, message: Any) -> None:
        told = message if isinstance(message, dict) else {}
        request_id = told.get('req_id')
        if told.get('op') == 'auth' and told.get('success') is False:
            # ccxt would fail all that waits on the connection, with another error, and never log in again
            client.subscriptions.pop(LOGIN, None)
            client.reject(AuthenticationError(f'{self.id} the login was refused: {told.get("ret_msg")}'), LOGIN)
        elif not str(request_id).startswith(REQUEST):  # older versions of ccxt pass over the answer to a subscription
            super().handle_message(client, message)
        elif message.get('success') is True:
            client.resolve(message, request_id)
        else:
            client.reject(ExchangeError(f'{self.id} watchMmp() {self.json(message)}'), request_id)
