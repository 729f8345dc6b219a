"""Recorded HTTP, one cassette for all three flavours, replayed with the network blocked.

``pytest tests/exchanges/test_cassettes.py --record-mode=rewrite`` records them again, by the sync flavour, from the
simulator with a set clock, so that the same bytes come out.

See ``recording.py`` for recording on the exchanges.
"""

import os
import re
from pathlib import Path

import ccxt
import pytest
from pytest_recording.plugin import vcr  # noqa: F401 - in place of the one of conftest.py

from ccxt_mmp import MassCancelIncomplete, MmpNotEnabled
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import SECRET, Rule, Simulator
from tests.core.test_life_cycle import live
from tests.recording import SOURCE, exchange_to_record
from tests.trading import UNDERLYING, option_market

CASSETTES = Path(__file__).parent.parent.parent / 'cassettes'
NOW = 1_700_000_000_000
DEMO_HOST = 'https://demo-fapi.binance.com'
PUBLIC_HOSTS = {
    '/api/v5/': 'https://www.okx.com',
    '/eapi/v1/': 'https://eapi.binance.com',
    '/api/v2/': 'https://www.deribit.com',
    '/v5/': 'https://api.bybit.com',
}
RFQ = {'scope': 'rfq'}
BYBIT_RULE = Rule(5000, 300_000, '50', delta_limit='20', vega_limit='1000')
DERIBIT_RULE = Rule(3000, 300_000, '5', delta_limit='15', vega_limit='100', max_quote='20')


# --- what is recorded: the simulator is prepared, and the method called


def with_rule(simulator):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.set_rule('okx', 'ETH-USD')
    simulator.set_rule('okx')
    simulator.set_rule('binance', 'BTCUSDT')
    simulator.set_rule('deribit', 'btc_usd', DERIBIT_RULE)
    simulator.set_rule('deribit', 'eth_usd', DERIBIT_RULE)
    simulator.set_rule('deribit', None, Rule(5000, 300_000, count_limit='10'))
    simulator.set_rule('bybit', 'BTC', BYBIT_RULE)
    simulator.set_rule('bybit', 'ETH', BYBIT_RULE)


def frozen(simulator):
    with_rule(simulator)
    simulator.trip('okx', 'BTC-USD')
    simulator.trip('okx')
    simulator.trip('binance', 'BTCUSDT')
    simulator.trip('deribit', 'btc_usd')
    simulator.trip('deribit')
    simulator.trip('bybit', 'BTC')


def without_privilege(simulator):
    with_rule(simulator)
    simulator.privileged = False


def quoted(simulator):
    for venue, underlying in UNDERLYING.items():
        for number, mmp in enumerate((True, False, True)):
            order = simulator.rest(venue, underlying, mmp=mmp)
            if venue == 'bybit' and mmp:
                order.client_order_id = f'mmp-{number}'  # with the tag that the plugin gives
            if venue == 'deribit' and mmp:
                order.client_order_id = 'mmp:btc_usd'  # the label that the plugin gives


def quoted_by_rule(simulator):
    """One underlying alone: those of several are cancelled at the same time, in an order of chance."""
    quoted(simulator)
    simulator.set_rule('okx', UNDERLYING['okx'])
    simulator.set_rule('deribit', UNDERLYING['deribit'], DERIBIT_RULE)


def one_refused(simulator):
    quoted(simulator)
    simulator.refuse_cancel(simulator.resting('binance', 'BTCUSDT')[0].order_id)


def fresh(simulator):
    pass


