"""Deribit's websocket: nothing of MMP goes over it yet, and ccxt's own methods go on over it.

https://docs.deribit.com/articles/json-rpc-overview
"""

from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers


class DeribitSockets(DeribitAnswers):
    """What ``core/sockets.py`` does for every exchange: no message ends the connection."""
