"""Whatever is asked for, what is sent is exactly that, or nothing is; and the caller's own dicts stay as they are."""

import contextlib
import json
import re
from decimal import Decimal
from fractions import Fraction
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccxt_mmp.registry import EXCHANGES
from tests.properties import examples
from tests.trading import UNDERLYING, UNIFIED, markets, symbols
from tests.wire import Answer, Wire

FIELD = {'okx': 'instFamily', 'binance': 'underlying', 'deribit': 'index_name', 'bybit': 'baseCoin'}
IN_MARKETS = {each.id: each.underlying_field for each in EXCHANGES.values()}


@pytest.fixture
def wire():
    """Refuses everything."""
    return Wire(lambda *_: Answer(b'{"code":"1","retCode":1}'))


@pytest.fixture
def exchange(flavour, exchange_id, wire):
    """One for all examples of a test."""
    return wire.connect(flavour.exchange(exchange_id))


def fields(request):
    """The fields of a request, from its query and its body."""
    _, url, body = request
    in_body = json.loads(body, parse_int=str, parse_float=str) if body.startswith('{') else dict(parse_qsl(body))
    in_body = in_body.get('params', in_body)  # of JSON-RPC
    return {**dict(parse_qsl(urlsplit(url).query)), **in_body}


def call(flavour, exchange, wire, method, *arguments):
    """The error that a call ends in, and what it sent."""
    wire.sent.clear()
    with pytest.raises(ccxt.BaseError) as caught:
        flavour.take(getattr(exchange, method)(*arguments))
    return caught.value, [fields(request) for request in wire.sent]


# --- underlyings

BASE_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
BASES = st.sampled_from(['BTC', 'ETH', 'SOL', '1INCH', 'BTCDOM']) | st.text(BASE_LETTERS, min_size=1, max_size=6)
TAILS = st.sampled_from(['-260327-100000-C', '-260327-100000-P', '-260327-0.125-C', '-991231-1-P'])
DATED = st.sampled_from(['-27MAR26-100000-C', '-6MAR26-100000-P', '-27MAR26-0.625-P', '-31DEC99-1-C'])
MARKETS = st.sampled_from(['-PERPETUAL', '-27MAR26', '-6MAR26-100000-C', '-27MAR26-0d625-P', '-FS-27MAR26_PERP'])
# what a name of each form looks like, and whether it may be followed by an expiry, a strike and a type
FORMS = {
    'okx': {
        '{}-USD': ['{}-USD', '{}/USD', '{}/USD:{}', '{}-USD<option>', '{}/USD:{}<option>'],
        '{}-USD_UM': ['{}-USD_UM', '{}/USD:USD', '{}-USD_UM<option>', '{}/USD:USD<option>'],
    },
    'binance': {'{}USDT': ['{}USDT', '{}/USDT', '{}/USDT:USDT', '{}<option>', '{}/USDT:USDT<option>']},
    'deribit': {
        '{}_usd': ['<id>', '{}/USD', '{}/USD:{}', '{}/USD:{}<option>', '{}<market>'],
        '{}_usdc': ['<id>', '{}/USDC', '{}/USDC:USDC', '{}/USDC:USDC<option>', '{}_USDC<market>'],
        '{}_usdt': ['<id>', '{}/USDT', '{}/USDT:USDT', '{}/USDT:USDT<option>', '{}_USDT<market>'],
    },
    'bybit': {
        '{}': [
            *('{}', '{}/USDT', '{}/USDT:USDT', '{}/USDT:USDT<option>', '{}<dated>'),
            *('{}/USDC', '{}/USDC:USDC', '{}/USDC:USDC<option>', '{}<dated of USDT>'),
        ],
    },
}
NEAR = [*'-_/:. ,&=CPXbtcßſıKＢ٣２\n\t\r\x00\x1c\u2028\xa0', 'USD', 'USDT', 'USDC', '_UM', '_um', '-C', ':USD', 'SWAP']


@st.composite
def names(draw, exchange_id):
    """A text that names an underlying, and its id."""
    underlying_id, forms = draw(st.sampled_from(list(FORMS[exchange_id].items())))
    base = draw(BASES.filter(lambda each: each != 'USD'))  # which settles in itself either way
    own_id = with_base(underlying_id, base)
    text = draw(st.sampled_from(forms)).replace('{}', base).replace('<id>', own_id)
    dated = draw(DATED)
    text = text.replace('<dated of USDT>', f'{dated}-USDT').replace('<dated>', dated)
    return text.replace('<option>', draw(TAILS)).replace('<market>', draw(MARKETS)), own_id


