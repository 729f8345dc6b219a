"""Orders over the wire: ccxt's own classes, without the plugin, for markets, orders and balances."""

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from tests.trading import WITH_OPTIONS, load_markets

STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
PLACEMENT = {
    'okx': {'type': 'limit', 'amount': 5, 'price': 0.01, 'params': {'tdMode': 'cross'}},
    'binance': {'type': 'limit', 'amount': 0.5, 'price': 10, 'params': {}},
    'bybit': {'type': 'limit', 'amount': 0.5, 'price': 10, 'params': {}},
}
MMP = {
    'okx': {'type': 'mmp', 'amount': 5, 'price': 0.01, 'params': {'tdMode': 'cross'}},
    'binance': {'type': 'limit', 'amount': 0.5, 'price': 10, 'params': {'isMmp': True}},
    'bybit': {'type': 'limit', 'amount': 0.5, 'price': 10, 'params': {'mmp': True}},
}
UNDERLYING = {'okx': 'BTC-USD', 'binance': 'BTCUSDT', 'bybit': 'BTC'}
# ccxt warns who asks for one order of a unified account, and its oldest versions cancel options as linear contracts
TO_FETCH = {'okx': {}, 'binance': {}, 'bybit': {'acknowledged': True}}
TO_CANCEL = {'okx': {}, 'binance': {}, 'bybit': {'category': 'option'}}


@pytest.fixture(params=['okx', 'binance', 'bybit'])
def stock(request, flavour, simulator):
    """A class of ccxt that knows nothing of us, with its markets loaded."""
    exchange_class = getattr(STOCK[flavour.name], request.param)
    settings = {'enableRateLimit': False, 'verify': False, 'timeout_on_exit': 0, 'options': WITH_OPTIONS}
    exchange = simulator.connect(exchange_class, **settings)
    flavour.opened.append(exchange)
    load_markets(flavour, exchange)
    return exchange


def place(flavour, exchange, order, **extra):
    symbol = next(iter(exchange.markets))
    params = {**order['params'], **extra}
    return flavour.take(exchange.create_order(symbol, order['type'], 'buy', order['amount'], order['price'], params))


def fetch(flavour, exchange, order_id):
    return flavour.take(exchange.fetch_order(order_id, next(iter(exchange.markets)), TO_FETCH[exchange.id]))


def cancel(flavour, exchange, order_id):
    return flavour.take(exchange.cancel_order(order_id, next(iter(exchange.markets)), TO_CANCEL[exchange.id]))


def test_markets_are_options(stock):
    assert len(stock.markets) == {'okx': 3 * 168, 'binance': 2 * 168, 'bybit': 4 * 168}[stock.id]
    for market in stock.markets.values():
        assert market['option']
        assert market['expiry'] > stock.milliseconds()
        assert market['strike'] > 0
        assert market['precision']['price'] > 0
    symbols = ' '.join(stock.markets)
    prefixes = {
        'okx': ('BTC/USD:BTC-', 'BTC/USD:USD-', 'ETH/USD:ETH-'),
        'binance': ('BTC/USDT:USDT-',),
        'bybit': ('BTC/USDT:USDT-', 'BTC/USDC:USDC-', 'ETH/USDT:USDT-', 'ETH/USDC:USDC-'),
    }
    assert [prefix for prefix in prefixes[stock.id] if prefix not in symbols] == []


def test_balance(flavour, stock):
    balance = flavour.take(stock.fetch_balance())
    assert balance['BTC']['total'] == 10.0


def test_order_lives_and_is_cancelled(flavour, stock):
    placed = place(flavour, stock, PLACEMENT[stock.id])
    symbol = next(iter(stock.markets))
    [listed] = flavour.take(stock.fetch_open_orders(symbol))
    assert listed['id'] == placed['id']
    assert (listed['status'], listed['side'], listed['symbol']) == ('open', 'buy', symbol)
    assert listed['amount'] == PLACEMENT[stock.id]['amount']
    assert listed['price'] == PLACEMENT[stock.id]['price']
    cancel(flavour, stock, placed['id'])
    assert flavour.take(stock.fetch_open_orders(symbol)) == []
    assert fetch(flavour, stock, placed['id'])['status'] == 'canceled'


