"""The arguments of ``ccxt-mmp``."""

import argparse
import re
from collections.abc import Sequence
from math import inf

from ccxt_mmp._version import __version__
from ccxt_mmp.registry import EXCHANGES, Exchange

WATCH_INTERVAL = 2.0  # s


def names(param: str | None = None, *, having: bool = True) -> str:
    """The exchanges, in words; or those that have, or do not have, a parameter of ``mass_cancel_mmp``."""
    *others, last = (
        each.name for each in EXCHANGES.values() if param is None or (param in each.cancel_params) == having
    )
    return f'{", ".join(others)} and {last}' if others else last


def _hundred_contracts(exchange: Exchange) -> str:
    coin = exchange.underlying.partition('/')[0]
    return f'{100 * exchange.contract_size:g} {coin} on {exchange.name}'


_TARGETS = ', '.join(f'{each.id}:{each.underlying}' for each in EXCHANGES.values())
_BLOCK_TRADING = [each for each in EXCHANGES.values() if each.has_rfq]
_EXAMPLES = ', '.join([_TARGETS, *(f'{each.id}:rfq' for each in _BLOCK_TRADING)])
_VARIABLES = ', '.join(f'{each.id}_{name}'.upper() for each in EXCHANGES.values() for name in each.credentials)

DESCRIPTION = f"""Market Maker Protection (MMP) of options on {names()}.
Show it, set it, reset it, and cancel all MMP orders.

A target is exchange:underlying, such as {_TARGETS};
block trading is exchange:rfq, on {' and '.join(each.name for each in _BLOCK_TRADING)}.
Targets run concurrently. A slow or failing target delays no other."""

CREDENTIALS = f"""The credentials come from the environment, as in ccxt's own command line: {_VARIABLES}.
The exit status is 0 only if every target succeeded."""

*_OTHERS, _LAST = map(_hundred_contracts, EXCHANGES.values())
UNITS = f'Contracts differ: 100 contracts are about {", ".join(_OTHERS)} and {_LAST}.'