def with_base(form, base):
    """An id of lower case has its base in lower case."""
    return form.replace('{}', base.lower() if form.islower() else base)


@st.composite
def near_misses(draw, exchange_id):
    """A name with a piece that is left out, put in, doubled or changed in its case, which may be one as well."""
    text, _ = draw(names(exchange_id))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(start + 3, len(text))))
    piece = text[start:end]
    changed = draw(st.sampled_from([*NEAR, '', piece * 2, piece.lower(), piece.swapcase(), piece[::-1]]))
    return text[:start] + changed + text[end:]


def texts(exchange_id):
    named = names(exchange_id).map(lambda each: each[0])
    space = st.sampled_from(['', '', '\n', ' '])
    return near_misses(exchange_id) | st.builds('{}{}{}'.format, space, named, space) | st.text(max_size=12)


def is_named(exchange_id, text, underlying_id):
    """Whether a text is one of the names of an underlying, told from the id to its names."""
    for form, named_by in FORMS[exchange_id].items():
        suffix = form.removeprefix('{}')
        base = underlying_id.removesuffix(suffix)
        base = base.upper() if suffix.islower() else base
        if not base or with_base(form, base) != underlying_id or not set(base) <= set(BASE_LETTERS):
            continue
        for each in named_by:
            name, _, may_be_option = each.replace('{}', base).replace('<id>', underlying_id).partition('<')
            rest = text.removeprefix(name)
            is_tail = {
                'option>': is_option_tail,
                'market>': is_market_tail,
                'dated>': is_dated_tail,
                'dated of USDT>': is_dated_tail,
                '': lambda rest: rest == '',
            }[may_be_option]
            if text.startswith(name) and is_tail(rest):
                return True
    return False


def is_option_tail(text):
    nothing, *parts = text.split('-')
    if nothing or len(parts) != 3:
        return False
    expiry, strike, kind = parts
    whole, point, fraction = strike.partition('.')
    return (
        len(expiry) == 6
        and is_digits(expiry)
        and is_digits(whole)
        and (is_digits(fraction) if point else not fraction)
        and kind in ('C', 'P')
    )


def is_market_tail(text):
    """What comes after the index in an id of Deribit."""
    month = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC'
    dated = f'([A-Z]{{2,5}}-)?[0-9]{{1,2}}({month})[0-9]{{2}}(_[A-Z0-9]+)*(-[0-9d_]+)?(-[CP])?'
    return re.fullmatch(f'-(PERPETUAL|{dated})', text) is not None


def is_dated_tail(text):
    """What comes after the coin in an id of Bybit."""
    month = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC'
    dated = rf'-[0-9]{{1,2}}({month})[0-9]{{2}}-[0-9]+(\.[0-9]+)?-[CP](-USDT|-USDC)?'
    return re.fullmatch(dated, text) is not None


def is_digits(text):
    return text != '' and set(text) <= set('0123456789')


def calls_of_one_request(exchange_id, underlying):
    if exchange_id == 'deribit':
        rule = (1000, 0, 1, None, {'maxQuoteQuantity': 1})
        return [('set_mmp', underlying, *rule), ('reset_mmp', underlying)]
    limits = (1, 1, 1) if exchange_id == 'okx' else (1, 1, 1, 1)
    calls = [('set_mmp', underlying, *limits), ('reset_mmp', underlying), ('fetch_mmp', underlying)]
    if exchange_id == 'okx':
        return [*calls, ('mass_cancel_mmp', underlying)]
    calls += [('fetch_mmps', [underlying]), ('mass_cancel_mmp', underlying, {'includeNonMmp': True})]
    if exchange_id == 'bybit':
        return calls
    return [*calls, ('cancel_all_orders_after', 0, {'underlying': underlying})]


