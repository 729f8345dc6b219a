"""The kill switch's own connections, and the time that an answer has over them."""

import asyncio
import contextlib
import copy
import gc
import io
import pickle
import socket
import threading
import time
from functools import partial

import aiohttp
import ccxt
import pytest
import requests
from requests.adapters import HTTPAdapter

import ccxt_mmp
import ccxt_mmp.async_support
from ccxt_mmp.core.connections import AsyncConnections, Connections, _bound, _Reader, started
from ccxt_mmp.core.request_context import RequestContext
from tests.core.fencing import CANCEL, TIME
from tests.trading import UNDERLYING, UNIFIED, at_simulator


def test_mass_cancel_goes_over_connections_of_its_own(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    ordinary = getattr(exchange, TIME[exchange_id][0])
    flavour.take(ordinary())
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    flavour.take(ordinary())
    first, *cancelling, last = [request.port for request in simulator.requests]
    assert first == last
    assert first not in cancelling
    assert len({*cancelling}) == 1


def test_mass_cancel_does_not_wait_for_slow_ordinary_requests(fast, exchange_id):
    """aiohttp has a hundred connections for them, and no more."""

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            fast.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
            await exchange.warm_up()
            method, path = TIME[exchange_id]
            ordinary = getattr(exchange, method)
            fast.fault('hold', path, milliseconds=60_000, times=150)
            slow = [asyncio.ensure_future(ordinary()) for _ in range(150)]
            while fast._faults and fast._faults[0].times > 50:  # noqa: ASYNC110 - another thread brings it about
                await asyncio.sleep(0.005)
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id])
            assert not any(each.done() for each in slow)
            for each in slow:
                each.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    asyncio.run(main())
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []
    fast.clear()


