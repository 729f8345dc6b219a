"""Bybit: to cancel orders one by one, in batches, by coin, and when connections end.

An answer acknowledges. What comes of it is told after the simulator's ``processing_time``.
"""

from collections.abc import Callable

from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.bybit.calls import (
    Batch,
    Call,
    Parameters,
    each_item,
    find_open_order,
    invalid,
    read_category,
    read_coin,
    read_option,
    refusal,
    require_options,
)
from ccxt_mmp.simulator.venues.bybit.tables import PRODUCT, PRODUCTS, REJECTED, SETTLES, TIME_WINDOWS, VENUE


def cancel(call: Call) -> Parameters:
    require_options(call)
    return _cancel(call, call.parameters)


def cancel_batch(call: Call) -> Batch:
    return each_item(call, _cancel, REJECTED['cancel_refused'])


def cancel_all(call: Call) -> Parameters:
    """Of a contract, else a coin, else a settle currency, else all of them."""
    category = read_category(call)
    filters = call.parameters.get('orderFilter')
    if filters not in (None, '', 'Order', 'StopOrder'):
        raise invalid('orderFilter')
    is_meant = _choice(call)
    is_of_orders = category == 'option' and filters != 'StopOrder'
    orders = [order for order in call.account.open_orders(VENUE) if is_of_orders and is_meant(order)]
    for order in orders:
        call.engine.acknowledge_cancel(call.account, order, call.now, by_exchange=True)
    return {'list': [_ids(order) for order in orders], 'success': '1'}


def set_time_window(call: Call) -> None:
    """Of the dead man's switch, which runs when the connections that subscribed it have ended."""
    product = call.parameters.get('product', PRODUCT)
    seconds = call.parameters.get('timeWindow')
    if product not in PRODUCTS:
        raise invalid('product')
    if type(seconds) is not int or seconds not in TIME_WINDOWS:
        raise invalid('timeWindow')
    call.windows[call.account.key, product] = seconds


def get_time_windows(call: Call) -> Parameters:
    known = [(product, call.windows.get((call.account.key, product))) for product in PRODUCTS]
    return {
        'dcpInfos': [
            {'product': product, 'dcpStatus': 'ON', 'timeWindow': str(seconds)}
            for product, seconds in known
            if seconds is not None
        ]
    }


def _cancel(call: Call, item: Parameters) -> Parameters:
    order = find_open_order(call, item)
    try:
        call.engine.acknowledge_cancel(call.account, order, call.now)
    except RejectedError as rejected:
        raise refusal(REJECTED[rejected.reason]) from rejected
    return _ids(order)


def _choice(call: Call) -> Callable[[Order], bool]:
    """Which orders are meant."""
    wanted = call.parameters
    if wanted.get('symbol'):
        option = read_option(call, wanted)
        return lambda order: order.instrument is option
    if wanted.get('baseCoin'):
        coin = read_coin(call)
        return lambda order: order.underlying == coin
    settle = wanted.get('settleCoin')
    if settle and settle not in SETTLES:
        raise invalid('settleCoin')
    return lambda order: settle in (None, '', order.instrument.settle)


def _ids(order: Order) -> Parameters:
    return {'orderId': order.order_id, 'orderLinkId': order.client_order_id}
