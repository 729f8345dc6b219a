"""The kill switch over a websocket: what it sends and cancels, its fence, its limit, and how it fails."""

import asyncio
import sys
import time

import ccxt
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked, MmpNotEnabled
from ccxt_mmp.core import sockets
from tests.core.sockets import FAMILY, client_of, connected, place, received, run
from tests.simulator.sockets import until


def rest_requests(simulator):
    return [each.path for each in simulator.requests]


def test_it_is_one_message_that_cancels_mmp_orders_alone(simulator):
    other = simulator.rest('okx', FAMILY, mmp=False)
    simulator.rest('okx', FAMILY, mmp=True)

    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            before = exchange.milliseconds()
            cancelled = await exchange.mass_cancel_mmp_ws('BTC/USD', {'lockInterval': 1000})
            assert simulator.resting('okx', FAMILY) == [other]
            [message] = received(simulator, 'mass-cancel')
            request_id = message.pop('id')
            assert request_id.isalnum()
            assert len(request_id) <= 32
            args = {'instType': 'OPTION', 'instFamily': FAMILY, 'lockInterval': '1000'}
            assert message == {'op': 'mass-cancel', 'args': [args]}
            locked_until = cancelled.pop('lockedUntil')
            assert before + 1000 <= locked_until <= exchange.milliseconds() + 1000
            assert cancelled.pop('info')['data'] == [{'result': True}]
            assert cancelled == {
                'underlying': 'BTC/USD:BTC',
                'underlyingId': FAMILY,
                'orders': None,
                'timestamp': None,
                'datetime': None,
            }
            assert rest_requests(simulator) == []
            client = client_of(exchange)
            assert (set(client.subscriptions), set(client.futures)) == ({'authenticated'}, {'authenticated'})
            assert exchange.massCancelMmpWs.__func__ is not None

    run(main())


def test_it_waits_for_no_limiter_of_ccxt(simulator):
    async def main():
        async with connected(simulator, enableRateLimit=True) as exchange:
            await exchange.authenticate()

            async def throttle(cost=None):
                await asyncio.Event().wait()

            client_of(exchange).throttle = throttle
            await exchange.mass_cancel_mmp_ws('BTC/USD')

    run(main())


def test_orders_that_wait_are_stopped_and_orders_in_flight_are_cancelled_by_a_second_message(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await place(exchange)
            simulator.fault('delay', op='batch-orders', milliseconds=100)
            in_flight = asyncio.ensure_future(place(exchange))
            await until(lambda: len(received(simulator, 'batch-orders')) == 2)
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp_ws('BTC/USD'))
            await until(lambda: received(simulator, 'mass-cancel'))
            with pytest.raises(MassCancelLocked):
                await place(exchange)
            await cancelling
            assert in_flight.done()
            assert len(received(simulator, 'mass-cancel')) == 2
            assert simulator.resting('okx', FAMILY) == []
            assert (await place(exchange))['status'] == 'open'

    run(main())


def test_limit_is_shared_with_rest(simulator):
    async def main():
        async with connected(simulator, enableRateLimit=True) as exchange:
            window = exchange._mmp_window('POST trade/mass-cancel')
            calls = [exchange.mass_cancel_mmp, exchange.mass_cancel_mmp_ws]
            for number in range(5):
                await calls[number % 2]('BTC/USD')
            assert len(window._slots) == 5
            with pytest.raises(MassCancelIncomplete, match='no room'):
                await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 100})
            assert len(received(simulator, 'mass-cancel')) == 2

    run(main())


def test_used_up_limit_that_the_exchange_tells_of_is_waited_out(simulator, monkeypatch):
    async def main():
        async with connected(simulator, options={'mmpRateLimits': {'POST trade/mass-cancel': [5, 100]}}) as exchange:
            await exchange.authenticate()
            for _ in range(5):
                await exchange.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': FAMILY})
            waits = []

            async def sleep(milliseconds):
                waits.append(milliseconds)
                simulator.advance(2000)

            exchange.sleep = sleep
            await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert len(waits) == 1

    run(main())


# --- refusals


def test_refusal_is_that_of_rest(simulator):
    simulator.privileged = False

    async def main():
        async with connected(simulator) as exchange:
            with pytest.raises(MmpNotEnabled, match='51411'):
                await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert len(received(simulator, 'mass-cancel')) == 1

    run(main())


