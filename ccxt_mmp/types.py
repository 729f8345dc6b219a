"""The structures that the MMP methods return and the types of their arguments.

Every key is always present; None means that the exchange does not say.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, SupportsIndex, TypedDict

Scope = Literal['orders', 'rfq']
Number = int | float | str | Decimal | SupportsIndex  # the last: any numbers.Integral, such as numpy.int64
Params = dict[str, Any]
Order = dict[str, Any]  # a unified order of ccxt
Stock = Callable[..., Any]  # a method of ccxt


class MmpState(TypedDict):
    """One protection of the account: its rule and whether it has tripped."""

    info: dict[str, Any]  # the exchange's own entry, {} where there is none
    underlying: str | None  # 'BTC/USD:BTC', None for block trading
    underlyingId: str | None  # 'BTC-USD', 'BTCUSDT'
    scope: Scope
    enabled: bool | None  # False: window 0 or no rule set
    window: int | None  # ms
    frozenTime: int | None  # ms, 0 = frozen until reset
    qtyLimit: float | None  # contracts, as `amount` in create_order
    qtyLimitBase: float | None  # the same in the underlying coin, None where the size of a contract is not known
    deltaLimit: float | None  # net delta in the underlying coin
    vegaLimit: float | None  # net vega in USD
    countLimit: int | None  # execution attempts, block trading
    maxQuoteQuantity: float | None  # that may be quoted at a time, in the underlying coin
    frozen: bool | None
    frozenUntil: int | None  # ms since the epoch, None if not frozen or frozen until reset
    lastTriggerTimestamp: int | None  # ms since the epoch, None if never
    timestamp: int | None  # ms since the epoch, of the answer
    datetime: str | None


class MassCancel(TypedDict):
    """What a mass cancel did."""

    info: Any  # the exchange's raw answer
    underlying: str | None
    underlyingId: str
    orders: list[dict[str, Any]] | None  # unified orders that were cancelled, None where the exchange lists none
    lockedUntil: int | None  # ms since the epoch, counted from before sending
    timestamp: int | None
    datetime: str | None


class MmpHalt(TypedDict):
    """A halt of the MMP orders of an account, by this process or another."""

    info: Any  # what the store has
    account: str  # as in options['mmpHalt']; without one the sha256 of exchange id and API key
    underlying: str | None  # 'BTC/USD:BTC', None for all of the account
    underlyingId: str | None
    reason: str | None
    by: str | None  # host and pid; None if there was no halt
    since: int | None  # ms since the epoch; None if there was no halt
    until: int | None  # ms since the epoch, by the clock of each reader; None = until it is resumed
