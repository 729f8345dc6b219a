"""Batches whose answers or hooks fail: no accepted order is lost from the result."""

import json

import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp import MmpFrozen, SyncMmp
from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.registry import EXCHANGES
from tests.core.fencing import ORDER
from tests.core.ordering import LARGEST, create, listed, resting
from tests.rows import rows
from tests.trading import FROZEN, UNDERLYING, symbols, with_markets

# the ends of the paths of a list of orders
PATH = {'okx': 'batch-orders', 'binance': 'batchOrders', 'deribit': '/buy', 'bybit': 'create-batch'}
# ccxt's Deribit has no lists of orders
HAS_LISTS = pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])


class Stop(BaseException):
    """As KeyboardInterrupt, which an event loop of a test would not survive."""


def on_first_answer(exchange, change):
    """A hook of the user's that fails at, or changes, the first answer that comes."""
    answers = []

    def hook(code, reason, url, method, response_headers, response_body, *_):
        if method == 'GET' or 'query-api' in url:  # Bybit's asks once whether the account is unified
            return response_body
        answers.append(response_body)
        return change(response_body) if len(answers) == 1 else response_body

    exchange.on_rest_response = hook


def raises(error):
    def change(body):
        raise error

    return change


def ids_of(simulator, exchange_id):
    return {order.order_id: order.client_order_id for order in resting(simulator, exchange_id)}


# --- what fails in one batch loses no other


@pytest.mark.parametrize('kind', [KeyError, TypeError, RuntimeError, ccxt.NetworkError])
def test_failing_hook_loses_no_accepted_order(flavour, simulator, exchange, exchange_id, quoted, kind):
    error = kind('mine')
    on_first_answer(exchange, raises(error))
    count = 2 * LARGEST[exchange_id]
    orders = flavour.take(exchange.create_orders(listed(quoted, count)))
    assert [order['price'] for order in orders] == list(range(1, count + 1))
    lost = [order for order in orders if order['error'] is not None]
    assert len(lost) == LARGEST[exchange_id]
    rests = ids_of(simulator, exchange_id)
    assert len(rests) == count
    for order in orders:
        if order in lost:
            assert (order['error'], order['status'], order['id']) == (error, None, None)
            assert order['clientOrderId'] in rests.values()
        else:
            assert (order['error'], order['status']) == (None, 'open')
            assert rests[order['id']] == order['clientOrderId']


UNREADABLE = {
    'okx': [
        '{"code":"1","data":[null]}',
        '{"code":"1","data":[[]]}',
        '{"code":"1","data":[1,{"sCode":"0"}]}',
        '{"code":"2","data":[null]}',
        '{"code":"0","data":null}',
        '{"code":"0","data":[]}',
        '[]',
        'null',
    ],
    'binance': ['[null]', '[[]]', '{}', '[]', 'null', '[1,{"code":-2010}]', '{"orderId":1}'],
    'deribit': ['{"result":null}', '{"result":{}}', '{"result":{"order":null}}', '{"result":[]}', '{}', '[]', 'null'],
    'bybit': [
        '{"retCode":0,"result":{"list":[null]},"retExtInfo":{"list":[null]}}',
        '{"retCode":0,"result":{"list":[]},"retExtInfo":{"list":[]}}',
        '{"retCode":0,"result":{"list":[{"orderId":"1"}]},"retExtInfo":{}}',
        '{"retCode":0,"result":null,"retExtInfo":{}}',
        '{}',
        '[]',
        'null',
    ],
}


@rows('body', UNREADABLE, by='exchange_id')
def test_unreadable_answer_loses_no_accepted_order(flavour, simulator, exchange, exchange_id, quoted, body):
    on_first_answer(exchange, lambda _: body)
    orders = flavour.take(exchange.create_orders(listed(quoted, 2 * LARGEST[exchange_id])))
    assert [order['price'] for order in orders] == list(range(1, 2 * LARGEST[exchange_id] + 1))
    lost = [order for order in orders if order['error'] is not None]
    assert len(lost) == LARGEST[exchange_id]
    assert all(isinstance(order['error'], ccxt.BaseError) and order['status'] is None for order in lost)
    rests = ids_of(simulator, exchange_id)
    assert all(order['clientOrderId'] in rests.values() for order in lost)
    assert all(order['id'] in rests for order in orders if order not in lost)


