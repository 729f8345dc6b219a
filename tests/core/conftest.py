"""An exchange at the simulator with its markets, and what spares tests the seconds that are not what they test."""

import pytest

from ccxt_mmp.registry import EXCHANGES
from tests.core.mass_cancel.cancelling import sleep_by_the_clock
from tests.trading import UNDERLYING, symbols, with_markets


@pytest.fixture(params=EXCHANGES)
def exchange_id(request):
    return request.param


@pytest.fixture
def exchange(flavour, simulator, exchange_id):
    return with_markets(flavour.exchange(exchange_id, simulator.url))


@pytest.fixture
def nowhere(flavour):
    """An exchange of each id that is at no simulator: for rows that are refused, which leave it as it was."""
    return {exchange_id: flavour.exchange(exchange_id) for exchange_id in EXCHANGES}


@pytest.fixture
def quoted(exchange, exchange_id):
    """The options that are quoted."""
    return symbols(exchange, UNDERLYING[exchange_id])


@pytest.fixture
def set_grace(monkeypatch):
    """Sets how long an order may still arrive after its answer was given up, in place of a whole second."""

    def set_to(seconds):
        for module in ('fence', 'requests'):
            monkeypatch.setattr(f'ccxt_mmp.core.{module}.GRACE', seconds)
        return seconds

    return set_to


@pytest.fixture
def short_grace(set_grace):
    return set_grace(0.02)


@pytest.fixture
def slept(simulator, exchange, monkeypatch):
    """The seconds that the exchange slept, on the simulator's clock."""
    return sleep_by_the_clock(simulator, exchange, monkeypatch)
