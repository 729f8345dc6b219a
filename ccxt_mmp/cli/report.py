"""Results as table rows, lines of text and JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ccxt_mmp.cli.arguments import UNITS
from ccxt_mmp.cli.targets import Target
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import MassCancel, MmpHalt, MmpState

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
    """The result of one target."""

    target: Target
    state: MmpState | None = None
    before: MmpState | None = None
    cancelled: MassCancel | None = None
    halt: MmpHalt | None = None
    halt_is_unknown: str = ''  # why
    error: BaseException | None = None
    message: str = ''  # the error in one line
    warning: str = ''  # a failure that does not fail the target
    seen: float = 0.0  # when the state was fetched, of time.monotonic()


def state_of(state: MmpState) -> str:
    """The state in one word."""
    if state['frozen']:
        return 'FROZEN'
    if state['enabled'] is False:
        return 'off'
    if state['frozen'] is None:
        return 'unknown'
    return 'armed' if state['enabled'] else 'not frozen'


def may_be_frozen(state: MmpState) -> bool:
    """Whether to ask before it is reset. A protection that is off may still be frozen."""
    return bool(state['frozen']) or (state['frozen'] is None and state['enabled'] is not False)


def frozen_or_not(state: MmpState) -> str:
    return 'is FROZEN' if state['frozen'] else 'may be frozen'


def notes(results: Sequence[Result]) -> list[str]:
    """The notes below a table: units, and states that are derived."""
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
        moment(state['lastTriggerTimestamp']),
    ]


def _milliseconds(value: int | None) -> str:
    return NOTHING if value is None else f'{value} ms'


def _limits(state: MmpState) -> Iterator[str]:
    """The limits with their units, in contracts of the exchange."""
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


def moment(timestamp: int | None) -> str:
    if timestamp is None:
        return NOTHING
    return datetime.fromtimestamp(timestamp / 1000, timezone.utc).strftime('%Y-%m-%d %H:%M:%S UTC')


def counted(number: float, noun: str) -> str:
    return f'{number:.15g} {noun}{"" if number == 1 else "s"}'


def cancelled(target: Target, done: MassCancel, *, all_orders: bool) -> str:
    """The result of a mass cancel in one line."""
    unlisted = 'all orders' if all_orders else 'all MMP orders'
    orders = unlisted if done['orders'] is None else counted(len(done['orders']), 'order')
    lock = f', locked until {moment(done["lockedUntil"])}' if done['lockedUntil'] else ''
    return f'{target.text}: cancelled {orders}{lock}'


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Plain text in columns."""
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def document(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The results as JSON. Null is what is not known or was not fetched."""
    return [
        {
            'target': result.target.text,
            'exchange': result.target.exchange_id,
            'before': result.before,
            'cancelled': result.cancelled,
            'state': result.state,
            'halt': result.halt,
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
