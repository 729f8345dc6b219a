"""What an object says and remembers of a freeze."""

import copy
import json
import pickle

import pytest

from ccxt_mmp import MmpFrozen, MmpNotEnabled
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

SETTLED = {'okx': 'BTC/USD:BTC', 'binance': 'BTC/USDT:USDT'}
OTHER = {'okx': ('ETH-USD', 'ETH/USD'), 'binance': ('ETHUSDT', 'ETH/USDT')}
RAW = {'okx': '"sCode":"51034"', 'binance': '"code":-6058'}
OPTION = {'okx': 'BTC-USD-260327-100000-C', 'binance': 'BTC-260327-100000-C'}
NOW = 1_790_000_000_000


@pytest.fixture(params=['okx', 'binance'])
def exchange_id(request):
    return request.param


@pytest.fixture
def exchange(flavour, simulator, exchange_id):
    return with_markets(flavour.exchange(exchange_id, simulator.url))


def order(exchange, underlying_id=None, flag=True):
    symbol = symbols(exchange, underlying_id or UNDERLYING[exchange.id])[0]
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': {'mmp': flag}}


def refused(flavour, exchange, **changes):
    """The MmpFrozen that an order gets."""
    with pytest.raises(MmpFrozen) as caught:
        flavour.take(exchange.create_order(*{**order(exchange), **changes}.values()))
    return caught.value


def set_rule(flavour, exchange, frozen_time, underlying=None):
    delta = None if exchange.id == 'okx' else 1
    return flavour.take(exchange.set_mmp(underlying or UNIFIED[exchange.id], 3000, frozen_time, 10, delta))


def frozen(flavour, exchange, underlying=None):
    return flavour.take(exchange.fetch_mmp(underlying or UNIFIED[exchange.id]))['frozen']


def after_the_answer(exchange, path, act):
    """Let the answers of a path wait until ``act`` is done."""
    fetch = exchange.fetch

    def sync_fetch(url, *arguments):
        try:
            return fetch(url, *arguments)
        finally:
            if path in url:
                act()

    async def async_fetch(url, *arguments):
        try:
            return await fetch(url, *arguments)
        finally:
            if path in url:
                await act()

    exchange.fetch = sync_fetch if exchange.synchronous else async_fetch


# --- what the errors say


def test_refusal_of_a_frozen_protection_says_what_until_when_and_what_ends_it(
    flavour, simulator, exchange, exchange_id
):
    set_rule(flavour, exchange, 300_000)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    state = flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    error = refused(flavour, exchange)
    settled = SETTLED[exchange_id]
    assert (error.underlying, error.underlyingId) == (settled, UNDERLYING[exchange_id])
    assert error.until == state['frozenUntil']
    assert abs(error.until - simulator.now() - 300_000) < 10_000
    begins = f'{exchange_id} MMP of {settled} is frozen, until {exchange.iso8601(error.until)}; reset_mmp({settled!r}) '
    assert str(error).startswith(begins)
    assert RAW[exchange_id] in str(error).replace('": ', '":')
    assert str(error).count('frozen') == 1


def test_end_of_a_freeze_that_nobody_told_is_not_guessed(flavour, simulator, exchange, exchange_id):
    set_rule(flavour, exchange, 300_000)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    error = refused(flavour, exchange)
    assert error.until is None
    assert 'for how long is not known, fetch_mmp() may tell' in str(error)


def test_end_of_an_earlier_freeze_is_not_that_of_this_one(flavour, simulator, exchange, exchange_id):
    set_rule(flavour, exchange, 300_000)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    assert frozen(flavour, exchange) is True
    flavour.take(exchange.reset_mmp(UNIFIED[exchange_id]))
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    assert refused(flavour, exchange).until is None


