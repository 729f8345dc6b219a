"""Deribit's wire: JSON-RPC by GET and POST, how a request is authenticated, and what it costs."""

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from ccxt_mmp.simulator import KEY, SECRET, Rule, Simulator
from ccxt_mmp.simulator.venues.deribit.calls import number, plain_number, read_text

INDEX = {'index_name': 'btc_usd'}
RULE = {'interval': 3, 'frozen_time': 30, 'quantity_limit': 5, 'max_quote_quantity': 20}
PERPETUAL = 'BTC-PERPETUAL'


def signed(method, target, body, time, nonce, secret=SECRET, key=KEY):
    text = f'{time}\n{nonce}\n{method}\n{target}\n{body}\n'
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f'deri-hmac-sha256 id={key},ts={time},sig={signature},nonce={nonce}'


def send(simulator, method, target, body='', authorization=None):
    headers = {'Content-Type': 'application/json'}
    if authorization is not None:
        headers['Authorization'] = authorization
    request = urllib.request.Request(simulator.url + target, body.encode() or None, headers, method=method)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer)


def call(simulator, method, path, *, time=None, nonce=None, root=False, **parameters):
    """The status and the answer to a signed request: the query of a GET, the envelope of a POST."""
    target, body = f'/api/v2/{path}', ''
    if method == 'GET' and parameters:
        target += '?' + urlencode(parameters)
    elif method == 'POST':
        body = json.dumps({'jsonrpc': '2.0', 'id': 42, 'method': path, 'params': parameters})
        target = '/api/v2' if root else target
    time = simulator.now() if time is None else time
    return send(simulator, method, target, body, signed(method, target, body, time, nonce or secrets.token_hex(8)))


def code(answer):
    status, body = answer
    assert status == (400 if 'error' in body else 200)
    return body.get('error', {}).get('code')


def place(simulator, side='buy', **terms):
    order = {'instrument_name': PERPETUAL, 'amount': 10, 'price': 100_000, 'type': 'limit', **terms}
    return call(simulator, 'POST', f'private/{side}', **order)


# --- JSON-RPC


