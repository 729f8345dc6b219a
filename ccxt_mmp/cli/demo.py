"""The demo: the MMP methods on the built-in simulator over real HTTP. Each step is checked on the simulator."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from ccxt_mmp import MmpFrozen
from ccxt_mmp.async_support import binance, okx
from ccxt_mmp.cli.report import state_of
from ccxt_mmp.cli.traffic import show_answers
from ccxt_mmp.cli.views import PlainView, demo_view
from ccxt_mmp.core.params import LIMITS
from ccxt_mmp.core.text import described
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from ccxt_mmp.types import MmpState

GRID = 200  # orders on each exchange
LATER = 10_000  # ms
PRICE = 100  # ticks
RFQ = {'scope': 'rfq'}


class Step(NamedTuple):
    call: str
    outcome: str
    happened: bool


Section = AsyncIterator[Step]


def demo(arguments: argparse.Namespace) -> int:
    """Run it. The exit status is 0 only if every step did what it says."""
    with Simulator() as simulator, demo_view(simulator) as shown:
        succeeded = asyncio.run(run(simulator, shown, arguments))
        shown.end(verdict(simulator, succeeded))
    return 0 if succeeded else 1


def verdict(simulator: Simulator, succeeded: bool) -> str:
    said = 'Every step did what it says.' if succeeded else 'Not every step did what it says.'
    return f'{len(simulator.requests)} requests, all of them over HTTP. {said}'


async def run(simulator: Simulator, shown: PlainView, arguments: argparse.Namespace) -> bool:
    """Run and show all sections. Returns whether every step did what it says."""
    succeeded = True
    async with AsyncExitStack() as opened:
        venues = []
        for exchange_class in (okx, binance):
            exchange = simulator.connect(
                exchange_class,
                enableRateLimit=False,  # the simulator has no other user
                options={'fetchMarkets': ['option']},  # by default ccxt does not load Binance's
            )
            exchange.timeout = arguments.timeout or exchange.timeout
            if arguments.verbose:
                show_answers(exchange, str)
            venues.append(await opened.enter_async_context(exchange))
        sections: dict[str, Callable[[], Section]] = {
            'OKX options, BTC/USD (instrument family BTC-USD)': lambda: _okx_options(simulator, venues[0]),
            'OKX block trading (RFQ), one protection per account': lambda: _okx_block_trading(simulator, venues[0]),
            'Binance options, BTC/USDT (underlying BTCUSDT)': lambda: _binance_options(simulator, venues[1]),
            f'The kill switch: {2 * GRID} MMP orders on both exchanges': lambda: _grid(simulator, *venues),
        }
        shown.begin(list(sections))
        for title, section in sections.items():
            shown.section(title)
            try:
                async for step in section():
                    succeeded = succeeded and step.happened
                    await shown.step(*step)
            except Exception as error:  # noqa: BLE001 - the other sections still run
                succeeded = False
                await shown.step('(a call failed)', described(error), happened=False)
    return succeeded


async def _okx_options(simulator: Simulator, exchange: okx) -> Section:
    state = await exchange.set_mmp('BTC/USD', window=5000, frozenTime=0, qtyLimit=10)
    yield Step("set_mmp('BTC/USD', 5000, 0, qtyLimit=10)", _rule(state), state['qtyLimit'] == 10)
    async for step in _freeze_and_reset(simulator, exchange, 'BTC/USD', 'BTC-USD'):
        yield step
    cancelled = await exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 2000})
    yield Step(
        "mass_cancel_mmp('BTC/USD', {'lockInterval': 2000})",
        f'{_book(simulator, "okx", "BTC-USD")}, locked until {exchange.iso8601(cancelled["lockedUntil"])}',
        _others_alone_rest(simulator, 'okx', 'BTC-USD'),
    )


async def _okx_block_trading(simulator: Simulator, exchange: okx) -> Section:
    state = await exchange.set_mmp(None, 5000, 2000, params={**RFQ, 'countLimit': 10})
    yield Step('set_mmp(None, 5000, 2000, params={rfq, countLimit: 10})', _rule(state), state['countLimit'] == 10)
    simulator.execute_block_trades(10)
    state = await exchange.fetch_mmp(params=RFQ)
    yield Step('(10 execution attempts come) fetch_mmp(params={rfq})', state_of(state), state['frozen'] is True)
    await exchange.reset_mmp()
    state = await exchange.fetch_mmp(params=RFQ)
    yield Step('reset_mmp()', state_of(state), state['frozen'] is False)


async def _binance_options(simulator: Simulator, exchange: binance) -> Section:
    state = await exchange.set_mmp('BTC/USDT', window=3000, frozenTime=300000, qtyLimit=2, deltaLimit='2.3')
    yield Step("set_mmp('BTC/USDT', 3000, 300000, 2, '2.3')", _rule(state), state['deltaLimit'] == 2.3)
    async for step in _freeze_and_reset(simulator, exchange, 'BTC/USDT', 'BTCUSDT'):
        yield step
    cancelled = await exchange.mass_cancel_mmp('BTC/USDT')
    yield Step(
        "mass_cancel_mmp('BTC/USDT')",
        f'{len(cancelled["orders"] or [])} cancelled, {_book(simulator, "binance", "BTCUSDT")}',
        len(cancelled['orders'] or []) == 3 and _others_alone_rest(simulator, 'binance', 'BTCUSDT'),
    )


async def _freeze_and_reset(simulator: Simulator, exchange: Any, underlying: str, underlying_id: str) -> Section:
    """Quote, trip the protection by fills, reset it, and quote again."""
    venue = exchange.id
    [symbol] = await _options(exchange, underlying_id, 1)
    quotes = [_limit_order(exchange, symbol, mmp=mmp) for mmp in (False, True, True, True)]

    async def quote() -> Step:
        placed = await exchange.create_orders(quotes)
        accepted = [order for order in placed if order['status'] == 'open' and order['mmp']]
        call = "create_orders([..., 'params': {'mmp': True}])"
        return Step(call, _book(simulator, venue, underlying_id), len(accepted) == _resting_mmp(simulator, venue) == 3)

    yield await quote()
    simulator.fill(simulator.resting(venue, underlying_id)[-1].order_id)
    state = await exchange.fetch_mmp(underlying)
    yield Step(f"(fills come) fetch_mmp('{underlying}')", state_of(state), state['frozen'] is True)
    left = await exchange.fetch_open_orders(symbol, params={'mmp': True})
    yield Step(
        "fetch_open_orders(symbol, params={'mmp': True})",
        f'{len(left)} orders: the exchange cancelled them, {_book(simulator, venue, underlying_id)}',
        not left and _others_alone_rest(simulator, venue, underlying_id),
    )
    yield await _refused(exchange, quotes[-1])
    await exchange.reset_mmp(underlying)
    state = await exchange.fetch_mmp(underlying)
    yield Step(f"reset_mmp('{underlying}')", state_of(state), state['frozen'] is False)
    yield await quote()


async def _refused(exchange: Any, quote: dict[str, Any]) -> Step:
    call = "create_order(..., params={'mmp': True})"
    try:
        await exchange.create_order(*quote.values())
    except MmpFrozen as error:
        return Step(call, type(error).__name__, happened=True)
    return Step(call, 'accepted', happened=False)


async def _grid(simulator: Simulator, *exchanges: Any) -> Section:
    simulator.advance(LATER)  # locks and limits are over

    async def quote(exchange: Any) -> None:
        symbols = await _options(exchange, EXCHANGES[exchange.id].underlying_id, GRID // 2)
        orders = [_limit_order(exchange, symbol, mmp=True, side=side) for symbol in symbols for side in ('buy', 'sell')]
        await exchange.create_orders(orders)

    def resting() -> int:
        return sum(_resting_mmp(simulator, exchange.id) for exchange in exchanges)

    await asyncio.gather(*map(quote, exchanges))
    yield Step('create_orders(grid) on both at once', f'{resting()} MMP orders rest', resting() == 2 * GRID)
    started = time.perf_counter()
    await asyncio.gather(*(exchange.mass_cancel_mmp(EXCHANGES[exchange.id].underlying) for exchange in exchanges))
    milliseconds = round((time.perf_counter() - started) * 1000)
    outcome = f'{resting()} MMP orders rest, after {milliseconds} ms'
    others = all(
        _others_alone_rest(simulator, exchange.id, EXCHANGES[exchange.id].underlying_id) for exchange in exchanges
    )
    yield Step('mass_cancel_mmp(...) on both at once', outcome, others)


def _limit_order(exchange: Any, symbol: str, *, mmp: bool, side: str = 'buy') -> dict[str, Any]:
    price = PRICE * exchange.market(symbol)['precision']['price']
    return {'symbol': symbol, 'type': 'limit', 'side': side, 'amount': 10, 'price': price, 'params': {'mmp': mmp}}


async def _options(exchange: Any, underlying_id: str, count: int) -> list[str]:
    """The symbols of the first options of an underlying."""
    markets = await exchange.load_markets()
    field = EXCHANGES[exchange.id].underlying_field
    options = [each for each in markets.values() if each['option'] and each['info'][field] == underlying_id]
    return [str(market['symbol']) for market in options[:count]]


def _rule(state: MmpState) -> str:
    given = {name: value for name, value in state.items() if name in LIMITS and value is not None}
    return ', '.join(f'{name} {value:g}' for name, value in given.items())


def _resting_mmp(simulator: Simulator, venue: str) -> int:
    return sum(order.mmp for order in simulator.resting(venue, EXCHANGES[venue].underlying_id))


def _others_alone_rest(simulator: Simulator, venue: str, underlying_id: str) -> bool:
    left = simulator.resting(venue, underlying_id)
    return bool(left) and not any(order.mmp for order in left)


def _book(simulator: Simulator, venue: str, underlying_id: str) -> str:
    orders = simulator.resting(venue, underlying_id)
    mmp = sum(order.mmp for order in orders)
    return f'{mmp} MMP and {len(orders) - mmp} other orders rest'
