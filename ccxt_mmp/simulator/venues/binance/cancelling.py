"""Binance: to cancel orders one by one, by contract or underlying, and by a countdown."""

from typing import Any

from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.binance.calls import (
    Call,
    Parameters,
    each_item,
    find_order,
    read_integer,
    read_json_list,
    read_option,
    read_privileged_underlying,
    read_text,
    read_underlying,
)
from ccxt_mmp.simulator.venues.binance.orders import order_shape
from ccxt_mmp.simulator.venues.binance.tables import GONE, MAX_BATCH, MIN_COUNTDOWN, REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError


def cancel(call: Call) -> Parameters:
    read_option(call, call.parameters)
    answer = _cancel(call, call.parameters.get('orderId'), call.parameters.get('clientOrderId'))
    return {**{name: answer[name] for name in answer if name != 'createTime'}, 'createDate': answer['createTime']}


def cancel_batch(call: Call) -> list[Parameters]:
    read_option(call, call.parameters)
    names = [name for name in ('orderIds', 'clientOrderIds') if name in call.parameters]
    if len(names) != 1:
        raise ApiError(400, '-1102', "Mandatory parameter 'orderIds' or 'clientOrderIds' was not sent, or both were.")
    ids = read_json_list(call.parameters, names[0])
    if len(ids) > MAX_BATCH:  # the documentation names no maximum of this endpoint [unverified]
        raise ApiError(400, '-6011', 'Maximum 10 orders in one batchOrder request.')
    by_id = names == ['orderIds']

    def cancel(each: Any) -> Parameters:
        return {**_cancel(call, *((str(each), None) if by_id else (None, str(each)))), 'fee': '0'}

    answers = each_item(call, ids, cancel, REJECTED['cancel_refused'])
    return answers[::-1] if call.engine.unverified.reverse_batch_cancels else answers


def cancel_contract(call: Call) -> Parameters:
    symbol = read_option(call, call.parameters).instrument_id
    call.engine.cancel_where(call.account, VENUE, lambda order: order.instrument.instrument_id == symbol, call.now)
    return {'code': '0', 'msg': 'success'}


def cancel_underlying(call: Call) -> Parameters:
    underlying = read_underlying(call)
    call.engine.cancel_where(call.account, VENUE, lambda order: order.underlying == underlying, call.now)
    return {'code': 0, 'msg': 'success'}


def set_countdown(call: Call) -> Parameters:
    underlying = read_privileged_underlying(call)
    milliseconds = read_integer(call.parameters, 'countdownTime')
    if 0 < milliseconds < MIN_COUNTDOWN:
        raise ApiError(400, '-6009', 'countdownTime must be no less than 5000 or equal to 0')
    _start_countdown(call, underlying, milliseconds)
    return {'underlying': underlying, 'countdownTime': milliseconds}


def get_countdown(call: Call) -> Parameters:
    underlying = read_privileged_underlying(call)
    countdown = call.account.countdowns.get((VENUE, underlying))
    return {'underlying': underlying, 'countdownTime': 0 if countdown is None else countdown.milliseconds}


def heartbeat(call: Call) -> Parameters:
    underlyings = read_text(call.parameters, 'underlyings').split(',')
    beating = []
    for underlying in underlyings:
        countdown = call.account.countdowns.get((VENUE, underlying))
        if countdown is not None:
            _start_countdown(call, underlying, countdown.milliseconds)
            beating.append(underlying)
    return {'underlyings': beating}


def _cancel(call: Call, order_id: str | None, client_order_id: str | None) -> Parameters:
    order = find_order(call, order_id, client_order_id)
    if order is None or not order.is_open:
        raise ApiError(400, *GONE)
    try:
        call.engine.cancel(call.account, order, call.now)
    except RejectedError as rejected:
        raise ApiError(400, *REJECTED[rejected.reason]) from rejected
    return {**order_shape(order), 'source': 'API'}


def _start_countdown(call: Call, underlying: str, milliseconds: int) -> None:
    """After it fired, orders of the underlying are refused until it is set again."""
    call.engine.start_countdown(
        call.account,
        VENUE,
        underlying,
        milliseconds,
        call.now,
        covers=lambda order: order.underlying == underlying,
        blocks=True,
    )
