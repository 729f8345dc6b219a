"""Whatever a client sends, the simulator answers as an exchange does and never fails itself."""

import json
import urllib.parse
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccxt_mmp.simulator import Account, Order
from ccxt_mmp.simulator.venues.binance import BinanceVenue
from ccxt_mmp.simulator.venues.binance.endpoints import ENDPOINTS as OF_BINANCE
from ccxt_mmp.simulator.venues.bybit import BybitVenue
from ccxt_mmp.simulator.venues.bybit.endpoints import ENDPOINTS as OF_BYBIT
from ccxt_mmp.simulator.venues.okx import OkxVenue
from ccxt_mmp.simulator.venues.okx.endpoints import ENDPOINTS as OF_OKX
from ccxt_mmp.simulator.venues.okx.tables import PREFIX
from ccxt_mmp.simulator.wire import Request, Times
from tests.properties import examples
from tests.simulator.engines import new_engine

ENGINE = new_engine()
TIMES = Times(10_000, 10_000)
OPTIONS = {
    venue: next(option.instrument_id for option in ENGINE.instruments.values() if option.venue == venue)
    for venue in ('okx', 'binance', 'bybit')
}
WORDS = ['', '0', '1', '-1', '1.5', '10001', 'x', '١', 'BTC-USD', 'BTCUSDT', 'OPTION', 'limit', 'mmp', 'cross', 'buy']
WORDS += ['option', 'linear', 'BTC', 'Buy', 'Limit', 'a:1,b:2']
WORDS += ['BUY', 'LIMIT', 'GTC', 'true', '[1]', '["a"]', '[{}]', '[', '12,13', '9' * 30, '0.' + '1' * 30, '5' * 5000]
SCALARS = st.sampled_from([*WORDS, *OPTIONS.values(), None, True, 0, 1, -1, 0.5, 10**30])
VALUES = st.one_of(
    SCALARS, SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(SCALARS.map(str), SCALARS, max_size=2)
)

# requests that are accepted as they are, from which the hostile ones differ in a field or two
OKX_ORDER = {'instId': OPTIONS['okx'], 'tdMode': 'cross', 'side': 'buy', 'ordType': 'mmp', 'sz': '1', 'px': '1'}
OKX_RULE = {'timeInterval': '5000', 'frozenInterval': '2000'}
OKX_VALID = {
    'public/instruments': {'instType': 'OPTION'},
    'account/mmp-config': {'instFamily': 'BTC-USD', **OKX_RULE, 'qtyLimit': '100'},
    'account/mmp-reset': {'instFamily': 'BTC-USD'},
    'rfq/mmp-config': {**OKX_RULE, 'countLimit': '10'},
    'trade/mass-cancel': {'instType': 'OPTION', 'instFamily': 'BTC-USD', 'lockInterval': '1'},
    'trade/cancel-all-after': {'timeOut': '60'},
    'trade/order': OKX_ORDER,
    'trade/batch-orders': OKX_ORDER,
    'trade/cancel-order': {'instId': OPTIONS['okx'], 'clOrdId': 'a'},
    'trade/cancel-batch-orders': {'instId': OPTIONS['okx'], 'clOrdId': 'a'},
    'trade/orders-history': {'instType': 'OPTION'},
    'trade/amend-order': {'instId': OPTIONS['okx'], 'clOrdId': 'a', 'newPx': '2', 'newSz': '3', 'cxlOnFail': True},
    'trade/amend-batch-orders': {'instId': OPTIONS['okx'], 'clOrdId': 'a', 'newPx': '2', 'newSz': '3'},
    'market/ticker': {'instId': OPTIONS['okx']},
    'market/books': {'instId': OPTIONS['okx'], 'sz': '5'},
    'public/opt-summary': {'instFamily': 'BTC-USD', 'expTime': '1'},
}
BINANCE_ORDER = {'symbol': OPTIONS['binance'], 'side': 'BUY', 'type': 'LIMIT', 'quantity': '1', 'price': '1'}
BINANCE_RULE = {
    'windowTimeInMilliseconds': '3000',
    'frozenTimeInMilliseconds': '0',
    'qtyLimit': '2',
    'deltaLimit': '2.3',
}
BINANCE_VALID = {
    'mmpSet': {'underlying': 'BTCUSDT', **BINANCE_RULE},
    'order': BINANCE_ORDER,
    'batchOrders': {},
    'countdownCancelAll': {'underlying': 'BTCUSDT', 'countdownTime': '5000'},
    'countdownCancelAllHeartBeat': {'underlyings': 'BTCUSDT,ETHUSDT'},
}
BYBIT_ORDER = {'symbol': OPTIONS['bybit'], 'side': 'Buy', 'orderType': 'Limit', 'qty': '1', 'price': '5', 'mmp': True}
BYBIT_RULE = {'window': '5000', 'frozenPeriod': '0', 'qtyLimit': '2', 'deltaLimit': '2.3', 'vegaLimit': '1'}
BYBIT_IDS = {'symbol': OPTIONS['bybit'], 'orderLinkId': 'a'}
OPTION = {'category': 'option'}
BYBIT_VALID = {
    'account/mmp-modify': {'baseCoin': 'BTC', **BYBIT_RULE},
    'account/mmp-reset': {'baseCoin': 'BTC'},
    'account/mmp-state': {'baseCoin': 'BTC'},
    'account/wallet-balance': {'accountType': 'UNIFIED'},
    'order/create': {**OPTION, **BYBIT_ORDER, 'orderLinkId': 'b'},
    'order/create-batch': {**OPTION, 'request': [{**BYBIT_ORDER, 'orderLinkId': 'c'}]},
    'order/amend': {**OPTION, **BYBIT_IDS, 'qty': '2', 'price': '10'},
    'order/amend-batch': {**OPTION, 'request': [{**BYBIT_IDS, 'qty': '3'}]},
    'order/cancel': {**OPTION, **BYBIT_IDS},
    'order/cancel-batch': {**OPTION, 'request': [BYBIT_IDS]},
    'order/cancel-all': {**OPTION, 'baseCoin': 'BTC'},
    'order/disconnected-cancel-all': {'timeWindow': 40, 'product': 'OPTIONS'},
    'order/realtime': {**OPTION, 'baseCoin': 'BTC', 'limit': '5'},
    'order/history': OPTION,
    'position/list': OPTION,
    'market/instruments-info': {**OPTION, 'limit': '5'},
    'market/tickers': {**OPTION, 'symbol': OPTIONS['bybit']},
    'market/orderbook': {**OPTION, 'symbol': OPTIONS['bybit'], 'limit': '5'},
}


