"""What the engine tells its observer: every change of an order and every trigger, in their order."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ccxt_mmp.simulator.accounts import Account, Order

Change = Literal['placed', 'rejected', 'amended', 'filled', 'canceled', 'triggered']


@dataclass(frozen=True)
class Event:
    change: Change
    account: Account
    venue: str
    underlying: str | None  # None: a trigger of block trading
    time: int  # ms since the epoch
    order: Order | None = None  # a copy, as it was then; None for a trigger, whose cancellations follow
    quantity: Decimal = Decimal(0)  # contracts of a fill
    trade_id: int = 0  # of a fill


Observer = Callable[[Event], None]
