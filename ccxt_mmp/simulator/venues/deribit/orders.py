"""Deribit: to place orders and to list them."""

from decimal import Decimal

from ccxt_mmp.simulator.accounts import Order, Side
from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.deribit.calls import (
    Call,
    InvalidParamsError,
    Parameters,
    number,
    read_boolean,
    read_instrument,
    read_integer,
    read_positive,
    read_text,
    refusal,
)
from ccxt_mmp.simulator.venues.deribit.tables import (
    CANCEL_REASONS,
    KINDS,
    MAX_LABEL,
    ORDER_NOT_FOUND,
    REJECTED,
    STATES,
    TIMED_OUT,
    TIMES_IN_FORCE,
    VENUE,
)

LATEST = 10**15  # ms, of valid_until
MAX_COUNT = 1000


def buy(call: Call) -> Parameters:
    return _place(call, 'buy')


def sell(call: Call) -> Parameters:
    return _place(call, 'sell')


def open_orders(call: Call) -> list[Parameters]:
    return _listed(call, call.account.open_orders(VENUE))


def open_orders_by_currency(call: Call) -> list[Parameters]:
    currency = read_text(call.parameters, 'currency')
    return _listed(call, [each for each in call.account.open_orders(VENUE) if each.instrument.settle == currency])


def open_orders_by_instrument(call: Call) -> list[Parameters]:
    instrument = read_instrument(call)
    return _listed(call, [each for each in call.account.open_orders(VENUE) if each.instrument is instrument])


def order_state(call: Call) -> Parameters:
    return order_shape(find_order(call))


def history_by_currency(call: Call) -> list[Parameters]:
    currency = read_text(call.parameters, 'currency')
    return _history(call, [each for each in call.account.orders if each.instrument.settle == currency])


def history_by_instrument(call: Call) -> list[Parameters]:
    instrument = read_instrument(call)
    return _history(call, [each for each in call.account.orders if each.instrument is instrument])


def find_order(call: Call) -> Order:
    order = call.account.find(VENUE, read_text(call.parameters, 'order_id'), None)
    if order is None:
        raise refusal(ORDER_NOT_FOUND)
    return order


def require_time(call: Call) -> None:
    if call.parameters.get('valid_until') is not None and call.now > read_integer(
        call.parameters, 'valid_until', LATEST
    ):
        raise refusal(TIMED_OUT)


def read_amount(call: Call, lot: str) -> Decimal:
    amount = Decimal(read_positive(call.parameters, 'amount'))
    if amount % Decimal(lot):
        raise InvalidParamsError('amount', 'must be a multiple of contract size')
    return amount


def order_shape(order: Order) -> Parameters:
    is_post_only = order.time_in_force == 'PO'
    names = {ours: name for name, ours in TIMES_IN_FORCE.items()}
    row: Parameters = {
        'amount': number(order.quantity),
        'api': True,
        'average_price': number(order.average_price or 0),
        'creation_timestamp': order.created,
        'direction': order.side,
        'filled_amount': number(order.filled),
        'instrument_name': order.instrument.instrument_id,
        'is_liquidation': False,
        'is_rebalance': False,
        'label': order.client_order_id,
        'last_update_timestamp': order.updated,
        'max_show': number(order.quantity),
        'mmp': order.mmp,
        'order_id': order.order_id,
        'order_state': STATES[order.state],
        'order_type': 'limit',
        'post_only': is_post_only,
        'price': number(order.price),
        'reduce_only': order.reduce_only,
        'replaced': order.updated > order.created and order.is_open and not order.filled,
        'time_in_force': names.get(order.time_in_force, 'good_til_cancelled'),
        'web': False,
    }
    if is_post_only:
        row['reject_post_only'] = True
    if order.group is not None:  # a mass quote
        quote = {'quote': True, 'mmp_group': order.group, 'quote_id': order.tag, 'quote_set_id': order.tag}
        row |= {**quote, 'amount': number(order.quantity - order.filled)}
    if order.cancel_source is not None:
        row['cancel_reason'] = CANCEL_REASONS[order.cancel_source]
    if order.cancel_source == 'trigger':
        row['mmp_cancelled'] = True
    return row


def _place(call: Call, side: Side) -> Parameters:
    instrument = read_instrument(call)
    require_time(call)
    if call.parameters.get('type', 'limit') != 'limit':  # there is nobody to trade with
        raise InvalidParamsError('type', 'the simulator has limit orders alone')
    time_in_force = TIMES_IN_FORCE.get(call.parameters.get('time_in_force', 'good_til_cancelled'))
    if time_in_force is None:
        raise InvalidParamsError('time_in_force', 'invalid time in force')
    label = call.parameters.get('label', '')
    if not isinstance(label, str) or len(label) > MAX_LABEL:
        raise InvalidParamsError('label', f'at most {MAX_LABEL} characters')
    order = Order(
        order_id='',
        instrument=instrument,
        side=side,
        price=read_positive(call.parameters, 'price'),
        quantity=read_amount(call, instrument.lot),
        mmp=read_boolean(call.parameters, 'mmp'),
        client_order_id=label,
        # whether an order without the field is post-only is not documented: it is none [unverified]
        time_in_force='PO' if read_boolean(call.parameters, 'post_only') else time_in_force,
        reduce_only=read_boolean(call.parameters, 'reduce_only'),
    )
    try:
        call.engine.place(call.account, order, call.now)
    except RejectedError as rejected:
        raise refusal(REJECTED[rejected.reason]) from rejected
    return {'order': order_shape(order), 'trades': []}


def _listed(call: Call, orders: list[Order]) -> list[Parameters]:
    kind = call.parameters.get('kind', 'any')
    return [order_shape(each) for each in orders if kind in ('any', KINDS[each.instrument.kind])]


def _history(call: Call, orders: list[Order]) -> list[Parameters]:
    """Those that are closed, the newest first."""
    count = read_integer(call.parameters, 'count', MAX_COUNT, '20')
    return _listed(call, [each for each in reversed(orders) if each.venue == VENUE and not each.is_open][:count])
