"""What Deribit alone has: JSON-RPC, seconds, limits that may be left out, labels, quotes and credits."""

import itertools
import json
from collections import Counter
from functools import lru_cache

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import requests

import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked, MmpFrozen
from ccxt_mmp.exchanges.deribit import DeribitMmp
from ccxt_mmp.simulator import Rule, Simulator
from tests.flavours import Flavour
from tests.rows import rows
from tests.trading import at_simulator, load_markets, markets, symbols

STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
PERPETUAL = 'BTC/USD:BTC'
MQQ = {'maxQuoteQuantity': 20}
RFQ = {'scope': 'rfq'}


@lru_cache
def futures():
    """The futures and perpetuals of the simulator, as ccxt parses them."""
    with Simulator() as simulator:
        exchange = simulator.connect(ccxt.deribit, enableRateLimit=False)
        exchange.load_markets()
    return [market for market in exchange.markets.values() if not market['option']]


def with_markets(exchange):
    exchange.set_markets([*markets('deribit'), *futures()])
    return exchange


@pytest.fixture
def deribit(flavour, simulator):
    return with_markets(flavour.exchange('deribit', simulator.url))


@pytest.fixture
def option(deribit):
    return symbols(deribit, 'btc_usd')[0]


def sent(simulator):
    """The methods and the parameters that came."""
    return [(each.path.rpartition('/')[2], json.loads(each.body or '{}').get('params')) for each in simulator.requests]


def paths(simulator):
    return Counter(path for path, _ in sent(simulator))


# --- requests


def test_what_is_private_is_a_post_with_a_nonce_of_its_own(flavour, simulator, deribit, option):
    deribit.milliseconds = lambda: now
    now = simulator.now()  # all in one millisecond, in which ccxt's nonces are the same
    for call in (
        lambda: deribit.fetch_mmp('BTC/USD'),
        lambda: deribit.create_order(option, 'limit', 'buy', 1, 0.01),
        lambda: deribit.create_order(option, 'limit', 'sell', 1, 0.01),
        lambda: deribit.fetch_open_orders(option),
        lambda: deribit.privateGetCancelAll({'detailed': None}),
    ):
        flavour.take(call())
    assert {(each.method, each.status) for each in simulator.requests} == {('POST', 200)}
    assert sent(simulator)[-1] == ('cancel_all', {})


def test_numbers_go_out_as_plain_decimals(flavour, simulator, deribit):
    flavour.take(deribit.set_mmp('BTC/USD', 1000, 0, 1e-4, None, {'maxQuoteQuantity': '0.50'}))
    assert '"quantity_limit":0.0001,"max_quote_quantity":0.5' in simulator.requests[0].body


def test_clock_of_the_exchange_is_followed(flavour, simulator, deribit):
    deribit.milliseconds = lambda: simulator.now() - 3_600_000
    with pytest.raises(ccxt.AuthenticationError):
        flavour.take(deribit.fetch_mmp('BTC/USD'))
    flavour.take(deribit.warm_up())
    assert flavour.take(deribit.fetch_mmp('BTC/USD'))['enabled'] is False


@pytest.mark.parametrize('flavour_of_stock', STOCK)
def test_stock_ccxt_works_on_the_venue(simulator, flavour_of_stock):
    flavour = Flavour(flavour_of_stock)
    exchange = at_simulator(STOCK[flavour_of_stock].deribit({'enableRateLimit': False}), simulator)
    flavour.opened.append(exchange)
    exchange.markets = None
    # ccxt's is the time in ms, which two requests may share, and a nonce is taken once
    exchange.nonce = itertools.count(exchange.milliseconds()).__next__
    flavour.take(exchange.load_markets())
    symbol = symbols(exchange, 'btc_usd')[0]
    order = flavour.take(exchange.create_order(symbol, 'limit', 'buy', 1, 0.01, {'mmp': True, 'label': 'stock'}))
    assert order['info']['mmp'] is True
    assert flavour.take(exchange.edit_order(order['id'], symbol, 'limit', 'buy', 2, 0.01))['amount'] == 2
    assert flavour.take(exchange.fetch_order(order['id']))['status'] == 'open'
    assert [each['id'] for each in flavour.take(exchange.fetch_open_orders(symbol))] == [order['id']]
    simulator.fill(order['id'], 1)
    assert [each['contracts'] for each in flavour.take(exchange.fetch_positions())] != []
    assert flavour.take(exchange.cancel_order(order['id']))['status'] == 'canceled'
    assert flavour.take(exchange.cancel_all_orders())
    assert len(flavour.take(exchange.fetch_closed_orders(symbol))) == 1
    assert flavour.take(exchange.fetch_balance())['BTC']['total'] == 10
    assert flavour.take(exchange.fetch_ticker(PERPETUAL))['last'] > 0
    assert flavour.take(exchange.fetch_order_book(symbol))['asks']
    if hasattr(exchange, 'privateGetSetMmpConfig'):
        rule = {'index_name': 'btc_usd', 'interval': 3, 'frozen_time': 0, 'max_quote_quantity': 5, 'delta_limit': 1}
        flavour.take(exchange.privateGetSetMmpConfig(rule))
        assert flavour.take(exchange.privateGetResetMmp({'index_name': 'btc_usd'}))['result'] == 'ok'
    flavour.close()


