"""What can go wrong on the way, by order of the control side."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    'delay',  # the answer takes some ms longer
    'drop_before',  # the connection is closed, nothing happened
    'drop_after',  # the connection is closed, but the request took effect
    'status',  # an HTTP status without effect: 500, 502, 503, or 429 and 418 with Retry-After
    'truncated',  # the request took effect, half of the answer comes
    'malformed',  # the request took effect, the answer is a page of HTML with status 200
    'result_false',  # OKX: {"result": false}, without effect
    'half_batch',  # every second item of a batch is refused, the others take effect
]
KINDS = get_args(Kind)


@dataclass
class Fault:
    kind: Kind
    path: str = ''  # of the requests whose path ends so, any by default
    method: str | None = None
    times: int = 1
    milliseconds: int = 0  # delay
    status: int = 500
    retry_after: int = 1  # s

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'a fault is one of {", ".join(KINDS)}, not {self.kind}')

    def strikes(self, method: str, path: str) -> bool:
        return self.times > 0 and path.endswith(self.path) and self.method in (None, method)
