"""Orders with the MMP flag."""

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MmpFrozen, MmpNotEnabled
from ccxt_mmp.registry import EXCHANGES
from tests.core.ordering import STOCK, create, list_few, listed, requests, resting  # noqa: F401 - other files take them here
from tests.rows import rows
from tests.trading import FROZEN, UNDERLYING, WITH_OPTIONS, symbols, with_markets


@rows(
    ('params', 'post_only'),
    [
        ({}, False),
        ({'postOnly': False}, False),
        ({'timeInForce': 'GTC'}, False),
        ({'postOnly': True}, True),
        ({'timeInForce': 'PO'}, True),
        ({'timeInForce': 'PO', 'postOnly': True}, True),
    ],
)
def test_flagged_order_is_an_mmp_order(flavour, simulator, exchange, exchange_id, quoted, params, post_only):
    order = create(flavour, exchange, quoted[0], {'mmp': True, **params})
    [rests] = resting(simulator, exchange_id)
    kind = ('mmp_and_post_only' if post_only else 'mmp') if exchange_id == 'okx' else 'limit'
    time_in_force = (
        {'okx': 'GTC', 'binance': 'GTX', 'deribit': 'PO', 'bybit': 'PostOnly'}[exchange_id] if post_only else 'GTC'
    )
    assert (rests.mmp, rests.order_type, rests.time_in_force) == (True, kind, time_in_force)
    expected = {
        'id': rests.order_id,
        'clientOrderId': rests.client_order_id,
        'symbol': quoted[0],
        'type': 'limit',
        'side': 'buy',
        'price': 5.0,
        'amount': 10.0,
        'status': 'open',
        'mmp': True,
        'postOnly': post_only,
        'reduceOnly': False,
    }
    assert {name: order[name] for name in expected} == expected
    assert order['clientOrderId']


@rows('params', [{}, {'mmp': False}, {'mmp': None}])
def test_order_without_the_flag_is_none(flavour, simulator, exchange, exchange_id, quoted, params):
    order = create(flavour, exchange, quoted[0], params)
    [rests] = resting(simulator, exchange_id)
    assert rests.mmp is order['mmp'] is False


@rows(
    ('kind', 'params', 'post_only'),
    [
        ('mmp', {}, False),
        ('mmp', {'mmp': True}, False),
        ('mmp', {'postOnly': True}, True),
        ('mmp', {'timeInForce': 'PO'}, True),
        ('mmp_and_post_only', {}, True),
        ('mmp_and_post_only', {'postOnly': True}, True),
        ('limit', {'ordType': 'mmp'}, False),
        ('limit', {'ordType': 'mmp', 'postOnly': True}, True),
        ('limit', {'ordType': 'mmp_and_post_only', 'mmp': True}, True),
        ('post_only', {'mmp': True}, True),
    ],
)
def test_okxs_own_names_of_the_flag_are_never_lost(flavour, simulator, kind, params, post_only):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    order = create(flavour, exchange, symbols(exchange, 'BTC-USD')[0], params, kind)
    [rests] = resting(simulator, 'okx')
    assert rests.order_type == ('mmp_and_post_only' if post_only else 'mmp')
    assert (order['type'], order['mmp'], order['postOnly']) == ('limit', True, post_only)


@pytest.mark.parametrize('flag', [True, 'true', 'TRUE'])
def test_binances_own_name_of_the_flag_is_it_too(flavour, simulator, flag):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    assert create(flavour, exchange, symbols(exchange, 'BTCUSDT')[0], {'isMmp': flag})['mmp'] is True
    assert resting(simulator, 'binance')[0].mmp


