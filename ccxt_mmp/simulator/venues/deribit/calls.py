"""A call of Deribit's API: what a handler gets, and how it reads the parameters."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.deribit.tables import (
    FORBIDDEN,
    LIMIT_DECIMALS,
    NO_INSTRUMENT,
    NOT_ENABLED,
    TOKEN_LIFE,
    VENUE,
)
from ccxt_mmp.simulator.wire import ApiError, Times, is_natural, is_positive

Parameters = dict[str, Any]
EXPONENTIAL = re.compile(r'\d+(\.\d+)?[eE][+-]?\d{1,2}')
Bucket = Literal['matching', 'cancel_all', 'others', 'subscribe']


class InvalidParamsError(ApiError):
    """-32602, which says of which parameter and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(400, '-32602', 'Invalid params')
        self.data = {'param': name, 'reason': reason}


def refusal(error: tuple[int, str]) -> ApiError:
    code, message = error
    return ApiError(400, str(code), message)  # the status is [unverified]


@dataclass
class Logins:
    """What clients have proved: the nonces that were used, and the tokens that were given out."""

    nonces: set[tuple[str, str]] = field(default_factory=set)  # by key
    tokens: dict[str, tuple[Account, int]] = field(default_factory=dict)  # whose, and until when

    def token(self, account: Account, now: int) -> str:
        token = secrets.token_hex(32)
        self.tokens[token] = (account, now + TOKEN_LIFE)
        return token


@dataclass(frozen=True)
class Call:
    """What a handler gets."""

    engine: Engine
    account: Account
    parameters: Parameters
    times: Times
    logins: Logins
    accounts: Callable[[str], Account | None]  # by key

    @property
    def now(self) -> int:
        return self.times.now


@dataclass(frozen=True)
class Endpoint:
    handle: Callable[[Call], Any]
    known: tuple[str, ...] = ()
    needs: str | None = 'read'  # scope of the key, None for public methods
    bucket: Bucket = 'others'


def rpc_answer(message: Parameters, now: int, said: Parameters) -> Parameters:
    """The answer to a request of JSON-RPC: its result or its error."""
    serial = {'id': message['id']} if 'id' in message else {}
    microseconds = now * 1000
    return {
        'jsonrpc': '2.0',
        **serial,
        **said,
        'usIn': microseconds,
        'usOut': microseconds,
        'usDiff': 0,
        'testnet': False,
    }


def rpc_error(error: ApiError) -> Parameters:
    data = {'data': error.data} if isinstance(error, InvalidParamsError) else {}
    return {'error': {'code': int(error.code), 'message': error.message, **data}}


def require_scope(endpoint: Endpoint, account: Account) -> None:
    if endpoint.needs not in (None, *account.permissions):
        raise refusal(FORBIDDEN)


def require_privilege(call: Call) -> None:
    if not call.account.privileged:
        raise refusal(NOT_ENABLED)


def read_text(parameters: Parameters, name: str, default: str | None = None) -> str:
    value = parameters.get(name, default)
    if value is None or value == '':
        raise InvalidParamsError(name, 'value required')
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise InvalidParamsError(name, 'wrong format')
    return value if isinstance(value, str) else plain_number(value)  # a label may be 1e5


def read_boolean(parameters: Parameters, name: str) -> bool:
    value = parameters.get(name, False)
    if value not in (True, False, 'true', 'false'):  # a GET has texts
        raise InvalidParamsError(name, 'must be a boolean')
    return value in (True, 'true')


def read_integer(parameters: Parameters, name: str, highest: int, default: str | None = None) -> int:
    text = read_text(parameters, name, default)
    if not is_natural(text) or int(text) > highest:
        raise InvalidParamsError(name, f'must be an integer from 0 to {highest}')
    return int(text)


def read_positive(parameters: Parameters, name: str) -> str:
    text = plain_number(read_text(parameters, name))
    if not is_positive(text):
        raise InvalidParamsError(name, 'must be a positive number')
    return text


def read_limit(parameters: Parameters, name: str) -> str | None:
    if parameters.get(name) is None:
        return None
    text = read_positive(parameters, name)
    if len(text.partition('.')[2]) > LIMIT_DECIMALS:
        raise InvalidParamsError(name, f'at most {LIMIT_DECIMALS} decimals')
    return text


def read_instrument(call: Call) -> Instrument:
    instrument = call.engine.find_option(VENUE, read_text(call.parameters, 'instrument_name'))
    if instrument is None:
        raise refusal(NO_INSTRUMENT)
    return instrument


def plain_number(value: object) -> str:
    """A number of JSON or of a query as a plain decimal; ``1e-05`` is one, too."""
    text = str(value)
    return format(Decimal(text), 'f') if EXPONENTIAL.fullmatch(text) else text


def number(text: object) -> int | float:
    """As Deribit writes it in JSON."""
    value = Decimal(str(text))
    return int(value) if value == value.to_integral_value() else float(value)
