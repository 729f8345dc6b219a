"""The only places where a core meets the network, for sync and async alike.

Every operation is written once, as a coroutine. On an async exchange an event loop drives it. On a sync exchange
ccxt's calls return plain values, so the coroutine never suspends and ``finish`` runs it to its end without a loop,
which therefore also works inside a running one.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Sequence
from types import CoroutineType
from typing import Any, TypeVar

T = TypeVar('T')


async def take(value: Any) -> Any:
    """The result of a ccxt call: awaited if it is awaitable (async, pro), as it is otherwise (sync)."""
    # a coroutine is what it nearly always is, and the general question takes longer
    if isinstance(value, CoroutineType) or inspect.isawaitable(value):
        return await value
    return value


async def side_by_side(
    synchronous: bool, calls: Sequence[Callable[[], Coroutine[Any, Any, T]]], concurrency: int | None = None
) -> list[T | BaseException]:
    """Each call's result or the exception that it raised, in the order of the calls.

    Concurrent in async, at most so many at once, one after another in sync. A failure stops no other call; a
    cancellation stops all of them.
    """
    if not synchronous:
        places = asyncio.Semaphore(max(concurrency or len(calls), 1))

        async def placed(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
            async with places:
                return await call()

        return await asyncio.gather(*(placed(call) for call in calls), return_exceptions=True)
    results: list[T | BaseException] = []
    for call in calls:
        try:
            results.append(await call())
        except Exception as error:  # noqa: BLE001, PERF203 - handed on, not swallowed
            results.append(error)
    return results


def succeeded(results: list[T | BaseException]) -> list[T]:
    """The results of calls side by side, or the first failure."""
    values: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        values.append(result)
    return values


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
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