OKX = {
    'set_mmp': (fresh, ('set_mmp', 'BTC/USD', 5000, 2000, 100), {'enabled': True, 'qtyLimit': 100.0}),
    'set_mmp_without_privilege': (without_privilege, ('set_mmp', 'BTC/USD', 5000, 2000, 100), MmpNotEnabled),
    'set_mmp_unknown_family': (fresh, ('set_mmp', 'XRP/USD', 5000, 2000, 100), ccxt.BadRequest),
    'set_mmp_wrong_signature': (fresh, ('set_mmp', 'BTC/USD', 5000, 2000, 100), ccxt.AuthenticationError),
    'set_mmp_rfq': (fresh, ('set_mmp', None, 5000, 2000, None, None, {**RFQ, 'countLimit': 10}), {'countLimit': 10}),
    'fetch_mmp': (with_rule, ('fetch_mmp', 'BTC/USD'), {'enabled': True, 'frozen': False, 'frozenUntil': None}),
    'fetch_mmp_frozen': (frozen, ('fetch_mmp', 'BTC/USD'), {'frozen': True, 'frozenUntil': NOW + 300000}),
    'fetch_mmp_without_rule': (fresh, ('fetch_mmp', 'BTC/USD'), {'enabled': False, 'window': None}),
    'fetch_mmp_rfq': (with_rule, ('fetch_mmp', None, RFQ), {'enabled': True, 'frozen': False}),
    'fetch_mmp_rfq_frozen': (frozen, ('fetch_mmp', None, RFQ), {'frozen': True, 'frozenUntil': NOW + 300000}),
    'fetch_mmps': (with_rule, ('fetch_mmps',), ['BTC/USD:BTC', 'ETH/USD:ETH']),
    'reset_mmp': (frozen, ('reset_mmp', 'BTC/USD'), {'frozen': False, 'underlying': 'BTC/USD:BTC'}),
    'reset_mmp_without_privilege': (without_privilege, ('reset_mmp', 'BTC/USD'), MmpNotEnabled),
    'reset_mmp_rfq': (frozen, ('reset_mmp',), {'frozen': False, 'timestamp': NOW}),
    'reset_mmp_rfq_without_privilege': (without_privilege, ('reset_mmp',), MmpNotEnabled),
    'mass_cancel_mmp': (fresh, ('mass_cancel_mmp', 'BTC/USD'), {'lockedUntil': None}),
    'mass_cancel_mmp_with_lock': (
        fresh,
        ('mass_cancel_mmp', 'BTC/USD', {'lockInterval': 2000}),
        {'lockedUntil': NOW + 2000},
    ),
    'mass_cancel_mmp_emulated': (
        quoted,
        ('mass_cancel_mmp', 'BTC/USD', {'emulate': True}),
        {'underlyingId': 'BTC-USD', 'lockedUntil': None},
    ),
    'mass_cancel_mmp_without_privilege': (without_privilege, ('mass_cancel_mmp', 'BTC/USD'), MmpNotEnabled),
    'mass_cancel_mmps': (quoted_by_rule, ('mass_cancel_mmps',), ['BTC/USD:BTC']),
}
BINANCE = {
    'set_mmp': (fresh, ('set_mmp', 'BTC/USDT', 3000, 300000, 2, '2.3'), {'enabled': True, 'deltaLimit': 2.3}),
    'set_mmp_without_privilege': (
        without_privilege,
        ('set_mmp', 'BTC/USDT', 3000, 300000, 2, '2.3'),
        MmpNotEnabled,
    ),
    'set_mmp_window_out_of_range': (
        fresh,
        ('set_mmp', 'BTC/USDT', 3000, 300000, 2, '2.3', {'windowTimeInMilliseconds': '5001'}),
        ccxt.BadRequest,
    ),
    'set_mmp_unknown_underlying': (fresh, ('set_mmp', 'XRP/USDT', 3000, 300000, 2, '2.3'), ccxt.BadSymbol),
    'set_mmp_wrong_signature': (fresh, ('set_mmp', 'BTC/USDT', 3000, 300000, 2, '2.3'), ccxt.AuthenticationError),
    'fetch_mmp': (with_rule, ('fetch_mmp', 'BTC/USDT'), {'enabled': True, 'frozen': False}),
    'fetch_mmp_frozen': (frozen, ('fetch_mmp', 'BTC/USDT'), {'frozen': True, 'frozenUntil': NOW + 300000}),
    'fetch_mmp_without_rule': (fresh, ('fetch_mmp', 'BTC/USDT'), {'enabled': False, 'window': None}),
    'fetch_mmp_without_privilege': (without_privilege, ('fetch_mmp', 'BTC/USDT'), MmpNotEnabled),
    'fetch_mmps': (
        with_rule,
        ('fetch_mmps', ['BTC/USDT', 'ETH/USDT']),
        ['BTC/USDT', 'ETH/USDT'],
    ),
    'mass_cancel_mmp': (quoted, ('mass_cancel_mmp', 'BTC/USDT'), {'underlyingId': 'BTCUSDT'}),
    'mass_cancel_mmp_all_orders': (
        quoted,
        ('mass_cancel_mmp', 'BTC/USDT', {'includeNonMmp': True}),
        {'orders': None},
    ),
    'mass_cancel_mmp_one_refused': (one_refused, ('mass_cancel_mmp', 'BTC/USDT'), MassCancelIncomplete),
    'reset_mmp': (frozen, ('reset_mmp', 'BTC/USDT'), {'frozen': False, 'lastTriggerTimestamp': NOW}),
    'reset_mmp_without_rule': (fresh, ('reset_mmp', 'BTC/USDT'), ccxt.OperationRejected),
    'reset_mmp_without_privilege': (without_privilege, ('reset_mmp', 'BTC/USDT'), MmpNotEnabled),
    'mass_cancel_mmps': (quoted_by_rule, ('mass_cancel_mmps',), ['BTC/USDT:USDT']),
}
DERIBIT = {
    'set_mmp': (
        fresh,
        ('set_mmp', 'BTC/USD', 3000, 30_000, 5, 15, {'maxQuoteQuantity': 2}),
        {'enabled': True, 'maxQuoteQuantity': 2.0},
    ),
    'set_mmp_without_privilege': (
        without_privilege,
        ('set_mmp', 'BTC/USD', 3000, 30_000, 5, 15, {'maxQuoteQuantity': 2}),
        MmpNotEnabled,
    ),
    'set_mmp_unknown_underlying': (
        fresh,
        ('set_mmp', 'XRP/USD', 3000, 30_000, 5, 15, {'maxQuoteQuantity': 2}),
        ccxt.BadRequest,
    ),
    'set_mmp_wrong_signature': (
        fresh,
        ('set_mmp', 'BTC/USD', 3000, 30_000, 5, 15, {'maxQuoteQuantity': 2}),
        ccxt.AuthenticationError,
    ),
    'set_mmp_group': (
        fresh,
        ('set_mmp', 'btc_usd', 60_000, 0, 3, None, {'maxQuoteQuantity': 2.5, 'mmpGroup': 'MassQuoteBot7'}),
        {'window': 60_000, 'qtyLimit': 3.0},
    ),
    'set_mmp_rfq': (fresh, ('set_mmp', None, 5000, 2000, None, None, {**RFQ, 'countLimit': 10}), {'countLimit': 10}),
    'fetch_mmp': (with_rule, ('fetch_mmp', 'BTC/USD'), {'enabled': True, 'frozen': False, 'vegaLimit': 100.0}),
    'fetch_mmp_frozen': (frozen, ('fetch_mmp', 'BTC/USD'), {'frozen': True, 'frozenUntil': NOW + 300_000}),
    'fetch_mmp_without_rule': (fresh, ('fetch_mmp', 'BTC/USD'), {'enabled': False, 'window': None}),
    'fetch_mmp_without_privilege': (without_privilege, ('fetch_mmp', 'BTC/USD'), MmpNotEnabled),
    'fetch_mmp_rfq': (with_rule, ('fetch_mmp', None, RFQ), {'enabled': True, 'frozen': False}),
    'fetch_mmp_rfq_frozen': (frozen, ('fetch_mmp', None, RFQ), {'frozen': True, 'frozenUntil': NOW + 300_000}),
    'fetch_mmps': (with_rule, ('fetch_mmps',), ['BTC/USD:BTC', 'ETH/USD:ETH']),
    'reset_mmp': (frozen, ('reset_mmp', 'BTC/USD'), {'frozen': False, 'timestamp': NOW}),
    'reset_mmp_rfq': (frozen, ('reset_mmp', None, RFQ), {'frozen': False, 'underlyingId': 'all'}),
    'reset_mmp_without_privilege': (without_privilege, ('reset_mmp', 'BTC/USD'), MmpNotEnabled),
    'mass_cancel_mmp': (quoted, ('mass_cancel_mmp', 'BTC/USD'), {'underlyingId': 'btc_usd'}),
    'mass_cancel_mmp_all_orders': (
        quoted,
        ('mass_cancel_mmp', 'BTC/USD', {'includeNonMmp': True}),
        {'orders': None},
    ),
    'mass_cancel_mmps': (quoted_by_rule, ('mass_cancel_mmps',), ['BTC/USD:BTC']),
}
BYBIT = {
    'set_mmp': (fresh, ('set_mmp', 'BTC', 5000, 300_000, 50, 20), {'enabled': True, 'qtyLimit': 50.0, 'frozen': None}),
    'set_mmp_without_privilege': (without_privilege, ('set_mmp', 'BTC', 5000, 300_000, 50, 20), MmpNotEnabled),
    'set_mmp_unknown_underlying': (fresh, ('set_mmp', 'BCT', 5000, 300_000, 50, 20), ccxt.BadRequest),
    'set_mmp_wrong_signature': (fresh, ('set_mmp', 'BTC', 5000, 300_000, 50, 20), ccxt.AuthenticationError),
    'fetch_mmp': (with_rule, ('fetch_mmp', 'BTC'), {'enabled': True, 'frozen': False, 'vegaLimit': 1000.0}),
    'fetch_mmp_frozen': (frozen, ('fetch_mmp', 'BTC'), {'frozen': True, 'frozenUntil': NOW + 300_000}),
    'fetch_mmp_without_rule': (fresh, ('fetch_mmp', 'BTC'), {'enabled': False, 'window': None}),
    'fetch_mmp_without_privilege': (without_privilege, ('fetch_mmp', 'BTC'), MmpNotEnabled),
    'fetch_mmps': (with_rule, ('fetch_mmps', ['BTC/USDT', 'ETH']), ['BTC/USDT', 'ETH']),
    'reset_mmp': (frozen, ('reset_mmp', 'BTC'), {'frozen': False, 'underlying': 'BTC'}),
    'reset_mmp_without_privilege': (without_privilege, ('reset_mmp', 'BTC'), MmpNotEnabled),
    'mass_cancel_mmp': (quoted, ('mass_cancel_mmp', 'BTC'), {'underlyingId': 'BTC'}),
    'mass_cancel_mmp_all_orders': (quoted, ('mass_cancel_mmp', 'BTC', {'includeNonMmp': True}), {'orders': None}),
    'mass_cancel_mmps': (quoted_by_rule, ('mass_cancel_mmps',), ['BTC']),
}
TABLES = {'okx': OKX, 'binance': BINANCE, 'deribit': DERIBIT, 'bybit': BYBIT}
LIFE_CYCLES = [pytest.param(exchange_id, 'life_cycle', id=exchange_id) for exchange_id in EXCHANGES]
OPTIONS = {  # listed at that time
    'okx': 'BTC-USD-231117-60000-C',
    'binance': 'BTC-231117-60000-C',
    'deribit': 'BTC-17NOV23-60000-C',
    'bybit': 'BTC-17NOV23-60000-C-USDT',
}
REQUESTS = {  # of those that take several
    ('binance', 'fetch_mmps'): 2,
    ('binance', 'mass_cancel_mmp'): 3,
    ('binance', 'mass_cancel_mmp_one_refused'): 7,
    ('okx', 'mass_cancel_mmp_emulated'): 3,
    **{('deribit', name): 2 for name in DERIBIT if name.startswith('fetch_mmp')},
    ('deribit', 'mass_cancel_mmp'): 3,
    ('bybit', 'fetch_mmps'): 2,
    # the list of a page and of none behind it, the batch, and the list again
    ('bybit', 'mass_cancel_mmp'): 5,
    ('bybit', 'mass_cancel_mmp_all_orders'): 2,
    # the rules first, or the list of the orders of all
    ('okx', 'mass_cancel_mmps'): 2,
    ('binance', 'mass_cancel_mmps'): 3,
    ('deribit', 'mass_cancel_mmps'): 4,
    ('bybit', 'mass_cancel_mmps'): 7,
}
BEHAVIOURS = [
    pytest.param(exchange_id, name, id=f'{exchange_id}-{name}')
    for exchange_id, table in TABLES.items()
    for name in table
]


