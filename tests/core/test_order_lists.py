"""Lists of MMP orders alone: complete, and counted after the flag."""

import json

import ccxt
import pytest

from ccxt_mmp.exchanges.binance import orders as binance_orders
from tests.core.test_orders import create
from tests.rows import rows
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

MMP = {'mmp': True}
# orders that come in one answer; elsewhere all do, and their number tells nothing
PAGE = {'okx': 100, 'bybit': 50, 'binance': 10, 'deribit': 10}


def rest(simulator, exchange, symbol, count, **terms):
    """The ids of orders that another client of the account has put into the book, in their order."""
    market = exchange.market(symbol)
    underlying = UNDERLYING[exchange.id]
    return [
        simulator.rest(exchange.id, underlying, symbol=market['id'], **{'mmp': True, **terms}).order_id
        for _ in range(count)
    ]


def cancel(flavour, exchange, symbol, order_ids):
    for start in range(0, len(order_ids), 20):
        flavour.take(exchange.cancel_orders(order_ids[start : start + 20], symbol))


def ids(flavour, fetching):
    return [order['id'] for order in flavour.take(fetching)]


@pytest.mark.parametrize('with_symbol', [True, False])
def test_limit_counts_mmp_orders(flavour, simulator, exchange, quoted, with_symbol):
    symbol = quoted[0] if with_symbol else None
    [mmp] = rest(simulator, exchange, quoted[0], 1)
    rest(simulator, exchange, quoted[0], 3, mmp=False)
    assert ids(flavour, exchange.fetch_open_orders(symbol, None, 1, MMP)) == [mmp]
    assert ids(flavour, exchange.fetch_open_orders(symbol, None, None, {**MMP, 'limit': 1})) == [mmp]


def test_every_open_mmp_order_is_listed(flavour, simulator, exchange, exchange_id, quoted):
    exchange.milliseconds = simulator.now
    wanted, page = [], PAGE[exchange_id]
    # a book that grows: placing as many takes as long as listing them
    for count in (page - 1, page, page + 1, 2 * page, 2 * page + 1):
        wanted += rest(simulator, exchange, quoted[0], count - len(wanted))
        others = rest(simulator, exchange, quoted[0], 5, mmp=False)
        for symbol in (quoted[0], None):
            found = ids(flavour, exchange.fetch_open_orders(symbol, None, None, MMP))
            assert sorted(found) == sorted(wanted)
            newest = ids(flavour, exchange.fetch_open_orders(symbol, None, count - 1, MMP))
            assert sorted(newest) == sorted(wanted[1:])
        for order_id in others:
            simulator.fill(order_id)
        simulator.advance(2000)  # there is a limit of requests in a while


def test_limit_beyond_a_page_takes_the_pages_that_it_needs(flavour, simulator):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    symbol = symbols(exchange, 'BTC-USD')[0]
    wanted = rest(simulator, exchange, symbol, 251)
    for limit, pages in ((150, 2), (100, 1), (7, 1), (251, 3)):
        simulator.requests.clear()
        found = ids(flavour, exchange.fetch_open_orders(symbol, None, limit, MMP))
        assert sorted(found, key=int) == wanted[-limit:]
        assert len(simulator.requests) == pages


