"""The class doors, and one source for sync, async and pro."""

import asyncio
import copy
import inspect
import pickle
import subprocess
import sys
import threading
from collections.abc import Awaitable
from functools import partial

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import AsyncMmp, BinanceMmp, Mmp, OkxMmp, SyncMmp
from ccxt_mmp.core.awaiting import gather, run_sync, within
from ccxt_mmp.types import MassCancel, MmpState
from tests.rows import rows

METHODS = {
    'set_mmp': 'setMmp',
    'reset_mmp': 'resetMmp',
    'fetch_mmp': 'fetchMmp',
    'fetch_mmps': 'fetchMmps',
    'mass_cancel_mmp': 'massCancelMmp',
    'mass_cancel_mmps': 'massCancelMmps',
    'mass_cancel_mmp_ws': 'massCancelMmpWs',
    'warm_up': 'warmUp',
    'watch_mmp': 'watchMmp',
    'watch_mmps': 'watchMmps',
    'un_watch_mmp': 'unWatchMmp',
    'halt_mmp': 'haltMmp',
    'resume_mmp': 'resumeMmp',
    'fetch_mmp_halt': 'fetchMmpHalt',
    'fetch_mmp_halts': 'fetchMmpHalts',
}
ARGUMENTS = {
    'watch_mmp': ('BTC/USD',),
    'set_mmp': ('BTC/USD', 1, 1, 1),
    'mass_cancel_mmp': ('BTC/USD',),
    'mass_cancel_mmp_ws': ('BTC/USD',),
}
EXCHANGES = ['okx', 'binance']
STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_class_extends_ccxts_own_under_its_id(flavour, exchange_id):
    exchange_class = flavour.exchange_class(exchange_id)
    assert issubclass(exchange_class, getattr(STOCK[flavour.name], exchange_id))
    exchange = flavour.exchange(exchange_id)
    assert exchange.id == exchange_id
    assert exchange_class.__name__ == exchange_id
    assert repr(exchange).endswith(f'{exchange_id}()')


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_stock_class_is_left_alone(flavour, exchange_id):
    flavour.exchange(exchange_id)
    stock = getattr(STOCK[flavour.name], exchange_id)
    assert not [name for names in METHODS.items() for name in names if hasattr(stock, name)]
    assert stock.describe is not flavour.exchange_class(exchange_id).describe


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_object_survives_deepcopy_and_pickle_as_in_ccxt(exchange_id):
    exchange = getattr(ccxt_mmp, exchange_id)({'apiKey': 'k', 'secret': 's'})
    for twin in (copy.deepcopy(exchange), pickle.loads(pickle.dumps(exchange))):
        assert type(twin) is type(exchange)
        assert twin.has['setMmp'] is True
        assert twin.options['mmpLimits'] == exchange.options['mmpLimits']
        assert twin.exceptions == exchange.exceptions


@pytest.mark.parametrize(
    ('exchange_id', 'has'),
    [
        ('okx', {'fetchMmps': True, 'massCancelMmp': True, 'massCancelMmps': 'emulated'}),
        ('binance', {'fetchMmps': 'emulated', 'massCancelMmp': 'emulated', 'massCancelMmps': 'emulated'}),
    ],
)
def test_has(flavour, exchange_id, has):
    exchange = flavour.exchange(exchange_id)
    expected = {'setMmp': True, 'resetMmp': True, 'fetchMmp': True, 'warmUp': True, **has}
    assert {name: exchange.has[name] for name in expected} == expected


@rows('exchange_id', EXCHANGES)
@rows(('snake', 'camel'), METHODS.items())
def test_camel_case_alias(nowhere, exchange_id, snake, camel):
    exchange = nowhere[exchange_id]
    assert getattr(exchange, camel) == getattr(exchange, snake)


@pytest.mark.parametrize('method', METHODS)
def test_signatures_of_contract_and_fronts_are_equal(method):
    contract, *fronts = (inspect.signature(getattr(each, method)) for each in (Mmp, SyncMmp, AsyncMmp))
    for front in fronts:
        assert front.parameters == contract.parameters
    sync_result, async_result = (front.return_annotation for front in fronts)
    assert async_result == sync_result
    assert contract.return_annotation == sync_result | Awaitable[sync_result]
    assert not inspect.iscoroutinefunction(getattr(SyncMmp, method))
    assert inspect.iscoroutinefunction(getattr(AsyncMmp, method))


