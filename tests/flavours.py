"""The three doors of the package, as the tests go through them."""

import asyncio

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect

FLAVOURS = {'sync': ccxt_mmp, 'async': ccxt_mmp.async_support, 'pro': ccxt_mmp.pro}


class Flavour:
    """One of the three doors: makes its exchanges, and takes the result of a call as that flavour does."""

    def __init__(self, name):
        self.name = name
        self.module = FLAVOURS[name]
        self.loop = None if name == 'sync' else asyncio.new_event_loop()
        self.opened = []

    def exchange_class(self, exchange_id):
        return getattr(self.module, exchange_id)

    def exchange(self, exchange_id, url=None, **config):
        """An exchange with the simulator's credentials; its APIs are at the url if there is one."""
        settings = {'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE, 'enableRateLimit': False, 'verify': False}
        exchange = self.exchange_class(exchange_id)({**settings, **config})
        exchange.timeout_on_exit = 0
        if url is not None:
            redirect(exchange, url)
        self.opened.append(exchange)
        return exchange

    def take(self, value):
        """The result of a call."""
        return value if self.loop is None else self.loop.run_until_complete(value)

    def disconnect(self, kept=0):
        """Close all exchanges but the first that were opened."""
        for exchange in self.opened[kept:]:
            if self.loop is None:
                exchange.session.close()
            else:
                self.take(exchange.close())
        del self.opened[kept:]

    def close(self):
        self.disconnect()
        if self.loop is not None:
            self.take(self.loop.shutdown_asyncgens())  # as asyncio.run does: the connections let go of their sockets
            self.loop.close()
