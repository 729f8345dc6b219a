"""How long after a trip a bot knows it: from the trigger in the simulator until its call returns."""

import asyncio
import time
from typing import Any

import ccxt.pro

import ccxt_mmp.pro
from benchmarks.measure import WARM_UP, median, percentile
from benchmarks.report import Cell, Comparison, Result
from benchmarks.venue import Venue, connected, opened_venue

ROUNDS = 150  # of each block
BLOCKS = 2  # of each contestant, which take turns
PATIENCE = 10  # s that anything is waited for
WITHIN = 0.001  # s, the target
AT_MOST = 1.5  # times stock watch_orders: the target of watch_mmp, where trips are pushed
PUSHING, CANCELLED = 'okx', (1, 200)  # orders that a trip cancels
MANY_ROUNDS = 40  # of trips that cancel many
OURS, STOCK = 'ccxt_mmp', 'stock ccxt'
CONFIG: dict[str, dict[str, Any]] = {'binance': {'options': {'fetchMarkets': ['option']}}}
UNDERLYINGS = {'okx': 'BTC-USD', 'binance': 'BTCUSDT'}


def run() -> Result:
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(BLOCKS):
        for exchange_id in UNDERLYINGS:
            for name, module in ((OURS, ccxt_mmp.pro), (STOCK, ccxt.pro)):
                with opened_venue(enforce_limits=False) as (venue, url):
                    taken = asyncio.run(_times(venue, url, exchange_id, getattr(module, exchange_id)))
                times.setdefault((exchange_id, name), []).extend(taken)
    until_told = _until_told()
    details: list[dict[str, Cell]] = [
        _row(f'watch_orders, {exchange_id}', name, taken) for (exchange_id, name), taken in times.items()
    ]
    details += [
        _row(f'{call}, {PUSHING}, {number} cancelled', OURS if call == 'watch_mmp' else STOCK, taken)
        for (call, number), taken in until_told.items()
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
    comparisons += [
        Comparison(
            f'trip to watch_mmp, {PUSHING}, {number} cancelled',
            median(until_told['watch_mmp', number]),
            median(until_told['watch_orders', number]),
            other='stock watch_orders',
            at_most=AT_MOST,
        )
        for number in CANCELLED
    ]
    return Result(
        'streams',
        'from a trip until watch_orders or watch_mmp returns; of one order if nothing else is said',
        comparisons,
        details,
        ['The simulator is a process of its own; its websocket is open.'],
    )


def _row(what: str, name: str, taken: list[float]) -> dict[str, Cell]:
    figures: dict[str, Cell] = {'p50 ms': median(taken) * 1000, 'p99 ms': percentile(taken, 99) * 1000}
    return {'trip to': what, 'by': name, **figures, 'of': len(taken)}


def _until_told() -> dict[tuple[str, int], list[float]]:
    """The seconds by call and number of cancelled orders; the calls take turns."""
    times: dict[tuple[str, int], list[float]] = {}
    for number in CANCELLED:
        for _ in range(BLOCKS):
            for call, module in (('watch_mmp', ccxt_mmp.pro), ('watch_orders', ccxt.pro)):
                with opened_venue(enforce_limits=False) as (venue, url):
                    taken = asyncio.run(_trips(venue, url, getattr(module, PUSHING), call, number))
                times.setdefault((call, number), []).extend(taken)
    return times


async def _trips(venue: Venue, url: str, exchange_class: Any, call: str, number: int) -> list[float]:
    """One trip after the other, each with so many orders to cancel, of which the first push tells."""
    underlying, taken = UNDERLYINGS[PUSHING], []
    venue.set_rule(PUSHING, underlying)
    async with connected(exchange_class, url, enableRateLimit=False) as exchange:
        await exchange.load_markets()
        is_mmp = call == 'watch_mmp'

        if is_mmp:
            await exchange.watch_mmp(underlying)
        else:
            await _subscribed(venue, await _watch(exchange), PUSHING)
        for _ in range(ROUNDS if number == 1 else MANY_ROUNDS):
            placed = venue.rest_orders(PUSHING, underlying, number)
            await asyncio.sleep(0.002 + number / 5000)  # what tells of those that are placed has come
            waiting = exchange.watch_mmp(underlying) if is_mmp else _cancelled(exchange, placed)
            taken.append(await _until_returned(venue, PUSHING, await _begun(waiting)))
            await asyncio.sleep(0.002 + number / 5000)  # the other rows have come
            if is_mmp:
                await exchange.reset_mmp(underlying)
                await exchange.watch_mmp(underlying)
            else:
                venue.thaw(PUSHING, underlying)
    return taken[WARM_UP:]


async def _until_returned(venue: Venue, exchange_id: str, watching: 'asyncio.Task[Any]') -> float:
    """The seconds from a trip on the exchange until a call returns."""
    loop = asyncio.get_running_loop()
    tripping = loop.run_in_executor(None, venue.trip_now, exchange_id, UNDERLYINGS[exchange_id])
    await asyncio.wait_for(watching, PATIENCE)
    returned = time.perf_counter()
    return returned - await tripping


async def _cancelled(exchange: Any, placed: list[str]) -> None:
    """Until ``watch_orders`` returns one of these orders that a trip cancelled; it may have older ones to tell of."""
    while True:
        for order in await exchange.watch_orders(params={'type': 'option'}):
            if order['info']['state'] == 'mmp_canceled' and order['id'] in placed:
                return


async def _begun(call: Any) -> 'asyncio.Task[Any]':
    """A call that has begun to wait."""
    watching: asyncio.Task[Any] = asyncio.ensure_future(call)
    for _ in range(5):
        await asyncio.sleep(0)
    return watching


async def _times(venue: Venue, url: str, exchange_id: str, exchange_class: Any) -> list[float]:
    underlying, taken = UNDERLYINGS[exchange_id], []
    venue.set_rule(exchange_id, underlying)
    async with connected(exchange_class, url, enableRateLimit=False, **CONFIG.get(exchange_id, {})) as exchange:
        await exchange.load_markets()
        watching = await _watch(exchange)
        await _subscribed(venue, watching, exchange_id)
        for _ in range(ROUNDS):
            watching = await _watch(exchange)
            venue.rest_orders(exchange_id, underlying, 1)
            await asyncio.wait_for(watching, PATIENCE)
            taken.append(await _until_returned(venue, exchange_id, await _watch(exchange)))
            venue.thaw(exchange_id, underlying)
    return taken[WARM_UP:]


async def _watch(exchange: Any) -> 'asyncio.Task[Any]':
    return await _begun(exchange.watch_orders(params={'type': 'option'}))


async def _subscribed(venue: Venue, watching: 'asyncio.Task[Any]', exchange_id: str) -> None:
    """Order and cancel until the first push comes."""
    deadline = time.monotonic() + PATIENCE
    while not watching.done() and time.monotonic() < deadline:
        venue.rest_orders(exchange_id, UNDERLYINGS[exchange_id], 1)
        await asyncio.wait([watching], timeout=0.1)
        venue.trip_now(exchange_id, UNDERLYINGS[exchange_id])
        venue.thaw(exchange_id, UNDERLYINGS[exchange_id])
    await asyncio.sleep(0.1)  # what was pushed meanwhile has come
