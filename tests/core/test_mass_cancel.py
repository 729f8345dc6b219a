"""The mass cancel: what goes, what stays, what it costs, and what it says when it failed."""

import asyncio
import json
import pickle
import threading
import time
from contextlib import AsyncExitStack
from itertools import count

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
from ccxt_mmp import MassCancelIncomplete, MmpNotEnabled
from ccxt_mmp.core.kill_switch import CLOCK_TRIES, ROUNDS
from ccxt_mmp.simulator import Simulator
from tests.trading import UNDERLYING, UNIFIED

EXCHANGES = ['binance', 'okx']
PARAMS = {'binance': {}, 'okx': {'emulate': True}}
LIST = {'binance': 'openOrders', 'okx': 'orders-pending'}
BATCH = {'binance': 'batchOrders', 'okx': 'cancel-batch-orders'}
MINUTE = 1_800_000_000_000 // 60_000 * 60_000  # the beginning of one


@pytest.fixture(params=EXCHANGES)
def exchange_id(request):
    return request.param


@pytest.fixture
def exchange(flavour, simulator, exchange_id):
    return flavour.exchange(exchange_id, simulator.url)


def quote(simulator, exchange_id, contracts, orders_each=2, mmp=True):
    """The ids of orders that rest, so many of each of the first contracts."""
    underlying = UNDERLYING[exchange_id]
    return [
        simulator.rest(exchange_id, underlying, mmp=mmp, symbol=symbol).order_id
        for symbol in simulator.instruments(exchange_id, underlying)[:contracts]
        for _ in range(orders_each)
    ]


def cancel(flavour, exchange, **params):
    return flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange.id], {**PARAMS[exchange.id], **params}))


def resting(simulator, exchange_id):
    return [order.order_id for order in simulator.resting(exchange_id, UNDERLYING[exchange_id])]


def ids(orders):
    return sorted(order['id'] for order in orders)


def after_each_list(exchange, act):
    """Let ``act`` see and change what a mass cancel lists; its arguments are the number of the list, from 0, and it."""
    listed, numbers = exchange._list_open_orders, count()

    async def list_then_act(*arguments):
        await listed(*arguments)
        act(next(numbers), arguments[-1])

    exchange._list_open_orders = list_then_act


def lose_all_but_the_first(number, rows):
    if number > 0:
        rows.clear()
        raise ccxt.ExchangeNotAvailable('no list')


# --- what goes and what stays


def test_mmp_orders_of_the_underlying_go_and_no_others(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 5)
    others = quote(simulator, exchange_id, 5, 1, mmp=False)
    another = 'ETHUSDT' if exchange_id == 'binance' else 'BTC-USD_UM'
    theirs = simulator.rest(exchange_id, another, mmp=True)
    cancelled = cancel(flavour, exchange)
    assert resting(simulator, exchange_id) == others
    assert simulator.resting(exchange_id, another) == [theirs]
    assert ids(cancelled['orders']) == sorted(mine)
    assert {order['status'] for order in cancelled['orders']} == {'canceled'}
    assert {order['mmp'] for order in cancelled['orders']} == {True}
    assert cancelled['underlyingId'] == UNDERLYING[exchange_id]
    assert cancelled['underlying'] == {'binance': 'BTC/USDT:USDT', 'okx': 'BTC/USD:BTC'}[exchange_id]
    assert all(order['symbol'].startswith(f'{cancelled["underlying"]}-') for order in cancelled['orders'])
    assert len(cancelled['info']) == len(simulator.requests)
    assert exchange.markets is None


RULE = {'binance': 'mmp', 'okx': 'mmp-config'}
UNKNOWN = {'binance': 'BCT/USDT', 'okx': 'BCT/USD'}


def test_nothing_to_cancel_is_a_list_and_the_question_whether_there_is_such_an_underlying(
    flavour, simulator, exchange, exchange_id
):
    quote(simulator, exchange_id, 3, 1, mmp=False)
    assert cancel(flavour, exchange)['orders'] == []
    asked = [request.path.rpartition('/')[2] for request in simulator.requests]
    assert asked == [LIST[exchange_id], RULE[exchange_id]]


def test_underlying_that_the_exchange_does_not_know_is_a_bad_symbol(flavour, simulator, exchange, exchange_id):
    theirs = quote(simulator, exchange_id, 1)
    with pytest.raises(ccxt.BadSymbol):
        flavour.take(exchange.mass_cancel_mmp(UNKNOWN[exchange_id], PARAMS[exchange_id]))
    assert resting(simulator, exchange_id) == theirs


@pytest.mark.parametrize('fault', [('status', {'status': 503}), ('malformed', {}), ('drop_before', {})])
def test_question_that_is_not_answered_is_passed_over(flavour, simulator, exchange, exchange_id, fault):
    kind, details = fault
    simulator.fault(kind, RULE[exchange_id], **details)
    assert cancel(flavour, exchange)['orders'] == []
    assert len(simulator.requests) in (2, 3)  # aiohttp asks again by itself over a connection that was dropped


def test_question_that_is_refused_is_passed_over(flavour, simulator, exchange):
    """Without the privilege nothing is known of an underlying, and no order rests all the same."""
    simulator.privileged = False
    assert cancel(flavour, exchange)['orders'] == []


