"""What ccxt users configure keeps its meaning: auth, sandbox, demo, proxies, verbose, retries, clock, rate limits."""

import json
import time

import ccxt
import pytest

from ccxt_mmp import binance
from ccxt_mmp.simulator import SECRET, Simulator
from tests.rows import rows

OKX_CALLS = [
    ('set_mmp', ('BTC/USD', 5000, 2000, 100)),
    ('reset_mmp', ('BTC/USD',)),
    ('reset_mmp', ()),
    ('fetch_mmp', ('BTC/USD',)),
    ('fetch_mmps', ()),
    ('mass_cancel_mmp', ('BTC/USD',)),
]
BINANCE_CALLS = [
    ('set_mmp', ('BTC/USDT', 3000, 300000, 2, '2.3')),
    ('reset_mmp', ('BTC/USDT',)),
    ('fetch_mmp', ('BTC/USDT',)),
    ('fetch_mmps', (['BTC/USDT'],)),
]
CALLS = [('okx', *call) for call in OKX_CALLS] + [('binance', *call) for call in BINANCE_CALLS]


@rows(('exchange_id', 'method', 'arguments'), CALLS)
def test_no_markets_are_loaded_and_one_request_is_made(flavour, simulator, exchange_id, method, arguments):
    exchange = flavour.exchange(exchange_id, simulator.url)
    if method == 'reset_mmp' and exchange_id == 'binance':
        simulator.set_rule('binance', 'BTCUSDT')
    flavour.take(getattr(exchange, method)(*arguments))
    assert len(simulator.requests) == 1
    assert exchange.markets is None


def test_okx_sandbox_mode_is_demo_trading(flavour, canned):
    canned.answer('{"code":"0","msg":"","data":[{"result":true}]}')
    exchange = flavour.exchange('okx', canned.url)
    exchange.set_sandbox_mode(True)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    exchange.set_sandbox_mode(False)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    flags = [request.headers.get('x-simulated-trading') for request in canned.received()]
    assert flags == ['1', None]


@pytest.mark.skipif(
    not hasattr(ccxt.binance, 'enable_demo_trading') or 'demo' not in ccxt.binance().urls,
    reason='this version of ccxt has no demo trading on Binance',
)
def test_binance_demo_trading_reaches_the_options_demo_host(flavour):
    exchange = flavour.exchange('binance')
    sent = record_urls(exchange)
    exchange.enable_demo_trading(True)
    with pytest.raises(ccxt.NetworkError):
        flavour.take(exchange.fetch_mmp('BTC/USDT'))
    exchange.enable_demo_trading(False)
    with pytest.raises(ccxt.NetworkError):
        flavour.take(exchange.fetch_mmp('BTC/USDT'))
    assert [url.partition('?')[0] for url in sent] == [
        'https://demo-fapi.binance.com/eapi/v1/mmp',
        'https://eapi.binance.com/eapi/v1/mmp',
    ]


def record_urls(exchange):
    """The URLs that an exchange would fetch; nothing is sent."""
    sent = []

    def sign(*args, **kwargs):
        signed = type(exchange).sign(exchange, *args, **kwargs)
        sent.append(signed['url'])
        raise ccxt.NetworkError('not sent')

    exchange.sign = sign
    return sent


@pytest.mark.parametrize('host', ['https://eapi.binance.com', 'https://demo-fapi.binance.com', 'http://127.0.0.1:1'])
def test_binance_options_errors_are_chosen_by_path_not_by_host(host):
    exchange = binance()
    exact = exchange.get_exceptions_by_url(f'{host}/eapi/v1/mmpSet', 'exact')
    assert exact is exchange.exceptions['option']['exact']


def test_binance_errors_of_other_apis_stay_ccxts():
    exchange, stock = binance(), ccxt.binance()
    for url in ('https://api.binance.com/api/v3/order', 'https://fapi.binance.com/fapi/v1/order', 'http://x/'):
        for kind in ('exact', 'broad'):
            assert exchange.get_exceptions_by_url(url, kind) == stock.get_exceptions_by_url(url, kind)


