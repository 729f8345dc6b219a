"""Tables that fit a terminal: columns are left out by priority, and what is frozen is never left out."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

Rows = Sequence[Sequence[str]]
Segment = tuple[str, str]  # a text and its style
Line = Sequence[Segment]

GAP = '  '
NOTHING = '-'  # the exchange does not say, or there is none
USUAL = {'scope': {'orders'}}  # what a column need not say
STATE = 'state'
FROZEN = 'FROZEN'
STYLES = {
    FROZEN: 'bold red',
    'armed': 'green',
    'not frozen': 'green',
    'failed': 'bold magenta',
    'unknown': 'yellow',
    'ok': 'green',
    'NO': 'bold red',
    'not known': 'yellow',
}
# the first is left out first; what is not here stays
OF_ORDERS = ('client id', 'placed', 'post-only', 'filled', 'order id')
LESS_IMPORTANT = (*OF_ORDERS, 'last trigger', 'frozen time', 'window', 'scope', 'limits', 'orders before')
NO_LOSS = (*LESS_IMPORTANT, 'time left')  # where they say nothing
URGENCY = (FROZEN, 'failed', 'unknown', 'off')
CUT = '..'


class Fitted(NamedTuple):
    """A table as it is drawn, and the columns that it had no place for."""

    columns: list[str]
    rows: list[list[str]]
    left_out: list[str]

    @property
    def notes(self) -> list[str]:
        return [f'Not shown here: {", ".join(self.left_out)}.'] if self.left_out else []


def fit(columns: Sequence[str], rows: Rows, width: int | None) -> Fitted:
    """The columns that a width has place for. None: there is no terminal, and all are shown."""
    shown, left_out = [*columns], []
    if width is not None:
        says_nothing = [each for each in columns if _says_nothing(each, _cells(columns, rows, each))]
        for column in (*(each for each in NO_LOSS if each in says_nothing), *LESS_IMPORTANT):
            if _width(columns, shown, rows) <= width:
                break
            if column in shown:
                shown.remove(column)
                if column not in says_nothing:
                    left_out.append(column)
    kept = [[row[columns.index(each)] for each in shown] for row in rows]
    if width is not None and _width(columns, shown, rows) > width:
        kept = _cut(shown, kept, width)
    return Fitted(shown, kept, [each for each in columns if each in left_out])


def _cells(columns: Sequence[str], rows: Rows, column: str) -> set[str]:
    return {row[columns.index(column)] for row in rows}


def _says_nothing(column: str, cells: set[str]) -> bool:
    return cells <= {NOTHING} or cells <= USUAL.get(column, set())


def _width(columns: Sequence[str], shown: Sequence[str], rows: Rows) -> int:
    widths = [max(map(len, (each, *_cells(columns, rows, each)))) for each in shown]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _cut(shown: Sequence[str], rows: list[list[str]], width: int) -> list[list[str]]:
    """Cut the longest texts, which are names that somebody made up: there is nothing left to leave out."""
    rows = [[*row] for row in rows]
    while (over := _width(shown, shown, rows) - width) > 0:
        lengths = {name: max(map(len, (*_cells(shown, rows, name), ''))) for name in shown if name != STATE}
        longest = max(lengths, key=lambda name: lengths[name])
        length = max(lengths[longest] - over, len(longest), len(CUT) + 1)
        if length >= lengths[longest]:
            break  # the headings alone are wider
        for row in rows:
            cell = row[shown.index(longest)]
            if len(cell) > length:
                row[shown.index(longest)] = cell[: length - len(CUT)] + CUT
    return rows


def lines_of(fitted: Fitted) -> list[Line]:
    """The heading and the rows, with the state in its colour."""
    heading = [each.upper() for each in fitted.columns]
    widths = [max(map(len, column)) for column in zip(heading, *fitted.rows, strict=True)]
    lines: list[Line] = [[(_joined(heading, widths), 'bold')]]
    for row in fitted.rows:
        if STATE not in fitted.columns:
            lines.append([(_joined(row, widths), '')])
            continue
        state = fitted.columns.index(STATE)
        before = _joined(row[:state], widths[:state], is_last=False)
        after = _joined(row[state + 1 :], widths[state + 1 :])
        padding = ' ' * (widths[state] - len(row[state])) + GAP if after else ''
        lines.append([(before, ''), (row[state], STYLES.get(row[state], '')), (padding + after, '')])
    return lines


def _joined(cells: Sequence[str], widths: Sequence[int], *, is_last: bool = True) -> str:
    text = GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return text.rstrip() if is_last else text + (GAP if cells else '')


def visible(columns: Sequence[str], rows: Rows, room: int) -> tuple[Rows, list[str]]:
    """The rows that a low terminal has room for, all frozen ones among them, and a line about the others.

    Where even the frozen ones have no room, the line names them instead.
    """
    if len(rows) <= room:
        return rows, []
    state = [*columns].index(STATE)
    ranked = sorted(rows, key=lambda row: URGENCY.index(row[state]) if row[state] in URGENCY else len(URGENCY))
    frozen = [row for row in ranked if row[state] == FROZEN]
    if len(frozen) > room - 1:
        named = ', '.join(' '.join(cell for cell in row[:2] if cell != NOTHING) for row in frozen)
        kept, rest, lines = frozen[:0], ranked[len(frozen) :], [f'{FROZEN}: {named}.']
    else:
        count = max(room - 1, 0)
        kept, rest, lines = ranked[:count], ranked[count:], []
    if rest:
        counted = Counter(row[state] for row in rest)
        lines.append(f'And {len(rest)} more: {", ".join(f"{number} {word}" for word, number in counted.items())}.')
    return kept, lines


def wrapped(text: str, width: int | None) -> list[str]:
    """Lines of a text, broken between words alone."""
    if width is None:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or ['']