def test_get_and_post_are_the_same_method(simulator):
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, **RULE)
    answers = [
        call(simulator, 'GET', 'private/get_mmp_config', **INDEX)[1],
        call(simulator, 'POST', 'private/get_mmp_config', **INDEX)[1],
        call(simulator, 'POST', 'private/get_mmp_config', root=True, **INDEX)[1],
    ]
    assert [each['result'] for each in answers] == [[{**INDEX, **RULE}]] * 3
    assert [each.get('id') for each in answers] == [None, 42, 42]
    assert all(each['usOut'] // 1000 <= simulator.now() and each['testnet'] is False for each in answers)


@pytest.mark.parametrize(
    ('body', 'expected'),
    [
        ('{', -32700),
        ('[]', -32600),
        ('{"method": 1}', -32600),
        ('{"method": "public/test"}', -32600),  # of another path
        ('{"method": "public/get_time", "params": []}', -32602),
    ],
)
def test_envelope_that_is_none_is_refused(simulator, body, expected):
    assert code(send(simulator, 'POST', '/api/v2/public/get_time', body)) == expected


def test_public_methods_need_no_key(simulator):
    assert send(simulator, 'GET', '/api/v2/public/get_time')[1]['result'] == pytest.approx(simulator.now(), abs=5000)
    assert send(simulator, 'GET', '/api/v2/public/test')[1]['result'] == {'version': '1.2.26'}
    assert send(simulator, 'GET', '/api/v2/public/status')[1]['result']['locked'] == 'false'
    names = send(simulator, 'GET', '/api/v2/public/get_supported_index_names')[1]['result']
    assert names == ['btc_usd', 'eth_usd', 'btc_usdc']


def test_numbers_are_of_any_form():
    assert (plain_number(1e-05), plain_number('6.4e4'), plain_number('x'), plain_number('1e1e1')) == (
        '0.00001',
        '64000',
        'x',
        '1e1e1',
    )
    assert (number('3.0'), number('0.5')) == (3, 0.5)


@pytest.mark.parametrize('text', ['1e5', '48e5555555555555'])  # the second could be a nonce
def test_text_that_looks_like_a_number_stays_as_it_is(simulator, text):
    assert read_text({'nonce': text}, 'nonce') == text
    assert code(place(simulator, label=text)) is None
    assert call(simulator, 'POST', 'private/cancel_by_label', label=text)[1]['result'] == 1


# --- authentication


def test_documented_signature():
    """The published example; its secret is one."""
    target, secret = '/api/v2/private/get_account_summary?currency=BTC', 'AMANDA' + 'SECRECT'
    header = signed('GET', target, '', 1576074319000, '1iqt2wls', secret, 'AMANDA')
    assert header.split(',')[2] == 'sig=9bfbc51a2bc372d72cc396cf1a213dc78d42eb74cb7dc272351833ad0de276ab'


def test_nonce_is_used_once(simulator):
    assert code(call(simulator, 'GET', 'private/get_mmp_config', nonce='once')) is None
    assert code(call(simulator, 'GET', 'private/get_mmp_config', nonce='once')) == 13009


@pytest.mark.parametrize('late', [-60_001, 61_000, 'x'])
def test_timestamp_out_of_bounds_is_refused(simulator, late):
    time = late if late == 'x' else simulator.now() + late
    assert code(call(simulator, 'GET', 'private/get_mmp_config', time=time)) == 13009


def test_wrong_credentials_are_refused(simulator):
    target = '/api/v2/private/get_mmp_config'
    given = [
        None,
        'Unknown x',
        'deri-hmac-sha256 id=nobody,ts=1,sig=1,nonce=1',
        signed('GET', target, '', simulator.now(), 'n', 'another'),
        'Bearer nothing',
        'Basic ???',
        'Basic ' + base64.b64encode(b'nobody:secret').decode(),
        'Basic ' + base64.b64encode(f'{KEY}:another'.encode()).decode(),
    ]
    codes = [code(send(simulator, 'GET', target, authorization=each)) for each in given]
    assert codes == [10000, 10000, 13004, 13004, 13009, 13004, 13004, 13004]


def test_basic_and_bearer(simulator):
    target = '/api/v2/private/get_mmp_config'
    basic = 'Basic ' + base64.b64encode(f'{KEY}:{SECRET}'.encode()).decode()
    assert code(send(simulator, 'GET', target, authorization=basic)) is None
    query = urlencode({'grant_type': 'client_credentials', 'client_id': KEY, 'client_secret': SECRET})
    token = send(simulator, 'GET', f'/api/v2/public/auth?{query}')[1]['result']
    bearer = f'Bearer {token["access_token"]}'
    assert code(send(simulator, 'GET', target, authorization=bearer)) is None
    simulator.advance(token['expires_in'] * 1000)
    assert code(send(simulator, 'GET', target, authorization=bearer)) == 13009
    logged = simulator.requests[1]
    assert SECRET not in logged.query
    for wrong in ('grant_type=password', 'grant_type=client_credentials&client_id=nobody'):
        assert code(send(simulator, 'GET', f'/api/v2/public/auth?{wrong}')) in (-32602, 13004)


def test_scope_and_privilege(simulator):
    simulator._account.permissions = {'read'}
    assert code(call(simulator, 'POST', 'private/reset_mmp', **INDEX)) == 13021
    simulator._account.permissions = {'read', 'trade'}
    simulator.privileged = False
    for method, path in (
        ('POST', 'reset_mmp'),
        ('POST', 'set_mmp_config'),
        ('GET', 'get_mmp_config'),
        ('GET', 'get_mmp_status'),
    ):
        assert code(call(simulator, method, f'private/{path}', **INDEX)) == 13040
    assert code(place(simulator, mmp=True)) == 13040
    assert code(place(simulator)) is None
    summary = call(simulator, 'GET', 'private/get_account_summary', currency='BTC')[1]['result']
    assert (summary['mmp_enabled'], summary['limits']['matching_engine']['trading']['total']) == (
        False,
        {'burst': 20, 'rate': 5},
    )


# --- credits


def test_matching_requests_have_credit_of_their_own():
    now = 1_700_000_000_000
    with Simulator(clock=lambda: now) as simulator:
        codes = [code(place(simulator)) for _ in range(21)]
        assert codes == [None] * 20 + [10028]
        assert code(call(simulator, 'GET', 'private/get_open_orders')) is None
        assert code(call(simulator, 'POST', 'private/cancel_by_label', label='x')) is None  # it has roomier ones
        assert code(call(simulator, 'POST', 'private/cancel_by_label', label='x', currency='BTC')) == 10028
        simulator.advance(200)  # ms, after which one comes back
        assert [code(place(simulator)) for _ in range(2)] == [None, 10028]


def test_other_requests_have_credit_of_their_own():
    now = 1_700_000_000_000
    with Simulator(clock=lambda: now) as simulator:
        codes = [code(call(simulator, 'GET', 'private/get_mmp_status')) for _ in range(101)]
        assert codes == [None] * 100 + [10028]
        simulator.clear()
        assert code(call(simulator, 'GET', 'private/get_mmp_status')) is None


# --- rules


@pytest.mark.parametrize(
    ('changed', 'param'),
    [
        ({'index_name': 'xrp_usdc'}, 'index_name'),
        ({'index_name': 'all'}, 'index_name'),
        ({'index_name': None}, 'index_name'),
        ({'interval': 3601}, 'interval'),
        ({'interval': 1.5}, 'interval'),
        ({'frozen_time': None}, 'frozen_time'),
        ({'frozen_time': True}, 'frozen_time'),
        ({'quantity_limit': 0}, 'quantity_limit'),
        ({'quantity_limit': '1.23456'}, 'quantity_limit'),
        ({'quantity_limit': None}, 'quantity_limit'),
        ({'max_quote_quantity': None}, 'max_quote_quantity'),
        ({'trade_count_limit': 3}, 'trade_count_limit'),
        ({'mmp_group': ''}, 'mmp_group'),
        ({'mmp_group': 'x' * 65}, 'mmp_group'),
        ({'mmp_group': 'x', 'block_rfq': True}, 'mmp_group'),
        ({'block_rfq': 'maybe'}, 'block_rfq'),
    ],
)
def test_rule_that_is_none_is_refused(simulator, changed, param):
    rule = {name: value for name, value in {**INDEX, **RULE, **changed}.items() if value is not None}
    _, answer = call(simulator, 'POST', 'private/set_mmp_config', **rule)
    assert (answer['error']['code'], answer['error']['data']['param']) == (-32602, param)


def test_set_replaces_the_whole_rule_and_an_interval_of_0_removes_it(simulator):
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, **RULE, delta_limit=15, vega_limit=1.5)
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, **RULE)
    assert call(simulator, 'GET', 'private/get_mmp_config')[1]['result'] == [{**INDEX, **RULE}]
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, interval=0, frozen_time=0, max_quote_quantity=1)
    assert call(simulator, 'GET', 'private/get_mmp_config')[1]['result'] == []


