"""Trips, ends freezes and changes rules, and holds what the consumers are told against it."""

import asyncio
import gc
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from random import Random

import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from ccxt_mmp.simulator.accounts import Rule
from tests.core.sockets import left_over
from tests.soak.bot import UNDERLYINGS, open_sockets, used_memory
from tests.soak.judge import MAX_GROWTH, growth_of
from tests.soak.judge import told as counted
from tests.stream_soak.bot import EXPECTED, Bot
from tests.stream_soak.weather import Weather
from tests.trading import RULES

WATCHED = [each for each in EXCHANGES if getattr(ccxt_mmp.pro, each)().has['watchMmp']]
OBJECTS = 2  # of each exchange
WINDOW, FROZEN_TIME = 5000, 60_000  # ms; time is set forward to end a freeze, and contracts expire within a day
PATIENCE = 30  # s in which a change must be told
STALE = 40  # s after which a freeze is ended, so that it does not end by itself
LEAST_LIMIT = 1000  # contracts, beyond all that is quoted
ROOM = {'deribit': {'params': {'maxQuoteQuantity': 1_000_000}}}  # of set_mmp: for all that is quoted
KEPT = 200  # orders and frames that the simulator remembers
MANY = 20  # violations, after which it is no use to go on
MAX_TASKS = 300
TELL_EVERY = 60  # s


@dataclass
class Truth:
    """A protection as it is."""

    exchange_id: str
    underlying: str
    frozen_time: int  # ms, 0 = until a reset
    limit: int = LEAST_LIMIT
    changes: int = 0
    is_frozen: bool = False
    frozen_at: float = 0.0  # of time.monotonic()


