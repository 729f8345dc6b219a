import runpy
import subprocess
import sys

import pytest

import ccxt_mmp
from ccxt_mmp import demo
from ccxt_mmp.cli import main
from ccxt_mmp.simulator import PASSPHRASE, SECRET, Simulator


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
    with pytest.raises(SystemExit) as caught:
        runpy.run_module('ccxt_mmp', run_name='__main__')
    assert caught.value.code == 0
    assert 'Every step did what it says.' in capsys.readouterr().out


def test_demo_fails_if_a_step_did_not_happen(capsys, monkeypatch):
    class DeafSimulator(Simulator):
        def trip(self, venue, underlying=None):
            pass

    monkeypatch.setattr(demo, 'Simulator', DeafSimulator)
    assert main(['demo']) == 1
    told = capsys.readouterr().out
    assert '<- NOT SO' in told
    assert told.endswith('Not every step did what it says.\n')


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
