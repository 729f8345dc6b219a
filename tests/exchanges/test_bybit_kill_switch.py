"""The kill switch on Bybit: by the tag, within the limits, and by the list, since answers only acknowledge."""

import json
import math
from itertools import pairwise

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core import acknowledging
from ccxt_mmp.core.mass_cancels import NOT_TOLD
from ccxt_mmp.exchanges.bybit.answers import accepted_ids
from tests.core.mass_cancel.cancelling import after_each_list, ids, lose_all_but_the_first
from tests.exchanges.bybit_orders import COIN, PLACE, asked, cancel, hide_until, resting


def rest(simulator, number, coin=COIN, mmp=True):
    contracts = simulator.instruments('bybit', coin)[:number]
    return [simulator.rest('bybit', coin, mmp=mmp, symbol=contract).order_id for contract in contracts]


def lists(simulator):
    """The first pages."""
    return [request for request in asked(simulator, 'realtime') if 'cursor' not in request.query]


def batches(simulator):
    return [json.loads(request.body)['request'] for request in asked(simulator, 'cancel-batch')]


# --- what goes


def test_four_hundred_orders_on_two_hundred_contracts_go_within_the_limits(flavour, simulator):
    exchange = flavour.exchange('bybit', simulator.url, enableRateLimit=True)
    mine = rest(simulator, 200) + rest(simulator, 200)
    assert len({simulator.order(each).instrument.instrument_id for each in mine}) == 200
    untagged = rest(simulator, 200, mmp=False)
    theirs = rest(simulator, 50, 'ETH')
    cancelled = cancel(flavour, exchange)
    assert ids(cancelled['orders']) == sorted(mine)
    assert {(order['status'], order['mmp'], order['filled']) for order in cancelled['orders']} == {
        ('canceled', True, None)
    }
    assert resting(simulator) == untagged
    assert resting(simulator, 'ETH') == theirs
    assert {len(each) for each in batches(simulator)} == {20}
    # on a busy machine some arrive closer together than they were sent, and are asked for again
    assert 20 <= len(batches(simulator)) <= 30
    times = [request.time for request in asked(simulator, 'cancel-batch')]
    assert times[-1] - times[0] >= 1000  # twenty are two seconds' worth


def test_both_settle_coins_are_of_the_coin(flavour, simulator, bybit):
    contracts = simulator.instruments('bybit', COIN)
    both = [next(each for each in contracts if each.endswith('-USDT') is of_usdt) for of_usdt in (True, False)]
    mine = [simulator.rest('bybit', COIN, mmp=True, symbol=each).order_id for each in both]
    orders = {order['id']: order['symbol'] for order in cancel(flavour, bybit)['orders']}
    assert [orders[each].partition('-')[0] for each in mine] == ['BTC/USDT:USDT', 'BTC/USDC:USDC']


def test_order_that_does_not_say_its_id_of_the_client_is_not_decided(flavour, simulator, bybit):
    mine = rest(simulator, 3)

    def forget(number, rows):
        for row in rows:
            if row['orderId'] == mine[0]:
                del row['orderLinkId']

    after_each_list(bybit, forget)
    with pytest.raises(ccxt.BadResponse, match='without saying whether they are MMP orders'):
        cancel(flavour, bybit)
    assert resting(simulator) == [mine[0]]


# --- acknowledged


@pytest.mark.parametrize('processing_time', [90, 1500])
def test_acknowledged_cancellation_is_waited_for_and_not_sent_again(flavour, simulator, bybit, processing_time, slept):
    simulator.processing_time = processing_time
    mine = rest(simulator, 30)
    assert ids(cancel(flavour, bybit)['orders']) == sorted(mine)
    assert sorted(len(each) for each in batches(simulator)) == [10, 20]
    assert min(slept, default=0.1) >= 0.1  # none on a machine that is slower than the exchange
    times = [request.time for request in lists(simulator)]
    assert all(later - earlier >= 100 for earlier, later in pairwise(times[1:]))
    assert times[-1] - asked(simulator, 'cancel-batch')[-1].time >= processing_time


