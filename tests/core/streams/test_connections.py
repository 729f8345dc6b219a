"""Streams that are lost, mute, refused or never subscribed: a call ends in time, the next one tells what it missed."""

import asyncio
from contextlib import suppress
from importlib import import_module

import pytest
from ccxt.base.errors import AuthenticationError, ExchangeClosedByUser, ExchangeError, NetworkError, RequestTimeout

from ccxt_mmp import BadRequest
from tests.core.fencing import until
from tests.core.streams.watching import BINANCE_STREAMS, FROZEN_TIME, POLL, WITHOUT_POLLS, Watcher

needs_binance_streams = pytest.mark.skipif(not BINANCE_STREAMS, reason='ccxt has no streams of these options')


@pytest.fixture
def streaming(watcher):
    if not watcher.has_stream:
        pytest.skip('ccxt has no streams of these options')
    watcher.set_rule()
    return watcher


# --- lost connections


def test_who_begins_to_wait_while_a_lost_connection_is_closed_is_told(streaming):
    """ccxt closes it in a task of its own, and cancels whoever has begun to wait until then."""

    async def main(exchange):
        await streaming.watch()
        client = exchange._mmp_watched._client
        client.on_error(NetworkError('lost'))
        with pytest.raises(NetworkError, match='lost'):
            await client.future('late')

    streaming.run(main)


@pytest.mark.parametrize('kind', ['drop', 'close'])
def test_trip_while_the_connection_is_down_is_told_by_the_next_call(streaming, kind):
    async def main(exchange):
        await streaming.watch()
        task = await streaming.waiting()
        streaming.simulator.fault(kind)
        with pytest.raises(NetworkError):
            await task
        streaming.trip()
        assert (await streaming.watch())['frozen'] is True
        task = await streaming.waiting()  # which is subscribed again
        streaming.thaw()
        await exchange.reset_mmp(streaming.name)
        await task
        assert (await streaming.tripped(await streaming.waiting()))['frozen'] is True

    streaming.run(main, **WITHOUT_POLLS)


def test_nothing_that_happened_is_nothing_that_is_told(streaming):
    async def main(exchange):
        await streaming.watch()
        task = await streaming.waiting()
        streaming.simulator.fault('drop')
        with pytest.raises(NetworkError):
            await task
        before = len(streaming.reads)
        task = await streaming.waiting()
        await until(lambda: len(streaming.reads) > before)
        await asyncio.sleep(0.01)
        assert not task.done()

    streaming.run(main)


def test_reads_go_on_while_nobody_is_connected(streaming):
    """So that orders are stopped, and go on, though no call is made."""

    async def main(exchange):
        await streaming.watch()
        task = await streaming.waiting()
        streaming.simulator.fault('drop')
        with pytest.raises(NetworkError):
            await task
        streaming.trip()
        await streaming.poll()
        known = exchange._mmp_watching.watched[streaming.underlying].known
        await until(lambda: known.is_frozen)
        await streaming.poll(FROZEN_TIME)
        await until(lambda: not known.is_frozen)

    streaming.run(main)


def test_trip_on_a_mute_connection_is_told_within_the_interval(streaming):
    async def main(exchange):
        await streaming.watch()
        task = await streaming.waiting()
        streaming.simulator.fault('mute')
        streaming.trip()
        await streaming.poll()
        assert (await task)['frozen'] is True

    streaming.run(main)


def logins(okx):
    return len([each for each in okx.simulator.frames if each.direction == 'received' and '"login"' in each.text])


def test_notice_that_the_service_goes_away_ends_the_connection(okx):
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        task = await okx.waiting()
        okx.simulator.fault('notice')
        with pytest.raises(NetworkError, match='64008'):
            await task
        okx.trip()
        assert (await okx.watch())['frozen'] is True
        await okx.waiting()
        assert logins(okx) == 2

    okx.run(main)


def test_notice_waits_for_the_answers_on_their_way(okx):
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        task = await okx.waiting()
        okx.simulator.fault('delay', op='mass-cancel', milliseconds=100)
        cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp_ws(okx.name))
        await until(lambda: any(each['op'] == 'mass-cancel' for each in okx.received()))
        okx.simulator.fault('notice')
        with pytest.raises(NetworkError, match='64008'):
            await task
        assert not cancelling.done()
        await cancelling
        assert len([each for each in okx.received() if each['op'] == 'mass-cancel']) == 1

    okx.run(main)


