"""The MMP endpoints of OKX and Binance on loopback: for the demo, the recordings, and the tests of your own bot."""

from ccxt_mmp.simulator.engine import Order, Protection, Rule
from ccxt_mmp.simulator.server import KEY, PASSPHRASE, SECRET, Simulator

__all__ = ['KEY', 'PASSPHRASE', 'SECRET', 'Order', 'Protection', 'Rule', 'Simulator']
