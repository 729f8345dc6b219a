"""What Binance's user stream tells of trips: nothing but orders that ended, after which a read tells.

https://developers.binance.com/docs/derivatives/options-trading/user-data-streams
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.core.tasks import retrieve
from ccxt_mmp.core.watching import in_time
from ccxt_mmp.exchanges.binance.answers import BinanceAnswers
from ccxt_mmp.exchanges.binance.tables import ENDED

CONNECTED = 'watchMmp:connected'


class BinanceWatching(BinanceAnswers):
    """The user stream of options, where ccxt has it (4.5.72 and later, not in demo trading and sandbox)."""

    _lists_mmps = False
    _reads_mmps_at_once = False
    _least_poll_interval = 200  # 300 a minute for each underlying, of the weight that the address has

    def _has_mmp_stream(self) -> bool:
        is_demo = self.safe_bool(self.options, 'enableDemoTrading', False) or getattr(
            self, 'isSandboxModeEnabled', False
        )
        return hasattr(self, 'handle_options_order_update') and not is_demo

    async def _open_mmp_stream(self, seconds: float) -> Any:
        if not self._has_mmp_stream():
            return await super()._open_mmp_stream(seconds)
        what = f'{self.id} watchMmp()'
        await in_time(self.authenticate({'type': 'option'}), seconds, None, f'{what} the listen key')
        url = self.get_private_ws_url('optionPrivate', self.options['option']['listenKey'])
        lost = self.watch(url, CONNECTED, None, CONNECTED)  # dials
        lost.add_done_callback(retrieve)
        client = self.client(url)
        # it stays until close(): nothing is subscribed, and watch_orders has the same one
        await in_time(first_of(client.connected, lost), seconds, client, f'{what} the dial')
        return client

    def _mmp_pushes(self, message: Any) -> Iterator[tuple[str, Trip | None]]:
        #
        #     {"e":"ORDER_TRADE_UPDATE","E":1657613775883,"o":[{"s":"BTC-220930-18000-C","S":"CANCELLED",...}]}
        #     {"e":"ORDER_TRADE_UPDATE","E":1568879465651,"o":{"s":"BTC-220930-18000-C","S":"SELL","X":"CANCELED",...}}
        #
        orders = message.get('o')
        for order in orders if isinstance(orders, list) else [orders]:
            if isinstance(order, dict) and order.get('X', order.get('S')) in ENDED:
                option_id = order['s']
                underlying_id = self._underlying_named(option_id)
                if underlying_id is not None:
                    yield underlying_id, None

    def handle_order_update(self, client: Any, message: Any) -> None:
        self._note_mmp_pushes(message)
        # ccxt fails to parse an order without markets; and where nobody else has subscribed, nobody waits for it
        if self.markets and not client.subscriptions.keys() <= {CONNECTED}:
            super().handle_order_update(client, message)


async def first_of(*futures: Any) -> None:
    done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    for each in done:
        each.result()
