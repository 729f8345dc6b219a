"""The control methods take every name of an underlying, and refuse what is none."""

import json
import urllib.error
import urllib.request

import ccxt
import pytest

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Rule, Simulator
from tests.rows import rows

RULE = Rule(window=5000, frozen_time=0, qty_limit='10')
NAMES = [
    ('okx', 'BTC-USD', ('BTC-USD', 'BTC/USD', 'BTC/USD:BTC')),
    ('okx', 'BTC-USD_UM', ('BTC-USD_UM', 'BTC/USD:USD')),
    ('okx', 'ETH-USD', ('ETH-USD', 'ETH/USD', 'ETH/USD:ETH')),
    ('binance', 'BTCUSDT', ('BTCUSDT', 'BTC/USDT', 'BTC/USDT:USDT')),
    ('binance', 'ETHUSDT', ('ETHUSDT', 'ETH/USDT', 'ETH/USDT:USDT')),
    ('bybit', 'BTC', ('BTC', 'BTC/USDT', 'BTC/USDC', 'BTC/USDT:USDT', 'BTC/USDC:USDC')),
]
EACH = [(venue, own_id, name) for venue, own_id, names in NAMES for name in names]
BY_NAME = {
    'trip': lambda simulator, *named: simulator.trip(*named),
    'set_rule': lambda simulator, *named: simulator.set_rule(*named),
    'protection': lambda simulator, *named: simulator.protection(*named),
    'resting': lambda simulator, *named: simulator.resting(*named),
    'rest': lambda simulator, *named: simulator.rest(*named, mmp=True),
    'instruments': lambda simulator, *named: simulator.instruments(*named),
}


@rows(('venue', 'own_id', 'name'), EACH)
def test_underlying_has_every_name(simulator, venue, own_id, name):
    order = simulator.rest(venue, name, mmp=True)
    assert order.underlying == own_id
    assert simulator.resting(venue, name) == simulator.resting(venue, own_id) == [order]
    assert simulator.instruments(venue, name) == simulator.instruments(venue, own_id)
    simulator.set_rule(venue, name, RULE)
    assert simulator.protection(venue, name) is simulator.protection(venue, own_id)
    assert simulator.protection(venue, own_id).rule == RULE
    simulator.trip(venue, name)
    assert simulator.protection(venue, own_id).last_trigger
    assert simulator.resting(venue, name) == []
    others = [other for where, other, _ in NAMES if (where, other) != (venue, own_id) and where == venue]
    assert not [other for other in others if simulator.protection(venue, other).last_trigger]


@rows('method', BY_NAME)
@rows(
    ('venue', 'name', 'said'),
    [
        ('okxx', 'BTC-USD', 'a venue is one of okx, binance, deribit, bybit, not okxx'),
        ('Binance', 'BTCUSDT', 'a venue is one of okx, binance, deribit, bybit, not Binance'),
        (None, 'BTC-USD', 'a venue is one of okx, binance, deribit, bybit, not None'),
        ('okx', 'BCT/USD', r'okx lists no option of BCT/USD, but of BTC-USD \(BTC/USD\), .*BTC-USD_UM \(BTC/USD:USD\)'),
        ('okx', 'BTCUSDT', 'okx lists no option of BTCUSDT'),
        ('okx', 'BTC/USD:ETH', 'okx lists no option of BTC/USD:ETH'),
        ('okx', '', 'okx lists no option of , but of'),
        ('binance', 'BTC/USD', r'binance lists no option of BTC/USD, but of BTCUSDT \(BTC/USDT\)'),
        ('binance', 'BTC-USD', 'binance lists no option of BTC-USD'),
        ('binance', None, 'binance lists no option of None'),
        ('okx', ['BTC-USD'], 'okx lists no option of'),
    ],
)
def test_name_of_nothing_is_refused_by_what_is_known(simulator, method, venue, name, said):
    with pytest.raises(ValueError, match=said):
        BY_NAME[method](simulator, venue, name)


def test_block_trading_has_no_underlying(simulator):
    simulator.set_rule('okx', None, RULE)
    simulator.trip('okx')
    assert simulator.protection('okx').last_trigger
    with pytest.raises(ValueError, match='okx lists no option of None'):
        simulator.resting('okx', None)


