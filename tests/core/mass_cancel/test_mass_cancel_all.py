"""``mass_cancel_mmps``: what goes, what stays, in which requests, and how the results are keyed."""

import asyncio
import json
import threading

import pytest

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.errors import (
    ArgumentsRequired,
    AuthenticationError,
    BadRequest,
    BadSymbol,
    MmpHalted,
    NotSupported,
)
from ccxt_mmp.types import MassCancel
from tests.core.mass_cancel.cancelling import LIST
from tests.core.mass_cancel.cancelling import ids as ids_of
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
from tests.rows import rows
from tests.trading import symbols, with_markets


def test_mmp_orders_of_the_named_go_and_no_others(flavour, simulator, exchange, exchange_id):
    mine = rest_both(simulator, exchange_id)
    stay = [simulator.rest(exchange_id, each, mmp=False).order_id for each in ids(exchange_id)]
    done = cancel_all(flavour, exchange, names(exchange_id))
    assert list(done) == list(names(exchange_id))
    assert sorted(resting_of(simulator, exchange_id)) == sorted(stay)
    for cancelled, underlying_id, orders in zip(done.values(), ids(exchange_id), mine, strict=True):
        assert list(cancelled) == list(MassCancel.__annotations__)
        assert cancelled['underlyingId'] == underlying_id
        assert cancelled['orders'] is None or ids_of(cancelled['orders']) == sorted(orders)
    assert exchange.markets is None


