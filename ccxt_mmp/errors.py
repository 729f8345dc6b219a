"""What the exchanges refuse because of Market Maker Protection, as subclasses of ccxt's errors.

::

    ccxt.BaseError
    ├── ExchangeError
    │   ├── OperationRejected
    │   │   └── MmpFrozen            the protection has tripped: reset it or wait for the freeze to end
    │   ├── PermissionDenied
    │   │   └── MmpNotEnabled        the account has no market maker privilege
    │   └── InvalidOrder
    │       └── MassCancelLocked     new MMP orders are locked by a mass cancel
    │           └── MmpHalted        MMP orders of the account are halted until somebody resumes
    └── OperationFailed
        └── MassCancelIncomplete     a mass cancel could not cancel every order, or not make sure that it did

Every other failure is ccxt's own error: ``ArgumentsRequired``, ``BadRequest``, ``BadSymbol``, ``NotSupported``,
``OperationFailed``, ``NetworkError`` and so on.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence

from ccxt.base.errors import BaseError, InvalidOrder, OperationFailed, OperationRejected, PermissionDenied
from ccxt.base.types import Order

from ccxt_mmp._fall_through import fall_through
from ccxt_mmp.types import MassCancel, MmpHalt


class _Refusal(BaseError):  # noqa: N818 - a part of those below
    """What a refusal of MMP orders says beside its message."""

    orders: Sequence[Order] = ()

    def __init__(
        self,
        message: str = '',
        underlying: str | None = None,
        underlyingId: str | None = None,
        until: int | None = None,
    ) -> None:
        super().__init__(message)
        self.underlying = underlying
        self.underlyingId = underlyingId
        self.until = until


class MmpFrozen(_Refusal, OperationRejected):
    """Market Maker Protection has tripped and refuses MMP orders until it is reset or the freeze ends.

    underlying: unified, 'BTC/USD:BTC'; None where it is not known, and for block trading
    underlyingId: the exchange's own
    until: ms since the epoch at which the freeze ends by itself; None where that is not known, or only a reset ends it
    orders: what ``create_order`` or ``create_orders`` raises it for, with their client order ids
    """

    is_explained = False  # whether the message says which protection it is of


class MmpNotEnabled(PermissionDenied):
    """The account does not have the market maker privilege that the exchange grants on request.

    orders: what ``create_order`` or ``create_orders`` raises it for, with their client order ids
    """

    orders: Sequence[Order] = ()


class MassCancelLocked(_Refusal, InvalidOrder):
    """MMP orders are locked: by the exchange (OKX: ``lockInterval``), or not sent because a mass cancel came first.

    underlying: unified, 'BTC/USD:BTC'; None where it is not known, or there are several
    underlyingId: the exchange's own
    until: ms since the epoch at which the exchange's lock ends, if the last mass cancel of this object has set it,
        counted from before that was sent; None where that is not known, as after two at once, and for what was not sent
    orders: what ``create_order`` or ``create_orders`` raises it for, with their client order ids
    """

    is_explained = True  # whether the message says what is locked; not yet where the exchange refuses


class MmpHalted(MassCancelLocked):
    """MMP orders are halted, or it is not known whether they are; nothing was sent.

    halt: the halt that stops them; None where the store of halts cannot be read
    underlying, underlyingId, until: those of the halt
    orders: what ``create_order`` or ``create_orders`` raises it for, with their client order ids
    """

    def __init__(self, message: str = '', halt: MmpHalt | None = None) -> None:
        super().__init__(message)
        self.halt = halt
        if halt is not None:
            self.underlying, self.underlyingId, self.until = halt['underlying'], halt['underlyingId'], halt['until']


class MassCancelIncomplete(OperationFailed):
    """A mass cancel could not cancel every MMP order, or could not make sure that it did.

    cancelled: ids of the orders that the exchange says it cancelled; Bybit says it by the list that has them no more
    remaining: ids of the orders that rest in the book, or whose cancellation was refused or never sent
    unknown: ids of the orders of which nothing is certain, such as those whose answer was lost; on Bybit a new order
        whose answer was lost is there by its client order id
    results: of ``mass_cancel_mmps``, by name: what the mass cancel of each underlying returned or raised
    """

    def __init__(
        self,
        message: str,
        cancelled: Iterable[str] = (),
        remaining: Iterable[str] = (),
        unknown: Iterable[str] = (),
        results: Mapping[str, MassCancel | Exception] | None = None,
    ) -> None:
        super().__init__(message)
        self.results = dict(results or {})
        self.cancelled = list(cancelled)
        self.remaining = list(remaining)
        self.unknown = list(unknown)


# ccxt's own errors are here, too
__getattr__, __dir__ = fall_through(sys.modules[__name__], sys.modules[OperationFailed.__module__])
