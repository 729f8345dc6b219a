"""What the exchange refuses, by the documented envelope, on a host that ccxt does not know."""

import json

import ccxt
import pytest

from ccxt_mmp.errors import MassCancelLocked, MmpFrozen, MmpNotEnabled
from tests.rows import rows
from tests.trading import UNDERLYING, UNIFIED, option_market

OKX_SET = ('set_mmp', 'BTC/USD', 5000, 2000, 100)
OKX_SET_RFQ = ('set_mmp', None, 5000, 2000, None, None, {'scope': 'rfq', 'countLimit': 10})
OKX_RESET = ('reset_mmp', 'BTC/USD')
OKX_RESET_RFQ = ('reset_mmp',)
OKX_FETCH = ('fetch_mmp', 'BTC/USD')
OKX_FETCH_ALL = ('fetch_mmps',)
OKX_CANCEL = ('mass_cancel_mmp', 'BTC/USD')
OKX_ORDER = ('privatePostTradeOrder', {'instId': 'BTC-USD-260327-100000-C', 'ordType': 'mmp'})
OKX_BALANCE = ('privateGetAccountBalance',)

# code, call, the exchange's text, error; HTTP 200 and the envelope of the endpoint unless noted
OKX = [
    ('51034', OKX_ORDER, "Fill rate exceeds the limit that you've set.", MmpFrozen),
    ('70008', OKX_RESET_RFQ, 'Operation failed under MMP status.', MmpFrozen),
    ('51035', OKX_SET, "This account doesn't have permission to submit MM quote order.", MmpNotEnabled),
    ('51411', OKX_CANCEL, 'Account does not have permission for mass cancellation.', MmpNotEnabled),
    ('59509', OKX_RESET, 'Account does not have permission to reset MMP status', MmpNotEnabled),
    ('50030', OKX_FETCH, "You don't have permission to use this API endpoint", ccxt.PermissionDenied),
    ('50030', OKX_CANCEL, "You don't have permission to use this API endpoint", ccxt.PermissionDenied),
    ('50030', OKX_BALANCE, 'a meaning of its own outside the MMP endpoints', ccxt.ExchangeError),
    ('54008', OKX_ORDER, "This operation is disabled by the 'mass cancel order' endpoint.", MassCancelLocked),
    ('54009', OKX_CANCEL, 'The range of lockInterval should be [0, 10000].', ccxt.BadRequest),
    ('54009', OKX_ORDER, 'The range of {param0} should be [{param1}, {param2}].', ccxt.InvalidOrder),
    ('70007', OKX_FETCH, 'Underlying index BTC-USD does not exist under instType OPTION.', ccxt.BadSymbol),
    ('51036', OKX_ORDER, 'Only options instrument of the PM account supports MMP orders.', ccxt.InvalidOrder),
    ('51042', OKX_ORDER, 'Under the Portfolio margin account, ...', ccxt.InvalidOrder),
    ('50038', OKX_SET, 'This feature is unavailable in demo trading', ccxt.NotSupported),
    ('50038', OKX_RESET_RFQ, 'This feature is unavailable in demo trading', ccxt.NotSupported),
    ('50038', OKX_BALANCE, 'not this library to say', ccxt.ExchangeError),
    ('2', OKX_CANCEL, 'a part of the operation failed', ccxt.OperationFailed),
    ('2', OKX_SET, 'a part of the operation failed', ccxt.OperationFailed),
    # ccxt's own
    ('50011', OKX_SET, 'Rate limit reached.', ccxt.RateLimitExceeded),
    ('51000', OKX_SET, 'Parameter instFamily error', ccxt.BadRequest),
    ('51010', OKX_SET, 'Request unsupported under current account mode', ccxt.AccountNotEnabled),
    ('50113', OKX_SET, 'Invalid Sign', ccxt.AuthenticationError),
    ('50102', OKX_SET, 'Timestamp request expired', ccxt.InvalidNonce),
]