# --- rules


@rows(
    ('arguments', 'params', 'error'),
    [
        ((1500, 0, 1), MQQ, ccxt.BadRequest),
        ((1000, 500, 1), MQQ, ccxt.BadRequest),
        ((3_601_000, 0, 1), MQQ, ccxt.BadRequest),
        ((1000, 0, '0.00001'), MQQ, ccxt.BadRequest),
        ((1000, 0, 0), MQQ, ccxt.BadRequest),
        ((1000, 0, 1), {}, ccxt.ArgumentsRequired),
        ((1000, 0), MQQ, ccxt.ArgumentsRequired),
        ((1000, 0, 1), {**MQQ, 'countLimit': 3}, ccxt.NotSupported),
        ((1000, 0, 1), {**RFQ, **MQQ}, ccxt.NotSupported),
        ((1000, 0, 1), {**RFQ, 'mmpGroup': 'x'}, ccxt.NotSupported),
        ((1000, 0), {**RFQ, 'countLimit': 3}, ccxt.NotSupported),  # of an index
        ((1000, 0, 1), {**MQQ, 'mmpGroup': ''}, ccxt.BadRequest),
        ((1000, 0, 1), {**MQQ, 'mmpGroup': 'x' * 65}, ccxt.BadRequest),
        ((1000, 0, 1), {**MQQ, 'mmpGroup': 'one', 'mmp_group': 'another'}, ccxt.BadRequest),
    ],
)
def test_rule_that_is_none_is_refused_before_anything_is_sent(flavour, simulator, deribit, arguments, params, error):
    window, frozen_time, *limits = arguments
    with pytest.raises(error):
        flavour.take(deribit.set_mmp('BTC/USD', window, frozen_time, *(limits or [None]), None, params))
    assert simulator.requests == []


def test_multiple_of_a_second_is_what_is_asked_for(deribit):
    limits = deribit._mmp_limits('orders')
    with pytest.raises(ccxt.BadRequest, match='a multiple of 1000 of at least 0 and at most 3600000'):
        deribit._mmp_number('setMmp', 'window', limits['window'], 1)
    with pytest.raises(ccxt.BadRequest, match='a number of at most 4 decimals above 0'):
        deribit._mmp_number('setMmp', 'qtyLimit', limits['qtyLimit'], '1.00001')


def test_quantity_that_may_be_quoted_can_stand_in_the_options(flavour, simulator, deribit):
    deribit.options['setMmp'] = {'maxQuoteQuantity': 7}
    assert flavour.take(deribit.set_mmp('BTC/USD', 1000, 0, 1))['maxQuoteQuantity'] == 7
    assert flavour.take(deribit.set_mmp('BTC/USD', 1000, 0, 1, None, RFQ))['maxQuoteQuantity'] is None
    assert flavour.take(deribit.set_mmp('BTC/USD', 0, 0))['enabled'] is False
    assert flavour.take(deribit.fetch_mmp('BTC/USD'))['enabled'] is False


def test_group_of_quotes_is_a_protection_of_its_own(flavour, simulator, deribit):
    group = {'mmpGroup': 'MassQuoteBot7'}
    flavour.take(deribit.set_mmp('BTC/USD', 1000, 0, 1, None, {**MQQ, **group}))
    assert flavour.take(deribit.fetch_mmp('BTC/USD'))['enabled'] is False
    assert flavour.take(deribit.fetch_mmps()) == {}
    state = flavour.take(deribit.fetch_mmp('BTC/USD', group))
    assert (state['enabled'], state['frozen'], state['info']['mmp_group']) == (True, False, 'MassQuoteBot7')
    assert flavour.take(deribit.reset_mmp('BTC/USD', group))['frozen'] is False
    assert sent(simulator)[-1] == ('reset_mmp', {'index_name': 'btc_usd', 'mmp_group': 'MassQuoteBot7'})
    with pytest.raises(ccxt.NotSupported, match='fetchMmp'):
        flavour.take(deribit.fetch_mmps(['BTC/USD'], group))

    def list_the_group(code, reason, url, method, headers, body, *_):
        return json.dumps({'result': [state['info']]}) if url.endswith('get_mmp_config') else body

    deribit.on_rest_response = list_the_group  # the documentation lists them beside the rule of orders
    assert flavour.take(deribit.fetch_mmp('BTC/USD'))['enabled'] is False


