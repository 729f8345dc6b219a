"""A sync exchange whose calls are awaited: the kill switch of the command line.

Importing ccxt for asyncio takes twice as long as importing ccxt, and a kill switch must not wait for it.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from ccxt_mmp.cli.resting import resting
from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.types import MassCancel, MmpState, Params

T = TypeVar('T')


async def in_thread(call: Callable[..., T], *arguments: Any) -> T:
    """Await a call that blocks, in a thread of its own. It is abandoned if nobody waits for it any more."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = call(*arguments)
        except BaseException as error:  # noqa: BLE001 - whatever it is, who awaits it gets it
            tell(future.set_exception, error)
        else:
            tell(future.set_result, result)

    def tell(settle: Callable[[Any], None], outcome: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the command has ended without it
            loop.call_soon_threadsafe(lambda: None if future.done() else settle(outcome))

    # a daemon, so that Ctrl-C need not wait for an answer
    threading.Thread(target=run, daemon=True).start()
    return await future


class InThreads:
    """What the command ``cancel`` calls of an exchange object."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.has: dict[str, Any] = exchange.has

    async def mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        return await in_thread(self.exchange.mass_cancel_mmp, underlying, params)

    async def mass_cancel_mmps(self, underlyings: None, params: Params) -> dict[str, MassCancel]:
        return await in_thread(self.exchange.mass_cancel_mmps, underlyings, params)

    async def fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        return await in_thread(self.exchange.fetch_mmp, underlying, params)

    async def resting(self, underlying: str) -> tuple[dict[str, str], int]:
        return await in_thread(lambda: run_sync(resting(self.exchange, underlying)))

    def nonce(self) -> int:
        return int(self.exchange.nonce())

    async def close(self) -> None:
        self.exchange.close()
