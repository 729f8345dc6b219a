"""A real Redis server for tests: on loopback, on a free port, without persistence, stopped by its process id."""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from tests.ports import port_for_a_server

PROGRAMS = ('redis-server', 'valkey-server')
START_TIME = 20  # s


def need_redis():
    """The program; skips the test where it is missing, or fails it where it has to be there."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is not None:
        return program
    reason = f'NO REDIS HERE: needs {" or ".join(PROGRAMS)} (Debian: apt-get install redis-server)'
    if os.environ.get('MMP_REQUIRE_REDIS'):
        pytest.fail(reason)
    pytest.skip(reason)


class RedisServer:
    """``with RedisServer(folder) as server: ...``."""

    def __init__(self, folder, *options):
        self._program = need_redis()
        self._folder = folder
        self._options = options
        self._process = None
        self.port = port_for_a_server()
        self.url = f'redis://127.0.0.1:{self.port}/0'

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.resume()
        self.kill()

    def start(self):
        """Start it, or start it again on the same port, empty."""
        command = [self._program, '--port', str(self.port), '--bind', '127.0.0.1', '--save', '', '--dir', self._folder]
        self._process = subprocess.Popen([*command, *self._options], stdout=subprocess.DEVNULL)
        ends = time.monotonic() + START_TIME
        while not self._answers():
            assert self._process.poll() is None, 'redis-server ended'
            assert time.monotonic() < ends, 'redis-server does not answer'
            time.sleep(0.005)

    def _answers(self):
        try:
            with socket.create_connection(('127.0.0.1', self.port), 1) as connection:
                connection.sendall(b'PING\r\n')
                return connection.recv(64)[:1] in (b'+', b'-')
        except OSError:
            return False

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def suspend(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
