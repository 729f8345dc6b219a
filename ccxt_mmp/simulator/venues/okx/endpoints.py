"""The endpoints of the simulated OKX: what handles each, its limit, and the parameters that it knows."""

from ccxt_mmp.simulator.venues.okx import amending, cancelling, market_data, markets, orders, positions, protection
from ccxt_mmp.simulator.venues.okx.calls import Endpoint

RULE = ('instFamily', 'timeInterval', 'frozenInterval')
TERMS = ('instId', 'tdMode', 'side', 'ordType', 'sz', 'px', 'clOrdId', 'tag', 'reduceOnly', 'posSide', 'ccy')
ORDER = (*TERMS, 'tgtCcy', 'stpMode', 'pxUsd', 'pxVol', 'banAmend', 'attachAlgoOrds')
AMENDMENT = (
    'instId',
    'cxlOnFail',
    'ordId',
    'clOrdId',
    'reqId',
    'newSz',
    'newPx',
    'newPxUsd',
    'newPxVol',
    'pxAmendType',
)
IDS = ('instId', 'ordId', 'clOrdId')
QUERY = ('instType', 'uly', 'instFamily', 'instId', 'ordType', 'state', 'limit')
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ('GET', 'public/time'): Endpoint(markets.time, (10, 2000), needs=None),
    ('GET', 'public/instruments'): Endpoint(
        markets.instruments, (20, 2000), ('instType', 'uly', 'instFamily', 'instId'), needs=None
    ),
    ('GET', 'market/ticker'): Endpoint(market_data.ticker, (20, 2000), ('instId',), needs=None),
    ('GET', 'market/tickers'): Endpoint(market_data.tickers, (20, 2000), ('instType', 'uly', 'instFamily'), needs=None),
    ('GET', 'market/books'): Endpoint(market_data.books, (40, 2000), ('instId', 'sz'), needs=None),
    ('GET', 'public/mark-price'): Endpoint(
        market_data.mark_price, (10, 2000), ('instType', 'uly', 'instFamily', 'instId'), needs=None
    ),
    ('GET', 'public/opt-summary'): Endpoint(
        market_data.option_summary, (20, 2000), ('uly', 'instFamily', 'expTime'), needs=None
    ),
    ('GET', 'asset/currencies'): Endpoint(markets.no_rows, (6, 1000), ('ccy',)),
    ('GET', 'account/config'): Endpoint(markets.account_config, (5, 2000)),
    ('GET', 'account/balance'): Endpoint(markets.balance, (10, 2000), ('ccy',)),
    ('GET', 'account/positions'): Endpoint(positions.positions, (10, 2000), ('instType', 'instId', 'posId')),
    ('POST', 'account/mmp-config'): Endpoint(protection.set_config, (2, 10000), (*RULE, 'qtyLimit'), 'trade'),
    ('GET', 'account/mmp-config'): Endpoint(protection.get_config, (5, 2000), ('instFamily',)),
    ('POST', 'account/mmp-reset'): Endpoint(protection.reset, (5, 2000), ('instType', 'instFamily'), 'trade'),
    ('POST', 'rfq/mmp-config'): Endpoint(protection.set_rfq_config, (1, 10000), (*RULE[1:], 'countLimit'), 'trade'),
    ('GET', 'rfq/mmp-config'): Endpoint(protection.get_rfq_config, (5, 2000)),
    ('POST', 'rfq/mmp-reset'): Endpoint(protection.reset_rfq, (5, 2000), needs='trade'),
    ('POST', 'trade/mass-cancel'): Endpoint(
        cancelling.mass_cancel, (5, 2000), ('instType', 'instFamily', 'lockInterval'), 'trade'
    ),
    ('POST', 'trade/cancel-all-after'): Endpoint(cancelling.cancel_all_after, (1, 1000), ('timeOut', 'tag'), 'trade'),
    ('POST', 'trade/order'): Endpoint(orders.place, (60, 2000), ORDER, 'trade'),
    ('POST', 'trade/batch-orders'): Endpoint(orders.place, (300, 2000), ORDER, 'trade', is_batch=True),
    ('POST', 'trade/amend-order'): Endpoint(amending.amend, (60, 2000), AMENDMENT, 'trade'),
    ('POST', 'trade/amend-batch-orders'): Endpoint(amending.amend, (300, 2000), AMENDMENT, 'trade', is_batch=True),
    ('POST', 'trade/cancel-order'): Endpoint(cancelling.cancel, (60, 2000), IDS, 'trade'),
    ('POST', 'trade/cancel-batch-orders'): Endpoint(cancelling.cancel, (300, 2000), IDS, 'trade', is_batch=True),
    ('GET', 'trade/order'): Endpoint(orders.order, (60, 2000), IDS),
    ('GET', 'trade/orders-pending'): Endpoint(orders.pending, (60, 2000), (*QUERY, 'after', 'before')),
    ('GET', 'trade/orders-history'): Endpoint(
        orders.history, (40, 2000), (*QUERY, 'after', 'before', 'category', 'begin', 'end')
    ),
}