def test_usd_margined_family_of_okx_is_another(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    coin_settled = simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.rest('okx', 'BTC-USD_UM', mmp=True)
    cancelled = flavour.take(exchange.mass_cancel_mmp('BTC/USD:USD', {'emulate': True}))
    assert [order['symbol'].rpartition(':')[0] for order in cancelled['orders']] == ['BTC/USD']
    assert cancelled['orders'][0]['symbol'].startswith('BTC/USD:USD-')
    assert simulator.resting('okx', 'BTC-USD') == [coin_settled]
    assert simulator.resting('okx', 'BTC-USD_UM') == []


def test_okx_lists_page_by_page(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    mine = quote(simulator, 'okx', 84, 3)  # 252, of which 100 are listed at a time
    cancelled = cancel(flavour, exchange)
    assert ids(cancelled['orders']) == sorted(mine)
    paths = [request.path.rpartition('/')[2] for request in simulator.requests]
    assert paths == ['orders-pending'] * 3 + ['cancel-batch-orders'] * 13 + ['orders-pending']


def test_a_single_order_is_cancelled_by_itself(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    quote(simulator, 'binance', 2, 1)
    cancel(flavour, exchange)
    assert [(request.method, request.path) for request in simulator.requests] == [
        ('GET', '/eapi/v1/openOrders'),
        ('DELETE', '/eapi/v1/order'),
        ('DELETE', '/eapi/v1/order'),
        ('GET', '/eapi/v1/openOrders'),
    ]


def test_answers_in_another_order_than_asked(flavour):
    with Simulator(reverse_batch_cancels=True) as simulator:
        exchange = flavour.exchange('binance', simulator.url)
        mine = quote(simulator, 'binance', 1, 7)
        simulator.refuse_cancel(mine[2])
        with pytest.raises(MassCancelIncomplete) as caught:
            cancel(flavour, exchange)
        assert caught.value.remaining == [mine[2]]
        assert sorted(caught.value.cancelled) == sorted(each for each in mine if each != mine[2])


def test_every_order_of_the_underlying_in_one_request(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    quote(simulator, 'binance', 3)
    quote(simulator, 'binance', 3, mmp=False)
    another = simulator.rest('binance', 'ETHUSDT', mmp=True)
    cancelled = cancel(flavour, exchange, includeNonMmp=True)
    assert resting(simulator, 'binance') == []
    assert simulator.resting('binance', 'ETHUSDT') == [another]
    assert cancelled['orders'] is None
    assert str(cancelled['info']['code']) == '0'
    assert [request.path for request in simulator.requests] == ['/eapi/v1/allOpenOrdersByUnderlying']


@pytest.mark.parametrize('body', ['{"code":1,"msg":"x"}', '{}', '[]', '"success"', '{"msg":"success"}'])
def test_success_that_is_not_said_is_none(flavour, canned, body):
    exchange = flavour.exchange('binance', canned.url)
    canned.answer(body)
    with pytest.raises(ccxt.BaseError):
        cancel(flavour, exchange, includeNonMmp=True)


@pytest.mark.parametrize('code', [0, '0'])
def test_success_is_said_by_a_number_or_text(flavour, canned, code):
    exchange = flavour.exchange('binance', canned.url)
    canned.answer(json.dumps({'code': code, 'msg': 'success'}))
    assert cancel(flavour, exchange, includeNonMmp=True)['orders'] is None


def test_params_of_the_exchange_go_with_the_list(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    cancel(flavour, exchange, recvWindow=1234)
    assert 'recvWindow=1234' in simulator.requests[0].query


# --- a whole book: 200 contracts, 400 MMP orders among others


@pytest.fixture(scope='module')
def book():
    """A simulator whose clock stands at the beginning of a minute, with options of more underlyings."""
    with Simulator(clock=lambda: MINUTE) as simulator:
        simulator.list_options('binance', 'BTCUSDT', base='BTC', settle='USDT', strikes=range(200_000, 204_000, 1000))
        simulator.list_options('binance', 'BTCDOMUSDT', base='BTCDOM', settle='USDT', strikes=[2000, 3000])
        simulator.list_options('binance', 'BTCUSDC', base='BTC', settle='USDC', strikes=[62_500, 67_500])
        yield simulator


@pytest.fixture
def full_book(book):
    """The ids of the MMP orders of BTCUSDT, and those of all others."""
    book.clear()
    contracts = book.instruments('binance', 'BTCUSDT')[:200]
    assert len(contracts) == 200
    mine = [book.rest('binance', 'BTCUSDT', mmp=True, symbol=each).order_id for each in contracts for _ in range(2)]
    others = [
        book.rest('binance', underlying, mmp=mmp, symbol=each).order_id
        for underlying, mmp in (('BTCUSDT', False), ('BTCDOMUSDT', True), ('BTCUSDC', True), ('ETHUSDT', True))
        for each in book.instruments('binance', underlying)[:16]
    ]
    return mine, others


def all_resting(book):
    everywhere = ('BTCUSDT', 'BTCDOMUSDT', 'BTCUSDC', 'ETHUSDT')
    return [order.order_id for underlying in everywhere for order in book.resting('binance', underlying)]


def test_full_book_goes_in_as_many_requests_as_it_has_contracts(flavour, book, full_book):
    mine, others = full_book
    exchange = flavour.exchange('binance', book.url)
    exchange.milliseconds = book.now
    cancelled = cancel(flavour, exchange)
    assert sorted(all_resting(book)) == sorted(others)
    assert ids(cancelled['orders']) == sorted(mine)
    assert len(book.requests) == 1 + 200 + 1
    assert book.used_weight == 40 + 200 * 5 + 40


def test_full_book_goes_the_cheaper_way_if_little_weight_is_left(flavour, book, full_book):
    mine, others = full_book
    exchange = flavour.exchange('binance', book.url)
    exchange.milliseconds = book.now
    book.use_weight(1800)
    cancelled = cancel(flavour, exchange)
    assert sorted(all_resting(book)) == sorted(others)
    assert ids(cancelled['orders']) == sorted(mine)
    assert len(book.requests) == 1 + 400 + 1
    assert book.used_weight == 1800 + 40 + 400 * 1 + 40


def test_batches_stay_where_single_cancellations_would_cost_more(flavour, book):
    book.clear()
    [few, many] = book.instruments('binance', 'BTCUSDT')[:2]
    for symbol, of_each in ((few, 4), (many, 9)):
        for _ in range(of_each):
            book.rest('binance', 'BTCUSDT', mmp=True, symbol=symbol)
    exchange = flavour.exchange('binance', book.url)
    exchange.milliseconds = book.now
    book.use_weight(2400 - 40 - 40 - 9)  # a batch of 5 and four single cancellations
    assert len(cancel(flavour, exchange)['orders']) == 13
    assert book.used_weight == 2400
    assert all(request.status == 200 for request in book.requests)


def test_weight_limit_can_be_set(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'weightLimit': 44}})
    quote(simulator, 'binance', 2)
    cancel(flavour, exchange)
    assert len(simulator.requests) == 1 + 4 + 1


def test_cancellations_go_side_by_side_but_not_too_many_at_once(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 5}})
    quote(simulator, 'binance', 20)
    simulator.latency = 30
    started = time.monotonic()
    cancel(flavour, exchange)
    took = time.monotonic() - started
    one_after_another, five_at_once = (1 + turns + 1 for turns in (20, 20 / 5))
    assert five_at_once * 0.030 <= took < one_after_another * 0.030


def test_cancellations_go_one_after_another_if_the_user_says_so(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    quote(simulator, 'binance', 5)
    under_way, most = [], []
    cancelling = exchange._cancel_chunk

    async def watched(*arguments):
        under_way.append(threading.get_ident())
        most.append(len(under_way))
        outcome = await cancelling(*arguments)
        under_way.pop()
        return outcome

    exchange._cancel_chunk = watched
    cancel(flavour, exchange)
    assert most == [1] * 5


def test_threads_of_a_mass_cancel_end_with_it_and_go_over_connections_of_their_own(simulator):
    exchange = simulator.connect(ccxt_mmp.binance)
    quote(simulator, 'binance', 30)
    simulator.latency = 10
    before = threading.active_count()
    exchange.mass_cancel_mmp('BTC/USDT')
    assert threading.active_count() == before
    ports = {request.port for request in simulator.requests}
    assert 2 <= len(ports) <= 10
    assert len(exchange._connections()._idle) == len(ports)
    exchange.close()
    assert exchange._connections()._idle == []


def test_thread_that_cannot_be_started_leaves_its_work_to_the_others(simulator, monkeypatch):
    exchange = simulator.connect(ccxt_mmp.binance)
    mine = quote(simulator, 'binance', 5)

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, 'start', start)
    assert ids(exchange.mass_cancel_mmp('BTC/USDT')['orders']) == sorted(mine)


def test_interrupt_stops_the_cancellations_that_have_not_begun(simulator):
    exchange = simulator.connect(ccxt_mmp.binance, options={'massCancelMmp': {'concurrency': 2}})
    quote(simulator, 'binance', 30)
    cancelling = exchange._cancel_chunk
    main = threading.get_ident()

    async def interrupted(*arguments):
        if threading.get_ident() == main:
            raise KeyboardInterrupt
        return await cancelling(*arguments)

    exchange._cancel_chunk = interrupted
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        exchange.mass_cancel_mmp('BTC/USDT')
    assert threading.active_count() == before
    assert len(simulator.requests) < 30


# --- faults


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


@pytest.mark.parametrize('faults', FAULTS.values(), ids=FAULTS)
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
    assert len([each for each in simulator.requests if each.path.endswith(LIST[exchange_id])]) == 2


def test_orders_that_are_gone_are_not_left_if_the_next_list_fails(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 1, 3)

    def fill_one_then_fail(number, rows):
        lose_all_but_the_first(number, rows)
        simulator.fill(mine[0])

    after_each_list(exchange, fill_one_then_fail)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert sorted(caught.value.cancelled) == sorted(mine[1:])
    assert caught.value.remaining == caught.value.unknown == []


def test_single_order_that_is_gone_is_not_reported(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    [only] = quote(simulator, 'binance', 1, 1)
    after_each_list(exchange, lambda number, rows: number or simulator.fill(only))
    assert cancel(flavour, exchange)['orders'] == []


def test_order_that_is_refused_for_ever_is_what_is_left(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 4, 3)
    simulator.refuse_cancel(mine[4])
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    error = caught.value
    assert resting(simulator, exchange_id) == error.remaining == [mine[4]]
    assert sorted(error.cancelled) == sorted(each for each in mine if each != mine[4])
    assert error.unknown == []
    cause = {'binance': ccxt.OperationRejected, 'okx': ccxt.ExchangeNotAvailable}[exchange_id]
    assert type(error.__cause__) is cause
    assert f'cancelled 11, remaining 1 ({mine[4]}), unknown 0' in str(error)
    assert cause.__name__ in str(error)
    lists = [each for each in simulator.requests if each.path.endswith(LIST[exchange_id])]
    assert len(lists) == 1 + 3  # three rounds, each followed by a look


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
    assert sorted(caught.value.cancelled) == sorted(mine)
    assert caught.value.remaining == caught.value.unknown == []
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
    assert len(simulator.requests) == 1


def test_rate_limit_of_okx_passes(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    mine = quote(simulator, 'okx', 3)
    simulator.fault('status', 'cancel-batch-orders', status=429)
    assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)


def test_permission_that_is_missing_is_raised_as_itself(flavour, simulator, exchange, exchange_id):
    quote(simulator, exchange_id, 2)
    simulator._account.permissions.discard('trade')
    with pytest.raises(ccxt.BaseError) as caught:
        cancel(flavour, exchange)
    # OKX's code for it is none that ccxt knows
    expected = {'binance': ccxt.AuthenticationError, 'okx': MassCancelIncomplete}[exchange_id]
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


def test_time_that_is_over_ends_it(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    mine = quote(simulator, 'binance', 20)
    simulator.latency = 50
    with pytest.raises(MassCancelIncomplete, match='its time is over') as caught:
        cancel(flavour, exchange, timeout=500)
    error = caught.value
    assert 0 < len(error.cancelled) < len(mine)
    # the last answer had too little time left to be waited for
    assert sorted(error.cancelled + error.remaining + error.unknown) == sorted(mine)
    assert {*error.remaining} <= {*resting(simulator, 'binance')} <= {*error.remaining, *error.unknown}
    assert len(simulator.requests) < 20  # of the batches alone


@pytest.mark.parametrize('missing', ['mmp', 'quoteAsset', 'symbol'])
def test_listed_order_that_does_not_say_is_no_answer_after_the_others_are_cancelled(flavour, simulator, missing):
    exchange = flavour.exchange('binance', simulator.url)
    mine = quote(simulator, 'binance', 2)

    def forget(number, rows):
        for row in rows:
            if str(row['orderId']) == mine[0]:
                del row[missing]

    after_each_list(exchange, forget)
    with pytest.raises(ccxt.BadResponse, match=mine[0]) as caught:
        cancel(flavour, exchange)
    assert type(caught.value) is ccxt.BadResponse
    assert resting(simulator, 'binance') == [mine[0]]


@pytest.mark.parametrize(
    ('row', 'to_cancel'),
    [
        ({'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDT', 'mmp': True}, True),
        ({'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDT', 'mmp': False}, False),
        ({'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDC', 'mmp': True}, False),
        ({'symbol': 'BTCDOM-260327-100000-C', 'quoteAsset': 'USDT', 'mmp': True}, False),
        ({'symbol': 'ETH-260327-100000-C', 'quoteAsset': 'USDT', 'mmp': True}, False),
        ({'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDT'}, None),
        ({'symbol': 'BTC-260327-100000-C', 'mmp': True}, None),
        ({'symbol': 'BTC-260327-100000-C', 'mmp': False}, False),
        ({'symbol': 'ETH-260327-100000-C', 'mmp': True}, False),
        ({'symbol': 'ETH-260327-100000-C', 'quoteAsset': 'USDT'}, False),
        ({'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDC'}, False),
        ({'quoteAsset': 'USDT', 'mmp': True}, None),
        ({'symbol': 'a contract of a new form', 'quoteAsset': 'USDT', 'mmp': True}, None),
        ({'symbol': 'a contract of a new form', 'quoteAsset': 'USDC', 'mmp': True}, False),
        ({'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDT', 'mmp': 'yes'}, None),
    ],
)
def test_binance_orders_that_are_to_go(flavour, row, to_cancel):
    assert flavour.exchange('binance')._is_to_cancel(row, 'BTCUSDT') is to_cancel


def test_binance_orders_of_an_underlying_that_begins_alike_stay(flavour):
    row = {'symbol': 'BTC-260327-100000-C', 'quoteAsset': 'USDT', 'mmp': True}
    assert flavour.exchange('binance')._is_to_cancel(row, 'BTCDOMUSDT') is False


@pytest.mark.parametrize(
    ('row', 'to_cancel'),
    [
        ({'instId': 'BTC-USD-260327-100000-C', 'ordType': 'mmp'}, True),
        ({'instId': 'BTC-USD-260327-100000-C', 'ordType': 'mmp_and_post_only'}, True),
        ({'instId': 'BTC-USD-260327-100000-C', 'ordType': 'limit'}, False),
        ({'instId': 'BTC-USD_UM-260327-100000-C', 'ordType': 'mmp'}, False),
        ({'instId': 'ETH-USD-260327-100000-C', 'ordType': 'mmp'}, False),
        ({'instId': 'BTC-USD-260327-100000-C'}, None),
        ({'instId': 'of a new form', 'ordType': 'mmp'}, None),
        ({'instId': 'of a new form', 'ordType': 'limit'}, False),
        ({'ordType': 'mmp'}, None),
    ],
)
def test_okx_orders_that_are_to_go(flavour, row, to_cancel):
    assert flavour.exchange('okx')._is_to_cancel(row, 'BTC-USD') is to_cancel


@pytest.mark.parametrize('row', ['{}', '{"orderId":null}', '{"orderId":""}', '1', 'null'])
def test_listed_order_without_an_id_is_no_answer(flavour, canned, row):
    exchange = flavour.exchange('binance', canned.url)
    canned.answer(f'[{row}]')
    with pytest.raises(ccxt.BadResponse, match='an order without an id'):
        cancel(flavour, exchange)


def test_answer_that_claims_too_much_is_not_believed(flavour, simulator, exchange, exchange_id):
    """An order that is said to be cancelled and is listed again is not reported as cancelled."""
    mine = quote(simulator, exchange_id, 1, 3)
    first = []

    def list_again(number, rows):
        first.extend([] if first else rows)
        rows[:] = first

    after_each_list(exchange, list_again)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert caught.value.cancelled == []
    assert sorted(caught.value.remaining) == sorted(mine)


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


@pytest.mark.parametrize('junk', ['junk', None, {}, {'orderId': ''}, 7])
def test_row_that_cannot_be_read_is_no_answer_after_the_others_are_cancelled(flavour, simulator, exchange, junk):
    others = quote(simulator, exchange.id, 2)
    after_each_list(exchange, lambda number, rows: rows.append(junk))
    with pytest.raises(ccxt.BadResponse, match=f'cancelled {len(others)} orders') as caught:
        cancel(flavour, exchange)
    assert type(caught.value) is ccxt.BadResponse
    assert resting(simulator, exchange.id) == []


def test_answer_that_cannot_be_read_is_a_cancellation_all_the_same(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    mine = quote(simulator, 'binance', 2)
    exchange.parse_order = None
    cancelled = cancel(flavour, exchange)
    assert ids(cancelled['orders']) == sorted(mine)
    assert all(order['info']['status'] == 'CANCELED' for order in cancelled['orders'])


def test_page_that_is_lost_leaves_the_others_to_be_cancelled(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    mine = quote(simulator, 'okx', 50, 3)
    asking = exchange._urgent_request
    lists = []

    async def lose_second_pages(endpoint, request, *arguments, **keywords):
        if endpoint == 'GET trade/orders-pending':
            lists.append(request.get('after'))
            if lists[-1]:
                raise ccxt.ExchangeNotAvailable('lost')
        return await asking(endpoint, request, *arguments, **keywords)

    exchange._urgent_request = lose_second_pages
    cancelled = cancel(flavour, exchange)  # what is left of the second page is the first one of the next list
    assert ids(cancelled['orders']) == sorted(mine)
    assert lists[0] is None
    assert lists[1]


def test_list_without_data_is_no_empty_list(flavour, canned):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('{"code":"0","msg":""}')
    with pytest.raises(MassCancelIncomplete, match='first failure BadResponse'):
        flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'emulate': True}))


def test_list_without_an_end_does_not_take_all_the_time(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    numbers = iter(range(10**6))

    async def endless(endpoint, request, progress, **keywords):
        assert endpoint == 'GET trade/orders-pending'
        time.sleep(0.01)  # noqa: ASYNC251 - it is no event loop that waits
        return {'data': [{'ordId': str(next(numbers)), 'ordType': 'limit', 'instId': 'BTC-USD-1-1-C'}] * 100}

    exchange._urgent_request = endless
    started = time.monotonic()
    with pytest.raises(MassCancelIncomplete, match='its time is over'):
        cancel(flavour, exchange, timeout=100)
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@pytest.mark.parametrize('emulated', [True, False])
def test_clock_that_cannot_be_asked_does_not_stop_it(flavour, simulator, exchange_id, emulated):
    exchange = flavour.exchange(exchange_id, simulator.url, options={'adjustForTimeDifference': True})
    quote(simulator, exchange_id, 2)
    simulator.fault('status', '/time', status=503, times=100)
    params = {'okx': {'emulate': emulated}, 'binance': {'includeNonMmp': not emulated}}[exchange_id]
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], params))
    assert resting(simulator, exchange_id) == []
    assert len([each for each in simulator.requests if each.path.endswith('/time')]) <= 6


