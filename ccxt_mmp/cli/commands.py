"""The commands that talk to the exchanges. Targets run concurrently; a failing target stops no other."""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ccxt.base.errors import NotSupported

from ccxt_mmp.cli import halts
from ccxt_mmp.cli.output import is_terminal, say, tell
from ccxt_mmp.cli.report import Result, cancelled, document, frozen_or_not, may_be_frozen, notes, row
from ccxt_mmp.cli.screens import screen
from ccxt_mmp.cli.targets import Exchanges, Target
from ccxt_mmp.registry import EXCHANGES

TICK = 0.2  # s between two updates of a countdown
OLD = 1.0  # s: a state older than two intervals and this is marked with its age

# what an exchange without the parameter does instead; each emulates where it has to, so emulate is not here
LACKING = {
    'lockInterval': '--lock-interval: its MMP orders are cancelled, but new ones are accepted',
    'includeNonMmp': '--include-non-mmp: its MMP orders are cancelled, but no others',
}

Work = Callable[[Any, Result], Awaitable[None]]
Moment = Literal['before', 'state']


class LeftAlone(Exception):  # noqa: N818 - what happened, not what went wrong
    """A frozen protection was not changed, because nobody confirmed it."""


class Command:
    """A command and its results so far."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.exchanges = Exchanges(arguments)
        # each protection once, however often it is named: a second reset could end a second freeze
        targets = {target.protection: target for target in map(Target.parsed, reversed(arguments.targets))}
        self.results = [Result(target) for target in reversed(targets.values())]
        # a live table shows failures, so they are not printed line by line
        self._is_live = self.is_endless and is_terminal(sys.stdout)

    @property
    def is_endless(self) -> bool:
        return self.arguments.command == 'status' and self.arguments.watch is not None

    @property
    def exit_status(self) -> int:
        return int(any(result.error is not None or self._was_never_seen(result) for result in self.results))

    def _was_never_seen(self, result: Result) -> bool:
        return self.is_endless and result.state is None

    async def run(self) -> None:
        async with self.exchanges:
            if self.is_endless:
                await self._watch(self.arguments.watch)
            elif self.arguments.command == 'status':
                await self._each(self._look('state'))
            elif self.arguments.command == 'cancel':
                await self._cancel_all()
            elif self.arguments.command in ('halt', 'resume'):
                work = {'halt': halts.halting, 'resume': halts.resuming}[self.arguments.command]
                await self._each(work(self.arguments))
            else:
                await self._change({'set': self._set, 'reset': self._reset}[self.arguments.command])
        self._show()

    # --- one target

    def _look(self, moment: Moment) -> Work:
        async def look(exchange: Any, result: Result) -> None:
            target = result.target
            if self.arguments.command == 'status':
                await halts.look(exchange, result)
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
            {
                'scope': target.scope,
                'countLimit': rule.count_limit,
                'vegaLimit': rule.vega_limit,
                'maxQuoteQuantity': rule.max_quote_quantity,
            },
        )

    async def _reset(self, exchange: Any, result: Result) -> None:
        target = result.target
        result.state = await exchange.reset_mmp(target.underlying, {'scope': target.scope})

    async def _cancel(self, exchange: Any, result: Result) -> None:
        target, asked = result.target, self.arguments
        wanted = {
            'lockInterval': asked.lock_interval,
            'emulate': asked.emulate or None,
            'includeNonMmp': asked.include_non_mmp or None,
        }
        known = EXCHANGES[target.exchange_id].cancel_params
        given = {name: wanted[name] for name in known}
        done = await exchange.mass_cancel_mmp(target.underlying, {'scope': target.scope, **given})
        result.cancelled = done
        if not asked.json:
            say(cancelled(target, done, all_orders=bool(given.get('includeNonMmp'))), sys.stdout)
        # the cancel is done without the option, but the target counts as failed
        for name, lacking in LACKING.items():
            if wanted[name] is not None and name not in known:
                raise NotSupported(f'{target.exchange_id} has no {lacking}')

    # --- all targets

    async def _each(self, work: Work) -> None:
        """Run the work concurrently for all targets that have not failed. Failures are printed at once."""
        await asyncio.gather(*(self._attempt(work, result) for result in self.results if result.error is None))

    async def _attempt(self, work: Work, result: Result) -> None:
        try:
            await work(self.exchanges.of(result.target), result)
        except Exception as error:  # noqa: BLE001 - it is printed, and stops no other target
            result.error, result.message = error, self.exchanges.in_one_line(error)
            if not self._is_live:
                tell(f'{result.target.text}: {result.message}')

    async def _look_if_possible(self, moment: Moment) -> None:
        """Fetch the states of all targets, also of failed ones. A state that cannot be fetched is a warning."""

        async def attempt(result: Result) -> None:
            try:
                await self._look(moment)(self.exchanges.of(result.target), result)
            except Exception as error:  # noqa: BLE001 - it becomes a warning
                result.warning = f'its state is not known: {self.exchanges.in_one_line(error)}'

        await asyncio.gather(*(attempt(result) for result in self.results))

    async def _cancel_all(self) -> None:
        """Cancel at once. The states before it are fetched at the same time, so that the cancel waits for nothing."""
        await asyncio.gather(self._each(self._cancel), self._look_if_possible('before'))
        await self._look_if_possible('state')

    async def _change(self, change: Work) -> None:
        """Set or reset, after asking about frozen protections."""
        if self.arguments.yes:
            await self._look_if_possible('before')
        else:
            await self._ask_about_all()
        await self._each(change)
        await self._look_if_possible('state')

    async def _ask_about_all(self) -> None:
        """Ask about each frozen protection. Others may freeze meanwhile, so all are fetched again after each answer."""
        asked: list[Result] = []
        while True:
            await self._each(self._look('before'))
            unasked = [
                result
                for result in self.results
                if result.error is None and result not in asked and result.before and may_be_frozen(result.before)
            ]
            if not unasked:
                return
            for result in unasked:
                await self._attempt(self._ask, result)
            asked += unasked

    async def _ask(self, _: Any, result: Result) -> None:
        assert result.before is not None  # noqa: S101 - only known states are asked about
        frozen = frozen_or_not(result.before)
        if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise LeftAlone(f'it {frozen}, and there is no terminal to ask at; --yes does it without asking')
        with _interruptible():
            sys.stderr.write(f'{result.target.text} {frozen}: {self.arguments.command} it? [y/N] ')
            sys.stderr.flush()
            answer = sys.stdin.readline()
        if answer.strip().lower() not in ('y', 'yes'):
            raise LeftAlone(f'it {frozen}, and was left as it is')

    async def _watch(self, interval: float) -> None:
        """Show the states until interrupted. A slow target delays no other."""
        polls = [asyncio.ensure_future(self._poll(result, interval)) for result in self.results]
        try:
            with screen().live() as draw:
                while True:
                    await asyncio.sleep(min(TICK, interval) if self._is_live else interval)
                    draw(self._rows('state'), self._notes(interval))
        finally:
            for poll in polls:
                poll.cancel()

    async def _poll(self, result: Result, interval: float) -> None:
        async def look(exchange: Any, result: Result) -> None:
            await self._look('state')(exchange, result)
            result.error, result.seen = None, time.monotonic()

        while True:
            started = time.monotonic()
            await self._attempt(look, result)
            await asyncio.sleep(max(started + interval - time.monotonic(), 0))

    # --- output

    def _show(self) -> None:
        for result in self.results:
            if result.warning and result.error is None:
                tell(f'{result.target.text}: {result.warning}')
        if self.arguments.json:
            say(json.dumps(document(self.results), indent=2), sys.stdout)
            return
        shown = screen()
        if self.arguments.command == 'status':
            for line in halts.halt_lines(self.results):
                say(line, sys.stdout)
            shown.table(self._rows('state'))
        elif any(result.before or result.state for result in self.results):
            shown.table(self._rows('before'), 'before')
            shown.table(self._rows('state'), 'after')
        for note in notes(self.results):
            say(note, sys.stdout)

    def _rows(self, moment: Moment) -> list[list[str]]:
        return [
            row(result.target, getattr(result, moment), self.exchanges.now(result.target), is_failed=bool(result.error))
            for result in self.results
        ]

    def _notes(self, interval: float) -> list[str]:
        """The notes below the table, with the age of states that are old."""
        now = time.monotonic()
        lines = halts.halt_lines(self.results)
        for result in self.results:
            age = now - result.seen
            if result.error is not None and self._is_live:
                lines.append(f'{result.target.text}: {result.message}')
            if result.seen and age > 2 * interval + OLD:
                lines.append(f'{result.target.text}: as it was {age:.0f} s ago')
        return [*lines, *notes(self.results)]


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a blocking read, which asyncio's handler does not interrupt."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
