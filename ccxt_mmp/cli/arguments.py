"""The arguments of ``ccxt-mmp``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeAlias

from ccxt_mmp._version import __version__
from ccxt_mmp.cli import values
from ccxt_mmp.registry import EXCHANGES

WATCH_INTERVAL = 2.0  # s
MAX_LOCK = 10_000  # ms, the longest that an exchange takes
SHORT = 100  # ms: who sets less may have meant seconds
REFUSED = 2  # the exit status of wrong arguments


def names(param: str | None = None, *, having: bool = True) -> str:
    """The exchanges, in words; or those that have, or do not have, a parameter of ``mass_cancel_mmp``."""
    return _in_words(
        each.name for each in EXCHANGES.values() if param is None or (param in each.cancel_params) == having
    )


def _in_words(things: Iterable[str]) -> str:
    *others, last = things
    return f'{", ".join(others)} and {last}' if others else last


def _hundred_contracts() -> str:
    """What they are on each exchange."""
    exchanges: dict[str, list[str]] = {}
    for each in EXCHANGES.values():
        coins = f'{100 * each.contract_size:g} {each.underlying.partition("/")[0]}'
        exchanges.setdefault(coins, []).append(each.name)
    return _in_words(f'{coins} on {_in_words(having)}' for coins, having in exchanges.items())


_TARGETS = ', '.join(f'{each.id}:{each.underlying}' for each in EXCHANGES.values())
_BLOCK_TRADING = [each for each in EXCHANGES.values() if each.has_rfq]
_FIRST = next(iter(EXCHANGES.values()))
_VARIABLES = ', '.join(f'{each.id}_{name}'.upper() for each in EXCHANGES.values() for name in each.credentials)

DESCRIPTION = f"""Market Maker Protection (MMP) of options on {names()}.
Show it, set it, reset it, and cancel all MMP orders.

A target is exchange:underlying, such as {_TARGETS}; an exchange alone, such as {_FIRST.id}, is everything there;
block trading is exchange:rfq, on {_in_words(each.name for each in _BLOCK_TRADING)}.
{_FIRST.id}@desk2:{_FIRST.underlying} is another account. Targets run concurrently. A slow or failing target delays no
other."""

CREDENTIALS = f"""The credentials come from the environment, as in ccxt's own command line: {_VARIABLES}; those of an
account such as {_FIRST.id}@desk2 from {_FIRST.id.upper()}_DESK2_{_FIRST.credentials[0].upper()} and so on.
The exit status is 0 only if every target succeeded, 1 if one failed, 2 if the arguments are wrong; 3 is of status
--fail-if."""

UNITS = f'Contracts differ: 100 contracts are about {_hundred_contracts()}.'


HALTS = """Halts are kept where CCXT_MMP_HALT says, for every process with the same url: sqlite:/path/halt.db or
redis://host:6379/0; CCXT_MMP_HALT_ACCOUNT is the account if the bots give one. An exchange alone, such as okx, is all
of its underlyings."""


class Refused(SystemExit):
    """The arguments are wrong: the program ends, with nothing sent."""

    def __init__(self, message: str) -> None:
        super().__init__(REFUSED)
        self.message = message


class Parser(argparse.ArgumentParser):
    """Takes no abbreviations: a script must not change its meaning when an option is added."""

    def __init__(self, **keywords: object) -> None:
        super().__init__(allow_abbrev=False, **keywords)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """One line, however long the usage is."""
        raise Refused(f'{message} (help: {self.prog} --help)')


if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[Parser]


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments. Raises ``Refused`` if they are wrong."""
    # the other commands would take longer to describe than this one takes to be read
    parser = build(argv[0] if argv and argv[0] in COMMANDS else None)
    arguments, rest = parser.parse_known_args(argv)
    if rest and (any(each.startswith('-') for each in rest) or 'targets' not in arguments):
        parser.error(f'unrecognized arguments: {" ".join(rest)}')
    if rest:  # targets after an option
        arguments.targets += rest
    _check_together(parser, arguments)
    return arguments


