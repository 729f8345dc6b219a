"""What one exchange object watches: its protections, who waits for them, and the one task that asks the exchange.

Whoever waits has a future on ccxt's client of the stream, so that a lost connection and ``close()`` end the call as
they end those of ccxt.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from ccxt.base.errors import RequestTimeout, UnsubscribeError

from ccxt_mmp.core.protection_state import LATER, ProtectionState, Question, Trip
from ccxt_mmp.core.request_context import RequestContext
from ccxt_mmp.core.tasks import release, retrieve, started
from ccxt_mmp.core.watched import ALL, Settings, Watched
from ccxt_mmp.types import MmpState

GATHERING = 20  # ms in which the fills are gathered that one read is to answer for
RETRY = 1000  # ms after a read that failed
FIRST_READS = 3
SET_BACK = 50  # ms by which the clock and a monotonic one may differ
NEVER = Question(0, -1, -1)  # of a protection that was not watched then

Seen = dict[Watched, int]  # the version of each that a call began with


class Watching:
    """What is watched, from the first ``watch_mmp`` until ``un_watch_mmp`` or ``close``."""

    def __init__(self, exchange: Any, settings: Settings) -> None:
        self.settings = settings
        self.watched: dict[str, Watched] = {}
        self.is_of_all = False  # whatever the exchange lists is watched
        self._left_out: set[str] = set()  # of these: ids that were ended by name
        self._is_listed = False
        self._exchange = exchange
        self._client: Any = None
        self._opening: asyncio.Task[None] | None = None
        self._listing: asyncio.Task[None] | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._polled_at = 0
        self._lead = -math.inf  # ms that the clock is ahead of the monotonic one, as it was seen last
        self._woken = asyncio.Event()
        self._is_closed = False
        self._waiting: set[asyncio.Future[None]] = set()  # of the calls that wait for news
        self._failed: WeakKeyDictionary[Any, tuple[Any, Seen]] = WeakKeyDictionary()  # the last call of a task

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()  # a copy of an exchange watches nothing

    # --- calls

    async def changed(self, ids: Sequence[str] | None, settings: Settings) -> list[Watched]:
        """Wait until one of these protections (None: any) has changed since it was given last; those that have."""
        self.settings = settings
        self.is_of_all = self.is_of_all or ids is None
        self._left_out.difference_update(ids or ())
        named = [self._find(each) for each in ids or ()]
        task, asked = asyncio.current_task(), None if ids is None else tuple(ids)
        # what other calls were given since a call failed is news for the next one of its task
        failed, seen = self._failed.pop(task, ((), {}))
        if failed != asked:
            now_watched = self.watched.values() if ids is None else named
            seen = {each: each.known.version for each in now_watched if each.is_started}
        try:
            return await self._changed_since(seen, ids, named)
        except BaseException:
            self._failed[task] = asked, seen
            raise

    async def _changed_since(self, seen: Seen, ids: Sequence[str] | None, named: list[Watched]) -> list[Watched]:
        def wanted() -> list[Watched]:
            return list(self.watched.values()) if ids is None else named

        failure: asyncio.Future[Any] | None = None
        while True:
            changed = [each for each in wanted() if each.has_news(seen)]
            for each in changed:
                each.given = each.known.version
                each.is_told = True
            if changed:
                self._keep_reading()  # also if no call follows: MMP orders wait for the end of a freeze
                return changed
            if any(each.is_ended for each in named) or (ids is None and not self.is_of_all):
                raise self._unsubscribed()
            if failure is not None:  # after the news, which no later call would be given
                failure.result()
            if self._is_closed:  # what goes on would open it again
                raise self._exchange._closed()
            if not self._is_open:
                failure = await self._share('_opening', self._open)
            elif self._without_channel():
                failure = await self._share('_subscribing', self._subscribe)
            elif ids is None and not self._is_listed:
                failure = await self._share('_listing', self._list)
                if not self.settings.fetch_snapshot:
                    seen |= {each: each.known.version for each in wanted()}
            elif any(not each.is_started for each in named):
                failure = await self._start(named)
            else:
                self._keep_reading()
                failure = await self._wait([ALL] if ids is None else [each.message_hash for each in named])

    async def end(self, ids: Sequence[str] | None) -> None:
        """Watch these (None: all) no more."""
        ended = [each for each in self.watched.values() if ids is None or each.underlying_id in ids]
        for each in ended:
            each.is_ended = True
            del self.watched[each.underlying_id]
        self._left_out.update((ids or ()) if self.is_of_all else ())
        if ids is None:
            self.is_of_all = self._is_listed = False
            self._left_out.clear()
        self._fail([*(each.message_hash for each in ended), *([ALL] if ids is None else [])], self._unsubscribed())
        if not self.watched and not self.is_of_all:
            self.stop()
            client, was_open = self._client, self._is_open
            self._client = None
            if was_open:
                await self._exchange._close_mmp_stream(client)

    def close(self) -> None:
        """Before the exchange closes its connections: what is under way would open others."""
        self._is_closed = True
        self.stop()

    def stop(self) -> None:
        """Read no more, and end what is under way."""
        starting = {each.starting for each in self.watched.values()}
        for task in (self._reader, self._opening, self._listing, self._subscribing, *starting):
            if task is not None:
                task.cancel()
        self._reader = self._opening = self._listing = self._subscribing = None

    def _find(self, underlying_id: str) -> Watched:
        found = self.watched.get(underlying_id)
        if found is None:
            unknown = self._exchange._unknown_mmp_state({}, 'orders', underlying_id)
            found = self.watched[underlying_id] = Watched(underlying_id, unknown)
            if not self.settings.fetch_snapshot:
                found.is_started, found.given = True, 0
        return found

    async def _share(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> 'asyncio.Future[Any] | None':
        """Do something once for all calls that need it; one that is cancelled does not end it for the others.

        Returns what failed.
        """
        task: asyncio.Task[None] | None = getattr(self, name)
        if task is None or task.done():
            task = started(work())
            setattr(self, name, task)
        await asyncio.wait([task])
        return self._failure_of([task])

    def _failure_of(self, tasks: Iterable['asyncio.Task[None]']) -> 'asyncio.Future[Any] | None':
        failed = first_failed(tasks)
        # ``close`` has cancelled it, and nobody the call
        return None if failed is not None and failed.cancelled() and self._is_closed else failed

    async def _wait(self, hashes: Sequence[str]) -> 'asyncio.Future[Any] | None':
        """Wait for news; the future of a call that ends otherwise, if there is one."""
        futures = [self._client.future(each) for each in hashes]
        for future in futures:
            future.add_done_callback(retrieve)  # this call may be cancelled, and nobody else be there
        # not the futures themselves: they are shared, and would be cancelled with the call that awaits one. News
        # release it at once, for the callbacks of futures come after all pushes that are in the buffer
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for future in futures:
            future.add_done_callback(lambda _: release(waiting))
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)
        return first_failed(each for each in futures if each.done())

    def _fail(self, hashes: Sequence[str], error: Exception) -> None:
        """End the calls that wait."""
        for each in hashes:
            if self._client is not None and each in self._client.futures:  # else ccxt keeps it for the next one
                self._client.reject(error, each)

    def _unsubscribed(self) -> UnsubscribeError:
        return UnsubscribeError(f'{self._exchange.id} watchMmp() was ended by unWatchMmp()')

    # --- the beginning

    @property
    def _is_open(self) -> bool:
        client = self._client
        is_connected = client is not None and self._exchange.clients.get(client.url) is client
        return is_connected and bool(self._exchange._is_mmp_stream_open(client))

    async def _open(self) -> None:
        """Dial, log in and subscribe; what nobody told meanwhile, a read will."""
        self._client = await self._exchange._open_mmp_stream(self.settings.timeout / 1000)
        for each in self.watched.values():
            each.is_subscribed = False
        self._missed(list(self.watched.values()))

    def _without_channel(self) -> list[Watched]:
        has_channels = self._exchange._has_mmp_channels
        return [each for each in self.watched.values() if not each.is_subscribed] if has_channels else []

    async def _subscribe(self) -> None:
        new = self._without_channel()
        ids = [each.underlying_id for each in new]
        await self._exchange._subscribe_mmps(self._client, ids, self.settings.timeout / 1000)
        for each in new:
            each.is_subscribed = True
        self._missed(new)

    def _missed(self, protections: Sequence[Watched]) -> None:
        """Pushes of these were missed until now: a read will tell."""
        for each in protections:
            if each.known.is_read:
                each.known.lost()
        self._woken.set()

    async def _list(self) -> None:
        await self._read([])
        self._is_listed = True

    async def _start(self, named: Sequence[Watched]) -> 'asyncio.Future[Any] | None':
        """The first read of each: after the subscription, so that nothing happens unseen between the two."""
        new = [each for each in named if not each.is_started and each.starting is None]
        if new:
            starting = started(self._read_first(new))
            for each in new:
                each.starting = starting
        [*tasks] = {each.starting for each in named if each.starting is not None}
        await asyncio.wait(tasks)
        return self._failure_of(tasks)

    async def _read_first(self, new: Sequence[Watched]) -> None:
        try:
            left, unread = FIRST_READS, [*new]
            while left and unread:  # those that a push crosses are thrown away
                await self._read(unread)
                left, unread = left - 1, [each for each in new if not each.known.is_read]
        except BaseException:
            for each in new:
                each.starting = None
            for name in [name for name, each in self.watched.items() if each in new]:
                del self.watched[name]
            raise
        for each in new:
            each.starting, each.is_started = None, True

    # --- what it is told

    def pushed(self, underlying_id: str, trip: Trip | None) -> None:
        """A push tells of a trip, or (None) of something that may have been one, such as a fill."""
        is_found = self.is_of_all and underlying_id not in self._left_out
        each = self._find(underlying_id) if is_found else self.watched.get(underlying_id)
        if each is None:
            return
        now = self._now()
        if trip is not None:
            each.is_started = each.is_started or self._is_listed
            self._tell(each, lambda known: known.pushed(trip, now))
            if each.known.is_frozen and not each.is_told:  # a first answer may have said so, which alone is no news
                each.given = -1
                self._resolve(each)
        elif not each.known.is_frozen and each.wanted_at is None:
            each.wanted_at = now + GATHERING
            self._woken.set()

    def unreadable(self) -> None:
        """A push that could not be read may have told of anything."""
        for each in self.watched.values():
            each.wanted_at = self._now()
        self._woken.set()

    def questions(self) -> dict[Watched, Question]:
        """Taken when this object is about to reset a protection."""
        return {each: each.known.ask() for each in self.watched.values()}

    def own_reset(self, state: MmpState, questions: dict[Watched, Question], asked: int) -> None:
        """This object has reset a protection."""
        each = self.watched.get(str(state['underlyingId']))
        if each is not None:
            question = questions.get(each, NEVER)
            now = self._now()
            self._tell(each, lambda known: known.own_reset(question, state['info'], asked, now))

    def own_rule(self, state: MmpState) -> None:
        """This object has set a rule."""
        each = self.watched.get(str(state['underlyingId']))
        if each is not None:
            self._tell(each, lambda known: known.own_rule(state))

    def stopping(self, underlying_id: str) -> ProtectionState | None:
        """The freeze that MMP orders of an underlying are not sent in."""
        each = self.watched.get(underlying_id)
        is_stopped = each is not None and self.settings.stop_orders and each.known.is_frozen
        return each.known if each is not None and is_stopped and time.monotonic() < each.stops_until else None

    def _tell(self, each: Watched, tell: Callable[[ProtectionState], object]) -> None:
        now = self._now()
        version, said, reads_at = each.known.version, each.known.freezes_said, each.reads_at(now)
        was = each.known.is_frozen, each.known.until
        tell(each.known)
        if each.known.freezes_said != said:
            ends = time.monotonic() + (each.known.lasts(now) + LATER) / 1000
            # the same freeze: a rule that is shorter since then does not end it sooner
            each.stops_until = max(each.stops_until, ends) if was == (True, each.known.until) else ends
        if each.known.version != version:
            self._resolve(each)
        if (each.known.version, each.reads_at(now)) != (version, reads_at):
            self._woken.set()  # when to read may have changed

    def _resolve(self, each: Watched) -> None:
        if self._client is not None:
            for message_hash in (each.message_hash, ALL):
                self._client.resolve(True, message_hash)
        for waiting in self._waiting:
            release(waiting)

    # --- reads

    def _now(self) -> int:
        """ms by the exchange's clock. If this machine's was set back, what was due by it is due as much earlier."""
        now: int = self._exchange.nonce()
        lead = now - time.monotonic() * 1000
        behind = self._lead - lead
        if behind > SET_BACK:
            for each in self.watched.values():
                each.hasten(int(behind))
        if not 0 <= behind <= SET_BACK:
            self._lead = lead
        return now

    def _keep_reading(self) -> None:
        if not self._is_closed and (self.watched or self.is_of_all) and (self._reader is None or self._reader.done()):
            self._polled_at = self._now()
            self._reader = started(self._run())

    async def _run(self) -> None:
        """Read what is due, one read after the other."""
        while True:
            self._woken.clear()
            now = self._now()
            is_poll = self._until_poll(now) == 0
            due = self._due(now, is_poll)
            if is_poll:
                self._polled_at = now
            if due or (is_poll and self.is_of_all):
                await self._try_to_read(due, now)
            else:
                await self._pause(self._until_due(now))

    def _until_poll(self, now: int) -> int | None:
        """ms; None: there are no polls."""
        interval, since = self.settings.poll_interval, now - self._polled_at
        if not interval:
            return None
        return interval - since if 0 <= since < interval else 0  # also where the clock was set back

    def _due(self, now: int, is_poll: bool) -> list[Watched]:
        readable = [each for each in self.watched.values() if each.is_started and each.not_before <= now]
        due = [each for each in readable if (at := each.reads_at(now)) is not None and at <= now]
        return readable if is_poll or (due and self._exchange._reads_mmps_at_once) else due

    def _until_due(self, now: int) -> int | None:
        times = [each.reads_at(now) for each in self.watched.values() if each.is_started]
        left = [self._until_poll(now), *(at - now for at in times if at is not None)]
        return min((each for each in left if each is not None), default=None)

    async def _pause(self, milliseconds: int | None) -> None:
        waits = [asyncio.ensure_future(self._woken.wait())]
        if milliseconds is not None:
            waits.append(asyncio.ensure_future(self._exchange.sleep(milliseconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _try_to_read(self, due: list[Watched], now: int) -> None:
        try:
            await self._read(due)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits is told, and it is tried again
            for each in due:
                each.not_before = now + RETRY
            self._fail([ALL, *(each.message_hash for each in due)], error)

    async def _read(self, protections: Sequence[Watched]) -> None:
        """Ask for some protections, or for all that are listed; what an answer leaves out has no rule."""
        exchange = self._exchange
        is_of_all = self.is_of_all and all(each.is_started for each in protections)
        if not exchange.enableRateLimit:  # else ccxt's throttler waits
            await exchange._wait_for_window(RequestContext(exchange, exchange._rule_endpoint))
        asked_for = [*self.watched.values()] if is_of_all else protections
        for each in asked_for:
            each.wanted_at = None
        questions = {each: each.known.ask() for each in asked_for}
        asked = self._now()
        states = await exchange._read_mmps(None if is_of_all else [each.underlying_id for each in protections])
        now = self._now()
        if is_of_all and self.is_of_all:
            for underlying_id in [each for each in states if each not in self._left_out | self.watched.keys()]:
                new = self._find(underlying_id)
                new.is_started = new.is_started and not self._is_listed  # else it is told, as it is new
                new.given = 0 if new.is_started else -1
                questions[new] = new.known.ask()
        for each, question in questions.items():
            state = states.get(each.underlying_id) or exchange._no_mmp_rule('orders', each.underlying_id)
            if each.puts_off(state):
                continue
            self._tell(each, lambda known: known.read(question, state, asked, now))  # noqa: B023 - called at once
            if is_of_all and not each.is_started:
                each.is_started = True
                self._resolve(each)
        if self._is_open and self._without_channel():  # of protections that this read has found
            await self._share('_subscribing', self._subscribe)


async def in_time(awaitable: Awaitable[Any], seconds: float, client: Any, what: str) -> Any:
    """What ccxt waits for without an end. A connection that does not answer in time is given up."""
    task = asyncio.ensure_future(awaitable)
    task.add_done_callback(retrieve)
    await asyncio.wait([task], timeout=seconds)
    if task.done():
        return task.result()
    error = RequestTimeout(f'{what} was not answered within {seconds:g} s')
    if client is not None and client.isConnected:  # else ccxt is still dialling, and gives up by itself
        client.on_error(error)
    raise error


def first_failed(futures: Iterable['asyncio.Future[Any]']) -> 'asyncio.Future[Any] | None':
    return next((each for each in futures if each.cancelled() or each.exception() is not None), None)
