"""The mixins and the exchange classes of a door, made when they are first asked for: most programs use one exchange."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from types import ModuleType
from typing import Any

from ccxt_mmp.registry import EXCHANGES, Exchange

Makers = dict[str, Callable[[], Any]]  # by the name of what they make


def lazy_mixins() -> Makers:
    return {each.mixin_name: partial(attrgetter('mixin'), each) for each in EXCHANGES.values()}


def lazy_exchanges(module: ModuleType, front: type, stock: ModuleType) -> Makers:
    """The classes that the module's own statements for type checkers describe, and the mixins of which they are made.

    They extend the classes that ccxt's module has now, whoever replaces those later.
    """

    def maker(exchange: Exchange, extended: type) -> Callable[[], type]:
        doc = f'``{stock.__name__}.{exchange.id}`` with Market Maker Protection.'
        names = {'__module__': module.__name__, '__doc__': doc}
        return lambda: type(exchange.id, (front, exchange.mixin, extended), names)

    return lazy_mixins() | {each.id: maker(each, getattr(stock, each.id)) for each in EXCHANGES.values()}
