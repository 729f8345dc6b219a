"""Cheap exchange objects: ccxt constructs the first of each class and settings, later ones are copies of it.

Of its own, each has all that may be changed, and its session and throttler. An object is constructed as in production
where it is of a class that a test made, where its class was changed by ``monkeypatch`` meanwhile, and where its
settings are special. The processes that tests start construct as ccxt does.

An asyncio object makes a TLS context with its session, which reads all certificates: 20 ms. Here those of the same
settings share one; no server of the tests speaks TLS. For the end of TLS connections ``close`` waits 250 ms, too.
"""

import functools
import json
import ssl
import sys
from types import MethodType, SimpleNamespace

import ccxt
import ccxt.async_support
import pytest

from ccxt_mmp.core import aliases
from ccxt_mmp.simulator import KEY

MODULE = sys.modules[ccxt.Exchange.__module__]
BASE = next(kind for kind in ccxt.Exchange.__mro__ if '__init__' in vars(kind))
PATCHES = SimpleNamespace(count=0)
OF_EACH = ('origin', 'session', 'throttler')
COPIED = (dict, list, MethodType)


def is_of_ccxt_or_ours(kind):
    return kind.__module__.partition('.')[0] in ('ccxt', 'ccxt_mmp')


class Made:
    """What ccxt's constructor made of an object, to be copied for another."""

    def __init__(self, exchange):
        self.known, self.patches = known(type(exchange)), PATCHES.count
        # nobody changes the list of endpoints, which is half of all
        self.copy_for = copier({name: each for name, each in vars(exchange).items() if name not in OF_EACH}, {'api'})

    def is_current(self, kind):
        """Whether nobody has changed the class, which is compared again only after a step of ``monkeypatch``."""
        if self.patches != PATCHES.count:
            if self.known is not known(kind):
                return False
            self.patches = PATCHES.count
        return True


def counted(change):
    """A step of ``monkeypatch`` that is counted: in no other way do tests change a class of ccxt."""

    @functools.wraps(change)
    def counted_change(*arguments, **keywords):
        PATCHES.count += 1
        return change(*arguments, **keywords)

    return counted_change


def constructed_once(construct):
    """A constructor that works for the first object of each class and settings, and copies for later ones."""
    made = {}

    @functools.wraps(construct)
    def constructed(exchange, config={}):
        kind, key = type(exchange), key_of(type(exchange), config)
        if key not in made or not made[key].is_current(kind):
            construct(exchange, config)
            if key is not None and known(kind) is not None:
                made[key] = Made(exchange)
            return
        vars(exchange).update(made[key].copy_for(exchange))
        exchange.origin = exchange.uuid()
        exchange.init_throttler()
        if exchange.synchronous:
            exchange.session = MODULE.Session()
            exchange.session.trust_env = exchange.requests_trust_env

    return constructed


def known(kind):
    """How the class was, if nobody has changed it since its methods were given their other names."""
    found = aliases._KNOWN.get(kind)
    return found if found is not None and found.is_current(kind) else None


def key_of(kind, config):
    """By what later objects are told to be the same; None for those of which there is no other."""
    if not is_of_ccxt_or_ours(kind) or config.get('apiKey', KEY) != KEY:
        return None
    try:
        return kind, json.dumps(config)
    except (TypeError, ValueError):  # a session, a number that cannot be written
        return None


def copier(value, shared=()):
    """What copies a dict or list, or a method for another object.

    A dict's levels, most of whose values are plain, are walked but once.
    """
    if type(value) is MethodType:
        return functools.partial(MethodType, value.__func__)
    if type(value) is list:
        return lambda _: value.copy()
    inner = {name: copier(each) for name, each in value.items() if type(each) in COPIED and name not in shared}
    plain = {**value, **dict.fromkeys(inner)}
    return lambda exchange: plain | {name: copy_for(exchange) for name, copy_for in inner.items()}


def spare_tls():
    module = sys.modules[ccxt.async_support.Exchange.__module__]
    shared = functools.cache(ssl.create_default_context)
    module.ssl = SimpleNamespace(**{**vars(ssl), 'create_default_context': shared})
    ccxt.async_support.Exchange.timeout_on_exit = 0  # ms


def construct_cheaply():
    spare_tls()
    for name in ('setattr', 'delattr', 'undo'):
        setattr(pytest.MonkeyPatch, name, counted(getattr(pytest.MonkeyPatch, name)))
    MODULE.dir = aliases.names_for_ccxt
    BASE.__init__ = constructed_once(BASE.__init__)
