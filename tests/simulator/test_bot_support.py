"""What a whole bot needs besides orders: answers to anything else, sleep by the exchange's clock, and bounds."""

import asyncio
import threading
import time
import urllib.error
import urllib.request

import ccxt
import pytest

from ccxt_mmp.simulator import Simulator
from tests.simulator.commands import control

CONFIG = '/api/v5/account/config'
ANSWER = {'code': '0', 'data': [{'acctLv': '4', 'uid': '44705892343619584'}], 'msg': ''}


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


# --- answers to anything else


@pytest.mark.parametrize('way', ['method', 'control'])
def test_answer_is_given_as_it_is(simulator, way):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    if way == 'method':
        simulator.answer('GET', CONFIG, ANSWER)
    else:
        assert control(simulator, 'answer', {'method': 'GET', 'path': CONFIG, 'body': ANSWER})[0] == 200
    for _ in range(2):
        [account] = exchange.fetch_accounts()
        assert account['type'] == '4'
    assert [(request.path, request.status) for request in simulator.requests] == [(CONFIG, 200)] * 2
    assert simulator.unexpected == []


def test_answer_replaces_what_the_simulator_would_say_until_it_is_cleared(simulator):
    exchange = simulator.connect(ccxt.binance, enableRateLimit=False)
    simulator.answer('GET', '/eapi/v1/mmp', {'code': -5002, 'msg': 'Option user not access'}, status=400)
    with pytest.raises(ccxt.ExchangeError, match='Option user not access'):
        exchange.eapiPrivateGetMmp({'underlying': 'BTCUSDT'})
    simulator.clear()
    with pytest.raises(ccxt.ExchangeError, match='Mmp rules are not existing'):
        exchange.eapiPrivateGetMmp({'underlying': 'BTCUSDT'})


def test_answer_is_of_its_method_and_of_the_time_when_it_was_given(simulator):
    body = {'code': '0', 'data': [], 'msg': ''}
    simulator.answer('GET', CONFIG, body)
    body['code'] = '1'
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    assert exchange.privateGetAccountConfig()['code'] == '0'
    request = urllib.request.Request(simulator.url + CONFIG, b'{}', method='POST')  # noqa: S310 - loopback
    with pytest.raises(urllib.error.HTTPError, match='404') as caught:
        urllib.request.urlopen(request)  # noqa: S310
    caught.value.close()
    [unexpected] = simulator.unexpected
    assert unexpected.method == 'POST'
    simulator.clear()


def test_fault_strikes_an_answer_too(simulator):
    simulator.answer('GET', CONFIG, ANSWER)
    simulator.fault('status', 'account/config', status=503)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        simulator.connect(ccxt.okx, enableRateLimit=False).fetch_accounts()


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('get', CONFIG, {}), 'a method is one of GET'),
        (('GET', 'account/config', {}), 'a path is a whole one'),
        (('GET', '', {}), 'a path is a whole one'),
        (('GET', f'{CONFIG}?a=1', {}), 'a path is a whole one'),
        (('GET', '/_control/clear', {}), 'a path is a whole one'),
        (('GET', None, {}), 'a path is a whole one'),
        (('GET', CONFIG, {}, 99), 'a status is an integer'),
        (('GET', CONFIG, {}, True), 'a status is an integer'),
        (('GET', CONFIG, {1, 2}), 'is JSON'),
    ],
)
def test_wrong_answer_is_refused(simulator, arguments, said):
    with pytest.raises(ValueError, match=said):
        simulator.answer(*arguments)


# --- what it does not know


@pytest.mark.parametrize('unknown', ['fail', 'ignore'])
def test_unknown_request_fails_unless_it_is_to_be_ignored(unknown):
    simulator = Simulator(unknown=unknown)
    with simulator.start():
        with pytest.raises(ccxt.BaseError):
            simulator.connect(ccxt.okx, enableRateLimit=False).privateGetAccountRiskState()
        assert [request.path for request in simulator.unexpected] == ['/api/v5/account/risk-state']
        if unknown == 'fail':
            with pytest.raises(AssertionError, match='does not know: GET /api/v5/account/risk-state'):
                simulator.check()
            simulator.clear()
        simulator.check()


def test_other_word_for_unknown_requests_is_refused():
    with pytest.raises(ValueError, match='unknown is one of fail, ignore'):
        Simulator(unknown='warn')


# --- prices


