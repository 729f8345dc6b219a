"""Bybit's websockets: who a client is, what it is pushed, orders over the socket, and stock ccxt on both."""

import asyncio
import hashlib
import hmac
from contextlib import asynccontextmanager

import ccxt.pro
import pytest

from ccxt_mmp.simulator import KEY, SECRET, Account, Rule, Simulator
from ccxt_mmp.simulator.venues.bybit.stream import PrivateSession
from ccxt_mmp.simulator.wire import Times
from tests.rows import rows
from tests.simulator.engines import new_engine
from tests.simulator.sockets import PATIENCE, opened, until
from tests.simulator.test_bybit_wire import ANOTHER, NOW, OPTION, call, order
from tests.simulator.test_orders import TO_CANCEL

PRIVATE, TRADE = '/v5/private', '/v5/trade'


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def auth(expires, *, key=KEY, secret=SECRET, **further):
    sign = hmac.new(secret.encode(), f'GET/realtime{expires}'.encode(), hashlib.sha256).hexdigest()
    return {'op': 'auth', 'args': [key, expires, sign], **further}


@asynccontextmanager
async def connected(simulator, *topics, path=PRIVATE, key=KEY):
    async with opened(simulator, path) as client:
        answer = await client.ask(auth(simulator.now() + 10_000, key=key))
        assert answer.get('success', answer.get('retCode') == 0), answer
        if topics:
            assert (await client.ask({'op': 'subscribe', 'args': [*topics]}))['success']
        yield client


async def is_silent(client):
    """Whether nothing comes before the answer to what is asked for now."""
    return (await client.ask({'op': 'ping'}))['op'] == 'pong'


def operation(simulator, op, *args, request_id='1', time=None):
    header = {'X-BAPI-TIMESTAMP': str(simulator.now() if time is None else time), 'X-BAPI-RECV-WINDOW': '5000'}
    return {'reqId': request_id, 'header': header, 'op': op, 'args': [*args]}


# --- who a client is


def test_signature_is_the_check_vector():
    """Made by the documented formula."""
    session = PrivateSession(1, [], {'key': Account('key', 'sec', '')}, new_engine(), {})
    sign = '22ced7cfeaec9dee58a1a5670cd9dfae3ad027dcf5a887cfe1884c61c2185d18'  # pragma: allowlist secret
    assert session._authenticate(['key', 1662350400000, sign], Times(1662350399999, 1662350399999)) is None


@rows('is_text', [True, False])
@rows('path', [PRIVATE, TRADE])
def test_client_says_who_it_is(simulator, path, is_text):
    expires = simulator.now() + 1000

    async def main():
        async with opened(simulator, path) as client:
            answer = await client.ask(auth(str(expires) if is_text else expires))
            name = 'conn_id' if path == PRIVATE else 'connId'
            said = {'success': True, 'ret_msg': ''} if path == PRIVATE else {'retCode': 0, 'retMsg': 'OK'}
            assert answer == {**said, 'op': 'auth', name: answer[name]}
            assert SECRET not in str(simulator.frames)
            assert KEY not in str(simulator.frames)

    run(main())


@rows(
    'message',
    [
        {'key': 'nobody'},
        {'secret': ANOTHER},
        {'expires': NOW},
        {'expires': 'soon'},
        {'args': 'none'},
    ],
)
@rows('path', [PRIVATE, TRADE])
def test_client_that_is_somebody_else_is_refused(path, message):
    async def main():
        with Simulator(clock=lambda: NOW) as simulator:
            async with opened(simulator, path) as client:
                details = dict(message)
                given = auth(details.pop('expires', NOW + 1000), **details)
                answer = await client.ask(given)
                assert answer.get('success') is False or answer['retCode'] > 0
                assert answer['op'] == 'auth'
                refused = await client.ask({'op': 'subscribe', 'args': ['order'], 'req_id': '7'})
                assert 'success' not in refused or (refused['success'], refused['req_id']) == (False, '7')

    run(main())


def test_connection_is_of_one_account(simulator):
    simulator.add_account('other', SECRET)

    async def main():
        async with connected(simulator) as client:
            assert not (await client.ask(auth(simulator.now() + 1000, key='other')))['success']
            assert (await client.ask({'op': 'subscribe', 'args': ['order']}))['success']

    run(main())


# --- topics


