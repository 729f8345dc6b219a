"""The exchanges' options APIs on loopback, for the demo, the recordings, and the tests of your own bot."""

from ccxt_mmp.simulator.accounts import Account, Order, Protection, Rule
from ccxt_mmp.simulator.log import LoggedRequest
from ccxt_mmp.simulator.redirection import redirect
from ccxt_mmp.simulator.simulator import KEY, PASSPHRASE, SECRET, Simulator

__all__ = [
    'KEY',
    'PASSPHRASE',
    'SECRET',
    'Account',
    'LoggedRequest',
    'Order',
    'Protection',
    'Rule',
    'Simulator',
    'redirect',
]
