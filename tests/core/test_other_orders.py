"""The flag in the params of ccxt's other methods of orders."""

import json
from urllib.parse import parse_qs

import ccxt
import pytest

from ccxt_mmp.core.other_orders import INSTEAD
from tests.core.ordering import create, resting
from tests.rows import rows


def sent_names(request):
    """The names of what a request says, of its query and of its body."""
    body = json.loads(request.body) if request.body.startswith(('{', '[')) else parse_qs(request.body)
    said = body[0] if isinstance(body, list) else body
    return {*parse_qs(request.query), *said, *said.get('params', {})}


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


@rows('method', list(INSTEAD))
def test_flag_that_would_choose_among_orders_is_refused_unsent(flavour, simulator, exchange, quoted, method):
    create(flavour, exchange, quoted[0], {'mmp': True})
    create(flavour, exchange, quoted[0], {})
    before = resting(simulator, exchange.id)
    simulator.requests.clear()
    argument = 10_000 if method == 'cancelAllOrdersAfter' else quoted[0]
    for flag in (True, False):
        with pytest.raises(ccxt.NotSupported, match=rf'{method}\(\) is of all orders, MMP or not: '):
            flavour.take(getattr(exchange, method)(argument, params={'mmp': flag}))
    with pytest.raises(ccxt.BadRequest, match='mmp'):
        flavour.take(getattr(exchange, method)(argument, params={'mmp': 'yes'}))
    assert simulator.requests == []
    assert resting(simulator, exchange.id) == before


def test_all_orders_are_cancelled_where_the_flag_says_nothing(flavour, simulator, exchange, exchange_id, quoted):
    if exchange_id == 'okx':
        pytest.skip('ccxt has no cancel_all_orders for it')
    create(flavour, exchange, quoted[0], {'mmp': True})
    create(flavour, exchange, quoted[0], {})
    flavour.take(exchange.cancel_all_orders(quoted[0], {'mmp': None}))
    assert resting(simulator, exchange_id) == []
