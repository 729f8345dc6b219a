"""Binance's user data streams: listen keys, both forms of an order, and what clients that nobody changed make of it."""

import asyncio
import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import ccxt.pro
import pytest

from ccxt_mmp.simulator import KEY, SECRET, Rule, Simulator
from tests.simulator.sockets import PATIENCE, opened, until

UNDERLYING = 'BTCUSDT'
HOUR = 3_600_000
LISTEN_KEY = '/eapi/v1/listenKey'
HAS_OPTIONS = hasattr(ccxt.pro.binance, 'handle_options_order_update')


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def listen_key(simulator, method='POST', key=KEY, **parameters):
    """The status and the answer."""
    url = simulator.url + LISTEN_KEY
    body = urlencode(parameters).encode()
    request = urllib.request.Request(url, body, {'X-MBX-APIKEY': key}, method=method)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer)


def new_key(simulator, **options):
    status, answer = listen_key(simulator, **options)
    assert status == 200
    return answer['listenKey']


async def is_silent(client):
    """Whether nothing comes before the answer to what is asked for now."""
    answer = await client.ask({'method': 'LIST_SUBSCRIPTIONS', 'id': 99})
    return answer.get('id') == 99


# --- listen keys


def test_listen_key_is_extended_given_again_and_closed(simulator):
    key = new_key(simulator)
    assert len(key) == 64
    assert new_key(simulator) == key
    assert listen_key(simulator, 'PUT') == (200, {})
    assert listen_key(simulator, 'DELETE') == (200, {})
    assert listen_key(simulator, 'PUT') == (400, {'code': -1125, 'msg': 'This listenKey does not exist.'})
    assert new_key(simulator) != key


def test_listen_key_needs_a_key_and_no_signature(simulator):
    assert listen_key(simulator, key='nobody')[0] == 401
    assert new_key(simulator, subType='None')
    assert [request.unknown for request in simulator.requests] == [(), ('subType',)]
    account = simulator.add_account('other', SECRET)
    assert new_key(simulator, key=account.key) != new_key(simulator)


def test_listen_key_lives_for_60_minutes_of_the_exchange(simulator):
    async def main():
        async with opened(simulator, f'/private/ws/{new_key(simulator)}') as client:
            simulator.advance(HOUR - 60_000)
            assert listen_key(simulator, 'PUT')[0] == 200
            simulator.advance(HOUR - 60_000)
            simulator.rest('binance', UNDERLYING, mmp=True)
            assert (await client.receive())['e'] == 'ORDER_TRADE_UPDATE'
            key = new_key(simulator)  # the same, which is good for another hour
            simulator.advance(HOUR)
            assert 'listenKeyExpired' in simulator.frames[-1].text  # at once
            expired = await client.receive()
            assert (expired['e'], expired['listenKey']) == ('listenKeyExpired', key)
            simulator.rest('binance', UNDERLYING, mmp=True)
            assert await is_silent(client)
            assert listen_key(simulator, 'PUT')[0] == 400
            assert new_key(simulator) != key

    run(main())


def test_closed_key_is_told_nothing(simulator):
    async def main():
        async with opened(simulator, f'/private/ws/{new_key(simulator)}') as client:
            listen_key(simulator, 'DELETE')
            simulator.rest('binance', UNDERLYING, mmp=True)
            assert await is_silent(client)

    run(main())


def test_listen_keys_stay_when_the_simulator_forgets(simulator):
    async def main():
        key = new_key(simulator)
        async with opened(simulator, f'/private/ws/{key}') as client:
            simulator.clear()
            assert new_key(simulator) == key
            simulator.rest('binance', UNDERLYING, mmp=True)
            assert (await client.receive())['o']['X'] == 'NEW'

    run(main())


# --- pushes


async def story(simulator, client):
    """What is pushed of two orders, one of which is filled in two parts and trips the other."""
    simulator.set_rule('binance', UNDERLYING, Rule(5000, 0, qty_limit='10', delta_limit='1000'))
    order = simulator.rest('binance', UNDERLYING, mmp=True, side='sell')
    other = simulator.rest('binance', UNDERLYING, mmp=True)
    simulator.fill(order.order_id, '4')
    simulator.fill(order.order_id, '6')
    return order, other, [await client.receive() for _ in range(5)]


