"""Option orders that are cancelled by their ids, and the countdown that cancels all."""

import json
from urllib.parse import parse_qs, unquote

import aiohttp
import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import requests as requests_library

from ccxt_mmp.core.request_context import RequestContext
from tests.core.ordering import create, listed, resting
from tests.rows import rows
from tests.trading import symbols, with_markets

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


@rows('timeout', [1, 4999, -1, 5000.5, None, True, 'x'])
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


@rows('timeout', [1, 999, 0.5, -1, -10_000, None, True, 'x'])
def test_countdown_of_okx_that_would_disarm_is_refused(flavour, simulator, timeout):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    with pytest.raises(ccxt.BadRequest):
        flavour.take(exchange.cancel_all_orders_after(timeout))
    assert simulator.requests == []
