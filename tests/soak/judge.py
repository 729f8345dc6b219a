"""The exchanges of a bot, where things go wrong at random, and what is known there against what the bot says."""

import asyncio
import subprocess
import time
from collections import Counter
from multiprocessing import Pipe
from pathlib import Path
from statistics import median
from threading import Event, Thread

from ccxt_mmp.simulator import Simulator
from ccxt_mmp.simulator.faults import KINDS
from tests.soak.bot import LATEST_EFFECT, SPECIAL, UNDERLYINGS, Cancelled, Health, Plan, dice
from tests.soak.okx_socket import OkxSocket, placed, serve
from tests.warm import python

ROOT = Path(__file__).parent.parent.parent
FAULTS = 0.04  # of the requests
ORDERS = ('batch-orders', 'batchOrders')
PATHS = {'result_false': ('mass-cancel', 'mmp-reset'), 'half_batch': ORDERS}
STATUSES = (500, 502, 503, 429, 418)
DELAYS = (20, 100, 400, 2500)  # ms; the last is longer than the bots wait
SLOW = 0.3  # of the requests that place orders
UNANSWERED = 0.1  # of the orders over the websocket; as many are answered late
LATE = 0.5  # s by which they come later, at most; the kill switch looks after those that were given up for 1 s
FILL_EVERY = 1.0  # s
CONTRACTS = 3  # of each underlying
KEPT_ORDERS = 2000
PATIENCE = 60  # s that a bot has to come to its end

WARM_UP = 60  # s
MAX_GROWTH = 8 * 2**20  # bytes
MAX_SOCKETS = 100  # at any time
MAX_TASKS = 150
# of the requests, and however few these are: a first one that has to open its connection arrives later than the others,
# and so closer to the one that comes a window later; a busy machine adds to it
MAX_REFUSALS = 0.02
ALWAYS_ALLOWED_REFUSALS = 5


class Exchanges(Simulator):
    """Orders may take some time before they arrive, so that what is sent after them overtakes them."""

    def __init__(self, dice):
        super().__init__()
        self.dice = dice

    async def _handle(self, request):
        if request.method == 'POST' and request.path.endswith(ORDERS) and self.dice.random() < SLOW:
            await asyncio.sleep(self.dice.uniform(0, LATE))
        return await super()._handle(request)


class OrderSocket(OkxSocket):
    """Orders over the websocket, which rest in the book at once or a little later; not every answer comes in time."""

    def __init__(self, desk, dice):
        super().__init__()
        self.desk = desk
        self.dice = dice

    async def reply(self, socket, message):
        if self.dice.random() < SLOW:
            await asyncio.sleep(self.dice.uniform(0, LATE))
        order = message['args'][0]
        self.desk.rest_over_socket(order['instId'], order['clOrdId'])
        fate = self.dice.random()
        if fate < UNANSWERED:
            return
        if fate < 2 * UNANSWERED:
            await asyncio.sleep(self.dice.uniform(0, 2 * LATE))
        if not socket.closed:
            await socket.send_json({'id': message['id'], 'op': message['op'], **placed(message)})


class SocketThread(Thread):
    """Serves it as long as the simulator runs."""

    def __init__(self, socket):
        super().__init__(name='soak-socket', daemon=True)
        self.socket = socket
        self.loop = asyncio.new_event_loop()
        self.is_over = asyncio.Event()
        self.is_ready = Event()

    def run(self):
        self.loop.run_until_complete(self.serve())
        self.loop.close()

    async def serve(self):
        async with serve(self.socket):
            self.is_ready.set()
            await self.is_over.wait()

    def stop(self):
        self.loop.call_soon_threadsafe(self.is_over.set)
        self.join()


