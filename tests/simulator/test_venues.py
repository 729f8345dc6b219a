"""Signatures, rules and refusals of the simulator."""

import json
import urllib.error
import urllib.request

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, Account, Rule, Simulator
from ccxt_mmp.simulator.venues.okx import OkxVenue
from ccxt_mmp.simulator.wire import Request, Times
from tests.rows import rows
from tests.simulator.engines import new_engine

WRONG = 'wrong'
OKX_FETCH = ('fetch_mmp', 'BTC/USD')
BINANCE_FETCH = ('fetch_mmp', 'BTC/USDT')
BYBIT_FETCH = ('fetch_mmp', 'BTC')


@rows(
    ('exchange_id', 'call', 'changed', 'code', 'expected'),
    [
        ('okx', OKX_FETCH, {'secret': WRONG}, '50113', ccxt.AuthenticationError),
        ('okx', OKX_FETCH, {'apiKey': WRONG}, '50111', ccxt.AuthenticationError),
        ('okx', OKX_FETCH, {'password': WRONG}, '50105', ccxt.AuthenticationError),
        ('binance', BINANCE_FETCH, {'secret': WRONG}, '-1022', ccxt.AuthenticationError),
        ('binance', BINANCE_FETCH, {'apiKey': WRONG}, '-2015', ccxt.AuthenticationError),
        ('bybit', BYBIT_FETCH, {'secret': WRONG}, '10004', ccxt.AuthenticationError),
        ('bybit', BYBIT_FETCH, {'apiKey': WRONG}, '10003', ccxt.AuthenticationError),
    ],
)
def test_wrong_credentials_are_refused(flavour, simulator, exchange_id, call, changed, code, expected):
    exchange = flavour.exchange(exchange_id, simulator.url, **changed)
    method, *arguments = call
    with pytest.raises(expected, match=code):
        flavour.take(getattr(exchange, method)(*arguments))


@rows(
    ('exchange_id', 'call', 'skew', 'code'),
    [
        ('okx', OKX_FETCH, 31_000, '50102'),
        ('okx', OKX_FETCH, -31_000, '50102'),
        ('binance', BINANCE_FETCH, 2_000, '-1021'),
        ('binance', BINANCE_FETCH, -11_000, '-1021'),
        ('bybit', BYBIT_FETCH, 2_000, '10002'),
        ('bybit', BYBIT_FETCH, -11_000, '10002'),
    ],
)
def test_timestamp_outside_the_window_is_refused(flavour, simulator, exchange_id, call, skew, code):
    exchange = flavour.exchange(exchange_id, simulator.url, options={'timeDifference': -skew})
    method, *arguments = call
    with pytest.raises(ccxt.InvalidNonce, match=code):
        flavour.take(getattr(exchange, method)(*arguments))


@pytest.mark.parametrize(('exchange_id', 'underlying'), [('okx', 'BTC-USD'), ('binance', 'BTCUSDT'), ('bybit', 'BTC')])
def test_signature_covers_the_raw_request(flavour, simulator, exchange_id, underlying):
    """A request that is changed after it was signed is refused."""
    exchange = flavour.exchange(exchange_id, simulator.url)

    def sign(*args, **kwargs):
        signed = type(exchange).sign(exchange, *args, **kwargs)
        return {**signed, 'url': signed['url'].replace('BTC', 'ETH')}

    exchange.sign = sign
    with pytest.raises(ccxt.AuthenticationError, match=r'50113|-1022|10004'):
        flavour.take(exchange.fetch_mmp(underlying))


def test_okx_signature_is_the_published_vector():
    """The check vector that OKX's public clients share."""
    account = Account('', 'mysecret', '')
    venue = OkxVenue(new_engine(), {'': account}, enforce_limits=False)
    request = Request(
        method='POST',
        path='/api/v5/trade/cancel-all-after',
        query='',
        body='{"timeOut":"60","tag":"t1"}',
        headers={
            'OK-ACCESS-KEY': '',
            'OK-ACCESS-PASSPHRASE': '',
            'OK-ACCESS-TIMESTAMP': '2020-03-28T12:21:41.274Z',
            'OK-ACCESS-SIGN': 'rXYzM54+4hsa8v/xal60TW2nzB+F/i2adhwzy8cGbZI=',  # pragma: allowlist secret
        },
    )
    signed_at = 1585398101274
    assert venue._authenticate(request, Times(signed_at, signed_at)) is account


