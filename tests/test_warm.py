"""A forked process is, to who starts it, one of Python itself."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm
from tests.rows import rows
from tests.warm import python, python_with_the_package

TELL = """
import os, sys
print(sys.argv[1:], os.environ['TOLD'], os.getcwd(), sys.stdin and sys.stdin.read(), __name__)
sys.stderr.write('to the other stream')
"""
GONE_AT_ONCE = """
import socket, sys
request = sys.argv[2].encode()
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    socket.send_fds(connection, [b'%8d' % len(request)], [1])
    connection.sendall(request)
"""
PROGRAMS = {
    'arguments, environment, folder and streams': TELL,
    'a status': 'import sys; sys.exit(3)',
    'a text as the status': 'import sys; sys.exit("why")',
    'what is done at the exit': 'import atexit; atexit.register(print, "the end")',
    'a signal': 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)',
    'an interrupt': 'import signal; signal.raise_signal(signal.SIGINT)',
    'an error': 'raise ValueError("of the program")',
}


def of(command, folder, **options):
    environment = {**os.environ, 'TOLD': 'by the environment'}
    done = subprocess.run(
        command, input='the input', capture_output=True, text=True, check=False, cwd=folder, env=environment, **options
    )
    return done.returncode, done.stdout, (done.stderr.splitlines() or [''])[-1]


@rows('program', PROGRAMS.values(), PROGRAMS)
def test_forked_process_is_as_a_new_one(tmp_path, program):
    command = ['-c', program, 'first', 'second']
    assert of(python(*command), tmp_path) == of([sys.executable, *command], tmp_path)


@rows('redirection', ['<&-', '>&-', '<&- >&-', '2>&-', '>/dev/full', '2>/dev/full', '2>&1 | cat', '| true'])
def test_forked_process_has_the_streams_of_a_new_one(tmp_path, redirection):
    program = ['-c', TELL]
    forked, new = (
        of(f'{shlex.join(each)} {redirection}', tmp_path, shell=True)  # noqa: S604
        for each in (python(*program), [sys.executable, *program])
    )
    assert forked == new


def test_file_is_run_beside_its_modules(tmp_path):
    (tmp_path / 'beside.py').write_text('WORD = "beside it"')
    (tmp_path / 'program.py').write_text('import beside, sys; print(beside.WORD, __name__, sys.argv[1])')
    assert of(python(tmp_path / 'program.py', 5), '/') == (0, 'beside it __main__ 5\n', '')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_reaches_the_process(number):
    program = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'
    with subprocess.Popen(python('-c', program), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == -number
    assert ('KeyboardInterrupt' in err) is (number == signal.SIGINT)
    ends = time.monotonic() + 60
    while is_there(pid):
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_process_of_a_client_that_is_gone_at_once_is_ended():
    program = 'import time; time.sleep(60)'
    told = {'arguments': ['-c', program], 'environment': dict(os.environ), 'folder': str(Path.cwd()), 'streams': [1]}
    client = [sys.executable, '-I', '-S', '-c', GONE_AT_ONCE, warm.server(), json.dumps(told)]
    # half of what the program takes; its standard output is open for as long as it lives
    subprocess.run(client, stdout=subprocess.PIPE, timeout=30, check=True)


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_share_the_server_of_who_started_them(monkeypatch):
    monkeypatch.setitem(warm.SHARED, 'path', 'a socket')
    assert 'a socket' in python('-c', '')


def modules(command):
    """Those of ccxt and of the package, after a program that begins with the package."""
    program = 'import ccxt_mmp, sys; print(*(name for name in sys.modules if name.partition(".")[0] in sys.argv[1:]))'
    done = subprocess.run([*command('-c', program, 'ccxt', 'ccxt_mmp')], capture_output=True, text=True, check=True)
    return {*done.stdout.split()}


def test_ccxt_is_there_already():
    assert {'ccxt.pro', 'ccxt_mmp.simulator'} <= modules(python)


def test_nothing_but_the_package_is_there_already():
    assert modules(python_with_the_package) == modules(lambda *arguments: [sys.executable, *arguments])