class Desk(Thread):
    """What is around one bot."""

    def __init__(self, flavour, seed, seconds):
        super().__init__(name=f'soak-{flavour}')
        self.flavour = flavour
        self.seed = seed
        self.seconds = seconds
        self.dice = dice(seed, flavour, 'exchanges')
        self.simulator = Exchanges(dice(seed, flavour, 'ways'))
        self.account = self.simulator.add_account('soak-key', 'soak-secret', 'soak-passphrase')
        self.special_account = self.simulator.add_account('special-key', 'special-secret', 'special-passphrase')
        self.sockets = SocketThread(OrderSocket(self, dice(seed, flavour, 'socket')))
        self.violations = []
        self.requests = 0
        self.faults = Counter()
        self.too_many = Counter()  # HTTP 429 by path
        self.fills = 0
        self.cancels = Counter()
        self.seconds_of_cancels = []
        self.health = []
        self.last_cleared = {}  # what the last mass cancel said that succeeded, by exchange and underlying
        self.missed = set()
        self.others = {}  # orders without the flag, which no mass cancel is to touch
        self.alls_until = {}  # until when a mass cancel of all may have had effect, in ms since the epoch
        self.is_over = False

    def start(self):
        self.simulator.start()
        self.sockets.start()
        self.sockets.is_ready.wait()
        self.connection, theirs = Pipe()
        command = python('-c', 'from tests.soak.bot import main; main()')
        self.process = subprocess.Popen(command, stdin=theirs, cwd=ROOT)
        theirs.close()  # so that the end of the process is the end of the pipe
        self.connection.send(self.plan())
        super().start()

    def plan(self):
        """What the bot needs to know."""
        contracts = {
            exchange_id: {each: self.simulator.instruments(exchange_id, each)[:CONTRACTS] for each in underlyings}
            for exchange_id, underlyings in UNDERLYINGS.items()
        }
        for exchange_id, underlyings in UNDERLYINGS.items():
            for underlying in underlyings:
                self.rest_another(exchange_id, underlying)
        self.rest_another(*SPECIAL)
        return Plan(
            flavour=self.flavour,
            seed=self.seed,
            seconds=self.seconds,
            url=self.simulator.url,
            credentials=credentials_of(self.account),
            contracts=contracts,
            special_credentials=credentials_of(self.special_account),
            special_contracts=self.simulator.instruments(*SPECIAL)[:CONTRACTS],
            socket_url=self.sockets.socket.url,
        )

    def account_of(self, *place):
        return self.special_account if place == SPECIAL else self.account

    def run(self):
        ends = time.monotonic() + self.seconds + PATIENCE
        next_fill = time.monotonic()
        while not self.is_over:
            self.listen()
            self.look_for_missed()
            self.read_log()
            if time.monotonic() >= next_fill:
                next_fill = time.monotonic() + self.dice.uniform(0, 2 * FILL_EVERY)
                self.fill_one()
            if time.monotonic() > ends:
                self.violations.append(f'the bot did not come to its end within {PATIENCE} s')
                self.process.kill()
                break
        self.process.wait()
        self.sockets.stop()
        self.simulator.close()
        self.judge_the_end()

    def listen(self):
        try:
            fact = self.connection.recv() if self.connection.poll(0.05) else None
            if isinstance(fact, Cancelled):
                self.judge(fact)
            elif isinstance(fact, Health):
                self.examine(fact)
            if fact is not None:
                self.connection.send(None)
        except (EOFError, ConnectionError):
            self.is_over = True

    # --- what happens on the exchanges

    def read_log(self):
        """Count what came, and let things go wrong in proportion."""
        log = self.simulator.requests
        new = log[: len(log)]
        del log[: len(new)]
        for account in (self.account, self.special_account):
            del account.orders[:-KEPT_ORDERS]
        self.requests += len(new)
        for request in new:
            if request.status == 429:
                self.too_many[request.path] += 1
            if self.dice.random() < FAULTS:
                self.break_something()

    def break_something(self):
        kind = self.dice.choice(KINDS)
        path = self.dice.choice(PATHS.get(kind, ('',)))
        status, milliseconds = self.dice.choice(STATUSES), self.dice.choice(DELAYS)
        self.simulator.fault(kind, path, status=status, milliseconds=self.dice.randint(0, milliseconds))
        self.faults[f'status {status}' if kind == 'status' else kind] += 1

    def fill_one(self):
        """Somebody takes an order, as a rule enough of them to trip a protection."""
        exchange_id = self.dice.choice(list(UNDERLYINGS))
        underlying = self.dice.choice(list(UNDERLYINGS[exchange_id]))
        for order in self.resting(exchange_id, underlying)[:2]:
            try:
                self.simulator.fill(order.order_id)
            except ValueError:  # it was cancelled a moment ago, or by the trip
                continue
            self.fills += 1

    def resting(self, exchange_id, underlying):
        """The MMP orders."""
        account = self.account_of(exchange_id, underlying)
        listed = self.simulator.resting(exchange_id, underlying, account=account)
        return [order for order in listed if order.mmp and order.client_order_id]

    def rest_over_socket(self, option_id, client_order_id):
        order = self.simulator.rest(*SPECIAL, mmp=True, symbol=option_id, account=self.special_account)
        order.client_order_id = client_order_id

    def rest_another(self, exchange_id, underlying):
        account = self.account_of(exchange_id, underlying)
        other = self.simulator.rest(exchange_id, underlying, mmp=False, account=account)
        self.others[exchange_id, underlying] = other

    # --- what may not be

    def judge(self, said):
        self.cancels[f'{said.exchange_id} {said.error or "done"}'] += 1
        self.seconds_of_cancels.append(said.seconds)
        place = said.exchange_id, said.underlying
        if said.error is None:
            self.last_cleared[place] = said
        if 'includeNonMmp' in said.params:
            self.alls_until[place] = time.time_ns() // 1_000_000 + LATEST_EFFECT * 1000
        for order in self.resting(*place):
            if said.error is None and order.created < said.called_at:
                self.miss(said, order)
            if order.order_id in said.claimed:
                self.violations.append(f'{said} claims {order.client_order_id}, which rests')
        self.look_for_missed()
        other = self.others[place]
        if other.is_open:
            return
        # what went before this call is of an earlier one, whose request may have come late
        if not (said.may_others_be_gone or other.updated <= self.alls_until.get(place, 0)):
            went = other.updated - said.called_at
            self.violations.append(f'{said} cancelled an order without the flag, which went {went} ms after the call')
        self.rest_another(*place)

    def look_for_missed(self):
        """Also orders that came after the mass cancel was over."""
        for place, said in self.last_cleared.items():
            for order in self.resting(*place):
                number = number_of(order)
                if number <= said.asked and number not in said.pending:
                    self.miss(said, order)

    def miss(self, said, order):
        if order.order_id not in self.missed:
            self.missed.add(order.order_id)
            came = order.created - said.called_at
            self.violations.append(f'{said} missed {order.client_order_id}, which came {came} ms after the call')

    def examine(self, health):
        self.health.append(health)
        self.violations += health.broken
        if health.sockets > MAX_SOCKETS or health.tasks > MAX_TASKS:
            self.violations.append(f'{health.sockets} sockets and {health.tasks} tasks are too many')

    def judge_the_end(self):
        if self.process.returncode:
            self.violations.append(f'the bot ended with exit status {self.process.returncode}')
        self.simulator.clear_faults()  # some of which came too late for anything
        try:
            self.simulator.check()
        except Exception as error:  # noqa: BLE001 - of whatever kind
            self.violations.append(f'the simulator failed: {error!r}')
        if self.refusals > max(MAX_REFUSALS * self.requests, ALWAYS_ALLOWED_REFUSALS):
            self.violations.append(f'{self.refusals} requests were beyond a limit: {dict(self.too_many)}')
        growth = growth_of([(each.time, each.rss) for each in self.health])
        if growth > MAX_GROWTH:
            self.violations.append(f'the process has grown by {growth / 2**20:.1f} MiB after its warm-up')

    @property
    def refusals(self):
        """Requests that were refused for their number, but for those of the faults."""
        return max(0, self.too_many.total() - self.faults['status 429'])

    # --- what there is to tell

    def report(self):
        last = self.health[-1] if self.health else None
        lines = [
            f'{self.flavour}: {self.requests} requests, {self.refusals} beyond a limit; {self.fills} fills',
            f'  mass cancels: {told(self.cancels)}; {latency(self.seconds_of_cancels)}',
            f'  {self.faults.total()} faults: {told(self.faults)}',
        ]
        if last is not None:
            rss = [each.rss / 2**20 for each in self.health]
            lines += [
                f'  calls: {told(last.calls)}',
                f'  errors: {told(last.errors)}',
                f'  RSS {rss[0]:.1f} MiB at first, {rss[-1]:.1f} MiB at last',
                f'  {last.sockets} sockets, {last.tasks} tasks, {last.threads} threads',
            ]
        return '\n'.join([*lines, *(f'  VIOLATION: {each}' for each in self.violations)])


def credentials_of(account):
    return {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase}


def number_of(order):
    """The bot's own number of an order."""
    return int(order.client_order_id.rpartition('soak')[2])


def growth_of(samples):
    """How much more memory, in bytes, the last quarter of a run after its warm-up has than the first.

    The warm-up takes a third of a long run: caches and the windows of the simulator fill slowly.
    """
    warm_up = max(WARM_UP, samples[-1][0] / 3) if samples else WARM_UP
    settled = [rss for seconds, rss in samples if seconds >= warm_up]
    quarter = len(settled) // 4
    return median(settled[-quarter:]) - median(settled[:quarter]) if quarter else 0


def latency(seconds):
    if not seconds:
        return 'none yet'
    ordered = sorted(seconds)
    p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
    return f'p50 {p50:.0f} ms, p99 {p99:.0f} ms with the wait for their limit'


def told(counts):
    return ', '.join(f'{name} {number}' for name, number in sorted(counts.items())) or 'none'
