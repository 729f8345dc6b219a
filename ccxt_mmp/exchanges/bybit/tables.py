"""The tables of Bybit: endpoints, limits, options, errors, and the names that core asks for."""

from typing import Any, ClassVar

from ccxt.base.errors import (
    DuplicateOrderId,
    ExchangeNotAvailable,
    OperationFailed,
    OrderNotFound,
    RateLimitExceeded,
    RequestTimeout,
)

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.core.acknowledging import AcknowledgedCancels
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.kill_switch import CONCURRENCY, TIMEOUT
from ccxt_mmp.core.socket_cancelling import SocketKillSwitch
from ccxt_mmp.core.socket_orders import SocketOrders
from ccxt_mmp.core.streams import WATCH_OPTIONS
from ccxt_mmp.errors import MmpNotEnabled

MONTHS = ('JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC')
STRIKE = r'[0-9]+(?:\.[0-9]+)?'
# BTCUSDT and BTCUSD are perpetuals: a halt of a coin of that name would stop nothing
OWN_ID = Pattern(r'(?P<base>(?!.+USD[TC]?$)[A-Z0-9]+)')
# without a settle coin it is settled in USDC
OPTION_ID = Pattern(
    rf'(?P<base>[A-Z0-9]+)-(?P<day>[0-9]{{1,2}})(?P<month>{"|".join(MONTHS)})(?P<year>[0-9]{{2}})'
    rf'-(?P<strike>{STRIKE})-(?P<kind>[CP])(?:-(?P<settle>USDT|USDC))?'
)
UNIFIED = Pattern(rf'(?P<base>[A-Z0-9]+)/(?P<quote>USDT|USDC)(?::(?P=quote)(?:-[0-9]{{6}}-{STRIKE}-[CP])?)?')

CATEGORY = 'option'
MAX_BATCH = 20
MAX_ROWS = 50  # of a page
CREATE = '/v5/order/create'  # begins the path of what places orders
CLOSED_STATES = ('Cancelled', 'Deactivated', 'Filled', 'PartiallyFilledCanceled', 'Rejected')
RECV_WINDOW = 5000  # ms, Bybit's default
LEAST_COUNTDOWN, MOST_COUNTDOWN = 3000, 300_000  # ms
SECOND = 1000  # ms

MMP_TAG = 'mmp-'  # begins the orderLinkId of an MMP order
MAX_TAG = 20  # characters, so that 16 are left for what is generated
MAX_LINK_ID = 36
LINK_ID = Pattern(rf'[A-Za-z0-9_-]{{1,{MAX_LINK_ID}}}')
HEX_DIGITS = frozenset('0123456789abcdef')  # of which ccxt makes its own ids

# what makes a limit order something else, by Bybit's names
CONDITIONS = (
    'activePrice',
    'slLimitPrice',
    'stopLoss',
    'takeProfit',
    'tpLimitPrice',
    'tpslMode',
    'trailingStop',
    'triggerPrice',
)

# of the stream of orders
TOPIC = 'order.option'
TRIPPED = 'CancelByMmpTriggered'
FILLED_STATES = ('Filled', 'PartiallyFilled')


class BybitTables(SocketOrders, AcknowledgedCancels, SocketKillSwitch, Mmp):
    """What Bybit calls things, and what it takes."""

    _mmp_endpoints: ClassVar[dict[str, str]] = {
        'POST account/mmp-modify': 'privatePostV5AccountMmpModify',
        'POST account/mmp-reset': 'privatePostV5AccountMmpReset',
        'GET account/mmp-state': 'privateGetV5AccountMmpState',
        'GET order/realtime': 'privateGetV5OrderRealtime',
        'POST order/cancel-batch': 'privatePostV5OrderCancelBatch',
        'POST order/cancel-all': 'privatePostV5OrderCancelAll',
    }
    _time_endpoint = 'GET market/time'
    _rule_endpoint = 'GET account/mmp-state'
    _order_paths = ('v5/order/create', 'v5/order/create-batch', 'v5/order/amend', 'v5/order/amend-batch')
    _mass_cancel_flag = 'includeNonMmp'
    _mmp_access = (
        'Bybit gives it to market makers of its options on request (financial.inst@bybit.com or your account manager), '
        'and it needs a unified trading account'
    )
    _max_batch = MAX_BATCH
    _batch_params = ()
    _order_id_field = 'orderId'
    _client_id_field = 'orderLinkId'
    _filled_field = 'cumExecQty'
    _refusal_field = 'code'
    _own_flag_names = ()
    _own_flag_names_of_lists = ()
    _has_flag_over_websocket = False
    _loads_options = True
    _own_order_types = ()
    _order_market_field = 'symbol'
    _underlying_field = 'baseCoin'
    _accepted_underlyings = (
        "the coin in upper case, such as 'BTC', 'BTC/USDT', 'BTC/USDC', either with settle, or an option's symbol or id"
    )

    def _describe_mmp(self) -> dict[str, Any]:
        limit = {'integer': False, 'above': 0, 'decimals': 2}
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
            'options': {
                'massCancelMmp': {
                    'timeout': TIMEOUT,
                    'concurrency': CONCURRENCY,
                },
                'createOrder': {
                    'mmpTag': MMP_TAG,
                },
                'watchMmp': {**WATCH_OPTIONS},
                # calls in ms, of the account
                'mmpRateLimits': {
                    'POST account/mmp-modify': [5, 1000],
                    'POST account/mmp-reset': [5, 1000],
                    'GET account/mmp-state': [5, 1000],  # Bybit's table has none; its tool server has this one
                    'GET order/realtime': [50, 1000],
                    'POST order/cancel-batch': [10, 1000],
                    'POST order/cancel-all': [1, 1000],
                },
                'mmpLimits': {
                    'orders': {
                        'window': {'field': 'window', 'integer': True, 'min': 1},
                        'frozenTime': {'field': 'frozenPeriod', 'integer': True, 'min': 0},
                        'qtyLimit': {'field': 'qtyLimit', **limit},
                        'deltaLimit': {'field': 'deltaLimit', **limit},
                        'vegaLimit': {'field': 'vegaLimit', **limit, 'required': False},
                        'countLimit': None,
                        'maxQuoteQuantity': None,
                        'lockInterval': None,
                    },
                },
            },
            'exceptions': {
                'exact': {
                    '429': RateLimitExceeded,  # of the system
                    '10000': RequestTimeout,  # Server Timeout
                    '10016': ExchangeNotAvailable,  # Server error.
                    '10429': RateLimitExceeded,  # System level frequency protection
                    '110008': OrderNotFound,  # Order has been finished or canceled
                    '110010': OrderNotFound,  # Order already cancelled
                    '110062': MmpNotEnabled,  # There is no MMP information of the institution found.
                    '110065': MmpNotEnabled,  # MMP hasn't yet been enabled for your account. ...
                    '110072': DuplicateOrderId,  # OrderLinkedID is duplicate
                    '110079': OperationFailed,  # The order is processing and can not be operated, ...
                },
            },
        }
