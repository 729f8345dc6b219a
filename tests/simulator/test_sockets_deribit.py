"""Deribit's websocket: logins, channels, heartbeats and methods over it, and what stock ccxt makes of it."""

import asyncio
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from itertools import count

import ccxt.pro
import pytest

from ccxt_mmp.simulator import KEY, SECRET, Rule
from tests.simulator.sockets import PATIENCE, opened, until, venue_of

PATH = '/ws/api/v2'
INDEX = 'btc_usd'
TRIGGER = 'user.mmp_trigger.btc_usd'
ORDERS = 'user.orders.any.any.raw'
FROZEN_TIME = 2000


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def rpc(method, /, **params):
    return {'jsonrpc': '2.0', 'id': 7, 'method': method, 'params': params}


def signature(secret, timestamp, nonce, data=''):
    return hmac.new(secret.encode(), f'{timestamp}\n{nonce}\n{data}'.encode(), hashlib.sha256).hexdigest()


def login(now, nonce='1iqt2wls', *, key=KEY, secret=SECRET, **further):
    sign = signature(secret, now, nonce)
    values = {'grant_type': 'client_signature', 'client_id': key, 'timestamp': now, 'signature': sign, 'nonce': nonce}
    return rpc('public/auth', **{**values, 'data': '', **further})


@asynccontextmanager
async def logged_in(simulator, *channels, key=KEY, **options):
    async with opened(simulator, PATH, **options) as client:
        params = {'grant_type': 'client_credentials', 'client_id': key, 'client_secret': SECRET}
        assert 'access_token' in (await client.ask(rpc('public/auth', **params)))['result']
        if channels:
            assert (await client.ask(rpc('private/subscribe', channels=channels)))['result'] == list(channels)
        yield client


async def is_silent(client):
    """Whether nothing comes before the answer to what is asked for now."""
    return (await client.ask(rpc('public/get_time'))).get('id') == 7


def code(answer):
    return answer['error']['code']


def rest(simulator, **options):
    return simulator.rest('deribit', INDEX, mmp=True, **options)


def set_rule(simulator, frozen_time=FROZEN_TIME):
    simulator.set_rule('deribit', INDEX, Rule(window=5000, frozen_time=frozen_time, qty_limit='100'))


# --- login


def test_signature_is_that_of_the_check_vector():
    expected = '56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1'  # pragma: allowlist secret
    assert signature('AMANDASECRECT', 1576074319000, '1iqt2wls') == expected  # pragma: allowlist secret


@pytest.mark.parametrize(
    ('wrong', 'refused'),
    [
        ({'key': 'nobody'}, 13004),
        ({'secret': 'another'}, 13004),  # pragma: allowlist secret
        ({'signature': 'wrong'}, 13004),
        ({'signature': ''}, -32602),
        ({'grant_type': 'password'}, -32602),
        ({'grant_type': 'client_credentials', 'client_secret': 'another'}, 13004),  # pragma: allowlist secret
    ],
)
def test_wrong_login_is_refused_and_the_next_is_heard(simulator, wrong, refused):
    async def main():
        async with opened(simulator, PATH) as client:
            assert code(await client.ask(login(simulator.now(), **wrong))) == refused
            assert code(await client.ask(rpc('private/subscribe', channels=[TRIGGER]))) == 10000
            assert code(await client.ask(rpc('private/buy'))) == 10000
            answer = await client.ask(login(simulator.now()))
            assert answer.keys() == {'jsonrpc', 'id', 'result', 'usIn', 'usOut', 'usDiff', 'testnet'}
            assert (await client.ask(rpc('private/subscribe', channels=[TRIGGER])))['result'] == [TRIGGER]

    run(main())


def test_nonce_is_good_for_one_login_and_a_timestamp_for_a_minute(simulator):
    async def main():
        async with opened(simulator, PATH) as client:
            assert 'result' in await client.ask(login(simulator.now(), 'once'))
            assert code(await client.ask(login(simulator.now(), 'once'))) == 13009
            assert code(await client.ask(login(simulator.now() - 61_000, 'late'))) == 13009
            assert code(await client.ask(login('now', 'never'))) == 13009

    run(main())


