"""Whose a request is: of the task or thread that entered its context, and of nothing that these start."""

import asyncio
import contextvars
import threading
import time

import ccxt_mmp
from ccxt_mmp.core.fence import GRACE, Fence
from ccxt_mmp.core.request_context import RequestContext, Sending, current_request


def test_context_is_of_the_task_that_entered_it():
    exchange = object()

    async def child():
        return current_request(exchange)

    async def main():
        with RequestContext(exchange) as context:
            assert current_request(exchange) is context
            assert await child() is context
            assert await asyncio.create_task(child()) is None
            assert await asyncio.to_thread(current_request, exchange) is None
            seen = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(lambda: seen.set_result(current_request(exchange)))
            assert await seen is None
            assert current_request(object()) is None
            late = asyncio.create_task(child())
        assert current_request(exchange) is None
        assert await late is None

    asyncio.run(main())


def test_context_is_of_the_thread_that_entered_it():
    seen = []
    with RequestContext('exchange') as context:
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=[lambda: seen.append(current_request('exchange'))]
        )
        thread.start()
        thread.join()
        assert current_request('exchange') is context
    assert seen == [None]


def test_context_that_ends_elsewhere_ends():
    """As that of a coroutine that is collected after its loop has closed."""
    fence = Fence()
    context = RequestContext('exchange')
    contextvars.copy_context().run(context.__enter__)
    context.send(fence, 'BTC-USD', 11)
    assert fence.in_flight_until() > time.monotonic() + 10
    context.__exit__(GeneratorExit, GeneratorExit(), None)
    assert fence.in_flight_until() <= time.monotonic() + GRACE
    assert not context.is_entered


def test_context_that_ends_elsewhere_leaves_the_request_there_alone():
    context = RequestContext('exchange')
    contextvars.copy_context().run(context.__enter__)
    with RequestContext('exchange') as other:
        context.__exit__(GeneratorExit, GeneratorExit(), None)
        assert current_request('exchange') is other


def test_request_is_that_around_it_again_when_one_is_over():
    with RequestContext('exchange') as outer:
        with RequestContext('exchange') as inner:
            assert current_request('exchange') is inner
        assert current_request('exchange') is outer
    assert current_request('exchange') is None


def test_attempt_leaves_nothing_to_the_next():
    with RequestContext('exchange') as context:
        with Sending(context):
            context.session, context.timeout, context.answer_ends = object(), 1000, time.monotonic()
        assert (context.session, context.timeout, context.answer_ends) == (None, None, None)


def test_thread_that_copies_the_context_of_a_request_reads_its_own_timeout():
    exchange, read = ccxt_mmp.okx({'timeout': 10_000}), []
    with RequestContext(exchange) as context:
        context.timeout = 5
        copied = contextvars.copy_context()
        thread = threading.Thread(target=copied.run, args=(lambda: read.append(exchange.timeout),))
        thread.start()
        thread.join()
        assert (exchange.timeout, read) == (5, [10_000])
