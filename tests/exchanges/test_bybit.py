"""What Bybit alone has: rules of a coin, answers without data, codes, and orders that are told by a tag."""

import json
import re
from collections import Counter
from decimal import Context, localcontext

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MmpNotEnabled
from ccxt_mmp.simulator import Rule
from tests.flavours import Flavour
from tests.rows import rows
from tests.tagging import TAG
from tests.trading import at_simulator, symbols, with_markets

STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
LINK_ID = re.compile(rf'{TAG}[0-9a-f]{{32}}')
RULE = ('BTC', 5000, 0, 50, 20)


@pytest.fixture
def bybit(flavour, simulator):
    return with_markets(flavour.exchange('bybit', simulator.url))


@pytest.fixture
def option(bybit):
    return symbols(bybit, 'BTC')[0]


def paths(simulator):
    return Counter(request.path.removeprefix('/v5/') for request in simulator.requests)


def bodies(simulator, path):
    return [json.loads(each.body) for each in simulator.requests if each.path.endswith(path)]


def order(symbol, price=5, **params):
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': price, 'params': params}


def quoted(flavour, exchange, symbol, **params):
    return flavour.take(exchange.create_order(symbol, 'limit', 'buy', 1, 5, {'mmp': True, **params}))


# --- rules


@rows(
    ('arguments', 'params', 'error'),
    [
        ((0, 0, 1, 1), {}, ccxt.BadRequest),
        ((5000, -1, 1, 1), {}, ccxt.BadRequest),
        ((5000.5, 0, 1, 1), {}, ccxt.BadRequest),
        ((5000, 0, '0.001', 1), {}, ccxt.BadRequest),
        ((5000, 0, 1, 0), {}, ccxt.BadRequest),
        ((5000, 0, 1, 1), {'vegaLimit': '0.001'}, ccxt.BadRequest),
        ((5000, 0, None, 1), {}, ccxt.ArgumentsRequired),
        ((5000, 0, 1, None), {}, ccxt.ArgumentsRequired),
        ((5000, 0, 1, 1), {'countLimit': 3}, ccxt.NotSupported),
        ((5000, 0, 1, 1), {'maxQuoteQuantity': 3}, ccxt.NotSupported),
        ((5000, 0, 1, 1), {'scope': 'rfq'}, ccxt.NotSupported),
    ],
)
def test_rule_that_is_none_is_refused_before_anything_is_sent(flavour, simulator, bybit, arguments, params, error):
    with pytest.raises(error):
        flavour.take(bybit.set_mmp('BTC', *arguments, params))
    assert simulator.requests == []


@rows('name', ['btc', 'BTC/USD', 'BTC/USDT:USDC', 'BTC-USDT', 'BTCUSDT', 'BTCUSD', 'BTC-27MAR26', '', None])
def test_what_names_no_coin_is_refused_before_anything_is_sent(flavour, simulator, bybit, name):
    with pytest.raises((ccxt.BadSymbol, ccxt.ArgumentsRequired), match='the coin in upper case'):
        flavour.take(bybit.fetch_mmp(name))
    assert simulator.requests == []


def test_answer_without_data_is_read_as_what_was_sent(flavour, simulator, bybit):
    state = flavour.take(bybit.set_mmp(*RULE, {'vegaLimit': 1000}))
    asked = {'enabled': True, 'window': 5000, 'frozenTime': 0, 'qtyLimit': 50, 'deltaLimit': 20, 'vegaLimit': 1000}
    assert {name: state[name] for name in asked} == asked
    assert state['frozen'] is None  # whether it ends a freeze is not documented
    fetched = flavour.take(bybit.fetch_mmp('BTC/USDC'))
    assert {name: fetched[name] for name in asked} == asked
    assert (fetched['frozen'], fetched['underlying']) == (False, 'BTC')