# of a family that its symbol does not tell, and swaps that have one, which is none of options
SETTLED_ELSEWHERE = {'okx': 'BTC-USD_UM', 'binance': 'BTCUSDC', 'deribit': 'btc_usdc', 'bybit': 'BTCX'}
STRANGE_ID = {
    'okx': 'BTC-USD_UM-260327-61000-C',
    'binance': 'BTC-260327-61500-C',
    'deribit': 'BTC-27MAR26-61500-C',
    'bybit': 'BTC-27MAR26-61500-C-USDT',
}
STRANGE_SYMBOL = {
    'okx': 'BTC/USD:USDC-260327-61000-C',
    'binance': 'BTC/USDC:USDC-260327-61500-C',
    'deribit': 'BTC/USD:EUR-260327-61500-C',
    'bybit': 'BTC/USDT:USDT-260327-61500-C',
}
SWAP = {'okx': 'BTC/USD:BTC', 'binance': 'BTC/USDT:USDT'}  # of which the exchange has no protection


def listed(exchange_id):
    option = next(each for each in markets(exchange_id) if each['option'])
    swap = next(each for each in markets(exchange_id) if each['swap'])
    family = {IN_MARKETS[exchange_id]: SETTLED_ELSEWHERE[exchange_id]}
    strange = {'id': STRANGE_ID[exchange_id], 'symbol': STRANGE_SYMBOL[exchange_id], 'info': family}
    swaps = [
        {**swap, 'id': UNDERLYING[exchange_id], 'symbol': each, 'info': {IN_MARKETS[exchange_id]: 'WRONG'}}
        for each in [SWAP.get(exchange_id)]
        if each is not None
    ]
    return [*markets(exchange_id), {**option, **strange}, *swaps]


def family_listed(exchange_id, text):
    """The underlying of a listed option of this symbol or id."""
    options = [each for each in listed(exchange_id) if each['option'] and text in (each['symbol'], each['id'])]
    return options[0]['info'][IN_MARKETS[exchange_id]] if options else None


@pytest.mark.parametrize('with_listed', [False, True], ids=['no markets', 'markets loaded'])
@pytest.mark.parametrize('exchange_id', EXCHANGES)
@examples(0.4)
@given(data=st.data())
def test_no_text_leads_to_another_underlying_than_it_names(flavour, exchange, exchange_id, wire, with_listed, data):
    text = data.draw(texts(exchange_id))
    known = None
    if with_listed:
        exchange.set_markets(listed(exchange_id))
        options = [name for each in listed(exchange_id) for name in (each['symbol'], each['id'])]
        text = data.draw(st.sampled_from(options) | st.just(text))
        known = family_listed(exchange_id, text)
    method, *arguments = data.draw(st.sampled_from(calls_of_one_request(exchange_id, text)))
    error, sent = call(flavour, exchange, wire, method, *arguments)
    if type(error) is ccxt.BadSymbol:
        assert not sent
        assert known is None
    else:
        [request] = sent
        asked_for = request[FIELD[exchange_id]]
        assert asked_for == known if known else is_named(exchange_id, text, asked_for)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@examples(0.4)
@given(data=st.data())
def test_every_name_leads_to_its_underlying(flavour, exchange, exchange_id, wire, data):
    text, underlying_id = data.draw(names(exchange_id))
    method, *arguments = data.draw(st.sampled_from(calls_of_one_request(exchange_id, text)))
    _, [request] = call(flavour, exchange, wire, method, *arguments)
    assert request[FIELD[exchange_id]] == underlying_id


# --- numbers

