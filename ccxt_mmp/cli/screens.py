"""What is drawn on stdout: with rich in colour on a terminal, else plain."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ccxt_mmp.cli.layout import Line, Rows, fit, lines_of, visible, wrapped
from ccxt_mmp.cli.output import is_terminal, say

UP = '\x1b[{lines}F'
END_OF_LINE, END_OF_SCREEN = '\x1b[K', '\x1b[J'


class Shown(NamedTuple):
    """A table with what stands above and below it."""

    columns: Sequence[str]
    rows: Rows
    above: Sequence[str] = ()
    below: Sequence[str] = ()


Draw = Callable[[Shown], None]


class Plain:
    """Aligned text, on a terminal or in a file."""

    @property
    def size(self) -> tuple[int, int] | None:
        """The columns and lines that there is place for; None: it is no terminal."""
        if not is_terminal(sys.stdout):
            return None
        columns, lines = shutil.get_terminal_size()
        return columns - 1, lines - 1  # a line that fills the last column wraps on some terminals

    def table(self, shown: Shown, title: str = '') -> None:
        heading: list[Line] = [[(f'{title}:', 'bold')]] if title else []
        self._write([*heading, *self._lines(shown, has_all=True)])

    def headline(self, text: str, style: str) -> None:
        """The first line, which says it all."""
        self._write([[(line, style)] for line in wrapped(text, self.size and self.size[0])])

    def notes(self, lines: Sequence[str]) -> None:
        self._write([[(line, '')] for note in lines for line in wrapped(note, self.size and self.size[0])])

    @contextmanager
    def live(self) -> Iterator[Draw]:
        """A table that is redrawn, in place on a terminal."""
        drawn = 0

        def draw(shown: Shown) -> None:
            nonlocal drawn
            lines = self._lines(shown)
            is_in_place = self.size is not None
            self._write(lines, up=drawn if is_in_place else None)
            drawn = len(lines)

        yield draw

    def _lines(self, shown: Shown, *, has_all: bool = False) -> list[Line]:
        width, height = self.size or (None, None)
        above = [line for each in shown.above for line in wrapped(each, width)]
        fitted = fit(shown.columns, shown.rows, width)
        rows: Rows = fitted.rows
        others: list[str] = []
        if height is not None and not has_all:
            rows, others = visible(fitted.columns, fitted.rows, height - len(above) - 1)
        below = [line for each in (*others, *fitted.notes, *shown.below) for line in wrapped(each, width)]
        table = lines_of(fitted._replace(rows=[[*row] for row in rows]))
        if height is not None and not has_all:
            # the notes are what a low terminal has no room for, but for those about rows
            least = sum(len(wrapped(each, width)) for each in others)
            below = below[: max(height - len(above) - len(table), least)]
        return [*([(line, 'bold red')] for line in above), *table, *([(line, '')] for line in below)]

    def _write(self, lines: Sequence[Line], up: int | None = None) -> None:
        """Write lines; with ``up`` over as many that were drawn before."""
        texts = self._painted(lines)
        if up is not None:
            texts = [text + END_OF_LINE for text in texts]
            texts[0] = (UP.format(lines=up) if up else '') + texts[0]
            texts[-1] += f'\n{END_OF_SCREEN}'
            say('\n'.join(texts), sys.stdout, end='')
        elif texts:
            say('\n'.join(texts), sys.stdout)

    def _painted(self, lines: Sequence[Line]) -> list[str]:
        return [''.join(text for text, _ in line) for line in lines]


class Rich(Plain):
    """The same in colour, by rich (extra cli)."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console

        self.console = console or Console()

    def _painted(self, lines: Sequence[Line]) -> list[str]:
        from rich.text import Text

        text = Text('\n').join(Text.assemble(*line) for line in lines)
        with self.console.capture() as captured:
            self.console.print(text, no_wrap=True, overflow='ignore', crop=False)
        return captured.get().splitlines()


def screen() -> Plain | Rich:
    """Rich on a terminal if it is installed, else plain text."""
    if is_terminal(sys.stdout):
        try:
            return Rich()
        except ImportError:
            pass
    return Plain()
