"""What a benchmark found, as text, Markdown and JSON."""

from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True)
class Comparison:
    """Ours beside another, in seconds, and what is aimed at.

    at_most: of ours / theirs.
    at_least: of theirs / ours.
    within: seconds, of ours.
    capped: theirs was not waited for any longer.
    """

    what: str
    ours: float
    theirs: float
    other: str = 'stock ccxt'
    at_most: float | None = None
    at_least: float | None = None
    within: float | None = None
    capped: bool = False

    @property
    def is_met(self) -> bool:
        return (
            (self.at_most is None or self.ours / self.theirs <= self.at_most)
            and (self.at_least is None or self.theirs / self.ours >= self.at_least)
            and (self.within is None or self.ours <= self.within)
        )

    @property
    def has_target(self) -> bool:
        return self.target != ''

    @property
    def target(self) -> str:
        targets = []
        if self.within is not None:
            targets.append(f'within {duration(self.within)}')
        if self.at_most is not None:
            targets.append(f'at most {self.at_most:.2f} times the time')
        if self.at_least is not None:
            targets.append(f'at least {self.at_least:g} times as fast')
        return ', '.join(targets)

    @property
    def ratio(self) -> str:
        if self.at_most is not None or (self.at_least is None and self.ours > self.theirs):
            return f'{self.ours / self.theirs:.2f} times the time'
        return f'{"> " if self.capped else ""}{number(self.theirs / self.ours)} times as fast'

    def cells(self) -> list[str]:
        theirs = f'{"> " if self.capped else ""}{duration(self.theirs)} ({self.other})'
        verdict = ('yes' if self.is_met else 'NO') if self.has_target else ''
        return [self.what, duration(self.ours), theirs, self.ratio, self.target, verdict]

    def as_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            'ratio': self.ours / self.theirs,
            'met': self.is_met if self.has_target else None,
        }


COMPARED = ['', 'ccxt_mmp', 'beside', 'ratio', 'target', 'met']


@dataclass(frozen=True)
class Result:
    name: str
    title: str
    comparisons: list[Comparison]
    details: list[dict[str, Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        parts = [f'{self.name}: {self.title}']
        if self.details:
            columns = list(self.details[0])
            parts.append(aligned([columns, *([shown(row.get(column)) for column in columns] for row in self.details)]))
        if self.comparisons:
            parts.append(aligned([COMPARED, *(each.cells() for each in self.comparisons)]))
        return '\n\n'.join([*parts, *self.notes])

    def as_json(self) -> dict[str, Any]:
        return {
            'name': self.name,
            'title': self.title,
            'comparisons': [each.as_json() for each in self.comparisons],
            'details': self.details,
            'notes': self.notes,
        }


def as_markdown(results: list[Result]) -> str:
    rows = [COMPARED[:-1], ['---'] * 5, *(each.cells()[:-1] for result in results for each in result.comparisons)]
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # the first column names what the others are about
    return '\n'.join(
        '  '.join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def duration(seconds: float) -> str:
    return f'{seconds:.3g} s' if seconds >= 1 else f'{number(seconds * 1000)} ms'


def number(value: float) -> str:
    return f'{value:,.0f}' if value >= 100 else f'{value:.3g}'


def shown(cell: Cell) -> str:
    if cell is None:
        return '-'
    return number(cell) if isinstance(cell, float) else f'{cell:,}' if isinstance(cell, int) else cell