PLAIN = re.compile(r'[0-9]+(\.[0-9]+)?')
BIG = 2**53
NUMERALS = ['1e5', ' 1', '1 ', '１', '١', '+1', '1_000', '-0', '-1', '', '.5', '5.', '1,5', '0x1', 'nan', '1\n', '²']
NUMBERS = st.one_of(
    st.integers(),
    st.integers(-2, 12000),
    st.sampled_from([BIG - 1, BIG, BIG + 1, -BIG, 10**400]),
    st.floats(),
    st.floats(0, 20000),
    st.sampled_from([-0.0, 5e-324, 1e-30, 1e-31, 1e15, 1e16, 0.1 + 0.2, float(BIG)]),
    st.decimals(),
    st.decimals(0, 20000, places=3),
    st.sampled_from(['-0', '1E+3', '1e-30', '1e-31', '1e999999', '-1e-999999', 'sNaN']).map(Decimal),
    st.from_regex(PLAIN, fullmatch=True),
    st.text('0123456789.-+eE_ １', max_size=8),
    st.sampled_from(NUMERALS),
    st.booleans(),
    st.sampled_from([b'1', 1j, Fraction(1, 2), [], [1], {}]),
)
# where the number goes, its field on the wire, and what is accepted: least, most, whether integers alone
INTEGER, ABOVE_ZERO = (0, BIG, True), (Fraction(1, 10**30), BIG, False)
ARGUMENTS = {
    'okx window': (lambda x: ('okx', 'set_mmp', 'BTC/USD', x, 1, 1), 'timeInterval', INTEGER),
    'okx frozenTime': (lambda x: ('okx', 'set_mmp', 'BTC/USD', 1, x, 1), 'frozenInterval', INTEGER),
    'okx qtyLimit': (lambda x: ('okx', 'set_mmp', 'BTC/USD', 1, 1, x), 'qtyLimit', ABOVE_ZERO),
    'rfq window': (lambda x: rfq(x, 1, 1), 'timeInterval', (0, 600_000, True)),
    'rfq frozenTime': (lambda x: rfq(1, x, 1), 'frozenInterval', INTEGER),
    'rfq countLimit': (lambda x: rfq(1, 1, x), 'countLimit', (1, BIG, True)),
    'lockInterval': (
        lambda x: ('okx', 'mass_cancel_mmp', 'BTC/USD', {'lockInterval': x}),
        'lockInterval',
        (0, 10_000, True),
    ),
    'deribit countLimit': (
        lambda x: ('deribit', 'set_mmp', None, 1000, 0, None, None, {'scope': 'rfq', 'countLimit': x}),
        'trade_count_limit',
        (1, 1000, True),
    ),
    'binance window': (lambda x: rule(x, 1, 1, 1), 'windowTimeInMilliseconds', (1, 5000, True)),
    'binance frozenTime': (lambda x: rule(1, x, 1, 1), 'frozenTimeInMilliseconds', INTEGER),
    'binance qtyLimit': (lambda x: rule(1, 1, x, 1), 'qtyLimit', ABOVE_ZERO),
    'binance deltaLimit': (lambda x: rule(1, 1, 1, x), 'deltaLimit', ABOVE_ZERO),
    'bybit window': (lambda x: coin_rule(x, 1, 1, 1), 'window', (1, BIG, True)),
    'bybit frozenTime': (lambda x: coin_rule(1, x, 1, 1), 'frozenPeriod', INTEGER),
    'binance countdown': (
        lambda x: ('binance', 'cancel_all_orders_after', x, {'underlying': 'BTC/USDT'}),
        'countdownTime',
        (5000, BIG, True),
    ),
}
TIMEOUTS = {
    'okx': lambda x: ('mass_cancel_mmp', 'BTC/USD', {'timeout': x}),
    'binance': lambda x: ('mass_cancel_mmp', 'BTC/USDT', {'timeout': x, 'includeNonMmp': True}),
    'deribit': lambda x: ('mass_cancel_mmp', 'BTC/USD', {'timeout': x, 'includeNonMmp': True}),
    'bybit': lambda x: ('mass_cancel_mmp', 'BTC', {'timeout': x, 'includeNonMmp': True}),
}


def rfq(window, frozen_time, count_limit):
    return 'okx', 'set_mmp', None, window, frozen_time, None, None, {'scope': 'rfq', 'countLimit': count_limit}


def rule(*limits):
    return 'binance', 'set_mmp', 'BTC/USDT', *limits


def coin_rule(*limits):
    return 'bybit', 'set_mmp', 'BTC', *limits


