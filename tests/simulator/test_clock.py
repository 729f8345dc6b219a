"""The exchanges' clock: set forward, or moved from outside as the system's is."""

import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.simulator import Simulator


@pytest.fixture
def moving():
    """A simulator whose clock is moved from outside, as the system's is, and what moves it."""
    times = [1_700_000_000_000]
    with Simulator(clock=lambda: times[0]) as simulator:
        yield simulator, lambda milliseconds: times.__setitem__(0, times[0] + milliseconds)


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