@rows(
    ('exchange_id', 'endpoint', 'request_', 'refusal'),
    [
        ('okx', 'privatePostAccountMmpConfig', {}, '50014.*instFamily'),
        ('okx', 'privatePostAccountMmpConfig', {'instFamily': 'BTC-USD', 'timeInterval': 5}, '51000.*timeInterval'),
        ('okx', 'privatePostAccountMmpConfig', {'instFamily': 'BTC-USD', 'timeInterval': '-5'}, '51000.*timeInterval'),
        (
            'okx',
            'privatePostAccountMmpConfig',
            {'instFamily': 'BTC-USD', 'timeInterval': '5', 'frozenInterval': '5', 'qtyLimit': '0'},
            '51000.*qtyLimit',
        ),
        ('okx', 'privatePostAccountMmpConfig', {'instFamily': 'XYZ'}, '51000.*instFamily'),
        ('okx', 'privatePostTradeMassCancel', {'instType': 'SWAP', 'instFamily': 'BTC-USD'}, '51000.*instType'),
        (
            'okx',
            'privatePostTradeMassCancel',
            {'instType': 'OPTION', 'instFamily': 'BTC-USD', 'lockInterval': '10001'},
            '54009',
        ),
        (
            'okx',
            'privatePostRfqMmpConfig',
            {'timeInterval': '600001', 'frozenInterval': '0', 'countLimit': '1'},
            '51000.*timeInterval',
        ),
        ('okx', 'privatePostAccountMmpConfig', ['no object'], '50002'),
        ('binance', 'eapiPrivatePostMmpSet', {}, "-1102.*'underlying'"),
        ('binance', 'eapiPrivatePostMmpSet', {'underlying': 'XYZ'}, '-6003'),
        ('binance', 'eapiPrivatePostMmpSet', {'underlying': 'BTCUSDT', 'windowTimeInMilliseconds': '0'}, '-6001'),
        ('binance', 'eapiPrivatePostMmpSet', {'underlying': 'BTCUSDT', 'windowTimeInMilliseconds': 'x'}, '-1130'),
        (
            'binance',
            'eapiPrivatePostMmpSet',
            {'underlying': 'BTCUSDT', 'windowTimeInMilliseconds': '1', 'frozenTimeInMilliseconds': '-1'},
            '-6002',
        ),
        (
            'binance',
            'eapiPrivatePostMmpSet',
            {
                'underlying': 'BTCUSDT',
                'windowTimeInMilliseconds': '1',
                'frozenTimeInMilliseconds': '0',
                'qtyLimit': '1e5',
            },
            '-6040',
        ),
        ('binance', 'eapiPrivateGetMmp', {'underlying': 'BTCUSDT', 'extra': '1'}, '-1104'),
    ],
)
def test_sloppy_request_is_refused(simulator, exchange_id, endpoint, request_, refusal):
    exchange = simulator.connect(getattr(ccxt_mmp, exchange_id), enableRateLimit=False)
    with pytest.raises(ccxt.BaseError, match=refusal):
        getattr(exchange, endpoint)(request_)


@pytest.mark.parametrize('path', ['/api/v5/account/risk-state', '/eapi/v1/bill', '/'])
def test_unknown_path_is_not_found_and_fails_the_test(simulator, path):
    with pytest.raises(urllib.error.HTTPError, match='404') as caught:
        urllib.request.urlopen(simulator.url + path)  # noqa: S310
    with caught.value as answer:
        assert path in json.load(answer)['msg']
        assert answer.headers['Server'] == f'ccxt-mmp-simulator/{ccxt_mmp.__version__}'
    with pytest.raises(AssertionError, match=f'GET {path}'):
        simulator.check()
    simulator.clear()
    simulator.check()


