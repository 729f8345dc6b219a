"""Binance's options API over the wire, as its documentation has it, by a client of a few lines."""

import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from ccxt_mmp.simulator import KEY, SECRET, Simulator


def call(simulator, method, path, *, key=KEY, secret=SECRET, **parameters):
    """The status, headers and body of a signed request; GET and DELETE in the query, POST in the body."""
    payload = urllib.parse.urlencode({**parameters, 'timestamp': simulator.now()})
    payload += '&signature=' + hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    url = f'{simulator.url}/eapi/v1/{path}'
    body = payload.encode() if method == 'POST' else None
    request = urllib.request.Request(  # noqa: S310
        url if body else f'{url}?{payload}', body, {'X-MBX-APIKEY': key}, method=method
    )
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, json.load(answer)


def refused(simulator, method, path, **parameters):
    """The code of a refusal."""
    status, _, body = call(simulator, method, path, **parameters)
    assert status >= 400
    return body['code']


@pytest.fixture
def symbol(simulator):
    return simulator.rest('binance', 'ETHUSDT', mmp=False).instrument.instrument_id


@pytest.fixture
def still_simulator():
    """One whose clock stands still, but for what it is advanced."""
    with Simulator(clock=lambda: 1_700_000_000_000) as simulator:
        yield simulator


@pytest.fixture
def order(symbol):
    return {'symbol': symbol, 'side': 'SELL', 'type': 'LIMIT', 'quantity': '1', 'price': '10'}


def test_thin_answer_is_the_default(simulator, order):
    _, _, thin = call(simulator, 'POST', 'order', **order, isMmp='true')
    _, _, full = call(simulator, 'POST', 'order', **order, isMmp='true', newOrderRespType='RESULT')
    assert set(thin) - {'createDate'} < set(full)
    assert 'status' not in thin
    assert full['mmp'] is thin['mmp'] is True
    assert full['orderId'] == thin['orderId'] + 1


@pytest.mark.parametrize(
    ('changed', 'code'),
    [
        ({'symbol': 'BTC-1-1-C'}, -1121),
        ({'type': 'MARKET'}, -1116),
        ({'timeInForce': 'DAY'}, -1115),
        ({'side': 'HOLD'}, -1117),
        ({'quantity': '0'}, -1130),
        ({'quantity': '0.001'}, -1111),
        ({'price': ''}, -1102),
        ({'isMmp': 'maybe'}, -1130),
        ({'stray': '1'}, -1104),
    ],
)
def test_sloppy_order_is_refused(simulator, order, changed, code):
    assert refused(simulator, 'POST', 'order', **{**order, **changed}) == code


def test_mmp_order_without_the_privilege_is_refused(simulator, order):
    simulator.privileged = False
    assert refused(simulator, 'POST', 'order', **order, isMmp='true') == -6005
    assert call(simulator, 'POST', 'order', **order)[0] == 200


def test_batch_answers_for_each_order(simulator, order, symbol):
    items = [{**order, 'clientOrderId': 'a'}, {**order, 'clientOrderId': 'a'}, {**order, 'quantity': '0.001'}]
    _, _, placed = call(simulator, 'POST', 'batchOrders', orders=json.dumps(items))
    assert [row.get('code', 'placed') for row in placed] == ['placed', -6044, -1111]
    _, _, gone = call(simulator, 'DELETE', 'batchOrders', symbol=symbol, clientOrderIds='["a","zzz"]')
    assert [row.get('status', row.get('code')) for row in gone] == ['CANCELED', -2011]
    _, _, placed = call(simulator, 'POST', 'batchOrders', orders=json.dumps([order]))
    _, _, gone = call(simulator, 'DELETE', 'batchOrders', symbol=symbol, orderIds=json.dumps([placed[0]['orderId']]))
    assert gone[0]['status'] == 'CANCELED'


@pytest.mark.parametrize(
    ('method', 'parameters', 'code'),
    [
        ('POST', {'orders': '[{}]' + ' ' * 5}, None),
        ('POST', {'orders': json.dumps([{}] * 11)}, -6011),
        ('POST', {'orders': 'x'}, -1130),
        ('POST', {'orders': '[]'}, -1130),
        ('DELETE', {'orderIds': json.dumps([1] * 11)}, -6011),
        ('DELETE', {}, -1102),
        ('DELETE', {'orderIds': '[1]', 'clientOrderIds': '["a"]'}, -1102),
        ('DELETE', {'orderIds': '1'}, -1130),
    ],
)
def test_sloppy_batch_is_refused(simulator, symbol, method, parameters, code):
    if method == 'DELETE':
        parameters = {'symbol': symbol, **parameters}
    status, _, body = call(simulator, method, 'batchOrders', **parameters)
    assert (body['code'] if status >= 400 else None) == code


