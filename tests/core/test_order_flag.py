"""The flag under a wrong name or in a wrong place, and options that are not among the loaded markets."""

import ccxt
import pytest

from tests.core.ordering import create, list_few, listed, resting
from tests.rows import rows
from tests.trading import UNDERLYING, symbols, with_markets

MISNAMED_EVERYWHERE = [
    {'MMP': True},
    {'Mmp': True},
    {'mMP': 1},
    {'is_mmp': True},
    {'IsMMP': True},
    {'is-mmp': True},
    {'mmp_': True},
    {'orderType': 'mmp'},
    {'ord_type': 'MMP'},
    {'type': 'mmp'},
    {'params': {'mmp': True}},
    {'mmp': True, 'MMP': True},
]
OF_OTHERS = [{'isMmp': True}, {'isMmp': False}, {'ordType': 'mmp'}, {'ordType': 'mmp_and_post_only'}]
MISNAMED = {
    'okx': [{'isMmp': True}, {'isMmp': False}, *MISNAMED_EVERYWHERE],
    'deribit': [*OF_OTHERS, *MISNAMED_EVERYWHERE],
    'bybit': [*OF_OTHERS, *MISNAMED_EVERYWHERE],
    'binance': [
        {'ordType': 'mmp'},
        {'ordType': 'mmp_and_post_only'},
        {'ismmp': True},
        {'is_mmp': 'true'},
        *MISNAMED_EVERYWHERE,
    ],
}
# that are no flag, whatever they look like
FINE = [{'tag': 'mmp'}, {'clientOrderId': 'mmp'}, {'mmp': None}, {'params': {'x': 'mmp'}}]


MARKET_FIELDS = {'okx': 'instId', 'binance': 'symbol', 'deribit': 'instrument_name', 'bybit': 'symbol'}


def test_market_in_params_is_that_of_the_argument(flavour, simulator, exchange, exchange_id, quoted):
    """ccxt would send the one in params: the order would pass the fence of one underlying and rest in another."""
    field = MARKET_FIELDS[exchange_id]
    ids = [exchange.market(symbol)['id'] for symbol in quoted[:2]]
    other = {'mmp': True, field: ids[1]}
    for call in (
        lambda: exchange.create_order(quoted[0], 'limit', 'buy', 10, 5, other),
        lambda: exchange.create_orders(listed(quoted, 1, params=other)),
    ):
        with pytest.raises(ccxt.InvalidOrder, match=f'of one market.*{field}'):
            flavour.take(call())
    assert simulator.requests == []
    order = flavour.take(exchange.create_order(quoted[0], 'limit', 'buy', 10, 5, {'mmp': True, field: ids[0]}))
    assert order['symbol'] == quoted[0]


@rows('params', MISNAMED, by='exchange_id')
def test_misnamed_flag_of_an_order_is_refused_before_anything_is_sent(
    flavour, simulator, exchange, exchange_id, quoted, params
):
    order = listed(quoted, 1, params=params)[0]
    spot = {**order, 'symbol': 'BTC/USDT:USDT'}
    calls = [
        lambda: exchange.create_order(quoted[0], 'limit', 'buy', 10, 5, params),
        lambda: exchange.create_order('BTC/USDT', 'limit', 'buy', 10, 5, params),
        lambda: exchange.create_orders([*listed(quoted, 1), order]),
        lambda: exchange.create_orders(listed(quoted, 2, params={}), params),
        lambda: exchange.create_orders([spot]),
        lambda: exchange.edit_order('1', quoted[0], 'limit', 'buy', 10, 5, params),
        lambda: exchange.edit_order('1', 'BTC/USDT', 'limit', 'buy', 10, 5, params),
    ]
    if flavour.name == 'pro':
        calls += [
            lambda: exchange.create_order_ws(quoted[0], 'limit', 'buy', 10, 5, params),
            lambda: exchange.edit_order_ws('1', quoted[0], 'limit', 'buy', 10, 5, params),
        ]
    for call in calls:
        with pytest.raises(ccxt.InvalidOrder):
            flavour.take(call())
    with pytest.raises(ccxt.InvalidOrder):
        exchange.create_order_request(quoted[0], 'limit', 'buy', 10, 5, params)
    assert simulator.requests == []
    assert getattr(exchange, 'clients', {}) == {}