ENDED = {'event': 'channel-conn-count-error', 'channel': 'orders', 'connCount': '30', 'connId': 'a4d3ae55'}


def test_subscription_beyond_the_limit_of_connections_is_made_again(okx):
    okx.set_rule()

    async def main(exchange):
        okx.simulator.fault('conn_count_error')
        with suppress(NetworkError):  # it comes before the first state, or after it
            await okx.watch()
        await exchange.mass_cancel_mmp_ws(okx.name)  # what came before the answer has been looked at
        task = await okx.waiting()
        if task.done():
            assert (await task)['frozen'] is False
            task = await okx.waiting()
        assert (await okx.tripped(task))['frozen'] is True
        assert len([each for each in okx.received() if each['op'] == 'subscribe']) == 2
        assert logins(okx) == 1  # the connection goes on

    okx.run(main)


def test_subscription_that_is_ended_as_soon_as_it_is_made_is_an_error(okx):
    async def main(exchange):
        subscribe = exchange._subscribe

        async def subscribe_and_end(client):
            await subscribe(client)
            exchange.handle_message(client, ENDED)

        exchange._subscribe = subscribe_and_end
        with pytest.raises(NetworkError, match='too many connections'):
            await okx.watch()
        exchange._subscribe = subscribe
        assert (await okx.watch())['enabled'] is False

    okx.run(main)


def test_subscription_that_is_ended_while_it_is_waited_on_is_told(okx):
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        task = await okx.waiting()
        exchange.handle_message(exchange._mmp_watching._client, ENDED)
        with pytest.raises(NetworkError, match='too many connections'):
            await task
        okx.trip()
        assert (await okx.watch())['frozen'] is True
        assert logins(okx) == 1

    okx.run(main)


def test_notice_on_a_connection_that_nobody_watches_is_left_to_ccxt(okx):
    async def main(exchange):
        okx.with_markets()
        orders = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
        await until(lambda: any('"subscribe"' in each.text for each in okx.simulator.frames))
        okx.simulator.fault('notice')
        await until(lambda: any('64008' in each.text for each in okx.simulator.frames))
        orders.cancel()

    okx.run(main)


def test_change_comes_before_the_failure_of_a_dial(streaming):
    """Another call was given it meanwhile, and no later one would be."""

    async def main(exchange):
        await streaming.watch()
        task = await streaming.waiting()
        streaming.simulator.fault('drop')
        with pytest.raises(NetworkError):
            await task
        watching, dialled = exchange._mmp_watching, asyncio.Event()

        async def fail():
            await dialled.wait()
            raise NetworkError('refused')

        watching._open = fail
        tasks = [asyncio.ensure_future(streaming.watch()) for _ in range(2)]
        await until(lambda: watching._opening is not None and not watching._opening.done())
        streaming.trip()
        await streaming.poll()
        await until(lambda: watching.watched[streaming.underlying].known.is_frozen)
        dialled.set()
        assert [state['frozen'] for state in await asyncio.gather(*tasks)] == [True, True]
        with pytest.raises(NetworkError, match='refused'):
            await streaming.watch()

    streaming.run(main)


# --- connections that do not come about


async def at_last(pushed):
    """A busy machine may still dial when a call is given up, and ccxt may need a new connection to log in again."""
    for _ in range(10):
        with suppress(RequestTimeout):
            return await pushed.watch(timeout=300)
    raise AssertionError('there is no way out')


@pytest.mark.parametrize('what', ['login', 'subscribe'])
def test_answer_that_never_comes_is_not_waited_for(pushed, what):
    pushed.set_rule()

    async def main(exchange):
        pushed.simulator.fault('lose', op=getattr(pushed, what))
        with pytest.raises(RequestTimeout, match='watchMmp'):
            await pushed.watch(timeout=50)
        assert (await at_last(pushed))['frozen'] is False
        assert (await pushed.tripped(await pushed.waiting()))['frozen'] is True

    pushed.run(main)


def test_login_that_is_refused_is_an_error(pushed):
    async def main(exchange):
        right, exchange.secret = exchange.secret, 'another-secret'  # pragma: allowlist secret
        with pytest.raises(AuthenticationError):
            await pushed.watch(timeout=500)
        exchange.secret = right
        assert (await at_last(pushed))['enabled'] is False

    pushed.run(main)


