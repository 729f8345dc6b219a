"""The table of exit statuses in the documents: each row's command ends with its status, in the situation it names."""

import asyncio
import re
import shlex
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from ccxt_mmp import cli
from ccxt_mmp.cli import cancelling, demo, main
from ccxt_mmp.cli.targets import Exchanges
from ccxt_mmp.simulator import Rule
from tests.trading import with_markets

DOCUMENT = Path(__file__).parent.parent.parent / 'docs' / 'command-line.md'
PATIENCE = 60  # s
WITHOUT_TARGETS = ('demo', 'simulate', 'completion', '-V')


def table():
    """Status, situation and command of each row."""
    text = DOCUMENT.read_text().partition('## Exit statuses')[2].partition('\n## ')[0]
    for status, when, command in re.findall(r'^\| (\d+) \| (.*?) \| `ccxt-mmp (.*?)` \|$', text, re.MULTILINE):
        yield pytest.param(int(status), when.replace('`', ''), shlex.split(command), id=f'{status}-{when}')


class Desk:
    """What a situation can change."""

    def __init__(self, simulator, monkeypatch):
        self.simulator, self.monkeypatch, self.threads = simulator, monkeypatch, []
        simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))

    def trip(self):
        self.simulator.trip('okx', 'BTC-USD')

    def refuse(self):
        self.simulator.refuse_cancel(self.simulator.rest('binance', 'BTCUSDT', mmp=True).order_id)

    def quote_on(self):
        """A bot that quotes as soon as its orders are cancelled."""
        self.monkeypatch.setattr(cancelling, 'LOOK_LIMIT', 0.3)
        stock = cancelling._look_after

        async def look_after(command, result):
            self.simulator.rest('okx', 'BTC-USD', mmp=True)
            await stock(command, result)

        self.monkeypatch.setattr(cancelling, '_look_after', look_after)

    def signal_during_cancel(self, number):
        async def cancel_all(command):
            signal.raise_signal(number)
            await asyncio.sleep(PATIENCE)

        self.monkeypatch.setattr(cancelling, 'cancel_all', cancel_all)

    def interrupt_when(self, happened):
        def wait():
            ends = time.monotonic() + PATIENCE
            while not happened() and time.monotonic() < ends:
                time.sleep(0.02)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        self.threads.append(threading.Thread(target=wait))
        self.threads[-1].start()

    def interrupt_watch(self):
        asked = self.simulator.requests
        self.interrupt_when(lambda: sum(each.path.endswith('mmp-config') for each in asked) > 2)

    def interrupt_simulate(self):
        class Interrupted(threading.Event):
            def wait(self, timeout=None):
                signal.raise_signal(signal.SIGINT)

        self.monkeypatch.setattr(cli, 'Event', Interrupted)

    def take_the_port(self):
        """Instead of the port of the row, which the root of a container may have."""
        taken = socket.create_server(('127.0.0.1', 0))
        self.threads.append(type('Closing', (), {'join': lambda _: taken.close()})())
        return {'1': str(taken.getsockname()[1])}

    def steps(self, happened):
        async def run(*_):
            return happened

        self.monkeypatch.setattr(demo, 'run', run)


SITUATIONS = {
    'every target succeeded': None,
    'cancel cancelled, or nothing was there to cancel': None,
    'check found nothing wrong; what is not known is not wrong': None,
    'Ctrl-C or SIGTERM ended status --watch, and every target was seen': Desk.interrupt_watch,
    'Ctrl-C or SIGTERM ended simulate': Desk.interrupt_simulate,
    'every step of demo did what it says': lambda desk: desk.steps(True),
    'help or the version was asked for': None,
    'a target failed; the others were done': None,
    'it is not certain that a cancel cancelled everything': Desk.refuse,
    'a cancel is done, and MMP orders rest again': Desk.quote_on,
    'an exchange lacks an option of cancel, which is done without it': None,
    'set or reset left a frozen protection as it was, as nobody said yes': Desk.trip,
    'check found something wrong': None,
    'the targets of a file cannot be read; those that are named were done': None,
    '--env-file cannot be read; nothing was sent': None,
    'Ctrl-C or SIGTERM ended status --watch before every target was seen': Desk.interrupt_watch,
    'simulate cannot have its port': Desk.take_the_port,
    'a step of demo did something else': lambda desk: desk.steps(False),
    'the extra cli is missing': lambda desk: desk.monkeypatch.setitem(sys.modules, 'shtab', None),
    'the arguments are wrong; nothing was sent': None,
    'no target is named; nothing was sent': None,
    'set of less than 100 ms without a yes; nothing was sent': None,
    'status --fail-if found what it looks for, whatever else failed': Desk.trip,
    'Ctrl-C; what was sent may have taken effect': lambda desk: desk.signal_during_cancel(signal.SIGINT),
    'SIGTERM; what was sent may have taken effect': lambda desk: desk.signal_during_cancel(signal.SIGTERM),
}


@pytest.fixture
def desk(simulator, monkeypatch):
    desk = Desk(simulator, monkeypatch)
    yield desk
    for each in desk.threads:
        each.join()


@pytest.fixture(autouse=True)
def markets_are_loaded(monkeypatch):
    stock = Exchanges._open

    def opened(self, target):
        exchange = stock(self, target)
        return exchange if self._arguments.command == 'cancel' else with_markets(exchange)

    monkeypatch.setattr(Exchanges, '_open', opened)


@pytest.mark.parametrize(('status', 'when', 'words'), list(table()))
def test_command_ends_with_the_status_of_the_table(desk, status, when, words):
    prepare = SITUATIONS[when] or (lambda _: None)
    replaced = prepare(desk) or {}
    words = [replaced.get(word, word) for word in words]
    simulated = [] if words[0] in WITHOUT_TARGETS else ['--simulator', desk.simulator.url]
    try:
        ended = main([*words, *simulated])
    except SystemExit as exited:  # as from argparse
        ended = exited.code
    assert ended == status
    if 'nothing was sent' in when:
        assert desk.simulator.requests == []


def test_table_has_every_status_that_there_is():
    rows = [row.values for row in table()]
    lines = DOCUMENT.read_text().partition('## Exit statuses')[2].partition('\n## ')[0].count('\n| ')
    assert len(rows) == lines - 1  # but for the heading
    assert {when for _, when, _ in rows} == set(SITUATIONS)
    assert {status for status, *_ in rows} == {0, 1, 2, 3, 130, 143}
