"""Bybit's websocket: nothing of MMP goes over it but the stream of orders, and ccxt's own methods go on over it.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

from ccxt_mmp.exchanges.bybit.answers import BybitAnswers


class BybitSockets(BybitAnswers):
    """What ``core/sockets.py`` does for every exchange: no message ends the connection."""