def test_orders_are_listed_by_contract_or_all(simulator, order, symbol):
    another = simulator.rest('binance', 'BTCUSDT', mmp=True)
    call(simulator, 'POST', 'order', **order)
    _, _, listed = call(simulator, 'GET', 'openOrders', symbol=symbol)
    assert [row['symbol'] for row in listed] == [symbol] * 2
    _, _, listed = call(simulator, 'GET', 'openOrders')
    assert sorted(row['mmp'] for row in listed) == [False, False, True]
    _, _, gone = call(simulator, 'DELETE', 'order', symbol=another.instrument.instrument_id, orderId=another.order_id)
    assert gone['status'] == 'CANCELED'
    _, _, history = call(simulator, 'GET', 'historyOrders', symbol=another.instrument.instrument_id)
    assert [row['orderId'] for row in history] == [int(another.order_id)]


def test_order_is_found_by_either_id_and_of_its_contract_alone(simulator, order, symbol):
    _, _, placed = call(simulator, 'POST', 'order', **order, clientOrderId='mine')
    for ids in ({'orderId': placed['orderId']}, {'clientOrderId': 'mine'}):
        assert call(simulator, 'GET', 'order', symbol=symbol, **ids)[2]['orderId'] == placed['orderId']
    another = simulator.rest('binance', 'BTCUSDT', mmp=True).instrument.instrument_id
    assert refused(simulator, 'GET', 'order', symbol=another, clientOrderId='mine') == -2013
    assert refused(simulator, 'GET', 'order', symbol=symbol) == -1102
    assert refused(simulator, 'DELETE', 'order', symbol=another, clientOrderId='mine') == -2011


@pytest.mark.parametrize('by', ['contract', 'underlying'])
def test_cancelling_all_takes_mmp_orders_and_others(simulator, by):
    gone = [simulator.rest('binance', 'BTCUSDT', mmp=mmp) for mmp in (True, False)]
    kept = simulator.rest('binance', 'ETHUSDT', mmp=True)
    if by == 'contract':
        answer = call(simulator, 'DELETE', 'allOpenOrders', symbol=gone[0].instrument.instrument_id)
        assert answer[2] == {'code': '0', 'msg': 'success'}
    else:
        answer = call(simulator, 'DELETE', 'allOpenOrdersByUnderlying', underlying='BTCUSDT')
        assert answer[2] == {'code': 0, 'msg': 'success'}
    assert [order.is_open for order in (*gone, kept)] == [False, False, True]


def test_countdown(still_simulator):
    simulator = still_simulator
    order = {'side': 'SELL', 'type': 'LIMIT', 'quantity': '1', 'price': '10'}
    order['symbol'] = simulator.rest('binance', 'BTCUSDT', mmp=False).instrument.instrument_id
    countdown = {'underlying': 'BTCUSDT', 'countdownTime': 5000}
    assert call(simulator, 'POST', 'countdownCancelAll', **countdown)[2] == countdown
    assert call(simulator, 'GET', 'countdownCancelAll', underlying='BTCUSDT')[2] == countdown
    simulator.advance(4999)
    _, _, beating = call(simulator, 'POST', 'countdownCancelAllHeartBeat', underlyings='BTCUSDT,ETHUSDT')
    assert beating == {'underlyings': ['BTCUSDT']}
    simulator.advance(4999)
    assert len(simulator.resting('binance', 'BTCUSDT')) == 1
    simulator.advance(1)
    assert simulator.resting('binance', 'BTCUSDT') == []
    assert refused(simulator, 'POST', 'order', **order) == -2010
    call(simulator, 'POST', 'countdownCancelAllHeartBeat', underlyings='BTCUSDT')
    assert call(simulator, 'POST', 'order', **order)[0] == 200
    call(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=0)
    assert call(simulator, 'GET', 'countdownCancelAll', underlying='BTCUSDT')[2]['countdownTime'] == 0
    assert refused(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=4999) == -6009


def test_recv_window(simulator):
    assert refused(simulator, 'GET', 'openOrders', recvWindow=60001) == -1131
    assert refused(simulator, 'GET', 'openOrders', recvWindow='x') == -1130


def test_key_without_the_permission_is_refused(simulator):
    account = simulator.add_account('reader', 'readers-secret')
    account.permissions = {'read'}
    credentials = {'key': 'reader', 'secret': account.secret}
    assert call(simulator, 'GET', 'openOrders', **credentials)[0] == 200
    assert refused(simulator, 'DELETE', 'allOpenOrdersByUnderlying', **credentials, underlying='BTCUSDT') == -2015


