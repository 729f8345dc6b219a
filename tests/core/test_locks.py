"""What an object says of a lock: that of a mass cancel of OKX, and that of its own fence."""

import asyncio
import copy
import pickle

import ccxt
import pytest

import ccxt_mmp.async_support
from ccxt_mmp import MassCancelLocked
from tests.core.ordering import create
from tests.core.sockets import FAMILY, MMP, connected, run
from tests.trading import UNDERLYING, UNIFIED, at_simulator, symbols, with_markets

BTC, ETH = 'BTC/USD:BTC', 'ETH/USD:ETH'
TERMS = ('symbol', 'type', 'side', 'amount', 'price', 'params')
LOCK = {'lockInterval': 10_000}
NEXT = "; send the order again when it is over, mass_cancel_mmp({!r}, {{'lockInterval': 0}}) ends it sooner: "


@pytest.fixture
def okx(flavour, simulator):
    return with_markets(flavour.exchange('okx', simulator.url))


@pytest.fixture
def another(flavour, simulator):
    """Another object of the same account, as in another program."""
    return with_markets(flavour.exchange('okx', simulator.url))


def lock(flavour, exchange, underlying='BTC/USD', params=LOCK):
    return flavour.take(exchange.mass_cancel_mmp(underlying, params))['lockedUntil']


def refused(flavour, exchange, family='BTC-USD'):
    """The error of an MMP order that the exchange refuses."""
    with pytest.raises(MassCancelLocked) as caught:
        create(flavour, exchange, symbols(exchange, family)[0], {'mmp': True})
    assert '54008' in str(caught.value)
    return caught.value


def test_refusal_says_what_is_locked_until_when_and_what_to_do(flavour, simulator, okx):
    locked_until = lock(flavour, okx)
    error = refused(flavour, okx)
    assert (error.underlying, error.underlyingId, error.until) == (BTC, 'BTC-USD', locked_until)
    begins = f'okx MMP of {BTC} is locked by a mass cancel, until {okx.iso8601(locked_until)}{NEXT.format(BTC)}{{'
    assert str(error).startswith(begins)
    assert str(error).count('locked') == 1
    assert error.orders[0]['error'] is error
    simulator.advance(10_001)
    assert create(flavour, okx, symbols(okx, 'BTC-USD')[0], {'mmp': True})['id']


def test_lock_of_another_object_has_no_known_end(flavour, okx, another):
    lock(flavour, another)
    error = refused(flavour, okx)
    assert (error.underlying, error.underlyingId, error.until) == (BTC, 'BTC-USD', None)
    begins = f'okx MMP of {BTC} is locked by a mass cancel, how long is not known, 10000 ms at most{NEXT.format(BTC)}{{'
    assert str(error).startswith(begins)


def test_end_is_that_of_the_last_mass_cancel_of_the_underlying(flavour, okx, another):
    lock(flavour, okx)
    lock(flavour, okx, 'ETH/USD', {'lockInterval': 5000})
    again = lock(flavour, okx, params={'lockInterval': 8000})
    assert refused(flavour, okx).until == again
    assert refused(flavour, okx, 'ETH-USD').until < again
    lock(flavour, okx, params={})  # which may have ended it
    lock(flavour, another)
    assert refused(flavour, okx).until is None


def test_end_that_has_passed_is_that_of_another_lock(flavour, okx, another):
    locked_until = lock(flavour, okx, params={'lockInterval': 1})
    okx.milliseconds = lambda: locked_until
    lock(flavour, another)
    assert refused(flavour, okx).until is None


def test_mass_cancel_that_failed_tells_no_end(flavour, simulator, okx):
    lock(flavour, okx)
    simulator.fault('drop_after', 'trade/mass-cancel', times=3)
    with pytest.raises(ccxt.NetworkError):
        lock(flavour, okx, params={'lockInterval': 5000})
    assert refused(flavour, okx).until is None


def test_one_of_two_mass_cancels_at_once_tells_no_end(simulator):
    async def main():
        async with connected(simulator) as exchange:
            simulator.fault('hold', 'trade/mass-cancel', milliseconds=200)
            first = asyncio.ensure_future(exchange.mass_cancel_mmp('BTC/USD', LOCK))
            await asyncio.sleep(0)
            second = await exchange.mass_cancel_mmp_ws('BTC/USD', {'lockInterval': 1})
            assert (await first)['lockedUntil'] > second['lockedUntil']
            exchange.milliseconds = lambda: second['lockedUntil'] - 1
            order = symbols(exchange, FAMILY)[0], 'limit', 'buy', 10, 5, MMP
            with pytest.raises(MassCancelLocked, match='how long is not known') as caught:
                await exchange.create_order(*order)
            assert caught.value.until is None
            again = await exchange.mass_cancel_mmp('BTC/USD', LOCK)
            with pytest.raises(MassCancelLocked) as caught:
                await exchange.create_order(*order)
            assert caught.value.until == again['lockedUntil']

    run(main())


def test_emulated_mass_cancel_leaves_the_lock(flavour, okx):
    locked_until = lock(flavour, okx)
    lock(flavour, okx, params={'emulate': True})
    assert refused(flavour, okx).until == locked_until


