"""What a halt stops, in every flavour and on every exchange; the store is a file of SQLite."""

import copy
import json
import logging
import pickle
import sys

import ccxt
import pytest

from ccxt_mmp import MassCancelIncomplete, MassCancelLocked, MmpHalted
from ccxt_mmp.core.contract import Mmp
from ccxt_mmp.core.fence import EVERY
from ccxt_mmp.errors import ArgumentsRequired, BadRequest, BadSymbol, NotSupported, OperationFailed, OperationRejected
from ccxt_mmp.halts import HaltStoreError, StoredHalt
from tests.core.fencing import placing, raw_orders
from tests.core.ordering import create, listed, resting
from tests.fault_matrix.methods import OTHER
from tests.rows import rows
from tests.trading import RULES, UNDERLYING, UNIFIED, symbols, with_markets

# the path of a request that a mass cancel has
CANCELS = {'okx': 'mass-cancel', 'binance': 'openOrders', 'deribit': 'get_open_orders', 'bybit': 'realtime'}
RULES_LIST = {'okx': 'mmp-config', 'deribit': 'get_mmp_config'}  # where a halt of all lists rules, not orders


@pytest.fixture
def url(tmp_path):
    return f'sqlite:{tmp_path}/halt.db'


@pytest.fixture
def halting(exchange, url):
    exchange.options['mmpHalt'] = {'url': url, 'grace': 0}
    return exchange


@pytest.fixture
def desk(flavour, simulator, exchange_id, url):
    """Another object of the same account."""
    other = with_markets(flavour.exchange(exchange_id, simulator.url))
    other.options['mmpHalt'] = {'url': url, 'grace': 0}
    return other


@pytest.fixture
def underlying(exchange_id):
    return UNIFIED[exchange_id]


def halted(flavour, call):
    with pytest.raises(MmpHalted) as raised:
        flavour.take(call())
    return raised.value


def sent(simulator, *ends):
    return [request for request in simulator.requests if request.path.endswith(ends)]


def lose(exchange, monkeypatch, error='gone'):
    """The store of an exchange fails from now on."""
    exchange._halts()

    def fail(*arguments):
        raise HaltStoreError(error)

    for name in ('read', 'read_all', 'write', 'end'):
        monkeypatch.setattr(exchange._mmp_halts.store, name, fail)


# --- what it stops


def test_halt_stops_mmp_orders_of_every_object_until_the_resume(
    flavour, simulator, halting, desk, quoted, underlying, exchange_id
):
    halt = flavour.take(halting.halt_mmp(underlying, {'reason': 'a wild market'}))
    error = halted(flavour, lambda: create(flavour, desk, quoted[0], {'mmp': True}))
    assert error.halt == halt
    assert isinstance(error, MassCancelLocked)
    assert (error.underlying, error.underlyingId, error.until) == (halt['underlying'], UNDERLYING[exchange_id], None)
    assert 'a wild market' in str(error)
    assert error.orders[0]['clientOrderId']
    assert resting(simulator, exchange_id) == []
    flavour.take(desk.resume_mmp(underlying))
    simulator.advance(10_001)  # the lock of the exchange
    assert create(flavour, halting, quoted[0], {'mmp': True})['id']


def test_other_orders_and_all_else_go_on(flavour, simulator, halting, quoted, underlying, exchange_id):
    flavour.take(halting.halt_mmp(None, {'cancel': False}))
    assert create(flavour, halting, quoted[0], {})['id']
    flavour.take(halting.set_mmp(underlying, 5000, 2000, **RULES[exchange_id]))
    flavour.take(halting.fetch_mmp(underlying))
    flavour.take(halting.reset_mmp(underlying))
    flavour.take(halting.mass_cancel_mmp(underlying))
    [placed] = simulator.resting(exchange_id, UNDERLYING[exchange_id])
    flavour.take(halting.cancel_order(placed.order_id, quoted[0]))