def test_login_is_of_the_connection(simulator):
    async def main():
        async with logged_in(simulator) as _, opened(simulator, PATH) as other:
            assert code(await other.ask(rpc('private/get_open_orders'))) == 10000

    run(main())


def test_frames_are_kept_without_credentials(simulator):
    async def main():
        async with logged_in(simulator) as client:
            await client.ask(login(simulator.now()))
            await client.send('{"client_secret": ')
            await client.receive()
            return venue_of(simulator)._logins.tokens

    tokens = run(main())
    kept = json.dumps([vars(frame) for frame in simulator.frames])
    assert len(tokens) == 4
    assert not [each for each in (KEY, SECRET, *tokens, signature(SECRET, simulator.now(), '')) if each in kept]
    assert '"params": "***"' in simulator.frames[0].text
    assert 'client_secret' not in simulator.frames[-2].text


# --- requests


@pytest.mark.parametrize(
    ('sent', 'refused'),
    [
        ('no JSON', -32700),
        ('[]', -32700),
        ({'id': 1}, -32700),
        (rpc('public/nothing'), -32601),
        ({'id': 1, 'method': 'public/test', 'params': []}, -32602),
        (rpc('private/subscribe'), -32602),
        (rpc('private/subscribe', channels=TRIGGER), -32602),
        (rpc('private/subscribe', channels=[]), -32602),
        (rpc('private/subscribe', channels=[1]), -32602),
        (rpc('public/set_heartbeat', interval=9), -32602),
        (rpc('private/buy', instrument_name='BTC-1'), 13020),
    ],
)
def test_what_is_wrong_is_an_error(simulator, sent, refused):
    async def main():
        async with logged_in(simulator) as client:
            assert code(await client.ask(sent)) == refused
            assert await is_silent(client)

    run(main())


def test_orders_go_over_it_with_the_answers_and_credits_of_http(simulator):
    [option, *_] = simulator.instruments('deribit', INDEX)
    terms = {'instrument_name': option, 'amount': 1, 'price': 0.01, 'type': 'limit', 'mmp': True, 'label': 'mine'}

    async def main():
        async with logged_in(simulator) as client:
            order = (await client.ask(rpc('private/buy', **terms)))['result']['order']
            assert (order['label'], order['mmp'], order['order_state']) == ('mine', True, 'open')
            listed = (await client.ask(rpc('private/get_open_orders')))['result']
            assert [each['order_id'] for each in listed] == [order['order_id']]
            edited = await client.ask(rpc('private/edit', order_id=order['order_id'], amount=2, price=0.02))
            assert edited['result']['order']['amount'] == 2
            assert (await client.ask(rpc('private/cancel_by_label', label='mine')))['result'] == 1
            assert code(await client.ask(rpc('private/cancel', order_id=order['order_id']))) == 10010

    run(main())


def test_used_up_credits_end_the_session_after_the_answer(simulator):
    exchange = simulator.connect(ccxt.deribit, enableRateLimit=False)
    exchange.nonce = count(exchange.milliseconds()).__next__  # that of ccxt is used twice in one millisecond

    async def main():
        for _ in range(15):  # the credits of the matching engine are those of HTTP
            with pytest.raises(ccxt.OrderNotFound):
                exchange.privateGetCancel({'order_id': 'none'})
        async with logged_in(simulator) as client:
            codes = []
            while codes[-1:] != [10028]:
                codes.append(code(await client.ask(rpc('private/cancel', order_id='none'))))
            assert len(codes) < 15
            assert {*codes[:-1]} == {10004}
            assert await client.ended() == 1001

    run(main())


