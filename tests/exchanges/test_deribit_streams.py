"""Deribit's websocket: what its own channel tells of trips, and what ccxt would end the connection for."""

import asyncio

import ccxt
import pytest

from ccxt_mmp.simulator import Rule, Simulator
from tests.core.fencing import until
from tests.core.streams.watching import FROZEN_TIME, POLL, WINDOW, Watcher

TRIGGER = 'user.mmp_trigger.btc_usd'
OTHER = 'eth_usd'


@pytest.fixture
def watcher():
    with Simulator(enforce_limits=False) as simulator:
        yield Watcher(simulator, 'deribit')


def client_of(exchange):
    [client] = exchange.clients.values()
    return client


def subscribed(watcher, method='private/subscribe'):
    return [each['params']['channels'] for each in watcher.received() if each['method'] == method]


def pushed(channel, data):
    return {'jsonrpc': '2.0', 'method': 'subscription', 'params': {'channel': channel, 'data': data}}


# --- trips


@pytest.mark.parametrize('frozen_time', [FROZEN_TIME, 0])
def test_push_tells_of_a_trip_without_a_read(watcher, frozen_time):
    watcher.set_rule(frozen_time=frozen_time)

    async def main(exchange):
        await watcher.watch()
        state = await watcher.tripped(await watcher.waiting(), orders=20)
        triggered = watcher.simulator.protection('deribit', 'btc_usd').last_trigger
        ends = triggered + frozen_time if frozen_time else None
        assert (state['frozen'], state['frozenUntil'], state['window']) == (True, ends, WINDOW)
        assert state['info'] == {'frozen_until': ends or 0, 'index_name': 'btc_usd'}
        await watcher.waiting()
        assert len(watcher.reads) == 1

    watcher.run(main)


def test_freeze_until_a_reset_is_not_read_before_it(watcher):
    watcher.set_rule(frozen_time=0)

    async def main(exchange):
        await watcher.watch(pollInterval=0)
        await watcher.tripped(await watcher.waiting(watcher.watch(pollInterval=0)))
        task = await watcher.waiting(watcher.watch(pollInterval=0))
        watcher.simulator.advance(3_600_000)
        await exchange.reset_mmp('BTC/USD')
        assert (await task)['frozen'] is False
        assert len(watcher.reads) == 1

    watcher.run(main)


