"""Deribit: to edit open orders."""

from decimal import Decimal

from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.deribit.calls import (
    Call,
    InvalidParamsError,
    Parameters,
    read_boolean,
    read_positive,
    refusal,
)
from ccxt_mmp.simulator.venues.deribit.orders import find_order, order_shape, read_amount, require_time
from ccxt_mmp.simulator.venues.deribit.tables import ALREADY_CLOSED, ORDER_NOT_FOUND, REJECTED


def edit(call: Call) -> Parameters:
    """Price and amount; the flag cannot be edited, and a mass quote not at all."""
    order = find_order(call)
    require_time(call)
    if order.group is not None:
        raise refusal(ORDER_NOT_FOUND)
    if not order.is_open:
        raise refusal(ALREADY_CLOSED)
    if 'mmp' in call.parameters and read_boolean(call.parameters, 'mmp') is not order.mmp:
        raise InvalidParamsError('mmp', 'editing mmp flag is not supported')
    amount: Decimal = read_amount(call, order.instrument.lot)
    price = read_positive(call.parameters, 'price') if call.parameters.get('price') is not None else None
    try:
        call.engine.amend(call.account, order, call.now, price=price, quantity=amount)
    except RejectedError as rejected:
        raise refusal(REJECTED[rejected.reason]) from rejected
    return {'order': order_shape(order), 'trades': []}
