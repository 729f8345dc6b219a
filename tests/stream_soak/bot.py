"""One exchange object: the consumers of its streams, and one who quotes and cancels."""

import asyncio
from collections import Counter

import ccxt
import ccxt.pro

import ccxt_mmp.pro
from ccxt_mmp import MmpFrozen
from tests.soak.bot import IN_FREEZE, UNDERLYINGS
from tests.trading import ID_PREFIX, symbols, with_markets

# what may come of a call while connections break and logins are refused; anything else is a defect
EXPECTED = (ccxt.NetworkError, ccxt.AuthenticationError, ccxt.OperationFailed)
OF_ORDERS = (*EXPECTED, ccxt.OperationRejected, ccxt_mmp.MassCancelLocked, MmpFrozen)
ORDER_OPERATIONS = {'order', 'batch-orders', 'private/buy', 'order.create'}  # of frames, as the exchanges call them
TIMEOUT = 1500  # ms of an answer, a login and a subscription
CANCELS = 0.2  # of what the quoting task does
PAUSE = 0.1  # s between its calls, at most


class Consumer:
    """One who waits for changes of some protections of an object, and calls again at once."""

    def __init__(self, name, exchange_id, underlyings):
        self.name = name
        self.exchange_id = exchange_id
        self.underlyings = underlyings
        self.last = {}  # states by underlying
        self.changes = {}  # how many of each it knows of

    def __str__(self):
        return self.name


class Session:
    """The object's session, which looks at what is sent over it."""

    def __init__(self, session, look):
        self._session = session
        self._look = look

    def __getattr__(self, name):
        return getattr(self._session, name)

    def post(self, url, **others):
        self._look(str(url))
        return self._session.post(url, **others)


