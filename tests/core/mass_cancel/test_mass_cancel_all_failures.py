"""``mass_cancel_mmps``: no failure stops another, each is told, and the time bounds the whole call."""

import json
import pickle
import time

import pytest
from ccxt.base.errors import AuthenticationError, BadResponse, ExchangeNotAvailable, PermissionDenied

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core.mass_cancels import incomplete
from ccxt_mmp.errors import BadSymbol
from tests.core.mass_cancel.several import (
    KEYS,
    cancel_all,
    cancel_listed,
    ids,
    names,
    paths,
    protect_both,
    rest_both,
    resting_of,
)
from tests.core.ordering import create
from tests.trading import symbols, with_markets

# what tells of the underlyings
RULES = {'okx': 'mmp-config', 'binance': 'openOrders', 'deribit': 'get_mmp_config', 'bybit': 'realtime'}


def incomplete_all(flavour, exchange, underlyings=None, cancel=cancel_all, **params):
    with pytest.raises(MassCancelIncomplete) as raised:
        cancel(flavour, exchange, underlyings, **params)
    return raised.value


@pytest.mark.usefixtures('slept')
def test_failure_of_one_stops_no_other_and_is_named_first(flavour, simulator, exchange, exchange_id):
    first, second = rest_both(simulator, exchange_id)
    simulator.refuse_cancel(second[0])
    error = incomplete_all(flavour, exchange, names(exchange_id), cancel=cancel_listed)
    assert resting_of(simulator, exchange_id) == second[:1]
    done, failed = error.results.values()
    assert sorted(order['id'] for order in done['orders']) == sorted(first)
    assert isinstance(failed, MassCancelIncomplete)
    assert failed.remaining == error.remaining == second[:1]
    assert sorted(error.cancelled) == sorted([*first, second[1]])
    good, bad = names(exchange_id)
    assert str(error).startswith(
        f'{exchange_id} massCancelMmps() is incomplete: it failed for {bad}; {bad}: MassCancel'
    )
    assert str(error).endswith(f'; done: {good}; call it again')
    assert error.__cause__ is failed