def test_order_is_filled(flavour, stock, simulator):
    placed = place(flavour, stock, PLACEMENT[stock.id])
    simulator.fill(placed['id'], 2 if stock.id == 'okx' else 0.5)
    order = fetch(flavour, stock, placed['id'])
    expected = ('open', 2.0) if stock.id == 'okx' else ('closed', 0.5)
    assert (order['status'], order['filled']) == expected
    assert order['average'] == PLACEMENT[stock.id]['price']


def test_order_is_found_by_its_client_id(flavour, stock):
    placed = place(flavour, stock, PLACEMENT[stock.id], clientOrderId='mine1')
    symbol = next(iter(stock.markets))
    found = flavour.take(stock.fetch_order(None, symbol, {'clientOrderId': 'mine1'})) if stock.id == 'okx' else None
    assert found is None or found['id'] == placed['id']


def test_gone_order_cannot_be_cancelled_again(flavour, stock):
    placed = place(flavour, stock, PLACEMENT[stock.id])
    cancel(flavour, stock, placed['id'])
    with pytest.raises(ccxt.BaseError, match=r'51400|-2011|110001'):
        cancel(flavour, stock, placed['id'])


def test_unknown_order_is_an_error(flavour, stock):
    with pytest.raises(ccxt.OrderNotFound, match=r'51603|-2013|was not found'):
        fetch(flavour, stock, '1')


def test_mmp_order_is_refused_in_a_freeze_and_other_orders_are_not(flavour, stock, simulator):
    simulator.set_rule(stock.id, UNDERLYING[stock.id])
    mmp = place(flavour, stock, MMP[stock.id])
    other = place(flavour, stock, PLACEMENT[stock.id])
    simulator.trip(stock.id, UNDERLYING[stock.id])
    symbol = next(iter(stock.markets))
    assert [order['id'] for order in flavour.take(stock.fetch_open_orders(symbol))] == [other['id']]
    field, state = {
        'okx': ('state', 'mmp_canceled'),
        'binance': ('status', 'CANCELED'),
        'bybit': ('cancelType', 'CancelByMmpTriggered'),
    }[stock.id]
    assert fetch(flavour, stock, mmp['id'])['info'][field] == state
    with pytest.raises(ccxt.ExchangeError, match=r'51034|-6058|10001'):
        place(flavour, stock, MMP[stock.id])
    place(flavour, stock, PLACEMENT[stock.id])
    simulator.advance(300_000)
    place(flavour, stock, MMP[stock.id])