def test_end_that_a_crossing_read_tells_is_forgotten_by_the_reset(flavour, simulator, exchange, exchange_id):
    """The answer was made before the reset, and comes after it."""
    set_rule(flavour, exchange, 300_000)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    fetch = exchange.fetch
    path = {'okx': 'mmp-config', 'binance': 'v1/mmp?'}[exchange_id]
    after_the_answer(exchange, path, lambda: exchange.reset_mmp(UNIFIED[exchange_id]))
    flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    exchange.fetch = fetch
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    assert refused(flavour, exchange).until is None


def test_freeze_until_a_reset_is_said(flavour, simulator, exchange, exchange_id):
    set_rule(flavour, exchange, 0)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    error = refused(flavour, exchange)
    assert error.until is None
    assert 'until it is reset (its frozenTime is 0)' in str(error)


def test_each_order_of_a_list_is_refused_in_words(flavour, simulator, exchange, exchange_id):
    set_rule(flavour, exchange, 0)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    with pytest.raises(MmpFrozen) as caught:
        flavour.take(exchange.create_orders([order(exchange), order(exchange)]))
    assert caught.value.underlyingId == UNDERLYING[exchange_id]
    assert 'is frozen, until it is reset' in str(caught.value)


def test_underlyings_of_a_list_are_told_apart(flavour, simulator, exchange, exchange_id):
    other_id, other = OTHER[exchange_id]
    set_rule(flavour, exchange, 0)
    set_rule(flavour, exchange, 0, other)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    flavour.take(exchange.create_orders([order(exchange), order(exchange, other_id), order(exchange, flag=None)]))
    assert frozen(flavour, exchange) is True
    assert frozen(flavour, exchange, other) is False


@pytest.mark.parametrize('flavour', ['pro'], indirect=True)
def test_order_over_the_websocket_is_refused_in_words(flavour, simulator):
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    rejected = []

    class Client:
        futures = ('1',)

        def reject(self, error, *_):
            rejected.append(error)

    async def authenticate(params={}):
        pass

    async def watch(url, message_hash, message, *_):
        item = {'ordId': '', 'sCode': '51034', 'sMsg': 'Fill rate exceeds the limit'}
        exchange.handle_message(Client(), {'id': '1', 'op': 'order', 'code': '1', 'msg': '', 'data': [item]})
        raise rejected[0]

    exchange.authenticate, exchange.watch = authenticate, watch
    with pytest.raises(MmpFrozen) as caught:
        flavour.take(exchange.create_order_ws(*order(exchange).values()))
    assert caught.value.underlying == 'BTC/USD:BTC'
    assert str(caught.value).startswith('okx MMP of BTC/USD:BTC is frozen')
    assert '"51034"' in str(caught.value)


@pytest.mark.parametrize('method', ['set_mmp', 'reset_mmp', 'fetch_mmp'])
def test_refusal_of_block_trading_is_said_in_words(flavour, canned, method):
    canned.answer(json.dumps({'code': '70008', 'data': [], 'msg': 'Operation failed under MMP status.'}))
    exchange = flavour.exchange('okx', canned.url)
    given = {'set_mmp': (None, 5000, 0, None, None, {'scope': 'rfq', 'countLimit': 1})}
    with pytest.raises(MmpFrozen) as caught:
        flavour.take(getattr(exchange, method)(*given.get(method, (None, {'scope': 'rfq'}))))
    assert (caught.value.underlying, caught.value.underlyingId, caught.value.until) == (None, None, None)
    assert str(caught.value).startswith('okx block-trading (RFQ) MMP is frozen, ')
    assert 'reset_mmp() ends it: {"code": "70008"' in str(caught.value)


def test_raw_call_of_what_is_frozen_says_the_next_step(flavour, canned):
    canned.answer('{"code":"51034","data":[],"msg":"Fill rate exceeds the limit"}')
    exchange = flavour.exchange('okx', canned.url)
    with pytest.raises(MmpFrozen, match=r'reset_mmp\(\) ends it: .*"51034"'):
        flavour.take(exchange.privatePostTradeOrder({}))