@pytest.mark.parametrize(
    ('said', 'error'),
    [
        ({'code': '0', 'data': [{'result': False}]}, ccxt.OperationFailed),
        ({'code': '2', 'data': [{'result': True}]}, ccxt.OperationFailed),
        ({'code': '0', 'data': [{}]}, ccxt.OperationFailed),
        ({'code': '0', 'data': []}, ccxt.NullResponse),
        ({'code': '0', 'data': None}, ccxt.BadResponse),
        ({'code': '', 'data': [{'result': True}]}, ccxt.BadResponse),
        ({'event': 'error', 'code': '60012', 'msg': 'Invalid request'}, ccxt.BadRequest),
    ],
)
def test_answer_that_is_no_success_is_an_error(simulator, said, error):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            client = client_of(exchange)

            async def send(message):
                client.on_message_callback(client, {'id': message['id'], 'op': message['op'], 'msg': '', **said})

            client.send = send
            with pytest.raises(error):
                await exchange.mass_cancel_mmp_ws('BTC/USD')

    run(main())


def test_wrong_login_is_permanent(simulator):
    async def main():
        async with connected(simulator) as exchange:
            exchange.password = 'wrong'  # pragma: allowlist secret
            with pytest.raises(ccxt.AuthenticationError, match='60024'):
                await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert len(received(simulator, 'login')) == 1

    run(main())


def test_clock_that_is_wrong_is_told_without_a_question_over_rest(simulator):
    async def main():
        async with connected(simulator, options={'adjustForTimeDifference': True}) as exchange:
            exchange.seconds = lambda: 1
            with pytest.raises(ccxt.InvalidNonce, match='60006'):
                await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert rest_requests(simulator) == []

    run(main())


# --- lost answers and connections


@pytest.mark.parametrize('kind', ['lose', 'drop_after', 'drop', 'close', 'mute'])
@pytest.mark.parametrize('op', ['login', 'mass-cancel'])
def test_what_is_lost_once_is_repeated(simulator, kind, op):
    simulator.rest('okx', FAMILY, mmp=True)

    async def main():
        async with connected(simulator) as exchange:
            simulator.fault(kind, op=op)
            [fault] = simulator._sockets.faults
            if op == 'mass-cancel':
                await exchange.authenticate()
            # the attempt that is struck is given up soon, the next one has time on a busy machine
            soon = iter([0.1] if op == 'login' else [0.1, 0.1])  # to log in, and to cancel
            exchange._answer_ends = lambda *_: time.monotonic() + (20 if fault.was_used else next(soon, 2.5))
            await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 60_000})
            assert simulator.resting('okx', FAMILY) == []

    run(main())


@pytest.mark.parametrize('kind', ['lose', 'mute'])
@pytest.mark.parametrize('op', ['login', 'mass-cancel'])
def test_what_is_always_lost_ends_in_time(simulator, kind, op):
    async def main():
        for timeout in (100, 600, 3000):  # a busy machine may need more to lose something
            async with connected(simulator) as exchange:
                simulator.fault(kind, op=op, times=100)
                [fault] = simulator._sockets.faults
                started = time.monotonic()
                with pytest.raises((ccxt.NetworkError, MassCancelIncomplete)):
                    await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': timeout})
                assert time.monotonic() - started < 5
                simulator.clear_faults()
                if fault.was_used:
                    return
        pytest.fail('nothing was lost')

    run(main())


def test_where_nothing_listens_it_is_a_network_error_in_time(simulator):
    async def main():
        async with connected(simulator) as exchange:
            exchange.urls['api']['ws'] = 'ws://127.0.0.1:1/ws/v5'
            started = time.monotonic()
            for _ in range(3):  # ccxt waits longer before each dial
                with pytest.raises((ccxt.NetworkError, MassCancelIncomplete)):
                    await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 300})
            assert time.monotonic() - started < 5

    run(main())