def _check_together(parser: Parser, arguments: argparse.Namespace) -> None:
    """What is right alone and wrong together."""
    if arguments.command == 'cancel' and arguments.emulate and arguments.lock_interval is not None:
        parser.error('--emulate has no lock: choose one')
    if arguments.command == 'status' and arguments.on_change is not None and arguments.watch is None:
        parser.error('--on-change needs --watch')


def build(only: str | None = None) -> Parser:
    """The parser, of all commands or of one; completions and the documentation are made from it, too."""
    parser = Parser(prog='ccxt-mmp', description=DESCRIPTION, epilog=CREDENTIALS)
    parser.add_argument('-V', '--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND', parser_class=Parser)
    shared = _shared()
    for name, add in COMMANDS.items():
        if only in (None, name):
            add(commands, shared)
    return parser


class Shared(NamedTuple):
    """What several commands take."""

    every: Parser
    of_client: Parser
    of_targets: Parser
    asking: Parser


def _shared() -> Shared:
    every = Parser(add_help=False)
    every.add_argument('--verbose', action='store_true', help='show each request and its answer on stderr')
    of_client = Parser(add_help=False, parents=[every])
    of_client.add_argument(
        '--timeout',
        type=values.duration(),
        metavar='TIME',
        help='timeout of each answer, and of a whole cancel (default 10s)',
    )
    of_targets = Parser(add_help=False, parents=[of_client])
    of_targets.add_argument(
        'targets',
        nargs='*',
        metavar='TARGET',
        help=', '.join([_TARGETS, *(f'{each.id}:rfq' for each in _BLOCK_TRADING)]),
    )
    of_targets.add_argument('--json', action='store_true', help='print one JSON document, whatever happens')
    of_targets.add_argument(
        '--targets',
        dest='targets_file',
        metavar='FILE',
        help='more targets, one a line; without any, those of the file that CCXT_MMP_TARGETS names',
    )
    of_targets.add_argument(
        '--env-file', metavar='FILE', help='credentials as lines of NAME=VALUE; they override the environment'
    )
    where = of_targets.add_mutually_exclusive_group()
    where.add_argument('--sandbox', action='store_true', help="the exchange's demo trading")
    where.add_argument(
        '--simulator', type=values.url, metavar='URL', help='a running ccxt-mmp simulate, with its own credentials'
    )
    asking = Parser(add_help=False)
    asking.add_argument(
        '--yes', action='store_true', help=f'ask nothing: not before a frozen one is changed, nor about < {SHORT} ms'
    )
    return Shared(every, of_client, of_targets, asking)


def _add_status(commands: 'Commands', shared: Shared) -> None:
    status = commands.add_parser(
        'status',
        parents=[shared.of_targets],
        epilog=f'{UNITS} {CREDENTIALS}',
        help='which protections are armed or frozen, and until when',
    )
    status.add_argument(
        '--watch',
        nargs='?',
        type=values.interval,
        const=WATCH_INTERVAL,
        metavar='SECONDS',
        help='repeat until interrupted, every 2 s by default; with --json a document a line',
    )
    status.add_argument('--orders', action='store_true', help='count the MMP orders that rest')
    status.add_argument(
        '--fail-if',
        type=values.states,
        default=[],
        metavar='STATE',
        help='frozen (or not known not to be), off, or frozen,off: exit status 3 if one is; ends --watch',
    )
    status.add_argument(
        '--on-change',
        metavar='COMMAND',
        help='with --watch: run this in a shell when a state changes; CCXT_MMP_TARGET, CCXT_MMP_STATE and CCXT_MMP_WAS '
        'say which',
    )


def _add_orders(commands: 'Commands', shared: Shared) -> None:
    commands.add_parser(
        'orders',
        parents=[shared.of_targets],
        epilog=CREDENTIALS,
        help='the MMP orders that rest, without loading markets',
    )


def _add_check(commands: 'Commands', shared: Shared) -> None:
    commands.add_parser(
        'check',
        parents=[shared.of_targets],
        epilog=CREDENTIALS,
        help='keys, permissions, privilege, clock, rules: what is not right, and what to do; changes nothing',
    )


