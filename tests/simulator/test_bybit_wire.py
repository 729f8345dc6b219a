"""Bybit's wire: how a request is signed, what it is answered, and how it is counted."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request

import pytest

from ccxt_mmp.simulator import KEY, SECRET, Account, Rule, Simulator
from ccxt_mmp.simulator.venues.bybit import BybitVenue
from ccxt_mmp.simulator.wire import Request, Times
from tests.rows import rows
from tests.simulator.commands import control
from tests.simulator.engines import new_engine

RULE = {'baseCoin': 'ETH', 'window': '5000', 'frozenPeriod': '100000', 'qtyLimit': '50', 'deltaLimit': '20'}
COIN = {'baseCoin': 'BTC'}
OPTION = {'category': 'option'}
NOW = 1_700_000_000_000
ANOTHER = 'another'


def send(simulator, method, target, body='', headers=None):
    """The status, the headers and the body of an answer."""
    request = urllib.request.Request(simulator.url + target, body.encode() or None, headers or {}, method=method)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
        return answer.status, dict(answer.headers), json.loads(text) if text.startswith('{') else text


def signed(text, *, time, key=KEY, secret=SECRET, window='5000'):
    digest = hmac.new(secret.encode(), f'{time}{key}{window}{text}'.encode(), hashlib.sha256).hexdigest()
    headers = {'X-BAPI-API-KEY': key, 'X-BAPI-TIMESTAMP': str(time), 'X-BAPI-SIGN': digest}
    return {**headers, 'X-BAPI-RECV-WINDOW': window} if window else headers


def ask(simulator, method, path, *, time=None, key=KEY, secret=SECRET, recv_window='5000', **parameters):
    """The headers and the body of the answer to a signed request: the query of a GET, JSON of a POST."""
    query = '&'.join(f'{name}={value}' for name, value in parameters.items()) if method == 'GET' else ''
    body = '' if method == 'GET' else json.dumps(parameters)
    time = simulator.now() if time is None else time
    headers = signed(query or body, time=time, key=key, secret=secret, window=recv_window)
    target = f'/v5/{path}?{query}' if query else f'/v5/{path}'
    return send(simulator, method, target, body, headers)[1:]


def call(simulator, method, path, **parameters):
    return ask(simulator, method, path, **parameters)[1]


def code(answer):
    return answer['retCode']


def order(simulator, link_id, **terms):
    symbol = simulator.instruments('bybit', 'BTC')[0]
    defaults = {'symbol': symbol, 'side': 'Buy', 'orderType': 'Limit', 'qty': '0.1', 'price': '5'}
    return {**defaults, 'orderLinkId': link_id, **terms}


def place(simulator, link_id, **terms):
    return call(simulator, 'POST', 'order/create', **OPTION, **order(simulator, link_id, **terms))


def listed(simulator, **query):
    """The client's ids of the orders of one page, and the cursor."""
    result = call(simulator, 'GET', 'order/realtime', **OPTION, **query)['result']
    return [row['orderLinkId'] for row in result['list']], result['nextPageCursor']


# --- signatures


@pytest.mark.parametrize(
    ('method', 'path', 'query', 'body', 'signature'),
    [
        (
            'POST',
            '/v5/account/mmp-modify',
            '',
            '{"baseCoin":"ETH","window":"5000","frozenPeriod":"100000","qtyLimit":"50","deltaLimit":"20"}',
            '1ec24a2be018245e9b683e31706e5ff992468872f1917685984954bc97854b69',  # pragma: allowlist secret
        ),
        (
            'GET',
            '/v5/account/mmp-state',
            'baseCoin=BTC',
            '',
            '4fcafb1f23589691f511d16500d30268780fe2c48fed420092633d769b7751d2',  # pragma: allowlist secret
        ),
    ],
)
def test_signature_is_the_check_vector(method, path, query, body, signature):
    """Made with ccxt's sign, and again by the documented formula."""
    account = Account('key', 'sec', '')
    venue = BybitVenue(new_engine(), {'key': account}, enforce_limits=False)
    headers = {
        'X-BAPI-API-KEY': 'key',
        'X-BAPI-TIMESTAMP': '1675833524616',
        'X-BAPI-RECV-WINDOW': '5000',
        'X-BAPI-SIGN': signature,
    }
    times = Times(1675833524616, 1675833524616)
    answer, _ = venue.answer(Request(method, path, query, body, headers), times)
    assert answer.body['retCode'] == 0
    changed = Request(method, path, query.replace('BTC', 'ETH'), body.replace(':', ': '), headers)
    assert venue.answer(changed, times)[0].body['retCode'] == 10004


