"""Pro exchanges at the simulator's websockets."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from tests.simulator.sockets import PATIENCE, until
from tests.trading import symbols, with_markets

FAMILY = 'BTC-USD'
OPTIONS = {'type': 'option'}
MMP = {'mmp': True}
OVER_SOCKET = [each for each in EXCHANGES if getattr(ccxt_mmp.pro, each)().has['massCancelMmpWs']]


@asynccontextmanager
async def connected(simulator, exchange_id='okx', has_markets=True, **config):
    config = {'enableRateLimit': False, 'timeout': 5000, **config}
    exchange = simulator.connect(getattr(ccxt_mmp.pro, exchange_id), **config)
    exchange.timeout_on_exit = 0
    if has_markets:
        with_markets(exchange)
    try:
        yield exchange
    finally:
        await exchange.close()


def left_over():
    """Tasks that nobody waits for; older ccxt does not end its pauses when a connection is lost."""
    return {each for each in asyncio.all_tasks() - {asyncio.current_task()} if 'ping_loop' not in repr(each)}


def run(main):
    """Run a test, which must leave no task behind."""

    async def bounded():
        await asyncio.wait_for(main, 30)
        ends = time.monotonic() + PATIENCE
        while left_over() and time.monotonic() < ends:  # noqa: ASYNC110 - as until
            await asyncio.sleep(0.005)
        assert left_over() == set()

    asyncio.run(bounded())


def received(simulator, op):
    """What clients sent of an operation."""
    frames = [
        json.loads(each.text) for each in simulator.frames if each.direction == 'received' and each.text != 'ping'
    ]
    return [frame for frame in frames if frame.get('op') == op]


def sent(simulator, text):
    return [each for each in simulator.frames if each.direction == 'sent' and text in each.text]


def place(exchange, **params):
    return exchange.create_order_ws(symbols(exchange, FAMILY)[0], 'limit', 'buy', 10, 5, {**MMP, **params})


async def watching(exchange, **params):
    """A call of watch_orders that waits for a push, with its subscription acknowledged."""
    task = asyncio.ensure_future(exchange.watch_orders(params={**OPTIONS, **params}))
    await until(lambda: task.done() or [each for each in exchange.clients.values() if 'orders' in each.futures])
    return task


def client_of(exchange):
    [client] = exchange.clients.values()
    return client


async def is_idle(exchange):
    """Whatever the exchange was about to send has been answered: as what is asked now is."""
    await exchange.mass_cancel_mmp_ws('ETH/USD')