def test_acknowledged_cancellation_that_comes_to_nothing_is_not_reported_as_done(flavour, simulator, bybit, slept):
    mine = rest(simulator, 25)
    simulator.refuse_cancel(mine[7], acknowledged=True)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit, timeout=60_000)
    error = caught.value
    assert (error.remaining, error.unknown) == ([mine[7]], [])
    assert sorted(error.cancelled) == sorted(each for each in mine if each != mine[7])
    assert resting(simulator) == [mine[7]]
    # three rounds, and each has the whole time to take effect
    assert sorted(len(each) for each in batches(simulator)) == [1, 1, 5, 20]
    assert len(slept) >= 3
    assert max(slept) == pytest.approx(0.1)


@pytest.mark.usefixtures('slept')
def test_acknowledged_cancellation_that_no_list_confirms_is_unknown(flavour, simulator, bybit):
    simulator.processing_time = 60_000
    mine = rest(simulator, 25)
    after_each_list(bybit, lose_all_but_the_first)
    with pytest.raises(MassCancelIncomplete, match='cancelled 0, remaining 0, unknown 25') as caught:
        cancel(flavour, bybit)
    error = caught.value
    assert (error.cancelled, error.remaining, sorted(error.unknown)) == ([], [], sorted(mine))
    assert sorted(resting(simulator)) == sorted(mine)


@pytest.mark.usefixtures('slept')
def test_waiting_costs_no_round(flavour, simulator, bybit):
    """The cancellation that takes effect in the third round is still one of three."""
    [only] = rest(simulator, 1)
    simulator.refuse_cancel(only, acknowledged=True)
    cancelling = bybit._cancel_chunk
    rounds = []

    async def allow_in_the_third(*arguments):
        rounds.append(arguments)
        if len(rounds) == 3:
            simulator.allow_cancel(only)
        return await cancelling(*arguments)

    bybit._cancel_chunk = allow_in_the_third
    assert ids(cancel(flavour, bybit, timeout=60_000)['orders']) == [only]
    assert len(batches(simulator)) == 3


def test_order_that_was_filled_after_it_was_listed_is_gone(flavour, simulator, bybit):
    mine = rest(simulator, 3)
    after_each_list(bybit, lambda number, rows: number or simulator.fill(mine[0]))
    assert ids(cancel(flavour, bybit)['orders']) == sorted(mine[1:])


@pytest.mark.usefixtures('slept')
def test_list_that_fails_while_it_waits_is_asked_for_again(flavour, simulator, bybit):
    simulator.processing_time = 500
    mine = rest(simulator, 2)

    def fail_once(number, rows):
        if number == 2:
            rows.clear()
            raise ccxt.ExchangeNotAvailable('no list')

    after_each_list(bybit, fail_once)
    assert ids(cancel(flavour, bybit)['orders']) == sorted(mine)
    assert len(batches(simulator)) == 1


# --- refused


@pytest.mark.parametrize('code', [110079, 30035, 10006])
def test_order_that_is_refused_for_the_moment_is_asked_for_again(flavour, simulator, bybit, code, slept):
    rest(simulator, 3)
    asking, told = bybit._urgent_request, []

    async def refuse_once(endpoint, request, progress, **keywords):
        answer = await asking(endpoint, request, progress, **keywords)
        if 'cancel-batch' in endpoint and not told:
            told.append(code)
            answer['retExtInfo']['list'][1] = {'code': code, 'msg': 'later'}
        return answer

    bybit._urgent_request = refuse_once
    # it is gone by now, as the next answer says
    assert len(cancel(flavour, bybit)['orders']) == 2
    assert resting(simulator) == []
    assert [len(each) for each in batches(simulator)] == [3, 1]
    assert slept == [pytest.approx(0.1 if code == 110079 else 1.02)]


@pytest.mark.usefixtures('slept')
def test_order_that_is_processed_for_ever_is_what_is_left(flavour, simulator, bybit):
    mine = rest(simulator, 3)
    simulator.refuse_cancel(mine[1])
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit)
    assert caught.value.remaining == [mine[1]]
    assert type(caught.value.__cause__) is ccxt.OperationFailed
    assert [len(each) for each in batches(simulator)] == [3] + [1] * 8  # twice more in each of three rounds


