"""How protections are written for people and for programs."""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios

import pytest

from ccxt_mmp.cli import commands, screens
from ccxt_mmp.cli.output import in_lines, is_terminal, say, width_of
from ccxt_mmp.cli.report import COLUMNS, Result, duration, row
from ccxt_mmp.cli.screens import Plain, Rich, Shown
from ccxt_mmp.cli.targets import Target
from ccxt_mmp.cli.verdicts import details
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
    assert row(Result(TARGET), {**STATE, **known}, 1_000_000)[3:5] == [state, time_left]


@pytest.mark.parametrize(
    ('milliseconds', 'text'), [(0, '0.0 s'), (59_940, '59.9 s'), (60_000, '1:00'), (3_661_000, '1:01:01')]
)
def test_durations(milliseconds, text):
    assert duration(milliseconds) == text


def shown(*rows, **others):
    return Shown(COLUMNS, [row(Result(TARGET), state, 0) for state in rows], **others)


FROZEN = {**STATE, 'frozen': True}


@pytest.fixture(params=['plain', 'rich'])
def drawing(request, monkeypatch):
    """A screen on a terminal of 60 columns and 24 lines."""
    monkeypatch.setenv('COLUMNS', '60')
    monkeypatch.setenv('LINES', '24')
    monkeypatch.setenv('TERM', 'dumb')  # no colour
    monkeypatch.setattr(screens, 'is_terminal', lambda _: True)
    if request.param == 'rich':
        pytest.importorskip('rich')
        return Rich
    return Plain


def test_table_changes_in_place(capsys, drawing):
    with drawing().live() as draw:
        draw(shown(None, below=['a note ' * 10]))
        draw(shown(FROZEN, above=['HALTED']))
    first, second = capsys.readouterr().out.split('\x1b[4F')
    lines = [line.removesuffix('\x1b[K') for line in (first + second).splitlines()]
    assert all(len(line) <= 59 for line in lines)
    assert ' '.join(lines[2:4]) == ('a note ' * 10).strip()
    assert second.startswith('HALTED\x1b[K\nEXCHANGE')
    assert 'FROZEN' in second
    assert second.endswith('\n\x1b[J')


def test_low_terminal_keeps_what_is_frozen_and_leaves_out_notes(capsys, drawing, monkeypatch):
    monkeypatch.setenv('LINES', '6')
    with drawing().live() as draw:
        draw(shown(*[STATE] * 9, FROZEN, above=['HALTED'], below=['a note']))
    lines = [line.removesuffix('\x1b[K') for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == 'HALTED'
    assert 'FROZEN' in lines[2]
    assert len(lines[:-1]) == 5
    assert re.fullmatch(r'And \d more: \d unknown\.', lines[-2])


def test_table_in_a_file_is_written_again(capsys):
    with Plain().live() as draw:
        draw(shown(None))
        draw(shown(None, below=['a note']))
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ['EXCHANGE', 'okx'] * 2 + ['a']


def test_state_is_in_colour_with_rich(capsys, monkeypatch):
    console = pytest.importorskip('rich.console')
    drawing = Rich(console.Console(force_terminal=True, color_system='standard', width=100))
    drawing.table(shown(FROZEN), 'before')
    drawing.headline('NOT CERTAIN', 'bold red')
    out = capsys.readouterr().out
    assert '\x1b[1;31mFROZEN\x1b[0m' in out
    assert '\x1b[1;31mNOT CERTAIN\x1b[0m' in out


def test_screen_is_what_is_there(monkeypatch):
    assert type(screens.screen()) is Plain
    monkeypatch.setattr(screens, 'is_terminal', lambda _: True)
    assert type(screens.screen()) is Rich
    monkeypatch.setitem(sys.modules, 'rich.console', None)
    assert type(screens.screen()) is Plain


def test_stream_that_was_closed_before_the_beginning_is_no_terminal_and_takes_anything():
    say('nobody reads it', None)
    assert not is_terminal(None)


def test_message_breaks_between_words_on_a_terminal(monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('COLUMNS', raising=False)
    end, inner = pty.openpty()
    with open(inner, 'w', encoding='utf-8') as terminal:  # noqa: PTH123
        for columns in (20, 60):
            fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
            assert width_of(terminal) == columns
            assert max(map(len, in_lines('a message of words ' * 9, terminal).splitlines())) < columns
        monkeypatch.setenv('COLUMNS', '9' * 3)
        assert in_lines('a message of words ' * 9, terminal).count('\n') == 0
    os.close(end)


def test_width_that_nobody_knows(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('COLUMNS', raising=False)
    assert width_of(Terminal()) is None  # it has no fileno()
    assert in_lines('a message ' * 99, Terminal()) == 'a message ' * 99


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


def test_orders_of_which_nothing_is_certain_are_told():
    error = MassCancelIncomplete('incomplete', [], ['1', *'abcdef'], ['3'])
    result = Result(TARGET, error=error, contracts={'1': 'BTC-1'})
    assert details(result) == (
        'okx:BTC/USD: NOT CERTAIN: 7 orders left: BTC-1 1, a, b, c, d, and 2 more; 1 order not known: 3'
    )