def test_one_rule_has_several_names(flavour, simulator, bybit):
    names = ['BTC', 'BTC/USDT', 'BTC/USDC:USDC', symbols(bybit, 'BTC')[0]]
    flavour.take(bybit.set_mmp(*RULE))
    states = flavour.take(bybit.fetch_mmps([*names, 'ETH']))
    assert list(states) == [*names, 'ETH']
    assert [state['enabled'] for state in states.values()] == [True] * 4 + [False]
    assert paths(simulator)['account/mmp-state'] == 2
    with pytest.raises(ccxt.ArgumentsRequired):
        flavour.take(bybit.fetch_mmps())


def test_freeze_ends_by_a_reset(flavour, simulator, bybit):
    simulator.set_rule('bybit', 'BTC', Rule(5000, 2000, '50', '20'))
    simulator.trip('bybit', 'BTC')
    state = flavour.take(bybit.fetch_mmp('BTC'))
    assert state['frozen'] is True
    assert state['frozenUntil'] > simulator.now()
    assert flavour.take(bybit.reset_mmp('BTC'))['frozen'] is False
    state = flavour.take(bybit.fetch_mmp('BTC'))
    assert (state['frozen'], state['frozenUntil']) == (False, None)


def test_account_without_the_privilege_is_told_whom_to_ask(flavour, simulator, bybit):
    simulator.privileged = False
    for call in (lambda: bybit.set_mmp(*RULE), lambda: bybit.fetch_mmp('BTC'), lambda: bybit.reset_mmp('BTC')):
        with pytest.raises(MmpNotEnabled, match='account manager'):
            flavour.take(call())


# --- answers


@rows(
    ('answer', 'status', 'error'),
    [
        ('{"retCode":110062,"retMsg":"There is no MMP information of the institution found."}', 200, MmpNotEnabled),
        ('{"retCode":110065,"retMsg":"MMP is off"}', 200, MmpNotEnabled),
        ('{"retCode":10001,"retMsg":"Request parameter error"}', 200, ccxt.BadRequest),
        ('{"retCode":10006,"retMsg":"Too many visits."}', 200, ccxt.RateLimitExceeded),
        ('{"retCode":10000,"retMsg":"Server Timeout"}', 200, ccxt.RequestTimeout),
        ('{"retCode":10016,"retMsg":"Server error."}', 200, ccxt.ExchangeNotAvailable),
        ('{"retCode":10429,"retMsg":"System level frequency protection"}', 200, ccxt.RateLimitExceeded),
        ('{"retCode":429,"retMsg":"overload"}', 200, ccxt.RateLimitExceeded),
        ('{"retCode":110072,"retMsg":"OrderLinkedID is duplicate"}', 200, ccxt.DuplicateOrderId),
        ('{"retCode":110079,"retMsg":"The order is processing"}', 200, ccxt.OperationFailed),
        ('access too frequent', 403, ccxt.DDoSProtection),
        ('{}', 403, ccxt.DDoSProtection),
        ('{}', 429, ccxt.RateLimitExceeded),
        ('{}', 502, ccxt.ExchangeNotAvailable),
        ('{}', 200, ccxt.BadResponse),
        ('{}', 402, ccxt.BadResponse),
        ('[]', 200, ccxt.BadResponse),
        ('<html>', 200, ccxt.BadResponse),
        ('{"retCode":0,"retMsg":"OK"}', 200, ccxt.BadResponse),
        ('{"retCode":0,"retMsg":"OK","result":{"result":[1]}}', 200, ccxt.BadResponse),
        ('{"retCode":0,"retMsg":"OK","result":{"result":[{"baseCoin":"ETH","window":"1"}]}}', 200, ccxt.BadResponse),
        ('{"retCode":0,"retMsg":"OK","result":{"result":[{"baseCoin":"BTC"}]}}', 200, ccxt.BadResponse),
    ],
)
def test_what_an_answer_means(flavour, canned, answer, status, error):
    canned.answer(answer, status, 'application/json' if answer[0] in '{[' else 'text/plain')
    exchange = flavour.exchange('bybit', canned.url)
    with pytest.raises(error) as caught:
        flavour.take(exchange.fetch_mmp('BTC'))
    assert type(caught.value) is error