@rows('params', MISNAMED, by='exchange_id')
def test_misnamed_flag_of_a_list_is_refused(flavour, simulator, exchange, exchange_id, quoted, params):
    for fetch in (exchange.fetch_open_orders, exchange.fetch_canceled_orders):
        with pytest.raises(ccxt.InvalidOrder, match='use mmp'):
            flavour.take(fetch(quoted[0], None, None, params))
    assert simulator.requests == []


@pytest.mark.parametrize('name', ['fetch_open_orders', 'fetch_canceled_orders'])
def test_binances_name_of_the_flag_of_an_order_is_none_of_a_list(flavour, simulator, name):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    with pytest.raises(ccxt.InvalidOrder, match='use mmp'):
        flavour.take(getattr(exchange, name)(symbols(exchange, 'BTCUSDT')[0], None, None, {'isMmp': True}))
    assert simulator.requests == []


def test_message_names_the_right_flag(flavour, exchange, exchange_id, quoted):
    own = {'okx': ' or ordType', 'binance': ' or isMmp', 'deribit': '', 'bybit': ''}[exchange_id]
    with pytest.raises(ccxt.InvalidOrder, match=f"'MMP': True}}, use mmp{own}"):
        create(flavour, exchange, quoted[0], {'MMP': True})


@rows('kind', ['MMP', 'Mmp', 'MMP_AND_POST_ONLY', 'mmpAndPostOnly'])
def test_other_spellings_of_the_order_type_are_refused(flavour, simulator, exchange, exchange_id, quoted, kind):
    with pytest.raises(ccxt.InvalidOrder):
        create(flavour, exchange, quoted[0], {}, kind)
    with pytest.raises(ccxt.InvalidOrder):
        create(flavour, exchange, quoted[0], {'ordType': kind})
    assert simulator.requests == []


def test_order_type_of_okx_is_none_of_binance(flavour, simulator):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    with pytest.raises(ccxt.InvalidOrder):
        create(flavour, exchange, symbols(exchange, 'BTCUSDT')[0], {}, 'mmp')
    assert simulator.requests == []


@rows('beside', [{'mmp': True}, {'mmp': 'yes'}, {'MMP': True}, {'isMmp': True}, {'is_mmp': 1}, {'ordType': 'mmp'}])
@rows('params', [{}, {'mmp': True}, None])
def test_flag_beside_the_params_of_an_order_is_refused(flavour, simulator, exchange, quoted, beside, params):
    order = {**listed(quoted, 1)[0], 'params': params}
    if params is None:
        del order['params']
    for market in (quoted[0], 'BTC/USDT:USDT'):
        with pytest.raises(ccxt.InvalidOrder, match='from the params of an order'):
            flavour.take(exchange.create_orders([*listed(quoted, 1), {**order, **beside, 'symbol': market}]))
    assert simulator.requests == []


@rows('beside', [{'mmp': False}, {'mmp': None}, {'status': 'open', 'mmp': False, 'info': {}}])
def test_order_that_was_fetched_can_be_placed_again(flavour, simulator, exchange, exchange_id, quoted, beside):
    [order] = flavour.take(exchange.create_orders([{**listed(quoted, 1, params={})[0], **beside}]))
    assert (order['mmp'], order['error']) == (False, None)
    assert [each.mmp for each in resting(simulator, exchange_id)] == [False]


@rows('params', FINE)
def test_what_only_looks_like_the_flag_is_none(exchange, params):
    assert exchange._is_mmp_order('limit', params) is False


# --- options that are not among the loaded markets


def unlisted(exchange_id):
    return {
        'okx': ('BTC/USD:BTC-991231-77000-C', 'BTC-USD-991231-77000-C'),
        'binance': ('BTC/USDT:USDT-991231-77000-P', 'BTC-991231-77000-P'),
        'deribit': ('BTC/USD:BTC-991231-77000-C', 'BTC-31DEC99-77000-C'),
        'bybit': ('BTC/USDT:USDT-991231-77000-P', 'BTC-31DEC99-77000-P-USDT'),
    }[exchange_id]


