"""What the venues refuse: too many requests, wrong orders and bodies, keys without a permission."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request

import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET


@pytest.mark.parametrize(
    ('method', 'arguments', 'calls', 'window'),
    [
        ('set_mmp', ('BTC/USD', 5000, 2000, 100), 2, 10_000),
        ('fetch_mmp', ('BTC/USD',), 5, 2_000),
        ('reset_mmp', ('BTC/USD',), 5, 2_000),
        ('reset_mmp', (), 5, 2_000),
        ('mass_cancel_mmp', ('BTC/USD',), 5, 2_000),
    ],
)
def test_okx_counts_by_endpoint_and_user(flavour, simulator, method, arguments, calls, window):
    if method == 'mass_cancel_mmp':  # the plugin repeats that one after a pause
        method, arguments = 'privatePostTradeMassCancel', [{'instType': 'OPTION', 'instFamily': 'BTC-USD'}]
    exchange = flavour.exchange('okx', simulator.url)
    exchange.milliseconds = simulator.now
    another = simulator.add_account('another', 'another-secret')
    for _ in range(calls):
        flavour.take(getattr(exchange, method)(*arguments))
    with pytest.raises(ccxt.RateLimitExceeded, match='50011'):
        flavour.take(getattr(exchange, method)(*arguments))
    flavour.take(exchange.fetch_mmp(params={'scope': 'rfq'}))  # another endpoint
    theirs = flavour.exchange('okx', simulator.url, apiKey='another', secret=another.secret)
    flavour.take(getattr(theirs, method)(*arguments))
    simulator.advance(window)
    flavour.take(getattr(exchange, method)(*arguments))


def test_batch_counts_as_its_items(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    ids = [{'instId': 'BTC-USD-1-1-C', 'ordId': '1'}] * 20
    for _ in range(15):
        with pytest.raises(ccxt.ExchangeError, match='51400'):
            exchange.privatePostTradeCancelBatchOrders(ids)
    with pytest.raises(ccxt.RateLimitExceeded):
        exchange.privatePostTradeCancelBatchOrders(ids)


@pytest.mark.parametrize('body', ['{}', '[]', '[1]', json.dumps([{}] * 21)])
def test_sloppy_batch_is_refused(simulator, body):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    exchange.json = lambda value: body
    with pytest.raises(ccxt.BaseError, match=r'50002|51000'):
        exchange.privatePostTradeCancelBatchOrders([{'instId': 'x', 'ordId': '1'}])


@pytest.mark.parametrize(
    ('changed', 'code'),
    [
        ({'instId': 'BTC-USD-1-1-C'}, '51001'),
        ({'instId': ''}, '50014'),
        ({'ordType': 'market'}, '51000'),
        ({'tdMode': 'cash'}, '51000'),
        ({'tdMode': 'isolated', 'ordType': 'mmp'}, '51042'),
        ({'side': 'hold'}, '51000'),
        ({'sz': '0'}, '51000'),
        ({'sz': '1.5'}, '51000'),
        ({'px': 'x'}, '51000'),
    ],
)
def test_sloppy_order_is_refused(simulator, changed, code):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    option = simulator.rest('okx', 'BTC-USD', mmp=False).instrument.instrument_id
    order = {'instId': option, 'tdMode': 'cross', 'side': 'buy', 'ordType': 'limit', 'sz': '1', 'px': '1'}
    assert exchange.privatePostTradeOrder(order)['code'] == '0'
    with pytest.raises(ccxt.BaseError, match=code):
        exchange.privatePostTradeOrder({**order, **changed})


def test_parameters_that_okx_does_not_know_are_reported(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    exchange.reset_mmp('BTC/USD', {'stray': 'x'})
    exchange.reset_mmp('BTC/USD')
    assert [request.unknown for request in simulator.requests] == [('stray',), ()]


def test_parameters_that_okx_does_not_know_are_reported_of_refused_requests_too(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    with pytest.raises(ccxt.BadRequest):
        exchange.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': 'XYZ', 'stray': 'x'})
    assert simulator.requests[-1].unknown == ('stray',)


def test_key_without_the_permission_is_refused(simulator):
    account = simulator.add_account('reader', 'readers-secret')
    account.permissions = {'read'}
    exchange = simulator.connect(ccxt_mmp.okx, account, enableRateLimit=False)
    assert exchange.fetch_mmp('BTC/USD')['enabled'] is False
    with pytest.raises(ccxt.ExchangeError, match='50120'):
        exchange.reset_mmp('BTC/USD')


def test_okx_reset_is_of_options_and_counts_are_integers(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    with pytest.raises(ccxt.BadRequest, match='instType'):
        exchange.reset_mmp('BTC/USD', {'instType': 'SWAP'})
    rule = {'timeInterval': '5', 'frozenInterval': '5'}
    with pytest.raises(ccxt.BadRequest, match='countLimit'):
        exchange.privatePostRfqMmpConfig({**rule, 'countLimit': '1.5'})
    simulator.clear()
    with pytest.raises(ccxt.BadRequest, match='countLimit'):
        exchange.privatePostRfqMmpConfig({**rule, 'countLimit': '0'})


def test_signature_is_of_the_raw_bytes(simulator):
    """Also where they are no text: the signature is right, the JSON is not."""
    timestamp = simulator.connect(ccxt.okx).iso8601(simulator.now())
    body = b'{"instFamily":"\xff"}'
    prehash = f'{timestamp}POST/api/v5/account/mmp-reset'.encode() + body
    digest = hmac.new(SECRET.encode(), prehash, hashlib.sha256).digest()

    def code(signature):
        headers = {
            'OK-ACCESS-KEY': KEY,
            'OK-ACCESS-PASSPHRASE': PASSPHRASE,
            'OK-ACCESS-TIMESTAMP': timestamp,
            'OK-ACCESS-SIGN': signature,
        }
        request = urllib.request.Request(f'{simulator.url}/api/v5/account/mmp-reset', body, headers)  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)  # noqa: S310
        with caught.value as answer:
            return json.load(answer)['code']

    assert code(base64.b64encode(digest).decode()) == '51000'
    assert code('é') == '50113'


@pytest.mark.parametrize('body', ['[' * 100_000, '{"instFamily":"BTC-USD","timeInterval":"' + '1' * 5000 + '"}'])
def test_monstrous_body_is_refused(simulator, body):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    exchange.json = lambda value: body
    with pytest.raises(ccxt.BaseError, match=r'50002|51000'):
        exchange.privatePostAccountMmpConfig({'instFamily': 'BTC-USD'})


def test_monstrous_quantity_is_refused(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    option = simulator.rest('okx', 'BTC-USD', mmp=False).instrument.instrument_id
    order = {'instId': option, 'tdMode': 'cross', 'side': 'buy', 'ordType': 'limit', 'sz': '1' + '0' * 30, 'px': '1'}
    with pytest.raises(ccxt.BadRequest, match='sz'):
        exchange.privatePostTradeOrder(order)
