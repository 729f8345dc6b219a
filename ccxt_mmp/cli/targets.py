"""The targets of a command, and the exchange objects for them."""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ccxt.base.errors import AuthenticationError, BadSymbol, NotSupported

from ccxt_mmp._redaction import without_values
from ccxt_mmp.cli.threads import InThreads
from ccxt_mmp.cli.traffic import show_answers
from ccxt_mmp.core.text import described
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import Scope

ATTEMPTS = 3  # of a request of a cancel
SELDOM = 5  # intervals of --watch between two reads of what the exchange pushes
MAX_MESSAGE = 500
BLOCK_TRADING = 'rfq'
HALT_URL, HALT_ACCOUNT, TARGETS = 'CCXT_MMP_HALT', 'CCXT_MMP_HALT_ACCOUNT', 'CCXT_MMP_TARGETS'
ACCOUNT = re.compile(r'[a-z0-9_-]+')
FORMS = ('EXCHANGE:UNDERLYING', 'EXCHANGE', 'EXCHANGE@ACCOUNT:UNDERLYING')


@dataclass(frozen=True)
class Target:
    """What a command is about: one protection, ``'okx:BTC/USD'``, ``'okx@desk2:rfq'``, or all of ``'okx'``."""

    text: str
    exchange_id: str
    underlying: str | None = None  # None for block trading and where it is all
    scope: Scope = 'orders'
    account: str = ''  # '' is the one without a name
    is_all: bool = False  # everything of the exchange

    @classmethod
    def parsed(cls, text: str) -> 'Target':
        place, colon, underlying = text.strip().partition(':')
        exchange_id, at, account = place.lower().partition('@')
        if at and not ACCOUNT.fullmatch(account):
            exchange_id, account = place, ''  # which no exchange is called
        if not colon:
            return cls(text, exchange_id, None, account=account, is_all=True)
        if underlying.lower() == BLOCK_TRADING:
            return cls(text, exchange_id, None, 'rfq', account)
        return cls(text, exchange_id, _in_its_case(exchange_id, underlying), account=account)

    @property
    def place(self) -> str:
        """The exchange and the account, as a target names them."""
        return f'{self.exchange_id}@{self.account}' if self.account else self.exchange_id

    @property
    def protection(self) -> tuple[str, str | None, str | None]:
        """The same for all spellings of one protection."""
        if self.is_all or self.underlying is None:
            return self.place, None, 'all' if self.is_all else self.scope
        return self.place, _underlying_id(self.exchange_id, self.underlying) or self.underlying, self.scope

    def variable(self, name: str) -> str:
        """The environment variable of a credential."""
        parts = [self.exchange_id, self.account, name] if self.account else [self.exchange_id, name]
        return '_'.join(parts).replace('-', '_').upper()

    def of(self, underlying: str) -> 'Target':
        """One underlying of a target that is all of an exchange."""
        return replace(self, underlying=underlying, is_all=False)


def _underlying_id(exchange_id: str, underlying: str) -> str | None:
    if exchange_id not in EXCHANGES:
        return None
    found: str | None = EXCHANGES[exchange_id].mixin._parse_underlying(underlying)
    return found


def _in_its_case(exchange_id: str, underlying: str) -> str:
    """The underlying in the case that the exchange takes, if there is one."""
    spellings = (underlying, underlying.upper(), underlying.lower())
    return next((each for each in spellings if _underlying_id(exchange_id, each)), underlying)


def lines_of(path: str) -> list[str]:
    """The targets of a file, one a line; what is behind a ``#`` is a comment."""
    # undecodable bytes stay as they are in arguments
    text = Path(path).read_text(encoding='utf-8-sig', errors='surrogateescape')
    return [line for line in (each.partition('#')[0].strip() for each in text.splitlines()) if line]


