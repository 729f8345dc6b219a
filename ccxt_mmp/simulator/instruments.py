"""The options that the simulator lists: a grid of strikes and expiries for each underlying."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

DAY = 86_400_000


@dataclass(frozen=True)
class Instrument:
    venue: str
    instrument_id: str
    underlying: str  # OKX's instrument family, Binance's underlying
    base: str
    settle: str
    strike: str
    expiry: int
    is_call: bool
    listed: int
    coins_per_contract: Decimal
    tick: str
    lot: str


@dataclass(frozen=True)
class Series:
    """Options that differ by strike, expiry and side alone."""

    venue: str
    underlying: str
    base: str
    settle: str
    strikes: Iterable[int | str]
    coins_per_contract: str
    tick: str
    lot: str


_BTC_STRIKES = range(60_000, 165_000, 5_000)
_ETH_STRIKES = range(2_000, 6_200, 200)
SERIES = (
    Series('okx', 'BTC-USD', 'BTC', 'BTC', _BTC_STRIKES, '0.01', '0.0001', '1'),
    Series('okx', 'ETH-USD', 'ETH', 'ETH', _ETH_STRIKES, '0.1', '0.0001', '1'),
    Series('okx', 'BTC-USD_UM', 'BTC', 'USD', _BTC_STRIKES, '0.01', '5', '1'),
    Series('binance', 'BTCUSDT', 'BTC', 'USDT', _BTC_STRIKES, '1', '0.1', '0.01'),
    Series('binance', 'ETHUSDT', 'ETH', 'USDT', _ETH_STRIKES, '1', '0.1', '0.01'),
)


def grid(series: Series, now: int) -> tuple[Instrument, ...]:
    """Every option of a series, of four expiries from now on."""
    return _grid_of_a_day(series, now - now % DAY)


@lru_cache(maxsize=100)  # a test suite starts hundreds of simulators
def _grid_of_a_day(series: Series, day: int) -> tuple[Instrument, ...]:
    return tuple(option for expiry in _expiries(day) for option in _options(series, expiry, day - DAY))


def _expiries(day: int) -> list[int]:
    """08:00 UTC of the next Fridays in 1, 2, 5 and 13 weeks."""
    today = datetime.fromtimestamp(day / 1000, timezone.utc).replace(hour=8, minute=0, second=0, microsecond=0)
    friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
    return [int((friday + timedelta(weeks=weeks)).timestamp()) * 1000 for weeks in (0, 1, 4, 12)]


def _options(series: Series, expiry: int, listed: int) -> Iterator[Instrument]:
    date = datetime.fromtimestamp(expiry / 1000, timezone.utc).strftime('%y%m%d')
    name = series.underlying if series.venue == 'okx' else series.base
    for strike in series.strikes:
        for side in 'CP':
            yield Instrument(
                venue=series.venue,
                instrument_id=f'{name}-{date}-{strike}-{side}',
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
