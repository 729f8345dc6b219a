"""What goes between the server and what answers: requests, answers, refusals, and how values are read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MAX_DIGITS = 20


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str  # as it was sent, without the question mark
    body: str  # as it was sent; bytes that are no UTF-8 as surrogates
    headers: Mapping[str, str]  # any case
    port: int = 0  # of the client
    refuse_every_second: bool = False  # a fault: of the items of a batch


@dataclass(frozen=True)
class Answer:
    body: Any  # of JSON, unless there is a text
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None  # what is sent in place of the body
    content_type: str = 'application/json'


@dataclass(frozen=True)
class Times:
    """The exchange's time, and the clock's, from which it differs after the clock was advanced."""

    now: int
    clock: int

    def within(self, timestamp: float, behind: int, ahead: int) -> bool:
        """Whether a client's timestamp is near either: its clock does not advance with the exchange's."""
        return any(-behind <= timestamp - time <= ahead for time in (self.now, self.clock))


class ApiError(Exception):
    """The venue refuses a request: the HTTP status and the exchange's code and text."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f'{code} {message}')
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def is_positive(text: str) -> bool:
    """Whether a text is a plain decimal above 0, of a length that a number has."""
    return len(text) <= MAX_DIGITS and text.isascii() and text.replace('.', '', 1).isdigit() and Decimal(text) > 0


def is_natural(text: str) -> bool:
    """Whether a text is an integer of at least 0, of a length that a number has."""
    return len(text) <= MAX_DIGITS and text.isascii() and text.isdigit()


def parse_json(text: str) -> Any:
    """ValueError for whatever is no JSON, or nested deeper than any request."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError('nested too deeply') from error


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object, such as a frame of a client; empty if it is none that can be read."""
    try:
        found = parse_json(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
