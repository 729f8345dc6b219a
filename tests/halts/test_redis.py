"""Redis as the store: what is kept where, and when it counts as lost. Each test has a real server."""

import asyncio
import time
from importlib import import_module

import pytest

from ccxt_mmp.halts import HaltStoreError, open_store
from tests.halts.conftest import Opened, halt

DESK = 'okx:desk1'
SHORT = 0.05  # s
PATIENCE = 20  # s


@pytest.fixture(params=[False, True], ids=['sync', 'async'])
def is_async(request):
    return request.param


@pytest.fixture
def redis():
    """The module; not every worker needs it."""
    return import_module('redis')


@pytest.fixture
def client(own_redis, redis):
    with redis.Redis(port=own_redis.port, decode_responses=True) as client:
        yield client


def is_lost(store):
    for call in (
        lambda: store.read(DESK, ('*', 'BTC-USD')),
        lambda: store.read_all(DESK),
        lambda: store.write(DESK, halt()),
        lambda: store.end(DESK, None),
    ):
        with pytest.raises(HaltStoreError):
            call()
    return True


def test_one_hash_has_the_halts_of_an_account(own_redis, client, opened, is_async):
    store = opened(own_redis.url, is_async)
    store.write(DESK, halt())
    store.write(DESK, halt('*', until=9))
    assert client.keys() == ['ccxt_mmp:halts:okx:desk1']
    assert client.hkeys('ccxt_mmp:halts:okx:desk1') == ['BTC-USD', '*']


def test_a_read_is_one_command(own_redis, client, opened, is_async):
    store = opened(own_redis.url, is_async)
    store.read(DESK, ('*', 'BTC-USD'))
    before = client.info('commandstats')['cmdstat_hmget']['calls']
    total = client.info('stats')['total_commands_processed']
    store.read(DESK, ('*', 'BTC-USD'))
    assert client.info('commandstats')['cmdstat_hmget']['calls'] == before + 1
    assert client.info('stats')['total_commands_processed'] - total == 3  # and the client's own two


def test_killed_server_is_lost_and_one_that_is_back_is_empty(own_redis, opened, is_async):
    store = opened(own_redis.url, is_async)
    store.write(DESK, halt())
    own_redis.kill()
    assert is_lost(store)
    own_redis.start()
    assert store.read_all(DESK) == []


def test_connections_that_the_server_has_closed_are_not_used(own_redis, client, opened, is_async):
    """As a server with a ``timeout``, one that was restarted, and a firewall do."""
    store = opened(own_redis.url, is_async)
    for call, result in (
        (lambda: store.write(DESK, halt()), halt()),
        (lambda: store.read(DESK, ('*', 'BTC-USD')), [halt()]),
        (lambda: store.end(DESK, None), [halt()]),
    ):
        client.client_kill_filter(_type='normal', skipme=True)
        assert call() == result
    own_redis.kill()
    own_redis.start()
    assert store.write(DESK, halt()) == halt()


def test_closed_store_has_no_connection(own_redis, client, opened, is_async):
    store = opened(own_redis.url, is_async)
    store.read_all(DESK)
    kept = store.store._idle[0]  # from the garbage collector
    assert len(client.client_list()) == 2
    store.close()
    ends = time.monotonic() + PATIENCE
    while len(client.client_list()) > 1:
        assert time.monotonic() < ends, kept
        time.sleep(0.001)


def test_suspended_server_is_lost_within_twice_the_timeout(own_redis, opened, is_async):
    store = opened(own_redis.url, is_async, SHORT)
    own_redis.suspend()
    started = time.monotonic()
    with pytest.raises(HaltStoreError):
        store.read(DESK, ('*',))
    assert time.monotonic() - started < 20 * SHORT
    own_redis.resume()


def test_answer_after_the_timeout_counts_as_lost(own_redis, opened, is_async):
    store = opened(own_redis.url, is_async)
    store.read(DESK, ('*',))
    store.store._timeout = 0
    with pytest.raises(HaltStoreError, match='no answer within 0 ms' if is_async else 'took'):
        store.read(DESK, ('*',))


def test_answer_that_was_given_up_is_no_answer_to_the_next_call(own_redis, client, opened, is_async):
    client.hset('ccxt_mmp:halts:okx:desk1', 'BTC-USD', '{"since": 1, "until": null, "reason": null, "by": "x"}')
    store = opened(own_redis.url, is_async, SHORT)
    for _ in range(3):
        own_redis.suspend()
        with pytest.raises(HaltStoreError):
            store.read(DESK, ('ETH-USD',))
        own_redis.resume()
        patient = opened(own_redis.url, is_async)
        assert len(patient.read(DESK, ('BTC-USD',))) == 1
    store.store._timeout = 5
    assert len(store.read(DESK, ('BTC-USD',))) == 1


