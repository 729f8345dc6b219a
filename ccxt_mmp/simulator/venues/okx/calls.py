"""A call of OKX's API: what a handler gets, and how it reads the parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ccxt_mmp.simulator.accounts import Account, Side
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.venues.okx.tables import REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError, is_natural, is_positive

Parameters = dict[str, Any]
Rows = list[Parameters]


@dataclass(frozen=True)
class Call:
    """What a handler gets."""

    engine: Engine
    account: Account
    parameters: Parameters
    items: Rows  # of a batch
    now: int
    refuse_every_second: bool


@dataclass(frozen=True)
class Endpoint:
    handle: Callable[[Call], Rows]
    limit: tuple[int, int]  # calls, ms
    known: tuple[str, ...] = ()
    needs: str | None = 'read'  # permission of the key, None for public endpoints
    is_batch: bool = False


def require_permission(endpoint: Endpoint, account: Account) -> None:
    if endpoint.needs not in (None, *account.permissions):
        raise ApiError(401, '50120', "This API key doesn't have permission to use this function")


def require_privilege(call: Call, code: str, message: str) -> None:
    # which code the config endpoints answer without the privilege is not documented [unverified]
    if not call.account.privileged:
        raise ApiError(200, code, message)


def read_text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if value is None or value == '':
        raise ApiError(400, '50014', f'Parameter {name} can not be empty.')
    if not isinstance(value, str):
        raise ApiError(400, '51000', f'Parameter {name} error')
    return value


def read_side(parameters: Parameters) -> Side:
    value = read_text(parameters, 'side')
    if value not in ('buy', 'sell'):
        raise ApiError(400, '51000', 'Parameter side error')
    return 'buy' if value == 'buy' else 'sell'


def read_family(call: Call) -> str:
    value = read_text(call.parameters, 'instFamily')
    if value not in call.engine.series[VENUE]:
        # which code names an unknown family here is not documented [unverified]
        raise ApiError(400, '51000', 'Parameter instFamily error')
    return value


def read_integer(parameters: Parameters, name: str) -> int:
    value = read_text(parameters, name)
    if not is_natural(value):
        raise ApiError(400, '51000', f'Parameter {name} error')
    return int(value)


def read_positive(parameters: Parameters, name: str) -> str:
    value = read_text(parameters, name)
    if not is_positive(value):
        raise ApiError(400, '51000', f'Parameter {name} error')
    return value


def each_item(call: Call, handle: Callable[[Call, Parameters], Parameters]) -> Rows:
    """The items of a batch, or the one that the parameters are, each with its own outcome."""

    def outcome(index: int, item: Parameters) -> Parameters:
        ids = {'ordId': '', 'clOrdId': str(item.get('clOrdId', '')), 'tag': str(item.get('tag', ''))}
        try:
            if call.refuse_every_second and index % 2:
                raise ApiError(200, *REJECTED['cancel_refused'])
            result = {**handle(call, item), 'sCode': '0', 'sMsg': ''}
        except ApiError as error:
            result = {'sCode': error.code, 'sMsg': error.message}
        return {**ids, 'ts': str(call.now), **result}

    return [outcome(index, item) for index, item in enumerate(call.items or [call.parameters])]


def code_of(rows: Rows) -> str:
    """0 if every item succeeded, 2 if some did, 1 if none did."""
    refused = [row.get('sCode', '0') != '0' for row in rows]
    if not any(refused):
        return '0'
    return '1' if all(refused) else '2'
