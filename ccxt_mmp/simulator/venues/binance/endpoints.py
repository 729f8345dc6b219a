"""The endpoints of the simulated Binance: what handles each, its weight, and the parameters that it knows."""

from ccxt_mmp.simulator.venues.binance import (
    cancelling,
    market_data,
    markets,
    orders,
    positions,
    protection,
    stream,
)
from ccxt_mmp.simulator.venues.binance.calls import Endpoint

RULE = ('underlying', 'windowTimeInMilliseconds', 'frozenTimeInMilliseconds', 'qtyLimit', 'deltaLimit')
TERMS = ('symbol', 'side', 'type', 'quantity', 'price', 'timeInForce', 'reduceOnly', 'postOnly')
ORDER = (*TERMS, 'newOrderRespType', 'clientOrderId', 'isMmp', 'selfTradePreventionMode')
ONE = ('symbol', 'orderId', 'clientOrderId')
PERIOD = ('symbol', 'orderId', 'startTime', 'endTime', 'limit')
NOTHING_LISTED = Endpoint(markets.nothing_listed, needs=None)
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ('GET', '/eapi/v1/time'): Endpoint(markets.time, needs=None),
    ('GET', '/eapi/v1/exchangeInfo'): Endpoint(markets.exchange_info, needs=None),
    ('GET', '/eapi/v1/ticker'): Endpoint(market_data.tickers, 5, ('symbol',), needs=None),
    ('GET', '/eapi/v1/depth'): Endpoint(market_data.depth, 1, ('symbol', 'limit'), needs=None),
    ('GET', '/eapi/v1/mark'): Endpoint(market_data.marks, 5, ('symbol',), needs=None),
    ('GET', '/eapi/v1/index'): Endpoint(market_data.index, 1, ('underlying',), needs=None),
    ('GET', '/eapi/v1/position'): Endpoint(positions.positions, 5, ('symbol',)),
    ('GET', '/eapi/v1/marginAccount'): Endpoint(positions.margin_account, 3),
    ('GET', '/eapi/v1/mmp'): Endpoint(protection.get_config, 1, ('underlying',), 'trade'),
    ('POST', '/eapi/v1/mmpSet'): Endpoint(protection.set_config, 1, RULE, 'trade'),
    ('POST', '/eapi/v1/mmpReset'): Endpoint(protection.reset, 1, ('underlying',), 'trade'),
    ('POST', '/eapi/v1/order'): Endpoint(orders.place, 0, ORDER, 'trade'),
    ('GET', '/eapi/v1/order'): Endpoint(orders.order, 1, ONE),
    ('DELETE', '/eapi/v1/order'): Endpoint(cancelling.cancel, 1, ONE, 'trade'),
    ('POST', '/eapi/v1/batchOrders'): Endpoint(orders.place_batch, 5, ('orders',), 'trade'),
    ('DELETE', '/eapi/v1/batchOrders'): Endpoint(
        cancelling.cancel_batch, 5, ('symbol', 'orderIds', 'clientOrderIds'), 'trade'
    ),
    ('GET', '/eapi/v1/openOrders'): Endpoint(orders.open_orders, 1, PERIOD),
    ('GET', '/eapi/v1/historyOrders'): Endpoint(orders.history, 3, PERIOD),
    ('DELETE', '/eapi/v1/allOpenOrders'): Endpoint(cancelling.cancel_contract, 1, ('symbol',), 'trade'),
    ('DELETE', '/eapi/v1/allOpenOrdersByUnderlying'): Endpoint(
        cancelling.cancel_underlying, 5, ('underlying',), 'trade'
    ),
    ('POST', '/eapi/v1/countdownCancelAll'): Endpoint(
        cancelling.set_countdown, 1, ('underlying', 'countdownTime'), 'trade'
    ),
    ('GET', '/eapi/v1/countdownCancelAll'): Endpoint(cancelling.get_countdown, 1, ('underlying',), 'trade'),
    ('POST', '/eapi/v1/countdownCancelAllHeartBeat'): Endpoint(cancelling.heartbeat, 10, ('underlyings',), 'trade'),
    ('POST', '/eapi/v1/listenKey'): Endpoint(stream.open_key, is_signed=False),
    ('PUT', '/eapi/v1/listenKey'): Endpoint(stream.extend_key, is_signed=False),
    ('DELETE', '/eapi/v1/listenKey'): Endpoint(stream.close_key, is_signed=False),
    # what ccxt asks of the other APIs, for the time and while it loads markets and balances
    ('GET', '/api/v3/time'): Endpoint(markets.time, needs=None),
    ('GET', '/api/v3/exchangeInfo'): NOTHING_LISTED,
    ('GET', '/fapi/v1/exchangeInfo'): NOTHING_LISTED,
    ('GET', '/dapi/v1/exchangeInfo'): NOTHING_LISTED,
    # the tickers of other markets, where ccxt looks for those of options that it is given by name
    ('GET', '/api/v3/ticker/24hr'): Endpoint(markets.empty_list, 80, ('symbols',), needs=None),
    ('GET', '/fapi/v1/ticker/24hr'): Endpoint(markets.empty_list, 40, needs=None),
    ('GET', '/dapi/v1/ticker/24hr'): Endpoint(markets.empty_list, 40, needs=None),
    # while it watches orders of any kind, for the positions
    ('GET', '/fapi/v1/leverageBracket'): Endpoint(markets.empty_list, known=('symbol',)),
    ('GET', '/fapi/v2/positionRisk'): Endpoint(markets.empty_list, 5, ('symbol',)),
    ('GET', '/fapi/v3/positionRisk'): Endpoint(markets.empty_list, 5, ('symbol',)),
    ('GET', '/sapi/v1/capital/config/getall'): Endpoint(markets.empty_list),
    ('GET', '/sapi/v1/margin/allPairs'): Endpoint(markets.empty_list),
    ('GET', '/sapi/v1/margin/isolated/allPairs'): Endpoint(markets.empty_list),
    ('GET', '/api/v3/account'): Endpoint(markets.spot_account, 20, ('omitZeroBalances',)),
}
