"""A call of Bybit's API: what a handler gets, and how it reads the parameters."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ccxt_mmp.simulator.accounts import Account, Order, Side
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.bybit.tables import (
    CATEGORIES,
    LIMIT_DECIMALS,
    MAX_BATCH,
    NO_ORDER,
    NO_PERMISSION,
    NOT_ENABLED,
    PARAMETER,
    SIDES,
    VENUE,
)
from ccxt_mmp.simulator.wire import ApiError, is_natural, is_positive

Parameters = dict[str, Any]
Windows = dict[tuple[str, str], int]  # s of the dead man's switch, by account and product


@dataclass(frozen=True)
class Call:
    """What a handler gets."""

    engine: Engine
    account: Account
    parameters: Parameters
    now: int
    refuse_every_second: bool
    windows: Windows


class Batch(NamedTuple):
    """What comes of a batch: ``result.list`` and ``retExtInfo.list``, item by item."""

    rows: list[Parameters]
    outcomes: list[Parameters]


# what a handler returns: a result, a batch, or None for an answer that has no result
Returned = Parameters | Batch | None


@dataclass(frozen=True)
class Endpoint:
    handle: Callable[[Call], Returned]
    limit: int | None  # calls a second of an account; None for public endpoints
    known: tuple[str, ...] = ()
    needs: str | None = 'read'  # permission of the key, None for public endpoints
    elsewhere: int | None = None  # the limit in the other categories, where it is another


def refusal(error: tuple[str, str]) -> ApiError:
    return ApiError(200, *error)


def invalid(name: str) -> ApiError:
    return ApiError(200, PARAMETER, f'Request parameter error: {name}')


def is_signed(account: Account, text: str, sign: str) -> bool:
    digest = hmac.new(account.secret.encode(), text.encode(errors='surrogateescape'), hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest.encode(), sign.encode(errors='surrogateescape'))


def require_permission(endpoint: Endpoint, account: Account) -> None:
    if endpoint.needs not in (None, *account.permissions):
        raise refusal(NO_PERMISSION)


def require_privilege(call: Call) -> None:
    if not call.account.privileged:
        raise refusal(NOT_ENABLED)


def read_text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name)
    return value


def read_natural(parameters: Parameters, name: str, default: str | None = None) -> int:
    text = read_text({name: default} if parameters.get(name) is None else parameters, name)
    if not is_natural(text):
        raise invalid(name)
    return int(text)


def read_rows(parameters: Parameters, highest: int, default: int) -> int:
    """How many rows of a page are asked for."""
    limit = read_natural(parameters, 'limit', str(default))
    if not 1 <= limit <= highest:
        raise invalid('limit')
    return limit


def read_positive(parameters: Parameters, name: str) -> str:
    text = read_text(parameters, name)
    if not is_positive(text):
        raise invalid(name)
    return text


def read_limit(parameters: Parameters, name: str) -> str:
    text = read_positive(parameters, name)
    if len(text.partition('.')[2]) > LIMIT_DECIMALS:
        raise invalid(name)
    return text


def read_boolean(parameters: Parameters, name: str) -> bool:
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(name)
    return bool(value)


def read_side(parameters: Parameters) -> Side:
    side = SIDES.get(read_text(parameters, 'side'))
    if side is None:
        raise invalid('side')
    return 'buy' if side == 'buy' else 'sell'


def read_category(call: Call) -> str:
    category = read_text(call.parameters, 'category')
    if category not in CATEGORIES:
        raise invalid('category')
    return category


def require_options(call: Call) -> None:
    """The simulator trades options alone."""
    if read_category(call) != 'option':
        raise invalid('symbol')


def read_coin(call: Call) -> str:
    coin = read_text(call.parameters, 'baseCoin')
    if coin not in call.engine.series[VENUE]:
        # which code names an unknown coin is not documented [unverified]
        raise invalid('baseCoin')
    return coin


def read_option(call: Call, parameters: Parameters) -> Instrument:
    option = call.engine.find_option(VENUE, read_text(parameters, 'symbol'))
    if option is None:
        raise invalid('symbol')
    return option


def find_open_order(call: Call, item: Parameters) -> Order:
    """The open order that an item names by the exchange's id or the client's; the former wins."""
    option = read_option(call, item)
    ids = [item.get(name) or None for name in ('orderId', 'orderLinkId')]
    if ids == [None, None]:
        raise invalid('orderId')
    order = call.account.find(VENUE, *ids)
    if order is None or not order.is_open or order.instrument is not option:
        raise refusal(NO_ORDER)
    return order


def each_item(call: Call, handle: Callable[[Call, Parameters], Parameters], refused: tuple[str, str]) -> Batch:
    """The items of a batch, each with its own outcome.

    :param refused: what a fault answers every second one
    """
    require_options(call)
    items = call.parameters.get('request')
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid('request')
    if not 1 <= len(items) <= MAX_BATCH:  # with which code more are refused is not documented [unverified]
        raise invalid('request')
    batch = Batch([], [])
    for index, item in enumerate(items):
        row = {
            'category': 'option',
            'symbol': str(item.get('symbol') or ''),
            'orderId': str(item.get('orderId') or ''),
            'orderLinkId': str(item.get('orderLinkId') or ''),
        }
        outcome: Parameters = {'code': 0, 'msg': 'OK'}
        try:
            if call.refuse_every_second and index % 2:
                raise refusal(refused)
            row |= handle(call, item)
        except ApiError as error:
            outcome = {'code': int(error.code), 'msg': error.message}
            row['orderId'] = ''
        batch.rows.append(row)
        batch.outcomes.append(outcome)
    return batch
