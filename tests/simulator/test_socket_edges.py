"""What rarely happens to a websocket: a client that reads nothing, a loop that has closed, work that fails."""

import asyncio
import threading
import urllib.request

import pytest
from aiohttp import ClientError, web

from ccxt_mmp.simulator import Simulator, sockets
from ccxt_mmp.simulator.session import Session
from ccxt_mmp.simulator.venue import Venue
from ccxt_mmp.simulator.wire import Request
from tests.simulator.sockets import OKX, OPTIONS, logged_in, opened, subscribe, until

POSITIONS = {'channel': 'positions', 'instType': 'OPTION'}


class Bare(Session):
    """One that does what it must."""

    subscribing = 'subscribe'

    def receive(self, text, times):
        return []

    def tell(self, event):
        return []

    def shown(self, text):
        return text


class Raw:
    transport = None


class Socket:
    closed = True

    async def send_str(self, text):
        raise ConnectionResetError


class Loop:
    """One that takes no work."""

    def __init__(self, *, closed, error=None):
        self.closed, self.error = closed, error

    def is_closed(self):
        return self.closed

    def call_soon_threadsafe(self, *_):
        if self.error:
            raise self.error


def connection():
    return sockets.Connection(Socket(), Bare(1, []), Request('GET', OKX, '', '', {}), Raw())


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


def test_session_says_nothing_unasked():
    session = Bare(1, [])
    assert (session.wake(0), session.end_channel('')) == ([], [])
    assert (session.operation('ping'), session.notice()) == (None, None)


def test_venue_has_no_websocket_by_default():
    assert Venue.open_session(None, None, 1, []) is None


def test_client_that_reads_nothing_is_dropped(monkeypatch):
    monkeypatch.setattr(sockets, 'MAX_WAITING', 2)

    async def main():
        client = connection()
        for _ in range(3):
            client.enqueue('{}')
        assert client.is_ended
        assert not client._queue

    run(main())


def test_writer_ends_with_its_client():
    async def main():
        client = connection()
        writing = asyncio.ensure_future(client.write())
        client.enqueue('to a socket that is closed')
        await until(lambda: not client._queue)
        client.socket.closed = False
        client.enqueue('to a client that has gone')
        await writing

    run(main())


def test_change_is_told_to_nobody_when_the_loop_has_closed():
    told = Simulator()._sockets
    told._events.append('a change')
    told._loop = Loop(closed=True, error=RuntimeError('closed'))
    told.flush()
    told._loop = Loop(closed=False, error=RuntimeError('broken'))
    with pytest.raises(RuntimeError, match='broken'):
        told.flush()


def test_loop_that_does_no_work_is_an_error(monkeypatch):
    monkeypatch.setattr(sockets, 'STRIKING', 0.01)
    stuck = Simulator()._sockets
    stuck._loop = Loop(closed=False)
    with pytest.raises(TimeoutError):
        stuck.wake()


def test_work_that_fails_is_told_by_check():
    simulator, done = Simulator(), threading.Event()
    simulator._sockets._do(lambda: 1 / 0, done)
    assert done.is_set()
    with pytest.raises(ZeroDivisionError):
        simulator.check()


def test_client_that_goes_in_the_handshake_leaves_nothing(monkeypatch):
    async def gone(*_):
        raise ConnectionResetError

    monkeypatch.setattr(web.WebSocketResponse, 'prepare', gone)
    served = Simulator()._sockets

    async def main():
        with pytest.raises(ConnectionResetError):
            await served.serve(Raw(), Request('GET', OKX, '', '', {}))
        await served.close()

    run(main())
    assert (served._connections, served._sessions) == ([], [])


def test_client_in_its_handshake_is_dropped():
    async def main():
        client = connection()
        Simulator()._sockets._close(client, 1001)
        assert client.is_ended

    run(main())


def test_muted_client_is_struck_by_no_fault():
    async def main():
        served, client = Simulator()._sockets, connection()
        client.is_muted = True
        served._connections.append(client)
        served._strike_connections()

    run(main())


def test_notice_can_come_with_an_answer(simulator):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('notice', op='subscribe')
            await client.send({'op': 'subscribe', 'args': [OPTIONS]})
            events = [(await client.receive())['event'] for _ in range(3)]
            assert events == ['subscribe', 'channel-conn-count', 'notice']

    run(main())


def test_fault_of_another_channel_waits(simulator):
    async def main():
        async with logged_in(simulator) as client:
            simulator.fault('delay', op='order', milliseconds=1)
            simulator.fault('conn_count_error', channel='positions')
            await subscribe(client)
            await subscribe(client)  # the same again
            order = simulator.rest('okx', 'BTC-USD', mmp=True)
            assert (await client.receive())['data'][0]['ordId'] == order.order_id

    run(main())
    assert len(simulator._sockets.unused()) == 2
    simulator.clear_faults()


def test_batch_of_refused_orders_places_none(simulator):
    async def main():
        async with logged_in(simulator) as client:
            order = {'instId': 'BTC-USD-1', 'side': 'buy', 'ordType': 'mmp', 'sz': '1', 'px': '0.1', 'tdMode': 'cross'}
            answer = await client.ask({'id': '1', 'op': 'batch-orders', 'args': [order, order]})
            assert [item['sCode'] for item in answer['data']] == ['50014', '50014']

    run(main())


@pytest.mark.parametrize('further', [{'instType': 'SWAP'}, {'instFamily': 'ETH-USD'}])
def test_position_that_a_subscription_does_not_cover_is_not_pushed(simulator, further):
    async def main():
        async with logged_in(simulator) as client:
            await subscribe(client, {**POSITIONS, **further})
            assert (await client.receive())['data'] == []  # the snapshot
            simulator.fill(simulator.rest('okx', 'BTC-USD', mmp=True).order_id, 1)
            assert await client.is_silent()

    run(main())


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # what the closed loop leaves behind
def test_bot_whose_loop_has_closed_is_not_woken(simulator):
    loop = asyncio.new_event_loop()
    sleeping = loop.create_task(simulator.async_sleep(60))
    while not simulator.sleepers:
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    sleeping._log_destroy_pending = False  # asyncio would warn, rightly
    simulator.advance(60_000)


def test_depth_of_binance_has_a_limit(simulator):
    [symbol, *_] = simulator.instruments('binance', 'BTCUSDT')
    with pytest.raises(urllib.error.HTTPError, match='400') as caught:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/depth?symbol={symbol}&limit=0')  # noqa: S310
    caught.value.close()


def test_client_that_goes_in_the_handshake_is_no_error_of_the_simulator(simulator, monkeypatch):
    async def prepare(socket, request):
        raise ConnectionResetError('gone')

    monkeypatch.setattr('aiohttp.web.WebSocketResponse.prepare', prepare)

    async def main():
        with pytest.raises(ClientError):
            async with opened(simulator):
                pass

    run(main())
    simulator.check()
