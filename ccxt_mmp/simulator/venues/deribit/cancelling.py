"""Deribit: to cancel orders one by one, by their label, and many at once."""

from collections.abc import Callable

from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.engine import RejectedError
from ccxt_mmp.simulator.venues.deribit.calls import (
    Call,
    InvalidParamsError,
    Parameters,
    read_instrument,
    read_text,
    refusal,
)
from ccxt_mmp.simulator.venues.deribit.orders import find_order, order_shape
from ccxt_mmp.simulator.venues.deribit.tables import ALREADY_CLOSED, KINDS, REJECTED, VENUE


def cancel(call: Call) -> Parameters:
    order = find_order(call)
    if not order.is_open:
        raise refusal(ALREADY_CLOSED)
    try:
        call.engine.cancel(call.account, order, call.now)
    except RejectedError as rejected:
        raise refusal(REJECTED[rejected.reason]) from rejected
    return order_shape(order)


def cancel_by_label(call: Call) -> int:
    label, currency = read_text(call.parameters, 'label'), call.parameters.get('currency')
    # one that is refused to its owner is passed over [unverified]
    return _cancelled(
        call,
        lambda order: (
            order.client_order_id == label and currency in (None, order.instrument.settle) and not order.cancel_refused
        ),
    )


def cancel_quotes(call: Call) -> int:
    kind = read_text(call.parameters, 'cancel_type')
    wanted: dict[str, Callable[[Order], bool]] = {
        'all': lambda order: True,
        'currency': lambda order: order.instrument.settle == call.parameters.get('currency'),
        'currency_pair': lambda order: order.underlying == call.parameters.get('currency_pair'),
        'instrument': lambda order: order.instrument.instrument_id == call.parameters.get('instrument_name'),
    }
    if kind not in wanted:
        raise InvalidParamsError('cancel_type', f'the simulator knows {", ".join(wanted)}')
    return _cancelled(call, lambda order: order.group is not None and wanted[kind](order))


def cancel_all(call: Call) -> int:
    return _cancelled(call, lambda order: True)


def cancel_all_by_currency(call: Call) -> int:
    currency = read_text(call.parameters, 'currency')
    return _cancelled(call, lambda order: order.instrument.settle == currency)


def cancel_all_by_currency_pair(call: Call) -> int:
    pair = read_text(call.parameters, 'currency_pair').lower()
    if pair not in call.engine.series[VENUE]:
        raise InvalidParamsError('currency_pair', 'invalid currency pair')
    return _cancelled(call, lambda order: order.underlying == pair)


def cancel_all_by_instrument(call: Call) -> int:
    instrument = read_instrument(call)
    return _cancelled(call, lambda order: order.instrument is instrument)


def cancel_all_by_kind_or_type(call: Call) -> int:
    currency, kind = read_text(call.parameters, 'currency'), call.parameters.get('kind', 'any')
    return _cancelled(
        call,
        lambda order: currency in ('any', order.instrument.settle) and kind in ('any', KINDS[order.instrument.kind]),
    )


def _cancelled(call: Call, wanted: Callable[[Order], bool]) -> int:
    """How many were cancelled."""
    return len(call.engine.cancel_where(call.account, VENUE, wanted, call.now))