def test_connection_that_cannot_be_written_to_is_given_up(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()

            async def send_str(text):
                raise ConnectionResetError('gone')

            client_of(exchange).connection.send_str = send_str
            await exchange.mass_cancel_mmp_ws('BTC/USD')
            assert len(received(simulator, 'login')) == 2

    run(main())


def test_connection_that_takes_nothing_is_given_up(simulator):
    async def main(timeout):
        async with connected(simulator, timeout=60_000) as exchange:  # a third of its own time ends the wait
            await exchange.authenticate()
            logins = len(received(simulator, 'login'))

            async def send_str(text):
                await asyncio.Event().wait()

            client_of(exchange).connection.send_str = send_str
            await exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': timeout})
            assert len(received(simulator, 'login')) == logins + 1

    try:
        run(main(600))
    except (ccxt.NetworkError, MassCancelIncomplete):  # a busy machine may need more to connect again
        run(main(6000))


def test_caller_that_is_cancelled_while_it_sends_is(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            sending = asyncio.Event()

            async def send_str(text):
                sending.set()
                await asyncio.Event().wait()

            client_of(exchange).connection.send_str = send_str
            call = asyncio.ensure_future(exchange.mass_cancel_mmp_ws('BTC/USD'))
            await sending.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason='a task does not know how often it was cancelled')
def test_caller_that_is_cancelled_when_the_connection_is_given_up_is(simulator):
    async def main():
        async with connected(simulator) as exchange:
            await exchange.authenticate()
            give_up = exchange._give_up

            async def send_str(text):
                await asyncio.Event().wait()

            def give_up_and_cancel(*arguments):
                give_up(*arguments)
                call.cancel()

            client_of(exchange).connection.send_str = send_str
            exchange._give_up = give_up_and_cancel
            call = asyncio.ensure_future(exchange.mass_cancel_mmp_ws('BTC/USD', {'timeout': 300}))
            with pytest.raises(asyncio.CancelledError):
                await call

    run(main())


@pytest.mark.parametrize(('way', 'error'), [('close', ccxt.ExchangeClosedByUser), ('cancel', asyncio.CancelledError)])
def test_call_that_waits_ends_with_its_connection_and_its_caller_and_leaves_nothing(simulator, way, error):
    async def main():
        async with connected(simulator) as exchange:
            simulator.fault('lose', op='mass-cancel')
            call = asyncio.ensure_future(exchange.mass_cancel_mmp_ws('BTC/USD'))
            await until(lambda: received(simulator, 'mass-cancel'))
            client = client_of(exchange)
            if way == 'close':
                await exchange.close()
            else:
                call.cancel()
            with pytest.raises(error):
                await call
            await until(lambda: set(client.futures) <= {'authenticated'})
            assert sockets.state_of(client).requests == {}

    run(main())


# --- before anything is sent


@pytest.mark.parametrize(
    ('underlying', 'params', 'error'),
    [
        ('NOTHING', {}, ccxt.BadSymbol),
        (None, {}, ccxt.ArgumentsRequired),
        ('BTC/USD', {'emulate': True}, ccxt.NotSupported),
        ('BTC/USD', {'hedge': True}, ccxt.NotSupported),
        ('BTC/USD', {'includeNonMmp': True}, ccxt.NotSupported),
        ('BTC/USD', {'ordType': 'mmp'}, ccxt.NotSupported),
        ('BTC/USD', {'scope': 'rfq'}, ccxt.BadRequest),
        ('BTC/USD', {'lockInterval': 10001}, ccxt.BadRequest),
        ('BTC/USD', {'timeout': 0}, ccxt.BadRequest),
        ('BTC/USD', {'lock_interval': 5}, ccxt.BadRequest),
    ],
)
def test_bad_input_opens_no_socket(simulator, underlying, params, error):
    async def main():
        async with connected(simulator, has_markets=False) as exchange:
            with pytest.raises(error):
                await exchange.mass_cancel_mmp_ws(underlying, params)
            assert exchange.clients == {}

    run(main())


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_where_there_is_no_socket_it_is_not_supported(flavour, exchange_id):
    exchange = flavour.exchange(exchange_id)
    has_it = (flavour.name, exchange_id) == ('pro', 'okx')
    assert (exchange.has['massCancelMmpWs'], exchange.has['createOrdersWs']) == (has_it, has_it)
    if has_it:
        return
    for call in (
        lambda: exchange.mass_cancel_mmp_ws('BTC/USD'),
        lambda: exchange.create_orders_ws([]),
        lambda: exchange.mass_cancel_mmp('BTC/USD' if exchange_id == 'okx' else 'BTC/USDT', {'hedge': True}),
        lambda: exchange.warm_up({'hedge': True}),
    ):
        with pytest.raises(ccxt.NotSupported):
            flavour.take(call())
    exchange.options['massCancelMmp']['hedge'] = True
    with pytest.raises(ccxt.NotSupported, match='no second way'):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD' if exchange_id == 'okx' else 'BTC/USDT'))


def test_extended_object_has_it(simulator):
    async def main():
        exchange = ccxt_mmp.extend(simulator.connect(ccxt.pro.okx))
        exchange.timeout_on_exit = 0
        try:
            assert exchange.has['massCancelMmpWs'] is True
            await exchange.mass_cancel_mmp_ws('BTC/USD')
        finally:
            await exchange.close()

    run(main())
