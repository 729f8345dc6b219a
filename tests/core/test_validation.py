"""Bad input is a clear error, and nothing is sent."""

import copy
import math
import numbers
import socket
from decimal import Decimal
from types import SimpleNamespace

import ccxt
import pytest

from ccxt_mmp.registry import EXCHANGES
from tests.rows import rows

NUMBERS_THAT_ARE_NONE = [True, False, math.nan, math.inf, '', 'x', [], [5000], {}, '1e3', 2**53 + 1, Decimal('NaN')]


def okx(window=5000, frozen=2000, qty=100, delta=None, underlying='BTC/USD', **params):
    return 'okx', 'set_mmp', (underlying, window, frozen, qty, delta, params)


def rfq(window=5000, frozen=2000, qty=None, delta=None, underlying=None, **params):
    return 'okx', 'set_mmp', (underlying, window, frozen, qty, delta, {'scope': 'rfq', 'countLimit': 100, **params})


def binance(window=3000, frozen=300000, qty=2, delta='2.3', underlying='BTC/USDT', **params):
    return 'binance', 'set_mmp', (underlying, window, frozen, qty, delta, params)


def call(exchange_id, method, *arguments):
    return exchange_id, method, arguments


def cancel(**params):
    return call('okx', 'mass_cancel_mmp', 'BTC/USD', params)


def cancel_on_binance(**params):
    return call('binance', 'mass_cancel_mmp', 'BTC/USDT', params)


