"""The command on a terminal: the installed one as a process, or ``main`` within this process."""

import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from ccxt_mmp.cli import main
from ccxt_mmp.registry import EXCHANGES
from tests.trading import markets
from tests.warm import python

ROOT = Path(__file__).parent.parent
COMMAND = str(Path(sys.executable).with_name('ccxt-mmp'))
ROWS, COLUMNS = 50, 160
PATIENCE = 60  # s
CONTROL = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
decoder = codecs.getincrementaldecoder('utf-8')  # a read may end within a character


def environment(tmp_path, *, with_rich):
    """The environment of a process; without rich it cannot be imported."""
    # a size that is set there, as by Python's readline, would count for more than that of the terminal
    left_out = (*(f'{each.upper()}_' for each in EXCHANGES), 'CCXT_MMP_', 'NO_COLOR', 'COLUMNS', 'LINES')
    environ = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    environ |= {'TERM': 'xterm-256color', 'PYTHONUNBUFFERED': '1'}
    if not with_rich:
        (tmp_path / 'rich').mkdir(exist_ok=True)
        (tmp_path / 'rich' / '__init__.py').write_text("raise ImportError('not installed')\n")
        environ['PYTHONPATH'] = os.pathsep.join([str(tmp_path), *filter(None, [environ.get('PYTHONPATH')])])
    return environ


class Terminal:
    """A process on a pseudo-terminal of its own; what it has written so far is ``output``."""

    def __init__(self, arguments, environ, *, program=(COMMAND,)):
        self._end, inner = pty.openpty()
        self.resize(COLUMNS)
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environ,
            start_new_session=True,
            cwd=ROOT,
        )
        os.close(inner)
        self.output, self._decode = '', decoder().decode

    def resize(self, columns, rows=ROWS):
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

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

    def wait(self, again=None):
        """The exit status, when all of the output is read. again: what is done every 5 seconds until then."""
        begun = time.monotonic()
        ends, next_at = begun + PATIENCE, begun + 5
        while self.process.poll() is None and time.monotonic() < ends:
            self._read(0.1)
            if again is not None and time.monotonic() > next_at:
                again()
                next_at += 5
        while self._read(0.1):
            pass
        return self.process.wait(1)

    def _read(self, timeout):
        if not select.select([self._end], [], [], timeout)[0]:
            return False
        with contextlib.suppress(OSError):  # the other end is closed
            data = os.read(self._end, 65536)
            self.output += self._decode(data)
            return bool(data)
        return False


# the script that is installed, again and again in one process: to import ccxt and load markets takes seconds
RUN_SCRIPT = """
import json, os, runpy, sys
for name in [each for each in sys.modules if each.partition('.')[0] == 'rich']:
    del sys.modules[name]  # it may not be there, as the environment says
sys.path[1:1] = os.environ.get('PYTHONPATH', '').split(os.pathsep)
import ccxt_mmp
from ccxt_mmp import async_support, pro
from ccxt_mmp.cli import demo, views, watching
from ccxt_mmp.core.halt_check import DEFAULTS
from tests import trading
from tests.construction import construct_cheaply

async def load_markets(exchange):
    return trading.with_markets(exchange).markets

construct_cheaply()
async_support.okx.load_markets = async_support.binance.load_markets = load_markets
async_support.deribit.load_markets = async_support.bybit.load_markets = load_markets
views.PAUSE, demo.GRID, watching.TICK, DEFAULTS['grace'] = 0, 2, 0.05, 0
script, asked, ended, loaded = sys.argv[1:]
with open(loaded) as file:
    trading.markets = json.load(file).get
ended = os.open(ended, os.O_WRONLY)
for line in open(asked):
    sys.argv = [script, *json.loads(line)]
    try:
        runpy.run_path(script, run_name='__main__')
        status = 0
    except SystemExit as exited:
        status = int(exited.code if isinstance(exited.code, int) else exited.code is not None)
    os.write(ended, f'{status}\\n'.encode())
"""


class Commands(Terminal):
    """The installed command on a terminal that changes its size, one command after the other."""

    def __init__(self, folder, environ):
        asked, ended, loaded = (folder / name for name in ('asked', 'ended', 'markets.json'))
        for path in (asked, ended):
            os.mkfifo(path)
        self._asked, self._ended = (os.open(path, os.O_RDWR) for path in (asked, ended))
        loaded.write_text(json.dumps({exchange_id: markets(exchange_id) for exchange_id in EXCHANGES}))
        super().__init__([COMMAND, asked, ended, loaded], environ, program=python('-c', RUN_SCRIPT))

    def __exit__(self, *error):
        super().__exit__(*error)
        os.close(self._asked)
        os.close(self._ended)

    def run(self, arguments, *steps, columns, rows=200):
        """Run a command, and each step when the output has its pattern. The exit status and the output."""
        self.resize(columns, rows)
        self.output, self._decode = '', decoder().decode
        os.write(self._asked, f'{json.dumps(arguments)}\n'.encode())
        for pattern, action in steps:
            self.until(pattern)
            action()
        ends, ready = time.monotonic() + PATIENCE, []
        while self._ended not in ready:
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < ends, self.text()
            ready, _, _ = select.select([self._ended, self._end], [], [], 1)
            self._read(0)
        while self._read(0):
            pass
        return int(os.read(self._ended, 10)), self.output


def interrupt():
    """What Ctrl-C does to this process."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


class Here:
    """A pseudo-terminal for ``main`` in this process: its exit status is ``status``, what it has written ``output``.

    A step is a pattern and what happens when the output has a match beyond those of the steps before it.
    """

    def __init__(self, monkeypatch, *, with_rich=True, columns=COLUMNS):
        self._monkeypatch, self.output, self.status = monkeypatch, '', None
        self._decode = decoder().decode
        monkeypatch.setenv('TERM', 'xterm-256color')
        monkeypatch.setenv('COLUMNS', str(columns))
        monkeypatch.delenv('NO_COLOR', raising=False)
        if not with_rich:
            monkeypatch.setitem(sys.modules, 'rich.console', None)

    def run(self, arguments, *steps):
        self._end, inner = pty.openpty()
        reader = threading.Thread(target=self._read, args=[list(steps)])
        with contextlib.ExitStack() as opened, self._monkeypatch.context() as patched:
            for name, mode in {'stdin': 'r', 'stdout': 'w', 'stderr': 'w'}.items():
                stream = opened.enter_context(open(os.dup(inner), mode, encoding='utf-8'))  # noqa: PTH123
                patched.setattr(sys, name, stream)
            os.close(inner)
            reader.start()
            self.status = main(arguments)
        reader.join()
        os.close(self._end)
        return self

    @property
    def text(self):
        return CONTROL.sub('', self.output)

    def type(self, text):
        os.write(self._end, text.encode())

    def _read(self, steps):
        """Until nobody has the other end open any more."""
        start, ends = 0, time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):
            while True:
                if select.select([self._end], [], [], 1)[0]:
                    self.output += self._decode(os.read(self._end, 65536))
                if steps and re.search(steps[0][0], CONTROL.sub('', self.output[start:])):
                    start = len(self.output)
                    steps.pop(0)[1]()
                if steps and time.monotonic() > ends:
                    steps.clear()
                    self.output += '(waited in vain)'
                    interrupt()