def test_halt_of_one_underlying_is_none_of_another(flavour, halting, exchange_id):
    other = OTHER[exchange_id]
    flavour.take(halting.halt_mmp(other, {'cancel': False}))
    assert create(flavour, halting, symbols(halting, UNDERLYING[exchange_id])[0], {'mmp': True})['id']
    halted(flavour, lambda: create(flavour, halting, symbols(halting, other)[0], {'mmp': True}))


def test_halt_of_all_stops_every_underlying(flavour, halting, quoted):
    flavour.take(halting.halt_mmp(params={'cancel': False}))
    error = halted(flavour, lambda: create(flavour, halting, quoted[0], {'mmp': True}))
    assert error.halt['underlying'] is None


def test_raw_orders_are_stopped_too(flavour, halting, underlying):
    flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    for call in raw_orders(halting):
        halted(flavour, call)
    for call in raw_orders(halting, mmp=False):
        flavour.take(call())


def test_each_mmp_order_of_a_batch_has_the_halt_as_its_error(flavour, halting, quoted, underlying):
    flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    orders = listed(quoted, 4)
    for order in orders[::2]:
        order['params'] = {}
    placed = flavour.take(halting.create_orders(orders))
    assert [type(each['error']) for each in placed] == [type(None), MmpHalted] * 2
    assert [each['status'] for each in placed[1::2]] == ['rejected'] * 2


def test_store_is_read_once_for_each_batch(flavour, halting, quoted, monkeypatch):
    halting._halts()
    reads, store = [], halting._mmp_halts.store
    read = store.read
    monkeypatch.setattr(store, 'read', lambda *arguments: reads.append(arguments) or read(*arguments))
    size = halting._max_batch
    flavour.take(halting.create_orders(listed(quoted, size + 1)))
    assert len(reads) == 2


def test_order_that_waits_in_the_queue_is_stopped_by_a_later_halt(flavour, halting, desk, quoted, underlying):
    halt = flavour.take(desk.halt_mmp(underlying, {'cancel': False}))
    flavour.take(desk.resume_mmp(underlying))
    stock = halting.throttle

    def throttle(*arguments):
        desk._mmp_halts.store.write(desk._mmp_halts.key, StoredHalt(**halt['info']))
        return stock(*arguments)

    halting.throttle, halting.enableRateLimit = throttle, True
    assert halted(flavour, lambda: create(flavour, halting, quoted[0], {'mmp': True})).halt == halt


def test_edit_with_the_flag_is_stopped(flavour, simulator, halting, quoted, underlying, exchange_id):
    if exchange_id != 'okx':
        pytest.skip('no edits of options')
    placed = create(flavour, halting, quoted[0], {'mmp': True})
    flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    edit = (placed['id'], quoted[0], 'limit', 'buy', 10, 4, {'mmp': True})
    halted(flavour, lambda: halting.edit_order(*edit))
    assert sent(simulator, 'amend-order') == []


@pytest.mark.parametrize('cancelled', ['its underlying', 'everything'])
def test_mass_cancel_does_not_wait_for_the_store(flavour, halting, quoted, monkeypatch, cancelled):
    """An order that waits for the store is not in flight, and is not sent after the mass cancel."""
    halting._halts()
    store = halting._mmp_halts.store
    seen = []

    def read(*arguments):
        seen.append(halting._mmp_fence(UNDERLYING[halting.id]).has_in_flight)
        closed = EVERY if cancelled == 'everything' else UNDERLYING[halting.id]
        with halting._mmp_fence(closed).close():  # as a mass cancel does
            pass
        return []

    monkeypatch.setattr(store, 'read', read)
    with pytest.raises(MassCancelLocked) as raised:
        create(flavour, halting, quoted[0], {'mmp': True})
    assert not isinstance(raised.value, MmpHalted)
    assert seen == [False]
    assert not halting._mmp_fence(UNDERLYING[halting.id]).has_in_flight


