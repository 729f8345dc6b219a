"""The flag in the params of ccxt's other methods of orders."""

import asyncio
import json
from urllib.parse import parse_qs

import ccxt
import pytest

from ccxt_mmp.core.other_orders import INSTEAD
from tests.core.ordering import STOCK, create, resting
from tests.rows import rows


def sent_names(request):
    """The names of what a request says, of its query and of its body."""
    body = json.loads(request.body) if request.body.startswith(('{', '[')) else parse_qs(request.body)
    said = body[0] if isinstance(body, list) else body
    return {*parse_qs(request.query), *said, *said.get('params', {})}


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
        ('fetchOrderWs', ['id', None]),
        ('fetchOpenOrder', ['id', None]),
        ('fetchClosedOrder', ['id', None]),
        ('fetchOrderTrades', ['id', None, 1, 2]),
    ],
)
def test_ccxts_own_method_is_told_which_order_and_nothing_of_the_flag(
    flavour, exchange_id, monkeypatch, method, arguments
):
    exchange = flavour.exchange(exchange_id)
    name = exchange.un_camel_case(method)
    stock = next((each for each in STOCK[flavour.name].__dict__[exchange_id].__mro__ if name in vars(each)), None)
    if stock is None:
        assert not hasattr(exchange, name)  # nothing is added to ccxt
        return
    monkeypatch.setattr(stock, name, lambda self, *received: received)
    for flag in (True, False, None):
        asked = {'mmp': flag, 'x': 1}
        assert getattr(exchange, name)(*arguments, asked) == getattr(exchange, method)(*arguments, params=asked)
        assert getattr(exchange, name)(*arguments, asked) == (*arguments, {'x': 1})
        assert asked == {'mmp': flag, 'x': 1}
    with pytest.raises(ccxt.BadRequest, match='mmp'):
        getattr(exchange, name)(*arguments, {'mmp': 'yes'})


@rows('method', list(INSTEAD))
def test_flag_that_would_choose_among_orders_is_refused_unsent(flavour, simulator, exchange, quoted, method):
    create(flavour, exchange, quoted[0], {'mmp': True})
    create(flavour, exchange, quoted[0], {})
    before = resting(simulator, exchange.id)
    simulator.requests.clear()
    argument = 10_000 if method == 'cancelAllOrdersAfter' else quoted[0]
    for flag in (True, False):
        with pytest.raises(ccxt.NotSupported, match=rf'{method}\(\) is of all orders, MMP or not: '):
            take_soon(flavour, getattr(exchange, method), argument, {'mmp': flag})
    with pytest.raises(ccxt.BadRequest, match='mmp'):
        take_soon(flavour, getattr(exchange, method), argument, {'mmp': 'yes'})
    assert simulator.requests == []
    assert resting(simulator, exchange.id) == before


def test_all_orders_are_cancelled_where_the_flag_says_nothing(flavour, simulator, exchange, exchange_id, quoted):
    if exchange_id == 'okx':
        pytest.skip('ccxt has no cancel_all_orders for it')
    create(flavour, exchange, quoted[0], {'mmp': True})
    create(flavour, exchange, quoted[0], {})
    flavour.take(exchange.cancel_all_orders(quoted[0], {'mmp': None}))
    assert resting(simulator, exchange_id) == []
