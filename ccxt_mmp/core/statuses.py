"""Which error an answer is that has an error status and no code of the exchange, as a proxy in between gives it."""

from typing import Any

from ccxt.base.errors import (
    BadResponse,
    BaseError,
    DDoSProtection,
    ExchangeError,
    ExchangeNotAvailable,
    RateLimitExceeded,
)

MEANS_NOTHING = (ExchangeError, DDoSProtection)  # to ccxt those of 422 and 418


def error_of_status(exchange: Any, status: int, reason: str, body: str) -> BaseError:
    """ccxt's error of the status. ccxt takes one that it does not know, such as 402, for a refusal: ``BadResponse``."""
    if status == 429:
        kind = RateLimitExceeded  # ccxt has another error for some exchanges
    elif status >= 500:
        kind = ExchangeNotAvailable
    else:
        kind = exchange.httpExceptions.get(str(status), ExchangeError)
    return (BadResponse if kind in MEANS_NOTHING else kind)(f'{exchange.id} {status} {reason} {body}')