@rows(
    ('topics', 'accepted'),
    [
        (['order'], True),
        (['order.option', 'execution'], True),
        (['dcp.option', 'wallet'], True),
        (['order', 'order.option'], False),
        (['mmp'], False),
        (['order', 5], False),
        (['order'] * 11, False),
        ([], False),
        ('order', False),
    ],
)
def test_topics_are_those_that_are_documented(simulator, topics, accepted):
    async def main():
        async with connected(simulator) as client:
            answer = await client.ask({'op': 'subscribe', 'args': topics, 'req_id': 'a'})
            assert (answer['success'], answer['op'], answer['req_id']) == (accepted, 'subscribe', 'a')

    run(main())


@rows('message', ['{', '[]', {'op': 'sub'}, {}])
def test_what_is_not_understood_is_an_error(simulator, message):
    async def main():
        async with connected(simulator) as client:
            assert (await client.ask(message))['success'] is False

    run(main())


def test_frame_that_cannot_be_read_is_not_logged(simulator):
    async def main():
        async with opened(simulator, PRIVATE) as client:
            await client.ask(f'{{"op":"auth","args":["{KEY}"')
            await client.ask({'req_id': 'author'})
        assert KEY not in str(simulator.frames)
        assert 'author' in str(simulator.frames)

    run(main())


def test_ping_is_answered(simulator):
    async def main():
        async with opened(simulator, PRIVATE) as client:
            answer = await client.ask({'op': 'ping', 'req_id': '2'})
            assert (answer['op'], answer['req_id']) == ('pong', '2')
            assert int(answer['args'][0]) == pytest.approx(simulator.now(), abs=5000)

    run(main())


# --- pushes

# the documented example of the topic order has these fields
FIELDS = (
    'symbol orderId side orderType cancelType price qty orderIv timeInForce orderStatus orderLinkId lastPriceOnCreated '
    'reduceOnly leavesQty leavesValue cumExecQty cumExecValue avgPrice blockTradeId positionIdx cumExecFee closedPnl '
    'createdTime updatedTime rejectReason stopOrderType tpslMode triggerPrice takeProfit stopLoss tpTriggerBy '
    'slTriggerBy tpLimitPrice slLimitPrice triggerDirection triggerBy closeOnTrigger category placeType smpType '
    'smpGroup smpOrderId feeCurrency cumFeeDetail rpiTakerAccess rpiMatchedQty'
)


def test_push_has_the_documented_fields(simulator):
    async def main():
        async with connected(simulator, 'order') as client:
            simulator.rest('bybit', 'BTC', mmp=True)
            pushed = await client.receive()
            assert [field for field in FIELDS.split() if field not in pushed['data'][0]] == []
            assert pushed.keys() == {'id', 'topic', 'creationTime', 'data'}

    run(main())


@rows('topic', ['order', 'order.option'])
def test_orders_are_told_with_the_reason_of_their_end(simulator, topic):
    simulator.set_rule('bybit', 'BTC', Rule(5000, 0, qty_limit='10', delta_limit='1000'))

    async def main():
        async with connected(simulator, topic) as client:
            filled = simulator.rest('bybit', 'BTC', mmp=True, side='sell')
            tripped = simulator.rest('bybit', 'BTC', mmp=True)
            cancelled = simulator.rest('bybit', 'BTC', mmp=False)
            simulator.fill(filled.order_id, '4')
            simulator.fill(filled.order_id, '6')
            call(simulator, 'POST', 'order/cancel-all', **OPTION)
            frames = [await client.receive() for _ in range(7)]
            simulator.rest('okx', 'BTC/USD', mmp=True)
            assert await is_silent(client)
        assert {frame['topic'] for frame in frames} == {topic}
        told = [(row['orderId'], row['orderStatus'], row['cancelType']) for frame in frames for row in frame['data']]
        assert told == [
            (filled.order_id, 'New', 'UNKNOWN'),
            (tripped.order_id, 'New', 'UNKNOWN'),
            (cancelled.order_id, 'New', 'UNKNOWN'),
            (filled.order_id, 'PartiallyFilled', 'UNKNOWN'),
            (filled.order_id, 'Filled', 'UNKNOWN'),
            (tripped.order_id, 'Cancelled', 'CancelByMmpTriggered'),
            (cancelled.order_id, 'Cancelled', 'CancelByUser'),
        ]
        assert 'mmp' not in {name.lower() for frame in frames for row in frame['data'] for name in row}

    run(main())


def test_fills_are_told_before_their_order(simulator):
    async def main():
        async with connected(simulator, 'order', 'execution') as client:
            rested = simulator.rest('bybit', 'BTC', mmp=True)
            simulator.fill(rested.order_id, '4')
            topics = [(await client.receive()) for _ in range(3)]
            assert [each['topic'] for each in topics] == ['order', 'execution', 'order']
            [row] = topics[1]['data']
            assert (row['orderId'], row['execQty'], row['leavesQty'], row['isMaker']) == (
                rested.order_id,
                '4',
                '6',
                True,
            )
            assert (await client.ask({'op': 'unsubscribe', 'args': ['order', 'execution']}))['success']
            simulator.fill(rested.order_id, '6')
            assert await is_silent(client)

    run(main())


