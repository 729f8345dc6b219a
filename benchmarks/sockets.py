"""A mass cancel over the websocket and over both ways at once, beside one over REST."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro

import ccxt_mmp.pro
from benchmarks.measure import median, percentile, take_turns_async
from benchmarks.report import Cell, Comparison, Result
from benchmarks.venue import connected, opened_venue

ROUNDS, HEDGED_ROUNDS = 600, 60
LATENCY = 20  # ms of the exchange and the way to it, without which two ways at once are twice the work
REST, SOCKET, BOTH, STOCK = 'REST', 'websocket', 'both ways', 'stock ccxt, websocket'
AT_MOST, AT_MOST_HEDGED = 0.5, 1.10

Calls = dict[str, Callable[[], Awaitable[Any]]]


def run() -> Result:
    with opened_venue(enforce_limits=False) as (_, url):
        plain = asyncio.run(_times(url, (REST, SOCKET, STOCK), ROUNDS))
    with opened_venue(enforce_limits=False, latency=LATENCY) as (_, url):
        hedged = asyncio.run(_times(url, (REST, SOCKET, BOTH), HEDGED_ROUNDS))
    details: list[dict[str, Cell]] = [
        {
            'mass cancel': f'answers {latency} ms late' if latency else 'answers at once',
            'by': name,
            'p50 ms': median(taken) * 1000,
            'p99 ms': percentile(taken, 99) * 1000,
            'of': len(taken),
        }
        for latency, times in ((0, plain), (LATENCY, hedged))
        for name, taken in times.items()
    ]
    faster = min((REST, SOCKET), key=lambda name: median(hedged[name]))
    comparisons = [
        Comparison(
            'one mass cancel over the websocket', median(plain[SOCKET]), median(plain[REST]), REST, at_most=AT_MOST
        ),
        Comparison(
            f'one mass cancel over both ways, answers {LATENCY} ms late',
            median(hedged[BOTH]),
            median(hedged[faster]),
            f'{faster} alone',
            at_most=AT_MOST_HEDGED,
        ),
    ]
    return Result('sockets', 'one mass cancel on OKX in pro, limiter off, connections open', comparisons, details)


async def _times(url: str, names: tuple[str, ...], rounds: int) -> dict[str, list[float]]:
    plugin, stock = (connected(module.okx, url, enableRateLimit=False) for module in (ccxt_mmp.pro, ccxt.pro))
    async with plugin, stock:
        await stock.load_markets()
        symbol = next(each for each in stock.symbols if each.startswith('BTC/USD:BTC-'))
        await plugin.warm_up({'hedge': True})
        calls: Calls = {
            REST: lambda: plugin.mass_cancel_mmp('BTC/USD'),
            SOCKET: lambda: plugin.mass_cancel_mmp_ws('BTC/USD'),
            BOTH: lambda: plugin.mass_cancel_mmp('BTC/USD', {'hedge': True}),
            STOCK: lambda: stock.cancel_all_orders_ws(symbol, {'instFamily': 'BTC-USD'}),
        }
        return await take_turns_async({name: calls[name] for name in names}, rounds)
