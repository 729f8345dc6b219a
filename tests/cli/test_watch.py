"""What ``ccxt-mmp status --watch`` draws until it is interrupted."""

import re
import signal
import time
from contextlib import contextmanager

import pytest

from ccxt_mmp.cli import commands, watching
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.simulator import Rule
from tests.cli.books import ALL

PATIENCE = 30  # s


@pytest.fixture
def watched(monkeypatch):
    """What is drawn while a command watches. It is interrupted when what was drawn is enough."""
    pictures, outcomes = [], []

    def until(enough, *, is_terminal):
        class Fake:
            @contextmanager
            def live(self):
                yield draw

        ends = time.monotonic() + PATIENCE

        def draw(shown):
            pictures.append((shown.rows, [*shown.below]))
            is_enough = enough(pictures)
            if is_enough or time.monotonic() > ends:
                outcomes.append(bool(is_enough))
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(watching, 'screen', Fake)
        monkeypatch.setattr(commands, 'is_terminal', lambda *_: is_terminal)
        return pictures

    monkeypatch.setattr(watching, 'TICK', 0.05)
    yield until
    assert outcomes[:1] == [True], f'not within {PATIENCE} s: {pictures[-1:]}'


def polls(simulator):
    return [request for request in simulator.requests if request.path.endswith('mmp-config')]


def test_status_is_watched_until_it_is_interrupted(simulator, ccxt_mmp_command, watched):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 50_000, '1'))
    simulator.trip('okx', 'BTC-USD')

    def is_enough(pictures):
        return len(pictures) > 8 and len(polls(simulator)) > 1

    pictures = watched(is_enough, is_terminal=True)
    status, out, err = ccxt_mmp_command('status', 'okx:BTC/USD', 'kraken:BTC', '--watch', '0.3')
    answered = [rows for rows, _ in pictures if rows[0][3] != 'unknown']  # a first one may come before the answer
    left = [float(rows[0][4].removesuffix(' s')) for rows in answered]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1]
    assert {(rows[0][3], rows[1][3]) for rows in answered} == {('FROZEN', 'failed')}
    assert all(re.match('kraken:BTC: BadSymbol', note) for _, [note] in pictures)
    assert 1 < len(polls(simulator)) < len(pictures)  # and not once for each picture
    assert (status, out, err) == (1, '', '')


def test_status_that_nobody_sees_is_written_when_it_is_new(simulator, ccxt_mmp_command, watched):
    pictures = watched(lambda pictures: len(pictures) == 3, is_terminal=False)
    status, _, err = ccxt_mmp_command('status', 'okx:BTC/USD', 'kraken:BTC', '--watch', '0.2')
    assert len(pictures) == 3
    assert err.count('ccxt-mmp: kraken:BTC: BadSymbol') >= 3
    assert {(*notes,) for _, notes in pictures} == {()}
    assert status == 1


def test_exchange_that_is_slow_holds_up_no_other(simulator, ccxt_mmp_command, watched):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.fault('delay', '/eapi/v1/mmp', milliseconds=60_000, times=99)

    def is_enough(pictures):
        return pictures[-1][0][0][3] == 'armed' and len(polls(simulator)) > 2

    pictures = watched(is_enough, is_terminal=True)
    status, _, _ = ccxt_mmp_command('status', *ALL, '--watch', '0.1')
    assert len(polls(simulator)) > 2
    assert [cells[3] for cells in pictures[-1][0]] == ['armed', 'unknown', 'off', 'off']
    assert status == 1  # one was never seen


def test_state_that_is_old_is_said_to_be(simulator, ccxt_mmp_command, watched, monkeypatch):
    monkeypatch.setattr(watching, 'OLD', 0.2)
    simulator.set_rule('okx', 'BTC-USD')
    delayed = []

    def is_enough(pictures):
        rows, notes = pictures[-1]
        if rows[0][3] == 'armed' and not delayed:
            delayed.append(len(pictures))
            simulator.fault('delay', milliseconds=60_000, times=99)
        return bool(delayed and notes and 'as it was' in notes[-1])

    pictures = watched(is_enough, is_terminal=True)
    assert ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '0.1', '--timeout', '500ms')[0] == 0
    assert pictures[0][1] == []
    assert re.fullmatch(r'okx:BTC/USD: as it was \d+ s ago', pictures[-1][1][-1])


def test_state_is_old_after_two_intervals_and_a_second():
    command = commands.Command(parsed(['status', 'okx:BTC/USD', '--watch', '0.5']))
    [result] = command.results
    for age, is_old in ((1.5, False), (2.5, True)):
        result.seen = time.monotonic() - age
        assert bool(watching._notes(command, 0.5)) is is_old
