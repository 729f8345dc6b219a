"""Cancellations one by one and in batches: what is refused, in which order it is answered, and what is listed after."""

import json

import ccxt
import pytest

from ccxt_mmp.simulator import Simulator
from tests.simulator.commands import control
from tests.simulator.test_binance_wire import call
from tests.simulator.test_examples import call_okx

UNDERLYING = {'okx': 'BTC-USD', 'binance': 'BTCUSDT'}


def refuse(simulator, order_id):
    simulator.refuse_cancel(order_id)


def refuse_by_json(simulator, order_id):
    assert control(simulator, 'refuse_cancel', {'order_id': order_id})[0] == 200


def ids_of(orders):
    return [{'instId': order.instrument.instrument_id, 'ordId': order.order_id} for order in orders]


def cancel_batch(simulator, orders):
    """Of Binance: the answers for orders of one contract."""
    parameters = {
        'symbol': orders[0].instrument.instrument_id,
        'orderIds': json.dumps([int(order.order_id) for order in orders]),
    }
    status, _, answers = call(simulator, 'DELETE', 'batchOrders', **parameters)
    assert status == 200
    return answers


@pytest.mark.parametrize('refuse', [refuse, refuse_by_json])
def test_refused_cancel_of_okx(simulator, refuse):
    refused, other = (simulator.rest('okx', 'BTC-USD', mmp=True) for _ in range(2))
    refuse(simulator, refused.order_id)
    item = ids_of([refused])[0]
    for _ in range(2):
        answer = call_okx(simulator, 'POST', 'trade/cancel-order', item)
        assert (answer['code'], answer['data'][0]['sCode']) == ('1', '50026')
    answer = call_okx(simulator, 'POST', 'trade/cancel-batch-orders', ids_of([refused, other]))
    assert answer['code'] == '2'
    assert [(row['sCode'], row['sMsg']) for row in answer['data']] == [
        ('50026', 'System error. Try again later'),
        ('0', ''),
    ]
    assert [refused.is_open, other.is_open] == [True, False]
    simulator.allow_cancel(refused.order_id)
    assert call_okx(simulator, 'POST', 'trade/cancel-order', item)['code'] == '0'
    assert not refused.is_open


@pytest.mark.parametrize('refuse', [refuse, refuse_by_json])
def test_refused_cancel_of_binance(simulator, refuse):
    refused, other = (simulator.rest('binance', 'BTCUSDT', mmp=True) for _ in range(2))
    refuse(simulator, refused.order_id)
    item = {'symbol': refused.instrument.instrument_id, 'orderId': refused.order_id}
    refusal = {'code': -6063, 'msg': 'Cancel rejected by system'}
    for _ in range(2):
        status, _, body = call(simulator, 'DELETE', 'order', **item)
        assert (status, body) == (400, refusal)
    first, second = cancel_batch(simulator, [refused, other])
    assert first == refusal
    assert (second['orderId'], second['status']) == (int(other.order_id), 'CANCELED')
    assert refused.is_open
    assert control(simulator, 'allow_cancel', {'order_id': refused.order_id})[0] == 200
    assert call(simulator, 'DELETE', 'order', **item)[0] == 200
    assert not refused.is_open


def by_underlying(simulator):
    call(simulator, 'DELETE', 'allOpenOrdersByUnderlying', underlying='BTCUSDT')


def by_contract(simulator):
    symbol = simulator.instruments('binance', 'BTCUSDT')[0]
    call(simulator, 'DELETE', 'allOpenOrders', symbol=symbol)


def by_countdown(simulator):
    call(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=5000)
    simulator.advance(5000)


def by_trigger(simulator):
    simulator.set_rule('binance', 'BTCUSDT')
    simulator.trip('binance', 'BTCUSDT')


def by_mass_cancel(simulator):
    call_okx(simulator, 'POST', 'trade/mass-cancel', {'instType': 'OPTION', 'instFamily': 'BTC-USD'})


def by_cancel_all_after(simulator):
    call_okx(simulator, 'POST', 'trade/cancel-all-after', {'timeOut': '10'})
    simulator.advance(10_000)


