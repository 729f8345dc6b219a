"""OKX's limits, codes and texts, as documented."""

VENUE = 'okx'
PREFIX = '/api/v5/'
SOCKET_PATH = '/ws/v5/private'
TIMESTAMP_TOLERANCE = 30_000  # ms
MAX_LOCK_INTERVAL = 10_000
MAX_RFQ_WINDOW = 600_000
MAX_BATCH = 20
MAX_ROWS = 100
MAX_DEPTH = 400
ORDER_TYPES = {  # ordType: MMP, time in force
    'limit': (False, 'GTC'),
    'post_only': (False, 'GTC'),
    'fok': (False, 'FOK'),
    'ioc': (False, 'IOC'),
    'mmp': (True, 'GTC'),
    'mmp_and_post_only': (True, 'GTC'),
}
FILL_RATE = (
    "Fill rate exceeds the limit that you've set. Please reset the market maker protection to inactive for new trades."
)
CROSS_ONLY = (
    'Under the Portfolio margin account, users can only place market maker protection orders '
    'in cross margin mode in Options.'
)
REJECTED = {
    'no_privilege': ('51035', "This account doesn't have permission to submit MM quote order."),
    'locked': (
        '54008',
        "This operation is disabled by the 'mass cancel order' endpoint. Please enable it using this endpoint.",
    ),
    'frozen': (
        '51034',
        FILL_RATE,
    ),
    'duplicate': ('51016', 'Client order ID already exists.'),
    'expired': ('51027', 'Contract expired.'),
    'cancel_refused': ('50026', 'System error. Try again later'),
}
NOTHING_TO_AMEND = ('51500', 'You must enter a price, quantity, or TP/SL')
GONE_BEFORE_AMENDED = ('51503', 'Your order has already been filled or canceled.')
AMENDED_TWICE = (
    '51512',
    'Failed to amend orders in batches. You cannot have duplicate orders in the same amend-batch-orders request.',
)
CANCEL_SOURCES = {None: '', 'user': '1', 'countdown': '20', 'mass_cancel': '38', 'trigger': '39'}  # cancelSource
TOO_MANY_REQUESTS = ('50011', 'Too Many Requests')

FIRST_CODE = 10_000  # of the instIdCodes, which are made up
FIRST_UID = 614488474791936  # a documented example
SILENCE = 30_000  # ms after which a socket is closed
CONNECTIONS = 30  # that may subscribe a channel, of an account
REQUESTS_AN_HOUR = 480  # login, subscribe and unsubscribe, of a connection
HOUR = 3_600_000
OPERATIONS = {  # over a socket: the endpoint over HTTP
    'order': 'trade/order',
    'batch-orders': 'trade/batch-orders',
    'cancel-order': 'trade/cancel-order',
    'batch-cancel-orders': 'trade/cancel-batch-orders',
    'amend-order': 'trade/amend-order',
    'batch-amend-orders': 'trade/amend-batch-orders',
    'mass-cancel': 'trade/mass-cancel',
}
WITH_DEADLINE = ('order', 'batch-orders', 'amend-order', 'batch-amend-orders')  # those that read expTime
CHANNELS = {  # parameters: those that a subscription needs, and those that it may have
    'orders': (('instType',), ('instFamily', 'instId')),
    'account': ((), ('ccy', 'extraParams')),
    'positions': (('instType',), ('instFamily', 'instId', 'extraParams')),
}
POSITION_KINDS = ('MARGIN', 'SWAP', 'FUTURES', 'OPTION', 'ANY')
KINDS = {'orders': ('SPOT', *POSITION_KINDS), 'positions': POSITION_KINDS}  # instType
SOCKET_ERRORS = {
    'key': ('60005', 'Invalid apiKey'),
    'timestamp': ('60006', 'Timestamp request expired'),
    'sign': ('60007', 'Invalid sign'),
    'login': ('60009', 'Login failed.'),
    'not_logged_in': ('60011', 'Please log in'),
    'invalid_request': ('60012', 'Invalid request: {0}'),
    'arguments': ('60013', 'Invalid args'),
    'too_frequent': ('60014', 'Requests too frequent'),
    'channel': (
        '60018',
        "Wrong URL or {0} doesn't exist. Please use the correct URL, channel and parameters referring to API document.",
    ),
    'passphrase': ('60024', 'Wrong passphrase'),
}
NO_CODE = ('50014', 'Parameter instIdCode can not be empty.')
UNKNOWN_OPTION = ('51001', "Instrument ID doesn't exist.")
# what answers an order that comes after its expTime is not documented in what was captured [unverified]
TOO_LATE = ('51149', 'Order timed out. Please try again later.')
NOTICE = 'The connection will soon be closed for a service upgrade. Please reconnect.'