BINANCE_SET = ('set_mmp', 'BTC/USDT', 3000, 300000, 2, '2.3')
BINANCE_RESET = ('reset_mmp', 'BTC/USDT')
BINANCE_FETCH = ('fetch_mmp', 'BTC/USDT')
BINANCE_FETCH_ALL = ('fetch_mmps', ['BTC/USDT', 'ETH/USDT'])
BINANCE_ORDER = ('eapiPrivatePostOrder', {'symbol': 'BTC-260327-100000-C'})
BINANCE_CANCEL = ('eapiPrivateDeleteOrder', {'symbol': 'BTC-260327-100000-C', 'orderId': '1'})
BINANCE_COUNTDOWN = ('eapiPrivatePostCountdownCancelAll', {'underlying': 'BTCUSDT', 'countdownTime': 1})
BINANCE_SPOT = ('privatePostOrder', {'symbol': 'BTCUSDT'})

BINANCE = [
    ('-6058', BINANCE_ORDER, 'MMP triggered. Please reset MMP config', MmpFrozen),
    ('-6058', BINANCE_SPOT, 'a meaning of its own on spot', ccxt.ExchangeError),
    ('-6005', BINANCE_SET, 'It is not market maker', MmpNotEnabled),
    ('-6005', BINANCE_FETCH_ALL, 'It is not market maker', MmpNotEnabled),
    ('-5002', BINANCE_SET, 'Option user not access', ccxt.PermissionDenied),
    ('-6001', BINANCE_SET, 'Invalid mmp window time limit', ccxt.BadRequest),
    ('-6002', BINANCE_SET, 'Invalid mmp frozen time limit', ccxt.BadRequest),
    ('-6009', BINANCE_COUNTDOWN, 'countdownTime must be no less than 5000 or equal to 0', ccxt.BadRequest),
    ('-6011', BINANCE_ORDER, 'Maximum 10 orders in one batchOrder request.', ccxt.BadRequest),
    ('-6029', BINANCE_SET, 'underlying is required', ccxt.BadRequest),
    ('-6040', BINANCE_SET, 'Invalid qtyLimit or deltaLimit.', ccxt.BadRequest),
    ('-6003', BINANCE_SET, 'Invalid underlying', ccxt.BadSymbol),
    ('-6004', BINANCE_RESET, 'Underlying not found', ccxt.BadSymbol),
    ('-6007', BINANCE_RESET, 'Mmp unknown error', ccxt.OperationFailed),
    ('-2011', BINANCE_CANCEL, 'Unknown order sent.', ccxt.OrderNotFound),
    ('-6028', BINANCE_CANCEL, 'Order is in final state', ccxt.OrderNotFound),
    ('-6044', BINANCE_ORDER, 'clientOrderId is duplicated', ccxt.DuplicateOrderId),
    ('-6047', BINANCE_ORDER, 'Due to the order could not be executed as maker, ...', ccxt.OrderNotFillable),
    ('-6063', BINANCE_CANCEL, 'Cancel rejected by system', ccxt.OperationRejected),
    ('-6006', BINANCE_SET, 'Mmp rules are not existing', ccxt.OperationRejected),
    ('-6006', BINANCE_RESET, 'Mmp rules are not existing', ccxt.OperationRejected),
    # ccxt's own
    ('-1021', BINANCE_SET, 'Timestamp for this request is outside of the recvWindow.', ccxt.InvalidNonce),
    ('-1022', BINANCE_SET, 'Signature for this request is not valid.', ccxt.AuthenticationError),
    ('-2015', BINANCE_SET, 'Invalid API-key, IP, or permissions for action.', ccxt.AuthenticationError),
    ('-1102', BINANCE_SET, "Mandatory parameter 'underlying' was not sent.", ccxt.BadRequest),
]


def names(table):
    return [f'{code} on {call[0]}' for code, call, _, _ in table]


def raised_by(flavour, canned, exchange_id, call, **config):
    exchange = flavour.exchange(exchange_id, canned.url, **config)
    method, *arguments = call
    with pytest.raises(ccxt.BaseError) as caught:
        flavour.take(getattr(exchange, method)(*arguments))
    return caught.value


