"""The installed command as a process: signals, its exit status, and what becomes of its output.

What it says on a terminal is tested in ``test_cli_terminal.py``. A process imports ccxt, which takes a second: one
here is started so, the others run the same script in a process that has it.
"""

import json
import re
import shlex
import signal
import subprocess
import time
import urllib.request

import pytest

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Rule
from tests.terminal import COMMAND, Terminal, environment
from tests.warm import python

NOT_CLOSED = ('Unclosed', 'requires to release all resources', 'never retrieved', 'Traceback')


@pytest.fixture
def environ_with_rich(tmp_path):
    return environment(tmp_path, with_rich=True)


@pytest.fixture
def frozen(simulator):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 600_000, '10'))
    simulator.trip('okx', 'BTC-USD')
    return simulator


def test_watching_without_a_terminal_writes_table_after_table(frozen, environ_with_rich):
    command = python(COMMAND, 'status', 'okx:BTC/USD', '--watch', '0.1', '--simulator', frozen.url)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ_with_rich
    ) as process:
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert lines[0].startswith('EXCHANGE  UNDERLYING  ')
    assert [line.split()[0] for line in lines] == ['EXCHANGE', 'okx'] * 3
    assert '\x1b' not in ''.join(lines) + out
    assert (process.returncode, err) == (0, '')


def test_question_that_is_interrupted_does_nothing(frozen, environ_with_rich):
    command = ['reset', 'okx:BTC/USD', '--simulator', frozen.url]
    with Terminal(command, environ_with_rich, program=python(COMMAND)) as terminal:
        terminal.until(r'reset it\?')
        terminal.interrupt()
        # Python goes on reading after a signal that comes right before it begins to
        assert terminal.wait(again=terminal.interrupt) == 130
    assert frozen.protection('okx', 'BTC-USD').is_frozen(frozen.now())
    assert not [word for word in NOT_CLOSED if word in terminal.text()]


@pytest.mark.parametrize('redirection', ['', '<&- >&-', '2>&-', '>/dev/full', '2>/dev/full', '2>&1 | true'])
def test_cancel_works_whatever_becomes_of_the_output(simulator, environ_with_rich, redirection):
    simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.rest('binance', 'BTCUSDT', mmp=True)
    command = shlex.join(python('-m', 'ccxt_mmp'))
    line = f'{command} cancel okx:BTC/USDX okx:BTC/USD binance:BTC/USDT --simulator {simulator.url} {redirection}'
    run = subprocess.run(
        ['/bin/sh', '-c', line],
        capture_output=True,
        text=True,
        check=False,
        env=environ_with_rich,
        timeout=60,
    )
    assert not simulator.resting('okx', 'BTC-USD') + simulator.resting('binance', 'BTCUSDT')
    assert run.returncode == (0 if 'true' in redirection else 1)
    if not redirection:
        assert '\nokx:BTC/USD: cancelled all MMP orders' in run.stdout
        assert 'ccxt-mmp: okx:BTC/USDX: BadSymbol' in run.stderr
    assert not [word for word in (*NOT_CLOSED, 'Exception') if word in run.stdout + run.stderr]


def test_command_that_is_terminated_leaves_one_document(simulator, environ_with_rich):
    simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=9)
    command = [COMMAND, 'cancel', 'okx:BTC/USD', '--json', '--timeout', '1m', '--simulator', simulator.url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ_with_rich
    ) as process:
        while not any(request.path.endswith('mass-cancel') for request in simulator.requests):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    [told] = json.loads(out)
    assert told['error']['type'] == 'KeyboardInterrupt'
    assert err.endswith('ccxt-mmp: terminated; what was sent may have taken effect\n')
    assert 'Traceback' not in err
    assert process.returncode == 143


def test_command_that_ignores_interrupts_is_terminated(environ_with_rich):
    """As shells start what runs in the background."""
    ignoring = ['/bin/sh', '-c', 'trap \'\' INT; exec "$@"', 'sh', COMMAND, 'simulate']
    with subprocess.Popen(ignoring, stdout=subprocess.PIPE, text=True, env=environ_with_rich) as process:
        try:
            while 'Ctrl-C' not in process.stdout.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_simulate_serves_until_it_is_interrupted(environ_with_rich):
    command = python(COMMAND, 'simulate', '--verbose')
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ_with_rich
    ) as process:
        told = dict(re.split(r'\s+', process.stdout.readline().strip(), maxsplit=1) for _ in range(4))
        url = told.pop('url')
        assert told == {'key': KEY, 'secret': SECRET, 'passphrase': PASSPHRASE}
        with urllib.request.urlopen(f'{url}/eapi/v1/time') as answer:  # noqa: S310
            assert answer.status == 200
        process.stdout.readline()  # the last line comes before it waits
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == 'GET /eapi/v1/time -> 200\n'
