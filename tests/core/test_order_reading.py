"""Orders and lists of orders that are read, with the flag."""

from urllib.parse import parse_qs

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp.pro
from tests.core.ordering import create, listed
from tests.rows import rows
from tests.trading import PLAIN, UNDERLYING, symbols, with_markets


def test_orders_are_read_with_the_flag(flavour, simulator, exchange, exchange_id, quoted):
    mmp = create(flavour, exchange, quoted[0], {'mmp': True, 'postOnly': True})
    plain = create(flavour, exchange, quoted[0], {})
    params = {'acknowledged': True} if exchange_id == 'bybit' else {}  # ccxt wants it there
    fetched = flavour.take(exchange.fetch_order(mmp['id'], quoted[0], params))
    assert (fetched['mmp'], fetched['type'], fetched['postOnly'], fetched['status']) == (True, 'limit', True, 'open')
    assert flavour.take(exchange.fetch_order(plain['id'], quoted[0], params))['mmp'] is PLAIN.get(exchange_id, False)
    by_id = {order['id']: order['mmp'] for order in flavour.take(exchange.fetch_open_orders(quoted[0]))}
    assert by_id == {mmp['id']: True, plain['id']: PLAIN.get(exchange_id, False)}


def test_filled_orders_are_read_with_the_flag(flavour, simulator, exchange, exchange_id, quoted):
    filled = [create(flavour, exchange, quoted[0], params)['id'] for params in ({'mmp': True}, {})]
    for order_id in filled:
        simulator.fill(order_id)
    closed = flavour.take(exchange.fetch_closed_orders(quoted[0]))
    assert {order['id']: (order['status'], order['mmp']) for order in closed} == {
        filled[0]: ('closed', True),
        filled[1]: ('closed', PLAIN.get(exchange_id, False)),
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


@rows('flag', [1, 'true', []])
def test_open_orders_by_another_flag_are_a_bad_request(flavour, simulator, exchange, flag):
    with pytest.raises(ccxt.BadRequest, match='mmp must be'):
        flavour.take(exchange.fetch_open_orders(params={'mmp': flag}))
    assert simulator.requests == []


def test_open_orders_that_do_not_say_are_no_answer(flavour, canned):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer('[{"orderId":1,"symbol":"BTC-260327-100000-C","status":"NEW"}]')
    with pytest.raises(ccxt.BadResponse, match="'1'"):
        flavour.take(exchange.fetch_open_orders(params={'mmp': True}))


@rows('with_symbol', [True, False])
@rows('body', ['<html>maintenance</html>', '[{"orderId":', '{}', '{"code":"0","msg":""}'])
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
        subscriptions = dict.fromkeys(['orders'])

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
