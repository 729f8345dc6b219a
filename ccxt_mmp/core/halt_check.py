"""Whether MMP orders are halted: the store of halts is read right before they are sent."""

import hashlib
import time
import weakref
from collections.abc import Awaitable, Iterable
from typing import Any

from ccxt.base.errors import BadRequest, NotSupported

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.halt_settings import Halts
from ccxt_mmp.core.host import Host
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.text import date_of, described, shown
from ccxt_mmp.errors import MmpHalted
from ccxt_mmp.halts import ALL, SCHEMES, BadUrlError, HaltStoreError, StoredHalt, open_store
from ccxt_mmp.types import MmpHalt

OPTION = 'mmpHalt'
DEFAULTS: dict[str, Any] = {'url': None, 'account': None, 'onLost': 'closed', 'timeout': 200, 'grace': 1000}  # ms
ON_LOST = ('closed', 'open')
WARN_EVERY = 1.0  # s
MAX_TIME = 86_400_000  # ms; what waits in Python takes no time without end


class HaltCheck(Host):
    """Stops MMP orders while they are halted."""

    def _pass_halt(self, context: RequestContext | None, *, is_own: bool = True) -> Awaitable[None] | None:
        """Raise MmpHalted if the MMP orders of a request are halted.

        A store that is async has to be waited for: it returns an awaitable, which raises.

        is_own: the caller sends the request, and counts its orders as in flight after this
        """
        if context is None or context.is_of_orders is False or not context.underlyings:
            return None
        halts = self._halts()
        if halts is None:
            return None
        if is_own:
            context.withdraw()  # a mass cancel waits for no store
        try:
            found = halts.store.read(halts.key, (ALL, *context.underlyings))
        except HaltStoreError as error:
            self._halts_are_lost(halts, error, context)
            return None
        if not isinstance(found, list):
            return self._await_halts(halts, found, context)
        if found:
            self._refuse_halted(halts, found, context)
        return None

    def _pass_halt_early(self, context: RequestContext) -> None:
        """Before a ``fetch`` of the user's, which may go around ours; what has to be awaited is read in ours alone."""
        halts = self._halts()
        if halts is not None and not halts.store.is_async:
            self._pass_halt(context)

    async def _await_halts(self, halts: Halts, reading: Awaitable[list[StoredHalt]], context: RequestContext) -> None:
        try:
            found = await reading
        except HaltStoreError as error:
            self._halts_are_lost(halts, error, context)
        else:
            self._refuse_halted(halts, found, context)

    def _refuse_halted(self, halts: Halts, found: list[StoredHalt], context: RequestContext) -> None:
        for each in self._in_force(found):
            raise self._halted(halts, each, context)

    def _halts_are_lost(self, halts: Halts, error: HaltStoreError, context: RequestContext) -> None:
        if not halts.lets_pass_if_lost:
            raise MmpHalted(
                f'{self.id} {context.unsent}: whether MMP orders are halted is not known, {described(error)}'
            ) from error
        self._warn_of_lost_halts(halts, error)

    def _in_force(self, stored: Iterable[StoredHalt]) -> list[StoredHalt]:
        now = self.milliseconds()
        return [each for each in stored if each.until is None or each.until > now]

    def _halted(self, halts: Halts, stored: StoredHalt, context: RequestContext) -> MmpHalted:
        halt = self._mmp_halt(halts, stored)
        name = halt['underlying'] or halt['underlyingId']
        since, until = (date_of(self, each) or f'{each} ms' for each in (stored.since, stored.until))
        end = 'they are resumed' if stored.until is None else until
        ends = f'resume_mmp({repr(name) if name else ""}) ends it'
        reason = '' if stored.reason is None else f': {stored.reason}'
        return MmpHalted(
            f'{self.id} {context.unsent}: MMP orders of {name or "all underlyings"} are halted until {end}, '
            f'since {since} by {stored.by}; {ends}{reason}',
            halt,
        )

    def _mmp_halt(self, halts: Halts, stored: StoredHalt) -> MmpHalt:
        underlying_id = None if stored.underlying == ALL else stored.underlying
        return {
            'info': stored._asdict(),
            'account': halts.account,
            'underlying': None if underlying_id is None else self._unified_underlying(underlying_id),
            'underlyingId': underlying_id,
            'reason': stored.reason,
            'by': stored.by,
            'since': stored.since,
            'until': stored.until,
        }

    def _warn_of_lost_halts(self, halts: Halts, error: HaltStoreError) -> None:
        now = time.monotonic()
        if now - halts.warned_at >= WARN_EVERY:
            halts.warned_at = now
            self.logger.warning('%s sends MMP orders without knowing whether they are halted: %s', self.id, error)

    async def _close_halts(self) -> None:
        halts: Halts | None = self.__dict__.get('_mmp_halts')
        if halts is not None and halts.store is not None:
            await await_result(halts.store.close())

    # --- the option

    def _halts(self) -> Halts | None:
        """None without the option. Raises BadRequest or NotSupported for one that cannot be used."""
        given = self.options.get(OPTION)
        if given is None:
            return None
        halts: Halts | None = self.__dict__.get('_mmp_halts')
        if halts is None or not halts.is_of(self, given):
            halts = self._opened_halts(given)
            self._mmp_halts = halts
        return halts

    def _opened_halts(self, given: Any) -> Halts:
        settings = self._halt_settings(given)
        halts = Halts()
        halts.given, halts.api_key = {**given}, self.apiKey
        account = settings['account']
        if account is None:
            self.check_required_credentials()
            account = f'sha256:{hashlib.sha256(f"{self.id}:{self.apiKey}".encode()).hexdigest()}'
        halts.account, halts.key = account, f'{self.id}:{account}'
        halts.lets_pass_if_lost = settings['onLost'] == 'open'
        halts.grace = settings['grace']
        try:
            halts.store = open_store(settings['url'], settings['timeout'] / 1000, is_async=not self.synchronous)
        except ImportError as error:
            raise NotSupported(
                f"{self.id} keeps halts in Redis with redis-py alone: pip install 'ccxt-mmp[redis]'"
            ) from error
        except BadUrlError as error:
            raise self._bad_halt_option('url', str(error)) from None
        halts.owner = weakref.ref(self)
        return halts

    def _halt_settings(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise BadRequest(f"{self.id} options['{OPTION}'] must be a dict with a url")
        unknown = [name for name in given if name not in DEFAULTS]
        if unknown:
            raise BadRequest(f"{self.id} options['{OPTION}'] has no {shown(unknown[0])}, it has {', '.join(DEFAULTS)}")
        settings = {name: default if given.get(name) is None else given[name] for name, default in DEFAULTS.items()}
        url, account = settings['url'], settings['account']
        if not isinstance(url, str) or url.partition(':')[0] not in SCHEMES or ':' not in url:
            raise self._bad_halt_option('url', f'must begin with one of {", ".join(f"{each}:" for each in SCHEMES)}')
        if account is not None and not (isinstance(account, str) and is_name(account)):
            must_be = 'must be a text that is not empty, without white space at its ends and control characters'
            raise self._bad_halt_option('account', f'{must_be}, received {shown(account)}')
        if settings['onLost'] not in ON_LOST:
            raise self._bad_halt_option('onLost', f'must be closed or open, received {shown(settings["onLost"])}')
        for name, least in (('timeout', 'above'), ('grace', 'at least')):
            value = settings[name]
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not (0 < value <= MAX_TIME or (value == 0 and least == 'at least')):
                must_be = f'must be a number {least} 0 and at most {MAX_TIME} (ms)'
                raise self._bad_halt_option(name, f'{must_be}, received {shown(value)}')
        return settings

    def _bad_halt_option(self, name: str, says: str) -> BadRequest:
        return BadRequest(f"{self.id} options['{OPTION}']['{name}'] {says}")


def is_name(text: str) -> bool:
    """Whether a text can name an account: 'desk1 ' would look like 'desk1', and be another one."""
    return text != '' and text == text.strip() and text.isprintable()
