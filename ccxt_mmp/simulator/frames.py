"""The log of what went over the websockets, both ways, without credentials."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

Direction = Literal['received', 'sent']  # by the simulator
MAX_FRAMES = 10_000  # the latest that are kept


@dataclass(frozen=True)
class LoggedFrame:
    direction: Direction
    text: str
    path: str  # of the connection
    connection: int  # 1 for the first
    time: int  # ms since the epoch


class FrameLog:
    def __init__(self, size: int = MAX_FRAMES) -> None:
        self._frames: deque[LoggedFrame] = deque(maxlen=size)

    def add(self, frame: LoggedFrame) -> None:
        self._frames.append(frame)

    def all(self) -> list[LoggedFrame]:
        """A copy, the latest last."""
        return list(self._frames)

    def clear(self) -> None:
        self._frames.clear()
