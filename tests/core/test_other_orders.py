"""The flag in the params of ccxt's other methods of orders."""

import asyncio
import inspect
import json
from urllib.parse import parse_qs

import ccxt
import pytest

from ccxt_mmp.core.other_orders import INSTEAD
from tests.core.ordering import STOCK, create, resting
from tests.rows import rows
from tests.trading import UNDERLYING


def sent_names(request):
    """The names of what a request says, of its query and of its body."""
    body = json.loads(request.body) if request.body.startswith(('{', '[')) else parse_qs(request.body)
    said = body[0] if isinstance(body, list) else body
    return {*parse_qs(request.query), *said, *said.get('params', {})}


def taken(flavour, result):
    """What a method returned that is ccxt's in one case, and a plain function that stands for it in another."""
    return flavour.take(result) if inspect.isawaitable(result) else result


def take_soon(flavour, method, argument, params):
    """What watches would wait for ever."""

    async def watched():
        return await asyncio.wait_for(method(argument, params=params), 60)

    return method(argument, params=params) if flavour.name == 'sync' else flavour.take(watched())


@pytest.mark.parametrize('flag', [True, False, None])
def test_flag_beside_an_id_is_not_sent(flavour, simulator, exchange, exchange_id, quoted, flag):
    order_id = create(flavour, exchange, quoted[0], {'mmp': True})['id']
    simulator.requests.clear()
    asked = {'mmp': flag, **({'acknowledged': True} if exchange_id == 'bybit' else {})}
    assert flavour.take(exchange.fetch_order(order_id, quoted[0], asked))['id'] == order_id
    assert flavour.take(exchange.cancel_order(order_id, quoted[0], {'mmp': flag}))['id'] == order_id
    assert simulator.requests
    assert not [each for each in simulator.requests if 'mmp' in sent_names(each)]
    assert resting(simulator, exchange_id) == []


@rows(
    ('method', 'arguments'),
    [
        ('cancelOrder', ['id', None]),
        ('cancelOrderWs', ['id', None]),
        ('cancelOrdersWs', [['id'], None]),
        ('cancelOrdersForSymbols', [[{'id': 'id', 'symbol': 'BTC/USD'}]]),
        ('fetchOrder', ['id', None]),
        ('fetchOrderClassic', ['id', None]),
        ('fetchOrderWs', ['id', None]),
        ('fetchOpenOrder', ['id', None]),
        ('fetchClosedOrder', ['id', None]),
        ('fetchOrderTrades', ['id', None, 1, 2]),
    ],
)
def test_ccxts_own_method_is_told_which_order_and_nothing_of_the_flag(
    flavour, exchange, exchange_id, monkeypatch, method, arguments
):
    name = exchange.un_camel_case(method)
    stock = next((each for each in STOCK[flavour.name].__dict__[exchange_id].__mro__ if name in vars(each)), None)
    if stock is None:
        assert not hasattr(exchange, name)  # nothing is added to ccxt
        return
    monkeypatch.setattr(stock, name, lambda self, *received: received)
    for flag in (True, False, None):
        asked = {'mmp': flag, 'x': 1}
        for each, given, keywords in ((name, (*arguments, asked), {}), (method, arguments, {'params': asked})):
            assert taken(flavour, getattr(exchange, each)(*given, **keywords)) == (*arguments, {'x': 1})
        assert asked == {'mmp': flag, 'x': 1}
    with pytest.raises(ccxt.BadRequest, match='mmp'):
        taken(flavour, getattr(exchange, name)(*arguments, {'mmp': 'yes'}))


@rows('method', list(INSTEAD))
def test_flag_that_would_choose_among_orders_is_refused_unsent(flavour, simulator, exchange, quoted, method):
    if not is_overridden(flavour, exchange, method):  # ccxt has it for another exchange or flavour
        assert not exchange.has.get(method)
        return
    for mmp in (True, False):
        simulator.rest(exchange.id, UNDERLYING[exchange.id], mmp=mmp, symbol=exchange.market(quoted[0])['id'])
    before = resting(simulator, exchange.id)
    argument = 10_000 if method == 'cancelAllOrdersAfter' else quoted[0]
    for flag in (True, False):
        with pytest.raises(ccxt.NotSupported, match=rf'{method}\(\) is of all orders, MMP or not: '):
            take_soon(flavour, getattr(exchange, method), argument, {'mmp': flag})
    with pytest.raises(ccxt.BadRequest, match='mmp'):
        take_soon(flavour, getattr(exchange, method), argument, {'mmp': 'yes'})
    with pytest.raises(ccxt.InvalidOrder, match=rf"{method}\(\) does not know the MMP flag as {{'MMP': True}}"):
        take_soon(flavour, getattr(exchange, method), argument, {'MMP': True})
    assert simulator.requests == []
    assert resting(simulator, exchange.id) == before


