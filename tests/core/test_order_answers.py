"""Batches of option orders: how they are sent, and every order of an answer told from the others."""

import asyncio
import json
from urllib.parse import parse_qs

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MmpFrozen, OkxMmp, SyncMmp
from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.orders import MmpOrders
from ccxt_mmp.registry import EXCHANGES
from tests.core.ordering import LARGEST, batches, create, listed, resting
from tests.rows import rows
from tests.trading import FROZEN, ID_PREFIX, UNDERLYING, symbols, with_markets


def test_batches_of_the_largest_size_answer_in_the_order_asked(flavour, simulator, exchange, exchange_id, quoted):
    largest = LARGEST[exchange_id]
    count = 2 * largest + 5
    orders = flavour.take(exchange.create_orders(listed(quoted, count)))
    assert [order['price'] for order in orders] == list(range(1, count + 1))
    assert [order['symbol'] for order in orders] == [quoted[index % len(quoted)] for index in range(count)]
    assert {(order['status'], order['mmp'], order['type']) for order in orders} == {('open', True, 'limit')}
    assert len({order['id'] for order in orders}) == count
    assert len(batches(simulator)) == len(simulator.requests) == -(-count // largest)
    assert all(order.mmp for order in resting(simulator, exchange_id))


@pytest.mark.parametrize(('own', 'common', 'mmp'), [({}, True, True), ({'mmp': True}, None, True), ({}, False, False)])
def test_flag_of_all_orders_is_that_of_each(flavour, simulator, exchange, quoted, own, common, mmp):
    orders = flavour.take(exchange.create_orders(listed(quoted, 2, params=own), {'mmp': common}))
    assert [order['mmp'] for order in orders] == [mmp, mmp]


@pytest.mark.parametrize('flag', [True, False])
def test_flag_of_an_order_is_never_overruled_in_silence(flavour, simulator, exchange, quoted, flag):
    with pytest.raises(ccxt.InvalidOrder, match='contradicting'):
        flavour.take(exchange.create_orders(listed(quoted, 2, params={'mmp': flag}), {'mmp': not flag}))
    assert simulator.requests == []


def test_params_of_all_orders_win_over_their_own(flavour, simulator, exchange, quoted):
    own = {'mmp': True, 'postOnly': False}
    orders = flavour.take(exchange.create_orders(listed(quoted, 2, params=own), {'postOnly': True}))
    assert [order['postOnly'] for order in orders] == [True, True]


def test_body_of_a_batch_on_binance_is_its_orders_alone(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    orders = listed(symbols(exchange, 'BTCUSDT'), 2)
    flavour.take(exchange.create_orders(orders, {'recvWindow': 4000}))
    [request] = simulator.requests
    assert request.path == '/eapi/v1/batchOrders'
    body = parse_qs(request.body)
    assert sorted(body) == ['orders', 'recvWindow', 'signature', 'timestamp']
    assert body['recvWindow'] == ['4000']
    for sent, order in zip(json.loads(body['orders'][0]), orders, strict=True):
        assert sent.pop('clientOrderId')
        assert sent == {
            'symbol': exchange.market(order['symbol'])['id'],
            'side': 'BUY',
            'newOrderRespType': 'RESULT',
            'type': 'LIMIT',
            'quantity': '10',
            'price': str(order['price']),
            'timeInForce': 'GTC',
            'isMmp': True,
        }


def test_refused_orders_are_told_from_accepted_ones(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    wanted = listed(quoted, 6)
    for order in wanted[::2]:
        order['params'] = {'mmp': False}
    orders = flavour.take(exchange.create_orders(wanted))
    assert [order['status'] for order in orders] == ['open', 'rejected'] * 3
    assert [order['mmp'] for order in orders] == [False, True] * 3
    assert [order['price'] for order in orders] == [1, 2, 3, 4, 5, 6]
    for refused in orders[1::2]:
        assert refused['id'] is None
        assert refused['filled'] is None
        code = {'okx': '51034', 'binance': '-6058', 'deribit': '13030', 'bybit': '10001'}[exchange_id]
        assert code in str(refused['info'])


def test_half_a_batch_that_is_refused(flavour, simulator, exchange, exchange_id, quoted):
    if LARGEST[exchange_id] == 1:
        pytest.skip('it has no batches')
    simulator.fault('half_batch')
    orders = flavour.take(exchange.create_orders(listed(quoted, 4)))
    # OKX's code says that the system failed, which leaves it open
    refused = None if exchange_id == 'okx' else 'rejected'
    assert [order['status'] for order in orders] == ['open', refused, 'open', refused]
    assert all(order['clientOrderId'] for order in orders)


def test_nothing_accepted_is_an_error(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    for count in (1, 25):
        with pytest.raises(FROZEN.get(exchange_id, MmpFrozen)):
            flavour.take(exchange.create_orders(listed(quoted, count)))


@rows(
    ('kind', 'details', 'status', 'rests'),
    [
        ('drop_before', {}, None, False),
        ('drop_after', {}, None, True),
        ('status', {'status': 503}, None, False),
        ('truncated', {}, None, True),
        ('malformed', {}, None, True),
        ('status', {'status': 429}, 'rejected', False),
    ],
)
def test_lost_batch_never_hides_the_others(
    flavour, simulator, exchange, exchange_id, quoted, kind, details, status, rests
):
    exchange.options['maxRetriesOnFailure'] = 3
    path = {'okx': 'batch-orders', 'binance': 'batchOrders', 'deribit': 'buy', 'bybit': 'create-batch'}[exchange_id]
    simulator.fault(kind, path, **details)
    largest = LARGEST[exchange_id]
    wanted = listed(quoted, 2 * largest)
    for index, order in enumerate(wanted):
        order['params'] = {'mmp': True, 'clientOrderId': f'{ID_PREFIX.get(exchange_id, "")}mine{index}'}
    orders = flavour.take(exchange.create_orders(wanted))
    assert len(simulator.requests) == 2
    lost = [order for order in orders if order['id'] is None]
    assert len(lost) == largest
    assert {order['status'] for order in lost} == {status}
    assert {order['status'] for order in orders if order not in lost} == {'open'}
    assert [order['price'] for order in orders] == list(range(1, 2 * largest + 1))
    # what was sent tells them apart, whether they rest or not
    by_client_id = {order.client_order_id for order in resting(simulator, exchange_id)}
    assert {order['clientOrderId'] in by_client_id for order in lost} == {rests}
    assert all(order['filled'] is None and 'error' in order['info'] for order in lost)


def test_only_batch_that_is_lost_is_an_error(flavour, simulator, exchange, quoted):
    simulator.fault('drop_before')
    with pytest.raises(ccxt.NetworkError):
        flavour.take(exchange.create_orders(listed(quoted, min(3, LARGEST[exchange.id]))))


@rows('body', ['[]', '{"orderId":1}', '[1]', '[{"orderId":1,"clientOrderId":"of another"},{"orderId":2}]'])
def test_answer_to_other_orders_leaves_it_open(flavour, canned, body):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer(body)
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTCUSDT'), 2)))


@rows('data', ['[]', '[{"ordId":"1","clOrdId":"x","sCode":"0"}]', '[{"ordId":"1"}]', '[1]', '{}'])
def test_answer_to_other_orders_leaves_it_open_on_okx(flavour, canned, data):
    exchange = with_markets(flavour.exchange('okx', canned.url))
    canned.answer(f'{{"code":"0","msg":"","data":{data}}}')
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTC-USD'), 1)))


@rows(('code', 'status'), [(-1007, None), (-1006, None), (-2010, 'rejected'), (-9999, 'rejected')])
def test_item_whose_outcome_is_unknown_is_not_taken_for_refused(flavour, canned, code, status):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer(json.dumps([{'orderId': 1}, {'code': code, 'msg': 'x'}]))
    orders = flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTCUSDT'), 2)))
    assert [order['status'] for order in orders] == ['open', status]


def test_batches_go_side_by_side(flavour, simulator, exchange, exchange_id, quoted):
    if flavour.name == 'sync':
        pytest.skip('a sync exchange sends one after another')
    simulator.latency = 60_000  # no answer comes before all are sent
    count = 3 * LARGEST[exchange_id]

    async def until_all_are_sent():
        placing = asyncio.ensure_future(exchange.create_orders(listed(quoted, count)))
        while len(simulator.requests) < 3 and not placing.done():  # noqa: ASYNC110 - a thread logs them
            await asyncio.sleep(0.01)
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)

    flavour.take(until_all_are_sent())
    assert len(simulator.requests) == 3


def test_orders_of_other_markets_keep_their_place(flavour, simulator, exchange, exchange_id, quoted):
    if not exchange._has_lists:
        pytest.skip('ccxt has no lists of orders for it')
    sent = []

    def stock(orders, params):
        sent.append((orders, params))
        return [{'id': f'other {order["price"]}', 'mmp': None} for order in orders]

    others = listed(['BTC/USDT:USDT'], 2, params={})
    mixed = [*listed(quoted, 1), others[0], *listed(quoted, 1), others[1]]
    placing = exchange._create_orders(stock, mixed, {})
    orders = run_sync(placing) if flavour.loop is None else flavour.take(placing)
    assert sent == [([each], {}) for each in others]
    assert [order['id'] for order in orders[1::2]] == ['other 1', 'other 2']
    assert [order['mmp'] for order in orders[::2]] == [True, True]
    assert len(resting(simulator, exchange_id)) == 2


def test_answers_in_another_order_than_asked_are_told_by_their_ids(flavour, simulator, exchange, exchange_id, quoted):
    placing = exchange._place_batch

    async def reversed_answers(*arguments):
        return (await placing(*arguments))[::-1]

    exchange._place_batch = reversed_answers
    orders = flavour.take(exchange.create_orders(listed(quoted, 5)))
    assert [(order['price'], order['status']) for order in orders] == [(price, 'open') for price in range(1, 6)]
    by_id = {order.order_id: float(order.price) for order in resting(simulator, exchange_id)}
    assert {order['id']: order['price'] for order in orders} == by_id


@rows('strange', ['junk', None, {}, {'executedQty': 'NaN'}, {'avgPrice': {}}])
def test_item_that_cannot_be_read_loses_no_other(flavour, simulator, strange):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    placing = exchange._place_batch

    async def one_strange(*arguments):
        first, *others = await placing(*arguments)
        return [{**first, **strange} if isinstance(strange, dict) and strange else strange, *others]

    exchange._place_batch = one_strange
    orders = flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTCUSDT'), 3)))
    assert [order['status'] for order in orders[1:]] == ['open', 'open']
    assert orders[0]['status'] in (None, 'open')
    assert orders[0]['clientOrderId']


def test_order_of_another_market_that_is_lost_is_unknown(flavour, exchange, quoted):
    if not exchange._has_lists:
        pytest.skip('ccxt has no lists of orders for it')

    def lost(orders, params):
        raise ccxt.RequestTimeout('lost')

    def unreadable(orders, params):
        return []

    for stock in (lost, unreadable):
        other = listed(['BTC/USDT:USDT'], 1, params={'clientOrderId': 'mine'})
        placing = exchange._create_orders(stock, [*listed(quoted, 1), *other], {})
        orders = run_sync(placing) if flavour.loop is None else flavour.take(placing)
        assert [order['status'] for order in orders] == ['open', None]
        assert (orders[1]['clientOrderId'], orders[1]['symbol'], orders[1]['mmp']) == ('mine', 'BTC/USDT:USDT', False)


def test_returned_failures_have_no_signed_url(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url, timeout=100))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    ids = [order['id'] for order in flavour.take(exchange.create_orders(listed([symbol], 11)))]
    simulator.fault('delay', 'batchOrders', method='DELETE', milliseconds=500)
    cancelled = flavour.take(exchange.cancel_orders(ids, symbol))
    assert [order for order in cancelled if 'error' in order['info']]
    assert 'signature' not in str(cancelled)


@pytest.mark.parametrize(('ids', 'error'), [('123', ccxt.BadRequest), ([], ccxt.ArgumentsRequired)])
def test_cancellation_of_nothing_that_is_named_is_refused(flavour, simulator, ids, error):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    with pytest.raises(error):
        flavour.take(exchange.cancel_orders(ids, symbols(exchange, 'BTCUSDT')[0]))
    assert simulator.requests == []


@rows('body', ['{}', '[]', '""', 'null', '"x"', '{"orderId":null}'])
def test_answer_without_an_order_leaves_it_open(flavour, canned, body):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer(body)
    with pytest.raises(ccxt.BadResponse):
        create(flavour, exchange, symbols(exchange, 'BTCUSDT')[0], {'mmp': True})


@pytest.mark.parametrize('data', ['[]', '[{"sCode":"0","clOrdId":"x"}]', '[{"sCode":"0","ordId":""}]'])
def test_answer_of_okx_without_an_order_leaves_it_open(flavour, canned, data):
    exchange = with_markets(flavour.exchange('okx', canned.url))
    canned.answer(f'{{"code":"0","msg":"","data":{data}}}')
    with pytest.raises(ccxt.BadResponse):
        create(flavour, exchange, symbols(exchange, 'BTC-USD')[0], {'mmp': True})


def test_retries_of_an_order_are_not_sent(flavour, simulator, exchange, quoted):
    flavour.take(exchange.create_orders(listed(quoted, 2, params={'mmp': True, 'maxRetriesOnFailure': 3})))
    assert 'maxRetries' not in simulator.requests[0].body
    assert simulator.requests[0].status == 200


def test_orders_from_any_iterable_are_placed(flavour, simulator, exchange, quoted):
    assert len(flavour.take(exchange.create_orders(iter(listed(quoted, 3))))) == 3


def test_classes_of_the_user_below_the_mixins_are_asked(simulator, exchange_id):
    asked = []

    class Risk(getattr(ccxt, exchange_id)):
        def create_order(self, *arguments):
            asked.append(arguments[0])
            return super().create_order(*arguments)

    mine = type('Mine', (SyncMmp, EXCHANGES[exchange_id].mixin, Risk), {})
    exchange = with_markets(simulator.connect(mine, enableRateLimit=False))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    assert exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True})['mmp'] is True
    assert asked == [symbol]


def test_class_of_the_user_that_places_orders_in_its_own_way_is_believed():
    class Own(ccxt.okx):
        def create_order(self, *arguments):
            return {'id': 'mine', 'mmp': None}

    mine = type('Mine', (SyncMmp, OkxMmp, Own), {})
    exchange = with_markets(mine({'enableRateLimit': False}))
    symbol = symbols(exchange, 'BTC-USD')[0]
    assert exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}) == {'id': 'mine', 'mmp': None}


def test_mixin_without_the_names_of_an_exchange_fails_loudly():
    orders = MmpOrders()
    for name, arguments in {
        '_own_flags': ('limit', {}),
        '_own_type_is_post_only': ('limit', {}),
        '_flagged': ({},),
        '_named': ({},),
        '_as_order': ({},),
        '_place_batch': ([], {}),
        '_refusal': ({},),
        '_fetch_open_mmp_orders': (None, None, None, None, {}),
    }.items():
        hook = getattr(orders, name)
        with pytest.raises(NotImplementedError):
            run_sync(hook(*arguments))
