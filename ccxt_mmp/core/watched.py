"""One protection that is watched, and how."""

import asyncio
import math

from ccxt_mmp.core.protection_state import ProtectionState
from ccxt_mmp.types import MmpState

ALL = 'mmp'  # the message hash of any change; those of a protection have its id behind it


class Settings:
    """Of ``options['watchMmp']`` and params, as the last call has them."""

    def __init__(self, poll_interval: int, timeout: int, fetch_snapshot: bool, stop_orders: bool) -> None:
        self.poll_interval = poll_interval  # ms, 0 = no polls
        self.timeout = timeout  # ms
        self.fetch_snapshot = fetch_snapshot
        self.stop_orders = stop_orders


class Watched:
    """One protection: what is known of it, and which version of it a call was given last."""

    def __init__(self, underlying_id: str, unknown: MmpState) -> None:
        self.underlying_id = underlying_id
        self.known = ProtectionState(unknown)
        self.given = -1  # none, so that the first state is told
        self.is_told = False  # a call was given it
        self.is_started = False  # its state may be told
        self.is_ended = False
        self.is_subscribed = False  # where each has a channel of its own
        self.starting: asyncio.Task[None] | None = None  # its first read
        self.wanted_at: int | None = None  # when a push that tells of no trip wants a read
        self.not_before = 0  # that it is read again, after a failure
        self.stops_until = math.inf  # time.monotonic() until which the freeze that is known can last
        self.is_put_off = False  # the last answer was, as the next one tells more

    @property
    def message_hash(self) -> str:
        return f'{ALL}:{self.underlying_id}'

    def has_news(self, seen: dict['Watched', int]) -> bool:
        """Whether it changed since a call was given it last, or since this one began to wait."""
        version = self.known.version
        return self.is_started and (version > self.given or version != seen.get(self, -1))

    def puts_off(self, answer: MmpState) -> bool:
        """Whether an answer is half of the truth: asked for before a trip, of which a refused order has told since.

        It would be told, and the trip again by the read that the refusal wants. No two in a row: that may tell no more.
        """
        has_no_end = answer['frozen'] is True and answer['frozenUntil'] is None and bool(answer['frozenTime'])
        is_half = has_no_end and not self.known.is_frozen and self.wanted_at is not None
        self.is_put_off = is_half and not self.is_put_off
        return self.is_put_off

    def hasten(self, milliseconds: int) -> None:
        """The clock was set back: what is to come comes earlier by it."""
        self.known.hasten(milliseconds)
        self.not_before -= milliseconds
        if self.wanted_at is not None:
            self.wanted_at -= milliseconds

    def reads_at(self, now: int) -> int | None:
        """When it is to be read, apart from polls."""
        due = [each for each in (self.known.asks_at(now), self.wanted_at) if each is not None]
        return max(min(due), self.not_before) if due else None