def test_interrupted_call_leaves_no_connection_behind(own_redis, opened, monkeypatch, redis):
    store = opened(own_redis.url)
    store.write(DESK, halt())
    stock = redis.Connection.read_response

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(redis.Connection, 'read_response', interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.read(DESK, ('ETH-USD',))
    assert store.store._idle == []
    monkeypatch.setattr(redis.Connection, 'read_response', stock)
    assert store.read_all(DESK) == [halt()]


def test_cancelled_call_leaves_no_answer_to_the_next(own_redis, client, opened):
    store = opened(own_redis.url, True).store

    async def cancel_and_read():
        await store.write(DESK, halt())
        own_redis.suspend()
        cancelled = asyncio.ensure_future(store.read(DESK, ('ETH-USD',)))
        await asyncio.sleep(0)
        assert store._idle == []  # it has the connection
        cancelled.cancel()
        await asyncio.wait({cancelled})
        own_redis.resume()
        assert cancelled.cancelled()
        assert store._idle == []
        found = [await store.read(DESK, ('BTC-USD',)), await store.read(DESK, ('ETH-USD',))]
        await store.close()
        return found

    assert asyncio.run(cancel_and_read()) == [[halt()], []]


def test_calls_at_the_same_time_have_connections_of_their_own(own_redis, opened):
    store = opened(own_redis.url, True).store

    async def read_at_once():
        await store.write(DESK, halt())
        names = ['BTC-USD', 'ETH-USD'] * 60  # redis-py's pool has room for 100
        found = await asyncio.gather(*(store.read(DESK, (name,)) for name in names))
        assert len(store._idle) == len(names)
        await store.close()
        return found

    assert asyncio.run(read_at_once()) == [[halt()], []] * 60


def test_key_of_another_type_is_lost(own_redis, client, opened, is_async):
    client.set('ccxt_mmp:halts:okx:desk1', 'x')
    store = opened(own_redis.url, is_async)
    with pytest.raises(HaltStoreError):
        store.read(DESK, ('*',))


@pytest.mark.parametrize(
    'value',
    [
        *('', 'x', '[]', '{}', '"x"', '[' * 100_000),
        '{"since": "1", "until": null, "reason": null, "by": "x"}',
        '{"since": true, "until": null, "reason": null, "by": "x"}',
        '{"since": 1, "until": null, "reason": [], "by": "x"}',
        '{"since": 1, "until": null, "reason": null, "by": null}',
    ],
)
def test_halt_that_cannot_be_read_is_lost_until_it_is_replaced(own_redis, client, opened, is_async, value):
    client.hset('ccxt_mmp:halts:okx:desk1', 'BTC-USD', value)
    store = opened(own_redis.url, is_async)
    with pytest.raises(HaltStoreError, match='BTC-USD'):
        store.read(DESK, ('*', 'BTC-USD'))
    if '"until"' not in value:
        assert store.write(DESK, halt()) == halt()


def test_halt_that_is_no_text_is_lost(own_redis, client, opened, is_async):
    client.hset('ccxt_mmp:halts:okx:desk1', 'BTC-USD', b'\xff')
    store = opened(own_redis.url, is_async)
    with pytest.raises(HaltStoreError, match='UnicodeDecodeError'):
        store.read(DESK, ('*', 'BTC-USD'))
    assert store.write(DESK, halt()) == halt()
    assert store.read(DESK, ('*', 'BTC-USD')) == [halt()]


def test_time_of_a_connection_is_that_of_the_store(own_redis, opened, is_async):
    store = opened(own_redis.url, is_async, PATIENCE)
    options = store.store.options()
    assert options['socket_timeout'] == (None if is_async else PATIENCE)  # one limit of its own for all steps
    assert options['socket_connect_timeout'] == PATIENCE
    assert store.read_all(DESK) == []


def test_password_is_in_no_error(own_redis, opened, is_async):
    word = 'hunter-of-words'
    store = opened(own_redis.url.replace('//', f'//:{word}@'), is_async)
    own_redis.kill()
    with pytest.raises(HaltStoreError) as raised:
        store.read_all(DESK)
    error = raised.value
    while error is not None:
        assert word not in repr(error)
        assert word not in str(error)
        error = error.__cause__


def test_valkey_is_redis(is_async):
    store = open_store('valkey://127.0.0.1:7000/2', 1, is_async=is_async)
    assert {name: store.options()[name] for name in ('host', 'port', 'db')} == {
        'host': '127.0.0.1',
        'port': 7000,
        'db': 2,
    }


def test_client_is_of_the_running_loop(own_redis):
    first, second = Opened(own_redis.url, True), None
    first.write(DESK, halt())
    first.close()
    second = asyncio.new_event_loop()
    assert second.run_until_complete(first.store.read_all(DESK)) == [halt()]
    second.run_until_complete(first.store.close())
    second.close()
    first.end_of_test()
