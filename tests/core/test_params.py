"""Names in params: what names an underlying there, what a mass cancel takes, and slips of the pen."""

import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.core.params import OWN_NAMES, misspelt
from ccxt_mmp.registry import EXCHANGES
from tests.core.fencing import WAYS
from tests.fault_matrix.methods import OTHER
from tests.rows import rows
from tests.trading import UNDERLYING, UNIFIED

FIELD = {'okx': 'instFamily', 'binance': 'underlying', 'deribit': 'index_name', 'bybit': 'baseCoin'}
NAMES = {
    'okx': ['BTC-USD', 'BTC/USD', 'BTC/USD:BTC', 'BTC/USD:BTC-260327-100000-C', 'BTC-USD-260327-100000-P'],
    'binance': ['BTCUSDT', 'BTC/USDT', 'BTC/USDT:USDT', 'BTC/USDT:USDT-260327-100000-C', 'BTC-260327-100000-P'],
    'deribit': ['btc_usd', 'BTC/USD', 'BTC/USD:BTC', 'BTC/USD:BTC-260327-100000-C', 'BTC-27MAR26-100000-P'],
    'bybit': ['BTC', 'BTC/USDT', 'BTC/USDC:USDC', 'BTC/USDT:USDT-260327-100000-C', 'BTC-27MAR26-100000-P-USDT'],
}
METHODS = ['set_mmp', 'reset_mmp', 'fetch_mmp', 'fetch_mmps', 'mass_cancel_mmp', 'cancel_all_orders_after']
# OKX's dead man's switch is of the account
CALLS = [
    (exchange_id, method)
    for method in METHODS
    for exchange_id in ('okx', 'binance')
    if (exchange_id, method) != ('okx', 'cancel_all_orders_after')
]


def arguments(exchange_id, method, params, underlying=None):
    if method == 'set_mmp':
        return underlying, 3000, 2000, 10, None if exchange_id == 'okx' else 1, params
    if method == 'fetch_mmps':
        return underlying and [underlying], params
    return (60_000, params) if method == 'cancel_all_orders_after' else (underlying, params)


def quote(simulator, exchange_id, count=3):
    for symbol in simulator.instruments(exchange_id, UNDERLYING[exchange_id])[:count]:
        simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True, symbol=symbol)


def resting(simulator, exchange_id):
    return simulator.resting(exchange_id, UNDERLYING[exchange_id])


def decoded(request):
    return request.get_data(as_text=True) + request.query_string.decode()


# --- names in params


@rows(('exchange_id', 'method', 'name'), [(*call, name) for call in CALLS for name in NAMES[call[0]][1::2]])
def test_name_in_params_is_read_as_the_argument_is(flavour, canned, exchange_id, name, method):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id, canned.url)
    params = {FIELD[exchange_id]: name}
    if (exchange_id, method) == ('binance', 'mass_cancel_mmp'):
        params['includeNonMmp'] = True  # the request that names the underlying
    with pytest.raises(ccxt.BaseError):  # {} is no answer to anything
        flavour.take(getattr(exchange, method)(*arguments(exchange_id, method, params)))
    request = canned.received()[0]
    sent = request.get_json(silent=True) or {**request.args, **request.form}
    assert sent[FIELD[exchange_id]] == UNDERLYING[exchange_id]


@rows(('exchange_id', 'params'), WAYS)
@rows('index', range(5))
def test_mass_cancel_of_a_name_in_params_leaves_nothing(flavour, simulator, exchange_id, params, index):
    quote(simulator, exchange_id)
    exchange = flavour.exchange(exchange_id, simulator.url)
    named = {FIELD[exchange_id]: NAMES[exchange_id][index]}
    done = flavour.take(exchange.mass_cancel_mmp(None, {**named, **params}))
    assert resting(simulator, exchange_id) == []
    assert done['underlyingId'] == UNDERLYING[exchange_id]
    assert exchange._mmp_fences.keys() == {UNDERLYING[exchange_id]}


@rows(('exchange_id', 'method'), CALLS)
@rows('name', ['', 'btcusdt', 'Y', 5, ['BTC/USD']])
def test_name_in_params_that_is_none_is_a_bad_symbol(flavour, nowhere, exchange_id, method, name):
    given = arguments(exchange_id, method, {FIELD[exchange_id]: name})
    with pytest.raises(ccxt.BadSymbol, match='it accepts'):
        flavour.take(getattr(nowhere[exchange_id], method)(*given))