def test_connections_of_the_kill_switch_are_not_limited(fast, exchange_id):
    """To a hundred, as those of an aiohttp session that nobody asked otherwise."""

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            fast.fault('hold', CANCEL[exchange_id], milliseconds=60_000, times=100)
            slow = [asyncio.ensure_future(exchange.mass_cancel_mmp(UNIFIED[exchange_id])) for _ in range(100)]
            while fast._faults:  # noqa: ASYNC110 - another thread brings it about
                await asyncio.sleep(0.005)
            last = asyncio.ensure_future(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
            await asyncio.wait([last, *slow], return_when=asyncio.FIRST_COMPLETED)
            assert last.done()
            await last
            for each in slow:
                each.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    asyncio.run(main())
    fast.clear()


# --- a request of aiohttp is on the wire before the loop comes round


def test_request_is_on_the_wire_at_once(simulator):
    async def main():
        async with simulator.connect(ccxt_mmp.async_support.okx) as exchange:
            await exchange.mass_cancel_mmp('BTC/USD')  # connects
            task = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD'))
            await asyncio.sleep(0)
            ends = time.monotonic() + 10
            while len(simulator.requests) < 2:
                assert time.monotonic() < ends
                time.sleep(0.001)  # noqa: ASYNC251 - the loop has no turn meanwhile
            await task

    asyncio.run(main())


def test_request_that_cannot_be_written_yet_is_written_later(simulator):
    """The socket takes nothing for a while."""

    async def main():
        async with simulator.connect(ccxt_mmp.async_support.okx) as exchange:
            await exchange.mass_cancel_mmp('BTC/USD')  # connects
            [[(protocol, _)]] = exchange._mmp_connections._client.connector._conns.values()
            protocol.pause_writing()
            task = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD'))
            await asyncio.sleep(0)
            protocol.resume_writing()
            await task
            assert len(simulator.requests) == 2

    asyncio.run(main())


def test_rest_of_a_coroutine_goes_on_where_its_first_step_ended():
    async def main():
        first, second, both = asyncio.Future(), asyncio.Future(), asyncio.Event()
        seen = []

        async def work():
            seen.append('started')
            seen.append(await first)
            try:
                await second
            except RuntimeError as error:
                seen.append(str(error))
            both.set()
            try:
                await asyncio.Future()
            finally:
                seen.append('ended')

        rest = started(work())
        assert seen == ['started']
        task = asyncio.ensure_future(rest)
        first.set_result('first')
        second.set_exception(RuntimeError('second'))
        await both.wait()
        assert seen == ['started', 'first', 'second']
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen[-1] == 'ended'

    asyncio.run(main())


# --- what the user has put into the exchange


def test_session_of_the_user_is_used_as_it_is(simulator):
    async def main():
        async with aiohttp.ClientSession() as session:
            exchange = simulator.connect(ccxt_mmp.async_support.okx, session=session)
            exchange.timeout_on_exit = 0
            await exchange.mass_cancel_mmp('BTC/USD')
            assert len(session.connector._conns) == 1
            await exchange.close()
            assert not session.closed

    asyncio.run(main())


def test_settings_of_the_session_hold_for_the_kill_switch(simulator):
    exchange = simulator.connect(ccxt_mmp.okx)
    exchange.session.headers['X-Desk'] = 'seven'
    exchange.session.proxies = {'http': 'http://127.0.0.1:9'}

    class Counted(HTTPAdapter):
        sent = 0

        def send(self, *arguments, **keywords):
            Counted.sent += 1
            return super().send(*arguments, **keywords)

    with exchange._connections().lend(exchange.session) as session:
        assert session is not exchange.session
        assert session.headers['X-Desk'] == 'seven'
        assert session.proxies == exchange.session.proxies
    exchange.session.proxies = {}
    exchange.session.mount('http://', Counted())
    exchange.session = copy.copy(exchange.session)  # another one: what was connected for the first is closed
    exchange.mass_cancel_mmp('BTC/USD')
    assert Counted.sent == 1
    assert len(exchange._connections()._idle) == 1


def test_what_is_no_session_of_requests_is_lent_itself():
    fake = object()
    connections = Connections()
    with connections.lend(fake) as lent:
        assert lent is fake
    assert connections._idle == []


def test_session_is_lent_to_one_request_at_a_time():
    stock, connections = requests.Session(), Connections()
    with connections.lend(stock) as first, connections.lend(stock) as second:
        assert first is not second
    with connections.lend(stock) as again, connections.lend(stock) as other:
        assert {again, other} == {first, second}


@pytest.mark.parametrize('kind', [Connections, AsyncConnections])
def test_copies_have_connected_nowhere(kind):
    connections = kind()
    connections.__dict__['_idle' if kind is Connections else '_session'] = [(0, None, threading.Lock())]
    for copied in (copy.deepcopy(connections), pickle.loads(pickle.dumps(connections))):
        assert vars(copied) == vars(kind())


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # what the closed loop leaves behind
def test_kill_switch_of_an_object_whose_loop_was_closed_works(simulator):
    exchange = simulator.connect(ccxt_mmp.async_support.okx)
    for _ in range(3):
        asyncio.run(exchange.mass_cancel_mmp('BTC/USD'))
    assert len(simulator.requests) == 3
    exchange.session = None
    del exchange
    gc.collect()


def test_close_closes_what_the_kill_switch_connected(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    connections = exchange._connections()
    if flavour.name == 'sync':
        closed = []
        session = connections._idle[0][-1]
        session.close = partial(closed.append, session)
        exchange.close()
        assert closed == [session]
    else:
        session = connections._session
        flavour.take(exchange.close())
        assert session.closed


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # what the closed loop leaves behind
def test_close_does_not_wait_for_who_reads_nothing(monkeypatch):
    monkeypatch.setattr('ccxt_mmp.core.connections.CLOSING', 0.05)

    async def main(url):
        async with ccxt_mmp.async_support.okx() as exchange:
            exchange.timeout_on_exit = 0
            connections = exchange._connections()
            session = connections.session(exchange)
            body = io.BytesIO(b' ' * 2**25)  # more than all buffers on the way take
            request = asyncio.ensure_future(session.post(url, data=body, timeout=aiohttp.ClientTimeout(30)))
            while not (session.connector._acquired or request.done()):  # noqa: ASYNC110 - aiohttp has no event for it
                await asyncio.sleep(0.005)
            await asyncio.wait([request], timeout=0.05)
            assert not request.done(), request
            closing = asyncio.ensure_future(connections.close())
            await asyncio.wait([closing], timeout=5)
            assert closing.done()
            request.cancel()
            await asyncio.gather(closing, request, return_exceptions=True)

    with socket.create_server(('127.0.0.1', 0)) as server:
        asyncio.run(main(f'http://127.0.0.1:{server.getsockname()[1]}'))


def test_closed_exchange_says_so(flavour, simulator, exchange_id):
    if flavour.name == 'sync' or not hasattr(flavour.exchange_class(exchange_id), 'closed_by_user'):
        pytest.skip('sync objects can be used again, and older versions of ccxt say nothing')
    exchange = flavour.exchange(exchange_id, simulator.url)
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    flavour.take(exchange.close())
    with pytest.raises(ccxt.ExchangeClosedByUser):
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    assert exchange._mmp_connections._client is None  # it has opened nothing that nobody closes


# --- time


class Dripping:
    """A server that answers a byte at a time, so that no pause is ever long; some of it may come at once."""

    def __init__(self, at_once, pause):
        self.pause = pause
        body = b'{"code":"0","msg":"","data":[{"result":true}],"serverTime":1}' + b' ' * 400
        head = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(body)
        self.at_once, self.rest = (head, body) if at_once == 'head' else (b'', head + body)
        self.requests = 0
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}'
        self.is_over = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.drip, args=[connection], daemon=True).start()

    def drip(self, connection):
        with connection:
            connection.recv(65536)
            self.requests += 1
            try:
                connection.sendall(self.at_once)
                for byte in self.rest:
                    if self.is_over.wait(self.pause):
                        return
                    connection.sendall(bytes([byte]))
            except OSError:
                return

    def close(self):
        self.is_over.set()
        with contextlib.suppress(OSError):  # where nothing can be shut that only listens
            self.socket.shutdown(socket.SHUT_RDWR)  # or its thread would accept for ever
        self.socket.close()


