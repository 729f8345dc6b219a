"""Processes of Python that have ccxt at once: a server that has imported it forks them.

An import of ccxt takes a second, and a test of processes starts many. ``python('-m', 'tests.halt_soak.bot')`` stands
for ``[sys.executable, '-m', 'tests.halt_soak.bot']`` wherever a command is expected, a shell too: a small client hands
its streams, environment, working directory and arguments to the server, passes signals on, and ends with the status of
the process. Killed, it takes the process along. ``python_with_the_package`` has imported no more than ``ccxt_mmp``, as
a bot has that begins with it. What happens while that is imported needs a real process.
"""

import array
import atexit
import contextlib
import functools
import gc
import io
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

CLIENT = Path(__file__).with_name('warm_client.py')
ROOT = CLIENT.parent.parent
SHARED = {}  # the path of a server that another process has started
PACKAGE = 'ccxt_mmp'
IMPORTED = (
    'ccxt.pro',
    'ccxt_mmp.pro',
    'ccxt_mmp.simulator',
    'ccxt_mmp.cli.main',
    'ccxt_mmp.halts.sqlite',
    'ccxt_mmp.halts.redis',
    'rich.live',
    'rich.table',
    'tests.trading',
)


def python(*arguments):
    """The command of a process that runs a module (``-m``), a text (``-c``) or a file."""
    return command(server(), arguments)


def python_with_the_package(*arguments):
    """The same, where it counts what is imported after the package."""
    return command(of_the_package(server()), arguments)


def command(path, arguments):
    return [sys.executable, '-I', '-S', str(CLIENT), path, *map(str, arguments)]


def of_the_package(path):
    return f'{path}-of-the-package'


def server():
    """The path of its socket; the workers of a run share that of the process that started them."""
    return SHARED.get('path') or started()


@functools.cache
def started():
    """A server of this process, which ends with it."""
    folder = tempfile.mkdtemp(prefix='warm-')
    path = str(Path(folder, 'socket'))
    listeners = [listening(each) for each in (path, of_the_package(path))]
    passed = [listener.fileno() for listener in listeners]
    # the end of its standard input is the end of this process, however it comes
    process = subprocess.Popen(
        [sys.executable, '-m', 'tests.warm', *map(str, passed)],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != 'COVERAGE_PROCESS_CONFIG'},
        pass_fds=passed,
        start_new_session=True,
    )
    for listener in listeners:
        listener.close()

    def close():
        process.stdin.close()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(close)
    return path


def listening(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener


# --- in the server


def serve(listener, other_server):
    """Fork a process for each client; returns what to run, in that process alone."""
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # keepers that have ended
                pass
        if listener not in ready:
            if other_server:
                os.waitpid(other_server, 0)  # it ends now, too
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return keep(connection)
        connection.close()


def keep(connection):
    """Fork the process and stay with it: tell the client how it ends, and end it with the client."""
    request, streams = receive(connection)
    over, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        connection.close()
        os.close(over)  # the other end is open for as long as the process lives
        return request, streams
    for fd in (alive, *streams):
        os.close(fd)
    with contextlib.suppress(OSError):  # the client is gone, which is seen next
        connection.sendall(b'%d\n' % pid)
    ready, _, _ = select.select([connection, over], [], [])
    if over not in ready:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):  # the client is gone
        connection.sendall(b'%d\n' % status)
    os._exit(0)


def receive(connection):
    """The request, and the streams that the client has open."""
    first, control, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(3 * array.array('i').itemsize))
    streams = array.array('i')
    for _, _, data in control:
        streams.frombytes(data)
    rest = bytearray()
    while len(rest) < int(first):
        more = connection.recv(65536)
        if not more:
            os._exit(0)  # the client has ended
        rest += more
    return json.loads(rest), list(streams)


def become(request, streams):
    """What a process is before its program runs."""
    os.setsid()
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.close(fd)
    for fd, stream in zip(request['streams'], streams, strict=True):
        os.dup2(stream, fd)
        os.close(stream)
    os.chdir(request['folder'])
    os.environ.clear()
    os.environ.update(request['environment'])
    sys.stdin = sys.__stdin__ = opened(0, 'r', request)
    sys.stdout = sys.__stdout__ = opened(1, 'w', request)
    sys.stderr = sys.__stderr__ = opened(2, 'w', request)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()


def opened(fd, mode, request):
    """A standard stream as Python makes it: none if it is closed."""
    if fd not in request['streams']:
        return None
    is_unbuffered = mode == 'w' and bool(request['environment'].get('PYTHONUNBUFFERED'))
    raw = open(fd, mode + 'b', 0, closefd=False)  # noqa: SIM115 - of the process
    buffered = io.BufferedReader(raw) if mode == 'r' else raw if is_unbuffered else io.BufferedWriter(raw)
    errors = 'backslashreplace' if fd == 2 else 'strict'
    by_line = fd == 2 or raw.isatty()
    return io.TextIOWrapper(buffered, 'utf-8', errors, line_buffering=by_line, write_through=is_unbuffered)


def run(arguments, folder):
    """As ``python`` does with these."""
    first, *rest = arguments
    if first == '-m':
        sys.path[0], sys.argv = folder, rest
        runpy.run_module(rest[0], run_name='__main__', alter_sys=True)
    elif first == '-c':
        sys.path[0], sys.argv = '', ['-c', *rest[1:]]
        exec(compile(rest[0], '<string>', 'exec'), {'__name__': '__main__'})  # noqa: S102 - a test's own
    else:
        sys.path[0], sys.argv = str(Path(first).resolve().parent), arguments
        runpy.run_path(first, run_name='__main__')


if __name__ == '__main__':
    gc.disable()  # none of what is imported is garbage
    own, of_other = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:])
    import_module(PACKAGE)
    other = os.fork()  # a server that imports nothing more
    if other:
        for name in IMPORTED:
            with contextlib.suppress(ImportError):  # of an extra that is not installed
                import_module(name)
    else:
        own, of_other = of_other, own
    of_other.close()
    gc.collect()
    gc.freeze()
    gc.enable()
    become_what, with_streams = serve(own, other)
    become(become_what, with_streams)
    run(become_what['arguments'], become_what['folder'])
