"""The options APIs of OKX and Binance on loopback, for the demo, the recordings, and the tests of your own bot."""

from ccxt_mmp.simulator.engine import Account, Order, Protection, Rule
from ccxt_mmp.simulator.server import KEY, PASSPHRASE, SECRET, LoggedRequest, Simulator

__all__ = ['KEY', 'PASSPHRASE', 'SECRET', 'Account', 'LoggedRequest', 'Order', 'Protection', 'Rule', 'Simulator']