def okx_envelope(code, text, call):
    if call is OKX_ORDER:
        item = {'ordId': '', 'clOrdId': '', 'tag': '', 'sCode': code, 'sMsg': text}
        return {'code': '1', 'msg': 'Operation failed.', 'data': [item]}
    return {'code': code, 'data': [], 'msg': text}


@rows(('code', 'call', 'text', 'expected'), OKX, ids=names(OKX))
def test_okx_refusal_is_the_error_of_its_meaning(flavour, canned, code, call, text, expected):
    canned.answer(json.dumps(okx_envelope(code, text, call)))
    error = raised_by(flavour, canned, 'okx', call)
    assert type(error) is expected
    assert json.dumps(text)[1:-1] in str(error)
    assert 'okx' in str(error)


@rows('code', ['51411', '50030', '54009', '2'])
def test_okx_refusal_in_an_item_is_the_same_error(flavour, canned, code):
    by_code = {code: expected for code, call, _, expected in OKX if call is OKX_CANCEL}
    canned.answer(json.dumps({'code': '1', 'msg': '', 'data': [{'sCode': code, 'sMsg': 'refused'}]}))
    assert type(raised_by(flavour, canned, 'okx', OKX_CANCEL)) is by_code[code]


@rows(('code', 'call', 'text', 'expected'), BINANCE, ids=names(BINANCE))
def test_binance_refusal_is_the_error_of_its_meaning(flavour, canned, code, call, text, expected):
    canned.answer(json.dumps({'code': int(code), 'msg': text}), status=400)
    error = raised_by(flavour, canned, 'binance', call)
    assert type(error) is expected
    assert text in str(error)
    assert 'binance' in str(error)


@rows(('exchange_id', 'call'), [('okx', OKX_CANCEL), ('binance', BINANCE_RESET)])
@rows('with_query', [False, True], ids=['plain', 'encoded'])
def test_errors_keep_their_meaning_behind_a_proxy_url(flavour, canned, exchange_id, call, with_query):
    """ccxt puts a proxyUrl before the whole URL, and encodes that if it has a query."""
    answers = {
        'okx': ({'code': '50030', 'data': [], 'msg': ''}, 200, ccxt.PermissionDenied),
        'binance': ({'code': -6005, 'msg': 'It is not market maker'}, 400, MmpNotEnabled),
    }
    body, status, expected = answers[exchange_id]
    canned.answer(json.dumps(body), status=status)
    exchange = flavour.exchange(exchange_id, proxyUrl=canned.url + '/proxy/')
    exchange.check_conflicting_proxies = lambda *_: None  # ccxt 4.5.90 takes any proxyUrl for a conflict
    if with_query:
        exchange.url_encoder_for_proxy_url = exchange.encode_uri_component
    method, *arguments = call
    with pytest.raises(ccxt.BaseError) as caught:
        flavour.take(getattr(exchange, method)(*arguments))
    assert type(caught.value) is expected
    [request] = canned.received()
    assert request.path.startswith('/proxy/https')


@rows(
    ('result', 'call'),
    [
        (False, OKX_CANCEL),
        (False, OKX_RESET),
        (None, OKX_CANCEL),
        ('true', OKX_CANCEL),
        (1, OKX_RESET),
    ],
)
def test_result_that_is_not_true_is_a_failure(flavour, canned, result, call):
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': [{'result': result}]}))
    assert type(raised_by(flavour, canned, 'okx', call)) is ccxt.OperationFailed


def test_one_false_result_among_several_is_a_failure(flavour, canned):
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': [{'result': True}, {'result': False}]}))
    assert type(raised_by(flavour, canned, 'okx', OKX_CANCEL)) is ccxt.OperationFailed


@rows(
    ('status', 'expected'), [(200, ccxt.BadResponse), (429, ccxt.RateLimitExceeded), (502, ccxt.ExchangeNotAvailable)]
)
@rows('code', [{}, {'code': None}, {'code': ''}], ids=str)
def test_answer_without_a_code_of_okx_leaves_it_open(flavour, canned, status, expected, code):
    canned.answer(json.dumps({**code, 'msg': '', 'data': []}), status=status)
    assert type(raised_by(flavour, canned, 'okx', OKX_SET)) is expected


