"""From a trip to its thaw or reset, MMP orders of this object are not sent."""

import asyncio

import pytest
from ccxt.base.errors import InvalidOrder

from ccxt_mmp import MmpFrozen
from tests.core.fencing import until
from tests.core.streams.watching import FROZEN_TIME
from tests.trading import FROZEN

BRIEF = FROZEN_TIME // 10  # ms of a freeze that passes in steps
MMP = {'mmp': True}
PATHS = ('batch-orders', 'order', 'batchOrders', 'buy', 'order/create', 'create-batch')


def placed(watcher):
    return [each for each in watcher.simulator.requests if each.method == 'POST' and each.path.endswith(PATHS)]


def order(exchange, symbol, **params):
    return exchange.create_order(symbol, 'limit', 'buy', 1, 5, {**MMP, **params})


async def frozen(watcher, **params):
    watcher.set_rule()
    await watcher.watch(**params)
    state = await watcher.tripped(await watcher.waiting(watcher.watch(**params)))
    assert state['frozen'] is True
    return state


async def thawed(watcher, known):
    """Let time pass until a read tells, whenever that begins to wait."""
    while known.is_frozen:
        watcher.simulator.advance(1000)
        await asyncio.sleep(0.05)  # for a request: no exchange takes one that is some seconds old


@pytest.fixture(autouse=True)
def streaming(watcher):
    if not watcher.has_stream:
        pytest.skip('a trip is known by a poll alone, as in the tests of those')


def test_new_order_is_refused_and_not_sent(watcher):
    async def main(exchange):
        symbol = watcher.with_markets()[0]
        state = await frozen(watcher)
        with pytest.raises(MmpFrozen, match='was not sent') as caught:
            await order(exchange, symbol)
        error = caught.value
        assert (error.underlyingId, error.until) == (watcher.underlying, state['frozenUntil'])
        assert [each['status'] for each in error.orders] == ['rejected']
        assert not placed(watcher)
        assert (await exchange.create_order(symbol, 'limit', 'buy', 1, 5))['mmp'] is False

    watcher.run(main)


def test_order_over_the_websocket_is_refused_as_one_over_rest(watcher):
    async def main(exchange):
        if not exchange._has_flag_over_websocket:
            pytest.skip('takes no MMP orders over a websocket')
        symbol = watcher.with_markets()[0]
        await frozen(watcher)
        told = []
        for create in (exchange.create_order, exchange.create_order_ws):
            with pytest.raises(MmpFrozen, match='was not sent') as caught:
                await create(symbol, 'limit', 'buy', 1, 5, MMP)
            [answer] = caught.value.orders
            assert answer['clientOrderId']
            assert answer['error'] is caught.value
            told.append({name: answer[name] for name in ('symbol', 'side', 'price', 'amount', 'status', 'mmp')})
            with pytest.raises(InvalidOrder):
                await create(symbol, 'limit', 'buy', 1, 5, {**MMP, 'triggerPrice': 5})
        assert told[0] == told[1]
        assert told[0]['status'] == 'rejected'
        assert not placed(watcher)

    watcher.run(main)


def test_orders_of_a_batch_are_refused_and_others_are_sent(watcher):
    async def main(exchange):
        symbol = watcher.with_markets()[0]
        await frozen(watcher)
        terms = {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 5}
        answers = await exchange.create_orders([{**terms, 'params': MMP}, {**terms, 'params': {}}])
        assert [type(answer['error']) for answer in answers] == [MmpFrozen, type(None)]
        assert len(placed(watcher)) == 1

    watcher.run(main)


def test_order_that_is_queued_when_the_trip_comes_is_not_sent(watcher):
    async def main(exchange):
        symbol = watcher.with_markets()[0]
        watcher.set_rule()
        await watcher.watch()
        queued, queue, stock = asyncio.Event(), asyncio.Event(), exchange.throttle

        async def throttle(cost=None):
            queued.set()
            await queue.wait()
            await stock(cost)

        exchange.enableRateLimit, exchange.throttle = True, throttle
        task = asyncio.ensure_future(order(exchange, symbol))
        await queued.wait()
        exchange.enableRateLimit = False
        await watcher.tripped(await watcher.waiting())
        queue.set()
        with pytest.raises(MmpFrozen):
            await task
        assert not placed(watcher)

    watcher.run(main)


def test_other_underlyings_and_other_objects_are_not_stopped(watcher):
    async def main(exchange):
        watcher.with_markets()
        await frozen(watcher)
        exchange._refuse_in_freeze('another')
        other = watcher.connect()
        other._refuse_in_freeze(watcher.underlying)
        await other.close()

    watcher.run(main)


