"""The demo: the main methods on the built-in simulator over real HTTP. Each step is checked on the simulator."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

from ccxt.base.errors import ExchangeError

from ccxt_mmp import async_support
from ccxt_mmp.cli.interrupts import interruptible
from ccxt_mmp.cli.report import state_of
from ccxt_mmp.cli.traffic import show_answers
from ccxt_mmp.cli.views import PlainView, demo_view
from ccxt_mmp.core.params import LIMITS
from ccxt_mmp.core.text import described
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from ccxt_mmp.types import MmpState

GRID = 100  # orders on each exchange
AT_ONCE, PAUSE = 20, 4000  # orders, and ms of the exchange's clock after them, so that no limit is in the way
WINDOW, FROZEN_TIME = 5000, 2000  # ms
LIMITS_SET = {'qtyLimit': 10, 'deltaLimit': '2.3'}  # where an exchange has them
MAX_QUOTE_QUANTITY = 1000
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
        succeeded = asyncio.run(interruptible(run(simulator, shown, arguments)))
        shown.end(verdict(simulator, succeeded))
    return 0 if succeeded else 1


def verdict(simulator: Simulator, succeeded: bool) -> str:
    said = 'Every step did what it says.' if succeeded else 'Not every step did what it says.'
    return f'{len(simulator.requests)} requests, all of them over HTTP. {said}'


async def run(simulator: Simulator, shown: PlainView, arguments: argparse.Namespace) -> bool:
    """Run and show all sections. Returns whether every step did what it says."""
    succeeded = True
    async with AsyncExitStack() as opened:
        exchanges = []
        for each in EXCHANGES.values():
            exchange = simulator.connect(
                getattr(async_support, each.id),
                enableRateLimit=False,  # the simulator has no other user
                options={'fetchMarkets': ['option']},  # of some, ccxt does not load them by default
            )
            exchange.timeout = arguments.timeout or exchange.timeout
            if arguments.verbose:
                show_answers(exchange, str)
            exchanges.append(await opened.enter_async_context(exchange))
        shown.begin(list(titles := _sections(simulator, exchanges)))
        for title, section in titles.items():
            shown.section(title)
            try:
                async for step in section():
                    succeeded = succeeded and step.happened
                    await shown.step(*step)
            except Exception as error:  # noqa: BLE001 - the other sections still run
                succeeded = False
                await shown.step('(a call failed)', described(error), happened=False)
    return succeeded


def _sections(simulator: Simulator, exchanges: Sequence[Any]) -> dict[str, Callable[[], Section]]:
    sections: dict[str, Callable[[], Section]] = {}
    for exchange in exchanges:
        of = EXCHANGES[exchange.id]
        title = f'{of.name} options, {of.underlying} ({of.underlying_field} {of.underlying_id})'
        sections[title] = partial(_options_section, simulator, exchange)
    trader = next(exchange for exchange in exchanges if EXCHANGES[exchange.id].has_rfq)
    title = f'{EXCHANGES[trader.id].name} block trading (RFQ), one protection per account'
    sections[title] = partial(_block_trading, simulator, trader)
    title = f'The kill switch: {GRID * len(exchanges)} MMP orders on all {len(exchanges)} exchanges'
    return {**sections, title: partial(_grid, simulator, *exchanges)}


async def _options_section(simulator: Simulator, exchange: Any) -> Section:
    of = EXCHANGES[exchange.id]
    limits = exchange.options['mmpLimits']['orders']
    given = {name: value for name, value in LIMITS_SET.items() if limits.get(name)}
    params = {'maxQuoteQuantity': MAX_QUOTE_QUANTITY} if limits.get('maxQuoteQuantity') else {}
    state = await exchange.set_mmp(of.underlying, WINDOW, FROZEN_TIME, params=params, **given)
    said = ', '.join(f'{name}={value}' for name, value in given.items())
    call = f"set_mmp('{of.underlying}', {WINDOW}, {FROZEN_TIME}, {said}{', ...' if params else ''})"
    yield Step(call, _rule(state), state['qtyLimit'] == LIMITS_SET['qtyLimit'])
    async for step in _freeze_and_reset(simulator, exchange, of.underlying, of.underlying_id):
        yield step
    locks = {'lockInterval': 2000} if 'lockInterval' in of.cancel_params else {}
    cancelled = await exchange.mass_cancel_mmp(of.underlying, locks)
    orders = cancelled['orders']
    outcome = _book(simulator, exchange.id, of.underlying_id)
    outcome += '' if orders is None else f', {len(orders)} cancelled'
    outcome += f', locked until {exchange.iso8601(cancelled["lockedUntil"])}' if cancelled['lockedUntil'] else ''
    is_done = _others_alone_rest(simulator, exchange.id, of.underlying_id) and (orders is None or len(orders) == 3)
    yield Step(f"mass_cancel_mmp('{of.underlying}'{f', {locks}' if locks else ''})", outcome, is_done)


async def _block_trading(simulator: Simulator, exchange: Any) -> Section:
    params = {**RFQ, 'countLimit': 10}
    state = await exchange.set_mmp(None, WINDOW, FROZEN_TIME, params=params)
    yield Step(f'set_mmp(None, {WINDOW}, {FROZEN_TIME}, params={params})', _rule(state), state['countLimit'] == 10)
    simulator.execute_block_trades(10)
    state = await exchange.fetch_mmp(params=RFQ)
    yield Step(f'(10 execution attempts come) fetch_mmp(params={RFQ})', state_of(state), state['frozen'] is True)
    await exchange.reset_mmp(params=RFQ)
    state = await exchange.fetch_mmp(params=RFQ)
    yield Step(f'reset_mmp(params={RFQ})', state_of(state), state['frozen'] is False)


async def _freeze_and_reset(simulator: Simulator, exchange: Any, underlying: str, underlying_id: str) -> Section:
    """Quote, trip the protection by fills, end the freeze, and quote again."""
    venue = exchange.id
    [symbol] = await _options(exchange, underlying_id, 1)
    quotes = [_limit_order(exchange, symbol, mmp=mmp) for mmp in (False, True, True, True)]

    async def quote() -> Step:
        placed = await exchange.create_orders(quotes)
        accepted = [order for order in placed if order['status'] == 'open' and order['mmp']]
        call = "create_orders([..., 'params': {'mmp': True}])"
        return Step(call, _book(simulator, venue, underlying_id), len(accepted) == _resting_mmp(simulator, venue) == 3)

    yield await quote()
    simulator.fill(next(order.order_id for order in simulator.resting(venue, underlying_id) if order.mmp))
    state = await exchange.fetch_mmp(underlying)
    yield Step(f"(fills come) fetch_mmp('{underlying}')", state_of(state), state['frozen'] is True)
    left = await exchange.fetch_open_orders(symbol, params={'mmp': True})
    yield Step(
        "fetch_open_orders(symbol, params={'mmp': True})",
        f'{len(left)} orders: the exchange cancelled them, {_book(simulator, venue, underlying_id)}',
        not left and _others_alone_rest(simulator, venue, underlying_id),
    )
    yield await _refused(exchange, quotes[-1])
    yield await _thawed(simulator, exchange, underlying)
    yield await quote()


async def _thawed(simulator: Simulator, exchange: Any, underlying: str) -> Step:
    """End the freeze, where there is a reset; else let its time pass."""
    call = f"reset_mmp('{underlying}')"
    if exchange.has['resetMmp']:
        await exchange.reset_mmp(underlying)
    else:
        call = f"(it has no reset_mmp: {FROZEN_TIME} ms pass) fetch_mmp('{underlying}')"
        simulator.advance(FROZEN_TIME)
    state = await exchange.fetch_mmp(underlying)
    return Step(call, state_of(state), state['frozen'] is False)


async def _refused(exchange: Any, quote: dict[str, Any]) -> Step:
    call = "create_order(..., params={'mmp': True})"
    try:
        await exchange.create_order(*quote.values())
    except ExchangeError as error:  # MmpFrozen, where the exchange documents a code for it
        return Step(call, type(error).__name__, happened=True)
    return Step(call, 'accepted', happened=False)


async def _grid(simulator: Simulator, *exchanges: Any) -> Section:
    simulator.advance(LATER)  # locks and limits are over

    grids = {exchange: await _grid_of(exchange) for exchange in exchanges}

    def resting() -> int:
        return sum(_resting_mmp(simulator, exchange.id) for exchange in exchanges)

    for start in range(0, GRID, AT_ONCE):
        at_once = {exchange: grid[start : start + AT_ONCE] for exchange, grid in grids.items()}
        await asyncio.gather(*(exchange.create_orders(orders) for exchange, orders in at_once.items()))
        simulator.advance(PAUSE)
    wanted = GRID * len(exchanges)
    yield Step('create_orders(grid) on all at once', f'{resting()} MMP orders rest', resting() == wanted)
    started = time.perf_counter()
    await asyncio.gather(*(exchange.mass_cancel_mmp(EXCHANGES[exchange.id].underlying) for exchange in exchanges))
    milliseconds = round((time.perf_counter() - started) * 1000)
    outcome = f'{resting()} MMP orders rest, after {milliseconds} ms'
    others = all(
        _others_alone_rest(simulator, exchange.id, EXCHANGES[exchange.id].underlying_id) for exchange in exchanges
    )
    yield Step('mass_cancel_mmp(...) on all at once', outcome, others)


async def _grid_of(exchange: Any) -> list[dict[str, Any]]:
    symbols = await _options(exchange, EXCHANGES[exchange.id].underlying_id, GRID // 2)
    return [_limit_order(exchange, symbol, mmp=True, side=side) for symbol in symbols for side in ('buy', 'sell')]


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