def test_protections_of_groups_and_block_rfq_are_others(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        engine, account = watcher.simulator._engine, watcher.simulator._account
        for name in ('btc_usd/Bot7', 'block_rfq:btc_usd'):
            with watcher.simulator._state.held() as now:
                engine.set_rule(account, 'deribit', name, Rule(window=5000, frozen_time=0, qty_limit='1'))
                engine.trip(account, 'deribit', name, now)
        await until(
            lambda: sum(TRIGGER in each.text and 'frozen' in each.text for each in watcher.simulator.frames) == 2
        )
        await exchange._ask(client_of(exchange), *exchange._rpc('public/test', {}), 5)  # after what was pushed
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        assert (await watcher.tripped(task))['frozen'] is True

    watcher.run(main)


def test_push_that_cannot_be_read_is_a_reason_to_read(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        await watcher.waiting()
        exchange.handle_message(client_of(exchange), pushed(TRIGGER, {'index_name': 'btc_usd'}))
        await until(lambda: len(watcher.reads) == 2)

    watcher.run(main)


# --- subscriptions


def test_each_index_is_subscribed_when_it_is_watched_and_all_again_after_a_loss(watcher):
    watcher.set_rule()
    watcher.set_rule(OTHER)

    async def main(exchange):
        await watcher.watch()
        await watcher.watch(OTHER)
        assert subscribed(watcher) == [['user.mmp_trigger.btc_usd'], ['user.mmp_trigger.eth_usd']]
        task = await watcher.waiting()
        watcher.simulator.fault('drop')
        with pytest.raises(ccxt.NetworkError):
            await task
        task = await watcher.waiting()
        assert subscribed(watcher)[2:] == [['user.mmp_trigger.btc_usd', 'user.mmp_trigger.eth_usd']]
        assert (await watcher.tripped(task))['frozen'] is True

    watcher.run(main)


def test_rule_that_a_read_finds_is_subscribed(watcher):
    async def main(exchange):
        task = asyncio.ensure_future(exchange.watch_mmps())
        await until(lambda: watcher.reads and watcher.futures)
        watcher.set_rule()
        await watcher.poll()
        assert list(await task) == ['BTC/USD:BTC']
        await until(lambda: subscribed(watcher) == [[TRIGGER]])
        task = await watcher.waiting(exchange.watch_mmps())
        watcher.trip()
        assert (await task)['BTC/USD:BTC']['frozen'] is True

    watcher.run(main)


def test_rule_that_a_read_finds_while_nobody_is_connected_is_subscribed_later(watcher):
    async def main(exchange):
        task = asyncio.ensure_future(exchange.watch_mmps())
        await until(lambda: watcher.reads and watcher.futures)
        watcher.simulator.fault('drop')
        with pytest.raises(ccxt.NetworkError):
            await task
        watcher.set_rule()
        await watcher.poll()
        assert subscribed(watcher) == []
        assert list(await exchange.watch_mmps()) == ['BTC/USD:BTC']
        await watcher.waiting(exchange.watch_mmps())
        assert subscribed(watcher) == [[TRIGGER]]

    watcher.run(main)


def test_index_that_the_exchange_does_not_subscribe_is_an_error(watcher):
    async def main(exchange):
        with pytest.raises(ccxt.BadRequest, match=r'could not subscribe user\.mmp_trigger\.doge_usdc'):
            await watcher.watch('DOGE/USDC')

    watcher.run(main)


def test_subscription_that_is_refused_is_an_error(watcher):
    async def main(exchange):
        stock = exchange._rpc
        exchange._rpc = lambda method, params: stock(method, params if method == 'public/auth' else {'channels': 5})
        with pytest.raises(ccxt.BadRequest, match='-32602'):
            await watcher.watch()

    watcher.run(main)


def test_connection_that_ends_with_the_login_is_an_error(watcher):
    async def main(exchange):
        async def authenticate(params={}):
            exchange.client(exchange._socket_url()).error = ccxt.NetworkError('gone')

        exchange.authenticate = authenticate
        with pytest.raises(ccxt.NetworkError, match='gone'):
            await watcher.watch()

    watcher.run(main)


@pytest.mark.parametrize('watches_channel', [True, False])
def test_channel_is_unsubscribed_unless_the_user_watches_it(watcher, watches_channel):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        client = client_of(exchange)
        mine = None
        if watches_channel:
            message = exchange._rpc('private/subscribe', {'channels': [TRIGGER]})[1]
            mine = exchange.watch(client.url, TRIGGER, message, TRIGGER)
            await until(lambda: len(subscribed(watcher)) == 2)
        await exchange.un_watch_mmp()
        if watches_channel:
            watcher.trip()
            assert (await mine)['index_name'] == 'btc_usd'
        else:
            await until(lambda: subscribed(watcher, 'private/unsubscribe') == [[TRIGGER]])
        assert len(subscribed(watcher, 'private/unsubscribe')) == (not watches_channel)
        await exchange.un_watch_mmp()  # nothing is left to unsubscribe

    watcher.run(main)


# --- what ccxt would end the connection for


def test_trigger_does_not_end_the_streams_of_ccxt(watcher):
    """ccxt has no handler for it, raises in its receive loop, and delivers nothing more."""
    watcher.set_rule()

    async def main(exchange):
        watcher.with_markets()
        await watcher.watch()
        orders = await watcher.watching_orders()
        watcher.simulator.trip('deribit', 'btc_usd')
        assert (await watcher.watch())['frozen'] is True
        watcher.simulator.rest('deribit', 'eth_usd', mmp=False)
        assert [each['mmp'] for each in await orders] == [False]

    watcher.run(main)


def test_notification_that_nobody_knows_is_told_to_who_waits_or_to_the_log(watcher, caplog):
    async def main(exchange):
        watcher.with_markets()
        orders = await watcher.watching_orders()
        client = client_of(exchange)
        client.on_message_callback(client, pushed('user.changes.any.any.raw', {}))
        assert 'no handler' in caplog.text
        exchange.parse_order = None
        client.on_message_callback(client, pushed('user.orders.ANY.any.raw', {}))
        with pytest.raises(ccxt.BadResponse, match='cannot be read'):
            await orders
        del exchange.parse_order
        orders = asyncio.ensure_future(exchange.watch_orders())  # which is still subscribed
        await until(lambda: any('orders' in str(each) for each in watcher.all_futures))
        watcher.rest()
        assert len(await orders) == 1

    watcher.run(main)


@pytest.mark.parametrize('currency', ['DOGE', None])
def test_channel_that_is_not_subscribed_fails_its_watcher_alone(watcher, currency, monkeypatch):
    """In ccxt it waits for ever for one that is left out, and everybody does after an error."""

    async def main(exchange):
        watcher.with_markets()
        orders = await watcher.watching_orders()
        refused = {'currency': currency} if currency else {'params': {'channels': ['user.orders.any.BTC.raw', 5]}}
        for _ in range(2):  # it is sent again, not waited for
            with pytest.raises(ccxt.BadRequest):
                await exchange.watch_orders(params={**refused, **({} if currency else {'currency': 'BTC'})})
        assert len(subscribed(watcher)) == 3
        watcher.rest()
        assert len(await orders) == 1
        assert len({each.connection for each in watcher.simulator.frames}) == 1

    watcher.run(main)


def test_subscription_of_several_channels_that_is_refused_fails_its_watchers(watcher):
    async def main(exchange):
        watcher.with_markets()
        [symbol, other, *_] = watcher.with_markets()
        orders = await watcher.watching_orders()
        for _ in range(2):
            with pytest.raises(ccxt.BaseError, match='Method not found'):  # the simulator has no public channels
                await exchange.watch_tickers([symbol, other])
        watcher.rest()
        assert len(await orders) == 1

    watcher.run(main)


def test_error_that_nobody_waits_for_is_told_to_the_log(watcher, caplog):
    async def main(exchange):
        await exchange.authenticate()
        client = client_of(exchange)
        await client.send(exchange._rpc('private/cancel', {'order_id': 'none'})[1])
        await until(lambda: 'order_not_found' in caplog.text)
        client.on_message_callback(client, 'no JSON')  # which ccxt passes over
        assert (await watcher.watch())['enabled'] is False

    watcher.run(main)


def test_test_request_of_heartbeats_is_answered(watcher):
    async def main(exchange):
        await exchange.authenticate()
        client = client_of(exchange)
        await exchange._ask(client, *exchange._rpc('public/set_heartbeat', {'interval': 10}), 5)
        for number in (1, 2):
            watcher.simulator.advance(10_000)
            await until(lambda: watcher.operations.count('public/test') == number)  # noqa: B023 - called at once
        exchange.handle_message(client, {'jsonrpc': '2.0', 'method': 'heartbeat', 'params': {'type': 'heartbeat'}})
        client.error = None
        assert exchange.clients[client.url] is client
        assert watcher.operations.count('public/test') == 2

    watcher.run(main)


# --- logins


def test_login_has_a_nonce_of_its_own_and_the_clock_of_the_exchange(watcher):
    async def main(exchange):
        exchange.options['timeDifference'] = 5000
        watcher.with_markets()
        asked, stock = [], exchange._ask

        def ask(client, request_id, message, seconds):
            asked.append(message)
            return stock(client, request_id, message, seconds)

        exchange._ask = ask
        # ccxt would put these into the login
        task = asyncio.ensure_future(exchange.watch_orders(params={'method': 'public/test'}))
        await until(lambda: len(watcher.operations) == 2)
        task.cancel()
        await exchange._send_login()
        assert [each['method'] for each in asked] == ['public/auth'] * 2
        assert len({each['params']['nonce'] for each in asked}) == 2
        assert 4000 < exchange.milliseconds() - asked[1]['params']['timestamp'] < 30_000

    watcher.run(main)


def test_login_that_the_exchange_has_lost_is_sent_again(watcher):
    async def main(exchange):
        watcher.with_markets()
        await exchange.authenticate()
        watcher.simulator._sockets._sessions[0].account = None
        with pytest.raises(ccxt.AuthenticationError):
            await exchange.watch_orders()
        orders = await watcher.watching_orders()
        watcher.rest()
        assert len(await orders) == 1
        assert watcher.operations.count('public/auth') == 2

    watcher.run(main)


def test_signature_of_the_login_is_that_of_the_check_vector(watcher):
    async def main(exchange):
        exchange.secret = 'AMANDASECRECT'  # pragma: allowlist secret
        expected = '56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1'  # pragma: allowlist secret
        assert exchange._login_signature('1576074319000', '1iqt2wls') == expected

    watcher.run(main)


def test_reads_go_on_beside_a_mute_connection(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        watcher.simulator.fault('mute')
        watcher.trip()
        await watcher.poll(POLL)
        assert (await task)['frozen'] is True

    watcher.run(main)
