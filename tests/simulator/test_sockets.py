"""The simulator's websockets, whatever the venue: how they open and end, what is kept of them, and many at once."""

import asyncio
import gc
import json
import threading
import time
import urllib.request

import aiohttp
import ccxt
import pytest

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator
from ccxt_mmp.simulator.frames import MAX_FRAMES, FrameLog, LoggedFrame
from tests.simulator.sockets import OKX, OPTIONS, logged_in, login, opened, rows

FAMILY = 'BTC-USD'
SOCKETS, ORDERS = 50, 100  # each order is placed and cancelled: 10,000 pushes


def run(main):
    return asyncio.run(asyncio.wait_for(main, 300))


def rest(simulator):
    return simulator.rest('okx', FAMILY, mmp=True)


# --- how they open


@pytest.mark.parametrize('path', ['/ws/v5/secret', '/private', '/eapi/v1/time/ws'])
def test_unknown_path_is_an_unknown_request(path):
    simulator = Simulator().start()

    async def main():
        with pytest.raises(aiohttp.WSServerHandshakeError, match='404'):
            async with opened(simulator, path):
                pass

    run(main())
    simulator.close()
    with pytest.raises(AssertionError, match=f'GET {path}'):
        simulator.check()


def test_page_of_another_origin_opens_none(simulator):
    async def main():
        async with opened(simulator, origin=simulator.url) as client:
            assert await client.is_silent()
        with pytest.raises(aiohttp.WSServerHandshakeError, match='403'):
            async with opened(simulator, origin='https://example.com'):
                pass

    run(main())


def test_http_request_for_a_socket_is_unknown():
    simulator = Simulator().start()
    with pytest.raises(urllib.error.HTTPError, match='404') as caught:
        urllib.request.urlopen(simulator.url + OKX)  # noqa: S310
    caught.value.close()
    simulator.close()


def test_ping_of_the_protocol_is_answered(simulator):
    async def main():
        async with opened(simulator, autoping=False) as client:
            await client.socket.ping(b'17')
            frame = await client.frame()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.PONG, b'17')

    run(main())


def test_error_of_a_session_is_one_of_the_simulator(monkeypatch):
    simulator = Simulator().start()

    async def main():
        async with logged_in(simulator) as client:
            session = simulator._sockets._sessions[0]
            monkeypatch.setattr(session, 'receive', lambda text, times: 1 / 0)
            await client.send('ping')
            assert await client.ended() == 1011

    run(main())
    simulator.close()
    with pytest.raises(ZeroDivisionError):
        simulator.check()


# --- how they end


def test_close_with_open_sockets_is_quick_and_leaves_nothing():
    async def main():
        simulator = Simulator().start()
        async with logged_in(simulator, OPTIONS) as first, logged_in(simulator) as second:
            simulator.fault('delay', channel='orders', milliseconds=60_000)
            rest(simulator)
            await first.is_silent()
            started = time.monotonic()
            simulator.close()  # and these clients, which live in this thread, answer nothing
            assert time.monotonic() - started < 0.5
            assert [await first.ended(), await second.ended()] == [1001, 1001]
        assert not [thread for thread in threading.enumerate() if thread.name == 'ccxt-mmp-simulator']
        assert simulator._sockets._connections == []
        simulator.check()
        rest(simulator)  # with nobody to tell
        simulator.advance(1000)

    run(main())


def test_simulator_serves_sockets_again_after_it_was_closed():
    async def main():
        simulator = Simulator()
        for _ in range(2):
            with simulator:
                async with logged_in(simulator, OPTIONS) as client:
                    order = rest(simulator)
                    assert rows([await client.receive()]) == [(order.order_id, 'live')]

    run(main())


def test_client_that_goes_is_forgotten(simulator):
    async def main():
        async with logged_in(simulator, OPTIONS) as staying:
            async with logged_in(simulator, OPTIONS) as going:
                going.socket._response.connection.transport.abort()
            order = rest(simulator)
            assert rows([await staying.receive()]) == [(order.order_id, 'live')]

    run(main())


# --- many


def test_50_sockets_and_10_000_pushes_leave_nothing(simulator):
    async def follow(pushes, ready):
        async with logged_in(simulator, OPTIONS) as client:
            ready.release()
            return rows([await client.receive() for _ in range(pushes)])

    async def all_follow(sockets, orders):
        ready = asyncio.Semaphore(0)
        following = [asyncio.ensure_future(follow(2 * orders, ready)) for _ in range(sockets)]
        for _ in range(sockets):
            await ready.acquire()
        ids = [(await asyncio.to_thread(rest, simulator)).order_id for _ in range(orders)]
        simulator.trip('okx', FAMILY)
        expected = [(each, 'live') for each in ids] + [(each, 'mmp_canceled') for each in ids]
        assert all(pushed == expected for pushed in await asyncio.gather(*following))
        simulator.protection('okx', FAMILY).freeze_ends = 0

    def objects():
        gc.collect()
        kinds = ('Connection', 'OkxSession', 'WebSocketResponse', 'Task', 'Event')
        return sum(type(each).__name__ in kinds for each in gc.get_objects())

    simulator.set_rule('okx', FAMILY)
    simulator._state.venues[0].enforce_limits = False
    run(all_follow(2, 2))
    before = objects()
    run(all_follow(SOCKETS, ORDERS))
    deadline = time.monotonic() + 60
    # the tasks of the server end a moment after their connections are gone
    while (simulator._sockets._connections or objects() > before + 5) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert simulator._sockets._connections == simulator._sockets._sessions == []
    assert objects() <= before + 5
    assert len(simulator.frames) == MAX_FRAMES


# --- what is kept


def test_log_of_frames_is_bounded():
    log = FrameLog(size=2)
    for number in range(3):
        log.add(LoggedFrame('sent', str(number), '/', 1, 0))
    assert [frame.text for frame in log.all()] == ['1', '2']


def test_frames_are_kept_both_ways_without_credentials(simulator):
    exchange = simulator.connect(ccxt.binance)
    key = exchange.eapiPrivatePostListenKey()['listenKey']
    foreign = 'x' * 64

    async def main():
        async with opened(simulator) as client:
            sent = login(simulator.now())
            await client.ask(sent)
            await client.ask({**login(simulator.now(), passphrase='another secret'), 'op': 'log in'})
            assert await client.is_silent()
        async with opened(simulator, f'/private/ws/{key}') as client:
            simulator.advance(3_600_000)
            await client.receive()
        async with opened(simulator, f'/private/stream?streams={key}') as client:
            await client.ask({'method': 'SUBSCRIBE', 'params': [foreign], 'id': 1})
        return sent['args'][0]['sign']

    sign = run(main())
    kept = json.dumps([vars(frame) for frame in simulator.frames])
    assert not [each for each in (KEY, SECRET, PASSPHRASE, sign, key, foreign, 'another secret') if each in kept]
    assert {frame.connection for frame in simulator.frames} == {1, 2, 3}
    assert [frame.text for frame in simulator.frames if frame.direction == 'sent'][2] == 'pong'
    assert key not in str(simulator.requests)
