"""The command line: ``ccxt-mmp`` or ``python -m ccxt_mmp``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from threading import Event

from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.output import say, tell
from ccxt_mmp.registry import EXCHANGES

INTERRUPTED = 130  # the exit status that shells give


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parsed(argv)
    commands = {'demo': _demo, 'simulate': _simulate}
    try:
        return commands.get(arguments.command, _command)(arguments)
    except KeyboardInterrupt:
        tell('interrupted; what was sent may have taken effect')
        return INTERRUPTED


# each imports only what it needs: the async exchanges, or the simulator with its web server


def _command(arguments: argparse.Namespace) -> int:
    from ccxt_mmp.cli.commands import Command

    try:
        command = Command(arguments)
    except (OSError, UnicodeDecodeError, ImportError) as error:
        tell(f'cannot read --env-file: {error}')
        return 1
    try:
        asyncio.run(command.run())
    except KeyboardInterrupt:
        if not command.is_endless:
            raise
    return command.exit_status


def _demo(arguments: argparse.Namespace) -> int:
    from ccxt_mmp.cli.demo import demo

    return demo(arguments)


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
        say(f'{", ".join(places)}, control requests go to /_control/. Ctrl-C stops it.', sys.stdout)
        Event().wait()
    except KeyboardInterrupt:
        simulator.close()
    return 0
