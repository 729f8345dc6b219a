"""Values, times and failures in texts."""

from typing import Any

from ccxt_mmp._patterns import Pattern
from ccxt_mmp._redaction import redacted

LAST_DATE = 253_402_300_799_999  # ms, the end of the year 9999
QUERY = Pattern(r'(?:\?|%3F)\S*')


def shown(value: object) -> str:
    """The repr of a value for an error text: short, and without keys or passphrases."""
    try:
        text = redacted(repr(value))
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more digits than Python writes
        text = f'a value of the type {type(value).__name__}'
    return text if len(text) <= 200 else text[:200] + '...'


def date_of(exchange: Any, timestamp: int | None) -> str | None:
    """ccxt's iso8601, but None after the year 9999: older versions raise ValueError."""
    return None if timestamp is None or timestamp > LAST_DATE else exchange.iso8601(timestamp)


def described(error: BaseException) -> str:
    """An error for an error text, without the query of a URL, which may contain a signature."""
    return f'{type(error).__name__}: {redacted(QUERY.sub("", str(error)))}'
