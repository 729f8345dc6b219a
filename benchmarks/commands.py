"""How soon the command line does something: a kill switch must not wait for imports."""

import os
import socket
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from benchmarks.measure import median
from benchmarks.report import Cell, Comparison, Result
from ccxt_mmp.registry import EXCHANGES

REPETITIONS = 15
TARGET = 1.15
PATIENCE = 60  # s, for a command that fails and sends nothing
STOCK = 'import ccxt'
WRONG_OPTION = 'a wrong option is told'
FIRST_REQUEST = 'cancel sends its first request'

COMMAND = 'import sys; from ccxt_mmp_command import main; sys.exit(main(sys.argv[1:]))'  # the installed script
KEYS = ('key', 'secret', 'password')  # of nobody
# the simulator's own redirection would import its web server, which no user of an exchange does
REDIRECTED = f"""
import ccxt_mmp_command
from ccxt_mmp.cli.targets import Exchanges


def simulate(exchange, url):
    exchange.apiKey, exchange.secret, exchange.password = {(*KEYS,)}
    exchange.urls['api'] = {{name: url for name in exchange.urls['api']}}


Exchanges._simulate = staticmethod(simulate)
{COMMAND.replace('; ', chr(10))}
"""


def run() -> Result:
    times: dict[str, list[float]] = {STOCK: [], WRONG_OPTION: [], FIRST_REQUEST: []}
    target = next(f'{each.id}:{each.underlying}' for each in EXCHANGES.values())
    with TemporaryDirectory() as bytecode, socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(PATIENCE)
        # installed packages have their bytecode, a checkout has not where Python is told to write none
        environment = {**os.environ, 'PYTHONPYCACHEPREFIX': bytecode}
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        url = f'http://127.0.0.1:{server.getsockname()[1]}'
        wrong = [COMMAND, 'cancel', target, '--timeout', 'soon']
        cancel = [REDIRECTED, 'cancel', target, '--simulator', url]
        for turn in range(REPETITIONS + 1):
            taken = {
                STOCK: _until_line([f'{STOCK}; print(ccxt.__version__, flush=True)'], environment),
                WRONG_OPTION: _until_line(wrong, environment),
                FIRST_REQUEST: _until_request(cancel, environment, server),
            }
            if turn:  # the first one compiles
                for name, seconds in taken.items():
                    times[name].append(seconds)
    details: list[dict[str, Cell]] = [
        {'from the start of the process until': name, 'p50 ms': median(each) * 1000} for name, each in times.items()
    ]
    comparisons = [
        Comparison(name, median(times[name]), median(times[STOCK]), other=STOCK, at_most=TARGET)
        for name in (WRONG_OPTION, FIRST_REQUEST)
    ]
    return Result('commands', f'the command line in a fresh process, p50 of {REPETITIONS}', comparisons, details)


def _until_line(arguments: list[str], environment: dict[str, str]) -> float:
    """Until the process says something: its end takes time, too, and nobody waits for that."""
    started = time.perf_counter()
    command = [sys.executable, '-c', *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        process.stdout.readline()
        return time.perf_counter() - started


def _until_request(arguments: list[str], environment: dict[str, str], server: socket.socket) -> float:
    """Until the mass cancel arrives, whatever comes with it."""
    started = time.perf_counter()
    command = [sys.executable, '-c', *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        while True:
            connection, _ = server.accept()
            with connection:
                received = connection.recv(65536)
            if received.startswith(b'POST'):
                break
        seconds = time.perf_counter() - started
        process.kill()
    return seconds
