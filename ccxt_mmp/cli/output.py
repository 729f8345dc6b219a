"""Where it is written: a terminal, a file, a pipe that somebody closed, or nowhere."""

import os
import sys
from typing import TextIO


def say(text: str, stream: TextIO | None) -> None:
    """Write a line. That nobody can read it stops nothing: an order is cancelled all the same."""
    if stream is None:  # closed before the program began
        return
    try:
        stream.write(f'{text}\n')
        stream.flush()
    except (OSError, ValueError):
        _abandon(stream)


def _abandon(stream: TextIO) -> None:
    """What is left in the buffer would fail again when the program ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty() and os.environ.get('TERM') != 'dumb'


def tell(text: str) -> None:
    """What went wrong, in a line of its own."""
    say(f'ccxt-mmp: {text}', sys.stderr)
