"""The usual ``mass_cancel_mmp``: nothing but an underlying and the exchange's own flag, in a tenth of the time.

Whatever else params or options say is checked step by step, by ``Rules`` and ``Mmp``.
"""

from typing import Any

from ccxt_mmp.core.params import MASS_CANCEL_FLAGS, option_names

CHECKED_LATER = frozenset(['timeout', 'concurrency', 'weightLimit'])  # of options['massCancelMmp']
READ_FIRST = frozenset(
    name for option in ('scope', 'lockInterval', *MASS_CANCEL_FLAGS) for name in option_names(option)
)


def plain_mass_cancel(exchange: Any, underlying: object, params: Any, flag: str) -> tuple[str | None, bool]:
    """The underlying's id and the flag, which is all that is asked; None and False if the call is not that plain."""
    options = exchange.options
    of_method = options.get('massCancelMmp')
    if (
        (params and (len(params) > 1 or params.get(flag) is not True))
        or not (of_method is None or (type(of_method) is dict and of_method.keys() <= CHECKED_LATER))
        or not options.keys().isdisjoint(READ_FIRST)
        or type(underlying) is not str
        or exchange.markets  # where it may be the name of an option
    ):
        return None, False
    options.setdefault('timeDifference', 0)  # as _mmp_scope
    return exchange._parse_underlying(underlying), bool(params)
