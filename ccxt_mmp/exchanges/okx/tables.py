"""The tables of OKX: endpoints, limits, options, errors, and the names that core asks for."""

from typing import Any, ClassVar

from ccxt.base.errors import BadRequest, BadSymbol, InvalidOrder, NotSupported, OperationFailed, PermissionDenied

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.kill_switch import CONCURRENCY, TIMEOUT
from ccxt_mmp.core.socket_cancelling import SocketKillSwitch
from ccxt_mmp.core.socket_contract import is_pro
from ccxt_mmp.core.socket_orders import SocketOrders
from ccxt_mmp.core.streams import WATCH_OPTIONS
from ccxt_mmp.errors import MassCancelLocked, MmpFrozen, MmpNotEnabled

OPTION = r'-[0-9]{6}-[0-9]+(?:\.[0-9]+)?-[CP]'
OWN_ID = Pattern(rf'(?P<base>[A-Z0-9]+)-USD(?P<usd_margined>_UM)?(?:{OPTION})?')
UNIFIED = Pattern(rf'(?P<base>[A-Z0-9]+)/USD(?::(?P<settle>[A-Z0-9]+)(?:{OPTION})?)?')

SHARED_RATE_LIMIT = (60, 2000)  # calls and ms, of an endpoint that has none of its own here

MMP_PATHS = ('account/mmp-config', 'account/mmp-reset', 'rfq/mmp-config', 'rfq/mmp-reset', 'trade/mass-cancel')
PATHS_WITH_RESULT = ('account/mmp-reset', 'trade/mass-cancel')
DONE = [{'result': True}]

# mmpFrozenUntil is documented as remaining ms and was documented as a timestamp: its magnitude tells
EPOCH_FROM = 10**11


MMP_ORDER_TYPES = {'mmp': False, 'mmp_and_post_only': True}  # ordType, and whether it is post-only
CANCELED_STATES = ('canceled', 'mmp_canceled')  # of which a list has one
FLAGGED = {'limit': 'mmp', 'post_only': 'mmp_and_post_only'}

TRIPPED, FILLED_STATES = 'mmp_canceled', ('filled', 'partially_filled')  # states of orders
CHANNEL = {'channel': 'orders', 'instType': 'OPTION'}

MAX_BATCH = 20

SOCKET_OPERATIONS = {  # over the websocket, by endpoint
    'POST trade/order': 'order',
    'POST trade/batch-orders': 'batch-orders',
    'POST trade/amend-order': 'amend-order',
    'POST trade/amend-batch-orders': 'batch-amend-orders',
    'POST trade/cancel-order': 'cancel-order',
    'POST trade/cancel-batch-orders': 'batch-cancel-orders',
    'POST trade/mass-cancel': 'mass-cancel',
}
NO_CODE = 'instIdCode can not be empty'  # in a refusal over it
MAX_ROWS = 100


