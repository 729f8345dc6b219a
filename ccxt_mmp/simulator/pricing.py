"""What options are worth on the simulated exchanges. **All prices are made up**; nobody trades at them.

A coin costs what the middle one of its strikes says until the control side sets it otherwise; Black's formula of 1976
makes marks and greeks of that with one volatility and no interest. An order book is a few steps around the mark, always
of the same sizes: it holds no orders of accounts. Times are ms and passed in.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ccxt_mmp.simulator.instruments import Instrument, Series
from ccxt_mmp.simulator.wire import is_positive

VOLATILITY = 0.5  # a year
YEAR = 365 * 86_400_000
SHORTEST = 60_000  # ms, of the last minute an option is priced as if it had all of it
SPREAD = Decimal('0.02')  # on each side of the mark
STEPS = 5  # of a side of an order book
LOTS_OF_A_STEP = 100
DIGITS = 8
HIGHEST_INDEX = 10**12

Level = tuple[Decimal, Decimal]  # price, contracts


@dataclass(frozen=True)
class Valuation:
    """An option at a time. Prices are of one coin of the underlying, in what the option is settled in."""

    index: Decimal  # price of the coin
    mark: Decimal
    bid: Decimal | None  # None: worth less than one tick
    ask: Decimal
    step: Decimal  # between the prices of a book
    contracts: Decimal  # at the best price; at each further one as many more
    # as Black and Scholes have them, in dollars: of one coin
    delta: float
    gamma: float
    theta: float  # of a day
    vega: float  # of one percent
    in_coin: bool  # settled in the coin, and so priced in it

    @property
    def bids(self) -> list[Level]:
        if self.bid is None:
            return []
        prices = [self.bid - step * self.step for step in range(STEPS)]
        return [(price, self.contracts * (step + 1)) for step, price in enumerate(prices) if price > 0]

    @property
    def asks(self) -> list[Level]:
        return [(self.ask + step * self.step, self.contracts * (step + 1)) for step in range(STEPS)]


class Market:
    """The prices of all coins, and of the options of them."""

    def __init__(self, series: Mapping[str, Mapping[str, Series]]) -> None:
        self._series = series  # by venue and underlying
        self._set: dict[tuple[str, str], Decimal] = {}

    def set_index(self, venue: str, base: str, price: Decimal) -> None:
        """What a coin costs on a venue from now on."""
        self._set[venue, base] = price

    def clear(self) -> None:
        self._set.clear()

    def index(self, venue: str, base: str) -> Decimal:
        if (venue, base) in self._set:
            return self._set[venue, base]
        series = next(each for each in self._series[venue].values() if each.base == base)
        strikes = sorted(Decimal(str(strike)) for strike in series.strikes)
        return strikes[len(strikes) // 2]

    def value(self, option: Instrument, now: int) -> Valuation:
        index = self.index(option.venue, option.base)
        years = max(option.expiry - now, SHORTEST) / YEAR
        price, strike = float(index), float(option.strike)
        deviation = VOLATILITY * math.sqrt(years)
        d1 = math.log(price / strike) / deviation + deviation / 2
        d2 = d1 - deviation
        density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
        call = price * _normal(d1) - strike * _normal(d2)
        in_coin = option.settle == option.base
        dollars = call if option.is_call else call - price + strike
        mark = Decimal(_text(max(dollars, 0) / (price if in_coin else 1)))
        tick = Decimal(option.tick)
        bid = _rounded(mark * (1 - SPREAD), tick, ROUND_FLOOR)
        return Valuation(
            index=index,
            mark=mark,
            bid=bid or None,
            ask=max(_rounded(mark * (1 + SPREAD), tick, ROUND_CEILING), bid + tick),
            step=tick,
            contracts=Decimal(option.lot) * LOTS_OF_A_STEP,
            delta=_normal(d1) - (0 if option.is_call else 1),
            gamma=density / (price * deviation),
            theta=-price * density * VOLATILITY / (2 * math.sqrt(years)) / 365,
            vega=price * density * math.sqrt(years) / 100,
            in_coin=in_coin,
        )


def plain(number: Decimal | float) -> str:
    """A decimal as exchanges write it, of at most eight digits after the point."""
    text = _text(number)
    text = text.rstrip('0').rstrip('.') if '.' in text else text
    return '0' if text == '-0' else text


def checked_index(price: float | str) -> Decimal:
    """The price of a coin; ValueError for what is none."""
    text = str(price)
    if isinstance(price, bool) or not is_positive(text) or Decimal(text) > HIGHEST_INDEX:
        raise ValueError(f'the price of a coin is a plain number above 0 and at most {HIGHEST_INDEX}, not {price!r}')
    return Decimal(text)


def _text(number: Decimal | float) -> str:
    return format(Decimal(number), f'.{DIGITS}f')  # of any length, unlike round()


def _normal(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


def _rounded(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (price / tick).to_integral_value(rounding) * tick
