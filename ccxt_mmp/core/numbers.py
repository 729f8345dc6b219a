"""Numbers in requests: read exactly or refused, and written as plain decimals."""

from decimal import Context, Decimal
from numbers import Integral

from ccxt_mmp._patterns import Pattern

MAX_NUMBER = 2**53  # beyond it a double, and so most JSON parsers, cannot tell neighbouring integers apart
MAX_DECIMALS = 30
EXACT = Context(prec=200)  # more digits than the product of any two accepted numbers; not the caller's

_PLAIN_DECIMAL = Pattern(r'[0-9]+(?:\.[0-9]+)?')


def exact_decimal(value: object) -> Decimal | None:
    """The exact value of an integer, float (its shortest repr), Decimal or plain ASCII decimal; else None.

    NaN, infinities, numbers beyond 2^53 and numbers of more than 30 decimals are None. Nothing is rounded.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):  # int, numpy.int64 ...
        number = Decimal(int(value))
    elif isinstance(value, float):
        number = Decimal(float.__repr__(value))
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value):
        number = Decimal(value)
    else:
        return None
    if not number.is_finite() or number.copy_abs() > MAX_NUMBER:
        return None
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        return None
    return number


def is_integer(number: Decimal) -> bool:
    return number == number.to_integral_value()


def plain(number: Decimal) -> str:
    """``0.00001``, never ``1e-05``; ``100``, not ``100.0``."""
    text = format(number.copy_abs() if number.is_zero() else number, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text
