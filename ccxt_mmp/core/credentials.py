"""Refuses unusable credentials before anything is sent, without showing their values.

A key with a line break makes ``requests`` and ``aiohttp`` fail with errors that contain the value, and that look as if
the outcome of the request were unknown.
"""

import weakref
from functools import lru_cache
from operator import attrgetter
from typing import Any

from ccxt.base.errors import AuthenticationError

from ccxt_mmp._redaction import remember

PEM = 'PRIVATE KEY'  # ccxt recognises a PEM key by it; such a key has line breaks
UNSENT = ('secret', 'privateKey')  # used for signing, never in a header


class Checked:
    """The credentials that were last found usable: every request asks two or three times."""

    __slots__ = ('owner', 'read', 'required', 'values')

    def __init__(self) -> None:
        self.owner: Any = None  # a weak reference: a shallow copy of the exchange shares this with it
        self.required: dict[str, bool] | None = None
        self.read: Any = None
        self.values: object = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Checked, ()  # a copy of an exchange is another object, whose credentials must be hidden, too


def are_checked(exchange: Any) -> bool:
    """Whether the current credentials are complete, usable and hidden."""
    checked: Checked | None = exchange.__dict__.get('_mmp_checked_credentials')
    return (
        checked is not None
        and checked.owner is not None
        and checked.owner() is exchange
        and checked.required == exchange.requiredCredentials
        and checked.read(exchange) == checked.values
    )


def check_credentials(exchange: Any) -> None:
    """Hide the credentials of an exchange from now on. Raises AuthenticationError for an unusable one."""
    required, checked = exchange.requiredCredentials, exchange.__dict__.get('_mmp_checked_credentials')
    remember(exchange)
    refuse_unusable(exchange)
    names = [name for name, is_required in required.items() if is_required]
    if names and all(getattr(exchange, name, None) for name in names):  # ccxt says what is missing
        checked = checked or exchange.__dict__.setdefault('_mmp_checked_credentials', Checked())
        checked.required = None  # until all of it is there
        checked.owner = weakref.ref(exchange)
        checked.read = attrgetter(*names)
        checked.values = checked.read(exchange)
        checked.required = {**required}


@lru_cache(100)
def has_stock_check(kind: Any) -> bool:
    """Whether ``check_required_credentials`` of an exchange class is ccxt's, but for that of this package."""
    name = 'check_required_credentials'
    modules = [vars(each)[name].__module__ for each in kind.__mro__ if name in vars(each)]
    return modules == ['ccxt_mmp.core.contract', 'ccxt.base.exchange']


def refuse_unusable(exchange: Any) -> None:
    """Raise AuthenticationError for a credential that is set and unusable."""
    for name, is_required in exchange.requiredCredentials.items():
        value = getattr(exchange, name, None) if is_required else None
        if not value:  # ccxt says what is missing
            continue
        # the usual case, in half a microsecond
        if type(value) is str and value.isascii() and value.isprintable() and value[0] != ' ' != value[-1]:
            continue
        fault = _fault(name, value)
        if fault is not None:
            raise AuthenticationError(f'{exchange.id} "{name}" credential {fault}; nothing was sent')


def _fault(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        return f'is of the type {type(value).__name__}, not a string'
    if name in UNSENT and PEM in value:
        return None
    if value != value.strip():
        return 'has white space at its ends, such as the line break of a file'
    if not value.isprintable():
        return 'has control characters or others that cannot be seen'
    if name not in UNSENT and not _fits_header(value):
        return 'has characters that a header cannot carry (beyond latin-1)'
    return None


def _fits_header(value: str) -> bool:
    try:
        value.encode('latin-1')
    except UnicodeEncodeError:
        return False
    return True
