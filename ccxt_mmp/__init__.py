"""Market Maker Protection for ccxt's options exchanges: ``from ccxt_mmp import okx, binance, deribit, bybit``.

Every other name is ccxt's: a script changes ``import ccxt`` into ``import ccxt_mmp as ccxt`` and nothing else.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import ccxt

from ccxt_mmp import errors
from ccxt_mmp._fall_through import fall_through
from ccxt_mmp._lazy_exchanges import lazy_exchanges
from ccxt_mmp._version import __version__
from ccxt_mmp.doors import extend, install, uninstall
from ccxt_mmp.errors import MassCancelIncomplete, MassCancelLocked, MmpFrozen, MmpHalted, MmpNotEnabled
from ccxt_mmp.mixins import AsyncMmp, Mmp, SyncMmp
from ccxt_mmp.types import MassCancel, MmpHalt, MmpState

if TYPE_CHECKING:
    from ccxt_mmp.mixins import BinanceMmp, BybitMmp, DeribitMmp, OkxMmp

__all__ = [
    'AsyncMmp',
    'BinanceMmp',
    'BybitMmp',
    'DeribitMmp',
    'MassCancel',
    'MassCancelIncomplete',
    'MassCancelLocked',
    'Mmp',
    'MmpFrozen',
    'MmpHalt',
    'MmpHalted',
    'MmpNotEnabled',
    'MmpState',
    'OkxMmp',
    'SyncMmp',
    '__version__',
    'binance',
    'bybit',
    'deribit',
    'errors',
    'extend',
    'install',
    'okx',
    'uninstall',
]


if TYPE_CHECKING:  # _lazy_exchanges.py makes the same

    class okx(SyncMmp, OkxMmp, ccxt.okx):
        """``ccxt.okx`` with Market Maker Protection."""

    class binance(SyncMmp, BinanceMmp, ccxt.binance):
        """``ccxt.binance`` with Market Maker Protection."""

    class deribit(SyncMmp, DeribitMmp, ccxt.deribit):
        """``ccxt.deribit`` with Market Maker Protection."""

    class bybit(SyncMmp, BybitMmp, ccxt.bybit):
        """``ccxt.bybit`` with Market Maker Protection."""


import_module('ccxt_mmp.exchanges')  # which puts the package here: not later, over ccxt's list of ids
exchanges = ccxt.exchanges

_MAKERS = lazy_exchanges(sys.modules[__name__], SyncMmp, ccxt)
__getattr__, __dir__ = fall_through(sys.modules[__name__], ccxt, ('async_support', 'pro'), _MAKERS)