def test_reset_is_named_only_where_there_is_one(flavour, simulator, exchange, exchange_id, canned):
    exchange.has['resetMmp'] = False
    set_rule(flavour, exchange, 300_000)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    error = refused(flavour, exchange)
    begins = f'{exchange_id} MMP of {SETTLED[exchange_id]} is frozen, until {exchange.iso8601(error.until)}: {{'
    assert str(error).startswith(begins)

    canned.answer('{"code":"51034","data":[],"msg":"Fill rate exceeds the limit"}')
    raw = flavour.exchange('okx', canned.url)
    raw.has['resetMmp'] = False
    with pytest.raises(MmpFrozen, match=r'is frozen: fetch_mmp\(\) says until when: .*"51034"'):
        flavour.take(raw.privatePostTradeOrder({}))


@pytest.mark.parametrize(
    ('exchange_id', 'answer', 'said'),
    [
        ('okx', '{"code":"51035","data":[],"msg":"no"}', ['institutional@okx.com', 'portfolio margin', '"51035"']),
        ('okx', '{"code":"51411","data":[],"msg":"no"}', ['institutional@okx.com', 'portfolio margin', '"51411"']),
        ('binance', '{"code":-6005,"msg":"no"}', ['options market maker', 'account manager', '-6005']),
    ],
)
def test_missing_privilege_says_whom_to_ask_and_what_it_needs(flavour, canned, exchange_id, answer, said):
    canned.answer(answer, status=200 if exchange_id == 'okx' else 400)
    exchange = flavour.exchange(exchange_id, canned.url)
    call = exchange.mass_cancel_mmp if '51411' in answer else exchange.fetch_mmp
    with pytest.raises(MmpNotEnabled) as caught:
        flavour.take(call(UNIFIED[exchange_id]))
    assert str(caught.value).startswith(f'{exchange_id} the account has no market maker privilege: ')
    assert all(each in str(caught.value) for each in said)


@pytest.mark.parametrize('kind', ['order', 'batch'])
def test_missing_privilege_of_an_order_says_whom_to_ask(flavour, simulator, exchange, kind):
    simulator.privileged = False
    placing = {'order': lambda: exchange.create_order(*order(exchange).values())}
    placing['batch'] = lambda: exchange.create_orders([order(exchange)] * 2)
    with pytest.raises(MmpNotEnabled, match='market maker privilege'):
        flavour.take(placing[kind]())


def test_copies_of_the_error_keep_what_it_says():
    error = MmpFrozen('x', 'BTC/USD:BTC', 'BTC-USD', NOW)
    for each in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (str(each), each.underlying, each.underlyingId, each.until) == ('x', 'BTC/USD:BTC', 'BTC-USD', NOW)


def test_error_that_was_raised_survives_pickling(flavour, simulator, exchange, exchange_id):
    set_rule(flavour, exchange, 300_000)
    simulator.trip(exchange_id, UNDERLYING[exchange_id])
    flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    error = refused(flavour, exchange)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.until, copied.underlying) == (str(error), error.until, error.underlying)
    assert copied.until


# --- what frozen says on Binance, which does not


@pytest.fixture
def binance(flavour, simulator):
    return with_markets(flavour.exchange('binance', simulator.url))


def test_refused_order_of_an_endless_freeze_is_frozen_until_the_reset(flavour, simulator, exchange, exchange_id):
    """What a bot does: ``if fetch_mmp()['frozen']: reset_mmp()``."""
    exchange.milliseconds = simulator.now
    set_rule(flavour, exchange, 0)
    for _ in range(2):
        simulator.trip(exchange_id, UNDERLYING[exchange_id])
        refused(flavour, exchange)
        states = flavour.take(exchange.fetch_mmps([UNIFIED[exchange_id]]))
        assert states[UNIFIED[exchange_id]]['frozen'] is True
        assert frozen(flavour, exchange) is True
        flavour.take(exchange.reset_mmp(UNIFIED[exchange_id]))
        assert frozen(flavour, exchange) is False
        flavour.take(exchange.create_order(*order(exchange).values()))
        simulator.advance(3000)  # beyond the limit of reads


