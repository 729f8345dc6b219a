"""OKX's limits, codes and texts, as documented."""

VENUE = 'okx'
PREFIX = '/api/v5/'
TIMESTAMP_TOLERANCE = 30_000  # ms
MAX_LOCK_INTERVAL = 10_000
MAX_RFQ_WINDOW = 600_000
MAX_BATCH = 20
MAX_ROWS = 100
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
CANCEL_SOURCES = {None: '', 'user': '1', 'countdown': '20', 'mass_cancel': '38', 'trigger': '39'}  # cancelSource
TOO_MANY_REQUESTS = ('50011', 'Too Many Requests')