@rows('method', METHODS[:-1])
@rows(('exchange_id', 'same', 'other'), [('okx', 'BTC/USD:BTC', 'BTC/USD:USD'), ('binance', 'BTCUSDT', 'ETH/USDT')])
def test_name_in_params_may_differ_from_the_argument_in_its_form_alone(
    flavour, canned, exchange_id, method, same, other
):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id, canned.url)
    sent = []
    for name, is_same in ((same, True), (other, False)):
        given = arguments(exchange_id, method, {FIELD[exchange_id]: name}, UNIFIED[exchange_id])
        with pytest.raises(ccxt.BaseError) as caught:
            flavour.take(getattr(exchange, method)(*given))
        assert (type(caught.value) is ccxt.BadRequest) is not is_same
        sent.append(len(canned.received()))
    assert sent[0] == sent[1] > 0


# --- what several protections are keyed by


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_states_are_keyed_by_the_names_that_were_asked_for(flavour, simulator, exchange_id):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    exchange = flavour.exchange(exchange_id, simulator.url)
    names = [UNDERLYING[exchange_id], NAMES[exchange_id][1].replace('BTC', 'ETH'), NAMES[exchange_id][2]]
    states = flavour.take(exchange.fetch_mmps(tuple(names)))
    assert list(states) == names
    assert [states[name]['enabled'] for name in names] == [True, False, True]
    assert states[names[0]] == states[names[2]]
    assert states[names[0]] is not states[names[2]]
    assert len(simulator.requests) == (1 if exchange_id == 'okx' else 2)  # one of an underlying is enough


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_state_of_a_name_in_params_is_keyed_by_it(flavour, simulator, exchange_id):
    for underlying in (UNDERLYING[exchange_id], OTHER[exchange_id]):
        simulator.set_rule(exchange_id, underlying)
    exchange = flavour.exchange(exchange_id, simulator.url)
    states = flavour.take(exchange.fetch_mmps(None, {FIELD[exchange_id]: UNIFIED[exchange_id]}))
    assert {name: state['underlyingId'] for name, state in states.items()} == {
        UNIFIED[exchange_id]: UNDERLYING[exchange_id]
    }


def test_states_without_names_are_keyed_by_the_unified_underlying(flavour, simulator):
    simulator.set_rule('okx', 'BTC-USD')
    exchange = flavour.exchange('okx', simulator.url)
    assert list(flavour.take(exchange.fetch_mmps())) == ['BTC/USD:BTC']


# --- what a mass cancel takes

OPTION = {each: names[-1] for each, names in NAMES.items()}


@pytest.fixture
def of_each(flavour, simulator):
    return {exchange_id: flavour.exchange(exchange_id, simulator.url) for exchange_id in EXCHANGES}


@rows(('exchange_id', 'kind'), WAYS)
@rows(
    ('name', 'value'),
    [
        ('symbol', OPTION),
        ('instId', OPTION),
        ('ordType', 'mmp'),
        ('instType', 'OPTION'),
        ('uly', 'BTC-USD'),
        ('limit', 1),
        ('label', 'x'),
        ('settleCoin', 'USDT'),
        ('cursor', 'x'),
        ('after', '1'),
        ('orderId', '1'),
        ('concurrency', 1),
        ('weightLimit', 1),
        ('stray', False),
        (5, 'x'),
    ],
)
def test_param_that_could_narrow_a_mass_cancel_is_refused_unsent(
    flavour, simulator, of_each, exchange_id, kind, name, value
):
    quote(simulator, exchange_id)
    value = value[exchange_id] if isinstance(value, dict) else value
    with pytest.raises(ccxt.NotSupported, match=str(name)):
        flavour.take(of_each[exchange_id].mass_cancel_mmp(UNIFIED[exchange_id], {**kind, name: value}))
    assert simulator.requests == []
    assert len(resting(simulator, exchange_id)) == 3


