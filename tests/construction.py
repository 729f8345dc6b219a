"""Cheap exchange objects: what ccxt sets on a class again for every object is set once.

ccxt's own exchanges get the camelCase names of their methods as those of this package do: once for each class. Of the
rest, the description takes longest, thousands of entries that are the same each time: later objects get a copy. All
else happens for every object, as in production. The processes that tests start construct as ccxt does.

An asyncio object makes a TLS context with its session, which reads all certificates: 20 ms. Here those of the same
settings share one; no server of the tests speaks TLS. For the end of TLS connections ``close`` waits 250 ms, too.
"""

import functools
import ssl
import sys
from types import SimpleNamespace

import ccxt
import ccxt.async_support

from ccxt_mmp.core.aliases import names_for_ccxt
from ccxt_mmp.registry import EXCHANGES


def is_of_ccxt_or_ours(kind):
    return kind.__module__.partition('.')[0] in ('ccxt', 'ccxt_mmp')


def described_once(describe):
    """The ``describe`` of a class, that works for the first object of each class and copies for later ones."""
    descriptions = {}

    @functools.wraps(describe)
    def copied(exchange):
        kind = type(exchange)
        if not is_of_ccxt_or_ours(kind):  # a class of a test may change
            return describe(exchange)
        if kind not in descriptions:
            description = describe(exchange)
            # nobody changes the list of endpoints, which is half of all
            descriptions[kind] = copier(description, shared={'api'})
        return descriptions[kind]()

    return copied


def copier(value, shared=()):
    """What copies a dict or list; the dict's levels, most of whose values are plain, are walked but once."""
    if type(value) is list:
        return value.copy
    inner = {name: copier(each) for name, each in value.items() if type(each) in (dict, list) and name not in shared}
    return lambda: value | {name: copy() for name, copy in inner.items()}


def spare_tls():
    module = sys.modules[ccxt.async_support.Exchange.__module__]
    shared = functools.cache(ssl.create_default_context)
    module.ssl = SimpleNamespace(**{**vars(ssl), 'create_default_context': shared})
    ccxt.async_support.Exchange.timeout_on_exit = 0  # ms


def construct_cheaply(modules):
    """Let ccxt's constructor call these."""
    spare_tls()
    kinds = [getattr(module, exchange_id) for module in modules for exchange_id in EXCHANGES]
    for described in {base for kind in kinds for base in kind.__mro__ if 'describe' in vars(base)}:
        described.describe = described_once(described.describe)
    sys.modules[ccxt.Exchange.__module__].dir = names_for_ccxt