def test_name_that_the_exchange_does_not_know_is_a_failure_of_that_one(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    unknown = names(exchange_id)[0].replace('BTC', 'BCT')
    error = incomplete_all(flavour, exchange, [*names(exchange_id), unknown], cancel=cancel_listed)
    assert [type(each) for each in error.results.values()] == [dict, dict, BadSymbol]
    assert resting_of(simulator, exchange_id) == []


def test_name_that_was_wrong_once_fails_no_cancel_of_all(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    protect_both(simulator, exchange_id)
    unknown = names(exchange_id)[0].replace('BTC', 'BCT')
    with pytest.raises(MassCancelIncomplete):
        cancel_all(flavour, exchange, [unknown])
    assert list(cancel_all(flavour, exchange)) == list(KEYS[exchange_id])


def test_list_that_fails_stops_no_cancel_of_what_this_object_knows(flavour, simulator, exchange, exchange_id):
    if exchange_id == 'bybit':
        pytest.skip('its lists of each underlying are of the same endpoint')
    with_markets(exchange)
    create(flavour, exchange, symbols(exchange, ids(exchange_id)[0])[0], {'mmp': True})
    protect_both(simulator, exchange_id)
    simulator.fault('status', RULES[exchange_id], status=503, times=3)
    if exchange_id == 'binance':  # its list is that of the orders, which later rounds read again
        assert list(cancel_all(flavour, exchange)) == [KEYS[exchange_id][0]]
    else:
        error = incomplete_all(flavour, exchange)
        assert list(error.results) == [KEYS[exchange_id][0]]
        assert error.results[KEYS[exchange_id][0]]['underlyingId'] == ids(exchange_id)[0]
        assert isinstance(error.__cause__, ExchangeNotAvailable)
        assert 'whether others have MMP orders is not known: ExchangeNotAvailable' in str(error)
    assert resting_of(simulator, exchange_id) == []


def test_list_that_fails_for_ever_is_told_also_if_nothing_is_known(flavour, simulator, exchange, exchange_id):
    simulator.fault('status', RULES[exchange_id], status=503, times=99)
    error = incomplete_all(flavour, exchange)
    simulator.clear_faults()
    assert error.results == {}
    assert 'whether others have MMP orders is not known' in str(error)
    assert str(error).endswith('done: none; call it again')


def test_list_that_fails_is_read_again_if_nothing_is_known(flavour, simulator, exchange, exchange_id):
    if exchange_id != 'binance':
        pytest.skip('lists rules, once')
    rest_both(simulator, exchange_id)
    simulator.fault('status', RULES[exchange_id], status=503, times=4)
    assert list(cancel_all(flavour, exchange)) == list(KEYS[exchange_id])
    assert resting_of(simulator, exchange_id) == []


def test_list_that_hangs_delays_no_cancel_of_what_this_object_knows(flavour, simulator, exchange, exchange_id):
    if exchange_id in ('binance', 'bybit'):
        pytest.skip('cancels by the same list, or by one of the same endpoint')
    with_markets(exchange)
    create(flavour, exchange, symbols(exchange, ids(exchange_id)[0])[0], {'mmp': True})
    for timeout in (60, 600, 3000):  # a busy machine may need more for the cancel
        simulator.fault('delay', RULES[exchange_id], milliseconds=60_000, times=9)
        started = time.monotonic()
        error = incomplete_all(flavour, exchange, timeout=timeout)
        assert time.monotonic() - started < 5
        simulator.clear_faults()
        if not resting_of(simulator, exchange_id):
            break
    assert list(error.results) == [KEYS[exchange_id][0]]
    assert resting_of(simulator, exchange_id) == []


def test_time_bounds_the_whole_call(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    simulator.fault('delay', '', milliseconds=60_000, times=200)
    started = time.monotonic()
    error = incomplete_all(flavour, exchange, names(exchange_id), timeout=100)
    assert time.monotonic() - started < 5
    simulator.clear_faults()
    assert list(error.results) == list(names(exchange_id))
    assert all(isinstance(each, Exception) for each in error.results.values())


def test_ban_of_one_ends_all_where_they_go_together(flavour, simulator, exchange, exchange_id):
    if exchange_id != 'binance':
        pytest.skip('bans nobody')
    rest_both(simulator, exchange_id, 1)
    exchange.options['massCancelMmp']['concurrency'] = 1
    simulator.fault('status', 'order', method='DELETE', status=429)
    error = incomplete_all(flavour, exchange)
    assert paths(simulator) == ['openOrders', 'order']
    assert all('429' in str(each) for each in error.results.values())
    assert len(error.unknown) + len(error.remaining) == 2


def test_order_whose_underlying_is_not_told_is_a_failure_after_all_others(flavour, simulator, exchange, exchange_id):
    if exchange_id == 'deribit':
        pytest.skip('lists the rules')
    mine = rest_both(simulator, exchange_id)
    stock = exchange._list_open_orders

    async def with_a_riddle(*arguments):
        await stock(*arguments)
        arguments[-1].append({'mmp': True, 'orderId': '1', 'ordId': '1', 'symbol': 'BTC', 'instId': 'BTC'})

    exchange._list_open_orders = with_a_riddle
    error = incomplete_all(flavour, exchange, cancel=cancel_listed)
    assert resting_of(simulator, exchange_id) == []
    assert sorted(error.results) == sorted(KEYS[exchange_id])
    assert isinstance(error.__cause__, BadResponse)
    assert 'is not told' in str(error)
    assert len(mine) == 2


@pytest.mark.parametrize('row', [None, 'BTC-USD', {}])
def test_row_that_is_no_order_is_a_failure(flavour, simulator, exchange, exchange_id, row):
    if exchange_id == 'deribit':
        pytest.skip('lists the rules')

    async def list_it(*arguments):
        arguments[-1].append(row)

    exchange._list_open_orders = list_it
    error = incomplete_all(flavour, exchange, cancel=cancel_listed)
    assert error.results == {}
    assert isinstance(error.__cause__, BadResponse)


RULE_WITHOUT_A_NAME = {
    'okx': ('GET', '/api/v5/account/mmp-config', lambda rules: {'code': '0', 'msg': '', 'data': rules}),
    'deribit': ('POST', '/api/v2/private/get_mmp_config', lambda rules: {'jsonrpc': '2.0', 'id': 1, 'result': rules}),
}


def test_rule_without_a_name_is_a_failure_after_those_with_one(flavour, simulator, exchange, exchange_id):
    if exchange_id in ('binance', 'bybit'):
        pytest.skip('lists the open orders')
    rest_both(simulator, exchange_id)
    field = exchange._underlying_field
    method, path, body = RULE_WITHOUT_A_NAME[exchange_id]
    simulator.answer(method, path, body([{}, *({field: each} for each in ids(exchange_id))]))
    error = incomplete_all(flavour, exchange)
    assert sorted(error.results) == sorted(KEYS[exchange_id])
    assert resting_of(simulator, exchange_id) == []
    assert isinstance(error.__cause__, BadResponse)


def test_missing_permission_is_the_failure_of_each(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    exchange.secret = f'{exchange.secret}x'
    error = incomplete_all(flavour, exchange, names(exchange_id))
    assert [type(each) for each in error.results.values()] == [AuthenticationError] * 2


def test_results_survive_pickling():
    cancelled = {'orders': [{'id': '1'}], 'underlyingId': 'BTC-USD'}
    error = incomplete('x', {'a': cancelled, 'b': MassCancelIncomplete('y', ['2'], ['3'], ['4']), 'c': BadSymbol('z')})
    assert (error.cancelled, error.remaining, error.unknown) == (['1', '2'], ['3'], ['4'])
    again = pickle.loads(pickle.dumps(error))
    assert json.dumps(again.results['a']) == json.dumps(cancelled)
    assert [type(each) for each in again.results.values()] == [dict, MassCancelIncomplete, BadSymbol]
    assert MassCancelIncomplete('x').results == {}


def test_error_that_nobody_expects_is_told_as_well(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    stock = exchange._is_to_cancel

    def fail(row, underlying_id):
        if underlying_id == ids(exchange_id)[1]:
            raise PermissionDenied('unexpected')
        return stock(row, underlying_id)

    if exchange_id == 'binance':
        pytest.skip('both are of one list')
    exchange._is_to_cancel = fail
    error = incomplete_all(flavour, exchange, names(exchange_id), cancel=cancel_listed)
    assert 'unexpected' in str(error)
    assert isinstance(error.results[names(exchange_id)[0]], dict)
