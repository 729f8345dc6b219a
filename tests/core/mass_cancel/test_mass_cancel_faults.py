"""A mass cancel whose requests fail: what is cancelled all the same, and what the error says."""

import pickle

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MassCancelIncomplete, MmpNotEnabled
from ccxt_mmp.core.list_and_cancel import ROUNDS
from ccxt_mmp.registry import EXCHANGES
from tests.core.mass_cancel.cancelling import (
    BATCH,
    LIST,
    after_each_list,
    cancel,
    ids,
    lists,
    lose_all_but_the_first,
    quote,
    resting,
)
from tests.rows import rows
from tests.trading import UNIFIED

FAULTS = {
    'a batch fails once': [('status', 'batch', {'status': 500})],
    'a connection is dropped before it takes effect': [('drop_before', 'batch', {})],
    'a connection is dropped after it took effect': [('drop_after', 'batch', {'times': 2})],
    'a batch fails more often than it is repeated': [('status', 'batch', {'status': 502, 'times': 4})],
    'an answer is cut off': [('truncated', 'batch', {})],
    'an answer is a page': [('malformed', 'batch', {})],
    'the list fails once': [('status', 'list', {'status': 500})],
    'the list is cut off once': [('truncated', 'list', {})],
    'the list fails more often than it is repeated': [('status', 'list', {'status': 503, 'times': 4})],
    'half of a batch is refused': [('half_batch', 'batch', {'times': 2})],
    'all of it': [('status', '', {'status': 503, 'times': 2}), ('drop_after', 'batch', {}), ('truncated', 'list', {})],
}


@rows('faults', FAULTS.values(), ids=FAULTS)
def test_fault_that_passes_leaves_nothing_behind(flavour, simulator, exchange, exchange_id, faults):
    mine = quote(simulator, exchange_id, 3, 5)
    others = quote(simulator, exchange_id, 3, 1, mmp=False)
    for kind, place, details in faults:
        path = {'list': LIST, 'batch': BATCH, '': {exchange_id: ''}}[place][exchange_id]
        simulator.fault(kind, path, **details)
    cancelled = cancel(flavour, exchange)
    assert resting(simulator, exchange_id) == others
    reported = ids(cancelled['orders'])
    assert len(set(reported)) == len(reported)
    assert set(reported) <= set(mine)
    # what was cancelled by a request whose answer was lost was, for all that is known, filled
    is_lost = any(kind in ('drop_after', 'truncated', 'malformed') for kind, place, _ in faults if place == 'batch')
    assert (set(reported) == set(mine)) or is_lost


def test_orders_that_are_gone_already_are_not_reported(flavour, simulator, exchange, exchange_id):
    """They go between the list and their cancellation."""
    mine = quote(simulator, exchange_id, 2, 3)

    def fill_some(number, rows):
        for order_id in mine[:4] if number == 0 else ():
            simulator.fill(order_id)

    after_each_list(exchange, fill_some)
    cancelled = cancel(flavour, exchange)
    assert ids(cancelled['orders']) == sorted(mine[4:])
    assert resting(simulator, exchange_id) == []
    assert len(lists(simulator, exchange_id)) == 2


def told_of(error):
    """The orders that the exchange says it cancelled; on Bybit, which acknowledges, they are unknown without a list."""
    both = [error.cancelled, error.unknown]
    return both[::-1] if 'bybit' in str(error) else both


def test_orders_that_are_gone_are_not_left_if_the_next_list_fails(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 1, 3)

    def fill_one_then_fail(number, rows):
        lose_all_but_the_first(number, rows)
        simulator.fill(mine[0])

    after_each_list(exchange, fill_one_then_fail)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    told, others = told_of(caught.value)
    assert sorted(told) == sorted(mine[1:])
    assert caught.value.remaining == others == []


