"""A mass cancel needs no markets, so the tests of it load none."""

import pytest


@pytest.fixture
def exchange(flavour, simulator, exchange_id):
    return flavour.exchange(exchange_id, simulator.url)
