"""The server around the venues: limits, faults, the control side, and what it refuses."""

import asyncio
import base64
import gc
import hashlib
import hmac
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import aiohttp
import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator
from tests.trading import UNDERLYING

CANCEL = ('okx', 'mass_cancel_mmp', 'BTC/USD')
RESET = ('binance', 'reset_mmp', 'BTC/USDT')


def outcome(flavour, simulator, call):
    exchange_id, method, underlying = call
    pause = {'mmpRateLimits': {'POST trade/mass-cancel': [5, 50]}}  # before it is repeated
    exchange = flavour.exchange(exchange_id, simulator.url, options=pause)
    return flavour.take(getattr(exchange, method)(underlying))


@pytest.fixture
def armed(simulator):
    """Tripped protections on both venues, one MMP order that was placed since."""
    for venue, underlying in (('okx', 'BTC-USD'), ('binance', 'BTCUSDT')):
        simulator.set_rule(venue, underlying)
        simulator.trip(venue, underlying)
    simulator.set_rule('okx', 'ETH-USD')
    simulator.protection('okx', 'BTC-USD').freeze_ends = 0
    simulator.rest('okx', 'BTC-USD', mmp=True)
    return simulator


def took_effect(simulator, call):
    if call is CANCEL:
        return simulator.resting('okx', 'BTC-USD') == []
    return not simulator.protection('binance', 'BTCUSDT').is_frozen(simulator.now())


@pytest.mark.parametrize('call', [CANCEL, RESET], ids=['okx', 'binance'])
@pytest.mark.parametrize(
    ('kind', 'details', 'expected', 'effect'),
    [
        ('drop_before', {}, ccxt.NetworkError, False),
        ('drop_after', {}, ccxt.NetworkError, True),
        ('status', {'status': 500}, ccxt.ExchangeNotAvailable, False),
        ('status', {'status': 502}, ccxt.ExchangeNotAvailable, False),
        ('status', {'status': 503}, ccxt.ExchangeNotAvailable, False),
        ('truncated', {}, ccxt.BadResponse, True),
        ('malformed', {}, ccxt.BadResponse, True),
    ],
)
def test_fault_is_an_error_with_or_without_effect(flavour, armed, call, kind, details, expected, effect):
    is_repeated = call is CANCEL and expected is not ccxt.BadResponse
    armed.fault(kind, 'mass-cancel' if call is CANCEL else 'mmpReset', times=3 if is_repeated else 1, **details)
    with pytest.raises(expected):
        outcome(flavour, armed, call)
    assert took_effect(armed, call) is effect
    outcome(flavour, armed, call)  # a fault strikes as often as it was told


@pytest.mark.parametrize('status', [429, 418])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_limit_that_is_used_up_is_without_effect(flavour, armed, exchange_id, status):
    armed.fault('status', 'mmp-reset' if exchange_id == 'okx' else 'mmpReset', status=status, retry_after=7)
    armed.trip(exchange_id, UNDERLYING[exchange_id])
    with pytest.raises((ccxt.RateLimitExceeded, ccxt.DDoSProtection)):
        flavour.take(flavour.exchange(exchange_id, armed.url).reset_mmp(UNDERLYING[exchange_id]))
    assert armed.protection(exchange_id, UNDERLYING[exchange_id]).is_frozen(armed.now())


def test_result_false_is_without_effect(flavour, armed):
    armed.fault('result_false', 'mass-cancel')
    with pytest.raises(ccxt.OperationFailed):
        outcome(flavour, armed, CANCEL)
    assert not took_effect(armed, CANCEL)


def test_long_delay_is_a_timeout_after_the_effect(flavour, armed):
    armed.fault('delay', 'mass-cancel', milliseconds=60_000, times=3)
    exchange = flavour.exchange('okx', armed.url, timeout=100)
    with pytest.raises(ccxt.RequestTimeout):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert took_effect(armed, CANCEL)
    started = time.monotonic()
    armed.close()
    assert time.monotonic() - started < 5


def test_short_delay_is_waited_for(flavour, armed):
    armed.fault('delay', milliseconds=50)
    outcome(flavour, armed, CANCEL)
    assert took_effect(armed, CANCEL)