MISSING = {
    'okx window': (okx(window=None), 'window'),
    'okx frozenTime': (okx(frozen=None), 'frozenTime'),
    'okx qtyLimit': (okx(qty=None), 'qtyLimit'),
    'rfq window': (rfq(window=None), 'window'),
    'rfq frozenTime': (rfq(frozen=None), 'frozenTime'),
    'rfq countLimit': (rfq(countLimit=None), 'countLimit'),
    'binance window': (binance(window=None), 'window'),
    'binance frozenTime': (binance(frozen=None), 'frozenTime'),
    'binance qtyLimit': (binance(qty=None), 'qtyLimit'),
    'binance deltaLimit': (binance(delta=None), 'deltaLimit'),
    'None in params is nothing': (okx(window=None, timeInterval=None), 'window'),
    'okx underlying of set': (okx(underlying=None), 'underlying'),
    'okx underlying of fetch': (call('okx', 'fetch_mmp'), 'underlying'),
    'okx underlying of reset with a scope': (call('okx', 'reset_mmp', None, {'scope': 'orders'}), 'underlying'),
    'okx underlying of mass cancel': (call('okx', 'mass_cancel_mmp', None), 'underlying'),
    'binance underlying of set': (binance(underlying=None), 'underlying'),
    'binance underlying of reset': (call('binance', 'reset_mmp'), 'underlying'),
    'binance underlying of fetch': (call('binance', 'fetch_mmp'), 'underlying'),
    'binance underlyings': (call('binance', 'fetch_mmps'), 'underlyings'),
    'binance underlyings, empty': (call('binance', 'fetch_mmps', []), 'underlyings'),
}
NO_PLACE = {
    'deltaLimit on okx': (okx(delta=1), 'deltaLimit'),
    'deltaLimit on okx in params': (okx(deltaLimit=1), 'deltaLimit'),
    'countLimit on okx outside rfq': (okx(countLimit=1), 'countLimit'),
    'countLimit on binance': (binance(countLimit=1), 'countLimit'),
    'qtyLimit with rfq': (rfq(qty=1), 'qtyLimit'),
    'qtyLimit with rfq in params': (rfq(qtyLimit='1'), 'qtyLimit'),
    **{
        f'{name} in {make.__name__} set': (make(**{name: 1}), name)
        for name in ('vegaLimit', 'maxQuoteQuantity')
        for make in (okx, rfq, binance)
    },
    'qtyUnit with rfq': (rfq(qtyUnit='base'), 'qtyUnit'),
    'qtyUnit in okx mass cancel': (cancel(qtyUnit='base'), 'qtyUnit'),
    'deltaLimit with rfq': (rfq(delta=1), 'deltaLimit'),
    **{
        f'{name} has no place in {exchange_id} {method}': (call(exchange_id, method, underlying, {name: value}), name)
        for exchange_id, underlying in (('okx', 'BTC/USD'), ('binance', 'BTC/USDT'))
        for method in ('reset_mmp', 'fetch_mmp')
        for name, value in (
            ('qtyLimit', 1),
            ('deltaLimit', 1),
            ('countLimit', 'x'),
            ('vegaLimit', 1),
            ('maxQuoteQuantity', 1),
            ('qtyUnit', 'base'),
            ('lockInterval', 5),
            ('emulate', True),
            ('includeNonMmp', True),
        )
    },
    'lockInterval in okx set': (okx(lockInterval=5), 'lockInterval'),
    'lockInterval in rfq set': (rfq(lockInterval=5), 'lockInterval'),
    'emulate in okx set': (okx(emulate=True), 'emulate'),
    'includeNonMmp in okx set': (okx(includeNonMmp=True), 'includeNonMmp'),
    'lockInterval in binance set': (binance(lockInterval=5), 'lockInterval'),
    'emulate in binance set': (binance(emulate=True), 'emulate'),
    'countLimit in okx mass cancel': (cancel(countLimit='x'), 'countLimit'),
    'deltaLimit in okx mass cancel': (cancel(deltaLimit=3), 'deltaLimit'),
    'lockInterval in okx fetch several': (call('okx', 'fetch_mmps', None, {'lockInterval': 5}), 'lockInterval'),
    'lockInterval in binance fetch several': (
        call('binance', 'fetch_mmps', ['BTC/USDT'], {'lockInterval': 5}),
        'lockInterval',
    ),
    'includeNonMmp on okx': (cancel(includeNonMmp=True), 'includeNonMmp'),
    'emulate on binance': (cancel_on_binance(emulate=True), 'emulate'),
    'lockInterval on binance': (cancel_on_binance(lockInterval=1000), 'lockInterval'),
    'lockInterval where okx is emulated': (cancel(emulate=True, lockInterval=1000), 'lockInterval'),
    'rfq on binance: set': (binance(scope='rfq'), 'rfq'),
    'rfq on binance: reset': (call('binance', 'reset_mmp', None, {'scope': 'rfq'}), 'rfq'),
    'rfq on binance: fetch': (call('binance', 'fetch_mmp', None, {'scope': 'rfq'}), 'rfq'),
    'rfq on binance: fetch several': (call('binance', 'fetch_mmps', None, {'scope': 'rfq'}), 'rfq'),
    'rfq has no several': (call('okx', 'fetch_mmps', None, {'scope': 'rfq'}), 'rfq'),
    'rfq has no orders to cancel': (call('okx', 'mass_cancel_mmp', None, {'scope': 'rfq'}), 'rfq'),
}
BAD = {
    **{
        f'timeout of {value!r}': (make(timeout=value), 'timeout')
        for make in (cancel, cancel_on_binance)
        for value in (0, -1, 0.5, True, 'x', float('inf'), [])
    },
    'emulate that is no bool': (cancel(emulate='yes'), 'emulate'),
    'includeNonMmp that is no bool': (cancel_on_binance(includeNonMmp=1), 'includeNonMmp'),
    'okx window below 0': (okx(window=-1), 'window'),
    'okx window of more digits than Python writes': (okx(window=10**5000), 'window'),
    'okx window with a fraction': (okx(window=0.5), 'window'),
    'rfq window above 600000': (rfq(window=600001), 'at most 600000'),
    'binance window 0': (binance(window=0), 'at least 1'),
    'binance window above 5000': (binance(window=5001), 'at most 5000'),
    'frozenTime below 0': (okx(frozen=-1), 'frozenTime'),
    'frozenTime with a fraction': (binance(frozen='1.5'), 'frozenTime'),
    'qtyLimit 0': (okx(qty=0), 'qtyLimit'),
    'qtyLimit -0.0': (okx(qty=-0.0), 'qtyLimit'),
    'qtyLimit below 0': (binance(qty=-1), 'above 0'),
    'deltaLimit 0': (binance(delta=0), 'deltaLimit'),
    'deltaLimit below 0': (binance(delta='-1'), 'deltaLimit'),
    'countLimit 0': (rfq(countLimit=0), 'countLimit'),
    'countLimit with a fraction': (rfq(countLimit=1.5), 'countLimit'),
    'lockInterval below 0': (cancel(lockInterval=-1), 'lockInterval'),
    'lockInterval above 10000': (cancel(lockInterval=10001), 'at most 10000'),
    'lockInterval with a fraction': (cancel(lockInterval=0.5), 'lockInterval'),
    'another family in params': (okx(instFamily='BTC-USD_UM'), 'BTC-USD_UM'),
    'another family in params of fetch': (call('okx', 'fetch_mmp', 'BTC/USD', {'instFamily': 'ETH-USD'}), 'ETH-USD'),
    'another family in params of reset': (call('okx', 'reset_mmp', 'BTC/USD', {'instFamily': 'ETH-USD'}), 'ETH-USD'),
    'another family in params of mass cancel': (cancel(instFamily='ETH-USD'), 'ETH-USD'),
    'another family in params of several': (
        call('okx', 'fetch_mmps', ['BTC/USD', 'ETH/USD'], {'instFamily': 'BTC-USD'}),
        'ETH-USD',
    ),
    'another underlying in params': (call('binance', 'fetch_mmp', 'BTC/USDT', {'underlying': 'ETHUSDT'}), 'ETHUSDT'),
    'another underlying in params of several': (
        call('binance', 'fetch_mmps', ['BTC/USDT', 'ETH/USDT'], {'underlying': 'BTCUSDT'}),
        'ETHUSDT',
    ),
    **{
        f'qtyUnit {value!r}': (make(qtyUnit=value), 'contracts, base')
        for make in (okx, binance)
        for value in ('coins', 'BASE', '', True, 1, [])
    },
    'a number for a list of underlyings': (call('okx', 'fetch_mmps', 5), 'list'),
    'a string for a list of underlyings': (call('binance', 'fetch_mmps', 'BTC/USDT'), 'list'),
    'unknown scope': (okx(scope='spot'), 'orders, rfq'),
    'unknown scope of fetch': (call('okx', 'fetch_mmp', 'BTC/USD', {'scope': 1}), 'orders, rfq'),
    'empty scope': (okx(scope=''), 'orders, rfq'),
    'unhashable scope': (call('binance', 'fetch_mmp', 'BTC/USDT', {'scope': []}), 'orders, rfq'),
    'rfq with an underlying: set': (rfq(underlying='BTC/USD'), 'no underlying'),
    'rfq with an underlying: reset': (call('okx', 'reset_mmp', 'BTC/USD', {'scope': 'rfq'}), 'no underlying'),
    'rfq with an underlying: fetch': (call('okx', 'fetch_mmp', 'BTC/USD', {'scope': 'rfq'}), 'no underlying'),
    'rfq with an underlying: mass cancel': (cancel(scope='rfq'), 'no underlying'),
    'rfq with a family in params': (rfq(instFamily='BTC-USD'), 'no underlying'),
    **{
        f'{name} {value!r}': (make(**{name: value}), shown)
        for value in NUMBERS_THAT_ARE_NONE
        for make, name, shown in [
            (okx, 'window', 'window'),
            (okx, 'frozen', 'frozenTime'),
            (okx, 'qty', 'qtyLimit'),
            (binance, 'delta', 'deltaLimit'),
            (rfq, 'countLimit', 'countLimit'),
            (cancel, 'lockInterval', 'lockInterval'),
        ]
    },
}
TABLE = [
    pytest.param(wrong, expected, said, id=f'{expected.__name__}: {name}')
    for expected, rows in [
        (ccxt.ArgumentsRequired, MISSING),
        (ccxt.NotSupported, NO_PLACE),
        (ccxt.BadRequest, BAD),
    ]
    for name, (wrong, said) in rows.items()
]


