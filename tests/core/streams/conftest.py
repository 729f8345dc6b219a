import pytest

import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from tests.core.streams.watching import Watcher

WATCHED = [each for each in EXCHANGES if getattr(ccxt_mmp.pro, each)().has['watchMmp']]


@pytest.fixture(params=WATCHED)
def exchange_id(request):
    return request.param


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
def deribit(simulator):
    return Watcher(simulator, 'deribit')


@pytest.fixture(params=['okx', 'deribit'])
def pushed(request, simulator):
    """One whose exchange pushes trips, and lists all rules at once."""
    return Watcher(simulator, request.param)


@pytest.fixture
def binance(simulator):
    return Watcher(simulator, 'binance')