def test_block_rfq_is_of_an_index_or_of_all(flavour, simulator, deribit):
    flavour.take(deribit.set_mmp('ETH/USD', 1000, 0, 10, None, RFQ))
    flavour.take(deribit.set_mmp(None, 5000, 2000, None, None, {**RFQ, 'countLimit': 3}))
    states = flavour.take(deribit.fetch_mmps(params=RFQ))
    assert {name: state['underlyingId'] for name, state in states.items()} == {'ETH/USD:ETH': 'eth_usd', 'all': 'all'}
    simulator.trip('deribit')
    state = flavour.take(deribit.fetch_mmp(params=RFQ))
    assert (state['frozen'], state['countLimit'], state['underlying']) == (True, 3, None)
    assert flavour.take(deribit.reset_mmp(params=RFQ))['underlyingId'] == 'all'
    with pytest.raises(ccxt.ArgumentsRequired):
        flavour.take(deribit.reset_mmp())
    with pytest.raises(ccxt.NotSupported, match='orders'):
        flavour.take(deribit.mass_cancel_mmp('BTC/USD', RFQ))


def test_block_rfq_by_the_exchanges_name_is_the_scope_rfq(flavour, simulator, deribit):
    own_name = {'block_rfq': True}
    assert flavour.take(deribit.set_mmp('BTC/USD', 1000, 0, 10, None, own_name))['scope'] == 'rfq'
    assert flavour.take(deribit.fetch_mmp('BTC/USD'))['enabled'] is False  # no order is protected by it
    state = flavour.take(deribit.fetch_mmp('BTC/USD', own_name))
    assert (state['scope'], state['enabled'], state['qtyLimit']) == ('rfq', True, 10)
    assert flavour.take(deribit.fetch_mmps(params=own_name)).keys() == {'BTC/USD:BTC'}
    assert flavour.take(deribit.reset_mmp('BTC/USD', {**own_name, **RFQ}))['scope'] == 'rfq'
    assert sent(simulator)[-1] == ('reset_mmp', {'index_name': 'btc_usd', 'block_rfq': True})
    assert flavour.take(deribit.set_mmp('BTC/USD', 1000, 0, 1, None, {**MQQ, 'block_rfq': False}))['scope'] == 'orders'


@rows(('scope', 'is_rfq'), [('orders', False), ('rfq', True)])
@rows('says', [True, False])
def test_answer_of_another_scope_is_none_of_this_protection(flavour, simulator, deribit, scope, is_rfq, says):
    """Of what an answer says block_rfq, the scope that was asked for is read; what does not say is of it."""
    own = {'index_name': 'btc_usd', **({'block_rfq': is_rfq} if says else {})}
    other = {'index_name': 'btc_usd', 'block_rfq': not is_rfq}
    rules = [{**other, 'interval': 60, 'frozen_time': 0}, {**own, 'interval': 5, 'frozen_time': 10}]
    freezes = [{**other, 'frozen_until': 1}, {**own, 'frozen_until': 0}]

    def answer(method, result):
        simulator.answer('POST', f'/api/v2/private/{method}', {'jsonrpc': '2.0', 'result': result})

    def read():
        states = flavour.take(deribit.fetch_mmps(params={'scope': scope}))
        return flavour.take(deribit.fetch_mmp('BTC/USD', {'scope': scope})), *states.values()

    answer('get_mmp_config', rules)
    for frozen, expected in ((freezes, (True, None)), (freezes[:1], (False, None))):
        answer('get_mmp_status', frozen)
        states = read()
        assert [(each['scope'], each['window'], each['frozenTime']) for each in states] == [(scope, 5000, 10_000)] * 2
        assert [(each['frozen'], each['frozenUntil']) for each in states] == [expected] * 2
    answer('get_mmp_config', rules[:1])
    assert [each['enabled'] for each in read()] == [False]


@rows(
    ('params', 'error'),
    [
        ({'block_rfq': True, 'scope': 'orders'}, ccxt.BadRequest),
        ({'block_rfq': False, **RFQ}, ccxt.BadRequest),
        ({'block_rfq': 'true'}, ccxt.BadRequest),
        ({'mmpgroup': 'MassQuoteBot7'}, ccxt.BadRequest),
        ({'MMP_Group': 'MassQuoteBot7'}, ccxt.BadRequest),
    ],
)
@rows('method', ['set_mmp', 'reset_mmp', 'fetch_mmp'])
def test_name_of_another_protection_that_is_none_reaches_no_protection(
    flavour, simulator, deribit, method, params, error
):
    terms = (1000, 0, 1, None) if method == 'set_mmp' else ()
    limits = MQQ if method == 'set_mmp' else {}
    with pytest.raises(error):
        flavour.take(getattr(deribit, method)('BTC/USD', *terms, {**limits, **params}))
    assert simulator.requests == []