@pytest.mark.parametrize(('late', 'expected'), [(-5000, 0), (-5001, 10002), (999, 0), (1000, 10002)])
def test_timestamp_is_within_its_window(late, expected):
    with Simulator(clock=lambda: NOW) as simulator:
        assert code(call(simulator, 'GET', 'account/info', time=NOW + late)) == expected
        assert code(call(simulator, 'GET', 'account/info', time=NOW + late, recv_window='')) == expected


@rows(
    ('changed', 'expected'),
    [
        ({'key': 'nobody'}, 10003),
        ({'secret': ANOTHER}, 10004),
        ({'time': 'soon'}, 10002),
        ({'recv_window': 'wide'}, 10002),
    ],
)
def test_wrong_credentials_are_refused(simulator, changed, expected):
    assert code(call(simulator, 'GET', 'account/info', **changed)) == expected


def test_request_without_credentials_is_not_authenticated(simulator):
    headers = signed('', time=simulator.now())
    for missing in headers.keys() - {'X-BAPI-RECV-WINDOW'}:
        rest = {name: value for name, value in headers.items() if name != missing}
        assert send(simulator, 'GET', '/v5/account/info', headers=rest)[0] == 401


def test_body_that_is_no_object_is_refused(simulator):
    for body in ('', '[]', '{'):
        headers = signed(body, time=simulator.now())
        assert code(send(simulator, 'POST', '/v5/account/mmp-reset', body, headers)[2]) == 10001


def test_permission_and_privilege(simulator):
    simulator._account.permissions = {'read'}
    assert code(call(simulator, 'POST', 'account/mmp-reset', **COIN)) == 10005
    assert call(simulator, 'GET', 'user/query-api')['result']['readOnly'] == 1
    simulator._account.permissions = {'read', 'trade'}
    simulator.privileged = False
    assert code(call(simulator, 'POST', 'account/mmp-modify', **RULE)) == 110065
    assert code(call(simulator, 'POST', 'account/mmp-reset', **COIN)) == 110065
    assert code(call(simulator, 'GET', 'account/mmp-state', **COIN)) == 110065
    assert code(place(simulator, 'a', mmp=True)) == 110065
    assert code(place(simulator, 'b')) == 0


# --- limits


def test_headers_say_what_is_left_of_the_second():
    with Simulator(clock=lambda: NOW) as simulator:
        told = []
        for _ in range(6):
            headers, answer = ask(simulator, 'POST', 'account/mmp-reset', **COIN)
            names = ('X-Bapi-Limit', 'X-Bapi-Limit-Status', 'X-Bapi-Limit-Reset-Timestamp')
            told.append((code(answer), *(headers[name] for name in names)))
        assert told[:5] == [(0, '5', str(left), str(NOW)) for left in (4, 3, 2, 1, 0)]
        assert told[5] == (10006, '5', '0', str(NOW + 1000))
        assert code(call(simulator, 'POST', 'account/mmp-modify', **RULE)) == 0
        simulator.advance(1000)
        assert code(call(simulator, 'POST', 'account/mmp-reset', **COIN)) == 0


@rows(
    ('method', 'path', 'parameters', 'limit'),
    [
        ('POST', 'account/mmp-modify', RULE, 5),
        ('GET', 'account/mmp-state', COIN, 5),
        ('POST', 'order/cancel-all', OPTION, 1),
        ('POST', 'order/cancel-all', {'category': 'linear'}, 10),
        ('POST', 'order/cancel-batch', {**OPTION, 'request': []}, 10),
        ('POST', 'order/create', OPTION, 10),
        ('GET', 'order/realtime', OPTION, 50),
    ],
)
def test_each_endpoint_has_its_limit(method, path, parameters, limit):
    with Simulator(clock=lambda: NOW) as simulator:
        codes = [code(call(simulator, method, path, **parameters)) for _ in range(limit + 1)]
    assert 10006 not in codes[:limit]
    assert codes[limit] == 10006


