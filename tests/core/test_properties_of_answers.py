"""Whatever the exchange answers, a method ends in what it declares or in an error of ccxt's."""

import copy
import json
import math
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import redirect
from ccxt_mmp.types import MassCancel, MmpState
from tests.properties import examples
from tests.trading import ID_PREFIX, UNDERLYING, UNIFIED, symbols, with_markets
from tests.wire import Answer, Wire, async_pause, pause

RULE = {
    'okx': ('BTC/USD', 5000, 2000, 100),
    'binance': ('BTC/USDT', 3000, 300000, 2, '2.3'),
    'deribit': ('BTC/USD', 60_000, 0, 3, None, {'maxQuoteQuantity': 2.5}),
    'bybit': ('BTC', 5000, 100_000, 50, 20),
}
RFQ = {'scope': 'rfq'}
MMP_CALLS = [
    *(
        (exchange_id, method, arguments)
        for exchange_id, underlying in UNIFIED.items()
        for method, arguments in [
            ('set_mmp', RULE[exchange_id]),
            ('reset_mmp', (underlying,)),
            ('fetch_mmp', (underlying,)),
            ('fetch_mmps', ([underlying],)),
            ('mass_cancel_mmp', (underlying,)),
            ('warm_up', ()),
        ]
    ),
    ('okx', 'set_mmp', (None, 5000, 2000, None, None, {**RFQ, 'countLimit': 100})),
    ('okx', 'reset_mmp', ()),
    ('okx', 'fetch_mmp', (None, RFQ)),
    ('okx', 'fetch_mmps', ()),
    ('okx', 'mass_cancel_mmp', ('BTC/USD', {'lockInterval': 1000})),
    ('okx', 'mass_cancel_mmp', ('BTC/USD', {'emulate': True})),
    ('okx', 'cancel_all_orders_after', (60_000,)),
    ('binance', 'mass_cancel_mmp', ('BTC/USDT', {'includeNonMmp': True})),
    ('binance', 'cancel_all_orders_after', (60_000, {'underlying': 'BTC/USDT'})),
    ('bybit', 'mass_cancel_mmp', ('BTC', {'includeNonMmp': True})),
]
IDS = [f'{exchange_id} {method} {arguments}' for exchange_id, method, arguments in MMP_CALLS]
DECLARED = {
    'set_mmp': MmpState,
    'reset_mmp': MmpState,
    'fetch_mmp': MmpState,
    'fetch_mmps': dict[str, MmpState],
    'mass_cancel_mmp': MassCancel,
    'warm_up': type(None),
    'cancel_all_orders_after': Any,
}


# --- answers


@lru_cache
def documented(exchange_id):
    """The documented answers by endpoint, as if they were about what the calls ask for."""
    path = Path(__file__).parent.parent / 'static' / 'example' / f'{exchange_id}.json'
    table = json.loads(path.read_text())
    return {each['endpoint']: about_the_call(exchange_id, each['answer']) for each in table['answers']}


ASKED_FOR = {
    'okx': {'instFamily': 'BTC-USD', 'instType': 'OPTION', 'ordType': 'mmp', 'ordId': '1', 'clOrdId': 'mine'},
    'binance': {'underlying': 'BTCUSDT', 'mmp': True, 'clientOrderId': 'mine', 'countdownTime': 60000},
    'deribit': {'index_name': 'btc_usd', 'mmp': True, 'label': 'mine', 'mmp_group': None},
    'bybit': {'baseCoin': 'BTC', 'orderLinkId': 'mmp-mine', 'code': 0},
}
OPTION = {
    'okx': ('instId', 'BTC-USD-260327-100000-C'),
    'binance': ('symbol', 'BTC-260327-100000-C'),
    'deribit': ('instrument_name', 'BTC-27MAR26-100000-C'),
    'bybit': ('symbol', 'BTC-27MAR26-100000-C-USDT'),
}


OF_NONE = {'bybit': {'retCode': 0, 'retMsg': 'OK', 'result': {'list': []}, 'retExtInfo': {'list': []}}}


def about_the_call(exchange_id, value):
    if isinstance(value, list):
        return [about_the_call(exchange_id, each) for each in value]
    if not isinstance(value, dict):
        return value
    wanted = {**ASKED_FOR[exchange_id], **dict([OPTION[exchange_id]])}
    return {name: wanted.get(name, about_the_call(exchange_id, each)) for name, each in value.items()}


def endpoint_of(exchange_id, method, url):
    path = urlsplit(url).path
    path = path.removeprefix(EXCHANGES[exchange_id].path)
    return f'{method} {path.rpartition("/")[2] if exchange_id == "deribit" else path}'


