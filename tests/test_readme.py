"""Every code block of the README runs, against the simulator."""

import re
from pathlib import Path

import ccxt
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator, redirect

README = (Path(__file__).parent.parent / 'README.md').read_text()
BLOCKS = re.findall(r'^### (.+?)\n.*?^```python\n(.*?)^```', README, re.MULTILINE | re.DOTALL)
CHAPTER = README.partition('## Test your bot in a freeze')[2].partition('\n## ')[0]
FIXTURE_BLOCK, FAULT_BLOCK = re.findall(r'^```python\n(.*?)^```', CHAPTER, re.MULTILINE | re.DOTALL)
CREDENTIALS = ('apiKey', 'secret', 'password')


@pytest.fixture
def doors(monkeypatch, simulator):
    """The exchange classes at the simulator, with its credentials in place of the README's dots."""

    def connected(exchange_class):
        class Connected(exchange_class):
            def __init__(self, config):
                assert [config[name] for name in CREDENTIALS] == ['...'] * 3
                settings = {name: value for name, value in config.items() if name not in CREDENTIALS}
                credentials = dict(zip(CREDENTIALS, (KEY, SECRET, PASSPHRASE), strict=True))
                super().__init__({**settings, **credentials, 'enableRateLimit': False, 'verify': False})
                redirect(self, simulator.url)
                if exchange_class.__module__.startswith('ccxt_mmp'):
                    self.watch_mmp = after_a_trip(self.watch_mmp)

        return Connected

    def after_a_trip(watch):
        async def watch_mmp(*arguments):
            simulator.trip('okx', 'BTC-USD')
            return await watch(*arguments)

        return watch_mmp

    for module in (ccxt, ccxt_mmp, ccxt_mmp.async_support, ccxt_mmp.pro):
        for name in EXCHANGES:
            monkeypatch.setattr(module, name, connected(getattr(module, name)))


LOADING_MARKETS = ('/public/instruments', '/asset/currencies')
EXPECTED = {
    'Scripts': [
        'POST account/mmp-config',
        'GET account/mmp-config',
        'POST trade/batch-orders',
        'POST trade/mass-cancel',
    ],
    'asyncio': ['POST account/mmp-config', 'POST mmpSet'],
    'Websockets': ['POST account/mmp-config', 'GET account/mmp-config', 'POST account/mmp-reset'],
    'An existing script: one import changed': [],
    'An object made elsewhere': ['POST account/mmp-config'],
    'A program that makes its exchanges itself': ['POST trade/mass-cancel'],
    'A subclass of your own': [],
}


def test_every_flavour_has_its_example():
    assert [title for title, _ in BLOCKS] == list(EXPECTED)


@pytest.mark.parametrize(('title', 'code'), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_example_runs(doors, simulator, title, code):
    exec(compile(code, f'README.md, {title}', 'exec'), {'__name__': 'example'})  # noqa: S102
    sent = [
        f'{request.method} {re.sub("^/(api/v5|eapi/v1)/", "", request.path)}'
        for request in simulator.requests
        if not request.path.endswith(LOADING_MARKETS)
    ]
    assert sorted(sent) == sorted(EXPECTED[title])
    assert {request.status for request in simulator.requests} <= {200}


def test_example_of_the_fixture_runs(pytester):
    pytester.makepyfile(FIXTURE_BLOCK)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_example_of_a_fault_runs(monkeypatch):
    started = []
    monkeypatch.setattr(Simulator, 'start', lambda self, start=Simulator.start: started.append(self) or start(self))
    exec(compile(FAULT_BLOCK, 'README.md, fault', 'exec'), {'__name__': 'example'})  # noqa: S102
    assert [request.path for request in started[0].requests] == [
        '/api/v5/account/mmp-config',
        '/api/v5/account/mmp-reset',
        '/api/v5/account/mmp-config',
    ]


def test_commands_are_two():
    """The commands that .ci/run takes from here."""
    assert re.findall(r'^pip install .*$', README, re.MULTILINE) == [
        'pip install . && python -m ccxt_mmp demo',
        "pip install '.[test]' && pytest",
    ]


def test_table_of_methods_names_every_endpoint():
    for path in (
        'POST account/mmp-config',
        'POST rfq/mmp-config',
        'POST account/mmp-reset',
        'POST rfq/mmp-reset',
        'GET account/mmp-config',
        'GET rfq/mmp-config',
        'POST trade/mass-cancel',
        'POST eapi/v1/mmpSet',
        'POST eapi/v1/mmpReset',
        'GET eapi/v1/mmp',
        'GET openOrders',
        'DELETE batchOrders',
        'DELETE allOpenOrdersByUnderlying',
        'POST countdownCancelAll',
        'GET trade/orders-pending',
        'POST trade/cancel-batch-orders',
    ):
        assert f'`{path}`' in README
