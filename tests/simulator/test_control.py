"""The control side: as methods, and as JSON for a bot in another process."""

import urllib.error
import urllib.request

import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.simulator import Simulator
from tests.rows import rows
from tests.simulator.commands import control


def test_a_bot_in_another_process_can_be_led_through_a_freeze(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    exchange.set_mmp('BTC/USD', 5000, 2000, 10)
    order = simulator.rest('okx', 'BTC-USD', mmp=True, quantity='10')

    def frozen():
        return exchange.fetch_mmp('BTC/USD')['frozen']

    assert control(simulator, 'fill', {'order_id': order.order_id, 'quantity': '9'})[0] == 200
    assert not frozen()
    assert control(simulator, 'fill', {'order_id': order.order_id})[0] == 200
    assert frozen()
    assert control(simulator, 'advance', {'milliseconds': 2000})[0] == 200
    assert not frozen()
    assert control(simulator, 'trip', {'venue': 'okx', 'underlying': 'BTC-USD'})[0] == 200
    assert frozen()
    assert control(simulator, 'privilege', {'granted': False})[0] == 200
    with pytest.raises(ccxt_mmp.MmpNotEnabled):
        exchange.reset_mmp('BTC/USD')
    assert control(simulator, 'fault', {'kind': 'status', 'path': 'mass-cancel', 'status': 503, 'times': 3})[0] == 200
    with pytest.raises(ccxt.ExchangeNotAvailable):
        exchange.mass_cancel_mmp('BTC/USD')
    status, answer, _ = control(simulator, 'requests')
    assert status == 200
    assert answer['requests'][-1]['path'] == '/api/v5/trade/mass-cancel'
    assert answer['requests'][-1]['status'] == 503
    assert control(simulator, 'clear', {})[1]['done'] == 'clear'
    assert control(simulator, 'requests')[1] == {'requests': []}
    assert exchange.fetch_mmp('BTC/USD')['enabled'] is False


def test_weight_and_latency_are_set_from_outside(simulator):
    assert control(simulator, 'use_weight', {'weight': 1800})[0] == 200
    assert control(simulator, 'latency', {'milliseconds': 50})[0] == 200
    assert (simulator.used_weight, simulator.latency) == (1800, 50)


def test_block_trades_trip_their_protection(simulator):
    simulator.set_rule('okx', None, ccxt_mmp.simulator.Rule(5000, 0, count_limit='3'))
    assert control(simulator, 'execute_block_trades', {'attempts': 2})[0] == 200
    assert not simulator.protection('okx').is_frozen(simulator.now())
    simulator.execute_block_trades()
    assert simulator.protection('okx').is_frozen(simulator.now())


@rows(
    ('command', 'body', 'said'),
    [
        ('fill', {'order_id': '1'}, 'no order 1'),
        ('fill', {}, 'order_id'),
        ('fill', b'[]', 'JSON object'),
        ('fill', b'{', 'Expecting'),
        ('advance', {'milliseconds': -1}, 'time goes forward'),
        ('advance', {'milliseconds': 0.5}, 'whole milliseconds'),
        ('advance', b'{"milliseconds": NaN}', 'whole milliseconds'),
        ('privilege', {'granted': 'false'}, 'neither'),
        ('execute_block_trades', {'attempts': -5}, 'at least 1'),
        ('fault', {'kind': 'delay', 'times': 'x'}, 'times of a fault'),
        ('fault', {'kind': 'delay', 'times': 0}, 'times of a fault'),
        ('fault', {'kind': 'delay', 'path': 5}, 'text'),
        ('fault', {'kind': 'delay', 'milliseconds': 'x'}, 'milliseconds of a fault'),
        ('fault', {'kind': 'status', 'status': 99}, 'status of a fault'),
        ('fault', {'kind': 'status', 'retry_after': 'a\r\nb'}, 'retry_after of a fault'),
        ('refuse_cancel', {'order_id': '1'}, 'no order 1'),
        ('allow_cancel', {'order_id': '1'}, 'no order 1'),
        ('use_weight', {'weight': -1}, 'at least 1'),
        ('latency', {'milliseconds': '5'}, 'a latency is an integer'),
        ('clear', b'[' * 100_000, 'nested too deeply'),
        ('advance', {'hours': 1}, 'hours'),
        ('fault', {'kind': 'earthquake'}, 'a fault is one of'),
        ('trip', {'venue': 'okx', 'underlying': 'BTC-USD'}, 'no rule'),
    ],
)
def test_wrong_command_is_refused_and_says_why(simulator, command, body, said):
    status, answer, _ = control(simulator, command, body)
    assert status == 400
    assert said in answer['error']


def test_wrong_fill_is_refused_and_fills_nothing(simulator):
    simulator.set_rule('okx', 'BTC-USD')
    order = simulator.rest('okx', 'BTC-USD', mmp=True)
    for wrong in ({'quantity': 'x'}, {'quantity': '11'}, {'quantity': 'NaN'}, {'delta': 'NaN'}, {'delta': 'Infinity'}):
        assert control(simulator, 'fill', {'order_id': order.order_id, **wrong})[0] == 400
    assert order.filled == 0
    assert not simulator.protection('okx', 'BTC-USD').fills


@pytest.mark.parametrize('command', ['explode', '', 'close'])
def test_unknown_command_is_not_found(simulator, command):
    status, answer, _ = control(simulator, command, {})
    assert status == 404
    assert 'POST fill' in answer['error']


@pytest.mark.parametrize('content_type', ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
def test_page_in_a_browser_cannot_command(simulator, content_type):
    """These are the content types that a page may send to another origin without asking."""
    simulator.rest('okx', 'BTC-USD', mmp=True)
    assert control(simulator, 'clear', {}, content_type=content_type)[0] == 415
    assert len(simulator.resting('okx', 'BTC-USD')) == 1
    request = urllib.request.Request(f'{simulator.url}/_control/clear', method='OPTIONS')  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match='404') as caught:
        urllib.request.urlopen(request)  # noqa: S310
    with caught.value as answer:
        assert not [name for name in answer.headers if name.lower().startswith('access-control')]


def test_unknown_order_is_an_error(simulator):
    for name in ('fill', 'order', 'refuse_cancel', 'allow_cancel'):
        with pytest.raises(ValueError, match='there is no order 5'):
            getattr(simulator, name)('5')
    assert control(simulator, 'fill', {'order_id': '5'})[:2] == (400, {'error': 'there is no order 5'})


def test_any_order_can_be_filled(simulator):
    another = simulator.add_account('another', 'another-secret')
    orders = [simulator.rest('okx', 'BTC-USD', mmp=True, account=account) for account in (None, None, another)]
    for order in orders:
        simulator.fill(order.order_id, 1)
        assert order.filled == 1
        assert simulator.order(order.order_id) is order


def test_unknown_trigger_is_an_error():
    with pytest.raises(ValueError, match='trigger is one of reach, exceed, not sometimes'):
        Simulator(trigger='sometimes')


def test_configured_market_types_are_kept_and_only_options_are_listed(simulator):
    types = ['spot', 'linear', 'inverse', 'option']
    exchange = simulator.connect(ccxt.binance, enableRateLimit=False, options={'fetchMarkets': types})
    assert exchange.options['fetchMarkets'] == types
    exchange.load_markets()
    assert {market['type'] for market in exchange.markets.values()} == {'option'}
