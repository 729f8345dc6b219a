"""Orders with the MMP flag, batches of option orders, and what ccxt's own orders keep."""

import asyncio
import json
from functools import lru_cache
from urllib.parse import parse_qs, unquote

import aiohttp
import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import requests as requests_library

import ccxt_mmp.pro
from ccxt_mmp import BinanceMmp, MmpFrozen, MmpNotEnabled, OkxMmp, SyncMmp
from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.orders import MmpOrders
from ccxt_mmp.core.request_context import RequestContext
from tests.trading import UNDERLYING, WITH_OPTIONS, symbols, with_markets

EXCHANGES = ['okx', 'binance']
STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
NOW = 1_790_000_000_000


@pytest.fixture(params=EXCHANGES)
def exchange_id(request):
    return request.param


@pytest.fixture
def exchange(flavour, simulator, exchange_id):
    return with_markets(flavour.exchange(exchange_id, simulator.url))


@pytest.fixture
def quoted(exchange, exchange_id):
    """The options that are quoted."""
    return symbols(exchange, UNDERLYING[exchange_id])


def create(flavour, exchange, symbol, params, kind='limit', price=5):
    return flavour.take(exchange.create_order(symbol, kind, 'buy', 10, price, params))


def resting(simulator, exchange_id):
    return simulator.resting(exchange_id, UNDERLYING[exchange_id])


# --- the flag


