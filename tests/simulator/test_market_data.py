"""Prices that are made up: ccxt's own classes read them, and they hang together."""

import math
from decimal import Decimal

import pytest

from ccxt_mmp.simulator.pricing import Market, plain
from tests.simulator.engines import new_engine
from tests.simulator.test_examples import call_okx
from tests.simulator.test_markets import STOCK, connected
from tests.trading import load_markets

UNDERLYING = {'okx': 'BTC/USD', 'binance': 'BTC/USDT', 'bybit': 'BTC/USDT'}
NAMES = {'okx': 'BTC-USD', 'binance': 'BTCUSDT', 'bybit': 'BTC'}
DAY = 86_400_000


@pytest.fixture(params=['okx', 'binance', 'bybit'])
def stock(request, flavour, simulator):
    exchange = connected(flavour, simulator, STOCK, request.param, options={'fetchMarkets': ['option']})
    load_markets(flavour, exchange)
    return exchange


def at_the_money(simulator, exchange, kind='C'):
    ids = simulator.instruments(exchange.id, UNDERLYING[exchange.id])
    return exchange.safe_symbol([each for each in ids if f'-110000-{kind}' in each][2])


def test_ticker_book_and_greeks_agree(flavour, simulator, stock):
    symbol = at_the_money(simulator, stock)
    ticker = flavour.take(stock.fetch_ticker(symbol))
    book = flavour.take(stock.fetch_order_book(symbol))
    greeks = flavour.take(stock.fetch_greeks(symbol))
    assert 0 < ticker['bid'] < ticker['last'] < ticker['ask']
    assert (book['bids'][0][0], book['asks'][0][0]) == (ticker['bid'], ticker['ask'])
    assert (len(book['bids']), len(book['asks'])) == (5, 5)
    assert book['bids'] == sorted(book['bids'], reverse=True)
    assert book['asks'] == sorted(book['asks'])
    assert 0.4 < greeks['delta'] < 0.6
    assert greeks['theta'] < 0 < greeks['vega']
    assert greeks['markImpliedVolatility'] == 0.5
    # Bybit's tickers have no time
    assert abs((ticker['timestamp'] or book['timestamp']) - simulator.now()) < 60_000
    assert [request.unknown for request in simulator.requests if request.unknown] == []


def test_book_is_as_deep_as_it_is_asked_for(flavour, simulator, stock):
    book = flavour.take(stock.fetch_order_book(at_the_money(simulator, stock), 2))
    assert (len(book['bids']), len(book['asks'])) == (2, 2)


def test_tickers_of_all_options_are_listed(flavour, simulator, stock):
    tickers = flavour.take(stock.fetch_tickers(None, {'type': 'option'}))
    assert set(tickers) <= set(stock.markets)
    assert set(map(stock.safe_symbol, simulator.instruments(stock.id, UNDERLYING[stock.id]))) <= set(tickers)
    assert all(ticker['ask'] > (ticker['bid'] or 0) for ticker in tickers.values())


def test_prices_follow_the_index(flavour, simulator, stock):
    call, put = (at_the_money(simulator, stock, kind) for kind in 'CP')
    before = {each: flavour.take(stock.fetch_ticker(each))['bid'] for each in (call, put)}
    simulator.set_index(stock.id, UNDERLYING[stock.id], 120_000)
    after = {each: flavour.take(stock.fetch_ticker(each))['bid'] for each in (call, put)}
    assert after[call] > before[call] * 1.5
    assert after[put] < before[put] / 1.5
    simulator.clear()
    assert flavour.take(stock.fetch_ticker(call))['bid'] == pytest.approx(before[call], rel=0.01)


def test_index_is_of_a_coin_on_a_venue(simulator):
    simulator.set_index('okx', 'BTC/USD', '120000.5')

    def index(family):
        rows = call_okx(simulator, 'GET', 'public/opt-summary', {'instFamily': family})['data']
        return {row['fwdPx'] for row in rows}

    assert index('BTC-USD') == index('BTC-USD_UM') == {'120000.5'}
    assert index('ETH-USD') == {'4000'}


