"""What the simulator received, for the tests that read it."""

from dataclasses import dataclass

from ccxt_mmp._redaction import redacted_by_shape
from ccxt_mmp.simulator.frames import FrameLog
from ccxt_mmp.simulator.wire import Request


@dataclass(frozen=True)
class LoggedRequest:
    """A request that the simulator received, without its signature; its headers, which carry the key, are not kept."""

    method: str
    path: str
    query: str
    body: str
    status: int | None  # None: the connection was dropped before it took effect
    unknown: tuple[str, ...] = ()  # parameters that the endpoint does not know (OKX; Binance refuses them)
    time: int = 0  # ms since the epoch
    port: int = 0  # of the client: one for each connection


class Log:
    def __init__(self, size: int) -> None:
        if type(size) is not int or size < 1:
            raise ValueError(f'the log of requests has a size of at least 1, not {size!r}')
        self.size = size  # the oldest that are more are forgotten
        self.requests: list[LoggedRequest] = []
        self.unexpected: list[LoggedRequest] = []  # those to paths that no venue knows
        self.frames = FrameLog()

    def add(self, request: Request, status: int | None, time: int, unknown: list[str] | None = None) -> LoggedRequest:
        logged = LoggedRequest(
            method=request.method,
            path=request.path,
            query=redacted_by_shape(request.query),
            body=redacted_by_shape(request.body),
            status=status,
            unknown=tuple(unknown or ()),
            time=time,
            port=request.port,
        )
        self.requests.append(logged)
        del self.requests[: -self.size]
        return logged

    def add_unexpected(self, request: Request, status: int, time: int) -> None:
        self.unexpected.append(self.add(request, status, time))
        del self.unexpected[self.size :]  # the first of them say what is missing

    def clear(self) -> None:
        self.requests.clear()
        self.unexpected.clear()
        self.frames.clear()
