"""The exchanges and what each is called: the doors, the command line, the simulator and the tests read it.

It is data alone. What an entry names is imported when it is asked for.
"""

from importlib import import_module
from typing import Any, NamedTuple

__all__ = ['EXCHANGES', 'Exchange']


class Exchange(NamedTuple):
    """An exchange: ``exchanges/<id>/`` has its mixin, ``simulator/venues/<id>/`` its simulated side."""

    id: str  # ccxt's
    name: str  # for people
    underlying: str  # an example: its unified name
    underlying_id: str  # and the exchange's own id of it
    mixin_name: str
    venue_name: str
    has_rfq: bool = False  # a protection of block trading, with the scope 'rfq'

    @property
    def mixin(self) -> Any:
        """The class that adds the MMP methods of this exchange."""
        return getattr(import_module(f'ccxt_mmp.exchanges.{self.id}'), self.mixin_name)

    @property
    def venue(self) -> Any:
        """The class that answers as this exchange in the simulator."""
        return getattr(import_module(f'ccxt_mmp.simulator.venues.{self.id}'), self.venue_name)


EXCHANGES = {
    each.id: each
    for each in (
        Exchange('okx', 'OKX', 'BTC/USD', 'BTC-USD', 'OkxMmp', 'OkxVenue', has_rfq=True),
        Exchange('binance', 'Binance', 'BTC/USDT', 'BTCUSDT', 'BinanceMmp', 'BinanceVenue'),
    )
}
