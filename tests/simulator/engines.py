"""An engine with what the simulated exchanges list."""

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator.engine import Engine, Unverified

LISTINGS = [exchange.venue.listing for exchange in EXCHANGES.values()]


def new_engine(now=0, **unverified):
    return Engine(now, LISTINGS, Unverified(**unverified))
