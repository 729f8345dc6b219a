import pytest

from tests.core.mass_cancel.cancelling import sleep_by_the_clock
from tests.exchanges.bybit_orders import COIN
from tests.trading import markets, symbols


@pytest.fixture
def bybit(flavour, simulator):
    return flavour.exchange('bybit', simulator.url)


@pytest.fixture
def slept(simulator, bybit, monkeypatch):
    """The seconds that the exchange slept, on the simulator's clock."""
    return sleep_by_the_clock(simulator, bybit, monkeypatch)


@pytest.fixture
def option(bybit):
    bybit.set_markets(markets('bybit'))
    return symbols(bybit, COIN)[0]
