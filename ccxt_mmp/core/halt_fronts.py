"""The sync and the async front of halts."""

from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.halting import Halting
from ccxt_mmp.types import MmpHalt, Params


class SyncHalts(Halting):
    """Halts of a sync exchange."""

    def halt_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpHalt:
        return run_sync(self._halt_mmp(underlying, params))

    def resume_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpHalt:
        return run_sync(self._resume_mmp(underlying, params))

    def fetch_mmp_halt(self, underlying: str | None = None, params: Params = {}) -> MmpHalt | None:
        return run_sync(self._fetch_mmp_halt(underlying, params))

    def fetch_mmp_halts(self, params: Params = {}) -> list[MmpHalt]:
        return run_sync(self._fetch_mmp_halts(params))


class AsyncHalts(Halting):
    """Halts of an async or pro exchange."""

    async def halt_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpHalt:
        return await self._halt_mmp(underlying, params)

    async def resume_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpHalt:
        return await self._resume_mmp(underlying, params)

    async def fetch_mmp_halt(self, underlying: str | None = None, params: Params = {}) -> MmpHalt | None:
        return await self._fetch_mmp_halt(underlying, params)

    async def fetch_mmp_halts(self, params: Params = {}) -> list[MmpHalt]:
        return await self._fetch_mmp_halts(params)
