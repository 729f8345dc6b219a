"""Contracts and coins: what a limit in the underlying coin is in contracts, exactly."""

from decimal import Context, Decimal
from fractions import Fraction

from ccxt_mmp.core.numbers import exact_decimal, plain

UNITS = ('contracts', 'base')

EXACT = Context(prec=200)  # more digits than the product of any two numbers has that are taken


def whole_contracts(coins: Decimal, size: Decimal) -> int | None:
    """How many contracts so many coins are; None if that is no whole number."""
    contracts = Fraction(coins) / Fraction(size)
    return contracts.numerator if contracts.denominator == 1 else None


def in_coins(contracts: object, size: Decimal | None) -> str | None:
    """Contracts as the exchange wrote them, in coins; None if either is not known."""
    number = exact_decimal(contracts)
    if number is None or size is None:
        return None
    return plain(EXACT.multiply(number, size))
