"""Whatever a client sends, the simulator answers as an exchange does and never fails itself."""

import json
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccxt_mmp.simulator.binance import BinanceVenue
from ccxt_mmp.simulator.engine import Account, Engine, Order
from ccxt_mmp.simulator.okx import PREFIX, OkxVenue
from ccxt_mmp.simulator.wire import Request, Times

ENGINE = Engine(0)
TIMES = Times(10_000, 10_000)
WORDS = ['', '0', '1', '-1', '1.5', '10001', 'x', '١', 'BTC-USD', 'BTCUSDT', 'OPTION', 'limit', 'mmp', 'cross', 'buy']
WORDS += ['BUY', 'LIMIT', 'GTC', 'true', '[1]', '["a"]', '[{}]', '[', '12,13', *list(ENGINE.instruments)[::400]]
SCALARS = st.sampled_from([*WORDS, None, True, 0, 1, -1, 0.5, 10**30])
VALUES = st.one_of(
    SCALARS, SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(SCALARS.map(str), SCALARS, max_size=2)
)


@pytest.fixture(scope='module')
def venues():
    """Both venues with an order in each, which trust every client."""
    account = Account('key', 'secret', 'passphrase')
    for venue in ('okx', 'binance'):
        option = next(each for each in ENGINE.instruments.values() if each.venue == venue)
        ENGINE.place(account, Order('', option, 'buy', '1', 1, True, client_order_id='a'), 0)
    venues = OkxVenue(ENGINE, {'key': account}, None), BinanceVenue(ENGINE, {'key': account}, None)
    for venue in venues:
        venue._authenticate = lambda *_: account
    return venues


def items(names):
    """Objects with any of the names that an endpoint knows, and one that none knows."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys([*names, 'stray'], VALUES))


@pytest.mark.parametrize('method_and_path', OkxVenue(ENGINE, {}, None).endpoints, ids=' '.join)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_okx_answers_anything(venues, method_and_path, data):
    method, path = method_and_path
    endpoint = venues[0].endpoints[method_and_path]
    if method == 'GET':
        names = items(endpoint.known)
        request = Request(method, PREFIX + path, urllib.parse.urlencode(data.draw(names)), '', {})
    else:
        one = items(endpoint.known)
        body = json.dumps(data.draw(VALUES | one | st.lists(one | VALUES, max_size=3)))
        request = Request(method, PREFIX + path, '', body, {})
    answer, _ = venues[0].answer(request, TIMES)
    json.dumps(answer.body)
    assert set(answer.body) == {'code', 'data', 'msg'}
    assert answer.status in (200, 400)


@pytest.mark.parametrize('method_and_path', BinanceVenue(ENGINE, {}, None).endpoints, ids=' '.join)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_binance_answers_anything(venues, method_and_path, data):
    method, path = method_and_path
    known = venues[1].endpoints[method_and_path].known
    order = items(venues[1].endpoints['POST', '/eapi/v1/order'].known)
    parameters = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(known, SCALARS)))
    for name in {'orders', 'orderIds', 'clientOrderIds'} & parameters.keys():
        parameters[name] = json.dumps(data.draw(st.lists(order | VALUES, max_size=2)))
    answer, _ = venues[1].answer(Request(method, path, urllib.parse.urlencode(parameters), '', {}), TIMES)
    json.dumps(answer.body)
    assert answer.status in (200, 400)
    assert answer.status == 200 or set(answer.body) == {'code', 'msg'}