CONTRADICTIONS = {
    'mmp is no bool': {'mmp': 1},
    'mmp is text': {'mmp': 'true'},
    'IOC': {'mmp': True, 'timeInForce': 'IOC'},
    'ioc': {'mmp': True, 'timeInForce': 'ioc'},
    'FOK': {'mmp': True, 'timeInForce': 'FOK'},
    'an unknown time in force': {'mmp': True, 'timeInForce': 'GTD'},
    'trigger': {'mmp': True, 'triggerPrice': 5},
    'stop': {'mmp': True, 'stopPrice': 5},
    'stop loss': {'mmp': True, 'stopLossPrice': 5},
    'take profit': {'mmp': True, 'takeProfitPrice': 5},
    'attached stop loss': {'mmp': True, 'stopLoss': {'triggerPrice': 5}},
    'attached take profit': {'mmp': True, 'takeProfit': {'triggerPrice': 5}},
    'trailing percent': {'mmp': True, 'trailingPercent': 5},
    'trailing amount': {'mmp': True, 'trailingAmount': 5},
    'post-only that is no bool': {'mmp': True, 'postOnly': 'yes'},
    'post-only by one name and not by another': {'mmp': True, 'postOnly': False, 'timeInForce': 'PO'},
}
OWN_CONTRADICTIONS = {
    'okx': {
        'limit by its own name': {'mmp': True, 'ordType': 'limit'},
        'MMP by its own name and not by ours': {'mmp': False, 'ordType': 'mmp'},
        'post-only by its own name and not by ours': {'ordType': 'mmp_and_post_only', 'postOnly': False},
        'its own trigger': {'mmp': True, 'slTriggerPx': '5'},
        'its own trailing': {'mmp': True, 'callbackRatio': '0.1'},
        'its own attached orders': {'mmp': True, 'attachAlgoOrds': [{'slTriggerPx': '5'}]},
    },
    'binance': {
        'not MMP by its own name': {'mmp': True, 'isMmp': False},
        'not MMP by ours': {'mmp': False, 'isMmp': 'true'},
        'its own trailing': {'mmp': True, 'trailingDelta': 5},
        'its own activation': {'mmp': True, 'activationPrice': 5},
        'its own name of the flag, and no bool': {'isMmp': 1},
    },
    'deribit': {
        'its own time in force': {'mmp': True, 'time_in_force': 'immediate_or_cancel'},
        'its own trigger': {'mmp': True, 'trigger': 'index_price'},
        'its own trailing': {'mmp': True, 'trigger_offset': 5},
        'its own linked orders': {'mmp': True, 'linked_order_type': 'one_cancels_other'},
        'post-only by its own name and not by ours': {'mmp': True, 'post_only': True, 'postOnly': False},
        'two labels': {'mmp': True, 'label': 'one', 'clientOrderId': 'another'},
        'a label that is too long': {'mmp': True, 'clientOrderId': 'x' * 65},
    },
    'bybit': {
        'its own trailing': {'mmp': True, 'trailingStop': '5'},
        'its own attached orders': {'mmp': True, 'tpslMode': 'Full'},
        'an id without the tag': {'mmp': True, 'clientOrderId': 'mine'},
        'two ids': {'mmp': True, 'clientOrderId': 'mmp-1', 'orderLinkId': 'mmp-2'},
        'an id that is too long': {'mmp': True, 'clientOrderId': 'mmp-' + 'x' * 33},
        'an id with the tag and without the flag': {'clientOrderId': 'mmp-1'},
    },
}


@rows(
    'params',
    {
        exchange_id: [
            pytest.param(params, id=name)
            for name, params in {**CONTRADICTIONS, **OWN_CONTRADICTIONS[exchange_id]}.items()
        ]
        for exchange_id in EXCHANGES
    },
    by='exchange_id',
)
def test_contradiction_is_refused_before_anything_is_sent(flavour, simulator, exchange, exchange_id, quoted, params):
    with pytest.raises(ccxt.InvalidOrder) as caught:
        create(flavour, exchange, quoted[0], params)
    assert type(caught.value) is ccxt.InvalidOrder
    order = {'symbol': quoted[0], 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5}
    fine = {**order, 'params': {'mmp': True}}
    with pytest.raises(ccxt.InvalidOrder):
        flavour.take(exchange.create_orders([fine, {**order, 'params': params}]))
    assert simulator.requests == []


@rows('kind', ['market', 'ioc', 'fok', 'stop', 'trigger', 'STOP_LOSS_LIMIT', 'conditional'])
def test_flag_needs_a_limit_order(flavour, simulator, exchange, quoted, kind):
    with pytest.raises(ccxt.InvalidOrder):
        create(flavour, exchange, quoted[0], {'mmp': True}, kind)
    assert simulator.requests == []