def test_list_that_repeats_itself_is_no_answer(flavour, canned):
    """It is read until a page comes a second time, and not until the time is over."""
    exchange = flavour.exchange('okx', canned.url)
    row = {'instId': 'BTC-USD-260327-100000-C', 'ordType': 'limit'}
    rows = [{**row, 'ordId': str(number)} for number in range(100)]
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': rows}))
    with pytest.raises(MassCancelIncomplete, match='could not list all open orders, only 200'):
        cancel(flavour, exchange, timeout=2000)
    assert len(canned.received()) == 2 * (1 + ROUNDS)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_clock_that_cannot_be_asked_is_asked_twice(flavour, simulator, exchange_id):
    """However many requests there are to make."""
    options = {'adjustForTimeDifference': True, 'massCancelMmp': {'concurrency': 1}}
    exchange = flavour.exchange(exchange_id, simulator.url, options=options)
    quote(simulator, exchange_id, 25)
    simulator.fault('status', '/time', status=503, times=100)
    cancel(flavour, exchange)
    asked = [request.path.endswith('/time') for request in simulator.requests]
    assert asked.count(False) > CLOCK_TRIES
    assert asked.count(True) == CLOCK_TRIES


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_clock_that_hangs_does_not_use_up_the_time(flavour, simulator, exchange_id):
    """It has a tenth of it, and is part of the time."""
    exchange = flavour.exchange(exchange_id, simulator.url, options={'adjustForTimeDifference': True})
    quote(simulator, exchange_id, 1)
    simulator.fault('delay', '/time', milliseconds=60_000, times=2)
    started = time.monotonic()
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], {'timeout': 3000}))
    assert time.monotonic() - started < 3
    assert resting(simulator, exchange_id) == []
    clock = next(request for request in simulator.requests if request.path.endswith('/time'))
    first = next(request for request in simulator.requests if not request.path.endswith('/time'))
    assert first.time - clock.time < 900  # of the 3 s that it would have had


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


