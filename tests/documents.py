"""The README and the pages of docs: their blocks of code, their headings and their links."""

import functools
import re
import signal
from pathlib import Path

import ccxt
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect

ROOT = Path(__file__).parent.parent
README = ROOT / 'README.md'
PAGES = sorted((ROOT / 'docs').glob('*.md'))
DOCUMENTS = [README, ROOT / 'CONTRIBUTING.md', ROOT / 'CHANGELOG.md', ROOT / 'SECURITY.md', *PAGES]

FENCE = re.compile(r'^```(.*)\n((?:.*\n)*?)^```$', re.MULTILINE)
CREDENTIALS = {'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE}


def blocks(document, language):
    """The blocks of a document, in their order."""
    return [code for each, code in FENCE.findall(document.read_text()) if each == language]


def without_blocks(document):
    return FENCE.sub('', document.read_text())


def anchors(document):
    """What a link can lead to in a document, on GitHub and in the site alike."""
    headings = re.findall(r'^#+ (.+)$', without_blocks(document), re.MULTILINE)
    plain = [re.sub(r'[^\w\s-]', '', each).strip().lower() for each in headings]
    return {each.replace(' ', '-') for each in plain} & {re.sub(r'[\s-]+', '-', each) for each in plain}


HERE = {}  # the simulator of the test


@functools.cache  # all methods of a new class are given their other names, which takes longer than most blocks
def connected(exchange_class):
    class Connected(exchange_class):
        def __init__(self, config):
            if config['apiKey'] == KEY:
                super().__init__(config)  # of an example that connects to a simulator of its own
                return
            assert {config[name] for name in CREDENTIALS if name in config} == {'...'}
            others = {name: value for name, value in config.items() if name not in CREDENTIALS}
            super().__init__({**others, **CREDENTIALS, 'enableRateLimit': False, 'verify': False})
            redirect(self, HERE['simulator'].url)
            if exchange_class.__module__.startswith('ccxt_mmp'):
                self.watch_mmp = after_a_trip(self.watch_mmp)

    return Connected


def after_a_trip(watch):
    async def watch_mmp(*arguments):
        HERE['simulator'].trip('okx', 'BTC-USD')
        return await watch(*arguments)

    return watch_mmp


@pytest.fixture
def doors(monkeypatch, simulator):
    """The exchange classes at the simulator, with its credentials in place of the documents' dots."""
    monkeypatch.setitem(HERE, 'simulator', simulator)
    for module in (ccxt, ccxt_mmp, ccxt_mmp.async_support, ccxt_mmp.pro):
        for name in EXCHANGES:
            monkeypatch.setattr(module, name, connected(getattr(module, name)))
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def run(code, document):
    """Run a block; the names that it has defined."""
    names = {'__name__': 'example'}
    exec(compile(code, document.name, 'exec'), names)  # noqa: S102
    return names
