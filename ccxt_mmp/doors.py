"""How an existing program gets the methods without changing more than a line of it.

- ``import ccxt_mmp as ccxt``: every name that is not of this package is ccxt's own.
- ``extend(exchange)``: an object that was made elsewhere.
- ``install()``: code that makes its exchanges itself, by ``getattr(ccxt, id)``.
"""

import sys
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ccxt.base.errors import NotSupported

from ccxt_mmp._redaction import LOGGER
from ccxt_mmp.core.aliases import is_of_two_words, set_aliases
from ccxt_mmp.core.contract import added_settings
from ccxt_mmp.mixins import Mmp
from ccxt_mmp.registry import EXCHANGES

if TYPE_CHECKING:
    import ccxt.async_support
    import ccxt.pro

    import ccxt_mmp.async_support
    import ccxt_mmp.pro
    from ccxt_mmp.mixins import AsyncMmp, SyncMmp

    class _SyncExtended(SyncMmp, ccxt.Exchange):
        """What becomes of an exchange of which the type does not say more."""

    class _AsyncExtended(AsyncMmp, ccxt.async_support.Exchange):
        """The same, async or pro."""


M = TypeVar('M', bound=Mmp)

# ccxt's namespaces, and this package's of the same flavour; the last ones first, as pro extends async_support
NAMESPACES = {'ccxt.pro': 'ccxt_mmp.pro', 'ccxt.async_support': 'ccxt_mmp.async_support', 'ccxt': 'ccxt_mmp'}

_LOCK = Lock()
_REPLACED: dict[tuple[str, str], Any] = {}
_EXTENDED: dict[tuple[type, type], type] = {}


@overload
def extend(exchange: M) -> M: ...
@overload
def extend(exchange: 'ccxt.pro.okx') -> 'ccxt_mmp.pro.okx': ...
@overload
def extend(exchange: 'ccxt.pro.binance') -> 'ccxt_mmp.pro.binance': ...
@overload
def extend(exchange: 'ccxt.pro.deribit') -> 'ccxt_mmp.pro.deribit': ...
@overload
def extend(exchange: 'ccxt.pro.bybit') -> 'ccxt_mmp.pro.bybit': ...
@overload
def extend(exchange: 'ccxt.async_support.okx') -> 'ccxt_mmp.async_support.okx': ...
@overload
def extend(exchange: 'ccxt.async_support.binance') -> 'ccxt_mmp.async_support.binance': ...
@overload
def extend(exchange: 'ccxt.async_support.deribit') -> 'ccxt_mmp.async_support.deribit': ...
@overload
def extend(exchange: 'ccxt.async_support.bybit') -> 'ccxt_mmp.async_support.bybit': ...
@overload
def extend(exchange: 'ccxt.okx') -> 'ccxt_mmp.okx': ...
@overload
def extend(exchange: 'ccxt.binance') -> 'ccxt_mmp.binance': ...
@overload
def extend(exchange: 'ccxt.deribit') -> 'ccxt_mmp.deribit': ...
@overload
def extend(exchange: 'ccxt.bybit') -> 'ccxt_mmp.bybit': ...
@overload
def extend(exchange: 'ccxt.async_support.Exchange') -> '_AsyncExtended': ...
@overload
def extend(exchange: 'ccxt.Exchange') -> '_SyncExtended': ...
def extend(exchange: Any) -> Any:
    """
    give an exchange object of ccxt (sync, async or pro) the methods of this package, and return it

    It keeps what it has: its session, markets, credentials, options and whatever was set on it otherwise than in ccxt.
    If it is of a subclass of the user's, the methods of that class win. To extend it again changes nothing. An object
    of a user's class that was extended cannot be pickled.

    :param exchange: an okx, binance, deribit or bybit object; ``NotSupported`` for any other
    :returns: the same object, to a type checker of the class of this package
    """
    with _LOCK:
        if not isinstance(exchange, Mmp):
            stock, plugin = _classes(exchange)
            extended = _extended_class(type(exchange), plugin)
            described = stock.describe(exchange)
            for name, added in added_settings(plugin._describe_mmp(exchange), described).items():
                _add(getattr(exchange, name), added, described.get(name, {}))
            if exchange.logger is LOGGER.parent:  # ccxt's own
                exchange.logger = LOGGER
            exchange.__class__ = extended
            for client in (getattr(exchange, 'clients', None) or {}).values():
                exchange._guard_client(client)
    return exchange


def _classes(exchange: Any) -> tuple[Any, Any]:
    """The class of ccxt that an object is of, and the one of this package that extends it."""
    for each in type(exchange).__mro__:
        namespace, _, exchange_id = each.__module__.rpartition('.')
        if namespace in NAMESPACES and exchange_id in EXCHANGES:
            return each, getattr(import_module(NAMESPACES[namespace]), exchange_id)
        if namespace in NAMESPACES:  # another one, which may extend one of these
            break
    *others, last = EXCHANGES
    raise NotSupported(f'ccxt_mmp extends {", ".join(others)} and {last} objects of ccxt, not {exchange!r}')


def _add(own: dict[str, Any], added: dict[str, Any], stock: dict[str, Any]) -> None:
    """Add to the settings of an object, in place; what the user has set otherwise than ccxt stays."""
    for name, value in added.items():
        if isinstance(value, dict) and isinstance(own.get(name), dict):
            _add(own[name], value, stock.get(name) or {})
        elif name not in own or own[name] == stock.get(name):
            own[name] = value


def _extended_class(own: type, plugin: type) -> type:
    """The class of this package, or a subclass of it and of the user's."""
    extended = _EXTENDED.get((own, plugin))
    if extended is None:
        name, module = own.__name__, {'__module__': own.__module__}
        extended = plugin if issubclass(plugin, own) else type(name, (own, plugin), module)
        _EXTENDED[own, plugin] = extended
    # ccxt sets the camelCase names of methods only where it makes an object
    ours = {
        name
        for each in plugin.__mro__
        if each.__module__.startswith(('ccxt_mmp.core', 'ccxt_mmp.exchanges'))
        for name in vars(each)
    }
    set_aliases(extended, [name for name in ours if is_of_two_words(name) and callable(getattr(extended, name))])
    return extended


def install() -> None:
    """
    let ccxt's classes of these exchanges be those of this package, in ``ccxt.async_support`` and ``ccxt.pro`` too

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
            ours = getattr(sys.modules[NAMESPACES[stock]], name)
            if getattr(sys.modules[stock], name) is ours:  # and not what somebody else has put there since
                setattr(sys.modules[stock], name, replaced)
        _REPLACED.clear()