def test_subscription_that_is_refused_is_an_error(okx, monkeypatch):
    monkeypatch.setattr(import_module('ccxt_mmp.exchanges.okx.watching'), 'CHANNEL', {'channel': 'none'})

    async def main(exchange):
        with pytest.raises(ExchangeError, match='60018'):
            await okx.watch()

    okx.run(main)


def test_connection_that_is_lost_while_it_is_subscribed_is_an_error(pushed):
    async def main(exchange):
        pushed.simulator.fault('drop', op=pushed.subscribe)
        with pytest.raises(NetworkError):
            await pushed.watch()

        async def lost(frame):
            raise ConnectionError('lost')

        await pushed.watch()
        exchange._mmp_watching._client.send = lost
        with pytest.raises(NetworkError, match='could not send'):
            await exchange.un_watch_mmp()

    pushed.run(main)


def test_dial_that_fails_is_an_error(streaming):
    async def main(exchange):
        dead = 'ws://127.0.0.1:9'
        ws = exchange.urls['api']['ws']
        private = {'optionPrivate': dead, 'private': {'contract': dead}}
        exchange.urls['api']['ws'] = dead if isinstance(ws, str) else {**ws, **private}
        with pytest.raises(NetworkError):
            await streaming.watch()

    streaming.run(main)


def test_dial_that_takes_too_long_is_not_waited_for(pushed, monkeypatch):
    async def main(exchange):
        exchange.ws_dial_delay = lambda url: 0.2
        client = exchange.client(exchange._socket_url())
        connect = client.create_connection

        async def slowly(session):
            await asyncio.sleep(0.2)
            return await connect(session)

        client.create_connection = slowly
        with pytest.raises(RequestTimeout):
            await pushed.watch(timeout=20)
        assert (await pushed.watch())['enabled'] is False  # by the same dial

    pushed.run(main)


# --- reads that fail


def test_first_read_that_fails_is_told_and_tried_again_by_the_next_call(watcher):
    watcher.set_rule()

    async def main(exchange):
        watcher.simulator.fault('status', watcher.path, status=503)
        with pytest.raises(NetworkError):
            await watcher.watch()
        assert not exchange._mmp_watching.watched
        assert (await watcher.watch())['frozen'] is False

    watcher.run(main)


