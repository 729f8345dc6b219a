"""A halt stops MMP orders also where a class of the user sends them from another task or thread, or by itself."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import ccxt
import pytest

from ccxt_mmp import MmpHalted
from tests.core.fencing import raw_orders
from tests.core.ordering import create
from tests.halts.conftest import own_redis  # noqa: F401 - a fixture
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets


def elsewhere(kind, flavour, seen):
    """A class of the user, whose ``fetch`` calls that of ``kind`` in another thread or task."""

    class InThread(kind):
        def fetch(self, *arguments):
            with ThreadPoolExecutor(1) as pool:
                answer = pool.submit(super().fetch, *arguments).result()
            seen.append(self._mmp_fence(UNDERLYING[self.id]).has_in_flight)
            return answer

    class InTask(kind):
        async def fetch(self, *arguments):
            answer = await asyncio.shield(asyncio.ensure_future(super().fetch(*arguments)))
            seen.append(self._mmp_fence(UNDERLYING[self.id]).has_in_flight)
            return answer

    return InThread if flavour.loop is None else InTask


@pytest.fixture
def seen():
    """Whether an order counted as in flight when its answer had come."""
    return []


@pytest.fixture
def bot(flavour, simulator, exchange_id, seen):
    kind = elsewhere(flavour.exchange_class(exchange_id), flavour, seen)
    exchange = with_markets(simulator.connect(kind, enableRateLimit=False))
    flavour.opened.append(exchange)
    return exchange


@pytest.fixture
def symbol(bot, exchange_id):
    return symbols(bot, UNDERLYING[exchange_id])[0]


def assert_halts(flavour, simulator, bot, symbol, seen):
    underlying = UNIFIED[bot.id]
    assert create(flavour, bot, symbol, {'mmp': True})['id']
    assert seen[-1] is True  # as without a store: nobody has told it of the answer
    flavour.take(bot.halt_mmp(underlying))
    simulator.advance(10_001)  # the lock of the exchange
    requests = len(simulator.requests)
    for _ in range(2):
        with pytest.raises(MmpHalted):
            create(flavour, bot, symbol, {'mmp': True})
    assert len(simulator.requests) == requests
    assert simulator.resting(bot.id, UNDERLYING[bot.id]) == []
    assert not bot._mmp_fence(UNDERLYING[bot.id]).has_in_flight
    flavour.take(bot.resume_mmp(underlying))
    assert create(flavour, bot, symbol, {'mmp': True})['id']


def test_order_that_is_fetched_elsewhere_is_halted(flavour, simulator, bot, symbol, seen, tmp_path):
    bot.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    assert_halts(flavour, simulator, bot, symbol, seen)


def test_order_that_is_fetched_elsewhere_is_halted_over_redis(
    flavour,
    simulator,
    bot,
    symbol,
    seen,
    own_redis,  # noqa: F811
):
    bot.options['mmpHalt'] = {'url': own_redis.url, 'account': 'desk', 'timeout': 5000, 'grace': 0}
    assert_halts(flavour, simulator, bot, symbol, seen)


@pytest.mark.parametrize('of', ['the class', 'the object'])
def test_order_that_a_fetch_of_the_user_sends_by_itself_is_halted(exchange, flavour, tmp_path, of):
    """As in a proxy, or in a test: nothing of ours runs after the signing."""
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    flavour.take(exchange.halt_mmp(None, {'cancel': False}))
    sent = []

    def fetch(*arguments):
        sent.append(arguments)

    async def async_fetch(*arguments):
        sent.append(arguments)

    own = fetch if flavour.loop is None else async_fetch
    if of == 'the class':
        exchange.__class__ = type(exchange.id, (type(exchange),), {'fetch': own})
    else:
        exchange.fetch = own
    with pytest.raises(MmpHalted):
        create(flavour, exchange, symbols(exchange, UNDERLYING[exchange.id])[0], {'mmp': True})
    assert sent == []


def test_lost_attempt_counts_though_its_repetition_is_halted(exchange, flavour, tmp_path):
    """Of a raw call, which ccxt repeats, and whose first attempt nothing of ours has seen fail."""
    exchange.options |= {'maxRetriesOnFailure': 1, 'maxRetriesOnFailureDelay': 1}
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    desk = flavour.exchange(exchange.id)
    desk.options['mmpHalt'] = exchange.options['mmpHalt']
    attempts = []

    async def async_fetch(*arguments):
        attempts.append(arguments)
        await desk.halt_mmp(None, {'cancel': False})
        raise ccxt.NetworkError('lost')

    def sync_fetch(*arguments):
        attempts.append(arguments)
        desk.halt_mmp(None, {'cancel': False})
        raise ccxt.NetworkError('lost')

    exchange.fetch = sync_fetch if flavour.loop is None else async_fetch
    with pytest.raises((MmpHalted, ccxt.NetworkError)) as raised:
        flavour.take(raw_orders(exchange)[0]())
    # older versions of ccxt sign once, and so repeat what is halted meanwhile
    assert (len(attempts), raised.type) in [(1, MmpHalted), (2, ccxt.NetworkError)]
    assert exchange._mmp_fence(UNDERLYING[exchange.id]).has_in_flight