@rows('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
def test_flag_needs_an_option(flavour, simulator, exchange, quoted, symbol):
    if exchange._can_have_flag(exchange.market(symbol)):
        return  # Deribit's perpetuals have the flag, too
    with pytest.raises(ccxt.InvalidOrder, match='MMP orders must be of options'):
        create(flavour, exchange, symbol, {'mmp': True})
    orders = [
        {'symbol': each, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': {'mmp': True}}
        for each in (quoted[0], symbol)
    ]
    for placed in (orders, orders[1:]):
        with pytest.raises(ccxt.InvalidOrder, match='MMP orders must be of options'):
            flavour.take(exchange.create_orders(placed))
    unflagged = [{**order, 'params': {}} for order in orders]
    with pytest.raises(ccxt.InvalidOrder, match='MMP orders must be of options'):
        flavour.take(exchange.create_orders(unflagged, {'mmp': True}))
    assert simulator.requests == []


@rows('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
def test_request_of_an_order_with_the_flag_needs_an_option(flavour, exchange, symbol):
    if exchange._can_have_flag(exchange.market(symbol)):
        return  # Deribit's perpetuals have the flag, too
    with pytest.raises(ccxt.InvalidOrder, match='MMP orders must be of options'):
        exchange.create_order_request(symbol, 'limit', 'buy', 1, 1, {'mmp': True})


def test_time_in_force_from_options_cannot_make_it_another_order(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    exchange.options['createOrder'] = {'timeInForce': 'IOC'}
    exchange.options['defaultTimeInForce'] = 'IOC'
    with pytest.raises(ccxt.InvalidOrder, match='plain limit'):
        create(flavour, exchange, symbols(exchange, 'BTCUSDT')[0], {'mmp': True})
    assert simulator.requests == []


def test_markets_are_loaded_by_the_first_order(flavour, simulator, exchange_id):
    list_few(simulator)
    exchange = simulator.connect(flavour.exchange_class(exchange_id), enableRateLimit=False, options=WITH_OPTIONS)
    flavour.opened.append(exchange)
    symbol = symbols(with_markets(flavour.exchange(exchange_id)), UNDERLYING[exchange_id])[0]
    assert create(flavour, exchange, symbol, {'mmp': True})['mmp'] is True
    assert symbol in exchange.markets


@pytest.mark.parametrize('method', ['privatePostTradeOrder', 'privatePostTradeBatchOrders'])
def test_okx_order_goes_by_the_method_that_the_user_chose(flavour, simulator, method):
    exchange = with_markets(flavour.exchange('okx', simulator.url, options={'createOrder': method}))
    order = create(flavour, exchange, symbols(exchange, 'BTC-USD')[0], {'mmp': True, 'clientOrderId': 'mine'})
    [request] = simulator.requests
    assert (
        request.path
        == {
            'privatePostTradeOrder': '/api/v5/trade/order',
            'privatePostTradeBatchOrders': '/api/v5/trade/batch-orders',
        }[method]
    )
    assert (order['clientOrderId'], order['mmp'], order['status']) == ('mine', True, 'open')


def test_order_while_frozen_is_mmp_frozen(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    with pytest.raises(FROZEN.get(exchange_id, MmpFrozen)):
        create(flavour, exchange, quoted[0], {'mmp': True})
    assert create(flavour, exchange, quoted[0], {})['mmp'] is False


def test_order_without_the_privilege_is_not_enabled(flavour, simulator, exchange, quoted):
    simulator.privileged = False
    with pytest.raises(MmpNotEnabled):
        create(flavour, exchange, quoted[0], {'mmp': True})


def test_order_is_never_repeated(flavour, simulator, exchange, exchange_id, quoted):
    exchange.options['maxRetriesOnFailure'] = 3
    path = {'okx': 'batch-orders', 'binance': 'order', 'deribit': 'buy', 'bybit': 'order/create'}[exchange_id]
    simulator.fault('status', path, status=503)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        create(flavour, exchange, quoted[0], {'mmp': True, 'maxRetriesOnFailure': 3})
    assert len(simulator.requests) == 1


def test_thin_answer_of_binance_is_filled_in_from_the_request(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    order = create(flavour, exchange, symbol, {'mmp': True, 'postOnly': True, 'newOrderRespType': 'ACK'})
    assert (order['status'], order['mmp'], order['postOnly'], order['timeInForce']) == ('open', True, True, 'PO')
    assert order['filled'] is order['remaining'] is None  # it does not say
    assert 'timeInForce' not in order['info']


def test_reduce_only_is_filled_in_from_the_request(flavour, simulator):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    order = create(flavour, exchange, symbols(exchange, 'BTC-USD')[0], {'mmp': True, 'reduceOnly': True})
    assert order['reduceOnly'] is True
    assert order['filled'] is None
