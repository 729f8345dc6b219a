"""The command line: ``ccxt-mmp`` or ``python -m ccxt_mmp``."""

import argparse
from collections.abc import Sequence

from ccxt_mmp._version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='ccxt-mmp', description='Market Maker Protection for ccxt.')
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('demo', help='the MMP methods on the built-in simulator, without keys and without a network')
    parser.parse_args(argv)

    from ccxt_mmp.demo import demo  # noqa: PLC0415 - loads the simulator and its web server

    return demo()
