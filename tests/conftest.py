import asyncio
import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator, redirect
from tests.recording import is_recordable

# CI tries the same examples in every run; a run by hand tries new ones, and many with --hypothesis-profile=deep
settings.register_profile('ci', derandomize=True)
settings.register_profile('deep', max_examples=5000)
if os.environ.get('CI'):
    settings.load_profile('ci')

# what a shell starts in the background has Ctrl-C ignored, and so would the processes that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)

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

    def disconnect(self):
        for exchange in self.opened:
            if self.loop is None:
                exchange.session.close()
            else:
                self.take(exchange.close())
        self.opened.clear()

    def close(self):
        self.disconnect()
        if self.loop is not None:
            self.loop.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Whole folders run in parallel; what is picked from them, or recorded, in this process. ``-n`` overrides it."""
    options = ('--record-mode', 'keyword', 'markexpr', 'lf', 'collectonly')
    is_picked = any(config.getoption(option, None) not in (None, 'none', '', False) for option in options)
    if is_picked or not all(Path(argument).is_dir() for argument in config.args):
        return 0
    if 'PYTEST_XDIST_AUTO_NUM_WORKERS' in os.environ:
        return None
    return min((os.cpu_count() or 1) * 3 // 2, 8)  # a third of the time the tests wait


# what one process prepares for all tests of a file takes long
TOGETHER = ('test_fault_matrix.py', 'test_packaging.py', 'test_pictures.py', 'test_typing.py')


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A test with all its parameters goes to one worker, and so does a file of those."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - may not be there

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition('::')[0]
            return file if file.endswith(TOGETHER) else nodeid.partition('[')[0]

    return Scheduling(config, log)


def pytest_collection_finish():
    """Coverage is of the processes that run tests, not of those that the tests start."""
    os.environ.pop('COVERAGE_PROCESS_CONFIG', None)


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
