"""What goes wrong on the way, and when answers are late."""

import asyncio
import threading
import time
import urllib.error
import urllib.request

import aiohttp
import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.simulator import Simulator, server
from tests.simulator.commands import control
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


@pytest.mark.parametrize(
    ('exchange_id', 'path'),
    [('okx', 'orders-pending'), ('binance', 'openOrders'), ('deribit', 'get_open_orders'), ('bybit', 'realtime')],
)
def test_result_false_of_a_list_does_not_say_that_nothing_rests(flavour, simulator, exchange_id, path):
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True, client_order_id='mmp-1')
    exchange = flavour.exchange(exchange_id, simulator.url)
    simulator.fault('result_false', path, times=9)
    with pytest.raises(ccxt.OperationFailed):
        flavour.take(
            exchange.mass_cancel_mmp(UNDERLYING[exchange_id], {'emulate': True} if exchange_id == 'okx' else {})
        )
    assert len(simulator.resting(exchange_id, UNDERLYING[exchange_id])) == 1


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


def test_client_that_gives_up_before_its_connection_is_dropped_is_no_error(simulator, monkeypatch):
    has_dropped = threading.Event()
    drop = server._dropped
    monkeypatch.setattr(server, '_dropped', lambda request: (drop(request), has_dropped.set())[0])
    simulator.latency = 200
    simulator.fault('drop_after')
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time', timeout=0.05)  # noqa: S310
    assert has_dropped.wait(10)
    assert simulator.errors == []


def test_unknown_fault_is_an_error(simulator):
    with pytest.raises(ValueError, match='a fault is one of delay, hold, drop_before'):
        simulator.fault('earthquake')
