"""The command line: ``ccxt-mmp`` or ``python -m ccxt_mmp``."""

import argparse
import sys
from collections.abc import Sequence
from threading import Event

from ccxt_mmp._version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='ccxt-mmp', description='Market Maker Protection for ccxt.')
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('demo', help='the MMP methods on the built-in simulator, without keys and without a network')
    simulate = commands.add_parser('simulate', help='serve the built-in simulator until interrupted')
    simulate.add_argument('--port', type=int, default=0, help='of 127.0.0.1, by default any that is free')
    arguments = parser.parse_args(argv)
    return _demo() if arguments.command == 'demo' else _simulate(arguments.port)


# the simulator brings a web server, which no other use of the command line should pay for


def _demo() -> int:
    from ccxt_mmp.demo import demo  # noqa: PLC0415

    return demo()


def _simulate(port: int) -> int:
    from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator  # noqa: PLC0415

    simulator = Simulator(port=port)
    try:
        simulator.start()
    except (OSError, OverflowError) as error:
        print(f'ccxt-mmp: cannot serve port {port}: {error}', file=sys.stderr)
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