@pytest.mark.parametrize('method', METHODS)
def test_cores_take_what_the_fronts_take(method):
    names = list(inspect.signature(getattr(Mmp, method)).parameters)
    for mixin in (Mmp, OkxMmp, BinanceMmp):
        assert list(inspect.signature(getattr(mixin, f'_{method}')).parameters) == names


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('front', [SyncMmp, AsyncMmp])
def test_help_shows_the_contracts_text(front, method):
    text = inspect.getdoc(getattr(front, method))
    assert text == inspect.getdoc(getattr(Mmp, method))
    assert ':returns ' in text
    assert 'https://www.okx.com/' in text or 'halt' in method or 'resume' in method  # no endpoint has those


def test_structures_have_every_key(flavour, simulator):
    exchange = flavour.exchange('okx', simulator.url)
    state = flavour.take(exchange.set_mmp('BTC/USD', 5000, 2000, 100))
    assert list(state) == list(MmpState.__annotations__)
    cancelled = flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert list(cancelled) == list(MassCancel.__annotations__)


@pytest.mark.parametrize('mixin', [Mmp, SyncMmp, AsyncMmp, OkxMmp, BinanceMmp])
def test_mixins_have_no_base_of_ccxts(mixin):
    """They go before whatever class the user extends."""
    assert not [each for each in mixin.__mro__ if each.__module__.partition('.')[0] == 'ccxt']


class frontless(OkxMmp, ccxt.okx):
    pass


class kraken(SyncMmp, ccxt.kraken):
    pass


@pytest.mark.parametrize('method', METHODS)
def test_mixin_without_a_front_says_so(method):
    arguments = ARGUMENTS.get(method, ())
    with pytest.raises(NotImplementedError, match='frontless has no front: put SyncMmp'):
        getattr(frontless(), method)(*arguments)


@pytest.mark.parametrize(('snake', 'camel'), METHODS.items())
def test_exchange_without_a_core_does_not_support_the_method(snake, camel):
    arguments = ARGUMENTS.get(snake, ())
    with pytest.raises(ccxt.NotSupported, match=rf'kraken {camel}\(\)'):
        getattr(kraken(), snake)(*arguments)


def test_exchange_without_underlyings_of_its_own_fails_loudly():
    with pytest.raises(NotImplementedError):
        Mmp._parse_underlying('BTC/USD')
    with pytest.raises(NotImplementedError):
        Mmp._unified_underlying('BTC-USD')


def test_users_own_subclass_composes_and_overrides(simulator):
    class my_okx(SyncMmp, OkxMmp, ccxt.okx):
        def reset_mmp(self, underlying=None, params={}):
            return 'mine'

    exchange = simulator.connect(my_okx, enableRateLimit=False)
    assert exchange.set_mmp('BTC/USD', 5000, 2000, 100)['enabled'] is True
    assert exchange.reset_mmp() == exchange.resetMmp() == 'mine'


def test_sync_exchange_works_inside_a_running_event_loop(simulator):
    exchange = simulator.connect(ccxt_mmp.binance, enableRateLimit=False)

    async def inside():
        exchange.set_mmp('BTC/USDT', 3000, 300000, 2, '2.3')
        return exchange.fetch_mmps(['BTC/USDT', 'ETH/USDT'])

    states = asyncio.run(inside())
    assert [state['enabled'] for state in states.values()] == [True, False]


def test_sync_front_whose_core_suspends_fails_loudly(simulator):
    exchange = simulator.connect(ccxt_mmp.okx, enableRateLimit=False)

    async def suspending(request):
        await asyncio.sleep(0)

    exchange.privatePostTradeMassCancel = suspending
    with pytest.raises(RuntimeError, match=r'_mass_cancel_mmp.* waited for an event loop on a synchronous exchange'):
        exchange.mass_cancel_mmp('BTC/USD')


def test_run_sync_hands_on_what_the_core_raises():
    async def failing():
        raise KeyError('x')

    with pytest.raises(KeyError):
        run_sync(failing())


