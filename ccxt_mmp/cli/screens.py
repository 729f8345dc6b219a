"""Tables on stdout, with rich on a terminal, else as plain text."""

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ccxt_mmp.cli.output import is_terminal, say
from ccxt_mmp.cli.report import COLUMNS, STATE, aligned

Rows = Sequence[Sequence[str]]
Draw = Callable[[Rows, Sequence[str]], None]

STYLES = {'FROZEN': 'bold red', 'armed': 'green', 'not frozen': 'green', 'failed': 'bold magenta', 'unknown': 'yellow'}
NEVER_CUT = ('exchange', 'underlying', 'scope', 'state', 'time left')  # on a narrow terminal
UP_AND_CLEAR = '\x1b[{lines}F\x1b[J'


class Plain:
    """Aligned text, on a terminal or in a file."""

    def table(self, rows: Rows, title: str = '') -> None:
        lines = aligned([[each.upper() for each in COLUMNS], *rows])
        say('\n'.join([*([f'{title}:'] if title else ()), *lines]), sys.stdout)

    @contextmanager
    def live(self) -> Iterator[Draw]:
        """A table that is redrawn, in place on a terminal. The lines below it are notes."""
        in_place, drawn = is_terminal(sys.stdout), 0

        def draw(rows: Rows, notes: Sequence[str]) -> None:
            nonlocal drawn
            table = aligned([[each.upper() for each in COLUMNS], *rows])
            up = ''
            if in_place:
                width = shutil.get_terminal_size().columns - 1
                table = [line[:width] for line in table]  # a line that wraps would take two
                notes = [line for note in notes for line in textwrap.wrap(note, width)]
                up = UP_AND_CLEAR.format(lines=drawn) if drawn else ''
            say(up + '\n'.join([*table, *notes]), sys.stdout)
            drawn = len(table) + len(notes)

        yield draw


class Rich:
    """Tables and colours by rich (extra cli)."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console

        self.console = console or Console()

    def table(self, rows: Rows, title: str = '') -> None:
        self.console.print(self._table(rows, title))

    @contextmanager
    def live(self) -> Iterator[Draw]:
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text

        with Live(console=self.console, auto_refresh=False) as live:
            yield lambda rows, notes: live.update(Group(self._table(rows), *map(Text, notes)), refresh=True)

    @staticmethod
    def _table(rows: Rows, title: str = '') -> Any:
        from rich.box import SIMPLE_HEAD
        from rich.table import Column, Table
        from rich.text import Text

        columns = (Column(name, no_wrap=name in NEVER_CUT, overflow='fold') for name in COLUMNS)
        table = Table(*columns, title=title or None, title_justify='left', box=SIMPLE_HEAD)
        for row in rows:
            style = STYLES.get(row[STATE], '')
            table.add_row(*(Text(cell, style if index == STATE else '') for index, cell in enumerate(row)))
        return table


def screen() -> Plain | Rich:
    """Rich on a terminal if it is installed, else plain text."""
    if is_terminal(sys.stdout):
        try:
            return Rich()
        except ImportError:
            pass
    return Plain()
