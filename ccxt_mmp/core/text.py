"""Values and failures in error texts."""

import re
from typing import Any

from ccxt_mmp._redaction import redacted

LAST_DATE = 253_402_300_799_999  # ms, the end of the year 9999
QUERY = re.compile(r'(?:\?|%3F)\S*')


def shown(value: object) -> str:
    """The repr of a value for an error text: short, and without keys or passphrases."""
    try:
        text = redacted(repr(value))
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more digits than Python writes
        text = f'a value of the type {type(value).__name__}'
    return text if len(text) <= 200 else text[:200] + '...'


def date_of(exchange: Any, timestamp: int) -> str:
    """A time in ms since the epoch as a date; after the year 9999, for which older versions of ccxt fail, as it is."""
    return str(exchange.iso8601(timestamp)) if timestamp <= LAST_DATE else f'{timestamp} ms'


def described(error: BaseException) -> str:
    """An error for an error text, without the query of a URL, which may contain a signature."""
    return f'{type(error).__name__}: {redacted(QUERY.sub("", str(error)))}'
