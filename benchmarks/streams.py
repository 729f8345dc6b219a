"""How long after a trip a bot knows it: from the trigger in the simulator until ``watch_orders`` returns."""

import asyncio
import time
from typing import Any

import ccxt.pro

import ccxt_mmp.pro
from benchmarks.measure import WARM_UP, median, percentile
from benchmarks.report import Cell, Comparison, Result
from ccxt_mmp.simulator import Simulator

ROUNDS = 150  # of each block
BLOCKS = 2  # of each contestant, which take turns
PATIENCE = 10  # s that anything is waited for
WITHIN = 0.001  # s, the target
OURS, STOCK = 'ccxt_mmp', 'stock ccxt'
CONFIG: dict[str, dict[str, Any]] = {'binance': {'options': {'fetchMarkets': ['option']}}}
UNDERLYINGS = {'okx': 'BTC-USD', 'binance': 'BTCUSDT'}


def run() -> Result:
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(BLOCKS):
        for exchange_id in UNDERLYINGS:
            for name, module in ((OURS, ccxt_mmp.pro), (STOCK, ccxt.pro)):
                with Simulator(enforce_limits=False) as simulator:
                    taken = asyncio.run(_times(simulator, exchange_id, getattr(module, exchange_id)))
                times.setdefault((exchange_id, name), []).extend(taken)
    details: list[dict[str, Cell]] = [
        {
            'trip to watch_orders': exchange_id,
            'by': name,
            'p50 ms': median(taken) * 1000,
            'p99 ms': percentile(taken, 99) * 1000,
            'of': len(taken),
        }
        for (exchange_id, name), taken in times.items()
    ]
    comparisons = [
        Comparison(
            f'trip to watch_orders, {exchange_id}',
            median(times[exchange_id, OURS]),
            median(times[exchange_id, STOCK]),
            within=WITHIN,
        )
        for exchange_id in UNDERLYINGS
    ]
    return Result(
        'streams',
        f'from a trip that cancels one order until watch_orders returns, {(ROUNDS - WARM_UP) * BLOCKS} times each',
        comparisons,
        details,
        ['The simulator is a thread of the same process; its websocket is open.'],
    )


async def _times(simulator: Simulator, exchange_id: str, exchange_class: Any) -> list[float]:
    underlying, taken = UNDERLYINGS[exchange_id], []
    config = {'enableRateLimit': False, 'timeout_on_exit': 0, **CONFIG.get(exchange_id, {})}
    simulator.set_rule(exchange_id, underlying)
    async with simulator.connect(exchange_class, **config) as exchange:
        await exchange.load_markets()
        watching = await _watch(exchange)
        await _subscribed(simulator, watching, exchange_id)
        for _ in range(ROUNDS):
            watching = await _watch(exchange)
            simulator.rest(exchange_id, underlying, mmp=True)
            await asyncio.wait_for(watching, PATIENCE)
            watching = await _watch(exchange)
            started = time.perf_counter()
            simulator.trip(exchange_id, underlying)
            await asyncio.wait_for(watching, PATIENCE)
            taken.append(time.perf_counter() - started)
            simulator.protection(exchange_id, underlying).freeze_ends = 0
    return taken[WARM_UP:]


async def _watch(exchange: Any) -> 'asyncio.Task[Any]':
    """A call that has begun to wait."""
    watching: asyncio.Task[Any] = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
    for _ in range(5):
        await asyncio.sleep(0)
    return watching


async def _subscribed(simulator: Simulator, watching: 'asyncio.Task[Any]', exchange_id: str) -> None:
    """Order and cancel until the first push comes."""
    deadline = time.monotonic() + PATIENCE
    while not watching.done() and time.monotonic() < deadline:
        order = simulator.rest(exchange_id, UNDERLYINGS[exchange_id], mmp=True)
        await asyncio.wait([watching], timeout=0.1)
        simulator.trip(exchange_id, order.underlying)
        simulator.protection(exchange_id, order.underlying).freeze_ends = 0
    await asyncio.sleep(0.1)  # what was pushed meanwhile has come
