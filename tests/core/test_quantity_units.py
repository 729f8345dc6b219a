"""qtyLimit in coins: one number on all exchanges, exact or refused."""

from decimal import Decimal

import ccxt
import pytest

from tests.rows import rows
from tests.trading import UNIFIED


def option(family, **info):
    option_id = f'{family}-260327-100000-C'
    market = {'id': option_id, 'symbol': option_id, 'option': True, 'info': {'instFamily': family, **info}}
    return {option_id: market}


def set_in_coins(flavour, exchange, coins, underlying=None, **params):
    delta = None if exchange.id == 'okx' else 1
    rule = (3000, 2000, coins, delta, {'qtyUnit': 'base', **params})
    return flavour.take(exchange.set_mmp(underlying or UNIFIED[exchange.id], *rule))


def sent_limit(simulator):
    request = simulator.requests[-1]
    return request.body.partition('qtyLimit')[2].lstrip('":=').split('"')[0].split('&')[0]


@pytest.mark.parametrize('coins', [2, '2', 2.0, Decimal(2), '2.00'])
@pytest.mark.parametrize(('exchange_id', 'sent'), [('okx', '200'), ('binance', '2')])
def test_one_number_of_coins_is_the_same_rule_everywhere(flavour, simulator, exchange_id, sent, coins):
    exchange = flavour.exchange(exchange_id, simulator.url)
    state = set_in_coins(flavour, exchange, coins)
    assert sent_limit(simulator) == sent
    assert (state['qtyLimit'], state['qtyLimitBase']) == (float(sent), 2.0)
    assert 'qtyUnit' not in simulator.requests[-1].body


@rows('unit', [{}, {'qtyUnit': 'contracts'}, {'qtyUnit': None}])
@rows('exchange_id', ['okx', 'binance'])
def test_contracts_are_sent_as_they_are(flavour, simulator, exchange_id, unit):
    exchange = flavour.exchange(exchange_id, simulator.url)
    delta = None if exchange_id == 'okx' else 1
    flavour.take(exchange.set_mmp(UNIFIED[exchange_id], 3000, 2000, 20, delta, unit))
    assert sent_limit(simulator) == '20'
    state = flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    assert state['qtyLimitBase'] == {'okx': 0.2, 'binance': 20}[exchange_id]


def test_unit_comes_from_options_too(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url, options={'setMmp': {'qtyUnit': 'base'}})
    flavour.take(exchange.set_mmp('BTC/USD', 3000, 2000, '0.3'))
    assert sent_limit(simulator) == '30'
    # block trading has no quantity
    flavour.take(exchange.set_mmp(None, 5000, 2000, params={'scope': 'rfq', 'countLimit': 3}))


@rows(('coins', 'contracts'), [('0.01', '1'), ('0.3', '30'), (0.07, '7'), ('90071992547409.92', '9007199254740992')])
def test_division_is_exact(flavour, canned, coins, contracts):
    """0.3 / 0.01 and 0.07 / 0.01 are 30 and 7 whatever floats say."""
    canned.answer('{}')
    exchange = flavour.exchange('okx', canned.url)
    with pytest.raises(ccxt.BaseError):
        set_in_coins(flavour, exchange, coins)
    [request] = canned.received()
    assert request.get_json()['qtyLimit'] == contracts


@rows('coins', ['0.005', '0.015', 0.001, '1.0000000000000000000001', '90071992547409.93', 0, -1, 'x'])
def test_coins_that_are_no_whole_number_of_contracts_are_refused(flavour, coins):
    with pytest.raises(ccxt.BadRequest, match='qtyLimit'):
        set_in_coins(flavour, flavour.exchange('okx'), coins)  # which is nowhere


def test_loaded_market_says_the_size_first(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    exchange.markets = {
        'BTC/USDT': {'option': False, 'info': {'instFamily': 'BTC-USD', 'ctVal': '9', 'ctMult': '9'}},
        'expired': {'option': True, 'info': None},
        **option('ETH-USD', ctVal='1', ctMult='0.7'),
        **option('BTC-USD', ctVal='0.1', ctMult='0.5', ctValCcy='BTC'),
    }
    assert set_in_coins(flavour, exchange, '0.2')['qtyLimit'] == 4
    assert flavour.take(exchange.fetch_mmp('BTC/USD'))['qtyLimitBase'] == 0.2


@pytest.mark.parametrize(
    'info', [{}, {'ctVal': '1'}, {'ctVal': 'x', 'ctMult': '1'}, {'ctVal': '1', 'ctMult': '5', 'ctValCcy': 'USD'}]
)
def test_market_that_does_not_say_leaves_it_to_the_documented_sizes(flavour, simulator, info):
    exchange = flavour.exchange('okx', simulator.url)
    exchange.markets = option('BTC-USD', **info)
    assert set_in_coins(flavour, exchange, '0.2')['qtyLimit'] == 20


def test_real_markets_say_the_documented_sizes(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    flavour.take(exchange.load_markets())
    exchange.options['mmpContractSizes'] = {}
    assert set_in_coins(flavour, exchange, 2)['qtyLimit'] == 200
    assert set_in_coins(flavour, exchange, 2, 'ETH/USD')['qtyLimit'] == 20


@rows('sizes', [{}, {'SOL-USD_UM': 'x'}, {'SOL-USD_UM': 0}, {'SOL-USD_UM': -1}, None, []])
def test_size_that_nobody_says_is_asked_for(flavour, sizes):
    exchange = flavour.exchange('okx')  # which is nowhere
    exchange.options['mmpContractSizes'] = sizes
    with pytest.raises(ccxt.ArgumentsRequired, match=r"load the markets or set options\['mmpContractSizes'\]"):
        set_in_coins(flavour, exchange, 1, 'SOL/USD:USD')


def test_size_in_options_is_taken(flavour, canned):
    canned.answer('{}')
    exchange = flavour.exchange('okx', canned.url, options={'mmpContractSizes': {'SOL-USD_UM': 0.5}})
    with pytest.raises(ccxt.BaseError):
        set_in_coins(flavour, exchange, 7, 'SOL/USD:USD')
    assert canned.received()[0].get_json()['qtyLimit'] == '14'
    assert exchange.options['mmpContractSizes']['BTC-USD'] == '0.01'


def test_size_that_is_not_known_leaves_the_coins_unknown(flavour, canned):
    rule = '{"instFamily":"SOL-USD_UM","timeInterval":"5000","frozenInterval":"0","qtyLimit":"10","mmpFrozen":false}'
    canned.answer(f'{{"code":"0","msg":"","data":[{rule}]}}')
    state = flavour.take(flavour.exchange('okx', canned.url).fetch_mmp('SOL/USD:USD'))
    assert (state['qtyLimit'], state['qtyLimitBase']) == (10, None)


def test_limit_in_params_is_in_contracts_and_no_coins(flavour):
    exchange = flavour.exchange('okx')  # which is nowhere
    for coins in (None, 2):
        with pytest.raises(ccxt.BadRequest, match='in contracts'):
            set_in_coins(flavour, exchange, coins, qtyLimit='2')


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_coins_that_are_missing_are_required(flavour, exchange_id):
    with pytest.raises(ccxt.ArgumentsRequired, match='qtyLimit'):
        set_in_coins(flavour, flavour.exchange(exchange_id), None)
