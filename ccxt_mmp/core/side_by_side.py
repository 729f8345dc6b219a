"""A halt and its cancel at the same time, in sync and async."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from ccxt_mmp.core.awaiting import gather, run_sync
from ccxt_mmp.halts import begun, outcome


async def side_by_side(
    synchronous: bool,
    write: Callable[[], Coroutine[Any, Any, Any]],
    cancel: Callable[[], Coroutine[Any, Any, Any]],
    *,
    blocks: bool,
) -> tuple[Any, Any]:
    """The results of both, or what they raised. Neither waits for the other.

    blocks: the write has a thread, also in asyncio. The cancel stays in the caller's: it may interrupt an order there.
    """
    if not synchronous:
        written, cancelled = await gather(
            synchronous, [partial(awaited_from_thread, write) if blocks else write, cancel]
        )
        return written, cancelled
    results: list[Any] = []
    wait = begun(lambda: results.append(outcome(lambda: run_sync(write()))))
    try:
        [cancelled] = await gather(synchronous, [cancel])
    finally:
        wait()
    return results[0], cancelled


async def awaited_from_thread(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """The result of what blocks. Its thread is none of the loop's: a bot may keep all of those busy."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def tell(result: Any) -> None:
        if not done.done():  # the caller may be cancelled
            done.set_result(result)

    def run() -> None:
        result = outcome(lambda: run_sync(work()))
        with suppress(RuntimeError):  # the loop may be closed
            loop.call_soon_threadsafe(tell, result)

    begun(run)
    result = await done
    if isinstance(result, BaseException):
        raise result
    return result
