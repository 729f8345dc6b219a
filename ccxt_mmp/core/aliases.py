"""The camelCase names of methods, set at once: ccxt's constructor sets each on the class, again for every object.

From Python 3.13 on, a class that was changed a thousand times looks every attribute up in all its bases, for good. One
object of ccxt brings that about.
"""

import functools
import sys
from collections.abc import Iterable
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import ccxt

from ccxt_mmp.core.host import Host

OF_CCXT = {'ohlcv', 'le', 'be', 'adl'}  # ccxt writes these parts of a name its own way, which changes with the version
CONSTRUCTOR: Any = ccxt.Exchange.__init__.__code__


class Aliases(Host):
    """An exchange whose constructor changes its class but once."""

    if not TYPE_CHECKING:  # to type checkers it is as ccxt has it

        def __dir__(self):
            # ccxt's constructor gives another name to each of these; whoever else asks has all
            is_of_ccxt = sys._getframe(1).f_code is CONSTRUCTOR
            return names_for_ccxt(self) if is_of_ccxt else super().__dir__()


class Known:
    """A class, and those that it extends, as they were when its methods were given their other names."""

    def __init__(self, kind: type, others: list[str]) -> None:
        self.others = others  # its names that are no methods
        self._before: list[tuple[type, Any]] = [(each, dict(vars(each))) for each in kind.__mro__]

    def is_current(self, kind: type) -> bool:
        """Whether nobody has changed any of them since."""
        return self._before == [(each, vars(each)) for each in kind.__mro__]


_KNOWN: WeakKeyDictionary[type, Known] = WeakKeyDictionary()


def names_for_ccxt(exchange: Any) -> list[str]:
    """The names that ccxt's constructor has to see to: those of methods have their camelCase names already."""
    kind = type(exchange)
    known = _KNOWN.get(kind)
    if known is not None and known.is_current(kind):
        return [*known.others, *vars(exchange)]
    names = [name for name in dir(kind) if is_of_two_words(name)]
    own = vars(exchange)  # which may hide a method: ccxt sees to that one, also for later objects
    methods = [name for name in names if name not in own and isinstance(getattr(exchange, name), MethodType)]
    others = sorted({*names} - {*methods})
    special = [name for name in methods if not OF_CCXT.isdisjoint(name.split('_'))]
    set_aliases(kind, [name for name in methods if OF_CCXT.isdisjoint(name.split('_'))])
    _KNOWN[kind] = Known(kind, others)
    return [*others, *special, *own]


def set_aliases(kind: Any, names: Iterable[str]) -> None:
    """Set the camelCase names of methods on a class, where they are not what they should be."""
    changed = {}
    for name in names:
        alias, method = camelcase(name), getattr(kind, name)
        if vars(kind).get(alias) != method:
            changed[alias] = method
    for alias, method in changed.items():  # nothing is looked up in between
        setattr(kind, alias, method)


def is_of_two_words(name: str) -> bool:
    """Whether ccxt gives it another name."""
    return '_' in name and name[0] != '_' and name[-1] != '_'


@functools.cache
def camelcase(name: str) -> str:
    first, *others = name.split('_')
    return first + ''.join(each[:1].upper() + each[1:] for each in others)
