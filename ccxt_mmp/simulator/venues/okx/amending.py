"""OKX: to amend open orders, one or a batch."""

from decimal import Decimal

from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.okx.calls import Call, Parameters, Rows, each_item, read_positive, read_text
from ccxt_mmp.simulator.venues.okx.tables import AMENDED_TWICE, GONE_BEFORE_AMENDED, NOTHING_TO_AMEND, REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError

ABSENT = (None, '')  # what OKX's own client sends for terms that it does not change


def amend(call: Call) -> Rows:
    """Each row has the client's id of the amendment, and no tag."""
    named = [str(item.get('ordId') or item.get('clOrdId') or index) for index, item in enumerate(call.items)]
    if len({*named}) < len(named):
        raise ApiError(200, *AMENDED_TWICE)
    items = call.items or [call.parameters]
    return [
        {name: value for name, value in {**row, 'reqId': str(item.get('reqId', ''))}.items() if name != 'tag'}
        for item, row in zip(items, each_item(call, _amend), strict=True)
    ]


def _amend(call: Call, item: Parameters) -> Parameters:
    option_id = read_text(item, 'instId')
    order = call.account.find(VENUE, item.get('ordId'), item.get('clOrdId'))
    if order is None or not order.is_open or order.instrument.instrument_id != option_id:
        raise ApiError(200, *GONE_BEFORE_AMENDED)
    try:
        price = read_positive(item, 'newPx') if item.get('newPx') not in ABSENT else None
        quantity = Decimal(read_positive(item, 'newSz')) if item.get('newSz') not in ABSENT else None
        if price is None and quantity is None:
            raise ApiError(200, *NOTHING_TO_AMEND)
        if quantity is not None and quantity % Decimal(order.instrument.lot):
            raise ApiError(200, '51000', 'Parameter newSz error')
        try:
            call.engine.amend(call.account, order, call.now, price=price, quantity=quantity)
        except RejectedError as rejected:
            raise ApiError(200, *REJECTED[rejected.reason]) from rejected
    except ApiError:
        if item.get('cxlOnFail') in (True, 'true'):
            # by the exchange itself, which nothing refuses
            call.engine.cancel_where(call.account, VENUE, lambda each: each is order, call.now)
        raise
    return {'ordId': order.order_id, 'clOrdId': order.client_order_id}