@pytest.mark.parametrize(
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
    kind = {'okx': 'mmp_and_post_only' if post_only else 'mmp', 'binance': 'limit'}[exchange_id]
    time_in_force = {'okx': 'GTC', 'binance': 'GTX' if post_only else 'GTC'}[exchange_id]
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


@pytest.mark.parametrize('params', [{}, {'mmp': False}, {'mmp': None}])
def test_order_without_the_flag_is_none(flavour, simulator, exchange, exchange_id, quoted, params):
    order = create(flavour, exchange, quoted[0], params)
    [rests] = resting(simulator, exchange_id)
    assert rests.mmp is order['mmp'] is False


@pytest.mark.parametrize(
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
}


@pytest.mark.parametrize(
    ('exchange_id', 'params'),
    [
        pytest.param(exchange_id, params, id=f'{exchange_id}: {name}')
        for exchange_id in EXCHANGES
        for name, params in {**CONTRADICTIONS, **OWN_CONTRADICTIONS[exchange_id]}.items()
    ],
)
def test_contradiction_is_refused_before_anything_is_sent(flavour, simulator, exchange, quoted, params):
    with pytest.raises(ccxt.InvalidOrder) as caught:
        create(flavour, exchange, quoted[0], params)
    assert type(caught.value) is ccxt.InvalidOrder
    order = {'symbol': quoted[0], 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5}
    fine = {**order, 'params': {'mmp': True}}
    with pytest.raises(ccxt.InvalidOrder):
        flavour.take(exchange.create_orders([fine, {**order, 'params': params}]))
    assert simulator.requests == []


@pytest.mark.parametrize('kind', ['market', 'ioc', 'fok', 'stop', 'trigger', 'STOP_LOSS_LIMIT', 'conditional'])
def test_flag_needs_a_limit_order(flavour, simulator, exchange, quoted, kind):
    with pytest.raises(ccxt.InvalidOrder):
        create(flavour, exchange, quoted[0], {'mmp': True}, kind)
    assert simulator.requests == []


@pytest.mark.parametrize('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
def test_flag_needs_an_option(flavour, simulator, exchange, quoted, symbol):
    with pytest.raises(ccxt.InvalidOrder, match='options alone'):
        create(flavour, exchange, symbol, {'mmp': True})
    orders = [
        {'symbol': each, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': {'mmp': True}}
        for each in (quoted[0], symbol)
    ]
    for listed in (orders, orders[1:]):
        with pytest.raises(ccxt.InvalidOrder, match='options alone'):
            flavour.take(exchange.create_orders(listed))
    unflagged = [{**order, 'params': {}} for order in orders]
    with pytest.raises(ccxt.InvalidOrder, match='options alone'):
        flavour.take(exchange.create_orders(unflagged, {'mmp': True}))
    assert simulator.requests == []


@pytest.mark.parametrize('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
def test_request_of_an_order_with_the_flag_needs_an_option(flavour, exchange, symbol):
    with pytest.raises(ccxt.InvalidOrder, match='options alone'):
        exchange.create_order_request(symbol, 'limit', 'buy', 1, 1, {'mmp': True})


def test_time_in_force_from_options_cannot_make_it_another_order(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    exchange.options['createOrder'] = {'timeInForce': 'IOC'}
    exchange.options['defaultTimeInForce'] = 'IOC'
    with pytest.raises(ccxt.InvalidOrder, match='plain limit'):
        create(flavour, exchange, symbols(exchange, 'BTCUSDT')[0], {'mmp': True})
    assert simulator.requests == []


def test_markets_are_loaded_by_the_first_order(flavour, simulator, exchange_id):
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
    with pytest.raises(MmpFrozen):
        create(flavour, exchange, quoted[0], {'mmp': True})
    assert create(flavour, exchange, quoted[0], {})['mmp'] is False


def test_order_without_the_privilege_is_not_enabled(flavour, simulator, exchange, quoted):
    simulator.privileged = False
    with pytest.raises(MmpNotEnabled):
        create(flavour, exchange, quoted[0], {'mmp': True})


def test_order_is_never_repeated(flavour, simulator, exchange, exchange_id, quoted):
    exchange.options['maxRetriesOnFailure'] = 3
    simulator.fault('status', 'order' if exchange_id == 'binance' else 'batch-orders', status=503)
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


# --- batches


def listed(symbols, count, **terms):
    """Orders of several symbols, with a price each by which they can be told."""
    return [
        {
            'symbol': symbols[index % len(symbols)],
            'type': 'limit',
            'side': 'buy',
            'amount': 10,
            'price': index + 1,
            'params': {'mmp': True},
            **terms,
        }
        for index in range(count)
    ]


def batches(simulator):
    return [request for request in simulator.requests if request.path.endswith(('batch-orders', 'batchOrders'))]


def test_batches_of_the_largest_size_answer_in_the_order_asked(flavour, simulator, exchange, exchange_id, quoted):
    orders = flavour.take(exchange.create_orders(listed(quoted, 45)))
    assert [order['price'] for order in orders] == list(range(1, 46))
    assert [order['symbol'] for order in orders] == [quoted[index % len(quoted)] for index in range(45)]
    assert {(order['status'], order['mmp'], order['type']) for order in orders} == {('open', True, 'limit')}
    assert len({order['id'] for order in orders}) == 45
    largest = {'okx': 20, 'binance': 10}[exchange_id]
    assert len(batches(simulator)) == len(simulator.requests) == -(-45 // largest)
    assert all(order.mmp for order in resting(simulator, exchange_id))


@pytest.mark.parametrize(('own', 'common', 'mmp'), [({}, True, True), ({'mmp': True}, None, True), ({}, False, False)])
def test_flag_of_all_orders_is_that_of_each(flavour, simulator, exchange, quoted, own, common, mmp):
    orders = flavour.take(exchange.create_orders(listed(quoted, 2, params=own), {'mmp': common}))
    assert [order['mmp'] for order in orders] == [mmp, mmp]


@pytest.mark.parametrize('flag', [True, False])
def test_flag_of_an_order_is_never_overruled_in_silence(flavour, simulator, exchange, quoted, flag):
    with pytest.raises(ccxt.InvalidOrder, match='one thing'):
        flavour.take(exchange.create_orders(listed(quoted, 2, params={'mmp': flag}), {'mmp': not flag}))
    assert simulator.requests == []


def test_params_of_all_orders_win_over_their_own(flavour, simulator, exchange, quoted):
    own = {'mmp': True, 'postOnly': False}
    orders = flavour.take(exchange.create_orders(listed(quoted, 2, params=own), {'postOnly': True}))
    assert [order['postOnly'] for order in orders] == [True, True]


def test_body_of_a_batch_on_binance_is_its_orders_alone(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    orders = listed(symbols(exchange, 'BTCUSDT'), 2)
    flavour.take(exchange.create_orders(orders, {'recvWindow': 4000}))
    [request] = simulator.requests
    assert request.path == '/eapi/v1/batchOrders'
    body = parse_qs(request.body)
    assert sorted(body) == ['orders', 'recvWindow', 'signature', 'timestamp']
    assert body['recvWindow'] == ['4000']
    for sent, order in zip(json.loads(body['orders'][0]), orders, strict=True):
        assert sent.pop('clientOrderId')
        assert sent == {
            'symbol': exchange.market(order['symbol'])['id'],
            'side': 'BUY',
            'newOrderRespType': 'RESULT',
            'type': 'LIMIT',
            'quantity': '10',
            'price': str(order['price']),
            'timeInForce': 'GTC',
            'isMmp': True,
        }


def test_refused_orders_are_told_from_accepted_ones(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    wanted = listed(quoted, 6)
    for order in wanted[::2]:
        order['params'] = {'mmp': False}
    orders = flavour.take(exchange.create_orders(wanted))
    assert [order['status'] for order in orders] == ['open', 'rejected'] * 3
    assert [order['mmp'] for order in orders] == [False, True] * 3
    assert [order['price'] for order in orders] == [1, 2, 3, 4, 5, 6]
    for refused in orders[1::2]:
        assert refused['id'] is None
        assert refused['filled'] is None
        assert str(refused['info'][{'okx': 'sCode', 'binance': 'code'}[exchange_id]]) in ('51034', '-6058')


def test_half_a_batch_that_is_refused(flavour, simulator, exchange, exchange_id, quoted):
    simulator.fault('half_batch')
    orders = flavour.take(exchange.create_orders(listed(quoted, 4)))
    # OKX's code says that the system failed, which leaves it open
    refused = {'okx': None, 'binance': 'rejected'}[exchange_id]
    assert [order['status'] for order in orders] == ['open', refused, 'open', refused]
    assert all(order['clientOrderId'] for order in orders)


def test_nothing_accepted_is_an_error(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    for count in (1, 25):
        with pytest.raises(MmpFrozen):
            flavour.take(exchange.create_orders(listed(quoted, count)))


@pytest.mark.parametrize(
    ('kind', 'details', 'status', 'rests'),
    [
        ('drop_before', {}, None, False),
        ('drop_after', {}, None, True),
        ('status', {'status': 503}, None, False),
        ('truncated', {}, None, True),
        ('malformed', {}, None, True),
        ('status', {'status': 429}, 'rejected', False),
    ],
)
def test_lost_batch_never_hides_the_others(
    flavour, simulator, exchange, exchange_id, quoted, kind, details, status, rests
):
    exchange.options['maxRetriesOnFailure'] = 3
    simulator.fault(kind, 'batch-orders' if exchange_id == 'okx' else 'batchOrders', **details)
    largest = {'okx': 20, 'binance': 10}[exchange_id]
    orders = flavour.take(exchange.create_orders(listed(quoted, 2 * largest)))
    assert len(simulator.requests) == 2
    lost = [order for order in orders if order['id'] is None]
    assert len(lost) == largest
    assert {order['status'] for order in lost} == {status}
    assert {order['status'] for order in orders if order not in lost} == {'open'}
    assert [order['price'] for order in orders] == list(range(1, 2 * largest + 1))
    # what was sent tells them apart, whether they rest or not
    by_client_id = {order.client_order_id for order in resting(simulator, exchange_id)}
    assert {order['clientOrderId'] in by_client_id for order in lost} == {rests}
    assert all(order['filled'] is None and 'error' in order['info'] for order in lost)


def test_only_batch_that_is_lost_is_an_error(flavour, simulator, exchange, quoted):
    simulator.fault('drop_before')
    with pytest.raises(ccxt.NetworkError):
        flavour.take(exchange.create_orders(listed(quoted, 3)))


@pytest.mark.parametrize(
    'body', ['[]', '{"orderId":1}', '[1]', '[{"orderId":1,"clientOrderId":"of another"},{"orderId":2}]']
)
def test_answer_to_other_orders_leaves_it_open(flavour, canned, body):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer(body)
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTCUSDT'), 2)))


@pytest.mark.parametrize('data', ['[]', '[{"ordId":"1","clOrdId":"x","sCode":"0"}]', '[{"ordId":"1"}]', '[1]', '{}'])
def test_answer_to_other_orders_leaves_it_open_on_okx(flavour, canned, data):
    exchange = with_markets(flavour.exchange('okx', canned.url))
    canned.answer(f'{{"code":"0","msg":"","data":{data}}}')
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTC-USD'), 1)))


@pytest.mark.parametrize(('code', 'status'), [(-1007, None), (-1006, None), (-2010, 'rejected'), (-9999, 'rejected')])
def test_item_whose_outcome_is_unknown_is_not_taken_for_refused(flavour, canned, code, status):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer(json.dumps([{'orderId': 1}, {'code': code, 'msg': 'x'}]))
    orders = flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTCUSDT'), 2)))
    assert [order['status'] for order in orders] == ['open', status]


def test_batches_go_side_by_side(flavour, simulator, exchange, exchange_id, quoted):
    if flavour.name == 'sync':
        pytest.skip('a sync exchange sends one after another')
    simulator.latency = 60_000  # no answer comes before all are sent
    batches_of_60 = {'okx': 3, 'binance': 6}[exchange_id]

    async def until_all_are_sent():
        placing = asyncio.ensure_future(exchange.create_orders(listed(quoted, 60)))
        while len(simulator.requests) < batches_of_60 and not placing.done():  # noqa: ASYNC110 - a thread logs them
            await asyncio.sleep(0.01)
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)

    flavour.take(until_all_are_sent())
    assert len(simulator.requests) == batches_of_60


def test_orders_of_other_markets_keep_their_place(flavour, simulator, exchange, exchange_id, quoted):
    sent = []

    def stock(orders, params):
        sent.append((orders, params))
        return [{'id': f'other {order["price"]}', 'mmp': None} for order in orders]

    others = listed(['BTC/USDT:USDT'], 2, params={})
    mixed = [*listed(quoted, 1), others[0], *listed(quoted, 1), others[1]]
    placing = exchange._create_orders(stock, mixed, {})
    orders = run_sync(placing) if flavour.loop is None else flavour.take(placing)
    assert sent == [([each], {}) for each in others]
    assert [order['id'] for order in orders[1::2]] == ['other 1', 'other 2']
    assert [order['mmp'] for order in orders[::2]] == [True, True]
    assert len(resting(simulator, exchange_id)) == 2


def test_answers_in_another_order_than_asked_are_told_by_their_ids(flavour, simulator, exchange, exchange_id, quoted):
    placing = exchange._place_batch

    async def reversed_answers(*arguments):
        return (await placing(*arguments))[::-1]

    exchange._place_batch = reversed_answers
    orders = flavour.take(exchange.create_orders(listed(quoted, 5)))
    assert [(order['price'], order['status']) for order in orders] == [(price, 'open') for price in range(1, 6)]
    by_id = {order.order_id: float(order.price) for order in resting(simulator, exchange_id)}
    assert {order['id']: order['price'] for order in orders} == by_id


@pytest.mark.parametrize('strange', ['junk', None, {}, {'executedQty': 'NaN'}, {'avgPrice': {}}])
def test_item_that_cannot_be_read_loses_no_other(flavour, simulator, strange):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    placing = exchange._place_batch

    async def one_strange(*arguments):
        first, *others = await placing(*arguments)
        return [{**first, **strange} if isinstance(strange, dict) and strange else strange, *others]

    exchange._place_batch = one_strange
    orders = flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTCUSDT'), 3)))
    assert [order['status'] for order in orders[1:]] == ['open', 'open']
    assert orders[0]['status'] in (None, 'open')
    assert orders[0]['clientOrderId']


def test_order_of_another_market_that_is_lost_is_unknown(flavour, exchange, quoted):
    def lost(orders, params):
        raise ccxt.RequestTimeout('lost')

    def unreadable(orders, params):
        return []

    for stock in (lost, unreadable):
        other = listed(['BTC/USDT:USDT'], 1, params={'clientOrderId': 'mine'})
        placing = exchange._create_orders(stock, [*listed(quoted, 1), *other], {})
        orders = run_sync(placing) if flavour.loop is None else flavour.take(placing)
        assert [order['status'] for order in orders] == ['open', None]
        assert (orders[1]['clientOrderId'], orders[1]['symbol'], orders[1]['mmp']) == ('mine', 'BTC/USDT:USDT', False)


def test_returned_failures_have_no_signed_url(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url, timeout=100))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    ids = [order['id'] for order in flavour.take(exchange.create_orders(listed([symbol], 11)))]
    simulator.fault('delay', 'batchOrders', method='DELETE', milliseconds=500)
    cancelled = flavour.take(exchange.cancel_orders(ids, symbol))
    assert [order for order in cancelled if 'error' in order['info']]
    assert 'signature' not in str(cancelled)


@pytest.mark.parametrize(('ids', 'error'), [('123', ccxt.BadRequest), ([], ccxt.ArgumentsRequired)])
def test_cancellation_of_nothing_that_is_named_is_refused(flavour, simulator, ids, error):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    with pytest.raises(error):
        flavour.take(exchange.cancel_orders(ids, symbols(exchange, 'BTCUSDT')[0]))
    assert simulator.requests == []


@pytest.mark.parametrize('body', ['{}', '[]', '""', 'null', '"x"', '{"orderId":null}'])
def test_answer_without_an_order_leaves_it_open(flavour, canned, body):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer(body)
    with pytest.raises(ccxt.BadResponse):
        create(flavour, exchange, symbols(exchange, 'BTCUSDT')[0], {'mmp': True})


@pytest.mark.parametrize('data', ['[]', '[{"sCode":"0","clOrdId":"x"}]', '[{"sCode":"0","ordId":""}]'])
def test_answer_of_okx_without_an_order_leaves_it_open(flavour, canned, data):
    exchange = with_markets(flavour.exchange('okx', canned.url))
    canned.answer(f'{{"code":"0","msg":"","data":{data}}}')
    with pytest.raises(ccxt.BadResponse):
        create(flavour, exchange, symbols(exchange, 'BTC-USD')[0], {'mmp': True})


def test_retries_of_an_order_are_not_sent(flavour, simulator, exchange, quoted):
    flavour.take(exchange.create_orders(listed(quoted, 2, params={'mmp': True, 'maxRetriesOnFailure': 3})))
    assert 'maxRetries' not in simulator.requests[0].body
    assert simulator.requests[0].status == 200


def test_orders_from_any_iterable_are_placed(flavour, simulator, exchange, quoted):
    assert len(flavour.take(exchange.create_orders(iter(listed(quoted, 3))))) == 3


def test_classes_of_the_user_below_the_mixins_are_asked(simulator, exchange_id):
    asked = []

    class Risk(getattr(ccxt, exchange_id)):
        def create_order(self, *arguments):
            asked.append(arguments[0])
            return super().create_order(*arguments)

    mixin = {'okx': OkxMmp, 'binance': BinanceMmp}[exchange_id]
    mine = type('Mine', (SyncMmp, mixin, Risk), {})
    exchange = with_markets(simulator.connect(mine, enableRateLimit=False))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    assert exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})['mmp'] is True
    assert asked == [symbol]


def test_class_of_the_user_that_places_orders_in_its_own_way_is_believed():
    class Own(ccxt.okx):
        def create_order(self, *arguments):
            return {'id': 'mine', 'mmp': None}

    mine = type('Mine', (SyncMmp, OkxMmp, Own), {})
    exchange = with_markets(mine({'enableRateLimit': False}))
    symbol = symbols(exchange, 'BTC-USD')[0]
    assert exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}) == {'id': 'mine', 'mmp': None}


def test_mixin_without_the_names_of_an_exchange_fails_loudly():
    orders = MmpOrders()
    for name, arguments in {
        '_own_flags': ('limit', {}),
        '_own_type_is_post_only': ('limit', {}),
        '_flagged': ({},),
        '_named': ({},),
        '_as_order': ({},),
        '_place_batch': ([], {}),
        '_refusal': ({},),
        '_fetch_open_mmp_orders': (None, None, None, None, {}),
    }.items():
        hook = getattr(orders, name)
        with pytest.raises(NotImplementedError):
            run_sync(hook(*arguments))


# --- reading


def test_orders_are_read_with_the_flag(flavour, simulator, exchange, exchange_id, quoted):
    mmp = create(flavour, exchange, quoted[0], {'mmp': True, 'postOnly': True})
    plain = create(flavour, exchange, quoted[0], {})
    fetched = flavour.take(exchange.fetch_order(mmp['id'], quoted[0]))
    assert (fetched['mmp'], fetched['type'], fetched['postOnly'], fetched['status']) == (True, 'limit', True, 'open')
    assert flavour.take(exchange.fetch_order(plain['id'], quoted[0]))['mmp'] is False
    by_id = {order['id']: order['mmp'] for order in flavour.take(exchange.fetch_open_orders(quoted[0]))}
    assert by_id == {mmp['id']: True, plain['id']: False}


def test_filled_orders_are_read_with_the_flag(flavour, simulator, exchange, quoted):
    filled = [create(flavour, exchange, quoted[0], params)['id'] for params in ({'mmp': True}, {})]
    for order_id in filled:
        simulator.fill(order_id)
    closed = flavour.take(exchange.fetch_closed_orders(quoted[0]))
    assert {order['id']: (order['status'], order['mmp']) for order in closed} == {
        filled[0]: ('closed', True),
        filled[1]: ('closed', False),
    }


@pytest.mark.parametrize('with_symbol', [True, False])
def test_open_mmp_orders_are_listed_alone(flavour, simulator, exchange, quoted, with_symbol):
    flavour.take(exchange.create_orders(listed(quoted[:2], 4)))
    create(flavour, exchange, quoted[0], {})
    symbol = quoted[0] if with_symbol else None
    orders = flavour.take(exchange.fetch_open_orders(symbol, params={'mmp': True}))
    assert len(orders) == (2 if with_symbol else 4)
    assert all(order['mmp'] is True for order in orders)
    by_flag = {
        flag: len(flavour.take(exchange.fetch_open_orders(quoted[0], params={'mmp': flag}))) for flag in (False, None)
    }
    assert by_flag == {False: 3, None: 3}


@pytest.mark.parametrize('flag', [1, 'true', []])
def test_open_orders_by_another_flag_are_a_bad_request(flavour, simulator, exchange, flag):
    with pytest.raises(ccxt.BadRequest, match='mmp must be'):
        flavour.take(exchange.fetch_open_orders(params={'mmp': flag}))
    assert simulator.requests == []


def test_open_orders_that_do_not_say_are_no_answer(flavour, canned):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer('[{"orderId":1,"symbol":"BTC-260327-100000-C","status":"NEW"}]')
    with pytest.raises(ccxt.BadResponse, match="'1'"):
        flavour.take(exchange.fetch_open_orders(params={'mmp': True}))


@pytest.mark.parametrize('with_symbol', [True, False])
@pytest.mark.parametrize('body', ['<html>maintenance</html>', '[{"orderId":', '{}', '{"code":"0","msg":""}'])
def test_answer_that_is_no_list_does_not_say_that_there_are_no_open_mmp_orders(
    flavour, canned, exchange_id, body, with_symbol
):
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    canned.answer(body)
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0] if with_symbol else None
    with pytest.raises((ccxt.BadResponse, ccxt.ExchangeError)):
        flavour.take(exchange.fetch_open_orders(symbol, params={'mmp': True}))


def test_other_markets_have_no_open_mmp_orders(flavour, canned, exchange_id):
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    canned.answer('{"code":"0","data":[]}' if exchange_id == 'okx' else '[]')
    assert flavour.take(exchange.fetch_open_orders('BTC/USDT', params={'mmp': True})) == []


def test_binance_open_mmp_orders_of_a_period(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    flavour.take(exchange.fetch_open_orders(None, 1_700_000_000_000, 7, {'mmp': True, 'type': 'option'}))
    [request] = simulator.requests
    query = parse_qs(request.query)
    assert (request.path, query['startTime']) == ('/eapi/v1/openOrders', ['1700000000000'])
    assert not query.keys() & {'type', 'limit'}  # the limit counts MMP orders, the exchange would count all


def test_okx_orders_that_the_trigger_cancelled_are_cancelled_ones(flavour, simulator):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    symbol = symbols(exchange, 'BTC-USD')[0]
    simulator.set_rule('okx', 'BTC-USD')
    by_trigger = create(flavour, exchange, symbol, {'mmp': True})['id']
    simulator.trip('okx', 'BTC-USD')
    simulator.advance(1)  # they are listed by their time, which is in ms
    by_user = create(flavour, exchange, symbol, {})['id']
    flavour.take(exchange.cancel_order(by_user, symbol))
    for arguments in ((symbol,), (None, None, None, {'type': 'option'})):
        orders = flavour.take(exchange.fetch_canceled_orders(*arguments))
        assert [(order['id'], order['status'], order['mmp']) for order in orders] == [
            (by_trigger, 'canceled', True),
            (by_user, 'canceled', False),
        ]
    assert [order['id'] for order in flavour.take(exchange.fetch_canceled_orders(symbol, None, 1))] == [by_user]
    only = flavour.take(exchange.fetch_canceled_orders(symbol, params={'state': 'mmp_canceled'}))
    assert [order['id'] for order in only] == [by_trigger]
    assert flavour.take(exchange.fetch_order(by_trigger, symbol))['status'] == 'canceled'


def test_failure_of_either_list_of_cancelled_orders_is_one(flavour, simulator):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    simulator.fault('status', 'orders-history', status=503)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        flavour.take(exchange.fetch_canceled_orders(symbols(exchange, 'BTC-USD')[0]))


def test_streamed_orders_have_the_flag():
    exchange = with_markets(ccxt_mmp.pro.okx())
    option_id = exchange.market(symbols(exchange, 'BTC-USD')[0])['id']
    raw = {'instType': 'OPTION', 'instId': option_id, 'ordId': '1', 'ordType': 'mmp_and_post_only'}
    message = {'arg': {'channel': 'orders'}, 'data': [{**raw, 'state': 'mmp_canceled', 'side': 'buy', 'sz': '1'}]}

    class Client:
        def resolve(self, *arguments):
            pass

    exchange.handle_orders(Client(), message)
    [order] = exchange.orders
    assert (order['mmp'], order['type'], order['postOnly'], order['status']) == (True, 'limit', True, 'canceled')


def test_streamed_orders_of_binance_do_not_say():
    exchange = with_markets(ccxt_mmp.pro.binance())
    raw = {
        's': 'BTC-260327-100000-C',
        'i': '1',
        'X': 'CANCELED',
        'o': 'LIMIT',
        'f': 'GTC',
        'q': '1',
        'p': '1',
        'S': 'BUY',
    }
    assert exchange.parse_ws_order(raw)['mmp'] is None


# --- cancelling


def test_options_of_binance_are_cancelled_through_their_api(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    placed = flavour.take(exchange.create_orders(listed([symbol], 23)))
    simulator.requests.clear()
    ids = [order['id'] for order in placed]
    cancelled = flavour.take(exchange.cancel_orders(ids, symbol))
    assert [order['id'] for order in cancelled] == ids
    assert {(order['status'], order['mmp']) for order in cancelled} == {('canceled', True)}
    assert [request.path for request in simulator.requests] == ['/eapi/v1/batchOrders'] * 3
    assert sorted(len(json.loads(unquote(parse_qs(each.query)['orderIds'][0]))) for each in simulator.requests) == [
        3,
        10,
        10,
    ]
    assert resting(simulator, 'binance') == []


def test_cancellation_of_options_is_repeated_where_the_user_says_so(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url, options={'maxRetriesOnFailure': 1}))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    order_id = create(flavour, exchange, symbol, {'mmp': True})['id']
    simulator.requests.clear()
    simulator.fault('status', 'batchOrders', status=503)
    [cancelled] = flavour.take(exchange.cancel_orders([order_id], symbol))
    assert cancelled['status'] == 'canceled'
    assert [request.path for request in simulator.requests] == ['/eapi/v1/batchOrders'] * 2


def test_options_of_binance_are_cancelled_by_the_clients_ids(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    mine = ['my:first', '123', 'a_b-c.d/e']
    for client_order_id in mine:
        create(flavour, exchange, symbol, {'mmp': True, 'clientOrderId': client_order_id})
    cancelled = flavour.take(exchange.cancel_orders([], symbol, {'clientOrderIds': mine}))
    assert [order['clientOrderId'] for order in cancelled] == mine
    assert resting(simulator, 'binance') == []


def test_cancellation_that_failed_is_told_from_the_others(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    rests, refused = (create(flavour, exchange, symbol, {})['id'] for _ in range(2))
    simulator.refuse_cancel(refused)
    cancelled = flavour.take(exchange.cancel_orders([refused, rests], symbol))
    assert [(order['id'], order['status']) for order in cancelled] == [(refused, None), (rests, 'canceled')]
    assert '-6063' in str(cancelled[0]['info'])
    with pytest.raises(ccxt.OperationRejected):
        flavour.take(exchange.cancel_orders([refused], symbol))
    with pytest.raises(ccxt.OrderNotFound):
        flavour.take(exchange.cancel_orders([rests, '1'], symbol))


def test_cancelled_order_that_cannot_be_read_loses_no_other(flavour, canned):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    market = exchange.market(symbols(exchange, 'BTCUSDT')[0])
    cancelled = {'symbol': market['id'], 'status': 'CANCELED'}
    canned.answer(json.dumps([{**cancelled, 'orderId': 1, 'avgPrice': 'x'}, {**cancelled, 'orderId': 2}]))
    orders = flavour.take(exchange.cancel_orders(['1', '2'], market['symbol']))
    assert [(order['id'], order['status']) for order in orders] == [('1', None), ('2', 'canceled')]
    assert 'cannot be read' in orders[0]['info']['error']


def test_refusal_that_names_its_order_is_no_cancellation(flavour, canned):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    market = exchange.market(symbols(exchange, 'BTCUSDT')[0])
    gone = {'orderId': 1, 'code': -2011, 'msg': 'Unknown order sent.'}
    canned.answer(json.dumps([gone, {'orderId': 2, 'symbol': market['id'], 'status': 'CANCELED'}]))
    cancelled = flavour.take(exchange.cancel_orders(['1', '2'], market['symbol']))
    assert [(order['id'], order['status']) for order in cancelled] == [('1', None), ('2', 'canceled')]


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_answer_that_breaks_off_leaves_it_open(flavour, exchange, quoted, exchange_id):
    """ccxt raises ExchangeError for it, as for a refusal."""
    if flavour.name == 'sync':
        cause = requests_library.exceptions.ContentDecodingError('broken')
    else:
        cause = aiohttp.ClientPayloadError('broken')
    stock = type(exchange).__mro__[[each.__module__.startswith('ccxt.') for each in type(exchange).__mro__].index(True)]

    def broken(*arguments):
        raise ccxt.ExchangeError('broken') from cause

    async def broken_later(*arguments):
        broken()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, 'fetch', broken if flavour.name == 'sync' else broken_later)
        with pytest.raises(ccxt.NetworkError):
            create(flavour, exchange, quoted[0], {'mmp': True})
        with pytest.raises(ccxt.ExchangeError):
            create(flavour, exchange, quoted[0], {})  # is ccxt's own affair


def test_status_that_is_no_error_of_ccxts_is_an_answer(exchange):
    """requests raises HTTPError for it, which is nothing that broke off."""
    refused = ccxt.ExchangeError('refused')
    refused.__cause__ = requests_library.exceptions.HTTPError('451')
    with RequestContext(exchange):
        assert exchange._raise_if_lost(refused, None) is None


def test_lost_batch_of_cancellations_never_hides_the_others(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    ids = [order['id'] for order in flavour.take(exchange.create_orders(listed([symbol], 20)))]
    simulator.fault('status', 'batchOrders', method='DELETE', status=503)
    cancelled = flavour.take(exchange.cancel_orders(ids, symbol))
    assert [order['id'] for order in cancelled] == ids
    statuses = [order['status'] for order in cancelled]
    assert sorted(map(str, statuses)) == ['None'] * 10 + ['canceled'] * 10
    assert len(resting(simulator, 'binance')) == 10


# --- the dead man's switch


def test_countdown_of_binance(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    create(flavour, exchange, symbol, {})
    answer = flavour.take(exchange.cancel_all_orders_after(5000, {'underlying': 'BTC/USDT'}))
    assert (answer['underlying'], str(answer['countdownTime'])) == ('BTCUSDT', '5000')
    simulator.advance(5000)
    assert resting(simulator, 'binance') == []
    with pytest.raises(ccxt.InvalidOrder):
        create(flavour, exchange, symbol, {})
    flavour.take(exchange.cancel_all_orders_after(0, {'underlying': 'BTC/USDT'}))
    create(flavour, exchange, symbol, {})


@pytest.mark.parametrize('timeout', [1, 4999, -1, 5000.5, None, True, 'x'])
def test_countdown_of_binance_that_is_refused(flavour, simulator, timeout):
    exchange = flavour.exchange('binance', simulator.url)
    with pytest.raises(ccxt.BadRequest):
        flavour.take(exchange.cancel_all_orders_after(timeout, {'underlying': 'BTC/USDT'}))
    assert simulator.requests == []


def test_countdown_of_binance_without_an_underlying_is_ccxts(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    assert exchange.has.get('cancelAllOrdersAfter') == ccxt.binance().has.get('cancelAllOrdersAfter')
    for params in ({}, {'underlying': None}):
        with pytest.raises(ccxt.NotSupported):
            flavour.take(exchange.cancel_all_orders_after(5000, params))
    with pytest.raises(ccxt.BadSymbol):
        flavour.take(exchange.cancel_all_orders_after(5000, {'underlying': 'BTC/USD'}))
    assert simulator.requests == []


def test_countdown_of_okx(flavour, simulator):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    create(flavour, exchange, symbols(exchange, 'BTC-USD')[0], {'mmp': True})
    flavour.take(exchange.cancel_all_orders_after(10_000))
    simulator.advance(10_000)
    assert resting(simulator, 'okx') == []
    flavour.take(exchange.cancel_all_orders_after(0))
    bodies = [json.loads(request.body) for request in simulator.requests[1:]]
    assert [str(body['timeOut']) for body in bodies] == ['10', '0']


@pytest.mark.parametrize('timeout', [1, 999, 0.5, -1, -10_000, None, True, 'x'])
def test_countdown_of_okx_that_would_disarm_is_refused(flavour, simulator, timeout):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    with pytest.raises(ccxt.BadRequest):
        flavour.take(exchange.cancel_all_orders_after(timeout))
    assert simulator.requests == []


# --- ccxt's own


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


@pytest.mark.parametrize(
    ('exchange_id', 'call'),
    [
        pytest.param(exchange_id, call, id=f'{exchange_id}-{" ".join(map(str, call))}')
        for exchange_id in EXCHANGES
        for call in (CALLS if exchange_id == 'binance' else CALLS + OKX_CALLS)
    ],
)
def test_without_the_flag_requests_are_ccxts_to_the_byte(flavour, exchange_id, call):
    plain = getattr(STOCK[flavour.name], exchange_id)
    ours = requests(flavour, flavour.exchange_class(exchange_id), call)
    theirs = requests(flavour, plain, call)
    assert ours == theirs
    assert len(ours) == 1 or call[0] == 'fetch_canceled_orders'


@pytest.mark.parametrize('flag', [False, None])
@pytest.mark.parametrize('symbol', ['BTC/USDT', 'BTC/USDT:USDT', 'option'])
def test_flag_that_is_not_set_is_never_sent(flavour, exchange_id, symbol, flag):
    ours = flavour.exchange_class(exchange_id)
    plain = requests(flavour, ours, ('create_order', symbol, 'limit', 'buy', 1, 5))
    assert requests(flavour, ours, ('create_order', symbol, 'limit', 'buy', 1, 5, {'mmp': flag})) == plain
    if symbol != 'BTC/USDT':
        plain = requests(flavour, ours, ('create_orders', symbol))
        assert requests(flavour, ours, ('create_orders', symbol, {'mmp': flag})) == plain
    plain = requests(flavour, ours, ('fetch_open_orders', symbol))
    assert requests(flavour, ours, ('fetch_open_orders', symbol, None, None, {'mmp': flag})) == plain


@lru_cache
def offline(exchange_class):
    """An exchange that sends nothing, with the clock and the ids set."""
    exchange = with_markets(exchange_class({'apiKey': 'k', 'secret': 's', 'password': 'p', 'enableRateLimit': False}))
    exchange.milliseconds = lambda: NOW
    exchange.uuid16 = exchange.uuid22 = lambda *arguments: 'x' * 16
    return exchange


def requests(flavour, exchange_class, call):
    """What a call would send: method, URL, headers and body."""
    exchange = offline(exchange_class)
    sent = []

    def record(url, method='GET', headers=None, body=None):
        sent.append((method, url, headers, body))
        return [] if method == 'GET' and 'binance' in url else {'code': '0', 'data': [{'sCode': '0'}], 'msg': ''}

    async def record_later(*arguments, **keywords):
        return record(*arguments, **keywords)

    exchange.fetch = record if flavour.loop is None else record_later
    name, *arguments = call
    option = symbols(exchange, UNDERLYING[exchange.id])[0]
    arguments = [option if each == 'option' else each for each in arguments]
    if name == 'create_orders':
        arguments[0] = listed([arguments[0]], 2, params={'clientOrderId': 'mine'})
    try:
        flavour.take(getattr(exchange, name)(*arguments))
    except ccxt.BaseError as error:
        sent.append(repr(error))
    except Exception as error:  # noqa: BLE001 - ccxt's own, about the answers that are none
        sent.append(type(error))
    return [each for each in sent if isinstance(each, tuple)]