def test_list_that_lags_behind_loses_no_cancellation(flavour, simulator, exchange, exchange_id):
    """Listed once more after it was cancelled, an order is gone in the next round, and it was this that did it."""
    mine = quote(simulator, exchange_id, 1, 3)
    stale = []

    def lag(number, rows):
        if number == 0:
            stale.extend(rows)
        elif number == 1:
            rows[:] = stale

    after_each_list(exchange, lag)
    assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)


def test_order_is_in_one_list_alone(flavour, simulator):
    """It was said to be cancelled, and is listed again without saying whether it is an MMP order."""
    exchange = flavour.exchange('binance', simulator.url)
    [mine, refused] = quote(simulator, 'binance', 2, 1)
    simulator.refuse_cancel(refused)
    first = []

    def again(number, rows):
        if number == 0:
            first.extend(dict(row) for row in rows if str(row['orderId']) == mine)
        else:
            rows.append({name: value for name, value in first[0].items() if name != 'mmp'})

    after_each_list(exchange, again)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert (caught.value.cancelled, caught.value.remaining, caught.value.unknown) == ([], [refused], [mine])


@pytest.mark.parametrize(
    ('exchange_id', 'options'),
    [
        ('binance', {'concurrency': '-1'}),
        ('binance', {'concurrency': 0}),
        ('binance', {'weightLimit': 'x'}),
        ('binance', {'weightLimit': 0}),
        ('okx', {'concurrency': []}),
        ('okx', {'timeout': 10**5000}),
    ],
)
def test_options_that_are_none_are_refused_before_anything_is_sent(flavour, simulator, exchange_id, options):
    exchange = flavour.exchange(exchange_id, simulator.url, options={'massCancelMmp': options})
    with pytest.raises(ccxt.BadRequest, match=next(iter(options))):
        cancel(flavour, exchange)
    assert simulator.requests == []


