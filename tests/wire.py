"""ccxt's own transports without a network: what they receive is made up, and what they send is kept."""

import http
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partialmethod

import requests


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    content_type: str = 'application/json'

    @property
    def reason(self):
        return http.client.responses.get(self.status, '')

    @property
    def headers(self):
        return {'Content-Type': self.content_type}


@dataclass
class Wire:
    """A session for any flavour; ``answer`` makes the answer to a method, a URL and a body."""

    answer: Callable[[str, str, str], Answer]
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def connect(self, exchange):
        session = SyncSession if exchange.synchronous else AsyncSession
        exchange.session = session(self)
        exchange.sleep = pause if exchange.synchronous else async_pause
        return exchange

    def exchanged(self, method, url, data):
        request = (method, str(url), (data or b'').decode())
        self.sent.append(request)
        return self.answer(*request)


def pause(*_):
    """Instead of the pauses between requests."""


async def async_pause(*_):
    """The same."""


class SyncSession:
    """As far as ccxt uses a session of requests."""

    def __init__(self, wire):
        self.wire = wire
        self.cookies, self.headers = {}, {}

    def request(self, method, url, data=None, **_):
        answer = self.wire.exchanged(method, url, data)
        response = requests.Response()
        response.status_code, response.reason, response.url = answer.status, answer.reason, url
        response.headers.update(answer.headers)
        response._content = answer.body
        return response

    def close(self):
        pass


class AsyncSession:
    """As far as ccxt uses a session of aiohttp."""

    def __init__(self, wire):
        self.wire = wire
        self.headers = {}

    def request(self, method, url, data=None, **_):
        return AsyncResponse(self.wire.exchanged(method, url, data))

    get = partialmethod(request, 'GET')
    post = partialmethod(request, 'POST')
    delete = partialmethod(request, 'DELETE')

    async def close(self):
        pass


class AsyncResponse:
    """As far as ccxt uses a response of aiohttp."""

    def __init__(self, answer):
        self.status, self.reason, self.headers = answer.status, answer.reason, answer.headers
        self.content = object()  # a stream, which ccxt returns for a body of no text
        self._body = answer.body

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def text(self, errors):
        return self._body.decode('utf-8', errors)
