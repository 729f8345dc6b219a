"""What goes between the server and the venues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str  # as it was sent, without the question mark
    body: str  # as it was sent
    headers: Mapping[str, str]  # any case


@dataclass(frozen=True)
class Answer:
    body: Any
    status: int = 200


@dataclass
class Account:
    """The one account that the simulator knows."""

    key: str
    secret: str
    passphrase: str
    privileged: bool = True  # market maker privilege


class ApiError(Exception):
    """The venue refuses a request: the HTTP status and the exchange's code and text."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f'{code} {message}')
        self.status = status
        self.code = code
        self.message = message