def test_options_that_are_replaced_lack_no_receive_window(flavour, simulator, bybit):
    bybit.options = {}
    assert flavour.take(bybit.fetch_mmp('BTC'))['enabled'] is False


# --- the tag


def test_mmp_order_has_a_client_order_id_that_begins_with_the_tag(flavour, simulator, bybit, option):
    placed = [quoted(flavour, bybit, option), quoted(flavour, bybit, option), *quoted_in_lists(flavour, bybit, option)]
    ids = [each['clientOrderId'] for each in placed]
    assert all(LINK_ID.fullmatch(each) for each in ids)
    assert len({*ids}) == 4
    assert [simulator.order(each['id']).client_order_id for each in placed] == ids
    assert {each['mmp'] for each in placed} == {True}


def quoted_in_lists(flavour, exchange, symbol):
    return flavour.take(exchange.create_orders([order(symbol, mmp=True), order(symbol, mmp=True)]))


@pytest.mark.parametrize('name', ['clientOrderId', 'orderLinkId'])
def test_id_of_the_caller_is_taken_if_it_has_the_tag(flavour, simulator, bybit, option, name):
    placed = quoted(flavour, bybit, option, **{name: 'mmp-quote_1'})
    assert (placed['clientOrderId'], placed['mmp']) == ('mmp-quote_1', True)
    assert simulator.order(placed['id']).client_order_id == 'mmp-quote_1'


@rows(
    'params',
    [
        {'clientOrderId': 'quote_1'},
        {'clientOrderId': ''},
        {'clientOrderId': 5},
        {'orderLinkId': 'MMP-1'},
        {'clientOrderId': 'mmp-1', 'orderLinkId': 'mmp-2'},
        {'clientOrderId': 'mmp-' + 'x' * 33},
        {'clientOrderId': 'mmp-a b'},
        {'clientOrderId': 'mmp-1\n'},
    ],
)
def test_id_without_the_tag_is_refused_before_anything_is_sent(flavour, simulator, bybit, option, params):
    for call in (
        lambda: quoted(flavour, bybit, option, **params),
        lambda: flavour.take(bybit.create_orders([order(option, mmp=True, **params)])),
    ):
        with pytest.raises(ccxt.InvalidOrder, match='must begin with mmp-'):
            call()
    assert simulator.requests == []


def test_order_without_the_flag_that_has_the_tag_is_refused_before_anything_is_sent(flavour, simulator, bybit, option):
    bybit.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)
    for params in ({'clientOrderId': 'mmp-1'}, {'orderLinkId': 'mmp-1', 'mmp': False}):
        with pytest.raises(ccxt.InvalidOrder, match='as those of MMP orders alone'):
            flavour.take(bybit.create_order(option, 'limit', 'buy', 1, 5, params))
        with pytest.raises(ccxt.InvalidOrder, match='as those of MMP orders alone'):
            flavour.take(bybit.create_orders([order(option, **params)]))
    assert simulator.requests == []


def test_tag_is_an_option(flavour, simulator, bybit, option):
    bybit.options['createOrder'] = {'mmpTag': 'desk2_'}
    placed = quoted(flavour, bybit, option)
    assert placed['clientOrderId'].startswith('desk2_')
    assert len(placed['clientOrderId']) == 36
    simulator.rest('bybit', 'BTC', mmp=True)  # with the tag of another program
    flavour.take(bybit.mass_cancel_mmp('BTC'))
    assert len(simulator.resting('bybit', 'BTC')) == 1


