"""OKX: to cancel orders one by one, by a mass cancel and by a countdown."""

from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.okx.calls import (
    Call,
    Parameters,
    Rows,
    each_item,
    read_family,
    read_integer,
    read_text,
    require_privilege,
)
from ccxt_mmp.simulator.venues.okx.tables import MAX_LOCK_INTERVAL, REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError


def cancel(call: Call) -> Rows:
    return each_item(call, _cancel)


def mass_cancel(call: Call) -> Rows:
    require_privilege(call, '51411', 'Account does not have permission for mass cancellation.')
    if read_text(call.parameters, 'instType') != 'OPTION':
        raise ApiError(400, '51000', 'Parameter instType error')
    family = read_family(call)
    lock = read_integer({'lockInterval': '0', **call.parameters}, 'lockInterval')
    if lock > MAX_LOCK_INTERVAL:
        raise ApiError(200, '54009', f'The range of lockInterval should be [0, {MAX_LOCK_INTERVAL}].')
    call.engine.mass_cancel(call.account, VENUE, family, call.now + lock, call.now)
    return [{'result': True}]


def cancel_all_after(call: Call) -> Rows:
    # documented as a string; ccxt sends a number
    seconds = read_integer({'timeOut': str(call.parameters.get('timeOut', ''))}, 'timeOut')
    if seconds != 0 and not 10 <= seconds <= 120:
        raise ApiError(400, '51000', 'Parameter timeOut error')
    tag = str(call.parameters.get('tag', ''))
    countdown = call.engine.start_countdown(
        call.account,
        VENUE,
        tag,
        seconds * 1000,
        call.now,
        covers=lambda order: tag in ('', order.tag),  # the one without a tag means all
    )
    trigger = str(countdown.deadline) if seconds else '0'
    return [{'triggerTime': trigger, 'tag': tag, 'ts': str(call.now)}]


def _cancel(call: Call, item: Parameters) -> Parameters:
    order = call.account.find(VENUE, item.get('ordId'), item.get('clOrdId'))
    if order is None or not order.is_open or order.instrument.instrument_id != item.get('instId'):
        raise ApiError(200, '51400', 'Cancellation failed as the order has been filled, canceled or does not exist.')
    try:
        call.engine.cancel(call.account, order, call.now)
    except RejectedError as rejected:
        raise ApiError(200, *REJECTED[rejected.reason]) from rejected
    return {'ordId': order.order_id, 'clOrdId': order.client_order_id}
