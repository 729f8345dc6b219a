"""Bybit's limits, codes and texts, as documented."""

VENUE = 'bybit'
PREFIX = '/v5/'
PRIVATE_PATH, TRADE_PATH = '/v5/private', '/v5/trade'
SETTLES = ('USDC', 'USDT')
CATEGORIES = ('option', 'linear', 'inverse', 'spot')
SECOND = 1_000  # ms, of the limits of an account
ADDRESS_LIMIT = (600, 5_000)  # requests, ms
BAN = 600_000  # ms after a request beyond it
AHEAD = 999  # ms that a timestamp may be ahead of the server
DEFAULT_RECV_WINDOW = '5000'
MAX_BATCH = 20
MAX_LINK_ID = 36
MAX_ROWS, DEFAULT_ROWS = 50, 20
MAX_INSTRUMENTS, DEFAULT_INSTRUMENTS = 1_000, 500
MAX_CLOSED = 500
MAX_DEPTH = 25
LIMIT_DECIMALS = 2
DEFAULT_VEGA_LIMIT = '500000'
# a time that is no time, where only a reset ends the freeze, and where there was none yet [unverified]
NO_TIME = '0'

SIDES = {'Buy': 'buy', 'Sell': 'sell'}
TIMES_IN_FORCE = ('GTC', 'IOC', 'FOK', 'PostOnly')
STATES = {
    'live': 'New',
    'partially_filled': 'PartiallyFilled',
    'filled': 'Filled',
    'canceled': 'Cancelled',
    'mmp_canceled': 'Cancelled',
    'rejected': 'Rejected',
}
CANCEL_TYPES = {
    None: 'UNKNOWN',
    'user': 'CancelByUser',
    'countdown': 'CancelByDCP',
    'trigger': 'CancelByMmpTriggered',
}
REJECT_REASONS = {  # of cancellations; that the one of a trigger stands beside its cancelType is [unverified]
    'user': 'EC_PerCancelRequest',
    'trigger': 'EC_CancelByMMP',
}
NO_REASON = 'EC_NoError'
REASON_OF_FROZEN = 'EC_CancelByMMP'  # of an order that was accepted and then rejected [unverified]

PARAMETER = '10001'
BAD_TIME = ('10002', 'invalid request, please check your server timestamp or recv_window param.')
BAD_KEY = ('10003', 'API key is invalid.')
BAD_SIGN = ('10004', 'Error sign, please check your signature generation algorithm.')
NO_PERMISSION = ('10005', 'Permission denied, please check your API key permissions.')
TOO_MANY_VISITS = ('10006', 'Too many visits. Exceeded the API Rate Limit.')
TOO_FREQUENT = 'access too frequent'  # with HTTP 403; the form of the body is [unverified]
NO_ORDER = ('110001', 'Order does not exist.')
NO_LINK_ID = ('3100198', 'orderLinkId can not be empty.')
TOO_LITTLE = ('3100116', 'Order quantity below the lower limit.')
NOT_ENABLED = ('110065', "MMP hasn't yet been enabled for your account. Please contact your BD manager.")
REJECTED = {
    'no_privilege': NOT_ENABLED,
    # no page lists a code for an order in a freeze: this one says nothing, so that nobody relies on it [unverified]
    'frozen': (PARAMETER, 'The order is refused by the market maker protection.'),
    'duplicate': ('110072', 'OrderLinkedID is duplicate.'),
    'expired': ('110074', 'This contract is not live.'),
    'cancel_refused': ('110079', 'The order is processing and can not be operated, please try again later.'),
    'processing': ('110079', 'The order is processing and can not be operated, please try again later.'),
}
# for the half of a batch of orders that a fault refuses: a code after which nothing can have happened
REFUSED_ORDER = ('110007', 'Available balance is insufficient.')
UNCHANGED = (PARAMETER, 'The order remains unchanged as the parameters entered match the existing ones.')
PRODUCTS = ('SPOT', 'DERIVATIVES', 'OPTIONS')
PRODUCT, SWITCH = 'OPTIONS', 'dcp.option'  # of options, and the topic that keeps it from firing
TIME_WINDOWS = range(3, 301)  # s of the dead man's switch

MAX_TOPICS = 10  # of one request [unverified]
OWN_TOPICS = ('order', 'execution')  # what is pushed
# the others are acknowledged, and nothing is ever pushed of them
TOPICS = (
    *(f'{topic}{of}' for topic in OWN_TOPICS for of in ('', '.option', '.linear', '.inverse', '.spot')),
    *('position', 'position.option', 'wallet', 'greeks'),
    *('dcp.spot', 'dcp.future', SWITCH),
)
OPERATIONS = {  # over a socket: the endpoint over HTTP
    'order.create': 'order/create',
    'order.create-batch': 'order/create-batch',
    'order.amend': 'order/amend',
    'order.amend-batch': 'order/amend-batch',
    'order.cancel': 'order/cancel',
    'order.cancel-batch': 'order/cancel-batch',
}
UNKNOWN_OPERATION = ('10404', 'op type is not found')
NOT_AUTHORIZED = 'Request not authorized'