@rows('tag', ['', 5, 'a b', 'x' * 21, 'ab12', 'ä'])
def test_tag_that_is_none_is_refused_before_anything_is_sent(flavour, simulator, bybit, option, tag):
    bybit.options['createOrder'] = {'mmpTag': tag}
    with pytest.raises(ccxt.InvalidOrder, match='mmpTag'):
        quoted(flavour, bybit, option)
    with pytest.raises(ccxt.BadRequest, match='mmpTag'):
        flavour.take(bybit.mass_cancel_mmp('BTC'))
    assert simulator.requests == []


def test_tag_that_is_none_marks_no_order(bybit):
    bybit.options['createOrder'] = {'mmpTag': ''}
    assert bybit._flag_told({'orderLinkId': 'mmp-1'}) is None
    assert bybit._flag_told(None) is None


def test_id_that_is_none_of_an_option_is_its_own_symbol(bybit):
    assert bybit._unified_symbol('BTCUSDT', 'BTC') == 'BTCUSDT'
    assert bybit._unified_symbol('BTC-6MAR26-0.5-P-USDT', 'BTC') == 'BTC/USDT:USDT-260306-0.5-P'


def test_only_the_tag_tells_an_mmp_order(flavour, simulator, bybit, option):
    tagged = quoted(flavour, bybit, option)
    plain = flavour.take(bybit.create_order(option, 'limit', 'buy', 1, 5))
    [in_list] = flavour.take(bybit.create_orders([order(option)]))
    assert (plain['mmp'], in_list['mmp']) == (False, False)
    elsewhere = simulator.rest('bybit', 'BTC', mmp=True)
    elsewhere.client_order_id = 'x'
    listed = flavour.take(bybit.fetch_open_orders(option))
    assert {each['id']: each['mmp'] for each in listed if each['id'] != elsewhere.order_id} == {
        tagged['id']: True,
        plain['id']: None,
        in_list['id']: None,
    }
    assert [each['id'] for each in flavour.take(bybit.fetch_open_orders(params={'mmp': True}))] == [tagged['id']]
    swap = next(market for market in bybit.markets.values() if market['swap'])
    assert bybit.safe_order({'info': {'orderLinkId': 'mmp-1'}}, swap)['mmp'] is False


# --- orders


@pytest.mark.parametrize(('link_id', 'flag'), [('mmp-1', True), ('quote-1', None)])
def test_tag_tells_an_mmp_order_where_the_info_is_a_whole_answer(bybit, link_id, flag):
    info = {'retCode': 0, 'result': {'orderLinkId': link_id}}
    assert bybit.safe_order({'id': '1', 'clientOrderId': link_id, 'info': info})['mmp'] is flag


def test_mmp_order_is_one_request(flavour, simulator, bybit, option):
    """It needs a unified account: nobody has to ask whether it is one."""
    placed = quoted(flavour, bybit, option, postOnly=True)
    assert paths(simulator) == {'order/create': 1}
    [body] = bodies(simulator, 'order/create')
    assert (body['category'], body['mmp'], body['timeInForce'], body['qty']) == ('option', True, 'PostOnly', '1')
    assert (placed['postOnly'], placed['timeInForce'], placed['status'], placed['type']) == (
        True,
        'PO',
        'open',
        'limit',
    )


def test_what_the_user_says_of_the_account_stays(flavour, simulator, bybit, option):
    bybit.options.update(enableUnifiedMargin=True, enableUnifiedAccount=False)
    quoted(flavour, bybit, option)
    assert (bybit.options['enableUnifiedMargin'], bybit.options['enableUnifiedAccount']) == (True, False)


def test_post_only_has_the_name_of_the_exchange_too(flavour, simulator, bybit, option):
    assert quoted(flavour, bybit, option, timeInForce='PostOnly')['postOnly'] is True
    with pytest.raises(ccxt.InvalidOrder):
        quoted(flavour, bybit, option, timeInForce='IOC')
    with pytest.raises(ccxt.InvalidOrder):
        quoted(flavour, bybit, option, tpslMode='Full')


