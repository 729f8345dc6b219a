"""What a halt costs each MMP order, and how soon every process refuses: SQLite and Redis, on this machine."""

import asyncio
import multiprocessing
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ccxt_mmp
import ccxt_mmp.async_support
from benchmarks.measure import median, percentile, take_turns, take_turns_async
from benchmarks.report import Cell, Comparison, Result
from benchmarks.venue import connected, opened_venue
from ccxt_mmp import MmpHalted

ROUNDS = 200
CLEAR_EVERY = 60  # calls, so that the simulator's book stays small
HALTS = 100
PROCESSES = 8
FAMILY = 'BTC-USD'
WITH, WITHOUT = 'with', 'without'
# of each set of exchange objects: what is made second is faster by a percent, and where in memory it lies makes another
NAMES = 4 * ((WITH, WITHOUT), (WITHOUT, WITH))
AT_MOST = {'SQLite': 1.05, 'Redis': 1.30}
Contestants = dict[str, Callable[[], Any]]

PROGRAMS = ('redis-server', 'valkey-server')


def run() -> Result:
    comparisons: list[Comparison] = []
    details: list[dict[str, Cell]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        opened_venue(enforce_limits=False) as (venue, url),
        opened_stores(folder) as stores,
    ):
        venue.clear_orders()
        for store, at_most in AT_MOST.items():
            if store not in stores:
                continue
            for flavour, measure in (('sync', sync_times), ('async', async_times)):
                times = measure(url, stores[store], venue.clear_orders)
                ours, theirs = median(times[WITH]), median(times[WITHOUT])
                what = f'an MMP order with halts in {store}, {flavour}'
                comparisons.append(Comparison(what, ours, theirs, WITHOUT, at_most=at_most))
        for store in stores:
            taken = refusals(url, stores[store], venue.clear_orders)
            details.append(
                {
                    f'until {PROCESSES} processes refuse': store,
                    'halts': len(taken),
                    'p50 ms': median(taken) * 1000,
                    'p99 ms': percentile(taken, 99) * 1000,
                }
            )
        notes = [] if 'Redis' in stores else [f'NO REDIS HERE: needs {" or ".join(PROGRAMS)}']
    return Result('halts', f'{len(NAMES)} times {ROUNDS} orders each, limiter off', comparisons, details, notes)


@contextmanager
def opened_stores(folder: str) -> Iterator[dict[str, str]]:
    """The url of each store; without Redis where there is none."""
    stores = {'SQLite': f'sqlite:{Path(folder) / "halt.db"}'}
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        yield stores
        return
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    command = [program, '--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            yield {**stores, 'Redis': f'redis://127.0.0.1:{port}/0'}
        finally:
            server.terminate()


# --- what it costs


def sync_times(url: str, store: str, clear: Callable[[], None]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    for names in NAMES:
        exchanges, contestants = both_quoting(ccxt_mmp.okx, url, store, names)
        for name, taken in take_turns(contestants, ROUNDS, clear, CLEAR_EVERY).items():
            times[name] += taken
        for exchange in exchanges:
            exchange.close()
    return times


def async_times(url: str, store: str, clear: Callable[[], None]) -> dict[str, list[float]]:
    async def measure(names: Sequence[str]) -> dict[str, list[float]]:
        exchanges, contestants = both_quoting(ccxt_mmp.async_support.okx, url, store, names)
        taken = await take_turns_async(contestants, ROUNDS, clear, CLEAR_EVERY)
        for exchange in exchanges:
            await exchange.close()
        return taken

    times: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    for names in NAMES:
        for name, taken in asyncio.run(measure(names)).items():
            times[name] += taken
    return times


def both_quoting(exchange_class: Any, url: str, store: str, names: Sequence[str]) -> tuple[list[Any], Contestants]:
    """Two exchanges, and what places an MMP order on each: turn by turn, so that no other store is in between."""
    made = {name: quoting(exchange_class, url, store if name == WITH else None) for name in names}
    return [exchange for exchange, _ in made.values()], {name: place for name, (_, place) in made.items()}


def quoting(exchange_class: Any, url: str, store: str | None) -> tuple[Any, Callable[[], Any]]:
    """An exchange, and what places an MMP order on it."""
    exchange = connected(exchange_class, url, enableRateLimit=False)
    if store is not None:
        exchange.options['mmpHalt'] = {'url': store, 'account': 'benchmark', 'timeout': 5000}
    loaded = connected(ccxt_mmp.okx, url, enableRateLimit=False, options={'fetchMarkets': ['option']})
    exchange.set_markets(loaded.load_markets())
    symbol = next(each['symbol'] for each in exchange.markets.values() if each['info'].get('instFamily') == FAMILY)
    return exchange, lambda: exchange.create_order(symbol, 'limit', 'buy', 1, 5, {'mmp': True})


# --- how soon it is everywhere


def refusals(url: str, store: str, clear: Callable[[], None]) -> list[float]:
    """The seconds from the call of halt_mmp until the last process has refused an order."""
    context = multiprocessing.get_context('spawn')
    ends: list[Connection] = []
    processes = []
    for _ in range(PROCESSES):
        ours, theirs = context.Pipe()
        process = context.Process(target=quote, args=(url, store, theirs), daemon=True)
        process.start()
        ends.append(ours)
        processes.append(process)
    desk, _ = quoting(ccxt_mmp.okx, url, store)
    taken = []
    for _ in range(HALTS):
        for end in ends:
            end.recv()  # it quotes
        started = time.perf_counter()
        desk.halt_mmp('BTC/USD', {'cancel': False})
        taken.append(max(end.recv() for end in ends) - started)
        clear()
        desk.resume_mmp('BTC/USD')
    for end, process in zip(ends, processes, strict=True):
        end.send('stop')
        process.join()
    desk.close()
    return taken


def quote(url: str, store: str, end: Connection) -> None:
    """Says when it quotes, and then when it was first refused, until it is told to stop."""
    exchange, place = quoting(ccxt_mmp.okx, url, store)
    is_halted = True
    while not end.poll():
        refused_at = refused(place)
        if (refused_at is not None) != is_halted:
            is_halted = not is_halted
            end.send(refused_at)
        if is_halted:
            time.sleep(0.001)
    exchange.close()


def refused(place: Callable[[], Any]) -> float | None:
    """When an order was refused; None if it was accepted."""
    try:
        place()
    except MmpHalted:
        return time.perf_counter()
    return None
