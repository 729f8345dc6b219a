"""The shortest of stream soaks, and whether its judge would notice; ``python -m tests.stream_soak`` takes longer."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.stream_soak import __main__ as command
from tests.stream_soak import judge as judging
from tests.stream_soak.bot import Consumer
from tests.stream_soak.judge import WATCHED, Judge, Truth

SECONDS = 1


def test_each_trip_and_each_thaw_is_told_once_whatever_breaks():
    for times in (1, 2, 4, 40):  # a busy machine takes longer
        judge = lived(times * SECONDS)
        assert judge.violations == []
        if has_met_all(judge):
            break
    assert has_met_all(judge)


def lived(seconds):
    judge = Judge(seconds, seed=1, every=0.1)
    asyncio.run(judge.live())
    return judge


def has_met_all(judge):
    is_eventful = judge.events.total() > 3 and judge.weather.faults.total() > 3
    return is_eventful and judge.met['accepted'] > 0 and judge.met['cancelled'] > 0


def test_report_and_exit_status_tell_of_violations(capsys, monkeypatch):
    class Lived(Judge):
        async def live(self):
            self.memory.append((0, 2**20))
            self.tell(0.5)
            self.violate('an example')

    monkeypatch.setattr(command, 'Judge', Lived)
    assert command.main(['--minutes', '0.5', '--seed', '1', '--exchanges', WATCHED[0]]) == 1
    printed = capsys.readouterr().out
    assert 'VIOLATION: an example' in printed
    assert '1 violations' in printed


def test_unknown_exchange_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(['--exchanges', 'nowhere'])
    assert 'exchanges are okx' in capsys.readouterr().err


@pytest.fixture
def judge():
    judge = Judge(1, seed=1)
    judge.truths['okx', 'BTC-USD'] = Truth('okx', 'BTC-USD', 0)
    return judge


@pytest.fixture
def consumer(judge):
    consumer = Consumer('okx1 0', 'okx', ['BTC-USD'])
    judge.bots.append(SimpleNamespace(consumers=[consumer], exchange=SimpleNamespace(id='okx')))
    judge.told(consumer, state())
    assert judge.violations == []
    return consumer


def state(frozen=False, limit=judging.LEAST_LIMIT):
    return {'underlyingId': 'BTC-USD', 'frozen': frozen, 'qtyLimit': float(limit)}


def test_change_that_is_told_twice_is_a_violation(judge, consumer):
    [truth] = judge.truths.values()
    judge.expect(truth, is_frozen=True)
    judge.told(consumer, state(frozen=True))
    assert judge.violations == []
    judge.told(consumer, state(frozen=True))
    assert 'a change of BTC-USD that was none' in judge.violations[0]


def test_change_that_is_missed_is_a_violation(judge, consumer, monkeypatch):
    monkeypatch.setattr(judging, 'PATIENCE', 0.01)
    [truth] = judge.truths.values()
    judge.expect(truth, is_frozen=True)
    assert asyncio.run(judge.until_all_know()) is False
    judge.tell_who_missed('trip')
    assert 'was not told of trip' in judge.violations[0]
    for is_frozen in (False, True):
        judge.expect(truth, is_frozen=is_frozen)
    judge.told(consumer, state(frozen=True))
    assert 'was not told of 1 changes' in judge.violations[1]


@pytest.mark.parametrize('told', [state(frozen=True), state(frozen=None), state(limit=5)])
def test_state_that_is_not_so_is_a_violation(judge, consumer, told):
    [truth] = judge.truths.values()
    judge.expect(truth)
    judge.told(consumer, told)
    assert 'what is not so' in judge.violations[0]


def test_order_in_a_freeze_that_the_object_knows_of_is_a_violation(monkeypatch):
    """And a task that is left."""
    monkeypatch.setattr(judging, 'PATIENCE', 5)

    async def main():
        judge = Judge(0, seed=1, exchanges=['okx'])
        renew = judge.remove_bot

        async def keep_a_task(bot):
            await renew(bot)
            monkeypatch.setattr(judging, 'PATIENCE', 0.05)
            judge.kept = asyncio.ensure_future(asyncio.sleep(60))

        judge.remove_bot = keep_a_task
        look = judge.weather.clear

        def send():
            bot = judge.bots[0]
            bot.exchange._refuse_in_freeze = lambda underlying_id: None
            bot.placing = bot.underlyings[0]
            bot.exchange._mmp_watched.watched[bot.placing].known._state['frozen'] = True
            bot.look_at_url('https://www.okx.com/api/v5/trade/batch-orders?x=1')
            bot.look_at_frame({'op': 'batch-orders'})
            bot.look_at_url('https://www.okx.com/api/v5/account/mmp-config')
            look()

        judge.weather.clear = send
        await judge.live()
        judge.kept.cancel()
        return judge

    judge = asyncio.run(main())
    assert len([each for each in judge.violations if 'in a freeze that it knows of' in each]) >= 2
    assert 'tasks are left at the end' in judge.violations[-1]
