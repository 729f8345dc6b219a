"""A small market maker: it quotes both sides of some options, under Market Maker Protection.

    python examples/market_maker.py --simulate [--exchange okx|binance|bybit] [--seconds 5]
    python examples/market_maker.py --exchange okx --symbols BTC/USD:BTC-260327-110000-C --contracts 10

It shows how the parts fit together, and it is no strategy. It quotes around the middle of the book, watches its orders
and its protection, amends or replaces what is off its price, stops in a freeze and goes on after it, and pulls the kill
switch at the end: at an error, Ctrl-C and SIGTERM, too. Without --simulate the keys are taken from the environment:
OKX_APIKEY, OKX_SECRET, and so on.
"""

import argparse
import asyncio
import random
import signal
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

import ccxt
from keys import with_keys

from ccxt_mmp import MmpFrozen, pro

OPTIONS = {
    'fetchMarkets': ['option'],  # Binance's are not among ccxt's defaults
    'watchPositions': {'fetchPositionsSnapshot': False},  # else its watch_orders asks for those of futures
}
REDIAL = 0.1  # s after a lost connection
REREAD = 60  # turns after which the list is read in any case: a stream may fall silent without an error
PASSING = (ccxt.NetworkError, ccxt.InvalidOrder)  # lost or refused: the next turn looks at what became of it


