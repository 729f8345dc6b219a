"""The market maker of ``examples/`` goes through a day on the simulator: quotes, fills, a freeze, lost connections."""

import asyncio
import importlib
import itertools
import re
import signal
import subprocess
import time
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import ccxt.pro
import pytest

from ccxt_mmp import pro
from ccxt_mmp.simulator import Simulator
from tests.trading import load_markets_once
from tests.warm import python

EXAMPLES = Path(__file__).parent.parent / 'examples'
VENUES = {'okx': ('BTC/USD', 10), 'binance': ('BTC/USDT', 1), 'bybit': ('BTC/USDT', 1)}
STREAMS = [each for each in VENUES if each != 'binance' or hasattr(ccxt.pro.binance, 'handle_options_order_update')]
PAUSE = 60  # s of the exchange's clock: the bot does nothing until the test advances it
FREEZE = 300_000


def load(name):
    """An example, which imports its neighbours as a script does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        return importlib.import_module(name)


market_maker = load('market_maker')


async def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


class Desk:
    """A bot that runs, turn by turn."""

    def __init__(self, simulator, exchange, bot):
        self.simulator, self.exchange, self.bot = simulator, exchange, bot
        self.underlying = VENUES[exchange.id][0]
        self.running = asyncio.ensure_future(bot.run())

    async def begin(self):
        await until(lambda: self.bot.turns and self.simulator.sleepers)

    async def turn(self):
        """Wake the bot, and wait until it sleeps again."""
        before = self.bot.turns
        self.simulator.advance(PAUSE * 1000)
        await until(lambda: self.running.done() or (self.bot.turns > before and self.simulator.sleepers))

    async def hear(self):
        """Wait until the bot knows what has happened, unless its next turn reads the list anyway."""
        await until(lambda: not (self.bot.is_live and self.bot.is_read) or self.knows_all)

    async def settle(self):
        """Until the bot needs no list: the stream runs, the list was read since, and all its requests are told."""
        moved = itertools.cycle([109_000, 111_000])
        deadline = time.monotonic() + 30
        while not (self.bot.is_live and self.bot.is_read):
            assert time.monotonic() < deadline
            self.simulator.set_index(self.exchange.id, self.underlying, next(moved))  # a stream has something to tell
            await self.turn()
        await until(lambda: self.bot.asked <= self.bot.told)
        assert self.knows_all

    async def lose_the_stream(self):
        self.simulator.fault('drop')
        await until(lambda: not self.bot.is_live)

    async def end(self):
        self.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.running

    @property
    def quotes(self):
        return self.simulator.resting(self.exchange.id, self.underlying)

    @property
    def prices(self):
        return {(order.instrument.instrument_id, order.side): Decimal(order.price) for order in self.quotes}

    @property
    def knows_all(self):
        return set(self.bot.orders) == {order.order_id for order in self.quotes}

    @property
    def orders(self):
        """How often it has asked to place one."""
        paths = ('batch-orders', 'v1/order', 'order/create')
        return sum(each.method == 'POST' and each.path.endswith(paths) for each in self.simulator.requests)

    @property
    def lists(self):
        """How often it has asked for its open orders."""
        # neither further pages, nor the order that an edit makes sure of
        asked = [each for each in self.simulator.requests if not re.search('cursor=|orderId=', each.query)]
        paths = [request.path.rpartition('/')[2] for request in asked]
        return sum(paths.count(each) for each in ('orders-pending', 'openOrders', 'realtime'))


@asynccontextmanager
async def desk(exchange_id, frozen_time=FREEZE, **config):
    underlying, contracts = VENUES[exchange_id]
    rule = {'window': 5000, 'frozenTime': frozen_time, 'qtyLimit': 3 * contracts}
    if exchange_id != 'okx':
        rule['deltaLimit'] = 100
    said = []
    with Simulator(enforce_limits=False) as simulator:
        exchange_class = getattr(pro, exchange_id)
        options = market_maker.OPTIONS
        async with simulator.connect(exchange_class, enableRateLimit=False, options=options) as exchange:
            exchange.sleep = lambda milliseconds: simulator.async_sleep(milliseconds / 1000)  # of watch_mmp's reads
            await load_markets_once(exchange, exchange_class.load_markets)
            ids = [each for each in simulator.instruments(exchange_id, underlying) if '-110000-' in each][4:6]
            bot = market_maker.MarketMaker(
                exchange,
                underlying,
                [exchange.safe_symbol(each) for each in ids],
                rule=rule,
                contracts=contracts,
                pause=PAUSE,
                sleep=simulator.async_sleep,
                say=said.append,
                **config,
            )
            desk = Desk(simulator, exchange, bot)
            desk.said = said
            try:
                await desk.begin()
                yield desk
            finally:
                desk.running.cancel()
                await asyncio.wait([desk.running])
        assert not simulator.resting(exchange_id, underlying)


def run(story, *arguments, **config):
    """Tell the story of a desk."""

    async def told():
        async with desk(*arguments, **config) as one:
            await story(one)

    asyncio.run(told())


@pytest.mark.parametrize('exchange_id', VENUES)
def test_bot_goes_through_a_day(exchange_id):
    async def story(desk):
        simulator, bot = desk.simulator, desk.bot
        assert len(desk.quotes) == 4
        assert all(order.mmp for order in desk.quotes)
        first = {order.order_id for order in desk.quotes}

        # the price moves: it amends where it can
        before = desk.prices
        simulator.set_index(exchange_id, desk.underlying, 115_000)
        await desk.turn()
        assert set(desk.prices) == set(before)
        assert all(desk.prices[quote] != before[quote] for quote in before)
        assert ({order.order_id for order in desk.quotes} == first) == (exchange_id != 'binance')

        # somebody takes a quote: it is there again
        taken = desk.quotes[0]
        simulator.fill(taken.order_id)
        await desk.hear()
        await desk.turn()
        assert len(desk.quotes) == 4
        assert taken not in desk.quotes
        [held] = simulator.positions(exchange_id, desk.underlying)
        assert abs(held.quantity) == VENUES[exchange_id][1]

        # somebody takes too much: a freeze, in which it quotes nothing
        for order in desk.quotes[:3]:
            simulator.fill(order.order_id)
        await desk.hear()
        await desk.turn()
        await until(lambda: bot.is_frozen)
        assert desk.quotes == []
        refused = desk.orders
        await desk.turn()
        assert bot.is_frozen
        assert desk.quotes == []
        assert desk.orders == refused

        # the thaw
        simulator.advance(FREEZE)
        await until(lambda: not bot.is_frozen)
        await desk.turn()
        assert len(desk.quotes) == 4

        # its stream is lost: it goes on, and hears again
        if bot.has_stream:
            await desk.settle()
            await desk.lose_the_stream()
            assert any('watches again after' in line for line in desk.said)
            await desk.settle()
            assert len(desk.quotes) == 4

        # the connection is lost, with orders whose answer nobody gets
        simulator.set_index(exchange_id, desk.underlying, 100_000)
        simulator.fault('drop_before', times=12)  # aiohttp repeats some, and watch_mmp reads beside them
        await desk.turn()
        assert any('NetworkError' in line or 'NotAvailable' in line for line in desk.said)
        simulator.clear_faults()
        await desk.turn()
        assert len(desk.quotes) == 4

        # and the end
        await desk.end()
        assert desk.quotes == []
        assert not desk.running.done() or desk.running.cancelled()

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', STREAMS)
def test_fill_and_trip_are_told_between_two_turns(exchange_id):
    async def story(desk):
        await desk.settle()
        turns, lists = desk.bot.turns, desk.lists
        taken = desk.quotes[0]
        desk.simulator.fill(taken.order_id, taken.quantity / 2)
        await until(lambda: desk.bot.orders[taken.order_id]['filled'] == taken.quantity / 2)
        desk.simulator.fill(taken.order_id)
        await until(lambda: taken.order_id not in desk.bot.orders)
        assert len(desk.bot.orders) == 3
        desk.simulator.trip(exchange_id, desk.underlying)
        await until(lambda: not desk.bot.orders)
        assert (desk.bot.turns, desk.lists) == (turns, lists)
        await until(lambda: desk.bot.is_frozen)
        assert desk.lists == lists

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', STREAMS)
def test_list_is_not_read_while_the_stream_tells(exchange_id):
    async def story(desk):
        await desk.settle()
        lists = desk.lists
        for price in (115_000, 105_000):
            desk.simulator.set_index(exchange_id, desk.underlying, price)
            await desk.turn()
            await until(lambda: desk.bot.asked <= desk.bot.told)
            assert desk.knows_all
        assert desk.lists == lists

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', STREAMS)
@pytest.mark.parametrize('how', ['the stream is lost', 'an order is not told', 'it is time'])
def test_list_is_read_where_the_stream_was_silent(monkeypatch, exchange_id, how):
    async def story(desk):
        await desk.settle()

        async def lost(pushes):
            await until(lambda: desk.simulator._sockets.faults[0].times == 100 - pushes)

        lists = desk.lists
        desk.simulator.fault('lose', times=100)
        if how == 'an order is not told':
            desk.simulator.set_index(exchange_id, desk.underlying, 115_000)
            await desk.turn()
            await lost({'okx': 4, 'binance': 8, 'bybit': 8}[exchange_id])  # amended; cancelled and placed
        else:
            desk.simulator.fill(desk.quotes[0].order_id)
            await lost(2 if exchange_id == 'bybit' else 1)  # whose topic for watch_mmp has them, too
            assert not desk.knows_all
        desk.simulator.clear_faults()
        if how == 'the stream is lost':
            await desk.lose_the_stream()
        if how == 'it is time':
            monkeypatch.setattr(market_maker, 'REREAD', 1)
        await desk.turn()
        assert desk.lists == lists + 1
        assert len(desk.prices) == len(desk.quotes) == 4

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', STREAMS)
def test_list_is_read_in_every_turn_until_the_stream_tells(exchange_id):
    async def story(desk):
        await desk.settle()
        watch_orders = desk.exchange.watch_orders

        async def lost(**options):
            raise ccxt.NetworkError('lost')

        desk.exchange.watch_orders = lost
        await desk.lose_the_stream()
        lists = desk.lists
        for count in (1, 2, 3):
            await desk.turn()
            assert desk.lists == lists + count
        desk.exchange.watch_orders = watch_orders
        await desk.settle()

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', STREAMS)
def test_row_that_is_told_while_the_list_is_read_is_newer(exchange_id):
    async def story(desk):
        await desk.settle()
        taken, fetch = desk.quotes[0], desk.exchange.fetch_open_orders

        async def slow(*arguments, **options):
            rows = await fetch(*arguments, **options)
            desk.simulator.fill(taken.order_id)
            await until(lambda: taken.order_id not in desk.bot.orders)
            return rows

        desk.exchange.fetch_open_orders = slow
        await desk.bot.read_orders()
        assert len(desk.bot.orders) == 3
        assert desk.knows_all

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', STREAMS)
def test_stream_that_is_refused_ends_it_with_nothing_resting(exchange_id):
    async def story(desk):
        asked = []

        async def refused(**options):
            asked.append(options)
            raise ccxt.AuthenticationError('no')

        desk.exchange.watch_orders = refused
        desk.simulator.fault('drop')
        await until(lambda: asked)
        await desk.turn()
        with pytest.raises(ccxt.AuthenticationError):
            await asyncio.wait_for(desk.running, 30)
        assert desk.quotes == []

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', VENUES)
@pytest.mark.parametrize(('frozen_time', 'config'), [(0, {}), (FREEZE, {'reset': True})])
def test_freeze_that_it_ends_itself(exchange_id, frozen_time, config):
    async def story(desk):
        desk.simulator.trip(exchange_id, desk.underlying)
        await desk.turn()
        await until(lambda: 'is frozen' in desk.said)
        await desk.turn()
        await until(lambda: not desk.bot.is_frozen)
        await desk.turn()
        assert len(desk.quotes) == 4

    run(story, exchange_id, frozen_time, **config)


@pytest.mark.parametrize('exchange_id', VENUES)
def test_order_whose_answer_was_lost_is_no_second_quote(exchange_id):
    async def story(desk):
        for order in desk.quotes:
            desk.simulator.fill(order.order_id, order.quantity / 2)
        lost = desk.quotes[0]
        desk.simulator.rest(
            exchange_id, desk.underlying, mmp=True, side=lost.side, symbol=lost.instrument.instrument_id
        )
        assert len(desk.quotes) == 5
        await desk.turn()
        assert len(desk.prices) == len(desk.quotes) == 4

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', VENUES)
def test_side_that_would_hold_too_much_is_not_quoted(exchange_id):
    async def story(desk):
        bought = next(order for order in desk.quotes if order.side == 'buy')
        desk.simulator.fill(bought.order_id)
        await desk.turn()
        assert len(desk.quotes) == 3
        assert (bought.instrument.instrument_id, 'buy') not in desk.prices

    run(story, exchange_id, max_position=VENUES[exchange_id][1])


@pytest.mark.parametrize('exchange_id', VENUES)
def test_error_that_does_not_pass_ends_it_with_nothing_resting(exchange_id):
    async def story(desk):
        desk.simulator.set_index(exchange_id, desk.underlying, 115_000)
        path, refused, status = {
            'okx': ('/api/v5/account/positions', {'code': '51010', 'data': [], 'msg': 'no'}, 200),
            'binance': ('/eapi/v1/position', {'code': -5002, 'msg': 'no'}, 400),
            'bybit': ('/v5/position/list', {'retCode': 10005, 'retMsg': 'no'}, 200),
        }[exchange_id]
        desk.simulator.answer('GET', path, refused, status)
        await desk.turn()
        with pytest.raises(ccxt.ExchangeError):
            await desk.running
        assert desk.quotes == []

    run(story, exchange_id)


@pytest.mark.parametrize('exchange_id', ['okx', 'bybit'])
def test_order_that_was_taken_before_it_is_amended_is_no_end(exchange_id):
    async def story(desk):
        desk.exchange.exceptions['exact']['51503'] = ccxt.ExchangeError  # as in ccxt 4.4.87
        taken, edit = desk.quotes[0], desk.exchange.edit_order

        async def late(order_id, *arguments):
            if order_id == taken.order_id and taken.is_open:
                desk.simulator.fill(order_id)
            return await edit(order_id, *arguments)

        desk.exchange.edit_order = late
        desk.simulator.set_index(exchange_id, desk.underlying, 115_000)
        await desk.turn()
        assert any('goes on after' in line for line in desk.said)
        await desk.turn()
        assert len(desk.prices) == len(desk.quotes) == 4
        assert taken not in desk.quotes

    run(story, exchange_id)


def test_amend_that_is_refused_for_good_ends_it_with_nothing_resting():
    async def story(desk):
        refused = {'code': '1', 'msg': '', 'data': [{'ordId': '', 'sCode': '51506', 'sMsg': 'no'}]}
        desk.simulator.answer('POST', '/api/v5/trade/amend-order', refused)
        desk.simulator.set_index('okx', desk.underlying, 115_000)
        await desk.turn()
        with pytest.raises(ccxt.ExchangeError, match='51506'):
            await desk.running
        assert desk.quotes == []

    run(story, 'okx')


@pytest.mark.parametrize('exchange_id', VENUES)
def test_watch_of_the_protection_that_fails_goes_on(exchange_id):
    async def story(desk):
        watch_mmp = desk.exchange.watch_mmp

        async def lost(underlying):
            desk.exchange.watch_mmp = watch_mmp
            raise ccxt.NetworkError('lost')

        desk.exchange.watch_mmp = lost
        desk.simulator.trip(exchange_id, desk.underlying)
        await desk.turn()
        await until(lambda: 'watches its protection again after NetworkError: lost' in desk.said)
        desk.simulator.advance(FREEZE)
        await until(lambda: not desk.bot.is_frozen)

    run(story, exchange_id)


def test_second_stop_does_not_abort_the_kill_switch():
    async def story(desk):
        desk.simulator.fault('delay', 'mass-cancel', milliseconds=200)
        desk.bot.stop()
        await until(lambda: not desk.simulator._faults)
        desk.bot.stop()
        with pytest.raises(asyncio.CancelledError):
            await desk.running
        assert desk.said[-1] == 'is over: none of its quotes rests'
        assert desk.quotes == []

    run(story, 'okx')


def test_stop_does_not_abort_the_kill_switch_after_an_error():
    async def story(desk):
        desk.simulator.answer('GET', '/api/v5/account/positions', {'code': '51010', 'data': [], 'msg': 'no'})
        desk.simulator.fault('delay', 'mass-cancel', milliseconds=200)
        desk.simulator.advance(PAUSE * 1000)
        await until(lambda: not desk.simulator._faults)
        desk.bot.stop()
        with pytest.raises(ccxt.ExchangeError):
            await desk.running
        assert desk.said[-1] == 'is over: none of its quotes rests'
        assert desk.quotes == []

    run(story, 'okx')


@pytest.mark.parametrize('first', [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_with_nothing_resting(first):
    command = python(EXAMPLES / 'market_maker.py', '--simulate', '--seconds', '60')
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bot:
        lines = iter(bot.stdout.readline, '')
        assert any('places buy BTC' in line for line in lines)
        bot.send_signal(first)
        bot.send_signal(signal.SIGINT)
        out, err = bot.communicate(timeout=60)
    assert (bot.returncode, err) == (0, '')
    assert out.endswith('is over: none of its quotes rests\n0 of its orders rest\n')


@pytest.mark.parametrize('exchange_id', VENUES)
def test_command_line_says_what_it_does(exchange_id):
    for seconds in ('0.1', '1', '10'):  # a busy machine takes longer to place a quote
        done = subprocess.run(
            python(EXAMPLES / 'market_maker.py', '--simulate', '--exchange', exchange_id, '--seconds', seconds),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        if 'places buy BTC' in done.stdout:
            break
    assert 'places buy BTC' in done.stdout
    assert done.stdout.endswith('is over: none of its quotes rests\n0 of its orders rest\n')
