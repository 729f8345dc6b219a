"""What the tests have in common: a plugin of every process that runs some."""

import contextlib
import gc
import os
import re
from types import SimpleNamespace

import pytest
from hypothesis import settings
from pytest_recording import network

from ccxt_mmp._redaction import _EXCHANGES
from ccxt_mmp.simulator import Simulator
from tests.construction import construct_cheaply
from tests.flavours import FLAVOURS, Flavour
from tests.recording import is_recordable
from tests.reporting import pytest_sessionstart  # noqa: F401 - a hook
from tests.sightings import pytest_runtest_makereport  # noqa: F401 - a hook
from tests.tagging import tag_what_rests

# a run tries a few new examples, and many with --hypothesis-profile=deep; .ci/run tries 100 in one of its suites
IS_CI = bool(os.environ.get('CI'))  # where every run tries the same ones
settings.register_profile('usual', max_examples=15, derandomize=IS_CI)
settings.register_profile('ci', max_examples=100, derandomize=IS_CI)
settings.register_profile('deep', max_examples=5000)
settings.load_profile('usual')

# After 700 or 2,000 new objects Python looks for garbage among the youngest, which takes long and finds little. The
# others are collected after YOUNG_COLLECTIONS such looks, before the next test, when few are in use; in the course of a
# test, later.
YOUNG_OBJECTS, YOUNG_COLLECTIONS = 7000, 10
gc.set_threshold(YOUNG_OBJECTS, 10 * YOUNG_COLLECTIONS)

tag_what_rests()
construct_cheaply()


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
    if gc.get_count()[1] > YOUNG_COLLECTIONS:
        collect()  # here, where pytest has let go of what the test before had
    yield
    _EXCHANGES.clear()
    ignored = [warning for mark in request.node.iter_markers('filterwarnings') for warning in mark.args]
    if any('PytestUnraisableExceptionWarning' in warning for warning in ignored):
        collect()


def collect():
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
