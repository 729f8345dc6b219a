"""The endpoints of the simulated Bybit: what handles each, its limit a second, and the parameters that it knows.

The limit of ``mmp-state`` is that of Bybit's tool server: the documented table has none.
"""

from ccxt_mmp.simulator.venues.bybit import amending, cancelling, market_data, markets, orders, positions, protection
from ccxt_mmp.simulator.venues.bybit.calls import Endpoint, Parameters

RULE = ('window', 'frozenPeriod', 'qtyLimit', 'deltaLimit', 'vegaLimit')
TERMS = ('symbol', 'side', 'orderType', 'qty', 'price', 'timeInForce', 'orderLinkId', 'reduceOnly', 'mmp')
ORDER = (*TERMS, 'positionIdx', 'orderIv', 'closeOnTrigger', 'smpType', 'isLeverage', 'orderFilter')
IDS = ('symbol', 'orderId', 'orderLinkId')
AMENDMENT = (*IDS, 'qty', 'price', 'orderIv')
QUERY = ('category', 'symbol', 'baseCoin', 'settleCoin', 'orderId', 'orderLinkId', 'orderFilter', 'limit', 'cursor')

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ('GET', 'market/time'): Endpoint(markets.time, None, needs=None),
    ('GET', 'market/instruments-info'): Endpoint(
        markets.instruments, None, ('category', 'symbol', 'status', 'baseCoin', 'limit', 'cursor'), None
    ),
    ('GET', 'market/tickers'): Endpoint(market_data.tickers, None, ('category', 'symbol', 'baseCoin', 'expDate'), None),
    ('GET', 'market/orderbook'): Endpoint(market_data.order_book, None, ('category', 'symbol', 'limit'), None),
    ('GET', 'user/query-api'): Endpoint(markets.key_information, 10),
    ('GET', 'asset/coin/query-info'): Endpoint(markets.no_rows, 5, ('coin',)),
    ('GET', 'account/info'): Endpoint(markets.account_information, 50),
    ('GET', 'account/wallet-balance'): Endpoint(markets.balance, 50, ('accountType', 'coin')),
    ('POST', 'account/mmp-modify'): Endpoint(protection.modify, 5, ('baseCoin', *RULE), 'trade'),
    ('POST', 'account/mmp-reset'): Endpoint(protection.reset, 5, ('baseCoin',), 'trade'),
    ('GET', 'account/mmp-state'): Endpoint(protection.state, 5, ('baseCoin',)),
    ('GET', 'account/query-dcp-info'): Endpoint(cancelling.get_time_windows, 5),
    ('POST', 'order/create'): Endpoint(orders.create, 10, ('category', *ORDER), 'trade'),
    ('POST', 'order/create-batch'): Endpoint(orders.create_batch, 10, ('category', 'request', *ORDER), 'trade'),
    ('POST', 'order/amend'): Endpoint(amending.amend, 10, ('category', *AMENDMENT), 'trade'),
    ('POST', 'order/amend-batch'): Endpoint(amending.amend_batch, 10, ('category', 'request', *AMENDMENT), 'trade'),
    ('POST', 'order/cancel'): Endpoint(cancelling.cancel, 10, ('category', *IDS, 'orderFilter'), 'trade'),
    ('POST', 'order/cancel-batch'): Endpoint(cancelling.cancel_batch, 10, ('category', 'request', *IDS), 'trade'),
    ('POST', 'order/cancel-all'): Endpoint(
        cancelling.cancel_all, 1, ('category', 'symbol', 'baseCoin', 'settleCoin', 'orderFilter'), 'trade', 10
    ),
    ('POST', 'order/disconnected-cancel-all'): Endpoint(
        cancelling.set_time_window, 5, ('timeWindow', 'product'), 'trade'
    ),
    ('GET', 'order/realtime'): Endpoint(orders.realtime, 50, (*QUERY, 'openOnly')),
    ('GET', 'order/history'): Endpoint(orders.history, 50, (*QUERY, 'orderStatus', 'startTime', 'endTime')),
    ('GET', 'position/list'): Endpoint(
        positions.positions, 50, ('category', 'symbol', 'baseCoin', 'settleCoin', 'limit', 'cursor')
    ),
}


def limit_of(endpoint: Endpoint, parameters: Parameters) -> int | None:
    """Calls a second; to cancel everything at once has a limit of its own for options."""
    return endpoint.limit if parameters.get('category') == 'option' else endpoint.elsewhere or endpoint.limit


def unknown(endpoint: Endpoint, parameters: Parameters) -> list[str]:
    """The parameters that an endpoint does not know, those of the items of a batch too."""
    items = parameters.get('request')
    each = [parameters, *(item for item in (items if isinstance(items, list) else []) if isinstance(item, dict))]
    return sorted({name for some in each for name in some} - set(endpoint.known))
