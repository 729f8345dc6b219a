"""What a venue's side of one websocket does, without the socket: frames in, frames out, times passed in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ccxt_mmp.simulator.events import Event
from ccxt_mmp.simulator.wire import Times


@dataclass(frozen=True)
class Frame:
    """What is sent to the client."""

    body: Any  # of JSON; bare text as a str
    channel: str | None = None  # of a push; None: an answer


class Session(ABC):
    """One connection of a client; a subclass for each venue, in its ``stream.py``."""

    idle: ClassVar[int | None] = None  # ms of silence after which the exchange closes
    idle_code: ClassVar[int] = 1001
    idle_reason: ClassVar[str] = ''
    subscribing: ClassVar[str]  # the operation that subscribes
    is_over = False  # the exchange closes the connection, when it has said what there is to say

    def __init__(self, serial: int, peers: 'Sequence[Session]') -> None:
        self.serial = serial  # of the connection
        self.peers = peers  # every open session of the simulator, this one too

    @abstractmethod
    def receive(self, text: str, times: Times) -> list[Frame]:
        """The answers to a frame of the client, which takes effect."""

    @abstractmethod
    def tell(self, event: Event) -> list[Frame]:
        """What the client is pushed of a change."""

    def wake(self, now: int) -> list[Frame]:
        """What the client is pushed since time has gone on."""
        return []

    def end(self, now: int) -> None:  # noqa: B027 - a venue need not care
        """The connection has ended, by whichever side, and is none of the peers any more."""

    def operation(self, text: str) -> str | None:
        """What a frame of the client asks for, by the name that faults have for it."""
        return None

    @abstractmethod
    def shown(self, text: str) -> str:
        """A frame of either side for the log, without credentials."""

    def notice(self) -> Frame | None:
        """The notice that the service goes away soon; None where the exchange has none."""
        return None

    def end_channel(self, channel: str) -> list[Frame]:
        """End the subscriptions of a channel, of any by '', as beyond a limit of connections."""
        return []