def test_result_is_asked_of_the_endpoints_that_have_one_alone(flavour, canned):
    """rfq/mmp-reset answers a ts and no result."""
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': [{'ts': '1597026383085'}]}))
    exchange = flavour.exchange('okx', canned.url)
    assert flavour.take(exchange.reset_mmp())['timestamp'] == 1597026383085


def test_refusal_of_a_mass_cancel_has_its_meaning_with_any_status(flavour, canned):
    canned.answer(json.dumps({'code': -2015, 'msg': 'Invalid API-key, IP, or permissions for action.'}))
    exchange = flavour.exchange('binance', canned.url)
    with pytest.raises(ccxt.AuthenticationError):
        flavour.take(exchange.mass_cancel_mmp('BTC/USDT', {'includeNonMmp': True}))


BEYOND_THE_LAST_YEAR = 10**15  # ms
ANSWERED_THEN = {
    'okx': {'code': '0', 'msg': '', 'data': [{'ts': str(BEYOND_THE_LAST_YEAR)}]},
    'deribit': {'jsonrpc': '2.0', 'id': 1, 'result': [], 'usOut': 1000 * BEYOND_THE_LAST_YEAR},
    'bybit': {'retCode': 0, 'retMsg': 'OK', 'result': {'result': []}, 'time': BEYOND_THE_LAST_YEAR},
}


@rows('exchange_id', ANSWERED_THEN)
def test_time_after_the_year_9999_has_no_date(flavour, canned, exchange_id):
    canned.answer(json.dumps(ANSWERED_THEN[exchange_id]))
    exchange = flavour.exchange(exchange_id, canned.url)
    state = flavour.take(exchange.reset_mmp() if exchange_id == 'okx' else exchange.fetch_mmp(UNIFIED[exchange_id]))
    assert (state['timestamp'], state['datetime']) == (BEYOND_THE_LAST_YEAR, None)


OKX_CALLS = [OKX_SET, OKX_RESET, OKX_RESET_RFQ, OKX_FETCH, OKX_FETCH_ALL, OKX_CANCEL]
BINANCE_CALLS = [BINANCE_SET, BINANCE_RESET, BINANCE_FETCH, BINANCE_FETCH_ALL]
CALLS = [('okx', call) for call in OKX_CALLS] + [('binance', call) for call in BINANCE_CALLS]
NO_JSON_OBJECT = ['', 'null', 'true', '"x"', '[]', '[{"code":0}]', '<html>maintenance</html>', '{"code":"0",']


@rows(('exchange_id', 'call'), CALLS, ids=[f'{each} {call[0]}' for each, call in CALLS])
@rows('body', NO_JSON_OBJECT)
def test_answer_that_is_no_json_object_is_an_error(flavour, canned, exchange_id, call, body):
    canned.answer(body, content_type='text/html' if body.startswith('<') else 'application/json')
    error = raised_by(flavour, canned, exchange_id, call)
    by_ccxt = exchange_id == 'okx' and body.startswith('[')  # ccxt itself refuses some or all lists, by its version
    assert type(error) in ((ccxt.BadResponse, ccxt.ExchangeError) if by_ccxt else (ccxt.BadResponse,))