@pytest.mark.parametrize('path', ['/api/v5/public/time', '/eapi/v1/time'])
def test_latency_delays_every_answer_on_its_own(path):
    async def ask(session, url):
        async with session.get(url) as answer:
            assert answer.status == 200

    async def main(simulator):
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(ask(session, simulator.url + path) for _ in range(20)))

    with Simulator(latency=100, enforce_limits=False) as simulator:
        started = time.monotonic()
        asyncio.run(main(simulator))
        assert 0.1 <= time.monotonic() - started < 2  # one after the other: 2 s and more


def test_latency_is_of_the_venues_and_can_be_changed(simulator):
    assert simulator.latency == 0
    simulator.latency = 10_000
    started = time.monotonic()
    control(simulator, 'requests')
    assert time.monotonic() - started < 10
    simulator.latency = 50
    started = time.monotonic()
    urllib.request.urlopen(f'{simulator.url}/eapi/v1/time').close()  # noqa: S310
    assert time.monotonic() - started >= 0.05
    simulator.clear()
    assert simulator.latency == 50


@pytest.mark.parametrize('call', [CANCEL, RESET], ids=['okx', 'binance'])
def test_request_takes_effect_before_the_latency(armed, call):
    armed.latency = 60_000
    exchange_id, method, underlying = call
    exchange = armed.connect(getattr(ccxt_mmp, exchange_id), timeout=100)
    with pytest.raises(ccxt.RequestTimeout):
        getattr(exchange, method)(underlying)
    assert took_effect(armed, call)


@pytest.mark.parametrize('milliseconds', [-1, 0.5, True, '5', 600_001])
def test_wrong_latency_is_refused(simulator, milliseconds):
    with pytest.raises(ValueError, match='a latency is an integer from 0 to 600000'):
        simulator.latency = milliseconds
    with pytest.raises(ValueError, match='a latency'):
        Simulator(latency=milliseconds)
    assert simulator.latency == 0


def test_retry_after_is_told(armed):
    armed.fault('status', status=429, retry_after=7)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f'{armed.url}/eapi/v1/time')  # noqa: S310
    with caught.value as answer:
        assert answer.headers['Retry-After'] == '7'


def test_fault_strikes_as_often_as_it_is_told_and_where(armed):
    armed.fault('status', 'time', method='GET', times=2, status=503)

    def status(path):
        try:
            with urllib.request.urlopen(armed.url + path) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    paths = ['/eapi/v1/exchangeInfo', '/eapi/v1/time', '/api/v5/public/time', '/eapi/v1/time']
    assert [status(path) for path in paths] == [200, 503, 503, 200]


