"""The mass cancel: what goes, what stays, and in which requests."""

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from ccxt_mmp import MassCancelIncomplete, MmpNotEnabled
from ccxt_mmp.simulator import Simulator
from tests.core.mass_cancel.cancelling import LIST, PARAMS, cancel, ids, quote, resting
from tests.rows import rows
from tests.trading import UNDERLYING


def test_mmp_orders_of_the_underlying_go_and_no_others(flavour, simulator, exchange, exchange_id):
    mine = quote(simulator, exchange_id, 5)
    others = quote(simulator, exchange_id, 5, 1, mmp=False)
    another = {'binance': 'ETHUSDT', 'okx': 'BTC-USD_UM', 'deribit': 'btc_usdc', 'bybit': 'ETH'}[exchange_id]
    theirs = simulator.rest(exchange_id, another, mmp=True)
    cancelled = cancel(flavour, exchange)
    assert resting(simulator, exchange_id) == others
    assert simulator.resting(exchange_id, another) == [theirs]
    assert ids(cancelled['orders']) == sorted(mine)
    assert {order['status'] for order in cancelled['orders']} == {'canceled'}
    assert {order['mmp'] for order in cancelled['orders']} == {True}
    assert cancelled['underlyingId'] == UNDERLYING[exchange_id]
    unified = {'binance': 'BTC/USDT:USDT', 'bybit': 'BTC'}.get(exchange_id, 'BTC/USD:BTC')
    assert cancelled['underlying'] == unified
    # on Bybit it is the coin, whatever its options are settled in
    before = ('BTC/USDT:USDT-', 'BTC/USDC:USDC-') if exchange_id == 'bybit' else f'{unified}-'
    assert all(order['symbol'].startswith(before) for order in cancelled['orders'])
    assert len(cancelled['info']) == len(simulator.requests)
    assert exchange.markets is None


RULE = {'binance': 'mmp', 'okx': 'mmp-config', 'deribit': 'get_mmp_config', 'bybit': 'mmp-state'}
UNKNOWN = {'binance': 'BCT/USDT', 'okx': 'BCT/USD', 'deribit': 'BCT/USD', 'bybit': 'BCT'}


def test_nothing_to_cancel_is_a_list_and_the_question_whether_there_is_such_an_underlying(
    flavour, simulator, exchange, exchange_id
):
    quote(simulator, exchange_id, 3, 1, mmp=False)
    assert cancel(flavour, exchange)['orders'] == []
    asked = [each.path.rpartition('/')[2] for each in simulator.requests if 'cursor=' not in each.query]
    assert asked == [LIST[exchange_id], RULE[exchange_id]]


def test_underlying_that_the_exchange_does_not_know_is_a_bad_symbol(flavour, simulator, exchange, exchange_id):
    theirs = quote(simulator, exchange_id, 1)
    with pytest.raises(ccxt.BadSymbol):
        flavour.take(exchange.mass_cancel_mmp(UNKNOWN[exchange_id], PARAMS[exchange_id]))
    assert resting(simulator, exchange_id) == theirs


def test_underlying_that_is_none_is_a_bad_symbol_in_one_request_too(flavour, simulator, exchange, exchange_id):
    params = {} if exchange_id == 'okx' else {'includeNonMmp': True}
    with pytest.raises(ccxt.BadSymbol, match=r'(?i)bct|invalid underlying') as caught:
        flavour.take(exchange.mass_cancel_mmp(UNKNOWN[exchange_id], params))
    assert 'BadSymbol' not in str(caught.value)  # it is said once


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


def test_params_of_the_exchange_go_with_the_list(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url)
    cancel(flavour, exchange, recvWindow=1234)
    assert 'recvWindow=1234' in simulator.requests[0].query


@rows(
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


def test_numbers_of_options_may_be_text(flavour, simulator):
    options = {'concurrency': '2', 'weightLimit': '2400', 'timeout': '5000'}
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': options})
    mine = quote(simulator, 'binance', 3)
    assert ids(cancel(flavour, exchange)['orders']) == sorted(mine)


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


def test_refusal_of_another_parameter_is_no_unknown_underlying(flavour, canned):
    canned.answer('{"code":"51000","msg":"Parameter instType error","data":[]}')
    with pytest.raises(ccxt.BadRequest) as caught:
        flavour.take(flavour.exchange('okx', canned.url).mass_cancel_mmp('BTC/USD'))
    assert not isinstance(caught.value, ccxt.BadSymbol)
