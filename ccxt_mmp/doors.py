"""How an existing program gets the methods without changing more than a line of it.

- ``import ccxt_mmp as ccxt``: every name that is not of this package is ccxt's own.
- ``extend(exchange)``: an object that was made elsewhere.
- ``install()``: code that makes its exchanges itself, by ``getattr(ccxt, id)``.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any, TypeVar

from ccxt.base.errors import NotSupported

from ccxt_mmp.mixins import Mmp

E = TypeVar('E')

EXCHANGES = ('okx', 'binance')
# ccxt's namespaces, and this package's of the same flavour; the last ones first, as pro extends async_support
NAMESPACES = {'ccxt.pro': 'ccxt_mmp.pro', 'ccxt.async_support': 'ccxt_mmp.async_support', 'ccxt': 'ccxt_mmp'}

_LOCK = Lock()
_REPLACED: dict[tuple[str, str], Any] = {}
_EXTENDED: dict[tuple[type, type], type] = {}


def fall_through(module: ModuleType, stock: ModuleType) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a module that has the names of ccxt's besides its own."""

    def get(name: str) -> Any:
        if f'{module.__name__}.{name}' in NAMESPACES.values():
            return import_module(f'{module.__name__}.{name}')
        if not name.startswith('__') and hasattr(stock, name):
            return getattr(stock, name)
        raise AttributeError(f'module {module.__name__!r} has no attribute {name!r}, nor has {stock.__name__!r}')

    def names() -> list[str]:
        submodules = (each.rpartition('.')[2] for each in NAMESPACES.values() if each.startswith(f'{module.__name__}.'))
        return sorted({*vars(module), *dir(stock), *submodules})

    return get, names


def extend(exchange: E) -> E:
    """
    give an exchange object of ccxt (sync, async or pro) the methods of this package, and return it

    It keeps what it has: its session, markets, credentials, options and whatever was set on it. If it is of a subclass
    of the user's, the methods of that class win. To extend it again changes nothing. An object of a user's class that
    was extended cannot be pickled.

    :param exchange: an okx or binance object; ``NotSupported`` for any other
    :returns: the same object
    """
    if isinstance(exchange, Mmp):
        return exchange
    target: Any = exchange
    target.__class__ = _extended_class(type(target), _plugin_class(target))
    added = target._describe_mmp()
    target.has = {**target.has, **added['has']}
    target.exceptions = target.deep_extend(target.exceptions, added['exceptions'])
    for name in ('options', 'urls'):  # what the user has set wins
        setattr(target, name, target.deep_extend(added.get(name, {}), getattr(target, name)))
    return exchange


def _plugin_class(exchange: Any) -> type:
    """The class of this package that extends the class of ccxt that an object is of."""
    exchange_id = getattr(exchange, 'id', None)
    if exchange_id in EXCHANGES:
        modules = [each.__module__ for each in type(exchange).__mro__]
        for stock, ours in NAMESPACES.items():
            if f'{stock}.{exchange_id}' in modules:
                plugin: type = getattr(import_module(ours), exchange_id)
                return plugin
    raise NotSupported(f'ccxt_mmp extends {" and ".join(EXCHANGES)} objects of ccxt, not {exchange!r}')


def _extended_class(own: type, plugin: type) -> type:
    """The class of this package, or a subclass of it and of the user's."""
    if (own, plugin) in _EXTENDED:
        return _EXTENDED[own, plugin]
    extended = plugin if issubclass(plugin, own) else type(own.__name__, (own, plugin), {'__module__': own.__module__})
    # ccxt sets the camelCase names of methods only where it makes an object
    ours = {name for each in plugin.__mro__ if each.__module__.startswith('ccxt_mmp.mixins') for name in vars(each)}
    for name in ours:
        first, *others = name.split('_')
        if first and others and callable(getattr(extended, name)):
            alias = first + ''.join(each[:1].upper() + each[1:] for each in others)
            setattr(extended, alias, getattr(extended, name))
    return _EXTENDED.setdefault((own, plugin), extended)


def install() -> None:
    """
    let ``ccxt.okx`` and ``ccxt.binance`` be the classes of this package, in ``ccxt.async_support`` and ``ccxt.pro`` too

    For programs that make their exchanges by ``getattr(ccxt, id)`` in code that one does not own. To install it again
    changes nothing. Does not reach ``from ccxt.okx import okx``, nor objects that exist: ``extend`` does.
    """
    # all are imported before any is replaced: classes of ccxt that are made later would extend those of this package
    modules = {stock: (import_module(stock), import_module(ours)) for stock, ours in NAMESPACES.items()}
    with _LOCK:
        for stock, (replaced, ours) in modules.items():
            for name in EXCHANGES:
                if (stock, name) not in _REPLACED:
                    _REPLACED[stock, name] = getattr(replaced, name)
                    setattr(replaced, name, getattr(ours, name))


def uninstall() -> None:
    """undo ``install``, however often it was called; objects that were made meanwhile keep their methods"""
    with _LOCK:
        for (stock, name), replaced in _REPLACED.items():
            setattr(sys.modules[stock], name, replaced)
        _REPLACED.clear()
