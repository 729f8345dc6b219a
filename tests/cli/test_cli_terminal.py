"""The command line on a terminal, with rich and without it, within this process."""

import json
import re

import pytest

from ccxt_mmp.cli import demo, views
from ccxt_mmp.simulator import PASSPHRASE, SECRET, Rule
from tests.cli.books import SECTIONS
from tests.terminal import Here, interrupt


@pytest.fixture(params=[True, False], ids=['rich', 'plain'])
def with_rich(request):
    return request.param


@pytest.fixture
def terminal(monkeypatch, with_rich):
    return Here(monkeypatch, with_rich=with_rich)


@pytest.fixture
def frozen(simulator):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 600_000, '10'))
    simulator.trip('okx', 'BTC-USD')
    return simulator


def is_frozen(simulator):
    return simulator.protection('okx', 'BTC-USD').is_frozen(simulator.now())


def test_status_is_a_table_in_colour_with_rich(frozen, terminal, with_rich):
    terminal.run(['status', 'okx:BTC/USD', 'okx:rfq', '--simulator', frozen.url])
    assert re.search(r'okx +.*FROZEN.*10 contracts', terminal.text)
    assert re.search(r'rfq.* off ', terminal.text)
    assert ('\x1b[1;31m' in terminal.output) == with_rich
    assert terminal.status == 0


def test_status_as_json_is_the_same_everywhere(frozen, terminal):
    terminal.run(['status', 'okx:BTC/USD', '--json', '--simulator', frozen.url])
    assert json.loads(terminal.output)[0]['state']['frozen'] is True
    assert terminal.status == 0


def test_watching_changes_in_place_until_it_is_interrupted(frozen, terminal):
    terminal.run(
        ['status', 'okx:BTC/USD', '--watch', '0.1', '--simulator', frozen.url],
        (r'FROZEN\W+\d+:\d\d', lambda: frozen.advance(600_000)),
        ('armed', interrupt),
    )
    assert re.search(r'\x1b\[\d+[AF]', terminal.output)  # up again, not line after line
    assert terminal.text.lower().count('exchange') > 1
    assert terminal.status == 0


def test_watching_what_fails_is_no_success(frozen, terminal):
    terminal.run(
        ['status', 'okx:nonsense', '--watch', '0.1', '--simulator', frozen.url],
        ('okx:nonsense: BadSymbol', interrupt),
    )
    assert terminal.status == 1


@pytest.mark.parametrize(('answer', 'status', 'stays_frozen'), [('y\n', 0, False), ('n\n', 1, True)])
def test_reset_of_what_is_frozen_is_asked(frozen, terminal, answer, status, stays_frozen):
    frozen_when_asked = []

    def reply():
        frozen_when_asked.append(is_frozen(frozen))
        terminal.type(answer)

    terminal.run(
        ['reset', 'okx:BTC/USD', '--simulator', frozen.url], (r'okx:BTC/USD is FROZEN: reset it\? \[y/N\] ', reply)
    )
    assert frozen_when_asked == [True]
    assert is_frozen(frozen) is stays_frozen
    assert terminal.status == status


@pytest.mark.usefixtures('loaded_markets')
def test_demo_is_a_picture_with_rich_and_lines_without(monkeypatch, terminal, with_rich):
    monkeypatch.setattr(views, 'PAUSE', 0)
    monkeypatch.setattr(demo, 'GRID', 20)
    terminal.run(['demo'])
    assert 'Every step did what it says.' in terminal.text
    assert '0 MMP orders rest, after' in terminal.text
    assert (f'{SECTIONS}/{SECTIONS}' in terminal.text) == with_rich
    assert SECRET not in terminal.text
    assert PASSPHRASE not in terminal.text
    assert terminal.status == 0
