"""The tables of Deribit: endpoints, limits, options, errors, and the names that core asks for."""

from typing import Any, ClassVar

from ccxt.abstract.deribit import ImplicitAPI
from ccxt.base.errors import (
    ExchangeNotAvailable,
    NotSupported,
    OperationRejected,
    OrderNotFound,
    PermissionDenied,
    RateLimitExceeded,
)
from ccxt.base.types import Entry

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.kill_switch import CONCURRENCY, TIMEOUT
from ccxt_mmp.core.socket_cancelling import SocketKillSwitch
from ccxt_mmp.core.socket_contract import is_pro
from ccxt_mmp.core.socket_orders import SocketOrders
from ccxt_mmp.core.streams import WATCH_OPTIONS
from ccxt_mmp.errors import MmpFrozen, MmpNotEnabled

OWN_ID = Pattern(r'(?P<base>[a-z0-9]+)_(?P<quote>usd|usdc|usdt)')
MONTHS = ('JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC')
DATE = rf'(?P<day>[0-9]{{1,2}})(?P<month>{"|".join(MONTHS)})(?P<year>[0-9]{{2}})'
# a perpetual, a future, an option or a combo, by its id: what comes first names the index
MARKET_ID = Pattern(
    r'(?P<base>[A-Z0-9]+)(?:_(?P<quote>USDC|USDT))?-'
    rf'(?:PERPETUAL|(?P<combo>[A-Z]{{2,5}}-)?{DATE}(?:_[A-Z0-9]+)*(?:-(?P<strike>[0-9d_]+))?(?:-(?P<kind>[CP]))?)'
)
UNIFIED = Pattern(
    r'(?P<base>[A-Z0-9]+)/(?P<quote>USD|USDC|USDT)'
    r'(?::(?P<settle>[A-Z0-9]+)(?:-[0-9]{6}(?:-[0-9]+(?:\.[0-9]+)?-[CP])?)?)?'
)
PRIVATE: Any = vars(ImplicitAPI)['privateGetCancel'].api  # a list or, in older versions of ccxt, a text


ALL = 'all'  # the index of the Block-RFQ protection that counts trades
SECOND = 1000  # ms
MAX_TIME = 3_600_000  # ms, of interval and frozen_time
MAX_LABEL = 64  # characters, and of the name of a group
MAX_DECIMALS = 4
LABEL_PREFIX = 'mmp'

# which are numbers in JSON, and texts in what ccxt makes
NUMBERS = frozenset(
    [
        'amount',
        'contracts',
        'delta_limit',
        'frozen_time',
        'interval',
        'max_quote_quantity',
        'max_show',
        'price',
        'quantity_limit',
        'trade_count_limit',
        'trigger_offset',
        'trigger_price',
        'valid_until',
        'vega_limit',
    ]
)

# what makes a limit order something else, by Deribit's names
CONDITIONS = ('trigger', 'trigger_price', 'trigger_offset', 'linked_order_type', 'otoco_config')


