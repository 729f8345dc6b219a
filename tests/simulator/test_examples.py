"""The documented example answers and the simulator's have the same keys and JSON types."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Rule
from tests.simulator.test_binance_wire import call as call_binance
from tests.simulator.test_bybit_wire import call as call_bybit
from tests.simulator.test_deribit_wire import call as call_deribit

EXAMPLES = {
    path.stem: {example['endpoint']: example for example in json.loads(path.read_text())['answers']}
    for path in (Path(__file__).parent.parent / 'static' / 'example').glob('*.json')
}


def call_okx(simulator, method, path, parameters):
    """The body of a signed request's answer: the query for GET, JSON for POST."""
    now = datetime.fromtimestamp(simulator.now() / 1000, timezone.utc)
    timestamp = now.strftime('%Y-%m-%dT%H:%M:%S.') + f'{now.microsecond // 1000:03d}Z'
    target = f'/api/v5/{path}'
    body = ''
    if method == 'GET' and parameters:
        target += '?' + '&'.join(f'{name}={value}' for name, value in parameters.items())
    elif method == 'POST' and parameters:
        body = json.dumps(parameters)
    digest = hmac.new(SECRET.encode(), f'{timestamp}{method}{target}{body}'.encode(), hashlib.sha256).digest()
    headers = {
        'OK-ACCESS-KEY': KEY,
        'OK-ACCESS-PASSPHRASE': PASSPHRASE,
        'OK-ACCESS-TIMESTAMP': timestamp,
        'OK-ACCESS-SIGN': base64.b64encode(digest).decode(),
        'Content-Type': 'application/json',
    }
    request = urllib.request.Request(simulator.url + target, body.encode() or None, headers, method=method)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return json.load(answer)


