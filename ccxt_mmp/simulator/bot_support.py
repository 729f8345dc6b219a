"""What a whole bot needs of a simulator besides orders: prices, positions, sleep, and answers to anything else."""

from typing import Any

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.gateway import Gateway, Stub
from ccxt_mmp.simulator.listing import Listing
from ccxt_mmp.simulator.positions import Position
from ccxt_mmp.simulator.pricing import checked_index
from ccxt_mmp.simulator.sleeping import Sleepers
from ccxt_mmp.simulator.state import State


class BotSupport:
    """A part of ``Simulator``."""

    _state: State
    _gateway: Gateway
    _sleepers: Sleepers
    _account: Account

    def answer(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Answer a path with some JSON from now on, whether the simulator knows the path or not.

        ``simulator.answer('GET', '/api/v5/account/risk-state', {'code': '0', 'data': [...]})``; the whole path,
        without a query. Neither signatures nor limits are checked. ``clear`` forgets it.
        """
        stub = Stub(method, path, body, status)
        with self._state.lock:
            self._gateway.stubs[stub.method, stub.path] = stub

    def set_index(self, venue: str, underlying: str, price: float | str) -> None:
        """What the coin of an underlying costs from now on, in dollars: its options' made-up prices follow.

        Every underlying of that coin on that venue has it. Nobody's orders trade because of it. ``clear`` undoes it.
        """
        own_id = self._named(venue, underlying)
        index = checked_index(price)
        with self._state.held():
            self._state.engine.market.set_index(venue, self._state.engine.series[venue][own_id].base, index)

    def positions(self, venue: str, underlying: str, *, account: Account | None = None) -> list[Position]:
        """What an account holds of an underlying's options that have not expired."""
        own_id = self._named(venue, underlying)
        with self._state.held() as now:
            held = (account or self._account).open_positions(venue, now)
        return [position for position in held if position.instrument.underlying == own_id]

    def sleep(self, seconds: float) -> None:
        """Sleep by the exchange's clock, for bots that are given their ``time.sleep``: ``advance`` ends it."""
        self._sleepers.sleep(seconds)

    async def async_sleep(self, seconds: float) -> None:
        """The same for bots that are given their ``asyncio.sleep``."""
        await self._sleepers.async_sleep(seconds)

    @property
    def sleepers(self) -> int:
        """How many sleep so at the moment: a test waits until its bot does, and then advances the clock."""
        return len(self._sleepers)

    def _listing(self, venue: str) -> Listing:
        listings = self._state.listings
        if venue not in listings:
            raise ValueError(f'a venue is one of {", ".join(listings)}, not {venue}')
        return listings[venue]

    def _named(self, venue: str, underlying: str) -> str:
        """The id of a listed underlying by any of its names."""
        return self._listing(venue).find_underlying(underlying, self._state.engine.series[venue])