def test_lock_of_an_own_halt_has_its_end(flavour, simulator, tmp_path):
    halts = {'url': f'sqlite:{tmp_path / "halt.db"}', 'account': 'desk1', 'grace': 0}
    exchange = with_markets(flavour.exchange('okx', simulator.url, options={'mmpHalt': halts}))
    flavour.take(exchange.halt_mmp('BTC/USD'))
    flavour.take(exchange.resume_mmp('BTC/USD'))
    error = refused(flavour, exchange)
    assert 0 < error.until - exchange.milliseconds() <= 10_000


def test_each_order_of_a_list_has_the_end_of_its_own_lock(flavour, okx, another):
    locked_until = lock(flavour, okx)
    lock(flavour, another, 'ETH/USD')
    terms = {'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5}
    bitcoin, ether = symbols(okx, 'BTC-USD')[0], symbols(okx, 'ETH-USD')[0]
    flags = [(bitcoin, True), (ether, True), (bitcoin, None)]
    orders = flavour.take(
        okx.create_orders([{**terms, 'symbol': each, 'params': {'mmp': flag}} for each, flag in flags])
    )
    errors = [order['error'] for order in orders]
    assert [type(each) for each in errors] == [MassCancelLocked, MassCancelLocked, type(None)]
    assert [each.until for each in errors[:2]] == [locked_until, None]
    assert [str(each).partition(' is ')[0] for each in errors[:2]] == [f'okx MMP of {BTC}', f'okx MMP of {ETH}']
    assert orders[0]['info']['sCode'] == '54008'


def test_edit_is_refused_in_the_same_words(flavour, simulator, okx):
    order = simulator.rest('okx', 'BTC-USD', mmp=True)
    locked_until = lock(flavour, okx)
    order.state = 'live'  # no MMP order can be left after a mass cancel: the engine makes sure all the same
    with pytest.raises(MassCancelLocked, match='54008') as caught:
        flavour.take(okx.edit_order(order.order_id, symbols(okx, 'BTC-USD')[0], 'limit', 'buy', 20, 6, {'mmp': True}))
    assert (caught.value.underlying, caught.value.until) == (BTC, locked_until)


def test_refusal_of_a_raw_call_says_what_to_do(flavour, okx):
    lock(flavour, okx)
    option = okx.market(symbols(okx, 'BTC-USD')[0])
    request = {'instId': option['id'], 'tdMode': 'cross', 'side': 'buy', 'ordType': 'mmp', 'sz': '1', 'px': '0.1'}
    with pytest.raises(MassCancelLocked, match='54008') as caught:
        flavour.take(okx.privatePostTradeBatchOrders([request]))
    assert str(caught.value).startswith(
        'okx MMP orders are locked by a mass cancel (lockInterval): send the order again when the lock is over: {'
    )
    assert (caught.value.underlying, caught.value.until) == (None, None)


def test_refusal_without_an_underlying_is_of_none(flavour, canned):
    canned.answer(
        '{"code":"54008","data":[],"msg":"This operation is disabled by the \'mass cancel order\' endpoint."}'
    )
    with pytest.raises(MassCancelLocked, match=r'^okx MMP orders are locked') as caught:
        flavour.take(flavour.exchange('okx', canned.url).reset_mmp())
    assert (caught.value.underlying, caught.value.underlyingId, caught.value.until) == (None, None, None)


def test_refusals_over_the_websocket_are_explained_as_over_rest(simulator):
    async def main():
        async with connected(simulator) as exchange:
            locked_until = (await exchange.mass_cancel_mmp_ws('BTC/USD', LOCK))['lockedUntil']
            order = [symbols(exchange, FAMILY)[0], 'limit', 'buy', 10, 5, MMP]
            errors = []
            for call in (
                exchange.create_order_ws(*order),
                exchange.create_orders_ws([dict(zip(TERMS, order, strict=True))]),
            ):
                with pytest.raises(MassCancelLocked, match='54008') as caught:
                    await call
                errors.append(caught.value)
            assert [each.until for each in errors] == [locked_until] * 2
            assert all(str(each).startswith(f'okx MMP of {BTC} is locked by a mass cancel, until ') for each in errors)

    run(main())


def test_order_that_the_fence_stops_says_what_to_do(fast, exchange_id):
    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)() as exchange:
            at_simulator(exchange, fast)
            fast.latency = 100
            cancelling = asyncio.ensure_future(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
            await asyncio.sleep(0)
            with pytest.raises(
                MassCancelLocked, match=r'was not sent: .*; send it again if you still want it'
            ) as caught:
                await exchange.create_order(symbols(exchange, UNDERLYING[exchange_id])[0], 'limit', 'buy', 10, 5, MMP)
            await cancelling
            return exchange._unified_underlying(UNDERLYING[exchange_id]), caught.value

    unified, error = asyncio.run(main())
    assert str(error).startswith(f'{exchange_id} createOrder() was not sent: ')
    assert (error.underlying, error.underlyingId, error.until) == (unified, UNDERLYING[exchange_id], None)


def test_error_keeps_what_it_says_when_it_is_copied():
    error = MassCancelLocked('locked', BTC, 'BTC-USD', 5)
    for each in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (str(each), each.underlying, each.underlyingId, each.until) == ('locked', BTC, 'BTC-USD', 5)
