"""Bybit: to amend open orders, one or a batch."""

from decimal import Decimal

from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.bybit.calls import (
    Batch,
    Call,
    Parameters,
    each_item,
    find_open_order,
    invalid,
    read_positive,
    refusal,
    require_options,
)
from ccxt_mmp.simulator.venues.bybit.tables import REJECTED, UNCHANGED

ABSENT = (None, '')


def amend(call: Call) -> Parameters:
    require_options(call)
    return _amend(call, call.parameters)


def amend_batch(call: Call) -> Batch:
    return each_item(call, _amend, REJECTED['cancel_refused'])


def _amend(call: Call, item: Parameters) -> Parameters:
    """Price and quantity; the field mmp is not known here, and an order keeps its flag."""
    order = find_open_order(call, item)
    price = read_positive(item, 'price') if item.get('price') not in ABSENT else None
    quantity = Decimal(read_positive(item, 'qty')) if item.get('qty') not in ABSENT else None
    if price in (None, order.price) and quantity in (None, order.quantity):
        raise refusal(UNCHANGED)
    if quantity is not None and quantity % Decimal(order.instrument.lot):
        raise invalid('qty')
    try:
        call.engine.amend(call.account, order, call.now, price=price, quantity=quantity)
    except RejectedError as rejected:
        raise refusal(REJECTED[rejected.reason]) from rejected
    return {'orderId': order.order_id, 'orderLinkId': order.client_order_id}