def test_time_from_which_on_orders_are_listed_counts_from_there(flavour, simulator, exchange, exchange_id, quoted):
    start, page = simulator.now(), PAGE[exchange_id]
    first = rest(simulator, exchange, quoted[0], 6 * page // 10)
    simulator.advance(1000)
    since = simulator.now()
    later = rest(simulator, exchange, quoted[0], 13 * page // 10)
    assert ids(flavour, exchange.fetch_open_orders(quoted[0], since, 2, MMP)) == later[:2]
    assert sorted(ids(flavour, exchange.fetch_open_orders(quoted[0], since, None, MMP))) == sorted(later)
    assert len(flavour.take(exchange.fetch_open_orders(quoted[0], start, None, MMP))) == len(first + later)


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_every_cancelled_mmp_order_is_listed(flavour, simulator, exchange, exchange_id, quoted):
    page = PAGE[exchange_id]
    wanted = rest(simulator, exchange, quoted[0], 12 * page // 10)
    others = rest(simulator, exchange, quoted[0], 12 * page // 10, mmp=False)
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    cancel(flavour, exchange, quoted[0], others)
    flavour.take(exchange.reset_mmp(UNIFIED[exchange_id]))
    mine = rest(simulator, exchange, quoted[0], 11 * page // 10)
    cancel(flavour, exchange, quoted[0], mine)
    orders = flavour.take(exchange.fetch_canceled_orders(quoted[0], None, None, MMP))
    assert sorted(order['id'] for order in orders) == sorted(wanted + mine)
    assert {(order['status'], order['mmp']) for order in orders} == {('canceled', True)}
    last = ids(flavour, exchange.fetch_canceled_orders(quoted[0], None, 15 * page // 10, MMP))
    assert len(last) == 15 * page // 10
    assert set(mine) <= set(last)
    assert not any('mmp=' in request.query for request in simulator.requests)
    if exchange_id == 'okx':
        assert len(flavour.take(exchange.fetch_canceled_orders(None, None, None, MMP))) == 230
        by_trigger = exchange.fetch_canceled_orders(quoted[0], None, None, {**MMP, 'state': 'mmp_canceled'})
        assert sorted(ids(flavour, by_trigger), key=int) == wanted


def test_cancelled_orders_of_binance_are_paged(flavour, simulator, monkeypatch):
    monkeypatch.setattr(binance_orders, 'MAX_ROWS', 10)
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    cancelled = 0
    for count in (9, 1, 1, 9, 5):  # 9, 10, 11, 20 and 25 in all
        cancel(flavour, exchange, symbol, rest(simulator, exchange, symbol, count))
        found = ids(flavour, exchange.fetch_canceled_orders(symbol, None, None, MMP))
        cancelled += count
        assert len(found) == len(set(found)) == cancelled
    since = simulator.now()
    assert len(ids(flavour, exchange.fetch_canceled_orders(symbol, since - 3_600_000, None, MMP))) == 25
    assert ids(flavour, exchange.fetch_canceled_orders(symbol, since + 1, None, MMP)) == []
    with pytest.raises(ccxt.ArgumentsRequired, match='symbol'):
        flavour.take(exchange.fetch_canceled_orders(None, None, None, MMP))


@pytest.mark.parametrize('flag', [False, None])
@pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])
def test_list_with_the_flag_off_is_ccxts(flavour, simulator, exchange, quoted, flag):
    wanted = rest(simulator, exchange, quoted[0], 1) + rest(simulator, exchange, quoted[0], 1, mmp=False)
    cancel(flavour, exchange, quoted[0], wanted)
    found = ids(flavour, exchange.fetch_canceled_orders(quoted[0], None, None, {'mmp': flag}))
    assert sorted(found) == sorted(wanted)
    assert not any('mmp=' in request.query for request in simulator.requests)


@rows('flag', [1, 'true', []])
def test_cancelled_orders_by_another_flag_are_a_bad_request(flavour, simulator, exchange, quoted, flag):
    with pytest.raises(ccxt.BadRequest, match='mmp must be'):
        flavour.take(exchange.fetch_canceled_orders(quoted[0], None, None, {'mmp': flag}))
    assert simulator.requests == []


@rows('name', ['fetch_open_orders', 'fetch_canceled_orders'])
@rows('body', ['<html>maintenance</html>', '{}', '{"code":"0","msg":""}', '[1]'])
def test_answer_that_is_no_list_of_orders_is_an_error(flavour, canned, exchange_id, name, body):
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    canned.answer(body)
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    with pytest.raises((ccxt.BadResponse, ccxt.ExchangeError)):
        flavour.take(getattr(exchange, name)(symbol, None, None, MMP))


@pytest.mark.parametrize('name', ['fetch_open_orders', 'fetch_canceled_orders'])
def test_pages_that_never_end_are_an_error(flavour, canned, name):
    exchange = with_markets(flavour.exchange('okx', canned.url))
    market = exchange.market(symbols(exchange, 'BTC-USD')[0])
    row = {'instType': 'OPTION', 'instId': market['id'], 'ordType': 'mmp', 'state': 'live', 'side': 'buy', 'sz': '1'}
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': [{**row, 'ordId': str(each)} for each in range(100)]}))
    with pytest.raises(ccxt.BadResponse, match='could not list'):
        flavour.take(getattr(exchange, name)(market['symbol'], None, None, MMP))


def test_pages_of_binance_that_never_end_are_an_error(flavour, canned, monkeypatch):
    monkeypatch.setattr(binance_orders, 'MAX_ROWS', 3)
    exchange = with_markets(flavour.exchange('binance', canned.url))
    market = exchange.market(symbols(exchange, 'BTCUSDT')[0])
    row = {'symbol': market['id'], 'status': 'CANCELLED', 'mmp': True}
    canned.answer(json.dumps([{**row, 'orderId': each} for each in (1, 2, 3)]))
    with pytest.raises(ccxt.BadResponse, match='could not list'):
        flavour.take(exchange.fetch_canceled_orders(market['symbol'], None, None, MMP))


# --- orders of other markets


@rows('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
@rows('name', ['fetch_open_orders', 'fetch_canceled_orders'])
def test_other_markets_have_no_mmp_orders_whatever_rests_there(flavour, canned, exchange_id, symbol, name):
    if can_have_flag(exchange_id, symbol):
        return
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    canned.answer(other_order(exchange, symbol, 'list'))
    assert flavour.take(getattr(exchange, name)(symbol, None, None, MMP)) == []


@rows('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
def test_orders_of_other_markets_are_no_mmp_orders_by_any_answer(flavour, canned, exchange_id, symbol):
    if can_have_flag(exchange_id, symbol):
        return
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)  # else Bybit's asks once
    canned.answer(other_order(exchange, symbol, 'create'))
    orders = [create(flavour, exchange, symbol, {})]
    canned.answer(other_order(exchange, symbol, 'fetch'))
    orders.append(flavour.take(exchange.fetch_order('7', symbol, {'acknowledged': True})))
    canned.answer(other_order(exchange, symbol, 'list'))
    orders += flavour.take(exchange.fetch_open_orders(symbol))
    assert [order['mmp'] for order in orders] == [False, False, False]
    thin = exchange.parse_order({'ordId': '7', 'sCode': '0', 'orderId': 7, 'order_id': '7'}, exchange.market(symbol))
    assert thin['mmp'] is False


def test_order_of_a_market_that_is_not_known_does_not_say(exchange, quoted):
    assert exchange.parse_order({'ordId': '7', 'orderId': 7})['mmp'] is None
    assert exchange.parse_order({'ordId': '7', 'orderId': 7}, exchange.market(quoted[0]))['mmp'] is None


def can_have_flag(exchange_id, symbol):
    """As perpetuals of Deribit can."""
    return (exchange_id, symbol) == ('deribit', 'BTC/USDT:USDT')


def other_order(exchange, symbol, kind):
    """The answer to a call that creates, fetches or lists an order of another market."""
    market = exchange.market(symbol)
    if exchange.id == 'okx':
        row = {'instId': market['id'], 'ordId': '7', 'state': 'live', 'side': 'buy', 'sz': '1', 'px': '5', 'sCode': '0'}
        return json.dumps({'code': '0', 'msg': '', 'data': [{**row, 'ordType': 'limit'}]})
    if exchange.id == 'deribit':
        row = {'order_id': '7', 'instrument_name': market['id'], 'order_state': 'open', 'direction': 'buy', 'amount': 1}
        return json.dumps({'result': {'create': {'order': row, 'trades': []}, 'fetch': row, 'list': [row]}[kind]})
    row = {'symbol': market['id'], 'orderId': 7, 'status': 'NEW', 'side': 'BUY', 'origQty': '1', 'price': '5'}
    if exchange.id == 'bybit':
        row = {'symbol': market['id'], 'orderId': '7', 'orderLinkId': '', 'orderStatus': 'New', 'side': 'Buy'}
        return json.dumps({'retCode': 0, 'result': {'orderId': '7', 'orderLinkId': '', 'list': [row]}})
    if market['swap']:
        row['positionSide'] = 'BOTH'
    return json.dumps([row] if kind == 'list' else row)


@pytest.mark.parametrize('method', ['fetch_open_orders', 'fetch_canceled_orders'])
def test_option_listed_later_is_a_bad_symbol_in_lists(flavour, simulator, method):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    option_id = simulator.list_options('okx', 'BTC-USD', base='BTC', settle='BTC', strikes=[61_000])[0]
    symbol = f'BTC/USD:BTC-{"-".join(option_id.split("-")[-3:])}'
    for name in (option_id, symbol):
        with pytest.raises(ccxt.BadSymbol, match='load_markets'):
            flavour.take(getattr(exchange, method)(name, None, None, {'mmp': True}))
