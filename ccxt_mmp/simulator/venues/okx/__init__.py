"""The simulated OKX."""

from ccxt_mmp.simulator.venues.okx.venue import OkxVenue

__all__ = ['OkxVenue']