@pytest.mark.parametrize(('exchange_id', 'kind'), WAYS)
def test_params_of_ccxt_and_those_that_are_none_do_not_keep_a_mass_cancel_from_its_work(
    flavour, simulator, exchange_id, kind
):
    quote(simulator, exchange_id)
    exchange = flavour.exchange(exchange_id, simulator.url)
    of_ccxt = {'type': 'option', 'portfolioMargin': True, 'maxRetriesOnFailure': 3, 'maxRetriesOnFailureDelay': 9}
    none = dict.fromkeys(['symbol', 'instId', 'mmp', 'lockInterval', 'qtyUnit', 'lockinterval', 'hedge'])
    own = {'timeout': 5000, 'scope': 'orders', 'mmp': True, 'recvWindow': 4321, 'halt': False}
    params = {**of_ccxt, **none, **own, **kind}
    before = dict(params)
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], params))
    assert params == before
    assert resting(simulator, exchange_id) == []
    for request in simulator.requests:
        sent = request.query + request.body
        assert not [name for name in (*of_ccxt, 'timeout', 'scope', 'halt') if name in sent]
        assert ('4321' in sent) is (exchange_id == 'binance')


def test_mass_cancel_that_is_told_to_spare_mmp_orders_is_refused(flavour, exchange_id):
    with pytest.raises(ccxt.BadRequest, match='mmp False'):
        flavour.take(flavour.exchange(exchange_id).mass_cancel_mmp(UNIFIED[exchange_id], {'mmp': False}))


@pytest.mark.parametrize('method', ['set_mmp', 'reset_mmp', 'fetch_mmp'])
def test_params_of_ccxt_reach_no_mmp_endpoint(flavour, canned, method):
    canned.answer('{}')
    exchange = flavour.exchange('binance', canned.url)
    given = arguments('binance', method, {'type': 'option', 'portfolioMargin': True}, 'BTC/USDT')
    with pytest.raises(ccxt.BadResponse):
        flavour.take(getattr(exchange, method)(*given))
    [request] = canned.received()
    assert 'portfolioMargin' not in decoded(request)
    assert 'type' not in decoded(request)


# --- slips of the pen


@rows(
    ('wrong', 'right'),
    [
        *[(name.upper(), name) for name in OWN_NAMES],
        *[(name.lower(), name) for name in OWN_NAMES if name.lower() != name],
        ('lock_interval', 'lockInterval'),
        ('_mmp', 'mmp'),
        ('include_non_mmp', 'includeNonMmp'),
    ],
)
def test_slip_of_the_pen_is_told_what_it_meant(wrong, right):
    assert misspelt(['x', wrong]) == (wrong, right)
    assert misspelt([right]) is None
    assert misspelt([wrong], {wrong}) is None  # a field of the exchange's own


def test_other_names_are_no_slips():
    assert misspelt(['isMmp', 'instFamily', 'lock', 'lock-interval', 'recvWindow', 5, None, ('mmp',)]) is None


@rows('exchange_id', ['okx', 'binance'])
@rows('method', METHODS[:-1])
@rows(
    ('wrong', 'right'), [('lockinterval', 'lockInterval'), ('MMP', 'mmp'), ('QtyLimit', 'qtyLimit'), ('Halt', 'halt')]
)
def test_misspelt_param_is_refused_with_the_right_name(flavour, nowhere, exchange_id, method, wrong, right):
    given = arguments(exchange_id, method, {wrong: 10_000}, UNIFIED[exchange_id])
    with pytest.raises(ccxt.BadRequest, match=f'has no {wrong} in params, did you mean {right}') as caught:
        flavour.take(getattr(nowhere[exchange_id], method)(*given))
    assert type(caught.value) is ccxt.BadRequest


@rows('exchange_id', ['okx', 'binance', 'bybit'])
@rows('method', METHODS[:-1])
@rows(('name', 'error'), [('mmpGroup', ccxt.NotSupported), ('mmp_group', ccxt.BadRequest)])
def test_group_of_mass_quotes_is_of_deribit_alone(flavour, nowhere, exchange_id, method, name, error):
    given = arguments(exchange_id, method, {name: 'MassQuoteBot7'}, UNIFIED[exchange_id])
    with pytest.raises(error, match='group'):
        flavour.take(getattr(nowhere[exchange_id], method)(*given))


def test_misspelt_option_of_a_method_is_refused_too(flavour):
    exchange = flavour.exchange('okx', options={'massCancelMmp': {'lockinterval': 10_000}})
    with pytest.raises(ccxt.BadRequest, match=r"options\['massCancelMmp'\], did you mean lockInterval"):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD'))