class Bot:
    """``judge`` is told what its consumers are told, and of what may not be."""

    def __init__(self, judge, exchange_id, number):
        self.judge = judge
        self.name = f'{exchange_id}{number}'
        self.id_prefix = f'{ID_PREFIX.get(exchange_id, "")}{self.name}x'  # of its client order ids
        self.underlyings = list(UNDERLYINGS[exchange_id])
        self.exchange = self.connect(exchange_id)
        first, *_ = self.underlyings
        self.consumers = [
            Consumer(f'{self.name} {index}', exchange_id, underlyings)
            for index, underlyings in enumerate(([first], [first], self.underlyings))
        ]
        self.met = Counter()
        self.reads = 0  # that are not answered
        self.placing = None  # the underlying of the order that is placed
        self.orders = 0
        self.tasks = []

    def connect(self, exchange_id):
        simulator = self.judge.simulator
        options = {'watchMmp': {'timeout': TIMEOUT}, 'mmpRateLimits': {}}
        exchange = simulator.connect(
            getattr(ccxt_mmp.pro, exchange_id),
            enableRateLimit=False,
            timeout=TIMEOUT,
            timeout_on_exit=0,
            options=options,
        )

        async def sleep(milliseconds):
            await simulator.async_sleep(milliseconds / 1000)

        exchange.sleep = sleep  # the thaw comes by the simulator's clock
        send_frame = exchange._send_frame

        async def look_and_send(client, stock, message):
            async def send(message):
                self.look_at_frame(message)
                return await stock(message)

            return await send_frame(client, send, message)

        exchange._send_frame = look_and_send
        read_mmps = exchange._read_mmps

        async def read(ids):
            self.reads += 1
            try:
                return await read_mmps(ids)
            finally:
                self.reads -= 1

        exchange._read_mmps = read
        return with_markets(exchange)

    def start(self):
        self.exchange.open()
        self.exchange.session = Session(self.exchange.session, self.look_at_url)
        roles = [*(self.consume(each) for each in self.consumers), self.quote()]
        self.tasks = [asyncio.ensure_future(role) for role in roles]

    async def close(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.exchange.close()

    # --- roles

    async def consume(self, consumer):
        params = {'pollInterval': self.exchange._least_poll_interval}
        is_of_one = len(consumer.underlyings) == 1
        while True:
            try:
                if is_of_one:
                    told = [await self.exchange.watch_mmp(consumer.underlyings[0], params)]
                else:
                    told = list((await self.exchange.watch_mmps(consumer.underlyings, params)).values())
            except EXPECTED as error:
                self.met[type(error).__name__] += 1
                continue
            except Exception as error:  # noqa: BLE001 - to tell of it
                self.judge.violate(f'{consumer} met {error!r}')
                await asyncio.sleep(PAUSE)
                continue
            for state in told:
                self.judge.told(consumer, state)

    async def quote(self):
        dice = self.judge.dice
        while True:
            await asyncio.sleep(dice.uniform(0, PAUSE))
            await self.judge.may_quote.wait()
            underlying = dice.choice(self.underlyings)
            role = self.cancel if dice.random() < CANCELS else self.place
            try:
                await role(underlying)
            except OF_ORDERS as error:
                self.met[type(error).__name__] += 1
            except Exception as error:  # noqa: BLE001 - to tell of it
                if IN_FREEZE in str(error):
                    self.met['refused in a freeze'] += 1
                else:
                    self.judge.violate(f'{self.name} {role.__name__} met {error!r}')

    async def place(self, underlying):
        exchange = self.exchange
        symbol = symbols(exchange, underlying)[-1]
        is_over_socket = exchange.has['createOrdersWs'] and self.judge.dice.random() < 0.5
        create = exchange.create_order_ws if is_over_socket else exchange.create_order
        self.orders += 1
        params = {'mmp': True, 'clientOrderId': f'{self.id_prefix}{self.orders}'}
        self.placing = underlying
        try:
            await create(symbol, 'limit', 'buy', 1, 5, params)
        finally:
            self.placing = None
        self.met['accepted'] += 1

    async def cancel(self, underlying):
        """Cancel by one of the ways that there are; none of this object's orders may rest after a success."""
        exchange = self.exchange
        ways = [exchange.mass_cancel_mmp]
        if exchange.has['massCancelMmpWs']:
            ways += [exchange.mass_cancel_mmp_ws, lambda name: exchange.mass_cancel_mmp(name, {'hedge': True})]
        await self.judge.dice.choice(ways)(underlying)
        self.met['cancelled'] += 1
        resting = self.judge.simulator.resting(exchange.id, underlying)
        missed = [each for each in resting if each.client_order_id.startswith(self.id_prefix)]
        if missed:
            self.judge.violate(f'{self.name} cancelled all of {underlying}, but {len(missed)} rest')

    # --- what is sent

    def look_at_url(self, url):
        if url.partition('?')[0].endswith(tuple(f'/{path}' for path in self.exchange._order_paths)):
            self.look()

    def look_at_frame(self, message):
        if isinstance(message, dict) and ORDER_OPERATIONS & {message.get('op'), message.get('method')}:
            self.look()

    def look(self):
        watched = self.exchange._mmp_watched.watched.get(self.placing)
        if watched is not None and watched.known.is_frozen:
            self.judge.violate(f'{self.name} sent an order of {self.placing} in a freeze that it knows of')

    # --- what is kept

    def overgrown(self):
        """What the object keeps more of than it needs."""
        clients = list((self.exchange.clients or {}).values())
        kept = {'clients': clients, 'protections': self.exchange._mmp_watched.watched}
        for client in clients:
            for name in ('futures', 'subscriptions'):
                kept[name] = max(kept.get(name, ()), getattr(client, name), key=len)
        # a mass cancel over the websocket has 20 requests under way at once, and there may be one of each underlying
        bounds = {'clients': 3, 'protections': len(self.underlyings), 'futures': 60, 'subscriptions': 20}
        return [
            f'{self.name} has {len(each)} {name}: {", ".join(map(str, each))}'
            for name, each in kept.items()
            if len(each) > bounds[name]
        ]