def test_single_order_that_is_gone_is_not_reported(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    [only] = quote(simulator, 'binance', 1, 1)
    after_each_list(exchange, lambda number, rows: number or simulator.fill(only))
    assert cancel(flavour, exchange)['orders'] == []


@pytest.mark.usefixtures('slept')
def test_order_that_is_refused_for_ever_is_what_is_left(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 4, 3)
    simulator.refuse_cancel(mine[4])
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    error = caught.value
    assert resting(simulator, exchange_id) == error.remaining == [mine[4]]
    assert sorted(error.cancelled) == sorted(each for each in mine if each != mine[4])
    assert error.unknown == []
    assert str(error).endswith('; call it again')
    causes = {
        'binance': ccxt.OperationRejected,
        'okx': ccxt.ExchangeNotAvailable,
        'deribit': ccxt.ExchangeError,
        'bybit': ccxt.OperationFailed,
    }
    cause = causes[exchange_id]
    assert type(error.__cause__) is cause
    assert f'cancelled 11, remaining 1 ({mine[4]}), unknown 0' in str(error)
    assert cause.__name__ in str(error)
    assert len(lists(simulator, exchange_id)) == 1 + 3  # three rounds, each followed by a look


def test_single_order_that_is_refused_for_ever(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    [only] = quote(simulator, 'binance', 1, 1)
    simulator.refuse_cancel(only)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert caught.value.remaining == [only]


def test_list_that_always_fails_says_that_nothing_is_known(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 2)
    simulator.fault('status', LIST[exchange_id], status=500, times=1000)
    with pytest.raises(MassCancelIncomplete, match='whether others rest is not known') as caught:
        cancel(flavour, exchange)
    assert (caught.value.cancelled, caught.value.remaining, caught.value.unknown) == ([], [], [])
    assert type(caught.value.__cause__) is ccxt.ExchangeNotAvailable
    assert resting(simulator, exchange_id) == mine


def test_list_that_fails_after_the_first_says_what_was_cancelled(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 2)
    after_each_list(exchange, lose_all_but_the_first)
    with pytest.raises(MassCancelIncomplete, match='whether others rest is not known') as caught:
        cancel(flavour, exchange)
    told, others = told_of(caught.value)
    assert sorted(told) == sorted(mine)
    assert caught.value.remaining == others == []
    assert resting(simulator, exchange_id) == []


def test_answer_that_is_always_lost_is_unknown(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 1, 3)
    after_each_list(exchange, lose_all_but_the_first)
    simulator.fault('malformed', BATCH[exchange_id], times=1000)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert caught.value.cancelled == caught.value.remaining == []
    assert sorted(caught.value.unknown) == sorted(mine)


def test_ban_ends_it_at_once(flavour, simulator):
    """Binance's 429 and 418: a banned address can cancel nothing."""
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 2}})
    mine = quote(simulator, 'binance', 12)
    cancelling = exchange._cancel_chunk
    tried = []

    async def ban_the_fourth(*arguments):
        tried.append(arguments)
        if len(tried) == 4:
            simulator.fault('status', 'batchOrders', status=429, times=1000)
        return await cancelling(*arguments)

    exchange._cancel_chunk = ban_the_fourth
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    error = caught.value
    assert type(error.__cause__) is ccxt.DDoSProtection
    assert sorted(error.remaining) == sorted(resting(simulator, 'binance'))
    assert sorted(error.cancelled + error.remaining) == sorted(mine)
    refused = [request.status for request in simulator.requests].index(429)
    assert len(simulator.requests) <= refused + 1 + 1  # the other of the two at once


@pytest.mark.parametrize('status', [418, 429])
def test_ban_of_the_list_is_asked_once(flavour, simulator, status):
    exchange = flavour.exchange('binance', simulator.url)
    quote(simulator, 'binance', 1)
    simulator.fault('status', 'openOrders', status=status, times=1000)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert type(caught.value.__cause__) is ccxt.DDoSProtection
    assert str(caught.value).endswith('; call it again once the exchange answers this address')
    assert len(simulator.requests) == 1


def test_permission_that_is_missing_is_raised_as_itself(flavour, simulator, exchange, exchange_id):
    quote(simulator, exchange_id, 2)
    simulator._account.permissions.discard('trade')
    with pytest.raises(ccxt.BaseError) as caught:
        cancel(flavour, exchange)
    # OKX's code for it is none that ccxt knows
    expected = {
        'binance': ccxt.AuthenticationError,
        'okx': MassCancelIncomplete,
        'deribit': ccxt.PermissionDenied,
        'bybit': ccxt.PermissionDenied,
    }[exchange_id]
    assert type(caught.value) is expected
    if exchange_id == 'binance':
        assert len(simulator.requests) == 3  # the list, and each of the batches once