@pytest.fixture
def account():
    """One with an order at each venue, client order id 'a'."""
    account = Account('key', 'secret', 'passphrase')
    for venue, instrument_id in OPTIONS.items():
        order = Order('', ENGINE.find_option(venue, instrument_id), 'buy', '1', Decimal(1), True, client_order_id='a')
        ENGINE.place(account, order, 0)
    return account


@pytest.fixture
def venues(account):
    """Venues that trust every client."""
    classes = (OkxVenue, BinanceVenue, BybitVenue)
    venues = [each(ENGINE, {'key': account}, enforce_limits=False) for each in classes]
    for venue in venues:
        venue._authenticate = lambda *_: account
    return venues


def differing(valid, known, values=VALUES):
    """The valid request, but for one or two fields, of those that the endpoint knows or that nobody knows."""
    changes = st.dictionaries(st.sampled_from([*known, *valid, 'stray']), values, max_size=2)
    return changes.map(lambda changed: {**valid, **changed})


def okx_request(method, path, content):
    if method == 'GET':
        return Request(method, PREFIX + path, urllib.parse.urlencode(content), '', {})
    return Request(method, PREFIX + path, '', json.dumps(content), {})


# made once for each endpoint: to make and check a strategy takes longer than to draw from it


@cache
def okx_contents(method, path):
    endpoint = OF_OKX[method, path]
    is_of_post = ('POST', path) in OF_OKX
    one = differing(OKX_VALID.get(path, {}) if is_of_post == (method == 'POST') else {}, endpoint.known)
    return st.lists(one | VALUES, min_size=1, max_size=3) | VALUES if endpoint.is_batch else one


@cache
def binance_parameters(method, path):
    valid = BINANCE_VALID.get(path.rpartition('/')[2], {}) if method == 'POST' else {}
    parameters = differing(valid, OF_BINANCE[method, path].known, SCALARS)
    if method != 'POST' or not path.endswith('batchOrders'):
        return parameters
    order = differing(BINANCE_ORDER, ['isMmp', 'clientOrderId', 'postOnly', 'reduceOnly', 'timeInForce'])
    orders = st.lists(order | VALUES, max_size=2).map(json.dumps)
    return st.tuples(parameters, orders).map(lambda drawn: {**drawn[0], 'orders': drawn[1]})


