"""The tables of Binance: endpoints, limits, options, errors, and the names that core asks for."""

from typing import Any, ClassVar

from ccxt.base.errors import (
    BadRequest,
    BadSymbol,
    DuplicateOrderId,
    OperationFailed,
    OperationRejected,
    OrderNotFillable,
    OrderNotFound,
    PermissionDenied,
    RateLimitExceeded,
    RequestTimeout,
)

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.kill_switch import CONCURRENCY, TIMEOUT
from ccxt_mmp.core.socket_cancelling import SocketKillSwitch
from ccxt_mmp.core.socket_orders import SocketOrders
from ccxt_mmp.core.streams import WATCH_OPTIONS
from ccxt_mmp.errors import MmpFrozen, MmpNotEnabled
from ccxt_mmp.types import Params

OPTION = r'-[0-9]{6}-[0-9]+(?:\.[0-9]+)?-[CP]'
OWN_ID = Pattern(r'(?P<base>[A-Z0-9]+)USDT')
OPTION_ID = Pattern(rf'(?P<base>[A-Z0-9]+){OPTION}')
UNIFIED = Pattern(rf'(?P<base>[A-Z0-9]+)/USDT(?::USDT(?:{OPTION})?)?')

OPTIONS_API = Pattern(r'/eapi/v[0-9]+/(?P<path>[^?]*)')
CANCEL_ALL = 'allOpenOrdersByUnderlying'
DEMO_API = 'https://demo-fapi.binance.com/eapi/v1'  # documented since 2026-06

USED_WEIGHT = 'X-MBX-USED-WEIGHT-1M'
LIST_WEIGHT, BATCH_WEIGHT = 40, 5  # of openOrders without a symbol and of a batch; a single cancellation is 1
WEIGHT_LIMIT = 2400  # a minute, of the address
MINUTE = 60_000  # ms
LISTEN_KEY_LIFE = 3_600_000  # ms
MAX_BATCH = 10
MAX_ROWS = 1000  # of finished orders
MIN_COUNTDOWN = 5000  # ms
ENDED = ('CANCELED', 'CANCELLED', 'EXPIRED', 'FILLED', 'REJECTED')  # statuses of pushed orders, in both forms

NEVER_SENT = ('papi', 'portfolioMargin')  # ccxt's, for other APIs


class BinanceTables(SocketOrders, SocketKillSwitch, Mmp):
    """What Binance calls things, and what it takes."""

    _mmp_endpoints: ClassVar[dict[str, str]] = {
        'POST mmpSet': 'eapiPrivatePostMmpSet',
        'POST mmpReset': 'eapiPrivatePostMmpReset',
        'GET mmp': 'eapiPrivateGetMmp',
        'GET openOrders': 'eapiPrivateGetOpenOrders',
        'DELETE order': 'eapiPrivateDeleteOrder',
        'DELETE batchOrders': 'eapiPrivateDeleteBatchOrders',
        'DELETE allOpenOrdersByUnderlying': 'eapiPrivateDeleteAllOpenOrdersByUnderlying',
        'POST countdownCancelAll': 'eapiPrivatePostCountdownCancelAll',
    }
    _time_endpoint = 'GET time'
    _rule_endpoint = 'GET mmp'
    _has_plain_request = True  # it notes that the spot API has answered
    _order_paths = ('order', 'batchOrders')
    _mass_cancel_flag = 'includeNonMmp'
    _mass_cancel_fields = ('recvWindow',)
    _mmp_access = (
        'Binance gives it to market makers of its options (apply to its options market maker program or ask your key '
        'account manager), and the API key needs the permission to trade options'
    )
    _max_batch = MAX_BATCH
    _batch_params = ('recvWindow',)
    _order_id_field = 'orderId'
    _client_id_field = 'clientOrderId'
    _filled_field = 'executedQty'
    _refusal_field = 'code'
    _own_flag_names = ('isMmp',)
    _own_flag_names_of_lists = ()
    _has_flag_over_websocket = False
    _loads_options = False
    _own_order_types = ()
    _order_market_field = 'symbol'
    _underlying_field = 'underlying'
    _accepted_underlyings = (
        "'BTC/USDT', 'BTC/USDT:USDT', an option's symbol, the exchange's 'BTCUSDT' or an option's id"
    )

    def _describe_mmp(self) -> dict[str, Any]:
        return {
            'has': {
                'setMmp': True,
                'resetMmp': True,
                'fetchMmp': True,
                'fetchMmps': 'emulated',
                'massCancelMmp': 'emulated',
                'massCancelMmps': 'emulated',
                'warmUp': True,
                'watchMmp': 'emulated',
                'watchMmps': 'emulated',
                'unWatchMmp': True,
            },
            'urls': {
                'demo': {
                    'eapiPublic': DEMO_API,
                    'eapiPrivate': DEMO_API,
                },
            },
            'options': {
                'massCancelMmp': {
                    'timeout': TIMEOUT,
                    'concurrency': CONCURRENCY,
                    'weightLimit': WEIGHT_LIMIT,
                },
                'watchMmp': {**WATCH_OPTIONS},
                'mmpRateLimits': {},  # one limit for the address, shared with everything: no request waits for it
                'mmpLimits': {
                    'orders': {
                        'window': {'field': 'windowTimeInMilliseconds', 'integer': True, 'min': 1, 'max': 5000},
                        'frozenTime': {'field': 'frozenTimeInMilliseconds', 'integer': True, 'min': 0},
                        'qtyLimit': {'field': 'qtyLimit', 'integer': False, 'above': 0},
                        'deltaLimit': {'field': 'deltaLimit', 'integer': False, 'above': 0},
                        'vegaLimit': None,
                        'countLimit': None,
                        'maxQuoteQuantity': None,
                        'lockInterval': None,
                    },
                },
            },
            'exceptions': {
                'option': {
                    'exact': {
                        '-1003': RateLimitExceeded,  # Too many requests.
                        '-1006': OperationFailed,  # ... Execution status unknown.
                        '-1007': RequestTimeout,  # ... Send status unknown; execution status unknown.
                        '-2011': OrderNotFound,  # Unknown order sent.
                        '-5002': PermissionDenied,  # Option user not access
                        '-6001': BadRequest,  # Invalid mmp window time limit
                        '-6002': BadRequest,  # Invalid mmp frozen time limit
                        '-6003': BadSymbol,  # Invalid underlying
                        '-6004': BadSymbol,  # Underlying not found
                        '-6005': MmpNotEnabled,  # It is not market maker
                        '-6006': OperationRejected,  # Mmp rules are not existing
                        '-6007': OperationFailed,  # Mmp unknown error
                        '-6009': BadRequest,  # countdownTime must be no less than 5000 or equal to 0
                        '-6011': BadRequest,  # Maximum 10 orders in one batchOrder request.
                        '-6028': OrderNotFound,  # Order is in final state
                        '-6029': BadRequest,  # %s is required
                        '-6040': BadRequest,  # Invalid qtyLimit or deltaLimit.
                        '-6044': DuplicateOrderId,  # clientOrderId is duplicated
                        '-6047': OrderNotFillable,  # ... the Post Only order will be rejected.
                        '-6058': MmpFrozen,  # MMP triggered. Please reset MMP config
                        '-6063': OperationRejected,  # Cancel rejected by system
                    },
                },
            },
        }

    @staticmethod
    def _sent(params: Params) -> Params:
        return {name: value for name, value in Mmp._sent(params).items() if name not in NEVER_SENT}
