"""docs/cookbook.md: what its functions do when something is wrong, which a run of the page does not show."""

import asyncio
import os
import signal
import threading
import time

import pytest

import ccxt_mmp
from ccxt_mmp import pro
from ccxt_mmp.simulator import Rule
from tests.documents import ROOT, blocks, doors, run  # noqa: F401 - a fixture

PAGE = ROOT / 'docs' / 'cookbook.md'
LOOP, FREEZE, CERTAIN, ASYNC_STOP, SYNC_STOP, *_ = blocks(PAGE, 'python')
STOPS = pytest.mark.parametrize('code', [ASYNC_STOP, SYNC_STOP], ids=['async', 'sync'])
UNTIL_RESET = Rule(5000, 0, '10')


def frozen(simulator, rule):
    """Where a protection has tripped."""
    simulator.clear()
    simulator.set_rule('okx', 'BTC/USD', rule)
    simulator.trip('okx', 'BTC/USD')
    return simulator.connect(ccxt_mmp.okx, enableRateLimit=False)


def resets(simulator):
    return [request for request in simulator.requests if request.path.endswith('mmp-reset')]


def test_sync_bot_resets_what_only_a_reset_ends(doors, simulator, monkeypatch):  # noqa: F811
    wait_or_reset = run(FREEZE, PAGE)['wait_or_reset']
    monkeypatch.setattr(time, 'sleep', lambda seconds: None)
    exchange = frozen(simulator, UNTIL_RESET)
    wait_or_reset(exchange, 'BTC/USD')
    assert len(resets(simulator)) == 1
    assert exchange.fetch_mmp('BTC/USD')['frozen'] is False


@pytest.mark.parametrize('failures', [0, 1])
def test_sync_bot_waits_for_what_ends_by_itself(doors, simulator, monkeypatch, failures):  # noqa: F811
    wait_or_reset = run(FREEZE, PAGE)['wait_or_reset']
    monkeypatch.setattr(time, 'sleep', lambda seconds: simulator.advance(int(seconds * 1000)))
    exchange = frozen(simulator, Rule(5000, 2000, '10'))
    if failures:
        simulator.fault('status', 'mmp-config', status=429)
    wait_or_reset(exchange, 'BTC/USD')
    assert resets(simulator) == []


def test_async_bot_goes_on_after_a_lock(doors, simulator, monkeypatch):  # noqa: F811
    quote = run(LOOP, PAGE)['quote']
    monkeypatch.setattr(asyncio, 'sleep', lambda *_, sleep=asyncio.sleep: simulator.advance(10_001) or sleep(0))

    async def trade():
        async with simulator.connect(pro.okx, enableRateLimit=False) as exchange:
            symbol = next(each for each in await exchange.load_markets() if each.startswith('BTC/USD:BTC-'))
            await exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 10_000})
            may_quote = asyncio.Event()
            may_quote.set()
            await quote(exchange, symbol, may_quote, rounds=2)

    asyncio.run(trade())
    assert len(simulator.resting('okx', 'BTC/USD')) == 1


def test_reset_whose_answer_is_lost_is_looked_up_and_not_repeated(doors, simulator, monkeypatch):  # noqa: F811
    names = run(LOOP.replace('frozenTime=2000', 'frozenTime=100'), PAGE)
    monkeypatch.setattr(asyncio, 'sleep', lambda *_, sleep=asyncio.sleep: sleep(0))
    frozen(simulator, UNTIL_RESET)
    simulator.fault('drop_after', 'mmp-reset')

    async def reset():
        async with simulator.connect(pro.okx, enableRateLimit=False) as exchange:
            await names['reset'](exchange, 'BTC/USD')

    asyncio.run(reset())
    assert len(resets(simulator)) == 1


@pytest.mark.parametrize('failures', [1, 3])
def test_cancel_is_tried_until_it_is_certain(doors, simulator, failures):  # noqa: F811
    cancel_for_certain = run(CERTAIN, PAGE)['cancel_for_certain']
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)
    simulator.fault('status', 'mass-cancel', times=3 * failures)  # one and two repetitions of each
    if failures < 3:
        assert cancel_for_certain(exchange, 'BTC/USD')['underlyingId'] == 'BTC-USD'
    else:
        with pytest.raises(ccxt_mmp.errors.NetworkError):
            cancel_for_certain(exchange, 'BTC/USD')


def orders(simulator):
    return [request for request in simulator.requests if request.path.endswith('batch-orders')]


def signalled(simulator, *steps):
    """A thread that waits until each condition holds, and sends its signal to this process."""

    def send():
        for number, holds in steps:
            deadline = time.monotonic() + 30
            while not holds():
                if time.monotonic() > deadline:
                    return
                time.sleep(0.001)
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.fixture
def soon(monkeypatch):
    """A mass cancel waits a shorter time for an order that may still be on its way."""
    for module in ('fence', 'requests'):
        monkeypatch.setattr(f'ccxt_mmp.core.{module}.GRACE', 0.3)


@STOPS
@pytest.mark.parametrize('first', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('where', ['between orders', 'in an order'])
def test_signal_ends_the_bot_with_nothing_resting(doors, simulator, capsys, soon, code, first, where):  # noqa: F811
    """A second Ctrl-C, while the mass cancel waits for its answer, aborts nothing."""
    simulator.fault('delay', 'mass-cancel', milliseconds=200)
    if where == 'in an order':
        simulator.fault('hold', 'batch-orders', milliseconds=100)
    thread = signalled(
        simulator,
        (
            first,
            lambda: len(simulator._faults) == 1 and (where == 'in an order' or simulator.resting('okx', 'BTC/USD')),
        ),
        (signal.SIGINT, lambda: not simulator._faults),
    )
    run(code.replace('rounds=3', 'rounds=10**6').replace('0.1', '0.2'), PAGE)
    thread.join()
    assert capsys.readouterr().out == 'was stopped\n'
    assert len(orders(simulator)) == 1
    assert simulator.requests[-1].path.endswith('mass-cancel')
    assert simulator.resting('okx', 'BTC/USD') == []


@STOPS
def test_exception_ends_the_bot_with_nothing_resting(doors, simulator, code):  # noqa: F811
    """Ctrl-C while the mass cancel waits for its answer aborts nothing."""
    simulator.fault('delay', 'mass-cancel', milliseconds=300)
    thread = signalled(simulator, (signal.SIGINT, lambda: not simulator._faults))
    code = code.replace('rounds=3', 'rounds=None').replace('range(rounds)', 'fail_in_the_second()')
    code = code.replace('import signal\n', 'import signal\nfrom tests.test_cookbook import fail_in_the_second\n')
    with pytest.raises(ZeroDivisionError):
        run(code, PAGE)
    thread.join()
    assert len(orders(simulator)) == 1
    assert simulator.resting('okx', 'BTC/USD') == []


def fail_in_the_second():
    yield 1
    yield 1 / 0
