"""Sleep by the exchange's clock, so that setting it forward wakes a bot in any thread or event loop."""

import asyncio
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST = 3_600_000  # ms of one turn, after which it looks at the clock again


class Sleepers:
    """Who sleeps.

    :param now: the exchange's clock, ms
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._wakers: set[Callable[[], None]] = set()

    def __len__(self) -> int:
        return len(self._wakers)

    def wake(self) -> None:
        """Let everyone look at the clock, which was set forward."""
        with self._lock:
            wakers = [*self._wakers]
        for wake in wakers:
            wake()

    def sleep(self, seconds: float) -> None:
        deadline = self._deadline(seconds)
        woken = threading.Event()
        with self._asleep(woken.set):
            while (left := self._left(deadline)) > 0:
                woken.wait(left)
                woken.clear()

    async def async_sleep(self, seconds: float) -> None:
        deadline = self._deadline(seconds)
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        await asyncio.sleep(0)  # as asyncio's own, it lets others run
        with self._asleep(wake):
            while (left := self._left(deadline)) > 0:
                timer = loop.call_later(left, woken.set)
                try:
                    await woken.wait()
                finally:
                    timer.cancel()
                woken.clear()

    @contextmanager
    def _asleep(self, wake: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._wakers.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.discard(wake)

    def _deadline(self, seconds: float) -> float:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
            raise ValueError(f'one sleeps some seconds, not {seconds!r}')
        return self._now() + seconds * 1000

    def _left(self, deadline: float) -> float:
        """Seconds, of one turn at most."""
        return min(deadline - self._now(), LONGEST) / 1000