@pytest.mark.parametrize('missing', [{'privileged': False}, {'permissions': {'read'}}])
def test_method_needs_what_it_needs_over_http(simulator, missing):
    account = simulator.add_account('other', SECRET)
    for name, value in missing.items():
        setattr(account, name, value)
    refused = 13040 if 'privileged' in missing else 13021

    async def main():
        async with logged_in(simulator, key='other') as client:
            assert code(await client.ask(rpc('private/reset_mmp', index_name=INDEX))) == refused

    run(main())


# --- channels


@pytest.mark.parametrize(
    'channel',
    [
        'user.mmp_trigger.doge_eur',
        'user.mmp_trigger.btc_usd.raw',
        'user.orders.any.any.1s',
        'user.orders.raw',
        'user.orders.any.any.any.raw',
        'user.orders.warrant.any.raw',
        'user.orders.any.DOGE.raw',
        'user.orders.BTC-1.raw',
        'user.changes.any.any.raw',
        'ticker',
    ],
)
def test_channel_that_is_none_is_left_out(simulator, channel):
    async def main():
        async with logged_in(simulator) as client:
            answer = await client.ask(rpc('private/subscribe', channels=[channel, TRIGGER]))
            assert answer['result'] == [TRIGGER]

    run(main())


@pytest.mark.parametrize('frozen_time', [FROZEN_TIME, 0])
@pytest.mark.parametrize('channel', [TRIGGER, 'user.mmp_trigger.any'])
def test_trigger_is_pushed_and_its_end_and_a_reset_are_not(simulator, channel, frozen_time):
    set_rule(simulator, frozen_time)

    async def main():
        async with logged_in(simulator, channel, 'user.mmp_trigger.eth_usd') as client:
            rest(simulator)
            simulator.trip('deribit', INDEX)
            pushed = await client.receive()
            until_then = simulator.protection('deribit', INDEX).last_trigger + frozen_time if frozen_time else 0
            assert pushed == {
                'jsonrpc': '2.0',
                'method': 'subscription',
                'params': {'channel': channel, 'data': {'frozen_until': until_then, 'index_name': INDEX}},
            }
            simulator.advance(FROZEN_TIME)
            await client.ask(rpc('private/reset_mmp', index_name=INDEX))
            assert await is_silent(client)

    run(main())


def test_trigger_of_a_group_and_of_block_rfq_say_so(simulator):
    engine, account = simulator._engine, simulator._account

    async def main():
        async with logged_in(simulator, TRIGGER, 'user.mmp_trigger.all') as client:
            said = []
            for name in ('btc_usd/Bot7', 'block_rfq:btc_usd', None):
                with simulator._state.held() as now:
                    engine.set_rule(account, 'deribit', name, Rule(window=5000, frozen_time=0, qty_limit='1'))
                    engine.trip(account, 'deribit', name, now)
                said.append((await client.receive())['params']['data'])
            assert said == [
                {'frozen_until': 0, 'index_name': INDEX, 'mmp_group': 'Bot7'},
                {'frozen_until': 0, 'index_name': INDEX, 'block_rfq': True},
                {'frozen_until': 0, 'index_name': 'all', 'block_rfq': True},
            ]

    run(main())


def test_orders_are_pushed_with_what_became_of_them(simulator):
    set_rule(simulator)
    [option, *_] = simulator.instruments('deribit', INDEX)

    async def main():
        channels = [ORDERS, f'user.orders.{option}.100ms', 'user.orders.future.any.raw', 'user.orders.option.USDC.raw']
        async with logged_in(simulator, *channels) as client:
            order = rest(simulator, symbol=option)
            first, second = [(await client.receive())['params'] for _ in range(2)]
            assert (first['channel'], first['data']['order_state']) == (ORDERS, 'open')
            assert (second['channel'], second['data'][0]['order_id']) == (channels[1], order.order_id)
            simulator.trip('deribit', INDEX)
            row = (await client.receive())['params']['data']
            cancelled = (row['order_state'], row['mmp_cancelled'], row['cancel_reason'])
            assert cancelled == ('cancelled', True, 'mmp_trigger')

    run(main())


