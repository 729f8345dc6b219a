"""What would let calls over a websocket wait for ever: lost answers, errors without an id, handlers that raise."""

import asyncio
import copy
from types import SimpleNamespace

import ccxt
import pytest

import ccxt_mmp.pro
from ccxt_mmp import MassCancelLocked
from ccxt_mmp.core.sockets import Sockets
from ccxt_mmp.registry import EXCHANGES
from tests.core.sockets import FAMILY, MMP, client_of, connected, is_idle, place, received, run, sent, watching
from tests.simulator.sockets import until
from tests.trading import UNIFIED, symbols

# --- logins


def test_login_that_was_refused_is_sent_again(simulator):
    async def main():
        async with connected(simulator) as exchange:
            right, exchange.password = exchange.password, 'wrong'  # pragma: allowlist secret
            for _ in range(2):
                with pytest.raises(ccxt.AuthenticationError, match='60024'):
                    await place(exchange)
            exchange.password = right
            assert (await place(exchange))['status'] == 'open'
            assert len(received(simulator, 'login')) == 3
            assert len({each.connection for each in simulator.frames}) == 1

    run(main())


@pytest.mark.parametrize('exchange_id', [each for each in EXCHANGES if each != 'binance'])  # which has a listen key
def test_login_that_is_refused_again_and_again_is_sent_ever_less_often(simulator, exchange_id, monkeypatch):
    monkeypatch.setattr('ccxt_mmp.core.logins.time', SimpleNamespace(monotonic=lambda: 0.0))

    async def main():
        async with connected(simulator, exchange_id) as exchange:
            pauses, name = [], UNIFIED[exchange_id]

            async def sleep(milliseconds):
                pauses.append(milliseconds)

            right, exchange.secret = exchange.secret, 'wrong'  # pragma: allowlist secret
            exchange.sleep = sleep
            for _ in range(8):
                with pytest.raises(ccxt.AuthenticationError):
                    await exchange.watch_mmp(name)
            assert pauses == [200, 400, 800, 1600, 3200, 6400, 8000]
            [refused] = exchange._mmp_refused_logins.values()
            wrong = hash((exchange.apiKey, exchange.secret, exchange.password))
            assert (refused.pause(wrong), copy.deepcopy(refused).pause(wrong)) == (8, 0)
            exchange.secret = right
            await exchange.watch_mmp(name)
            assert 8000 not in pauses[7:]  # others are of reads
            assert refused.pause(wrong) == 0

    run(main())


def test_login_without_an_answer_is_given_up_and_the_next_call_dials(simulator):
    async def main():
        async with connected(simulator, options={'authenticate': {'timeout': 100}}) as exchange:
            simulator.fault('lose', op='login')
            with pytest.raises(ccxt.RequestTimeout, match='login'):
                await place(exchange)
            exchange.options['authenticate'] = {}
            assert (await place(exchange))['status'] == 'open'
            assert len({each.connection for each in simulator.frames}) == 2

    run(main())


def test_login_is_shared_and_a_call_that_is_cancelled_ends_it_for_no_other(simulator):
    async def main():
        async with connected(simulator) as exchange:
            simulator.fault('delay', op='login', milliseconds=50)
            calls = [asyncio.ensure_future(place(exchange)) for _ in range(3)]
            await until(lambda: received(simulator, 'login'))
            calls[0].cancel()
            orders = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(orders[0], asyncio.CancelledError)
            assert [order['status'] for order in orders[1:]] == ['open', 'open']
            assert len(received(simulator, 'login')) == 1

    run(main())


@pytest.mark.parametrize('is_answered', [True, False])
def test_login_goes_over_the_next_connection_if_the_first_is_lost_before_it(simulator, is_answered):
    async def main():
        options = {} if is_answered else {'authenticate': {'timeout': 100}}
        async with connected(simulator, options=options) as exchange:
            if not is_answered:
                simulator.fault('lose', op='login')
            dial = exchange._dial

            async def dial_and_lose(url):
                client = await dial(url)
                exchange._dial = dial
                client.on_error(ccxt.NetworkError('lost'))
                exchange.options['authenticate'] = {}  # a login of its own would be waited for longer
                calls.append(asyncio.ensure_future(exchange.authenticate()))

            calls = []
            exchange._dial = dial_and_lose
            calls.append(asyncio.ensure_future(exchange.authenticate()))
            await until(lambda: len(calls) == 2)
            answers = await asyncio.gather(*calls, return_exceptions=True)
            if not is_answered:
                assert [type(each) for each in answers] == [ccxt.RequestTimeout] * 2
                return
            assert answers == [True, True]
            assert len(received(simulator, 'login')) == 1
            assert (await place(exchange))['status'] == 'open'

    run(main())