@rows('exchange_id', ['okx', 'binance'])
@rows('method', METHODS[:-1])
@rows('name', ['hedge', 'halt'])
def test_what_is_not_there_yet_is_not_supported(flavour, exchange_id, method, name):
    exchange = flavour.exchange(exchange_id)  # which is nowhere
    if (method, name) == ('mass_cancel_mmp', 'hedge') and exchange.has['massCancelMmpWs']:
        return
    given = arguments(exchange_id, method, {name: True}, UNIFIED[exchange_id])
    with pytest.raises(ccxt.NotSupported, match=name):
        flavour.take(getattr(exchange, method)(*given))


# --- options that the user replaced


@rows('exchange_id', ['okx', 'binance'])
@rows(
    'options',
    [
        {},
        {'defaultType': 'option'},
        {'mmpLimits': {}, 'mmpContractSizes': None},
        {'mmpLimits': {'orders': {'window': {'max': 4000}}}},
        {'mmpLimits': None, 'massCancelMmp': None},
    ],
)
def test_replaced_options_leave_the_plugins_own_as_they_were(flavour, simulator, exchange_id, options):
    quote(simulator, exchange_id)
    exchange = flavour.exchange(exchange_id, simulator.url)
    exchange.options = options
    underlying = UNIFIED[exchange_id]
    state = flavour.take(exchange.set_mmp(*arguments(exchange_id, 'set_mmp', {}, underlying)[:-1]))
    assert state['qtyLimitBase'] == {'okx': None if 'mmpContractSizes' in options else 0.1, 'binance': 10}[exchange_id]
    for method in METHODS[1:-1]:
        flavour.take(getattr(exchange, method)(*arguments(exchange_id, method, {}, underlying)))
    assert resting(simulator, exchange_id) == []
    with pytest.raises(ccxt.ArgumentsRequired, match='qtyLimit'):
        flavour.take(exchange.set_mmp(underlying, 1, 1, None, None))
    with pytest.raises(ccxt.NotSupported, match='countLimit'):
        flavour.take(exchange.fetch_mmp(underlying, {'countLimit': 1}))


def test_replaced_options_keep_the_windows(flavour):
    exchange = flavour.exchange('okx')
    exchange.options = {}
    assert exchange._mmp_rate_limit('POST account/mmp-config') == (2, 10_000)
    exchange.options = {'mmpRateLimits': {}}
    assert exchange._mmp_rate_limit('POST account/mmp-config') is None


@rows('name', ['window', 'frozenTime'])
@rows('exchange_id', ['okx', 'binance'])
def test_argument_in_params_is_refused_and_not_dropped(flavour, simulator, exchange_id, name):
    exchange = flavour.exchange(exchange_id, simulator.url)
    delta = {'okx': None, 'binance': 1}[exchange_id]
    with pytest.raises(ccxt.BadRequest, match=name):
        flavour.take(exchange.set_mmp(UNIFIED[exchange_id], 5000, 2000, 100, delta, {name: 3}))
    assert simulator.requests == []


@rows(
    ('options', 'found'),
    [
        ({'massCancelMmp': {'x': None, 'defaultX': 1}, 'x': 2}, 1),
        ({'massCancelMmp': {'x': None}, 'x': None, 'defaultX': 3}, 3),
        ({'massCancelMmp': {'x': None}, 'x': None}, 'default'),
    ],
)
def test_option_that_is_none_is_not_given(options, found):
    exchange = ccxt_mmp.okx({'options': options})
    assert exchange._mmp_option('massCancelMmp', 'x', 'default', {}) == (found, {})


# --- a mass cancel without params, of which the options may want something


@pytest.mark.parametrize('name', ['scope', 'defaultScope', 'emulate', 'defaultEmulate', 'halt'])
@pytest.mark.parametrize('of_method', [True, False], ids=['of the method', 'of the exchange'])
def test_option_of_a_mass_cancel_holds_without_params(flavour, simulator, name, of_method):
    exchange = flavour.exchange('okx', simulator.url)
    options = exchange.options['massCancelMmp'] if of_method else exchange.options
    options[name] = 'no such thing'
    with pytest.raises(ccxt.BadRequest, match='no such thing'):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert simulator.requests == []


def test_misspelt_option_of_a_mass_cancel_is_refused_without_params(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    exchange.options['massCancelMmp']['lock_interval'] = 5000
    with pytest.raises(ccxt.BadRequest, match='lockInterval'):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert simulator.requests == []