def exactly(value):
    """The number that a value is, if it is one of at most 30 decimals."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        return None
    written = Decimal(repr(value) if isinstance(value, float) else value)
    if not written.is_finite() or -written.as_tuple().exponent > 30 or abs(written) > BIG:
        return None
    return Fraction(written)


def is_accepted(number, accepted):
    least, most, integers_alone = accepted
    return number is not None and least <= number <= most and (number.denominator == 1 or not integers_alone)


@examples()
@given(name=st.sampled_from(list(ARGUMENTS)), value=NUMBERS)
def test_number_is_sent_exactly_or_refused(number_caller, name, value):
    make, field, accepted = ARGUMENTS[name]
    error, sent = number_caller(*make(value))
    number = exactly(value)
    if is_accepted(number, accepted) or (name == 'binance countdown' and number == 0):
        [request] = sent
        assert PLAIN.fullmatch(request[field])
        assert Fraction(request[field]) == number
    else:
        assert type(error) is ccxt.BadRequest
        assert not sent


@pytest.fixture
def number_caller(flavour, wire):
    exchanges = {each: wire.connect(flavour.exchange(each)) for each in EXCHANGES}
    return lambda exchange_id, *rest: call(flavour, exchanges[exchange_id], wire, *rest)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@examples(0.4)
@given(value=NUMBERS)
def test_timeout_is_taken_exactly_or_refused(flavour, exchange, exchange_id, wire, value):
    error, sent = call(flavour, exchange, wire, *TIMEOUTS[exchange_id](value))
    if is_accepted(exactly(value), (1, BIG, True)):
        [request] = sent
        assert 'timeout' not in request
    else:
        assert type(error) is ccxt.BadRequest
        assert not sent


@pytest.mark.parametrize('exchange_id', ['okx'])
@examples(0.4)
@given(value=NUMBERS)
def test_countdown_of_okx_is_whole_seconds_or_refused(flavour, exchange, wire, value):
    exchange.set_markets(markets('okx'))
    error, sent = call(flavour, exchange, wire, 'cancel_all_orders_after', value)
    number = exactly(value)
    if number is not None and (number == 0 or number >= 1000):
        assert [str(each['timeOut']) for each in sent] == [str(number // 1000)]
    else:
        assert type(error) is ccxt.BadRequest
        assert not sent


# --- the caller's own

VALUES = st.recursive(
    NUMBERS.filter(lambda value: value != [1]) | st.none() | st.text(max_size=5) | st.sampled_from(['rfq', 'orders']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARAMS = st.dictionaries(
    st.sampled_from(
        [
            *('scope', 'mmp', 'timeout', 'emulate', 'includeNonMmp', 'lockInterval', 'countLimit', 'qtyLimit', 'type'),
            *('instFamily', 'underlying', 'recvWindow', 'clientOrderId', 'clientOrderIds', 'ordType', 'isMmp', 'x'),
            *('postOnly', 'timeInForce', 'triggerPrice', 'takeProfit', 'reduceOnly', 'until', 'state'),
        ]
    ),
    VALUES | st.booleans(),
    max_size=4,
)
ANSWERS = ['{}', '[]', '{"code":"0","data":[]}', '{"code":"0","data":[{"sCode":"0","ordId":"1","result":true}]}']


def calls_with_params(exchange, params):
    underlying = UNIFIED[exchange.id]
    symbol = symbols(exchange, UNDERLYING[exchange.id])[0]
    order = {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 5, 'params': params}
    return [
        ('set_mmp', underlying, 1, 1, 1, None if exchange.id == 'okx' else 1, params),
        ('reset_mmp', underlying, params),
        ('fetch_mmp', underlying, params),
        ('fetch_mmps', [underlying], params),
        ('mass_cancel_mmp', underlying, params),
        ('create_order', *order.values()),
        ('create_orders', [order, {**order, 'params': {'mmp': True, 'nested': params}}], params),
        ('cancel_orders', ['1', '2'], symbol, params),
        ('cancel_all_orders_after', 60_000, {'underlying': underlying, **params}),
        ('fetch_open_orders', None, None, None, params),
        ('fetch_canceled_orders', symbol, None, None, params),
    ]


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@examples()
@given(data=st.data(), params=PARAMS, answer=st.sampled_from(ANSWERS))
def test_the_callers_dicts_are_never_changed(flavour, exchange, exchange_id, wire, data, params, answer):
    exchange.set_markets(markets(exchange_id))
    exchange.__dict__.pop('_mmp_fences', None)  # of orders of earlier examples, for which a mass cancel would wait
    wire.answer = lambda *_: Answer(answer.encode())
    method, *arguments = data.draw(st.sampled_from(calls_with_params(exchange, params)))
    before = repr(arguments)
    with contextlib.suppress(Exception):  # whatever comes of it: ccxt fails in ways of its own at some params
        flavour.take(getattr(exchange, method)(*arguments))
    assert repr(arguments) == before
