"""Binance: to place orders and to list them."""

from decimal import Decimal
from typing import Any

from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.binance.calls import (
    Call,
    Parameters,
    each_item,
    find_order,
    read_boolean,
    read_integer,
    read_json_list,
    read_option,
    read_positive,
    read_side,
    read_text,
)
from ccxt_mmp.simulator.venues.binance.tables import MAX_BATCH, MAX_ROWS, REJECTED, STATES, VENUE
from ccxt_mmp.simulator.wire import ApiError


def place(call: Call) -> Parameters:
    order = _place(call, call.parameters)
    if call.parameters.get('newOrderRespType') == 'RESULT':
        return _placed(order)
    # which fields the default, ACK, leaves out is not documented in what was captured [unverified]
    kept = ('orderId', 'symbol', 'price', 'quantity', 'side', 'type', 'reduceOnly', 'mmp', 'clientOrderId')
    answer = order_shape(order)
    return {**{name: answer[name] for name in kept}, 'createDate': order.created}


def place_batch(call: Call) -> list[Parameters]:
    items = read_json_list(call.parameters, 'orders')
    if len(items) > MAX_BATCH:
        raise ApiError(400, '-6011', 'Maximum 10 orders in one batchOrder request.')
    # for the half of a batch that is refused: codes after which nothing can have happened
    return each_item(call, items, lambda item: _placed(_place(call, item)), REJECTED['countdown'])


def order(call: Call) -> Parameters:
    order = find_order(call, call.parameters.get('orderId'), call.parameters.get('clientOrderId'))
    if order is None:
        raise ApiError(400, '-2013', 'Order does not exist.')
    return {**order_shape(order), 'postOnly': order.time_in_force == 'GTX'}


def open_orders(call: Call) -> list[Parameters]:
    symbol = call.parameters.get('symbol')
    orders = call.account.open_orders(VENUE)
    return _page(call, [each for each in orders if symbol in (None, each.instrument.instrument_id)])


def history(call: Call) -> list[Parameters]:
    symbol = read_option(call, call.parameters).instrument_id
    orders = call.account.orders
    return _page(call, [each for each in orders if each.instrument.instrument_id == symbol and not each.is_open])


def _page(call: Call, orders: list[Order]) -> list[Parameters]:
    """From an order id or time on, to a time, at most so many."""
    bounds = {'orderId': 0, 'startTime': 0, 'endTime': call.now, 'limit': MAX_ROWS}
    for name in bounds.keys() & call.parameters.keys():
        bounds[name] = read_integer(call.parameters, name)
    rows = [
        order_shape(order)
        for order in orders
        if int(order.order_id) >= bounds['orderId'] and bounds['startTime'] <= order.created <= bounds['endTime']
    ]
    return rows[: min(bounds['limit'], MAX_ROWS)]


def _place(call: Call, item: Any) -> Order:
    if not isinstance(item, dict):
        raise ApiError(400, '-1130', "Data sent for parameter 'orders' is not valid.")
    option = read_option(call, item)
    if read_text(item, 'type') != 'LIMIT':
        raise ApiError(400, '-1116', 'Invalid orderType.')
    time_in_force = item.get('timeInForce', 'GTC')
    if time_in_force not in ('GTC', 'IOC', 'FOK', 'GTX'):
        raise ApiError(400, '-1115', 'Invalid timeInForce.')
    order = Order(
        order_id='',
        instrument=option,
        side=read_side(item),
        price=read_positive(item, 'price'),
        quantity=Decimal(read_positive(item, 'quantity')),
        mmp=read_boolean(item, 'isMmp'),
        client_order_id=str(item.get('clientOrderId', '')),
        time_in_force='GTX' if read_boolean(item, 'postOnly') else time_in_force,
        reduce_only=read_boolean(item, 'reduceOnly'),
    )
    if order.quantity % Decimal(option.lot):
        raise ApiError(400, '-1111', 'Precision is over the maximum defined for this asset.')
    try:
        return call.engine.place(call.account, order, call.now)
    except RejectedError as rejected:
        raise ApiError(400, *REJECTED[rejected.reason]) from rejected


def order_shape(order: Order) -> Parameters:
    return {
        'orderId': int(order.order_id),
        'symbol': order.instrument.instrument_id,
        'price': order.price,
        'quantity': str(order.quantity),
        'executedQty': str(order.filled),
        'side': order.side.upper(),
        'type': 'LIMIT',
        'timeInForce': order.time_in_force,
        'reduceOnly': order.reduce_only,
        'createTime': order.created,
        'updateTime': order.updated,
        'status': STATES[order.state],
        'avgPrice': order.average_price or '0',
        'clientOrderId': order.client_order_id,
        'priceScale': 1,
        'quantityScale': 2,
        'optionSide': 'CALL' if order.instrument.is_call else 'PUT',
        'quoteAsset': order.instrument.settle,
        'mmp': order.mmp,
        'selfTradePreventionMode': 'EXPIRE_MAKER',
    }


def _placed(order: Order) -> Parameters:
    return {**order_shape(order), 'fee': 0, 'postOnly': order.time_in_force == 'GTX', 'source': 'API'}
