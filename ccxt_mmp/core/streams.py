"""Streams: ``watch_mmp``, ``watch_mmps`` and ``un_watch_mmp``, for the fronts and the exchange mixins."""

from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import Any, NoReturn

from ccxt.base.errors import ArgumentsRequired, BadRequest, NetworkError, NotSupported

from ccxt_mmp.core.host import Host
from ccxt_mmp.core.numbers import exact_decimal, is_integer
from ccxt_mmp.core.params import WATCH_PARAMS
from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.core.text import shown
from ccxt_mmp.core.watched import Settings, Watched
from ccxt_mmp.core.watching import Watching
from ccxt_mmp.errors import MmpFrozen
from ccxt_mmp.types import MmpState, Params, Scope

OF_PRO = ('watchMmp', 'watchMmps', 'unWatchMmp')  # of ``has``
UNDIALLED = 'mmp'  # in place of the URL of a client that is never dialled
WATCH_OPTIONS = {'pollInterval': 1000, 'timeout': 10_000, 'fetchSnapshot': True, 'stopOrders': True}


def of_flavour(has: dict[str, Any], stock: dict[str, Any]) -> dict[str, Any]:
    """What this package has beside ccxt's ``has``: where ccxt has no streams, it has none."""
    if stock.get('ws'):
        return has
    return {name: False if name in OF_PRO else value for name, value in has.items()}


