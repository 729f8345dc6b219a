"""The commands that talk to the exchanges, side by side: a target that fails stops no other."""

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

from ccxt_mmp.cli.output import is_terminal, say, tell
from ccxt_mmp.cli.report import Result, cancelled, document, frozen_or_not, may_be_frozen, notes, row
from ccxt_mmp.cli.screens import screen
from ccxt_mmp.cli.targets import Exchanges, Target
from ccxt_mmp.registry import EXCHANGES

TICK = 0.2  # s between two pictures of a countdown
OLD = 1.0  # s beyond two intervals after which a state is said to be old

# what an exchange without the parameter leaves undone; all of them emulate where they have to
LACKING = {
    'lockInterval': '--lock-interval: its MMP orders are cancelled, but new ones are accepted',
    'includeNonMmp': '--include-non-mmp: its MMP orders are cancelled, but no others',
}

Work = Callable[[Any, Result], Awaitable[None]]
Moment = Literal['before', 'state']


class LeftAlone(Exception):  # noqa: N818 - what happened, not what went wrong
    """A protection that is frozen was not touched: nobody said yes."""


class Command:
    """A command and what has come of it so far."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.exchanges = Exchanges(arguments)
        # a protection that is named twice, in whatever way, is one: a second reset could wipe out a second freeze
        targets = {target.protection: target for target in map(Target.parsed, reversed(arguments.targets))}
        self.results = [Result(target) for target in reversed(targets.values())]
        # failures are shown in a picture that changes, instead of line by line
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
        # what an exchange cannot do does not keep it from the rest, but is no success
        for name, lacking in LACKING.items():
            if wanted[name] is not None and name not in known:
                raise NotSupported(f'{target.exchange_id} has no {lacking}')

    # --- and about all of them

    async def _each(self, work: Work) -> None:
        """Side by side, for those that have not failed; a failure is told at once."""
        await asyncio.gather(*(self._attempt(work, result) for result in self.results if result.error is None))

    async def _attempt(self, work: Work, result: Result) -> None:
        try:
            await work(self.exchanges.of(result.target), result)
        except Exception as error:  # noqa: BLE001 - it is told, and stops no other target
            result.error, result.message = error, self.exchanges.in_one_line(error)
            if not self._is_live:
                tell(f'{result.target.text}: {result.message}')

    async def _look_if_possible(self, moment: Moment) -> None:
        """How they are, those that failed included; nothing fails by it."""

        async def attempt(result: Result) -> None:
            try:
                await self._look(moment)(self.exchanges.of(result.target), result)
            except Exception as error:  # noqa: BLE001 - it is told
                result.warning = f'its state is not known: {self.exchanges.in_one_line(error)}'

        await asyncio.gather(*(attempt(result) for result in self.results))

    async def _cancel_all(self) -> None:
        """The states are asked for beside it: it waits for nothing."""
        await asyncio.gather(self._each(self._cancel), self._look_if_possible('before'))
        await self._look_if_possible('state')

    async def _change(self, change: Work) -> None:
        """Set or reset, after a question about what is frozen."""
        if self.arguments.yes:
            await self._look_if_possible('before')
        else:
            await self._ask_about_all()
        await self._each(change)
        await self._look_if_possible('state')

    async def _ask_about_all(self) -> None:
        """While a question waits for its answer another one may freeze, so all are looked at again."""
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
        assert result.before is not None  # noqa: S101 - that is why it is asked about
        frozen = frozen_or_not(result.before)
        if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise LeftAlone(f'it {frozen}, and nobody can be asked; --yes does it unasked')
        with _interruptible():
            sys.stderr.write(f'{result.target.text} {frozen}: {self.arguments.command} it? [y/N] ')
            sys.stderr.flush()
            answer = sys.stdin.readline()
        if answer.strip().lower() not in ('y', 'yes'):
            raise LeftAlone(f'it {frozen}, and is left alone')

    async def _watch(self, interval: float) -> None:
        """Until it is interrupted; one that is slow holds up no other."""
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

    # --- what is shown

    def _show(self) -> None:
        for result in self.results:
            if result.warning and result.error is None:
                tell(f'{result.target.text}: {result.warning}')
        if self.arguments.json:
            say(json.dumps(document(self.results), indent=2), sys.stdout)
            return
        shown = screen()
        if self.arguments.command == 'status':
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
        """With what is not as new as it looks."""
        now = time.monotonic()
        told = []
        for result in self.results:
            age = now - result.seen
            if result.error is not None and self._is_live:
                told.append(f'{result.target.text}: {result.message}')
            if result.seen and age > 2 * interval + OLD:
                told.append(f'{result.target.text}: as it was {age:.0f} s ago')
        return [*told, *notes(self.results)]


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a wait for an answer, too, which asyncio's own handler leaves waiting."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
