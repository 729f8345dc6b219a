"""Stores of halts of each kind."""

import asyncio

import pytest

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.halts import StoredHalt, open_store
from tests.redis_server import RedisServer

KINDS = ['sqlite', 'redis', 'redis async']
TIMEOUT = 5.0  # s; a busy machine is no lost store


@pytest.fixture(scope='session')
def redis_server(tmp_path_factory):
    """A server of this worker; its tests use accounts of their own."""
    with RedisServer(tmp_path_factory.mktemp('redis')) as server:
        yield server


@pytest.fixture
def own_redis(tmp_path):
    """A server that the test may stop."""
    with RedisServer(tmp_path) as server:
        yield server


class Opened:
    """A store whose methods return results, also where it is async."""

    def __init__(self, url, is_async, timeout=TIMEOUT):
        self.store = open_store(url, timeout, is_async=is_async)
        self.loop = asyncio.new_event_loop() if is_async else None

    def __getattr__(self, name):
        method = getattr(self.store, name)

        def call(*arguments):
            result = method(*arguments)
            return result if self.loop is None else self.loop.run_until_complete(await_result(result))

        return call

    def end_of_test(self):
        self.close()
        if self.loop is not None:
            self.loop.close()


@pytest.fixture
def opened():
    """Opens stores, which are closed after the test."""
    all_opened = []

    def open_one(url, is_async=False, timeout=TIMEOUT):
        all_opened.append(Opened(url, is_async, timeout))
        return all_opened[-1]

    yield open_one
    for each in all_opened:
        each.end_of_test()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def url(kind, request, tmp_path):
    return f'sqlite:{tmp_path}/halt.db' if kind == 'sqlite' else request.getfixturevalue('redis_server').url


@pytest.fixture
def account(request, tmp_path):
    return f'test:{tmp_path}'  # no other test's


@pytest.fixture
def store(opened, url, kind):
    return opened(url, kind == 'redis async')


def halt(underlying='BTC-USD', since=1000, until=None, reason=None, by='host:1'):
    return StoredHalt(underlying, since, until, reason, by)
