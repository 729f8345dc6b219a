"""Where halts are kept: SQLite on one machine, Redis or Valkey for several. An engine is imported when it is used."""

import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from ccxt.base.errors import OperationFailed

__all__ = [
    'ALL',
    'SCHEMES',
    'BadUrlError',
    'HaltStore',
    'HaltStoreError',
    'StoredHalt',
    'begun',
    'checked',
    'open_store',
    'outcome',
]

ALL = '*'  # in place of an underlying: a halt of the whole account

_REDIS = 'redis'
# of a url, and the module and the scheme that its engine knows
SCHEMES = {
    'sqlite': ('sqlite', 'sqlite'),
    'redis': (_REDIS, 'redis'),
    'rediss': (_REDIS, 'rediss'),
    'unix': (_REDIS, 'unix'),
    'valkey': (_REDIS, 'redis'),
    'valkeys': (_REDIS, 'rediss'),
}


class HaltStoreError(OperationFailed):
    """The store of halts cannot be read or written, or not in time."""


class BadUrlError(ValueError):
    """A url that no store can be opened with. Its text has neither the url nor a value of an option."""


class StoredHalt(NamedTuple):
    """A halt as it is stored."""

    underlying: str  # the exchange's id, or ALL
    since: int  # ms since the epoch
    until: int | None  # ms since the epoch; None = until it is ended
    reason: str | None
    by: str  # host and pid


_NONE = type(None)
_KINDS = ((str,), (int,), (int, _NONE), (str, _NONE), (str,))  # of these fields


class HaltStore(Protocol):
    """A store. Each method returns its result, or an awaitable of it where ``is_async``.

    Everything that goes wrong is a ``HaltStoreError``. An account is any text. Halts whose time is over are returned,
    too: the reader's clock judges them.
    """

    is_async: bool

    def read(self, account: str, underlyings: Sequence[str]) -> Any:
        """The halts of these underlyings, as a list; ALL is one of the names."""

    def read_all(self, account: str) -> Any:
        """All halts of the account."""

    def write(self, account: str, halt: StoredHalt) -> Any:
        """Store a halt, unless one of the same underlying lasts as long or longer; returns the one that stands."""

    def end(self, account: str, underlying: str | None) -> Any:
        """Delete the halt of an underlying, or all (None); returns those that there were."""

    def close(self) -> Any:
        """Close the connections. A later call opens new ones."""


def open_store(url: str, timeout: float, *, is_async: bool) -> HaltStore:
    """The store of a url; nothing is opened or sent yet. timeout: s. BadUrlError for a url that is none."""
    scheme, _, rest = url.partition(':')
    module, known_as = SCHEMES[scheme]
    engine = import_module(f'ccxt_mmp.halts.{module}')
    return cast(HaltStore, engine.opened(f'{known_as}:{rest}', timeout, is_async=is_async))


def checked(halt: StoredHalt) -> StoredHalt:
    """The halt. Raises if its values have other types: somebody else may have written it, and it may halt."""
    if not all(type(value) in kinds for value, kinds in zip(halt, _KINDS, strict=True)):
        raise HaltStoreError(f'the halt of {halt.underlying} cannot be read')
    return halt


# --- stores that block have threads


def outcome(work: Callable[[], Any]) -> Any:
    """The result, or whatever was raised: a thread that ends without either would be waited for in vain."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - the caller raises it
        return error


def begun(work: Callable[[], None]) -> Callable[[], None]:
    """Do it in a thread, or at once where none can be started. Returns what waits until it is done."""
    thread = threading.Thread(target=work, name='ccxt-mmp', daemon=True)
    try:
        thread.start()
    except RuntimeError:  # too many threads, or the interpreter is shutting down
        work()
        return lambda: None
    return thread.join