class Streams(Host):
    """The contract of the streams, and what the exchanges have in common."""

    # --- the contract

    def watch_mmp(self, underlying: str, params: Params = {}) -> MmpState | Awaitable[MmpState]:
        """
        wait until a protection changes: a trip, a thaw, a reset or another rule (pro)

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-order-channel
        https://developers.binance.com/docs/derivatives/options-trading/user-data-streams
        https://docs.deribit.com/subscriptions/market-maker-protection/usermmp_triggerindex_name

        The first call subscribes, then fetches the state and returns it. Later calls return at once if something
        changed since the last state that a call was given, else they wait. Several changes in between are one: the
        state is what is known last. Calls that wait at the same time all get a change; a later one does not get it
        again.

        Trips come from the exchange's push on OKX, Deribit and Bybit, with ``info`` as it came; a trip that leaves
        nothing to cancel is found by one read after the fill. The end of a freeze is a read at ``frozenUntil``. What
        other programs change is found by a read each ``pollInterval``. Binance pushes no trips: there every change is
        found by a read, and the user stream (ccxt 4.5.72 and later, not in demo trading) hastens it. What an answer
        leaves out keeps what was known.

        From a trip to its thaw or reset, MMP orders of the underlying that this object has waiting to be sent, and new
        ones, fail with ``MmpFrozen`` and are not sent.

        A lost connection is ``NetworkError``, as in ccxt: call again. The next call dials, and tells what happened
        meanwhile. ``NetworkError`` is also a read that failed; it is tried again. ``un_watch_mmp`` ends pending calls
        with ``UnsubscribeError``, ``close`` as those of ccxt. Reads go on between the calls, until one of the two.

        :param str underlying: unified underlying, exchange id or option symbol
        :param dict [params]: none but the following, and the underlying; also as ``options['watchMmp']``
        :param int [params.pollInterval]: ms between reads for what nobody pushes, 1000 by default, 0 = none. At least
            500 on OKX (5 reads in 2 s) and Deribit, 200 on Binance and 250 on Bybit
        :param int [params.timeout]: ms that the dial, the login and the subscription have, 10000 by default
        :param bool [params.fetchSnapshot]: False: the first call waits for a change, too
        :param bool [params.stopOrders]: False: orders are sent in a freeze, and the exchange refuses them
        :returns dict: an MmpState
        """
        self._front_missing()

    def watch_mmps(
        self, underlyings: Sequence[str] | None = None, params: Params = {}
    ) -> dict[str, MmpState] | Awaitable[dict[str, MmpState]]:
        """
        wait until one of several protections changes (pro)

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-order-channel
        https://developers.binance.com/docs/derivatives/options-trading/user-data-streams
        https://docs.deribit.com/subscriptions/market-maker-protection/usermmp_triggerindex_name

        As ``watch_mmp``, which shares with it what was given last.

        :param str[] [underlyings]: as in ``watch_mmp``; required on Binance and Bybit, all that the exchange lists on
            OKX and Deribit
        :param dict [params]: as in ``watch_mmp``
        :returns dict: the MmpStates of those that changed since the last call, by the names that were asked for,
            without names by unified underlying
        """
        self._front_missing()

    def un_watch_mmp(self, underlying: str | None = None, params: Params = {}) -> Awaitable[None] | None:
        """
        stop watching a protection, or all of them (pro)

        https://www.okx.com/docs-v5/en/#overview-websocket-unsubscribe
        https://developers.binance.com/docs/derivatives/options-trading/user-data-streams
        https://docs.deribit.com/subscriptions/market-maker-protection/usermmp_triggerindex_name

        Calls that wait for it fail with ``UnsubscribeError``. MMP orders are not stopped any more. Reads end with the
        last protection, and so does the subscription, unless ``watch_orders`` of this object needs it. One of all that
        ``watch_mmps()`` watches is left out until it is watched by name.

        :param str [underlying]: as in ``watch_mmp``, all by default
        :param dict [params]: the underlying under the exchange's own name
        :returns None: when it is done
        """
        self._front_missing()

    def _front_missing(self) -> NoReturn:
        raise NotImplementedError(
            f'{type(self).__name__} has no front: put SyncMmp (sync) or AsyncMmp (async, pro) before the other bases'
        )

    def _no_stream(self, method: str) -> NoReturn:
        raise NotSupported(f'{self.id} {method}() needs a class of ccxt_mmp.pro whose has says that it is there')

    # --- what the exchange mixins say of it; without more than the first three, reads alone tell

    _lists_mmps: bool  # whether it lists all protections
    _reads_mmps_at_once: bool  # in one request, however many
    _least_poll_interval: int  # ms
    _has_mmp_channels = False  # whether each protection has a channel of its own

    def _has_mmp_stream(self) -> bool:
        """Whether something is pushed."""
        return False

    async def _open_mmp_stream(self, seconds: float) -> Any:
        """Dial, log in and subscribe, each within some seconds; the client of ccxt on which calls wait."""
        return self.client(UNDIALLED)

    async def _subscribe_mmps(self, client: Any, ids: Sequence[str], seconds: float) -> None:
        """Subscribe the channels of some protections, within some seconds, where each has a channel of its own."""

    def _is_mmp_stream_open(self, client: Any) -> bool:
        """Whether the subscription stands, as long as the connection does."""
        return True

    async def _close_mmp_stream(self, client: Any) -> None:
        """Unsubscribe."""

    def _mmp_pushes(self, message: Any) -> Iterable[tuple[str, Trip | None]]:
        """What a message tells, by the id of the underlying; None: something that may have been a trip."""
        return ()

    # --- what they share

    async def _watch_mmp(self, underlying: Any, params: Params) -> MmpState:
        if isinstance(underlying, (list, tuple, set, dict)):
            raise BadRequest(f'{self.id} watchMmp() takes one underlying, watchMmps() takes several')
        params = self._watch_scope('watchMmp', params)
        underlying_id, params = self._mmp_underlying('watchMmp', 'orders', underlying, params)
        [changed] = await self._changed_mmps('watchMmp', [str(underlying_id)], params)
        return changed.known.state

    async def _watch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        params = self._watch_scope('watchMmps', params)
        names, rest = self._mmp_underlyings('watchMmps', 'orders', underlyings, params)
        if not names and not (underlyings is None and self._lists_mmps):
            raise ArgumentsRequired(f'{self.id} watchMmps() requires underlyings: {self._accepted_underlyings}')
        ids = [str(each) for each in dict.fromkeys(names.values())] if names else None
        changed = {each.underlying_id: each for each in await self._changed_mmps('watchMmps', ids, rest)}
        of_changed = {name: each for name, each in names.items() if each in changed}
        states: dict[str, MmpState] = self._by_name(of_changed, [each.known.state for each in changed.values()])
        return states

    async def _un_watch_mmp(self, underlying: Any, params: Params) -> None:
        if isinstance(underlying, (list, tuple, set, dict)):
            raise BadRequest(f'{self.id} unWatchMmp() takes one underlying, or none for all')
        params = self._watch_scope('unWatchMmp', params)
        ids = None
        if underlying is not None or params.get(self._underlying_field) is not None:
            underlying_id, params = self._mmp_underlying('unWatchMmp', 'orders', underlying, params)
            ids = [str(underlying_id)]
        self._watch_settings('unWatchMmp', params)
        if self._mmp_watched is not None:
            await self._mmp_watched.end(ids)

    async def _changed_mmps(self, method: str, ids: Sequence[str] | None, params: Params) -> list[Watched]:
        settings = self._watch_settings(method, params)
        self.check_required_credentials()  # before anything is sent
        watching = self._mmp_watched
        if watching is None:
            watching = self.__dict__['_mmp_watching'] = Watching(self, settings)
        return await watching.changed(ids, settings)

    def _watch_scope(self, method: str, params: Params) -> Params:
        scope, rest = self._mmp_scope(method, params)
        if scope != 'orders':
            raise NotSupported(f'{self.id} {method}() has no stream of the scope {scope}')
        return dict(rest)

    def _watch_settings(self, method: str, params: Params) -> Settings:
        unknown = [name for name in params if name not in (*WATCH_PARAMS, 'timeout') and params[name] is not None]
        if unknown:
            raise NotSupported(
                f'{self.id} {method}() takes no {shown(unknown[0])}, of params it takes timeout, '
                f'{", ".join(WATCH_PARAMS)}'
            )
        given = {
            name: self._mmp_option('watchMmp', name, default, params)[0] for name, default in WATCH_OPTIONS.items()
        }
        interval = exact_decimal(given['pollInterval'])
        least = self._least_poll_interval
        if interval is None or not is_integer(interval) or 0 != interval < least:
            raise BadRequest(
                f'{self.id} {method}() pollInterval must be 0 or an integer of at least {least} ms, '
                f'received {shown(given["pollInterval"])}'
            )
        if interval == 0 and not self._has_mmp_stream():
            raise BadRequest(f'{self.id} {method}() nothing is pushed here: pollInterval must not be 0')
        timeout = exact_decimal(given['timeout'])
        if timeout is None or timeout <= 0 or not is_integer(timeout):
            raise BadRequest(
                f'{self.id} {method}() timeout must be an integer above 0, received {shown(given["timeout"])}'
            )
        flags = [
            self._flag(method, name, given[name], BadRequest) is not False for name in ('fetchSnapshot', 'stopOrders')
        ]
        return Settings(int(interval), int(timeout), *flags)

    async def _read_mmps(self, ids: Sequence[str] | None) -> dict[str, MmpState]:
        """The states of some protections, or of all that are listed, by the exchange's ids."""
        scope = {'scope': 'orders'}
        if ids is not None and len(ids) == 1:
            return {ids[0]: await self._fetch_mmp(ids[0], scope)}
        states: dict[str, MmpState] = await self._fetch_mmps(ids, scope)
        return {str(state['underlyingId']): state for state in states.values()}

    async def _send_to_stream(self, client: Any, frame: Any) -> None:
        """On the connection itself: ccxt's way would wait for its limiter, and remember each frame for ever."""
        try:
            await client.send(frame)
        except Exception as error:  # such as a connection that has just closed
            raise NetworkError(f'{self.id} watchMmp() could not send: {error}') from error

    # --- what the object is told

    @property
    def _mmp_watched(self) -> Watching | None:
        """What is watched; None before the first call."""
        watching: Watching | None = self.__dict__.get('_mmp_watching')
        return watching

    def _note_mmp_pushes(self, message: Any) -> None:
        """Look at a message of the stream. It never raises: newer versions of ccxt would receive nothing any more."""
        watching = self._mmp_watched
        if watching is None or not (watching.watched or watching.is_of_all):
            return
        try:
            for underlying_id, trip in self._mmp_pushes(message):
                watching.pushed(underlying_id, trip)
        except Exception:  # noqa: BLE001 - a read tells what this message would have told
            watching.unreadable()

    def _note_refusal(self, scope: Scope, underlying_id: str | None) -> None:
        """The exchange refused an order because of a freeze."""
        if self._mmp_watched is not None and scope == 'orders':
            self._mmp_watched.pushed(str(underlying_id), None)

    def _refuse_in_freeze(self, underlying_id: str) -> None:
        """Raise MmpFrozen for an MMP order that the exchange would refuse, as the stream has told."""
        known = None if self._mmp_watched is None else self._mmp_watched.stopping(underlying_id)
        if known is not None:
            error = MmpFrozen(f'{self.id} the order was not sent, watchMmp() knows of the trip')
            self._name_freeze(error, underlying_id, known.until, known.state['frozenTime'], self.nonce())
            raise error

    async def _noted(self, call: Coroutine[Any, Any, MmpState], *, is_reset: bool) -> MmpState:
        """This object's own set or reset, of which the stream is to know."""
        watching = self._mmp_watched
        if watching is None:
            return await call
        questions, asked = watching.questions(), self.nonce()
        state = await call
        if state['scope'] == 'orders':
            if is_reset:
                watching.own_reset(state, questions, asked)
            else:
                watching.own_rule(state)
        return state