@pytest.mark.parametrize(
    ('venue', 'way'),
    [
        ('binance', by_underlying),
        ('binance', by_contract),
        ('binance', by_countdown),
        ('binance', by_trigger),
        ('okx', by_mass_cancel),
        ('okx', by_cancel_all_after),
    ],
)
def test_exchange_itself_cancels_what_it_refuses_to_its_owner(simulator, venue, way):
    order = simulator.rest(venue, UNDERLYING[venue], mmp=True)
    simulator.refuse_cancel(order.order_id)
    way(simulator)
    assert not order.is_open


@pytest.mark.parametrize('fill', [False, True])
def test_gone_order_is_told_as_gone_whatever_was_refused_of_it(simulator, fill):
    order = simulator.rest('binance', 'BTCUSDT', mmp=True)
    simulator.refuse_cancel(order.order_id)
    simulator.fill(order.order_id, None if fill else 1)
    item = {'symbol': order.instrument.instrument_id, 'orderId': order.order_id}
    assert call(simulator, 'DELETE', 'order', **item)[2]['code'] == (-2011 if fill else -6063)


def test_refused_cancel_goes_with_other_faults(simulator):
    orders = [simulator.rest('binance', 'BTCUSDT', mmp=True) for _ in range(4)]
    simulator.refuse_cancel(orders[0].order_id)
    simulator.fault('half_batch', 'batchOrders')
    assert [row.get('code', 'gone') for row in cancel_batch(simulator, orders)] == [-6063, -6063, 'gone', -6063]
    assert [order.is_open for order in orders] == [True, True, False, True]


def test_half_of_a_placement_is_surely_refused(simulator):
    symbol = simulator.instruments('binance', 'BTCUSDT')[0]
    order = {'symbol': symbol, 'side': 'BUY', 'type': 'LIMIT', 'quantity': '1', 'price': '1'}
    simulator.fault('half_batch', 'batchOrders')
    _, _, (placed, refused) = call(simulator, 'POST', 'batchOrders', orders=json.dumps([order] * 2))
    assert refused == {'code': -2010, 'msg': 'NEW_ORDER_REJECTED'}
    assert [each.order_id for each in simulator.resting('binance', 'BTCUSDT')] == [str(placed['orderId'])]


@pytest.mark.parametrize('reverse', [False, True])
def test_batch_of_cancels_is_answered_in_order_or_in_reverse(reverse):
    with Simulator(reverse_batch_cancels=reverse) as simulator:
        orders = [simulator.rest('binance', 'BTCUSDT', mmp=True) for _ in range(3)]
        simulator.fill(orders[0].order_id)
        rows = cancel_batch(simulator, orders)
        expected = [-2011, *(int(order.order_id) for order in orders[1:])]
        assert [row.get('orderId', row.get('code')) for row in rows] == (expected[::-1] if reverse else expected)


def test_okx_batch_is_of_any_contracts_of_a_family(simulator):
    symbols = simulator.instruments('okx', 'BTC-USD')[:20]
    orders = [simulator.rest('okx', 'BTC-USD', mmp=True, symbol=symbol) for symbol in symbols]
    kept = simulator.rest('okx', 'BTC-USD', mmp=True)
    answer = call_okx(simulator, 'POST', 'trade/cancel-batch-orders', ids_of(orders))
    assert answer['code'] == '0'
    assert [row['ordId'] for row in answer['data']] == [order.order_id for order in orders]
    assert [each for each in (*orders, kept) if each.is_open] == [kept]
    answer = call_okx(simulator, 'POST', 'trade/cancel-batch-orders', ids_of([kept] * 21))
    assert (answer['code'], kept.is_open) == ('51000', True)


def test_okx_counts_a_batch_of_cancels_by_item():
    with Simulator(clock=lambda: 1_700_000_000_000) as simulator:
        order = simulator.rest('okx', 'BTC-USD', mmp=True)

        def codes(items, requests):
            answers = (call_okx(simulator, 'POST', 'trade/cancel-batch-orders', items) for _ in range(requests))
            return {answer['code'] for answer in answers}

        assert codes([{'instId': 'x', 'ordId': '1'}] * 20, 14) == {'1'}
        assert codes([{'instId': 'x', 'ordId': '1'}], 20) == {'1'}
        assert codes(ids_of([order]), 1) == {'50011'}
        simulator.advance(2000)
        assert codes(ids_of([order]), 1) == {'0'}