def test_limit_that_is_used_up_is_waited_out(flavour, simulator, bybit, slept):
    mine = rest(simulator, 3)
    simulator.fault('status', 'cancel-batch', status=429, times=4)
    assert ids(cancel(flavour, bybit)['orders']) == sorted(mine)
    assert len(slept) == 4


def test_limit_without_time_to_wait_for_is_what_is_left(flavour, simulator, bybit):
    mine = rest(simulator, 1)
    asking = bybit._urgent_request

    async def refuse(endpoint, request, progress, **keywords):
        if 'cancel-batch' not in endpoint:
            return await asking(endpoint, request, progress, **keywords)
        row = {'orderId': '', 'orderLinkId': '', 'symbol': ''}
        return {'retCode': 0, 'result': {'list': [row]}, 'retExtInfo': {'list': [{'code': 10006, 'msg': ''}]}}

    bybit._urgent_request = refuse
    with pytest.raises(MassCancelIncomplete, match='RateLimitExceeded') as caught:
        cancel(flavour, bybit, timeout=900)
    assert caught.value.remaining == mine


@pytest.mark.usefixtures('slept')
@pytest.mark.parametrize(
    ('rows', 'codes'),
    [
        ([{'orderId': 'another'}], [{'code': 0, 'msg': 'OK'}]),
        ([{'orderId': ''}], [{'msg': 'OK'}]),
        ([{'orderId': ''}], [{'code': 110007, 'msg': 'refused'}]),
        ([{'orderId': ''}, {'orderId': ''}], [{'code': 0}, {'code': 0}]),
        ([], []),
    ],
)
def test_answer_that_does_not_tell_of_the_order_is_no_cancellation(flavour, simulator, bybit, rows, codes):
    mine = rest(simulator, 1)
    asking = bybit._urgent_request

    async def strange(endpoint, request, progress, **keywords):
        if 'cancel-batch' not in endpoint:
            return await asking(endpoint, request, progress, **keywords)
        return {'retCode': 0, 'result': {'list': rows}, 'retExtInfo': {'list': codes}}

    bybit._urgent_request = strange
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit)
    assert (caught.value.cancelled, caught.value.remaining) == ([], mine)


def test_address_that_is_banned_sends_nothing_more(flavour, simulator, bybit):
    mine = rest(simulator, 3)
    simulator.fault('status', 'cancel-batch', status=403, times=100)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit)
    assert sorted(caught.value.remaining) == mine
    assert type(caught.value.__cause__) is ccxt.DDoSProtection
    assert len(asked(simulator, 'cancel-batch')) == 1


def test_list_that_goes_on_for_ever_is_no_list(flavour, simulator, bybit):
    async def same(endpoint, request, progress, **keywords):
        return {'retCode': 0, 'result': {'list': [{'orderId': '1', 'symbol': 'x'}], 'nextPageCursor': 'again'}}

    bybit._urgent_request = same
    with pytest.raises(MassCancelIncomplete, match='could not list all orders'):
        cancel(flavour, bybit)


def in_pages(bybit, pages):
    """Answer lists in pages, and cancels with success. Of each cursor its orders and the next cursor."""
    resting, send = {each for ids, _ in pages.values() for each in ids}, bybit._send

    async def answered(endpoint, request, **keywords):
        if endpoint == 'GET order/realtime' and request['openOnly'] == '0':
            ids, cursor = pages[request.get('cursor', '')]
            rows = [{**RESTING, 'orderId': each} for each in ids if each in resting]
            return {'retCode': 0, 'result': {'list': rows, 'nextPageCursor': cursor}}
        if endpoint != 'POST order/cancel-batch':
            return await send(endpoint, request, **keywords)
        ids = [each['orderId'] for each in request['request']]
        resting.difference_update(ids)
        done = {'list': [{'code': 0, 'msg': 'OK'} for _ in ids]}
        return {'retCode': 0, 'result': {'list': [{'orderId': each} for each in ids]}, 'retExtInfo': done}

    bybit._send = answered
    return resting