def test_mark_prices_of_okx(flavour, simulator):
    exchange = connected(flavour, simulator, STOCK, 'okx')
    flavour.take(exchange.load_markets())
    symbol = at_the_money(simulator, exchange)
    ticker = flavour.take(exchange.fetch_ticker(symbol))
    rows = flavour.take(exchange.publicGetPublicMarkPrice({'instType': 'OPTION', 'instFamily': 'BTC-USD'}))['data']
    marks = {exchange.safe_symbol(row['instId']): float(row['markPx']) for row in rows}
    assert len(marks) == 168
    assert ticker['bid'] < marks[symbol] < ticker['ask']


@pytest.mark.parametrize('path', ['market/ticker', 'market/books'])
def test_okx_knows_no_prices_of_other_instruments(simulator, path):
    assert call_okx(simulator, 'GET', path, {'instId': 'BTC-USDT'})['code'] == '51001'
    assert call_okx(simulator, 'GET', 'market/tickers', {'instType': 'SWAP'})['data'] == []


def test_summary_of_okx_needs_a_family(simulator):
    assert call_okx(simulator, 'GET', 'public/opt-summary', {})['code'] == '50015'


def test_index_of_binance(simulator):
    exchange = simulator.connect(STOCK['sync'].binance, enableRateLimit=False)
    assert exchange.eapiPublicGetIndex({'underlying': 'ETHUSDT'})['indexPrice'] == '4000'


# --- the formula


@pytest.fixture
def engine():
    return new_engine()


def options(engine, venue, **terms):
    return [
        option
        for option in engine.listed(venue, 0)
        if option.underlying == NAMES[venue] and all(getattr(option, name) == terms[name] for name in terms)
    ]


def test_call_and_put_of_a_strike_are_at_parity(engine):
    for call in options(engine, 'binance', is_call=True):
        [put] = options(engine, 'binance', is_call=False, strike=call.strike, expiry=call.expiry)
        values = [engine.market.value(each, 0) for each in (call, put)]
        assert values[0].mark - values[1].mark == pytest.approx(110_000 - Decimal(call.strike), abs=Decimal('1e-6'))
        assert values[0].delta - values[1].delta == pytest.approx(1)


def test_option_that_is_settled_in_the_coin_is_priced_in_it(engine):
    [coin] = options(engine, 'okx', is_call=True, strike='110000', expiry=options(engine, 'okx')[0].expiry)
    [dollar] = options(engine, 'binance', is_call=True, strike='110000', expiry=coin.expiry)
    values = [engine.market.value(each, 0) for each in (coin, dollar)]
    assert [value.in_coin for value in values] == [True, False]
    assert float(values[0].mark) == pytest.approx(float(values[1].mark) / 110_000)


def test_value_is_that_of_the_formula(engine):
    """At the money it is about 0.4 times the price, the volatility and the root of the time."""
    option = options(engine, 'binance', is_call=True, strike='110000')[0]
    years = option.expiry / DAY / 365
    assert float(engine.market.value(option, 0).mark) == pytest.approx(0.3989 * 110_000 * 0.5 * math.sqrt(years), 0.01)


def test_every_option_has_a_price_at_any_time(engine):
    for venue in NAMES:
        for option in options(engine, venue):
            for now in (0, option.expiry - 1, option.expiry + DAY):
                value = engine.market.value(option, now)
                assert value.ask > (value.bid or 0) >= 0
                assert value.ask % Decimal(option.tick) == (value.bid or 0) % Decimal(option.tick) == 0


def test_option_that_is_worth_nothing_has_no_bid(engine):
    market = Market(engine.series)
    market.set_index('binance', 'BTC', Decimal(1))
    call = options(engine, 'binance', is_call=True)[0]
    value = market.value(call, 0)
    assert (value.bid, value.bids, value.ask) == (None, [], Decimal(call.tick))


@pytest.mark.parametrize(
    ('number', 'text'),
    [(Decimal('100.0'), '100'), (0.1, '0.1'), (1e-9, '0'), (-1e-9, '0'), (Decimal(10) ** 30, f'1{"0" * 30}'), (0, '0')],
)
def test_number_is_written_plainly(number, text):
    assert plain(number) == text
