"""What is known of one websocket client of ccxt: its login, its requests and its subscriptions. Kept on the client."""

import asyncio
from typing import Any

from ccxt_mmp.core.request_context import RequestContext

LOGIN = 'authenticated'  # ccxt's hash of a login, of the subscription and of the future


class SocketRequest:
    """A request whose answer names it by its id.

    seconds: for the answer, from when it is sent; None: as long as it takes
    context: of the orders that it places
    is_own: the answer is wanted as it came
    """

    def __init__(
        self, future: 'asyncio.Future[Any]', seconds: float | None, context: RequestContext | None, is_own: bool
    ) -> None:
        self.future = future
        self.seconds = seconds
        self.context = context
        self.is_own = is_own
        self.sent_at = 0.0  # of time.monotonic()
        self.timer: asyncio.TimerHandle | None = None
        self.sender: asyncio.Task[Any] | None = None  # that waits for the transport to take it
        self.is_stuck = False  # the transport did not take it in time


class Subscription:
    """A subscription that was sent.

    message_hash: of those who wait for its pushes
    request_id: that it was sent with
    """

    def __init__(self, message_hash: str, arg: dict[str, Any], request_id: str | None) -> None:
        self.message_hash = message_hash
        self.arg = arg
        self.request_id = request_id
        self.is_acknowledged = False


class SocketState:
    def __init__(self) -> None:
        self.is_logged_in = False
        self.is_leaving: Exception | None = None  # the exchange ends the connection soon: why
        self.heard_at = 0.0  # of time.monotonic(), of the last message
        self.requests: dict[str, SocketRequest] = {}  # by id, that are not answered
        self.given_up: set[str] = set()  # ids of requests that wait to be sent and must not be
        self.subscriptions: dict[str, Subscription] = {}  # by ccxt's subscribe hash
        self.channels: set[str] = set()  # of protections, subscribed apart from ccxt


def state_of(client: Any) -> SocketState:
    state: SocketState | None = client.__dict__.get('mmp_state')
    if state is None:
        state = client.mmp_state = SocketState()
    return state


def open_subscriptions(client: Any) -> list[tuple[str, Subscription]]:
    """Those that ccxt takes for sent."""
    return [each for each in state_of(client).subscriptions.items() if each[0] in client.subscriptions]


def end_subscriptions(client: Any, error: Exception, keys: list[str]) -> None:
    """Forget subscriptions, so that the next call sends them again, and fail those who wait for their pushes."""
    for key in keys:
        ended = state_of(client).subscriptions.pop(key)
        client.subscriptions.pop(key, None)
        told = [each for each in client.futures if each == ended.request_id or is_of_channel(each, ended.message_hash)]
        for each in told:
            client.reject(error, each)


def is_of_channel(message_hash: str, channel: str) -> bool:
    return message_hash == channel or message_hash.startswith(f'{channel}:')


def forget_login(client: Any) -> None:
    """So that the next call logs in again."""
    state_of(client).is_logged_in = False
    client.subscriptions.pop(LOGIN, None)
    client.futures.pop(LOGIN, None)
