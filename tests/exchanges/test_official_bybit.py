"""Bybit's official Python client pybit, and bybit-api of Node, which know nothing of this package, on the simulator."""

import json
import os
import shutil
import subprocess
import time

import pytest

from ccxt_mmp.simulator import KEY, SECRET

RULE = {'baseCoin': 'BTC', 'window': '5000', 'frozenPeriod': '0', 'qtyLimit': '50', 'deltaLimit': '20'}
PATIENCE = 10  # s
WRONG = 'wrong'


@pytest.fixture
def pybit():
    return pytest.importorskip('pybit.unified_trading', reason='pybit is not installed')


@pytest.fixture
def make_client(pybit, simulator):
    """Makes clients; they take no address, but can be given one."""
    clients = []

    def make_client(**changed):
        client = pybit.HTTP(**{'api_key': KEY, 'api_secret': SECRET, **changed})
        client.endpoint = simulator.url
        clients.append(client)
        return client

    yield make_client
    for client in clients:
        client.client.close()


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def option(client):
    """The first option of BTC as Bybit lists it."""
    return client.get_instruments_info(category='option', baseCoin='BTC')['result']['list'][0]


def order_of(option, link_id, **changed):
    terms = {'symbol': option['symbol'], 'side': 'Buy', 'orderType': 'Limit', 'qty': '0.1', 'price': '5'}
    return {**terms, 'orderLinkId': link_id, **changed}


def resting(client):
    rows = client.get_open_orders(category='option', baseCoin='BTC')['result']['list']
    return [row['orderLinkId'] for row in rows]