@pytest.mark.parametrize('end', ['thaw', 'reset', 'un_watch', 'close'])
def test_orders_are_sent_again(watcher, end):
    async def main(exchange):
        symbol = watcher.with_markets()[0]
        await frozen(watcher)
        if end == 'thaw':
            task = await watcher.waiting()
            await until(lambda: watcher.simulator.sleepers)
            watcher.simulator.advance(FROZEN_TIME)
            assert (await task)['frozen'] is False
        elif end == 'reset':
            await exchange.reset_mmp(watcher.name)
        elif end == 'un_watch':
            await exchange.un_watch_mmp(watcher.name)
        else:
            await exchange.close()
        exchange._refuse_in_freeze(watcher.underlying)
        if end in ('thaw', 'reset'):
            assert (await order(exchange, symbol))['status'] == 'open'

    watcher.run(main)


def test_orders_are_sent_again_though_no_call_follows_the_first_state(watcher):
    async def main(exchange):
        symbol = watcher.with_markets()[0]
        watcher.set_rule(frozen_time=BRIEF)
        await watcher.watch()
        watcher.trip()
        known = exchange._mmp_watched.watched[watcher.underlying].known
        await until(lambda: known.is_frozen)
        with pytest.raises(MmpFrozen, match='was not sent'):
            await order(exchange, symbol)
        await thawed(watcher, known)
        assert (await order(exchange, symbol))['status'] == 'open'

    watcher.run(main)


def test_orders_are_sent_again_though_the_rule_was_not_known_and_nothing_polls(watcher):
    if not watcher.pushes_trips:
        pytest.skip('a read tells of the trip')

    async def main(exchange):
        symbol = watcher.with_markets()[0]
        watcher.set_rule(frozen_time=BRIEF)
        task = await watcher.waiting(watcher.watch(fetchSnapshot=False, pollInterval=0))
        await until(lambda: exchange._mmp_watched._client is not None)  # subscribed: no read tells of what came before
        assert (await watcher.tripped(task))['frozen'] is True
        known = exchange._mmp_watched.watched[watcher.underlying].known
        await until(lambda: known.until is not None)
        await thawed(watcher, known)
        assert (await order(exchange, symbol))['status'] == 'open'

    watcher.run(main)


def test_orders_are_sent_in_a_freeze_where_that_is_asked_for(watcher):
    async def main(exchange):
        symbol = watcher.with_markets()[0]
        await frozen(watcher, stopOrders=False)
        with pytest.raises(FROZEN.get(watcher.exchange_id, MmpFrozen), match=r'51034|-6058|13030|10001'):
            await order(exchange, symbol)
        assert len(placed(watcher)) == 1

    watcher.run(main)


def test_refused_order_is_a_reason_to_read(watcher):
    """The trip was told by nobody, as on a mute connection."""
    if watcher.exchange_id in FROZEN:
        pytest.skip('no refusal says that it is of a freeze')

    async def main(exchange):
        symbol = watcher.with_markets()[0]
        watcher.set_rule()
        await watcher.watch()
        task = await watcher.waiting()
        watcher.simulator.fault('mute')
        watcher.trip()
        with pytest.raises(MmpFrozen, match=r'51034|-6058|13030'):
            await order(exchange, symbol)
        assert (await task)['frozen'] is True

    watcher.run(main)


def test_order_over_the_websocket_that_is_queued_when_the_trip_comes_is_not_sent(okx):
    """And nothing else that goes over the connection comes to an end."""
    okx.set_rule()

    async def main(exchange):
        symbol = okx.with_markets()[0]
        await okx.watch()
        task, client = await okx.waiting(), exchange._mmp_watching._client
        queued, queue = asyncio.Event(), asyncio.Event()

        async def throttle(cost=None):
            queued.set()
            await queue.wait()

        exchange.enableRateLimit, client.throttle = True, throttle
        placing = asyncio.ensure_future(exchange.create_order_ws(symbol, 'limit', 'buy', 1, 5, MMP))
        await queued.wait()
        exchange.enableRateLimit = False
        await okx.tripped(task)
        waiting = exchange.watch(client.url, 'quiet')
        queue.set()
        with pytest.raises(MmpFrozen, match='was not sent'):
            await placing
        assert not [each for each in okx.received() if 'order' in each['op']]
        assert not waiting.done()

    okx.run(main)