def test_order_that_no_halt_stops_is_in_flight_when_it_is_sent(flavour, halting, quoted):
    seen, fence, stock = [], halting._mmp_fence(UNDERLYING[halting.id]), halting.prepare_request_headers
    halting.prepare_request_headers = lambda headers=None: seen.append(fence.has_in_flight) or stock(headers)
    create(flavour, halting, quoted[0], {'mmp': True})
    assert any(seen)
    assert not fence.has_in_flight


# --- the halt that cancels


def test_halt_cancels_and_cancels_once_more(flavour, simulator, halting, underlying, exchange_id):
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    other = simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=False)
    slept = []
    stock = halting.sleep
    halting.options['mmpHalt']['grace'] = 7
    halting.sleep = lambda ms: slept.append((ms, len(sent(simulator, CANCELS[exchange_id])))) or stock(ms)
    flavour.take(halting.halt_mmp(underlying))
    assert [order.order_id for order in resting(simulator, exchange_id)] == [other.order_id]
    before = [count for ms, count in slept if ms == 7]
    assert before[0] > 0
    assert len(sent(simulator, CANCELS[exchange_id])) > before[0]


def test_mass_cancel_that_halts_returns_what_both_cancelled(flavour, simulator, halting, underlying, exchange_id):
    ids = [simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True).order_id]
    stock = halting.sleep

    def late(ms):  # of another program, while it waits
        if ms == 3:
            ids.append(simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True).order_id)
        return stock(ms)

    halting.options['mmpHalt']['grace'] = 3
    halting.sleep = late
    params = {'halt': True, 'reason': 'r', 'duration': '60000'}
    done = flavour.take(
        halting.mass_cancel_mmp(underlying, {**params, **({'emulate': True} if exchange_id == 'okx' else {})})
    )
    assert [order['id'] for order in done['orders']] == ids
    halt = flavour.take(halting.fetch_mmp_halt(underlying))
    assert (halt['reason'], halt['until'] - halt['since']) == ('r', 60000)


def test_lock_is_the_longest_unless_it_is_given(flavour, simulator, halting, underlying, exchange_id):
    if exchange_id != 'okx':
        pytest.skip('no lock')
    for params, expected in (({}, '10000'), ({'lockInterval': 500}, '500'), ({'emulate': True}, None)):
        simulator.requests.clear()
        flavour.take(halting.halt_mmp(underlying, params))
        locks = [json.loads(request.body).get('lockInterval') for request in sent(simulator, 'mass-cancel')]
        assert locks == ([] if expected is None else [expected] * 2)


def test_mass_cancel_without_halt_stores_nothing(flavour, halting, underlying):
    for params in ({}, {'halt': False}, {'halt': None}):
        flavour.take(halting.mass_cancel_mmp(underlying, params))
    assert flavour.take(halting.fetch_mmp_halts()) == []


def test_halt_of_all_cancels_the_underlyings_that_are_named(flavour, simulator, halting, underlying, exchange_id):
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    flavour.take(halting.halt_mmp(None, {'underlyings': [underlying, UNDERLYING[exchange_id]]}))
    assert resting(simulator, exchange_id) == []
    assert flavour.take(halting.fetch_mmp_halt())['underlying'] is None


def test_halt_of_all_cancels_what_the_exchange_lists(flavour, simulator, halting, exchange_id):
    names = UNDERLYING[exchange_id], OTHER[exchange_id]
    for name in names:
        if exchange_id in RULES_LIST:
            simulator.set_rule(exchange_id, name)
        simulator.rest(exchange_id, name, mmp=True)
    assert flavour.take(halting.halt_mmp())['underlying'] is None
    assert [simulator.resting(exchange_id, name) for name in names] == [[], []]