def test_binance_sandbox_without_options_is_an_error_before_anything_is_sent(flavour):
    """Binance's testnet has no options, and ccxt says so."""
    exchange = flavour.exchange('binance')
    exchange.set_sandbox_mode(True)
    with pytest.raises(ccxt.NotSupported):
        flavour.take(exchange.fetch_mmp('BTC/USDT'))


@rows(('exchange_id', 'method', 'arguments'), CALLS)
def test_missing_credentials_are_an_error_before_anything_is_sent(flavour, canned, exchange_id, method, arguments):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id, canned.url, secret='')
    with pytest.raises(ccxt.AuthenticationError, match='requires "secret" credential'):
        flavour.take(getattr(exchange, method)(*arguments))
    assert canned.received() == []


def test_http_proxy_is_used(flavour, canned):
    canned.answer('{"code":"0","msg":"","data":[{"result":true}]}')
    exchange = flavour.exchange('okx', 'http://okx.invalid')
    exchange.httpProxy = canned.url
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    [request] = canned.received()
    assert request.host == 'okx.invalid'


def test_users_headers_and_hostname_are_used(flavour, canned):
    canned.answer('{"code":"0","msg":"","data":[{"result":true}]}')
    exchange = flavour.exchange('okx', headers={'x-mine': 'yes'}, hostname=canned.url.removeprefix('http://'))
    exchange.urls['api']['rest'] = 'http://{hostname}'
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    [request] = canned.received()
    assert request.headers['x-mine'] == 'yes'


def test_verbose_shows_the_request_and_never_the_secret(flavour, simulator, capsys):
    exchange = flavour.exchange('okx', simulator.url, verbose=True)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    shown = capsys.readouterr().out
    assert 'trade/mass-cancel' in shown
    assert SECRET not in shown


@rows(('exchange_id', 'method', 'arguments'), CALLS)
def test_response_headers_among_the_answer_do_no_harm(flavour, simulator, exchange_id, method, arguments):
    """ccxt's returnResponseHeaders adds a key to the answer."""
    simulator.set_rule('okx', 'BTC-USD')
    simulator.set_rule('binance', 'BTCUSDT')
    exchange = flavour.exchange(exchange_id, simulator.url, returnResponseHeaders=True)
    assert flavour.take(getattr(exchange, method)(*arguments))


WRITES = [each for each in CALLS if each[1] in ('set_mmp', 'reset_mmp')]
RETRIES = [
    {'maxRetriesOnFailure': 3},
    {
        path: {'maxRetriesOnFailure': 3}
        for path in (
            'account/mmp-config',
            'account/mmp-reset',
            'rfq/mmp-reset',
            'mmpSet',
            'mmpReset',
        )
    },
]


@rows(('exchange_id', 'method', 'arguments'), WRITES)
@rows('options', RETRIES, ids=['options', 'options of the path'])
def test_what_changes_a_protection_is_never_repeated(flavour, canned, exchange_id, method, arguments, options):
    canned.answer('down', status=503)
    exchange = flavour.exchange(exchange_id, canned.url, options=options)
    params = {'maxRetriesOnFailure': 3}
    for extra in ({}, {'params': params}):
        with pytest.raises(ccxt.ExchangeNotAvailable):
            flavour.take(getattr(exchange, method)(*arguments, **extra))
    assert len(canned.received()) == 2
    assert params == {'maxRetriesOnFailure': 3}


def test_fetching_is_repeated_if_the_user_asks_ccxt_to(flavour, canned):
    canned.answer('down', status=503)
    exchange = flavour.exchange('okx', canned.url, options={'maxRetriesOnFailure': 2})
    with pytest.raises(ccxt.ExchangeNotAvailable):
        flavour.take(exchange.fetch_mmp('BTC/USD'))
    assert len(canned.received()) == 3


@rows(('exchange_id', 'method', 'arguments'), CALLS)
def test_time_difference_is_loaded_by_the_first_call_alone(flavour, simulator, exchange_id, method, arguments):
    simulator.set_rule('binance', 'BTCUSDT')
    exchange = flavour.exchange(exchange_id, simulator.url, options={'adjustForTimeDifference': True})
    for _ in range(2):
        flavour.take(getattr(exchange, method)(*arguments))
    times = [request.path for request in simulator.requests if request.path.endswith('/time')]
    assert len(times) == 1
    assert simulator.requests[0].path == times[0]
    assert len(simulator.requests) == 3


