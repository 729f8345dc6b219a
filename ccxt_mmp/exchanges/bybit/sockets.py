"""Bybit's websocket: nothing of MMP goes over it but the stream of orders, and ccxt's own methods go on over it.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

from functools import partial
from typing import TYPE_CHECKING

from ccxt_mmp.exchanges.bybit.answers import BybitAnswers


class BybitSockets(BybitAnswers):
    """What ``core/sockets.py`` does for every exchange: no message ends the connection, and no login hangs."""

    if not TYPE_CHECKING:

        async def authenticate(self, url, params={}):
            self.check_required_credentials()
            return await self._log_in(url, partial(super().authenticate, url, params))