def test_halt_of_all_lists_once_more_for_orders_that_were_under_way(flavour, simulator, halting, exchange_id):
    stock, arrived = halting._cancel_each, []

    async def then_one_arrives(ids, params):
        done = await stock(ids, params)
        if not arrived:
            simulator.set_rule(exchange_id, OTHER[exchange_id])
            arrived.append(simulator.rest(exchange_id, OTHER[exchange_id], mmp=True))
        return done

    halting._cancel_each = then_one_arrives
    flavour.take(halting.halt_mmp())
    assert [order.is_open for order in arrived] == [False]


def test_halt_of_all_must_be_told_what_to_cancel_where_nothing_lists_it(flavour, halting):
    halting.has = {**halting.has, 'massCancelMmps': False}
    with pytest.raises(ArgumentsRequired, match='must know what to cancel'):
        flavour.take(halting.halt_mmp())
    assert flavour.take(halting.fetch_mmp_halts()) == []


# --- failures


def test_halt_that_cannot_be_stored_cancels_all_the_same(
    flavour, simulator, halting, underlying, exchange_id, monkeypatch
):
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    lose(halting, monkeypatch, 'the disk is full')
    with pytest.raises(MassCancelIncomplete, match='nothing keeps other processes from quoting: the disk is full'):
        flavour.take(halting.halt_mmp(underlying))
    assert resting(simulator, exchange_id) == []


def test_halt_that_cannot_be_stored_and_cancels_nothing_says_so(flavour, halting, underlying, monkeypatch):
    lose(halting, monkeypatch)
    with pytest.raises(OperationFailed, match='halted nothing: gone'):
        flavour.take(halting.halt_mmp(underlying, {'cancel': False}))


def test_halt_stands_if_its_cancel_fails(flavour, simulator, halting, underlying, exchange_id, quoted):
    simulator.fault('status', '', status=503, times=50)
    with pytest.raises(ccxt.BaseError, match='the halt stands'):
        flavour.take(halting.halt_mmp(underlying))
    simulator.clear_faults()
    halted(flavour, lambda: create(flavour, halting, quoted[0], {'mmp': True}))


def test_second_cancel_may_do_what_the_first_could_not(flavour, simulator, halting, underlying, exchange_id):
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    simulator.fault('status', '', status=503, times=3)
    flavour.take(halting.halt_mmp(underlying))
    assert resting(simulator, exchange_id) == []


@pytest.mark.usefixtures('slept')
def test_failures_of_several_underlyings_are_told_together(flavour, simulator, halting, exchange_id):
    names = [UNDERLYING[exchange_id], OTHER[exchange_id]]
    orders = [simulator.rest(exchange_id, name, mmp=True).order_id for name in names]
    if exchange_id == 'okx':
        simulator.fault('result_false', 'mass-cancel', times=9)
    else:
        simulator.refuse_cancel(orders[1])
    with pytest.raises(MassCancelIncomplete, match='underlyings; ') as raised:
        flavour.take(halting.halt_mmp(None, {'underlyings': names}))
    assert names[1] in str(raised.value)
    if exchange_id != 'okx':
        assert raised.value.remaining == [orders[1]]
    simulator.clear_faults()


def test_halt_that_cannot_be_stored_keeps_no_other_from_it(flavour, halting, exchange_id, monkeypatch):
    first, second = UNDERLYING[exchange_id], OTHER[exchange_id]
    flavour.take(halting.fetch_mmp_halts())
    stock = halting._halts().store.write

    def write(account, halt):
        if halt.underlying == first:
            raise HaltStoreError('database is locked')
        return stock(account, halt)

    monkeypatch.setattr(halting._halts().store, 'write', write)
    with pytest.raises(MassCancelIncomplete) as raised:
        flavour.take(halting.mass_cancel_mmps([first, second], {'halt': True}))
    said = f'{first} (others are halted): HaltStoreError: database is locked; '
    assert f'nothing keeps other processes from quoting: {said}' in str(raised.value)
    assert [each['underlyingId'] for each in flavour.take(halting.fetch_mmp_halts())] == [second]


