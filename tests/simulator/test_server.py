"""The server: whom it answers, what it refuses, how it starts and ends, and errors of its own."""

import asyncio
import contextlib
import gc
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import aiohttp
import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp.simulator import Simulator, server
from ccxt_mmp.simulator.server import Server
from tests.rows import rows


def until(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize('host', ['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1'])
@pytest.mark.parametrize('path', ['_control/requests', 'eapi/v1/time'])
def test_another_host_name_is_refused(simulator, host, path):
    request = urllib.request.Request(f'{simulator.url}/{path}', headers={'Host': host})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match='403') as caught:
        urllib.request.urlopen(request)  # noqa: S310
    caught.value.close()


def test_localhost_is_another_name_of_it(simulator):
    request = urllib.request.Request(f'{simulator.url}/eapi/v1/time')  # noqa: S310
    request.add_header('Host', simulator.url.replace('http://127.0.0.1', 'localhost'))
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert answer.status == 200


def test_it_listens_on_one_loopback_address_alone(simulator):
    port = int(simulator.url.rpartition(':')[2])
    with socket.socket() as another:
        another.bind(('127.0.0.2', port))  # it is free there, which it is not if it is taken on every address


def test_large_body_is_refused(simulator):
    request = urllib.request.Request(f'{simulator.url}/eapi/v1/order', b'x' * (1024**2 + 1))  # noqa: S310
    with pytest.raises((urllib.error.HTTPError, OSError)) as caught:
        urllib.request.urlopen(request)  # noqa: S310
    if isinstance(caught.value, urllib.error.HTTPError):
        assert caught.value.code == 413
        caught.value.close()
    assert simulator.requests == []


def test_error_of_the_simulator_fails_the_test_that_caused_it():
    def provoke():
        with Simulator() as simulator:
            exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
            simulator._engine.mass_cancel = None
            with pytest.raises(ccxt.BaseError, match='the simulator failed'):
                exchange.mass_cancel_mmp('BTC/USD')
            assert {request.status for request in simulator.requests} == {500}

    with pytest.raises(TypeError, match='NoneType'):
        provoke()


def test_error_of_the_test_is_not_hidden_by_one_of_the_simulator():
    def fail():
        with Simulator() as simulator:
            simulator.errors.append(TypeError('its'))
            raise KeyError('mine')

    with pytest.raises(KeyError, match='mine'):
        fail()


def test_several_clients_at_once(simulator):
    exchanges = [simulator.connect(ccxt_mmp.binance, enableRateLimit=False) for _ in range(8)]
    failures = []

    def work(exchange):
        try:
            for _ in range(10):
                exchange.fetch_mmp('BTC/USDT')
        except ccxt.BaseError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(exchange,)) for exchange in exchanges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(simulator.requests) == 80


def test_error_around_the_venues_fails_the_test_too(simulator):
    simulator._gateway.faults = None
    with pytest.raises(urllib.error.HTTPError, match='500') as caught:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time')  # noqa: S310
    caught.value.close()
    with pytest.raises(TypeError):
        simulator.check()
    simulator.errors.clear()


def test_started_twice_serves_once(simulator):
    url = simulator.url
    assert simulator.start() is simulator
    assert simulator.url == url


@pytest.mark.parametrize('port', [99_999, -1])
def test_port_that_does_not_exist_is_an_error_of_the_caller(port):
    simulator = Simulator(port=port)
    with pytest.raises(OverflowError):
        simulator.start()
    simulator.close()


def test_first_answer_takes_less_than_half_a_second_of_work():
    started = time.process_time()
    with Simulator() as simulator:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time').close()  # noqa: S310
        assert time.process_time() - started < 0.5


def test_2000_requests_of_50_concurrent_clients_without_an_error_or_a_leak():
    requests, clients = 2000, 50

    def held():
        gc.collect()
        return threading.active_count(), len(list(Path('/dev/fd').iterdir()))

    threads, descriptors = held()

    async def client(session, simulator):
        for number in range(requests // clients):
            path = '/api/v5/public/time' if number % 2 else '/eapi/v1/time'
            headers = {} if number % 4 else {'Connection': 'close'}  # connections come and go
            async with session.get(simulator.url + path, headers=headers) as answer:
                assert answer.status == 200
                await answer.json()

    async def main(simulator):
        # with aiodns, which older versions of ccxt need, aiohttp's own choice leaves a thread that would be counted
        connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(client(session, simulator) for _ in range(clients)))

    with Simulator(enforce_limits=False) as simulator:
        asyncio.run(main(simulator))
        assert [request.status for request in simulator.requests] == [200] * requests
    threads_after, descriptors_after = held()
    assert threads_after <= threads
    assert descriptors_after <= descriptors


