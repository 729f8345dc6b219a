"""What names an underlying."""

import ccxt
import pytest

from ccxt_mmp import BinanceMmp, OkxMmp
from tests.rows import rows

OKX = {
    'BTC-USD': 'BTC-USD',
    'BTC-USD_UM': 'BTC-USD_UM',
    'BTC/USD': 'BTC-USD',
    'BTC/USD:BTC': 'BTC-USD',
    'BTC/USD:USD': 'BTC-USD_UM',
    'BTC/USD:BTC-260327-100000-C': 'BTC-USD',
    'BTC/USD:USD-260327-100000-P': 'BTC-USD_UM',
    'BTC-USD-260327-100000-C': 'BTC-USD',
    'BTC-USD_UM-260327-100000-P': 'BTC-USD_UM',
    'SOL-USD_UM-260327-142.5-C': 'SOL-USD_UM',
    '1INCH/USD': '1INCH-USD',
}
BINANCE = {
    'BTCUSDT': 'BTCUSDT',
    'BTC/USDT': 'BTCUSDT',
    'BTC/USDT:USDT': 'BTCUSDT',
    'BTC/USDT:USDT-260327-100000-C': 'BTCUSDT',
    'BTC-260327-100000-P': 'BTCUSDT',
    'DOGE-260327-0.125-P': 'DOGEUSDT',
    'BTCDOM/USDT': 'BTCDOMUSDT',
}
JUNK = [
    '',
    ' ',
    'BTC',
    'btc/usd',
    'btc-usd',
    'BTC/USD ',
    '\nBTC/USD',
    'BTC/USD\n',
    'BTC/USD:',
    'BTC/USD:ETH',
    'BTC/USD:BTC-',
    'BTC/USD:BTC-260327',
    'BTC/USD:BTC-260327-100000',
    'BTC/USD:BTC-260327-100000-X',
    'BTC/USD:BTC-26032-100000-C',
    'BTC/USD-260327-100000-C',
    'BTC-USD_XX',
    'BTC-USD-SWAP',
    'BTC-USD-260327',
    '/USD',
    '-USD',
    'USDT',
    '/USDT',
    'BTC/USDT:BTC',
    'BTC/USDC',
    'BTCUSDC',
    'BTC-２６０３２７-100000-C',
    'BTC/USD&instFamily=ETH-USD',
    'BTC/USD,ETH/USD',
]
# the other exchange's names are junk here
OKX_JUNK = [*JUNK, *BINANCE]
BINANCE_JUNK = [*JUNK, *OKX]


@pytest.mark.parametrize(('text', 'family'), OKX.items())
def test_okx_underlying(text, family):
    assert OkxMmp._parse_underlying(text) == family


@pytest.mark.parametrize(('text', 'underlying'), BINANCE.items())
def test_binance_underlying(text, underlying):
    assert BinanceMmp._parse_underlying(text) == underlying


@rows(
    ('exchange_id', 'text', 'sent'),
    [
        *[('okx', text, f'instFamily={family}') for text, family in OKX.items()],
        *[('binance', text, f'underlying={underlying}') for text, underlying in BINANCE.items()],
    ],
)
def test_underlying_is_what_goes_out(flavour, canned, exchange_id, text, sent):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id, canned.url)
    with pytest.raises(ccxt.BaseError):  # {} is no answer
        flavour.take(exchange.fetch_mmp(text))
    [request] = canned.received()
    assert sent in request.query_string.decode().split('&')


@rows('text', OKX_JUNK)
def test_okx_junk_names_no_underlying(text):
    assert OkxMmp._parse_underlying(text) is None


@rows('text', BINANCE_JUNK)
def test_binance_junk_names_no_underlying(text):
    assert BinanceMmp._parse_underlying(text) is None


@pytest.mark.parametrize(
    ('mixin', 'own', 'unified'),
    [
        (OkxMmp, 'BTC-USD', 'BTC/USD:BTC'),
        (OkxMmp, 'BTC-USD_UM', 'BTC/USD:USD'),
        (OkxMmp, 'BTC-EUR', None),
        (BinanceMmp, 'BTCUSDT', 'BTC/USDT:USDT'),
        (BinanceMmp, 'BTCUSDC', None),
    ],
)
def test_unified_underlying(mixin, own, unified):
    assert mixin._unified_underlying(own) == unified