class Exchanges:
    """The exchange objects of a command, one for each account; closed at the end of the block."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self.environment: dict[str, str] = {**os.environ, **_env_file(arguments.env_file)}
        self._opened: dict[str, Any] = {}
        self._secrets: set[str] = set()

    async def __aenter__(self) -> 'Exchanges':
        return self

    async def __aexit__(self, *error: object) -> None:
        for exchange in self._opened.values():
            await exchange.close()

    def of(self, target: Target) -> Any:
        """The exchange object of a target. Raises if the exchange is unknown or credentials are missing."""
        if target.exchange_id not in EXCHANGES:
            raise BadSymbol(f'a target is {" or ".join(f"{each}:UNDERLYING" for each in EXCHANGES)}, not {target.text}')
        if target.place not in self._opened:
            self._opened[target.place] = self._open(target)
        return self._opened[target.place]

    def now(self, target: Target) -> int:
        """The time of a target's exchange, ms since the epoch; 0 if it was not reached."""
        exchange = self._opened.get(target.place)
        return 0 if exchange is None else int(exchange.nonce())

    def _open(self, target: Target) -> Any:
        arguments = self._arguments
        exchange = getattr(import_module(door_of(arguments)), target.exchange_id)()
        halt = halt_option(self.environment, target.account)
        if halt is not None:
            exchange.options['mmpHalt'] = halt
            self._secrets.add(str(halt['url']))  # it may have a password
        # freezes end by the exchange's clock; a cancel loads it only if the exchange refuses its own
        cancels = arguments.command in ('cancel', 'halt')
        exchange.options['adjustForTimeDifference'] = not cancels
        if arguments.simulator is not None:
            self._simulate(exchange, arguments.simulator)
        else:
            self._log_in(exchange, target)
        if arguments.sandbox:
            _use_sandbox(exchange)
        exchange.timeout = arguments.timeout or exchange.timeout
        if cancels:
            # an answer that never comes leaves time for a retry
            exchange.options['massCancelMmp']['timeout'] = exchange.timeout
            exchange.timeout = max(exchange.timeout // ATTEMPTS, 1)
        if exchange.has['watchMmp'] and getattr(arguments, 'watch', None):
            # what the exchange pushes needs few reads
            intervals = SELDOM if exchange.has['watchMmp'] is True else 1
            exchange.options['watchMmp']['pollInterval'] = max(int(arguments.watch * 1000 * intervals), 1)
        if arguments.verbose:
            show_answers(exchange, self.without_secrets)
        return InThreads(exchange) if exchange.synchronous else exchange

    def _log_in(self, exchange: Any, target: Target) -> None:
        needed = {name: target.variable(name) for name, need in exchange.requiredCredentials.items() if need}
        missing = [variable for variable in needed.values() if not self.environment.get(variable)]
        if missing:
            raise AuthenticationError(
                f'{target.place} needs {", ".join(needed.values())} in the environment or in --env-file, '
                f'missing: {", ".join(missing)}'
            )
        for name, variable in needed.items():
            setattr(exchange, name, self.environment[variable])
            self._secrets.add(self.environment[variable])

    @staticmethod
    def _simulate(exchange: Any, url: str) -> None:
        """Use the simulator's own credentials, so that no real ones are sent to it."""
        from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect

        exchange.apiKey, exchange.secret, exchange.password = KEY, SECRET, PASSPHRASE
        redirect(exchange, url)

    def without_secrets(self, text: str) -> str:
        return without_values(text, self._secrets)

    def in_one_line(self, error: BaseException) -> str:
        """The error in one line, without secrets."""
        text = ' '.join(self.without_secrets(described(error)).split())
        return text if len(text) <= MAX_MESSAGE else f'{text[:MAX_MESSAGE]}...'


def _use_sandbox(exchange: Any) -> None:
    method = EXCHANGES[exchange.id].sandbox_method
    if not hasattr(exchange, method):
        raise NotSupported(f'{exchange.id} has no --sandbox with this version of ccxt')
    getattr(exchange, method)(True)


def _env_file(path: str | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        from dotenv import dotenv_values
    except ImportError:
        raise ImportError("it needs the extra cli: pip install 'ccxt-mmp[cli]'") from None
    with Path(path).open(encoding='utf-8') as file:
        return {name: value for name, value in dotenv_values(stream=file, interpolate=False).items() if value}


def halt_option(environment: Mapping[str, str | None], account: str = '') -> dict[str, str | None] | None:
    """``options['mmpHalt']``, from the environment; None without a url."""
    url = environment.get(HALT_URL)
    name = HALT_ACCOUNT + (f'_{account}'.replace('-', '_').upper() if account else '')
    return {'url': url, 'account': environment.get(name) or None} if url else None


def door_of(arguments: argparse.Namespace) -> str:
    """The module whose exchange classes a command uses: the one that is imported soonest and has what it needs."""
    if arguments.command == 'cancel':
        return 'ccxt_mmp'
    return 'ccxt_mmp.pro' if getattr(arguments, 'watch', None) else 'ccxt_mmp.async_support'