def test_login_that_waits_ends_with_close(simulator):
    async def main():
        async with connected(simulator) as exchange:
            simulator.fault('lose', op='login')
            call = asyncio.ensure_future(exchange.authenticate())
            await until(lambda: received(simulator, 'login'))
            await exchange.close()
            with pytest.raises((ccxt.ExchangeClosedByUser, ccxt.NetworkError)):
                await call

    run(main())


def test_close_that_comes_together_with_the_connection_ends_the_login(simulator):
    async def main():
        async with connected(simulator, options={'authenticate': {'timeout': 200}}) as exchange:
            simulator.fault('lose', op='login')
            dialled, dials = asyncio.get_running_loop().create_future(), []

            def dial(url):
                dials.append(url)
                return dialled

            exchange._dial = dial
            call = asyncio.ensure_future(exchange.authenticate())
            await until(lambda: dials)
            dialled.set_result(None)
            await exchange._tasks().end()
            with pytest.raises(ccxt.ExchangeClosedByUser):
                await call
            assert received(simulator, 'login') == []
            simulator.clear_faults()

    run(main())


def test_connection_that_is_closed_while_it_is_dialled_fails_who_waits_for_it(simulator):
    async def main():
        async with connected(simulator) as exchange:
            client = exchange.client(exchange._socket_url())
            is_over = asyncio.Event()
            client.connect = lambda *_: is_over.wait()
            call = asyncio.ensure_future(exchange.authenticate())
            await until(lambda: client.futures)
            await client.close()
            with pytest.raises(ccxt.ExchangeClosedByUser):
                await call
            is_over.set()

    run(main())


def test_dial_that_is_refused_fails_and_the_next_call_dials_again(simulator):
    async def main():
        async with connected(simulator) as exchange:
            url, exchange.urls['api']['ws'] = exchange.urls['api']['ws'], 'ws://127.0.0.1:1/ws/v5'
            with pytest.raises(ccxt.NetworkError, match=r'127\.0\.0\.1'):  # not that no connection came in time
                await exchange.authenticate()
            exchange.urls['api']['ws'] = url
            assert (await place(exchange))['status'] == 'open'

    run(main())


# --- answers


def test_answer_that_does_not_come_is_given_up_and_the_client_id_tells_the_order(simulator):
    async def main():
        async with connected(simulator, timeout=300) as exchange:
            simulator.fault('lose', op='batch-orders')
            with pytest.raises(ccxt.RequestTimeout) as caught:
                await place(exchange, clientOrderId='mine')
            assert [(order['clientOrderId'], order['status']) for order in caught.value.orders] == [('mine', None)]
            assert [order.client_order_id for order in simulator.resting('okx', FAMILY)] == ['mine']
            # the connection, which said nothing else either, counts as dead
            assert (await place(exchange))['status'] == 'open'
            assert len(received(simulator, 'login')) == 2

    run(main())


def test_connection_that_says_something_else_outlives_an_answer_that_does_not_come(simulator):
    async def main():
        async with connected(simulator, timeout=300) as exchange:
            task = await watching(exchange)
            simulator.fault('lose', op='batch-orders')
            with pytest.raises(ccxt.RequestTimeout):
                await place(exchange)
            assert len(await task) == 1  # the order itself
            exchange.timeout = 5000
            assert (await place(exchange))['status'] == 'open'
            assert len(received(simulator, 'login')) == 1

    run(main())


def test_nothing_of_a_request_is_left_on_the_client(simulator):
    async def main():
        async with connected(simulator, timeout=300) as exchange:
            await place(exchange)
            client = client_of(exchange)
            before = set(client.subscriptions), set(client.futures)
            await place(exchange)
            simulator.fault('delay', op='batch-orders', milliseconds=100)
            call = asyncio.ensure_future(place(exchange))
            await until(lambda: len(received(simulator, 'batch-orders')) == 3)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: len(sent(simulator, 'batch-orders')) == 3)
            await place(exchange)  # after the answer that nobody waits for
            assert (set(client.subscriptions), set(client.futures)) == before
            assert client.rejections == {}

    run(main())