def until(condition):
    """Wait for what other threads do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(('changed', 'code'), [({'api_key': WRONG}, 10003), ({'api_secret': WRONG}, 10004)])
def test_wrong_credentials_are_refused(make_client, changed, code):
    with pytest.raises(Exception, match=f'ErrCode: {code}'):
        make_client(**changed).get_mmp_state(baseCoin='BTC')


def test_protection_is_set_read_tripped_and_reset(simulator, client, option):
    client.set_mmp(**RULE)
    [state] = client.get_mmp_state(baseCoin='BTC')['result']['result']
    assert {**state, **RULE} == state
    client.place_order(category='option', **order_of(option, 'quote', mmp=True))
    client.place_order(category='option', **order_of(option, 'other'))
    simulator.trip('bybit', 'BTC')
    assert resting(client) == ['other']
    assert client.get_mmp_state(baseCoin='BTC')['result']['result'][0]['mmpFrozen'] is True
    with pytest.raises(Exception, match='market maker protection'):
        client.place_order(category='option', **order_of(option, 'refused', mmp=True))
    client.reset_mmp(baseCoin='BTC')
    client.place_order(category='option', **order_of(option, 'again', mmp=True))
    [row] = client.get_order_history(category='option', orderLinkId='quote')['result']['list']
    assert (row['orderStatus'], row['cancelType']) == ('Cancelled', 'CancelByMmpTriggered')


def test_orders_go_one_by_one_in_batches_and_all(client, option):
    orders = [order_of(option, f'o{serial}') for serial in range(5)]
    placed = client.place_batch_order(category='option', request=orders)
    assert [each['code'] for each in placed['retExtInfo']['list']] == [0] * 5
    ids = [{'symbol': option['symbol'], 'orderLinkId': f'o{serial}'} for serial in (0, 1, 9)]
    answer = client.cancel_batch_order(category='option', request=ids)
    assert [each['code'] for each in answer['retExtInfo']['list']] == [0, 0, 110001]
    client.cancel_order(category='option', symbol=option['symbol'], orderLinkId='o2')
    client.amend_order(category='option', symbol=option['symbol'], orderLinkId='o3', price='10')
    assert resting(client) == ['o4', 'o3']
    assert client.cancel_all_orders(category='option', baseCoin='BTC')['result']['success'] == '1'
    assert resting(client) == []


def test_limit_that_is_used_up_is_waited_for(simulator, client, monkeypatch):
    """It sleeps until the time that the headers say."""
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        simulator.advance(max(0, int(seconds * 1000)) + 1)

    monkeypatch.setattr('pybit._http_manager.time.sleep', sleep)
    for _ in range(2):
        client.cancel_all_orders(category='option')
    first, second, *again = [request.time for request in simulator.requests]
    assert len(slept) == len(again) == (second < first + 1000)


def test_public_endpoints_need_no_credentials(make_client, option):
    client = make_client(api_key=None, api_secret=None)
    [ticker] = client.get_tickers(category='option', symbol=option['symbol'])['result']['list']
    book = client.get_orderbook(category='option', symbol=option['symbol'])['result']
    assert book['a'][0][0] == ticker['ask1Price']
    assert int(client.get_server_time()['result']['timeSecond']) > 0


def test_orders_are_placed_and_told_over_sockets(simulator, pybit, option, monkeypatch):
    url = simulator.url.replace('http', 'ws')
    monkeypatch.setattr('pybit.unified_trading.PRIVATE_WSS', f'{url}/v5/private')
    monkeypatch.setattr('pybit._websocket_trading.TRADE_WSS', f'{url}/v5/trade')
    told, answered = [], []
    simulator.latency = 100  # ms: pybit sends an order before it notes whom to tell of the answer
    # its threads look only so often whether they are to end
    settings = {'testnet': False, 'api_key': KEY, 'api_secret': SECRET, 'restart_on_error': False, 'ping_timeout': 0.2}
    private = pybit.WebSocket(channel_type='private', **settings)
    trading = pybit.WebSocketTrading(**settings)
    try:
        private.order_stream(told.append)
        until(lambda: any('"subscribe"' in each.text for each in simulator.frames))
        trading.place_order(answered.append, category='option', **order_of(option, 'quote', mmp=True))
        until(lambda: told and answered)
        assert answered[0]['data']['orderId'] == told[0]['data'][0]['orderId']
        simulator.set_rule('bybit', 'BTC')
        simulator.trip('bybit', 'BTC')
        until(lambda: len(told) > 1)
        assert told[1]['data'][0]['cancelType'] == 'CancelByMmpTriggered'
    finally:
        for each in (private, trading):
            each.exit()
            each.wst.join(PATIENCE)


# --- bybit-api, of Node

SCRIPT = """
const { RestClientV5 } = require('bybit-api');
const [url, key, secret, symbol, rule] = process.argv.slice(1);
const client = new RestClientV5({ key, secret, baseUrl: url });
const order = { category: 'option', symbol, side: 'Buy', orderType: 'Limit', qty: '0.1', price: '5', mmp: true };
(async () => {
  const answers = [
    await client.setMMP(JSON.parse(rule)),
    await client.getMMPState('BTC'),
    await client.submitOrder({ ...order, orderLinkId: 'quote' }),
    await client.batchSubmitOrders('option', ['a', 'b'].map((id) => ({ ...order, orderLinkId: id }))),
    await client.batchCancelOrders('option', [{ symbol, orderLinkId: 'a' }, { symbol, orderLinkId: 'nobody' }]),
    await client.getActiveOrders({ category: 'option', baseCoin: 'BTC' }),
    await client.cancelAllOrders({ category: 'option', baseCoin: 'BTC' }),
    await client.resetMMP('BTC'),
  ];
  console.log(JSON.stringify(answers));
})().catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture
def node():
    """The way to Node, where it finds bybit-api."""
    node = shutil.which('node')
    if node is None:
        pytest.skip('Node is not installed: bybit-api was not tried')
    # only what is installed already: the tests have no network
    found = subprocess.run([node, '-e', "require.resolve('bybit-api')"], check=False, capture_output=True)
    if found.returncode:
        where = os.environ.get('NODE_PATH') or 'not set'
        pytest.skip(
            f'bybit-api was not tried: `npm install bybit-api@4`, and NODE_PATH with its node_modules ({where})'
        )
    return node


def test_bybit_api_of_node_sets_quotes_and_cancels(simulator, node):
    symbol = simulator.instruments('bybit', 'BTC')[0]
    command = [node, '-e', SCRIPT, simulator.url, KEY, SECRET, symbol, json.dumps(RULE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [each['retCode'] for each in answers] == [0] * 8
    assert answers[1]['result']['result'][0]['qtyLimit'] == '50'
    assert [each['code'] for each in answers[4]['retExtInfo']['list']] == [0, 110001]
    assert [row['orderLinkId'] for row in answers[5]['result']['list']] == ['b', 'quote']
    assert simulator.resting('bybit', 'BTC') == []
