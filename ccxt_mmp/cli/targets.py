"""The targets of a command, and the exchange objects for them."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccxt.base.errors import AuthenticationError, BadSymbol, NotSupported

from ccxt_mmp import async_support
from ccxt_mmp._redaction import without_values
from ccxt_mmp.cli.traffic import show_answers
from ccxt_mmp.core.text import described
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import Scope

ATTEMPTS = 3  # of a request of a cancel
MAX_MESSAGE = 500
BLOCK_TRADING = 'rfq'
HALT_URL, HALT_ACCOUNT = 'CCXT_MMP_HALT', 'CCXT_MMP_HALT_ACCOUNT'


@dataclass(frozen=True)
class Target:
    """One protection: ``'okx:BTC/USD'``, ``'okx:rfq'``."""

    text: str
    exchange_id: str
    underlying: str | None  # None for block trading
    scope: Scope

    @classmethod
    def parsed(cls, text: str) -> 'Target':
        exchange_id, _, underlying = text.partition(':')
        if underlying == BLOCK_TRADING:
            return cls(text, exchange_id, None, 'rfq')
        return cls(text, exchange_id, underlying, 'orders')

    @property
    def protection(self) -> tuple[str, str | None]:
        """The same for all spellings of one protection."""
        underlying_id = None
        if self.exchange_id in EXCHANGES and self.underlying is not None:
            underlying_id = getattr(async_support, self.exchange_id)._parse_underlying(self.underlying)
        return self.exchange_id, underlying_id or self.underlying


class Exchanges:
    """The exchange objects of a command, one for each exchange; closed at the end of the block."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._environment = {**os.environ, **_env_file(arguments.env_file)}
        self._opened: dict[str, Any] = {}
        self._secrets: set[str] = set()

    async def __aenter__(self) -> 'Exchanges':
        return self

    async def __aexit__(self, *error: object) -> None:
        for exchange in self._opened.values():
            await exchange.close()

    def of(self, target: Target) -> Any:
        """The exchange object of a target. Raises if the exchange is unknown or credentials are missing."""
        exchange_id = target.exchange_id
        if exchange_id not in EXCHANGES:
            raise BadSymbol(f'a target is {" or ".join(f"{each}:UNDERLYING" for each in EXCHANGES)}, not {target.text}')
        if exchange_id not in self._opened:
            self._opened[exchange_id] = self._open(exchange_id)
        return self._opened[exchange_id]

    def now(self, target: Target) -> int:
        """The time of a target's exchange, ms since the epoch; 0 if it was not reached."""
        exchange = self._opened.get(target.exchange_id)
        return 0 if exchange is None else int(exchange.nonce())

    def _open(self, exchange_id: str) -> Any:
        arguments = self._arguments
        exchange = getattr(async_support, exchange_id)()
        halt = halt_option(self._environment)
        if halt is not None:
            exchange.options['mmpHalt'] = halt
            self._secrets.add(str(halt['url']))  # it may have a password
        # freezes end by the exchange's clock; a cancel loads it only if the exchange refuses its own
        cancels = arguments.command in ('cancel', 'halt')
        exchange.options['adjustForTimeDifference'] = not cancels
        if arguments.simulator is not None:
            self._simulate(exchange, arguments.simulator)
        else:
            self._log_in(exchange)
        if arguments.sandbox:
            _use_sandbox(exchange)
        exchange.timeout = arguments.timeout or exchange.timeout
        if cancels:
            # an answer that never comes leaves time for a retry
            exchange.options['massCancelMmp']['timeout'] = exchange.timeout
            exchange.timeout = max(exchange.timeout // ATTEMPTS, 1)
        if arguments.verbose:
            show_answers(exchange, self.without_secrets)
        return exchange

    def _log_in(self, exchange: Any) -> None:
        needed = {name: f'{exchange.id}_{name}'.upper() for name, need in exchange.requiredCredentials.items() if need}
        missing = [variable for variable in needed.values() if not self._environment.get(variable)]
        if missing:
            raise AuthenticationError(
                f'{exchange.id} needs {", ".join(needed.values())} in the environment or in --env-file, '
                f'missing: {", ".join(missing)}'
            )
        for name, variable in needed.items():
            setattr(exchange, name, self._environment[variable])
            self._secrets.add(self._environment[variable])

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


def halt_option(environment: Mapping[str, str | None]) -> dict[str, str | None] | None:
    """``options['mmpHalt']``, from the environment; None without a url."""
    url = environment.get(HALT_URL)
    return {'url': url, 'account': environment.get(HALT_ACCOUNT) or None} if url else None
