"""The installed command as a process: with and without rich, on a terminal and without one."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Rule
from tests.terminal import COMMAND, Terminal, environment

NOT_CLOSED = ('Unclosed', 'requires to release all resources', 'never retrieved', 'Traceback')


@pytest.fixture(params=[True, False], ids=['rich', 'plain'])
def with_rich(request):
    return request.param


@pytest.fixture
def environ(tmp_path, with_rich):
    return environment(tmp_path, with_rich=with_rich)


@pytest.fixture
def frozen(simulator):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 600_000, '10'))
    simulator.trip('okx', 'BTC-USD')
    return simulator


def finished(arguments, environ, **options):
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, env=environ, timeout=60, **options
    )


def test_status_on_a_terminal(frozen, environ, with_rich):
    with Terminal(['status', 'okx:BTC/USD', 'okx:rfq', '--simulator', frozen.url], environ) as terminal:
        assert terminal.wait() == 0
    assert re.search(r'okx +.*FROZEN.*10 contracts', terminal.text())
    assert re.search(r'rfq.* off ', terminal.text())
    assert ('\x1b[1;31m' in terminal.output) == with_rich


def test_status_without_a_terminal_is_plain_text(frozen, environ):
    run = finished(['status', 'okx:BTC/USD', '--simulator', frozen.url], environ)
    assert (run.returncode, run.stderr) == (0, '')
    assert run.stdout.splitlines()[0].startswith('EXCHANGE  UNDERLYING   SCOPE')
    assert '\x1b' not in run.stdout


def test_status_as_json_is_the_same_everywhere(frozen, environ):
    with Terminal(['status', 'okx:BTC/USD', '--json', '--simulator', frozen.url], environ) as terminal:
        assert terminal.wait() == 0
    assert json.loads(terminal.output)[0]['state']['frozen'] is True


def test_watching_counts_down_in_place_until_it_is_interrupted(frozen, environ):
    with Terminal(['status', 'okx:BTC/USD', '--watch', '--simulator', frozen.url], environ) as terminal:
        first, second = (terminal.until(r'FROZEN\W+(\d+):(\d\d)').groups() for _ in range(2))
        terminal.until(f'FROZEN\\W+(?!{":".join(second)})')
        frozen.advance(600_000)
        terminal.until('armed')
        terminal.interrupt()
        assert terminal.wait() == 0
    assert int(first[0]) == 9
    assert re.search(r'\x1b\[\d+[AF]', terminal.output)  # up again, not line after line
    assert not [word for word in NOT_CLOSED if word in terminal.text()]


def test_watching_without_a_terminal_writes_table_after_table(frozen, environ):
    command = [COMMAND, 'status', 'okx:BTC/USD', '--watch', '0.5', '--simulator', frozen.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        tables = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert [line.split()[0] for line in tables] == ['EXCHANGE', 'okx'] * 3
    assert '\x1b' not in ''.join(tables) + out
    assert (process.returncode, err) == (0, '')


def test_watching_what_fails_is_no_success(frozen, environ):
    with Terminal(['status', 'okx:nonsense', '--watch', '--simulator', frozen.url], environ) as terminal:
        terminal.until('okx:nonsense: BadSymbol')
        terminal.interrupt()
        assert terminal.wait() == 1
    assert not [word for word in NOT_CLOSED if word in terminal.text()]


@pytest.mark.parametrize(('answer', 'status', 'is_frozen'), [('y\n', 0, False), ('n\n', 1, True)])
def test_reset_of_what_is_frozen_is_asked_on_a_terminal(frozen, environ, answer, status, is_frozen):
    with Terminal(['reset', 'okx:BTC/USD', '--simulator', frozen.url], environ) as terminal:
        terminal.until(r'okx:BTC/USD is FROZEN: reset it\? \[y/N\] ')
        assert frozen.protection('okx', 'BTC-USD').is_frozen(frozen.now())
        terminal.type(answer)
        assert terminal.wait() == status
    assert frozen.protection('okx', 'BTC-USD').is_frozen(frozen.now()) is is_frozen


def test_question_that_is_interrupted_does_nothing(frozen, environ):
    with Terminal(['reset', 'okx:BTC/USD', '--simulator', frozen.url], environ) as terminal:
        terminal.until(r'reset it\?')
        terminal.interrupt()
        assert terminal.wait() == 130
    assert frozen.protection('okx', 'BTC-USD').is_frozen(frozen.now())
    assert not [word for word in NOT_CLOSED if word in terminal.text()]


def test_cancel_cancels_wherever_it_is_called(simulator, environ):
    for venue, underlying in (('okx', 'BTC-USD'), ('binance', 'BTCUSDT')):
        simulator.rest(venue, underlying, mmp=True)
    run = finished(['cancel', 'okx:BTC/USD', 'binance:BTC/USDT', '--simulator', simulator.url], environ)
    assert (run.returncode, run.stderr) == (0, '')
    assert not simulator.resting('okx', 'BTC-USD') + simulator.resting('binance', 'BTCUSDT')


@pytest.mark.parametrize('redirection', ['>&-', '2>&-', '>/dev/full', '2>/dev/full', '<&-', '2>&1 | true'])
def test_cancel_works_whatever_becomes_of_the_output(simulator, tmp_path, redirection):
    simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.rest('binance', 'BTCUSDT', mmp=True)
    line = f'{COMMAND} cancel okx:BTC/USDX okx:BTC/USD binance:BTC/USDT --simulator {simulator.url} {redirection}'
    run = subprocess.run(
        ['/bin/sh', '-c', line],
        capture_output=True,
        text=True,
        check=False,
        env=environment(tmp_path, with_rich=True),
        timeout=60,
    )
    assert not simulator.resting('okx', 'BTC-USD') + simulator.resting('binance', 'BTCUSDT')
    assert run.returncode == (0 if 'true' in redirection else 1)
    assert not [word for word in (*NOT_CLOSED, 'Exception') if word in run.stdout + run.stderr]


def test_state_is_seen_on_a_narrow_terminal(frozen, environ):
    with Terminal(['status', 'okx:BTC/USD', '--watch', '--simulator', frozen.url], environ, columns=80) as terminal:
        terminal.until(r'BTC/USD:BTC +orders +FROZEN +9:\d\d')
        terminal.interrupt()
        assert terminal.wait() == 0


def test_failure_is_a_line_and_no_traceback(environ):
    run = finished(['cancel', 'okx:BTC/USD', '--simulator', 'http://127.0.0.1:1'], environ)
    assert run.returncode == 1
    assert [line.split(':')[0] for line in run.stderr.splitlines()] == ['ccxt-mmp']
    assert 'ExchangeNotAvailable' in run.stderr


def test_demo_on_a_terminal(environ, with_rich):
    with Terminal(['demo'], environ) as terminal:
        assert terminal.wait() == 0
    told = terminal.text()
    assert 'Every step did what it says.' in told
    assert '0 MMP orders rest, after' in told
    assert ('4/4' in told) == with_rich  # a picture, or plain lines
    assert not [word for word in (*NOT_CLOSED, SECRET, PASSPHRASE) if word in told]


def test_simulate_serves_until_it_is_interrupted(environ):
    command = [COMMAND, 'simulate', '--verbose']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        told = dict(re.split(r'\s+', process.stdout.readline().strip(), maxsplit=1) for _ in range(4))
        url = told.pop('url')
        assert told == {'key': KEY, 'secret': SECRET, 'passphrase': PASSPHRASE}
        with urllib.request.urlopen(f'{url}/eapi/v1/time') as answer:  # noqa: S310
            assert answer.status == 200
        process.stdout.readline()  # the last line comes before it waits
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == 'GET /eapi/v1/time -> 200\n'
