"""The fixture ``mmp_simulator`` for the tests of a bot, found by pytest wherever ccxt-mmp is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ccxt_mmp.simulator import Simulator


@pytest.fixture
def mmp_simulator() -> 'Iterator[Simulator]':
    """A running simulator of OKX's and Binance's options; a request that it does not know fails the test."""
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - no test without the fixture pays for the web server

    with Simulator() as simulator:
        yield simulator