def test_later_read_that_fails_is_told_and_tried_again(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        task = await watcher.waiting()
        watcher.simulator.fault('status', watcher.path, status=503)
        await watcher.poll()
        with pytest.raises(NetworkError):
            await task
        watcher.set_rule(qty_limit='55')
        task = await watcher.waiting()
        await watcher.poll()
        assert (await task)['qtyLimit'] == 55

    watcher.run(main)


def test_read_that_fails_with_nobody_waiting_is_no_failure_of_the_next_call(watcher):
    watcher.set_rule()

    async def main(exchange):
        await watcher.watch()
        (await watcher.waiting()).cancel()
        watcher.simulator.fault('status', watcher.path, status=503)
        await watcher.poll()
        await until(lambda: not watcher.futures)
        assert not (await watcher.waiting()).done()

    watcher.run(main)


def test_reads_keep_the_limit_of_their_endpoint(simulator):
    okx = Watcher(simulator, 'okx')
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        await okx.waiting()
        for _ in range(3):
            okx.simulator.fill(okx.rest().order_id, 1)
            await asyncio.sleep(0.03)
        assert len(okx.reads) == 2

    okx.run(main, options={'mmpRateLimits': {'GET account/mmp-config': [2, 60_000]}})


def test_push_that_cannot_be_read_is_a_reason_to_read(okx):
    okx.set_rule()

    async def main(exchange):
        await okx.watch()
        await okx.waiting()
        before = len(okx.reads)
        exchange.handle_orders(None, {'data': [{'ordType': 'mmp'}]})
        await until(lambda: len(okx.reads) == before + 1)

    okx.run(main)


@pytest.mark.parametrize('row', [{'ordType': 'limit'}, {'ordType': 'mmp', 'state': 'filled', 'instId': 'X'}])
def test_push_of_something_else_is_passed_over(okx, row):
    async def main(exchange):
        await okx.watch()
        before = exchange._mmp_watching.watched[okx.underlying]
        exchange.handle_orders(None, {'data': [row]})
        assert before.wanted_at is None

    okx.run(main)


# --- Binance, which pushes no trips


@needs_binance_streams
@pytest.mark.parametrize('form', ['object', 'list', 'envelope'])
def test_order_that_ended_hastens_a_read_in_every_form(binance, form):
    binance.simulator._engine.unverified.__dict__['stream_form'] = 'object' if form == 'envelope' else form
    binance.set_rule()

    async def main(exchange):
        await binance.watch()
        task = await binance.waiting()
        if form == 'envelope':
            client = exchange._mmp_watching._client
            order = {'s': binance.simulator.instruments('binance', 'BTCUSDT')[0], 'S': 'SELL', 'X': 'CANCELED'}
            binance.simulator._account.resting.clear()
            data = {'e': 'ORDER_TRADE_UPDATE', 'E': 1, 'o': order}
            binance.simulator.protection('binance', 'BTCUSDT').last_trigger = binance.simulator.now()
            exchange.handle_message(client, {'stream': 'key', 'data': data})
        else:
            binance.trip()
        assert (await task)['frozen'] is True
        assert len(binance.reads) == 2

    binance.run(main, **WITHOUT_POLLS)


@needs_binance_streams
def test_orders_of_other_markets_hasten_nothing(binance):
    binance.set_rule()

    async def main(exchange):
        await binance.watch()
        for order in ({'s': 'BTCUSDT-X', 'X': 'CANCELED'}, {'s': 'BTC-260327-100000-C', 'X': 'NEW'}, None):
            exchange.handle_order_update(exchange._mmp_watching._client, {'e': 'ORDER_TRADE_UPDATE', 'o': order})
        assert exchange._mmp_watching.watched['BTCUSDT'].wanted_at is None

    binance.run(main)


@needs_binance_streams
def test_listen_key_that_is_refused_is_an_error(binance):
    async def main(exchange):
        binance.simulator.fault('status', 'listenKey', status=503)
        with pytest.raises(NetworkError):
            await binance.watch()
        assert (await binance.watch())['enabled'] is False

    binance.run(main)


@pytest.mark.parametrize('mode', ['demo', 'sandbox'])
def test_demo_trading_is_watched_by_reads_alone(binance, mode):
    binance.set_rule()

    async def main(exchange):
        exchange.options['enableDemoTrading'] = mode == 'demo'
        exchange.isSandboxModeEnabled = mode == 'sandbox'
        await binance.watch()
        task = await binance.waiting()
        binance.trip()
        await binance.poll()
        assert (await task)['frozen'] is True
        assert not binance.simulator.frames
        with pytest.raises(BadRequest, match='pollInterval must not be 0'):
            await binance.watch(pollInterval=0)
        await exchange.un_watch_mmp()

    binance.run(main)


def test_default_interval_is_used(okx):
    async def main(exchange):
        assert exchange.options['watchMmp']['pollInterval'] == POLL

    okx.run(main)


# --- close


@pytest.mark.parametrize('step', ['_open_mmp_stream', '_read_mmps'])
def test_close_ends_a_call_that_begins_and_nothing_is_opened_after_it(streaming, step):
    async def main(exchange):
        begun, go_on, stock = asyncio.Event(), asyncio.Event(), getattr(exchange, step)

        async def late(*arguments):
            begun.set()
            await go_on.wait()
            return await stock(*arguments)

        setattr(exchange, step, late)
        task = asyncio.ensure_future(streaming.watch())
        await begun.wait()
        await exchange.close()
        go_on.set()
        with pytest.raises(ExchangeClosedByUser):
            await task
        assert (exchange.session, streaming.all_futures) == (None, [])
        assert not [each for each in exchange.clients or {} if each.startswith('ws')]

    streaming.run(main)


def test_close_ends_a_login_before_ccxt_closes_its_connections(streaming):
    if streaming.login is None:
        pytest.skip('a key, and no login')

    async def main(exchange):
        begun, is_closing = asyncio.Event(), asyncio.Event()

        async def dial(url):
            begun.set()
            await is_closing.wait()
            return exchange.client(url)

        async def sleep(milliseconds):  # as ccxt does at the end of its close
            is_closing.set()
            for _ in range(5):
                await asyncio.sleep(0)

        exchange._dial, exchange.sleep = dial, sleep
        task = asyncio.ensure_future(streaming.watch())
        await begun.wait()
        await exchange.close()
        with pytest.raises(ExchangeClosedByUser):
            await task
        assert exchange.session is None
        assert not exchange.clients

    streaming.run(main)
