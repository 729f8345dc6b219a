"""Keeps keys, passphrases and signatures out of what ccxt prints, logs and raises.

They are known by their shape (the names of their headers and fields) and by their value: that of every exchange object
in this process that has used its credentials.
"""

import base64
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus
from weakref import WeakValueDictionary

from ccxt_mmp._patterns import Pattern

HIDDEN = '***'
# as html.escape writes it, whose module has all the entities there are
HTML = str.maketrans({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;'})
# shorter ones are searched for nowhere: they would be found in the middle of words
MIN_LENGTH = 6

# a header, a field of JSON or of a repr, or a parameter of a URL, which a proxyUrl percent-encodes
SECRET = Pattern(
    r"""(?P<name>
            (?<![a-z])
            (?: ok-access-(?:key|sign|passphrase) | x-mbx-apikey | x-bapi-api-key | apikey | passphrase
              | sig(?:n(?:ature)?)? | op['"]\s*:\s*['"]auth['"]\s*,\s*['"]args | authorization
              | client_secret | access_token | refresh_token )
            ['"]? \s* (?:[:=]|%3d) \s*
        )
        (?: (?P<quote>['"]) (?:\\.|[^\\])*? (?P=quote) | \[ [^\]]* \] | [^\s&'",)}\]]+ )""",
    re.IGNORECASE | re.VERBOSE,
)

# the exchange objects that have used their credentials, by id()
_EXCHANGES: WeakValueDictionary[int, Any] = WeakValueDictionary()


def remember(exchange: Any) -> None:
    """Look for the credentials of this object from now on, as long as it lives."""
    key = id(exchange)
    if _EXCHANGES.get(key) is not exchange:
        _EXCHANGES[key] = exchange


def redacted(text: str) -> str:
    return _redacted(text, _values())


def _redacted(text: str, values: set[str]) -> str:
    return without_values(redacted_by_shape(text), values)


def redacted_by_shape(text: str) -> str:
    return SECRET.sub(_hidden, text)


def _hidden(match: re.Match[str]) -> str:
    # not a template, which imports a module: nothing can be imported while the interpreter shuts down
    mark = match['quote'] or ''
    return f'{match["name"]}{mark}{HIDDEN}{mark}'


def _values() -> set[str]:
    found = set()
    for reference in _EXCHANGES.valuerefs():  # a copy, as other threads may add to it
        exchange = reference()
        for name in getattr(exchange, 'requiredCredentials', ()):
            value = getattr(exchange, name, None)
            if value and value is not True:
                found.add(str(value))
    return found


def without_values(text: str, values: Iterable[str]) -> str:
    """A text without these values, in whatever form they are written in it."""
    for form in _all_forms(frozenset(values)):
        text = text.replace(form, HIDDEN)
    return text


@lru_cache(maxsize=16)  # they seldom change, and all that is logged is searched for them
def _all_forms(values: frozenset[str]) -> tuple[str, ...]:
    """The longest first: one may begin as another does."""
    return tuple(sorted({form for value in values for form in _forms(value)}, key=len, reverse=True))


def _forms(value: str) -> set[str]:
    """How a value is written in a header, a URL, JSON, a repr, HTML and basic authentication."""
    lines = {value, value.strip(), *map(str.strip, value.splitlines())}  # a private key is several lines
    found = set()
    for line in lines:
        if len(line) < MIN_LENGTH or line.startswith('-----'):
            continue
        found |= {line, base64.b64encode(line.encode(errors='replace')).decode().rstrip('=')}
        if not line.isalnum():
            written = {line, json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1], repr(line)[1:-1]}
            # JSON in an error text in a repr
            written |= {repr(each)[1:-1] for each in written} | {json.dumps(each)[1:-1] for each in written}
            written |= {write(line, safe='', errors='replace') for write in (quote, quote_plus)}
            found |= written | {line.translate(HTML)}
    return found


def redact(error: BaseException, handled: BaseException | None) -> None:
    """Take them out of an error and of those that it came from, but for what was being handled before it.

    That one is the user's. An error that has them elsewhere than in its arguments is left out of the chain.
    """
    values = _values()  # once: all exchange objects are asked for them
    chain = [error]
    for each in chain:  # which grows meanwhile
        _redact_arguments(each, values)
        for link in ('__cause__', '__context__'):
            other = getattr(each, link)
            if other is None or other is handled or other in chain:
                continue
            _redact_arguments(other, values)
            if _tells(other, values):
                setattr(each, link, None)
            else:
                chain.append(other)


def _redact_arguments(error: BaseException, values: set[str]) -> None:
    arguments = tuple(_redacted_argument(argument, values) for argument in error.args)
    if any(new is not old for new, old in zip(arguments, error.args, strict=True)):
        error.args = arguments


def _redacted_argument(argument: Any, values: set[str]) -> Any:
    if isinstance(argument, BaseException):  # requests has its causes there
        _redact_arguments(argument, values)
    elif type(argument) is str:
        text = _redacted(argument, values)
        return argument if text == argument else text
    return _redacted(repr(argument), values) if _tells(argument, values) else argument


def _tells(value: object, values: set[str]) -> bool:
    text = f'{value} {value!r}'
    return _redacted(text, values) != text


def _redact_record(record: logging.LogRecord) -> bool:
    try:
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redacted(''.join(traceback.format_exception(*record.exc_info)).rstrip())
    except Exception as error:  # noqa: BLE001 - a filter that raises would end what merely wanted to log
        record.msg, record.args = f'a message that could not be read: {type(error).__name__}', ()
        record.exc_info = record.exc_text = None
    return True


# a child of ccxt's own, whose level and handlers it has
LOGGER = logging.getLogger('ccxt.base.exchange.mmp')
LOGGER.addFilter(_redact_record)


def guard(client: Any, exchange: Any) -> None:
    """Let a websocket client of ccxt print and raise without them, also one that was made before ``extend``."""
    is_own = getattr(client.log, '__self__', None) is exchange  # and not a function of the user's
    if is_own:
        client.log = exchange.log
    if getattr(client.reject, '__wrapped__', None) is None:
        client.reject = _guarded(client.reject)


def _guarded(stock: Callable[..., Any]) -> Callable[..., Any]:
    def reject(result: Any, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(result, BaseException):
            redact(result, None)
        return stock(result, *arguments, **keywords)

    reject.__wrapped__ = stock  # type: ignore[attr-defined]
    return reject
