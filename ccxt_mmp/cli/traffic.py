"""Requests and answers on stderr, one line each, for ``--verbose``."""

import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ccxt_mmp._redaction import redacted
from ccxt_mmp.cli.output import say

MAX_SHOWN = 1000  # characters of a line


def request_line(method: str, path: str, query: str, body: str | None) -> str:
    """A request without headers and signature. Binance has the signature in the query or the body."""
    return redacted(' '.join(filter(None, [method, path, query, body])))


def show(line: str) -> None:
    say(line if len(line) <= MAX_SHOWN else f'{line[:MAX_SHOWN]}...', sys.stderr)


def show_answers(exchange: Any, clean: Callable[[str], str]) -> None:
    """Print each request and answer of an exchange object."""
    stock, started = exchange.on_rest_response, time.monotonic()

    def on_rest_response(
        code: int, reason: str, url: str, method: str, headers: Any, body: str, sent: Any, request: str | None
    ) -> Any:
        parts = urlsplit(url)
        asked = request_line(method, parts.path, parts.query, request)
        show(clean(f'{time.monotonic() - started:8.3f} s  {exchange.id} {asked} -> {code} {redacted(body)}'))
        return stock(code, reason, url, method, headers, body, sent, request)

    exchange.on_rest_response = on_rest_response