def test_order_that_waits_to_be_sent_is_stopped_by_a_mass_cancel_and_by_its_caller(simulator):
    async def main():
        async with connected(simulator, enableRateLimit=True) as exchange:
            await place(exchange)
            queued, go = [], asyncio.Event()

            async def throttle(cost=None):
                queued.append(cost)
                await go.wait()

            client_of(exchange).throttle = throttle
            calls = [asyncio.ensure_future(place(exchange)) for _ in range(2)]
            await until(lambda: len(queued) == 2)
            calls[0].cancel()
            with exchange._mmp_fence(FAMILY).close():  # as a mass cancel does
                pass
            go.set()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(each) for each in answers] == [asyncio.CancelledError, MassCancelLocked]
            assert (await place(exchange))['status'] == 'open'
            assert len(received(simulator, 'batch-orders')) == 2

    run(main())


# --- errors without an id


@pytest.mark.parametrize('arg', [{'channel': 'nothing'}, {'channels': 'nothing'}])
def test_refused_subscription_fails_its_own_watcher_and_keeps_the_login(simulator, arg):
    async def main():
        async with connected(simulator) as exchange:
            task = await watching(exchange)
            await until(lambda: sent(simulator, '"subscribe"'))
            url = client_of(exchange).url
            for _ in range(2):  # it is sent again, not waited for
                with pytest.raises(ccxt.BadRequest):
                    await exchange.watch(url, 'nothing', {'op': 'subscribe', 'args': [arg]}, 'nothing')
            assert not task.done()
            assert (await place(exchange))['status'] == 'open'
            assert len(await task) == 1

    run(main())


def test_error_that_is_of_no_subscription_is_told_to_who_waits_or_to_the_log(simulator, caplog):
    async def main():
        async with connected(simulator) as exchange:
            await place(exchange)
            client = client_of(exchange)
            await client.send('no JSON')
            await until(lambda: 'Invalid request' in caplog.text)
            task = await watching(exchange)
            await until(lambda: sent(simulator, '"subscribe"'))
            await client.send('no JSON')
            with pytest.raises(ccxt.BadRequest, match='60012'):
                await task
            task = await watching(exchange)
            await place(exchange)
            assert len(await task) == 1

    run(main())