@rows(
    ('exchange_id', 'junk', 'accepted'),
    [
        *[('okx', junk, "'BTC/USD', 'BTC/USD:USD'") for junk in (*OKX_JUNK[::6], 5, True, [], b'BTC/USD', 'x' * 10**6)],
        *[('binance', junk, "'BTC/USDT', 'BTC/USDT:USDT'") for junk in (*BINANCE_JUNK[::6], 5, {}, 0.5, ('BTC/USDT',))],
    ],
)
def test_junk_is_a_bad_symbol_that_says_what_is_accepted(flavour, exchange_id, junk, accepted):
    exchange = flavour.exchange(exchange_id)
    with pytest.raises(ccxt.BadSymbol) as caught:
        flavour.take(exchange.fetch_mmp(junk))
    assert type(caught.value) is ccxt.BadSymbol
    assert accepted in str(caught.value)
    assert len(str(caught.value)) < 500


def test_junk_of_any_depth_is_a_bad_symbol(flavour):
    junk = []
    for _ in range(100_000):
        junk = [junk]
    with pytest.raises(ccxt.BadSymbol, match='of the type list'):
        flavour.take(flavour.exchange('okx').fetch_mmp(junk))


def market(symbol, own_id, info, kind='option'):
    flags = {each: each == kind for each in ('spot', 'swap', 'option')}
    return {'id': own_id, 'symbol': symbol, 'type': kind, **flags, 'info': info}


def with_markets(exchange, *markets):
    exchange.markets = {each['symbol']: each for each in markets}
    exchange.markets_by_id = {}
    for each in markets:
        exchange.markets_by_id.setdefault(each['id'], []).append(each)
    return exchange


def resolved(exchange, text):
    return exchange._resolve_underlying('fetchMmp', text)


def test_loaded_option_says_its_family_whatever_it_settles_in(flavour):
    option = market('BTC/USD:USDC-260327-100000-C', 'BTC-USD_UM-260327-100000-C', {'instFamily': 'BTC-USD_UM'})
    exchange = with_markets(flavour.exchange('okx'), option)
    assert resolved(exchange, option['symbol']) == 'BTC-USD_UM'
    assert resolved(exchange, option['id']) == 'BTC-USD_UM'


def test_loaded_binance_option_says_its_underlying(flavour):
    option = market('BTC/USDC:USDC-260327-100000-C', 'BTC-260327-100000-C', {'underlying': 'BTCUSDC'})
    exchange = with_markets(flavour.exchange('binance'), option)
    assert resolved(exchange, option['symbol']) == 'BTCUSDC'
    assert resolved(exchange, option['id']) == 'BTCUSDC'


def test_spot_and_swap_markets_of_the_same_name_say_nothing(flavour):
    exchange = with_markets(
        flavour.exchange('okx'),
        market('BTC/USD', 'BTC-USD', {'instFamily': ''}, 'spot'),
        market('BTC/USD:BTC', 'BTC-USD-SWAP', {'instFamily': 'WRONG'}, 'swap'),
        market('BTC/USDT:USDT', 'BTC-USDT-SWAP', {'instFamily': 'BTC-USDT'}, 'swap'),
    )
    assert resolved(exchange, 'BTC/USD') == 'BTC-USD'
    assert resolved(exchange, 'BTC-USD') == 'BTC-USD'
    assert resolved(exchange, 'BTC/USD:BTC') == 'BTC-USD'
    with pytest.raises(ccxt.BadSymbol):
        resolved(exchange, 'BTC/USDT:USDT')
    with pytest.raises(ccxt.BadSymbol):
        resolved(exchange, 'BTC-USDT-SWAP')


def test_expired_option_without_info_is_read_by_its_name(flavour):
    option = market('BTC/USD:USD-200327-100000-C', 'BTC-USD_UM-200327-100000-C', None)
    exchange = with_markets(flavour.exchange('okx'), option)
    assert resolved(exchange, option['symbol']) == 'BTC-USD_UM'


def test_unknown_option_is_not_invented_where_markets_are_loaded(flavour):
    """market() would turn _UM into the coin-settled family, and keep what it invented."""
    exchange = with_markets(flavour.exchange('okx'), market('BTC/USD', 'BTC-USD', {}, 'spot'))
    assert resolved(exchange, 'BTC-USD_UM-260327-100000-C') == 'BTC-USD_UM'
    assert resolved(exchange, 'BTC/USD:USD-260327-100000-C') == 'BTC-USD_UM'
    assert list(exchange.markets) == ['BTC/USD']
    assert list(exchange.markets_by_id) == ['BTC-USD']