def test_batches_are_of_twenty_and_read_item_by_item(flavour, simulator, bybit):
    options = symbols(bybit, 'BTC')
    simulator.fault('half_batch', 'order/create-batch')
    orders = flavour.take(bybit.create_orders([order(options[each % 4], each + 1, mmp=True) for each in range(45)]))
    assert [len(body['request']) for body in bodies(simulator, 'create-batch')] == [20, 20, 5]
    assert {body['category'] for body in bodies(simulator, 'create-batch')} == {'option'}
    assert [each['price'] for each in orders] == list(range(1, 46))
    refused = [each for each in orders if each['error'] is not None]
    assert {len(refused)} <= {2, 10}
    assert {type(each['error']) for each in refused} == {ccxt.InsufficientFunds}
    assert {each['status'] for each in refused} == {'rejected'}
    assert len(simulator.resting('bybit', 'BTC')) == 45 - len(refused)


@rows(
    'told',
    [
        {},
        {'result': {'list': []}},
        {'result': {'list': [{}, {}]}, 'retExtInfo': {'list': [{'code': 0}]}},
        {'result': {'list': ['x']}, 'retExtInfo': {'list': [{'code': 0}]}},
        {'result': {'list': [{'orderId': 'x'}]}, 'retExtInfo': {'list': [{}]}},
    ],
)
def test_batch_that_does_not_tell_is_no_success(flavour, canned, told):
    canned.answer(json.dumps({'retCode': 0, 'retMsg': 'OK', **told}))
    exchange = with_markets(flavour.exchange('bybit', canned.url))
    option = symbols(exchange, 'BTC')[0]
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.create_orders([order(option, mmp=True)]))
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.cancel_orders(['x'], option))


def test_edit_keeps_the_flag_and_does_not_send_it(flavour, simulator, bybit, option):
    placed = quoted(flavour, bybit, option)
    edited = flavour.take(bybit.edit_order(placed['id'], option, 'limit', 'buy', 2, 10, {'mmp': True}))
    assert (edited['amount'], edited['price'], edited['mmp'], edited['filled']) == (2, 10, True, None)
    assert edited['clientOrderId'] == placed['clientOrderId']
    [body] = bodies(simulator, 'order/amend')
    assert body == {
        'category': 'option',
        'symbol': bybit.market(option)['id'],
        'orderId': placed['id'],
        'qty': '2',
        'price': '10',
    }
    flavour.take(bybit.edit_order(placed['id'], option, 'limit', 'buy', None, 15, {'mmp': True}))
    by_link_id = {'mmp': True, 'clientOrderId': placed['clientOrderId']}
    flavour.take(bybit.edit_order(None, option, 'limit', 'buy', 3, None, by_link_id))
    assert str(simulator.order(placed['id']).quantity) == '3'


def test_edit_without_the_flag_is_of_options_in_every_version_of_ccxt(flavour, simulator, bybit, option):
    placed = quoted(flavour, bybit, option)
    flavour.take(bybit.edit_order(placed['id'], option, 'limit', 'buy', 2, 10))
    [body] = bodies(simulator, 'order/amend')
    assert (body['category'], 'mmp' in body) == ('option', False)
    flavour.take(bybit.cancel_order(placed['id'], option))
    [body] = bodies(simulator, 'order/cancel')
    assert body['category'] == 'option'


def test_category_of_other_markets_is_ccxts(bybit):
    swap = next(market for market in bybit.markets.values() if market['swap'])
    assert bybit.cancel_order_request('1', swap['symbol'])['category'] == 'linear'


