"""Mass cancels of several underlyings for the tests."""

from tests.core.mass_cancel.cancelling import PARAMS
from tests.fault_matrix.methods import OTHER
from tests.trading import UNDERLYING, UNIFIED

OTHER_NAME = {each: name.replace('BTC', 'ETH') for each, name in UNIFIED.items()}
KEYS = {'okx': ('BTC/USD:BTC', 'ETH/USD:ETH'), 'binance': ('BTC/USDT:USDT', 'ETH/USDT:USDT')}
KEYS['deribit'] = KEYS['okx']
KEYS['bybit'] = ('BTC', 'ETH')


def names(exchange_id):
    return UNIFIED[exchange_id], OTHER_NAME[exchange_id]


def ids(exchange_id):
    return UNDERLYING[exchange_id], OTHER[exchange_id]


def cancel_all(flavour, exchange, underlyings=None, **params):
    return flavour.take(exchange.mass_cancel_mmps(underlyings, params))


def cancel_listed(flavour, exchange, underlyings=None, **params):
    """In the way that lists orders, on each exchange."""
    return cancel_all(flavour, exchange, underlyings, **{**PARAMS[exchange.id], **params})


def rest_both(simulator, exchange_id, count=2):
    """Ids of MMP orders of both underlyings; without orders of other programs."""
    return [[simulator.rest(exchange_id, each, mmp=True).order_id for _ in range(count)] for each in ids(exchange_id)]


def protect_both(simulator, exchange_id):
    """What tells, without names, that there is something to cancel."""
    for each in ids(exchange_id):
        simulator.set_rule(exchange_id, each)


def resting_of(simulator, exchange_id):
    return [order.order_id for each in ids(exchange_id) for order in simulator.resting(exchange_id, each)]


def paths(simulator):
    return [request.path.rpartition('/')[2] for request in simulator.requests]