SCALARS = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2.5, 10**12, 10**30, 10**400, -(10**400), 1e308, 5e-324),
        *(math.nan, math.inf, -math.inf, '', '0', '1', '2', '-1', '1.5', '1e3', '1e999', 'NaN', 'Infinity', 'true'),
        *('x', '٣', '\x00', '\ud800', 'BTC-USD', 'BTC-USD_UM', 'BTCUSDT', 'ETHUSDT', 'mmp', 'limit', 'CANCELED'),
        *('live', 'USDT', '51034', '50011', '50102', '54008', '-6006', '-2011', '-1021', '-1003', '200', '9' * 400),
        *('BTC', 'option', 'New', 'Cancelled', '110065', '110079', '10001', '10006', 'mmp-1'),
    ]
)
NAMES = st.sampled_from(
    [
        *(
            'code',
            'msg',
            'data',
            'sCode',
            'sMsg',
            'result',
            'success',
            'ts',
            'ordId',
            'orderId',
            'instFamily',
            'symbol',
        ),
        *('underlying', 'timeInterval', 'windowTimeInMilliseconds', 'mmpFrozen', 'mmpFrozenUntil', 'serverTime', 'x'),
        *('baseCoin', 'retCode', 'retExtInfo', 'list', 'orderLinkId', 'nextPageCursor', 'time', 'frozenPeriod'),
    ]
)
JSON = st.recursive(
    SCALARS | st.text(max_size=5) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


def places(value, path=()):
    """The path to everything in a JSON value."""
    yield path
    if isinstance(value, (list, dict)):
        for key in range(len(value)) if isinstance(value, list) else value:
            yield from places(value[key], (*path, key))


@st.composite
def mutated(draw, document):
    """A JSON value that differs in up to three places: something else, nothing, in a list, or twice in its list."""
    root = [copy.deepcopy(document)]
    for _ in range(draw(st.integers(0, 3))):
        *way, key = draw(st.sampled_from([(0, *path) for path in places(root[0])]))
        parent = root
        for step in way:
            parent = parent[step]
        change = draw(st.sampled_from(['replace', 'replace', 'drop', 'wrap', 'repeat']))
        if change == 'drop' and way:
            del parent[key]
        elif change == 'wrap':
            parent[key] = [parent[key]]
        elif change == 'repeat' and way and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        else:
            parent[key] = draw(JSON)
    return root[0]


def bodies(document):
    """Mostly JSON, mostly like the documented one."""
    return bodies_like(json.dumps(document))


@lru_cache  # Hypothesis looks through each strategy before it first draws from it
def bodies_like(text):
    return mutated(json.loads(text)).map(as_json) | JSON.map(as_json) | NO_JSON


def as_json(value):
    return json.dumps(value).encode()


NO_JSON = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=20).map(str.encode),
    st.sampled_from(
        [
            *(b'', b'null', b'true', b'"x"', b'{', b'[', b'{"code":"0",', b'\xff\xfe{}', b'\xef\xbb\xbf{}', b'{} {}'),
            *(b'<html>', b'{"code":\xff}', b'{"code":1' + b'0' * 5000 + b'}', b'{"code":1,"code":[]}'),
            *(b'[' * 100_000, *(b'[' * depth + b']' * depth for depth in (100, 800, 900, 950, 970, 980, 990, 3000))),
        ]
    ),
)
STATUSES = (
    st.just(200)
    | st.just(200)
    | st.sampled_from([200, 201, 301, 400, 401, 403, 404, 418, 429, 500, 503])
    | st.integers(200, 599)
)
TYPES = st.sampled_from(['application/json', 'application/json', 'text/html; charset=utf-8', 'application/x', ''])


def made_up(data, exchange_id):
    """Answers like the documented ones to what is asked; a list of open orders is empty from the second time on."""
    documents = documented(exchange_id)
    listed = set()

    def answer(method, url, _):
        endpoint = endpoint_of(exchange_id, method, url)
        document = documents.get(endpoint, OF_NONE.get(exchange_id, {'code': '0', 'msg': '', 'data': []}))
        if endpoint in listed:
            document = [] if exchange_id == 'binance' else {**document, 'data': [], **OF_NONE.get(exchange_id, {})}
        if endpoint in ('GET openOrders', 'GET trade/orders-pending', 'GET order/realtime'):
            listed.add(endpoint)
        return Answer(data.draw(bodies(document)), data.draw(STATUSES), data.draw(TYPES))

    return answer


