"""What Bybit's stream of orders tells ``watch_mmp``: rows that a trigger cancelled, and fills."""

import asyncio

import ccxt
import pytest

from ccxt_mmp.simulator import Simulator
from tests.core.fencing import until
from tests.core.streams.watching import FROZEN_TIME, POLL, Watcher


@pytest.fixture
def bybit():
    with Simulator(enforce_limits=False) as simulator:
        yield Watcher(simulator, 'bybit')


def test_first_call_logs_in_and_subscribes_before_it_reads(bybit):
    async def main(exchange):
        await bybit.watch(pollInterval=0)
        sent = [each for each in bybit.received() if each['op'] != 'ping']
        assert [each['op'] for each in sent] == ['auth', 'subscribe']
        assert sent[1]['args'] == ['order.option']
        await exchange.un_watch_mmp()
        await until(lambda: 'unsubscribe' in [each['op'] for each in bybit.received()])

    bybit.run(main)


def test_rows_that_a_trigger_cancelled_are_one_trip_whose_end_is_read(bybit):
    bybit.set_rule()

    async def main(exchange):
        await bybit.watch(pollInterval=POLL * 1000)
        before = len(bybit.reads)
        state = await bybit.tripped(await bybit.waiting(bybit.watch(pollInterval=POLL * 1000)), orders=5)
        triggered = bybit.simulator.protection('bybit', 'BTC').last_trigger
        assert (state['frozen'], state['frozenUntil']) == (True, triggered + FROZEN_TIME)
        assert len(bybit.reads) - before <= 1

    bybit.run(main)


def test_fill_of_a_tagged_order_is_followed_by_a_read(bybit):
    bybit.set_rule()

    async def main(exchange):
        await bybit.watch(pollInterval=POLL * 1000)
        await bybit.waiting(bybit.watch(pollInterval=POLL * 1000))
        before = len(bybit.reads)
        other = bybit.simulator.rest('bybit', 'BTC', mmp=False)
        bybit.simulator.fill(other.order_id, 1)
        await until(lambda: any('"Filled"' in each.text or 'PartiallyFilled' in each.text for each in pushed(bybit)))
        bybit.simulator.fill(bybit.rest().order_id, 1)
        await until(lambda: len(bybit.reads) == before + 1)

    bybit.run(main)


def pushed(watcher):
    return [each for each in watcher.simulator.frames if each.direction == 'sent' and 'order.option' in each.text]


def test_orders_that_ccxt_watches_are_told_once(bybit):
    async def main(exchange):
        bybit.with_markets()
        exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)
        await bybit.watch()
        watching = asyncio.ensure_future(exchange.watch_orders())
        await until(lambda: [each for each in bybit.received() if each.get('args') == ['order']])
        order = bybit.rest()
        orders = await watching
        assert [each['id'] for each in orders] == [order.order_id]
        assert orders[0]['mmp'] is True

    bybit.run(main)


@pytest.mark.parametrize('row', [{}, {'orderStatus': 'Filled', 'symbol': '?', 'orderLinkId': 'mmp-1'}, 1, None])
def test_row_that_cannot_be_read_is_no_reason_to_fail(bybit, row):
    async def main(exchange):
        await bybit.watch()
        client = next(iter(exchange.clients.values()))
        exchange.handle_order(client, {'topic': 'order.option', 'data': [row]})

    bybit.run(main)


def test_subscription_that_is_refused_is_told(bybit):
    async def main(exchange):
        refusing = exchange._send_to_stream

        async def wrong(client, frame):
            await refusing(client, {**frame, 'args': ['order.nothing']})

        exchange._send_to_stream = wrong
        with pytest.raises(ccxt.ExchangeError, match='handler not found'):
            await bybit.watch()
        assert 'watchMmp' not in next(iter(exchange.clients.values())).subscriptions

    bybit.run(main)


def test_refused_login_is_an_authentication_error_and_can_be_tried_again(bybit):
    async def main(exchange):
        right, exchange.secret = exchange.secret, 'wrong'  # pragma: allowlist secret
        with pytest.raises(ccxt.AuthenticationError, match='the login was refused: Error sign'):
            await bybit.watch()
        exchange.secret = right
        assert (await bybit.watch())['frozen'] is False
        assert len(exchange.clients) == 1

    bybit.set_rule()
    bybit.run(main)


def test_connection_that_takes_nothing_is_a_network_error(bybit):
    async def main(exchange):
        await bybit.watch()
        client = next(iter(exchange.clients.values()))

        async def broken(frame):
            raise OSError('gone')

        client.send = broken
        with pytest.raises(ccxt.NetworkError, match='could not send'):
            await exchange._close_mmp_stream(client)

    bybit.run(main)


def test_interval_is_at_least_what_the_limit_allows(bybit):
    async def main(exchange):
        with pytest.raises(ccxt.BadRequest, match='at least 250 ms'):
            await bybit.watch(pollInterval=249)
        with pytest.raises(ccxt.ArgumentsRequired):
            await exchange.watch_mmps()

    bybit.run(main)
