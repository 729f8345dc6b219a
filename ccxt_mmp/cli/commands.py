"""The commands that talk to the exchanges, side by side: a target that fails stops no other."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ccxt_mmp.cli.report import UNITS_DIFFER, Result, cancelled, document, row, state_of
from ccxt_mmp.cli.screens import is_terminal, screen
from ccxt_mmp.cli.targets import Exchanges, Target

TICK = 0.2  # s between two pictures of a countdown

Work = Callable[[Any, Result], Awaitable[None]]
Moment = Literal['before', 'state']


class LeftAlone(Exception):  # noqa: N818 - what happened, not what went wrong
    """A protection that is frozen was not touched: nobody said yes."""


class Command:
    """A command and what has come of it so far."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.exchanges = Exchanges(arguments)
        self.results = [Result(Target.parsed(text)) for text in dict.fromkeys(arguments.targets)]
        # failures are shown in a picture that changes, instead of line by line
        self._is_live = self.is_endless and is_terminal()

    @property
    def is_endless(self) -> bool:
        return self.arguments.command == 'status' and self.arguments.watch is not None

    @property
    def exit_status(self) -> int:
        return int(any(result.error is not None for result in self.results))

    async def run(self) -> None:
        async with self.exchanges:
            if self.is_endless:
                await self._watch(self.arguments.watch)
            elif self.arguments.command == 'status':
                await self._each(self._look('state'))
            elif self.arguments.command == 'cancel':
                await self._cancel_all()
            else:
                await self._change({'set': self._set, 'reset': self._reset}[self.arguments.command])
        self._show()

    # --- what is done about one target

    def _look(self, moment: Moment) -> Work:
        async def look(exchange: Any, result: Result) -> None:
            target = result.target
            setattr(result, moment, await exchange.fetch_mmp(target.underlying, {'scope': target.scope}))

        return look

    async def _set(self, exchange: Any, result: Result) -> None:
        rule, target = self.arguments, result.target
        result.state = await exchange.set_mmp(
            target.underlying,
            rule.window,
            rule.frozen_time,
            rule.qty_limit,
            rule.delta_limit,
            {'scope': target.scope, 'countLimit': rule.count_limit},
        )

    async def _reset(self, exchange: Any, result: Result) -> None:
        target = result.target
        result.state = await exchange.reset_mmp(target.underlying, {'scope': target.scope})

    async def _cancel(self, exchange: Any, result: Result) -> None:
        target, asked = result.target, self.arguments
        params = {
            'scope': target.scope,
            'lockInterval': asked.lock_interval,
            'includeNonMmp': asked.include_non_mmp or None,
        }
        result.cancelled = await exchange.mass_cancel_mmp(target.underlying, params)
        if not asked.json:
            print(cancelled(result), flush=True)

    # --- and about all of them

    async def _each(self, work: Work) -> None:
        """Side by side, for those that have not failed; a failure is told at once."""

        async def attempt(result: Result) -> None:
            try:
                await work(self.exchanges.of(result.target), result)
            except Exception as error:  # noqa: BLE001 - it is told, and stops no other target
                result.error, result.state = error, None
                result.message = self.exchanges.in_one_line(error)
                if not self._is_live:
                    tell(f'{result.target.text}: {result.message}')

        await asyncio.gather(*(attempt(result) for result in self.results if result.error is None))

    async def _each_if_possible(self, work: Work) -> None:
        """The same, for work that a target does not fail by."""

        async def attempt(result: Result) -> None:
            try:
                await work(self.exchanges.of(result.target), result)
            except Exception as error:  # noqa: BLE001 - it is told
                result.warning = f'its state is not known: {self.exchanges.in_one_line(error)}'

        await asyncio.gather(*(attempt(result) for result in self.results if result.error is None))

    async def _cancel_all(self) -> None:
        """The states are asked for beside it: it waits for nothing."""
        await asyncio.gather(self._each(self._cancel), self._each_if_possible(self._look('before')))
        await self._each_if_possible(self._look('state'))

    async def _change(self, change: Work) -> None:
        """Set or reset, after a question about what is frozen."""
        if self.arguments.yes:
            await self._each_if_possible(self._look('before'))
        else:
            await self._each(self._look('before'))
            await self._each(self._ask)
        await self._each(change)
        await self._each_if_possible(self._look('state'))

    async def _ask(self, _: Any, result: Result) -> None:
        state = result.before
        assert state is not None  # noqa: S101 - it has not failed
        if state['enabled'] is False or state['frozen'] is False:
            return
        target, command = result.target.text, self.arguments.command
        if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise LeftAlone(f'it is {state_of(state)}, and nobody can be asked; --yes does it unasked')
        with _interruptible():
            print(f'{target} is {state_of(state)}: {command} it? [y/N] ', end='', file=sys.stderr, flush=True)
            answer = sys.stdin.readline()
        if answer.strip().lower() not in ('y', 'yes'):
            raise LeftAlone(f'it is {state_of(state)}, and stays so')

    async def _watch(self, interval: float) -> None:
        """Until it is interrupted."""
        loop = asyncio.get_running_loop()
        with screen().live() as draw:
            while True:
                for result in self.results:
                    result.error = None
                polled = loop.time()
                await self._each(self._look('state'))
                draw(self._rows('state'), self._notes())
                while loop.time() < polled + interval:
                    await asyncio.sleep(min(TICK, interval))
                    if self._is_live:
                        draw(self._rows('state'), self._notes())

    # --- what is shown

    def _show(self) -> None:
        for result in self.results:
            if result.warning and result.error is None:
                tell(f'{result.target.text}: {result.warning}')
        if self.arguments.json:
            print(json.dumps(document(self.results), indent=2))
            return
        shown = screen()
        if self.arguments.command == 'status':
            shown.table(self._rows('state'))
        elif any(result.before or result.state for result in self.results):
            shown.table(self._rows('before'), 'before')
            shown.table(self._rows('state'), 'after')
        for note in self._notes():
            print(note)

    def _rows(self, moment: Moment) -> list[list[str]]:
        return [
            row(result.target, getattr(result, moment), self.exchanges.now(result.target), is_failed=bool(result.error))
            for result in self.results
        ]

    def _notes(self) -> list[str]:
        failures = [f'{result.target.text}: {result.message}' for result in self.results if result.error is not None]
        known = {result.target.exchange_id for result in self.results if result.state is not None}
        return [*(failures if self._is_live else ()), *([UNITS_DIFFER] if len(known) > 1 else ())]


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a wait for an answer, too, which asyncio's own handler leaves waiting."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def tell(text: str) -> None:
    print(f'ccxt-mmp: {text}', file=sys.stderr, flush=True)
