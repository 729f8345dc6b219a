"""What can go wrong on the way, by order of the control side."""

import json
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ccxt_mmp.simulator.wire import Answer

Kind = Literal[
    'delay',  # the request takes effect, the answer comes some ms later
    'hold',  # the request takes effect some ms later, as behind a slow proxy, and then is answered
    'drop_before',  # the connection is closed, nothing happened
    'drop_after',  # the connection is closed, but the request took effect
    'status',  # an HTTP status without effect: 500, 502, 503, or 429 and 418 with Retry-After
    'truncated',  # the request took effect, half of the answer comes
    'malformed',  # the request took effect, the answer is a page of HTML with status 200
    'result_false',  # {"result": false}, without effect
    'half_batch',  # every second item of a batch is refused, the others take effect
]
KINDS = get_args(Kind)
PAGE = '<html><body>The service is unavailable.</body></html>'


@dataclass
class Fault:
    kind: Kind
    path: str = ''  # of the requests whose path ends so, any by default
    method: str | None = None
    times: int = 1
    milliseconds: int = 0  # delay, hold
    status: int = 500
    retry_after: int = 1  # s
    was_used: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'a fault is one of {", ".join(KINDS)}, not {self.kind}')
        if not isinstance(self.path, str) or not isinstance(self.method, (str, type(None))):
            raise ValueError('the path and the method of a fault are text')
        bounds = {'times': (1, 10**6), 'milliseconds': (0, 600_000), 'status': (400, 599), 'retry_after': (0, 86_400)}
        for name, (lowest, highest) in bounds.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise ValueError(f'{name} of a fault is an integer from {lowest} to {highest}, not {value!r}')

    def __str__(self) -> str:
        return ' '.join([self.kind, 'of', *filter(None, [self.method]), self.path or 'any path'])

    def strikes(self, method: str, path: str) -> bool:
        return path.endswith(self.path) and self.method in (None, method)

    def spoil(self, answer: Answer) -> Answer:
        """What comes of the answer to a request that took effect."""
        if self.kind == 'truncated':
            text = json.dumps(answer.body)
            return replace(answer, text=text[: len(text) // 2])
        return page(answer.status, answer.headers) if self.kind == 'malformed' else answer


def page(status: int, headers: dict[str, str] | None = None) -> Answer:
    """What a proxy answers, and no exchange."""
    return Answer(None, status, headers or {}, PAGE, 'text/html')


def next_fault(faults: list[Fault], method: str, path: str) -> Fault | None:
    """Take the fault that strikes a request; one that struck as often as it should goes."""
    fault = next((each for each in faults if each.strikes(method, path)), None)
    if fault is not None:
        fault.was_used = True
        fault.times -= 1
        if fault.times == 0:
            faults.remove(fault)
    return fault
