"""The base of the mixins: to a type checker it must hide no method of the exchange class that comes after them."""

__all__ = ['Host']

MYPY = False  # mypy takes it for true, other checkers for what it is

if MYPY:
    # the last base of every exchange class of ccxt, sync or not; Any where mypy does not read ccxt
    from ccxt.base.exchange import BaseExchange as Host
else:
    Host = object
