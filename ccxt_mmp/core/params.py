"""The names in params: the plugin's own, ccxt's own, and misspelt ones."""

from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, cast

from ccxt_mmp.types import Params

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
ONLY_CHECK = object()  # as halt: the params of a mass cancel are checked, and nothing is sent

# never sent, as are those of ccxt below
OWN_PARAMS = ('scope', 'mmp', 'timeout', 'qtyUnit', *MASS_CANCEL_FLAGS)
WATCH_PARAMS = ('pollInterval', 'fetchSnapshot', 'stopOrders')  # of watch_mmp, besides the timeout
GROUP = 'mmpGroup'  # of mass quotes, where they have protections of their own
OWN_NAMES = (*OWN_PARAMS, *WATCH_PARAMS, *LIMITS, 'lockInterval', GROUP)

# ccxt's own, which MMP endpoints do not take
RETRY_OPTIONS = ('maxRetriesOnFailure', 'maxRetriesOnFailureDelay')
CCXT_PARAMS = ('type', 'portfolioMargin')
NEVER_SENT = frozenset([*OWN_PARAMS, *WATCH_PARAMS, *CCXT_PARAMS])


class Checked(Exception):  # noqa: N818 - what happened, not what went wrong
    """The params of a mass cancel are right; a halt checks them before it stores anything."""


def _folded(name: str) -> str:
    return name.replace('_', '').lower()


_BY_FOLDED_NAME = {_folded(name): name for name in OWN_NAMES}


@cache
def option_names(name: str) -> tuple[str, str]:
    """Both names of an option in ccxt: 'scope' and 'defaultScope'."""
    return name, f'default{name[0].upper()}{name[1:]}'


# what ``params`` and ``options`` can change of a mass cancel
CANCEL_SWITCHES = ('scope', 'lockInterval', *MASS_CANCEL_FLAGS)
_CANCEL_OPTIONS = frozenset(name for option in CANCEL_SWITCHES for name in option_names(option))
NO_PARAMS = cast(Params, MappingProxyType({}))  # of a mass cancel whose options change none of that, either


def sets_no_switch(options: dict[str, Any], of_method: object) -> bool:
    """Whether options leave every switch of a mass cancel as it is."""
    return (
        type(of_method) is dict
        and _CANCEL_OPTIONS.isdisjoint(of_method)
        and options.keys().isdisjoint(_CANCEL_OPTIONS)
        and not has_misspelt(tuple(of_method))
    )


# a mass cancel accepts and ignores these, unless they are fields of the exchange
PASSED_OVER = frozenset(
    ['recvWindow', *CCXT_PARAMS, *(name for option in RETRY_OPTIONS for name in option_names(option))]
)


def misspelt(names: Iterable[object], own_fields: Collection[str] = ()) -> tuple[str, str] | None:
    """The first name that differs from one of the plugin's only in case or underscores, and the right name.

    own_fields: the exchange's own names, which are not misspelt, such as Deribit's ``delta_limit``.
    """
    for name in names:
        meant = _meant(name) if isinstance(name, str) else None
        if meant is not None and name not in own_fields:
            return str(name), meant
    return None


@lru_cache(1000)  # most calls and all options have the same names
def has_misspelt(names: tuple[object, ...]) -> bool:
    return misspelt(names) is not None


@lru_cache(1000)
def _meant(name: str) -> str | None:
    return None if name in OWN_NAMES else _BY_FOLDED_NAME.get(_folded(name))
