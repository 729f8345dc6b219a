"""Rate limits as the exchanges count them; times are ms and passed in."""

from collections import defaultdict, deque
from collections.abc import Hashable


class RollingWindows:
    """At most so many requests in any window, for each key (OKX: user and endpoint)."""

    def __init__(self) -> None:
        self._times: defaultdict[Hashable, deque[int]] = defaultdict(deque)

    def admit(self, key: Hashable, weight: int, calls: int, window: int, now: int) -> bool:
        """Count a request of some weight if there is room for it."""
        times = self._times[key]
        while times and times[0] <= now - window:
            times.popleft()
        if len(times) + weight > calls:
            return False
        times.extend([now] * weight)
        return True

    def left(self, key: Hashable, calls: int, window: int, now: int) -> tuple[int, int]:
        """How many requests there is room for, and when there is room for one; now, if there is some."""
        times = [time for time in self._times[key] if time > now - window]
        room = calls - len(times)
        return room, now if room > 0 else times[-room] + window


class FixedWindows:
    """What was used in the current interval of the clock, for each key (Binance: weight a minute, orders)."""

    def __init__(self) -> None:
        self._used: dict[tuple[Hashable, int], tuple[int, int]] = {}

    def used(self, key: Hashable, window: int, now: int) -> int:
        started, used = self._used.get((key, window), (0, 0))
        return used if started == now - now % window else 0

    def use(self, key: Hashable, weight: int, window: int, now: int) -> int:
        """Count a weight; the sum of the interval with it."""
        total = self.used(key, window, now) + weight
        self._used[key, window] = (now - now % window, total)
        return total


class Buckets:
    """Credits that are used up by requests and come back with time, for each key (Deribit)."""

    def __init__(self) -> None:
        self._left: dict[Hashable, tuple[float, int]] = {}  # calls, and when they were counted

    def admit(self, key: Hashable, burst: int, rate: float, now: int) -> bool:
        """Count a call if there is credit for it.

        :param rate: calls a second for which credit comes back
        """
        left, counted = self._left.get(key, (float(burst), now))
        left = min(burst, left + (now - counted) * rate / 1000)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        return left >= 1