def test_outcome_of_an_acknowledged_cancellation_is_pushed_when_it_is_processed(simulator):
    simulator.processing_time = 1000

    async def main():
        async with connected(simulator, 'order') as client:
            simulator.rest('bybit', 'BTC', mmp=True)
            await client.receive()
            call(simulator, 'POST', 'order/cancel-all', **OPTION)
            assert await is_silent(client)
            simulator.advance(1000)
            [row] = (await client.receive())['data']
            assert row['orderStatus'] == 'Cancelled'

    run(main())


def test_outcome_comes_by_itself(simulator):
    """Nobody asks the simulator for anything meanwhile."""
    simulator.processing_time = 50

    async def main():
        async with connected(simulator, 'order') as client:
            simulator.rest('bybit', 'BTC', mmp=True)
            await client.receive()
            call(simulator, 'POST', 'order/cancel-all', **OPTION)
            [row] = (await client.receive())['data']
            assert row['orderStatus'] == 'Cancelled'

    run(main())


def test_rejection_in_a_freeze_is_pushed():
    async def main():
        with Simulator(frozen_orders='reject') as simulator:
            simulator.set_rule('bybit', 'BTC')
            simulator.trip('bybit', 'BTC')
            async with connected(simulator, 'order') as client:
                call(simulator, 'POST', 'order/create', **OPTION, **order(simulator, 'mine', mmp=True))
                [row] = (await client.receive())['data']
                assert (row['orderLinkId'], row['orderStatus'], row['rejectReason']) == (
                    'mine',
                    'Rejected',
                    'EC_CancelByMMP',
                )

    run(main())


def test_accounts_do_not_see_each_others_orders(simulator):
    account = simulator.add_account('other', SECRET)

    async def main():
        async with connected(simulator, 'order') as mine, connected(simulator, 'order', key='other') as theirs:
            own = simulator.rest('bybit', 'BTC', mmp=True)
            foreign = simulator.rest('bybit', 'BTC', mmp=True, account=account)
            assert (await mine.receive())['data'][0]['orderId'] == own.order_id
            assert (await theirs.receive())['data'][0]['orderId'] == foreign.order_id
            assert await is_silent(mine)
            assert await is_silent(theirs)

    run(main())


# --- the dead man's switch


@rows('comes_back', [False, True])
def test_switch_fires_once_its_connections_have_been_gone_for_the_window(simulator, comes_back):
    call(simulator, 'POST', 'order/disconnected-cancel-all', timeWindow=10)
    rested = simulator.rest('bybit', 'BTC', mmp=False)

    def is_running():
        return len(simulator._account.countdowns_of('bybit')) == 1

    async def main():
        async with connected(simulator, 'dcp.option') as second:
            async with connected(simulator, 'dcp.option'):
                pass
            await until(lambda: len(simulator._sockets._sessions) == 1)
            simulator.advance(20_000)
            assert await is_silent(second)
        await until(is_running)
        simulator.advance(9_000)
        assert rested.is_open
        if comes_back:
            async with connected(simulator, 'dcp.option'):
                simulator.advance(20_000)
                assert rested.is_open
        else:
            simulator.advance(1_000)
            assert (rested.is_open, rested.cancel_source) == (False, 'countdown')

    run(main())


@rows(('window', 'topic'), [(None, 'dcp.option'), (10, 'order')])
def test_switch_is_of_who_has_and_subscribes_it(simulator, window, topic):
    if window is not None:
        call(simulator, 'POST', 'order/disconnected-cancel-all', timeWindow=window)
    rested = simulator.rest('bybit', 'BTC', mmp=False)

    async def main():
        async with opened(simulator, PRIVATE), connected(simulator, topic):
            pass
        await until(lambda: simulator._sockets._sessions == [])
        simulator.advance(600_000)
        assert rested.is_open

    run(main())


# --- orders over the socket