def test_okx_batches_answer_for_each_order(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    options = flavour.take(exchange.publicGetPublicInstruments({'instType': 'OPTION', 'instFamily': 'BTC-USD'}))['data']
    good = {'instId': options[0]['instId'], 'tdMode': 'cross', 'side': 'buy', 'ordType': 'mmp', 'sz': '1', 'px': '0.01'}
    answer = flavour.take(exchange.privatePostTradeBatchOrders([good, {**good, 'instId': 'BTC-USD-1-1-C'}]))
    assert answer['code'] == '2'
    assert [row['sCode'] for row in answer['data']] == ['0', '51001']
    ids = [{'instId': good['instId'], 'ordId': row['ordId'] or '1'} for row in answer['data']]
    answer = flavour.take(exchange.privatePostTradeCancelBatchOrders(ids))
    assert [row['sCode'] for row in answer['data']] == ['0', '51400']
    with pytest.raises(ccxt.ExchangeError, match='51001'):
        flavour.take(exchange.privatePostTradeBatchOrders([{**good, 'instId': 'BTC-USD-1-1-C'}] * 2))


def test_okx_lists_by_what_is_asked_for(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    mmp = simulator.rest('okx', 'BTC-USD', mmp=True)
    limit = simulator.rest('okx', 'BTC-USD', mmp=False)
    margined = simulator.rest('okx', 'BTC-USD_UM', mmp=True)
    ether = simulator.rest('okx', 'ETH-USD', mmp=True)

    def listed(**query):
        answer = flavour.take(exchange.privateGetTradeOrdersPending(query))
        return [row['ordId'] for row in answer['data']]

    assert listed() == [order.order_id for order in (ether, margined, limit, mmp)]
    assert listed(instType='SWAP') == []
    assert listed(instFamily='BTC-USD') == [limit.order_id, mmp.order_id]
    assert listed(uly='BTC-USD') == [margined.order_id, limit.order_id, mmp.order_id]
    assert listed(ordType='mmp,mmp_and_post_only') == [ether.order_id, margined.order_id, mmp.order_id]
    assert listed(instId=ether.instrument.instrument_id) == [ether.order_id]
    assert listed(after=margined.order_id) == [limit.order_id, mmp.order_id]
    assert listed(before=limit.order_id) == [ether.order_id, margined.order_id]
    assert listed(limit=1) == [ether.order_id]
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    history = flavour.take(exchange.privateGetTradeOrdersHistory({'instType': 'OPTION', 'state': 'canceled'}))['data']
    assert [(row['ordId'], row['cancelSource']) for row in history] == [(mmp.order_id, '38')]


def test_okx_instruments_by_index_include_the_margined_family(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)

    def families(**query):
        answer = flavour.take(exchange.publicGetPublicInstruments({'instType': 'OPTION', **query}))
        return {row['instFamily'] for row in answer['data']}

    assert families(uly='BTC-USD') == {'BTC-USD', 'BTC-USD_UM'}
    assert families(instFamily='BTC-USD') == {'BTC-USD'}
    assert families() == {'BTC-USD', 'BTC-USD_UM', 'ETH-USD'}
    assert flavour.take(exchange.publicGetPublicInstruments({'instType': 'SPOT'}))['data'] == []


def test_lock_refuses_mmp_orders(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    exchange.milliseconds = simulator.now
    flavour.take(exchange.load_markets())
    flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 2000}))
    with pytest.raises(ccxt.InvalidOrder, match='54008') as caught:
        place(flavour, exchange, MMP['okx'])
    assert type(caught.value).__name__ == 'MassCancelLocked'
    simulator.advance(2000)
    place(flavour, exchange, MMP['okx'])


@pytest.mark.parametrize('tag', ['', 't1'])
def test_okx_cancel_all_after(flavour, simulator, tag):
    exchange = flavour.exchange('okx', simulator.url)
    order = simulator.rest('okx', 'BTC-USD', mmp=False)
    order.tag = tag
    request = {'timeOut': '60', 'tag': tag} if tag else {'timeOut': '60'}
    [answer] = flavour.take(exchange.privatePostTradeCancelAllAfter(request))['data']
    assert int(answer['triggerTime']) - int(answer['ts']) == 60_000
    simulator.advance(60_000)
    assert not order.is_open


@pytest.mark.parametrize(
    ('seconds', 'accepted'), [('0', True), ('9', False), ('10', True), ('120', True), ('121', False)]
)
def test_okx_cancel_all_after_takes_0_or_10_to_120_seconds(simulator, seconds, accepted):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    if accepted:
        [answer] = exchange.privatePostTradeCancelAllAfter({'timeOut': seconds})['data']
        assert (answer['triggerTime'] == '0') is (seconds == '0')
    else:
        with pytest.raises(ccxt.BadRequest, match=r'51000.*timeOut'):
            exchange.privatePostTradeCancelAllAfter({'timeOut': seconds})
