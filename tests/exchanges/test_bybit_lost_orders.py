"""A mass cancel on Bybit after orders whose answer was lost: they may rest later than they arrive."""

import contextlib
import time

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core import acknowledging, fence
from tests.core.mass_cancel.cancelling import after_each_list, ids
from tests.exchanges.bybit_orders import COIN, PLACE, asked, cancel, hide_until, raw_order, resting
from tests.trading import markets, symbols


class Interrupted(BaseException):
    """As a task that is cancelled, or Ctrl-C."""


def interrupt(*_):
    raise Interrupted


@pytest.fixture
def arrived(monkeypatch):
    """What was sent has reached the exchange by now: it is not in flight, and no list may have it yet."""
    monkeypatch.setattr(fence, 'GRACE', 0.0)


def lose(flavour, simulator, bybit, option, place='create_order', fault='drop_after'):
    """The id of an order that was placed, and whose answer did not come."""
    if fault is Interrupted:
        bybit.on_rest_response = interrupt
    else:
        simulator.fault(fault, 'create-batch' if 'batch' in place or place == 'create_orders' else 'order/create')
    with contextlib.suppress(ccxt.OperationFailed, Interrupted):  # a raw call returns a page as a text
        flavour.take(PLACE[place](bybit, option))
    vars(bybit).pop('on_rest_response', None)
    return resting(simulator)[0] if fault != 'drop_before' else None


def noted(bybit):
    return {*bybit._unlisted(COIN)}


@pytest.mark.usefixtures('slept', 'arrived')
@pytest.mark.parametrize('place', PLACE)
@pytest.mark.parametrize('fault', ['drop_after', 'truncated', 'malformed', Interrupted])
def test_order_whose_answer_was_lost_is_waited_for(flavour, simulator, bybit, option, place, fault):
    placed = lose(flavour, simulator, bybit, option, place, fault)
    assert noted(bybit) == {simulator.order(placed).client_order_id}
    hide_until(bybit, 2)
    assert ids(cancel(flavour, bybit)['orders']) == [placed]
    assert resting(simulator) == []
    assert noted(bybit) == set()


@pytest.mark.usefixtures('slept', 'arrived')
def test_cancel_of_all_waits_for_an_order_whose_answer_was_lost(flavour, simulator, bybit, option):
    placed = lose(flavour, simulator, bybit, option)
    hide_until(bybit, 2)
    simulator.refuse_cancel(placed, acknowledged=True)
    after_each_list(bybit, lambda number, rows: simulator.allow_cancel(placed) if number == 2 else None)
    cancel(flavour, bybit, includeNonMmp=True)
    assert resting(simulator) == []


@pytest.mark.usefixtures('arrived')
@pytest.mark.parametrize('is_filled', [False, True])
def test_order_whose_answer_was_lost_is_known_once_it_is_listed_or_closed(
    flavour, simulator, bybit, option, is_filled, monkeypatch
):
    monkeypatch.setattr(acknowledging, 'WAIT', 600.0)  # longer than the test
    placed = lose(flavour, simulator, bybit, option)
    if is_filled:
        simulator.fill(placed)
    assert ids(cancel(flavour, bybit)['orders']) == ([] if is_filled else [placed])
    assert noted(bybit) == set()
    seen = len(simulator.requests)
    cancel(flavour, bybit)
    assert not [each for each in simulator.requests[seen:] if 'openOnly=1' in each.query]


@pytest.mark.usefixtures('arrived')
def test_order_that_never_arrived_is_none_after_a_while(flavour, simulator, bybit, option, monkeypatch):
    monkeypatch.setattr(acknowledging, 'WAIT', 0.2)
    lose(flavour, simulator, bybit, option, fault='drop_before')
    assert len(noted(bybit)) == 1
    assert cancel(flavour, bybit)['orders'] == []
    assert noted(bybit) == set()


@pytest.mark.usefixtures('slept', 'arrived')
def test_order_that_never_arrived_is_unknown_where_no_time_is_left(flavour, simulator, bybit, option):
    lose(flavour, simulator, bybit, option, fault='drop_before')
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit, timeout=500)
    assert {*caught.value.unknown} == noted(bybit)


