"""The installed command as a process, on a terminal or not, with rich or without it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name('ccxt-mmp'))
ROWS, COLUMNS = 50, 160
PATIENCE = 60  # s
CONTROL = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')


def environment(tmp_path, *, with_rich):
    """The environment of a process; without rich it cannot be imported."""
    # a size that is set there, as by Python's readline, would count for more than that of the terminal
    left_out = ('OKX_', 'BINANCE_', 'COLUMNS', 'LINES')
    environ = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    environ |= {'TERM': 'xterm-256color', 'PYTHONUNBUFFERED': '1'}
    if not with_rich:
        (tmp_path / 'rich').mkdir(exist_ok=True)
        (tmp_path / 'rich' / '__init__.py').write_text("raise ImportError('not installed')\n")
        environ['PYTHONPATH'] = os.pathsep.join([str(tmp_path), *filter(None, [environ.get('PYTHONPATH')])])
    return environ


class Terminal:
    """A process on a pseudo-terminal of its own; what it has written so far is ``output``."""

    def __init__(self, arguments, environ, columns=COLUMNS):
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack('HHHH', ROWS, columns, 0, 0))
        self.process = subprocess.Popen(
            [COMMAND, *arguments], stdin=inner, stdout=inner, stderr=inner, env=environ, start_new_session=True
        )
        os.close(inner)
        self.output = ''

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        os.close(self._end)

    def until(self, pattern):
        """Read until the output has a match beyond what was waited for before; the match."""
        start, ends = len(self.output), time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            found = re.search(pattern, self.text(start))
            if found:
                return found
            if not self._read(0.1) and self.process.poll() is not None and not self._read(0.1):
                break
        raise AssertionError(f'no {pattern!r} in {self.text(start)[-2000:]!r}')

    def text(self, start=0):
        """What was written, without the control sequences."""
        return CONTROL.sub('', self.output[start:])

    def type(self, text):
        os.write(self._end, text.encode())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def wait(self):
        """The exit status, when all of the output is read."""
        ends = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < ends:
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.wait(1)

    def _read(self, timeout):
        if not select.select([self._end], [], [], timeout)[0]:
            return False
        with contextlib.suppress(OSError):  # the other end is closed
            data = os.read(self._end, 65536)
            self.output += data.decode()
            return bool(data)
        return False
