"""OKX: to place orders and to list them."""

from decimal import Decimal

from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.okx.calls import (
    Call,
    Parameters,
    Rows,
    each_item,
    read_integer,
    read_positive,
    read_side,
    read_text,
)
from ccxt_mmp.simulator.venues.okx.markets import index_of
from ccxt_mmp.simulator.venues.okx.tables import CANCEL_SOURCES, CROSS_ONLY, MAX_ROWS, ORDER_TYPES, REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError


def place(call: Call) -> Rows:
    return each_item(call, _place)


def order(call: Call) -> Rows:
    found = call.account.find(VENUE, call.parameters.get('ordId'), call.parameters.get('clOrdId'))
    if found is None or found.instrument.instrument_id != call.parameters.get('instId'):
        raise ApiError(200, '51603', 'Order does not exist')
    return [order_shape(found)]


def pending(call: Call) -> Rows:
    return _listed(call, call.account.open_orders(VENUE))


def history(call: Call) -> Rows:
    read_text(call.parameters, 'instType')
    if ',' in call.parameters.get('state', ''):  # documented for ordType alone
        raise ApiError(400, '51000', 'Parameter state error')
    return _listed(call, [order for order in call.account.orders if not order.is_open])


def _place(call: Call, item: Parameters) -> Parameters:
    option = call.engine.find_option(VENUE, read_text(item, 'instId'))
    if option is None:
        raise ApiError(200, '51001', "Instrument ID doesn't exist.")
    order_type = read_text(item, 'ordType')
    if order_type not in ORDER_TYPES:
        raise ApiError(200, '51000', 'Parameter ordType error')
    mmp, time_in_force = ORDER_TYPES[order_type]
    if read_text(item, 'tdMode') != 'cross':
        code, message = ('51042', CROSS_ONLY) if mmp else ('51000', 'Parameter tdMode error')
        raise ApiError(200, code, message)
    order = Order(
        order_id='',
        instrument=option,
        side=read_side(item),
        price=read_positive(item, 'px'),
        quantity=Decimal(read_positive(item, 'sz')),
        mmp=mmp,
        client_order_id=str(item.get('clOrdId', '')),
        time_in_force=time_in_force,
        reduce_only=item.get('reduceOnly') in (True, 'true'),
        tag=str(item.get('tag', '')),
        order_type=order_type,
    )
    if order.quantity % Decimal(option.lot):
        raise ApiError(200, '51000', 'Parameter sz error')
    try:
        call.engine.place(call.account, order, call.now)
    except RejectedError as rejected:
        raise ApiError(200, *REJECTED[rejected.reason]) from rejected
    return {'ordId': order.order_id}


def _listed(call: Call, orders: list[Order]) -> Rows:
    """Newest first, at most 100, after an order id if there is one."""
    found = [order for order in reversed(orders) if order.venue == VENUE]
    wanted = {
        name: call.parameters[name].split(',') for name in ('instId', 'ordType', 'state') if name in call.parameters
    }
    if call.parameters.get('instType', 'OPTION') != 'OPTION':
        return []
    if 'instFamily' in call.parameters:
        found = [order for order in found if order.underlying == call.parameters['instFamily']]
    if 'uly' in call.parameters:
        found = [order for order in found if index_of(order.instrument) == call.parameters['uly']]
    rows = [order_shape(order) for order in found]
    rows = [row for row in rows if all(row[name] in values for name, values in wanted.items())]
    if 'after' in call.parameters:
        rows = [row for row in rows if int(row['ordId']) < read_integer(call.parameters, 'after')]
    if 'before' in call.parameters:
        rows = [row for row in rows if int(row['ordId']) > read_integer(call.parameters, 'before')]
    return rows[: min(read_integer({'limit': '100', **call.parameters}, 'limit'), MAX_ROWS)]


def order_shape(order: Order) -> Parameters:
    filled = str(order.filled)
    return {
        'accFillSz': filled,
        'algoClOrdId': '',
        'algoId': '',
        'attachAlgoClOrdId': '',
        'attachAlgoOrds': [],
        'avgPx': order.average_price,
        'cTime': str(order.created),
        'cancelSource': CANCEL_SOURCES[order.cancel_source],
        'cancelSourceReason': '',
        'category': 'normal',
        'ccy': '',
        'clOrdId': order.client_order_id,
        'fee': '0',
        'feeCcy': order.instrument.settle,
        'fillPx': order.fill_price,
        'fillSz': filled,
        'fillTime': str(order.updated) if order.filled else '',
        'instId': order.instrument.instrument_id,
        'instType': 'OPTION',
        'isTpLimit': 'false',
        'lever': '',
        'linkedAlgoOrd': {'algoId': ''},
        'ordId': order.order_id,
        'ordType': order.order_type,
        'pnl': '0',
        'posSide': 'net',
        'px': order.price,
        'pxType': '',
        'pxUsd': '',
        'pxVol': '',
        'quickMgnType': '',
        'rebate': '0',
        'rebateCcy': order.instrument.settle,
        'reduceOnly': 'true' if order.reduce_only else 'false',
        'side': order.side,
        'slOrdPx': '',
        'slTriggerPx': '',
        'slTriggerPxType': '',
        'source': '',
        'state': order.state,
        'stpId': '',
        'stpMode': '',
        'sz': str(order.quantity),
        'tag': order.tag,
        'tdMode': 'cross',
        'tgtCcy': '',
        'tpOrdPx': '',
        'tpTriggerPx': '',
        'tpTriggerPxType': '',
        'tradeId': '',
        'tradeQuoteCcy': '',
        'uTime': str(order.updated),
    }
