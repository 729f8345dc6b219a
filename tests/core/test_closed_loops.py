"""An object whose loop was closed under pending orders, and which lives on."""

import asyncio
import gc
import weakref

import pytest

from tests.trading import UNDERLYING, symbols, with_markets


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # what other tests left is collected
def test_order_whose_loop_was_closed_keeps_nothing_alive(flavour, exchange_id):
    if flavour.name == 'sync':
        pytest.skip('a sync order has no task')
    exchange = with_markets(flavour.exchange(exchange_id))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    fence = exchange._mmp_fence(UNDERLYING[exchange_id])
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it would tell of the task that is pending
    loop.run_until_complete(exchange.load_markets())  # whose task ccxt keeps, with the context that it inherits

    async def fetch(*arguments):
        loop.stop()
        await asyncio.Event().wait()

    exchange.fetch = fetch
    task = loop.create_task(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
    loop.run_forever()
    loop.close()
    assert [order.holder for order in fence._in_flight] == [task]
    is_alive = weakref.ref(task)
    del task
    gc.collect()
    assert is_alive() is None
    assert [order.holder for order in fence._in_flight] == [None]
