"""The kill switch's short way: ccxt's ``request`` and ``fetch2`` read options for retries, which it has none of.

It is taken only where these steps are ccxt's own. Whatever the user puts in their place is called.
"""

from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from ccxt.base.types import Entry

STEPS = ('request', 'fetch2', 'handle_option_and_params')
STEPS_OF = attrgetter(*STEPS)
PLAIN = ('ccxt.base.exchange', 'ccxt.async_support.base.exchange', 'ccxt_mmp.core.fronts', 'ccxt_mmp.core.requests')


class _Way(NamedTuple):
    entry: Any  # of ccxt: the path, api, method and config of the endpoint
    stock: type  # the class of ccxt
    steps: tuple[Any, Any]  # of the class and of that of ccxt, as they were found


def endpoint_of(exchange: Any, name: str) -> Any:
    """ccxt's entry of an implicit method; None if a call of it does more than to sign and to fetch."""
    kind: Any = type(exchange)
    own = exchange.__dict__
    way = _way(kind, name)
    if (
        way is None
        # a class can be changed at any time
        or getattr(kind, name) is not way.entry.unbound_method
        or way.steps != (STEPS_OF(kind), STEPS_OF(way.stock))
    ):
        return None
    if name in own or not own.keys().isdisjoint(STEPS) or getattr(exchange, 'fetchHistoryCacheSize', None):
        return None
    return way.entry


@lru_cache(100)
def _way(kind: Any, name: str) -> _Way | None:
    found = [vars(each)[step] for each in kind.__mro__ for step in STEPS if step in vars(each)]
    if not all(_is_plain(step, kind) for step in found):
        return None
    entry = next(vars(each)[name] for each in kind.__mro__ if isinstance(vars(each).get(name), Entry))
    stock = next(each for each in kind.__mro__ if each.__module__.startswith('ccxt.'))
    return _Way(entry, stock, (STEPS_OF(kind), STEPS_OF(stock)))


def _is_plain(step: Any, kind: Any) -> bool:
    """Whether ccxt or this package wrote it. A wrapper may carry the name and the module of what it wraps."""
    module: str = getattr(step, '__globals__', {}).get('__name__', '')
    is_of_exchange = kind._has_plain_request and step.__name__ == 'request' and module.startswith('ccxt.')
    return module in PLAIN or is_of_exchange