def test_options_that_are_replaced_have_their_defaults(flavour, simulator, exchange):
    mine = quote(simulator, exchange.id, 2)
    exchange.options['massCancelMmp'] = None
    exchange.options['mmpRateLimits'] = None
    assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)


def test_window_of_the_user_goes_with_every_request(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    quote(simulator, 'binance', 1, 2)
    simulator.rest('binance', 'BTCUSDT', mmp=True, symbol=simulator.instruments('binance', 'BTCUSDT')[1])
    cancel(flavour, exchange, recvWindow=1234)
    assert all('recvWindow=1234' in request.query for request in simulator.requests)
    assert len(simulator.requests) == 4


def test_answer_that_tells_of_no_order_is_no_cancellation(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 1, 2)
    asking = exchange._send

    async def strange(endpoint, request, **keywords):
        if 'atch' not in endpoint:
            return await asking(endpoint, request, **keywords)
        strange_rows = [{'orderId': 1, 'status': 'CANCELED'}, {'orderId': mine[0], 'status': 'FILLED'}, 'junk']
        strange_items = [{'ordId': '1', 'sCode': '0'}, {'ordId': '2', 'sCode': '51400'}]
        return strange_rows if exchange_id == 'binance' else {'data': strange_items}

    exchange._send = strange
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange)
    assert caught.value.cancelled == []
    assert sorted(caught.value.remaining) == sorted(mine)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize('status', ['NEW', 'FILLED', None])