def test_order_as_an_object(simulator):
    async def main():
        async with opened(simulator, f'/private/ws/{new_key(simulator)}') as client:
            order, other, frames = await story(simulator, client)
        assert {frame['e'] for frame in frames} == {'ORDER_TRADE_UPDATE'}
        changes = [(frame['o']['i'], frame['o']['x'], frame['o']['X']) for frame in frames]
        assert changes == [
            (int(order.order_id), 'NEW', 'NEW'),
            (int(other.order_id), 'NEW', 'NEW'),
            (int(order.order_id), 'TRADE', 'PARTIALLY_FILLED'),
            (int(order.order_id), 'TRADE', 'FILLED'),
            (int(other.order_id), 'CANCELED', 'CANCELED'),
        ]
        partial = frames[2]['o']
        assert [partial[name] for name in ('S', 'q', 'l', 'z', 't')] == ['SELL', '10', '4', '4', 1]
        assert 'mmp' not in json.dumps(frames).lower()  # nothing tells what MMP cancelled

    run(main())


def test_order_in_a_list():
    async def main():
        with Simulator(stream_form='list') as simulator:
            async with opened(simulator, f'/private/ws/{new_key(simulator)}') as client:
                order, other, frames = await story(simulator, client)
        rows = [row for frame in frames for row in frame['o']]
        assert [(row['oid'], row['S'], row['e']) for row in rows] == [
            (order.order_id, 'ACCEPTED', '0'),
            (other.order_id, 'ACCEPTED', '0'),
            (order.order_id, 'PARTIALLY_FILLED', '4'),
            (order.order_id, 'FILLED', '10'),
            (other.order_id, 'CANCELLED', '0'),
        ]
        assert [row['q'] for row in rows] == ['-10', '10', '-10', '-10', '10']
        assert [fill['q'] for fill in rows[3]['fi']] == ['6']

    run(main())


def test_other_forms_are_refused():
    with pytest.raises(ValueError, match='stream_form is one of object, list, not envelope'):
        Simulator(stream_form='envelope')


def test_countdown_that_advance_lets_fire_is_pushed(simulator):
    exchange = simulator.connect(ccxt.binance)
    exchange.eapiPrivatePostCountdownCancelAll({'underlying': UNDERLYING, 'countdownTime': 5000})

    async def main():
        async with opened(simulator, f'/private/ws/{new_key(simulator)}') as client:
            simulator.rest('binance', UNDERLYING, mmp=False)
            simulator.advance(5000)
            assert [(await client.receive())['o']['x'] for _ in range(2)] == ['NEW', 'CANCELED']

    run(main())


def test_accounts_do_not_see_each_others_orders(simulator):
    account = simulator.add_account('other', SECRET)
    paths = [f'/private/ws/{new_key(simulator, key=each)}' for each in (KEY, account.key)]

    async def main():
        async with opened(simulator, paths[0]) as mine, opened(simulator, paths[1]) as theirs:
            own = simulator.rest('binance', UNDERLYING, mmp=True)
            foreign = simulator.rest('binance', UNDERLYING, mmp=True, account=account)
            assert (await mine.receive())['o']['i'] == int(own.order_id)
            assert (await theirs.receive())['o']['i'] == int(foreign.order_id)
            assert await is_silent(mine)
            assert await is_silent(theirs)

    run(main())


