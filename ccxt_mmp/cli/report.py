"""How protections are written for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ccxt_mmp.cli.targets import Target
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.types import MassCancel, MmpState

COLUMNS = (
    'exchange',
    'underlying',
    'scope',
    'window',
    'frozen time',
    'limits',
    'state',
    'time left',
    'last trigger',
)
STATE = COLUMNS.index('state')
NOTHING = '-'  # the exchange does not say, or there is none
UNTIL_RESET = 'until reset'
UNITS_DIFFER = 'Contracts differ: 100 contracts are about 1 BTC on OKX and 100 BTC on Binance.'


@dataclass
class Result:
    """What came of a target; ``error`` is one line."""

    target: Target
    state: MmpState | None = None
    before: MmpState | None = None
    cancelled: MassCancel | None = None
    error: BaseException | None = None
    message: str = ''  # the error in one line
    warning: str = ''  # what failed without the target failing


def state_of(state: MmpState) -> str:
    """In one word, which reads without colour too."""
    if state['frozen']:
        return 'FROZEN'
    if state['enabled'] is False:
        return 'off'
    if state['frozen'] is None:
        return 'unknown'
    return 'armed' if state['enabled'] else 'not frozen'


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
        _milliseconds(state['window']),
        UNTIL_RESET if state['frozenTime'] == 0 else _milliseconds(state['frozenTime']),
        ', '.join(_limits(state)) or NOTHING,
        state_of(state),
        _time_left(state, now),
        _moment(state['lastTriggerTimestamp']),
    ]


def _milliseconds(value: int | None) -> str:
    return NOTHING if value is None else f'{value} ms'


def _limits(state: MmpState) -> Iterator[str]:
    """With their units; contracts are those of the exchange."""
    if state['qtyLimit'] is not None:
        yield f'{state["qtyLimit"]:.15g} contracts'
    if state['deltaLimit'] is not None:
        coin = (state['underlying'] or '').partition('/')[0] or 'coins'
        yield f'delta {state["deltaLimit"]:.15g} {coin}'
    if state['countLimit'] is not None:
        yield f'{state["countLimit"]} attempts'


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


def cancelled(result: Result) -> str:
    """What a mass cancel did, in one line."""
    done = result.cancelled
    assert done is not None  # noqa: S101 - of a target that succeeded
    orders = 'all MMP orders' if done['orders'] is None else f'{len(done["orders"])} orders'
    lock = f', locked until {_moment(done["lockedUntil"])}' if done['lockedUntil'] else ''
    return f'{result.target.text}: cancelled {orders}{lock}'


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
