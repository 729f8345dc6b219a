"""How protections are written for people and for programs."""

import sys

import pytest

from ccxt_mmp.cli import commands, screens
from ccxt_mmp.cli.output import is_terminal, say
from ccxt_mmp.cli.report import Result, duration, row
from ccxt_mmp.cli.screens import Plain, Rich
from ccxt_mmp.cli.targets import Target
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.types import MmpState

STATE = {**dict.fromkeys(MmpState.__required_keys__), 'scope': 'orders', 'underlying': 'BTC/USD:BTC'}
TARGET = Target.parsed('okx:BTC/USD')


@pytest.mark.parametrize(
    ('known', 'state', 'time_left'),
    [
        ({'enabled': True, 'frozen': False}, 'armed', '-'),
        ({'enabled': None, 'frozen': False}, 'not frozen', '-'),
        ({'enabled': False, 'frozen': None}, 'off', '-'),
        ({'enabled': True, 'frozen': None}, 'unknown', '-'),
        ({'enabled': None, 'frozen': None}, 'unknown', '-'),
        ({'enabled': True, 'frozen': True, 'frozenUntil': 1_065_000}, 'FROZEN', '1:05'),
        ({'enabled': True, 'frozen': True, 'frozenUntil': 1_000_050}, 'FROZEN', '0.1 s'),
        ({'enabled': True, 'frozen': True, 'frozenUntil': 999_000}, 'FROZEN', '0.0 s'),
        ({'enabled': True, 'frozen': True, 'frozenTime': 0}, 'FROZEN', 'until reset'),
        ({'enabled': True, 'frozen': True, 'frozenTime': 2000}, 'FROZEN', '-'),
    ],
)
def test_states_are_words_and_what_is_not_known_is_none(known, state, time_left):
    assert row(TARGET, {**STATE, **known}, 1_000_000)[3:5] == [state, time_left]


@pytest.mark.parametrize(
    ('milliseconds', 'text'), [(0, '0.0 s'), (59_940, '59.9 s'), (60_000, '1:00'), (3_661_000, '1:01:01')]
)
def test_durations(milliseconds, text):
    assert duration(milliseconds) == text


def test_plain_table_changes_in_place(capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '60')
    monkeypatch.setattr(screens, 'is_terminal', lambda _: True)
    with Plain().live() as draw:
        draw([row(TARGET, None, 0)], ['a note ' * 10])
        draw([row(TARGET, {**STATE, 'frozen': True}, 0)], [])
    first, second = capsys.readouterr().out.split('\x1b[4F\x1b[J')
    assert [len(line) <= 59 for line in (first + second).splitlines()] == [True] * 6
    assert ' '.join(first.splitlines()[2:]) == ('a note ' * 10).strip()
    assert 'FROZEN' in second


def test_plain_table_in_a_file_is_written_again(capsys):
    with Plain().live() as draw:
        draw([row(TARGET, None, 0)], [])
        draw([row(TARGET, None, 0)], ['a note'])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ['EXCHANGE', 'okx'] * 2 + ['a']


def test_rich_table_reads_without_colour_too(capsys):
    pytest.importorskip('rich')
    rows = [row(TARGET, {**STATE, 'frozen': True}, 0), row(TARGET, None, 0, is_failed=True)]
    shown = Rich()
    shown.table(rows, 'before')
    with shown.live() as draw:
        draw(rows, ['a note'])
    out = capsys.readouterr().out
    assert out.count('FROZEN') == out.count('failed') == 2
    assert 'a note' in out


def test_screen_is_what_is_there(monkeypatch):
    assert type(screens.screen()) is Plain
    monkeypatch.setattr(screens, 'is_terminal', lambda _: True)
    assert type(screens.screen()) is Rich
    monkeypatch.setitem(sys.modules, 'rich.console', None)
    assert type(screens.screen()) is Plain


def test_stream_that_was_closed_before_the_beginning_is_no_terminal_and_takes_anything():
    say('nobody reads it', None)
    assert not is_terminal(None)


def test_incomplete_cancel_is_told_with_its_orders():
    error = MassCancelIncomplete('incomplete', ['1'], ['2'], ['3'])
    [told] = commands.document([Result(TARGET, error=error, message='in one line')])
    assert told['error'] == {
        'type': 'MassCancelIncomplete',
        'message': 'in one line',
        'cancelled': ['1'],
        'remaining': ['2'],
        'unknown': ['3'],
    }
