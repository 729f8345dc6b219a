"""Ports on loopback that nobody else takes meanwhile, and one where nobody is."""

import contextlib
import random
import socket

# below those that the system gives to clients, of which the tests have thousands: one of them could be given a port
# that was free a moment ago
OF_SERVERS = range(20_000, 32_000)
CHOICE = random.SystemRandom()  # Hypothesis makes that of ``random`` the same in every worker


def port_for_a_server():
    """One that a program can listen on that is told its port."""
    while True:
        port = CHOICE.choice(OF_SERVERS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(('127.0.0.1', port))
            return port


@contextlib.contextmanager
def nowhere():
    """The url of a port that is taken, so that nobody else listens there, and does not listen itself."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        yield f'http://127.0.0.1:{taken.getsockname()[1]}'