def test_address_is_banned_for_ten_minutes():
    with Simulator(clock=lambda: NOW) as simulator:
        statuses = [send(simulator, 'GET', '/v5/market/time')[0] for _ in range(601)]
        assert (set(statuses[:600]), statuses[600]) == ({200}, 403)
        simulator.advance(599_999)
        assert send(simulator, 'GET', '/v5/market/time')[2] == 'access too frequent'
        simulator.advance(1)
        assert send(simulator, 'GET', '/v5/market/time')[0] == 200


def test_nothing_is_counted_without_limits():
    with Simulator(clock=lambda: NOW, enforce_limits=False) as simulator:
        headers = [ask(simulator, 'POST', 'account/mmp-reset', **COIN)[0] for _ in range(20)]
    assert 'X-Bapi-Limit' not in headers[-1]


# --- rules


def test_set_and_reset_answer_without_a_result(simulator):
    success = {'retCode': 0, 'retMsg': 'success'}
    assert call(simulator, 'POST', 'account/mmp-modify', **RULE) == success
    assert call(simulator, 'POST', 'account/mmp-reset', baseCoin='ETH') == success
    window = {'timeWindow': 40}
    assert call(simulator, 'POST', 'order/disconnected-cancel-all', **window) == success


def test_state_is_an_array_in_the_result(simulator):
    assert call(simulator, 'GET', 'account/mmp-state', baseCoin='ETH')['result'] == {'result': []}
    call(simulator, 'POST', 'account/mmp-modify', **RULE)
    [state] = call(simulator, 'GET', 'account/mmp-state', baseCoin='ETH')['result']['result']
    assert state == {
        **RULE,
        'mmpEnabled': True,
        'vegaLimit': '500000',
        'mmpFrozenUntil': '0',
        'mmpFrozen': False,
    }


@pytest.mark.parametrize('frozen_period', ['1000', '0'])
def test_freeze_ends_by_itself_or_by_a_reset(simulator, frozen_period):
    call(simulator, 'POST', 'account/mmp-modify', **{**RULE, **COIN, 'frozenPeriod': frozen_period})
    simulator.trip('bybit', 'BTC')
    [state] = call(simulator, 'GET', 'account/mmp-state', **COIN)['result']['result']
    until = simulator.protection('bybit', 'BTC').last_trigger + 1000 if frozen_period == '1000' else 0
    assert (state['mmpFrozen'], state['mmpFrozenUntil']) == (True, str(until))
    simulator.advance(1000)
    [state] = call(simulator, 'GET', 'account/mmp-state', **COIN)['result']['result']
    # the end of a freeze is still told when it is over
    assert (state['mmpFrozen'], state['mmpFrozenUntil']) == (frozen_period == '0', str(until))
    call(simulator, 'POST', 'account/mmp-reset', **COIN)
    [state] = call(simulator, 'GET', 'account/mmp-state', **COIN)['result']['result']
    assert (state['mmpFrozen'], state['mmpFrozenUntil']) == (False, '0')


@rows(
    'changed',
    [
        {'baseCoin': 'eth'},
        {'baseCoin': 'XRP'},
        {'baseCoin': None},
        {'window': 5000},
        {'window': '0'},
        {'window': '1.5'},
        {'frozenPeriod': ''},
        {'frozenPeriod': '-1'},
        {'qtyLimit': '0'},
        {'qtyLimit': '0.001'},
        {'deltaLimit': None},
        {'deltaLimit': '1.234'},
        {'vegaLimit': '0'},
        {'vegaLimit': 5},
    ],
)
def test_rule_that_is_none_is_refused(simulator, changed):
    assert code(call(simulator, 'POST', 'account/mmp-modify', **{**RULE, **changed})) == 10001
    assert simulator.protection('bybit', 'ETH').rule is None


def test_vega_limit_that_is_left_out_is_the_default_again(simulator):
    call(simulator, 'POST', 'account/mmp-modify', **RULE, vegaLimit='1.25')
    assert simulator.protection('bybit', 'ETH').rule.vega_limit == '1.25'
    call(simulator, 'POST', 'account/mmp-modify', **RULE)
    assert simulator.protection('bybit', 'ETH').rule.vega_limit == '500000'


