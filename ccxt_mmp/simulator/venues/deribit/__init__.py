"""The simulated Deribit."""

from ccxt_mmp.simulator.venues.deribit.venue import DeribitVenue

__all__ = ['DeribitVenue']
