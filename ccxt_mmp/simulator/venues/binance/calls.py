"""A call of Binance's API: what a handler gets, and how it reads the parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ccxt_mmp.simulator.accounts import Account, Order, Side
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.binance.tables import REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError, is_natural, is_positive, parse_json

Parameters = dict[str, Any]


@dataclass(eq=False)
class ListenKey:
    account: Account
    value: str
    expires: int  # ms since the epoch


class ListenKeys:
    """The listen keys of all accounts, by value; an account has one at most that has not expired."""

    def __init__(self) -> None:
        self.by_value: dict[str, ListenKey] = {}

    def find(self, account: Account, now: int) -> ListenKey | None:
        return next((each for each in self.by_value.values() if each.account is account and now < each.expires), None)


@dataclass(frozen=True)
class Call:
    """What a handler gets."""

    engine: Engine
    account: Account
    parameters: Parameters
    now: int
    refuse_every_second: bool
    listen_keys: ListenKeys


@dataclass(frozen=True)
class Endpoint:
    handle: Callable[[Call], Any]
    weight: int = 1
    known: tuple[str, ...] = ()
    needs: str | None = 'read'  # permission of the key, None for public endpoints
    is_signed: bool = True  # else the key alone says whose it is, and unknown parameters are reported, not refused


def read_text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name, '')
    if value is None or value == '':
        raise ApiError(400, '-1102', f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return str(value)


def read_integer(parameters: Parameters, name: str) -> int:
    text = read_text(parameters, name)
    if not is_natural(text):
        raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
    return int(text)


def read_positive(parameters: Parameters, name: str) -> str:
    text = read_text(parameters, name)
    if not is_positive(text):
        raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
    return text


def read_limit(parameters: Parameters, name: str) -> str:
    text = read_text(parameters, name)
    if not is_positive(text):
        raise ApiError(400, '-6040', 'Invalid qtyLimit or deltaLimit.')
    return text


def read_boolean(parameters: Parameters, name: str) -> bool:
    value = str(parameters.get(name, False)).lower()
    if value not in ('true', 'false'):
        raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
    return value == 'true'


def read_side(parameters: Parameters) -> Side:
    side = read_text(parameters, 'side')
    if side not in ('BUY', 'SELL'):
        raise ApiError(400, '-1117', 'Invalid side.')
    return 'buy' if side == 'BUY' else 'sell'


def read_json_list(parameters: Parameters, name: str) -> list[Any]:
    try:
        items = parse_json(read_text(parameters, name))
    except ValueError:
        items = None
    if not isinstance(items, list) or not items:
        raise ApiError(400, '-1130', f"Data sent for parameter '{name}' is not valid.")
    return items


def read_underlying(call: Call) -> str:
    underlying = read_text(call.parameters, 'underlying')
    if underlying not in call.engine.series[VENUE]:
        raise ApiError(400, '-6003', 'Invalid underlying')
    return underlying


def read_privileged_underlying(call: Call) -> str:
    if not call.account.privileged:
        raise ApiError(400, *REJECTED['no_privilege'])
    return read_underlying(call)


def read_option(call: Call, parameters: Parameters) -> Instrument:
    option = call.engine.find_option(VENUE, read_text(parameters, 'symbol'))
    if option is None:
        raise ApiError(400, '-1121', 'Invalid symbol.')
    return option


def find_order(call: Call, order_id: str | None, client_order_id: str | None) -> Order | None:
    if order_id is None and client_order_id is None:
        raise ApiError(400, '-1102', "Mandatory parameter 'orderId' was not sent, was empty/null, or malformed.")
    order = call.account.find(VENUE, order_id, client_order_id)
    if order is None or order.instrument.instrument_id != call.parameters.get('symbol'):
        return None
    return order


def each_item(
    call: Call, items: list[Any], handle: Callable[[Any], Parameters], refusal: tuple[str, str]
) -> list[Parameters]:
    """The items of a batch, each with its own outcome."""

    def outcome(index: int, item: Any) -> Parameters:
        try:
            if call.refuse_every_second and index % 2:
                raise ApiError(400, *refusal)
            return handle(item)
        except ApiError as error:
            return {'code': int(error.code), 'msg': error.message}

    return [outcome(index, item) for index, item in enumerate(items)]
