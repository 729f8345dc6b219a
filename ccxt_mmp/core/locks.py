"""What an exchange object knows of the locks that its mass cancels set, and the text of MassCancelLocked."""

from ccxt_mmp.core.fence import Closure
from ccxt_mmp.core.host import Host
from ccxt_mmp.core.text import date_of
from ccxt_mmp.errors import MassCancelLocked

# begins every refusal of a lock until the underlying is known
LOCKED = 'MMP orders are locked by a mass cancel (lockInterval): send the order again when the lock is over'


class Lock:
    """What the last mass cancel of an underlying has locked."""

    closure: Closure  # of the mass cancel
    others: tuple[Closure, ...]  # of those in progress when it began, which may come to the exchange after it
    until: int | None = None  # ms since the epoch; None without a lock, and unless the exchange says that it is done

    def __init__(self, closure: Closure, others: tuple[Closure, ...]) -> None:
        self.closure, self.others = closure, others

    @property
    def in_progress(self) -> tuple[Closure, ...]:
        return tuple(each for each in (self.closure, *self.others) if each.is_open)

    def ends(self, until: int) -> int:
        if not self.others:
            self.until = until
        return until


class Locks(Host):
    """Explains ``MassCancelLocked``, and remembers locks."""

    def _next_lock(self, underlying_id: str, closure: Closure) -> Lock:
        """That of a mass cancel that begins. An earlier one is forgotten: this mass cancel may end it."""
        locks: dict[str, Lock] = self.__dict__.setdefault('_mmp_locks', {})
        before = locks.get(underlying_id)
        lock = locks[underlying_id] = Lock(closure, () if before is None else before.in_progress)
        return lock

    def _name_lock(self, error: MassCancelLocked, underlying_id: str, now: int) -> None:
        """Say what is locked, until when and what to do next."""
        lock: Lock | None = self.__dict__.get('_mmp_locks', {}).get(underlying_id)
        until = None if lock is None or lock.until is None or lock.until <= now else lock.until
        underlying = self._unified_underlying(underlying_id)
        rule = self._mmp_limits('orders').get('lockInterval') or {}
        at_most = f', {rule["max"]} ms at most' if 'max' in rule else ''
        ends = f'how long is not known{at_most}' if until is None else f'until {date_of(self, until)}'
        name = underlying or underlying_id
        said = str(error).removeprefix(f'{self.id} {LOCKED}: ')
        way_out = f"mass_cancel_mmp({name!r}, {{'lockInterval': 0}}) ends it sooner"
        what_next = f'send the order again when it is over, {way_out}'
        error.args = (f'{self.id} MMP of {name} is locked by a mass cancel, {ends}; {what_next}: {said}',)
        error.underlying, error.underlyingId, error.until = underlying, underlying_id, until
        error.is_explained = True