def test_empty_page_with_another_behind_it_ends_no_list(flavour, simulator, bybit):
    resting = in_pages(bybit, {'': ([], 'a'), 'a': (['1'], 'b'), 'b': ([], 'c'), 'c': (['2'], '')})
    cancelled = cancel(flavour, bybit)
    assert sorted(order['id'] for order in cancelled['orders']) == ['1', '2']
    assert resting == set()


def test_list_ends_at_an_empty_page_that_names_itself(flavour, simulator, bybit):
    in_pages(bybit, {'': (['1'], 'a'), 'a': ([], 'a')})
    assert [order['id'] for order in cancel(flavour, bybit)['orders']] == ['1']


def test_empty_pages_that_name_each_other_are_no_list(flavour, simulator, bybit):
    in_pages(bybit, {'': (['1'], 'a'), 'a': ([], 'b'), 'b': ([], 'a')})
    with pytest.raises(MassCancelIncomplete, match='could not list all orders'):
        cancel(flavour, bybit)


# --- new orders: acknowledged, and not listed yet


@pytest.mark.usefixtures('slept')
@pytest.mark.parametrize(
    ('place', 'params'), [*((place, {}) for place in PLACE), ('create_order', {'includeNonMmp': True})]
)
def test_order_that_no_list_has_yet_is_waited_for(flavour, simulator, bybit, option, place, params):
    flavour.take(PLACE[place](bybit, option))
    [placed] = resting(simulator)
    hide_until(bybit, 2)
    if params:  # the request that cancels all comes before the order, too
        simulator.refuse_cancel(placed, acknowledged=True)
        after_each_list(bybit, lambda number, rows: simulator.allow_cancel(placed) if number == 2 else None)
    cancelled = cancel(flavour, bybit, **params)
    assert resting(simulator) == []
    assert params or ids(cancelled['orders']) == [placed]


def test_order_that_is_closed_already_is_not_waited_for(flavour, simulator, bybit, option, slept):
    placed = flavour.take(PLACE['create_order'](bybit, option))
    simulator.fill(placed['id'])
    assert cancel(flavour, bybit)['orders'] == []
    assert slept == []
    assert [request.query.count('openOnly=1') for request in lists(simulator)] == [0, 1]


def test_orders_that_are_listed_cost_no_request(flavour, simulator, bybit, option):
    flavour.take(PLACE['create_order'](bybit, option))
    cancel(flavour, bybit)
    assert [request.query.count('openOnly=1') for request in lists(simulator)] == [0, 0]


@pytest.mark.usefixtures('slept')
@pytest.mark.parametrize('params', [{}, {'includeNonMmp': True}])
def test_order_that_no_list_has_while_there_is_time_is_unknown(flavour, simulator, bybit, option, params):
    placed = flavour.take(PLACE['create_order'](bybit, option))
    hide_until(bybit, 10_000)
    if params:
        simulator.refuse_cancel(placed['id'], acknowledged=True)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit, timeout=500, **params)
    # its last list may break off after a page that has it
    assert params or [*caught.value.unknown, *caught.value.remaining] == [placed['id']]


def test_order_that_no_list_has_is_none_after_a_while(flavour, simulator, bybit, option, monkeypatch):
    monkeypatch.setattr(acknowledging, 'WAIT', 0.2)
    flavour.take(PLACE['create_order'](bybit, option))
    hide_until(bybit, 10_000)
    simulator.fault('status', 'realtime', status=503, times=1)  # one that is asked for again
    assert cancel(flavour, bybit)['orders'] == []


def test_closed_orders_that_cannot_be_listed_stop_nothing(flavour, simulator, bybit, option):
    placed = flavour.take(PLACE['create_order'](bybit, option))
    hide_until(bybit, 1)

    async def refuse(*_):
        raise ccxt.ExchangeError('no list')

    bybit._list_closed_orders = refuse
    assert ids(cancel(flavour, bybit)['orders']) == [placed['id']]


def test_open_order_in_the_list_of_closed_ones_is_not_closed(flavour, simulator, bybit, option):
    placed = flavour.take(PLACE['create_order'](bybit, option))
    hide_until(bybit, 1)
    asks = bybit._ask_page
    bybit._ask_page = lambda progress, request: asks(progress, {**request, 'openOnly': '0'})
    assert ids(cancel(flavour, bybit)['orders']) == [placed['id']]