def test_freeze_until_a_reset_has_no_end(flavour, simulator, deribit):
    simulator.set_rule('deribit', 'btc_usd', Rule(3000, 0, '5'))
    simulator.trip('deribit', 'btc_usd')
    state = flavour.take(deribit.fetch_mmp('BTC/USD'))
    assert (state['frozen'], state['frozenUntil'], state['frozenTime']) == (True, None, 0)
    named = flavour.take(deribit.fetch_mmps(['BTC/USD', 'BTC/USDC', 'btc_usd']))
    assert [(name, state['frozen']) for name, state in named.items()] == [
        ('BTC/USD', True),
        ('BTC/USDC', None),
        ('btc_usd', True),
    ]


@rows(
    ('method', 'result'),
    [
        ('set_mmp', []),
        ('set_mmp', [1]),
        ('set_mmp', {'index_name': 'btc_usd'}),
        ('set_mmp', {'index_name': 'eth_usd', 'interval': 1}),
        ('fetch_mmp', {}),
        ('fetch_mmp', [1]),
        ('fetch_mmp', None),
        ('fetch_mmps', [{'interval': 1}]),
        ('fetch_mmps', [{'index_name': 'btc_usd', 'interval': 1, 'frozen_time': 0}]),  # also of what is frozen
        ('mass_cancel_mmp', True),
        ('create_order', {}),
        ('create_order', {'order': None}),
        ('edit_order', {'order_id': '7', 'mmp': True, 'instrument_name': 'BTC-PERPETUAL', 'amount': 1}),
        ('create_orders', {'order': {}}),
        ('fetch_open_orders', {}),
        ('fetch_open_orders', [1]),
    ],
)
def test_answer_that_does_not_say_it_is_none(flavour, canned, method, result):
    canned.answer(json.dumps({'jsonrpc': '2.0', 'result': result}))
    deribit = with_markets(flavour.exchange('deribit', canned.url))
    order = (PERPETUAL, 'limit', 'buy', 10, 100_000, {'mmp': True})
    terms = dict(zip(('symbol', 'type', 'side', 'amount', 'price', 'params'), order, strict=True))
    arguments = {
        'set_mmp': ('BTC/USD', 1000, 0, 1, None, MQQ),
        'fetch_mmp': ('BTC/USD',),
        'fetch_mmps': (),
        'mass_cancel_mmp': ('BTC/USD', {'includeNonMmp': True}),
        'create_order': order,
        'create_orders': ([terms],),
        'edit_order': ('7', *order),
        'fetch_open_orders': (None, None, None, {'mmp': True}),
    }[method]
    with pytest.raises(ccxt.BadResponse):
        flavour.take(getattr(deribit, method)(*arguments))


@rows('body', ['{}', '{"result": {}}', '[]'])
def test_answer_with_a_status_that_ccxt_does_not_know_is_read(flavour, canned, body):
    canned.answer(body, 402)
    deribit = with_markets(flavour.exchange('deribit', canned.url))
    with pytest.raises(ccxt.BadResponse):
        flavour.take(deribit.create_order(PERPETUAL, 'limit', 'buy', 10, 100_000, {'mmp': True}))


def test_reset_that_is_not_done_is_said(flavour, canned):
    canned.answer('{"jsonrpc":"2.0","result":"no"}')
    with pytest.raises(ccxt.OperationFailed):
        flavour.take(flavour.exchange('deribit', canned.url).reset_mmp('BTC/USD'))


@rows(
    ('code', 'error'),
    [
        (10028, ccxt.RateLimitExceeded),
        (10047, ccxt.RateLimitExceeded),
        (10030, ccxt.NotSupported),
        (13030, MmpFrozen),
        (13888, ccxt.OperationRejected),
        (99999, ccxt.ExchangeError),
    ],
)
def test_code_is_an_error(flavour, canned, code, error):
    canned.answer(json.dumps({'jsonrpc': '2.0', 'error': {'code': code, 'message': 'x'}}), status=400)
    with pytest.raises(error) as caught:
        flavour.take(flavour.exchange('deribit', canned.url).reset_mmp('BTC/USD'))
    assert type(caught.value) is error


# --- orders


