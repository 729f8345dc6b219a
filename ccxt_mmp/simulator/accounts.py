"""An account of an exchange: its orders, protections and countdowns, without what happens to them.

Times are ms since the epoch. A protection is of an account, a venue and an underlying; the underlying None is the
protection of block trading.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.positions import Position
from ccxt_mmp.simulator.pricing import plain

Side = Literal['buy', 'sell']
Trigger = Literal['reach', 'exceed']
CancelSource = Literal['user', 'countdown', 'mass_cancel', 'trigger', 'curtailment']
FIRST_POSITION_ID = 307173036051017730  # a documented example


@dataclass(frozen=True)
class Rule:
    """Limits as they were set, decimals as the strings that the exchange gives back."""

    window: int
    frozen_time: int
    qty_limit: str | None = None
    delta_limit: str | None = None
    count_limit: str | None = None
    vega_limit: str | None = None
    max_quote: str | None = None  # MMP orders that may rest, of each side of an instrument


@dataclass(frozen=True)
class Fill:
    time: int
    quantity: Decimal  # contracts; execution attempts of block trading
    delta: Decimal = Decimal(0)  # signed, in the coin
    vega: Decimal = Decimal(0)  # signed, in dollars


@dataclass
class Protection:
    rule: Rule | None = None
    last_trigger: int = 0
    freeze_ends: float = 0  # infinite until a reset
    locked_until: int = 0
    fills: deque[Fill] = field(default_factory=deque)

    def is_frozen(self, now: int) -> bool:
        return now < self.freeze_ends

    def frozen_until(self, now: int) -> int | None:
        """When the freeze ends; None if there is none or only a reset ends it."""
        return int(self.freeze_ends) if now < self.freeze_ends < math.inf else None

    def is_beyond_limits(self, fill: Fill, trigger: Trigger, *, starts_with_fill: bool = False) -> bool:
        """Count a fill; whether the sums over the window reach a limit.

        :param starts_with_fill: the window starts with a fill, and the first one after its end opens another; else it
            ends with the fill that is counted
        """
        if self.rule is None or self.rule.window == 0 or self.is_frozen(fill.time):
            return False
        began = fill.time - self.rule.window
        if starts_with_fill and self.fills and self.fills[0].time <= began:
            self.fills.clear()
        self.fills.append(fill)
        while self.fills[0].time <= began:
            self.fills.popleft()
        quantity = sum((each.quantity for each in self.fills), Decimal(0))
        delta = abs(sum((each.delta for each in self.fills), Decimal(0)))
        sums = [
            (quantity, self.rule.qty_limit),
            (quantity, self.rule.count_limit),
            (delta, self.rule.delta_limit),
            (abs(sum((each.vega for each in self.fills), Decimal(0))), self.rule.vega_limit),
        ]
        return any(
            value > Decimal(limit) or (trigger == 'reach' and value == Decimal(limit))
            for value, limit in sums
            if limit is not None
        )


@dataclass(eq=False)
class Order:
    order_id: str
    instrument: Instrument
    side: Side
    price: str
    quantity: Decimal
    mmp: bool
    client_order_id: str = ''
    time_in_force: str = 'GTC'
    reduce_only: bool = False
    tag: str = ''
    order_type: str = 'limit'  # as the exchange calls it
    group: str | None = None  # of mass quotes, which have protections of their own
    created: int = 0
    updated: int = 0
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)  # sum of price times contracts of the fills
    fill_price: str = ''  # of the last one
    state: str = 'live'  # then 'partially_filled', 'filled', 'canceled', 'rejected' or, by a trigger, 'mmp_canceled'
    cancel_source: CancelSource | None = None
    cancel_refused: bool = False  # a fault: to its owner, while the exchange itself can cancel it
    cancel_fails_later: bool = False  # a fault: its cancellations are acknowledged and come to nothing
    is_being_cancelled: bool = False  # acknowledged, not yet done

    @property
    def venue(self) -> str:
        return self.instrument.venue

    @property
    def underlying(self) -> str:
        return self.instrument.underlying

    @property
    def protected(self) -> str:
        """The protection that counts its fills."""
        return self.underlying if self.group is None else f'{self.underlying}/{self.group}'

    @property
    def average_price(self) -> str:
        """Of the fills, "" if there were none."""
        if not self.filled or self.cost == Decimal(self.fill_price) * self.filled:
            return self.fill_price
        return plain(self.cost / self.filled)

    @property
    def is_open(self) -> bool:
        return self.state in ('live', 'partially_filled')


@dataclass
class Countdown:
    """Cancels the orders that it covers unless it is set again in time."""

    milliseconds: int
    deadline: int
    covers: Callable[[Order], bool]
    blocks: bool  # once it fired, such orders are refused until it is set again
    fired: bool = False


@dataclass(eq=False)
class Account:
    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    privileged: bool = True  # market maker privilege
    permissions: set[str] = field(default_factory=lambda: {'read', 'trade'})
    balances: dict[str, str] = field(
        default_factory=lambda: {'BTC': '10', 'ETH': '100', 'USD': '1000000', 'USDT': '1000000'}
    )
    orders: list[Order] = field(default_factory=list)  # all there were
    resting: dict[str, Order] = field(default_factory=dict)  # those that are open, by id
    protections: dict[tuple[str, str | None], Protection] = field(default_factory=dict)
    client_ids: set[tuple[str, str]] = field(default_factory=set)  # by venue, of all orders there were
    countdowns: dict[tuple[str, str], Countdown] = field(default_factory=dict)  # by venue, and underlying or tag
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)  # by venue and option, those closed too

    def protection(self, venue: str, underlying: str | None) -> Protection:
        return self.protections.setdefault((venue, underlying), Protection())

    def position(self, option: Instrument) -> Position:
        key = (option.venue, option.instrument_id)
        return self.positions.setdefault(key, Position(option, str(FIRST_POSITION_ID + len(self.positions))))

    def open_positions(self, venue: str, now: int) -> list[Position]:
        """Those of options that have not expired."""
        held = (each for each in self.positions.values() if each.quantity and each.instrument.venue == venue)
        return [each for each in held if each.instrument.expiry > now]

    def open_orders(self, venue: str) -> list[Order]:
        return [order for order in self.resting.values() if order.venue == venue]

    def countdowns_of(self, venue: str) -> list[Countdown]:
        return [countdown for (where, _), countdown in self.countdowns.items() if where == venue]

    def find(self, venue: str, order_id: str | None, client_order_id: str | None) -> Order | None:
        """An order by its id or, the latest first, by its client order id."""
        for order in reversed(self.orders):
            by_id = order_id and order.order_id == order_id
            by_client_id = client_order_id and not order_id and order.client_order_id == client_order_id
            if order.venue == venue and (by_id or by_client_id):
                return order
        return None