def test_half_of_a_batch_fails(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    orders = [simulator.rest('okx', 'BTC-USD', mmp=True) for _ in range(4)]
    ids = [{'instId': order.instrument.instrument_id, 'ordId': order.order_id} for order in orders]
    simulator.fault('half_batch', 'cancel-batch-orders')
    answer = flavour.take(exchange.privatePostTradeCancelBatchOrders(ids))
    assert [row['sCode'] for row in answer['data']] == ['0', '50026', '0', '50026']
    assert [order.is_open for order in orders] == [False, True, False, True]


def test_half_of_a_batch_fails_on_binance(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    orders = [simulator.rest('binance', 'BTCUSDT', mmp=True) for _ in range(2)]
    encoded = '%5B' + '%2C'.join(order.order_id for order in orders) + '%5D'
    simulator.fault('half_batch', 'batchOrders')
    request = {'symbol': orders[0].instrument.instrument_id, 'orderIds': encoded}
    answer = flavour.take(exchange.eapiPrivateDeleteBatchOrders(request))
    assert [row.get('status') or int(row['code']) for row in answer] == ['CANCELED', -6063]


def test_client_that_gives_up_before_its_connection_is_dropped_is_no_error(simulator):
    simulator.latency = 200
    simulator.fault('drop_after')
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time', timeout=0.05)  # noqa: S310
    time.sleep(0.4)  # until it is dropped
    assert simulator.errors == []


def test_unknown_fault_is_an_error(simulator):
    with pytest.raises(ValueError, match='a fault is one of delay, hold, drop_before'):
        simulator.fault('earthquake')


@pytest.mark.parametrize(
    ('method', 'arguments', 'calls', 'window'),
    [
        ('set_mmp', ('BTC/USD', 5000, 2000, 100), 2, 10_000),
        ('fetch_mmp', ('BTC/USD',), 5, 2_000),
        ('reset_mmp', ('BTC/USD',), 5, 2_000),
        ('reset_mmp', (), 5, 2_000),
        ('mass_cancel_mmp', ('BTC/USD',), 5, 2_000),
    ],
)
def test_okx_counts_by_endpoint_and_user(flavour, simulator, method, arguments, calls, window):
    if method == 'mass_cancel_mmp':  # the plugin repeats that one after a pause
        method, arguments = 'privatePostTradeMassCancel', [{'instType': 'OPTION', 'instFamily': 'BTC-USD'}]
    exchange = flavour.exchange('okx', simulator.url)
    exchange.milliseconds = simulator.now
    another = simulator.add_account('another', 'another-secret')
    for _ in range(calls):
        flavour.take(getattr(exchange, method)(*arguments))
    with pytest.raises(ccxt.RateLimitExceeded, match='50011'):
        flavour.take(getattr(exchange, method)(*arguments))
    flavour.take(exchange.fetch_mmp(params={'scope': 'rfq'}))  # another endpoint
    theirs = flavour.exchange('okx', simulator.url, apiKey='another', secret=another.secret)
    flavour.take(getattr(theirs, method)(*arguments))
    simulator.advance(window)
    flavour.take(getattr(exchange, method)(*arguments))


def test_batch_counts_as_its_items(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    ids = [{'instId': 'BTC-USD-1-1-C', 'ordId': '1'}] * 20
    for _ in range(15):
        with pytest.raises(ccxt.ExchangeError, match='51400'):
            exchange.privatePostTradeCancelBatchOrders(ids)
    with pytest.raises(ccxt.RateLimitExceeded):
        exchange.privatePostTradeCancelBatchOrders(ids)


@pytest.mark.parametrize('body', ['{}', '[]', '[1]', json.dumps([{}] * 21)])
def test_sloppy_batch_is_refused(simulator, body):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    exchange.json = lambda value: body
    with pytest.raises(ccxt.BaseError, match=r'50002|51000'):
        exchange.privatePostTradeCancelBatchOrders([{'instId': 'x', 'ordId': '1'}])


@pytest.mark.parametrize(
    ('changed', 'code'),
    [
        ({'instId': 'BTC-USD-1-1-C'}, '51001'),
        ({'instId': ''}, '50014'),
        ({'ordType': 'market'}, '51000'),
        ({'tdMode': 'cash'}, '51000'),
        ({'tdMode': 'isolated', 'ordType': 'mmp'}, '51042'),
        ({'side': 'hold'}, '51000'),
        ({'sz': '0'}, '51000'),
        ({'sz': '1.5'}, '51000'),
        ({'px': 'x'}, '51000'),
    ],
)
def test_sloppy_order_is_refused(simulator, changed, code):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    option = simulator.rest('okx', 'BTC-USD', mmp=False).instrument.instrument_id
    order = {'instId': option, 'tdMode': 'cross', 'side': 'buy', 'ordType': 'limit', 'sz': '1', 'px': '1'}
    assert exchange.privatePostTradeOrder(order)['code'] == '0'
    with pytest.raises(ccxt.BaseError, match=code):
        exchange.privatePostTradeOrder({**order, **changed})


def test_parameters_that_okx_does_not_know_are_reported(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    exchange.reset_mmp('BTC/USD', {'stray': 'x'})
    exchange.reset_mmp('BTC/USD')
    assert [request.unknown for request in simulator.requests] == [('stray',), ()]


def test_key_without_the_permission_is_refused(simulator):
    account = simulator.add_account('reader', 'readers-secret')
    account.permissions = {'read'}
    exchange = simulator.connect(ccxt_mmp.okx, account, enableRateLimit=False)
    assert exchange.fetch_mmp('BTC/USD')['enabled'] is False
    with pytest.raises(ccxt.ExchangeError, match='50120'):
        exchange.reset_mmp('BTC/USD')


# --- the control side


def control(simulator, command, body=None, *, content_type='application/json', host=None):
    headers = {'Content-Type': content_type, **({'Host': host} if host else {})}
    data = None if body is None else json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(f'{simulator.url}/_control/{command}', data, headers)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer), answer.headers


def test_a_bot_in_another_process_can_be_led_through_a_freeze(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    exchange.set_mmp('BTC/USD', 5000, 2000, 10)
    order = simulator.rest('okx', 'BTC-USD', mmp=True, quantity='10')

    def frozen():
        return exchange.fetch_mmp('BTC/USD')['frozen']

    assert control(simulator, 'fill', {'order_id': order.order_id, 'quantity': '9'})[0] == 200
    assert not frozen()
    assert control(simulator, 'fill', {'order_id': order.order_id})[0] == 200
    assert frozen()
    assert control(simulator, 'advance', {'milliseconds': 2000})[0] == 200
    assert not frozen()
    assert control(simulator, 'trip', {'venue': 'okx', 'underlying': 'BTC-USD'})[0] == 200
    assert frozen()
    assert control(simulator, 'privilege', {'granted': False})[0] == 200
    with pytest.raises(ccxt_mmp.MmpNotEnabled):
        exchange.reset_mmp('BTC/USD')
    assert control(simulator, 'fault', {'kind': 'status', 'path': 'mass-cancel', 'status': 503, 'times': 3})[0] == 200
    with pytest.raises(ccxt.ExchangeNotAvailable):
        exchange.mass_cancel_mmp('BTC/USD')
    status, answer, _ = control(simulator, 'requests')
    assert status == 200
    assert answer['requests'][-1]['path'] == '/api/v5/trade/mass-cancel'
    assert answer['requests'][-1]['status'] == 503
    assert control(simulator, 'clear', {})[1]['done'] == 'clear'
    assert control(simulator, 'requests')[1] == {'requests': []}
    assert exchange.fetch_mmp('BTC/USD')['enabled'] is False


def test_weight_and_latency_are_set_from_outside(simulator):
    assert control(simulator, 'use_weight', {'weight': 1800})[0] == 200
    assert control(simulator, 'latency', {'milliseconds': 50})[0] == 200
    assert (simulator.used_weight, simulator.latency) == (1800, 50)


def test_block_trades_trip_their_protection(simulator):
    simulator.set_rule('okx', None, ccxt_mmp.simulator.Rule(5000, 0, count_limit='3'))
    assert control(simulator, 'execute_block_trades', {'attempts': 2})[0] == 200
    assert not simulator.protection('okx').is_frozen(simulator.now())
    simulator.execute_block_trades()
    assert simulator.protection('okx').is_frozen(simulator.now())


@pytest.mark.parametrize(
    ('command', 'body', 'said'),
    [
        ('fill', {'order_id': '1'}, 'no order 1'),
        ('fill', {}, 'order_id'),
        ('fill', b'[]', 'JSON object'),
        ('fill', b'{', 'Expecting'),
        ('advance', {'milliseconds': -1}, 'time goes forward'),
        ('advance', {'milliseconds': 0.5}, 'whole milliseconds'),
        ('advance', b'{"milliseconds": NaN}', 'whole milliseconds'),
        ('privilege', {'granted': 'false'}, 'neither'),
        ('execute_block_trades', {'attempts': -5}, 'at least 1'),
        ('fault', {'kind': 'delay', 'times': 'x'}, 'times of a fault'),
        ('fault', {'kind': 'delay', 'times': 0}, 'times of a fault'),
        ('fault', {'kind': 'delay', 'path': 5}, 'text'),
        ('fault', {'kind': 'delay', 'milliseconds': 'x'}, 'milliseconds of a fault'),
        ('fault', {'kind': 'status', 'status': 99}, 'status of a fault'),
        ('fault', {'kind': 'status', 'retry_after': 'a\r\nb'}, 'retry_after of a fault'),
        ('refuse_cancel', {'order_id': '1'}, 'no order 1'),
        ('allow_cancel', {'order_id': '1'}, 'no order 1'),
        ('use_weight', {'weight': -1}, 'at least 1'),
        ('latency', {'milliseconds': '5'}, 'a latency is an integer'),
        ('clear', b'[' * 100_000, 'nested too deeply'),
        ('advance', {'hours': 1}, 'hours'),
        ('fault', {'kind': 'earthquake'}, 'a fault is one of'),
        ('trip', {'venue': 'okx', 'underlying': 'BTC-USD'}, 'no rule'),
    ],
)
def test_wrong_command_is_refused_and_says_why(simulator, command, body, said):
    status, answer, _ = control(simulator, command, body)
    assert status == 400
    assert said in answer['error']


def test_wrong_fill_is_refused_and_fills_nothing(simulator):
    simulator.set_rule('okx', 'BTC-USD')
    order = simulator.rest('okx', 'BTC-USD', mmp=True)
    for wrong in ({'quantity': 'x'}, {'quantity': '11'}, {'quantity': 'NaN'}, {'delta': 'NaN'}, {'delta': 'Infinity'}):
        assert control(simulator, 'fill', {'order_id': order.order_id, **wrong})[0] == 400
    assert order.filled == 0
    assert not simulator.protection('okx', 'BTC-USD').fills


@pytest.mark.parametrize('command', ['explode', '', 'close'])
def test_unknown_command_is_not_found(simulator, command):
    status, answer, _ = control(simulator, command, {})
    assert status == 404
    assert 'POST fill' in answer['error']


@pytest.mark.parametrize('content_type', ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
def test_page_in_a_browser_cannot_command(simulator, content_type):
    """These are the content types that a page may send to another origin without asking."""
    simulator.rest('okx', 'BTC-USD', mmp=True)
    assert control(simulator, 'clear', {}, content_type=content_type)[0] == 415
    assert len(simulator.resting('okx', 'BTC-USD')) == 1
    request = urllib.request.Request(f'{simulator.url}/_control/clear', method='OPTIONS')  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match='404') as caught:
        urllib.request.urlopen(request)  # noqa: S310
    with caught.value as answer:
        assert not [name for name in answer.headers if name.lower().startswith('access-control')]


@pytest.mark.parametrize('host', ['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1'])
@pytest.mark.parametrize('path', ['_control/requests', 'eapi/v1/time'])
def test_another_host_name_is_refused(simulator, host, path):
    request = urllib.request.Request(f'{simulator.url}/{path}', headers={'Host': host})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match='403') as caught:
        urllib.request.urlopen(request)  # noqa: S310
    caught.value.close()


def test_localhost_is_another_name_of_it(simulator):
    request = urllib.request.Request(f'{simulator.url}/eapi/v1/time')  # noqa: S310
    request.add_header('Host', simulator.url.replace('http://127.0.0.1', 'localhost'))
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert answer.status == 200


@pytest.mark.block_network(allowed_hosts=['127.0.0.2'])
def test_it_listens_on_one_loopback_address_alone(simulator):
    port = int(simulator.url.rpartition(':')[2])
    with pytest.raises(OSError, match='Connection refused'):
        socket.create_connection(('127.0.0.2', port), timeout=1)


def test_large_body_is_refused(simulator):
    request = urllib.request.Request(f'{simulator.url}/eapi/v1/order', b'x' * (1024**2 + 1))  # noqa: S310
    with pytest.raises((urllib.error.HTTPError, OSError)) as caught:
        urllib.request.urlopen(request)  # noqa: S310
    if isinstance(caught.value, urllib.error.HTTPError):
        assert caught.value.code == 413
        caught.value.close()
    assert simulator.requests == []


# --- life


def test_error_of_the_simulator_fails_the_test_that_caused_it():
    def provoke():
        with Simulator() as simulator:
            exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
            simulator._engine.mass_cancel = None
            with pytest.raises(ccxt.BaseError, match='the simulator failed'):
                exchange.mass_cancel_mmp('BTC/USD')
            assert {request.status for request in simulator.requests} == {500}

    with pytest.raises(TypeError, match='NoneType'):
        provoke()


def test_error_of_the_test_is_not_hidden_by_one_of_the_simulator():
    def fail():
        with Simulator() as simulator:
            simulator.errors.append(TypeError('its'))
            raise KeyError('mine')

    with pytest.raises(KeyError, match='mine'):
        fail()


def test_advancing_the_clock_moves_the_clock_of_connected_exchanges(simulator):
    exchange = simulator.connect(ccxt_mmp.binance, enableRateLimit=False)
    exchange.set_mmp('BTC/USDT', 3000, 300_000, 2, '2.3')
    simulator.trip('binance', 'BTCUSDT')
    assert exchange.fetch_mmp('BTC/USDT')['frozen'] is True
    simulator.advance(300_000)
    assert exchange.fetch_mmp('BTC/USDT')['frozen'] is False


def test_client_whose_clock_did_not_advance_is_still_answered(flavour, simulator):
    simulator.advance(3_600_000)
    for exchange_id, underlying in (('okx', 'BTC/USD'), ('binance', 'BTC/USDT')):
        exchange = flavour.exchange(exchange_id, simulator.url)
        assert flavour.take(exchange.fetch_mmp(underlying))['enabled'] is False


def test_several_clients_at_once(simulator):
    exchanges = [simulator.connect(ccxt_mmp.binance, enableRateLimit=False) for _ in range(8)]
    failures = []

    def work(exchange):
        try:
            for _ in range(10):
                exchange.fetch_mmp('BTC/USDT')
        except ccxt.BaseError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(exchange,)) for exchange in exchanges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(simulator.requests) == 80


def test_error_around_the_venues_fails_the_test_too(simulator):
    simulator._next_fault = None
    with pytest.raises(urllib.error.HTTPError, match='500') as caught:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time')  # noqa: S310
    caught.value.close()
    with pytest.raises(TypeError):
        simulator.check()
    simulator.errors.clear()


def test_started_twice_serves_once(simulator):
    url = simulator.url
    assert simulator.start() is simulator
    assert simulator.url == url


@pytest.mark.parametrize('port', [99_999, -1])
def test_port_that_does_not_exist_is_an_error_of_the_caller(port):
    simulator = Simulator(port=port)
    with pytest.raises(OverflowError):
        simulator.start()
    simulator.close()


def test_first_answer_takes_less_than_half_a_second_of_work():
    started = time.process_time()
    with Simulator() as simulator:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time').close()  # noqa: S310
        assert time.process_time() - started < 0.5


def test_10000_requests_of_50_concurrent_clients_without_an_error_or_a_leak():
    requests, clients = 10_000, 50

    def held():
        gc.collect()
        return threading.active_count(), len(list(Path('/dev/fd').iterdir()))

    threads, descriptors = held()

    async def client(session, simulator):
        for number in range(requests // clients):
            path = '/api/v5/public/time' if number % 2 else '/eapi/v1/time'
            async with session.get(simulator.url + path) as answer:
                assert answer.status == 200
                await answer.json()

    async def main(simulator):
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(client(session, simulator) for _ in range(clients)))

    with Simulator(enforce_limits=False) as simulator:
        asyncio.run(main(simulator))
        assert [request.status for request in simulator.requests] == [200] * requests
    threads_after, descriptors_after = held()
    assert threads_after <= threads
    assert descriptors_after <= descriptors


@pytest.fixture
def moving():
    """A simulator whose clock is moved from outside, as the system's is, and what moves it."""
    times = [1_700_000_000_000]
    with Simulator(clock=lambda: times[0]) as simulator:
        yield simulator, lambda milliseconds: times.__setitem__(0, times[0] + milliseconds)


@pytest.mark.parametrize('look', ['control', 'wire'])
def test_countdown_fires_by_the_passing_of_time_alone(moving, look):
    simulator, pass_time = moving
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    order = simulator.rest('okx', 'BTC-USD', mmp=False)
    exchange.privatePostTradeCancelAllAfter({'timeOut': '10'})
    pass_time(10_000)
    if look == 'control':
        with pytest.raises(ValueError, match='cannot be filled'):
            simulator.fill(order.order_id)
        assert simulator.resting('okx', 'BTC-USD') == []
    else:
        assert exchange.privateGetTradeOrdersPending()['data'] == []


def test_clear_ends_countdowns(moving):
    simulator, pass_time = moving
    simulator.connect(ccxt_mmp.okx, enableRateLimit=False).privatePostTradeCancelAllAfter({'timeOut': '10'})
    simulator.clear()
    order = simulator.rest('okx', 'BTC-USD', mmp=False)
    pass_time(10_000)
    assert simulator.resting('okx', 'BTC-USD') == [order]


def test_expired_options_are_neither_listed_nor_traded(moving):
    simulator, pass_time = moving
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    binance = simulator.connect(ccxt_mmp.binance, enableRateLimit=False)
    expiring = simulator.rest('okx', 'BTC-USD', mmp=False).instrument
    pass_time(expiring.expiry - simulator.now())
    listed = exchange.publicGetPublicInstruments({'instType': 'OPTION'})['data']
    assert expiring.instrument_id not in {option['instId'] for option in listed}
    assert len(listed) == 3 * 126
    assert len(binance.eapiPublicGetExchangeInfo()['optionSymbols']) == 2 * 126
    assert simulator.rest('okx', 'BTC-USD', mmp=False).instrument.expiry > expiring.expiry
    order = {'tdMode': 'cross', 'side': 'buy', 'ordType': 'limit', 'sz': '1', 'px': '1'}
    with pytest.raises(ccxt.BaseError, match='51027'):
        exchange.privatePostTradeOrder({'instId': expiring.instrument_id, **order})


def test_parameters_that_okx_does_not_know_are_reported_of_refused_requests_too(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    with pytest.raises(ccxt.BadRequest):
        exchange.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': 'XYZ', 'stray': 'x'})
    assert simulator.requests[-1].unknown == ('stray',)


def test_okx_reset_is_of_options_and_counts_are_integers(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    with pytest.raises(ccxt.BadRequest, match='instType'):
        exchange.reset_mmp('BTC/USD', {'instType': 'SWAP'})
    rule = {'timeInterval': '5', 'frozenInterval': '5'}
    with pytest.raises(ccxt.BadRequest, match='countLimit'):
        exchange.privatePostRfqMmpConfig({**rule, 'countLimit': '1.5'})
    simulator.clear()
    with pytest.raises(ccxt.BadRequest, match='countLimit'):
        exchange.privatePostRfqMmpConfig({**rule, 'countLimit': '0'})


def test_signature_is_of_the_raw_bytes(simulator):
    """Also where they are no text: the signature is right, the JSON is not."""
    timestamp = simulator.connect(ccxt.okx).iso8601(simulator.now())
    body = b'{"instFamily":"\xff"}'
    prehash = f'{timestamp}POST/api/v5/account/mmp-reset'.encode() + body
    digest = hmac.new(SECRET.encode(), prehash, hashlib.sha256).digest()

    def code(signature):
        headers = {
            'OK-ACCESS-KEY': KEY,
            'OK-ACCESS-PASSPHRASE': PASSPHRASE,
            'OK-ACCESS-TIMESTAMP': timestamp,
            'OK-ACCESS-SIGN': signature,
        }
        request = urllib.request.Request(f'{simulator.url}/api/v5/account/mmp-reset', body, headers)  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)  # noqa: S310
        with caught.value as answer:
            return json.load(answer)['code']

    assert code(base64.b64encode(digest).decode()) == '51000'
    assert code('é') == '50113'


@pytest.mark.parametrize('body', ['[' * 100_000, '{"instFamily":"BTC-USD","timeInterval":"' + '1' * 5000 + '"}'])
def test_monstrous_body_is_refused(simulator, body):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    exchange.json = lambda value: body
    with pytest.raises(ccxt.BaseError, match=r'50002|51000'):
        exchange.privatePostAccountMmpConfig({'instFamily': 'BTC-USD'})


def test_monstrous_quantity_is_refused(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    option = simulator.rest('okx', 'BTC-USD', mmp=False).instrument.instrument_id
    order = {'instId': option, 'tdMode': 'cross', 'side': 'buy', 'ordType': 'limit', 'sz': '1' + '0' * 30, 'px': '1'}
    with pytest.raises(ccxt.BadRequest, match='sz'):
        exchange.privatePostTradeOrder(order)


def test_unknown_trigger_is_an_error():
    with pytest.raises(ValueError, match='trigger is one of reach, exceed, not sometimes'):
        Simulator(trigger='sometimes')


def test_unknown_order_is_an_error(simulator):
    with pytest.raises(KeyError, match='no order 5'):
        simulator.fill('5')


def test_configured_market_types_are_kept_and_only_options_are_listed(simulator):
    types = ['spot', 'linear', 'inverse', 'option']
    exchange = simulator.connect(ccxt.binance, enableRateLimit=False, options={'fetchMarkets': types})
    assert exchange.options['fetchMarkets'] == types
    exchange.load_markets()
    assert {market['type'] for market in exchange.markets.values()} == {'option'}


def test_any_order_can_be_filled(simulator):
    another = simulator.add_account('another', 'another-secret')
    orders = [simulator.rest('okx', 'BTC-USD', mmp=True, account=account) for account in (None, None, another)]
    for order in orders:
        simulator.fill(order.order_id, 1)
        assert order.filled == 1
        assert simulator.order(order.order_id) is order
