"""Starts the bots, halts and resumes them at random times, and breaks the store under them."""

import json
import subprocess
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from random import Random

import ccxt_mmp
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from tests.trading import UNDERLYING, at_simulator
from tests.warm import python

ROOT = Path(__file__).parent.parent.parent
WAIT = 60  # s, for what has to come
QUIET = 0.3  # s, in which nothing may be accepted
GRACE = 1000  # ms
EXPECTED = ('accepted', 'halted', 'lost')
FLAVOURS = ('sync', 'async', 'pro')


class Judge:
    """``with Judge(...) as judge: ...``: bots of all exchanges and flavours, and what was wrong."""

    def __init__(self, url, processes, seed, grace=GRACE, account='desk', pause=0):
        self.url = url
        self.random = Random(seed)  # noqa: S311 - not for secrets
        self.simulator = Simulator(enforce_limits=False, log_size=1000)
        self.processes = processes
        self.grace = grace
        self.account = account  # of the bots
        self.pause_of_bots = pause  # ms after each order
        self.bots = []
        self.violations = []
        self.met = Counter()
        self.halts = 0
        self.most = 0  # orders of an exchange when a halt came

    def __enter__(self):
        self.simulator.start()
        for venue, underlying in UNDERLYING.items():
            self.simulator.set_rule(venue, underlying)
        for exchange_id, flavour in self._kinds():
            settings = {
                'exchange': exchange_id,
                'flavour': flavour,
                'simulator': self.simulator.url,
                'option': self.simulator.instruments(exchange_id, UNDERLYING[exchange_id])[0],
                'pause': self.pause_of_bots,
                'halt': {'url': self.url, 'account': self.account, 'timeout': 1000},
            }
            command = python('-m', 'tests.halt_soak.bot', json.dumps(settings))
            pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
            self.bots.append(subprocess.Popen(command, cwd=ROOT, text=True, **pipes))
        self.desks = {each: self._desk(each) for each in sorted({exchange_id for exchange_id, _ in self._kinds()})}
        for bot in self.bots:
            assert bot.stderr.readline() == 'ready\n'
        return self

    def _kinds(self):
        """The exchange and the flavour of each process: all of both, however few there are."""
        kinds = zip(cycle(EXCHANGES), cycle(FLAVOURS), strict=False)
        return [*islice(kinds, self.processes)]

    def _desk(self, exchange_id):
        exchange = getattr(ccxt_mmp, exchange_id)({'enableRateLimit': False})
        desk = at_simulator(exchange, self.simulator)
        desk.options['mmpHalt'] = {'url': self.url, 'account': 'desk', 'timeout': 5000, 'grace': self.grace}
        return desk

    def __exit__(self, *error):
        for bot in self.bots:
            bot.stdin.close()
            bot.stdin = None  # communicate would close it again
        for bot in self.bots:
            try:
                said, complaints = bot.communicate(timeout=WAIT)  # of both: a full pipe would hold the bot up
                assert bot.returncode == 0, complaints
                self.met += Counter(json.loads(said))
            finally:
                bot.kill()
                bot.stdout.close()
                bot.stderr.close()
        for desk in self.desks.values():
            desk.close()
        self.simulator.close()
        strange = {what: count for what, count in self.met.items() if what not in EXPECTED}
        if strange:
            self.violations.append(f'a bot met what it should not: {strange}')

    # --- what rests

    def resting(self, exchange_id):
        return [order for order in self.simulator.resting(exchange_id, UNDERLYING[exchange_id]) if order.mmp]

    def check_none(self, exchange_id, when):
        orders = self.resting(exchange_id)
        if orders:
            self.violations.append(f'{len(orders)} MMP orders of {exchange_id} rest {when}')

    def wait_for_quotes(self, exchange_id):
        ends = time.monotonic() + WAIT
        while not self.resting(exchange_id):
            assert time.monotonic() < ends, f'no bot of {exchange_id} quotes again'
            time.sleep(0.005)

    def pause(self, least=0.0):
        time.sleep(least + self.random.random() * QUIET)

    # --- rounds

    def halt_and_resume(self):
        """One halt at a random time, of one underlying or of all, and the resume."""
        exchange_id = self.random.choice(list(self.desks))
        desk, underlying = self.desks[exchange_id], UNDERLYING[exchange_id]
        self.wait_for_quotes(exchange_id)
        self.pause()
        self.most = max(self.most, len(self.resting(exchange_id)))
        # without a lock of the exchange, so that nothing but the halt holds them
        params = {'lockInterval': 0} if exchange_id == 'okx' else {}
        if self.random.random() < 0.5:
            desk.halt_mmp(underlying, params)
        else:
            desk.halt_mmp(None, {**params, 'underlyings': [underlying]})
        self.halts += 1
        self.check_none(exchange_id, 'after halt_mmp returned')
        self.pause()
        self.check_none(exchange_id, 'while halted')
        desk.resume_mmp()
        self.wait_for_quotes(exchange_id)

    def lose(self, breaks, mends=None):
        """Break the store: after what was under way nothing is accepted, until it is mended."""
        for exchange_id in self.desks:
            self.wait_for_quotes(exchange_id)
        breaks()
        time.sleep(self.grace / 1000)
        for exchange_id, desk in self.desks.items():
            desk.mass_cancel_mmp(UNDERLYING[exchange_id])
            self.check_none(exchange_id, 'after the store was lost')
        self.pause(QUIET)
        for exchange_id in self.desks:
            self.check_none(exchange_id, 'while the store is lost')
        if mends is not None:
            mends()
            for exchange_id in self.desks:
                self.wait_for_quotes(exchange_id)

    def report(self):
        met = ', '.join(f'{count} {what}' for what, count in self.met.items())
        halts = f'{self.halts} halts of at most {self.most} orders'
        return f'{self.processes} processes, {halts}, orders: {met}; {len(self.violations)} violations'
