"""OKX's orders are amended: they keep their id and their flag, and what cannot be amended says why."""

import ccxt
import pytest

from tests.simulator.test_examples import call_okx
from tests.simulator.test_markets import OURS, STOCK, connected
from tests.trading import load_markets, with_markets

FAMILY = 'BTC-USD'


@pytest.fixture
def order(simulator):
    simulator.set_rule('okx', FAMILY)
    return simulator.rest('okx', FAMILY, mmp=True)


def amend(simulator, order, **changes):
    """The row of one amendment."""
    body = {'instId': order.instrument.instrument_id, 'ordId': order.order_id, **changes}
    [row] = call_okx(simulator, 'POST', 'trade/amend-order', {k: v for k, v in body.items() if v is not None})['data']
    return row


def terms(order):
    return order.price, int(order.quantity), order.state


@pytest.mark.parametrize('modules', [STOCK, OURS], ids=['stock', 'ours'])
def test_order_is_edited_by_ccxt_and_keeps_its_flag(flavour, simulator, order, modules):
    exchange = connected(flavour, simulator, modules, 'okx')
    load_markets(flavour, exchange)
    symbol = exchange.safe_symbol(order.instrument.instrument_id)
    params = {'mmp': True} if modules is OURS else {}
    edited = flavour.take(exchange.edit_order(order.order_id, symbol, 'limit', 'buy', 20, 0.02, params))
    assert edited['id'] == order.order_id
    assert terms(order) == ('0.02', 20, 'live')
    assert (order.mmp, order.order_type) == (True, 'mmp')
    [listed] = flavour.take(exchange.fetch_open_orders(symbol))
    assert (listed['price'], listed['amount']) == (0.02, 20)


def test_each_term_is_amended_alone(simulator, order):
    assert amend(simulator, order, newPx='0.02', reqId='r1')['reqId'] == 'r1'
    assert terms(order) == ('0.02', 10, 'live')
    row = amend(simulator, order, newSz='20')
    assert terms(order) == ('0.02', 20, 'live')
    assert {name: row[name] for name in ('ordId', 'clOrdId', 'reqId', 'sCode', 'sMsg')} == {
        'ordId': order.order_id,
        'clOrdId': '',
        'reqId': '',
        'sCode': '0',
        'sMsg': '',
    }


def test_order_is_found_by_its_client_id(simulator, order):
    order.client_order_id = 'mine'
    assert amend(simulator, order, ordId=None, clOrdId='mine', newSz='20')['clOrdId'] == 'mine'
    assert order.quantity == 20


def test_new_size_counts_what_is_filled(simulator, order):
    simulator.fill(order.order_id, 1)
    amend(simulator, order, newSz='12')
    assert (order.quantity, order.filled, order.state) == (12, 1, 'partially_filled')
    amend(simulator, order, newSz='1')
    assert terms(order) == (order.price, 1, 'filled')
    assert simulator.resting('okx', FAMILY) == []


def test_fills_keep_the_price_that_they_had(simulator, order):
    simulator.fill(order.order_id, 1)
    amend(simulator, order, newPx='0.02')
    assert order.average_price == '0.0001'
    simulator.advance(10_000)  # out of the window of the rule
    simulator.fill(order.order_id, 1)
    assert (order.average_price, order.fill_price) == ('0.01005', '0.02')


@pytest.mark.parametrize(
    ('changes', 'code'),
    [
        ({}, '51500'),
        ({'newSz': '1.5'}, '51000'),
        ({'newSz': '0'}, '51000'),
        ({'newPx': '-1'}, '51000'),
        ({'newPx': '0.02', 'ordId': '1'}, '51503'),
        ({'newPx': '0.02', 'instId': 'BTC-USD-300101-1-C'}, '51503'),
    ],
)
def test_what_cannot_be_amended_says_why_and_stays(simulator, order, changes, code):
    before = terms(order)
    answer = amend(simulator, order, **changes)
    assert answer['sCode'] == code
    assert terms(order) == before


def test_order_that_is_gone_cannot_be_amended(simulator, order):
    simulator.trip('okx', FAMILY)
    assert amend(simulator, order, newPx='0.02')['sCode'] == '51503'


@pytest.mark.parametrize(('flag', 'state'), [(True, 'canceled'), ('true', 'canceled'), (False, 'live')])
def test_failed_amendment_cancels_only_where_it_is_asked_to(simulator, order, flag, state):
    order.cancel_refused = True  # which is to its owner
    assert amend(simulator, order, newSz='1.5', cxlOnFail=flag)['sCode'] == '51000'
    assert order.state == state


def test_account_without_the_privilege_amends_other_orders_alone(simulator, order):
    simulator.privileged = False
    assert amend(simulator, order, newPx='0.02')['sCode'] == '51035'
    assert amend(simulator, simulator.rest('okx', FAMILY, mmp=False), newPx='0.02')['sCode'] == '0'


@pytest.mark.parametrize(('field', 'code'), [('locked_until', '54008'), ('freeze_ends', '51034')])
def test_lock_and_freeze_stop_amendments_of_mmp_orders_alone(simulator, order, field, code):
    # no MMP order can be left after a trigger or a mass cancel: the engine makes sure all the same
    setattr(simulator.protection('okx', FAMILY), field, simulator.now() + 60_000)
    assert amend(simulator, order, newPx='0.02')['sCode'] == code
    assert order.price == '0.0001'
    simulator.advance(60_000)
    assert amend(simulator, order, newPx='0.02')['sCode'] == '0'


def test_amendments_of_a_batch_have_each_their_own_outcome(simulator, order):
    other = simulator.rest('okx', FAMILY, mmp=False)
    option = order.instrument.instrument_id
    items = [
        {'instId': option, 'ordId': order.order_id, 'newPx': '0.02', 'reqId': 'a'},
        {'instId': option, 'ordId': '1', 'newPx': '0.02', 'reqId': 'b'},
        {'instId': option, 'ordId': other.order_id, 'newPx': '0.03'},
    ]
    answer = call_okx(simulator, 'POST', 'trade/amend-batch-orders', items)
    assert answer['code'] == '2'
    assert [(row['sCode'], row['reqId']) for row in answer['data']] == [('0', 'a'), ('51503', 'b'), ('0', '')]
    assert (order.price, other.price) == ('0.02', '0.03')
    twice = call_okx(simulator, 'POST', 'trade/amend-batch-orders', [items[0], {**items[0], 'newPx': '0.04'}])
    assert (twice['code'], order.price) == ('51512', '0.02')


def test_amendments_have_a_limit_of_their_own(simulator, order):
    exchange = with_markets(simulator.connect(ccxt.okx, enableRateLimit=False))
    item = {'instId': order.instrument.instrument_id, 'ordId': order.order_id, 'newPx': '0.02'}
    for _ in range(60):
        exchange.privatePostTradeAmendOrder(item)
    with pytest.raises(ccxt.RateLimitExceeded):
        exchange.privatePostTradeAmendOrder(item)
    exchange.privatePostTradeAmendBatchOrders([item])
