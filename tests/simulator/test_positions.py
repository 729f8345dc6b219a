"""Fills make positions, which ccxt's own classes read."""

import pytest

from ccxt_mmp.simulator.positions import Position
from tests.simulator.engines import new_engine
from tests.simulator.test_market_data import NAMES, UNDERLYING
from tests.simulator.test_markets import STOCK, connected
from tests.trading import load_markets

TYPE = {'bybit': {'type': 'option'}}  # which it lists apart


@pytest.fixture(params=['okx', 'binance', 'bybit'])
def stock(request, flavour, simulator):
    exchange = connected(flavour, simulator, STOCK, request.param, options={'fetchMarkets': ['option']})
    load_markets(flavour, exchange)
    return exchange


def fetch(flavour, exchange, symbols=None):
    if exchange.id == 'binance':
        return flavour.take(exchange.fetch_option_positions(symbols))
    return flavour.take(exchange.fetch_positions(symbols, TYPE.get(exchange.id, {})))


def trade(simulator, venue, side, contracts, **where):
    order = simulator.rest(venue, NAMES[venue], mmp=False, side=side, **where)
    simulator.fill(order.order_id, contracts)
    return order.instrument


@pytest.mark.parametrize(('side', 'word'), [('buy', 'long'), ('sell', 'short')])
def test_fill_makes_a_position(flavour, simulator, stock, side, word):
    assert fetch(flavour, stock) == []
    option = trade(simulator, stock.id, side, 3)
    [position] = fetch(flavour, stock)
    assert position['symbol'] == stock.safe_symbol(option.instrument_id)
    assert (position['contracts'], position['side']) == (3, word)
    assert position['entryPrice'] == float(option.tick)
    assert position['markPrice'] > 0
    assert (position['unrealizedPnl'] > 0) == (side == 'buy')
    assert [each['symbol'] for each in fetch(flavour, stock, [position['symbol']])] == [position['symbol']]
    other = stock.safe_symbol(simulator.instruments(stock.id, UNDERLYING[stock.id])[5])
    assert fetch(flavour, stock, [other]) == []


def test_position_that_is_closed_is_gone(flavour, simulator, stock):
    trade(simulator, stock.id, 'buy', 3)
    trade(simulator, stock.id, 'sell', 3)
    assert fetch(flavour, stock) == []
    trade(simulator, stock.id, 'sell', 2)
    [position] = fetch(flavour, stock)
    assert position['side'] == 'short'


def test_positions_are_of_an_account_until_they_expire_or_are_cleared(flavour, simulator, stock):
    another = simulator.add_account('another', 'another-secret')
    trade(simulator, stock.id, 'buy', 3, account=another)
    assert fetch(flavour, stock) == []
    [position] = simulator.positions(stock.id, UNDERLYING[stock.id], account=another)
    assert position.quantity == 3
    assert simulator.positions(stock.id, UNDERLYING[stock.id].replace('BTC', 'ETH'), account=another) == []
    option = trade(simulator, stock.id, 'buy', 3)
    assert len(fetch(flavour, stock)) == 1
    simulator.advance(option.expiry - simulator.now())
    assert fetch(flavour, stock) == []
    trade(simulator, stock.id, 'buy', 3)
    simulator.clear()
    assert fetch(flavour, stock) == []


def test_orders_of_a_position_and_margin_of_binance(simulator):
    exchange = simulator.connect(STOCK['sync'].binance, enableRateLimit=False)
    trade(simulator, 'binance', 'buy', 3)
    [position] = exchange.eapiPrivateGetPosition()
    assert (position['quantity'], position['bidQuantity'], position['askQuantity']) == ('3', '7', '0')
    account = exchange.eapiPrivateGetMarginAccount()
    [asset] = account['asset']
    assert (asset['asset'], asset['available'], asset['unrealizedPNL']) == (
        'USDT',
        '1000000',
        position['unrealizedPNL'],
    )
    [greek] = account['greek']
    assert greek['underlying'] == 'BTCUSDT'
    assert float(greek['delta']) == pytest.approx(3, rel=0.05)  # a call that is deep in the money


@pytest.mark.parametrize(
    ('trades', 'quantity', 'average', 'realized', 'opened'),
    [
        ([(2, 10), (2, 20)], 4, 15, 0, 0),
        ([(4, 10), (-1, 30)], 3, 10, 20, 0),
        ([(-4, 10), (1, 30)], -3, 10, -20, 0),
        ([(2, 10), (-5, 30)], -3, 30, 40, 1),
        ([(2, 10), (-2, 30)], 0, 10, 40, 0),
        ([(2, 10), (-2, 30), (-1, 50)], -1, 50, 0, 2),
    ],
)
def test_average_price_and_profit(trades, quantity, average, realized, opened):
    option = next(option for option in new_engine().listed('binance', 0))
    position = Position(option, '1')
    for now, (contracts, price) in enumerate(trades):
        position.trade(contracts, price, now)
    assert (position.quantity, position.average_price, position.realized) == (quantity, average, realized)
    assert (position.opened, position.updated) == (opened, len(trades) - 1)
    assert position.unrealized(average + 1) == quantity