def test_store_that_fails_twice_is_not_waited_for_again(flavour, halting, exchange_id, monkeypatch):
    third = {'okx': 'SOL-USD', 'binance': 'SOLUSDT', 'deribit': 'sol_usdc', 'bybit': 'SOL'}[exchange_id]
    names = [UNDERLYING[exchange_id], OTHER[exchange_id], third]
    flavour.take(halting.fetch_mmp_halts())
    tried = []

    def write(account, halt):
        tried.append(halt.underlying)
        raise HaltStoreError('gone')

    monkeypatch.setattr(halting._halts().store, 'write', write)
    with pytest.raises(MassCancelIncomplete, match='quoting: gone; '):
        flavour.take(halting.mass_cancel_mmps(names, {'halt': True}))
    assert tried == names[:2]


def test_lost_store_stops_mmp_orders(flavour, halting, quoted, monkeypatch):
    lose(halting, monkeypatch)
    error = halted(flavour, lambda: create(flavour, halting, quoted[0], {'mmp': True}))
    assert error.halt is None
    assert 'not known' in str(error)


def test_lost_store_stops_nothing_else(flavour, simulator, halting, quoted, underlying, exchange_id, monkeypatch):
    simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    lose(halting, monkeypatch)
    assert create(flavour, halting, quoted[0], {})['id']
    flavour.take(halting.mass_cancel_mmp(underlying))


def test_lost_store_lets_orders_go_if_that_is_asked_for(flavour, halting, quoted, monkeypatch, caplog):
    halting.options['mmpHalt']['onLost'] = 'open'
    lose(halting, monkeypatch)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert create(flavour, halting, quoted[0], {'mmp': True})['id']
    assert len([each for each in caplog.records if 'without knowing' in each.getMessage()]) == 1
    halting._mmp_halts.warned_at -= 1
    create(flavour, halting, quoted[0], {'mmp': True})
    assert len(caplog.records) >= 2


def test_reads_of_a_lost_store_fail(flavour, halting, underlying, monkeypatch):
    lose(halting, monkeypatch)
    for call in (
        halting.resume_mmp,
        lambda: halting.resume_mmp(underlying),
        halting.fetch_mmp_halt,
        halting.fetch_mmp_halts,
    ):
        with pytest.raises(OperationFailed, match='does not know the halts: gone'):
            flavour.take(call())


def test_halt_of_all_stands_if_the_underlyings_cannot_be_listed(flavour, simulator, halting, exchange_id, quoted):
    simulator.fault('status', RULES_LIST.get(exchange_id, CANCELS[exchange_id]), status=503, times=99)
    with pytest.raises(ccxt.ExchangeNotAvailable, match='the halt stands'):
        flavour.take(halting.halt_mmp())
    simulator.clear_faults()
    halted(flavour, lambda: create(flavour, halting, quoted[0], {'mmp': True}))


# --- what is halted, and until when


def test_halt_ends_by_the_clock_of_the_reader(flavour, halting, desk, quoted, underlying):
    halt = flavour.take(halting.halt_mmp(underlying, {'duration': 60000, 'cancel': False}))
    now = desk.milliseconds
    desk.milliseconds = lambda: halt['until'] - 1
    halted(flavour, lambda: placing(desk, quoted[0]))
    assert flavour.take(desk.fetch_mmp_halt(underlying)) == halt
    desk.milliseconds = lambda: halt['until']
    assert flavour.take(desk.fetch_mmp_halt(underlying)) is None
    assert flavour.take(desk.fetch_mmp_halts()) == []
    desk.milliseconds = now


