"""An exchange of pro that watches at the simulator, and sleeps by the simulator's clock."""

import asyncio
import json

import ccxt.pro

import ccxt_mmp.pro
from ccxt_mmp.simulator.accounts import Rule
from tests.core.fencing import until
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

PATIENCE = 20  # s that anything is waited for
WINDOW, FROZEN_TIME = 5000, 60_000  # ms
POLL = 1000  # ms, the default
READ = {'okx': 'mmp-config', 'binance': 'mmp', 'bybit': 'mmp-state'}
BINANCE_STREAMS = hasattr(ccxt.pro.binance, 'handle_options_order_update')  # ccxt 4.5.72 and later


class Watcher:
    """``run`` runs a test, which is given it, in a loop of its own."""

    def __init__(self, simulator, exchange_id):
        self.simulator = simulator
        self.exchange_id = exchange_id
        self.underlying = UNDERLYING[exchange_id]
        self.name = UNIFIED[exchange_id]
        self.has_stream = exchange_id != 'binance' or BINANCE_STREAMS
        self.pushes_trips = exchange_id != 'binance'
        self.path = READ[exchange_id]
        self.exchange = None

    def run(self, main, **config):
        async def running():
            self.exchange = self.connect(**config)
            try:
                await main(self.exchange)
            finally:
                await self.exchange.close()

        asyncio.run(asyncio.wait_for(running(), PATIENCE))

    def connect(self, **config):
        options = {'mmpRateLimits': {}, **config.pop('options', {})}  # so that reads wait for no window
        settings = {'enableRateLimit': False, 'timeout_on_exit': 0, 'options': options, **config}
        exchange = self.simulator.connect(getattr(ccxt_mmp.pro, self.exchange_id), **settings)

        async def sleep(milliseconds):
            await self.simulator.async_sleep(milliseconds / 1000)

        exchange.sleep = sleep
        return exchange

    def with_markets(self):
        return symbols(with_markets(self.exchange), self.underlying)

    # --- the exchange's side

    def set_rule(self, underlying=None, frozen_time=FROZEN_TIME, **limits):
        limits = {'qty_limit': '100', 'delta_limit': '100', **limits}
        self.simulator.set_rule(
            self.exchange_id, underlying or self.underlying, Rule(window=WINDOW, frozen_time=frozen_time, **limits)
        )

    def rest(self, **terms):
        return self.simulator.rest(self.exchange_id, self.underlying, mmp=True, **terms)

    def trip(self, orders=1):
        for _ in range(orders):
            self.rest()
        self.simulator.trip(self.exchange_id, self.underlying)
        return self.simulator.protection(self.exchange_id, self.underlying).last_trigger

    def thaw(self):
        """As a reset by another program."""
        self.simulator.protection(self.exchange_id, self.underlying).freeze_ends = 0

    @property
    def reads(self):
        return [each for each in self.simulator.requests if each.method == 'GET' and each.path.endswith(self.path)]

    def received(self):
        """The frames of this side, but for ccxt's pings."""
        frames = self.simulator.frames
        return [json.loads(each.text) for each in frames if each.direction == 'received' and each.text != 'ping']

    # --- this side

    async def watch(self, underlying=None, **params):
        return await self.exchange.watch_mmp(underlying or self.name, params)

    async def waiting(self, call=None):
        """A call that has begun to wait."""
        task = asyncio.ensure_future(call or self.watch())
        await until(lambda: task.done() or self.futures)
        for _ in range(3):
            await asyncio.sleep(0)
        return task

    @property
    def futures(self):
        """The hashes by which calls wait."""
        clients = (self.exchange.clients or {}).values()
        return [each for client in clients for each in client.futures if str(each).partition(':')[0] == 'mmp']

    async def poll(self, milliseconds=POLL):
        """Let the time of the next read come."""
        before = len(self.reads)
        await until(lambda: self.simulator.sleepers)
        self.simulator.advance(milliseconds)
        await until(lambda: len(self.reads) > before)

    async def tripped(self, task, orders=1):
        """The state that a call returns after a trip; where nothing tells of it, the next read does."""
        self.trip(orders)
        if not self.has_stream:
            await self.poll()
        return await task