def assert_cancel_ends(at_once, take, connect):
    for pace in (0.2, 1, 4, 16):  # a busy machine may need more time to ask twice
        server = Dripping(at_once, 0.02 * pace)
        try:
            exchange = connect(server.url)
            started = time.monotonic()
            with pytest.raises(ccxt.OperationFailed):
                take(exchange.mass_cancel_mmp(UNIFIED[exchange.id], {'timeout': round(500 * pace)}))
            took = time.monotonic() - started
        finally:
            server.close()
        if took < 5 * pace and server.requests >= 2:  # all of an answer takes twice as long and more
            return
    pytest.fail(f'it asks {server.requests} times and takes {took} s')


@pytest.mark.parametrize('at_once', ['nothing', 'head'])
def test_answer_that_drips_does_not_outlast_its_time(flavour, exchange_id, at_once):
    assert_cancel_ends(at_once, flavour.take, lambda url: flavour.exchange(exchange_id, url))


def test_answer_that_drips_through_a_proxy_does_not_outlast_its_time(flavour, exchange_id):
    assert_cancel_ends(
        'head', flavour.take, lambda url: flavour.exchange(exchange_id, 'http://exchange.invalid', httpProxy=url)
    )


class TimedSocket:
    def __init__(self):
        self.timeouts = []

    def settimeout(self, seconds):
        self.timeouts.append(seconds)


def test_socket_waits_for_the_next_byte_no_longer_than_the_answer_has():
    sock, raw, buffer = TimedSocket(), io.BytesIO(b'{}'), bytearray(1)
    reader = _Reader(sock, raw)
    with RequestContext('exchange') as context:
        reader.readinto(buffer)
        assert sock.timeouts == []  # which says nothing
        context.answer_ends = time.monotonic() + 5
        reader.readinto(buffer)
        [seconds] = sock.timeouts
        assert 0 < seconds <= 5
        context.answer_ends = time.monotonic()
        with pytest.raises(TimeoutError):
            reader.readinto(buffer)


def test_answer_has_a_third_of_the_time_or_the_least_that_one_needs(flavour):
    exchange = flavour.exchange('okx')

    def timeout(left, least):
        ends = time.monotonic() + left
        with (
            RequestContext(exchange, ends=ends, least_timeout=least, is_urgent=True) as context,
            exchange._sending(context, {}),
        ):
            return context.timeout / 1000

    assert timeout(6, 1) == pytest.approx(2, abs=0.5)
    assert timeout(6, 4) == 4
    assert 0 < timeout(6, 8) <= 6  # nor more than there is
    assert timeout(60, 1) == exchange.timeout / 1000