def test_trigger_that_nobody_was_refused_by_stays_unknown(flavour, simulator, binance):
    set_rule(flavour, binance, 0)
    simulator.trip('binance', 'BTCUSDT')
    assert frozen(flavour, binance) is None


def test_reset_that_failed_ends_nothing(flavour, simulator, binance):
    set_rule(flavour, binance, 0)
    simulator.trip('binance', 'BTCUSDT')
    refused(flavour, binance)
    simulator.fault('status', 'mmpReset', status=503)
    with pytest.raises(Exception, match='503'):
        flavour.take(binance.reset_mmp('BTC/USDT'))
    assert frozen(flavour, binance) is True


def test_reset_of_another_underlying_ends_nothing(flavour, simulator, binance):
    set_rule(flavour, binance, 0)
    set_rule(flavour, binance, 0, 'ETH/USDT')
    simulator.trip('binance', 'BTCUSDT')
    refused(flavour, binance)
    flavour.take(binance.reset_mmp('ETH/USDT'))
    assert frozen(flavour, binance) is True


@pytest.mark.parametrize(('reset', 'expected'), [('BTC/USDT', False), ('ETH/USDT', True)])
def test_refusal_whose_order_was_asked_for_before_a_reset_says_nothing_of_the_time_after(
    flavour, simulator, binance, reset, expected
):
    set_rule(flavour, binance, 0)
    set_rule(flavour, binance, 0, 'ETH/USDT')
    simulator.trip('binance', 'BTCUSDT')
    fetch = binance.fetch
    after_the_answer(binance, '/order', lambda: binance.reset_mmp(reset))
    refused(flavour, binance)
    binance.fetch = fetch
    assert frozen(flavour, binance) is expected


def test_freeze_ends_with_its_frozen_time_in_spite_of_a_refusal(flavour, simulator, binance):
    set_rule(flavour, binance, 60_000)
    simulator.trip('binance', 'BTCUSDT')
    refused(flavour, binance)
    state = flavour.take(binance.fetch_mmp('BTC/USDT'))
    assert (state['frozen'], state['frozenUntil']) == (True, state['lastTriggerTimestamp'] + 60_000)
    binance.milliseconds = simulator.now
    simulator.advance(60_000)
    assert frozen(flavour, binance) is False


def test_refusal_after_the_freeze_that_the_exchange_tells_of_is_of_another(flavour, canned):
    exchange = flavour.exchange('binance', canned.url)
    rule = {
        'underlying': 'BTCUSDT',
        'windowTimeInMilliseconds': 3000,
        'frozenTimeInMilliseconds': 1000,
        'lastTriggerTime': NOW - 5000,
    }
    exchange.milliseconds = lambda: NOW
    with pytest.raises(MmpFrozen), exchange._explaining('orders', 'BTCUSDT'):
        raise MmpFrozen('binance -6058')
    canned.answer(json.dumps(rule))
    state = flavour.take(exchange.fetch_mmp('BTC/USDT'))
    assert (state['frozen'], state['frozenUntil']) == (True, None)
    exchange.milliseconds = lambda: NOW + 999
    assert frozen(flavour, exchange) is True
    exchange.milliseconds = lambda: NOW + 1000
    assert frozen(flavour, exchange) is False


def test_spot_order_with_the_same_code_is_no_freeze(flavour, canned):
    exchange = with_markets(flavour.exchange('binance', canned.url))
    canned.answer('{"code":-6058,"msg":"something else"}', status=400)
    with pytest.raises(Exception, match='-6058') as caught:
        flavour.take(exchange.create_order('BTC/USDT', 'limit', 'buy', 1, 5))
    assert not isinstance(caught.value, MmpFrozen)
    rule = {'underlying': 'BTCUSDT', 'windowTimeInMilliseconds': 3000, 'frozenTimeInMilliseconds': 0}
    canned.answer(json.dumps({**rule, 'lastTriggerTime': NOW}))
    assert frozen(flavour, exchange) is None