def test_own_halt_is_told_before_that_of_all(flavour, halting, underlying):
    assert flavour.take(halting.fetch_mmp_halt(underlying)) is None
    of_all = flavour.take(halting.halt_mmp(None, {'cancel': False}))
    assert flavour.take(halting.fetch_mmp_halt(underlying)) == of_all
    own = flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    assert flavour.take(halting.fetch_mmp_halt(underlying)) == own
    assert flavour.take(halting.fetch_mmp_halt()) == of_all
    assert flavour.take(halting.fetch_mmp_halts()) == [of_all, own]


def test_one_underlying_cannot_be_resumed_while_all_are_halted(flavour, halting, underlying):
    flavour.take(halting.halt_mmp(None, {'cancel': False}))
    flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    with pytest.raises(OperationRejected, match=r'resume_mmp\(\) ends every halt'):
        flavour.take(halting.resume_mmp(underlying))
    assert len(flavour.take(halting.fetch_mmp_halts())) == 2
    ended = flavour.take(halting.resume_mmp())
    assert len(ended['info']) == 2
    assert flavour.take(halting.fetch_mmp_halts()) == []


def test_resume_of_what_is_not_halted_is_no_error(flavour, halting, underlying):
    ended = flavour.take(halting.resume_mmp(underlying))
    assert (ended['since'], ended['by'], ended['reason'], ended['info']) == (None, None, None, [])
    assert ended['underlying'].startswith(underlying)
    assert ended['until'] is not None


def test_resume_of_all_tells_the_halts_of_underlyings_that_it_ended(flavour, halting, underlying):
    """One is told as it was; of several the oldest, without an underlying."""
    other = underlying.replace('BTC', 'ETH')
    halting.milliseconds = lambda: 2000
    own = flavour.take(halting.halt_mmp(underlying, {'cancel': False, 'reason': 'second'}))
    ended = flavour.take(halting.resume_mmp())
    assert (ended['underlying'], ended['since'], ended['by']) == (own['underlying'], 2000, own['by'])
    flavour.take(halting.halt_mmp(underlying, {'cancel': False, 'reason': 'second'}))
    halting.milliseconds = lambda: 1000
    flavour.take(halting.halt_mmp(other, {'cancel': False, 'reason': 'first'}))
    ended = flavour.take(halting.resume_mmp())
    assert (ended['underlying'], ended['underlyingId'], ended['reason']) == (None, None, 'first')
    assert (ended['since'], ended['by'], [each['since'] for each in ended['info']]) == (1000, own['by'], [1000, 2000])


def test_resume_of_a_halt_that_is_over_ends_none(flavour, halting, underlying):
    halt = flavour.take(halting.halt_mmp(underlying, {'duration': 60000, 'cancel': False}))
    halting.milliseconds = lambda: halt['until']
    ended = flavour.take(halting.resume_mmp(underlying))
    assert (ended['since'], ended['info']) == (None, [])
    halting.milliseconds = lambda: halt['since']  # another clock, for which it would go on
    assert flavour.take(halting.fetch_mmp_halts()) == []


def test_halt_beyond_the_last_year_says_when_it_ends(flavour, halting, quoted, underlying):
    halt = flavour.take(halting.halt_mmp(underlying, {'duration': 10**15, 'cancel': False}))
    error = halted(flavour, lambda: placing(halting, quoted[0]))
    assert f'halted until {halt["until"]} ms' in str(error)


def test_account_has_a_name_or_the_key_stands_for_it(flavour, halting, desk, quoted, underlying):
    halt = flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    assert halt['account'].startswith('sha256:')
    assert halting.apiKey not in str(halt)
    assert len(flavour.take(desk.fetch_mmp_halts())) == 1
    desk.apiKey += '2'
    assert flavour.take(desk.fetch_mmp_halts()) == []
    for each in (halting, desk):
        each.options['mmpHalt']['account'] = 'desk 1'
    assert flavour.take(halting.halt_mmp(underlying, {'cancel': False}))['account'] == 'desk 1'
    assert len(flavour.take(desk.fetch_mmp_halts())) == 1