# --- settings that own connections could lose


def test_timeout_of_a_class_of_the_user_does_not_outlast_a_mass_cancel(flavour, simulator):
    stock = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}[flavour.name].okx
    below = type('okx', (stock,), {'timeout': 60_000})
    above = type('okx', (flavour.exchange_class('okx'),), {'timeout': 60_000})
    for exchange in (ccxt_mmp.extend(simulator.connect(below)), simulator.connect(above)):
        flavour.opened.append(exchange)
        exchange.timeout_on_exit = 0
        assert exchange.timeout == 60_000
        simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=3)
        started = time.monotonic()
        # which of them depends on whether its time is over when the last answer is given up
        with pytest.raises((ccxt.RequestTimeout, ccxt_mmp.MassCancelIncomplete)):
            flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'timeout': 100}))
        assert time.monotonic() - started < 5


def test_no_timeout_of_the_exchange_is_no_timeout_of_the_kill_switch(flavour, simulator):
    if flavour.name == 'sync':
        pytest.skip('requests takes no timeout of 0')
    exchange = flavour.exchange('okx', simulator.url, timeout=0)
    simulator.fault('delay', 'mass-cancel', milliseconds=60_000)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'timeout': 1500}))


class Session(requests.Session):
    """One of the user's, with an attribute that a copy would lack."""

    def __init__(self):
        super().__init__()
        self.sent = 0

    def request(self, *arguments, **keywords):
        self.sent += 1
        return super().request(*arguments, **keywords)


def test_session_of_a_class_of_the_users_is_used_as_it_is(simulator):
    exchange = simulator.connect(ccxt_mmp.okx)
    exchange.session = Session()
    exchange.mass_cancel_mmp('BTC/USD')
    assert exchange.session.sent == 1


def test_what_is_replaced_on_the_session_reaches_the_kill_switch(simulator):
    exchange = simulator.connect(ccxt_mmp.okx)
    exchange.mass_cancel_mmp('BTC/USD')
    exchange.session.proxies = {'http': 'http://127.0.0.1:9'}
    with exchange._connections().lend(exchange.session) as session:
        assert session.proxies == exchange.session.proxies


def test_adapter_keeps_its_settings(simulator):
    exchange = simulator.connect(ccxt_mmp.okx)
    exchange.session.mount('http://', HTTPAdapter(max_retries=7))
    with exchange._connections().lend(exchange.session) as session:
        own = session.get_adapter('http://x')
        assert own.max_retries.total == 7
        assert own is not exchange.session.get_adapter('http://x')


def test_connections_of_another_process_are_not_used(simulator, monkeypatch):
    """After a fork both would read answers from one socket."""
    exchange = simulator.connect(ccxt_mmp.okx)
    exchange.mass_cancel_mmp('BTC/USD')
    monkeypatch.setattr('os.getpid', lambda: 1)
    exchange.mass_cancel_mmp('BTC/USD')
    assert len({request.port for request in simulator.requests}) == 2


def test_opening_of_the_users_is_the_users(simulator):
    class Mine(ccxt_mmp.async_support.okx):
        def open(self, *arguments, **keywords):
            super().open(*arguments, **keywords)

    async def main():
        async with simulator.connect(Mine) as exchange:
            exchange.timeout_on_exit = 0
            await exchange.mass_cancel_mmp('BTC/USD')
            assert exchange._connections()._session is None

    asyncio.run(main())


def test_proxy_manager_of_any_kind_keeps_its_pools():
    class Pool(requests.adapters.PoolManager().pool_classes_by_scheme['http']):
        pass

    class Manager:
        pool_classes_by_scheme = {'http': Pool}  # noqa: RUF012

    assert issubclass(_bound(Manager()).pool_classes_by_scheme['http'], Pool)


def test_session_that_replaces_another_has_connections_of_its_own(simulator):
    exchange = simulator.connect(ccxt_mmp.okx)
    exchange.mass_cancel_mmp('BTC/USD')
    exchange.session = copy.copy(exchange.session)
    exchange.mass_cancel_mmp('BTC/USD')
    assert len({request.port for request in simulator.requests}) == 2
