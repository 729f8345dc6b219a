"""Halts over Redis and for orders over a socket, and how a halt and its cancel go side by side."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ccxt_mmp import MassCancelIncomplete, MmpHalted
from ccxt_mmp.core import side_by_side as core
from ccxt_mmp.core.awaiting import run_sync
from ccxt_mmp.core.mass_cancels import Several
from ccxt_mmp.halts import HaltStoreError
from tests.core.fencing import until
from tests.core.ordering import create
from tests.core.sockets import MMP, received
from tests.core.test_order_sockets import over_socket, rest
from tests.halts.conftest import own_redis  # noqa: F401 - a fixture
from tests.trading import UNDERLYING, UNIFIED

TIMEOUT = 5000  # ms
PATIENCE = 20  # s


@pytest.fixture
def over_redis(exchange, own_redis):  # noqa: F811
    exchange.options['mmpHalt'] = {'url': own_redis.url, 'account': 'desk', 'timeout': TIMEOUT, 'grace': 0}
    return exchange


def test_halt_over_redis(flavour, over_redis, quoted, exchange_id):
    underlying = UNIFIED[exchange_id]
    assert create(flavour, over_redis, quoted[0], {'mmp': True})['id']
    halt = flavour.take(over_redis.halt_mmp(underlying, {'cancel': False}))
    with pytest.raises(MmpHalted) as raised:
        create(flavour, over_redis, quoted[0], {'mmp': True})
    assert raised.value.halt == halt == flavour.take(over_redis.fetch_mmp_halt(underlying))
    assert flavour.take(over_redis.fetch_mmp_halts()) == [halt]
    flavour.take(over_redis.resume_mmp())
    assert create(flavour, over_redis, quoted[0], {'mmp': True})['id']


def test_dead_server_stops_no_kill_switch(flavour, simulator, over_redis, quoted, exchange_id, own_redis):  # noqa: F811
    create(flavour, over_redis, quoted[0], {'mmp': True})
    own_redis.kill()
    with pytest.raises(MmpHalted, match='not known'):
        create(flavour, over_redis, quoted[0], {'mmp': True})
    with pytest.raises(MassCancelIncomplete, match='nothing keeps other processes from quoting'):
        flavour.take(over_redis.halt_mmp(UNIFIED[exchange_id]))
    assert simulator.resting(exchange_id, UNDERLYING[exchange_id]) == []


# --- over a socket


def test_orders_and_edits_over_a_socket_are_stopped(simulator, tmp_path):
    async def main(exchange, symbol):
        exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db'}
        await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        await exchange.halt_mmp('BTC/USD', {'cancel': False})
        before = rest(simulator, exchange, symbol)
        with pytest.raises(MmpHalted) as caught:
            await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        assert [each['status'] for each in caught.value.orders] == ['rejected']
        with pytest.raises(MmpHalted):
            await exchange.edit_order_ws(before.order_id, symbol, 'limit', 'buy', 10, 4, MMP)
        assert len(received(simulator, 'batch-orders')) == 1
        await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5)
        await exchange.resume_mmp()
        await exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, MMP)
        await exchange.edit_order_ws(before.order_id, symbol, 'limit', 'buy', 10, 4, MMP)
        assert [len(received(simulator, op)) for op in ('batch-orders', 'amend-order')] == [3, 1]

    over_socket(simulator, main)


# --- side by side


def both(flavour, write, cancel, *, blocks):
    async def run():
        return await core.side_by_side(flavour.loop is None, write, cancel, blocks=blocks)

    return run_sync(run()) if flavour.loop is None else flavour.take(run())


def test_neither_waits_for_the_other(flavour):
    """Each of both, in turn, goes on only when the other has begun."""
    begun = threading.Event()

    async def wait():
        assert begun.wait(20)
        return 'waited'

    async def begin():
        begun.set()
        return 'begun'

    assert both(flavour, wait, begin, blocks=True) == ('waited', 'begun')
    if flavour.loop is None:
        begun.clear()
        assert both(flavour, begin, wait, blocks=True) == ('begun', 'waited')


def test_halt_needs_no_thread_of_the_loop(flavour):
    """A bot may keep all of them busy, for as long as it likes."""
    if flavour.loop is None:
        pytest.skip('no loop')

    async def write():
        return 'written'

    async def run():
        loop, free = asyncio.get_running_loop(), threading.Event()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, free.wait)
        try:
            return await asyncio.wait_for(core.side_by_side(False, write, write, blocks=True), PATIENCE)
        finally:
            free.set()
            await busy

    assert flavour.take(run()) == ('written', 'written')


def test_halt_goes_on_though_its_caller_and_its_loop_do_not():
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    async def write():
        begun.set()
        assert go_on.wait(PATIENCE)
        done.set()

    async def main(is_cancelled):
        task = asyncio.ensure_future(core.awaited_from_thread(write))
        await asyncio.to_thread(begun.wait)
        if is_cancelled:
            task.cancel()
            go_on.set()
            await asyncio.wait([task])
            await until(done.is_set)

    threads = set(threading.enumerate())  # those of other tests may end meanwhile
    for is_cancelled in (True, False):
        for each in (begun, go_on, done):
            each.clear()
        asyncio.run(main(is_cancelled))
        go_on.set()
        assert done.wait(PATIENCE)
    asyncio.run(until(lambda: threads.issuperset(threading.enumerate())))


def test_cancel_stays_in_the_thread_of_the_caller(flavour):
    async def thread():
        return threading.get_ident()

    written, cancelled = both(flavour, thread, thread, blocks=True)
    assert cancelled == threading.get_ident() != written


def test_failure_of_one_is_returned_beside_the_result_of_the_other(flavour):
    async def fail():
        raise ValueError('no')

    async def succeed():
        return 'yes'

    for blocks in (True, False) if flavour.loop else (True,):
        written, cancelled = both(flavour, fail, succeed, blocks=blocks)
        assert (str(written), cancelled) == ('no', 'yes')
        written, cancelled = both(flavour, succeed, fail, blocks=blocks)
        assert (written, str(cancelled)) == ('yes', 'no')


def test_without_a_thread_the_halt_is_stored_first(monkeypatch):
    def no_thread(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, 'start', no_thread)
    steps = []

    async def step(name):
        steps.append(name)
        return name

    run = core.side_by_side(True, lambda: step('write'), lambda: step('cancel'), blocks=True)
    assert run_sync(run) == ('write', 'cancel')
    assert steps == ['write', 'cancel']


def step_of_a_cancel(exchange):
    return '_result_of_rounds' if exchange._lists_every_underlying else '_mass_cancel_mmp'


def test_interrupt_of_the_cancel_reaches_the_caller(exchange, flavour, monkeypatch, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}

    async def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, '_urgent_request', interrupted)
    if flavour.loop is not None:
        pytest.skip('a loop stops at once')
    with pytest.raises(KeyboardInterrupt):
        exchange.halt_mmp(UNIFIED[exchange.id])
    assert len(exchange.fetch_mmp_halts()) == 1


def test_cancelled_cancel_is_no_result(exchange, flavour, monkeypatch, tmp_path):
    """Of several, of which one raises what is no failure."""
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}

    async def cancelled(*arguments):
        raise asyncio.CancelledError

    if flavour.loop is None:
        pytest.skip('nothing is cancelled')
    exchange._checked_cancel_params = lambda method, underlying_id, params: params
    monkeypatch.setattr(exchange, step_of_a_cancel(exchange), cancelled)
    with pytest.raises(asyncio.CancelledError):
        flavour.take(exchange.halt_mmp(UNIFIED[exchange.id]))


@pytest.mark.parametrize('error', [HaltStoreError, LookupError, TypeError, OSError])
def test_no_failure_of_a_store_loses_what_the_cancel_did(exchange, flavour, simulator, monkeypatch, tmp_path, error):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    underlying = UNDERLYING[exchange.id]
    monkeypatch.setattr(exchange._halts().store, 'write', fails(error('the store')))
    for method, call in (
        ('haltMmp', lambda: exchange.halt_mmp(underlying)),
        ('massCancelMmp', lambda: exchange.mass_cancel_mmp(underlying, {'halt': True})),
        ('massCancelMmps', lambda: exchange.mass_cancel_mmps([underlying], {'halt': True})),
    ):
        placed = simulator.rest(exchange.id, underlying, mmp=True)
        with pytest.raises(MassCancelIncomplete) as raised:
            flavour.take(call())
        text = str(raised.value)
        assert text.startswith(f'{exchange.id} {method}() could not store the halt, so nothing keeps other processes')
        assert 'the store; the mass cancel was done; ' in text
        assert ('LookupError: ' in text) is (error is LookupError)
        assert raised.value.results[underlying]['underlyingId'] == underlying
        assert raised.value.cancelled == ([] if exchange.id == 'okx' else [placed.order_id])  # which names none
        assert raised.value.__cause__.args == ('the store',)
        assert simulator.resting(exchange.id, underlying) == []
        simulator.advance(10_001)  # the lock of the exchange


def test_both_failures_are_told(exchange, flavour, monkeypatch, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    monkeypatch.setattr(exchange._halts().store, 'write', fails(HaltStoreError('the store')))

    failure = OSError('the cancel')
    for several in (Several({'BTC': failure}), Several({'BTC': {'orders': None}}, failure), failure):

        async def cancel_each(*arguments, several=several):
            if several is failure:
                raise failure
            return several

        monkeypatch.setattr(exchange, '_cancel_each', cancel_each)
        with pytest.raises(
            MassCancelIncomplete, match=r'the store; the mass cancel failed, too; .*OSError: the cancel'
        ):
            flavour.take(exchange.halt_mmp(UNDERLYING[exchange.id]))


def test_cancel_that_finds_nothing_has_not_failed(exchange, flavour, monkeypatch, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    monkeypatch.setattr(exchange._halts().store, 'write', fails(HaltStoreError('the store')))
    with pytest.raises(MassCancelIncomplete, match='the store; the mass cancel was done'):
        flavour.take(exchange.mass_cancel_mmps(None, {'halt': True}))


def test_interrupt_is_no_failure_of_a_store(exchange, flavour, monkeypatch, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    if flavour.loop is not None:
        pytest.skip('a loop stops at once')
    monkeypatch.setattr(exchange._halts().store, 'write', fails(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        exchange.halt_mmp(UNDERLYING[exchange.id])


def fails(error):
    def fail(*arguments):
        raise error

    return fail


def test_failure_of_the_cancel_that_is_none_of_ccxts_is_raised_as_it_is(exchange, flavour, monkeypatch, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}

    async def fail(*arguments):
        raise ZeroDivisionError

    exchange._checked_cancel_params = lambda method, underlying_id, params: params
    monkeypatch.setattr(exchange, step_of_a_cancel(exchange), fail)
    with pytest.raises(ZeroDivisionError):
        flavour.take(exchange.halt_mmp(UNIFIED[exchange.id]))
