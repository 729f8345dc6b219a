"""Market Maker Protection for ccxt's options exchanges: ``from ccxt_mmp import okx, binance``."""

import ccxt

from ccxt_mmp import errors
from ccxt_mmp._version import __version__
from ccxt_mmp.errors import MassCancelIncomplete, MassCancelLocked, MmpFrozen, MmpNotEnabled
from ccxt_mmp.mixins import AsyncMmp, BinanceMmp, Mmp, OkxMmp, SyncMmp
from ccxt_mmp.types import MassCancel, MmpState

__all__ = [
    'AsyncMmp',
    'BinanceMmp',
    'MassCancel',
    'MassCancelIncomplete',
    'MassCancelLocked',
    'Mmp',
    'MmpFrozen',
    'MmpNotEnabled',
    'MmpState',
    'OkxMmp',
    'SyncMmp',
    '__version__',
    'binance',
    'errors',
    'okx',
]


class okx(SyncMmp, OkxMmp, ccxt.okx):
    """``ccxt.okx`` with Market Maker Protection."""


class binance(SyncMmp, BinanceMmp, ccxt.binance):
    """``ccxt.binance`` with Market Maker Protection."""
