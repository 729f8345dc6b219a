"""``ccxt-mmp halt`` and ``resume``, and what ``status`` says of halts."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import BaseError, NotSupported, OperationFailed

from ccxt_mmp.cli.cancelling import cancel_everything
from ccxt_mmp.cli.report import Result, each_part, moment, unknown_halts
from ccxt_mmp.cli.screens import screen
from ccxt_mmp.cli.targets import HALT_ACCOUNT, HALT_URL, Target
from ccxt_mmp.cli.verdicts import count_cancelled, details
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.halts import ALL
from ccxt_mmp.types import MmpHalt

if TYPE_CHECKING:
    from ccxt_mmp.cli.commands import Command

EVERYTHING_HALTED = 'all underlyings'
NO_MORE = 'it is NOT HALTED any more: somebody has resumed, or its time is over'

Work = Callable[[Any, Result], Awaitable[None]]


def halting(command: 'Command') -> Work:
    arguments = command.arguments

    async def halt(exchange: Any, result: Result) -> None:
        target = result.target
        wanted = {'reason': arguments.reason, 'duration': arguments.duration, **_scope(target)}
        cancels = not arguments.no_cancel
        _require_store(exchange, f'; nothing was cancelled: ccxt-mmp cancel {target.text} cancels' if cancels else '')
        new_store = _new_store(exchange)
        if cancels:
            await _cancel_and_halt(command, exchange, result, {'halt': True, **wanted})
        else:
            result.halt = await exchange.halt_mmp(target.underlying, {'cancel': False, **wanted})
        if not arguments.json and result.halt is not None:
            screen().notes([halt_line(target, result.halt), f'{target.text}: {_whom_it_stops(exchange)}', *new_store])

    return halt


async def _cancel_and_halt(command: 'Command', exchange: Any, result: Result, params: dict[str, Any]) -> None:
    underlying = result.target.underlying
    if underlying is None:
        await cancel_everything(command, exchange, result, params)
    else:
        try:
            result.cancelled = await exchange.mass_cancel_mmp(underlying, params)
        except MassCancelIncomplete as error:
            result.cancelled = next((each for each in error.results.values() if not isinstance(each, Exception)), None)
            if result.cancelled is not None:  # all is cancelled, and the halt is not stored
                _tell_cancelled(command, result)
            raise
    _tell_cancelled(command, result)
    try:
        result.halt = await exchange.fetch_mmp_halt(underlying)
    except Exception as error:  # noqa: BLE001 - it is told beside what was cancelled
        if result.error is None:  # else it may not have been
            error.args = (f'{error}; the halt was stored',)
        command.fail(result, error)
    else:
        if result.halt is None and result.error is None:
            command.fail(result, OperationFailed(NO_MORE))
    for each in each_part([result]):
        each.halt = result.halt


def _tell_cancelled(command: 'Command', result: Result) -> None:
    """Whatever comes, what was cancelled is told."""
    count_cancelled(result)
    if not command.arguments.json:
        screen().notes([details(each) for each in each_part([result])])


def resuming(command: 'Command') -> Work:
    async def resume(exchange: Any, result: Result) -> None:
        _require_store(exchange)
        result.resumed = await exchange.resume_mmp(result.target.underlying, _scope(result.target))
        if not command.arguments.json:
            nothing = f'nothing to resume, it was not halted; a halt {_whom_it_stops(exchange)}'
            screen().notes([f'{result.target.text}: {_ended(exchange, result.resumed) or nothing}'])

    return resume


def _ended(exchange: Any, resumed: MmpHalt) -> str:
    """Which halts were ended; nothing if there was none."""
    names = [_name(exchange, each['underlying']) for each in resumed['info']]
    if not names:
        return ''
    number = '1 halt' if len(names) == 1 else f'{len(names)} halts'
    return f'resumed, it was halted since {moment(resumed["since"])}, {number} ended: {", ".join(names)}'


def _name(exchange: Any, stored: str) -> str:
    """The name of what the store has halted."""
    return EVERYTHING_HALTED if stored == ALL else exchange._unified_underlying(stored) or stored


async def look(exchange: Any, result: Result) -> None:
    """What halts a target, if there is a store. A failure fails no target: it is said where the halt would be."""
    target = result.target
    if exchange.options.get('mmpHalt') is None or (target.underlying is None and not target.is_all):
        return
    result.halt, result.halts, result.halt_is_unknown = None, [], ''
    try:
        if target.is_all:
            result.halts = await exchange.fetch_mmp_halts()
            result.halt = next((each for each in result.halts if each['underlyingId'] is None), None)
        else:
            result.halt = await exchange.fetch_mmp_halt(target.underlying)
    except BaseError as error:
        result.halt_is_unknown = str(error)


def halt_lines(results: Sequence[Result]) -> list[str]:
    """A line for each halt, however many targets it stops."""
    lines = [halt_line(result.target, each) for result in results for each in (result.halt, *result.halts) if each]
    return [*dict.fromkeys(lines), *unknown_halts(results)]


def halt_line(target: Target, halt: MmpHalt) -> str:
    name = halt['underlying'] or halt['underlyingId'] or EVERYTHING_HALTED
    until = 'until resumed' if halt['until'] is None else f'until {moment(halt["until"])}'
    reason = f': {halt["reason"]}' if halt['reason'] else ''
    return f'HALTED {target.place} {name} {until}, since {moment(halt["since"])} by {halt["by"]}{reason}'


def _scope(target: Target) -> dict[str, str]:
    return {} if target.scope == 'orders' else {'scope': target.scope}


def _whom_it_stops(exchange: Any) -> str:
    account = exchange.options['mmpHalt'].get('account')
    if account:
        return f'stops the bots of this store whose account is {account!r}, no others'
    return f'stops the bots of this store and API key that name no account: for others set {HALT_ACCOUNT}'


def _new_store(exchange: Any) -> list[str]:
    """A note if the file of the halts is not there yet, as after a slip in its path."""
    url = str(exchange.options['mmpHalt']['url'])
    path = Path(url.removeprefix('sqlite:'))
    is_new = url.startswith('sqlite:') and not path.exists()
    return [f'{path.name} is a new store: no bot has used it yet'] if is_new else []


def _require_store(exchange: Any, otherwise: str = '') -> None:
    """Raise where nothing says where halts are kept, or what says so cannot be read, and end with what to do."""
    if exchange.options.get('mmpHalt') is None:
        raise NotSupported(
            f'{HALT_URL} must say where halts are kept, as for the bots: sqlite:/path/halt.db or redis://host:6379/0'
            f'{otherwise}'
        )
    try:
        exchange._halts()
    except BaseError as error:
        error.args = (f'{error}{otherwise}',)
        raise