@rows(
    ('call', 'data', 'expected'),
    [
        (OKX_SET, [], ccxt.NullResponse),
        (OKX_RESET, [], ccxt.NullResponse),
        (OKX_RESET_RFQ, [], ccxt.NullResponse),
        (OKX_CANCEL, [], ccxt.NullResponse),
        (OKX_SET, None, ccxt.BadResponse),
        (OKX_FETCH, None, ccxt.BadResponse),
        (OKX_FETCH, {}, ccxt.BadResponse),
        (OKX_FETCH, ['x'], ccxt.BadResponse),
        (OKX_FETCH_ALL, None, ccxt.BadResponse),
        (OKX_CANCEL, ['x'], ccxt.BadResponse),
        (OKX_RESET_RFQ, [{}], ccxt.BadResponse),
        (OKX_RESET_RFQ, [{'ts': 'soon'}], ccxt.BadResponse),
        (OKX_SET, [{}], ccxt.BadResponse),
        (OKX_FETCH, [{'instFamily': 'BTC-USD'}], ccxt.BadResponse),
        (OKX_FETCH, [{'instFamily': 'BTC-USD', 'timeInterval': 'x'}], ccxt.BadResponse),
        (OKX_FETCH, [{'instFamily': 'BTC-USD_UM', 'timeInterval': '5000'}], ccxt.BadResponse),
        (OKX_FETCH_ALL, [{'timeInterval': '5000'}], ccxt.BadResponse),
        (OKX_SET_RFQ, [{'instFamily': 'none', 'timeInterval': '5000', 'countLimit': '10'}], ccxt.BadResponse),
        (OKX_FETCH_ALL, [{'instFamily': 'BTC-USD', 'timeInterval': '5000'}], ccxt.BadResponse),
        (OKX_FETCH, [{'instFamily': 'BTC-USD', 'timeInterval': '5000'}], ccxt.BadResponse),
        (OKX_FETCH, [{'instFamily': 'BTC-USD', 'timeInterval': '5000', 'mmpFrozen': 'true'}], ccxt.BadResponse),
        (OKX_FETCH, [{'instFamily': 'BTC-USD', 'timeInterval': '1e999', 'mmpFrozen': True}], ccxt.BadResponse),
        (OKX_SET, [{'instFamily': 'BTC-USD', 'timeInterval': '1e999'}], ccxt.BadResponse),
    ],
)
def test_okx_answer_without_its_data_is_an_error(flavour, canned, call, data, expected):
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': data}))
    assert type(raised_by(flavour, canned, 'okx', call)) is expected


@rows('call', BINANCE_CALLS, ids=[call[0] for call in BINANCE_CALLS])
@rows(
    'answer',
    [
        {},
        {'code': 0, 'msg': 'success'},
        {'underlying': 'BTCUSDT'},
        {'underlying': 'ETHUSDC', 'windowTimeInMilliseconds': 3000},
        {'underlying': 'BTCUSDT', 'windowTimeInMilliseconds': None},
    ],
)
def test_binance_answer_without_its_data_is_an_error(flavour, canned, call, answer):
    canned.answer(json.dumps(answer))
    assert type(raised_by(flavour, canned, 'binance', call)) is ccxt.BadResponse


@rows(('exchange_id', 'call'), CALLS, ids=[f'{each} {call[0]}' for each, call in CALLS])
@rows('status', [500, 503])
def test_http_failure_is_an_error(flavour, canned, exchange_id, call, status):
    canned.answer('<html>down</html>', status=status, content_type='text/html')
    assert type(raised_by(flavour, canned, exchange_id, call)) is ccxt.ExchangeNotAvailable


def test_freeze_of_unreadable_end_is_a_freeze(flavour, canned):
    rule = {'instFamily': 'BTC-USD', 'timeInterval': '5000', 'mmpFrozen': True, 'mmpFrozenUntil': '1e999'}
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': [rule]}))
    state = flavour.take(flavour.exchange('okx', canned.url).fetch_mmp('BTC/USD'))
    assert (state['frozen'], state['frozenUntil']) == (True, None)


def test_number_that_ccxt_cannot_read_is_none(flavour):
    """ccxt 4.4.87 raises OverflowError for an infinity, later versions do not."""

    def overflow(*_):
        raise OverflowError

    exchange = flavour.exchange('okx')
    exchange.safe_integer = overflow
    assert exchange._safe_integer({'timeInterval': '1e999'}, 'timeInterval') is None


def test_underlying_of_an_answer_is_not_confused_by_its_case(flavour, canned):
    canned.answer(json.dumps({'underlying': 'btcusdt', 'windowTimeInMilliseconds': 3000}))
    exchange = flavour.exchange('binance', canned.url)
    state = flavour.take(exchange.fetch_mmp(params={'underlying': 'BTCUSDT'}))
    assert state['window'] == 3000