def without(changed):
    """Of the first batch's answer the items that a function leaves."""

    def change(body):
        answer = json.loads(body)
        if isinstance(answer, dict):
            return json.dumps({**answer, 'data': changed(answer['data'])})
        return json.dumps(changed(answer))

    return change


# Deribit has no batches, and Bybit tells the orders by their places
NAMES_ITS_ITEMS = pytest.mark.parametrize('exchange_id', ['okx', 'binance'])


@NAMES_ITS_ITEMS
def test_answer_of_fewer_items_loses_no_accepted_order(flavour, simulator, exchange, exchange_id, quoted):
    on_first_answer(exchange, without(lambda items: items[2:]))
    orders = flavour.take(exchange.create_orders(listed(quoted, 4)))
    assert [order['status'] for order in orders] == [None, None, 'open', 'open']
    assert all(isinstance(order['error'], ccxt.BadResponse) for order in orders[:2])
    rests = ids_of(simulator, exchange_id)
    assert [rests[order['id']] for order in orders[2:]] == [order['clientOrderId'] for order in orders[2:]]


@NAMES_ITS_ITEMS
@rows('strange', [None, 1, 'x', [], {}])
def test_item_that_is_none_loses_no_accepted_order(flavour, simulator, exchange, exchange_id, quoted, strange):
    on_first_answer(exchange, without(lambda items: [items[0], strange, *items[2:]]))
    orders = flavour.take(exchange.create_orders(listed(quoted, 3)))
    assert [order['status'] for order in orders] == ['open', None, 'open']
    assert isinstance(orders[1]['error'], ccxt.BadResponse)
    assert {order['clientOrderId'] for order in orders} == set(ids_of(simulator, exchange_id).values())


@pytest.mark.parametrize('exchange_id', ['okx'])
def test_second_answer_to_one_order_is_none(flavour, simulator, exchange, exchange_id, quoted):
    on_first_answer(exchange, without(lambda items: [items[0], items[0], items[2]]))
    orders = flavour.take(exchange.create_orders(listed(quoted, 3)))
    assert [order['status'] for order in orders] == [None, None, 'open']


def test_accepted_order_that_a_hook_cannot_read_keeps_its_id(flavour, simulator, exchange, exchange_id, quoted):
    def parse_order(*arguments):
        raise KeyError('mine')

    exchange.parse_order = parse_order
    orders = flavour.take(exchange.create_orders(listed(quoted, 3)))
    assert {order['id']: order['clientOrderId'] for order in orders} == ids_of(simulator, exchange_id)
    assert [(order['error'], order['status']) for order in orders] == [(None, None)] * 3


def test_what_is_no_exception_stops(flavour, simulator, exchange, quoted):
    on_first_answer(exchange, raises(Stop()))
    with pytest.raises(Stop):
        flavour.take(exchange.create_orders(listed(quoted, 3 * LARGEST[exchange.id])))


@HAS_LISTS
def test_other_market_whose_hook_fails_is_told_apart(flavour, exchange, quoted):
    def stock(orders, params):
        raise KeyError('mine')

    placing = exchange._create_orders(stock, [*listed(quoted, 1), *listed(['BTC/USDT:USDT'], 1, params={})], {})
    orders = run_sync(placing) if flavour.loop is None else flavour.take(placing)
    assert [type(order['error']) for order in orders] == [type(None), KeyError]
    assert [order['mmp'] for order in orders] == [True, False]


@HAS_LISTS
@rows('placed', [None, [], [None], ['1'], 'x', [{'id': '1'}, {'id': '2'}]])
def test_other_market_of_a_class_of_the_users_answers_as_it_likes(flavour, exchange, quoted, placed):
    placing = exchange._create_orders(
        lambda *_: placed, [*listed(quoted, 1), *listed(['BTC/USDT:USDT'], 1, params={})], {}
    )
    orders = run_sync(placing) if flavour.loop is None else flavour.take(placing)
    assert (orders[0]['status'], orders[0]['error']) == ('open', None)
    assert len(orders) == 2
    only = exchange._create_orders(lambda *_: placed, listed(['BTC/USDT:USDT'], 1, params={}), {})
    assert (run_sync(only) if flavour.loop is None else flavour.take(only)) == placed or placed[0]['id']


