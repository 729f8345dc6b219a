"""How long after the call a mass cancel is on the wire: as the simulator receives it, with ccxt's limiter on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import ccxt.async_support

import ccxt_mmp.async_support
from benchmarks.measure import median
from benchmarks.report import Cell, Comparison, Result
from benchmarks.venue import Venue, connected, opened_venue

MASS_CANCEL = {'instType': 'OPTION', 'instFamily': 'BTC-USD'}
RULE = {'instFamily': 'BTC-USD', 'timeInterval': '5000', 'frozenInterval': '2000', 'qtyLimit': '100'}
PATIENCE = 15  # s that anything is waited for, unless a situation says otherwise
SETTLING = 0.2  # s in which queued calls get to their queue
SLOW = 10_000  # ms that the answers to slow requests take
CONNECTIONS = 100  # of aiohttp, behind which other ordinary requests wait
IDLE = 0.5  # s after which the sync limiter of ccxt waits for nothing more
WITHIN = 0.010  # s, the target


@dataclass(frozen=True)
class Situation:
    """
    prepare: what comes before the mass cancel, with the exchange and whether it is ours; tasks are left to run.
    slow: how many ordinary requests are in flight whose answers do not come; they went out without the limiter.
    repetitions: of ours and of stock ccxt, which are fewer where it waits for seconds.
    at_least: times as fast as stock ccxt, the target.
    """

    what: str
    prepare: Callable[[Any, bool], Any]
    repetitions: tuple[int, int]
    patience: float = PATIENCE
    slow: int = 0
    at_least: float | None = None


def run() -> Result:
    comparisons: list[Comparison] = []
    details: list[dict[str, Cell]] = []
    with opened_venue() as (venue, url):
        for flavour, situations, measure in (
            ('async', ASYNC_SITUATIONS, _async_latency),
            ('sync', SYNC_SITUATIONS, _sync_latency),
        ):
            for situation in situations:
                ours, stock = _latencies(situation, partial(measure, venue, url, situation))
                what = f'kill switch {situation.what}, {flavour}'
                comparisons.append(
                    Comparison(
                        what,
                        median(ours),
                        median(stock),
                        at_least=situation.at_least,
                        within=WITHIN,
                        capped=median(stock) >= situation.patience,
                    )
                )
                details.append(
                    {
                        'on the wire after the call': what,
                        'p50 ms': median(ours) * 1000,
                        'worst ms': max(ours) * 1000,
                        'of': len(ours),
                        'stock p50 ms': median(stock) * 1000,
                        'stock of': len(stock),
                    }
                )
    return Result(
        'latency',
        'from the call of a mass cancel on OKX until the simulator has it, limiter on',
        comparisons,
        details,
        ["Queued calls have ccxt's cost of 1; the connection is open in every situation (ours: warm_up)."],
    )


def _latencies(situation: Situation, measure: Callable[[bool], float]) -> tuple[list[float], list[float]]:
    ours, stock = [], []
    for repetition in range(max(situation.repetitions)):
        if repetition < situation.repetitions[0]:
            ours.append(measure(True))
        if repetition < situation.repetitions[1]:
            stock.append(measure(False))
    return ours, stock


def _arrival(venue: Venue) -> float:
    [arrival] = venue.arrivals('trade/mass-cancel')
    return arrival


# --- sync


def _sync_latency(venue: Venue, url: str, situation: Situation, is_ours: bool) -> float:
    exchange = connected(ccxt_mmp.okx if is_ours else ccxt.okx, url, enableRateLimit=False)
    exchange.publicGetPublicTime()
    if is_ours:
        exchange.warm_up()
    exchange.enableRateLimit = True
    situation.prepare(exchange, is_ours)
    venue.clear()
    started = time.perf_counter()
    if is_ours:
        exchange.mass_cancel_mmp('BTC/USD')
    else:
        exchange.privatePostTradeMassCancel(MASS_CANCEL)
    return _arrival(venue) - started


def _set_mmp(exchange: Any, is_ours: bool) -> Any:
    if is_ours:
        return exchange.set_mmp('BTC/USD', window=5000, frozenTime=2000, qtyLimit=100)
    return exchange.privatePostAccountMmpConfig(RULE)


def _call(exchange: Any) -> Any:
    return exchange.publicGetPublicInstruments({'instType': 'OPTION', 'instFamily': 'BTC-USD', 'instId': 'none'})


SYNC_SITUATIONS = (
    Situation('when idle', lambda exchange, is_ours: time.sleep(IDLE), (10, 10)),
    Situation('right after any call', lambda exchange, is_ours: _call(exchange), (10, 10), at_least=40),
    # ccxt waits for seconds before its account/mmp-config too
    Situation('right after set_mmp', _set_mmp, (10, 2), at_least=40),
)


# --- async


def _async_latency(venue: Venue, url: str, situation: Situation, is_ours: bool) -> float:
    # a loop for each, at the end of which nothing of a queue is left
    return asyncio.run(_latency(venue, url, situation, is_ours))


async def _latency(venue: Venue, url: str, situation: Situation, is_ours: bool) -> float:
    module = ccxt_mmp.async_support if is_ours else ccxt.async_support
    async with connected(module.okx, url, enableRateLimit=False) as exchange:
        await exchange.publicGetPublicTime()
        if is_ours:
            await exchange.warm_up()
        queued: list[asyncio.Task[Any]] = await _in_flight(venue, exchange, situation.slow)
        exchange.enableRateLimit = True
        queued += await situation.prepare(exchange, is_ours)
        venue.clear()
        started = time.perf_counter()
        call = exchange.mass_cancel_mmp('BTC/USD') if is_ours else exchange.privatePostTradeMassCancel(MASS_CANCEL)
        try:
            await asyncio.wait_for(call, situation.patience)
        except asyncio.TimeoutError:
            return situation.patience
        finally:
            for task in queued:
                task.cancel()
            await asyncio.gather(*queued, return_exceptions=True)
        return _arrival(venue) - started


async def _in_flight(venue: Venue, exchange: Any, requests: int) -> list[asyncio.Task[Any]]:
    venue.clear_faults()
    if not requests:
        return []
    venue.fault('hold', 'public/instruments', milliseconds=SLOW, times=requests)
    tasks = [asyncio.ensure_future(_call(exchange)) for _ in range(requests)]
    while venue.faults_left() > requests - CONNECTIONS:  # noqa: ASYNC110 - the venue's thread uses them up
        await asyncio.sleep(0.01)
    return tasks


async def _idle(exchange: Any, is_ours: bool) -> list[asyncio.Task[Any]]:
    return []


async def _after_set_mmp(exchange: Any, is_ours: bool) -> list[asyncio.Task[Any]]:
    await _set_mmp(exchange, is_ours)
    return []


def _behind(calls: int) -> Callable[[Any, bool], Awaitable[list[asyncio.Task[Any]]]]:
    async def queue(exchange: Any, is_ours: bool) -> list[asyncio.Task[Any]]:
        tasks = [asyncio.ensure_future(_call(exchange)) for _ in range(calls)]
        await asyncio.sleep(SETTLING)
        return tasks

    return queue


ASYNC_SITUATIONS = (
    Situation('when idle', _idle, (15, 15)),
    Situation('right after set_mmp', _after_set_mmp, (15, 2), at_least=300),
    Situation('behind 30 queued calls', _behind(30), (15, 3)),
    Situation('behind 1,000 queued calls', _behind(1000), (15, 2), patience=5),
    Situation('with 150 slow requests in flight', _idle, (10, 1), patience=3, slow=150),
)