def test_edit_that_changes_more_is_refused(flavour, simulator, bybit, option):
    placed = quoted(flavour, bybit, option)
    plain = flavour.take(bybit.create_order(option, 'limit', 'buy', 1, 5))
    for order_id, kind, side, params in (
        (placed['id'], 'limit', 'buy', {'mmp': False}),
        (plain['id'], 'limit', 'buy', {'mmp': True}),
        (placed['id'], 'limit', 'sell', {'mmp': True}),
        (placed['id'], 'limit', 'buy', {'mmp': True, 'postOnly': True}),
        (placed['id'], 'market', 'buy', {'mmp': True}),
        (placed['id'], 'limit', 'buy', {'mmp': True, 'tpslMode': 'Full'}),
    ):
        with pytest.raises(ccxt.InvalidOrder):
            flavour.take(bybit.edit_order(order_id, option, kind, side, 2, 10, params))
    assert paths(simulator)['order/amend'] == 0
    flavour.take(bybit.edit_order(plain['id'], option, 'limit', 'buy', 2, 10, {'mmp': False}))
    assert paths(simulator)['order/amend'] == 1
    with pytest.raises(ccxt.BadResponse):
        flavour.take(bybit.edit_order('x', option, 'limit', 'buy', 2, 10, {'mmp': True}))
    with pytest.raises(ccxt.NotSupported):
        bybit.edit_order_request(placed['id'], option, 'limit', 'buy', 2, 10, {'mmp': True})


def test_cancelled_orders_are_told_apart_from_those_that_were_refused(flavour, simulator, bybit, option):
    """The answer acknowledges: what became of the order is not known yet."""
    placed = flavour.take(bybit.create_orders([order(option, mmp=True) for _ in range(22)]))
    simulator.fill(placed[3]['id'])
    ids = [each['id'] for each in placed]
    orders = flavour.take(bybit.cancel_orders(ids, option))
    assert [each['id'] for each in orders] == ids
    assert [len(body['request']) for body in bodies(simulator, 'cancel-batch')] == [20, 2]
    assert {each['status'] for each in orders} == {None}
    assert 'OrderNotFound' in orders[3]['info']['error']
    # older versions of ccxt read JSON numbers as text
    assert [str(each['info']['code']) for each in orders if 'error' not in each['info']] == ['0'] * 21
    with pytest.raises(ccxt.OrderNotFound):
        flavour.take(bybit.cancel_orders(ids[:1], option))


def test_orders_are_cancelled_by_the_ids_of_the_client(flavour, simulator, bybit, option):
    link_id = quoted(flavour, bybit, option)['clientOrderId']
    [cancelled] = flavour.take(bybit.cancel_orders([], option, {'clientOrderIds': [link_id]}))
    assert cancelled['clientOrderId'] == link_id
    assert simulator.resting('bybit', 'BTC') == []
    with pytest.raises(ccxt.ArgumentsRequired):
        flavour.take(bybit.cancel_orders([], option))
    bybit.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)
    swap = next(market['symbol'] for market in bybit.markets.values() if market['swap'])
    with pytest.raises(ccxt.BadRequest):  # ccxt's own, of a market that the simulator has not
        flavour.take(bybit.cancel_orders(['1'], swap))


@rows('timeout', [0, 2999, 5500, 301_000, '5s', None])
def test_countdown_that_is_none_is_refused_before_anything_is_sent(flavour, simulator, bybit, timeout):
    with pytest.raises(ccxt.BadRequest, match='it is no countdown'):
        flavour.take(bybit.cancel_all_orders_after(timeout))
    assert simulator.requests == []


def test_time_window_of_disconnections_is_ccxts_own(flavour, simulator, bybit):
    flavour.take(bybit.cancel_all_orders_after(40_000, {'type': 'option'}))
    assert bodies(simulator, 'disconnected-cancel-all') == [{'timeWindow': 40, 'product': 'OPTIONS'}]
    with localcontext(Context(prec=1)):
        flavour.take(bybit.cancel_all_orders_after(120_000))
    assert bodies(simulator, 'disconnected-cancel-all')[1]['timeWindow'] == 120