def shape(value):
    """Keys and JSON types; a list is as its first item."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def lacking(documented, simulated, where='answer'):
    """What is documented and not there, or there in another type."""
    if isinstance(documented, dict) and isinstance(simulated, dict):
        missing = [f'{where}.{key}' for key in documented if key not in simulated]
        common = [key for key in documented if key in simulated]
        return missing + [each for key in common for each in lacking(documented[key], simulated[key], f'{where}.{key}')]
    if isinstance(documented, list) and isinstance(simulated, list) and documented and simulated:
        return lacking(documented[0], simulated[0], f'{where}[0]')
    return [] if documented == simulated else [f'{where}: {documented} documented, {simulated} simulated']


def with_one_number(shaped):
    """A shape in which an integer is a number as any, as where an exchange writes 3 for 3.0."""
    if isinstance(shaped, dict):
        return {key: with_one_number(each) for key, each in shaped.items()}
    if isinstance(shaped, list):
        return [with_one_number(each) for each in shaped]
    return 'number' if shaped in ('int', 'float') else shaped


@pytest.fixture
def okx_order(simulator):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.set_rule('okx', None, Rule(5000, 2000, count_limit='10'))
    simulator.trip('okx', 'BTC-USD')
    simulator.trip('okx')
    order = simulator.rest('okx', 'BTC-USD', mmp=False)
    simulator.fill(order.order_id, 1)
    return order


@pytest.mark.parametrize('endpoint', EXAMPLES['okx'])
def test_okx(simulator, okx_order, endpoint):
    option = okx_order.instrument.instrument_id
    ids = {'instId': option, 'ordId': okx_order.order_id}
    rule = {'timeInterval': '5000', 'frozenInterval': '2000'}
    placement = {'instId': option, 'tdMode': 'cross', 'side': 'buy', 'ordType': 'limit', 'sz': '1', 'px': '1'}
    parameters = {
        'POST account/mmp-config': {'instFamily': 'BTC-USD', **rule, 'qtyLimit': '100'},
        'GET account/mmp-config': {'instFamily': 'BTC-USD'},
        'POST account/mmp-reset': {'instType': 'OPTION', 'instFamily': 'BTC-USD'},
        'POST rfq/mmp-config': {**rule, 'countLimit': '100'},
        'GET rfq/mmp-config': {},
        'POST rfq/mmp-reset': {},
        'POST trade/mass-cancel': {'instType': 'OPTION', 'instFamily': 'BTC-USD'},
        'POST trade/batch-orders': [placement],
        'POST trade/cancel-batch-orders': [ids],
        'POST trade/cancel-order': ids,
        'POST trade/cancel-all-after': {'timeOut': '60'},
        'GET trade/orders-pending': {},
        'GET trade/order': ids,
        'POST trade/amend-order': {**ids, 'newSz': '20'},
        'GET account/positions': {},
        'GET market/ticker': {'instId': option},
        'GET market/books': {'instId': option},
        'GET public/mark-price': {'instType': 'OPTION'},
        'GET public/opt-summary': {'instFamily': 'BTC-USD'},
        'GET public/instruments': {'instType': 'OPTION'},
        'GET account/balance': {},
        'GET account/config': {},
    }[endpoint]
    documented = EXAMPLES['okx'][endpoint]
    simulated = call_okx(simulator, *endpoint.split(' '), parameters)
    assert lacking(shape(documented['answer']), shape(simulated)) == []
    if documented['source'].startswith('https://'):
        assert shape(simulated) == shape(documented['answer'])
    assert simulated['code'] == '0'


@pytest.mark.parametrize('endpoint', EXAMPLES['binance'])
def test_binance(simulator, endpoint):
    simulator.set_rule('binance', 'BTCUSDT')
    order = simulator.rest('binance', 'BTCUSDT', mmp=True)
    simulator.fill(order.order_id, 1)
    ids = {'symbol': order.instrument.instrument_id, 'orderId': order.order_id}
    countdown = {'underlying': 'BTCUSDT', 'countdownTime': '30000'}
    call_binance(simulator, 'POST', 'countdownCancelAll', **countdown)
    parameters = {
        'POST mmpSet': {
            'underlying': 'BTCUSDT',
            'windowTimeInMilliseconds': '3000',
            'frozenTimeInMilliseconds': '300000',
            'qtyLimit': '2',
            'deltaLimit': '2.3',
        },
        'POST mmpReset': {'underlying': 'BTCUSDT'},
        'GET mmp': {'underlying': 'BTCUSDT'},
        'GET openOrders': {},
        'DELETE order': ids,
        'DELETE batchOrders': {'symbol': ids['symbol'], 'orderIds': f'[{order.order_id}]'},
        'DELETE allOpenOrdersByUnderlying': {'underlying': 'BTCUSDT'},
        'POST countdownCancelAll': countdown,
        'GET countdownCancelAll': {'underlying': 'BTCUSDT'},
        'POST countdownCancelAllHeartBeat': {'underlyings': 'BTCUSDT,ETHUSDT'},
        'GET ticker': {},
        'GET depth': {'symbol': ids['symbol']},
        'GET mark': {},
        'GET position': {},
        'GET marginAccount': {},
        'GET exchangeInfo': {},
    }[endpoint]
    documented = EXAMPLES['binance'][endpoint]
    status, _, simulated = call_binance(simulator, *endpoint.split(' '), **parameters)
    assert lacking(shape(documented['answer']), shape(simulated)) == []
    if documented['source'].startswith('https://'):
        assert shape(simulated) == shape(documented['answer'])
    assert status == 200


@pytest.mark.parametrize('endpoint', EXAMPLES['deribit'])
def test_deribit(simulator, endpoint):
    simulator.set_rule('deribit', 'btc_usd', Rule(60_000, 0, '3', delta_limit='0.3', vega_limit='0.1', max_quote='100'))
    order = simulator.rest('deribit', 'btc_usd', mmp=False)
    simulator.fill(order.order_id, 1)
    rule = {'interval': 60, 'frozen_time': 0, 'quantity_limit': 3, 'max_quote_quantity': 2.5}
    group = {'index_name': 'btc_usd', 'mmp_group': 'MassQuoteBot7'}
    rule_of_group = {**group, **rule, 'delta_limit': 0.3, 'vega_limit': 0.1}
    parameters = {
        'POST set_mmp_config': {**group, **rule},
        'POST get_mmp_config': group,
        'POST get_mmp_status': group,
        'POST reset_mmp': {'index_name': 'btc_usd'},
        'POST get_order_state': {'order_id': order.order_id},
        'GET get_time': {},
        'GET get_instruments': {'currency': 'BTC', 'kind': 'option'},
    }[endpoint]
    call_deribit(simulator, 'POST', 'private/set_mmp_config', **rule_of_group)
    protection = simulator._account.protection('deribit', 'btc_usd/MassQuoteBot7')
    if endpoint == 'POST get_mmp_status':
        protection.freeze_ends = simulator.now() + 60_000
    method, path = endpoint.split()
    scope = 'public' if path in ('get_time', 'get_instruments') else 'private'
    documented = EXAMPLES['deribit'][endpoint]
    status, simulated = call_deribit(simulator, method, f'{scope}/{path}', **parameters)
    shapes = [with_one_number(shape(each['result'])) for each in (documented['answer'], simulated)]
    assert lacking(*shapes) == []
    if documented['source'].startswith('https://'):
        assert shapes[0] == shapes[1]
    assert status == 200


@pytest.mark.parametrize('endpoint', EXAMPLES['bybit'])
def test_bybit(simulator, endpoint):
    simulator.set_rule('bybit', 'BTC')
    orders = [simulator.rest('bybit', 'BTC', mmp=mmp, client_order_id=f'o{mmp}') for mmp in (True, False)]
    simulator.fill(orders[1].order_id, 1)
    option = {'category': 'option', 'symbol': orders[0].instrument.instrument_id}
    rule = {'window': '5000', 'frozenPeriod': '100000', 'qtyLimit': '50', 'deltaLimit': '20'}
    ids = [{'symbol': option['symbol'], 'orderId': each} for each in (orders[0].order_id, 'nobody')]
    parameters = {
        'POST account/mmp-modify': {'baseCoin': 'ETH', **rule},
        'POST account/mmp-reset': {'baseCoin': 'ETH'},
        'GET account/mmp-state': {'baseCoin': 'BTC'},
        'POST order/cancel-all': {'category': 'option', 'baseCoin': 'BTC'},
        'POST order/cancel-batch': {'category': 'option', 'request': ids},
        'GET order/realtime': {'category': 'option'},
        'GET market/instruments-info': {'category': 'option', 'baseCoin': 'BTC'},
        'GET market/tickers': option,
        'GET market/orderbook': option,
        'GET account/wallet-balance': {'accountType': 'UNIFIED'},
        'GET account/info': {},
    }[endpoint]
    documented = EXAMPLES['bybit'][endpoint]
    simulated = call_bybit(simulator, *endpoint.split(' '), **parameters)
    assert lacking(shape(documented['answer']), shape(simulated)) == []
    if documented['source'].startswith('https://'):
        assert shape(simulated) == shape(documented['answer'])
    assert simulated['retCode'] == 0
