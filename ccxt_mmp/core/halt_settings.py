"""The halts of an exchange object: its option as it was last read, and the store that it leads to."""

from math import inf
from typing import Any


class Halts:
    """The option of an exchange object as it was last read, and the store that it leads to."""

    def __init__(self) -> None:
        self.owner: Any = None  # a weak reference: a shallow copy of the exchange has this, too
        self.given: Any = None
        self.api_key: Any = None
        self.account = ''  # as MmpHalt has it
        self.key = ''  # of the store: the same account on two exchanges is two
        self.lets_pass_if_lost = False
        self.grace = 0.0  # ms
        self.store: Any = None  # a HaltStore, once it is of an exchange
        self.warned_at = -inf  # of time.monotonic()

    def __reduce__(self) -> tuple[Any, ...]:
        return Halts, ()  # a copy of an exchange opens the store itself

    def is_of(self, exchange: Any, given: Any) -> bool:
        return (
            self.owner is not None
            and self.given == given
            and self.api_key == exchange.apiKey
            and self.owner() is exchange
        )