def test_permission_that_goes_meanwhile_says_what_was_cancelled(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    mine = quote(simulator, 'binance', 4)
    cancelling = exchange._cancel_chunk

    async def revoke(*arguments):
        outcome = await cancelling(*arguments)
        simulator._account.permissions.discard('trade')
        return outcome

    exchange._cancel_chunk = revoke
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert isinstance(caught.value.__cause__, ccxt.AuthenticationError)
    assert sorted(caught.value.cancelled) == sorted(mine[:2])
    assert sorted(caught.value.remaining) == sorted(mine[2:])
    assert len([each for each in simulator.requests if each.path.endswith('openOrders')]) == 1


def test_error_of_its_own_is_not_swallowed(flavour, simulator, exchange):
    mine = quote(simulator, exchange.id, 2)

    async def broken(*arguments):
        raise ZeroDivisionError

    exchange._cancel_chunk = broken
    with pytest.raises(MassCancelIncomplete, match='ZeroDivisionError') as caught:
        cancel(flavour, exchange)
    assert type(caught.value.__cause__) is ZeroDivisionError
    assert sorted(caught.value.remaining) == sorted(mine)


def test_incomplete_error_survives_pickling_and_names_the_first_ids():
    error = MassCancelIncomplete('text', ['1'], ['2'], ['3'])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.cancelled, again.remaining, again.unknown) == ('text', ['1'], ['2'], ['3'])
    assert MassCancelIncomplete('text').remaining == []
    assert issubclass(MassCancelIncomplete, ccxt.OperationFailed)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_what_is_no_error_of_ccxts_does_not_leave_it(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)

    def closed(*arguments, **keywords):
        raise RuntimeError('Session is closed')

    exchange.fetch = closed
    with pytest.raises(ccxt.OperationFailed, match='Session is closed'):
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))


def test_answer_that_was_lost_before_a_refusal_leaves_it_open(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    mine = quote(simulator, 'binance', 1)
    simulator.fault('status', 'batchOrders', status=503)
    simulator.fault('status', 'batchOrders', status=429, times=100)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert caught.value.remaining == []
    assert sorted(caught.value.unknown) == sorted(mine)
    assert type(caught.value.__cause__) is ccxt.ExchangeNotAvailable


def test_answer_that_was_lost_after_a_refusal_leaves_it_open(flavour, simulator):
    limits = {'POST trade/cancel-batch-orders': [300, 20]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits})
    mine = quote(simulator, 'okx', 1)
    after_each_list(exchange, lose_all_but_the_first)
    for _ in range(ROUNDS):
        simulator.fault('status', 'cancel-batch-orders', status=429)
        simulator.fault('status', 'cancel-batch-orders', status=503, times=3)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert caught.value.remaining == []
    assert sorted(caught.value.unknown) == sorted(mine)


def test_many_ids_are_counted_and_the_first_named(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    mine = quote(simulator, 'binance', 4)
    simulator.fault('status', 'batchOrders', status=429, times=1000)
    with pytest.raises(MassCancelIncomplete, match='remaining 8') as caught:
        cancel(flavour, exchange)
    assert ', '.join(mine[:5]) + ', ...)' in str(caught.value)
    assert 'signature' not in str(caught.value)


def test_lost_answers_and_a_permission_that_is_missing_say_what_is_unknown(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    mine = quote(simulator, 'binance', 2)
    cancelling = exchange._cancel_chunk
    tried = []

    async def lose_then_revoke(*arguments):
        tried.append(arguments)
        if len(tried) == 2:
            simulator._account.permissions.discard('trade')
        return await cancelling(*arguments)

    exchange._cancel_chunk = lose_then_revoke
    simulator.fault('truncated', 'batchOrders', times=3)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert sorted(caught.value.unknown) == sorted(mine[:2])
    assert sorted(caught.value.remaining) == sorted(mine[2:])


def test_answer_that_was_lost_before_a_permanent_refusal_leaves_it_open(flavour, simulator):
    """The first request may have cancelled: that the second was refused says nothing about it."""
    exchange = flavour.exchange('okx', simulator.url)
    quote(simulator, 'okx', 1)
    simulator.fault('drop_after', 'mass-cancel')
    sending = exchange._send

    async def revoke_after_the_first(*arguments, **keywords):
        try:
            return await sending(*arguments, **keywords)
        finally:
            simulator.privileged = False

    exchange._send = revoke_after_the_first
    with pytest.raises(ccxt.NetworkError) as caught:
        cancel(flavour, exchange, emulate=False)
    assert type(caught.value.__cause__) is MmpNotEnabled
    assert len(simulator.requests) == 2
