"""What spares the tests of the core the seconds that are not what they test."""

import pytest

SHORT_GRACE = 0.02  # s


@pytest.fixture
def short_grace(monkeypatch):
    """An order may still arrive for so long after its answer was given up, and not for a whole second."""
    for module in ('fence', 'requests'):
        monkeypatch.setattr(f'ccxt_mmp.core.{module}.GRACE', SHORT_GRACE)
    return SHORT_GRACE