@dataclass
class MarketMaker:
    """Quotes some options of one underlying until it is cancelled."""

    exchange: object  # of ccxt_mmp.pro, whose markets have the options
    underlying: str  # that is protected, such as 'BTC/USD'
    symbols: list  # the options, near enough to the money to have a bid; nobody else of the account quotes them
    rule: dict  # arguments of set_mmp
    contracts: float  # of each quote
    width: float = 0.1  # between the two quotes, as a part of the price
    max_position: float = 100  # contracts held of one option, beyond which its side is not quoted
    reset: bool = False  # whether it ends a freeze itself; a freeze without an end is always reset
    pause: float = 1  # s between two turns
    sleep: object = asyncio.sleep  # or the simulator's
    say: object = print

    def __post_init__(self):
        self.can_amend = self.exchange.id != 'binance'  # whose options cannot be amended
        # that of Binance's options is in ccxt 4.5.72 and later; without one the list is read in every turn
        self.has_stream = self.exchange.id != 'binance' or hasattr(self.exchange, 'handle_options_order_update')
        self.turns = 0  # that are over
        self.is_frozen = False  # only as watch_mmp tells: no other answer is as new
        self.orders = {}  # that are open, by id
        self.asked, self.told = set(), set()  # ids since the last turn: of its own requests, and in the stream
        self.is_live = False  # the stream has told something since it was connected
        self.is_read = False  # the list was read since then
        self.running = None  # its task, but not while the kill switch is pulled

    def stop(self):
        """End it. A second call does not abort the kill switch."""
        if self.running is not None:
            self.running.cancel()

    async def run(self):
        self.running = asyncio.current_task()
        watching = []
        try:
            await self.exchange.set_mmp(self.underlying, **self.rule)
            self.notice(await self.exchange.watch_mmp(self.underlying))  # the first call returns at once
            watching = [asyncio.ensure_future(each) for each in (self.watch_protection(), self.watch())]
            while True:
                for each in watching:
                    if each.done():
                        each.result()  # raises what ended it
                try:
                    if self.is_frozen:
                        await self.end_freeze()
                    if not self.is_frozen:
                        await self.turn()
                except MmpFrozen as frozen:  # was not placed, and watch_mmp tells when it is over
                    self.say(f'is frozen: {str(frozen)[:60]} ...')
                except PASSING as error:
                    self.is_read = False
                    self.say(f'goes on after {type(error).__name__}: {str(error)[:100]}')
                except ccxt.BadRequest:  # Bybit documents no code for an order in a freeze: its state says
                    if (await self.exchange.fetch_mmp(self.underlying))['frozen'] is False:
                        raise
                self.turns += 1
                await self.sleep(self.pause)
        finally:
            self.running = None
            for each in watching:
                each.cancel()
            await self.exchange.mass_cancel_mmp(self.underlying)
            self.say('is over: none of its quotes rests')

    async def watch_protection(self):
        """Stop in a freeze, and go on after it."""
        while True:
            try:
                state = await self.exchange.watch_mmp(self.underlying)
            except ccxt.NetworkError as error:  # the next call tells what happened meanwhile
                self.say(f'watches its protection again after {type(error).__name__}: {str(error)[:100]}')
                await asyncio.sleep(REDIAL)
                continue
            self.notice(state)

    def notice(self, state):
        if self.is_frozen != (state['frozen'] is not False):  # None: the exchange does not say
            self.is_frozen = not self.is_frozen
            self.say('is frozen' if self.is_frozen else 'is not frozen any more')

    async def end_freeze(self):
        """Reset the protection, if nothing else ends the freeze or the rule of the desk says so. watch_mmp tells."""
        if self.reset or self.rule['frozenTime'] == 0:
            state = await self.exchange.fetch_mmp(self.underlying)  # a reset whose answer was lost is not repeated
            if state['frozen'] is not False:
                await self.exchange.reset_mmp(self.underlying)

    async def turn(self):
        """Have every quote in the book at its price."""
        tickers = await together([self.exchange.fetch_ticker(symbol) for symbol in self.symbols])
        resting = await self.my_orders()
        held = await self.my_positions()
        work = []
        for ticker in tickers:
            for side, price in self.prices(ticker).items():
                orders = resting.pop((ticker['symbol'], side), [])
                signed = held[ticker['symbol']] * (1 if side == 'buy' else -1)
                if signed + self.contracts > self.max_position:
                    work += [self.cancel(order) for order in orders]
                    continue
                work.append(self.quote(ticker['symbol'], side, price, orders[0] if orders else None))
                work += [self.cancel(order) for order in orders[1:]]  # of requests whose answer was lost
        work += [self.cancel(order) for orders in resting.values() for order in orders]
        await together(work)

    def prices(self, ticker):
        if not ticker['bid'] or not ticker['ask']:
            return {}
        middle, off = (ticker['bid'] + ticker['ask']) / 2, self.width / 2
        return {'buy': middle * (1 - off), 'sell': middle * (1 + off)}

    async def my_orders(self):
        """The quotes that rest, by symbol and side: as the stream tells, read again where it may have missed some."""
        if not (self.is_read and self.asked <= self.told and self.turns % REREAD):
            await self.read_orders()
        self.asked, self.told = set(), set()
        mine = defaultdict(list)
        for order in self.orders.values():
            mine[order['symbol'], order['side']].append(order)
        return mine

    async def read_orders(self):
        """Nobody tells when a subscription begins: only a list that is read after the stream's first word is enough."""
        self.is_read, self.told = self.is_live, set()
        rows = await self.exchange.fetch_open_orders(None, params={'mmp': True, 'type': 'option'})
        listed = {row['id']: row for row in rows if row['symbol'] in self.symbols and row['id'] not in self.told}
        newer = {key: order for key, order in self.orders.items() if key in self.told}  # than the list
        self.orders = {**listed, **newer}

    async def watch(self):
        """Keep the orders as the stream tells of them."""
        params = {} if self.exchange.id == 'bybit' else {'type': 'option'}  # where one stream has all orders
        while self.has_stream:
            try:
                rows = await self.exchange.watch_orders(params=params)
            except ccxt.NetworkError as error:  # what happens now is told by nobody
                self.is_live = self.is_read = False
                self.say(f'watches again after {type(error).__name__}: {str(error)[:100]}')
                await asyncio.sleep(REDIAL)
                continue
            self.is_live = True
            for order in rows:
                self.told.add(order['id'])
                self.orders.pop(order['id'], None)
                if order['status'] == 'open' and order['symbol'] in self.symbols:
                    self.orders[order['id']] = order

    async def my_positions(self):
        """Contracts by symbol, negative for those that were sold."""
        fetch = getattr(self.exchange, 'fetch_option_positions', self.exchange.fetch_positions)
        params = {'type': 'option'} if self.exchange.id == 'bybit' else {}  # which lists them apart
        held = defaultdict(float)
        for position in await fetch(None, params):
            held[position['symbol']] = position['contracts'] * (1 if position['side'] == 'long' else -1)
        return held

    async def quote(self, symbol, side, price, order):
        price = float(self.exchange.price_to_precision(symbol, price))
        if order and order['price'] == price and order['remaining'] * 2 >= self.contracts:
            return
        if order and self.can_amend:
            self.say(f'amends {side} {symbol} to {price}')
            amount = order['filled'] + self.contracts
            self.asked.add(order['id'])
            await self.amend(order, amount, price)
            return
        if order:
            await self.cancel(order)
        self.say(f'places {side} {symbol} at {price}')
        flags = {'mmp': True, 'postOnly': True}
        placed = await self.exchange.create_order(symbol, 'limit', side, self.contracts, price, flags)
        self.asked.add(placed['id'])

    async def amend(self, order, amount, price):
        try:
            await self.exchange.edit_order(
                order['id'], order['symbol'], 'limit', order['side'], amount, price, {'mmp': True}
            )
        except ccxt.ExchangeError as error:
            if isinstance(error, (MmpFrozen, *PASSING)):
                raise
            # somebody may have taken it a moment before. For OKX that is in part a plain ExchangeError in ccxt
            rows = await self.exchange.fetch_open_orders(order['symbol'], params={'mmp': True})
            if order['id'] in {row['id'] for row in rows}:
                raise
            self.is_read = False
            self.say(f'goes on after {type(error).__name__}: an order to amend is not there any more')

    async def cancel(self, order):
        self.asked.add(order['id'])
        await self.exchange.cancel_order(order['id'], order['symbol'])