@rows('by_id', [False, True])
def test_option_that_is_not_loaded_is_a_bad_symbol(flavour, simulator, exchange, exchange_id, quoted, by_id):
    symbol = unlisted(exchange_id)[by_id]
    calls = [
        lambda: exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}),
        lambda: exchange.create_orders(listed([symbol], 1)),
        lambda: exchange.create_orders([*listed(quoted, 3), *listed([symbol], 1)]),
        lambda: exchange.create_orders([*listed(quoted, 3), *listed([symbol], 1, params={})]),
        lambda: exchange.edit_order('1', symbol, 'limit', 'buy', 10, 5, {'mmp': True}),
    ]
    if flavour.name == 'pro' and exchange_id == 'okx':
        calls += [
            lambda: exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, {'mmp': True}),
            lambda: exchange.edit_order_ws('1', symbol, 'limit', 'buy', 10, 5, {'mmp': True}),
        ]
    for call in calls:
        with pytest.raises(ccxt.BadSymbol, match=r'load_markets\(True\)') as caught:
            flavour.take(call())
        assert symbol in str(caught.value)
    with pytest.raises(ccxt.BadSymbol):
        exchange.create_order_request(symbol, 'limit', 'buy', 10, 5, {'mmp': True})
    assert simulator.requests == []
    assert getattr(exchange, 'clients', {}) == {}


@pytest.mark.parametrize(
    ('exchange_id', 'configured', 'hint'),
    [
        ('okx', None, 'listed since'),
        ('okx', {'types': ['spot', 'swap']}, "must have 'option'"),
        ('okx', ['spot', 'option'], 'listed since'),
        ('binance', None, "must have 'option'"),
        ('binance', ['spot'], "must have 'option'"),
        ('binance', {}, "must have 'option'"),
        ('binance', {'types': ['spot', 'option']}, 'listed since'),
        ('binance', {'types': ['spot'], 'loadAllOptions': True}, 'listed since'),
    ],
)
def test_bad_symbol_says_how_to_load_the_option(flavour, exchange, exchange_id, configured, hint):
    if configured is not None:
        exchange.options['fetchMarkets'] = configured
    with pytest.raises(ccxt.BadSymbol, match=hint):
        create(flavour, exchange, unlisted(exchange_id)[0], {'mmp': True})


def test_option_listed_later_is_placed_after_the_hint_was_followed(flavour, simulator, exchange_id):
    list_few(simulator)
    options = {'fetchMarkets': ['option']} if exchange_id == 'binance' else {}
    exchange = simulator.connect(flavour.exchange_class(exchange_id), enableRateLimit=False, options=options)
    flavour.opened.append(with_markets(exchange))
    underlying = UNDERLYING[exchange_id]
    settle = {'binance': 'USDT', 'bybit': 'USDC'}.get(exchange_id, 'BTC')
    option_id = simulator.list_options(exchange_id, underlying, base='BTC', settle=settle, strikes=[61_000])[0]
    symbol = exchange._unified_symbol(option_id, underlying)
    with pytest.raises(ccxt.BadSymbol):
        create(flavour, exchange, symbol, {'mmp': True})
    flavour.take(exchange.load_markets(True))
    assert exchange.market(symbol)['id'] == option_id
    assert create(flavour, exchange, symbol, {'mmp': True})['mmp'] is True


def test_other_unknown_symbols_are_ccxts_affair(flavour, simulator, exchange):
    with pytest.raises(ccxt.BadSymbol):
        create(flavour, exchange, 'FOO/BAR', {'mmp': True})
    with pytest.raises(ccxt.BadSymbol):
        flavour.take(exchange.create_orders(listed(['FOO/BAR'], 1)))
    with pytest.raises((ccxt.ArgumentsRequired, AttributeError, TypeError)):  # the latter two of older versions
        create(flavour, exchange, None, {'mmp': True})
    assert simulator.requests == []