class DeribitTables(SocketOrders, SocketKillSwitch, Mmp):
    """What Deribit calls things, and what it takes."""

    # implicit methods that not every version of ccxt has; to it all of Deribit's are GET, and sign() makes them POST
    privateGetGetMmpStatus = Entry('get_mmp_status', PRIVATE, 'GET', {'cost': 1})  # noqa: N815
    privateGetGetOpenOrders = Entry('get_open_orders', PRIVATE, 'GET', {'cost': 1})  # noqa: N815
    privateGetCancelQuotes = Entry('cancel_quotes', PRIVATE, 'GET', {'cost': 4})  # noqa: N815
    privateGetCancelAllByCurrencyPair = Entry('cancel_all_by_currency_pair', PRIVATE, 'GET', {'cost': 4})  # noqa: N815

    _mmp_endpoints: ClassVar[dict[str, str]] = {
        'POST set_mmp_config': 'privateGetSetMmpConfig',
        'POST get_mmp_config': 'privateGetGetMmpConfig',
        'POST get_mmp_status': 'privateGetGetMmpStatus',
        'POST reset_mmp': 'privateGetResetMmp',
        'POST get_open_orders': 'privateGetGetOpenOrders',
        'POST cancel': 'privateGetCancel',
        'POST cancel_by_label': 'privateGetCancelByLabel',
        'POST cancel_quotes': 'privateGetCancelQuotes',
        'POST cancel_all_by_currency_pair': 'privateGetCancelAllByCurrencyPair',
    }
    _shared_limits: ClassVar[dict[str, str]] = {
        'POST set_mmp_config': 'matching',
        'POST reset_mmp': 'matching',
        'POST cancel': 'matching',
        'POST cancel_quotes': 'matching',
        'POST cancel_all_by_currency_pair': 'matching',
        'POST cancel_by_label': 'cancel_all',
        'POST get_mmp_config': 'others',
        'POST get_mmp_status': 'others',
        'POST get_open_orders': 'others',
        'GET get_time': 'others',
    }
    _time_endpoint = 'GET get_time'
    _rule_endpoint = 'POST get_mmp_config'
    _order_paths = ('buy', 'sell', 'edit', 'edit_by_label', 'mass_quote')
    _quote_paths = ('mass_quote',)
    _mass_cancel_flag = 'includeNonMmp'
    _mmp_access = (
        'Deribit staff activates it on request, once for the main account and all its subaccounts; MMP orders of '
        'options also need portfolio margin'
    )
    _max_batch = 1
    _batch_params = ()
    _order_id_field = 'order_id'
    _client_id_field = 'label'
    _filled_field = 'filled_amount'
    _refusal_field = 'code'
    _has_lists = False
    _own_flag_names = ()
    _own_flag_names_of_lists = ()
    _has_flag_over_websocket = True
    _loads_options = True
    _flagged_markets = 'options, futures and perpetuals'
    _own_order_types = ()
    _order_market_field = 'instrument_name'
    _underlying_field = 'index_name'
    _market_field = 'price_index'
    _rfq_has_underlyings = True
    _scope_field = 'block_rfq'
    _group_field = 'mmp_group'
    _accepted_underlyings = (
        "'BTC/USD', 'BTC/USDC', 'BTC/USDT', the exchange's 'btc_usd', or the symbol or id of an option, future or "
        'perpetual'
    )

    def _describe_mmp(self) -> dict[str, Any]:
        time = {'integer': True, 'min': 0, 'max': MAX_TIME, 'step': SECOND}
        limit = {'integer': False, 'above': 0, 'decimals': MAX_DECIMALS, 'required': False}
        limits = {
            'window': {'field': 'interval', **time},
            'frozenTime': {'field': 'frozen_time', **time},
            'qtyLimit': {'field': 'quantity_limit', **limit},
            'deltaLimit': {'field': 'delta_limit', **limit},
            'vegaLimit': {'field': 'vega_limit', **limit},
            'lockInterval': None,
        }
        return {
            'has': {
                'setMmp': True,
                'resetMmp': True,
                'fetchMmp': True,
                'fetchMmps': True,
                'massCancelMmp': 'emulated',
                'massCancelMmps': 'emulated',
                'massCancelMmpWs': is_pro(self),
                'createOrderWs': is_pro(self),
                'createOrdersWs': is_pro(self),
                'editOrderWs': is_pro(self),
                'warmUp': True,
                'createOrders': 'emulated',
                'watchMmp': True,
                'watchMmps': True,
                'unWatchMmp': True,
            },
            'options': {
                'timeDifference': 0,
                'massCancelMmp': {
                    'timeout': TIMEOUT,
                    'concurrency': CONCURRENCY,
                },
                'createOrder': {
                    'mmpLabel': LABEL_PREFIX,
                },
                'watchMmp': {**WATCH_OPTIONS},
                # calls in ms: the burst, and the time that gives it back, of the lowest tier
                'mmpRateLimits': {
                    'matching': [20, 4000],
                    'cancel_all': [250, 1250],
                    'others': [100, 5000],
                },
                'mmpLimits': {
                    'orders': {
                        **limits,
                        'countLimit': None,
                        'maxQuoteQuantity': {'field': 'max_quote_quantity', **limit, 'required': True},
                    },
                    'rfq': {
                        **limits,
                        'countLimit': {
                            'field': 'trade_count_limit',
                            'integer': True,
                            'min': 1,
                            'max': 1000,
                            'required': False,
                        },
                        'maxQuoteQuantity': None,
                    },
                },
            },
            'exceptions': {
                '10028': RateLimitExceeded,  # too_many_requests
                '10030': NotSupported,  # must_be_websocket_request
                '10047': RateLimitExceeded,  # matching_engine_queue_full
                '11008': OrderNotFound,  # already_filled
                '11044': OrderNotFound,  # not_open_order
                '11098': PermissionDenied,  # account_locked
                '13028': ExchangeNotAvailable,  # temporarily_unavailable
                '13030': MmpFrozen,  # mmp_trigger
                '13040': MmpNotEnabled,  # mmp_required
                '13042': OperationRejected,  # cod_not_enabled
                '13043': OperationRejected,  # quotes_frozen
                '13503': ExchangeNotAvailable,  # unavailable
                '13666': OperationRejected,  # request_cancelled_by_user
                '13888': OperationRejected,  # timed_out
                '13902': MmpNotEnabled,  # mass_quotes_disabled
                '13903': RateLimitExceeded,  # too_many_quotes
            },
        }
