"""How protections are written for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ccxt_mmp.cli.arguments import UNITS
from ccxt_mmp.cli.targets import Target
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import MassCancel, MmpState

COLUMNS = (
    'exchange',
    'underlying',
    'scope',
    'state',
    'time left',
    'window',
    'frozen time',
    'limits',
    'last trigger',
)
STATE = COLUMNS.index('state')
NOTHING = '-'  # the exchange does not say, or there is none
UNTIL_RESET = 'until reset'
DERIVED = (
    '{} does not say whether it is frozen: this is derived from its last trigger, and a reset by another program '
    'may not show.'
)


@dataclass(eq=False)
class Result:
    """What came of a target."""

    target: Target
    state: MmpState | None = None
    before: MmpState | None = None
    cancelled: MassCancel | None = None
    error: BaseException | None = None
    message: str = ''  # the error in one line
    warning: str = ''  # what failed without the target failing
    seen: float = 0.0  # when the state was seen, on a clock that never goes back


def state_of(state: MmpState) -> str:
    """In one word, which reads without colour too."""
    if state['frozen']:
        return 'FROZEN'
    if state['enabled'] is False:
        return 'off'
    if state['frozen'] is None:
        return 'unknown'
    return 'armed' if state['enabled'] else 'not frozen'


def may_be_frozen(state: MmpState) -> bool:
    """Whether to think before it is reset; an exchange may freeze what is off by now."""
    return bool(state['frozen']) or (state['frozen'] is None and state['enabled'] is not False)


def frozen_or_not(state: MmpState) -> str:
    return 'is FROZEN' if state['frozen'] else 'may be frozen'


def notes(results: Sequence[Result]) -> list[str]:
    """What has to be known to read the table."""
    known = {result.target.exchange_id for result in results if result.state is not None}
    frozen = {result.target.exchange_id for result in results if result.state is not None and result.state['frozen']}
    derived = [each.name for each in EXCHANGES.values() if each.id in frozen and not each.says_frozen]
    return [*([UNITS] if len(known) > 1 else ()), *(DERIVED.format(name) for name in derived)]


def row(target: Target, state: MmpState | None, now: int, *, is_failed: bool = False) -> list[str]:
    """The cells of a protection at a time of the exchange, ms since the epoch."""
    if state is None:
        cells = [target.exchange_id, target.underlying or NOTHING, target.scope, *[NOTHING] * (len(COLUMNS) - 3)]
        cells[STATE] = 'failed' if is_failed else 'unknown'
        return cells
    return [
        target.exchange_id,
        state['underlying'] or state['underlyingId'] or NOTHING,
        state['scope'],
        state_of(state),
        _time_left(state, now),
        _milliseconds(state['window']),
        UNTIL_RESET if state['frozenTime'] == 0 else _milliseconds(state['frozenTime']),
        ', '.join(_limits(state)) or NOTHING,
        _moment(state['lastTriggerTimestamp']),
    ]


def _milliseconds(value: int | None) -> str:
    return NOTHING if value is None else f'{value} ms'


def _limits(state: MmpState) -> Iterator[str]:
    """With their units; contracts are those of the exchange."""
    if state['qtyLimit'] is not None:
        yield counted(state['qtyLimit'], 'contract')
    if state['deltaLimit'] is not None:
        coin = (state['underlying'] or '').partition('/')[0] or 'coins'
        yield f'delta {state["deltaLimit"]:.15g} {coin}'
    if state['countLimit'] is not None:
        yield counted(state['countLimit'], 'attempt')


def _time_left(state: MmpState, now: int) -> str:
    if not state['frozen']:
        return NOTHING
    if state['frozenUntil'] is not None:
        return duration(max(state['frozenUntil'] - now, 0))
    return UNTIL_RESET if state['frozenTime'] == 0 else NOTHING


def duration(milliseconds: int) -> str:
    seconds = milliseconds / 1000
    if seconds < 60:
        return f'{seconds:.1f} s'
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02}:{seconds:02}' if hours else f'{minutes}:{seconds:02}'


def _moment(timestamp: int | None) -> str:
    if timestamp is None:
        return NOTHING
    return datetime.fromtimestamp(timestamp / 1000, timezone.utc).strftime('%Y-%m-%d %H:%M:%S UTC')


def counted(number: float, noun: str) -> str:
    return f'{number:.15g} {noun}{"" if number == 1 else "s"}'


def cancelled(target: Target, done: MassCancel, *, all_orders: bool) -> str:
    """What a mass cancel did, in one line."""
    unlisted = 'all orders' if all_orders else 'all MMP orders'
    orders = unlisted if done['orders'] is None else counted(len(done['orders']), 'order')
    lock = f', locked until {_moment(done["lockedUntil"])}' if done['lockedUntil'] else ''
    return f'{target.text}: cancelled {orders}{lock}'


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Plain text in columns."""
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def document(results: Sequence[Result]) -> list[dict[str, Any]]:
    """For programs: what is not known, or was not asked for, is null."""
    return [
        {
            'target': result.target.text,
            'exchange': result.target.exchange_id,
            'before': result.before,
            'cancelled': result.cancelled,
            'state': result.state,
            'error': _error(result),
            'warning': result.warning or None,
        }
        for result in results
    ]


def _error(result: Result) -> dict[str, Any] | None:
    error = result.error
    if error is None:
        return None
    orders: dict[str, Any] = {}
    if isinstance(error, MassCancelIncomplete):
        orders = {'cancelled': error.cancelled, 'remaining': error.remaining, 'unknown': error.unknown}
    return {'type': type(error).__name__, 'message': result.message, **orders}
