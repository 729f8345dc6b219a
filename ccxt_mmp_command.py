"""The installed command ``ccxt-mmp``, imported without the garbage collector: a kill switch must not wait for it.

A module outside the package, whose import brings ccxt.
"""

import gc

# ccxt's import makes many objects, none of them garbage: the search for it would take a quarter of the time
gc.disable()

from ccxt_mmp.cli import main  # noqa: E402

gc.freeze()  # nor is it searched for among these later
gc.enable()

__all__ = ['main']
