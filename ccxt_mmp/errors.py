"""What the exchanges refuse because of Market Maker Protection, as subclasses of ccxt's errors.

::

    ccxt.BaseError
    └── ExchangeError
        ├── OperationRejected
        │   └── MmpFrozen            the protection has tripped: reset it or wait for the freeze to end
        ├── PermissionDenied
        │   └── MmpNotEnabled        the account has no market maker privilege
        └── InvalidOrder
            └── MassCancelLocked     new MMP orders are locked by a mass cancel

Every other failure is ccxt's own error: ``ArgumentsRequired``, ``BadRequest``, ``BadSymbol``, ``NotSupported``,
``OperationFailed``, ``NetworkError`` and so on.
"""

from ccxt.base.errors import InvalidOrder, OperationRejected, PermissionDenied


class MmpFrozen(OperationRejected):
    """Market Maker Protection has tripped and refuses MMP orders until it is reset or the freeze ends."""


class MmpNotEnabled(PermissionDenied):
    """The account does not have the market maker privilege that the exchange grants on request."""


class MassCancelLocked(InvalidOrder):
    """MMP orders are locked after a mass cancel (OKX: ``lockInterval``)."""
