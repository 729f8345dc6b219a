"""Calls without the flag send what ccxt's own send, to the byte."""

import pytest

from tests.core.ordering import STOCK, requests
from tests.rows import rows

CALLS = [
    ('create_order', 'BTC/USDT', 'limit', 'buy', 1, 5),
    ('create_order', 'BTC/USDT', 'market', 'buy', 1, 5),
    ('create_order', 'BTC/USDT', 'limit', 'sell', 1, 5, {'postOnly': True}),
    ('create_order', 'BTC/USDT', 'limit', 'sell', 1, 5, {'timeInForce': 'IOC', 'clientOrderId': 'mine'}),
    ('create_order', 'BTC/USDT:USDT', 'limit', 'buy', 1, 5, {'reduceOnly': True}),
    ('create_order', 'BTC/USDT:USDT', 'limit', 'buy', 1, 5, {'triggerPrice': 4}),
    ('create_order', 'BTC/USDT:USDT', 'market', 'buy', 1),
    ('create_order', 'option', 'limit', 'buy', 1, 5),
    ('create_order', 'option', 'limit', 'buy', 1, 5, {'postOnly': True}),
    ('create_order', 'option', 'limit', 'buy', 1, 5, {'timeInForce': 'IOC', 'reduceOnly': True}),
    ('create_orders', 'BTC/USDT:USDT'),
    ('create_orders', 'BTC/USDT:USDT', {'x': 'y'}),
    ('create_limit_buy_order', 'BTC/USDT', 1, 5),
    ('create_post_only_order', 'BTC/USDT', 'limit', 'buy', 1, 5),
    ('fetch_open_orders', 'BTC/USDT'),
    ('fetch_open_orders', 'BTC/USDT:USDT', 5, 6, {'x': 'y'}),
    ('fetch_open_orders', 'option', 5, 6),
    ('fetch_canceled_orders', 'BTC/USDT'),
    ('fetch_canceled_orders', 'BTC/USDT:USDT', 5, 6, {'x': 'y'}),
    ('fetch_order', '7', 'option'),
    ('cancel_order', '7', 'option'),
    ('cancel_orders', ['7', '8'], 'BTC/USDT:USDT'),
    ('cancel_orders', ['7', '8'], 'BTC/USDT:USDT', {'x': 'y'}),
    ('fetch_balance',),
]
OKX_CALLS = [
    ('create_order', 'option', 'mmp', 'buy', 1, 5),
    ('create_order', 'option', 'mmp_and_post_only', 'buy', 1, 5),
    ('create_order', 'option', 'limit', 'buy', 1, 5, {'ordType': 'mmp_and_post_only'}),
    ('create_order', 'option', 'post_only', 'buy', 1, 5),
    ('create_orders', 'option'),
    ('cancel_orders', ['7', '8'], 'option'),
    ('fetch_canceled_orders', 'option', 5, 6, {'state': 'canceled'}),
    ('cancel_all_orders_after', 15_000),
    ('cancel_all_orders_after', 0, {'tag': 'x'}),
]


@rows(
    ('exchange_id', 'call'),
    [
        pytest.param(exchange_id, call, id=f'{exchange_id}-{" ".join(map(str, call))}')
        for exchange_id in ('okx', 'binance')  # what changes something is a POST on Deribit, and a GET to ccxt
        for call in (CALLS if exchange_id == 'binance' else CALLS + OKX_CALLS)
    ],
)
def test_without_the_flag_requests_are_ccxts_to_the_byte(flavour, exchange_id, call):
    plain = getattr(STOCK[flavour.name], exchange_id)
    ours = requests(flavour, flavour.exchange_class(exchange_id), call)
    theirs = requests(flavour, plain, call)
    assert ours == theirs
    assert len(ours) == 1 or call[0] == 'fetch_canceled_orders'


@rows('flag', [False, None])
@rows('symbol', ['BTC/USDT', 'BTC/USDT:USDT', 'option'])
def test_flag_that_is_not_set_is_never_sent(flavour, exchange_id, symbol, flag):
    ours = flavour.exchange_class(exchange_id)
    plain = requests(flavour, ours, ('create_order', symbol, 'limit', 'buy', 1, 5))
    assert requests(flavour, ours, ('create_order', symbol, 'limit', 'buy', 1, 5, {'mmp': flag})) == plain
    if symbol != 'BTC/USDT':
        plain = requests(flavour, ours, ('create_orders', symbol))
        assert requests(flavour, ours, ('create_orders', symbol, {'mmp': flag})) == plain
    plain = requests(flavour, ours, ('fetch_open_orders', symbol))
    assert requests(flavour, ours, ('fetch_open_orders', symbol, None, None, {'mmp': flag})) == plain
