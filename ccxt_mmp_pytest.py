"""The fixture ``mmp_simulator`` for the tests of a bot, found by pytest wherever ccxt-mmp is installed.

A module outside the package, whose import brings ccxt: pytest imports this one in every run.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ccxt_mmp.simulator import Simulator

PREFIX = 'mmp_simulator_'
TRUTHS = {'true': True, '1': True, 'yes': True, 'on': True, 'false': False, '0': False, 'no': False, 'off': False}
OPTIONS = {  # of Simulator
    'unknown': 'fail or ignore: what comes of a request that the simulator does not know',
    'latency': 'ms by which every answer is late',
    'log_size': 'how many requests are kept',
    'enforce_limits': 'true or false: refuse what is beyond the documented rate limits',
    'trigger': 'reach or exceed: when a sum of fills trips a protection',
    'reset_clears_last_trigger': "true or false: whether a reset clears the time of Binance's last trigger",
    'set_ends_freeze': 'true or false: whether setting a rule ends a freeze',
    'stream_form': "object or list: the form of Binance's ORDER_TRADE_UPDATE",
    'instruments': "new or old: how orders over OKX's websocket name an option",
    'frozen_orders': 'refuse or reject: what becomes of an MMP order of Bybit in a freeze',
    'processing_time': 'ms after which an acknowledged cancellation of Bybit takes effect',
    'reverse_batch_cancels': 'true or false: whether Binance answers a batch of cancellations from its last item',
}
INTEGERS = ('latency', 'log_size', 'processing_time')
TEXTS = ('unknown', 'trigger', 'stream_form', 'instruments', 'frozen_orders')


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, meaning in OPTIONS.items():
        parser.addini(PREFIX + name, f'{meaning} (the fixture mmp_simulator)', type='string', default='')


@pytest.fixture
def mmp_simulator(pytestconfig: pytest.Config) -> 'Iterator[Simulator]':
    """A running simulator of the exchanges; a request that it does not know fails the test.

    Its options are in pytest's ini file, ``mmp_simulator_unknown = ignore``, ``mmp_simulator_latency = 20``.
    """
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - see above

    given = {name: str(pytestconfig.getini(PREFIX + name)).strip() for name in OPTIONS}
    options: dict[str, Any] = {name: _read(name, text) for name, text in given.items() if text}
    with Simulator(**options) as simulator:
        yield simulator


def _read(name: str, text: str) -> str | int | bool:
    if name in TEXTS:
        return text
    if name in INTEGERS and text.isascii() and text.isdigit():
        return int(text)
    if name not in INTEGERS and text.lower() in TRUTHS:
        return TRUTHS[text.lower()]
    raise pytest.UsageError(f'{PREFIX}{name} = {text}: {OPTIONS[name]}')
