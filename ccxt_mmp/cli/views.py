"""How the demo is shown: line by line, or as one live view."""

import asyncio
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ccxt_mmp.cli.arguments import names
from ccxt_mmp.cli.layout import wrapped
from ccxt_mmp.cli.output import is_terminal, say, width_of
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator

PAUSE = 0.15  # s, so that people can read a step
REFRESHES = 10  # per second
OTHER_LINES = 10 + len(EXCHANGES)  # of the live view, besides the steps
WIDTH = 80
NOT_SO = '^^ NOT SO'
CALL_INDENT, INDENT = 2, 6
INTRODUCTION = f'{names()}, simulated here: no keys, no network, no money.'
BOOKS = {f'{each.name} {each.underlying}': (each.id, each.underlying_id) for each in EXCHANGES.values()}


def step_lines(call: str, outcome: str, happened: bool, width: int) -> list[tuple[str, str]]:
    """A step and what came of it, on lines of their own, with their style."""
    calls = _indented(call, width, CALL_INDENT, CALL_INDENT + 2)
    lines = [*_indented(outcome, width, INDENT, INDENT), *([] if happened else [' ' * INDENT + NOT_SO])]
    return [*((line, '') for line in calls), *((line, 'green' if happened else 'bold red') for line in lines)]


def _indented(text: str, width: int, first: int, others: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=' ' * first,
        subsequent_indent=' ' * others,
        break_on_hyphens=False,
        break_long_words=False,
    )


class PlainView:
    """Plain lines."""

    def __init__(self) -> None:
        self._width = (width_of(sys.stdout) or WIDTH + 1) - 1

    def begin(self, sections: Sequence[str]) -> None:
        self._say(INTRODUCTION)

    def section(self, title: str) -> None:
        say('', sys.stdout)
        self._say(title)

    def _say(self, text: str) -> None:
        for line in wrapped(text, self._width):
            say(line, sys.stdout)

    async def step(self, call: str, outcome: str, happened: bool) -> None:
        for line, _ in step_lines(call, outcome, happened, self._width):
            say(line, sys.stdout)

    def end(self, summary: str) -> None:
        say('', sys.stdout)
        self._say(summary)


class LiveView(PlainView):
    """The last steps, the order books and a progress bar."""

    def __init__(self, simulator: Simulator, console: Any = None) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TextColumn

        self._simulator = simulator
        self._lines: list[tuple[str, str]] = []
        self._progress = Progress(
            TextColumn('{task.description}'), BarColumn(), TextColumn('{task.completed}/{task.total}')
        )
        self._task = self._progress.add_task('sections')
        self._ended = ''
        self._console = console or Console()
        self.live = Live(console=self._console, get_renderable=self.renderable, refresh_per_second=REFRESHES)

    def begin(self, sections: Sequence[str]) -> None:
        self._progress.update(self._task, total=len(sections))

    def section(self, title: str) -> None:
        if self._lines:
            self._progress.advance(self._task)
        self._lines.append((title, 'bold'))

    async def step(self, call: str, outcome: str, happened: bool) -> None:
        self._lines += step_lines(call, outcome, happened, self._console.width)
        await asyncio.sleep(PAUSE)

    def end(self, summary: str) -> None:
        self._progress.advance(self._task)
        self._ended = summary

    def renderable(self) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        books = Table('in the book', 'MMP orders', 'other orders')
        for title, (venue, underlying) in BOOKS.items():
            orders = self._simulator.resting(venue, underlying)
            mmp = sum(order.mmp for order in orders)
            books.add_row(title, Text(str(mmp), 'green' if mmp else ''), str(len(orders) - mmp))
        # the oldest steps are left out until the end if the terminal is too low for them
        height = None if self._ended else -max(self._console.height - OTHER_LINES, 1)
        steps = [Text(line, style) for line, style in self._lines[height:]]
        return Group(Text(INTRODUCTION), books, self._progress, *steps, Text(self._ended))


@contextmanager
def demo_view(simulator: Simulator) -> Iterator[PlainView]:
    """Live on a terminal if rich is installed, else plain lines."""
    shown = _live_view(simulator) if is_terminal(sys.stdout) else None
    if shown is None:
        yield PlainView()
        return
    with shown.live:
        yield shown


def _live_view(simulator: Simulator) -> LiveView | None:
    try:
        return LiveView(simulator)
    except ImportError:
        return None
