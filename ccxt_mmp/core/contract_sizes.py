"""Exact conversion between contracts and coins."""

from decimal import Decimal

from ccxt_mmp.core.numbers import EXACT, exact_decimal, plain

UNITS = ('contracts', 'base')


def whole_contracts(coins: Decimal, size: Decimal) -> int | None:
    """The number of contracts, or None if it is not a whole number."""
    (coins_above, coins_below), (size_above, size_below) = coins.as_integer_ratio(), size.as_integer_ratio()
    contracts, rest = divmod(coins_above * size_below, coins_below * size_above)
    return None if rest else contracts


def in_coins(contracts: object, size: Decimal | None) -> str | None:
    """Contracts in coins, or None if the number or the size is not known."""
    number = exact_decimal(contracts)
    if number is None or size is None:
        return None
    return plain(EXACT.multiply(number, size))
