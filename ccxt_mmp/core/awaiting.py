"""How a core waits for the network, in sync and async alike.

Every operation is written once, as a coroutine. On an async exchange an event loop runs it. On a sync exchange ccxt's
calls return plain values, so the coroutine never suspends. ``run_sync`` runs it to its end without a loop, and works
inside a running loop, too.
"""

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import CoroutineType
from typing import Any, TypeVar

from ccxt_mmp.core.tasks import retrieve

T = TypeVar('T')


async def await_result(value: Any) -> Any:
    """The result of a ccxt call: awaited in async and pro, returned as it is in sync."""
    # the usual types first: isawaitable takes longer
    if type(value) is CoroutineType:
        return await value
    if type(value) is dict or type(value) is list:
        return value
    return await value if inspect.isawaitable(value) else value


async def within(seconds: float | None, awaitable: Awaitable[T]) -> T:
    """The result of an awaitable; ``asyncio.TimeoutError`` if it takes longer (None: however long it takes).

    As ``asyncio.wait_for``, which up to Python 3.11 loses a cancellation that comes together with the result: a call
    that was cancelled would go on.
    """
    task = asyncio.ensure_future(awaitable)
    task.add_done_callback(retrieve)  # nobody may look at it any more
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise asyncio.TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def gather(
    synchronous: bool, calls: Sequence[Callable[[], Coroutine[Any, Any, T]]], concurrency: int | None = None
) -> list[T | BaseException]:
    """The result of each call, or the exception that it raised, in the order of the calls.

    concurrency: calls at once; by default all in async, and one in sync, where more take threads

    A failure stops no other call. A cancellation or Ctrl-C stops the calls that have not begun.
    """
    if synchronous:
        return _in_threads(calls, min(concurrency or 1, len(calls)))
    places = asyncio.Semaphore(max(concurrency or len(calls), 1))

    async def placed(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with places:
            return await call()

    return await asyncio.gather(*(placed(call) for call in calls), return_exceptions=True)


def _in_threads(calls: Sequence[Callable[[], Coroutine[Any, Any, T]]], concurrency: int) -> list[T | BaseException]:
    results: dict[int, T | BaseException] = {}
    left = deque(enumerate(calls))

    caller = threading.get_ident()

    def work() -> None:
        while True:
            try:
                index, call = left.popleft()
            except IndexError:
                return
            try:
                results[index] = run_sync(call())
            except BaseException as error:
                if threading.get_ident() == caller and not isinstance(error, Exception):
                    raise
                results[index] = error  # the caller gets it

    helpers: list[threading.Thread] = []
    try:
        for _ in range(concurrency - 1):
            helpers.append(threading.Thread(target=work, name='ccxt-mmp', daemon=True))
            try:
                helpers[-1].start()
            except RuntimeError:  # too many threads, or the interpreter is shutting down: go on with those there are
                helpers.pop()
                break
        work()
    finally:
        left.clear()
        for helper in helpers:
            helper.join()
    return [results[index] for index in range(len(calls))]


def succeeded(results: list[T | BaseException]) -> list[T]:
    """The results of ``gather``; raises the first failure."""
    values: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        values.append(result)
    return values


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends to its end, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    name = getattr(coroutine, '__qualname__', 'a core')
    coroutine.close()
    raise RuntimeError(
        f'{name}() waited for an event loop on a synchronous exchange: '
        'one of its methods (fetch, throttle, sleep, ...) was replaced by an async one'
    )
