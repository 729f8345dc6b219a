"""What can go wrong on a websocket, by order of the control side."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

SocketKind = Literal[
    'drop',  # the connection ends without a close frame
    'close',  # the connection is closed with a code
    'mute',  # the connection stays open: from now on nothing takes effect and nothing is said, no pong either
    'drop_after',  # an operation takes effect, the connection ends instead of its answer
    'delay',  # an answer or a push comes some ms later; others may overtake it
    'duplicate',  # an answer or a push comes twice
    'lose',  # an answer or a push never comes, the connection stays
    'push_before_answer',  # what an operation brings about is pushed before it is answered
    'notice',  # the service goes away soon
    'conn_count_error',  # a subscription is acknowledged and then ended, as beyond the limit of connections
]
SOCKET_KINDS = get_args(SocketKind)
CONNECTION_KINDS = ('drop', 'close', 'mute', 'notice')  # without op and channel they strike at once
OPERATION_KINDS = ('drop_after', 'push_before_answer')  # they need an op
FRAME_KINDS = ('delay', 'duplicate', 'lose')  # without op they strike pushes
BOUNDS = {'times': (1, 10**6), 'milliseconds': (0, 600_000), 'code': (1000, 4999)}
NEVER_SENT = (1004, 1005, 1006, 1015)  # codes that stand for a connection without a close frame


@dataclass
class SocketFault:
    """
    op: of the frames of clients that ask for it, as the exchange calls it ('login', 'order', 'SUBSCRIBE').
    channel: of the pushes, as the exchange calls it ('orders', 'ORDER_TRADE_UPDATE').
    path: of the connections whose path ends so, any by default.
    times: frames; connections, if it strikes at once.
    """

    kind: SocketKind
    op: str | None = None
    channel: str | None = None
    path: str = ''
    times: int = 1
    milliseconds: int = 0  # delay
    code: int = 1001  # close
    was_used: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.kind not in SOCKET_KINDS:
            raise ValueError(f'a fault of a socket is one of {", ".join(SOCKET_KINDS)}, not {self.kind}')
        texts = {'op': self.op, 'channel': self.channel, 'path': self.path}
        wrong = [name for name, value in texts.items() if not isinstance(value, (str, type(None)))]
        if wrong or self.path is None:
            raise ValueError('the op, the channel and the path of a fault are text')
        for name, (lowest, highest) in BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise ValueError(f'{name} of a fault is an integer from {lowest} to {highest}, not {value!r}')
        if self.code in NEVER_SENT:
            raise ValueError(f'no close frame has the code {self.code}')
        if self.op is not None and (self.channel is not None or self.kind == 'conn_count_error'):
            raise ValueError(f'a {self.kind} strikes an op or a channel, not both')
        if self.kind in OPERATION_KINDS and self.op is None:
            raise ValueError(f'a {self.kind} needs an op')

    def __str__(self) -> str:
        what = [f'{name} {value}' for name, value in (('op', self.op), ('channel', self.channel)) if value]
        return ' '.join([self.kind, 'of', *(what or ['sockets']), *filter(None, [self.path])])

    @property
    def is_of_connections(self) -> bool:
        return self.kind in CONNECTION_KINDS and self.op is None and self.channel is None

    def strikes_operation(self, op: str | None, path: str) -> bool:
        return self.op is not None and op == self.op and path.endswith(self.path)

    def strikes_push(self, channel: str, path: str) -> bool:
        if self.kind == 'conn_count_error' or not path.endswith(self.path):
            return False
        is_of_any = self.channel is None and self.op is None and self.kind in FRAME_KINDS
        return is_of_any or channel == self.channel

    def use(self, faults: 'list[SocketFault]') -> None:
        """Strike once; one that struck as often as it should goes."""
        self.was_used = True
        self.times -= 1
        if self.times == 0:
            faults.remove(self)


def is_of_sockets(kind: object, details: dict[str, Any]) -> bool:
    """Whether a fault that is asked for is one of sockets: some kinds are of requests as well."""
    of_both = ('drop_after', 'delay')
    named = any(details.get(name) is not None for name in ('op', 'channel', 'code'))
    return named or (kind in SOCKET_KINDS and kind not in of_both)