class OkxTables(SocketOrders, SocketKillSwitch, Mmp):
    """What OKX calls things, and what it takes."""

    _mmp_endpoints: ClassVar[dict[str, str]] = {
        'POST account/mmp-config': 'privatePostAccountMmpConfig',
        'GET account/mmp-config': 'privateGetAccountMmpConfig',
        'POST account/mmp-reset': 'privatePostAccountMmpReset',
        'POST rfq/mmp-config': 'privatePostRfqMmpConfig',
        'GET rfq/mmp-config': 'privateGetRfqMmpConfig',
        'POST rfq/mmp-reset': 'privatePostRfqMmpReset',
        'POST trade/mass-cancel': 'privatePostTradeMassCancel',
        'GET trade/orders-pending': 'privateGetTradeOrdersPending',
        'POST trade/cancel-batch-orders': 'privatePostTradeCancelBatchOrders',
    }
    _time_endpoint = 'GET public/time'
    _rule_endpoint = 'GET account/mmp-config'
    _order_paths = ('trade/order', 'trade/batch-orders', 'trade/amend-order', 'trade/amend-batch-orders')
    _mass_cancel_flag = 'emulate'
    _mmp_access = (
        'OKX gives it on request (institutional@okx.com or your business development manager) to accounts in portfolio '
        'margin mode'
    )
    _max_batch = MAX_BATCH
    _batch_params = ()
    _socket_batch_params = ('expTime',)
    _order_id_field = 'ordId'
    _client_id_field = 'clOrdId'
    _filled_field = 'accFillSz'
    _refusal_field = 'sCode'
    _own_flag_names = ('ordType',)
    _own_flag_names_of_lists = ('ordType',)
    _has_flag_over_websocket = True
    _loads_options = True
    _own_order_types = (*MMP_ORDER_TYPES, 'post_only')
    _order_market_field = 'instId'
    _underlying_field = 'instFamily'
    _accepted_underlyings = "'BTC/USD', 'BTC/USD:USD', an option's symbol, an instrument family or an option's id"

    def _describe_mmp(self) -> dict[str, Any]:
        return {
            'has': {
                'setMmp': True,
                'resetMmp': True,
                'fetchMmp': True,
                'fetchMmps': True,
                'massCancelMmp': True,
                'massCancelMmps': 'emulated',
                'massCancelMmpWs': is_pro(self),
                'createOrdersWs': is_pro(self),
                'warmUp': True,
                'watchMmp': True,
                'watchMmps': True,
                'unWatchMmp': True,
            },
            'options': {
                'massCancelMmp': {
                    'timeout': TIMEOUT,
                    'concurrency': CONCURRENCY,
                },
                'watchMmp': {**WATCH_OPTIONS},
                # calls in ms, as documented; orders, not requests, of cancel-batch-orders
                'mmpRateLimits': {
                    'POST account/mmp-config': [2, 10000],
                    'GET account/mmp-config': [5, 2000],
                    'POST account/mmp-reset': [5, 2000],
                    'POST rfq/mmp-config': [1, 10000],
                    'GET rfq/mmp-config': [5, 2000],
                    'POST rfq/mmp-reset': [5, 2000],
                    'POST trade/mass-cancel': [5, 2000],
                    'GET trade/orders-pending': [60, 2000],
                    'POST trade/cancel-batch-orders': [300, 2000],
                    'GET public/time': [10, 2000],
                },
                # coins, by instrument family; those of loaded markets come first
                'mmpContractSizes': {
                    'BTC-USD': '0.01',
                    'ETH-USD': '0.1',
                },
                'mmpLimits': {
                    'orders': {
                        'window': {'field': 'timeInterval', 'integer': True, 'min': 0},
                        'frozenTime': {'field': 'frozenInterval', 'integer': True, 'min': 0},
                        'qtyLimit': {'field': 'qtyLimit', 'integer': False, 'above': 0},
                        'deltaLimit': None,
                        'vegaLimit': None,
                        'countLimit': None,
                        'maxQuoteQuantity': None,
                        'lockInterval': {'field': 'lockInterval', 'integer': True, 'min': 0, 'max': 10000},
                    },
                    'rfq': {
                        'window': {'field': 'timeInterval', 'integer': True, 'min': 0, 'max': 600000},
                        'frozenTime': {'field': 'frozenInterval', 'integer': True, 'min': 0},
                        'qtyLimit': None,
                        'deltaLimit': None,
                        'vegaLimit': None,
                        'maxQuoteQuantity': None,
                        'countLimit': {'field': 'countLimit', 'integer': True, 'min': 1},
                        'lockInterval': None,
                    },
                },
            },
            'exceptions': {
                'exact': {
                    '51034': MmpFrozen,  # Fill rate exceeds the limit that you've set. Please reset the market...
                    '51035': MmpNotEnabled,  # This account doesn't have permission to submit MM quote order.
                    '51036': InvalidOrder,  # Only options instrument of the PM account supports MMP orders.
                    '51042': InvalidOrder,  # Under the Portfolio margin account, users can only place market...
                    '51411': MmpNotEnabled,  # Account does not have permission for mass cancellation.
                    '54008': MassCancelLocked,  # This operation is disabled by the 'mass cancel order' endpoint...
                    '59509': MmpNotEnabled,  # Account does not have permission to reset MMP status
                    '70007': BadSymbol,  # Underlying index {instFamily} does not exist under instType {instType}.
                    '70008': MmpFrozen,  # Operation failed under MMP status.
                },
                # these mean something else, or nothing for certain, elsewhere
                'mmp': {
                    '2': OperationFailed,  # a part of the operation failed
                    '50030': PermissionDenied,  # You don't have permission to use this API endpoint
                    '50038': NotSupported,  # This feature is unavailable in demo trading
                },
                'massCancel': {
                    '54009': BadRequest,  # The range of {param0} should be [{param1}, {param2}].
                },
            },
        }
