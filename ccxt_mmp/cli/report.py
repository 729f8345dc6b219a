"""Results as table rows, lines of text and JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ccxt_mmp.cli.arguments import UNITS
from ccxt_mmp.cli.layout import FROZEN, NOTHING, STATE
from ccxt_mmp.cli.targets import Target
from ccxt_mmp.cli.values import written
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import MassCancel, MmpHalt, MmpState

COLUMNS = (
    'exchange',
    'underlying',
    'scope',
    STATE,
    'time left',
    'window',
    'frozen time',
    'limits',
    'last trigger',
)
ORDERS = ('MMP orders',)  # those that rest
BEFORE_AND_AFTER = ('orders before', 'after')  # a cancel
EVERYTHING = 'all'
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
    resumed: MmpHalt | None = None  # what resume ended
    halts: list[MmpHalt] = field(default_factory=list)  # of a target that is all of an exchange
    halt_is_unknown: str = ''  # why
    error: BaseException | None = None
    message: str = ''  # the error in one line
    warning: str = ''  # a failure that does not fail the target
    seen: float = 0.0  # when the state was fetched, of time.monotonic()
    orders: int | None = None  # MMP orders that rest
    orders_before: int | None = None  # a cancel
    untagged: int | None = None  # orders that rest and do not say whether they are MMP orders
    is_of_all_orders: bool = False  # a cancel of orders without the flag, too
    where: str = ''  # a cancel of all of an exchange finds orders there alone; '' is everywhere
    contracts: dict[str, str] = field(default_factory=dict)  # of orders that were listed, by id
    is_streamed: bool = False  # the exchange pushes its state
    parts: list['Result'] | None = None  # of a target that is all of an exchange: one for each underlying there

    @property
    def is_of_tagged(self) -> bool:
        """Whether its MMP orders are those with a tag, as the exchange does not say of any other."""
        exchange = EXCHANGES.get(self.target.exchange_id)
        return exchange is not None and bool(exchange.mmp_tag) and not self.is_of_all_orders

    def part(self, underlying: str) -> 'Result':
        """A result of one underlying of it, with what is known of all."""
        return Result(
            self.target.of(underlying),
            is_of_all_orders=self.is_of_all_orders,
            where=self.where,
            halt_is_unknown=self.halt_is_unknown,
        )


def each_part(results: Sequence[Result]) -> list[Result]:
    """The results of protections, whether they were named or are all of an exchange."""
    return [part for result in results for part in (result.parts or [result])]


def word(result: Result) -> str:
    """What there is to say of its protection in one word."""
    if result.state is not None:
        return state_of(result.state)
    if result.error is not None:
        return 'failed'
    return 'no rules' if result.parts == [] else 'unknown'


def state_of(state: MmpState) -> str:
    """The state in one word."""
    if state['frozen']:
        return FROZEN
    if state['enabled'] is False:
        return 'off'
    if state['frozen'] is None:
        return 'unknown'
    return 'armed' if state['enabled'] else 'not frozen'


def may_be_frozen(state: MmpState) -> bool:
    """Whether to ask before it is reset. A protection that is off may still be frozen."""
    return bool(state['frozen']) or (state['frozen'] is None and state['enabled'] is not False)


def frozen_or_not(state: MmpState) -> str:
    return f'is {FROZEN}' if state['frozen'] else 'may be frozen'


def notes(results: Sequence[Result]) -> list[str]:
    """The notes below a table: units, and states that are derived."""
    known = {result.target.exchange_id for result in results if result.state is not None}
    frozen = {result.target.exchange_id for result in results if result.state is not None and result.state['frozen']}
    derived = [each.name for each in EXCHANGES.values() if each.id in frozen and not each.says_frozen]
    known_by_tag = {
        result.target.exchange_id for result in results if result.orders is not None and result.is_of_tagged
    }
    return [
        *([UNITS] if len(known) > 1 else ()),
        *(DERIVED.format(name) for name in derived),
        *map(of_tagged, sorted(known_by_tag)),
    ]


def untagged(results: Sequence[Result]) -> Iterator[str]:
    """A line for each target with orders that may be MMP orders."""
    for result in results:
        if result.untagged:
            yield f'{result.target.text}: {resting_orders(result.untagged)} without the tag.'


def of_tagged(exchange_id: str) -> str:
    """What the orders are that are counted on an exchange which does not say which are MMP orders."""
    each = EXCHANGES[exchange_id]
    return (
        f'{each.name} does not say which orders are MMP orders: these are the ones with a client id {each.mmp_tag}...'
    )


def row(result: Result, state: MmpState | None, now: int) -> list[str]:
    """The cells of a protection at a time of the exchange, ms since the epoch."""
    target = result.target
    if state is None:
        name = EVERYTHING if target.is_all else printable(target.underlying or NOTHING)
        said = word(replace(result, state=None))
        return [printable(target.place), name, target.scope, said, *[NOTHING] * (len(COLUMNS) - 4)]
    return [
        target.place,
        state['underlying'] or state['underlyingId'] or NOTHING,
        state['scope'],
        state_of(state),
        _time_left(state, now),
        NOTHING if state['window'] is None else written(state['window']),
        NOTHING
        if state['frozenTime'] is None
        else written(state['frozenTime'])
        if state['frozenTime']
        else UNTIL_RESET,
        ', '.join(_limits(state)) or NOTHING,
        moment(state['lastTriggerTimestamp']),
    ]


def count(number: int | None) -> str:
    return NOTHING if number is None else str(number)


def printable(text: str) -> str:
    """A name in one line, whatever somebody typed."""
    return ''.join(each if each.isprintable() or '\udc80' <= each <= '\udcff' else '?' for each in text)


def _limits(state: MmpState) -> Iterator[str]:
    """The limits with their units, in contracts of the exchange."""
    if state['qtyLimit'] is not None:
        yield counted(state['qtyLimit'], 'contract')
    if state['deltaLimit'] is not None:
        coin = (state['underlying'] or '').partition('/')[0] or 'coins'
        yield f'delta {state["deltaLimit"]:.15g} {coin}'
    if state['vegaLimit'] is not None:
        yield f'vega {state["vegaLimit"]:.15g} USD'
    if state['countLimit'] is not None:
        yield counted(state['countLimit'], 'attempt')
    if state['maxQuoteQuantity'] is not None:
        yield f'max quote {state["maxQuoteQuantity"]:.15g}'


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


def resting_orders(number: int, noun: str = 'order') -> str:
    return f'{counted(number, noun)} rest{"s" if number == 1 else ""}'


def document(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The results as JSON. Null is what is not known or was not fetched."""
    return [
        {
            'target': result.target.text,
            'exchange': result.target.exchange_id or None,
            'account': result.target.account or None,
            'before': result.before,
            'cancelled': result.cancelled,
            'state': result.state,
            'halt': result.halt,
            'resumed': result.resumed,
            'ordersBefore': result.orders_before,
            'orders': result.orders,
            'untagged': result.untagged,
            'error': _error(result),
            'warning': '; '.join(filter(None, (_unknown_halt(result), result.warning))) or None,
        }
        for result in _entries(results)
    ]