def test_one_rule_covers_what_is_settled_in_usdt_and_usdc(simulator):
    simulator.set_rule('bybit', 'BTC', Rule(5000, 0, qty_limit='2', delta_limit='100', vega_limit='500000'))
    symbols = simulator.instruments('bybit', 'BTC/USDT')
    ids = [next(each for each in symbols if each.endswith('-USDT') is is_usdt) for is_usdt in (True, False)]
    orders = [simulator.rest('bybit', 'BTC/USDC:USDC', mmp=True, symbol=each) for each in ids * 2]
    other = simulator.rest('bybit', 'ETH', mmp=True)
    plain = simulator.rest('bybit', 'BTC', mmp=False)
    assert [each.instrument.settle for each in orders] == ['USDT', 'USDC'] * 2
    simulator.fill(orders[0].order_id, 1)
    assert all(each.is_open for each in orders)
    simulator.fill(orders[1].order_id, 1)
    assert [each.state for each in orders] == ['mmp_canceled'] * 4
    assert other.is_open
    assert plain.is_open
    row = call(simulator, 'GET', 'order/history', **OPTION)['result']['list'][0]
    assert (row['orderStatus'], row['cancelType']) == ('Cancelled', 'CancelByMmpTriggered')


# --- orders


def test_order_rests_until_it_is_cancelled(simulator):
    placed = place(simulator, 'mine', mmp=True, reduceOnly=False, timeInForce='PostOnly')
    assert placed['result'].keys() == {'orderId', 'orderLinkId'}
    [row] = call(simulator, 'GET', 'order/realtime', **OPTION, **COIN)['result']['list']
    assert (row['orderLinkId'], row['orderStatus'], row['timeInForce']) == ('mine', 'New', 'PostOnly')
    assert 'mmp' not in row
    ids = {'symbol': row['symbol'], 'orderId': row['orderId']}
    assert call(simulator, 'POST', 'order/cancel', **OPTION, **ids)['result'] == placed['result']
    assert listed(simulator) == ([], '')
    assert code(call(simulator, 'POST', 'order/cancel', **OPTION, **ids)) == 110001
    [row] = call(simulator, 'GET', 'order/history', **OPTION)['result']['list']
    assert (row['orderStatus'], row['cancelType']) == ('Cancelled', 'CancelByUser')


@rows(
    ('terms', 'expected'),
    [
        ({'orderLinkId': None}, 3100198),
        ({'orderLinkId': ''}, 3100198),
        ({'orderLinkId': 'x' * 37}, 10001),
        ({'orderLinkId': 'a b'}, 10001),
        ({'orderLinkId': 'ä'}, 10001),
        ({'orderLinkId': 5}, 10001),
        ({'symbol': 'BTC-NOTHING'}, 10001),
        ({'orderType': 'Market'}, 10001),
        ({'timeInForce': 'PO'}, 10001),
        ({'side': 'buy'}, 10001),
        ({'qty': 1}, 10001),
        ({'qty': '0.001'}, 3100116),
        ({'qty': '0.015'}, 10001),
        ({'price': '0'}, 10001),
        ({'mmp': 'true'}, 10001),
        ({'mmp': 1}, 10001),
        ({'category': 'linear'}, 10001),
        ({'category': 'options'}, 10001),
    ],
)
def test_order_that_is_none_is_refused(simulator, terms, expected):
    request = {**OPTION, **order(simulator, 'mine'), **terms}
    assert code(call(simulator, 'POST', 'order/create', **request)) == expected
    assert listed(simulator) == ([], '')


def test_order_of_another_client_has_an_id_too(simulator):
    rested = [simulator.rest('bybit', 'BTC', mmp=False) for _ in range(2)]
    assert [each.startswith('other-client-') for each in listed(simulator)[0]] == [True, True]
    assert rested[0].client_order_id != rested[1].client_order_id
    assert simulator.rest('bybit', 'BTC', mmp=True, client_order_id='mine').client_order_id == 'mine'


def test_link_id_is_used_once(simulator):
    assert code(place(simulator, 'x' * 36)) == 0
    assert code(place(simulator, 'x' * 36)) == 110072
    call(simulator, 'POST', 'order/cancel-all', **OPTION)
    assert code(place(simulator, 'x' * 36)) == 110072
    simulator.clear()
    assert code(place(simulator, 'x' * 36)) == 0


def test_order_over_its_expiry_is_refused(simulator):
    request = order(simulator, 'late')
    simulator.advance(100 * 86_400_000)
    assert code(call(simulator, 'POST', 'order/create', **OPTION, **request)) == 110074


