"""Writing lines to stdout and stderr, whatever they are: a terminal, a file or a closed pipe."""

import os
import sys
from typing import TextIO


def say(text: str, stream: TextIO | None, end: str = '\n') -> None:
    """Write a line. A failure to write is ignored: it must not stop a cancel."""
    if stream is None:  # closed before the program began
        return
    # what the output cannot encode is escaped, so that one odd name takes nothing with it
    encoding = getattr(stream, 'encoding', None) or 'utf-8'
    text = f'{text}{end}'.encode(encoding, 'backslashreplace').decode(encoding)
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        _abandon(stream)


def _abandon(stream: TextIO) -> None:
    """Redirect to /dev/null, since the rest of the buffer would fail again at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty() and os.environ.get('TERM') != 'dumb'


def tell(text: str) -> None:
    """Print a line to stderr, after the name of the program."""
    say(f'ccxt-mmp: {text}', sys.stderr)