def test_groups_are_of_one_index_and_at_most_16(simulator):
    for serial in range(16):
        rule = {**INDEX, **RULE, 'mmp_group': f'bot{serial}'}
        assert code(call(simulator, 'POST', 'private/set_mmp_config', **rule)) is None
    simulator.advance(4000)
    for group, index in (('bot16', 'btc_usd'), ('bot1', 'eth_usd')):
        rule = {**RULE, 'index_name': index, 'mmp_group': group}
        assert code(call(simulator, 'POST', 'private/set_mmp_config', **rule)) == -32602
    rows = call(simulator, 'GET', 'private/get_mmp_config')[1]['result']
    assert [row['mmp_group'] for row in rows] == [f'bot{serial}' for serial in range(16)]
    assert code(call(simulator, 'GET', 'private/get_mmp_config', mmp_group='bot1')) == -32602


def test_block_rfq_is_a_protection_of_its_own(simulator):
    all_trades = {'index_name': 'all', 'block_rfq': 'true', 'interval': 1, 'frozen_time': 0, 'trade_count_limit': 3}
    call(simulator, 'POST', 'private/set_mmp_config', **all_trades)
    of_index = {**INDEX, 'block_rfq': True, 'interval': 1, 'frozen_time': 0, 'quantity_limit': 3}
    call(simulator, 'POST', 'private/set_mmp_config', **of_index)
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, **RULE)
    rows = call(simulator, 'GET', 'private/get_mmp_config', block_rfq='true')[1]['result']
    assert rows == [{**all_trades, 'block_rfq': True}, of_index]
    simulator.trip('deribit')
    status = call(simulator, 'GET', 'private/get_mmp_status', block_rfq='true')[1]['result']
    assert status == [{'index_name': 'all', 'block_rfq': True, 'frozen_until': 0}]
    assert call(simulator, 'GET', 'private/get_mmp_status')[1]['result'] == []
    assert call(simulator, 'POST', 'private/reset_mmp', index_name='all', block_rfq=True)[1]['result'] == 'ok'
    assert call(simulator, 'GET', 'private/get_mmp_status', block_rfq='true')[1]['result'] == []


