"""Stands for a process that the server of ``warm.py`` forks: ``warm_client.py SOCKET ARGUMENTS``."""

import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM)


def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def main(path, *arguments):
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # the process may be at work before its pid is known here
    streams = [fd for fd in (0, 1, 2) if is_open(fd)]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    folder = os.getcwd()  # noqa: PTH109 - pathlib takes long to import
    told = {'arguments': arguments, 'environment': dict(os.environ), 'folder': folder, 'streams': streams}
    request = json.dumps(told).encode()
    socket.send_fds(connection, [b'%8d' % len(request)], streams)
    connection.sendall(request)
    answers = connection.makefile()
    pid = int(answers.readline())
    for number in PASSED_ON:
        signal.signal(number, lambda number, _: os.kill(pid, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    status = int(answers.readline())
    if status < 0:  # a signal ended it, and this one the same way
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
