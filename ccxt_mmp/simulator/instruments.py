"""An option, future or perpetual, and a series of options of one underlying."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal['option', 'future', 'perpetual']


@dataclass(frozen=True)
class Instrument:
    venue: str
    instrument_id: str
    underlying: str  # the exchange's own id: OKX's instrument family, Binance's underlying, Deribit's index
    base: str
    settle: str
    strike: str
    expiry: int
    is_call: bool
    listed: int
    coins_per_contract: Decimal
    tick: str
    lot: str
    kind: Kind = 'option'
    is_inverse: bool = False  # a future or perpetual whose amounts are in dollars

    def coins(self, amount: Decimal, price: Decimal) -> Decimal:
        """What a limit of contracts counts of an amount: coins of a future or perpetual."""
        return amount / price if self.is_inverse else amount


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