# --- what trips


def quote(simulator, amount='1', **fields):
    return simulator.rest('deribit', 'btc_usd', mmp=True, quantity=amount, **fields).order_id


def is_frozen(simulator):
    return simulator.protection('deribit', 'btc_usd').is_frozen(simulator.now())


def test_window_starts_with_the_first_trade(simulator):
    simulator.set_rule('deribit', 'btc_usd', Rule(3000, 0, '3'))
    order = quote(simulator, '100')
    simulator.fill(order, 1)
    simulator.advance(2000)
    simulator.fill(order, 1)
    simulator.advance(2000)  # a window that ended with each fill would have two by now
    simulator.fill(order, 1)
    assert not is_frozen(simulator)
    simulator.fill(order, 1)
    assert not is_frozen(simulator)
    simulator.fill(order, 1)
    assert is_frozen(simulator)


def test_vega_trips(simulator):
    order = quote(simulator)
    vega = simulator._engine.market.value(simulator.order(order).instrument, simulator.now()).vega
    simulator.set_rule('deribit', 'btc_usd', Rule(3000, 0, vega_limit=f'{vega / 2:.4f}'))
    simulator.fill(order)
    assert is_frozen(simulator)


def test_perpetuals_count_in_coins(simulator):
    simulator.set_rule('deribit', 'btc_usd', Rule(3000, 30_000, '0.01'))
    order = place(simulator, amount=1000, price=100_000, mmp=True)[1]['result']['order']
    others = place(simulator, side='sell', amount=1000, mmp=True)[1]['result']['order']
    simulator.fill(order['order_id'], 990)
    assert not is_frozen(simulator)
    simulator.fill(order['order_id'])
    assert is_frozen(simulator)
    gone = call(simulator, 'GET', 'private/get_order_state', order_id=others['order_id'])[1]['result']
    assert (gone['order_state'], gone['mmp_cancelled'], gone['cancel_reason']) == ('cancelled', True, 'mmp_trigger')
    assert code(place(simulator, mmp=True)) == 13030
    [status] = call(simulator, 'GET', 'private/get_mmp_status', **INDEX)[1]['result']
    assert status['frozen_until'] == pytest.approx(simulator.now() + 30_000, abs=5000)
    assert code(place(simulator)) is None


