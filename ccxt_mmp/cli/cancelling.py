"""``ccxt-mmp cancel``: the kill switch, and what became of it."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import NotSupported

from ccxt_mmp.cli.arguments import SHORT
from ccxt_mmp.cli.output import tell
from ccxt_mmp.cli.report import Result, each_part
from ccxt_mmp.cli.verdicts import WHERE_A_RULE_IS, WHERE_MMP_ORDERS_WERE, WHERE_TAGGED_ORDERS_WERE, count_cancelled
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import MassCancel

if TYPE_CHECKING:
    from ccxt_mmp.cli.commands import Command

TICK = 1.0  # s until it says what it waits for, and between two such lines
LOOK_LIMIT = 2.0  # s that the verdict waits for what rests, and for the states
AGAIN = 0.2  # s until it lists again what is still listed: exchanges take a moment

# what an exchange without the parameter does instead; each emulates where it has to, so emulate is not here
LACKING = {
    'lockInterval': '--lock-interval: its MMP orders are cancelled, but new ones are accepted',
    'includeNonMmp': '--include-non-mmp: its MMP orders are cancelled, but no others',
}


async def cancel_all(command: 'Command') -> None:
    """Cancel at once. Nothing else is waited for before, and nothing for long after."""
    progress = asyncio.ensure_future(_tell_progress(command))
    try:
        cancels = asyncio.ensure_future(command.each(lambda exchange, result: _cancel(command, exchange, result)))
        await asyncio.sleep(0)  # the cancels begin first, and the lists beside them
        lists = [asyncio.ensure_future(_count_before(command, result)) for result in command.results]
        await cancels
        parts = [result for result in each_part(command.results) if not result.target.is_all]
        looks = [asyncio.ensure_future(_look_after(command, result)) for result in parts]
        _, late = await asyncio.wait([*lists, *looks], timeout=LOOK_LIMIT)
        for task in late:
            task.cancel()
    finally:
        progress.cancel()
        _tell_short_times(command)


def _tell_short_times(command: 'Command') -> None:
    """Who writes 10 may mean 10s. It is no time to ask, so that this is told after the cancel."""
    times = {'--lock-interval': command.arguments.lock_interval, '--timeout': command.arguments.timeout}
    short = [f'{name} was {time} ms' for name, time in times.items() if time and time < SHORT]
    if short:
        tell(f'{" and ".join(short)}; seconds are written 10s')


async def _cancel(command: 'Command', exchange: Any, result: Result) -> None:
    target, asked = result.target, command.arguments
    wanted = {
        'lockInterval': asked.lock_interval,
        'emulate': asked.emulate or None,
        'includeNonMmp': asked.include_non_mmp or None,
    }
    known = EXCHANGES[target.exchange_id].cancel_params
    given = {name: wanted[name] for name in known if wanted[name] is not None}
    result.is_of_all_orders = 'includeNonMmp' in given
    if target.is_all:
        await cancel_everything(command, exchange, result, given)
    else:
        result.cancelled = await exchange.mass_cancel_mmp(target.underlying, {'scope': target.scope, **given})
        count_cancelled(result)
    # the cancel is done without the option, but the target counts as failed
    for name, lacking in LACKING.items():
        if wanted[name] is not None and name not in known:
            raise NotSupported(f'{target.exchange_id} has no {lacking}')


async def cancel_everything(command: 'Command', exchange: Any, result: Result, given: dict[str, Any]) -> None:
    """The mass cancel of all of an exchange; each underlying becomes a part, which fails by itself."""
    outcomes: dict[str, MassCancel | Exception]
    failure: MassCancelIncomplete | None = None
    try:
        outcomes = await exchange.mass_cancel_mmps(None, given)
    except MassCancelIncomplete as error:
        if not error.results:
            raise
        failure, outcomes = error, error.results
    result.where = _where(exchange, result, given)
    result.parts = []
    for underlying, outcome in outcomes.items():
        part = result.part(underlying) if underlying else Result(result.target)
        result.parts.append(part)
        if isinstance(outcome, Exception):
            command.fail(part, outcome)
        else:
            part.cancelled = outcome
            count_cancelled(part)
    result.error = failure  # which its parts tell in detail
    if failure is not None and failure.__cause__ not in [part.error for part in result.parts if part.error]:
        others = Result(result.target)  # which the exchange did not tell of
        result.parts.append(others)
        command.fail(others, failure)


def _where(exchange: Any, result: Result, given: dict[str, Any]) -> str:
    """Where alone it finds orders: it goes by the list of the rules, or by that of the open MMP orders."""
    if exchange.has['fetchMmps'] is True and not given.get('emulate'):
        return WHERE_A_RULE_IS
    if result.is_of_all_orders:
        return WHERE_TAGGED_ORDERS_WERE if EXCHANGES[result.target.exchange_id].mmp_tag else WHERE_MMP_ORDERS_WERE
    return ''


async def _count_before(command: 'Command', result: Result) -> None:
    """Count the orders while they are cancelled, where the cancel lists none. None listed may be all gone."""
    target, asked = result.target, command.arguments
    if target.underlying is None or target.exchange_id not in EXCHANGES:
        return
    try:
        exchange = command.exchanges.of(target)
        if exchange.has['massCancelMmp'] is True and not asked.emulate:
            contracts, _ = await exchange.resting(target.underlying)
            result.orders_before = len(contracts) or None
    except Exception:  # noqa: BLE001 - the count is not known; the cancel tells what is wrong
        return


async def _look_after(command: 'Command', result: Result) -> None:
    """What rests now, and the state."""
    await asyncio.gather(_count_after(command, result), command.look_if_possible(result, 'state'))


async def _count_after(command: 'Command', result: Result) -> None:
    underlying = result.target.underlying
    if underlying is None or result.target.exchange_id not in EXCHANGES:
        return
    if result.orders == 0 and not result.is_of_tagged:
        return  # the cancel has told
    ends = time.monotonic() + LOOK_LIMIT - AGAIN
    try:
        exchange = command.exchanges.of(result.target)
        while True:
            result.contracts, result.untagged = await exchange.resting(underlying)
            result.orders = len(result.contracts)
            if not result.orders or result.error is not None or time.monotonic() > ends:
                return
            await asyncio.sleep(AGAIN)
    except Exception:  # noqa: BLE001 - the count is not known
        return


async def _tell_progress(command: 'Command') -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(TICK)
        waiting = [each for each in command.results if not _is_over(each)]
        if waiting:
            names = ', '.join(each.target.text for each in waiting)
            done = len(command.results) - len(waiting)
            tell(f'{time.monotonic() - started:.0f} s: {done} of {len(command.results)} done, waiting for {names}')


def _is_over(result: Result) -> bool:
    return result.error is not None or result.cancelled is not None or result.parts is not None
