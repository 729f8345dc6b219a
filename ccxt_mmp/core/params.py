"""The names in params: which are the plugin's own, which are ccxt's, and which are a slip of the pen."""

from collections.abc import Collection, Iterable
from functools import cache, lru_cache

LIMITS = (
    'window',
    'frozenTime',
    'qtyLimit',
    'deltaLimit',
    'vegaLimit',
    'countLimit',
    'maxQuoteQuantity',
)
LIMITS_IN_PARAMS = ('vegaLimit', 'countLimit', 'maxQuoteQuantity')  # no arguments of set_mmp
MASS_CANCEL_FLAGS = ('emulate', 'includeNonMmp', 'hedge', 'halt')

# never sent; those of LIMITS and lockInterval are the exchange's fields, too, or are refused
OWN_PARAMS = ('scope', 'mmp', 'timeout', 'qtyUnit', *MASS_CANCEL_FLAGS)
WATCH_PARAMS = ('pollInterval', 'fetchSnapshot', 'stopOrders')  # of watch_mmp, besides the timeout
OWN_NAMES = (*OWN_PARAMS, *WATCH_PARAMS, *LIMITS, 'lockInterval')

# ccxt's own, which mean nothing to the endpoints of MMP
RETRY_OPTIONS = ('maxRetriesOnFailure', 'maxRetriesOnFailureDelay')
CCXT_PARAMS = ('type', 'portfolioMargin')


def _folded(name: str) -> str:
    return name.replace('_', '').lower()


_BY_FOLDED_NAME = {_folded(name): name for name in OWN_NAMES}


@cache
def option_names(name: str) -> tuple[str, str]:
    """The names of an option in ccxt: 'scope' and 'defaultScope'."""
    return name, f'default{name[0].upper()}{name[1:]}'


# what a mass cancel takes and does not read, except where it is a field of the exchange
PASSED_OVER = frozenset(
    ['recvWindow', *CCXT_PARAMS, *(name for option in RETRY_OPTIONS for name in option_names(option))]
)


def misspelt(names: Iterable[object], own_fields: Collection[str] = ()) -> tuple[str, str] | None:
    """The first name that differs from one of the plugin's only in case or underscores, and the right one.

    own_fields: the exchange's own, which are no slips: Deribit's ``delta_limit`` is one.
    """
    for name in names:
        meant = _meant(name) if isinstance(name, str) else None
        if meant is not None and name not in own_fields:
            return str(name), meant
    return None


@lru_cache(1000)
def _meant(name: str) -> str | None:
    return None if name in OWN_NAMES else _BY_FOLDED_NAME.get(_folded(name))