@pytest.mark.parametrize(
    'answer',
    [
        None,
        [],
        {},
        {'result': None},
        {'result': []},
        {'result': {}},
        {'result': {'list': 5}},
        {'result': {'list': [5]}},
    ],
)
def test_answer_that_names_no_order_acknowledges_none(answer):
    assert accepted_ids(answer) == []


# --- every order of the coin


def test_every_order_of_the_coin_is_one_request_that_the_list_confirms(flavour, simulator, bybit, slept):
    simulator.processing_time = 350
    rest(simulator, 3)
    rest(simulator, 60, mmp=False)
    theirs = rest(simulator, 2, 'ETH')
    cancelled = cancel(flavour, bybit, includeNonMmp=True)
    assert cancelled['info']['result']['success'] == '1'
    assert (cancelled['orders'], resting(simulator), resting(simulator, 'ETH')) == (None, [], theirs)
    assert simulator.requests[0].path == '/v5/order/cancel-all'
    assert json.loads(simulator.requests[0].body) == {'category': 'option', 'baseCoin': COIN}
    assert len(asked(simulator, 'cancel-all')) == 1
    assert slept


@pytest.mark.usefixtures('slept')
def test_request_that_comes_to_nothing_is_sent_again_and_then_incomplete(flavour, bybit, simulator):
    [only] = rest(simulator, 1, mmp=False)
    simulator.refuse_cancel(only, acknowledged=True)
    with pytest.raises(MassCancelIncomplete) as caught:
        cancel(flavour, bybit, includeNonMmp=True, timeout=60_000)
    assert caught.value.remaining == [only]
    assert len(asked(simulator, 'cancel-all')) == 3


def test_list_that_cannot_be_read_confirms_nothing(flavour, simulator, bybit):
    simulator.fault('status', 'realtime', status=503, times=100)
    with pytest.raises(MassCancelIncomplete, match='whether others rest is not known'):
        cancel(flavour, bybit, includeNonMmp=True)


def test_answer_that_is_no_success_is_none(flavour, canned):
    canned.answer('{"retCode":0,"retMsg":"OK","result":{"list":[],"success":"0"}}')
    exchange = flavour.exchange('bybit', canned.url)
    with pytest.raises(ccxt.BadResponse, match='no success'):
        cancel(flavour, exchange, includeNonMmp=True)


@pytest.mark.parametrize('params', [{}, {'includeNonMmp': True}])
def test_coin_that_the_exchange_does_not_know_is_a_bad_symbol(flavour, simulator, bybit, params):
    with pytest.raises(ccxt.BadSymbol, match='BCT'):
        flavour.take(bybit.mass_cancel_mmp('BCT', params))


REFUSED = {'retCode': 10001, 'retMsg': 'Request parameter error: it', 'result': {}}
DONE = {'retCode': 0, 'retMsg': 'OK', 'result': {'list': [], 'success': '1'}}
FIRST_PAGE = {'retCode': 0, 'retMsg': 'OK', 'result': {'list': [{'orderId': '1', 'orderLinkId': 'mine'}]}}
FIRST_PAGE['result']['nextPageCursor'] = 'page2'


@pytest.mark.parametrize('params', [{}, {'includeNonMmp': True}])
def test_first_request_that_is_refused_is_of_no_coin(flavour, canned, params):
    canned.answer(json.dumps(REFUSED))
    with pytest.raises(ccxt.BadSymbol, match='BTC'):
        cancel(flavour, flavour.exchange('bybit', canned.url), **params)


@pytest.mark.parametrize('params', [{}, {'includeNonMmp': True}])
def test_list_that_is_refused_after_an_answer_says_nothing_of_the_coin(flavour, httpserver, params):
    if not params:
        httpserver.expect_oneshot_request('/v5/order/realtime').respond_with_json(FIRST_PAGE)
    httpserver.expect_request('/v5/order/realtime').respond_with_json(REFUSED)
    httpserver.expect_request('/v5/order/cancel-all').respond_with_json(DONE)
    exchange = flavour.exchange('bybit', httpserver.url_for(''))
    with pytest.raises(MassCancelIncomplete, match='10001'):
        cancel(flavour, exchange, **params)