def test_body_that_is_no_json_is_refused(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    exchange.json = lambda value: '{'
    with pytest.raises(ccxt.BaseError, match='50002'):
        exchange.set_mmp('BTC/USD', 5000, 2000, 100)


def test_timestamp_that_is_none_is_refused(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    exchange.iso8601 = lambda timestamp: 'now'
    with pytest.raises(ccxt.AuthenticationError, match='50112'):
        exchange.fetch_mmp('BTC/USD')


def test_rules_are_kept_by_underlying(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    flavour.take(exchange.set_mmp('BTC/USD', 5000, 2000, 100))
    flavour.take(exchange.set_mmp('BTC/USD:USD', 4000, 0, '7.5'))
    states = flavour.take(exchange.fetch_mmps())
    assert {key: (state['window'], state['qtyLimit']) for key, state in states.items()} == {
        'BTC/USD:BTC': (5000, 100.0),
        'BTC/USD:USD': (4000, 7.5),
    }
    assert simulator.protection('okx', 'BTC-USD').rule == Rule(5000, 2000, qty_limit='100')


def test_block_trading_without_a_rule(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    assert flavour.take(exchange.fetch_mmp(params={'scope': 'rfq'}))['enabled'] is False


def test_the_two_protections_of_okx_are_apart(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    flavour.take(exchange.set_mmp('BTC/USD', 5000, 0, 100))
    flavour.take(exchange.set_mmp(None, 5000, 0, params={'scope': 'rfq', 'countLimit': 10}))
    simulator.trip('okx', 'BTC-USD')
    simulator.trip('okx')

    def frozen():
        return [
            flavour.take(exchange.fetch_mmp('BTC/USD'))['frozen'],
            flavour.take(exchange.fetch_mmp(params={'scope': 'rfq'}))['frozen'],
        ]

    assert frozen() == [True, True]
    flavour.take(exchange.reset_mmp())
    assert frozen() == [True, False]
    flavour.take(exchange.reset_mmp('BTC/USD'))
    assert frozen() == [False, False]


@pytest.mark.parametrize('clears', [False, True])
def test_binance_reset_ends_the_freeze_whether_or_not_it_clears_the_last_trigger(flavour, clears):
    with Simulator(reset_clears_last_trigger=clears) as simulator:
        exchange = flavour.exchange('binance', simulator.url)
        flavour.take(exchange.set_mmp('BTC/USDT', 3000, 300000, 2, '2.3'))
        simulator.trip('binance', 'BTCUSDT')
        assert flavour.take(exchange.fetch_mmp('BTC/USDT'))['frozen'] is True
        state = flavour.take(exchange.reset_mmp('BTC/USDT'))
        assert state['frozen'] is False
        assert (state['lastTriggerTimestamp'] is None) is clears
        assert flavour.take(exchange.fetch_mmp('BTC/USDT'))['frozen'] is False
        simulator.trip('binance', 'BTCUSDT')
        assert flavour.take(exchange.fetch_mmp('BTC/USDT'))['frozen'] is True


def test_mass_cancel_takes_the_mmp_orders_of_the_family_and_no_other(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    gone = [simulator.rest('okx', 'BTC-USD', mmp=True) for _ in range(3)]
    kept = [
        simulator.rest('okx', 'BTC-USD', mmp=False),
        simulator.rest('okx', 'BTC-USD_UM', mmp=True),
        simulator.rest('binance', 'BTCUSDT', mmp=True),
    ]
    before = simulator.now()
    flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 2000}))
    assert {order.state for order in gone} == {'canceled'}
    assert {order.state for order in kept} == {'live'}
    assert before <= simulator.protection('okx', 'BTC-USD').locked_until - 2000 <= simulator.now()


def test_revoked_privilege(flavour, simulator):
    simulator.privileged = False
    for exchange_id, underlying in (('okx', 'BTC/USD'), ('binance', 'BTC/USDT')):
        exchange = flavour.exchange(exchange_id, simulator.url)
        with pytest.raises(ccxt_mmp.MmpNotEnabled):
            flavour.take(exchange.reset_mmp(underlying))
    simulator.privileged = True
    assert simulator.privileged


@pytest.mark.parametrize(
    'exchange_class',
    [getattr(module, each) for module in (ccxt, ccxt.pro, ccxt_mmp, ccxt_mmp.pro) for each in EXCHANGES],
)
def test_connect_directs_every_api_to_the_simulator(simulator, exchange_class):
    exchange = simulator.connect(exchange_class, timeout=1234)
    assert exchange.timeout == 1234
    assert exchange.apiKey == KEY
    addresses = []

    def collect(urls):
        for each in urls.values() if isinstance(urls, dict) else [urls]:
            collect(each) if isinstance(each, dict) else addresses.append(each)

    for table in ('api', 'test', 'demo', 'demotrading'):
        collect(exchange.urls.get(table, {}))
    base = simulator.url.removeprefix('http')
    assert addresses
    assert all(each.startswith(('http' + base, 'ws' + base)) for each in addresses)
    assert not exchange.urls['www'].startswith(simulator.url)


@pytest.mark.parametrize('given', ['okx', None, ccxt, ccxt_mmp.okx()])
def test_connect_takes_a_class(simulator, given):
    with pytest.raises(TypeError, match=r'connect takes a class, such as ccxt_mmp\.okx, not '):
        simulator.connect(given)


@pytest.mark.parametrize('given', [ccxt.kraken, ccxt.pro.kraken, ccxt.Exchange, dict])
def test_connect_refuses_what_is_no_venue(simulator, given):
    said = f'{given.__name__} is no venue, nor a class of one: okx, binance, deribit, bybit$'
    with pytest.raises(ValueError, match=said):
        simulator.connect(given)


def test_connect_takes_a_subclass_under_another_name(simulator):
    mine = type('Mine', (ccxt_mmp.okx,), {'describe': lambda self: {**super(mine, self).describe(), 'id': 'mine'}})
    assert simulator.connect(mine, enableRateLimit=False).fetch_mmp('BTC/USD')['enabled'] is False


def test_simulator_can_be_closed_twice_and_started_again():
    simulator = Simulator()
    simulator.close()
    with simulator:
        port = simulator.url
        simulator.set_rule('okx', 'BTC-USD')
    simulator.close()
    with simulator:
        assert simulator.url == port
        exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
        assert exchange.fetch_mmp('BTC/USD')['enabled'] is True


def test_port_that_is_taken_is_an_error_of_the_caller(simulator):
    port = int(simulator.url.rpartition(':')[2])
    with pytest.raises(OSError, match=f'cannot listen on 127.0.0.1:{port}: .*in use'):
        Simulator(port=port).start()
