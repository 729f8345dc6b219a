"""The options that a venue lists, a grid of strikes and expiries, and what their underlyings may be called.

An underlying has the exchange's own id and ccxt's unified names, with the settle currency or without. These names are
made here and not by the mixins: a mistake in one must not cancel out in the other.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar

from ccxt_mmp.simulator.instruments import Instrument, Series

DAY = 86_400_000


class Listing(ABC):
    """What an exchange lists and how it names it; a subclass for each."""

    venue: ClassVar[str]
    series: ClassVar[tuple[Series, ...]]  # from the beginning
    first_order_id: ClassVar[int]
    has_unique_client_ids: ClassVar[bool] = True  # of open orders
    keeps_client_ids: ClassVar[bool] = False  # those of orders that have ended are taken, too
    mixes_settles: ClassVar[bool] = False  # options of one underlying are settled in one currency or another
    window_starts_with_fill: ClassVar[bool] = False

    @abstractmethod
    def quote(self, series: Series) -> str:
        """What the options of a series are quoted in."""

    @abstractmethod
    def usual_settle(self, base: str, quote: str) -> str:
        """The settle currency of ``base/quote``, a unified name that does not say it."""

    @abstractmethod
    def underlying_id(self, base: str, quote: str, settle: str) -> str:
        """The exchange's own id of an underlying."""

    @abstractmethod
    def option_prefix(self, series: Series) -> str:
        """What the ids of its options begin with."""

    def option_id(self, series: Series, expiry: int, strike: int | str, side: str) -> str:
        """The id of an option; the side is C or P."""
        return f'{self.option_prefix(series)}-{_date(expiry)}-{strike}-{side}'

    def order_id(self, number: int, instrument: Instrument) -> str:
        return str(number)

    def client_order_id(self, number: int) -> str:
        """What an order without one is given, where every order has one."""
        return ''

    def others(self, series: Series, now: int) -> tuple[Instrument, ...]:
        """The futures and perpetuals of an underlying that have its protection, too."""
        return ()

    def unified_names(self, series: Series) -> tuple[str, ...]:
        """The one with the settle currency first."""
        quote = self.quote(series)
        short = f'{series.base}/{quote}'
        is_short_enough = series.settle == self.usual_settle(series.base, quote)
        return (f'{short}:{series.settle}', *([short] if is_short_enough else []))

    def unified_symbol(self, option: Instrument, series: Series) -> str:
        kind = 'C' if option.is_call else 'P'
        names = self.unified_names(replace(series, settle=option.settle))
        return '-'.join([names[0], _date(option.expiry), option.strike, kind])

    def find_underlying(self, name: object, listed: Mapping[str, Series]) -> str:
        """The id of a listed underlying by any of its names."""
        for own_id, series in listed.items():
            if name in (own_id, *self.unified_names(series)):
                return own_id
        known = ', '.join(f'{own_id} ({self.unified_names(series)[-1]})' for own_id, series in listed.items())
        raise ValueError(f'{self.venue} lists no option of {name}, but of {known}')

    def new_underlying_id(self, name: str, base: str, settle: str) -> str:
        """The id of an underlying to be listed: a unified name says what it is settled in, an id is taken as is."""
        pair, _, settled = name.partition(':')
        coin, slash, quote = pair.partition('/')
        if not slash:
            return name
        settled = settled or self.usual_settle(coin, quote)
        if (coin, settled) != (base, settle):
            raise ValueError(f'{name} of {self.venue} is of {coin} and {settled}, not {base} and {settle}')
        return self.underlying_id(coin, quote, settled)


ById = Mapping[tuple[str, str], Instrument]  # by venue and the exchange's own id of the option
ByUnderlying = Mapping[tuple[str, str], tuple[Instrument, ...]]  # by venue and underlying


def opening(listings: tuple[Listing, ...], now: int) -> tuple[ById, ByUnderlying]:
    """All options that the venues list from the beginning."""
    return _opening_of_a_day(listings, _day(now))


def grid(series: Series, listing: Listing, now: int) -> tuple[Instrument, ...]:
    """Every option of a series, of four expiries from now on."""
    day = _day(now)
    return tuple(option for expiry in expiries(day) for option in _options(series, listing, expiry, day - DAY))


@lru_cache(maxsize=100)  # a test suite starts thousands of simulators
def _opening_of_a_day(listings: tuple[Listing, ...], day: int) -> tuple[ById, ByUnderlying]:
    by_underlying: defaultdict[tuple[str, str], tuple[Instrument, ...]] = defaultdict(tuple)
    for listing in listings:
        for series in listing.series:
            by_underlying[series.venue, series.underlying] += grid(series, listing, day)
    by_id = {(option.venue, option.instrument_id): option for options in by_underlying.values() for option in options}
    others = (each for listing in listings for series in listing.series for each in listing.others(series, day))
    by_id |= {(each.venue, each.instrument_id): each for each in others}
    return by_id, dict(by_underlying)


def _day(now: int) -> int:
    return now - now % DAY


def expiries(day: int) -> list[int]:
    """08:00 UTC of the next Fridays in 1, 2, 5 and 13 weeks."""
    today = datetime.fromtimestamp(day / 1000, timezone.utc).replace(hour=8, minute=0, second=0, microsecond=0)
    friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
    return [int((friday + timedelta(weeks=weeks)).timestamp()) * 1000 for weeks in (0, 1, 4, 12)]


def day_month_year(time: int) -> str:
    """``6MAR26``, as some exchanges write an expiry."""
    return datetime.fromtimestamp(time / 1000, timezone.utc).strftime('%d%b%y').lstrip('0').upper()


def _date(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, timezone.utc).strftime('%y%m%d')


def _options(series: Series, listing: Listing, expiry: int, listed: int) -> Iterator[Instrument]:
    for strike in series.strikes:
        for side in 'CP':
            yield Instrument(
                venue=series.venue,
                instrument_id=listing.option_id(series, expiry, strike, side),
                underlying=series.underlying,
                base=series.base,
                settle=series.settle,
                strike=str(strike),
                expiry=expiry,
                is_call=side == 'C',
                listed=listed,
                coins_per_contract=Decimal(series.coins_per_contract),
                tick=series.tick,
                lot=series.lot,
            )
