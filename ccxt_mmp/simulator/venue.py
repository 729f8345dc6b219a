"""What the simulator asks of a venue: the class that an exchange's folder in ``venues`` must have."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.listing import Listing
from ccxt_mmp.simulator.session import Session
from ccxt_mmp.simulator.wire import Answer, Request, Times


class Venue(ABC):
    """An exchange's API over the engine; a subclass for each."""

    listing: ClassVar[Listing]
    too_many_requests: ClassVar[Any]  # the body of an HTTP 429 or 418
    result_false: ClassVar[Any] = {'result': False}  # the body that says so with status 200

    def __init__(self, engine: Engine, accounts: Mapping[str, Account], *, enforce_limits: bool = True) -> None:
        self.engine = engine
        self.accounts = accounts  # by key
        self.enforce_limits = enforce_limits

    @abstractmethod
    def serves(self, path: str) -> bool:
        """Whether a path is of this exchange, known or not."""

    @abstractmethod
    def answer(self, request: Request, times: Times) -> tuple[Answer, list[str]] | None:
        """The answer to a request and the parameters that it does not know; None if its path is none of ours."""

    def open_session(self, request: Request, serial: int, peers: Sequence[Session]) -> Session | None:
        """The venue's side of a websocket, None if there is none at that path. See ``Session`` for the arguments."""
        return None

    def forget(self) -> None:  # noqa: B027 - a venue need not count
        """Start to count anew towards the limits."""


class WeighingVenue(Venue):
    """One whose requests have weights, counted by address."""

    @abstractmethod
    def used_weight(self, now: int) -> int:
        """The request weight of this minute."""

    @abstractmethod
    def use_weight(self, weight: int, now: int) -> None:
        """Count a weight that others of the address used."""