@pytest.mark.parametrize('way', ['refuse', 'reject'])
def test_order_in_a_freeze_is_refused_or_rejected_later(way):
    with Simulator(frozen_orders=way) as simulator:
        simulator.set_rule('bybit', 'BTC')
        simulator.trip('bybit', 'BTC')
        assert code(place(simulator, 'mmp', mmp=True)) == (10001 if way == 'refuse' else 0)
        assert code(place(simulator, 'plain')) == 0
        assert listed(simulator)[0] == ['plain']
        rejected = call(simulator, 'GET', 'order/realtime', **OPTION, orderLinkId='mmp')['result']['list']
        assert [row['orderStatus'] for row in rejected] == ([] if way == 'refuse' else ['Rejected'])


def test_batches_are_answered_item_by_item(simulator):
    items = [order(simulator, 'a'), order(simulator, ''), order(simulator, 'c', mmp=True)]
    answer = call(simulator, 'POST', 'order/create-batch', **OPTION, request=items)
    assert (answer['retCode'], answer['retExtInfo']['list']) == (
        0,
        [{'code': 0, 'msg': 'OK'}, {'code': 3100198, 'msg': 'orderLinkId can not be empty.'}, {'code': 0, 'msg': 'OK'}],
    )
    assert [bool(row['orderId']) for row in answer['result']['list']] == [True, False, True]
    assert [bool(row['createAt']) for row in answer['result']['list']] == [True, False, True]
    symbol = items[0]['symbol']
    named = [{'symbol': symbol, 'orderLinkId': each} for each in ('c', 'nobody', 'a')]
    answer = call(simulator, 'POST', 'order/cancel-batch', **OPTION, request=[*named, {'symbol': symbol}])
    assert [each['code'] for each in answer['retExtInfo']['list']] == [0, 110001, 0, 10001]
    assert [row['orderLinkId'] for row in answer['result']['list']] == ['c', 'nobody', 'a', '']
    assert listed(simulator)[0] == []


@pytest.mark.parametrize('path', ['order/create-batch', 'order/cancel-batch', 'order/amend-batch'])
def test_batch_has_one_to_twenty_items(simulator, path):
    for items in ([], [{}] * 21, ['x'], None):
        assert code(call(simulator, 'POST', path, **OPTION, request=items)) == 10001
    assert code(call(simulator, 'POST', path, **OPTION, request=[{}] * 20)) == 0


@pytest.mark.parametrize(
    ('path', 'codes'), [('order/create-batch', [0, 110007, 0]), ('order/cancel-batch', [110001, 110079, 110001])]
)
def test_half_of_a_batch_is_refused_by_a_fault(simulator, path, codes):
    simulator.fault('half_batch', path)
    items = [order(simulator, each) for each in 'abc']
    answer = call(simulator, 'POST', path, **OPTION, request=items)
    assert [each['code'] for each in answer['retExtInfo']['list']] == codes


def test_order_is_amended(simulator):
    placed = place(simulator, 'mine', mmp=True)['result']
    ids = {'symbol': order(simulator, '')['symbol'], 'orderId': placed['orderId']}
    assert call(simulator, 'POST', 'order/amend', **OPTION, **ids, price='10', qty='0.5')['result'] == placed
    [row] = call(simulator, 'GET', 'order/realtime', **OPTION)['result']['list']
    assert (row['price'], row['qty'], simulator.order(placed['orderId']).mmp) == ('10', '0.5', True)
    unchanged = call(simulator, 'POST', 'order/amend', **OPTION, **ids, price='10')
    assert (unchanged['retCode'], 'unchanged' in unchanged['retMsg']) == (10001, True)
    assert code(call(simulator, 'POST', 'order/amend', **OPTION, **ids, qty='0.015')) == 10001
    batch = [{**ids, 'qty': '1'}, {**ids, 'orderId': 'nobody', 'qty': '1'}]
    answer = call(simulator, 'POST', 'order/amend-batch', **OPTION, request=batch)
    assert [each['code'] for each in answer['retExtInfo']['list']] == [0, 110001]
    simulator.set_rule('bybit', 'BTC')
    simulator.protection('bybit', 'BTC').freeze_ends = simulator.now() + 60_000
    assert code(call(simulator, 'POST', 'order/amend', **OPTION, **ids, qty='2')) == 10001
    assert [request.unknown for request in simulator.requests if request.unknown] == []
    call(simulator, 'POST', 'order/amend', **OPTION, **ids, mmp=True)
    assert simulator.requests[-1].unknown == ('mmp',)


