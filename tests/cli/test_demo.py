import importlib
import json
import re
import sys
import time
import urllib.error
import urllib.request

import pytest

import ccxt_mmp
from ccxt_mmp import async_support, cli
from ccxt_mmp.cli import demo, main, views
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import PASSPHRASE, SECRET, Simulator
from tests.cli.books import SECTIONS, without_reset


@pytest.fixture
def small_grid(monkeypatch, loaded_markets):
    monkeypatch.setattr(demo, 'GRID', 20)


def test_demo_tells_the_story_and_succeeds(capsys):
    started = time.process_time()  # it waits for nothing, and other tests may run beside it
    assert main(['demo']) == 0
    assert time.process_time() - started < 10
    told = capsys.readouterr().out
    for step in ('set_mmp', 'FROZEN', 'the exchange cancelled them', 'MmpFrozen', 'reset_mmp', 'mass_cancel_mmp'):
        assert step in told
    assert f'{demo.GRID * len(EXCHANGES)} MMP orders rest' in told
    assert max(map(len, told.splitlines())) <= 80
    assert 'Every step did what it says.' in told
    assert 'NOT SO' not in told
    assert SECRET not in told
    assert PASSPHRASE not in told


@pytest.mark.usefixtures('small_grid')
def test_demo_is_a_picture_where_somebody_looks(capsys, monkeypatch):
    monkeypatch.setattr(views, 'is_terminal', lambda _: True)
    monkeypatch.setattr(views, 'PAUSE', 0)
    monkeypatch.setenv('COLUMNS', '160')
    assert main(['demo', '--verbose', '--timeout', '5000']) == 0
    told = capsys.readouterr()
    assert f'{SECTIONS}/{SECTIONS}' in told.out
    assert 'Every step did what it says.' in told.out
    assert re.search(r'okx POST /api/v5/trade/mass-cancel .* -> 200', told.out + told.err)


def test_picture_of_the_demo_fits_the_terminal(simulator):
    view = views.LiveView(simulator)
    view.begin(['one'])
    view.section('one')
    height = view._console.height
    for number in range(100):
        view._lines.append((f'step {number}', ''))
    lines = view._console.render_lines(view.renderable(), pad=False)
    assert len(lines) <= height
    view.end('done')
    assert len(view._console.render_lines(view.renderable(), pad=False)) > 100


def test_demo_without_rich_is_plain(capsys, monkeypatch):
    monkeypatch.setattr(views, 'is_terminal', lambda _: True)
    monkeypatch.setitem(sys.modules, 'rich.console', None)
    with views.demo_view(None) as view:
        assert type(view) is views.PlainView


@pytest.mark.usefixtures('small_grid')
def test_module_hands_on_the_exit_status(capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['ccxt-mmp', 'demo'])
    monkeypatch.delitem(sys.modules, 'ccxt_mmp.__main__', raising=False)
    with pytest.raises(SystemExit) as caught:
        importlib.import_module('ccxt_mmp.__main__')
    assert caught.value.code == 0
    assert 'Every step did what it says.' in capsys.readouterr().out


@pytest.mark.usefixtures('small_grid')
def test_demo_fails_if_a_freeze_that_should_be_over_is_unknown(capsys, monkeypatch):
    class ForgetfulOkx(async_support.okx):
        async def fetch_mmp(self, underlying=None, params={}):
            state = await super().fetch_mmp(underlying, params)
            return {**state, 'frozen': state['frozen'] or None}

    monkeypatch.setattr(async_support, 'okx', ForgetfulOkx)
    assert main(['demo']) == 1
    assert '^^ NOT SO' in capsys.readouterr().out


@pytest.mark.usefixtures('small_grid')
def test_demo_fails_if_a_step_did_not_happen(capsys, monkeypatch):
    class DeafSimulator(Simulator):
        def fill(self, order_id):
            pass

    monkeypatch.setattr(demo, 'Simulator', DeafSimulator)
    assert main(['demo']) == 1
    told = capsys.readouterr().out
    assert '^^ NOT SO' in told
    assert told.endswith('Not every step did what it says.\n')


@pytest.mark.usefixtures('small_grid')
def test_demo_fails_if_orders_survive_the_kill_switch(capsys, monkeypatch):
    class Deaf(async_support.binance):
        async def mass_cancel_mmp(self, underlying, params={}):
            return {'orders': [], 'lockedUntil': None}

    monkeypatch.setattr(async_support, 'binance', Deaf)
    assert main(['demo']) == 1
    assert re.search(r'mass_cancel_mmp.* on all at once\n +[1-9].*\n +\^\^ NOT SO', capsys.readouterr().out)


@pytest.mark.usefixtures('small_grid')
def test_demo_goes_on_after_a_call_that_failed(capsys, monkeypatch):
    class Broken(async_support.okx):
        async def set_mmp(self, *arguments, **keywords):
            raise ccxt_mmp.MmpNotEnabled('no')

    monkeypatch.setattr(async_support, 'okx', Broken)
    assert main(['demo']) == 1
    told = capsys.readouterr().out
    assert re.search(r'\(a call failed\)\n +MmpNotEnabled: no\n +\^\^ NOT SO', told)
    assert f'\n      {demo.GRID * len(EXCHANGES)} MMP orders rest\n' in told


@pytest.mark.usefixtures('small_grid')
def test_demo_waits_for_the_end_of_a_freeze_where_nothing_resets_it(capsys, monkeypatch):
    monkeypatch.setattr(async_support, 'bybit', without_reset(async_support.bybit))
    assert main(['demo']) == 0
    told = capsys.readouterr().out
    assert re.search(r"\(it has no reset_mmp: 2000 ms pass\) fetch_mmp\('BTC'\)\n +armed", told)
    assert "reset_mmp('BTC')" not in told


def test_simulate_closes_its_port_when_interrupted(capsys, monkeypatch):
    class Interrupted:
        def wait(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, 'Event', Interrupted)
    assert main(['simulate']) == 0
    url = re.search(r'http://\S+', capsys.readouterr().out)[0]
    with pytest.raises(urllib.error.URLError, match='refused'):
        urllib.request.urlopen(url)  # noqa: S310


def test_simulate_shows_requests_without_their_signature(capsys, monkeypatch):
    class Asking:
        def wait(self):
            url = re.search(r'http://\S+', capsys.readouterr().out)[0]
            urllib.request.urlopen(f'{url}/eapi/v1/time?timestamp=1&signature=abc')  # noqa: S310
            with urllib.request.urlopen(f'{url}/_control/requests') as answer:  # noqa: S310
                assert len(json.load(answer)['requests']) == 1
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, 'Event', Asking)
    assert main(['simulate', '--verbose']) == 0
    assert capsys.readouterr().err == 'GET /eapi/v1/time timestamp=1&signature=*** -> 200\n'


def test_simulate_on_a_port_that_is_taken_fails_in_one_line(capsys, simulator):
    port = simulator.url.rpartition(':')[2]
    assert main(['simulate', '--port', port]) == 1
    assert capsys.readouterr().err.startswith(f'ccxt-mmp: cannot serve port {port}: ')
