"""What the options of the command line take: each value is checked before anything is sent."""

import argparse
import re
from collections.abc import Callable
from math import inf

UNITS = {'ms': 1, '': 1, 's': 1000, 'm': 60_000, 'h': 3_600_000}
SPELLINGS = 'such as 300ms, 5s, 5m, 2h; a bare number is ms'
DURATION = re.compile(r'([0-9]{1,15})(ms|s|m|h|)', re.ASCII)
NUMBER = re.compile(r'[0-9]{1,20}(\.[0-9]{1,20})?', re.ASCII)
WATCH = re.compile(r'[0-9]*\.?[0-9]+', re.ASCII)


def duration(least: int = 1, most: float = inf) -> Callable[[str], int]:
    """A time in ms, of at least and at most so many."""

    def parse(text: str) -> int:
        found = DURATION.fullmatch(text.strip().lower())
        milliseconds = int(found[1]) * UNITS[found[2]] if found else -1
        if not least <= milliseconds <= most:
            bounds = f' of at least {written(least)}' if least > 1 else ' above 0' if least else ''
            bounds += f' up to {written(int(most))}' if most < inf else ''
            raise argparse.ArgumentTypeError(f'{text!r} is no duration{bounds}, {SPELLINGS}')
        return milliseconds

    return parse


def written(milliseconds: int) -> str:
    """A duration as one may type it."""
    for unit in ('h', 'm', 's'):
        if milliseconds and milliseconds % UNITS[unit] == 0:
            return f'{milliseconds // UNITS[unit]}{unit}'
    return f'{milliseconds}ms' if milliseconds else '0'


def interval(text: str) -> float:
    """Seconds between two readings. A bare number is seconds here, as in ``watch -n``."""
    seconds = float(text) if WATCH.fullmatch(text) else 0
    found = DURATION.fullmatch(text)
    if found and found[2]:
        seconds = int(found[1]) * UNITS[found[2]] / 1000
    if not 0 < seconds < 10**9:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no interval above 0, such as 2, 500ms, 1m; a bare number is seconds '
            '(targets come before --watch)'
        )
    return seconds


def number(text: str) -> str:
    """A plain decimal above 0, as it was written: no float comes between."""
    if not NUMBER.fullmatch(text) or not float(text):
        raise argparse.ArgumentTypeError(f'{text!r} is no number above 0, such as 100 or 0.5')
    return text


def count(text: str) -> str:
    if not NUMBER.fullmatch(text) or not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number above 0')
    return text


def port(text: str) -> int:
    if not NUMBER.fullmatch(text) or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'{text!r} is no port, 0 to 65535')
    return int(text)


def url(text: str) -> str:
    if not text.startswith(('http://', 'https://')):
        raise argparse.ArgumentTypeError(f'{text!r} is no URL of a simulator, such as http://127.0.0.1:8080')
    return text.rstrip('/')


def states(text: str) -> list[str]:
    """Of ``--fail-if``: one or several, with commas between them."""
    named = text.lower().split(',')
    if not {*named} <= {'frozen', 'off'}:
        raise argparse.ArgumentTypeError(f'{text!r} is neither frozen nor off')
    return named
