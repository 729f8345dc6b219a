"""Credentials that no exchange can be asked with are told before anything is sent, and without their values.

A key from a file with its line break makes ``requests`` and ``aiohttp`` fail in ways that name the value and look as if
the outcome of the request were unknown.
"""

from typing import Any

from ccxt.base.errors import AuthenticationError

PEM = 'PRIVATE KEY'  # as ccxt tells one: it has line breaks
UNSENT = ('secret', 'privateKey')  # they sign, and go into no header


def refuse_unusable(exchange: Any) -> None:
    """Raise AuthenticationError for a credential that is there and cannot be used."""
    for name, is_required in exchange.requiredCredentials.items():
        value = getattr(exchange, name, None) if is_required else None
        if not value:  # ccxt tells what is missing
            continue
        # what is nearly always true, in half a microsecond
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