# --- acknowledgements


def test_cancellation_is_done_when_it_is_processed(simulator):
    simulator.processing_time = 1000
    placed = place(simulator, 'mine')['result']
    ids = {'symbol': order(simulator, '')['symbol'], 'orderId': placed['orderId']}
    assert code(call(simulator, 'POST', 'order/cancel', **OPTION, **ids)) == 0
    assert listed(simulator)[0] == ['mine']
    assert code(call(simulator, 'POST', 'order/cancel', **OPTION, **ids)) == 110079
    simulator.advance(1000)
    assert listed(simulator)[0] == []
    assert simulator.order(placed['orderId']).cancel_source == 'user'


def test_order_may_be_filled_before_its_cancellation_is_processed(simulator):
    simulator.processing_time = 1000
    placed = place(simulator, 'mine')['result']
    symbol = order(simulator, '')['symbol']
    call(simulator, 'POST', 'order/cancel-batch', **OPTION, request=[{'symbol': symbol, 'orderLinkId': 'mine'}])
    simulator.fill(placed['orderId'])
    simulator.advance(1000)
    assert simulator.order(placed['orderId']).state == 'filled'


@pytest.mark.parametrize('way', ['order/cancel-batch', 'order/cancel-all'])
def test_acknowledged_cancellation_can_come_to_nothing(simulator, way):
    placed = place(simulator, 'mine')['result']
    simulator.refuse_cancel(placed['orderId'], acknowledged=True)
    ids = {'symbol': order(simulator, '')['symbol'], 'orderId': placed['orderId']}
    request = {'request': [ids]} if way == 'order/cancel-batch' else COIN
    answer = call(simulator, 'POST', way, **OPTION, **request)
    assert [each['orderId'] for each in answer['result']['list']] == [placed['orderId']]
    assert listed(simulator)[0] == ['mine']
    simulator.allow_cancel(placed['orderId'])
    simulator.advance(1000)
    call(simulator, 'POST', way, **OPTION, **request)
    assert listed(simulator)[0] == []


def test_cancellation_can_be_refused_at_once(simulator):
    placed = place(simulator, 'mine')['result']
    simulator.refuse_cancel(placed['orderId'])
    ids = {'symbol': order(simulator, '')['symbol'], 'orderId': placed['orderId']}
    assert code(call(simulator, 'POST', 'order/cancel', **OPTION, **ids)) == 110079
    assert listed(simulator)[0] == ['mine']
    call(simulator, 'POST', 'order/cancel-all', **OPTION, **COIN)
    assert listed(simulator)[0] == []


def test_control_side_orders_acknowledgements(simulator):
    placed = place(simulator, 'mine')['result']
    assert control(simulator, 'processing_time', {'milliseconds': 1000})[0] == 200
    refused = {'order_id': placed['orderId'], 'acknowledged': True}
    assert control(simulator, 'refuse_cancel', refused)[0] == 200
    assert (simulator.processing_time, simulator.order(placed['orderId']).cancel_fails_later) == (1000, True)
    assert control(simulator, 'processing_time', {'milliseconds': -1})[0] == 400


def test_frozen_orders_is_one_of_two_ways():
    with pytest.raises(ValueError, match='frozen_orders is one of refuse, reject, not accept'):
        Simulator(frozen_orders='accept')


def test_clearing_forgets_what_was_acknowledged(simulator):
    simulator.processing_time = 1000
    place(simulator, 'mine')
    call(simulator, 'POST', 'order/cancel-all', **OPTION)
    simulator.clear()
    simulator.advance(1000)
    assert simulator.processing_time == 1000


@rows('value', [-1, 600_001, 1.5, True, '5', None])
def test_processing_time_that_is_none_is_refused(simulator, value):
    with pytest.raises(ValueError, match='from 0 to 600000'):
        simulator.processing_time = value
    with pytest.raises(TypeError, match='neither'):
        simulator.refuse_cancel('1', acknowledged='yes')