def test_orders_are_placed_amended_and_cancelled(simulator):
    async def main():
        async with connected(simulator, path=TRADE) as client:
            terms = {**OPTION, **order(simulator, 'mine', mmp=True)}
            placed = await client.ask(operation(simulator, 'order.create', terms))
            assert (placed['reqId'], placed['retCode'], placed['op']) == ('1', 0, 'order.create')
            assert placed['data']['orderLinkId'] == 'mine'
            assert placed['header']['X-Bapi-Limit'] == '10'
            ids = {**OPTION, 'symbol': terms['symbol'], 'orderId': placed['data']['orderId']}
            amended = await client.ask(operation(simulator, 'order.amend', {**ids, 'qty': '1'}))
            assert (amended['retCode'], simulator.order(ids['orderId']).quantity) == (0, 1)
            again = await client.ask(operation(simulator, 'order.create', terms))
            assert (again['retCode'], again['data']) == (110072, {})
            assert (await client.ask(operation(simulator, 'order.cancel', ids)))['retCode'] == 0
            assert not simulator.order(ids['orderId']).is_open

    run(main())


def test_batches_are_answered_item_by_item(simulator):
    async def main():
        async with connected(simulator, path=TRADE) as client:
            items = [order(simulator, 'a'), order(simulator, '')]
            placed = await client.ask(operation(simulator, 'order.create-batch', {**OPTION, 'request': items}))
            assert [each['code'] for each in placed['retExtInfo']['list']] == [0, 3100198]
            assert [bool(row['orderId']) for row in placed['data']['list']] == [True, False]

    run(main())


def test_socket_and_http_share_a_limit():
    async def main():
        with Simulator(clock=lambda: NOW) as simulator:
            async with connected(simulator, path=TRADE) as client:
                for serial in range(10):
                    call(simulator, 'POST', 'order/create', **OPTION, **order(simulator, f'o{serial}'))
                terms = {**OPTION, **order(simulator, 'mine')}
                assert (await client.ask(operation(simulator, 'order.create', terms)))['retCode'] == 10006

    run(main())


def test_operation_that_is_none_is_refused(simulator):
    async def main():
        async with opened(simulator, TRADE) as client:
            terms = {**OPTION, **order(simulator, 'mine')}
            assert (await client.ask(operation(simulator, 'order.create', terms)))['retCode'] == 10003
        simulator._account.permissions = {'read'}
        async with connected(simulator, path=TRADE) as client:
            assert (await client.ask(operation(simulator, 'order.create', terms)))['retCode'] == 10005
            simulator._account.permissions = {'read', 'trade'}
            assert (await client.ask(operation(simulator, 'order.cancel-all', OPTION)))['retCode'] == 10404
            late = simulator.now() - 60_000
            assert (await client.ask(operation(simulator, 'order.create', terms, time=late)))['retCode'] == 10002
            assert (await client.ask({'op': 'order.create', 'args': [terms]}))['retCode'] == 10002
            assert (await client.ask(operation(simulator, 'order.create')))['retCode'] == 10001
        assert simulator.resting('bybit', 'BTC') == []

    run(main())


# --- stock ccxt


@asynccontextmanager
async def stock(simulator):
    exchange = simulator.connect(ccxt.pro.bybit, enableRateLimit=False)
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


def test_stock_ccxt_watches_orders(simulator):
    async def main():
        async with stock(simulator) as exchange:
            simulator.set_rule('bybit', 'BTC')
            watching = asyncio.ensure_future(exchange.watch_orders())
            await until(lambda: '"subscribe"' in str([each.text for each in simulator.frames]))
            rested = simulator.rest('bybit', 'BTC', mmp=True)
            [watched] = await asyncio.wait_for(watching, PATIENCE)
            assert (watched['id'], watched['status'], watched['amount']) == (rested.order_id, 'open', 10)
            assert watched['symbol'] == exchange.safe_symbol(rested.instrument.instrument_id, None, None, 'option')
            watching = asyncio.ensure_future(exchange.watch_orders())
            simulator.trip('bybit', 'BTC')
            [watched] = await asyncio.wait_for(watching, PATIENCE)
            assert (watched['status'], watched['info']['cancelType']) == ('canceled', 'CancelByMmpTriggered')

    run(main())


def test_stock_ccxt_places_orders_over_the_socket(simulator):
    async def main():
        async with stock(simulator) as exchange:
            symbol = exchange.safe_symbol(simulator.instruments('bybit', 'BTC')[0], None, None, 'option')
            placed = await exchange.create_order_ws(symbol, 'limit', 'buy', 0.1, 5, {'mmp': True})
            assert simulator.order(placed['id']).mmp
            with pytest.raises(ccxt.BadRequest, match='10001'):
                await exchange.create_order_ws(symbol, 'limit', 'buy', 0.1, 5, {'mmp': 'yes'})
            await exchange.cancel_order_ws(placed['id'], symbol, TO_CANCEL['bybit'])
            assert simulator.resting('bybit', 'BTC') == []

    run(main())
