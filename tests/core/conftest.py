"""An exchange at the simulator with its markets, once for each exchange and flavour."""

import pytest

from ccxt_mmp.registry import EXCHANGES
from tests.trading import UNDERLYING, symbols, with_markets


@pytest.fixture(params=EXCHANGES)
def exchange_id(request):
    return request.param


@pytest.fixture
def exchange(flavour, simulator, exchange_id):
    return with_markets(flavour.exchange(exchange_id, simulator.url))


@pytest.fixture
def quoted(exchange, exchange_id):
    """The options that are quoted."""
    return symbols(exchange, UNDERLYING[exchange_id])
