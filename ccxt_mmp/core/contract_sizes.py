"""Contracts and coins: what a limit in the underlying coin is in contracts, exactly."""

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from ccxt_mmp.core.numbers import exact_decimal, plain

UNITS = ('contracts', 'base')

EXACT = Context(prec=200)  # more digits than the product of any two numbers has that are taken


def listed_size(infos: Iterable[dict[str, Any]], base: str) -> Decimal | None:
    """Coins per contract as OKX lists the options of a family: ctVal x ctMult of the first that says both.

    A ctVal in another currency than the base says nothing about coins.
    """
    for info in infos:
        value, multiplier = exact_decimal(info.get('ctVal')), exact_decimal(info.get('ctMult'))
        if value and multiplier and info.get('ctValCcy') in (None, '', base):
            return EXACT.multiply(value, multiplier)
    return None


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
