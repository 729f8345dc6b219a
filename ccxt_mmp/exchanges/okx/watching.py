"""What OKX's private stream tells of trips: MMP orders that a trigger cancelled, and fills that may have tripped it.

https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-order-channel
"""

from collections.abc import Iterator
from typing import Any

from ccxt.base.errors import NetworkError

from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.core.socket_state import Subscription, state_of
from ccxt_mmp.core.tasks import retrieve
from ccxt_mmp.core.watched import ALL
from ccxt_mmp.core.watching import in_time
from ccxt_mmp.exchanges.okx.answers import OkxAnswers
from ccxt_mmp.exchanges.okx.tables import CHANNEL, FILLED_STATES, MMP_ORDER_TYPES, TRIPPED

SUBSCRIBED = 'mmp'  # among the client's subscriptions: one of ours, whatever ccxt has subscribed
OWN = {SUBSCRIBED, 'authenticated'}


class OkxWatching(OkxAnswers):
    """The channel ``orders`` of options, subscribed apart from ccxt's own subscriptions."""

    _lists_mmps = True
    _reads_mmps_at_once = True
    _least_poll_interval = 500  # of 400, so that other reads have room

    def _has_mmp_stream(self) -> bool:
        return True

    async def _open_mmp_stream(self, seconds: float) -> Any:
        client = self.client(self.get_url('orders', 'private'))
        await in_time(self.authenticate(), seconds, client, f'{self.id} watchMmp() the login')
        try:
            await in_time(self._subscribe(client), seconds, client, f'{self.id} watchMmp() the subscription')
        except BaseException:
            self._forget_subscription(client)
            raise
        if client.error:
            raise client.error
        if not self._is_mmp_stream_open(client):  # what ends it may come at once
            raise NetworkError(f'{self.id} watchMmp() the subscription was ended, too many connections have it')
        return client

    def _is_mmp_stream_open(self, client: Any) -> bool:
        return SUBSCRIBED in client.subscriptions

    async def _close_mmp_stream(self, client: Any) -> None:
        self._forget_subscription(client)
        if not any(str(each).startswith('orders') for each in client.subscriptions):  # ccxt's, which would miss it
            await self._send_to_stream(client, {'op': 'unsubscribe', 'args': [CHANNEL]})

    async def _subscribe(self, client: Any) -> None:
        #
        #     {"id":"1512","event":"subscribe","arg":{"channel":"orders","instType":"OPTION"},"connId":"a4d3ae55"}
        #
        request_id = str(self.request_id())
        client.subscriptions[SUBSCRIBED] = True
        state_of(client).subscriptions[SUBSCRIBED] = Subscription(ALL, CHANNEL, request_id)
        acknowledged = client.future(request_id)
        acknowledged.add_done_callback(retrieve)  # the connection may be lost before it is awaited
        await self._send_to_stream(client, {'id': request_id, 'op': 'subscribe', 'args': [CHANNEL]})
        await acknowledged

    @staticmethod
    def _forget_subscription(client: Any) -> None:
        client.subscriptions.pop(SUBSCRIBED, None)
        state_of(client).subscriptions.pop(SUBSCRIBED, None)

    def _mmp_pushes(self, message: Any) -> Iterator[tuple[str, Trip | None]]:
        #
        #     {"arg":{"channel":"orders","instType":"OPTION","uid":"614488474791936"},"data":[
        #         {"instId":"BTC-USD-260327-100000-C","ordId":"312269865356374016","ordType":"mmp",
        #          "state":"mmp_canceled","cancelSource":"39","cTime":"1695190491000","uTime":"1695190491421",...}
        #     ]}
        #
        for row in message['data']:
            if row['ordType'] not in MMP_ORDER_TYPES or row['state'] not in (TRIPPED, *FILLED_STATES):
                continue
            family = self._parse_underlying(row['instId'])
            if family is None:
                continue
            if row['state'] == TRIPPED:
                yield family, Trip(row, at=int(row['uTime']), placed=self._safe_integer(row, 'cTime'))
            else:
                yield family, None

    def handle_orders(self, client: Any, message: Any, *arguments: Any, **keywords: Any) -> None:
        self._note_mmp_pushes(message)
        # ccxt fails to parse an order without markets; and where nobody else has subscribed, nobody waits for it
        if self.markets and not client.subscriptions.keys() <= OWN:
            super().handle_orders(client, message, *arguments, **keywords)

    def handle_subscription_status(self, client: Any, message: Any, *arguments: Any, **keywords: Any) -> Any:
        request_id = message.get('id')
        if request_id in client.futures:
            client.resolve(message, request_id)
        return super().handle_subscription_status(client, message, *arguments, **keywords)
