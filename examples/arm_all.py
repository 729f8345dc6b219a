"""Arm the protections of all four exchanges with one rule, which counts coins: their contracts differ.

    python examples/arm_all.py --simulate [--coins 2] [--delta 0.5] [--exchanges okx binance deribit bybit]

It reads back what each exchange has, and says so. Its exit status is 1 if one of them has not exactly this rule: do not
quote there. Without --simulate the keys are taken from the environment: OKX_APIKEY, OKX_SECRET, OKX_PASSWORD and so on.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from decimal import Decimal

import ccxt
from keys import with_keys

from ccxt_mmp import async_support

UNDERLYINGS = {'okx': 'BTC/USD', 'binance': 'BTC/USDT', 'deribit': 'BTC/USD', 'bybit': 'BTC'}
TIMES = {'window': 3000, 'frozenTime': 10_000}  # ms; Deribit counts whole seconds


async def arm(exchange, underlying, coins, delta):
    """Set the rule and read it back. Returns the state; raises if the exchange has another rule, or does not say."""
    limits = exchange.options['mmpLimits']['orders']  # what this exchange has a place for
    rule = {**TIMES, 'qtyLimit': coins, 'deltaLimit': delta if limits['deltaLimit'] else None}
    params = {'qtyUnit': 'base'}
    if limits['maxQuoteQuantity']:  # coins that may rest on each side of an option: Deribit reserves margin for them
        params['maxQuoteQuantity'] = 10 * coins
    try:
        await exchange.set_mmp(underlying, **rule, params=params)
    except ccxt.NetworkError as error:  # it may be set all the same: what is read tells
        print(f'{exchange.id}: reads what is set after {type(error).__name__}', file=sys.stderr)
    state = await exchange.fetch_mmp(underlying)
    has = {**state, 'qtyLimit': state['qtyLimitBase']}
    wrong = [f'{name} is {has[name]}' for name, value in rule.items() if value is not None and has[name] != value]
    if wrong or not state['enabled']:
        raise ccxt.OperationFailed(f'{exchange.id} has another rule: {", ".join(wrong) or "none"}')
    return state


async def arm_all(exchanges, coins, delta):
    """All of them at once: one that fails or is slow delays no other. Returns whether all are armed."""
    work = [arm(exchange, UNDERLYINGS[exchange.id], coins, delta) for exchange in exchanges]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for exchange, outcome in zip(exchanges, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            print(f'NOT ARMED  {exchange.id}: {type(outcome).__name__}: {outcome}', file=sys.stderr)
            continue
        frozen = {True: ', and is FROZEN', False: '', None: ', and may be frozen'}[outcome['frozen']]
        coins_and_contracts = f'{outcome["qtyLimitBase"]:g} BTC, {outcome["qtyLimit"]:g} contracts'
        delta_limit = 'none here' if outcome['deltaLimit'] is None else f'{outcome["deltaLimit"]:g} BTC'
        print(f'armed      {exchange.id} {outcome["underlying"]}: {coins_and_contracts}, delta {delta_limit}{frozen}')
    return not any(isinstance(outcome, BaseException) for outcome in outcomes)


async def run(connect, ids, coins, delta):
    async with AsyncExitStack() as opened:
        exchanges = [await opened.enter_async_context(connect(getattr(async_support, each))) for each in ids]
        return await arm_all(exchanges, coins, delta)


def main(argv=None):
    parser = argparse.ArgumentParser(description='Arms the protections of all four exchanges with one rule, in coins.')
    parser.add_argument('--simulate', action='store_true', help='on the simulator, without keys')
    parser.add_argument('--exchanges', nargs='+', choices=UNDERLYINGS, default=[*UNDERLYINGS])
    parser.add_argument('--coins', type=Decimal, default=Decimal(2), help='that may trade within 3 s')
    parser.add_argument('--delta', type=Decimal, default=Decimal('0.5'), help='net, in coins, where there is a limit')
    arguments = parser.parse_args(argv)
    rule = (arguments.exchanges, arguments.coins, arguments.delta)
    if not arguments.simulate:
        return 0 if asyncio.run(run(with_keys, *rule)) else 1
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - production has none

    with Simulator() as simulator:
        return 0 if asyncio.run(run(simulator.connect, *rule)) else 1


if __name__ == '__main__':
    sys.exit(main())