def test_time_difference_is_loaded_once_for_requests_side_by_side(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'adjustForTimeDifference': True})
    flavour.take(exchange.fetch_mmps(['BTC/USDT', 'ETH/USDT']))
    assert sorted(request.path for request in simulator.requests) == ['/eapi/v1/mmp', '/eapi/v1/mmp', '/eapi/v1/time']


def test_time_difference_that_is_loaded_is_not_loaded_again(flavour, simulator):
    options = {'adjustForTimeDifference': True, 'timeDifference': 5}
    exchange = flavour.exchange('okx', simulator.url, options=options)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert [request.path for request in simulator.requests] == ['/api/v5/trade/mass-cancel']


@pytest.mark.parametrize('skew', [-3_600_000, 3_600_000], ids=['behind', 'ahead'])
def test_time_difference_corrects_the_clock_of_a_first_mass_cancel(flavour, skewed_simulator, skew):
    simulator = skewed_simulator(skew)
    exchange = flavour.exchange('okx', simulator.url, options={'adjustForTimeDifference': True})
    before = simulator.now()
    cancelled = flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 2000}))
    known_to = 1000  # ms, but for the delay of the answer, against a skew of an hour
    assert before - known_to <= cancelled['lockedUntil'] - 2000 <= simulator.now() + known_to


def test_without_it_a_skewed_clock_is_an_error(flavour, skewed_simulator):
    exchange = flavour.exchange('okx', skewed_simulator(-3_600_000).url)
    with pytest.raises(ccxt.InvalidNonce):
        flavour.take(exchange.reset_mmp('BTC/USD'))


@pytest.fixture
def skewed_simulator():
    started = []

    def start(skew):
        simulator = Simulator(clock=lambda: time.time_ns() // 1_000_000 + skew).start()
        started.append(simulator)
        return simulator

    yield start
    for simulator in started:
        simulator.close()


@rows(('exchange_id', 'method', 'arguments'), CALLS)
def test_ccxts_throttle_is_asked_once_for_each_request(flavour, simulator, exchange_id, method, arguments):
    simulator.set_rule('binance', 'BTCUSDT')
    exchange = flavour.exchange(exchange_id, simulator.url, enableRateLimit=True)
    costs = []

    if flavour.name == 'sync':
        exchange.throttle = costs.append
    else:

        async def throttle(cost=None):
            costs.append(cost)

        exchange.throttle = throttle
    flavour.take(getattr(exchange, method)(*arguments))
    assert len(costs) == len(simulator.requests) == 1


def test_binance_object_remembers_its_last_reset(flavour, canned):
    """Whether a reset clears lastTriggerTime is not documented: a trigger that a reset answered for is over."""
    rule = {
        'underlyingId': 2,
        'underlying': 'BTCUSDT',
        'windowTimeInMilliseconds': 3000,
        'frozenTimeInMilliseconds': 0,
        'qtyLimit': '2',
        'deltaLimit': '2.3',
        'lastTriggerTime': 1_700_000_000_000,
    }
    exchange = flavour.exchange('binance', canned.url)

    def fetched(**changes):
        canned.answer(json.dumps({**rule, **changes}))
        return flavour.take(exchange.fetch_mmp('BTC/USDT'))['frozen']

    assert fetched() is None  # it cannot tell
    canned.answer(json.dumps(rule))
    assert flavour.take(exchange.reset_mmp('BTC/USDT'))['frozen'] is False
    assert fetched() is False
    assert fetched(lastTriggerTime=1_700_000_000_001) is None
    assert fetched(lastTriggerTime=exchange.milliseconds(), frozenTimeInMilliseconds=60000) is True
    # an answer that does not say when it was triggered forgets nothing
    canned.answer(json.dumps({**rule, 'lastTriggerTime': None}))
    flavour.take(exchange.reset_mmp('BTC/USDT'))
    assert fetched() is False
