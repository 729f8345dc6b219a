"""The simulated Binance."""

from ccxt_mmp.simulator.venues.binance.venue import BinanceVenue

__all__ = ['BinanceVenue']