@pytest.mark.parametrize('price', [0, -1, 'x', float('nan'), float('inf'), True, None, 1e13, '1e5'])
def test_price_that_is_none_is_refused(simulator, price):
    with pytest.raises(ValueError, match='the price of a coin'):
        simulator.set_index('okx', 'BTC/USD', price)


@pytest.mark.parametrize(('venue', 'name', 'said'), [('okxx', 'BTC/USD', 'a venue'), ('okx', 'BCT/USD', 'okx lists')])
def test_price_and_positions_are_of_listed_underlyings(simulator, venue, name, said):
    with pytest.raises(ValueError, match=said):
        simulator.positions(venue, name)
    with pytest.raises(ValueError, match=said):
        simulator.set_index(venue, name, 1)
    status, answer, _ = control(simulator, 'set_index', {'venue': venue, 'underlying': name, 'price': 1})
    assert status == 400
    assert said in answer['error']


# --- the log


def test_log_is_bounded():
    with Simulator(log_size=3, unknown='ignore') as simulator:
        exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
        for _ in range(5):
            exchange.fetch_time()
        exchange.privateGetAccountBalance()
        assert [request.path.rpartition('/')[2] for request in simulator.requests] == ['time', 'time', 'balance']
        for path in ('first', 'second', 'third', 'fourth'):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f'{simulator.url}/{path}')  # noqa: S310 - loopback
            caught.value.close()
        assert [request.path for request in simulator.unexpected] == ['/first', '/second', '/third']


@pytest.mark.parametrize('size', [0, -1, 1.5, None, True])
def test_log_has_some_size(size):
    with pytest.raises(ValueError, match='a size of at least 1'):
        Simulator(log_size=size)


# --- the clock, and who sleeps by it


def test_clock_goes_forward_by_ten_years_in_all(simulator):
    years = 10 * 365 * 86_400_000
    for wrong in (10**30, years + 1):
        with pytest.raises(ValueError, match='by ten years in all'):
            simulator.advance(wrong)
    simulator.advance(years)
    with pytest.raises(ValueError, match='0 ms are left'):
        simulator.advance(1)
    assert control(simulator, 'advance', {'milliseconds': 10**30})[0] == 400
    assert simulator.connect(ccxt.okx, enableRateLimit=False).fetch_time() - time.time() * 1000 > years - 60_000


def sleeper(simulator, kind, seconds):
    """A bot that sleeps in a thread of its own."""

    def sleep():
        if kind == 'async':
            asyncio.run(simulator.async_sleep(seconds))
        else:
            simulator.sleep(seconds)

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize('kind', ['sync', 'async'])
def test_advance_wakes_who_sleeps_long_enough(simulator, kind):
    short, long = (sleeper(simulator, kind, seconds) for seconds in (600, 1200))
    until(lambda: simulator.sleepers == 2)
    simulator.advance(599_000)
    assert simulator.sleepers == 2
    simulator.advance(1_000)
    short.join(10)
    assert not short.is_alive()
    assert long.is_alive()
    assert control(simulator, 'advance', {'milliseconds': 600_000})[0] == 200
    long.join(10)
    assert not long.is_alive()
    assert simulator.sleepers == 0


@pytest.mark.parametrize('kind', ['sync', 'async'])
def test_sleep_ends_by_the_passing_of_time_alone(simulator, kind):
    started = simulator.now()
    sleeper(simulator, kind, 0.05).join(10)
    assert simulator.now() - started >= 50
    assert simulator.sleepers == 0


@pytest.mark.parametrize('seconds', [0, -1])
def test_sleep_of_no_time_lets_others_run(simulator, seconds):
    async def both():
        turns = []

        async def turn(name):
            for _ in range(3):
                turns.append(name)
                await simulator.async_sleep(seconds)

        await asyncio.gather(turn('a'), turn('b'))
        return ''.join(turns)

    assert asyncio.run(both()) == 'ababab'
    simulator.sleep(seconds)


def test_sleep_that_is_cancelled_is_over(simulator):
    async def cancelled():
        task = asyncio.ensure_future(simulator.async_sleep(600))
        while not simulator.sleepers:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert simulator.sleepers == 0

    asyncio.run(cancelled())
    simulator.advance(600_000)  # and wakes nobody


@pytest.mark.parametrize('seconds', ['1', None, float('nan'), float('inf'), True])
def test_sleep_of_no_number_is_refused(simulator, seconds):
    with pytest.raises(ValueError, match='one sleeps some seconds'):
        simulator.sleep(seconds)
    with pytest.raises(ValueError, match='one sleeps some seconds'):
        asyncio.run(simulator.async_sleep(seconds))
