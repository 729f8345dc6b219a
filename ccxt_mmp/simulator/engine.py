"""What an exchange does about MMP, without I/O: rules, triggers, freezes, and the orders that they cancel.

Times are ms since the epoch and always passed in. A protection is of one venue and underlying; the underlying None is
OKX's block-trading protection.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """Limits as they were set, decimals as the strings that the exchange gives back."""

    window: int
    frozen_time: int
    qty_limit: str | None = None
    delta_limit: str | None = None
    count_limit: str | None = None


# Binance's documented example
EXAMPLE_RULE = Rule(window=3000, frozen_time=300_000, qty_limit='2', delta_limit='2.3')


@dataclass
class Protection:
    rule: Rule | None = None
    last_trigger: int = 0
    tripped: bool = False
    locked_until: int = 0

    def is_frozen(self, now: int) -> bool:
        if not self.tripped or self.rule is None:
            return False
        return self.rule.frozen_time == 0 or now < self.last_trigger + self.rule.frozen_time

    def frozen_until(self, now: int) -> int | None:
        """When the freeze ends; None if there is none or only a reset ends it."""
        if self.rule is None or self.rule.frozen_time == 0 or not self.is_frozen(now):
            return None
        return self.last_trigger + self.rule.frozen_time


@dataclass
class Order:
    order_id: str
    venue: str
    underlying: str
    mmp: bool
    state: str = 'live'  # then 'canceled' or, by a trigger, 'mmp_canceled'


@dataclass
class Engine:
    # whether Binance's reset clears lastTriggerTime is not documented [unverified]
    reset_clears_last_trigger: bool = False
    orders: list[Order] = field(default_factory=list)
    _protections: dict[tuple[str, str | None], Protection] = field(default_factory=dict)

    def protection(self, venue: str, underlying: str | None) -> Protection:
        return self._protections.setdefault((venue, underlying), Protection())

    def trip(self, venue: str, underlying: str | None, now: int) -> None:
        """The trigger: MMP orders go, and the freeze begins."""
        protection = self.protection(venue, underlying)
        if protection.rule is None:
            raise ValueError(f'{venue} {underlying} has no rule that could trip')
        protection.last_trigger = now
        protection.tripped = True
        self._cancel_mmp(venue, underlying, 'mmp_canceled')

    def reset(self, venue: str, underlying: str | None) -> None:
        protection = self.protection(venue, underlying)
        protection.tripped = False
        if self.reset_clears_last_trigger:
            protection.last_trigger = 0

    def mass_cancel(self, venue: str, underlying: str, locked_until: int) -> list[Order]:
        self.protection(venue, underlying).locked_until = locked_until
        return self._cancel_mmp(venue, underlying, 'canceled')

    def rest(self, venue: str, underlying: str, mmp: bool) -> Order:
        """An order that rests in the book, put there by the control side."""
        order = Order(str(len(self.orders) + 1), venue, underlying, mmp)
        self.orders.append(order)
        return order

    def resting(self, venue: str, underlying: str) -> list[Order]:
        return [
            order
            for order in self.orders
            if order.venue == venue and order.underlying == underlying and order.state == 'live'
        ]

    def _cancel_mmp(self, venue: str, underlying: str | None, state: str) -> list[Order]:
        cancelled = [order for order in self.resting(venue, underlying or '') if order.mmp]
        for order in cancelled:
            order.state = state
        return cancelled