@rows(
    ('exchange_id', 'answer', 'error', 'status'),
    [
        ('okx', {'ordId': '', 'sCode': '51008', 'sMsg': 'Insufficient'}, ccxt.InsufficientFunds, 'rejected'),
        ('okx', {'ordId': '1', 'sCode': '0'}, type(None), None),
        ('okx', {'ordId': '', 'sCode': '0'}, ccxt.BadResponse, None),
        ('binance', {'code': -2019, 'msg': 'Margin is insufficient.'}, ccxt.InsufficientFunds, 'rejected'),
        ('binance', {'orderId': 1, 'symbol': 'BTCUSDT', 'status': 'NEW'}, type(None), 'open'),
    ],
)
def test_orders_of_other_markets_alone_have_their_errors(flavour, canned, exchange_id, answer, error, status):
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    fine = {'ordId': '7', 'sCode': '0'} if exchange_id == 'okx' else {'orderId': 7, 'symbol': 'BTCUSDT'}
    canned.answer(json.dumps({'code': '2', 'data': [fine, answer]} if exchange_id == 'okx' else [fine, answer]))
    exchange.markets_by_id['BTCUSDT'] = [exchange.market('BTC/USDT:USDT')]
    orders = flavour.take(exchange.create_orders(listed(['BTC/USDT:USDT'], 2, params={})))
    by_id = {order['id']: order for order in orders}
    assert by_id['7']['error'] is None
    [told] = [order for order in orders if order['id'] != '7']
    assert (type(told['error']), told['status'], told['mmp']) == (error, status, False)


# --- the errors