def test_copies_share_nothing_but_the_options(halting, underlying, flavour):
    flavour.take(halting.halt_mmp(underlying, {'cancel': False}))
    if flavour.name == 'sync':
        for twin in (copy.deepcopy(halting), pickle.loads(pickle.dumps(halting)), copy.copy(halting)):
            assert len(twin.fetch_mmp_halts()) == 1
            assert twin._mmp_halts.store is not halting._mmp_halts.store
            twin.close()


def test_close_closes_the_store(flavour, halting):
    flavour.take(halting.fetch_mmp_halts())
    assert halting._mmp_halts.store._idle
    closing = halting.close()
    if flavour.loop:
        flavour.take(closing)
    assert halting._mmp_halts.store._idle == []


# --- bad input


@rows(
    ('option', 'says'),
    [
        ('sqlite:/tmp/x.db', 'dict'),
        ({}, 'url'),
        ({'url': 5}, 'url'),
        ({'url': 'mysql:secret-word'}, 'url'),
        ({'url': 'sqlite'}, 'url'),
        ({'url': 'sqlite:'}, 'url'),
        ({'url': 'redis://:secret-word@host:port'}, 'url'),
        ({'url': 'redis://127.0.0.1:1/0?encoding=secret-word'}, "has no option 'encoding', it has db, username, "),
        ({'url': 'redis://127.0.0.1:1/0?socket_type=1'}, 'socket_type'),
        ({'url': 'redis://127.0.0.1:1/0?redis_connect_func=secret-word'}, 'redis_connect_func'),
        ({'url': 'redis://127.0.0.1:1/0?retry_on_error=1'}, 'retry_on_error'),
        ({'url': 'redis://127.0.0.1:1/0?health_check_interval=secret-word'}, 'health_check_interval'),
        ({'url': 'redis://127.0.0.1:1/0?decode_responses=yes'}, 'decode_responses'),
        ({'url': 'redis://127.0.0.1:1/0?protocol=9'}, 'option protocol with a value'),
        ({'url': 'redis://127.0.0.1:1/0?db=secret-word'}, 'option db with a value'),
        ({'url': 'rediss://127.0.0.1:1/0?ssl_cert_reqs=secret-word'}, 'option ssl_cert_reqs with a value'),
        ({'account': ''}, 'account'),
        ({'account': ' '}, 'account'),
        ({'account': 'desk1 '}, "account.*white space at its ends.*, received 'desk1 '"),
        ({'account': ' desk1'}, "received ' desk1'"),
        ({'account': 5}, 'account'),
        ({'account': 'a\n'}, 'account'),
        ({'onLost': 'ignored'}, 'onLost'),
        ({'onlost': 'open'}, 'onlost'),
        ({'timeout': 0}, 'timeout'),
        ({'timeout': True}, 'timeout'),
        ({'timeout': float('nan')}, 'timeout'),
        ({'timeout': float('inf')}, 'timeout'),
        ({'timeout': '200'}, 'timeout'),
        ({'timeout': 86_400_001}, 'timeout'),
        ({'timeout': 10**400}, 'timeout'),
        ({'grace': -1}, 'grace'),
        ({'grace': 1e300}, 'grace'),
    ],
)
def test_option_that_cannot_be_used_is_refused_before_anything(flavour, simulator, exchange, quoted, url, option, says):
    exchange.options['mmpHalt'] = {'url': url, **option} if isinstance(option, dict) and option else option
    for call in (exchange.fetch_mmp_halts, lambda: placing(exchange, quoted[0])):
        with pytest.raises(BadRequest, match=says) as raised:
            flavour.take(call())
        assert 'secret-word' not in str(raised.value)
    assert simulator.requests == []