def test_unnamed_go_if_the_exchange_tells_of_them(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    protect_both(simulator, exchange_id)
    stay = [simulator.rest(exchange_id, each, mmp=False).order_id for each in ids(exchange_id)]
    assert list(cancel_all(flavour, exchange)) == list(KEYS[exchange_id])
    assert sorted(resting_of(simulator, exchange_id)) == sorted(stay)


def test_unnamed_go_if_this_object_has_sent_orders_of_them(flavour, simulator, exchange, exchange_id):
    """Its own orders may not be listed yet, and need no rule."""
    with_markets(exchange)
    create(flavour, exchange, symbols(exchange, ids(exchange_id)[1])[0], {'mmp': True})
    simulator.requests.clear()
    assert list(cancel_all(flavour, exchange)) == [KEYS[exchange_id][1]]
    assert resting_of(simulator, exchange_id) == []


def test_one_underlying_under_two_names_is_cancelled_once_and_told_twice(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id, 1)
    another = 'BTC/USDT' if exchange_id == 'bybit' else ids(exchange_id)[0]
    twice = [names(exchange_id)[0], another]
    done = cancel_listed(flavour, exchange, twice)
    assert list(done) == twice
    first, second = done.values()
    assert first == second
    assert first is not second
    assert len(first['orders']) == 1


@pytest.mark.parametrize('underlyings', [[], (), iter([])])
def test_no_names_at_all_cancel_nothing(flavour, simulator, exchange, exchange_id, underlyings):
    rest_both(simulator, exchange_id)
    assert cancel_all(flavour, exchange, underlyings) == {}
    assert simulator.requests == []


def test_nothing_that_the_exchange_tells_of_is_an_empty_result(flavour, simulator, exchange, exchange_id):
    simulator.rest(exchange_id, ids(exchange_id)[0], mmp=False)
    assert cancel_all(flavour, exchange) == {}
    assert len([each for each in simulator.requests if 'cursor=' not in each.query]) == 1


def test_underlying_may_be_named_by_the_field_of_the_exchange(flavour, simulator, exchange, exchange_id):
    orders = rest_both(simulator, exchange_id)
    done = cancel_all(flavour, exchange, None, **{exchange._underlying_field: ids(exchange_id)[0]})
    assert list(done) == [ids(exchange_id)[0]]
    assert resting_of(simulator, exchange_id) == orders[1]


def test_one_list_serves_all_where_it_has_the_orders_of_all(flavour, simulator, exchange, exchange_id):
    if exchange_id != 'binance':
        pytest.skip('lists by underlying')
    rest_both(simulator, exchange_id)
    for underlyings in (None, names(exchange_id)):
        simulator.requests.clear()
        done = cancel_all(flavour, exchange, underlyings)
        assert len(done) == 2
        assert paths(simulator).count('openOrders') == (2 if underlyings is None else 1)  # nothing is left for it
    assert resting_of(simulator, exchange_id) == []


def test_result_has_every_answer_that_it_is_made_of(flavour, simulator, exchange, exchange_id):
    if exchange_id != 'binance':
        pytest.skip('lists by underlying')
    rest_both(simulator, exchange_id)
    for cancelled in cancel_all(flavour, exchange).values():
        listed, batch, left = cancelled['info']
        assert (len(listed), len(batch), left) == (4, 2, [])


def test_weight_is_what_all_cancellations_cost_together(flavour, simulator, exchange, exchange_id):
    """Batches of either underlying alone would fit, those of both would not: single cancellations cost less."""
    if exchange_id != 'binance':
        pytest.skip('counts no weight')
    rest_both(simulator, exchange_id, 3)
    # a list is 40, of which one was made and one is to come, a batch is 5, a cancellation 1
    exchange.options['massCancelMmp']['weightLimit'] = 2 * 40 + 9
    cancel_all(flavour, exchange)
    assert paths(simulator).count('order') == 6
    assert 'batchOrders' not in paths(simulator)


def test_cancels_are_under_way_at_once(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)
    stock = exchange._mass_cancel_mmp
    barrier = threading.Barrier(2, timeout=30)
    both = asyncio.Event()
    begun = []

    async def meet(underlying, params):
        begun.append(underlying)
        if exchange.synchronous:
            barrier.wait()
        else:
            if len(begun) == 2:
                both.set()
            await both.wait()
        return await stock(underlying, params)

    if exchange_id == 'binance':
        pytest.skip('one list serves all')
    params = {}
    exchange._check_mass_cancel = lambda *_: None
    exchange._mass_cancel_mmp = meet
    cancel_all(flavour, exchange, names(exchange_id), **params)
    assert sorted(begun) == sorted(ids(exchange_id))
    assert resting_of(simulator, exchange_id) == []
    assert not [each for each in threading.enumerate() if each.name == 'ccxt-mmp']


@pytest.mark.usefixtures('slept')
def test_params_are_those_of_each_mass_cancel(flavour, simulator, exchange, exchange_id):
    others = [simulator.rest(exchange_id, each, mmp=False).order_id for each in ids(exchange_id)]
    rest_both(simulator, exchange_id)
    protect_both(simulator, exchange_id)
    if exchange_id == 'okx':
        done = cancel_all(flavour, exchange, None, lockInterval=1000)
        locks = [json.loads(each.body)['lockInterval'] for each in simulator.requests if 'mass-cancel' in each.path]
        assert locks == ['1000', '1000']
        assert all(each['lockedUntil'] for each in done.values())
        assert sorted(resting_of(simulator, exchange_id)) == sorted(others)
        return
    done = cancel_all(flavour, exchange, None, includeNonMmp=True)
    assert [each['orders'] for each in done.values()] == [None, None]
    assert resting_of(simulator, exchange_id) == []
    # on Bybit each is confirmed by a list
    told = [each for each in simulator.requests if 'baseCoin=' not in each.query and 'cursor=' not in each.query]
    assert len({(each.path, each.query, each.body) for each in told}) == 3  # a limit may want one again


def test_emulated_finds_the_orders_of_accounts_without_rules(flavour, simulator, exchange, exchange_id):
    if exchange_id != 'okx':
        pytest.skip('not emulated')
    mine = rest_both(simulator, exchange_id)
    simulator.rest(exchange_id, 'BTC-USD', mmp=False)
    done = cancel_all(flavour, exchange, None, emulate=True)
    assert {key: ids_of(each['orders']) for key, each in done.items()} == dict(
        zip(KEYS['okx'], map(sorted, mine), strict=True)
    )
    assert paths(simulator)[0] == LIST['okx']
    assert 'instFamily' not in simulator.requests[0].query


# --- what is refused before anything is sent


@rows(
    ('underlyings', 'params', 'error'),
    [
        (['BTC/USD', 'NO SUCH'], {}, BadSymbol),
        (['BTC/USDT', 5], {}, BadSymbol),
        ([None], {}, ArgumentsRequired),
        ('BTC/USD', {}, BadRequest),
        (5, {}, BadRequest),
        (None, {'timeout': 0}, BadRequest),
        ([], {'timeout': 0}, BadRequest),
        (None, {'symbol': 'BTC-USD'}, NotSupported),
        (None, {'time_out': 5}, BadRequest),
        (None, {'scope': 'rfq'}, (BadRequest, NotSupported)),
        (None, {'window': 5}, NotSupported),
        (None, {'halt': 'yes'}, BadRequest),
        (None, {'halt': True}, NotSupported),  # without a store
    ],
)
def test_bad_input_sends_nothing(flavour, simulator, exchange, underlyings, params, error):
    with pytest.raises(error):
        cancel_all(flavour, exchange, underlyings, **params)
    assert simulator.requests == []
    assert not any(fence.in_progress for fence in exchange.__dict__.get('_mmp_fences', {}).values())


def test_missing_credential_is_told_before_anything_is_sent(flavour, simulator, exchange):
    exchange.secret = ''
    with pytest.raises(AuthenticationError):
        cancel_all(flavour, exchange)
    assert simulator.requests == []


# --- with a halt


@pytest.fixture
def halting(exchange, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    return with_markets(exchange)


@pytest.mark.parametrize('are_named', [True, False])
def test_halt_of_each_or_of_all(flavour, simulator, halting, exchange_id, are_named):
    rest_both(simulator, exchange_id)
    protect_both(simulator, exchange_id)
    wanted = {'halt': True, 'reason': 'r', 'duration': 60_000}
    done = cancel_all(flavour, halting, names(exchange_id) if are_named else None, **wanted)
    assert list(done) == list(names(exchange_id) if are_named else KEYS[exchange_id])
    assert resting_of(simulator, exchange_id) == []
    halted = flavour.take(halting.fetch_mmp_halts())
    assert sorted(each['underlyingId'] or '' for each in halted) == (sorted(ids(exchange_id)) if are_named else [''])
    assert {each['reason'] for each in halted} == {'r'}
    with pytest.raises(MmpHalted):
        create(flavour, halting, symbols(halting, ids(exchange_id)[1])[0], {'mmp': True})


def test_halt_stands_if_a_cancel_of_it_fails(flavour, simulator, halting, exchange_id):
    rest_both(simulator, exchange_id)
    simulator.fault('status', '', status=503, times=200)
    with pytest.raises(MassCancelIncomplete, match='the halt stands') as raised:
        cancel_all(flavour, halting, names(exchange_id), halt=True, timeout=2000)
    simulator.clear_faults()
    assert list(raised.value.results) == list(names(exchange_id))
    assert len(flavour.take(halting.fetch_mmp_halts())) == 2


def test_halt_of_all_cancels_what_this_object_knows_if_the_rules_cannot_be_listed(
    flavour, simulator, halting, exchange_id
):
    if halting.has['fetchMmps'] is not True:
        pytest.skip('cancels by the list that tells of the underlyings')
    rest_both(simulator, exchange_id)
    for each in ids(exchange_id):
        halting._mmp_fence(each)  # as after an order of it
    simulator.fault('status', 'mmp-config' if exchange_id == 'okx' else 'get_mmp_config', status=503, times=99)
    with pytest.raises(MassCancelIncomplete, match='whether others have MMP orders is not known: ExchangeNotAvailable'):
        flavour.take(halting.halt_mmp())
    simulator.clear_faults()
    assert resting_of(simulator, exchange_id) == []
    assert [each['underlying'] for each in flavour.take(halting.fetch_mmp_halts())] == [None]
