"""Options that are listed beside the grid, and orders of them."""

import time

import ccxt
import pytest

from tests.simulator.test_binance_wire import call, refused
from tests.trading import WITH_OPTIONS

DOM = {'base': 'BTCDOM', 'settle': 'USDT', 'strikes': [100, '102.5']}
USDC = {'base': 'BTC', 'settle': 'USDC', 'strikes': range(61_000, 65_000, 1_000)}
MORE = {'base': 'BTC', 'settle': 'USDT', 'strikes': range(200_000, 210_000, 1_000)}
SOL = {'base': 'SOL', 'settle': 'SOL', 'strikes': [100]}


def contracts(simulator):
    """Of exchangeInfo: what it says of the underlyings."""
    _, _, information = call(simulator, 'GET', 'exchangeInfo')
    names = ('underlying', 'baseAsset', 'quoteAsset', 'settleAsset', 'id')
    return [tuple(each[name] for name in names) for each in information['optionContracts']], information


def test_new_underlying_is_listed_over_the_expiries_of_the_others(simulator):
    ids = simulator.list_options('binance', 'BTCDOMUSDT', **DOM)
    assert ids == simulator.instruments('binance', 'BTCDOMUSDT')
    dates = {each.split('-')[1] for each in simulator.instruments('binance', 'BTCUSDT')}
    assert len(dates) == 4
    assert set(ids) == {
        f'BTCDOM-{date}-{strike}-{side}' for date in dates for strike in ('100', '102.5') for side in 'CP'
    }


def test_expiries_are_those_of_the_others_also_when_time_has_passed(simulator):
    simulator.advance(10 * 86_400_000)
    simulator.list_options('binance', 'BTCDOMUSDT', **DOM)
    dates, others = (
        {each.split('-')[1] for each in simulator.instruments('binance', underlying)}
        for underlying in ('BTCDOMUSDT', 'BTCUSDT')
    )
    assert dates == others


def test_binance_names_what_is_listed(simulator):
    assert contracts(simulator)[0] == [
        ('BTCUSDT', 'BTC', 'USDT', 'USDT', 2),
        ('ETHUSDT', 'ETH', 'USDT', 'USDT', 1),
    ]
    simulator.list_options('binance', 'BTCDOMUSDT', **DOM)
    [usdc, *_] = simulator.list_options('binance', 'BTCUSDC', **USDC)
    listed, information = contracts(simulator)
    assert listed[2:] == [
        ('BTCDOMUSDT', 'BTCDOM', 'USDT', 'USDT', 3),
        ('BTCUSDC', 'BTC', 'USDC', 'USDC', 4),
    ]
    assert [asset['name'] for asset in information['optionAssets']] == ['USDT', 'USDC']
    [option] = [each for each in information['optionSymbols'] if each['symbol'] == usdc]
    assert (option['underlying'], option['quoteAsset'], option['contractId']) == ('BTCUSDC', 'USDC', 4)


def test_ccxt_knows_what_is_listed(simulator):
    simulator.list_options('binance', 'BTCDOMUSDT', **DOM)
    [usdc, *_] = simulator.list_options('binance', 'BTCUSDC', **USDC)
    exchange = simulator.connect(ccxt.binance, enableRateLimit=False, options=WITH_OPTIONS)
    exchange.load_markets()
    date = usdc.split('-')[1]
    option = exchange.market(f'BTCDOM/USDT:USDT-{date}-102.5-P')
    assert (option['id'], option['strike']) == (f'BTCDOM-{date}-102.5-P', 102.5)
    assert exchange.market(f'BTC/USDC:USDC-{date}-61000-C')['id'] == usdc


@pytest.mark.parametrize(('underlying', 'terms'), [('BTCDOMUSDT', DOM), ('BTCUSDC', USDC)])
def test_binance_protects_and_cancels_a_new_underlying(simulator, underlying, terms):
    rule = {'windowTimeInMilliseconds': 3000, 'frozenTimeInMilliseconds': 0, 'qtyLimit': 2, 'deltaLimit': 2}
    assert refused(simulator, 'POST', 'mmpSet', underlying=underlying, **rule) == -6003
    simulator.list_options('binance', underlying, **terms)
    assert call(simulator, 'POST', 'mmpSet', underlying=underlying, **rule)[2]['underlyingId'] == 3
    gone, kept = simulator.rest('binance', underlying, mmp=True), simulator.rest('binance', 'BTCUSDT', mmp=True)
    call(simulator, 'DELETE', 'allOpenOrdersByUnderlying', underlying=underlying)
    assert [gone.is_open, kept.is_open] == [False, True]