HALTS = """Halts are kept where CCXT_MMP_HALT says, for every process with the same url: sqlite:/path/halt.db or
redis://host:6379/0; CCXT_MMP_HALT_ACCOUNT is the account if the bots give one. An exchange alone, such as okx, is all
of its underlyings."""


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog='ccxt-mmp', description=DESCRIPTION, epilog=CREDENTIALS)
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND', parser_class=_Parser)

    every = _Parser(add_help=False)
    every.add_argument('--verbose', action='store_true', help='show each request and its answer on stderr')
    of_client = _Parser(add_help=False, parents=[every])
    of_client.add_argument(
        '--timeout',
        type=_milliseconds,
        metavar='MS',
        help='timeout of each answer, and of a whole cancel (default 10000)',
    )
    of_targets = _Parser(add_help=False, parents=[of_client])
    of_targets.add_argument(
        'targets',
        nargs='+',
        metavar='TARGET',
        help=', '.join([_TARGETS, *(f'{each.id}:rfq' for each in _BLOCK_TRADING)]),
    )
    of_targets.add_argument('--json', action='store_true', help='print one JSON document')
    of_targets.add_argument(
        '--env-file', metavar='FILE', help='credentials as lines of NAME=VALUE; they override the environment'
    )
    where = of_targets.add_mutually_exclusive_group()
    where.add_argument('--sandbox', action='store_true', help="the exchange's demo trading")
    where.add_argument(
        '--simulator', type=_url, metavar='URL', help='a running ccxt-mmp simulate, with its own credentials'
    )
    asking = _Parser(add_help=False)
    asking.add_argument('--yes', action='store_true', help='do not ask before a frozen protection is changed')

    status = commands.add_parser(
        'status',
        parents=[of_targets],
        epilog=f'{UNITS} {CREDENTIALS}',
        help='which protections are armed or frozen, and until when',
    )
    status.add_argument(
        '--watch',
        nargs='?',
        type=_seconds,
        const=WATCH_INTERVAL,
        metavar='SECONDS',
        help='repeat until interrupted, every 2 s by default',
    )
    rule = commands.add_parser(
        'set', parents=[of_targets, asking], epilog=f'{UNITS} {CREDENTIALS}', help='set the rule of protections'
    )
    rule.add_argument('--window', required=True, metavar='MS', help='the window over which fills are counted')
    rule.add_argument('--frozen-time', required=True, metavar='MS', help='how long a freeze lasts, 0 = until reset')
    rule.add_argument('--qty-limit', metavar='N', help='contracts')
    rule.add_argument('--delta-limit', metavar='N', help='net delta in the underlying coin, where the exchange has it')
    rule.add_argument('--count-limit', metavar='N', help='execution attempts, of block trading')
    rule.add_argument('--vega-limit', metavar='N', help='net vega in USD, where the exchange has it')
    rule.add_argument(
        '--max-quote-quantity', metavar='N', help='coins that may be quoted at a time, where the exchange has it'
    )
    commands.add_parser(
        'reset',
        parents=[of_targets, asking],
        epilog=CREDENTIALS,
        help='end freezes, so that MMP orders are accepted',
    )
    cancel = commands.add_parser(
        'cancel', parents=[of_targets], epilog=CREDENTIALS, help='cancel all MMP orders at once, without asking'
    )
    cancel.add_argument(
        '--lock-interval',
        metavar='MS',
        help=f'{names("lockInterval")}: refuse new MMP orders for this long, 0 to 10000; '
        f'{names("lockInterval", having=False)} has no lock',
    )
    cancel.add_argument(
        '--include-non-mmp',
        action='store_true',
        help=f'{names("includeNonMmp")}: all orders in one request; not on {names("includeNonMmp", having=False)}',
    )
    cancel.add_argument(
        '--emulate',
        action='store_true',
        help=f'{names("emulate")}: list, cancel and list again, for accounts without the privilege',
    )

    halt = commands.add_parser(
        'halt',
        parents=[of_targets],
        epilog=f'{HALTS} {CREDENTIALS}',
        help='stop MMP orders in every process until resume, and cancel those that rest',
    )
    halt.add_argument('--reason', metavar='TEXT', help='shown wherever the halt is, at most 200 characters')
    halt.add_argument(
        '--for',
        dest='duration',
        type=_duration,
        metavar='DURATION',
        help='such as 300ms, 5s, 5m, 2h; until resumed by default',
    )
    halt.add_argument('--no-cancel', action='store_true', help='leave the orders that rest')
    commands.add_parser(
        'resume', parents=[of_targets], epilog=f'{HALTS} {CREDENTIALS}', help='end halts, so that MMP orders are sent'
    )

    commands.add_parser('demo', parents=[of_client], help='all methods on the built-in simulator, without keys')
    simulate = commands.add_parser('simulate', parents=[every], help='serve the built-in simulator until interrupted')
    simulate.add_argument('--port', type=int, default=0, help='port on 127.0.0.1, by default any free one')

    arguments, rest = parser.parse_known_args(argv)
    if rest and (any(each.startswith('-') for each in rest) or 'targets' not in arguments):
        parser.error(f'unrecognized arguments: {" ".join(rest)}')
    if rest:  # targets after an option
        arguments.targets += rest
    if arguments.command == 'status' and arguments.watch is not None and arguments.json:
        parser.error('--json prints one document, --watch never ends: choose one')
    if arguments.command == 'cancel' and arguments.emulate and arguments.lock_interval is not None:
        parser.error('--emulate has no lock: choose one')
    return arguments


class _Parser(argparse.ArgumentParser):
    """Takes no abbreviations: a script must not change its meaning when an option is added."""

    def __init__(self, **keywords: object) -> None:
        super().__init__(allow_abbrev=False, **keywords)  # type: ignore[arg-type]


def _milliseconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f'{text!r} is no number of milliseconds above 0')
    return int(text)


def _duration(text: str) -> int:
    found = re.fullmatch(r'([0-9]{1,15})(ms|s|m|h)?', text, re.ASCII)
    milliseconds = int(found[1]) * {'ms': 1, None: 1, 's': 1000, 'm': 60_000, 'h': 3_600_000}[found[2]] if found else 0
    if milliseconds <= 0:
        raise argparse.ArgumentTypeError(f'{text!r} is no duration above 0, such as 300ms, 5s, 5m, 2h')
    return milliseconds


def _url(text: str) -> str:
    if not text.startswith(('http://', 'https://')):
        raise argparse.ArgumentTypeError(f'{text!r} is no URL of a simulator')
    return text.rstrip('/')


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < inf:
        raise argparse.ArgumentTypeError(f'{text!r} is no number of seconds above 0 (targets come before --watch)')
    return seconds