def test_max_quote_quantity_is_of_each_side_of_an_instrument(simulator):
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, **{**RULE, 'max_quote_quantity': 2})
    first, second = simulator.instruments('deribit', 'btc_usd')[:2]
    terms = {'price': 0.01, 'mmp': True}
    assert code(place(simulator, instrument_name=first, amount=2, **terms)) is None
    assert code(place(simulator, instrument_name=first, amount=0.1, **terms)) == 11030
    assert code(place(simulator, instrument_name=first, amount=2, price=0.01)) is None
    assert code(place(simulator, 'sell', instrument_name=first, amount=2, **terms)) is None
    latest = place(simulator, instrument_name=second, amount=1, **terms)[1]['result']['order']
    assert code(call(simulator, 'POST', 'private/edit', order_id=latest['order_id'], amount=3)) == 11030
    call(simulator, 'POST', 'private/set_mmp_config', **INDEX, **{**RULE, 'max_quote_quantity': 1})
    rows = call(simulator, 'GET', 'private/get_open_orders')[1]['result']
    assert [row['order_id'] for row in rows if row['mmp']] == [latest['order_id']]
    closed = call(simulator, 'GET', 'private/get_order_history_by_instrument', instrument_name=first)[1]['result']
    assert [row['cancel_reason'] for row in closed] == ['mmp_config_curtailment'] * 2


# --- orders


@pytest.mark.parametrize(
    ('terms', 'expected'),
    [
        ({'instrument_name': 'BTC-NOTHING'}, 13020),
        ({'type': 'market'}, -32602),
        ({'time_in_force': 'good_til_day'}, -32602),
        ({'label': 'x' * 65}, -32602),
        ({'amount': 15}, -32602),
        ({'price': 'x'}, -32602),
        ({'mmp': 'maybe'}, -32602),
        ({'valid_until': 1}, 13888),
    ],
)
def test_order_that_is_none_is_refused(simulator, terms, expected):
    assert code(place(simulator, **terms)) == expected


def test_orders_are_listed_by_currency_instrument_and_kind(simulator):
    labels = {'a': PERPETUAL, 'b': simulator.instruments('deribit', 'btc_usd')[0], 'c': 'BTC_USDC-PERPETUAL'}
    for label, instrument in labels.items():
        assert code(place(simulator, instrument_name=instrument, label=label, price=1, post_only=True)) is None

    def listed(path, **parameters):
        return ''.join(row['label'] for row in call(simulator, 'GET', f'private/{path}', **parameters)[1]['result'])

    assert listed('get_open_orders') == 'abc'
    assert listed('get_open_orders', kind='option') == 'b'
    assert listed('get_open_orders_by_currency', currency='USDC') == 'c'
    assert listed('get_open_orders_by_instrument', instrument_name=PERPETUAL) == 'a'
    assert call(simulator, 'POST', 'private/cancel_all_by_currency', currency='USDC')[1]['result'] == 1
    assert listed('get_order_history_by_currency', currency='USDC') == 'c'
    assert (
        call(simulator, 'POST', 'private/cancel_all_by_kind_or_type', currency='any', kind='option')[1]['result'] == 1
    )
    assert call(simulator, 'POST', 'private/cancel_all_by_instrument', instrument_name=PERPETUAL)[1]['result'] == 1
    place(simulator)
    assert call(simulator, 'POST', 'private/cancel_all')[1]['result'] == 1


def test_edit_keeps_the_flag_and_leaves_quotes_alone(simulator):
    order = place(simulator, mmp=True, label='mine')[1]['result']['order']
    ids = {'order_id': order['order_id'], 'amount': 20}
    assert call(simulator, 'POST', 'private/edit', **ids, mmp=False)[1]['error']['data'] == {
        'param': 'mmp',
        'reason': 'editing mmp flag is not supported',
    }
    edited = call(simulator, 'POST', 'private/edit', **ids, price=99_000, mmp=True)[1]['result']['order']
    assert (edited['amount'], edited['price'], edited['mmp'], edited['label']) == (20, 99_000, True, 'mine')
    assert edited['replaced'] in (True, False)
    simulator.order(order['order_id']).group = 'bot'
    assert code(call(simulator, 'POST', 'private/edit', **ids)) == 10004
    simulator.order(order['order_id']).group = None
    assert code(call(simulator, 'POST', 'private/cancel', order_id=order['order_id'])) is None
    assert code(call(simulator, 'POST', 'private/cancel', order_id=order['order_id'])) == 10010
    assert code(call(simulator, 'POST', 'private/edit', **ids)) == 10010
    assert code(call(simulator, 'POST', 'private/cancel', order_id='BTC-1')) == 10004