def test_okx_protects_a_new_family(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    with pytest.raises(ccxt.BadRequest, match='instFamily'):
        exchange.privatePostAccountMmpReset({'instFamily': 'SOL-USD'})
    simulator.list_options('okx', 'SOL-USD', **SOL)
    simulator.set_rule('okx', 'SOL-USD')
    assert [row['instFamily'] for row in exchange.privateGetAccountMmpConfig()['data']] == ['SOL-USD']
    order = simulator.rest('okx', 'SOL-USD', mmp=True)
    assert order.instrument.instrument_id.startswith('SOL-USD-')
    exchange.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': 'SOL-USD'})
    assert not order.is_open


def test_listed_underlying_gets_more_strikes(simulator):
    before = simulator.instruments('binance', 'BTCUSDT')
    added = simulator.list_options('binance', 'BTCUSDT', **MORE)
    assert simulator.instruments('binance', 'BTCUSDT') == before + added
    assert len(before + added) == 168 + 80
    assert len(contracts(simulator)[0]) == 2


@pytest.mark.parametrize(
    ('venue', 'underlying', 'changed', 'said'),
    [
        ('binance', 'BTCUSDC', {'strikes': [61_500, 60_000]}, r'BTC-\d+-60000-C is listed already'),
        ('binance', 'BTCDOMUSDT', {'base': 'BTCDOM', 'strikes': [7, 7]}, r'BTCDOM-\d+-7-C is listed already'),
        ('binance', 'BTCUSDT', {}, 'BTCUSDT of binance is of BTC and USDT, not BTC and USDC'),
        ('binance', 'BTCUSDC', {'strikes': [61_000, 0]}, 'a plain number above 0, not 0'),
        ('kraken', 'BTCUSDC', {}, 'a venue is one of okx, binance, deribit, bybit, not kraken'),
    ],
)
def test_wrong_series_is_refused_and_lists_nothing(simulator, venue, underlying, changed, said):
    _, before = contracts(simulator)
    with pytest.raises(ValueError, match=said):
        simulator.list_options(venue, underlying, **{**USDC, **changed})
    after = contracts(simulator)[1]
    assert after['optionSymbols'] == before['optionSymbols']
    assert after['optionContracts'] == before['optionContracts']


def test_listed_options_stay_after_a_clearing(simulator):
    ids = simulator.list_options('okx', 'SOL-USD', **SOL)
    simulator.clear()
    assert simulator.instruments('okx', 'SOL-USD') == ids


def test_instruments_are_those_that_have_not_expired(simulator):
    before = simulator.instruments('okx', 'BTC-USD')
    first = simulator.rest('okx', 'BTC-USD', mmp=True).instrument
    simulator.advance(first.expiry - simulator.now())
    assert simulator.instruments('okx', 'BTC-USD') == before[42:]
    with pytest.raises(ValueError, match='binance lists no option of BTC-USD'):
        simulator.instruments('binance', 'BTC-USD')


def test_order_rests_of_the_option_that_is_asked_for(simulator):
    ids = simulator.instruments('okx', 'BTC-USD')
    assert simulator.rest('okx', 'BTC-USD', mmp=True).instrument.instrument_id == ids[0]
    order = simulator.rest('okx', 'BTC-USD', mmp=True, symbol=ids[50])
    assert order.instrument.instrument_id == ids[50]
    assert simulator.resting('okx', 'BTC-USD')[1] is order
    with pytest.raises(ValueError, match=f'okx lists no option {ids[50]} of ETH-USD'):
        simulator.rest('okx', 'ETH-USD', mmp=True, symbol=ids[50])


def test_400_orders_rest_at_once(simulator):
    simulator.list_options('binance', 'BTCUSDT', **{**MORE, 'strikes': range(200_000, 230_000, 1_000)})
    ids = simulator.instruments('binance', 'BTCUSDT')[:400]
    started = time.process_time()
    for symbol in ids:
        simulator.rest('binance', 'BTCUSDT', mmp=True, symbol=symbol)
    assert time.process_time() - started < 1
    assert [order.instrument.instrument_id for order in simulator.resting('binance', 'BTCUSDT')] == ids
    assert len(ids) == 400
