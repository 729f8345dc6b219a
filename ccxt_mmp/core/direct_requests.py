"""Direct requests of the kill switch: sign and fetch, without ccxt's ``request`` and ``fetch2``.

Those read retry options, which the kill switch does not have. If the user has replaced one of these steps, the request
goes through all of them.
"""

from functools import lru_cache
from operator import attrgetter
from typing import Any

from ccxt.base.types import Entry

STEPS = ('request', 'fetch2', 'handle_option_and_params')
STEPS_OF = attrgetter(*STEPS)
PLAIN = (
    'ccxt.base.exchange',
    'ccxt.async_support.base.exchange',
    'ccxt_mmp.core.request_fronts',
    'ccxt_mmp.core.requests',
)


class _Endpoint:
    def __init__(self, entry: Any, stock: type, steps: tuple[Any, Any]) -> None:
        self.entry = entry  # ccxt's: path, api, method and config
        self.stock = stock  # the class of ccxt
        self.steps = steps  # of the class and of ccxt's class, to notice later changes


def endpoint_of(exchange: Any, name: str) -> Any:
    """ccxt's entry of an implicit method, or None if the request must go through all steps."""
    kind: Any = type(exchange)
    own = exchange.__dict__
    found = _endpoint(kind, name)
    if (
        found is None
        # a class can be changed at any time
        or getattr(kind, name) is not found.entry.unbound_method
        or found.steps != (STEPS_OF(kind), STEPS_OF(found.stock))
    ):
        return None
    if name in own or not own.keys().isdisjoint(STEPS) or getattr(exchange, 'fetchHistoryCacheSize', None):
        return None
    return found.entry


@lru_cache(100)
def _endpoint(kind: Any, name: str) -> _Endpoint | None:
    steps = [vars(each)[step] for each in kind.__mro__ for step in STEPS if step in vars(each)]
    if not all(_is_plain(step, kind) for step in steps):
        return None
    entry = next(vars(each)[name] for each in kind.__mro__ if isinstance(vars(each).get(name), Entry))
    stock = next(each for each in kind.__mro__ if each.__module__.startswith('ccxt.'))
    return _Endpoint(entry, stock, (STEPS_OF(kind), STEPS_OF(stock)))


def _is_plain(step: Any, kind: Any) -> bool:
    """Whether ccxt or this package wrote it. A wrapper may carry the name and the module of what it wraps."""
    module: str = getattr(step, '__globals__', {}).get('__name__', '')
    is_of_exchange = kind._has_plain_request and step.__name__ == 'request' and module.startswith('ccxt.')
    return module in PLAIN or is_of_exchange