def test_no_rule_on_binance_is_a_state(flavour, canned):
    canned.answer(json.dumps({'code': -6006, 'msg': 'Mmp rules are not existing'}), status=400)
    exchange = flavour.exchange('binance', canned.url)
    state = flavour.take(exchange.fetch_mmp('BTC/USDT'))
    assert state == {
        'info': {},
        'underlying': 'BTC/USDT:USDT',
        'underlyingId': 'BTCUSDT',
        'scope': 'orders',
        'enabled': False,
        'window': None,
        'frozenTime': None,
        'qtyLimit': None,
        'qtyLimitBase': None,
        'deltaLimit': None,
        'vegaLimit': None,
        'countLimit': None,
        'maxQuoteQuantity': None,
        'frozen': None,
        'frozenUntil': None,
        'lastTriggerTimestamp': None,
        'timestamp': None,
        'datetime': None,
    }


@rows('body', [b'\xff\xfe', b'[' * 100_000, b'<html>'], ids=['no text', 'nested', 'no JSON'])
@rows(
    ('exchange_id', 'call'),
    [
        *CALLS,
        ('okx', ('create_order', 'BTC/USD:BTC-260327-100000-C', 'limit', 'buy', 1, 5, {'mmp': True})),
        ('okx', ('cancel_all_orders_after', 60_000)),
        ('binance', ('create_order', 'BTC/USDT:USDT-260327-100000-C', 'limit', 'buy', 1, 5, {'mmp': True})),
        ('binance', ('cancel_all_orders_after', 60_000, {'underlying': 'BTC/USDT'})),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_answer_that_cannot_be_read_leaves_it_open(flavour, canned, exchange_id, call, body):
    """ccxt hands on some of them as they are, and fails at others with errors of Python, by its version."""
    canned.answer(body, content_type='application/x')
    exchange = flavour.exchange(exchange_id, canned.url)
    option_id = {'okx': 'BTC-USD-260327-100000-C', 'binance': 'BTC-260327-100000-C'}[exchange_id]
    exchange.set_markets([option_market(exchange, option_id, UNDERLYING[exchange_id])])
    method, *arguments = call
    with pytest.raises(ccxt.BaseError) as caught:
        flavour.take(getattr(exchange, method)(*arguments))
    assert type(caught.value) is ccxt.BadResponse


def test_code_that_is_no_number_leaves_it_open(flavour, canned):
    canned.answer('{"code":"abc"}')
    assert type(raised_by(flavour, canned, 'binance', BINANCE_RESET)) is ccxt.BadResponse


def test_answer_of_ccxts_own_methods_is_read_as_ccxt_does(flavour, canned):
    canned.answer('{"code":"abc"}')
    exchange = flavour.exchange('binance', canned.url)
    with pytest.raises(ValueError, match='abc'):
        flavour.take(exchange.eapiPrivateGetMmp({'underlying': 'BTCUSDT'}))


@pytest.mark.parametrize('error', [OverflowError, TypeError])
def test_time_that_ccxt_cannot_read_is_an_error(flavour, error):
    """ccxt 4.4.87 raises them for an answer without the time, later versions an ExchangeError."""

    def fail(*_):
        raise error

    exchange = flavour.exchange('okx')
    exchange.load_time_difference = fail
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.warm_up())


@rows('text', ['1e999', 'NaN', '-Infinity', 'x', '', None])
def test_limit_that_is_no_finite_number_is_none(flavour, canned, text):
    rule = {'underlying': 'BTCUSDT', 'windowTimeInMilliseconds': 3000, 'qtyLimit': text, 'deltaLimit': '2.3'}
    canned.answer(json.dumps(rule))
    state = flavour.take(flavour.exchange('binance', canned.url).fetch_mmp('BTC/USDT'))
    assert (state['qtyLimit'], state['deltaLimit']) == (None, 2.3)