def _add_set(commands: 'Commands', shared: Shared) -> None:
    rule = commands.add_parser(
        'set',
        parents=[shared.of_targets, shared.asking],
        epilog=f'{UNITS} {CREDENTIALS}',
        help='set the rule of protections',
    )
    time = values.duration(0)
    rule.add_argument(
        '--window', type=time, required=True, metavar='TIME', help='the window over which fills are counted, as 5s'
    )
    rule.add_argument(
        '--frozen-time', type=time, required=True, metavar='TIME', help='how long a freeze lasts, 0 = until reset'
    )
    rule.add_argument('--qty-limit', type=values.number, metavar='N', help='contracts, or coins with --qty-unit base')
    rule.add_argument(
        '--qty-unit', choices=('contracts', 'base'), help='what --qty-limit counts: contracts by default; base is coins'
    )
    rule.add_argument(
        '--delta-limit', type=values.number, metavar='N', help='net delta in coins, where the exchange has it'
    )
    rule.add_argument('--count-limit', type=values.count, metavar='N', help='execution attempts, of block trading')
    rule.add_argument(
        '--vega-limit', type=values.number, metavar='N', help='net vega in USD, where the exchange has it'
    )
    rule.add_argument(
        '--max-quote-quantity',
        type=values.number,
        metavar='N',
        help='coins that may be quoted at a time, where the exchange has it',
    )


def _add_reset(commands: 'Commands', shared: Shared) -> None:
    commands.add_parser(
        'reset',
        parents=[shared.of_targets, shared.asking],
        epilog=CREDENTIALS,
        help='end freezes, so that MMP orders are accepted',
    )


def _add_cancel(commands: 'Commands', shared: Shared) -> None:
    cancel = commands.add_parser(
        'cancel', parents=[shared.of_targets], epilog=CREDENTIALS, help='cancel all MMP orders at once, without asking'
    )
    cancel.add_argument(
        '--lock-interval',
        type=values.duration(0, MAX_LOCK),
        metavar='TIME',
        help=f'{names("lockInterval")}: refuse new MMP orders for this long, up to 10s; '
        f'no lock on {names("lockInterval", having=False)}',
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


def _add_halt(commands: 'Commands', shared: Shared) -> None:
    halt = commands.add_parser(
        'halt',
        parents=[shared.of_targets],
        epilog=f'{HALTS} {CREDENTIALS}',
        help='stop MMP orders in every process until resume, and cancel those that rest',
    )
    halt.add_argument('--reason', metavar='TEXT', help='shown wherever the halt is, at most 200 characters')
    halt.add_argument(
        '--for',
        dest='duration',
        type=values.duration(SHORT),  # who writes 5 means no halt of 5 ms
        metavar='TIME',
        help='such as 300ms, 5s, 5m, 2h; until resumed by default',
    )
    halt.add_argument('--no-cancel', action='store_true', help='leave the orders that rest')


def _add_resume(commands: 'Commands', shared: Shared) -> None:
    commands.add_parser(
        'resume',
        parents=[shared.of_targets],
        epilog=f'{HALTS} {CREDENTIALS}',
        help='end halts, so that MMP orders are sent',
    )


def _add_demo(commands: 'Commands', shared: Shared) -> None:
    commands.add_parser(
        'demo', parents=[shared.of_client], help='the main methods on the built-in simulator, without keys'
    )


def _add_simulate(commands: 'Commands', shared: Shared) -> None:
    simulate = commands.add_parser(
        'simulate', parents=[shared.every], help='serve the built-in simulator until interrupted'
    )
    simulate.add_argument('--port', type=values.port, default=0, help='port on 127.0.0.1, by default any free one')


def _add_completion(commands: 'Commands', shared: Shared) -> None:
    completion = commands.add_parser('completion', help='print a script that completes ccxt-mmp in a shell')
    completion.add_argument('shell', choices=('bash', 'zsh', 'tcsh'))


COMMANDS = {
    'status': _add_status,
    'orders': _add_orders,
    'check': _add_check,
    'set': _add_set,
    'reset': _add_reset,
    'cancel': _add_cancel,
    'halt': _add_halt,
    'resume': _add_resume,
    'demo': _add_demo,
    'simulate': _add_simulate,
    'completion': _add_completion,
}