RESTING = {'symbol': 'BTC-27MAR26-70000-P-USDT', 'orderId': '1', 'orderLinkId': 'mmp-1', 'orderStatus': 'New'}
LISTED = {'retCode': 0, 'retMsg': 'OK', 'result': {'list': [RESTING], 'nextPageCursor': ''}}


def test_round_that_is_refused_after_an_answer_says_nothing_of_the_coin(flavour, httpserver, monkeypatch):
    monkeypatch.setattr(acknowledging, 'WAIT', 0.05)
    httpserver.expect_oneshot_request('/v5/order/cancel-all').respond_with_json(DONE)
    httpserver.expect_request('/v5/order/cancel-all').respond_with_json(REFUSED)
    httpserver.expect_request('/v5/order/realtime').respond_with_json(LISTED)
    with pytest.raises(MassCancelIncomplete, match='10001') as raised:
        cancel(flavour, flavour.exchange('bybit', httpserver.url_for('')), includeNonMmp=True)
    assert raised.value.remaining == ['1']


def test_coin_that_is_listed_and_then_refused_fails_a_cancel_of_all(flavour, httpserver):
    httpserver.expect_request('/v5/order/cancel-all').respond_with_json(REFUSED)
    httpserver.expect_request('/v5/order/realtime').respond_with_json(LISTED)
    exchange = flavour.exchange('bybit', httpserver.url_for(''))
    with pytest.raises(MassCancelIncomplete, match='10001'):
        flavour.take(exchange.mass_cancel_mmps(None, {'includeNonMmp': True}))


@pytest.mark.parametrize(('params', 'error'), [({}, MassCancelIncomplete), ({'includeNonMmp': True}, ccxt.BadRequest)])
def test_coin_of_an_accepted_order_is_known(flavour, canned, params, error):
    canned.answer(json.dumps(REFUSED))
    exchange = flavour.exchange('bybit', canned.url)
    exchange._unlisted(COIN)['1'] = math.inf
    with pytest.raises(error, match='10001') as raised:
        cancel(flavour, exchange, **params)
    assert raised.type is error


def test_refusal_of_something_else_is_no_bad_symbol(flavour, simulator, bybit):
    with pytest.raises(ccxt.NotSupported):
        cancel(flavour, bybit, scope='rfq')
    for flag in ('emulate', 'hedge'):
        with pytest.raises(ccxt.NotSupported):
            cancel(flavour, bybit, **{flag: True})
    with pytest.raises(ccxt.BadRequest, match='timeout'):
        cancel(flavour, bybit, timeout='10001.5')
    assert simulator.requests == []


# --- several coins


def test_all_coins_are_those_of_tagged_orders(flavour, simulator, bybit):
    mine, theirs = rest(simulator, 60), rest(simulator, 2, 'ETH')
    untagged = rest(simulator, 2, 'ETH', mmp=False)
    done = flavour.take(bybit.mass_cancel_mmps())
    assert {name: ids(each['orders']) for name, each in done.items()} == {'BTC': sorted(mine), 'ETH': sorted(theirs)}
    assert (resting(simulator), resting(simulator, 'ETH')) == ([], untagged)
    assert 'baseCoin' not in simulator.requests[0].query


@pytest.mark.parametrize(
    ('row', 'underlying'),
    [
        ({'symbol': 'BTC-27MAR26-70000-P', 'orderLinkId': 'mmp-1'}, 'BTC'),
        ({'symbol': 'BTC-27MAR26-70000-P', 'orderLinkId': ''}, None),
        ({'symbol': 'BTC-27MAR26-70000-P'}, NOT_TOLD),
        ({'symbol': '?', 'orderLinkId': 'mmp-1'}, NOT_TOLD),
        ('junk', NOT_TOLD),
    ],
)
def test_coin_of_an_order_is_told_by_its_id(bybit, row, underlying):
    assert bybit._underlying_of_mmp(row) == underlying
