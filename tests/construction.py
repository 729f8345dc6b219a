"""Cheap exchange objects: what ccxt sets on a class again for every object is set once.

ccxt's constructor walks all names of the object and sets a camelCase alias for each method: 8 ms of 9. Newer versions
set the alias on the class, where it stays. So it is enough that the first object of a class walks them all. All else
happens for every object, as in production. The processes that tests start construct as ccxt does.
"""

import sys
from types import MethodType
from weakref import WeakKeyDictionary

import ccxt

from ccxt_mmp.registry import EXCHANGES

_other_names = WeakKeyDictionary()  # by class: its names that are no methods, whose aliases are set on each object


def names_to_walk(exchange):
    """What ``dir`` returns, without the methods of the class if an earlier object has set their aliases."""
    kind = type(exchange)
    if kind in _other_names:
        return sorted(_other_names[kind] | vars(exchange).keys())
    names, own = dir(exchange), vars(exchange)
    if kind.__module__.partition('.')[0] in ('ccxt', 'ccxt_mmp'):  # a class of a test may change
        _other_names[kind] = frozenset(
            name for name in names if name not in own and not isinstance(getattr(exchange, name), MethodType)
        )
    return names


def construct_cheaply(modules):
    """Let ccxt's constructor call that; the exchanges of the modules walk all names now, before a test patches them."""
    if 'fetchTicker' in vars(ccxt.okx()):  # an older version sets the aliases on each object
        return
    sys.modules[ccxt.Exchange.__module__].dir = names_to_walk
    for module in modules:
        for exchange_id in EXCHANGES:
            exchange = getattr(module, exchange_id)()
            exchange.timeout_on_exit = 0