def test_login_that_the_exchange_has_lost_is_sent_again(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await place(exchange)
            simulator._sockets._sessions[0].account = None
            with pytest.raises(ccxt.AuthenticationError, match='60011'):
                await exchange.watch_orders(params={'type': 'option'})
            task = await watching(exchange)
            await place(exchange)
            assert len(await task) == 1

    run(main())


def test_notice_ends_the_connection_when_what_is_on_its_way_is_answered(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            waiting = exchange.watch(client_of(exchange).url, 'quiet')
            simulator.fault('delay', op='batch-orders', milliseconds=100)
            order = asyncio.ensure_future(place(exchange))
            await until(lambda: received(simulator, 'batch-orders'))
            simulator.fault('notice')
            with pytest.raises(ccxt.NetworkError, match='64008'):
                await waiting
            assert not order.done()
            assert (await order)['status'] == 'open'
            assert (await place(exchange))['status'] == 'open'
            assert len(received(simulator, 'login')) == 2

    run(main())


def test_subscription_that_is_ended_is_told_and_made_again(simulator):
    async def main():
        async with connected(simulator) as exchange:
            simulator.fault('conn_count_error', channel='orders')
            with pytest.raises(ccxt.NetworkError, match='too many connections'):
                await exchange.watch_orders(params={'type': 'option'})
            task = await watching(exchange)
            await until(lambda: len(sent(simulator, '"subscribe"')) == 2)
            simulator.rest('okx', FAMILY, mmp=True)
            assert len(await task) == 1

    run(main())


# --- subscriptions


def test_every_subscription_of_a_channel_is_sent_once(simulator):
    async def main():
        async with connected(simulator) as exchange:
            for kind, subscriptions in (('spot', 1), ('option', 2), ('spot', 2), ('option', 2)):
                task = await watching(exchange, type=kind)
                await until(lambda: len(sent(simulator, '"subscribe"')) >= subscriptions)  # noqa: B023 - called at once
                await is_idle(exchange)
                task.cancel()
            kinds = [each['args'][0]['instType'] for each in received(simulator, 'subscribe')]
            assert kinds == ['SPOT', 'OPTION']
            task = await watching(exchange)
            simulator.rest('okx', FAMILY, mmp=True)
            assert len(await task) == 1

    run(main())


def test_subscription_of_any_kind_covers_the_others(simulator):
    async def main():
        async with connected(simulator) as exchange:
            for kind in ('ANY', 'option'):
                task = await watching(exchange, type=kind)
                await until(lambda: sent(simulator, '"subscribe"'))
                await is_idle(exchange)
                task.cancel()
            assert len(received(simulator, 'subscribe')) == 1

    run(main())


# --- handlers


def test_order_that_is_pushed_before_markets_are_loaded_ends_nothing(simulator):
    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            await exchange.authenticate()
            client = client_of(exchange)
            await client.send({'op': 'subscribe', 'args': [{'channel': 'orders', 'instType': 'OPTION'}]})
            await until(lambda: sent(simulator, '"subscribe"'))
            simulator.rest('okx', FAMILY, mmp=True)
            await until(lambda: sent(simulator, '"live"'))
            assert (await exchange.mass_cancel_mmp_ws('BTC/USD'))['info']['data'] == [{'result': True}]

    run(main())


@pytest.mark.parametrize('message', [{'arg': {'channel': 'orders'}, 'data': [None]}, {'arg': None, 'data': 5}])
def test_message_that_cannot_be_read_is_told_and_ends_nothing(simulator, message, caplog):
    async def main():
        async with connected(simulator) as exchange:
            task = await watching(exchange)
            client = client_of(exchange)
            client.on_message_callback(client, message)
            if message['arg']:
                with pytest.raises(ccxt.BadResponse, match='cannot be read'):
                    await task
                client.on_message_callback(client, message)  # while nobody waits
                assert 'cannot be read' in caplog.text
            else:
                task.cancel()
            assert (await place(exchange))['status'] == 'open'

    run(main())


def test_handler_of_the_user_that_raises_ends_nothing(simulator):
    class Mine(ccxt_mmp.pro.okx):
        def handle_orders(self, client, message, *arguments):
            raise ValueError('mine')

    async def main():
        async with connected(simulator) as exchange:
            exchange.__class__ = Mine
            task = await watching(exchange)
            await until(lambda: sent(simulator, '"subscribe"'))
            assert (await place(exchange))['status'] == 'open'
            with pytest.raises(ccxt.BadResponse, match='mine'):
                await task
            assert (await place(exchange))['status'] == 'open'

    run(main())


# --- objects made elsewhere


def test_client_that_was_used_before_its_exchange_was_extended_is_guarded(simulator):
    async def main():
        exchange = simulator.connect(ccxt.pro.okx, enableRateLimit=False, timeout=5000)
        exchange.timeout_on_exit = 0
        try:
            await exchange.load_markets()
            await exchange.authenticate()
            ccxt_mmp.extend(exchange)
            symbol = symbols(exchange, FAMILY)[0]
            await exchange.mass_cancel_mmp_ws('BTC/USD')  # of whose answer ccxt hands on the data alone
            assert (await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP))['mmp'] is True
            assert len(received(simulator, 'login')) == 1
            simulator.fault('lose', op='batch-orders')
            exchange.timeout = 300
            with pytest.raises(ccxt.RequestTimeout):
                await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        finally:
            await exchange.close()

    run(main())


def test_client_that_calls_a_function_of_the_user_goes_on_to(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            client, messages = client_of(exchange), []
            client.send = client.send.__wrapped__  # as of another object
            client.on_message_callback = lambda client, message: messages.append(message)
            exchange._guard_client(client)
            await client.send('ping')
            await until(lambda: messages == ['pong'])

    run(main())


# --- what is seldom


def test_connection_that_cannot_be_written_to_is_a_network_error_for_all(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()

            async def send_str(text):
                raise ConnectionResetError('gone')

            client = client_of(exchange)
            waiting = exchange.watch(client.url, 'quiet')
            client.connection.send_str = send_str
            for call in (place(exchange), waiting):
                with pytest.raises(ccxt.NetworkError, match='could not send'):
                    await call

    run(main())


def test_error_of_an_answer_keeps_its_type(simulator):
    class Mine(ccxt_mmp.pro.okx):
        def handle_place_orders(self, client, message):
            raise ccxt.InvalidOrder('mine')

    async def main():
        async with connected(simulator) as exchange:
            exchange.__class__ = Mine
            with pytest.raises(ccxt.InvalidOrder, match='mine'):
                await place(exchange)

    run(main())


def test_object_without_a_timeout_waits_as_long_as_it_takes(simulator):
    async def main():
        async with connected(simulator, timeout=0) as exchange:
            assert (await place(exchange))['status'] == 'open'
            exchange._give_up(client_of(exchange), 'of a request that was answered meanwhile')

    run(main())


def test_dial_that_takes_too_long_is_told_and_goes_on(simulator):
    async def main():
        async with connected(simulator, options={'authenticate': {'timeout': 20}}) as exchange:
            exchange.open()
            url = exchange._socket_url()
            client = exchange.client(url)
            opening = asyncio.Event()
            stock = client.create_connection

            async def create_connection(session):
                await opening.wait()
                return await stock(session)

            client.create_connection = create_connection
            with pytest.raises(ccxt.RequestTimeout, match='no connection'):
                await exchange.authenticate()
            opening.set()
            exchange.options['authenticate'] = {}
            assert (await place(exchange))['status'] == 'open'
            assert exchange.client(url) is client

    run(main())


def test_late_answer_to_a_login_is_no_error(simulator, caplog):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            client = client_of(exchange)
            client.futures.clear()
            client.on_message_callback(client, {'event': 'login', 'code': '0', 'msg': ''})
            client.on_message_callback(client, 'pong')
            assert caplog.text == ''
            assert (await place(exchange))['status'] == 'open'

    run(main())


def test_subscriptions_of_several_channels_at_once_go_as_ccxt_sends_them(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            url = client_of(exchange).url
            args = [{'channel': 'orders', 'instType': kind} for kind in ('SPOT', 'OPTION')]
            waiting = asyncio.ensure_future(
                asyncio.wait_for(exchange.watch(url, 'orders', {'op': 'subscribe', 'args': args}, 'o'), 20)
            )
            await until(lambda: len(sent(simulator, '"subscribe"')) == 2)
            simulator.rest('okx', FAMILY, mmp=True)
            assert len(await waiting) == 1

    run(main())


def test_refusal_by_the_id_of_a_subscription_ends_it(simulator, caplog):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            url = client_of(exchange).url
            message = {'op': 'subscribe', 'args': [{'channel': 'nothing'}], 'id': 'x1'}
            for _ in range(2):
                with pytest.raises(ccxt.BadRequest):
                    await exchange.watch(url, 'nothing', message, 'mine')
            exchange.watch(url, 'nothing', message, 'mine').cancel()  # refused while nobody waits
            await until(lambda: 'mine' not in client_of(exchange).subscriptions)

    run(main())


def test_exchange_without_such_a_way_says_so(simulator):
    async def main():
        async with connected(simulator, 'binance') as exchange:
            exchange.has.update(massCancelMmpWs=True, createOrdersWs=True)
            symbol = symbols(exchange, 'BTCUSDT')[0]
            order = {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 5, 'params': MMP}
            for call in (
                exchange.mass_cancel_mmp_ws('BTC/USDT'),
                exchange.create_orders_ws([order]),
                exchange._ready_socket(None),
            ):
                with pytest.raises(ccxt.NotSupported):
                    await call
            with pytest.raises(ccxt.NotSupported):
                exchange._socket_request('GET mmp', {})
            exchange._read_answer_of_socket('GET mmp', {})
            assert [*Sockets._hashes_of(exchange, None, None)] == []
            exchange.options['watchPositions']['fetchPositionsSnapshot'] = False
            exchange.set_positions_cache(None, 'linear')
            assert copy.copy(exchange._tasks())._running == {}

    run(main())
