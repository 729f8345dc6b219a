"""A mass cancel of 400 MMP orders where every answer takes 20 ms."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import ccxt.async_support

import ccxt_mmp.async_support
from benchmarks.measure import median
from benchmarks.report import Cell, Comparison, Result
from benchmarks.venue import Book, connected, opened_venue
from ccxt_mmp.registry import EXCHANGES

ORDERS = 400
CONTRACTS = {'binance': 200}  # over which the orders are
USUAL_CONTRACTS = 100
# the exchange's id, the unified name and over how many contracts the orders are
UNDERLYINGS = {
    each.id: (each.underlying_id, each.underlying, CONTRACTS.get(each.id, USUAL_CONTRACTS))
    for each in EXCHANGES.values()
}
LATENCY = 20  # ms
TARGET = 8
TARGET_OF_SYNC = 6
ONE_BY_ONE: dict[str, Any] = {'massCancelMmp': {'concurrency': 1}}

Way = Callable[[str, Book], float]


def plugin_async(exchange_id: str, params: dict[str, Any] = {}, **config: Any) -> Way:
    async def measure(url: str) -> float:
        async with connected(getattr(ccxt_mmp.async_support, exchange_id), url, **config) as exchange:
            await exchange.warm_up()
            started = time.perf_counter()
            await exchange.mass_cancel_mmp(UNDERLYINGS[exchange_id][1], params)
            return time.perf_counter() - started

    return lambda url, book: asyncio.run(measure(url))


def plugin_sync(exchange_id: str, params: dict[str, Any] = {}, **config: Any) -> Way:
    def measure(url: str, book: Book) -> float:
        exchange = connected(getattr(ccxt_mmp, exchange_id), url, **config)
        exchange.warm_up()
        started = time.perf_counter()
        exchange.mass_cancel_mmp(UNDERLYINGS[exchange_id][1], params)
        return time.perf_counter() - started

    return measure


def one_after_another(url: str, book: Book) -> float:
    """The requests of the plugin by stock ccxt, each awaited before the next."""

    async def measure() -> float:
        async with connected(ccxt.async_support.binance, url, enableRateLimit=False) as exchange:
            await exchange.eapiPublicGetTime()
            started = time.perf_counter()
            await exchange.eapiPrivateGetOpenOrders()
            for contract, ids in book.items():
                encoded = quote(json.dumps([int(each) for each in ids], separators=(',', ':')))
                await exchange.eapiPrivateDeleteBatchOrders({'symbol': contract, 'orderIds': encoded})
            await exchange.eapiPrivateGetOpenOrders()
            return time.perf_counter() - started

    return asyncio.run(measure())


ASYNC, SEQUENTIAL = 'binance, async', 'binance, async, one after another by stock ccxt'
SYNC, NATIVE = 'binance, sync', 'binance, sync, includeNonMmp'
SYNC_SEQUENTIAL = 'binance, sync, concurrency 1'

# the limiter is off where no request of ours waits for it, and stock ccxt's would
WAYS: tuple[tuple[str, str, int, Way], ...] = (
    (ASYNC, 'binance', 5, plugin_async('binance', enableRateLimit=False)),
    (SEQUENTIAL, 'binance', 3, one_after_another),
    (SYNC, 'binance', 3, plugin_sync('binance', enableRateLimit=False)),
    (SYNC_SEQUENTIAL, 'binance', 2, plugin_sync('binance', enableRateLimit=False, options=ONE_BY_ONE)),
    (NATIVE, 'binance', 5, plugin_sync('binance', {'includeNonMmp': True}, enableRateLimit=False)),
    ('okx, sync', 'okx', 5, plugin_sync('okx')),
    ('okx, async, emulate (limit: 300 orders in 2 s)', 'okx', 2, plugin_async('okx', {'emulate': True})),
)


def run() -> Result:
    times: dict[str, list[float]] = {what: [] for what, *_ in WAYS}
    requests: dict[str, int] = {}
    with opened_venue(latency=LATENCY) as (venue, url):
        for repetition in range(max(repetitions for _, _, repetitions, _ in WAYS)):
            for what, exchange_id, repetitions, way in WAYS:
                if repetition >= repetitions:
                    continue
                underlying, _, contracts = UNDERLYINGS[exchange_id]
                book = venue.fill_book(exchange_id, underlying, ORDERS, contracts)
                times[what].append(way(url, book))
                left = venue.orders_left(exchange_id, underlying)
                if left:
                    raise RuntimeError(f'{left} orders are left: {what}')
                requests[what] = venue.sent() - 1  # but for the one that opened the connection
    details: list[dict[str, Cell]] = [
        {'way': what, 'requests': requests[what], 'p50 ms': median(each) * 1000, 'of': len(each)}
        for what, each in times.items()
    ]
    medians = {what: median(each) for what, each in times.items()}
    one_by_one = 'stock ccxt async, one after another'
    comparisons = [
        Comparison(
            f'{ORDERS} MMP orders, {LATENCY} ms away, {ASYNC}',
            medians[ASYNC],
            medians[SEQUENTIAL],
            one_by_one,
            at_least=TARGET,
        ),
        Comparison(
            f'the same, {SYNC}',
            medians[SYNC],
            medians[SYNC_SEQUENTIAL],
            'ccxt_mmp sync, concurrency 1',
            at_least=TARGET_OF_SYNC,
        ),
        Comparison(f'the same, {NATIVE}', medians[NATIVE], medians[SEQUENTIAL], one_by_one),
    ]
    contracts = UNDERLYINGS['binance'][2]
    title = f'{ORDERS} MMP orders, binance over {contracts} contracts, answers after {LATENCY} ms'
    return Result('emulation', title, comparisons, details)