def is_overridden(flavour, exchange, method):
    name = exchange.un_camel_case(method)
    return hasattr(STOCK[flavour.name].__dict__[exchange.id], name) and any(
        name in vars(each) and each.__module__.startswith('ccxt_mmp') for each in type(exchange).__mro__
    )


@pytest.mark.parametrize('method', ['cancelOrder', 'fetchOrder', 'cancelOrders'])
@rows('params', [{'MMP': True}, {'is_mmp': False}, {'type': 'mmp'}])
def test_misnamed_flag_beside_an_id_is_refused_unsent(flavour, simulator, exchange, quoted, method, params):
    argument = ['1'] if method == 'cancelOrders' else '1'
    simulator.requests.clear()
    with pytest.raises(ccxt.InvalidOrder, match=rf'{method}\(\) does not know the MMP flag as '):
        flavour.take(getattr(exchange, method)(argument, quoted[0], params))
    assert simulator.requests == []


def test_own_filter_by_the_kind_of_order_goes_to_okx(flavour, monkeypatch):
    exchange = flavour.exchange('okx')
    stock = next(each for each in STOCK[flavour.name].okx.__mro__ if 'fetch_closed_orders' in vars(each))
    monkeypatch.setattr(stock, 'fetch_closed_orders', lambda self, *received: received)
    asked = (None, None, None, {'ordType': 'mmp'})
    assert taken(flavour, exchange.fetch_closed_orders(*asked)) == asked


# --- orders that cannot have the flag


@pytest.mark.parametrize('flag', [True, False, None])
def test_position_is_not_closed_by_an_mmp_order(flavour, exchange_id, monkeypatch, flag):
    exchange = flavour.exchange(exchange_id)
    stock = next(each for each in STOCK[flavour.name].__dict__[exchange_id].__mro__ if 'close_position' in vars(each))
    monkeypatch.setattr(stock, 'close_position', lambda self, *received: received)
    asked = {'mmp': flag, 'x': 1}
    if flag:
        with pytest.raises(ccxt.InvalidOrder, match=r"closePosition\(\) MMP orders must be limit orders.*'market'"):
            taken(flavour, exchange.close_position('BTC/USD', 'buy', asked))
    else:
        assert taken(flavour, exchange.close_position('BTC/USD', 'buy', asked)) == ('BTC/USD', 'buy', {'x': 1})
    assert asked == {'mmp': flag, 'x': 1}
    with pytest.raises(ccxt.InvalidOrder, match='mmp must be True, False or None'):
        taken(flavour, exchange.close_position('BTC/USD', None, {'mmp': 'yes'}))


@rows('method', ['edit_spot_order', 'edit_contract_order', 'edit_spot_order_request', 'edit_contract_order_request'])
def test_edit_of_another_market_of_binance_has_no_flag(flavour, monkeypatch, method):
    exchange = flavour.exchange('binance')
    stock = next(each for each in STOCK[flavour.name].binance.__mro__ if method in vars(each))
    monkeypatch.setattr(stock, method, lambda self, *received: received)
    terms = ('1', 'BTC/USDT', 'limit', 'buy', 1)
    for flag in (True, False):
        with pytest.raises(ccxt.NotSupported, match='the flag'):
            taken(flavour, getattr(exchange, method)(*terms, params={'mmp': flag}))
    with pytest.raises(ccxt.InvalidOrder, match='isMmp'):
        taken(flavour, getattr(exchange, method)(*terms, 5, {'isMmp': True}))
    received = taken(flavour, getattr(exchange, method)(*terms, params={'mmp': None, 'x': 1}))
    assert received == (*terms, None, {'x': 1})


def test_all_orders_are_cancelled_where_the_flag_says_nothing(flavour, simulator, exchange, exchange_id, quoted):
    if exchange_id == 'okx':
        pytest.skip('ccxt has no cancel_all_orders for it')
    create(flavour, exchange, quoted[0], {'mmp': True})
    create(flavour, exchange, quoted[0], {})
    flavour.take(exchange.cancel_all_orders(quoted[0], {'mmp': None}))
    assert resting(simulator, exchange_id) == []