def test_order_whose_answer_was_lost_has_the_time_of_its_way_too(bybit):
    begun = time.monotonic()
    bybit._note_lost([COIN], ['', 'mmp-1'])
    assert noted(bybit) == {'mmp-1'}
    assert bybit._unlisted(COIN)['mmp-1'] >= begun + 1 + acknowledging.WAIT


@pytest.mark.usefixtures('slept')
@pytest.mark.parametrize('params', [{}, {'includeNonMmp': True}])
def test_order_that_may_come_late_costs_no_round(flavour, simulator, bybit, params):
    bybit._note_accepted([COIN], ['mmp-1'], 10)
    cancelling, rounds = bybit._cancel_what_rests, []

    def cancel_what_rests(*arguments):
        rounds.append(arguments)
        return cancelling(*arguments)

    bybit._cancel_what_rests = cancel_what_rests
    cancel(flavour, bybit, timeout=60_000, **params)
    assert (len(rounds), len(asked(simulator, 'cancel-all'))) == (0, bool(params))


@pytest.mark.parametrize('place', PLACE)
def test_order_that_was_acknowledged_is_noted_once(flavour, simulator, bybit, option, place):
    flavour.take(PLACE[place](bybit, option))
    assert noted(bybit) == {*resting(simulator)}


def test_edit_whose_answer_was_lost_makes_no_order(flavour, simulator, bybit, option):
    placed = flavour.take(PLACE['create_order'](bybit, option))
    bybit._forget_accepted(COIN, [{'orderId': placed['id']}])
    simulator.fault('drop_after', 'order/amend')
    named = {'mmp': True, 'clientOrderId': placed['clientOrderId']}
    with pytest.raises(ccxt.NetworkError):
        flavour.take(bybit.edit_order('', option, 'limit', 'buy', 1, 6, named))
    assert noted(bybit) == set()


def test_order_without_the_tag_is_none_that_a_list_has_by_it(flavour, simulator, bybit, option):
    orders = [raw_order(bybit, option), {**raw_order(bybit, option), 'orderLinkId': 'untagged'}]
    simulator.fault('drop_after', 'create-batch')
    with pytest.raises(ccxt.NetworkError):
        flavour.take(bybit.privatePostV5OrderCreateBatch({'category': 'option', 'request': orders}))
    assert len(resting(simulator)) == 2
    assert noted(bybit) == {'mmp-raw-0'}


def batch_answer(*items):
    rows = [{'orderId': order_id} for order_id, _ in items]
    return {'result': {'list': rows}, 'retExtInfo': {'list': [outcome for _, outcome in items]}}


ACCEPTED, REFUSED_ITEM = ('1', {'code': 0}), ('', {'code': 110007})


@pytest.mark.parametrize(
    ('answer', 'untold'),
    [
        (batch_answer(ACCEPTED, ACCEPTED), []),
        (batch_answer(ACCEPTED, REFUSED_ITEM), []),
        (batch_answer(ACCEPTED, ('', {'code': 10000})), ['mmp-2']),  # a timeout
        (batch_answer(('', {'code': 0}), REFUSED_ITEM), ['mmp-1']),
        (batch_answer(REFUSED_ITEM, ('', {})), ['mmp-2']),
        (batch_answer(ACCEPTED), ['mmp-1', 'mmp-2']),
        ({'result': {}}, ['mmp-1', 'mmp-2']),
        (None, ['mmp-1', 'mmp-2']),
    ],
)
def test_order_that_an_answer_neither_accepts_nor_refuses_may_come(bybit, answer, untold):
    assert bybit._untold(['mmp-1', 'mmp-2'], answer) == untold


def test_order_that_was_refused_cannot_come(flavour, canned):
    canned.answer('{"retCode":110007,"retMsg":"ab not enough for new order","result":{},"retExtInfo":{}}')
    bybit = flavour.exchange('bybit', canned.url)
    bybit.set_markets(markets('bybit'))
    with pytest.raises(ccxt.InsufficientFunds):
        flavour.take(PLACE['create_order'](bybit, symbols(bybit, COIN)[0]))
    assert noted(bybit) == set()
