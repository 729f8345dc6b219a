"""An option, and a series of options of one underlying."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Instrument:
    venue: str
    instrument_id: str
    underlying: str  # the exchange's own id: OKX's instrument family, Binance's underlying
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
