"""Markets to trade, without loading them in every test: a few options of the simulator, a spot market and swaps."""

import copy
import threading
from functools import lru_cache

import ccxt

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Simulator, redirect

OPTIONS_OF_EACH = 4
# Binance's markets without a setting are without them; a list, as every version of ccxt takes it
WITH_OPTIONS = {'fetchMarkets': ['option']}


class OfEach(dict):
    """A table with a line for each exchange, that names itself where one has none."""

    def __init__(self, name, lines):
        super().__init__(lines)
        self.name = name

    def __missing__(self, exchange_id):
        raise LookupError(f'tests/trading.py: {self.name} has no line of {exchange_id}, see docs/adding-an-exchange.md')


# the ids of a spot market and of a swap that have no options
OTHER_IDS = OfEach(
    'OTHER_IDS',
    {
        'okx': {'spot': 'BTC-USDT', 'swap': 'BTC-USDT-SWAP'},
        'binance': {'spot': 'BTCUSDT', 'swap': 'BTCUSDT'},
        'deribit': {'spot': 'BTC_USDT', 'swap': 'BTC_USDT-PERPETUAL'},
        'bybit': {'spot': 'BTCUSDT', 'swap': 'BTCUSDT'},
    },
)


@lru_cache
def markets(exchange_id):
    """Unified markets: the first options of each underlying of the simulator, as ccxt parses them, and others."""
    with Simulator() as simulator:
        exchange = simulator.connect(getattr(ccxt, exchange_id), enableRateLimit=False, options=WITH_OPTIONS)
        exchange.load_markets()
    options = {}
    for market in exchange.markets.values():
        # Bybit's step is 5: tests tell orders by their prices
        market['precision']['price'] = min(market['precision']['price'], 0.1)
        options.setdefault((market['base'], market['settle']), []).append(market)
    return [
        *(market for listed in options.values() for market in listed[:OPTIONS_OF_EACH]),
        other(exchange, exchange_id, 'spot'),
        other(exchange, exchange_id, 'swap'),
    ]


def other(exchange, exchange_id, kind):
    is_swap = kind == 'swap'
    return exchange.safe_market_structure(
        {
            'id': OTHER_IDS[exchange_id][kind],
            'symbol': 'BTC/USDT:USDT' if is_swap else 'BTC/USDT',
            'base': 'BTC',
            'quote': 'USDT',
            'settle': 'USDT' if is_swap else None,
            'baseId': 'BTC',
            'quoteId': 'USDT',
            'type': kind,
            'spot': not is_swap,
            'margin': False,
            'swap': is_swap,
            'future': False,
            'option': False,
            'active': True,
            'contract': is_swap,
            'linear': True if is_swap else None,
            'inverse': False if is_swap else None,
            'contractSize': 1 if is_swap else None,
            'precision': {'amount': 0.001, 'price': 0.1},
            'info': {
                'instType': kind.upper(),
                'instId': OTHER_IDS['okx'][kind],
                'price_index': 'btc_usdt',
                'baseCoin': 'BTC',
                'instFamily': 'BTC-USDT' if is_swap else '',
                'orderTypes': ['LIMIT', 'MARKET', 'LIMIT_MAKER', 'STOP', 'STOP_MARKET', 'TAKE_PROFIT'],
            },
        }
    )


def option_market(exchange, option_id, underlying):
    """The market of an option, as far as an order needs it."""
    base = option_id.partition('-')[0]
    is_linear = exchange.id in ('binance', 'bybit')
    quote, settle = ('USDT', 'USDT') if is_linear else ('USD', base)
    return exchange.safe_market_structure(
        {
            'id': option_id,
            'symbol': exchange._unified_symbol(option_id, underlying),
            'base': base,
            'quote': quote,
            'settle': settle,
            'type': 'option',
            'spot': False,
            'margin': False,
            'swap': False,
            'future': False,
            'option': True,
            'contract': True,
            'linear': is_linear,
            'inverse': not is_linear,
            'contractSize': 1,
            'precision': {'amount': 0.01, 'price': 0.0001},
            'info': {EXCHANGES[exchange.id].underlying_field: underlying},
        }
    )


# what ccxt sets of markets
OF_MARKETS = (
    'markets',
    'markets_by_id',
    'symbols',
    'ids',
    'currencies',
    'currencies_by_id',
    'codes',
    'baseCurrencies',
    'quoteCurrencies',
)
_of_markets = {}
_setting = threading.RLock()  # of several threads one loads them, and the others wait


def with_markets(exchange):
    """The exchange as after load_markets()."""
    _set_once(exchange, ('set', exchange.id), lambda: exchange.set_markets(markets(exchange.id)))
    return exchange


def load_markets(flavour, exchange):
    """Load all markets of a new simulator, and for later objects of the exchange take them over: loading takes 0.1 s.

    What its classes load is the same, whatever the flavour.
    """
    key = ('loaded', exchange.id, repr(exchange.options.get('fetchMarkets')))
    _set_once(exchange, key, lambda: flavour.take(exchange.load_markets()))


def _set_once(exchange, key, set_markets):
    with _setting:
        if key not in _of_markets:
            set_markets()
            _of_markets[key] = {name: getattr(exchange, name) for name in OF_MARKETS if hasattr(exchange, name)}
    kept = _of_markets[key]
    for name, value in kept.items():
        setattr(exchange, name, copy.copy(value))
    exchange.markets = {symbol: dict(market) for symbol, market in kept['markets'].items()}
    exchange.markets_by_id = {
        market_id: [dict(market) for market in listed] for market_id, listed in kept['markets_by_id'].items()
    }


def at_simulator(exchange, simulator):
    """An object that the user has made, with markets and the simulator's credentials, at the simulator."""
    exchange.apiKey, exchange.secret, exchange.password = KEY, SECRET, PASSPHRASE
    exchange.timeout_on_exit = 0
    redirect(exchange, simulator.url)
    if not exchange.synchronous:
        exchange.throttler.config['maxCapacity'] = 2000  # as in newer versions of ccxt
    return with_markets(exchange)


def symbols(exchange, underlying):
    """The symbols of the options of an underlying of the exchange, by its own id."""
    field = EXCHANGES[exchange.id].underlying_field
    return [
        market['symbol']
        for market in exchange.markets.values()
        if market['option'] and market['info'][field] == underlying
    ]


# of set_mmp: a rule that each exchange takes
RULES = OfEach(
    'RULES',
    {
        'okx': {'qtyLimit': 100},
        'binance': {'qtyLimit': 100, 'deltaLimit': 100},
        'deribit': {'qtyLimit': 100, 'params': {'maxQuoteQuantity': 1000}},
        'bybit': {'qtyLimit': 100, 'deltaLimit': 100},
    },
)
# what a client order id of an MMP order has to begin with
ID_PREFIX = {'bybit': 'mmp-'}
# order['mmp'] of an order without the flag: Bybit's answers have no flag, and the id of an MMP order tells it
PLAIN = {'bybit': None}
# an MMP order in a freeze: no page lists a code of Bybit's for it
FROZEN = {'bybit': ccxt.BadRequest}
UNDERLYING = {each.id: each.underlying_id for each in EXCHANGES.values()}
UNIFIED = {each.id: each.underlying for each in EXCHANGES.values()}


async def load_markets_once(exchange, load):
    """The same within a loop; ``load`` is the method of ccxt, in whose place this may stand."""
    key = ('loaded', exchange.id, repr(exchange.options.get('fetchMarkets')))
    if not exchange.markets:
        if key not in _of_markets:
            await load(exchange)
        _set_once(exchange, key, lambda: None)
    return exchange.markets
