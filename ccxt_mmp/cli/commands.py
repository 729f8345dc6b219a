"""The commands that talk to the exchanges. Targets run concurrently; a failing target stops no other."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from ccxt.base.errors import NotSupported

from ccxt_mmp.cli.arguments import Refused
from ccxt_mmp.cli.output import is_terminal, say, tell
from ccxt_mmp.cli.report import (
    BEFORE_AND_AFTER,
    COLUMNS,
    ORDERS,
    Result,
    count,
    document,
    each_part,
    may_be_frozen,
    notes,
    row,
    unknown_halts,
)
from ccxt_mmp.cli.resting import resting
from ccxt_mmp.cli.screens import Shown, screen
from ccxt_mmp.cli.targets import TARGETS, Exchanges, Target, lines_of
from ccxt_mmp.cli.verdicts import details, verdict
from ccxt_mmp.types import MmpState

FOUND = 3  # the exit status of status --fail-if

Work = Callable[[Any, Result], Awaitable[None]]
Moment = Literal['before', 'state']


class Command:
    """A command and its results so far."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.exchanges = Exchanges(arguments)
        self.results = self._targeted()
        self.has_shown = False  # the document
        # a live table shows failures, so they are not printed line by line
        self.is_live = self.is_endless and is_terminal(sys.stdout) and not arguments.json

    def _targeted(self) -> list[Result]:
        """A result for each target, and one for a file of targets that cannot be read."""
        arguments, unread = self.arguments, []
        texts = [*arguments.targets]
        path = arguments.targets_file or (None if texts else self.exchanges.environment.get(TARGETS))
        if path:
            try:
                texts += lines_of(path)
            except OSError as error:
                unread.append(Result(Target(f'--targets {path}', ''), error=error, message=str(error)))
        if not texts and not unread:
            where = f'{path} has none' if path else f'or a file of them: --targets FILE, {TARGETS}'
            raise Refused(f'the following arguments are required: TARGET, {where} (help: ccxt-mmp --help)')
        # each protection once, however often it is named: a second reset could end a second freeze
        targets = {target.protection: target for target in map(Target.parsed, reversed(texts))}
        if arguments.command in ('set', 'reset'):
            refuse_what_is_all(arguments.command, [*targets.values()])
        return [Result(target) for target in reversed(targets.values())] + unread

    @property
    def is_endless(self) -> bool:
        return self.arguments.command == 'status' and self.arguments.watch is not None

    @property
    def exit_status(self) -> int:
        if self.arguments.command == 'status' and self.is_found:
            return FOUND
        parts = [*self.results, *each_part(self.results)]
        if self.arguments.command == 'cancel' and any(result.cancelled and result.orders for result in parts):
            return 1  # MMP orders rest
        return int(any(result.error is not None or self._was_never_seen(result) for result in parts))

    def _was_never_seen(self, result: Result) -> bool:
        return self.is_endless and result.state is None and result.parts is None

    @property
    def has_seen_all(self) -> bool:
        """Whether every target has been looked at, or has failed to be."""
        return all(result.seen or result.error is not None for result in self.results)

    @property
    def is_found(self) -> bool:
        """Whether there is what ``--fail-if`` looks for."""
        return any(
            ('frozen' in self.arguments.fail_if and may_be_frozen(result.state))
            or ('off' in self.arguments.fail_if and result.state['enabled'] is False)
            for result in each_part(self.results)
            if result.state is not None
        )

    async def run(self) -> None:
        for result in self.results:
            if result.error is not None:
                tell(f'{result.target.text}: {result.message}')
        async with self.exchanges:
            await self.work()
        self.show()

    async def work(self) -> None:
        command = self.arguments.command
        # each imports only what it needs: a cancel waits for no other command
        if self.is_endless:
            from ccxt_mmp.cli import watching

            await watching.watch(self)
        elif command == 'status':
            await self.each(self.look('state'))
        elif command == 'cancel':
            from ccxt_mmp.cli import cancelling

            await cancelling.cancel_all(self)
        elif command in ('halt', 'resume'):
            from ccxt_mmp.cli import halts

            work = {'halt': halts.halting, 'resume': halts.resuming}[command]
            await self.each(work(self))
        else:
            from ccxt_mmp.cli import changing

            await changing.change(self)

    # --- one target

    def look(self, moment: Moment) -> Work:
        async def look(exchange: Any, result: Result) -> None:
            target = result.target
            await self.look_beside(exchange, result)
            if target.is_all:
                await self._look_at_all(exchange, result)
            else:
                setattr(result, moment, await exchange.fetch_mmp(target.underlying, {'scope': target.scope}))
            result.seen = time.monotonic()

        return look

    async def look_beside(self, exchange: Any, result: Result) -> None:
        """What ``status`` shows beside a state: halts, and how many orders rest."""
        if self.arguments.command == 'status':
            from ccxt_mmp.cli import halts

            await halts.look(exchange, result)
            if self.arguments.orders:
                await self._count_orders(exchange, result)

    async def _look_at_all(self, exchange: Any, result: Result) -> None:
        """The rules of all underlyings, where the exchange lists them."""
        require_list(exchange, result.target)
        states: dict[str, MmpState] = await exchange.fetch_mmps()
        parts = []
        for underlying, state in states.items():
            part = result.part(underlying)
            part.state = state
            own = (each for each in result.halts if each['underlyingId'] == state['underlyingId'])
            part.halt = next(own, result.halt)
            if self.arguments.command == 'status' and self.arguments.orders:
                await self._count_orders(exchange, part)
            parts.append(part)
        result.parts = parts

    async def _count_orders(self, exchange: Any, result: Result) -> None:
        """Count the MMP orders that rest. A failure fails no target."""
        result.orders, result.warning = None, ''
        if result.target.underlying is not None:
            try:
                contracts, result.untagged = await resting(exchange, result.target.underlying)
                result.orders = len(contracts)
            except Exception as error:  # noqa: BLE001 - it becomes a warning
                result.warning = f'its orders are not known: {self.exchanges.in_one_line(error)}'

    # --- all targets

    async def each(self, work: Work) -> None:
        """Run the work concurrently for all targets that have not failed. Failures are printed at once."""
        await asyncio.gather(*(self.attempt(work, result) for result in self.results if result.error is None))

    async def attempt(self, work: Work, result: Result) -> None:
        try:
            await work(self.exchanges.of(result.target), result)
        except Exception as error:  # noqa: BLE001 - it is printed, and stops no other target
            self.fail(result, error)

    def fail(self, result: Result, error: BaseException) -> None:
        result.error, result.message = error, self.exchanges.in_one_line(error)
        if not self.is_live:
            tell(f'{result.target.text}: {result.message}')

    async def look_if_possible(self, result: Result, moment: Moment) -> None:
        """Fetch the state of a target, also of a failed one. A state that cannot be fetched is a warning."""
        try:
            await self.look(moment)(self.exchanges.of(result.target), result)
        except Exception as error:  # noqa: BLE001 - it becomes a warning
            result.warning = f'its state is not known: {self.exchanges.in_one_line(error)}'

    async def look_at_each(self, moment: Moment) -> None:
        await asyncio.gather(*(self.look_if_possible(result, moment) for result in self.results))

    # --- output

    def show(self) -> None:
        """Print what came of it."""
        parts = each_part(self.results)
        for result in parts:
            if result.warning and result.error is None:
                tell(f'{result.target.text}: {result.warning}')
        if self.arguments.json:
            for line in unknown_halts(self.results):  # the text has them above the table
                tell(line)
            self.show_document()
        elif not self.is_endless:
            self.draw(parts)

    def show_document(self) -> None:
        """Print the document of ``--json``, once, however the command ends."""
        if self.arguments.json and not self.has_shown:
            self.say_document(indent=2)

    def say_document(self, indent: int | None = None) -> None:
        self.has_shown = True
        say(json.dumps(document(self.results), indent=None if self.is_endless else indent), sys.stdout)

    def interrupt(self, error: BaseException) -> None:
        """Mark what has not ended."""
        for result in self.results:
            if result.error is None and result.cancelled is None and result.state is None and result.parts is None:
                result.error, result.message = error, str(error)

    def draw(self, parts: list[Result]) -> None:
        shown = screen()
        if self.arguments.command == 'cancel':
            shown.headline(*verdict(self.results))
            shown.notes([details(result) for result in parts])
        if self.arguments.command in ('set', 'reset') and any(result.before or result.state for result in parts):
            shown.table(self.table('before'), 'before')
            shown.table(self.table('state'), 'after')
        elif self.arguments.command == 'status':
            from ccxt_mmp.cli import halts

            above = halts.halt_lines(self.results)
            shown.table(self.table('state', above))
        elif any(result.state for result in parts):
            shown.table(self.table('state'))
        shown.notes(notes(parts))

    def table(self, moment: Moment, above: list[str] | None = None) -> Shown:
        parts, extra = [each for each in each_part(self.results) if each.target.exchange_id], ()
        if self.arguments.command == 'cancel':
            parts = [each for each in parts if each.parts != []]  # nothing was there: a line says so
        rows = [row(result, getattr(result, moment), self.exchanges.now(result.target)) for result in parts]
        columns: tuple[str, ...] = COLUMNS
        if self.arguments.command == 'cancel':
            columns += BEFORE_AND_AFTER
            for cells, result in zip(rows, parts, strict=True):
                cells += [count(result.orders_before), count(result.orders)]
        elif self.arguments.command == 'status' and self.arguments.orders:
            columns += ORDERS
            for cells, result in zip(rows, parts, strict=True):
                cells.append(count(result.orders))
        return Shown(columns, rows, above or extra)


def refuse_what_is_all(command: str, targets: Sequence[Target]) -> None:
    """Raise for a target that names no protection: on some exchanges a reset without one is of block trading."""
    for target in targets:
        if target.is_all:
            raise Refused(
                f'{command} changes what is named: {target.text}:UNDERLYING (help: ccxt-mmp {command} --help)'
            )


def require_list(exchange: Any, target: Target) -> None:
    """Raise where the exchange does not list its rules."""
    if exchange.has['fetchMmps'] is not True:
        raise NotSupported(f'{target.exchange_id} lists no rules: name underlyings, {target.text}:UNDERLYING')