# --- what comes of them


def is_of(value, declared):
    """Whether a value is of a declared type, with every key of a TypedDict; a float is finite, True is no integer."""
    kind, parts = get_origin(declared), get_args(declared)
    if kind in (Union, UnionType):
        return any(is_of(value, each) for each in parts)
    if kind is Literal:
        return value in parts
    if kind in (list, dict):
        values = value.values() if isinstance(value, dict) else value
        return type(value) is kind and all(is_of(each, parts[-1]) for each in values)
    if declared in (MmpState, MassCancel):
        hints = get_type_hints(declared)
        return list(value) == list(hints) and all(is_of(value[name], hint) for name, hint in hints.items())
    if declared is float:
        return type(value) is float and math.isfinite(value)
    return declared is Any or type(value) is declared


def outcome(flavour, exchange, method, arguments):
    """What a call returned, or the error of ccxt's that it raised."""
    try:
        return flavour.take(getattr(exchange, method)(*arguments))
    except ccxt.BaseError as error:
        return error


@pytest.fixture
def exchange(flavour, exchange_id):
    """One for all examples of a test."""
    return with_markets(flavour.exchange(exchange_id))


def connect(exchange, data):
    exchange.options['timeDifference'] = 0  # which an answer of an earlier example may have set
    Wire(made_up(data, exchange.id)).connect(exchange)


@pytest.mark.parametrize(('exchange_id', 'method', 'arguments'), MMP_CALLS, ids=IDS)
@examples(0.2)
@given(data=st.data())
def test_any_answer_is_what_is_declared_or_an_error_of_ccxts(flavour, exchange, method, arguments, data):
    connect(exchange, data)
    result = outcome(flavour, exchange, method, arguments)
    assert isinstance(result, ccxt.BaseError) or is_of(result, DECLARED[method]), result


# --- orders


def mmp_order(symbol, prefix, client_order_id):
    params = {'mmp': True, 'clientOrderId': prefix + client_order_id}
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 5, 'params': params}


ORDER_CALLS = {
    'create_order': lambda symbol, prefix: ('create_order', *mmp_order(symbol, prefix, 'mine').values()),
    'create_orders': lambda symbol, prefix: ('create_orders', [mmp_order(symbol, prefix, 'mine')]),
    'create_orders of two': lambda symbol, prefix: (
        'create_orders',
        [mmp_order(symbol, prefix, each) for each in ('mine', 'too')],
    ),
    'cancel_orders': lambda symbol, _: ('cancel_orders', ['1', '4611875134427365000'], symbol),
}


# lists of orders are read by ccxt alone, and so is what cancels several on OKX
@pytest.mark.parametrize(
    ('exchange_id', 'call'),
    [
        (exchange_id, call)
        for exchange_id in EXCHANGES
        for call in ORDER_CALLS
        if (exchange_id, call) != ('okx', 'cancel_orders')
    ],
)
@examples(0.2)
@given(data=st.data())
def test_any_answer_about_orders_is_orders_or_an_error_of_ccxts(flavour, exchange, exchange_id, call, data):
    connect(exchange, data)
    option = symbols(exchange, UNDERLYING[exchange_id])[0]
    method, *arguments = ORDER_CALLS[call](option, ID_PREFIX.get(exchange_id, ''))
    result = outcome(flavour, exchange, method, arguments)
    if not isinstance(result, ccxt.BaseError):
        keys = {*exchange.safe_order({}), 'mmp'}
        orders = [result] if method == 'create_order' else result
        assert all(keys <= order.keys() and is_of(order['mmp'], bool | None) for order in orders), result


# --- the same over HTTP, in case that a transport made up for the tests differs from ccxt's


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@examples(0.2)
@given(data=st.data())
def test_any_answer_over_http_is_what_is_declared_or_an_error_of_ccxts(flavour, canned, exchange, exchange_id, data):
    redirect(exchange, canned.url)
    exchange.sleep = pause if exchange.synchronous else async_pause
    _, method, arguments = data.draw(st.sampled_from([each for each in MMP_CALLS if each[0] == exchange_id]))
    documents = st.sampled_from(list(documented(exchange_id).values()))
    status = data.draw(STATUSES.filter(lambda each: each not in (204, 304)))  # which have no body
    canned.answer(data.draw(documents.flatmap(bodies)), status, data.draw(TYPES))
    result = outcome(flavour, exchange, method, arguments)
    assert isinstance(result, ccxt.BaseError) or is_of(result, DECLARED[method]), result
