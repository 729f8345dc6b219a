"""What an exchange does about MMP: rules, triggers, freezes, locks, and the orders that they cancel.

It does no I/O, has no clock and names no exchange. Times are ms since the epoch and always passed in. Its one observer
is told of every change when it happens.
"""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Literal, get_args

from ccxt_mmp.simulator.accounts import Account, CancelSource, Countdown, Fill, Order, Protection, Rule, Trigger
from ccxt_mmp.simulator.events import Change, Event, Observer
from ccxt_mmp.simulator.instruments import Instrument, Series
from ccxt_mmp.simulator.listing import Listing, grid, opening
from ccxt_mmp.simulator.pricing import Market

StreamForm = Literal['object', 'list']
Instruments = Literal['new', 'old']
FrozenOrders = Literal['refuse', 'reject']
DELTA_AT_THE_MONEY = Decimal('0.5')  # of a call, in the coin; of any strike, so that a test can reckon with it


@dataclass(frozen=True)
class Unverified:
    """What the exchanges' documentation leaves open; every default is a guess.

    trigger: a protection trips when a sum reaches its limit, or only when it exceeds it. The exchanges say both.
    reset_clears_last_trigger: a reset clears the time of the last trigger.
    set_ends_freeze: setting a rule ends a freeze.
    reverse_batch_cancels: an exchange that documents no order of a batch's answers gives those of a batch of
        cancellations from its last item to its first.
    stream_form: an exchange that documents two forms of an order's push sends an object or a list.
    frozen_orders: an exchange that documents no code for MMP orders in a freeze refuses them at once, or acknowledges
        and then rejects them.
    instruments: orders over a socket name an option by its code ('new') or, as before 2026, by its id ('old').
    """

    trigger: Trigger = 'reach'
    reset_clears_last_trigger: bool = False
    set_ends_freeze: bool = False
    reverse_batch_cancels: bool = False
    stream_form: StreamForm = 'object'
    instruments: Instruments = 'new'
    frozen_orders: FrozenOrders = 'refuse'

    def __post_init__(self) -> None:
        choices = {
            'trigger': Trigger,
            'stream_form': StreamForm,
            'instruments': Instruments,
            'frozen_orders': FrozenOrders,
        }
        for name, choice in choices.items():
            if getattr(self, name) not in get_args(choice):
                raise ValueError(f'{name} is one of {", ".join(get_args(choice))}, not {getattr(self, name)}')