# --- how it is recorded


# what an answer says of the key itself
OF_THE_ACCOUNT = re.compile(rb'("(?:apiKey|note|ips|userID)": ?)(?:"[^"]*"|\[[^]]*\]|[0-9]+)')


def at_public_host(request):
    """The request as it would go to the exchange, without what is secret, of the moment or of the HTTP client."""
    host = f'{request.scheme}://{request.host}:{request.port}'
    if request.host == '127.0.0.1':
        [public] = [public for path, public in PUBLIC_HOSTS.items() if request.path.startswith(path)]
        request.uri = request.uri.replace(host, public)
    request.uri = request.uri.replace(DEMO_HOST, PUBLIC_HOSTS['/eapi/v1/'])
    request.headers = {'Content-Type': request.headers['Content-Type']} if 'Content-Type' in request.headers else {}
    return request


def without_secrets_and_date(response):
    kept = {name.lower(): value for name, value in response['headers'].items()}
    response['body']['string'] = OF_THE_ACCOUNT.sub(rb'\1"***"', response['body']['string'])
    response['headers'] = {'Content-Type': kept['content-type'], 'Server': kept['server']}
    return response


@pytest.fixture(scope='module')
def vcr_config():
    return {
        'match_on': ['method', 'scheme', 'host', 'path', 'query', 'body'],
        'filter_query_parameters': ['timestamp', 'signature'],
        # the last of them older versions of ccxt make up
        'filter_post_data_parameters': ['timestamp', 'signature', 'newClientOrderId'],
        'before_record_request': at_public_host,
        'before_record_response': without_secrets_and_date,
        'decode_compressed_response': True,
    }


