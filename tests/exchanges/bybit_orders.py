"""MMP orders on Bybit for the tests: in which ways they are placed, and what lists and cancels them."""

from tests.core.mass_cancel.cancelling import after_each_list

COIN = 'BTC'


def resting(simulator, coin=COIN):
    return [order.order_id for order in simulator.resting('bybit', coin)]


def asked(simulator, path):
    return [request for request in simulator.requests if request.path.endswith(path)]


def cancel(flavour, exchange, **params):
    return flavour.take(exchange.mass_cancel_mmp(COIN, params))


def raw_order(bybit, option, number=0):
    return {
        'symbol': bybit.market(option)['id'],
        'side': 'Buy',
        'orderType': 'Limit',
        'qty': '1',
        'price': '5',
        'orderLinkId': f'mmp-raw-{number}',
        'mmp': True,
    }


PLACE = {
    'create_order': lambda bybit, option: bybit.create_order(option, 'limit', 'buy', 1, 5, {'mmp': True}),
    'create_orders': lambda bybit, option: bybit.create_orders(
        [{'symbol': option, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 5, 'params': {'mmp': True}}]
    ),
    'raw': lambda bybit, option: bybit.privatePostV5OrderCreate({'category': 'option', **raw_order(bybit, option)}),
    'raw batch': lambda bybit, option: bybit.privatePostV5OrderCreateBatch(
        {'category': 'option', 'request': [raw_order(bybit, option)]}
    ),
}


def hide_until(bybit, last):
    """Let the first lists lack every order, as where the exchange still processes what it has acknowledged."""
    after_each_list(bybit, lambda number, rows: rows.clear() if number < last else None)