class RejectedError(Exception):
    """Why an order was not accepted, 'frozen', 'locked', 'no_privilege', 'countdown', 'duplicate', 'expired' or
    'max_quote', or why it was not cancelled, 'cancel_refused' or 'processing'.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Engine:
    def __init__(self, now: int, listings: Iterable[Listing], unverified: Unverified = Unverified()) -> None:
        self.unverified = unverified
        self.observe: Observer | None = None
        self._opened = now
        self._listings = {listing.venue: listing for listing in listings}
        # shared by the engines of a day, and copied before it is changed
        self.instruments, self._options = opening(tuple(self._listings.values()), now)
        self.series = {  # by venue and underlying: the last of those that differ by what they are settled in
            venue: {series.underlying: series for series in listing.series} for venue, listing in self._listings.items()
        }
        self.market = Market(self.series)
        self._order_ids = {venue: count(listing.first_order_id) for venue, listing in self._listings.items()}
        self._trade_ids = count(1)
        self.processing_time = 0  # ms between the acknowledgement of a cancellation and what comes of it
        self._acknowledged: list[tuple[int, Account, Order]] = []  # cancellations, and when they are due

    # --- options

    def find_option(self, venue: str, instrument_id: str) -> Instrument | None:
        return self.instruments.get((venue, instrument_id))

    def listed(self, venue: str, now: int) -> list[Instrument]:
        """What a venue lists that has not expired; no expiry is added as time goes on."""
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
        is_mixed = self._listings[venue].mixes_settles
        if known is not None and (known.base, known.settle) != (base, known.settle if is_mixed else settle):
            raise ValueError(f'{underlying} of {venue} is of {known.base} and {known.settle}, not {base} and {settle}')
        # contracts of a new underlying are as large and as finely priced as those of the venue's first
        model = known or next(iter(self.series[venue].values()))
        return self._list(replace(model, underlying=underlying, base=base, settle=settle, strikes=tuple(strikes)))

    def _list(self, series: Series) -> list[Instrument]:
        options = grid(series, self._listings[series.venue], self._opened)
        instruments = dict(self.instruments)
        for option in options:
            if (option.venue, option.instrument_id) in instruments:
                raise ValueError(f'{option.instrument_id} is listed already')
            instruments[option.venue, option.instrument_id] = option
        key = (series.venue, series.underlying)
        self.instruments = instruments
        self._options = {**self._options, key: (*self._options.get(key, ()), *options)}
        self.series[series.venue].setdefault(series.underlying, series)
        return list(options)

    # --- protections

    def set_rule(self, account: Account, venue: str, underlying: str | None, rule: Rule) -> Protection:
        protection = account.protection(venue, underlying)
        protection.rule = rule
        if rule.window == 0:
            protection.fills.clear()
        if self.unverified.set_ends_freeze:
            protection.freeze_ends = 0
        return protection

    def curtail(self, account: Account, venue: str, underlying: str, now: int) -> None:
        """Cancel the MMP orders beyond what the rule lets rest, the latest first."""
        for order in reversed(account.open_orders(venue)):
            if order.mmp and order.protected == underlying and self._is_beyond_max_quote(account, order):
                self._close(account, order, 'canceled', 'curtailment', now)

    @staticmethod
    def _is_beyond_max_quote(account: Account, order: Order, quantity: Decimal | None = None) -> bool:
        """Whether more MMP orders of its side of its instrument would rest, with it, than the rule lets."""
        rule = account.protection(order.venue, order.protected).rule
        if rule is None or rule.max_quote is None or not order.mmp:
            return False
        coins = order.instrument.coins(
            (order.quantity if quantity is None else quantity) - order.filled, Decimal(order.price)
        )
        for each in account.open_orders(order.venue):
            of_side = (order.instrument, order.side, order.protected)
            if each is not order and each.mmp and (each.instrument, each.side, each.protected) == of_side:
                coins += each.instrument.coins(each.quantity - each.filled, Decimal(each.price))
        return coins > Decimal(rule.max_quote)

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
        if self.observe is not None:
            self.observe(Event('triggered', account, venue, underlying, now))
        for order in account.open_orders(venue):
            if order.mmp and order.protected == underlying:
                self._close(account, order, 'mmp_canceled', 'trigger', now)

    def mass_cancel(self, account: Account, venue: str, underlying: str, locked_until: int, now: int) -> list[Order]:
        account.protection(venue, underlying).locked_until = locked_until
        return self.cancel_where(
            account, venue, lambda order: order.mmp and order.underlying == underlying, now, 'mass_cancel'
        )

    # --- orders

    def place(self, account: Account, order: Order, now: int) -> Order:
        """Accept an order that has no id yet, or raise RejectedError."""
        self._check(account, order, now)
        listing = self._listings[order.venue]
        key = (order.venue, order.client_order_id)
        if listing.has_unique_client_ids and order.client_order_id:
            open_orders = account.open_orders(order.venue)
            if any(each.client_order_id == order.client_order_id for each in open_orders):
                raise RejectedError('duplicate')
        if listing.keeps_client_ids and order.client_order_id and key in account.client_ids:
            raise RejectedError('duplicate')
        self._accept(account, order, now)
        account.resting[order.order_id] = order
        self._tell('placed', account, order, now)
        if order.time_in_force in ('IOC', 'FOK'):  # there is nobody to trade with
            self.cancel(account, order, now)
        return order

    def reject(self, account: Account, order: Order, now: int) -> None:
        """Acknowledge an order that has no id yet, and then refuse it."""
        self._accept(account, order, now)
        order.state = 'rejected'
        self._tell('rejected', account, order, now)

    def _accept(self, account: Account, order: Order, now: int) -> None:
        number, listing = next(self._order_ids[order.venue]), self._listings[order.venue]
        order.order_id = listing.order_id(number, order.instrument)
        order.client_order_id = order.client_order_id or listing.client_order_id(number)
        order.created = order.updated = now
        account.orders.append(order)
        account.client_ids.add((order.venue, order.client_order_id))

    def amend(
        self, account: Account, order: Order, now: int, *, price: str | None = None, quantity: Decimal | None = None
    ) -> None:
        """Change an open order, which keeps its id and its flag, or raise RejectedError.

        :param quantity: all of it, with what is filled; an order of which no more is left than that is filled
        """
        self._check(account, order, now, quantity)
        order.price = order.price if price is None else price
        order.quantity = order.quantity if quantity is None else max(quantity, order.filled)
        order.updated = now
        if order.filled == order.quantity:
            order.state = 'filled'
            del account.resting[order.order_id]
        self._tell('amended', account, order, now)

    def _check(self, account: Account, order: Order, now: int, quantity: Decimal | None = None) -> None:
        """Raise RejectedError for an order that an account may not have in the book now.

        An MMP order is taken also while no rule is set [unverified].

        :param quantity: that it is to have
        """
        protection = account.protection(order.venue, order.protected)
        if order.instrument.expiry <= now:
            raise RejectedError('expired')
        if order.mmp and not account.privileged:
            raise RejectedError('no_privilege')
        if any(each.fired and each.covers(order) for each in account.countdowns_of(order.venue)):
            raise RejectedError('countdown')
        if order.mmp and now < protection.locked_until:
            raise RejectedError('locked')
        if order.mmp and protection.is_frozen(now):
            raise RejectedError('frozen')
        if self._is_beyond_max_quote(account, order, quantity):
            raise RejectedError('max_quote')

    def fill(self, account: Account, order: Order, quantity: Decimal, now: int, delta: Decimal | None = None) -> None:
        """Somebody trades with an order; its protection trips if that reaches a limit.

        Only the fills of MMP orders count [unverified]. delta is of one contract of a call or put that was bought, in
        the coin: by default 0.5 and -0.5 of the contract's coins.
        """
        if not order.is_open or not 0 < quantity <= order.quantity - order.filled:
            raise ValueError(f'{quantity} of order {order.order_id} ({order.state}) cannot be filled')
        if delta is not None and not delta.is_finite():
            raise ValueError(f'a delta is a number, not {delta}')
        signed_quantity = quantity * (1 if order.side == 'buy' else -1)
        order.filled += quantity
        order.cost += Decimal(order.price) * quantity
        order.fill_price = order.price
        order.updated = now
        order.state = 'partially_filled'
        if order.filled == order.quantity:
            order.state = 'filled'
            del account.resting[order.order_id]
        account.position(order.instrument).trade(signed_quantity, Decimal(order.price), now)
        self._tell('filled', account, order, now, quantity)  # before what it trips
        if not order.mmp:
            return
        instrument = order.instrument
        vega = Decimal(0)
        if delta is None and instrument.kind == 'option':
            delta = DELTA_AT_THE_MONEY * (1 if instrument.is_call else -1) * instrument.coins_per_contract
        if instrument.kind == 'option':
            vega = Decimal(self.market.value(instrument, now).vega) * instrument.coins_per_contract * signed_quantity
        coins = instrument.coins(signed_quantity, Decimal(order.price))
        fill = Fill(now, abs(coins), (1 if delta is None else delta) * coins, vega)
        protection = account.protection(order.venue, order.protected)
        starts_with_fill = self._listings[order.venue].window_starts_with_fill
        if protection.is_beyond_limits(fill, self.unverified.trigger, starts_with_fill=starts_with_fill):
            self.trip(account, order.venue, order.protected, now)

    def execute_block_trades(self, account: Account, venue: str, attempts: int, now: int) -> None:
        """Execution attempts of block trading, which its protection counts."""
        if account.protection(venue, None).is_beyond_limits(Fill(now, Decimal(attempts)), self.unverified.trigger):
            self.trip(account, venue, None, now)

    def cancel(self, account: Account, order: Order, now: int) -> None:
        """Cancel one order, or raise RejectedError."""
        if order.cancel_refused:
            raise RejectedError('cancel_refused')
        self._close(account, order, 'canceled', 'user', now)

    def acknowledge_cancel(self, account: Account, order: Order, now: int, *, by_exchange: bool = False) -> None:
        """Accept to cancel an order, which is done after the processing time, or raise RejectedError.

        :param bool by_exchange: of many orders at once, of which none is refused to its owner
        """
        if order.cancel_refused and not by_exchange:
            raise RejectedError('cancel_refused')
        if order.is_being_cancelled and not by_exchange:
            raise RejectedError('processing')
        order.is_being_cancelled = True
        self._acknowledged.append((now + self.processing_time, account, order))
        self.process(now)

    def process(self, now: int) -> None:
        """Do what was acknowledged and is due; called before anything else happens at that time."""
        due = [each for each in self._acknowledged if each[0] <= now]
        self._acknowledged = [each for each in self._acknowledged if each[0] > now]
        for _, account, order in due:
            order.is_being_cancelled = False
            if order.is_open and not order.cancel_fails_later:
                self._close(account, order, 'canceled', 'user', now)

    def clear(self) -> None:
        """Forget prices that were set, and what was acknowledged."""
        self.market.clear()
        self._acknowledged.clear()

    def cancel_where(
        self, account: Account, venue: str, wanted: Callable[[Order], bool], now: int, source: CancelSource = 'user'
    ) -> list[Order]:
        cancelled = [order for order in account.open_orders(venue) if wanted(order)]
        for order in cancelled:
            self._close(account, order, 'canceled', source, now)
        return cancelled

    # --- countdowns

    def start_countdown(
        self,
        account: Account,
        venue: str,
        name: str,
        milliseconds: int,
        now: int,
        *,
        covers: Callable[[Order], bool],
        blocks: bool = False,
    ) -> Countdown:
        """Start or restart a countdown; 0 ends it.

        :param str name: one countdown of a venue from another
        :param covers: whether it cancels an order
        :param bool blocks: once it fired, such orders are refused until it is set again
        """
        countdown = Countdown(milliseconds, now + milliseconds, covers, blocks)
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
                self.cancel_where(account, venue, countdown.covers, now, 'countdown')
                countdown.fired = True
                if not countdown.blocks:
                    del account.countdowns[venue, name]

    def _close(self, account: Account, order: Order, state: str, source: CancelSource, now: int) -> None:
        del account.resting[order.order_id]
        order.state = state
        order.cancel_source = source
        order.updated = now
        self._tell('canceled', account, order, now)

    def _tell(self, change: Change, account: Account, order: Order, now: int, quantity: Decimal = Decimal(0)) -> None:
        if self.observe is None:
            return
        trade_id = next(self._trade_ids) if change == 'filled' else 0
        event = Event(change, account, order.venue, order.underlying, now, copy.copy(order), quantity, trade_id)
        self.observe(event)