class SyncStreams(Streams):
    """Without streams: ccxt has none without an event loop."""

    def watch_mmp(self, underlying: str, params: Params = {}) -> MmpState:
        self._no_stream('watchMmp')

    def watch_mmps(self, underlyings: Sequence[str] | None = None, params: Params = {}) -> dict[str, MmpState]:
        self._no_stream('watchMmps')

    def un_watch_mmp(self, underlying: str | None = None, params: Params = {}) -> None:
        self._no_stream('unWatchMmp')


class AsyncStreams(Streams):
    """The streams of pro; async has the methods, too, and raises."""

    async def watch_mmp(self, underlying: str, params: Params = {}) -> MmpState:
        self._require_streams('watchMmp')
        return await self._watch_mmp(underlying, params)

    async def watch_mmps(self, underlyings: Sequence[str] | None = None, params: Params = {}) -> dict[str, MmpState]:
        self._require_streams('watchMmps')
        return await self._watch_mmps(underlyings, params)

    async def un_watch_mmp(self, underlying: str | None = None, params: Params = {}) -> None:
        self._require_streams('unWatchMmp')
        await self._un_watch_mmp(underlying, params)

    async def close(self, *arguments: Any, **keywords: Any) -> None:
        watching = self._mmp_watched
        if watching is not None:
            watching.close()
            self.__dict__['_mmp_watching'] = None
        await super().close(*arguments, **keywords)

    def _require_streams(self, method: str) -> None:
        if not self.has.get(method):
            self._no_stream(method)