@pytest.mark.parametrize('method_and_path', OF_OKX, ids=' '.join)
@examples()
@given(data=st.data())
def test_okx_answers_anything(venues, method_and_path, data):
    content = data.draw(okx_contents(*method_and_path))
    answer, _ = venues[0].answer(okx_request(*method_and_path, content), TIMES)
    json.dumps(answer.body)
    assert set(answer.body) == {'code', 'data', 'msg'}
    assert answer.status in (200, 400)


@pytest.mark.parametrize('method_and_path', OF_BINANCE, ids=' '.join)
@examples()
@given(data=st.data())
def test_binance_answers_anything(venues, method_and_path, data):
    parameters = data.draw(binance_parameters(*method_and_path))
    answer, _ = venues[1].answer(Request(*method_and_path, urllib.parse.urlencode(parameters), '', {}), TIMES)
    json.dumps(answer.body)
    assert answer.status in (200, 400)
    assert answer.status == 200 or set(answer.body) == {'code', 'msg'}


@cache
def bybit_parameters(method, path):
    valid, known = BYBIT_VALID.get(path, {}), OF_BYBIT[method, path].known
    parameters = differing(valid, known, VALUES if method == 'POST' else SCALARS)
    if 'request' not in valid:
        return parameters
    items = st.lists(differing(valid['request'][0], known) | VALUES, max_size=3)
    return st.tuples(parameters, items).map(lambda drawn: {'request': drawn[1], **drawn[0]}) | parameters


def bybit_request(method, path, parameters):
    query = urllib.parse.urlencode(parameters) if method == 'GET' else ''
    body = json.dumps(parameters) if method == 'POST' else ''
    headers = {'X-BAPI-API-KEY': 'key', 'X-BAPI-TIMESTAMP': '1', 'X-BAPI-SIGN': 'sign'}
    return Request(method, f'/v5/{path}', query, body, headers)


@pytest.mark.parametrize('method_and_path', OF_BYBIT, ids=' '.join)
@examples()
@given(data=st.data())
def test_bybit_answers_anything(venues, method_and_path, data):
    parameters = data.draw(bybit_parameters(*method_and_path))
    answer, _ = venues[2].answer(bybit_request(*method_and_path, parameters), TIMES)
    json.dumps(answer.body)
    assert answer.status == 200
    assert {'retCode', 'retMsg'} <= set(answer.body)


@pytest.mark.parametrize('path', BYBIT_VALID)
def test_what_the_hostile_requests_to_bybit_differ_from_is_accepted(venues, account, path):
    method = 'POST' if ('POST', path) in OF_BYBIT else 'GET'
    before = len(account.orders)
    answer, unknown = venues[2].answer(bybit_request(method, path, BYBIT_VALID[path]), TIMES)
    assert (answer.body['retCode'], unknown) == (0, [])
    codes = answer.body.get('retExtInfo', {}).get('list', [])
    assert [each['code'] for each in codes if each['code']] == []
    assert len(account.orders) - before == (path in ('order/create', 'order/create-batch'))


@pytest.mark.parametrize('path', OKX_VALID)
def test_what_the_hostile_requests_to_okx_differ_from_is_accepted(venues, account, path):
    method = 'POST' if ('POST', path) in OF_OKX else 'GET'
    content = [OKX_VALID[path]] if OF_OKX[method, path].is_batch else OKX_VALID[path]
    before = len(account.orders)
    answer, unknown = venues[0].answer(okx_request(method, path, content), TIMES)
    assert (answer.body['code'], unknown) == ('0', [])
    assert len(account.orders) - before == ('ordType' in OKX_VALID[path])


@pytest.mark.parametrize('path', BINANCE_VALID)
def test_what_the_hostile_requests_to_binance_differ_from_is_accepted(venues, account, path):
    parameters = {'orders': json.dumps([BINANCE_ORDER])} if path == 'batchOrders' else BINANCE_VALID[path]
    before = len(account.orders)
    request = Request('POST', f'/eapi/v1/{path}', urllib.parse.urlencode(parameters), '', {})
    answer, _ = venues[1].answer(request, TIMES)
    assert answer.status == 200
    assert len(account.orders) - before == (path in ('order', 'batchOrders'))
