"""Writing lines to stdout and stderr, whatever they are: a terminal, a file or a closed pipe."""

import os
import sys
from contextlib import suppress
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


def width_of(stream: TextIO | None) -> int | None:
    """The columns of a terminal; None if it is none."""
    if stream is None or not is_terminal(stream):
        return None
    with suppress(KeyError, ValueError):
        return int(os.environ['COLUMNS'])  # as everybody else reads it
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None


def in_lines(text: str, stream: TextIO | None) -> str:
    """A text that breaks between words on a terminal, which would break it anywhere."""
    width = width_of(stream)
    if not width or len(text) < width:
        return text
    from ccxt_mmp.cli.layout import wrapped

    return '\n'.join(wrapped(text, width - 1))


def tell(text: str) -> None:
    """Print a message to stderr, after the name of the program; where it is no terminal, in one line."""
    say(in_lines(f'ccxt-mmp: {text}', sys.stderr), sys.stderr)
