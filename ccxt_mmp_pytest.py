"""The fixture ``mmp_simulator`` for the tests of a bot, found by pytest wherever ccxt-mmp is installed.

A module outside the package, whose import brings ccxt: pytest imports this one in every run.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ccxt_mmp.simulator import Simulator


@pytest.fixture
def mmp_simulator() -> 'Iterator[Simulator]':
    """A running simulator of OKX's and Binance's options; a request that it does not know fails the test."""
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - see above

    with Simulator() as simulator:
        yield simulator