@rows(
    ('wanted', 'left'),
    [
        ({}, ''),
        ({'baseCoin': 'BTC'}, 'c'),
        ({'settleCoin': 'USDT'}, 'b'),
        ({'baseCoin': 'BTC', 'settleCoin': 'USDT'}, 'c'),
        ({'orderFilter': 'StopOrder'}, 'abc'),
        ({'symbol': 'first', 'baseCoin': 'ETH'}, 'bc'),
    ],
)
def test_cancel_all_takes_the_narrowest_filter(simulator, wanted, left):
    usdc = next(each for each in simulator.instruments('bybit', 'BTC') if not each.endswith('-USDT'))
    symbols = {'a': simulator.instruments('bybit', 'BTC')[0], 'b': usdc, 'c': simulator.instruments('bybit', 'ETH')[0]}
    for link_id, symbol in symbols.items():
        assert code(place(simulator, link_id, symbol=symbol)) == 0
    if 'symbol' in wanted:
        wanted = {**wanted, 'symbol': symbols['a']}
    answer = call(simulator, 'POST', 'order/cancel-all', **OPTION, **wanted)
    assert answer['result']['success'] == '1'
    assert {row['orderLinkId'] for row in answer['result']['list']} == {*'abc'} - {*left}
    assert sorted(listed(simulator)[0]) == [*left]


@rows(
    'wanted',
    [{'baseCoin': 'XRP'}, {'settleCoin': 'EUR'}, {'symbol': 'BTC-NOTHING'}, {'orderFilter': 'tpslOrder'}],
)
def test_cancel_all_refuses_a_filter_that_is_none(simulator, wanted):
    assert code(call(simulator, 'POST', 'order/cancel-all', **OPTION, **wanted)) == 10001


def test_cancel_all_of_other_categories_cancels_nothing(simulator):
    place(simulator, 'mine')
    answer = call(simulator, 'POST', 'order/cancel-all', category='linear', settleCoin='USDT')
    assert answer['result'] == {'list': [], 'success': '1'}
    assert listed(simulator)[0] == ['mine']


def test_time_windows_of_the_dead_mans_switch_are_kept(simulator):
    assert call(simulator, 'GET', 'account/query-dcp-info')['result'] == {'dcpInfos': []}
    call(simulator, 'POST', 'order/disconnected-cancel-all', timeWindow=40)
    [info] = call(simulator, 'GET', 'account/query-dcp-info')['result']['dcpInfos']
    assert info == {'product': 'OPTIONS', 'dcpStatus': 'ON', 'timeWindow': '40'}
    for wrong in ({'timeWindow': 2}, {'timeWindow': '40'}, {'timeWindow': True}, {'timeWindow': 9, 'product': 'X'}):
        assert code(call(simulator, 'POST', 'order/disconnected-cancel-all', **wrong)) == 10001


# --- lists


def test_pages_are_of_fifty_orders_at_most_newest_first(simulator):
    for serial in range(53):
        simulator.rest('bybit', 'BTC', mmp=True, client_order_id=f'o{serial}')
    names, cursor = listed(simulator, limit=50)
    assert names == [f'o{serial}' for serial in range(52, 2, -1)]
    place(simulator, 'later')
    names, cursor = listed(simulator, limit=50, cursor=cursor)
    assert names == ['o2', 'o1', 'o0']
    assert cursor  # also after the last page
    assert listed(simulator, limit=50, cursor=cursor) == ([], '')
    assert len(listed(simulator)[0]) == 20
    for wrong in ({'limit': '0'}, {'limit': '51'}, {'limit': 'x'}, {'cursor': 'x'}, {'openOnly': '2'}):
        assert code(call(simulator, 'GET', 'order/realtime', **OPTION, **wrong)) == 10001


def test_orders_are_filtered(simulator):
    usdc = next(each for each in simulator.instruments('bybit', 'BTC') if not each.endswith('-USDT'))
    for link_id, symbol in {'a': None, 'b': usdc, 'c': simulator.instruments('bybit', 'ETH')[0]}.items():
        place(simulator, link_id, **({} if symbol is None else {'symbol': symbol}))
    assert listed(simulator, baseCoin='BTC')[0] == ['b', 'a']
    assert listed(simulator, settleCoin='USDC')[0] == ['b']
    assert listed(simulator, symbol=usdc)[0] == ['b']
    assert listed(simulator, orderLinkId='c')[0] == ['c']
    assert listed(simulator, orderFilter='StopOrder')[0] == []
    simulator.fill(call(simulator, 'GET', 'order/realtime', **OPTION, orderLinkId='a')['result']['list'][0]['orderId'])
    assert listed(simulator)[0] == ['c', 'b']
    assert listed(simulator, openOnly='1')[0] == ['a']
    assert listed(simulator, orderLinkId='a')[0] == ['a']
    [row] = call(simulator, 'GET', 'order/history', **OPTION, orderStatus='Filled')['result']['list']
    assert (row['orderLinkId'], row['cumExecQty'], row['avgPrice']) == ('a', '0.1', '5')
    assert call(simulator, 'GET', 'order/realtime', category='linear')['result']['list'] == []