def test_quotes_have_protections_and_cancellations_of_their_own(simulator):
    simulator.set_rule('deribit', 'btc_usd')
    plain, quoted = (simulator.order(quote(simulator)) for _ in range(2))
    quoted.group, quoted.tag = 'MassQuoteBot7', '7'
    simulator.fill(quoted.order_id, '0.4')
    [row] = [each for each in call(simulator, 'GET', 'private/get_open_orders')[1]['result'] if 'quote' in each]
    assert (row['quote'], row['mmp_group'], row['amount']) == (True, 'MassQuoteBot7', 0.6)
    simulator.trip('deribit', 'btc_usd')
    assert [each.order_id for each in simulator.resting('deribit', 'btc_usd')] == [quoted.order_id]
    for wanted, number_cancelled in (
        ({'cancel_type': 'currency_pair', 'currency_pair': 'eth_usd'}, 0),
        ({'cancel_type': 'currency', 'currency': 'ETH'}, 0),
        ({'cancel_type': 'instrument', 'instrument_name': PERPETUAL}, 0),
        ({'cancel_type': 'all'}, 1),
    ):
        assert call(simulator, 'POST', 'private/cancel_quotes', **wanted)[1]['result'] == number_cancelled
    assert code(call(simulator, 'POST', 'private/cancel_quotes', cancel_type='delta')) == -32602
    assert code(call(simulator, 'POST', 'private/cancel_all_by_currency_pair', currency_pair='x_usd')) == -32602
    assert plain.state == 'mmp_canceled'


def test_order_over_its_expiry_or_refused_has_a_code(simulator):
    order = place(simulator)[1]['result']['order']['order_id']
    simulator.refuse_cancel(order)
    assert code(call(simulator, 'POST', 'private/cancel', order_id=order)) == 11031
    assert call(simulator, 'POST', 'private/cancel_by_label', label='none')[1]['result'] == 0
    option = simulator.instruments('deribit', 'btc_usd')[0]
    simulator.advance(100 * 86_400_000)
    assert code(place(simulator, instrument_name=option, amount=1, price=0.01)) == 13019


# --- prices and positions


@pytest.mark.parametrize('instrument', [PERPETUAL, None])
def test_tickers_and_books_agree(simulator, instrument):
    instrument = instrument or simulator.instruments('deribit', 'btc_usd')[20]
    ticker = call(simulator, 'GET', 'public/ticker', instrument_name=instrument)[1]['result']
    book = call(simulator, 'GET', 'public/get_order_book', instrument_name=instrument, depth=2)[1]['result']
    assert book['bids'][0] == [ticker['best_bid_price'], ticker['best_bid_amount']]
    assert book['asks'][0] == [ticker['best_ask_price'], ticker['best_ask_amount']]
    assert (len(book['bids']), len(book['asks'])) == (2, 2)
    assert ('greeks' in ticker) == (instrument != PERPETUAL)


def test_index_and_positions(simulator):
    simulator.set_index('deribit', 'BTC/USD', 90_000)
    index = call(simulator, 'GET', 'public/get_index_price', **INDEX)[1]['result']
    assert index['index_price'] == 90_000
    assert code(call(simulator, 'GET', 'public/get_index_price', index_name='x')) == -32602
    order = place(simulator, 'sell', amount=9000, price=90_000)[1]['result']['order']
    simulator.fill(order['order_id'])
    simulator.fill(quote(simulator))
    future, option = call(simulator, 'GET', 'private/get_positions')[1]['result']
    assert (future['direction'], future['size'], future['size_currency']) == ('sell', -9000, -0.1)
    assert (option['kind'], option['size']) == ('option', 1)
    [alone] = call(simulator, 'GET', 'private/get_positions', kind='option')[1]['result']
    assert alone['instrument_name'] == option['instrument_name']  # its greeks change with the time
    none = call(simulator, 'GET', 'private/get_position', instrument_name='ETH-PERPETUAL')[1]['result']
    assert (none['direction'], none['size']) == ('zero', 0)
    assert len(call(simulator, 'GET', 'private/get_account_summaries')[1]['result']['summaries']) == 4