def test_weight_is_counted_and_enforced(still_simulator):
    simulator = still_simulator
    symbol = simulator.rest('binance', 'ETHUSDT', mmp=False).instrument.instrument_id
    weights = [
        call(simulator, 'GET', 'openOrders', symbol=symbol)[1],
        call(simulator, 'GET', 'openOrders')[1],
        call(simulator, 'DELETE', 'allOpenOrdersByUnderlying', underlying='BTCUSDT')[1],
    ]
    assert [int(headers['X-MBX-USED-WEIGHT-1M']) for headers in weights] == [1, 41, 46]
    assert simulator.used_weight == 46
    simulator.use_weight(2400 - 47)
    _, headers, _ = call(simulator, 'GET', 'openOrders', symbol=symbol)
    assert int(headers['X-MBX-USED-WEIGHT-1M']) == simulator.used_weight == 2400
    status, headers, body = call(simulator, 'GET', 'openOrders', symbol=symbol)
    assert (status, body['code']) == (429, -1003)
    assert 0 < int(headers['Retry-After']) <= 60
    simulator.advance(60_000)
    assert call(simulator, 'GET', 'openOrders', symbol=symbol)[0] == 200
    assert simulator.used_weight == 1


@pytest.mark.parametrize('weight', [0, -1, 1.5, True, '5'])
def test_wrong_weight_is_refused(simulator, weight):
    with pytest.raises(ValueError, match='at least 1'):
        simulator.use_weight(weight)
    assert simulator.used_weight == 0


def test_orders_are_counted_and_enforced(still_simulator):
    simulator = still_simulator
    symbol = simulator.rest('binance', 'ETHUSDT', mmp=False).instrument.instrument_id
    order = {'symbol': symbol, 'side': 'SELL', 'type': 'LIMIT', 'quantity': '1', 'price': '10'}
    _, headers, _ = call(simulator, 'POST', 'order', **order)
    assert (headers['X-MBX-ORDER-COUNT-10S'], headers['X-MBX-ORDER-COUNT-1M']) == ('1', '1')
    _, headers, _ = call(simulator, 'POST', 'batchOrders', orders=json.dumps([order] * 10))
    assert headers['X-MBX-ORDER-COUNT-10S'] == '11'
    for _ in range(28):
        call(simulator, 'POST', 'batchOrders', orders=json.dumps([order] * 10))
    status, headers, body = call(simulator, 'POST', 'batchOrders', orders=json.dumps([order] * 10))
    assert (status, body['code']) == (429, -1015)
    assert 'Retry-After' in headers


def test_limits_can_be_turned_off():
    with Simulator(enforce_limits=False) as simulator:
        _, headers, _ = call(simulator, 'GET', 'openOrders')
        assert 'X-MBX-USED-WEIGHT-1M' not in headers
        assert simulator.used_weight == 0
        with pytest.raises(ValueError, match='counts no weight'):
            simulator.use_weight(1)
        option = simulator.rest('binance', 'BTCUSDT', mmp=True).instrument.instrument_id
        order = {'symbol': option, 'side': 'BUY', 'type': 'LIMIT', 'quantity': '1', 'price': '1'}
        assert 'X-MBX-ORDER-COUNT-10S' not in call(simulator, 'POST', 'order', **order)[1]


def test_lists_begin_and_end_where_they_are_told_to(still_simulator):
    simulator = still_simulator
    orders = []
    for _ in range(3):
        orders.append(simulator.rest('binance', 'BTCUSDT', mmp=True))
        simulator.advance(1000)
    first, second, third = (int(order.order_id) for order in orders)
    symbol = orders[0].instrument.instrument_id

    def listed(path='openOrders', **query):
        return [row['orderId'] for row in call(simulator, 'GET', path, symbol=symbol, **query)[2]]

    assert listed() == [first, second, third]
    assert listed(limit=1) == [first]
    assert listed(orderId=second) == [second, third]
    assert listed(startTime=orders[1].created, endTime=orders[1].created) == [second]
    call(simulator, 'DELETE', 'allOpenOrders', symbol=symbol)
    assert listed('historyOrders', limit=2) == [first, second]
    assert refused(simulator, 'GET', 'openOrders', limit='x') == -1130


def test_post_only_is_good_till_crossing(simulator, order):
    _, _, placed = call(simulator, 'POST', 'order', **order, postOnly='true', newOrderRespType='RESULT')
    assert (placed['postOnly'], placed['timeInForce']) == (True, 'GTX')


def test_stray_parameter_of_a_public_endpoint_is_refused(simulator):
    with pytest.raises(urllib.error.HTTPError, match='400') as caught:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time?stray=1')  # noqa: S310
    with caught.value as answer:
        assert json.load(answer)['code'] == -1104
