"""``ccxt-mmp set`` and ``reset``: they ask before they change what is frozen, or set what may be a slip."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ccxt_mmp.cli.arguments import SHORT, Refused
from ccxt_mmp.cli.output import in_lines, is_terminal
from ccxt_mmp.cli.report import Result, frozen_or_not, may_be_frozen
from ccxt_mmp.registry import EXCHANGES

if TYPE_CHECKING:
    from ccxt_mmp.cli.commands import Command


class LeftAlone(Exception):  # noqa: N818 - what happened, not what went wrong
    """A protection was not changed, because nobody confirmed it."""


async def change(command: 'Command') -> None:
    """Set or reset, after asking."""
    arguments = command.arguments
    work = {'set': _set, 'reset': _reset}[arguments.command]
    if not arguments.yes:
        _ask_about_times(command)
    if arguments.yes:
        await command.look_at_each('before')
    else:
        await _ask_about_all(command)
    await command.each(lambda exchange, result: work(command, exchange, result))
    await command.look_at_each('state')


async def _set(command: 'Command', exchange: Any, result: Result) -> None:
    rule, target = command.arguments, result.target
    if rule.qty_unit == 'base' and EXCHANGES[target.exchange_id].contract_size != 1:
        exchange.options['fetchMarkets'] = ['option']
        await exchange.load_markets()  # which say how many coins a contract is
    result.state = await exchange.set_mmp(
        target.underlying,
        rule.window,
        rule.frozen_time,
        rule.qty_limit,
        rule.delta_limit,
        {
            'scope': target.scope,
            'qtyUnit': rule.qty_unit,
            'countLimit': rule.count_limit,
            'vegaLimit': rule.vega_limit,
            'maxQuoteQuantity': rule.max_quote_quantity,
        },
    )


async def _reset(command: 'Command', exchange: Any, result: Result) -> None:
    target = result.target
    result.state = await exchange.reset_mmp(target.underlying, {'scope': target.scope})


def _ask_about_times(command: 'Command') -> None:
    """Ask about times of a few milliseconds: who writes 5 may mean 5s."""
    if command.arguments.command != 'set':
        return
    times = {'--window': command.arguments.window, '--frozen-time': command.arguments.frozen_time}
    short = [f'{name} {time} is {time} ms' for name, time in times.items() if 0 < time < SHORT]
    if not short:
        return
    said = f'{" and ".join(short)}, less than {SHORT} ms'
    if not _can_ask():
        raise Refused(f'{said}: write 5s for seconds, or add --yes')
    if not _asked(f'{said}: set it?'):
        raise Refused(f'{said}: nothing was set')


async def _ask_about_all(command: 'Command') -> None:
    """Ask about each frozen protection. Others may freeze meanwhile, so all are fetched again after each answer."""
    asked: list[Result] = []

    async def ask(_: Any, result: Result) -> None:
        assert result.before is not None  # noqa: S101 - only known states are asked about
        frozen = frozen_or_not(result.before)
        if not _can_ask():
            raise LeftAlone(f'it {frozen}, and there is no terminal to ask at; --yes does it without asking')
        if not _asked(f'{result.target.text} {frozen}: {command.arguments.command} it?'):
            raise LeftAlone(f'it {frozen}, and was left as it is')

    while True:
        await command.each(command.look('before'))
        unasked = [
            result
            for result in command.results
            if result.error is None and result not in asked and result.before and may_be_frozen(result.before)
        ]
        if not unasked:
            return
        for result in unasked:
            await command.attempt(ask, result)
        asked += unasked


def _can_ask() -> bool:
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def _asked(question: str) -> bool:
    """Whether the user says yes."""
    with _interruptible():
        sys.stderr.write(f'{in_lines(f"{question} [y/N]", sys.stderr)} ')
        sys.stderr.flush()
        answer = sys.stdin.readline()
    return answer.strip().lower() in ('y', 'yes')


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a blocking read, which asyncio's handler does not interrupt."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