class Judge:
    """``asyncio.run(Judge(seconds, seed).live())``, then ``violations``."""

    def __init__(self, seconds, seed, every=0.4, exchanges=WATCHED, tell=None):
        self.seconds = seconds
        self.tell = tell  # is called with the minutes that have passed, from time to time
        self.dice = Random(seed)  # noqa: S311 - not for secrets
        self.simulator = Simulator(enforce_limits=False, log_size=KEPT)
        self.exchanges = list(exchanges)
        self.truths = {}
        self.bots = []
        self.numbers = count(1)
        self.violations = []
        self.events = Counter()
        self.met = Counter()
        self.told_in_all = 0
        self.slowest = 0.0
        self.memory = []  # s and bytes
        self.weather = Weather(self.simulator, self.dice, self.bots, every)

    def violate(self, text):
        self.violations.append(text)

    # --- life

    async def live(self):
        before = open_sockets()
        self.may_quote = asyncio.Event()
        self.may_quote.set()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.violate(f'asyncio tells of {context}'))
        with self.simulator:
            for exchange_id in self.exchanges:
                for place, underlying in enumerate(UNDERLYINGS[exchange_id]):
                    # Binance derives the end of a freeze from its rule
                    frozen_time = 0 if place and EXCHANGES[exchange_id].says_frozen else FROZEN_TIME
                    truth = self.truths[exchange_id, underlying] = Truth(exchange_id, underlying, frozen_time)
                    self.set_rule(truth)
                for _ in range(OBJECTS):
                    self.add_bot(exchange_id)
            await self.until_all_know()
            breaking = asyncio.ensure_future(self.weather.live())
            started = time.monotonic()
            next_tell = started + TELL_EVERY
            while time.monotonic() < started + self.seconds and len(self.violations) < MANY:
                await self.take_a_step()
                self.look_at_what_is_kept(time.monotonic() - started)
                if self.tell is not None and time.monotonic() >= next_tell:
                    next_tell += TELL_EVERY
                    self.tell((time.monotonic() - started) / 60)
            breaking.cancel()
            await asyncio.gather(breaking, return_exceptions=True)
            self.weather.clear()
            for bot in [*self.bots]:
                await self.remove_bot(bot)
            await self.look_at_what_is_left()
        gc.collect()
        if open_sockets() > before:
            self.violate(f'{open_sockets() - before} more sockets are open at the end than at the start')

    def add_bot(self, exchange_id):
        bot = Bot(self, exchange_id, next(self.numbers))
        self.bots.append(bot)
        bot.start()

    async def remove_bot(self, bot):
        self.bots.remove(bot)
        await bot.close()
        self.met += bot.met
        gc.collect()  # an object of ccxt is of some MiB, and a ring

    # --- what happens

    async def take_a_step(self):
        truth = self.dice.choice(list(self.truths.values()))
        stale = [each for each in self.truths.values() if each.is_frozen and time.monotonic() > each.frozen_at + STALE]
        if stale:
            truth = stale[0]
        if truth.is_frozen:
            ends = [self.reset_by_one] if truth.frozen_time == 0 else [self.reset_by_one, self.thaw]
            if EXCHANGES[truth.exchange_id].says_frozen:  # else a reset by another does not show
                ends.append(self.reset_by_another)
        else:
            ends = [self.trip, self.trip, self.trip_by_fill, self.change_rule, self.change_rule_by_one, self.renew]
        event = self.dice.choice(ends)
        self.events[event.__name__] += 1
        started = time.monotonic()
        await event(truth)
        if not await self.until_all_know():
            self.tell_who_missed(event.__name__)
        self.slowest = max(self.slowest, time.monotonic() - started)

    def expect(self, truth, is_frozen=None):
        truth.changes += 1
        if is_frozen is not None:
            truth.is_frozen, truth.frozen_at = is_frozen, time.monotonic()

    async def trip(self, truth):
        for _ in range(self.dice.randint(0, 3)):
            self.simulator.rest(truth.exchange_id, truth.underlying, mmp=True)
        self.expect(truth, is_frozen=True)
        self.simulator.trip(truth.exchange_id, truth.underlying)

    async def trip_by_fill(self, truth):
        self.expect(truth, is_frozen=True)
        is_filled = False
        while not is_filled:
            order = self.simulator.rest(truth.exchange_id, truth.underlying, mmp=True, quantity=str(truth.limit))
            with suppress(ValueError):  # a bot has cancelled it
                self.simulator.fill(order.order_id)
                is_filled = True

    async def thaw(self, truth):
        await self.set_forward(self.end_of(truth))

    async def reset_by_another(self, truth):
        self.expect(truth, is_frozen=False)
        with self.simulator._state.held():
            self.simulator._engine.reset(self.simulator._account, truth.exchange_id, truth.underlying)

    async def reset_by_one(self, truth):
        ends = self.end_of(truth)
        self.expect(truth, is_frozen=False)
        await self.by_one(truth, lambda exchange: exchange.reset_mmp(truth.underlying))
        if not EXCHANGES[truth.exchange_id].says_frozen:  # then the other objects know of it when its time is over
            await self.set_forward(ends)

    def end_of(self, truth):
        return self.simulator.protection(truth.exchange_id, truth.underlying).freeze_ends

    async def set_forward(self, ends):
        """Let time go on to the end of a freeze, and of all others that time ends, so that none ends soon by itself.

        Not while an answer is on its way that says how much of a freeze is left, or that there is one.
        """
        self.may_quote.clear()
        while any(bot.reads or bot.placing for bot in self.bots):  # noqa: ASYNC110 - the bots bring it about
            await asyncio.sleep(0)
        for each in self.truths.values():
            if each.is_frozen and each.frozen_time:
                ends = max(ends, self.end_of(each))
                self.expect(each, is_frozen=False)
        self.simulator.advance(max(0, int(ends) - self.simulator.now()) + 1)
        self.may_quote.set()

    async def change_rule(self, truth):
        truth.limit += 1
        self.expect(truth)
        self.set_rule(truth)

    async def change_rule_by_one(self, truth):
        truth.limit += 1
        terms = {**RULES[truth.exchange_id], **ROOM.get(truth.exchange_id, {}), 'qtyLimit': truth.limit}
        self.expect(truth)
        await self.by_one(
            truth, lambda exchange: exchange.set_mmp(truth.underlying, WINDOW, truth.frozen_time, **terms)
        )

    async def renew(self, truth):
        """Close an object, and make another one."""
        bot = self.dice.choice([each for each in self.bots if each.exchange.id == truth.exchange_id])
        await self.remove_bot(bot)
        self.add_bot(truth.exchange_id)

    async def by_one(self, truth, call):
        """One of the objects does something, until it succeeds."""
        bot = self.dice.choice([each for each in self.bots if each.exchange.id == truth.exchange_id])
        ends = time.monotonic() + PATIENCE
        while not await self.has_succeeded(bot, call):
            if time.monotonic() > ends:
                self.violate(f'{bot.name} could not set or reset {truth.underlying} in time')
                return
            await asyncio.sleep(0.05)

    async def has_succeeded(self, bot, call):
        try:
            await call(bot.exchange)
        except EXPECTED as error:
            bot.met[f'{type(error).__name__} of a set or reset'] += 1
            return False
        return True

    def set_rule(self, truth):
        rule = Rule(WINDOW, truth.frozen_time, qty_limit=str(truth.limit), delta_limit='1000000')
        self.simulator.set_rule(truth.exchange_id, truth.underlying, rule)

    # --- what is told

    def told(self, consumer, state):
        """A consumer is told of a change: of one that there was, and for the first time."""
        self.told_in_all += 1
        underlying = state['underlyingId']
        truth = self.truths[consumer.exchange_id, underlying]
        before, consumer.last[underlying] = consumer.last.get(underlying), state
        seen = consumer.changes.get(underlying)
        consumer.changes[underlying] = truth.changes
        if seen is not None and seen >= truth.changes:
            self.violate(
                f'{consumer} was told of a change of {underlying} that was none: {brief(before)}, {brief(state)}'
            )
        elif seen is not None and seen < truth.changes - 1:
            self.violate(
                f'{consumer} was not told of {truth.changes - seen - 1} changes of {underlying}: {brief(state)}'
            )
        if state['frozen'] is not truth.is_frozen or float(state['qtyLimit']) != truth.limit:
            self.violate(f'{consumer} was told what is not so of {underlying}: {brief(state)}, {truth}')

    def ignorant(self):
        """Those who have not been told of the last change, and of which underlying."""
        return [
            (consumer, underlying)
            for bot in self.bots
            for consumer in bot.consumers
            for underlying in consumer.underlyings
            if consumer.changes.get(underlying) != self.truths[bot.exchange.id, underlying].changes
        ]

    async def until_all_know(self):
        ends = time.monotonic() + PATIENCE
        while self.ignorant() and time.monotonic() < ends:  # noqa: ASYNC110 - the consumers bring it about
            await asyncio.sleep(0.002)
        return not self.ignorant()

    def tell_who_missed(self, event):
        for consumer, underlying in self.ignorant():
            truth = self.truths[consumer.exchange_id, underlying]
            self.violate(f'{consumer} was not told of {event} of {underlying} in {PATIENCE} s: {truth}')
            consumer.changes[underlying] = truth.changes

    # --- what is kept

    def look_at_what_is_kept(self, seconds):
        self.simulator._log.frames.clear()
        with self.simulator._state.lock:
            del self.simulator._account.orders[:-KEPT]
            self.simulator._account.client_ids.clear()  # the simulator never forgets an id or a nonce
            for venue in self.simulator._state.venues:
                if hasattr(venue, '_logins'):
                    venue._logins.nonces.clear()
        self.memory.append((seconds, used_memory()))
        for bot in self.bots:
            self.violations += bot.overgrown()
        tasks = len(asyncio.all_tasks())
        if tasks > MAX_TASKS:
            self.violate(f'{tasks} tasks are too many')

    async def look_at_what_is_left(self):
        ends = time.monotonic() + PATIENCE
        while left_over() and time.monotonic() < ends:  # noqa: ASYNC110 - tasks end by themselves
            await asyncio.sleep(0.01)
        if left_over():
            self.violate(f'tasks are left at the end: {left_over()}')
        growth = growth_of(self.memory)
        if growth > MAX_GROWTH:
            self.violate(f'the process has grown by {growth / 2**20:.1f} MiB after its warm-up')

    # --- what there is to tell

    def report(self):
        lines = [
            f'{self.events.total()} changes: {counted(self.events)}',
            f'  {self.told_in_all} times told, the slowest after {self.slowest:.1f} s',
            f'  {self.weather.faults.total()} faults: {counted(self.weather.faults)}',
            f'  calls: {counted(self.met + sum((bot.met for bot in self.bots), Counter()))}',
        ]
        if self.memory:
            first, last = (each / 2**20 for _, each in (self.memory[0], self.memory[-1]))
            lines.append(f'  RSS {first:.1f} MiB at first, {last:.1f} MiB at last')
        return '\n'.join([*lines, *(f'  VIOLATION: {each}' for each in self.violations)])


def brief(state):
    """What is told of a state."""
    return {name: state.get(name) for name in ('frozen', 'frozenUntil', 'lastTriggerTimestamp', 'qtyLimit')}
