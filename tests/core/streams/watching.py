"""An exchange of pro that watches at the simulator, and sleeps by the simulator's clock."""

import asyncio
import json

import ccxt.pro
from ccxt.base.errors import ExchangeClosedByUser

import ccxt_mmp.pro
from ccxt_mmp.simulator.accounts import Rule
from tests.core.fencing import until
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

PATIENCE = 20  # s that anything is waited for
ENDED = (ExchangeClosedByUser, asyncio.CancelledError)  # how calls end whose exchange is closed, or that a test cancels
WINDOW, FROZEN_TIME = 5000, 60_000  # ms
POLL = 1000  # ms, the default
WITHOUT_POLLS = {'options': {'watchMmp': {'pollInterval': POLL * 1000}}}  # none comes while a test runs
# what this side asks for over the stream: the login, to subscribe and to unsubscribe
OPERATIONS = {
    'okx': ('login', 'subscribe', 'unsubscribe'),
    'binance': (None, None, None),
    'deribit': ('public/auth', 'private/subscribe', 'private/unsubscribe'),
    'bybit': ('auth', 'subscribe', 'unsubscribe'),
}
PATHS = {'okx': 'mmp-config', 'binance': 'mmp', 'deribit': 'get_mmp_config', 'bybit': 'mmp-state'}  # of the reads
BINANCE_STREAMS = hasattr(ccxt.pro.binance, 'handle_options_order_update')  # ccxt 4.5.72 and later


class Watcher:
    """``run`` runs a test, which is given it, in a loop of its own."""

    def __init__(self, simulator, exchange_id):
        self.simulator = simulator
        self.exchange_id = exchange_id
        self.underlying = UNDERLYING[exchange_id]
        self.name = UNIFIED[exchange_id]
        self.pushes_trips = exchange_id != 'binance'
        self.has_stream = self.pushes_trips or BINANCE_STREAMS
        self.path = PATHS[exchange_id]
        self.login, self.subscribe, self.unsubscribe = OPERATIONS[exchange_id]
        self.exchange = None
        self.calls = []  # those of waiting() and watching_orders()

    def run(self, main, **config):
        async def running():
            self.exchange = self.connect(**config)
            try:
                await asyncio.wait_for(main(self.exchange), PATIENCE)
            finally:
                ended = await asyncio.wait_for(self.close(), PATIENCE)
            unexpected = [each for each in ended if isinstance(each, BaseException) and not isinstance(each, ENDED)]
            assert not unexpected

        asyncio.run(running())

    async def close(self):
        """What the calls return or raise that still wait."""
        pending = [each for each in self.calls if not each.done()]
        await self.exchange.close()
        return await asyncio.gather(*pending, return_exceptions=True)

    def connect(self, **config):
        settings = {'enableRateLimit': False, 'timeout_on_exit': 0, **config}
        exchange = self.simulator.connect(getattr(ccxt_mmp.pro, self.exchange_id), **settings)
        if 'mmpRateLimits' not in config.get('options', {}):
            exchange.options['mmpRateLimits'] = {}  # so that reads wait for no window; ccxt would merge it

        def sleep(milliseconds):
            ends = self.simulator.now() + milliseconds  # from now on, and not from when its task has begun

            async def sleeping():
                await self.simulator.async_sleep(max(ends - self.simulator.now(), 0) / 1000)

            return sleeping()

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
        method = 'POST' if self.exchange_id == 'deribit' else 'GET'
        return [each for each in self.simulator.requests if each.method == method and each.path.endswith(self.path)]

    def received(self):
        """The frames of this side, but for ccxt's pings."""
        frames = self.simulator.frames
        return [json.loads(each.text) for each in frames if each.direction == 'received' and each.text != 'ping']

    @property
    def operations(self):
        return [each.get('op', each.get('method')) for each in self.received()]

    # --- this side

    async def watch(self, underlying=None, **params):
        return await self.exchange.watch_mmp(underlying or self.name, params)

    async def waiting(self, call=None):
        """A call that has begun to wait."""
        task = asyncio.ensure_future(call or self.watch())
        self.calls.append(task)
        await until(lambda: task.done() or self.futures)
        for _ in range(3):
            await asyncio.sleep(0)
        return task

    async def watching_orders(self):
        """A call of ccxt's watch_orders that has begun to wait, with its own subscription sent."""
        before = self.operations.count(self.subscribe)
        task = asyncio.ensure_future(self.exchange.watch_orders(params={'type': 'option'}))
        self.calls.append(task)
        await until(lambda: any('orders' in str(each) for each in self.all_futures))
        if self.subscribe is not None:
            await until(lambda: self.operations.count(self.subscribe) > before)
        return task

    @property
    def all_futures(self):
        return [each for client in (self.exchange.clients or {}).values() for each in client.futures]

    @property
    def futures(self):
        """The hashes by which calls wait."""
        names = [str(each) for each in self.all_futures]
        return [each for each in names if each.partition(':')[0] == 'mmp' and not each.startswith('mmp:dial')]

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
