"""Deribit's limits, codes and texts, as documented."""

VENUE = 'deribit'
ROOT = '/api/v2'
PREFIX = f'{ROOT}/'
SOCKET_PATH = f'/ws{ROOT}'
SIGNATURE_LIFE = 60_000  # ms
AHEAD = 60_000  # ms that a timestamp may be ahead of the server [unverified]
TOKEN_LIFE = 900_000  # ms, made up: the answer says it
MAX_SECONDS = 3600  # of interval and frozen_time
MAX_TRADES = 1000  # of trade_count_limit
MAX_LABEL = 64
MAX_GROUPS = 16
LIMIT_DECIMALS = 4
ALL = 'all'  # the index of the Block-RFQ protection that counts trades

BUCKETS = {  # burst, and calls a second: of the lowest tier
    'matching': (20, 5),
    'cancel_all': (250, 200),
    'others': (100, 20),
    'subscribe': (10, 3),  # 3000 credits of 30,000; how fast they come back is [unverified]
}
LEAST_HEARTBEAT, MOST_HEARTBEAT = 10, 3600  # s; the longest is made up

STATES = {
    'live': 'open',
    'partially_filled': 'open',
    'filled': 'filled',
    'canceled': 'cancelled',
    'mmp_canceled': 'cancelled',
}
CANCEL_REASONS = {
    'user': 'user_request',
    'mass_cancel': 'user_request',
    'countdown': 'cancel_on_disconnect',
    'trigger': 'mmp_trigger',
    'curtailment': 'mmp_config_curtailment',
}
TIMES_IN_FORCE = {'good_til_cancelled': 'GTC', 'immediate_or_cancel': 'IOC', 'fill_or_kill': 'FOK'}
KINDS = {'option': 'option', 'future': 'future', 'perpetual': 'future'}
CHANNEL_KINDS = ('any', 'future', 'option', 'spot', 'combo', 'future_combo', 'option_combo')
INTERVALS = ('raw', '100ms', 'agg2')  # of channels; nothing is gathered here

PARSE_ERROR = (-32700, 'Parse error')
INVALID_REQUEST = (-32600, 'Invalid Request')
METHOD_NOT_FOUND = (-32601, 'Method not found')
UNAUTHORIZED = (10000, 'authorization_required')
INVALID_CREDENTIALS = (13004, 'invalid_credentials')
# which code answers a timestamp out of bounds or a nonce that was used is not documented [unverified]
INVALID_TOKEN = (13009, 'invalid_token')
FORBIDDEN = (13021, 'forbidden')
TOO_MANY_REQUESTS = (10028, 'too_many_requests')
NO_INSTRUMENT = (13020, 'not_found')
ORDER_NOT_FOUND = (10004, 'order_not_found')
ALREADY_CLOSED = (10010, 'already_closed')
TIMED_OUT = (13888, 'timed_out')
NOT_ENABLED = (13040, 'mmp_required')  # that the four methods answer it, too, is [unverified]
REJECTED = {
    'no_privilege': NOT_ENABLED,
    'frozen': (13030, 'mmp_trigger'),
    'expired': (13019, 'orderbook_closed'),
    'cancel_refused': (11031, 'other_error'),
    'max_quote': (11030, 'other_reject max_quote_quantity'),  # which code it has is not documented [unverified]
}