def test_cancellation_that_is_not_said_is_none(flavour, simulator, status):
    exchange = flavour.exchange('binance', simulator.url)
    [mine] = quote(simulator, 'binance', 1, 1)
    asking = exchange._send

    async def strange(endpoint, request, **keywords):
        is_cancellation = endpoint == 'DELETE order'
        return {'orderId': mine, 'status': status} if is_cancellation else await asking(endpoint, request, **keywords)

    exchange._send = strange
    with pytest.raises(MassCancelIncomplete, match='not told') as caught:
        cancel(flavour, exchange)
    assert (caught.value.cancelled, caught.value.remaining) == ([], [mine])


def test_answer_that_tells_of_one_order_of_a_batch_speaks_of_that_alone(flavour, simulator):
    """ccxt would raise what a single item says, as if it were of the whole request."""
    exchange = flavour.exchange('binance', simulator.url)
    mine = quote(simulator, 'binance', 1, 2)

    def one_is_gone(code, reason, url, method, headers, body, *_):
        return '[{"code":-2011,"msg":"Unknown order sent."}]' if method == 'DELETE' else body

    exchange.on_rest_response = one_is_gone
    after_each_list(exchange, lose_all_but_the_first)
    with pytest.raises(MassCancelIncomplete, match=r'first failure BadResponse.*was not told about each') as caught:
        cancel(flavour, exchange)
    assert sorted(caught.value.remaining) == sorted(mine)


