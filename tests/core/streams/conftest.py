import pytest

from ccxt_mmp.simulator import Simulator
from tests.core.streams.watching import Watcher


@pytest.fixture
def simulator():
    with Simulator(enforce_limits=False) as simulator:
        yield simulator


@pytest.fixture
def watcher(simulator, exchange_id):
    return Watcher(simulator, exchange_id)


@pytest.fixture
def okx(simulator):
    return Watcher(simulator, 'okx')


@pytest.fixture
def binance(simulator):
    return Watcher(simulator, 'binance')
