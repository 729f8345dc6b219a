"""MMP orders for the tests, in the ways in which they are placed."""

import asyncio

from ccxt_mmp.exchanges.binance.orders import encoded_json
from tests.trading import UNDERLYING, symbols

# the ends of the paths by which ccxt places an order, and of the first request of a mass cancel
ORDER = {'okx': 'batch-orders', 'binance': 'order', 'deribit': '/buy', 'bybit': 'order/create'}
CANCEL = {'okx': 'mass-cancel', 'binance': 'openOrders', 'deribit': 'get_open_orders', 'bybit': 'order/realtime'}
# an ordinary call, and the end of its path
TIME = {
    'okx': ('publicGetPublicTime', 'public/time'),
    'binance': ('eapiPublicGetTime', 'eapi/v1/time'),
    'deribit': ('publicGetGetTime', 'get_time'),
    'bybit': ('publicGetV5MarketTime', 'market/time'),
}
WAYS = [
    ('okx', {}),
    ('okx', {'emulate': True}),
    ('binance', {}),
    ('binance', {'includeNonMmp': True}),
    ('deribit', {}),
    ('deribit', {'includeNonMmp': True}),
    ('bybit', {}),
    ('bybit', {'includeNonMmp': True}),
]


async def until(holds):
    while not holds():  # noqa: ASYNC110 - another thread brings it about
        await asyncio.sleep(0.001)


def order(symbol, price=5, **params):
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': price, 'params': params}


def placing(exchange, symbol):
    return exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})


def raw_orders(exchange, mmp=True):
    """Raw calls that place an order each."""
    option_id = exchange.market(symbols(exchange, UNDERLYING[exchange.id])[0])['id']
    if exchange.id == 'okx':
        order = {'instId': option_id, 'tdMode': 'cross', 'side': 'buy', 'sz': '1', 'px': '0.01'}
        order['ordType'] = 'mmp' if mmp else 'limit'
        return [
            lambda: exchange.privatePostTradeOrder(order),
            lambda: exchange.privatePostTradeBatchOrders([order]),
        ]
    if exchange.id == 'deribit':
        order = {'instrument_name': option_id, 'amount': 1, 'price': 0.01, 'type': 'limit'}
        return [lambda: exchange.privateGetBuy({**order, 'mmp': True} if mmp else order)]
    if exchange.id == 'bybit':
        order = {'symbol': option_id, 'side': 'Buy', 'orderType': 'Limit', 'qty': '1', 'price': '5', 'mmp': mmp}
        ids = ('mmp-1', 'mmp-2') if mmp else ('one', 'two')
        single, listed = ({**order, 'orderLinkId': each} for each in ids)
        return [
            lambda: exchange.privatePostV5OrderCreate({'category': 'option', **single}),
            lambda: exchange.privatePostV5OrderCreateBatch({'category': 'option', 'request': [listed]}),
        ]
    order = {'symbol': option_id, 'side': 'BUY', 'type': 'LIMIT', 'quantity': '1', 'price': '5', 'timeInForce': 'GTC'}
    flagged = {**order, 'isMmp': 'true'} if mmp else order
    batch = [{**order, 'isMmp': True} if mmp else order]
    return [
        lambda: exchange.eapiPrivatePostOrder(flagged),
        lambda: exchange.eapiPrivatePostBatchOrders({'orders': encoded_json(batch)}),
    ]
