"""``ccxt-mmp status --watch``: the states until it is interrupted, or until ``--fail-if`` finds one."""

import asyncio
import json
import os
import time
from contextlib import nullcontext, suppress
from math import inf
from typing import TYPE_CHECKING, Any

from ccxt_mmp.cli import halts
from ccxt_mmp.cli.output import tell
from ccxt_mmp.cli.report import Result, document, each_part, notes, word
from ccxt_mmp.cli.screens import screen

if TYPE_CHECKING:
    from ccxt_mmp.cli.commands import Command

TICK = 0.2  # s between two updates of a countdown
OLD = 1.0  # s: a state older than two intervals and this is marked with its age


async def watch(command: 'Command') -> None:
    """Show the states. A slow target delays no other."""
    interval = command.arguments.watch
    changes = Changes(command)
    tasks = [
        asyncio.ensure_future(_follow(command, result, interval))
        for result in command.results
        if result.target.exchange_id
    ]
    is_json, shown_at = command.arguments.json, -inf
    try:
        with nullcontext() if is_json else screen().live() as draw:
            while not command.is_found:
                await asyncio.sleep(min(TICK, interval))
                changes.look()
                # a live table counts down; elsewhere there is one as often as it reads, and one at the end
                is_due = time.monotonic() - shown_at >= interval and command.has_seen_all
                if not (command.is_live or is_due or command.is_found):
                    continue
                shown_at = time.monotonic()
                if draw is None:
                    command.say_document()
                else:
                    table = command.table('state', halts.halt_lines(command.results))
                    draw(table._replace(below=[*changes.notes, *_notes(command, interval)]))
    finally:
        for task in tasks:
            task.cancel()
        await changes.end()


async def _follow(command: 'Command', result: Result, interval: float) -> None:
    """Know the state of a target: by a stream where the exchange has one, else by reads."""

    async def read(exchange: Any, result: Result) -> None:
        await command.look('state')(exchange, result)
        result.error = None

    async def stream(exchange: Any, result: Result) -> None:
        pushed = asyncio.ensure_future(exchange.watch_mmp(result.target.underlying))
        try:
            result.is_streamed = True
            while True:
                done, _ = await asyncio.wait([pushed], timeout=interval)
                if done:
                    result.state, result.seen = pushed.result(), time.monotonic()
                    pushed = asyncio.ensure_future(exchange.watch_mmp(result.target.underlying))
                else:
                    await command.look_beside(exchange, result)
        finally:
            result.is_streamed = False
            pushed.cancel()

    while True:
        started = time.monotonic()
        await command.attempt(read, result)
        if result.error is None and _is_streamed(command.exchanges.of(result.target), result):
            with suppress(Exception):  # the next read tells what is wrong, if anything is
                await stream(command.exchanges.of(result.target), result)
        await asyncio.sleep(max(started + interval - time.monotonic(), 0))


def _is_streamed(exchange: Any, result: Result) -> bool:
    return bool(exchange.has.get('watchMmp')) and result.target.scope == 'orders' and not result.target.is_all


def _notes(command: 'Command', interval: float) -> list[str]:
    """The notes below the table, with the age of states that are old."""
    now, lines = time.monotonic(), []
    for result in command.results:
        age = now - result.seen
        if result.error is not None and command.is_live:
            lines.append(f'{result.target.text}: {result.message}')
        if result.seen and age > 2 * interval + OLD and not result.is_streamed:
            lines.append(f'{result.target.text}: as it was {age:.0f} s ago')
    return [*lines, *notes(each_part(command.results))]


class Changes:
    """``--on-change``: a command is run whenever a state has become another one, one after the other."""

    def __init__(self, command: 'Command') -> None:
        self.notes: list[str] = []
        self._command = command
        self._words: dict[str, str] = {}
        self._last: asyncio.Future[None] | None = None

    def look(self) -> None:
        """Run the command for each state that is another one than before. What is not known is no state."""
        line = self._command.arguments.on_change
        if line is None:
            return
        for result in each_part(self._command.results):
            if result.state is None:
                continue
            name, now = _name(result), word(result)
            was = self._words.get(name, now)
            self._words[name] = now
            if now != was:
                variables = {'CCXT_MMP_TARGET': name, 'CCXT_MMP_STATE': now, 'CCXT_MMP_WAS': was}
                told = json.dumps(document([result])[0])
                self._last = asyncio.ensure_future(self._run(line, variables, told, self._last))

    async def _run(self, line: str, variables: dict[str, str], told: str, last: 'asyncio.Future[None] | None') -> None:
        if last is not None:
            await last
        # what it prints would break the table
        process = await asyncio.create_subprocess_shell(
            line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **variables},
        )
        await process.communicate(told.encode())
        if process.returncode:
            self.notes = [f'--on-change: exit status {process.returncode} for {variables["CCXT_MMP_TARGET"]}']
            if not self._command.is_live:
                tell(self.notes[0])

    async def end(self) -> None:
        """Let the commands that run come to their end, for a moment."""
        if self._last is not None:
            await asyncio.wait([self._last], timeout=1)


def _name(result: Result) -> str:
    target = result.target
    return f'{target.place}:{target.underlying}' if target.text == target.place else target.text
