import gc

gc.disable()  # the imports make many objects, none of them garbage

import asyncio
import contextlib
import os
import re
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from pytest_recording import network

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp._redaction import _EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator, redirect
from tests import warm
from tests.construction import construct_cheaply
from tests.recording import is_recordable
from tests.scheduling import compile_share, number_of_workers, scheduler
from tests.sightings import pytest_runtest_makereport  # noqa: F401 - a hook
from tests.tagging import tag_what_rests

gc.enable()

# a run tries a few new examples, and many with --hypothesis-profile=deep; .ci/run tries 100 in one of its suites
IS_CI = bool(os.environ.get('CI'))  # where every run tries the same ones
settings.register_profile('usual', max_examples=15, derandomize=IS_CI)
settings.register_profile('ci', max_examples=100, derandomize=IS_CI)
settings.register_profile('deep', max_examples=5000)
settings.load_profile('usual')

# SQLite waits for the disk in each halt: 40 ms, in memory 1 ms
MEMORY, ROOM = Path('/dev/shm'), 2**29  # noqa: S108 - bytes of all that the tests leave, some times over
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault('PYTEST_DEBUG_TEMPROOT', str(MEMORY))

# what a shell starts in the background has Ctrl-C ignored, and so would the processes that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)

tag_what_rests()
construct_cheaply()

FLAVOURS = {'sync': ccxt_mmp, 'async': ccxt_mmp.async_support, 'pro': ccxt_mmp.pro}


class Flavour:
    """One of the three doors: makes its exchanges, and takes the result of a call as that flavour does."""

    def __init__(self, name):
        self.name = name
        self.module = FLAVOURS[name]
        self.loop = None if name == 'sync' else asyncio.new_event_loop()
        self.opened = []

    def exchange_class(self, exchange_id):
        return getattr(self.module, exchange_id)

    def exchange(self, exchange_id, url=None, **config):
        """An exchange with the simulator's credentials; its APIs are at the url if there is one."""
        settings = {'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE, 'enableRateLimit': False, 'verify': False}
        exchange = self.exchange_class(exchange_id)({**settings, **config})
        exchange.timeout_on_exit = 0
        if url is not None:
            redirect(exchange, url)
        self.opened.append(exchange)
        return exchange

    def take(self, value):
        """The result of a call."""
        return value if self.loop is None else self.loop.run_until_complete(value)

    def disconnect(self, kept=0):
        """Close all exchanges but the first that were opened."""
        for exchange in self.opened[kept:]:
            if self.loop is None:
                exchange.session.close()
            else:
                self.take(exchange.close())
        del self.opened[kept:]

    def close(self):
        self.disconnect()
        if self.loop is not None:
            self.take(self.loop.shutdown_asyncgens())  # as asyncio.run does: the connections let go of their sockets
            self.loop.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Without the garbage collector, which would look at all that is imported, again and again: a tenth of the time."""
    gc.disable()
    try:
        if hasattr(session.config, 'workerinput'):
            compile_share(session.config.workerinput)
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    return number_of_workers(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """All workers have one server of processes."""
    node.workerinput['warm'] = warm.server()


def pytest_configure(config):
    if hasattr(config, 'workerinput'):
        warm.SHARED['path'] = config.workerinput['warm']


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return scheduler(config, log)


def pytest_collection_finish():
    """Coverage is of the processes that run tests, not of those that the tests start."""
    os.environ.pop('COVERAGE_PROCESS_CONFIG', None)
    # ccxt and the collected tests stay to the end: a collection that looks at all of them takes 0.1 s
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config, items):
    """The sync flavour records for all three, and what the source can bring about."""
    if config.getoption('--record-mode') in (None, 'none'):
        return

    def is_recorded(item):
        if not item.get_closest_marker('vcr'):
            return True
        return item.callspec.params['flavour'] == 'sync' and is_recordable(item.callspec.params['name'])

    config.hook.pytest_deselected(items=[item for item in items if not is_recorded(item)])
    items[:] = [item for item in items if is_recorded(item)]


@pytest.fixture(params=FLAVOURS)
def flavour(request):
    flavour = Flavour(request.param)
    yield flavour
    flavour.close()


@pytest.fixture(autouse=True)
def nothing_outlives_its_test(request):
    """What closed loops leave behind is collected in the test that may warn of it, and not in a later one.

    Exchange objects live on in tracebacks, and every text would be searched for the credentials of each of them.
    """
    yield
    _EXCHANGES.clear()
    ignored = [warning for mark in request.node.iter_markers('filterwarnings') for warning in mark.args]
    if any('PytestUnraisableExceptionWarning' in warning for warning in ignored):
        gc.collect()
        gc.freeze()  # what is left stays, and no later collection looks at it again


@pytest.fixture(scope='session', autouse=True)
def block_network(request, record_mode):
    """As pytest-recording does before and after every test, once: with all its fixtures that takes a third of a test.

    Only while cassettes are recorded is the network needed.
    """
    hosts = request.config.getoption('--allowed-hosts')
    is_blocked = request.config.getoption('--block-network') and record_mode == 'none'
    with network.blocking_context(hosts.split(',')) if is_blocked else contextlib.nullcontext():
        yield


@pytest.fixture(scope='session')
def vcr():
    """Of pytest-recording for every test; those of the cassettes alone have its own."""


@pytest.fixture
def simulator(mmp_simulator):
    return mmp_simulator


@pytest.fixture
def fast():
    """A simulator without limits of its own, so that windows can be shorter than OKX's."""
    with Simulator(enforce_limits=False) as simulator:
        yield simulator


@pytest.fixture(scope='session')
def httpserver_listen_address():
    return '127.0.0.1', 0


@pytest.fixture
def canned(httpserver):
    """A loopback server that gives one answer to everything and keeps what it received."""

    def answer(body, status=200, content_type='application/json'):
        httpserver.clear()
        httpserver.expect_request(re.compile('')).respond_with_data(body, status=status, content_type=content_type)

    return SimpleNamespace(
        url=f'http://{httpserver.host}:{httpserver.port}',
        answer=answer,
        received=lambda: [request for request, _ in httpserver.log],
    )
