"""The methods of the simulated Deribit: what handles each, the parameters that it knows, and which credits it uses.

Whether the four methods of MMP use the credits of the matching engine is not documented: those that change something do
here [unverified].
"""

from ccxt_mmp.simulator.venues.deribit import amending, cancelling, market_data, markets, orders, positions, protection
from ccxt_mmp.simulator.venues.deribit.calls import Bucket, Call, Endpoint

PROTECTION = ('index_name', 'mmp_group', 'block_rfq')
RULE = ('interval', 'frozen_time', 'quantity_limit', 'delta_limit', 'vega_limit', 'max_quote_quantity')
TERMS = ('instrument_name', 'amount', 'type', 'label', 'price', 'time_in_force', 'post_only', 'reject_post_only')
ORDER = (*TERMS, 'reduce_only', 'mmp', 'valid_until', 'max_show')
EDIT = ('order_id', 'amount', 'price', 'post_only', 'reject_post_only', 'reduce_only', 'mmp', 'valid_until')
MANY = ('type', 'kind', 'detailed', 'freeze_quotes')
QUOTES = ('cancel_type', 'currency', 'currency_pair', 'instrument_name', 'kind', 'detailed', 'freeze_quotes')
HISTORY = ('kind', 'count', 'offset', 'include_old', 'include_unfilled')
AUTH = ('grant_type', 'client_id', 'client_secret', 'timestamp', 'nonce', 'data', 'signature', 'scope', 'state')

ENDPOINTS: dict[str, Endpoint] = {
    'public/auth': Endpoint(markets.auth, AUTH, None),
    'public/test': Endpoint(markets.test, needs=None),
    'public/status': Endpoint(markets.status, needs=None),
    'public/get_time': Endpoint(markets.time, needs=None),
    'public/get_currencies': Endpoint(markets.currencies, needs=None),
    'public/get_instruments': Endpoint(markets.instruments, ('currency', 'kind', 'expired'), None),
    'public/get_supported_index_names': Endpoint(markets.index_names, ('type',), None),
    'public/get_index_price': Endpoint(market_data.index_price, ('index_name',), None),
    'public/ticker': Endpoint(market_data.ticker, ('instrument_name',), None),
    'public/get_order_book': Endpoint(market_data.order_book, ('instrument_name', 'depth'), None),
    'private/get_account_summary': Endpoint(markets.account_summary, ('currency', 'extended')),
    'private/get_account_summaries': Endpoint(markets.account_summaries, ('extended',)),
    'private/get_position': Endpoint(positions.position, ('instrument_name',)),
    'private/get_positions': Endpoint(positions.positions, ('currency', 'kind')),
    'private/set_mmp_config': Endpoint(
        protection.set_config, (*PROTECTION, *RULE, 'trade_count_limit'), 'trade', 'matching'
    ),
    'private/get_mmp_config': Endpoint(protection.get_config, PROTECTION),
    'private/get_mmp_status': Endpoint(protection.get_status, PROTECTION),
    'private/reset_mmp': Endpoint(protection.reset, PROTECTION, 'trade', 'matching'),
    'private/buy': Endpoint(orders.buy, ORDER, 'trade', 'matching'),
    'private/sell': Endpoint(orders.sell, ORDER, 'trade', 'matching'),
    'private/edit': Endpoint(amending.edit, EDIT, 'trade', 'matching'),
    'private/cancel': Endpoint(cancelling.cancel, ('order_id',), 'trade', 'matching'),
    'private/cancel_by_label': Endpoint(cancelling.cancel_by_label, ('label', 'currency'), 'trade', 'matching'),
    'private/cancel_quotes': Endpoint(cancelling.cancel_quotes, QUOTES, 'trade', 'matching'),
    'private/cancel_all': Endpoint(cancelling.cancel_all, ('detailed', 'freeze_quotes'), 'trade', 'cancel_all'),
    'private/cancel_all_by_currency': Endpoint(
        cancelling.cancel_all_by_currency, ('currency', *MANY), 'trade', 'matching'
    ),
    'private/cancel_all_by_currency_pair': Endpoint(
        cancelling.cancel_all_by_currency_pair, ('currency_pair', *MANY), 'trade', 'matching'
    ),
    'private/cancel_all_by_instrument': Endpoint(
        cancelling.cancel_all_by_instrument, ('instrument_name', *MANY), 'trade', 'matching'
    ),
    'private/cancel_all_by_kind_or_type': Endpoint(
        cancelling.cancel_all_by_kind_or_type, ('currency', *MANY), 'trade', 'matching'
    ),
    'private/get_open_orders': Endpoint(orders.open_orders, ('kind', 'type')),
    'private/get_open_orders_by_currency': Endpoint(orders.open_orders_by_currency, ('currency', 'kind', 'type')),
    'private/get_open_orders_by_instrument': Endpoint(orders.open_orders_by_instrument, ('instrument_name', 'type')),
    'private/get_order_state': Endpoint(orders.order_state, ('order_id',)),
    'private/get_order_history_by_currency': Endpoint(orders.history_by_currency, ('currency', *HISTORY)),
    'private/get_order_history_by_instrument': Endpoint(orders.history_by_instrument, ('instrument_name', *HISTORY)),
}


def bucket(endpoint: Endpoint, call: Call) -> Bucket:
    """Which credits a call uses: a cancellation by label without a currency has the roomier ones."""
    if endpoint.handle is cancelling.cancel_by_label and 'currency' not in call.parameters:
        return 'cancel_all'
    return endpoint.bucket