def _entries(results: Sequence[Result]) -> Iterator[Result]:
    """The results of protections, and of a target that is all of an exchange every other halt."""
    for result in results:
        parts = each_part([result])
        yield from parts
        if result.parts and result.error is not None and result.message:  # not of a part
            yield Result(result.target, error=result.error, message=result.message)
        told = [part.halt for part in parts]
        for halt in result.halts:
            if halt not in told:
                name = halt['underlying'] or halt['underlyingId']
                yield Result(result.target.of(name) if name else result.target, halt=halt)


def failure(kind: str, message: str) -> list[dict[str, Any]]:
    """The document where there is no target to speak of."""
    names = document([Result(Target('', ''))])[0]
    return [{**names, 'target': None, 'error': {'type': kind, 'message': message}}]


def unknown_halts(results: Sequence[Result]) -> list[str]:
    """A line for each account whose halts are not known."""
    lines = [f'{result.target.place}: {_unknown_halt(result)}' for result in results if result.halt_is_unknown]
    return list(dict.fromkeys(lines))


def _unknown_halt(result: Result) -> str:
    return f'not known whether it is halted: {result.halt_is_unknown}' if result.halt_is_unknown else ''


def _error(result: Result) -> dict[str, Any] | None:
    error = result.error
    if error is None:
        return None
    orders: dict[str, Any] = {}
    if isinstance(error, MassCancelIncomplete):
        orders = {'cancelled': error.cancelled, 'remaining': error.remaining, 'unknown': error.unknown}
    return {'type': type(error).__name__, 'message': result.message, **orders}