@rows(
    ('params', 'error'),
    [
        ({'reason': 'x' * 201}, BadRequest),
        ({'reason': 'two\nlines'}, BadRequest),
        ({'reason': 5}, BadRequest),
        ({'duration': 0}, BadRequest),
        ({'duration': 1.5}, BadRequest),
        ({'duration': True}, BadRequest),
        ({'duration': '5s'}, BadRequest),
        ({'Duration': 5}, BadRequest),
        ({'cancel': 0}, BadRequest),
        ({'cancel': False, 'foo': 1}, NotSupported),
        ({'cancel': False, 'underlyings': ['BTC/USD']}, BadRequest),
        ({'halt': True}, NotSupported),
        ({'halt': False}, NotSupported),
        ({'foo': 1}, NotSupported),
        ({'timeout': 0}, BadRequest),
        ({'scope': 'blocks'}, BadRequest),
        ({'underlyings': ['BTC']}, BadRequest),
    ],
)
def test_halt_of_bad_input_does_nothing(flavour, simulator, halting, underlying, params, error):
    with pytest.raises(error):
        flavour.take(halting.halt_mmp(underlying, params))
    assert flavour.take(halting.fetch_mmp_halts()) == []
    assert simulator.requests == []


@rows(
    ('call', 'error'),
    [
        (lambda exchange: exchange.halt_mmp('nothing'), BadSymbol),
        (lambda exchange: exchange.halt_mmp(None, {'underlyings': ['nothing']}), BadSymbol),
        (lambda exchange: exchange.halt_mmp(None, {'underlyings': 'BTC/USD'}), BadRequest),
        (lambda exchange: exchange.halt_mmp(None, {'underlyings': []}), ArgumentsRequired),
        (lambda exchange: exchange.mass_cancel_mmp('nothing', {'halt': True}), BadSymbol),
        (lambda exchange: exchange.mass_cancel_mmp(None, {'halt': 1}), BadRequest),
        (lambda exchange: exchange.mass_cancel_mmp(None, {'halt': True, 'Reason': 'x'}), BadRequest),
        (lambda exchange: exchange.resume_mmp('nothing'), BadSymbol),
        (lambda exchange: exchange.resume_mmp(None, {'foo': 1}), NotSupported),
        (lambda exchange: exchange.fetch_mmp_halt('nothing'), BadSymbol),
        (lambda exchange: exchange.fetch_mmp_halts({'foo': 1}), NotSupported),
        (lambda exchange: exchange.fetch_mmp_halt(None, {'foo': 1, 'bar': None}), NotSupported),
    ],
)
def test_bad_input_sends_and_stores_nothing(flavour, simulator, halting, call, error):
    with pytest.raises(error):
        flavour.take(call(halting))
    assert flavour.take(halting.fetch_mmp_halts()) == []
    assert simulator.requests == []


def test_methods_say_what_to_set_without_the_option(flavour, simulator, exchange, underlying):
    for call in (
        lambda: exchange.halt_mmp(underlying),
        exchange.resume_mmp,
        exchange.fetch_mmp_halt,
        exchange.fetch_mmp_halts,
        lambda: exchange.mass_cancel_mmp(underlying, {'halt': True}),
    ):
        with pytest.raises(NotSupported, match=r"options\['mmpHalt'\]"):
            flavour.take(call())
    assert simulator.requests == []


def test_redis_without_its_library_names_the_extra(flavour, exchange, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ccxt_mmp.halts.redis', None)
    exchange.options['mmpHalt'] = {'url': 'redis://127.0.0.1:1/0'}
    with pytest.raises(NotSupported, match=r'ccxt-mmp\[redis\]'):
        flavour.take(exchange.fetch_mmp_halts())


@rows('method', ['halt_mmp', 'resume_mmp', 'fetch_mmp_halt', 'fetch_mmp_halts'])
def test_exchange_says_that_it_has_halts(exchange, method):
    first, *rest = method.split('_')
    assert exchange.has[first + ''.join(map(str.capitalize, rest))] is True
    assert getattr(Mmp, method).__doc__
