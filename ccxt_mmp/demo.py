"""The demo: the MMP methods on the built-in simulator over real HTTP, each step checked on the exchange's side."""

from collections.abc import Callable
from typing import Any

from ccxt_mmp import MmpFrozen, binance, okx
from ccxt_mmp.mixins.base import LIMITS
from ccxt_mmp.simulator import Simulator
from ccxt_mmp.types import MmpState


class _Story:
    """Prints each step and remembers whether all of them did what they say."""

    def __init__(self) -> None:
        self.succeeded = True

    def step(self, call: str, outcome: str, happened: bool) -> None:
        self.succeeded = self.succeeded and happened
        print(f'  {call:<58} {outcome}{"" if happened else "   <- NOT SO"}')


def demo() -> int:
    """Tell the story; the exit status is 0 only if every step did what it says."""
    story = _Story()
    with Simulator() as simulator:
        print(f'OKX and Binance are simulated at {simulator.url}: no keys, no network, no money.')
        for chapter in (_okx_options, _okx_block_trading, _binance_options):
            chapter(simulator, story)
        print(f'\n{len(simulator.requests)} requests, all of them over HTTP.')
    print('Every step did what it says.' if story.succeeded else 'Not every step did what it says.')
    return 0 if story.succeeded else 1


def _okx_options(simulator: Simulator, story: _Story) -> None:
    print('\nOKX options, BTC/USD (instrument family BTC-USD)')
    exchange = simulator.connect(okx, enableRateLimit=False)  # the simulator serves nobody else
    state = exchange.set_mmp('BTC/USD', window=5000, frozenTime=0, qtyLimit=10)
    story.step("set_mmp('BTC/USD', 5000, 0, qtyLimit=10)", _rule(state), state['qtyLimit'] == 10)
    _quote(exchange, simulator, 'BTC-USD', story)
    _freeze_by_fills(simulator, 'okx', 'BTC-USD', lambda: exchange.fetch_mmp('BTC/USD'), story)
    _quote_while_frozen(exchange, 'BTC-USD', story)
    state = exchange.reset_mmp('BTC/USD')
    story.step("reset_mmp('BTC/USD')", _freeze(state), exchange.fetch_mmp('BTC/USD')['frozen'] is False)
    _quote(exchange, simulator, 'BTC-USD', story)
    cancelled = exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 2000})
    left = simulator.resting('okx', 'BTC-USD')
    story.step(
        "mass_cancel_mmp('BTC/USD', {'lockInterval': 2000})",
        f'{_resting(simulator, "okx", "BTC-USD")}, locked until {exchange.iso8601(cancelled["lockedUntil"])}',
        bool(left) and not any(order.mmp for order in left),
    )


def _okx_block_trading(simulator: Simulator, story: _Story) -> None:
    print('\nOKX block trading (RFQ), one protection per account')
    exchange = simulator.connect(okx, enableRateLimit=False)
    scope = {'scope': 'rfq'}
    state = exchange.set_mmp(None, 5000, 2000, params={**scope, 'countLimit': 10})
    story.step('set_mmp(None, 5000, 2000, params={rfq, countLimit: 10})', _rule(state), state['countLimit'] == 10)
    _freeze_by_fills(simulator, 'okx', None, lambda: exchange.fetch_mmp(params=scope), story)
    state = exchange.reset_mmp()
    story.step('reset_mmp()', _freeze(state), exchange.fetch_mmp(params=scope)['frozen'] is False)


def _binance_options(simulator: Simulator, story: _Story) -> None:
    print('\nBinance options, BTC/USDT (underlying BTCUSDT)')
    exchange = simulator.connect(binance, enableRateLimit=False)
    state = exchange.set_mmp('BTC/USDT', window=3000, frozenTime=300000, qtyLimit=2, deltaLimit='2.3')
    story.step("set_mmp('BTC/USDT', 3000, 300000, 2, '2.3')", _rule(state), state['deltaLimit'] == 2.3)
    _quote(exchange, simulator, 'BTCUSDT', story)
    _freeze_by_fills(simulator, 'binance', 'BTCUSDT', lambda: exchange.fetch_mmp('BTC/USDT'), story)
    _quote_while_frozen(exchange, 'BTCUSDT', story)
    state = exchange.reset_mmp('BTC/USDT')
    story.step("reset_mmp('BTC/USDT')", _freeze(state), exchange.fetch_mmp('BTC/USDT')['frozen'] is False)
    _quote(exchange, simulator, 'BTCUSDT', story)
    cancelled = exchange.mass_cancel_mmp('BTC/USDT')
    left = simulator.resting('binance', 'BTCUSDT')
    story.step(
        "mass_cancel_mmp('BTC/USDT')",
        f'{len(cancelled["orders"] or [])} cancelled, {_resting(simulator, "binance", "BTCUSDT")}',
        len(cancelled['orders'] or []) == 3 and bool(left) and not any(order.mmp for order in left),
    )


def _quote(exchange: Any, simulator: Simulator, underlying: str, story: _Story) -> None:
    symbol = _first_option(exchange, underlying)
    quotes = [_limit_order(symbol, mmp=mmp) for mmp in (False, True, True, True)]
    placed = exchange.create_orders(quotes)
    accepted = [order for order in placed if order['status'] == 'open' and order['mmp']]
    resting = [order for order in simulator.resting(exchange.id, underlying) if order.mmp]
    story.step(
        "create_orders([..., 'params': {'mmp': True}])",
        _resting(simulator, exchange.id, underlying),
        len(accepted) == len(resting) == 3,
    )


def _quote_while_frozen(exchange: Any, underlying: str, story: _Story) -> None:
    try:
        exchange.create_order(*list(_limit_order(_first_option(exchange, underlying), mmp=True).values()))
    except MmpFrozen as error:
        story.step("create_order(..., params={'mmp': True})", type(error).__name__, happened=True)
    else:
        story.step("create_order(..., params={'mmp': True})", 'accepted', happened=False)


def _limit_order(symbol: str, *, mmp: bool) -> dict[str, Any]:
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 1, 'params': {'mmp': mmp}}


def _first_option(exchange: Any, underlying: str) -> str:
    if not exchange.markets:
        exchange.load_markets()
    field = {'okx': 'instFamily', 'binance': 'underlying'}[exchange.id]
    markets = exchange.markets.values()
    options = (str(market['symbol']) for market in markets if market['option'] and market['info'][field] == underlying)
    return next(options)


def _freeze_by_fills(
    simulator: Simulator, venue: str, underlying: str | None, fetch: Callable[[], MmpState], story: _Story
) -> None:
    if underlying is None:
        simulator.execute_block_trades(10)
        state = fetch()
        outcome = _freeze(state)
    else:
        simulator.fill(simulator.resting(venue, underlying)[-1].order_id)
        state = fetch()
        outcome = f'{_freeze(state)}, {_resting(simulator, venue, underlying)}'
    story.step('(fills come, the protection trips) fetch_mmp(...)', outcome, state['frozen'] is True)


def _rule(state: MmpState) -> str:
    given = {name: value for name, value in state.items() if name in LIMITS and value is not None}
    return ', '.join(f'{name} {value:g}' for name, value in given.items())


def _freeze(state: MmpState) -> str:
    return {True: 'FROZEN', False: 'not frozen', None: 'unknown'}[state['frozen']]


def _resting(simulator: Simulator, venue: str, underlying: str) -> str:
    orders = simulator.resting(venue, underlying)
    mmp = sum(order.mmp for order in orders)
    return f'{mmp} MMP and {len(orders) - mmp} other orders rest'
