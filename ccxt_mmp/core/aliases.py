"""The camelCase names of methods, set at once: ccxt's constructor sets each on the class, again for every object.

From Python 3.13 on, a class that was changed a thousand times looks every attribute up in all its bases, for good. One
object of ccxt brings that about.
"""

from collections.abc import Iterable
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ccxt_mmp.core.host import Host

OF_CCXT = {'ohlcv', 'le', 'be', 'adl'}  # ccxt writes these parts of a name its own way, which changes with the version


class Aliases(Host):
    """An exchange whose constructor changes its class but once."""

    if not TYPE_CHECKING:  # to type checkers it is as ccxt has it

        def __init__(self, *arguments, **keywords):
            self.__dict__['_mmp_is_constructed'] = False
            super().__init__(*arguments, **keywords)
            del self.__dict__['_mmp_is_constructed']

        def __dir__(self):
            # ccxt's constructor gives each of these another name
            return super().__dir__() if self.__dict__.get('_mmp_is_constructed', True) else names_for_ccxt(self)


class Known:
    """A class as it was when its methods were given their other names."""

    def __init__(self, kind: type, methods: Iterable[str], others: list[str]) -> None:
        self.methods = {name: getattr(kind, name) for name in methods}
        self.others = others
        self._sizes = [len(vars(each)) for each in kind.__mro__]

    def is_current(self, kind: type) -> bool:
        """Whether nobody has changed it since."""
        return self._sizes == [len(vars(each)) for each in kind.__mro__] and all(
            getattr(kind, name) == method for name, method in self.methods.items()
        )


_KNOWN: WeakKeyDictionary[type, Known] = WeakKeyDictionary()


def names_for_ccxt(exchange: Any) -> list[str]:
    """The names that ccxt's constructor has to see to: those of methods have their camelCase names already."""
    kind = type(exchange)
    known = _KNOWN.get(kind)
    if known is not None and known.is_current(kind):
        return [*known.others, *vars(exchange)]
    names = [name for name in dir(kind) if is_of_two_words(name)]
    own = vars(exchange)  # which may hide a method: ccxt sees to that one, also for later objects
    methods = {name for name in names if name not in own and isinstance(getattr(exchange, name), MethodType)}
    others = [name for name in names if name not in methods]
    special = {name for name in methods if not OF_CCXT.isdisjoint(name.split('_'))}
    set_aliases(kind, methods - special)
    _KNOWN[kind] = Known(kind, methods, others)
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


def camelcase(name: str) -> str:
    first, *others = name.split('_')
    return first + ''.join(each[:1].upper() + each[1:] for each in others)