POST = 'POST /api/v5/trade/batch-orders HTTP/1.1\r\nHost: {host}\r\n'
GET = 'GET {path} HTTP/1.1\r\nHost: {host}\r\n'
UPGRADE = (
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
)
RESPOND = Server._respond
# what it has sent, the path, and how often the server responds before it goes
GOING = {
    'before the head': ('', '', 0),
    'in the head': (POST, '', 0),
    'between head and body': (POST + 'Content-Length: 10\r\n\r\n', '', 0),
    'in the body': (POST + 'Content-Length: 10\r\n\r\n[1', '', 0),
    'in a chunk of the body': (POST + 'Transfer-Encoding: chunked\r\n\r\n5\r\n[1', '', 0),
    'in the body of a handshake': (GET + UPGRADE + 'Content-Length: 10\r\n\r\n', '/ws/v5/private', 0),
    'while it waits for the answer': (GET + '\r\n', '/api/v5/late', 0),
    'while the answer is written': (GET + '\r\n', '/api/v5/large', 1),
    'after the answer': (GET + '\r\n', '/eapi/v1/time', 1),
    'in the head of a second request': (GET + '\r\n' + GET, '/eapi/v1/time', 1),
    'in the body of a second request': (GET + '\r\n' + POST + 'Content-Length: 10\r\n\r\n', '/eapi/v1/time', 1),
    'from a websocket': (GET + UPGRADE + '\r\n', '/ws/v5/private', 0),
}


@pytest.mark.parametrize('how', ['reset', 'end'])
@rows('where', GOING)
def test_client_that_goes_away_is_no_error_of_the_simulator(monkeypatch, caplog, where, how):
    sent, path, before = GOING[where]
    begun, over = [], []

    async def respond(server, request):
        begun.append(request)
        try:
            return await RESPOND(server, request)
        finally:
            over.append(request)

    monkeypatch.setattr(Server, '_respond', respond)
    with Simulator() as simulator:
        if path == '/api/v5/large':
            simulator.answer('GET', path, 'x' * 20_000_000)  # more than buffers hold
        if path == '/api/v5/late':
            simulator.answer('GET', path, {})
            simulator.fault('delay', milliseconds=300)
        host = simulator.url.partition('//')[2]
        count = sent.count('\r\n\r\n')
        with socket.create_connection(host.split(':')) as client:
            client.sendall(sent.format(host=host, path=path).encode())
            until(lambda: len(begun) == count and len(over) == before)
            if how == 'reset':
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        until(lambda: len(over) == count)
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time').close()  # noqa: S310 - it serves others
    assert caplog.records == []


def test_connection_that_the_simulator_itself_breaks_is_its_error(simulator):
    async def broken(request):
        raise ConnectionResetError('its own')

    simulator._server._handle = broken
    with pytest.raises(urllib.error.HTTPError, match='500') as caught:
        urllib.request.urlopen(f'{simulator.url}/eapi/v1/time')  # noqa: S310
    caught.value.close()
    with pytest.raises(ConnectionResetError, match='its own'):
        simulator.check()
    simulator.errors.clear()


def test_connections_that_are_accepted_while_it_ends_are_closed():
    simulator = Simulator().start()
    server, busy, connected = simulator._server, threading.Event(), threading.Event()
    server._loop.call_soon_threadsafe(lambda: (busy.set(), connected.wait()))
    busy.wait()
    clients = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(6)]
    server._loop.call_soon_threadsafe(server._stop.set)  # so that it learns of its end first, then of the clients
    connected.set()
    simulator.close()
    for client in clients:
        client.settimeout(5)
        with client, contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b''  # not TimeoutError


def test_connection_that_comes_while_it_ends_is_not_accepted(monkeypatch):
    """Else one that comes in the last moment is neither served nor closed."""
    simulator, clients, turns = Simulator().start(), [], server._turns
    address = ('127.0.0.1', int(simulator.url.rpartition(':')[2]))

    async def turns_in_which_clients_come():
        if not clients:
            for _ in range(server.TURNS):
                clients.append(socket.create_connection(address))  # the system queues them at once
                clients[-1].sendall(
                    f'GET /eapi/v1/time HTTP/1.1\r\nHost: {":".join(map(str, address))}\r\n\r\n'.encode()
                )
                await asyncio.sleep(0)
        await turns()

    monkeypatch.setattr(server, '_turns', turns_in_which_clients_come)
    simulator.close()
    assert simulator.requests == []
    assert len(clients) == server.TURNS
    for client in clients:
        with client, pytest.raises(ConnectionResetError):
            client.recv(1)


def test_task_that_goes_on_after_a_cancellation_is_cancelled_again():
    is_handled, cancelled = threading.Event(), []

    async def outlast():
        try:
            is_handled.set()
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            cancelled.append(True)

    async def stubborn(request):
        for _ in range(3):
            await outlast()

    with Simulator() as simulator:
        simulator._server._handle = stubborn
        host, port = '127.0.0.1', int(simulator.url.rpartition(':')[2])
        with socket.create_connection((host, port)) as client:
            client.sendall(f'GET / HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n'.encode())
            assert is_handled.wait(30)
            simulator.close()
    assert len(cancelled) == 3