def test_option_that_is_not_loaded_keeps_its_settle_coin(flavour, simulator, bybit):
    symbol = 'BTC/USDT:USDT-991231-77000-P'
    assert bybit.market(symbol)['id'] == 'BTC-31DEC99-77000-P-USDT'
    assert bybit.safe_market('BTC-31DEC99-77000-P-USDT')['symbol'] == symbol
    assert bybit.market('BTC/USDC:USDC-991231-77000-P')['id'] == 'BTC-31DEC99-77000-P'
    with pytest.raises(ccxt.BadSymbol, match='load_markets'):
        quoted(flavour, bybit, symbol)


def test_lists_are_read_to_the_end(flavour, simulator, bybit, option):
    mine = [simulator.rest('bybit', 'BTC', mmp=True).order_id for _ in range(120)]
    simulator.rest('bybit', 'BTC', mmp=False)
    listed = flavour.take(bybit.fetch_open_orders(params={'mmp': True}))
    assert {each['id'] for each in listed} == {*mine}
    flavour.take(bybit.mass_cancel_mmp('BTC'))
    canceled = flavour.take(bybit.fetch_canceled_orders(params={'mmp': True}))
    assert {each['id'] for each in canceled} == {*mine}
    assert {(each['status'], each['mmp']) for each in canceled} == {('canceled', True)}
    assert len(flavour.take(bybit.fetch_canceled_orders(option, limit=3, params={'mmp': True}))) == 3
    assert flavour.take(bybit.fetch_canceled_orders(params={'mmp': True, 'until': 1, 'orderStatus': 'Filled'})) == []


@rows('answer', ['{"retCode":0,"result":{}}', '{"retCode":0,"result":{"list":[1]}}'])
def test_list_that_cannot_be_read_is_no_list(flavour, canned, answer):
    canned.answer(answer)
    exchange = with_markets(flavour.exchange('bybit', canned.url))
    with pytest.raises(ccxt.BadResponse):
        flavour.take(exchange.fetch_open_orders(params={'mmp': True}))


def test_raw_orders_are_known_by_flag_and_tag(bybit, option):
    option_id = bybit.market(option)['id']
    raw = {'category': 'option', 'symbol': option_id, 'mmp': True}
    tagged = {'category': 'option', 'symbol': option_id, 'orderLinkId': 'mmp-1'}
    for path, params, expected in (
        ('v5/order/create', raw, ['BTC']),
        ('v5/order/create', {**raw, 'mmp': False}, []),
        ('v5/order/create', {**raw, 'category': 'linear'}, []),
        ('v5/order/create', {**raw, 'symbol': '?'}, []),
        ('v5/order/amend', tagged, ['BTC']),
        ('v5/order/create-batch', {'category': 'option', 'request': [raw, tagged, 'x']}, ['BTC', 'BTC']),
        ('v5/order/create-batch', {'category': 'option', 'request': None}, []),
        ('v5/order/create', None, []),
    ):
        assert list(bybit._mmp_underlyings_sent(path, params)) == expected


@pytest.mark.parametrize('flavour_of_stock', STOCK)
def test_stock_ccxt_works_on_the_venue(simulator, flavour_of_stock):
    flavour = Flavour(flavour_of_stock)
    exchange = at_simulator(STOCK[flavour_of_stock].bybit({'enableRateLimit': False}), simulator)
    flavour.opened.append(exchange)
    symbol = symbols(exchange, 'BTC')[0]
    params = {'mmp': True, 'clientOrderId': 'stock-1'}
    placed = flavour.take(exchange.create_order(symbol, 'limit', 'buy', 1, 5, params))
    assert simulator.order(placed['id']).mmp is True
    assert [each['id'] for each in flavour.take(exchange.fetch_open_orders(symbol))] == [placed['id']]
    flavour.take(exchange.cancel_all_orders(None, {'type': 'option', 'baseCoin': 'BTC'}))
    assert simulator.resting('bybit', 'BTC') == []
    flavour.close()
