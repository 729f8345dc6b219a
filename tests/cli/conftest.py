"""A command at the simulator, within this process, and the credentials that it finds."""

import functools
import sys

import pytest

from ccxt_mmp import async_support
from ccxt_mmp.cli import changing, main
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect
from tests.flavours import FLAVOURS
from tests.trading import load_markets_once


@pytest.fixture
def ccxt_mmp_command(simulator, capsys):
    """Runs a command at the simulator; its exit status, output and errors."""

    def run(command, *arguments):
        status = main([command, *arguments, '--simulator', simulator.url])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


REDIRECTED_TO = {}


@functools.cache  # all methods of a new class are given their other names, which takes longer than most tests
def redirected(exchange_class):
    class Redirected(exchange_class):
        def __init__(self, config={}):
            super().__init__(config)
            redirect(self, REDIRECTED_TO['url'])

    return Redirected


@pytest.fixture
def environment(simulator, monkeypatch):
    """The credentials of the simulator where ccxt's command line has them, and the exchanges there."""
    monkeypatch.setitem(REDIRECTED_TO, 'url', simulator.url)
    for exchange_id in EXCHANGES:
        for name, value in {'APIKEY': KEY, 'SECRET': SECRET, 'PASSWORD': PASSPHRASE}.items():
            monkeypatch.setenv(f'{exchange_id.upper()}_{name}', value)
        for module in FLAVOURS.values():
            monkeypatch.setattr(module, exchange_id, redirected(getattr(module, exchange_id)))
    return monkeypatch


@functools.cache  # a class that is changed in the same way is no new one
def once(load):
    return lambda exchange, *arguments, **keywords: load_markets_once(exchange, load)


@pytest.fixture
def loaded_markets(monkeypatch):
    """Markets are loaded once for all tests, and taken over by the commands of later ones."""
    for exchange_id in EXCHANGES:
        exchange_class = getattr(async_support, exchange_id)
        monkeypatch.setattr(exchange_class, 'load_markets', once(exchange_class.load_markets))


@pytest.fixture
def terminal(monkeypatch):
    """Everything is a terminal, and the user answers so."""
    monkeypatch.setattr(changing, 'is_terminal', lambda *_: True)

    def answers(line):
        monkeypatch.setattr(sys, 'stdin', type('Typed', (), {'readline': lambda self: line})())

    return answers
