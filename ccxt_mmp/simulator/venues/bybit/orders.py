"""Bybit: to place orders and to list them. An answer acknowledges; what comes of an order is read or pushed."""

from decimal import Decimal
from urllib.parse import quote, unquote

from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.bybit.calls import (
    Batch,
    Call,
    Parameters,
    each_item,
    invalid,
    read_boolean,
    read_category,
    read_natural,
    read_option,
    read_positive,
    read_rows,
    read_side,
    refusal,
    require_options,
)
from ccxt_mmp.simulator.venues.bybit.tables import (
    CANCEL_TYPES,
    DEFAULT_ROWS,
    MAX_CLOSED,
    MAX_LINK_ID,
    MAX_ROWS,
    NO_LINK_ID,
    NO_REASON,
    REASON_OF_FROZEN,
    REFUSED_ORDER,
    REJECT_REASONS,
    REJECTED,
    STATES,
    TIMES_IN_FORCE,
    TOO_LITTLE,
    VENUE,
)


def create(call: Call) -> Parameters:
    require_options(call)
    return _place(call, call.parameters)


def create_batch(call: Call) -> Batch:
    batch = each_item(call, _place, REFUSED_ORDER)
    times = [str(call.now) if outcome['code'] == 0 else '' for outcome in batch.outcomes]
    return batch._replace(rows=[{**row, 'createAt': time} for row, time in zip(batch.rows, times, strict=True)])


def realtime(call: Call) -> Parameters:
    """The open orders, or with openOnly 1 the latest that are closed; by an id, both."""
    opened = call.account.open_orders(VENUE)
    if any(call.parameters.get(name) for name in ('orderId', 'orderLinkId')):
        return _page(call, call.account.orders)
    only = read_natural(call.parameters, 'openOnly', '0')
    if only > 1:
        raise invalid('openOnly')
    return _page(call, opened if only == 0 else _closed(call)[-MAX_CLOSED:])


def history(call: Call) -> Parameters:
    return _page(call, _closed(call))


def order_shape(order: Order) -> Parameters:
    """Nothing in it says whether it is an MMP order."""
    left = order.quantity - order.filled if order.is_open else Decimal(0)
    reason = REASON_OF_FROZEN if order.state == 'rejected' else REJECT_REASONS.get(order.cancel_source or '', NO_REASON)
    return {
        'avgPrice': order.average_price,
        'blockTradeId': '',
        'cancelType': CANCEL_TYPES[order.cancel_source],
        'closeOnTrigger': False,
        'createType': 'CreateByUser',
        'createdTime': str(order.created),
        'cumExecFee': '0',
        'cumExecQty': str(order.filled),
        'cumExecValue': str(order.cost),
        'cumFeeDetail': {order.instrument.settle: '0'} if order.filled else {},
        'extraFees': '',
        'isLeverage': '',
        'lastPriceOnCreated': '',
        'leavesQty': str(left),
        'leavesValue': str(left * Decimal(order.price)),
        'orderId': order.order_id,
        'orderIv': '',
        'orderLinkId': order.client_order_id,
        'orderStatus': STATES[order.state],
        'orderType': 'Limit',
        'placeType': 'price',
        'positionIdx': 0,
        'price': order.price,
        'qty': str(order.quantity),
        'reduceOnly': order.reduce_only,
        'rejectReason': reason,
        'side': order.side.capitalize(),
        'slLimitPrice': '',
        'slTriggerBy': '',
        'slippageTolerance': '0',
        'slippageToleranceType': 'UNKNOWN',
        'smpGroup': 0,
        'smpOrderId': '',
        'smpType': 'None',
        'stopLoss': '',
        'stopOrderType': '',
        'symbol': order.instrument.instrument_id,
        'takeProfit': '',
        'timeInForce': order.time_in_force,
        'tpLimitPrice': '',
        'tpTriggerBy': '',
        'tpslMode': '',
        'triggerBy': '',
        'triggerDirection': 0,
        'triggerPrice': '',
        'updatedTime': str(order.updated),
    }


def _place(call: Call, item: Parameters) -> Parameters:
    option = read_option(call, item)
    link_id = item.get('orderLinkId')
    if link_id is None or link_id == '':
        raise refusal(NO_LINK_ID)
    if not _is_link_id(link_id):
        raise invalid('orderLinkId')
    if item.get('orderType') != 'Limit':  # there is nobody to trade with
        raise invalid('orderType')
    time_in_force = item.get('timeInForce') or 'GTC'
    if time_in_force not in TIMES_IN_FORCE:
        raise invalid('timeInForce')
    order = Order(
        order_id='',
        instrument=option,
        side=read_side(item),
        price=read_positive(item, 'price'),
        quantity=Decimal(read_positive(item, 'qty')),
        mmp=read_boolean(item, 'mmp'),
        client_order_id=link_id,
        time_in_force=time_in_force,
        reduce_only=read_boolean(item, 'reduceOnly'),
    )
    if order.quantity < Decimal(option.lot):
        raise refusal(TOO_LITTLE)
    if order.quantity % Decimal(option.lot):
        raise invalid('qty')
    try:
        call.engine.place(call.account, order, call.now)
    except RejectedError as rejected:
        if rejected.reason != 'frozen' or call.engine.unverified.frozen_orders == 'refuse':
            raise refusal(REJECTED[rejected.reason]) from rejected
        call.engine.reject(call.account, order, call.now)
    return {'orderId': order.order_id, 'orderLinkId': link_id}


def _is_link_id(text: object) -> bool:
    if not isinstance(text, str) or len(text) > MAX_LINK_ID or not text.isascii():
        return False
    return text.replace('-', '').replace('_', '').isalnum()


def _closed(call: Call) -> list[Order]:
    return [order for order in call.account.orders if not order.is_open]


def _page(call: Call, orders: list[Order]) -> Parameters:
    """Newest first. As documented, the cursor is there after the last page, too: the next one is empty."""
    category, wanted = read_category(call), call.parameters
    limit = read_rows(wanted, MAX_ROWS, DEFAULT_ROWS)
    found = [order for order in reversed(orders) if order.venue == VENUE and category == 'option']
    if wanted.get('orderFilter') == 'StopOrder':
        found = []
    last = _number(unquote(wanted.get('cursor') or ''))
    rows = [
        row
        for order in found
        if (last is None or int(order.order_id[:8], 16) < last)
        and wanted.get('baseCoin') in (None, '', order.underlying)
        and wanted.get('settleCoin') in (None, '', order.instrument.settle)
        for row in [order_shape(order)]
        if all(
            wanted.get(name) in (None, '', row[name]) for name in ('symbol', 'orderId', 'orderLinkId', 'orderStatus')
        )
    ][:limit]
    ends = [f'{row["orderId"]}:{row["createdTime"]}' for row in (rows[:1] + rows[-1:])]
    return {'nextPageCursor': quote(','.join(ends)), 'category': category, 'list': rows}


def _number(cursor: str) -> int | None:
    """The number of the last order of the page before."""
    if not cursor:
        return None
    try:
        return int(cursor.partition(',')[2][:8], 16)
    except ValueError:
        raise invalid('cursor') from None