def test_freeze_within_a_batch_is_told_by_its_orders(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    wanted = listed(quoted, 4)
    wanted[0]['params'] = {}
    orders = flavour.take(exchange.create_orders(wanted))
    assert [type(order['error']) for order in orders] == [type(None), *[FROZEN.get(exchange_id, MmpFrozen)] * 3]
    assert [order['status'] for order in orders] == ['open', 'rejected', 'rejected', 'rejected']


def test_accepted_orders_have_no_error(flavour, simulator, exchange, exchange_id, quoted):
    count = 2 * LARGEST[exchange_id] + 1
    orders = flavour.take(exchange.create_orders(listed(quoted, count)))
    assert [order['error'] for order in orders] == [None] * count


@pytest.mark.parametrize('batches', [1, 3])
def test_exception_of_a_lost_list_has_the_ids_to_look_the_orders_up(
    flavour, simulator, exchange, exchange_id, quoted, batches
):
    count = batches * LARGEST[exchange_id]
    simulator.fault('drop_after', PATH[exchange_id], times=batches)
    with pytest.raises(ccxt.NetworkError) as caught:
        flavour.take(exchange.create_orders(listed(quoted, count)))
    orders = caught.value.orders
    assert [(order['price'], order['status'], order['id']) for order in orders] == [
        (price, None, None) for price in range(1, count + 1)
    ]
    assert {order['clientOrderId'] for order in orders} == set(ids_of(simulator, exchange_id).values())
    assert all(isinstance(order['error'], ccxt.NetworkError) for order in orders)


@pytest.mark.parametrize('kind', [KeyError, ccxt.RequestTimeout])
def test_exception_of_a_hook_has_the_ids_too(flavour, simulator, exchange, exchange_id, quoted, kind):
    error = kind('mine')
    on_first_answer(exchange, raises(error))
    with pytest.raises(kind) as caught:
        flavour.take(exchange.create_orders(listed(quoted, min(2, LARGEST[exchange_id]))))
    assert caught.value is error
    assert {order['clientOrderId'] for order in error.orders} == set(ids_of(simulator, exchange_id).values())


def test_exception_of_a_refused_list_has_the_orders(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    error = FROZEN.get(exchange_id, MmpFrozen)
    with pytest.raises(error) as caught:
        flavour.take(exchange.create_orders(listed(quoted, 2)))
    assert [(order['status'], type(order['error'])) for order in caught.value.orders] == [('rejected', error)] * 2


def test_failure_that_leaves_it_open_is_raised_before_a_refusal(flavour, exchange, exchange_id, quoted):
    """The refusal of another batch says nothing of these orders, and it may come first."""
    failures = [ccxt.InvalidOrder('refused'), ccxt.RequestTimeout('lost'), ccxt.InvalidOrder('refused')]
    lost, left = failures[1], list(failures)

    async def place_batch(*arguments):
        raise left.pop(0)

    exchange._place_batch = place_batch
    with pytest.raises(ccxt.RequestTimeout) as caught:
        flavour.take(exchange.create_orders(listed(quoted, 3 * LARGEST[exchange_id])))
    assert caught.value is lost
    statuses = [order['status'] for order in lost.orders]
    assert statuses == [status for status in ('rejected', None, 'rejected') for _ in range(LARGEST[exchange_id])]


def test_cancellation_that_may_have_been_is_raised_before_a_refusal(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    failures = [ccxt.InvalidOrder('refused'), ccxt.RequestTimeout('lost')]

    def cancel(*arguments):
        raise failures.pop(0)

    exchange.eapiPrivateDeleteBatchOrders = cancel
    with pytest.raises(ccxt.RequestTimeout) as caught:
        flavour.take(exchange.cancel_orders(list(map(str, range(20))), symbol))
    assert len(caught.value.orders) == 20


WRONG_CLOCK = {
    'okx': '{"code":"50102","msg":"Timestamp request expired","data":[]}',
    'binance': '{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}',
    'bybit': '{"retCode":10002,"retMsg":"invalid request, please check your server timestamp","result":{}}',
}


@pytest.mark.parametrize('exchange_id', WRONG_CLOCK)  # Deribit's code for a wrong clock is not documented
def test_orders_that_are_refused_by_their_clock_are_rejected_ones(flavour, canned, exchange_id):
    canned.answer(WRONG_CLOCK[exchange_id], status=400)
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    exchange.options['enableUnifiedAccount'] = True  # else Bybit's asks first
    quoted = symbols(exchange, UNDERLYING[exchange_id])
    with pytest.raises(ccxt.InvalidNonce) as caught:
        flavour.take(exchange.create_orders(listed(quoted, 2)))
    assert [order['status'] for order in caught.value.orders] == ['rejected'] * 2


# --- what a class of the user's answers


@pytest.fixture
def of_the_users(simulator, exchange_id):
    """An exchange of a class of the user's, which places orders or not, and answers as it likes."""

    class Own(getattr(ccxt, exchange_id)):
        def create_order(self, *arguments):
            if self.is_placed:
                super().create_order(*arguments)
            return self.answer

    mixin = EXCHANGES[exchange_id].mixin
    return with_markets(simulator.connect(type('Mine', (SyncMmp, mixin, Own), {}), enableRateLimit=False))


@rows('answer', [None, 'mine', 7, ('mine',), []])
@rows('params', [{}, {'mmp': True}])
@rows('is_placed', [True, False])
def test_class_of_the_user_may_answer_without_a_dict(simulator, of_the_users, exchange_id, answer, params, is_placed):
    of_the_users.is_placed, of_the_users.answer = is_placed, answer
    symbol = symbols(of_the_users, UNDERLYING[exchange_id])[0]
    assert of_the_users.create_order(symbol, 'limit', 'buy', 10, 5, params) == answer
    assert len(resting(simulator, exchange_id)) == is_placed


def test_failing_hook_loses_no_cancellation(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    ids = [order['id'] for order in flavour.take(exchange.create_orders(listed([symbol], 20)))]
    on_first_answer(exchange, raises(KeyError('mine')))
    cancelled = flavour.take(exchange.cancel_orders(ids, symbol))
    assert [order['id'] for order in cancelled] == ids
    assert sorted(str(order['status']) for order in cancelled) == ['None'] * 10 + ['canceled'] * 10


# --- what is of other APIs of Binance


@pytest.mark.parametrize('name', ['portfolioMargin', 'papi'])
@pytest.mark.parametrize('by_option', [False, True])
def test_portfolio_margin_never_reaches_the_options_api(flavour, simulator, name, by_option):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    given = {} if by_option else {name: True}
    if by_option:
        exchange.options[name] = True
        for method in ('createOrder', 'fetchOpenOrders', 'cancelOrders', 'setMmp', 'fetchMmp', 'resetMmp'):
            options = exchange.options.setdefault(method, {})
            options[name] = True
    mmp = {'mmp': True, **given}
    flavour.take(exchange.set_mmp('BTC/USDT', 5000, 1000, 50, 5, given))
    flavour.take(exchange.fetch_mmp('BTC/USDT', given))
    flavour.take(exchange.fetch_mmps(['BTC/USDT'], given))
    flavour.take(exchange.reset_mmp('BTC/USDT', given))
    first = create(flavour, exchange, symbol, mmp)
    second, third = flavour.take(exchange.create_orders(listed([symbol], 2, params=mmp)))
    assert flavour.take(exchange.create_orders(listed([symbol], 1), given))[0]['error'] is None
    assert len(flavour.take(exchange.fetch_open_orders(symbol, None, None, mmp))) == 4
    assert len(flavour.take(exchange.fetch_open_orders(None, None, None, mmp))) == 4
    ids = [first['id'], second['id'], third['id']]
    assert len(flavour.take(exchange.cancel_orders(ids, symbol, given))) == 3
    assert len(flavour.take(exchange.fetch_canceled_orders(symbol, None, None, mmp))) == 3
    flavour.take(exchange.cancel_all_orders_after(0, {'underlying': 'BTC/USDT', **given}))
    sent = ' '.join(f'{request.query} {request.body}' for request in simulator.requests)
    assert name not in sent
    assert all(request.status == 200 for request in simulator.requests)


@pytest.mark.parametrize('error', [ccxt_mmp.MmpFrozen, ccxt_mmp.MmpNotEnabled, ccxt_mmp.MassCancelLocked])
def test_errors_of_the_package_have_no_orders_of_their_own(error):
    assert len(error('x').orders) == 0


# --- one order by itself, whose failure says as much


LOSSES = ['drop_after', 'truncated', 'malformed']


@rows('kind', LOSSES)
def test_lost_order_is_told_with_its_client_id(flavour, simulator, exchange, exchange_id, quoted, kind):
    simulator.fault(kind, ORDER[exchange_id], method='POST')
    with pytest.raises(ccxt.BaseError) as caught:
        create(flavour, exchange, quoted[0], {'mmp': True})
    [told] = caught.value.orders
    assert told['clientOrderId'] in ids_of(simulator, exchange_id).values()
    assert told['status'] is None or kind != 'drop_after'
    assert told['mmp'] is True
    assert told['error'] is caught.value


def test_refused_order_is_told_with_its_error(flavour, simulator, exchange, exchange_id, quoted):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id])
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    with pytest.raises(FROZEN.get(exchange_id, MmpFrozen)) as caught:
        create(flavour, exchange, quoted[0], {'mmp': True})
    [told] = caught.value.orders
    assert told['status'] == 'rejected'
    assert told['error'] is caught.value


def test_order_that_the_exchange_says_is_none_does_not_pass_for_an_mmp_order(flavour, canned):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    answer = {'orderId': 7, 'symbol': exchange.market(symbol)['id'], 'mmp': False, 'status': 'ACCEPTED'}
    canned.answer(json.dumps(answer))
    assert create(flavour, exchange, symbol, {'mmp': True})['mmp'] is False
    canned.answer(json.dumps([answer]))
    [placed] = flavour.take(exchange.create_orders(listed([symbol], 1)))
    assert (placed['id'], placed['mmp']) == ('7', False)


def test_item_that_repeats_a_secret_is_told_without_it(flavour, canned):
    exchange = with_markets(flavour.exchange('okx', canned.url))
    item = {'ordId': '', 'clOrdId': '', 'sCode': '51034', 'sMsg': f'{exchange.apiKey} {exchange.password}'}
    canned.answer(json.dumps({'code': '1', 'msg': '', 'data': [item]}))
    with pytest.raises(MmpFrozen) as caught:
        flavour.take(exchange.create_orders(listed(symbols(exchange, 'BTC-USD')[:1], 1)))
    assert exchange.apiKey not in str(caught.value)
    assert exchange.password not in str(caught.value)


@rows('params', [{'lockInterval': 5}, {'lock_interval': 5}, {'Scope': 'orders'}, {'timeout': 5}, {'hedge': True}])
def test_param_of_another_method_is_refused_with_the_flag(flavour, simulator, exchange, quoted, params):
    name = next(iter(params))
    with pytest.raises(ccxt.InvalidOrder, match=name):
        create(flavour, exchange, quoted[0], {'mmp': True, **params})
    with pytest.raises(ccxt.InvalidOrder, match=name):
        flavour.take(exchange.create_orders(listed(quoted[:1], 1, params={'mmp': True, **params})))
    with pytest.raises(ccxt.InvalidOrder, match=name):
        flavour.take(exchange.fetch_open_orders(None, None, None, {'mmp': True, **params}))
    assert simulator.requests == []
