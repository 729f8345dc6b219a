"""``mass_cancel_mmps`` and the orders of its own object: those queued, those in flight, those that it interrupts."""

import asyncio
import threading

import pytest

import ccxt_mmp
from ccxt_mmp import MassCancelIncomplete, MassCancelLocked
from ccxt_mmp.core.fence import EVERY
from tests.core.fencing import placing, until
from tests.core.mass_cancel.several import cancel_all, ids, names, protect_both, rest_both, resting_of
from tests.core.ordering import create
from tests.trading import UNDERLYING, at_simulator, symbols, with_markets

EXCHANGES = ['okx', 'binance', 'deribit']
ORDER = {'okx': 'batch-orders', 'binance': 'order', 'deribit': 'buy'}


@pytest.mark.parametrize('are_named', [True, False])
def test_fence_of_each_is_closed_from_the_first_request_to_the_last(
    flavour, simulator, exchange, exchange_id, are_named
):
    rest_both(simulator, exchange_id)
    protect_both(simulator, exchange_id)
    stock, are_open = exchange.sign, []

    def sign(*arguments, **keywords):
        for each in ids(exchange_id) if are_named else [EVERY]:
            fence = exchange._mmp_fence(each)
            are_open.append(fence.lets_pass(fence.mark()))
        return stock(*arguments, **keywords)

    exchange.sign = sign
    cancel_all(flavour, exchange, names(exchange_id) if are_named else None)
    assert len(are_open) >= 2
    assert not any(are_open)
    with_markets(exchange)
    for each in ids(exchange_id):  # those asked for after it go through
        create(flavour, exchange, symbols(exchange, each)[0], {'mmp': True})
    assert len(resting_of(simulator, exchange_id)) == 2


def test_orders_of_another_underlying_than_the_named_go_on(flavour, simulator, exchange, exchange_id):
    with_markets(exchange)
    stock, placed = exchange.sign, []
    fence = exchange._mmp_fence(ids(exchange_id)[1])

    def sign(*arguments, **keywords):
        placed.append(fence.lets_pass(fence.mark()))
        return stock(*arguments, **keywords)

    exchange.sign = sign
    cancel_all(flavour, exchange, names(exchange_id)[:1])
    assert all(placed)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@pytest.mark.parametrize('are_named', [True, False])
def test_queued_order_is_stopped_whatever_its_underlying(fast, exchange_id, are_named):
    """Also if this object has never sent one of it, so that it has no fence yet."""

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)() as exchange:
            at_simulator(exchange, fast)
            gate = asyncio.Event()
            exchange.throttler = lambda cost: gate.wait()
            queued = [
                asyncio.ensure_future(
                    exchange.create_order(symbols(exchange, each)[0], 'limit', 'buy', 10, 5, {'mmp': True})
                )
                for each in ids(exchange_id)
            ]
            await asyncio.sleep(0)
            await exchange.mass_cancel_mmps(names(exchange_id) if are_named else None)
            gate.set()
            return await asyncio.gather(*queued, return_exceptions=True)

    assert [type(each) for each in asyncio.run(main())] == [MassCancelLocked] * 2
    assert resting_of(fast, exchange_id) == []


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_queued_order_of_a_sync_object_is_stopped(fast, exchange_id):
    exchange = with_markets(fast.connect(getattr(ccxt_mmp, exchange_id), enableRateLimit=False))
    asked, gate, outcomes = threading.Event(), threading.Event(), []
    marks = exchange._fence_marks

    def mark():
        marked = marks()
        asked.set()
        gate.wait(30)
        return marked

    exchange._fence_marks = mark

    def ask():
        try:
            placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0])
        except MassCancelLocked as error:
            outcomes.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(30)
    del exchange._fence_marks  # of the mass cancel's own requests
    exchange.mass_cancel_mmps()
    gate.set()
    thread.join()
    assert len(outcomes) == 1
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_order_in_flight_does_not_survive_it(fast, exchange_id):
    """It has no rule and is not listed when the exchange is asked."""

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            symbol = symbols(exchange, ids(exchange_id)[1])[0]
            fast.fault('hold', ORDER[exchange_id], milliseconds=100)
            placing_it = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await until(lambda: not fast._faults)
            done = await exchange.mass_cancel_mmps()
            await placing_it
            return done

    [cancelled] = asyncio.run(main()).values()
    assert cancelled['underlyingId'] == ids(exchange_id)[1]
    assert resting_of(fast, exchange_id) == []


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@pytest.mark.usefixtures('short_grace')
def test_order_that_it_interrupts_is_told_of(fast, exchange_id):
    """As in a signal handler: it goes on when the handler is over."""
    exchange = with_markets(fast.connect(getattr(ccxt_mmp, exchange_id), enableRateLimit=False, timeout=50))
    stock, raised = exchange.session.request, []

    def request(*arguments, **keywords):
        exchange.session.request = stock
        exchange.timeout = 10_000
        said = (
            'may still arrive.*; call it again when the order that it has interrupted is over: after a signal handler'
        )
        with pytest.raises(MassCancelIncomplete, match=said) as caught:
            exchange.mass_cancel_mmps(params={'timeout': 3000})
        raised.append(caught.value)
        return stock(*arguments, **keywords)

    exchange.session.request = request
    placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0])
    assert len(raised) == 1
    exchange.mass_cancel_mmps()
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


def test_interrupt_opens_every_fence_again(flavour, simulator, exchange, exchange_id):
    rest_both(simulator, exchange_id)

    class StopError(BaseException):
        pass

    def stop(*arguments, **keywords):
        raise StopError

    exchange.sign = stop
    for underlyings in (None, names(exchange_id)):
        with pytest.raises(StopError):
            cancel_all(flavour, exchange, underlyings)
        assert not any(fence.in_progress for fence in exchange._mmp_fences.values())
