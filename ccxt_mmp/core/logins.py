"""The pause before a login that the exchange refused is sent again: whoever calls in a loop must not be banned."""

import time
from typing import Any

FIRST, LONGEST = 0.2, 8.0  # s: at most 450 in an hour


class RefusedLogins:
    """Those over one address, in a row. Other credentials, and a login that succeeds, begin anew."""

    def __init__(self) -> None:
        self._count = 0
        self._refused_at = 0.0  # of time.monotonic()
        self._credentials: int | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return RefusedLogins, ()  # a copy of an exchange has sent none

    def note(self, credentials: int) -> None:
        self._count = self._count + 1 if credentials == self._credentials else 1
        self._credentials, self._refused_at = credentials, time.monotonic()

    def forget(self) -> None:
        self._count = 0

    def pause(self, credentials: int) -> float:
        """s until the next login may be sent: twice as many after each that was refused."""
        if not self._count or credentials != self._credentials:
            return 0.0
        pause = min(FIRST * 2.0 ** min(self._count - 1, 10), LONGEST)
        return max(self._refused_at + pause - time.monotonic(), 0.0)
