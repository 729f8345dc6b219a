import importlib
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

import ccxt_mmp
from ccxt_mmp import cli, demo
from ccxt_mmp.cli import main
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator


def test_demo_tells_the_story_and_succeeds(capsys):
    assert main(['demo']) == 0
    told = capsys.readouterr().out
    for step in ('set_mmp', 'FROZEN, 0 MMP and 1 other orders rest', 'reset_mmp', 'mass_cancel_mmp', 'not frozen'):
        assert step in told
    assert 'Every step did what it says.' in told
    assert 'NOT SO' not in told
    assert SECRET not in told
    assert PASSPHRASE not in told


def test_demo_runs_as_a_module():
    run = subprocess.run([sys.executable, '-m', 'ccxt_mmp', 'demo'], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, '')
    assert run.stdout.endswith('Every step did what it says.\n')


def test_module_hands_on_the_exit_status(capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['ccxt-mmp', 'demo'])
    monkeypatch.delitem(sys.modules, 'ccxt_mmp.__main__', raising=False)
    with pytest.raises(SystemExit) as caught:
        importlib.import_module('ccxt_mmp.__main__')
    assert caught.value.code == 0
    assert 'Every step did what it says.' in capsys.readouterr().out


def test_demo_fails_if_a_freeze_that_should_be_over_is_unknown(capsys, monkeypatch):
    class ForgetfulOkx(ccxt_mmp.okx):
        def fetch_mmp(self, underlying=None, params={}):
            state = super().fetch_mmp(underlying, params)
            return {**state, 'frozen': state['frozen'] or None}

    monkeypatch.setattr(demo, 'okx', ForgetfulOkx)
    assert main(['demo']) == 1
    assert '<- NOT SO' in capsys.readouterr().out


def test_demo_fails_if_a_step_did_not_happen(capsys, monkeypatch):
    class DeafSimulator(Simulator):
        def fill(self, order_id):
            pass

    monkeypatch.setattr(demo, 'Simulator', DeafSimulator)
    assert main(['demo']) == 1
    told = capsys.readouterr().out
    assert '<- NOT SO' in told
    assert told.endswith('Not every step did what it says.\n')


def test_simulate_serves_until_interrupted():
    command = [sys.executable, '-m', 'ccxt_mmp', 'simulate']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = dict(re.split(r'\s+', process.stdout.readline().strip(), maxsplit=1) for _ in range(4))
        url = told.pop('url')
        assert told == {'key': KEY, 'secret': SECRET, 'passphrase': PASSPHRASE}
        with urllib.request.urlopen(f'{url}/eapi/v1/time') as answer:  # noqa: S310
            assert answer.status == 200
        process.stdout.readline()  # the last line comes before it waits
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read() == ''


def test_simulate_closes_its_port_when_interrupted(capsys, monkeypatch):
    class Interrupted:
        def wait(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, 'Event', Interrupted)
    assert main(['simulate']) == 0
    url = re.search(r'http://\S+', capsys.readouterr().out)[0]
    with pytest.raises(urllib.error.URLError, match='refused'):
        urllib.request.urlopen(url)  # noqa: S310


def test_simulate_on_a_port_that_is_taken_fails_in_one_line(capsys, simulator):
    port = simulator.url.rpartition(':')[2]
    assert main(['simulate', '--port', port]) == 1
    assert capsys.readouterr().err.startswith(f'ccxt-mmp: cannot serve port {port}: ')


def test_simulate_on_a_port_that_does_not_exist_fails_in_one_line(capsys):
    assert main(['simulate', '--port', '99999']) == 1
    assert capsys.readouterr().err.startswith('ccxt-mmp: cannot serve port 99999: ')


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(['--version'])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f'ccxt-mmp {ccxt_mmp.__version__}\n'


def test_command_is_required(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert 'required: command' in capsys.readouterr().err