@pytest.mark.parametrize(('symbol', 'kind'), [(PERPETUAL, 'swap'), ('BTC/USDC:USDC', 'swap'), (PERPETUAL, 'future')])
def test_futures_and_perpetuals_have_the_flag_too(flavour, simulator, symbol, kind):
    deribit = flavour.exchange('deribit', simulator.url)
    load_markets(flavour, deribit)
    market = next(each for name, each in deribit.markets.items() if name.startswith(symbol) and each[kind])
    symbol, index = market['symbol'], market['info']['price_index']
    order = flavour.take(deribit.create_order(symbol, 'limit', 'buy', 10, 100_000, {'mmp': True}))
    assert (order['mmp'], order['clientOrderId']) == (True, f'mmp:{index}')
    [listed] = flavour.take(deribit.fetch_open_orders(symbol, params={'mmp': True}))
    assert listed['id'] == order['id']
    assert flavour.take(deribit.mass_cancel_mmp(symbol))['underlyingId'] == index
    assert simulator.resting('deribit', index) == []


@rows('place', ['create_order', 'create_orders'])
def test_another_type_in_params_is_no_mmp_order(flavour, simulator, deribit, option, place):
    params = {'mmp': True, 'type': 'market'}
    order = {'symbol': option, 'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 0.01, 'params': params}
    asked = ([order],) if place == 'create_orders' else order.values()
    with pytest.raises(ccxt.InvalidOrder, match='plain limit'):
        flavour.take(getattr(deribit, place)(*asked))
    assert simulator.requests == []


def test_label_is_the_clients_id(flavour, simulator, deribit, option):
    for params in ({'clientOrderId': 'mine'}, {'label': 'mine'}, {'clientOrderId': 'mine', 'mmp': True}):
        assert flavour.take(deribit.create_order(option, 'limit', 'buy', 1, 0.01, params))['clientOrderId'] == 'mine'
    assert [params['label'] for _, params in sent(simulator)] == ['mine'] * 3
    assert all('clientOrderId' not in params for _, params in sent(simulator))


@pytest.mark.parametrize('prefix', ['', 7, 'x' * 64])
def test_prefix_of_labels_is_the_users(flavour, simulator, deribit, option, prefix):
    deribit.options['createOrder']['mmpLabel'] = 'desk'
    order = flavour.take(deribit.create_order(option, 'limit', 'buy', 1, 0.01, {'mmp': True}))
    assert order['clientOrderId'] == 'desk:btc_usd'
    deribit.options['createOrder']['mmpLabel'] = prefix
    with pytest.raises(ccxt.InvalidOrder, match='mmpLabel'):
        flavour.take(deribit.create_order(option, 'limit', 'buy', 1, 0.01, {'mmp': True}))


def test_lists_are_of_orders_with_the_flag_and_without(flavour, simulator, deribit, option):
    terms = {'symbol': option, 'type': 'limit', 'side': 'sell', 'amount': 1, 'price': 0.01}
    orders = [{**terms, 'params': {'mmp': True, 'reduceOnly': True}}, terms, {**terms, 'type': 'market'}]
    placed = flavour.take(deribit.create_orders(orders))
    assert [(each['mmp'], each['status']) for each in placed] == [(True, 'open'), (False, 'open'), (False, 'rejected')]
    assert placed[0]['reduceOnly'] is True
    assert isinstance(placed[2]['error'], ccxt.BadRequest)


@rows(
    ('call', 'error'),
    [
        (
            lambda deribit: deribit.create_order_request(PERPETUAL, 'limit', 'hold', 1, 1, {'mmp': True}),
            ccxt.InvalidOrder,
        ),
        (lambda deribit: deribit.create_order_request(PERPETUAL, 'market', 'buy', 1, 1), ccxt.NotSupported),
        (lambda deribit: deribit.fetch_canceled_orders(PERPETUAL, None, None, {'mmp': True}), ccxt.NotSupported),
        (lambda deribit: deribit.cancel_all_orders_after(10_000), ccxt.NotSupported),
        (lambda deribit: deribit.fetch_canceled_orders(PERPETUAL), ccxt.NotSupported),
        (lambda deribit: deribit.cancel_orders(['7'], PERPETUAL), ccxt.NotSupported),
    ],
)
def test_what_it_does_not_have_is_said(flavour, simulator, deribit, call, error):
    with pytest.raises(error):
        flavour.take(call(deribit))
    assert simulator.requests == []


def test_edit_keeps_flag_label_and_kind(flavour, simulator, deribit, option):
    order = flavour.take(deribit.create_order(option, 'limit', 'buy', 1, 0.01, {'mmp': True, 'postOnly': True}))
    edited = flavour.take(deribit.edit_order(order['id'], option, 'limit', 'buy', None, 0.02, {'mmp': True}))
    assert (edited['amount'], edited['price'], edited['mmp'], edited['postOnly']) == (1, 0.02, True, True)
    assert edited['clientOrderId'] == 'mmp:btc_usd'
    with pytest.raises(ccxt.InvalidOrder, match='cannot change the flag'):
        flavour.take(deribit.edit_order(order['id'], option, 'limit', 'buy', 2, 0.02, {'mmp': False}))
    with pytest.raises(ccxt.InvalidOrder, match='unconditional'):
        flavour.take(deribit.edit_order(order['id'], option, 'limit', 'buy', 2, 0.02, {'mmp': True, 'trigger': 'x'}))
    plain = flavour.take(deribit.create_order(option, 'limit', 'buy', 1, 0.01))
    assert (
        flavour.take(deribit.edit_order(plain['id'], option, 'limit', 'buy', 2, 0.02, {'mmp': False}))['mmp'] is False
    )


# --- the kill switch


def quote(simulator, count, label=None, contracts=None, **fields):
    options = simulator.instruments('deribit', 'btc_usd')[:contracts]
    orders = [
        simulator.rest('deribit', 'btc_usd', mmp=True, symbol=options[each % len(options)], **fields)
        for each in range(count)
    ]
    for number, order in enumerate(orders):
        order.client_order_id = '' if label is None else label.format(number)
    return {order.order_id for order in orders}


def test_orders_with_the_plugins_label_are_one_list_one_cancel_and_one_list(flavour, simulator, deribit):
    mine = quote(simulator, 400, 'mmp:btc_usd')
    others = [simulator.rest('deribit', index, mmp=mmp) for index, mmp in (('btc_usd', False), ('eth_usd', True))]
    cancelled = flavour.take(deribit.mass_cancel_mmp('BTC/USD'))
    assert {order['id'] for order in cancelled['orders']} == mine
    assert all(order['symbol'].startswith('BTC/USD:BTC-') for order in cancelled['orders'])
    assert paths(simulator) == {'get_open_orders': 2, 'cancel_by_label': 1}
    assert all(other.is_open for other in others)


def test_labels_of_their_own_go_by_their_labels(flavour, simulator, deribit):
    mine = quote(simulator, 70, 'own{}', contracts=40)  # more than threads, and than requests at once
    cancelled = flavour.take(deribit.mass_cancel_mmp('BTC/USD'))
    assert {order['id'] for order in cancelled['orders']} == mine
    assert paths(simulator)['get_open_orders'] == 2
    assert simulator.resting('deribit', 'btc_usd') == []


def test_what_the_credits_do_not_cover_is_left_and_said(flavour, simulator):
    """Without labels, one request each: 20 at once, and 5 a second after that."""
    deribit = flavour.exchange('deribit', simulator.url, enableRateLimit=True)
    mine = quote(simulator, 40)
    with pytest.raises(MassCancelIncomplete, match=r'remaining .* has no room within its limit') as caught:
        flavour.take(deribit.mass_cancel_mmp('BTC/USD', {'timeout': 3500}))
    error = caught.value
    left = {order.order_id for order in simulator.resting('deribit', 'btc_usd')}
    assert left == {*error.remaining}
    assert {*error.cancelled} == mine - left
    assert len(error.cancelled) == 20
    assert error.unknown == []


def test_label_that_another_order_has_cancels_no_other(flavour, simulator, deribit):
    mine = quote(simulator, 2, 'shared')
    other = simulator.rest('deribit', 'btc_usd', mmp=False)
    other.client_order_id = 'shared'
    cancelled = flavour.take(deribit.mass_cancel_mmp('BTC/USD'))
    assert {order['id'] for order in cancelled['orders']} == mine
    assert other.is_open
    assert paths(simulator) == {'get_open_orders': 2, 'cancel': 2}


def test_quotes_go_together(flavour, simulator, deribit):
    for order_id in quote(simulator, 3):
        simulator.order(order_id).group = 'MassQuoteBot7'
    quote(simulator, 1, 'mmp:btc_usd')
    assert len(flavour.take(deribit.mass_cancel_mmp('BTC/USD'))['orders']) == 4
    assert paths(simulator) == {'get_open_orders': 2, 'cancel_quotes': 1, 'cancel_by_label': 1}


def test_credits_that_others_have_used_up_are_waited_for(flavour, simulator, deribit):
    mine = quote(simulator, 2)
    simulator.fault('status', 'private/cancel', status=429, times=3)
    assert {order['id'] for order in flavour.take(deribit.mass_cancel_mmp('BTC/USD'))['orders']} == mine


@rows(
    ('row', 'to_cancel'),
    [
        ({'instrument_name': 'BTC-27MAR26-100000-C', 'mmp': True}, True),
        ({'instrument_name': 'BTC-PERPETUAL', 'mmp': True}, True),
        ({'instrument_name': 'BTC-FS-27MAR26_PERP', 'mmp': True}, True),
        ({'instrument_name': 'BTC-27MAR26-100000-C', 'mmp': False}, False),
        ({'instrument_name': 'BTC_USDC-27MAR26-100000-C', 'mmp': True}, False),
        ({'instrument_name': 'BTC-27MAR26-100000-C'}, None),
        ({'instrument_name': 'ETH-27MAR26-100000-C'}, False),
        ({'instrument_name': 'of a new form', 'mmp': True}, None),
        ({'instrument_name': 'of a new form', 'mmp': False}, False),
        ({'mmp': True}, None),
    ],
)
def test_orders_that_are_to_go(flavour, row, to_cancel):
    assert flavour.exchange('deribit')._is_to_cancel(row, 'btc_usd') is to_cancel


@rows(
    ('market_id', 'symbol'),
    [
        ('BTC-6MAR26-100000-C', 'BTC/USD:BTC-260306-100000-C'),
        ('XRP_USDC-27MAR26-0d625-P', 'XRP/USDC:USDC-260327-0.625-P'),
        ('BTC-27MAR26', 'BTC/USD:BTC-260327'),
        ('BTC-PERPETUAL', 'BTC/USD:BTC'),
        ('BTC-FS-27MAR26_PERP', 'BTC-FS-27MAR26_PERP'),
        ('of a new form', 'of a new form'),
    ],
)
def test_symbol_of_a_market_that_is_not_loaded(flavour, market_id, symbol):
    deribit = flavour.exchange('deribit')
    underlying = deribit._parse_underlying(market_id) or 'btc_usd'
    assert deribit._unified_symbol(market_id, underlying) == symbol
    assert deribit._unified_underlying('BTC-USD') is None


@rows(
    ('answer', 'outcome'),
    [
        ({'order_id': '7', 'order_state': 'cancelled', 'instrument_name': 'BTC-PERPETUAL', 'mmp': True}, ['7']),
        ({'order_id': '7', 'order_state': 'filled', 'instrument_name': 'BTC-PERPETUAL'}, []),
    ],
)
def test_order_that_was_filled_meanwhile_is_gone(flavour, simulator, answer, outcome):
    deribit = flavour.exchange('deribit', simulator.url)
    row = {'order_id': '7', 'instrument_name': 'BTC-PERPETUAL', 'mmp': True, 'label': ''}
    lists = [[row], []]

    async def answered(endpoint, request, **keywords):
        return {'result': lists.pop(0) if endpoint == 'POST get_open_orders' else answer}

    deribit._send = answered
    cancelled = flavour.take(deribit.mass_cancel_mmp('BTC/USD'))
    assert [order['id'] for order in cancelled['orders']] == outcome


@rows(('number', 'outcome'), [(2, ['7', '8']), (1, []), (0, [])])
def test_orders_of_a_label_are_cancelled_if_the_answer_counts_all_of_them(flavour, simulator, number, outcome):
    deribit = flavour.exchange('deribit', simulator.url)
    row = {'instrument_name': 'BTC-PERPETUAL', 'mmp': True, 'label': 'mine'}
    listed = [{**row, 'order_id': each} for each in ('7', '8')]
    lists = [listed, []]

    async def answered(endpoint, request, **keywords):
        return {'result': lists.pop(0) if endpoint == 'POST get_open_orders' else number}

    deribit._send = answered
    cancelled = flavour.take(deribit.mass_cancel_mmp('BTC/USD'))
    assert [order['id'] for order in cancelled['orders']] == outcome


@rows(
    ('answer', 'is_of_another'),
    [({'order_id': '8', 'order_state': 'cancelled'}, True), ({'order_id': '7'}, False), (1, True), (None, False)],
)
def test_cancellation_that_is_not_said_is_none(flavour, simulator, answer, is_of_another):
    deribit = flavour.exchange('deribit', simulator.url)
    row = {'order_id': '7', 'instrument_name': 'BTC-PERPETUAL', 'mmp': True, 'label': ''}

    async def answered(endpoint, request, **keywords):
        return {'result': [row] if endpoint == 'POST get_open_orders' else answer}

    deribit._send = answered
    with pytest.raises(MassCancelIncomplete) as caught:
        flavour.take(deribit.mass_cancel_mmp('BTC/USD'))
    assert (caught.value.cancelled, caught.value.remaining) == ([], ['7'])
    assert ('was told of another order' in str(caught.value)) is is_of_another


def test_list_that_is_none_is_no_empty_list(flavour, canned):
    canned.answer('{"jsonrpc":"2.0","result":{}}')
    with pytest.raises(MassCancelIncomplete, match='without a list'):
        flavour.take(flavour.exchange('deribit', canned.url).mass_cancel_mmp('BTC/USD'))


@rows(
    ('path', 'params', 'underlyings'),
    [
        ('buy', {'instrument_name': 'BTC-PERPETUAL', 'mmp': True}, ['btc_usd']),
        ('sell', {'instrument_name': 'XRP_USDC-27MAR26-0d625-C', 'mmp': 'true'}, ['xrp_usdc']),
        ('buy', {'instrument_name': 'BTC-PERPETUAL', 'mmp': False}, []),
        ('buy', {'instrument_name': 'of a new form', 'mmp': True}, []),
        ('edit', {'order_id': '7', 'mmp': True}, []),
        (
            'mass_quote',
            {'quotes': [{'instrument_name': 'BTC-PERPETUAL'}, {'instrument_name': 'BTC_USDC-27MAR26-70000-P'}, None]},
            ['btc_usd', 'btc_usdc'],
        ),
        ('mass_quote', {'quotes': 'BTC-PERPETUAL'}, []),
        ('mass_quote', None, []),
    ],
)
def test_raw_requests_tell_what_a_mass_cancel_stops(flavour, path, params, underlyings):
    assert list(flavour.exchange('deribit')._mmp_underlyings_sent(path, params)) == underlyings


@pytest.mark.skipif(not hasattr(ccxt.deribit, 'privateGetMassQuote'), reason='ccxt has no mass quotes')
def test_mass_quote_that_waits_behind_a_mass_cancel_is_not_sent(flavour, simulator, deribit):
    """A raw call, which ccxt cannot make of a list: a freeze of the orders says nothing of quotes."""
    simulator.answer('POST', '/api/v2/private/mass_quote', {'jsonrpc': '2.0', 'result': {'orders': []}})
    deribit._refuse_in_freeze = None
    quotes = {'quote_id': '1', 'mmp_group': 'one', 'quotes': [{'instrument_name': 'BTC-PERPETUAL', 'side': 'buy'}]}
    fence = deribit._mmp_fence('btc_usd')
    throttle = deribit.throttle

    def cancel(*arguments):
        with fence.close():
            pass
        return throttle(*arguments)

    deribit.throttle, deribit.enableRateLimit = cancel, True
    with pytest.raises(MassCancelLocked):
        flavour.take(deribit.privateGetMassQuote(quotes))
    assert simulator.requests == []
    deribit.throttle = throttle
    assert flavour.take(deribit.privateGetMassQuote(quotes))['result'] == {'orders': []}


def test_errors_of_other_orders_are_those_of_all(flavour):
    assert flavour.exchange('deribit')._errors_of_others()['13030'] is MmpFrozen


def test_protection_of_all_block_trades_is_no_index_to_cancel(flavour, simulator, deribit):
    simulator.rest('deribit', 'btc_usd', mmp=True)
    rules = [{'index_name': 'all', 'block_rfq': True}, {'index_name': 'btc_usd'}]
    answer = {'jsonrpc': '2.0', 'id': 1, 'result': rules}
    simulator.answer('POST', '/api/v2/private/get_mmp_config', answer)
    assert [*flavour.take(deribit.mass_cancel_mmps())] == ['BTC/USD:BTC']
    assert simulator.resting('deribit', 'btc_usd') == []


def test_freeze_of_another_index_is_none_of_this(flavour, simulator, deribit):
    for index in ('eth_usd', 'btc_usd'):
        simulator.set_rule('deribit', index)
    simulator.trip('deribit', 'eth_usd')
    states = flavour.take(deribit.fetch_mmps())
    assert [state['frozen'] for state in states.values()] == [True, False]


@rows('answer', [{'result': {}}, {'result': 1}, {}])
def test_answer_without_an_order_is_none_whatever_handles_the_errors(flavour, answer):
    with pytest.raises(ccxt.BadResponse):
        flavour.exchange('deribit')._order_in('createOrder', answer)


def test_cancelled_orders_are_not_listed_however_they_are_asked_for(flavour):
    exchange = flavour.exchange('deribit')
    with pytest.raises(ccxt.NotSupported, match='fetchCanceledOrders'):
        flavour.take(exchange.fetch_canceled_orders(symbol='BTC/USD:BTC', limit=5))
    with pytest.raises(ccxt.NotSupported, match='fetchCanceledOrders'):
        DeribitMmp.fetch_canceled_orders(exchange, symbol='BTC/USD:BTC')  # as ccxt's own methods call it


def test_what_ccxt_has_read_of_an_order_stays():
    exchange = ccxt_mmp.deribit()
    assert exchange.safe_order({'reduceOnly': True, 'info': {'reduce_only': False}})['reduceOnly'] is True


def test_method_that_the_venue_does_not_have_is_not_found():
    with Simulator(unknown='ignore') as simulator:
        assert requests.get(f'{simulator.url}/api/v2/public/nothing', timeout=5).status_code == 404


def test_options_of_an_index_that_was_not_there_can_be_listed():
    with Simulator() as simulator:
        ids = simulator.list_options('deribit', 'xrp_usdc', base='XRP', settle='USDC', strikes=[2])
        assert simulator.instruments('deribit', 'xrp_usdc') == ids
