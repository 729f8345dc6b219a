"""The simulated Bybit."""

from ccxt_mmp.simulator.venues.bybit.venue import BybitVenue

__all__ = ['BybitVenue']