@pytest.mark.parametrize(
    ('venue', 'name', 'base', 'settle', 'own_id'),
    [
        ('okx', 'SOL/USD', 'SOL', 'SOL', 'SOL-USD'),
        ('okx', 'SOL/USD:USD', 'SOL', 'USD', 'SOL-USD_UM'),
        ('binance', 'SOL/USDT', 'SOL', 'USDT', 'SOLUSDT'),
        ('binance', 'SOL/USDC:USDC', 'SOL', 'USDC', 'SOLUSDC'),
        ('deribit', 'SOL/USDC', 'SOL', 'USDC', 'sol_usdc'),
        ('bybit', 'SOL/USDT', 'SOL', 'USDT', 'SOL'),
    ],
)
def test_new_underlying_is_listed_by_its_unified_name(simulator, venue, name, base, settle, own_id):
    ids = simulator.list_options(venue, name, base=base, settle=settle, strikes=[100])
    assert simulator.instruments(venue, own_id) == simulator.instruments(venue, name) == ids
    further = simulator.list_options(venue, name, base=base, settle=settle, strikes=[200])
    assert simulator.instruments(venue, own_id) == [*ids, *further]


def test_new_underlying_that_is_settled_in_something_else_is_refused(simulator):
    with pytest.raises(ValueError, match='SOL/USD of okx is of SOL and SOL, not SOL and USD'):
        simulator.list_options('okx', 'SOL/USD', base='SOL', settle='USD', strikes=[100])


@pytest.mark.parametrize(('exchange_id', 'place'), [('okx', 7), ('binance', 7), ('bybit', 7), ('bybit', -7)])
def test_option_has_its_unified_symbol(simulator, exchange_id, place):
    exchange = simulator.connect(
        getattr(ccxt, exchange_id), enableRateLimit=False, options={'fetchMarkets': ['option']}
    )
    exchange.load_markets()
    underlying = EXCHANGES[exchange_id].underlying
    symbol = exchange.safe_symbol(simulator.instruments(exchange_id, underlying)[place])
    order = simulator.rest(exchange_id, underlying, mmp=True, symbol=symbol)
    assert order.instrument.instrument_id == exchange.market(symbol)['id']


def control(simulator, name, arguments):
    request = urllib.request.Request(  # noqa: S310 - loopback
        f'{simulator.url}/_control/{name}', json.dumps(arguments).encode(), {'Content-Type': 'application/json'}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


@rows(('venue', 'own_id', 'name'), EACH)
def test_control_side_takes_every_name(simulator, venue, own_id, name):
    simulator.set_rule(venue, own_id, RULE)
    assert control(simulator, 'trip', {'venue': venue, 'underlying': name})['done'] == 'trip'
    assert simulator.protection(venue, own_id).last_trigger


@pytest.mark.parametrize(
    ('venue', 'name', 'said'),
    [('okxx', 'BTC-USD', 'a venue is one of'), ('okx', 'BTC/USDT', 'okx lists no option of BTC/USDT, but of BTC-USD')],
)
def test_control_side_refuses_a_name_of_nothing(simulator, venue, name, said):
    with pytest.raises(urllib.error.HTTPError, match='400') as caught:
        control(simulator, 'trip', {'venue': venue, 'underlying': name})
    with caught.value as answer:
        assert said in json.load(answer)['error']


# --- faults that strike nothing


def end_of_block(simulator, error=None):
    simulator.__exit__(None if error is None else type(error), error, None)


@pytest.mark.parametrize(
    ('fault', 'method', 'said'),
    [
        (('drop_after', 'mass-cancle'), None, 'drop_after of mass-cancle'),
        (('status',), None, 'status of any path'),
        (('hold', 'order'), 'POST', 'hold of POST order'),
    ],
)
def test_fault_that_was_never_used_fails_the_test(fault, method, said):
    simulator = Simulator()
    simulator.fault(*fault, method=method)
    simulator.fault('truncated', 'time')
    with pytest.raises(AssertionError, match=f'no request came that they strike: {said}, truncated of time$'):
        end_of_block(simulator)
    end_of_block(simulator, KeyError('of the test itself'))


def test_fault_that_was_used_once_may_be_left():
    with Simulator() as simulator:
        simulator.fault('status', 'time', times=3)
        with pytest.raises(ccxt.BaseError):
            simulator.connect(ccxt.okx, enableRateLimit=False).fetch_time()


@pytest.mark.parametrize('way', ['clear', 'clear_faults', 'control'])
def test_faults_that_were_cleared_are_not_missed(way):
    with Simulator() as simulator:
        order = simulator.rest('okx', 'BTC/USD', mmp=True)
        simulator.fault('status', 'nowhere')
        control(simulator, 'clear_faults', {}) if way == 'control' else getattr(simulator, way)()
        assert simulator.resting('okx', 'BTC/USD') == ([] if way == 'clear' else [order])
