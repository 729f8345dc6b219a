"""``load_markets()`` with ccxt's own settings: what the simulator lets a bot do is what production does."""

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro

STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
OURS = {'sync': ccxt_mmp, 'async': ccxt_mmp.async_support, 'pro': ccxt_mmp.pro}


def connected(flavour, simulator, modules, exchange_id, **config):
    exchange = simulator.connect(getattr(modules[flavour.name], exchange_id), enableRateLimit=False, **config)
    exchange.timeout_on_exit = 0
    flavour.opened.append(exchange)
    return exchange


@pytest.mark.parametrize('modules', [STOCK, OURS], ids=['stock', 'ours'])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])
@pytest.mark.parametrize('credentials', [{}, {'apiKey': None, 'secret': None, 'password': None}], ids=['key', 'no key'])
def test_markets_load_as_in_production(flavour, simulator, modules, exchange_id, credentials):
    """Options of OKX and Bybit, none of Binance, where ccxt loads them only if it is told to."""
    exchange = connected(flavour, simulator, modules, exchange_id, **credentials)
    flavour.take(exchange.load_markets())
    types = {market['type'] for market in exchange.markets.values()}
    assert types == {'okx': {'option'}, 'binance': set(), 'bybit': {'option'}}[exchange_id]
    assert {request.status for request in simulator.requests} == {200}


@pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])
def test_balance_is_fetched_with_default_markets(flavour, simulator, exchange_id):
    exchange = connected(flavour, simulator, STOCK, exchange_id)
    assert flavour.take(exchange.fetch_balance())['BTC']['free'] == 10


@pytest.mark.parametrize('types', [['option'], ['spot', 'linear', 'inverse', 'option']])
def test_options_of_binance_load_for_who_asks_for_them(flavour, simulator, types):
    exchange = connected(flavour, simulator, OURS, 'binance', options={'fetchMarkets': types})
    flavour.take(exchange.load_markets())
    assert {market['type'] for market in exchange.markets.values()} == {'option'}


def test_lists_of_margin_pairs_are_there_and_empty(flavour, simulator):
    exchange = connected(flavour, simulator, STOCK, 'binance', options={'fetchMargins': True})
    flavour.take(exchange.load_markets())
    paths = {request.path for request in simulator.requests}
    assert {'/sapi/v1/margin/allPairs', '/sapi/v1/margin/isolated/allPairs'} <= paths


@pytest.mark.parametrize('kind', ['SPOT', 'MARGIN', 'SWAP', 'FUTURES'])
def test_lists_of_other_instruments_of_okx_are_there_and_empty(simulator, kind):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    assert exchange.publicGetPublicInstruments({'instType': kind})['data'] == []


@pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])
def test_connect_changes_addresses_credentials_and_clock_alone(simulator, exchange_id):
    stock, connected = getattr(ccxt, exchange_id)(), simulator.connect(getattr(ccxt, exchange_id))
    # but for what is new in each object
    changed = {
        name
        for name in {*vars(stock), *vars(connected)}
        if name not in ('session', 'throttler', 'tokenBucket', 'lock', 'origin')
        and getattr(stock, name, None) != getattr(connected, name, None)
    }
    assert changed == {'apiKey', 'secret', 'password', 'urls', 'milliseconds'}