@pytest.mark.parametrize(('synchronous', 'concurrency'), [(True, None), (True, 3), (False, None), (False, 1)])
def test_gather_lets_no_failure_stop_another_call(synchronous, concurrency):
    done = []

    async def call(number):
        if not synchronous:
            await asyncio.sleep(0)
        if number == 1:
            raise ccxt.NetworkError('lost')
        done.append(number)
        return number

    calls = [lambda number=number: call(number) for number in range(3)]
    results = asyncio.run(gather(synchronous, calls, concurrency))
    assert [results[0], results[2], sorted(done)] == [0, 2, [0, 2]]
    assert type(results[1]) is ccxt.NetworkError


def test_gather_starts_no_thread_unasked(monkeypatch):
    def start(thread):
        raise AssertionError('started')

    async def call():
        return 1

    monkeypatch.setattr(threading.Thread, 'start', start)
    assert run_sync(gather(True, [call] * 3)) == [1, 1, 1]


def test_threads_of_an_interrupted_call_are_waited_for(monkeypatch):
    has_begun, is_waited_for = threading.Event(), threading.Event()
    main, join, done = threading.get_ident(), threading.Thread.join, []

    def announced_join(thread, timeout=None):
        is_waited_for.set()
        join(thread, timeout)

    async def call():
        if threading.get_ident() == main:
            has_begun.wait(30)
            raise KeyboardInterrupt
        has_begun.set()
        is_waited_for.wait(30)
        done.append(1)

    monkeypatch.setattr(threading.Thread, 'join', announced_join)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_sync(gather(True, [call] * 2, 2))
        assert done == [1]
    finally:
        is_waited_for.set()


def test_gather_is_concurrent_in_async():
    arrived = []

    async def call():
        arrived.append(1)
        while len(arrived) < 2:  # noqa: ASYNC110 - for ever, if the calls came one after another
            await asyncio.sleep(0)
        return 'both'

    async def main():
        return await asyncio.wait_for(gather(False, [call, call]), 5)

    assert asyncio.run(main()) == ['both', 'both']


async def begun(work):
    """A task that has begun, and waits."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize('seconds', [None, 60])
def test_cancellation_that_comes_together_with_a_result_is_not_lost(seconds):
    async def main():
        result = asyncio.get_running_loop().create_future()
        task = await begun(within(seconds, result))
        result.set_result('in time')
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await within(seconds, result) == 'in time'

    asyncio.run(main())


@pytest.mark.parametrize('is_cancelled', [True, False])
def test_what_is_not_waited_for_any_more_has_ended(is_cancelled):
    ended = []

    async def last():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    async def main():
        task = await begun(within(60 if is_cancelled else 0, last()))
        if is_cancelled:
            task.cancel()
        with pytest.raises(asyncio.CancelledError if is_cancelled else asyncio.TimeoutError):
            await task
        assert ended == [True]

    asyncio.run(main())


@pytest.mark.parametrize(('concurrency', 'at_once'), [(2, 2), (None, 6), (9, 6)])
def test_gather_has_so_many_calls_under_way_at_once(concurrency, at_once):
    under_way, counts = set(), []

    async def call(number):
        under_way.add(number)
        counts.append(len(under_way))
        await asyncio.sleep(0)
        under_way.remove(number)

    asyncio.run(gather(False, [partial(call, number) for number in range(6)], concurrency))
    assert max(counts) == at_once


NOT_LOADED = {  # by imports, one after the other in one process
    'import ccxt_mmp': ['ccxt.async_support', 'ccxt.pro', 'ccxt_mmp.simulator', 'ccxt_mmp.cli', 'aiohttp'],
    'import ccxt_mmp.async_support': ['ccxt.pro', 'ccxt_mmp.simulator', 'ccxt_mmp.cli'],
    'import ccxt_mmp.pro': ['ccxt_mmp.simulator', 'ccxt_mmp.cli'],
}


def test_import_loads_nothing_that_is_not_needed():
    program = ['import sys']
    for statement, not_loaded in NOT_LOADED.items():
        program += [statement, f'print({statement!r}, [name for name in {not_loaded} if name in sys.modules])']
    run = subprocess.run([sys.executable, '-c', '\n'.join(program)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [f'{statement} []' for statement in NOT_LOADED]


def test_errors_are_subclasses_of_ccxts():
    assert issubclass(ccxt_mmp.MmpFrozen, ccxt.OperationRejected)
    assert issubclass(ccxt_mmp.MmpNotEnabled, ccxt.PermissionDenied)
    assert issubclass(ccxt_mmp.MassCancelLocked, ccxt.InvalidOrder)