def test_instruments_are_listed_by_coin_and_page(simulator):
    def ids(**query):
        result = call(simulator, 'GET', 'market/instruments-info', **OPTION, **query)['result']
        return [row['symbol'] for row in result['list']], result['nextPageCursor']

    everything = simulator.instruments('bybit', 'BTC')
    assert ids() == ids(baseCoin='BTC') == (everything, '')
    assert ids(baseCoin='SOL') == ([], '')
    assert ids(symbol=everything[7]) == ([everything[7]], '')
    assert ids(status='PreLaunch') == ([], '')
    first, cursor = ids(limit='300')
    assert (first, cursor) == (everything[:300], '300%2C300')
    assert ids(limit='300', cursor=cursor) == (everything[300:], '')
    assert code(call(simulator, 'GET', 'market/instruments-info', **OPTION, cursor='x')) == 10001
    for category in ('spot', 'linear', 'inverse'):
        assert call(simulator, 'GET', 'market/instruments-info', category=category)['result']['list'] == []


# --- prices, positions, balances


def test_tickers_and_books_agree(simulator):
    symbol = simulator.instruments('bybit', 'BTC')[20]
    [ticker] = call(simulator, 'GET', 'market/tickers', **OPTION, symbol=symbol)['result']['list']
    book = call(simulator, 'GET', 'market/orderbook', **OPTION, symbol=symbol, limit='2')['result']
    assert book['b'][0] == [ticker['bid1Price'], ticker['bid1Size']]
    assert book['a'][0] == [ticker['ask1Price'], ticker['ask1Size']]
    assert (len(book['b']), len(book['a'])) == (2, 2)
    date = symbol.split('-')[1]
    of_date = call(simulator, 'GET', 'market/tickers', **OPTION, **COIN, expDate=date)['result']['list']
    assert {row['symbol'].split('-')[1] for row in of_date} == {date}
    assert code(call(simulator, 'GET', 'market/tickers', **OPTION)) == 10001
    assert call(simulator, 'GET', 'market/tickers', category='spot')['result']['list'] == []
    assert code(call(simulator, 'GET', 'market/orderbook', category='spot', symbol=symbol)) == 10001


def test_fills_make_positions(simulator):
    sold = simulator.rest('bybit', 'BTC', mmp=True, side='sell', quantity='2')
    simulator.fill(sold.order_id)
    simulator.fill(simulator.rest('bybit', 'ETH', mmp=True).order_id, 1)
    rows_ = call(simulator, 'GET', 'position/list', **OPTION)['result']['list']
    assert [(row['side'], row['size']) for row in rows_] == [('Sell', '2'), ('Buy', '1')]
    for filtered in ({'baseCoin': 'BTC'}, {'symbol': sold.instrument.instrument_id}):
        found = call(simulator, 'GET', 'position/list', **OPTION, **filtered)['result']['list']
        assert [row['side'] for row in found] == ['Sell']
    assert call(simulator, 'GET', 'position/list', **OPTION, settleCoin='USDC')['result']['list'] == []
    assert call(simulator, 'GET', 'position/list', category='linear')['result']['list'] == []


def test_balance_is_of_the_unified_account(simulator):
    [account] = call(simulator, 'GET', 'account/wallet-balance', accountType='UNIFIED')['result']['list']
    assert {'BTC', 'ETH'} <= {row['coin'] for row in account['coin']}
    [account] = call(simulator, 'GET', 'account/wallet-balance', accountType='UNIFIED', coin='BTC')['result']['list']
    assert [row['coin'] for row in account['coin']] == ['BTC']
    assert code(call(simulator, 'GET', 'account/wallet-balance', accountType='FUND')) == 10001