async def together(work):
    """Do all of it at once, and raise a failure when everything is over: a freeze before any other."""
    results = await asyncio.gather(*work, return_exceptions=True)
    failures = [each for each in results if isinstance(each, BaseException)]
    for failure in sorted(failures, key=lambda each: (not isinstance(each, MmpFrozen), isinstance(each, PASSING))):
        raise failure
    return results


async def until_stopped(bot):
    """Run a bot until it is stopped, by Ctrl-C and SIGTERM, too."""
    with suppress(NotImplementedError):  # of Windows, where Ctrl-C cancels the task
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, bot.stop)
    with suppress(asyncio.CancelledError):
        await bot.run()


# --- on the simulator

UNDERLYINGS = {'okx': ('BTC/USD', 10), 'binance': ('BTC/USDT', 1), 'bybit': ('BTC/USDT', 1)}  # and contracts of a quote


async def trade(simulator, exchange_id, underlying):
    """The others: the price moves, and they take what is quoted."""
    price = 110_000
    while True:
        await asyncio.sleep(0.4)
        price *= random.uniform(0.99, 1.01)  # noqa: S311 - a game
        simulator.set_index(exchange_id, underlying, round(price))
        resting = simulator.resting(exchange_id, underlying)
        if resting and random.random() < 0.5:  # noqa: S311
            simulator.fill(random.choice(resting).order_id)  # noqa: S311


def rule_for(exchange_id, contracts):
    """Out after two quotes were taken within 2 s, for a second. A desk has its own numbers."""
    rule = {'window': 2000, 'frozenTime': 1000, 'qtyLimit': 2 * contracts}
    return rule if exchange_id == 'okx' else {**rule, 'deltaLimit': contracts}


async def simulate(exchange_id, seconds):
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - a bot in production has none

    underlying, contracts = UNDERLYINGS[exchange_id]
    with Simulator() as simulator:
        exchange_class = getattr(pro, exchange_id)
        async with simulator.connect(exchange_class, enableRateLimit=False, options=OPTIONS) as exchange:
            await exchange.load_markets()
            ids = [each for each in simulator.instruments(exchange_id, underlying) if '-110000-' in each]
            symbols = [exchange.safe_symbol(each) for each in ids[4:6]]  # which expire in some weeks
            rule = rule_for(exchange_id, contracts)
            bot = MarketMaker(exchange, underlying, symbols, rule=rule, contracts=contracts, pause=0.5)
            others = asyncio.create_task(trade(simulator, exchange_id, underlying))
            try:
                asyncio.get_running_loop().call_later(seconds, bot.stop)
                await until_stopped(bot)
            finally:
                print(f'{len(simulator.resting(exchange_id, underlying))} of its orders rest')
                others.cancel()


async def quote_for_real(exchange_id, symbols, contracts):
    async with with_keys(getattr(pro, exchange_id), options=OPTIONS) as exchange:
        await exchange.load_markets()
        underlying, rule = UNDERLYINGS[exchange_id][0], rule_for(exchange_id, contracts)
        await until_stopped(MarketMaker(exchange, underlying, symbols, rule=rule, contracts=contracts))


def main():
    parser = argparse.ArgumentParser(description='A market maker that quotes options under Market Maker Protection.')
    parser.add_argument('--simulate', action='store_true', help='on the simulator, without keys')
    parser.add_argument('--exchange', choices=[*UNDERLYINGS], default='okx')
    parser.add_argument('--seconds', type=float, default=5, help='on the simulator')
    parser.add_argument('--symbols', nargs='+', help='the options to quote, with keys')
    parser.add_argument('--contracts', type=float, help='of each quote, with keys')
    arguments = parser.parse_args()
    if arguments.simulate:
        asyncio.run(simulate(arguments.exchange, arguments.seconds))
    elif arguments.symbols is None or arguments.contracts is None:
        parser.error('--symbols and --contracts are needed without --simulate')
    else:
        asyncio.run(quote_for_real(arguments.exchange, arguments.symbols, arguments.contracts))


if __name__ == '__main__':
    main()
