"""``ccxt-mmp halt`` and ``resume``, and what ``status`` says of halts."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from ccxt.base.errors import BaseError, NotSupported

from ccxt_mmp.cli.report import Result, moment
from ccxt_mmp.cli.screens import screen
from ccxt_mmp.cli.targets import HALT_ACCOUNT, HALT_URL, Target
from ccxt_mmp.cli.verdicts import count_cancelled, details
from ccxt_mmp.halts import ALL
from ccxt_mmp.types import MmpHalt

EVERYTHING_HALTED = 'all underlyings'

Work = Callable[[Any, Result], Awaitable[None]]


def halting(arguments: argparse.Namespace) -> Work:
    async def halt(exchange: Any, result: Result) -> None:
        target = result.target
        wanted = {'reason': arguments.reason, 'duration': arguments.duration, **_scope(target)}
        cancels = not arguments.no_cancel
        can_cancel = bool(target.underlying) or exchange.has['fetchMmps'] is True
        _require_url(exchange)
        new_store = _new_store(exchange)
        if target.underlying and cancels:
            done = await exchange.mass_cancel_mmp(target.underlying, {'halt': True, **wanted})
            result.cancelled = done
            count_cancelled(result)
            result.halt = await exchange.fetch_mmp_halt(target.underlying)
            if not arguments.json:
                screen().notes([details(result)])
        else:
            result.halt = await exchange.halt_mmp(target.underlying, {'cancel': cancels and can_cancel, **wanted})
        if not arguments.json and result.halt is not None:
            screen().notes([halt_line(target, result.halt), f'{target.text}: {_whom_it_stops(exchange)}', *new_store])
        if cancels and not can_cancel:  # the halt is done without the cancel, but the target counts as failed
            raise NotSupported(
                f'{target.exchange_id} lists no rules: its MMP orders rest, name underlyings to cancel them'
            )

    return halt


def resuming(arguments: argparse.Namespace) -> Work:
    async def resume(exchange: Any, result: Result) -> None:
        _require_url(exchange)
        result.resumed = await exchange.resume_mmp(result.target.underlying, _scope(result.target))
        if not arguments.json:
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
        else:
            result.halt = await exchange.fetch_mmp_halt(target.underlying)
    except BaseError as error:
        result.halt_is_unknown = str(error)


def halt_lines(results: Sequence[Result]) -> list[str]:
    """A line for each halt, however many targets it stops."""
    lines = [halt_line(result.target, each) for result in results for each in (result.halt, *result.halts) if each]
    lines += [
        f'{result.target.place}: not known whether it is halted: {result.halt_is_unknown}'
        for result in results
        if result.halt_is_unknown
    ]
    return list(dict.fromkeys(lines))


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


def _require_url(exchange: Any) -> None:
    if exchange.options.get('mmpHalt') is None:
        raise NotSupported(
            f'{HALT_URL} must say where halts are kept, as for the bots: sqlite:/path/halt.db or redis://host:6379/0'
        )