def test_fill_is_pushed_as_a_trade(simulator):
    async def main():
        async with logged_in(simulator, 'user.trades.option.BTC.raw') as client:
            order = rest(simulator)
            simulator.fill(order.order_id, 1)
            [trade] = (await client.receive())['params']['data']
            assert (trade['order_id'], trade['amount'], trade['mmp']) == (order.order_id, 1, True)
            assert await is_silent(client)

    run(main())


def test_what_is_unsubscribed_is_pushed_no_more(simulator):
    set_rule(simulator)

    async def main():
        async with logged_in(simulator, ORDERS, TRIGGER) as client:
            assert (await client.ask(rpc('private/unsubscribe', channels=[ORDERS, 'x'])))['result'] == [ORDERS]
            rest(simulator)
            assert await is_silent(client)
            assert (await client.ask(rpc('private/unsubscribe_all')))['result'] == 'ok'
            simulator.trip('deribit', INDEX)
            assert await is_silent(client)

    run(main())


def test_accounts_are_told_of_themselves_alone(simulator):
    simulator.add_account('other', SECRET)

    async def main():
        async with logged_in(simulator, ORDERS, key='other') as other, logged_in(simulator, ORDERS) as own:
            order = rest(simulator)
            assert (await own.receive())['params']['data']['order_id'] == order.order_id
            simulator.rest('okx', 'BTC-USD', mmp=True)
            assert await is_silent(other)
            assert await is_silent(own)

    run(main())


# --- heartbeats


def test_test_request_wants_an_answer(simulator):
    async def main():
        async with opened(simulator, PATH) as client:
            assert (await client.ask(rpc('public/set_heartbeat', interval=10)))['result'] == 'ok'
            for _ in range(2):
                simulator.advance(10_000)
                beat = {'jsonrpc': '2.0', 'method': 'heartbeat', 'params': {'type': 'test_request'}}
                assert await client.receive() == beat
                assert 'version' in (await client.ask(rpc('public/test')))['result']
            simulator.advance(10_000)
            assert (await client.receive())['method'] == 'heartbeat'
            simulator.advance(10_000)
            assert await client.ended() == 1001

    run(main())


def test_heartbeats_end(simulator):
    async def main():
        async with opened(simulator, PATH) as client:
            await client.ask(rpc('public/set_heartbeat', interval=10))
            assert (await client.ask(rpc('public/disable_heartbeat')))['result'] == 'ok'
            simulator.advance(60_000)
            assert await is_silent(client)

    run(main())


# --- faults


@pytest.mark.parametrize(
    ('kind', 'details'),
    [('lose', {'op': 'private/get_open_orders'}), ('duplicate', {'channel': 'user.mmp_trigger'})],
)
def test_faults_go_by_method_and_family_of_channels(simulator, kind, details):
    set_rule(simulator)

    async def main():
        async with logged_in(simulator, TRIGGER) as client:
            simulator.fault(kind, **details)
            if kind == 'lose':
                await client.send(rpc('private/get_open_orders'))
                assert (await client.ask(rpc('public/get_time')))['result'] > 7
            else:
                simulator.trip('deribit', INDEX)
                assert await client.receive() == await client.receive()

    run(main())


# --- clients that nobody changed


def test_stock_ccxt_watches_its_orders_and_trades(simulator):
    async def main():
        exchange = simulator.connect(ccxt.pro.deribit, enableRateLimit=False)
        try:
            await exchange.load_markets()
            orders = asyncio.ensure_future(exchange.watch_orders())
            trades = asyncio.ensure_future(exchange.watch_my_trades())
            await until(lambda: sum('"result": ["user.' in frame.text for frame in simulator.frames) == 2)
            placed = rest(simulator)
            [order] = await asyncio.wait_for(orders, PATIENCE)
            assert (order['id'], order['status'], order['info']['mmp']) == (placed.order_id, 'open', True)
            simulator.fill(placed.order_id, 1)
            [trade] = await asyncio.wait_for(trades, PATIENCE)
            assert (trade['order'], trade['amount']) == (placed.order_id, 1)
        finally:
            await exchange.close()

    run(main())
