"""What a mass cancel makes of the answers: which orders are to go, and what is no cancellation."""

import json

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core.list_and_cancel import ROUNDS
from tests.core.mass_cancel.cancelling import (
    after_each_list,
    cancel,
    ids,
    lose_all_but_the_first,
    quote,
    resting,
)
from tests.rows import rows


@rows('body', ['{"code":1,"msg":"x"}', '{}', '[]', '"success"', '{"msg":"success"}'])
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


@rows(
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


@rows(
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


@rows('row', ['{}', '{"orderId":null}', '{"orderId":""}', '1', 'null'])
def test_listed_order_without_an_id_is_no_answer(flavour, canned, row):
    exchange = flavour.exchange('binance', canned.url)
    canned.answer(f'[{row}]')
    with pytest.raises(ccxt.BadResponse, match='an order without an id'):
        cancel(flavour, exchange)


@pytest.mark.usefixtures('slept')
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


@rows('junk', ['junk', None, {}, {'orderId': ''}, 7])
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


def test_list_that_repeats_itself_is_no_answer(flavour, canned):
    """It is read until a page comes a second time, and not until the time is over."""
    exchange = flavour.exchange('okx', canned.url)
    row = {'instId': 'BTC-USD-260327-100000-C', 'ordType': 'limit'}
    rows = [{**row, 'ordId': str(number)} for number in range(100)]
    canned.answer(json.dumps({'code': '0', 'msg': '', 'data': rows}))
    with pytest.raises(MassCancelIncomplete, match='could not list all open orders, only 200'):
        cancel(flavour, exchange, timeout=2000)
    assert len(canned.received()) == 2 * (1 + ROUNDS)


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


@pytest.mark.usefixtures('slept')
def test_answer_that_tells_of_no_order_is_no_cancellation(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 1, 2)
    asking = exchange._send

    async def strange(endpoint, request, **keywords):
        if '-batch' not in endpoint and 'batchOrders' not in endpoint and endpoint != 'POST cancel':
            return await asking(endpoint, request, **keywords)
        strange_rows = [{'orderId': 1, 'status': 'CANCELED'}, {'orderId': mine[0], 'status': 'FILLED'}, 'junk']
        strange_items = [{'ordId': '1', 'sCode': '0'}, {'ordId': '2', 'sCode': '51400'}]
        of_bybit = {'result': {'list': [{'orderId': 'x'}] * 2}, 'retExtInfo': {'list': [{'code': 0}] * 2}}
        return {
            'binance': strange_rows,
            'okx': {'data': strange_items},
            'deribit': {'result': {'order_id': 'x'}},
            'bybit': of_bybit,
        }[exchange_id]

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