@pytest.fixture
def vcr_cassette_dir(exchange_id):
    return str(CASSETTES / exchange_id)


@pytest.fixture
def default_cassette_name(name):
    return name


@pytest.fixture
def exchange(flavour, exchange_id, name, record_mode):
    """The exchange at its public host, or at the simulator while it is recorded."""
    secret = 'another-secret' if name.endswith('wrong_signature') else SECRET  # pragma: allowlist secret
    if record_mode == 'none':
        exchange = flavour.exchange(exchange_id, secret=secret)
        exchange.milliseconds = lambda: NOW
        exchange.trade = lambda order: None  # it is in the answers
        yield exchange
        return
    if SOURCE != 'simulator':
        yield exchange_to_record(flavour, exchange_id, SOURCE, os.environ, secret if secret != SECRET else None)
        return
    prepare = fresh if name == 'life_cycle' else TABLES[exchange_id][name][0]
    with Simulator(clock=lambda: NOW) as simulator:
        prepare(simulator)
        exchange = flavour.exchange(exchange_id, simulator.url, secret=secret)
        exchange.milliseconds = lambda: NOW
        exchange.trade = lambda order: simulator.fill(order['id'])
        yield exchange


@pytest.mark.vcr
@pytest.mark.parametrize(('exchange_id', 'name'), LIFE_CYCLES)
def test_life_of_a_protection(flavour, exchange, exchange_id, name, vcr, record_mode):  # noqa: F811 - the fixture
    market = option_market(exchange, OPTIONS[exchange_id], UNDERLYING[exchange_id])
    exchange.set_markets([market])
    live(flavour, exchange, market['symbol'], exchange.trade)
    assert len(vcr) > 10
    assert record_mode != 'none' or vcr.all_played


@pytest.mark.vcr
@pytest.mark.parametrize(('exchange_id', 'name'), BEHAVIOURS)
def test_behaviour(flavour, exchange, exchange_id, name, vcr, record_mode):  # noqa: F811 - the fixture
    _, (method, *arguments), expected = TABLES[exchange_id][name]
    if isinstance(expected, type):
        with pytest.raises(expected) as caught:
            flavour.take(getattr(exchange, method)(*arguments))
        assert type(caught.value) is expected
    else:
        result = flavour.take(getattr(exchange, method)(*arguments))
        if record_mode != 'none' and SOURCE != 'simulator':
            assert result
        elif isinstance(expected, dict):
            assert {key: result[key] for key in expected} == expected
        else:
            assert list(result) == expected
    assert len(vcr) == REQUESTS.get((exchange_id, name), 1)
    assert record_mode != 'none' or vcr.all_played