@pytest.fixture
def listener():
    """A listening socket that answers nothing; counts the connections that were opened to it."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.setblocking(False)

        def connections():
            count = 0
            while True:
                try:
                    server.accept()[0].close()
                except BlockingIOError:
                    return count
                count += 1

        yield SimpleNamespace(url=f'http://127.0.0.1:{server.getsockname()[1]}', connections=connections)


@pytest.fixture
def of_each(flavour, listener):
    config = {'options': {'adjustForTimeDifference': True}, 'timeout': 200}
    return {exchange_id: flavour.exchange(exchange_id, listener.url, **config) for exchange_id in EXCHANGES}


@rows(('wrong', 'expected', 'said'), TABLE)
def test_bad_input_is_an_error_and_nothing_is_sent(flavour, listener, of_each, wrong, expected, said):
    exchange_id, method, arguments = wrong
    with pytest.raises(ccxt.BaseError) as caught:
        flavour.take(getattr(of_each[exchange_id], method)(*arguments))
    assert type(caught.value) is expected
    assert said in str(caught.value)
    assert str(caught.value).startswith(f'{exchange_id} ')
    assert listener.connections() == 0


@pytest.mark.parametrize('call', [okx(), binance(), rfq(), call('okx', 'mass_cancel_mmp', 'BTC/USD')])
def test_the_listener_counts_what_good_input_sends(flavour, listener, call):
    exchange_id, method, arguments = call
    exchange = flavour.exchange(exchange_id, listener.url, timeout=100)
    with pytest.raises(ccxt.NetworkError):
        flavour.take(getattr(exchange, method)(*arguments))
    assert listener.connections() == (3 if method == 'mass_cancel_mmp' else 1)  # which is repeated twice


class Int64(numbers.Integral):
    """An integer that is none of Python's, as numpy's are."""

    def __init__(self, value):
        self.value = value

    def __int__(self):
        return self.value


def _unused(*_):
    raise NotImplementedError


for _name in Int64.__abstractmethods__:
    setattr(Int64, _name, _unused)
Int64.__abstractmethods__ = frozenset()


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_integers_of_any_type_are_times_of_a_mass_cancel(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)
    underlying = {'okx': 'BTC/USD', 'binance': 'BTC/USDT'}[exchange_id]
    flavour.take(exchange.mass_cancel_mmp(underlying, {'timeout': Int64(5000)}))
    with pytest.raises(ccxt.BadRequest, match='timeout'):
        flavour.take(exchange.mass_cancel_mmp(underlying, {'timeout': Int64(0)}))
    if exchange_id == 'okx':
        flavour.take(exchange.mass_cancel_mmp(underlying, {'lockInterval': Int64(1500)}))
        assert '"lockInterval":"1500"' in simulator.requests[-1].body


@rows('value', [5000, 5000.0, '5000', Decimal(5000), '5000.0', Int64(5000)])
def test_integers_of_every_type_are_taken(flavour, simulator, value):
    exchange = flavour.exchange('okx', simulator.url)
    state = flavour.take(exchange.set_mmp('BTC/USD', value, value, value))
    assert (state['window'], state['frozenTime'], state['qtyLimit']) == (5000, 5000, 5000.0)
    assert '"timeInterval":"5000"' in simulator.requests[0].body


@pytest.mark.parametrize('make', [okx, rfq, binance], ids=['okx', 'rfq', 'binance'])
def test_bounds_are_read_from_options(flavour, make):
    """A program reads the rules that differ from the table that validation reads."""
    exchange_id, method, arguments = make()
    scope = 'rfq' if make is rfq else 'orders'
    exchange = flavour.exchange(exchange_id, options={'mmpLimits': {scope: {'window': {'max': 10}}}})
    with pytest.raises(ccxt.BadRequest, match='at most 10,'):
        flavour.take(getattr(exchange, method)(*arguments))


def test_rules_that_differ_can_be_read_by_a_program(flavour):
    okx_limits = flavour.exchange('okx').options['mmpLimits']
    binance_limits = flavour.exchange('binance').options['mmpLimits']
    assert {name for name, rule in okx_limits['orders'].items() if rule} == {
        'window',
        'frozenTime',
        'qtyLimit',
        'lockInterval',
    }
    assert {name for name, rule in okx_limits['rfq'].items() if rule} == {'window', 'frozenTime', 'countLimit'}
    assert {name for name, rule in binance_limits['orders'].items() if rule} == {
        'window',
        'frozenTime',
        'qtyLimit',
        'deltaLimit',
    }
    assert set(binance_limits) == {'orders'}


@rows(
    ('exchange_id', 'method', 'arguments', 'sent'),
    [
        ('okx', 'set_mmp', ('BTC/USD', 1, 1, 1, None, {'qtyLimit': '1e2'}), '"qtyLimit":"1e2"'),
        ('okx', 'set_mmp', ('BTC/USD', 1, 1, 1, None, {'extra': 'x'}), '"extra":"x"'),
        ('okx', 'reset_mmp', ('BTC/USD', {'instType': 'X'}), '"instType":"X"'),
        ('binance', 'set_mmp', ('BTC/USDT', 1, 1, 1, 1, {'qtyLimit': '1e2'}), 'qtyLimit=1e2'),
        ('binance', 'reset_mmp', ('BTC/USDT', {'recvWindow': 1234}), 'recvWindow=1234'),
    ],
)
def test_the_exchanges_own_fields_in_params_are_sent_as_they_are(flavour, canned, exchange_id, method, arguments, sent):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id, canned.url)
    with pytest.raises(ccxt.BaseError):
        flavour.take(getattr(exchange, method)(*arguments))
    [request] = canned.received()
    assert sent in request.get_data(as_text=True)


TWICE = [
    ('orders', 'vegaLimit', 'vega_limit'),
    ('orders', 'maxQuoteQuantity', 'max_quote_quantity'),
    ('rfq', 'countLimit', 'trade_count_limit'),
]


def set_twice(flavour, exchange, scope, name, value, field, own):
    required = {'max_quote_quantity': 20} if scope == 'orders' and name != 'maxQuoteQuantity' else {}
    limits = (None, None) if scope == 'rfq' else (5, 3)
    params = {'scope': scope, **required, name: value, field: own}
    return flavour.take(exchange.set_mmp('BTC/USD' if scope == 'orders' else None, 5000, 2000, *limits, params))


@rows(('scope', 'name', 'field'), TWICE)
@rows('own', [9, '7.5', '7.0001', 'x', True])
def test_two_values_in_params_for_one_limit_are_refused_unsent(flavour, simulator, scope, name, field, own):
    exchange = flavour.exchange('deribit', simulator.url)
    with pytest.raises(ccxt.BadRequest, match=f'two values in params for one limit, {name} 7 and {field} '):
        set_twice(flavour, exchange, scope, name, 7, field, own)
    assert simulator.requests == []


@rows(('scope', 'name', 'field'), TWICE)
@rows(('value', 'own'), [(7, 7), ('7.0', 7), (7, '7'), (Decimal(7), 7.0), (None, 7), (7, None)])
def test_one_value_under_both_names_is_sent(flavour, simulator, scope, name, field, value, own):
    exchange = flavour.exchange('deribit', simulator.url)
    assert set_twice(flavour, exchange, scope, name, value, field, own)[name] == 7


def test_own_field_in_params_wins_over_argument_and_option(flavour, simulator):
    exchange = flavour.exchange('deribit', simulator.url, options={'setMmp': {'maxQuoteQuantity': 3}})
    own = {'max_quote_quantity': 20, 'quantity_limit': 9, 'interval': 7}
    state = flavour.take(exchange.set_mmp('BTC/USD', 5000, 2000, 5, None, own))
    assert (state['window'], state['qtyLimit'], state['maxQuoteQuantity']) == (7000, 9, 20)


OWN_PARAMS = {'scope': 'orders', 'mmp': True, 'timeout': 500, 'emulate': False, 'includeNonMmp': False}


@rows(
    ('exchange_id', 'method', 'arguments'),
    [
        okx(),
        call('okx', 'reset_mmp', 'BTC/USD'),
        call('okx', 'fetch_mmp', 'BTC/USD'),
        call('okx', 'fetch_mmps', ['BTC/USD']),
        call('okx', 'mass_cancel_mmp', 'BTC/USD'),
        binance(),
        call('binance', 'reset_mmp', 'BTC/USDT'),
        call('binance', 'fetch_mmp', 'BTC/USDT'),
        call('binance', 'fetch_mmps', ['BTC/USDT']),
    ],
)
def test_own_params_are_never_sent_and_the_callers_dicts_never_changed(flavour, canned, exchange_id, method, arguments):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id, canned.url)
    arguments = [each for each in arguments if each != {}]
    others = {} if method == 'mass_cancel_mmp' else {'nested': {'kept': []}}
    params = {**OWN_PARAMS, **others}
    before = copy.deepcopy((arguments, params))
    with pytest.raises(ccxt.BaseError):
        flavour.take(getattr(exchange, method)(*arguments, params=params))
    assert (arguments, params) == before
    [request] = canned.received()
    sent = request.get_data(as_text=True) + request.query_string.decode()
    assert not [name for name in (*OWN_PARAMS, 'maxRetriesOnFailure') if name in sent]


def test_scope_comes_from_options_too(flavour, simulator):
    options = {name: {'scope': 'rfq'} for name in ('setMmp', 'fetchMmp', 'resetMmp')}
    exchange = flavour.exchange('okx', simulator.url, options=options)
    state = flavour.take(exchange.set_mmp(None, 5000, 2000, params={'countLimit': 10}))
    assert state['scope'] == 'rfq'
    assert flavour.take(exchange.fetch_mmp())['scope'] == 'rfq'
    assert flavour.take(exchange.reset_mmp())['scope'] == 'rfq'
    # params come first
    assert flavour.take(exchange.fetch_mmp('BTC/USD', {'scope': 'orders'}))['scope'] == 'orders'


def test_scope_from_options_keeps_a_reset_from_being_block_trading(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url, options={'resetMmp': {'scope': 'orders'}})
    with pytest.raises(ccxt.ArgumentsRequired):
        flavour.take(exchange.reset_mmp())
    assert simulator.requests == []


def test_lock_interval_comes_from_options_too(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url, options={'massCancelMmp': {'lockInterval': 1500}})
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert '"lockInterval":"1500"' in simulator.requests[0].body