def test_okx_lists_pages_of_100(simulator):
    symbols = simulator.instruments('okx', 'BTC-USD')
    orders = [simulator.rest('okx', 'BTC-USD', mmp=True, symbol=symbol) for symbol in (*symbols, *symbols[:72])]
    for _ in range(10):
        simulator.rest('okx', 'BTC-USD', mmp=False)
        simulator.rest('okx', 'ETH-USD', mmp=True)
    query = {'instType': 'OPTION', 'instFamily': 'BTC-USD', 'ordType': 'mmp,mmp_and_post_only'}
    pages, after = [], {}
    while not pages or pages[-1]:
        pages.append(
            [row['ordId'] for row in call_okx(simulator, 'GET', 'trade/orders-pending', query | after)['data']]
        )
        after = {'after': pages[-1][-1]} if pages[-1] else {}
    assert [len(page) for page in pages] == [100, 100, 40, 0]
    assert [order_id for page in pages for order_id in page] == [order.order_id for order in reversed(orders)]


@pytest.mark.parametrize('state', ['canceled', 'mmp_canceled', 'filled'])
def test_okx_history_is_of_one_state(simulator, state):
    simulator.set_rule('okx', 'BTC-USD')
    tripped = simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.trip('okx', 'BTC-USD')
    cancelled, filled = (simulator.rest('okx', 'BTC-USD', mmp=False) for _ in range(2))
    call_okx(simulator, 'POST', 'trade/cancel-order', ids_of([cancelled])[0])
    simulator.fill(filled.order_id)
    by_state = {'canceled': cancelled, 'mmp_canceled': tripped, 'filled': filled}
    query = {'instType': 'OPTION', 'instFamily': 'BTC-USD'}
    rows = call_okx(simulator, 'GET', 'trade/orders-history', {**query, 'state': state})['data']
    assert [(row['ordId'], row['state']) for row in rows] == [(by_state[state].order_id, state)]
    assert len(call_okx(simulator, 'GET', 'trade/orders-history', query)['data']) == 3


def test_okx_history_of_several_states_is_refused(simulator):
    query = {'instType': 'OPTION', 'state': 'canceled,mmp_canceled'}
    answer = call_okx(simulator, 'GET', 'trade/orders-history', query)
    assert (answer['code'], answer['msg']) == ('51000', 'Parameter state error')
    pending = call_okx(simulator, 'GET', 'trade/orders-pending', {'state': 'live,partially_filled'})
    assert pending['code'] == '0'
    with pytest.raises(ccxt.BadRequest, match='51000'):
        simulator.connect(ccxt.okx, enableRateLimit=False).privateGetTradeOrdersHistory(query)


@pytest.mark.parametrize('ended', [False, True])
def test_binance_countdown_of_0_disarms(simulator, ended):
    order = simulator.rest('binance', 'BTCUSDT', mmp=True)
    call(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=5000)
    if ended:
        call(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=0)
    simulator.advance(60_000)
    assert order.is_open is ended


@pytest.mark.parametrize('end', ['heartbeat', 'disarm'])
def test_fired_binance_countdown_refuses_every_order_until_it_is_ended(simulator, end):
    symbols = {name: simulator.instruments('binance', name)[0] for name in ('BTCUSDT', 'ETHUSDT')}
    call(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=5000)
    simulator.advance(5000)

    def placed(underlying, mmp):
        order = {'side': 'SELL', 'type': 'LIMIT', 'quantity': '1', 'price': '10', 'isMmp': mmp}
        body = call(simulator, 'POST', 'order', symbol=symbols[underlying], **order)[2]
        return body.get('code', 'placed')

    assert [placed('BTCUSDT', mmp) for mmp in ('true', 'false')] == [-2010, -2010]
    assert placed('ETHUSDT', 'true') == 'placed'
    simulator.advance(600_000)
    assert placed('BTCUSDT', 'false') == -2010
    if end == 'heartbeat':
        call(simulator, 'POST', 'countdownCancelAllHeartBeat', underlyings='BTCUSDT')
    else:
        call(simulator, 'POST', 'countdownCancelAll', underlying='BTCUSDT', countdownTime=0)
    assert placed('BTCUSDT', 'true') == 'placed'