def test_numbers_of_options_may_be_text(flavour, simulator):
    options = {'concurrency': '2', 'weightLimit': '2400', 'timeout': '5000'}
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': options})
    mine = quote(simulator, 'binance', 3)
    assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)


def test_pause_does_not_outlast_the_time(flavour, simulator):
    """A limit that has no room before the time is over is not waited for."""
    limits = {'POST trade/mass-cancel': [1, 30_000]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits})
    simulator.fault('status', 'mass-cancel', status=429)
    started = time.monotonic()
    with pytest.raises(MassCancelIncomplete, match='RateLimitExceeded'):
        cancel(flavour, exchange, emulate=False, timeout=20_000)
    assert time.monotonic() - started < 10
    assert len(simulator.requests) == 1


def test_window_without_room_while_there_is_time_is_not_waited_for(flavour, simulator):
    limits = {'POST trade/mass-cancel': [1, 3000]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits}, enableRateLimit=True)
    cancel(flavour, exchange, emulate=False)
    started = time.monotonic()
    with pytest.raises(MassCancelIncomplete, match='no room'):
        cancel(flavour, exchange, emulate=False, timeout=500)
    assert time.monotonic() - started < 0.3
    assert len(simulator.requests) == 1


def test_many_ids_are_counted_and_the_first_named(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    mine = quote(simulator, 'binance', 4)
    simulator.fault('status', 'batchOrders', status=429, times=1000)
    with pytest.raises(MassCancelIncomplete, match='remaining 8') as caught:
        cancel(flavour, exchange)
    assert ', '.join(mine[:5]) + ', ...)' in str(caught.value)
    assert 'signature' not in str(caught.value)


# --- the mass cancel of OKX, which is one request


def test_single_request_of_the_usd_margined_family_leaves_the_coin_settled_alone(flavour, simulator):
    coin_settled = simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.rest('okx', 'BTC-USD_UM', mmp=True)
    flavour.take(flavour.exchange('okx', simulator.url).mass_cancel_mmp('BTC/USD:USD'))
    assert simulator.resting('okx', 'BTC-USD') == [coin_settled]
    assert simulator.resting('okx', 'BTC-USD_UM') == []


@pytest.mark.parametrize('kind', ['drop_before', 'drop_after', 'status'])
def test_single_request_is_repeated_twice_at_most(flavour, simulator, kind):
    exchange = flavour.exchange('okx', simulator.url)
    quote(simulator, 'okx', 2)
    simulator.fault(kind, 'mass-cancel', times=2)
    cancel(flavour, exchange, emulate=False)
    assert len(simulator.requests) == 3
    assert resting(simulator, 'okx') == []
    simulator.fault(kind, 'mass-cancel', times=3)
    with pytest.raises(ccxt.NetworkError) as caught:
        cancel(flavour, exchange, emulate=False)
    assert type(caught.value) is not MassCancelIncomplete
    assert len(simulator.requests) == 6


@pytest.mark.parametrize('kind', ['truncated', 'malformed', 'result_false'])
def test_single_request_that_was_answered_is_not_repeated(flavour, simulator, kind):
    exchange = flavour.exchange('okx', simulator.url)
    simulator.fault(kind, 'mass-cancel')
    with pytest.raises(ccxt.OperationFailed):
        cancel(flavour, exchange, emulate=False)
    assert len(simulator.requests) == 1


def test_refusal_is_not_repeated(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    simulator.privileged = False
    with pytest.raises(MmpNotEnabled):
        cancel(flavour, exchange, emulate=False)
    assert len(simulator.requests) == 1


def test_answer_that_does_not_come_leaves_time_to_ask_again(flavour, simulator, exchange_id, exchange):
    """Each answer has a third of what is left, whatever the exchange's own timeout is."""
    mine = quote(simulator, exchange_id, 1, 1)
    path = {'okx': 'cancel-batch-orders', 'binance': 'order'}[exchange_id]
    simulator.fault('hold', LIST[exchange_id], milliseconds=60_000)
    simulator.fault('hold', path, milliseconds=60_000)
    started = time.monotonic()
    cancelled = cancel(flavour, exchange, timeout=3000)
    assert 1.5 < time.monotonic() - started < 3
    assert ids(cancelled['orders']) == mine
    assert exchange.timeout == 10_000
    simulator.clear()


def test_answers_that_never_come_do_not_outlast_the_time(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=3)
    started = time.monotonic()
    with pytest.raises(ccxt.RequestTimeout):
        cancel(flavour, exchange, emulate=False, timeout=1000)
    assert time.monotonic() - started < 1
    assert len(simulator.requests) == 3


def test_timeout_of_the_exchange_holds_where_it_is_shorter(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url, timeout=100)
    simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=3)
    started = time.monotonic()
    with pytest.raises(ccxt.RequestTimeout):
        cancel(flavour, exchange, emulate=False)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_skewed_clock_is_set_and_it_goes_on(flavour, exchange_id):
    with Simulator(clock=lambda: time.time_ns() // 1_000_000 - 3_600_000) as simulator:
        exchange = flavour.exchange(exchange_id, simulator.url)
        quote(simulator, exchange_id, 2)
        cancel(flavour, exchange, **({'emulate': False} if exchange_id == 'okx' else {}))
        assert resting(simulator, exchange_id) == []
        times = [request for request in simulator.requests if request.path.endswith('/time')]
        assert len(times) == 1


def test_clock_that_stays_wrong_is_set_once(flavour, canned):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('{"code":"50102","data":[],"msg":"Timestamp request expired"}')
    exchange.load_time_difference = lambda *arguments: 0
    with pytest.raises(ccxt.InvalidNonce):
        cancel(flavour, exchange, emulate=False)
    assert len(canned.received()) == 2


def test_clock_that_takes_all_the_time_is_the_last_request(flavour, canned):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('{"code":"50102","data":[],"msg":"Timestamp request expired"}')
    exchange.load_time_difference = lambda *arguments: time.sleep(1)
    with pytest.raises(MassCancelIncomplete, match='its time is over'):
        cancel(flavour, exchange, emulate=False, timeout=900)
    assert len(canned.received()) == 1


def test_rate_limit_is_waited_out_as_often_as_there_is_time(flavour, simulator):
    """More often than a request is repeated after other failures."""
    limits = {'POST trade/mass-cancel': [5, 100]}
    exchange = flavour.exchange('okx', simulator.url, options={'mmpRateLimits': limits})
    simulator.fault('status', 'mass-cancel', status=429, times=4)
    started = time.monotonic()
    cancel(flavour, exchange, emulate=False)
    assert time.monotonic() - started >= 4 * 0.1
    assert len(simulator.requests) == 5


def asleep_at(simulator, exchange):
    """Let an exchange sleep on the simulator's clock, which it sets forward."""
    slept = []

    def sleep(milliseconds):
        slept.append(milliseconds)
        simulator.advance(int(milliseconds) + 1)

    async def async_sleep(milliseconds):
        sleep(milliseconds)

    exchange.sleep = sleep if exchange.synchronous else async_sleep
    return slept


@pytest.mark.parametrize('rate_limit', [True, False])
def test_limit_that_others_have_used_up_is_waited_out(flavour, simulator, rate_limit):
    exchange, other = (flavour.exchange('okx', simulator.url, enableRateLimit=rate_limit) for _ in range(2))
    exchange.milliseconds = other.milliseconds = simulator.now
    quote(simulator, 'okx', 2)
    for _ in range(5):
        flavour.take(other.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': 'ETH-USD'}))
    slept = asleep_at(simulator, exchange)
    cancel(flavour, exchange, emulate=False)
    assert len(slept) == 1
    assert 2000 < slept[0] < 2100
    assert resting(simulator, 'okx') == []


def test_objects_that_cancel_at_once_all_get_their_turn(simulator):
    """Eight, where the exchange takes five in two seconds."""

    async def main():
        async with AsyncExitStack() as stack:
            exchanges = [
                await stack.enter_async_context(simulator.connect(ccxt_mmp.async_support.okx)) for _ in range(8)
            ]
            for exchange in exchanges:
                exchange.timeout_on_exit = 0
            await asyncio.gather(*(exchange.mass_cancel_mmp('BTC/USD') for exchange in exchanges))

    asyncio.run(main())
    assert sorted({request.status for request in simulator.requests}) == [200, 429]


def test_weight_of_binance_that_is_used_up_is_waited_for_until_the_minute_is_over(flavour):
    with Simulator(clock=lambda: MINUTE + 55_000) as simulator:
        exchange = flavour.exchange('binance', simulator.url)
        exchange.milliseconds = simulator.now
        mine = quote(simulator, 'binance', 1)
        simulator.fault('status', 'openOrders', status=400)
        told = []
        handling = exchange.handle_errors

        def too_many(code, *arguments):
            if code == 400:
                told.append(code)
                raise ccxt.RateLimitExceeded('-1003')
            return handling(code, *arguments)

        exchange.handle_errors = too_many
        slept = asleep_at(simulator, exchange)
        assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)
        assert told == [400]
        assert slept == [pytest.approx(5000 * 1.02)]


def test_too_many_requests_of_okx_without_a_code_are_a_rate_limit(flavour, canned):
    exchange = flavour.exchange('okx', canned.url)
    canned.answer('<html>429</html>', 429, 'text/html')
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, exchange, emulate=False, timeout=1000)
    assert type(caught.value.__cause__) is ccxt.RateLimitExceeded
    with pytest.raises(ccxt.RateLimitExceeded):
        flavour.take(exchange.fetch_mmp('BTC/USD'))


# --- what an answer hides


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


@pytest.mark.parametrize('call', ['mass_cancel_mmp', 'reset_mmp'])
def test_result_is_looked_at_whatever_handles_the_errors(flavour, simulator, call):
    """A subclass that calls ccxt's own handle_errors, in a class and in an object that is extended."""
    stock = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}[flavour.name].okx

    def own(self, *arguments):
        return stock.handle_errors(self, *arguments)

    by_class = type('okx', (flavour.exchange_class('okx'),), {'handle_errors': own})
    extended = ccxt_mmp.extend(simulator.connect(type('okx', (stock,), {'handle_errors': own})))
    for exchange in (simulator.connect(by_class), extended):
        exchange.timeout_on_exit = 0
        flavour.opened.append(exchange)
        simulator.fault('result_false', call.split('_')[0].replace('mass', 'mass-cancel').replace('reset', 'mmp-reset'))
        with pytest.raises(ccxt.OperationFailed):
            flavour.take(getattr(exchange, call)('BTC/USD'))
    assert len(simulator.requests) == 2