@pytest.mark.parametrize('how', ['query', 'subscribe'])
def test_stream_has_an_envelope(simulator, how):
    key = new_key(simulator)

    async def main():
        path = f'/private/stream?streams={key}' if how == 'query' else '/private/stream'
        async with opened(simulator, path) as client:
            if how == 'subscribe':
                answer = await client.ask({'method': 'SUBSCRIBE', 'params': [key], 'id': 2837812197})
                assert answer == {'result': None, 'id': 2837812197}
            assert (await client.ask({'method': 'LIST_SUBSCRIPTIONS', 'id': 2}))['result'] == [key]
            simulator.rest('binance', UNDERLYING, mmp=True)
            pushed = await client.receive()
            assert (pushed['stream'], pushed['data']['e']) == (key, 'ORDER_TRADE_UPDATE')
            await client.ask({'method': 'UNSUBSCRIBE', 'params': [key], 'id': 3})
            simulator.rest('binance', UNDERLYING, mmp=True)
            assert await is_silent(client)

    run(main())


@pytest.mark.parametrize('path', ['/market/stream', '/public/stream', '/private/ws/unknown'])
def test_other_streams_are_open_and_silent(simulator, path):
    async def main():
        async with opened(simulator, path) as client:
            key = new_key(simulator)
            await client.ask({'method': 'SUBSCRIBE', 'params': ['BTCUSDT@markPrice'], 'id': 1})
            if path != '/private/ws/unknown':
                await client.ask({'method': 'SUBSCRIBE', 'params': [key], 'id': 1})
            simulator.rest('binance', UNDERLYING, mmp=True)
            assert await is_silent(client)

    run(main())


@pytest.mark.parametrize('message', ['no JSON', '[]', {'id': 5}, {'method': 'SUBSCRIBE', 'params': [1], 'id': 5}])
def test_what_is_not_understood_is_an_error(simulator, message):
    async def main():
        async with opened(simulator, '/private/stream') as client:
            answer = await client.ask(message)
            assert answer['error']['code'] == 2
            assert ('id' in answer) == isinstance(message, dict)

    run(main())


# --- clients that nobody changed


@pytest.mark.skipif(not HAS_OPTIONS, reason='this ccxt has no streams of options')
@pytest.mark.parametrize('form', ['object', 'list'])
def test_stock_ccxt_watches_orders(form):
    async def main():
        with Simulator(stream_form=form) as simulator:
            options = {'fetchMarkets': ['option']}
            exchange = simulator.connect(ccxt.pro.binance, enableRateLimit=False, options=options)
            try:
                watching = asyncio.ensure_future(exchange.watch_orders(params={'type': 'option'}))
                await until(lambda: 'positionRisk' in str(simulator.requests) and simulator._sockets._connections)
                order = simulator.rest('binance', UNDERLYING, mmp=True)
                [watched] = await asyncio.wait_for(watching, PATIENCE)
                assert (watched['id'], watched['status'], watched['amount']) == (order.order_id, 'open', 10)
                assert watched['symbol'].startswith('BTC/USDT:USDT-')
                assert [request.status for request in simulator.requests if request.status != 200] == []
            finally:
                await exchange.close()

    run(main())


def test_official_client_is_pushed_orders(simulator):
    sdk = pytest.importorskip('binance_sdk_derivatives_trading_options.derivatives_trading_options')
    configuration = pytest.importorskip('binance_common.configuration')
    received = []

    async def main():
        client = sdk.DerivativesTradingOptions(
            configuration.ConfigurationRestAPI(api_key=KEY, api_secret=SECRET, base_path=simulator.url),
            configuration.ConfigurationWebSocketStreams(stream_url=simulator.url.replace('http', 'ws') + '/stream'),
        )
        key = client.rest_api.start_user_data_stream().data().listen_key
        connection = await client.websocket_streams.create_connection()
        try:
            stream = await connection.user_data(key)
            stream.on('message', received.append)
            await until(lambda: any('result' in frame.text for frame in simulator.frames))
            order = simulator.rest('binance', UNDERLYING, mmp=True)
            await until(lambda: received)
            update = received[0].actual_instance
            assert (update.o.i, update.o.X, update.o.s) == (int(order.order_id), 'NEW', order.instrument.instrument_id)
            simulator.advance(HOUR)
            await until(lambda: len(received) > 1)
            assert received[1].actual_instance.listen_key == key
        finally:
            await connection.close_connection(close_session=True)

    run(main())
