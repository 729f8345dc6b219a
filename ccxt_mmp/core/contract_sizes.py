"""Exact conversion between contracts and coins."""

from decimal import Context, Decimal

from ccxt_mmp.core.numbers import exact_decimal, plain

UNITS = ('contracts', 'base')

EXACT = Context(prec=200)  # more digits than the product of any two accepted numbers


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
