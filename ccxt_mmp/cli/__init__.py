"""The command line: ``ccxt-mmp`` or ``python -m ccxt_mmp``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from threading import Event

from ccxt_mmp.cli.arguments import parsed

INTERRUPTED = 130  # as shells say it


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parsed(argv)
    commands = {'demo': _demo, 'simulate': _simulate}
    try:
        return commands.get(arguments.command, _command)(arguments)
    except KeyboardInterrupt:
        print('ccxt-mmp: interrupted; what was sent may have taken effect', file=sys.stderr)
        return INTERRUPTED


# each imports what it needs alone: the exchanges of another flavour, or the simulator with its web server


def _command(arguments: argparse.Namespace) -> int:
    from ccxt_mmp.cli.commands import Command, tell

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
            show(f'{request_line(request.method, request.path, request.query, request.body)} -> {request.status}')

    simulator = Simulator(port=arguments.port)
    if arguments.verbose:
        simulator.requests = ShownLog()
    try:
        simulator.start()
    except (OSError, OverflowError) as error:
        print(f'ccxt-mmp: cannot serve port {arguments.port}: {error}', file=sys.stderr)
        return 1
    try:
        print(f'url         {simulator.url}')
        print(f'key         {KEY}')
        print(f'secret      {SECRET}')
        print(f'passphrase  {PASSPHRASE}')
        print('OKX is at /api/v5/, Binance at /eapi/v1/, the control side at /_control/. Ctrl-C ends it.', flush=True)
        Event().wait()
    except KeyboardInterrupt:
        simulator.close()
    return 0
