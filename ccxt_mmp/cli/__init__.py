"""The command line: ``ccxt-mmp`` or ``python -m ccxt_mmp``."""

import argparse
import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from ccxt_mmp.cli.arguments import Refused, build, parsed
from ccxt_mmp.cli.interrupts import interruptible
from ccxt_mmp.cli.output import in_lines, say, tell
from ccxt_mmp.registry import EXCHANGES

if TYPE_CHECKING:
    from ccxt_mmp.cli.commands import Command

INTERRUPTED, TERMINATED = 130, 143  # the exit statuses that shells give
WHAT_WAS_SENT = 'what was sent may have taken effect'


def main(argv: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else [*argv]
    with _termination() as terminated:
        try:
            arguments = parsed(words)
            commands = {'demo': _demo, 'simulate': _simulate, 'completion': _completion}
            return commands.get(arguments.command, _command)(arguments)
        except Refused as refused:
            tell(refused.message)
            _say_document(words, 'Refused', refused.message)
            raise
        except KeyboardInterrupt:
            how = 'terminated' if terminated.is_set() else 'interrupted'
            tell(f'{how}; {WHAT_WAS_SENT}')
            return TERMINATED if terminated.is_set() else INTERRUPTED


@contextmanager
def _termination() -> Iterator[Event]:
    """SIGTERM ends a command as Ctrl-C does."""
    terminated = Event()

    def end(*_: object) -> None:
        terminated.set()
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in what a script has started in the background
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield terminated
        return
    stock = signal.signal(signal.SIGTERM, end)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, stock)


def _say_document(words: Sequence[str], kind: str, message: str) -> None:
    """The one document of ``--json``, where there is no command that could have one."""
    if '--json' in words:
        from ccxt_mmp.cli.report import failure

        say(json.dumps(failure(kind, message), indent=2), sys.stdout)


# each imports only what it needs: the async exchanges, or the simulator with its web server


def _command(arguments: argparse.Namespace) -> int:
    try:
        command = _kind(arguments.command)(arguments)
    except (OSError, UnicodeDecodeError, ImportError) as error:
        message = f'cannot read --env-file: {error}'
        tell(message)
        _say_document(['--json'] if arguments.json else [], type(error).__name__, message)
        return 1
    try:
        asyncio.run(interruptible(command.run()))
    except Refused:
        command.has_shown = True  # main has another document for it
        raise
    except KeyboardInterrupt:
        if not command.is_endless:
            command.interrupt(KeyboardInterrupt(f'interrupted; {WHAT_WAS_SENT}'))
            raise
    finally:
        command.show_document()
    return command.exit_status


def _kind(name: str) -> 'type[Command]':
    if name == 'check':
        from ccxt_mmp.cli.check import Check

        return Check
    if name == 'orders':
        from ccxt_mmp.cli.orders import Orders

        return Orders
    from ccxt_mmp.cli.commands import Command

    return Command


def _demo(arguments: argparse.Namespace) -> int:
    from ccxt_mmp.cli.demo import demo

    return demo(arguments)


def _completion(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        tell("completion needs the extra cli: pip install 'ccxt-mmp[cli]'")
        return 1
    say(shtab.complete(build(), arguments.shell), sys.stdout)
    return 0


def _simulate(arguments: argparse.Namespace) -> int:
    from ccxt_mmp.cli.traffic import request_line, show
    from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, LoggedRequest, Simulator

    class ShownLog(list[LoggedRequest]):
        def append(self, request: LoggedRequest) -> None:
            super().append(request)
            show(f'{request_line(request.method, request.path, request.query, request.body)} -> {request.status}')

    simulator = Simulator(port=arguments.port)
    if arguments.verbose:
        simulator.requests = ShownLog()
    try:
        simulator.start()
    except (OSError, OverflowError) as error:
        tell(f'cannot serve port {arguments.port}: {error}')
        return 1
    try:
        say(f'url         {simulator.url}', sys.stdout)
        say(f'key         {KEY}', sys.stdout)
        say(f'secret      {SECRET}', sys.stdout)
        say(f'passphrase  {PASSPHRASE}', sys.stdout)
        places = [f'{each.name} is at {each.path}' for each in EXCHANGES.values()]
        told = f'{", ".join(places)}, control requests go to /_control/. Ctrl-C stops it.'
        say(in_lines(told, sys.stdout), sys.stdout)
        Event().wait()
    except KeyboardInterrupt:
        simulator.close()
    return 0
