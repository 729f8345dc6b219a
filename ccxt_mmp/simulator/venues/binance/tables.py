"""Binance's limits, codes and texts, as documented."""

VENUE = 'binance'
PREFIXES = ('/eapi/', '/api/', '/sapi/', '/fapi/', '/dapi/')
UNDERLYING_IDS = {'BTCUSDT': 2, 'ETHUSDT': 1}  # 2 is the documented example's, the other and those after it made up
MAX_WINDOW = 5_000
MAX_BATCH = 10
MAX_ROWS = 1000
MAX_DEPTH = 1000
MIN_COUNTDOWN = 5_000
DEFAULT_RECV_WINDOW = 5_000
MAX_RECV_WINDOW = 60_000
AHEAD = 1_000  # ms that a timestamp may be ahead of the server

MINUTE, TEN_SECONDS, DAY = 60_000, 10_000, 86_400_000
WEIGHT_LIMIT = 2400  # a minute, of the address
ORDER_LIMITS = {MINUTE: 1200, TEN_SECONDS: 300}  # of the account

SECURITY = ('timestamp', 'recvWindow', 'signature')
REPORTED = ('newClientOrderId',)  # not of this API, but ccxt 4.4.87 sends it: reported, where others are refused
STATES = {
    'live': 'NEW',
    'partially_filled': 'PARTIALLY_FILLED',
    'filled': 'FILLED',
    'canceled': 'CANCELED',
    'mmp_canceled': 'CANCELED',  # nothing tells what MMP cancelled
}
REJECTED = {
    'no_privilege': ('-6005', 'It is not market maker'),
    'frozen': ('-6058', 'MMP triggered. Please reset MMP config'),
    'countdown': ('-2010', 'NEW_ORDER_REJECTED'),
    'duplicate': ('-6044', 'clientOrderId is duplicated'),
    'expired': ('-1121', 'Invalid symbol.'),
    'cancel_refused': ('-6063', 'Cancel rejected by system'),
}
GONE = ('-2011', 'Unknown order sent.')
NO_PERMISSION = ('-2015', 'Invalid API-key, IP, or permissions for action.')
TOO_MANY_REQUESTS = {'code': -1003, 'msg': 'Too many requests.'}

RAW_PATH, PRIVATE_STREAM = '/private/ws/', '/private/stream'
COMBINED_PATHS = (PRIVATE_STREAM, '/market/stream', '/public/stream')
LISTEN_KEY_LIFE = 3_600_000  # ms
NO_LISTEN_KEY = ('-1125', 'This listenKey does not exist.')
# execution types; how a change of an order would be told is not documented, options have no such endpoint
EXECUTIONS = {'placed': 'NEW', 'filled': 'TRADE', 'canceled': 'CANCELED', 'amended': 'AMENDMENT'}
LISTED_STATES = {  # of the list form
    'live': 'ACCEPTED',
    'partially_filled': 'PARTIALLY_FILLED',
    'filled': 'FILLED',
    'canceled': 'CANCELLED',
    'mmp_canceled': 'CANCELLED',
}
