"""A clock of this machine that is set back: a thaw is told at its time, and orders are refused no longer."""

from types import SimpleNamespace

import pytest
from ccxt.base.errors import ExchangeNotAvailable

from ccxt_mmp import MmpFrozen
from ccxt_mmp.core import watching
from ccxt_mmp.core.protection_state import LATER
from ccxt_mmp.core.watched import Watched
from tests.core.fencing import until
from tests.core.streams.watching import FROZEN_TIME

HOUR = 3_600_000  # ms


@pytest.fixture(autouse=True)
def streaming(watcher, monkeypatch):
    if not watcher.has_stream:
        pytest.skip('a trip is known by a poll alone')
    # it goes forward with the simulator, whatever the exchange's own clock does
    monkeypatch.setattr(watching, 'time', SimpleNamespace(monotonic=lambda: watcher.simulator.now() / 1000))


def set_back(watcher, exchange):
    """Set the clock back, but for what is signed: no exchange would answer that."""
    reading, now = exchange._read_mmps, watcher.simulator.now

    async def read(ids):
        exchange.milliseconds = now
        try:
            return await reading(ids)
        finally:
            exchange.milliseconds = lambda: now() - HOUR

    exchange._read_mmps, exchange.milliseconds = read, lambda: now() - HOUR


async def frozen(watcher):
    task = await watcher.waiting(watcher.watch(pollInterval=0))
    assert (await watcher.tripped(task))['frozen'] is True


@pytest.mark.parametrize('is_before', [False, True])
def test_thaw_is_told_at_its_time_though_the_clock_was_set_back(watcher, is_before):
    async def main(exchange):
        watcher.set_rule()
        await watcher.watch(pollInterval=0)
        if is_before:
            set_back(watcher, exchange)
        await frozen(watcher)
        task = await watcher.waiting(watcher.watch(pollInterval=0))
        await until(lambda: watcher.simulator.sleepers)
        if not is_before:
            set_back(watcher, exchange)
        before = len(watcher.reads)
        watcher.simulator.advance(FROZEN_TIME // 2)
        with pytest.raises(MmpFrozen):
            exchange._refuse_in_freeze(watcher.underlying)
        assert (len(watcher.reads), task.done()) == (before, False)
        watcher.simulator.advance(FROZEN_TIME // 2)
        assert (await task)['frozen'] is False
        assert len(watcher.reads) == before + 1
        exchange._refuse_in_freeze(watcher.underlying)

    watcher.run(main)


def test_orders_are_refused_no_longer_than_a_freeze_can_last_though_no_read_tells_of_its_end(watcher):
    async def fail(ids):
        raise ExchangeNotAvailable('no answer')

    async def main(exchange):
        watcher.set_rule()
        await watcher.watch(pollInterval=0)
        await frozen(watcher)
        set_back(watcher, exchange)
        exchange._read_mmps = fail
        watcher.simulator.advance(FROZEN_TIME - LATER)
        with pytest.raises(MmpFrozen):
            exchange._refuse_in_freeze(watcher.underlying)
        watcher.simulator.advance(2 * LATER + 1)
        exchange._refuse_in_freeze(watcher.underlying)
        # once it is known again that it is frozen, they are refused again
        each = exchange._mmp_watched.watched[watcher.underlying]
        answer = {**each.known.state, 'frozenUntil': exchange.milliseconds() + HOUR}
        exchange._mmp_watched._tell(each, lambda known: known.read(known.ask(), answer, 0, exchange.milliseconds()))
        with pytest.raises(MmpFrozen):
            exchange._refuse_in_freeze(watcher.underlying)

    watcher.run(main)


def test_clock_that_wobbles_was_not_set_back(okx):
    async def main(exchange):
        await okx.watch()
        seen, monotonic = exchange._mmp_watched, watching.time.monotonic
        at = okx.simulator.now()
        watching.time.monotonic = lambda: at / 1000
        exchange.nonce = lambda: at
        each = seen.watched[okx.underlying]
        seen._now()
        each.not_before = at
        exchange.nonce = lambda: at - watching.SET_BACK
        seen._now()
        assert each.not_before == at
        exchange.nonce = lambda: at - watching.SET_BACK - 10  # in two steps
        assert seen._now() == at - watching.SET_BACK - 10
        assert each.not_before == pytest.approx(at - watching.SET_BACK - 10, abs=1)
        seen._now()
        assert each.not_before == pytest.approx(at - watching.SET_BACK - 10, abs=1)  # once
        exchange.nonce = okx.simulator.now
        watching.time.monotonic = monotonic

    okx.run(main)


def test_what_is_due_comes_earlier_by_what_the_clock_was_set_back(okx):
    each = Watched('BTC-USD', {})
    each.not_before = 1000
    each.hasten(300)
    assert (each.not_before, each.wanted_at) == (700, None)
    each.wanted_at = 900
    each.hasten(300)
    assert (each.not_before, each.wanted_at) == (400, 600)


def test_rule_that_is_shorter_lets_no_order_into_a_freeze_that_stands(watcher):
    """The exchange keeps the end that it has told; another program has changed the rule since."""

    async def main(exchange):
        watcher.set_rule()
        await watcher.watch(pollInterval=0)
        await frozen(watcher)
        watcher.set_rule(frozen_time=1000)
        exchange._mmp_watched.unreadable()  # it is read
        each = exchange._mmp_watched.watched[watcher.underlying]
        await until(lambda: each.known.state['frozenTime'] == 1000)
        if each.known.until is None or each.known.until < exchange.nonce() + FROZEN_TIME / 2:
            pytest.skip('its end is computed with the rule that stands')
        watcher.simulator.advance(10_000)
        with pytest.raises(MmpFrozen):
            exchange._refuse_in_freeze(watcher.underlying)

    watcher.run(main)
