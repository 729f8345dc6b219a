"""What an exchange does about MMP, without I/O: rules, triggers, freezes, locks, and the orders that they cancel.

Times are ms since the epoch and always passed in. A protection is of an account, a venue and an underlying; the
underlying None is OKX's block-trading protection.
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Literal, get_args

from ccxt_mmp.simulator.instruments import SERIES, Instrument, Series, grid

Side = Literal['buy', 'sell']
Trigger = Literal['reach', 'exceed']

# documented examples: ids of this size do not survive a double
FIRST_ORDER_ID = {'okx': 312269865356374016, 'binance': 4611875134427365000}

DELTA_AT_THE_MONEY = Decimal('0.5')  # of a call, in the coin; the engine has no pricing model

# cancelSource of OKX, where it is documented
BY_USER, BY_COUNTDOWN, BY_MASS_CANCEL, BY_TRIGGER = '1', '20', '38', '39'


@dataclass(frozen=True)
class Unverified:
    """What the exchanges' documentation leaves open; every default is a guess.

    trigger: a protection trips when a sum reaches its limit, or only when it exceeds it (OKX: "exceed a certain
        threshold", Binance: "exceeds or equals").
    reset_clears_last_trigger: a reset clears Binance's lastTriggerTime.
    set_ends_freeze: setting a rule ends a freeze.
    reverse_batch_cancels: Binance answers a batch of cancellations from its last item to its first; their order is
        documented as not fixed.
    """

    trigger: Trigger = 'reach'
    reset_clears_last_trigger: bool = False
    set_ends_freeze: bool = False
    reverse_batch_cancels: bool = False


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


@dataclass(frozen=True)
class Fill:
    time: int
    quantity: Decimal  # contracts; execution attempts of block trading
    delta: Decimal = Decimal(0)  # signed, in the coin


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

    def is_beyond_limits(self, fill: Fill, trigger: Trigger) -> bool:
        """Count a fill; whether the sums over the window, which ends with it, reach a limit."""
        if self.rule is None or self.rule.window == 0 or self.is_frozen(fill.time):
            return False
        self.fills.append(fill)
        while self.fills[0].time <= fill.time - self.rule.window:
            self.fills.popleft()
        quantity = sum((each.quantity for each in self.fills), Decimal(0))
        delta = abs(sum((each.delta for each in self.fills), Decimal(0)))
        sums = [
            (quantity, self.rule.qty_limit),
            (quantity, self.rule.count_limit),
            (delta, self.rule.delta_limit),
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
    created: int = 0
    updated: int = 0
    filled: Decimal = Decimal(0)
    state: str = 'live'  # then 'partially_filled', 'filled', 'canceled' or, by a trigger, 'mmp_canceled'
    cancel_source: str = ''
    cancel_refused: bool = False  # a fault: to its owner, while the exchange itself can cancel it

    @property
    def venue(self) -> str:
        return self.instrument.venue

    @property
    def underlying(self) -> str:
        return self.instrument.underlying

    @property
    def is_open(self) -> bool:
        return self.state in ('live', 'partially_filled')


@dataclass
class Countdown:
    """Cancels every order of its kind unless it is set again in time."""

    milliseconds: int
    deadline: int
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
    countdowns: dict[tuple[str, str], Countdown] = field(default_factory=dict)  # by venue and underlying or tag

    def protection(self, venue: str, underlying: str | None) -> Protection:
        return self.protections.setdefault((venue, underlying), Protection())

    def open_orders(self, venue: str) -> list[Order]:
        return [order for order in self.resting.values() if order.venue == venue]

    def find(self, venue: str, order_id: str | None, client_order_id: str | None) -> Order | None:
        """An order by its id or, the latest first, by its client order id."""
        for order in reversed(self.orders):
            by_id = order_id and order.order_id == order_id
            by_client_id = client_order_id and not order_id and order.client_order_id == client_order_id
            if order.venue == venue and (by_id or by_client_id):
                return order
        return None


class RejectedError(Exception):
    """Why an order was not accepted, 'frozen', 'locked', 'no_privilege', 'countdown', 'duplicate' or 'expired', or why
    it was not cancelled, 'cancel_refused'.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Engine:
    def __init__(self, now: int, unverified: Unverified = Unverified()) -> None:
        if unverified.trigger not in get_args(Trigger):
            raise ValueError(f'trigger is one of {", ".join(get_args(Trigger))}, not {unverified.trigger}')
        self.unverified = unverified
        self._opened = now
        self.instruments: dict[str, Instrument] = {}
        self.series: dict[str, dict[str, Series]] = {venue: {} for venue in FIRST_ORDER_ID}  # by venue and underlying
        self._options: defaultdict[tuple[str, str], list[Instrument]] = defaultdict(list)
        for series in SERIES:
            self._list(series)
        self._order_ids = {venue: count(first) for venue, first in FIRST_ORDER_ID.items()}

    # --- options

    def listed(self, venue: str, now: int) -> list[Instrument]:
        """The options of a venue that have not expired; no expiry is added as time goes on."""
        return [option for option in self.instruments.values() if option.venue == venue and option.expiry > now]

    def options(self, venue: str, underlying: str, now: int) -> list[Instrument]:
        """Those of an underlying; ValueError if there are none."""
        options = [option for option in self._options.get((venue, underlying), ()) if option.expiry > now]
        if not options:
            raise ValueError(f'{venue} lists no option of {underlying}')
        return options

    def list_options(
        self, venue: str, underlying: str, base: str, settle: str, strikes: Iterable[int | str]
    ) -> list[Instrument]:
        """List further options of a new or a listed underlying: all of them or, with a ValueError, none."""
        known = self.series[venue].get(underlying)
        if known is not None and (known.base, known.settle) != (base, settle):
            raise ValueError(f'{underlying} of {venue} is of {known.base} and {known.settle}, not {base} and {settle}')
        # contracts of a new underlying are as large and as finely priced as those of the venue's first
        model = known or next(iter(self.series[venue].values()))
        return self._list(replace(model, underlying=underlying, base=base, settle=settle, strikes=tuple(strikes)))

    def _list(self, series: Series) -> list[Instrument]:
        options = list(grid(series, self._opened))
        instruments = dict(self.instruments)
        for option in options:
            if option.instrument_id in instruments:
                raise ValueError(f'{option.instrument_id} is listed already')
            instruments[option.instrument_id] = option
        self.instruments = instruments
        self.series[series.venue].setdefault(series.underlying, series)
        self._options[series.venue, series.underlying] += options
        return options

    # --- protections

    def set_rule(self, account: Account, venue: str, underlying: str | None, rule: Rule) -> Protection:
        protection = account.protection(venue, underlying)
        protection.rule = rule
        if rule.window == 0:
            protection.fills.clear()
        if self.unverified.set_ends_freeze:
            protection.freeze_ends = 0
        return protection

    def reset(self, account: Account, venue: str, underlying: str | None) -> None:
        protection = account.protection(venue, underlying)
        protection.freeze_ends = 0
        protection.fills.clear()
        if self.unverified.reset_clears_last_trigger:
            protection.last_trigger = 0

    def trip(self, account: Account, venue: str, underlying: str | None, now: int) -> None:
        """The trigger: MMP orders go, and the freeze begins."""
        protection = account.protection(venue, underlying)
        if protection.rule is None or protection.rule.window == 0:
            raise ValueError(f'{venue} {underlying} has no rule that could trip')
        protection.last_trigger = now
        protection.freeze_ends = now + (protection.rule.frozen_time or math.inf)
        protection.fills.clear()
        for order in account.open_orders(venue):
            if order.mmp and order.underlying == underlying:
                self._close(account, order, 'mmp_canceled', BY_TRIGGER, now)

    def mass_cancel(self, account: Account, venue: str, underlying: str, locked_until: int, now: int) -> list[Order]:
        account.protection(venue, underlying).locked_until = locked_until
        return self.cancel_where(
            account, venue, lambda order: order.mmp and order.underlying == underlying, now, BY_MASS_CANCEL
        )

    # --- orders

    def place(self, account: Account, order: Order, now: int) -> Order:
        """Accept an order that has no id yet, or raise RejectedError."""
        protection = account.protection(order.venue, order.underlying)
        countdown = account.countdowns.get((order.venue, order.underlying))
        if order.instrument.expiry <= now:
            raise RejectedError('expired')
        if order.mmp and not account.privileged:
            raise RejectedError('no_privilege')
        if countdown is not None and countdown.fired:
            raise RejectedError('countdown')
        if order.mmp and now < protection.locked_until:
            raise RejectedError('locked')
        if order.mmp and protection.is_frozen(now):
            raise RejectedError('frozen')
        if order.client_order_id and any(
            each.client_order_id == order.client_order_id for each in account.open_orders(order.venue)
        ):
            raise RejectedError('duplicate')
        order.order_id = str(next(self._order_ids[order.venue]))
        order.created = order.updated = now
        account.orders.append(order)
        account.resting[order.order_id] = order
        if order.time_in_force in ('IOC', 'FOK'):  # there is nobody to trade with
            self.cancel(account, order, now)
        return order

    def fill(self, account: Account, order: Order, quantity: Decimal, now: int, delta: Decimal | None = None) -> None:
        """Somebody trades with an order; its protection trips if that reaches a limit.

        Only the fills of MMP orders count [unverified]. delta is of one contract of a call or put that was bought, in
        the coin: by default 0.5 and -0.5 of the contract's coins.
        """
        if not order.is_open or not 0 < quantity <= order.quantity - order.filled:
            raise ValueError(f'{quantity} of order {order.order_id} ({order.state}) cannot be filled')
        if delta is not None and not delta.is_finite():
            raise ValueError(f'a delta is a number, not {delta}')
        order.filled += quantity
        order.updated = now
        order.state = 'partially_filled'
        if order.filled == order.quantity:
            order.state = 'filled'
            del account.resting[order.order_id]
        if not order.mmp:
            return
        if delta is None:
            delta = DELTA_AT_THE_MONEY * (1 if order.instrument.is_call else -1) * order.instrument.coins_per_contract
        signed = delta * quantity * (1 if order.side == 'buy' else -1)
        protection = account.protection(order.venue, order.underlying)
        if protection.is_beyond_limits(Fill(now, quantity, signed), self.unverified.trigger):
            self.trip(account, order.venue, order.underlying, now)

    def execute_block_trades(self, account: Account, attempts: int, now: int) -> None:
        """Execution attempts of OKX block trading, which its protection counts."""
        if account.protection('okx', None).is_beyond_limits(Fill(now, Decimal(attempts)), self.unverified.trigger):
            self.trip(account, 'okx', None, now)

    def cancel(self, account: Account, order: Order, now: int) -> None:
        """Cancel one order, or raise RejectedError."""
        if order.cancel_refused:
            raise RejectedError('cancel_refused')
        self._close(account, order, 'canceled', BY_USER, now)

    def cancel_where(
        self, account: Account, venue: str, wanted: Callable[[Order], bool], now: int, source: str = BY_USER
    ) -> list[Order]:
        cancelled = [order for order in account.open_orders(venue) if wanted(order)]
        for order in cancelled:
            self._close(account, order, 'canceled', source, now)
        return cancelled

    # --- countdowns

    def start_countdown(self, account: Account, venue: str, name: str, milliseconds: int, now: int) -> Countdown:
        """Start or restart a countdown; 0 ends it."""
        countdown = Countdown(milliseconds, now + milliseconds)
        account.countdowns[venue, name] = countdown
        if milliseconds == 0:
            del account.countdowns[venue, name]
        return countdown

    def expire_countdowns(self, accounts: Iterable[Account], now: int) -> None:
        """Let the countdowns that are over cancel their orders; called before anything else happens at that time."""
        for account in accounts:
            for (venue, name), countdown in list(account.countdowns.items()):
                if countdown.fired or now < countdown.deadline:
                    continue
                if venue == 'okx':
                    self.cancel_where(account, venue, _tagged(name), now, BY_COUNTDOWN)
                    del account.countdowns[venue, name]
                else:
                    self.cancel_where(account, venue, _of_underlying(name), now)
                    countdown.fired = True

    @staticmethod
    def _close(account: Account, order: Order, state: str, source: str, now: int) -> None:
        del account.resting[order.order_id]
        order.state = state
        order.cancel_source = source
        order.updated = now


def _tagged(tag: str) -> Callable[[Order], bool]:
    """Whether a countdown of that tag means an order; the one without a tag means all."""
    return lambda order: tag in ('', order.tag)


def _of_underlying(underlying: str) -> Callable[[Order], bool]:
    return lambda order: order.underlying == underlying
