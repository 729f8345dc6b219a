"""Ctrl-C cancels what ``asyncio.run`` runs, and what that has opened is closed before it ends.

From Python 3.11 on, asyncio does so itself. In 3.10 an interrupt is raised in the task that is at work, and once more
in one that awaits it, which cuts off what the others still have to close.
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar('T')


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """The first interrupt cancels the work, a second one is raised at once; either is a KeyboardInterrupt."""
    is_in_main_thread = threading.current_thread() is threading.main_thread()
    if not is_in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return await work  # asyncio has a handler, or interrupts are ignored
    task: Any = asyncio.current_task()
    loop, count = asyncio.get_running_loop(), 0

    def interrupt(*_: object) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(task.cancel)  # which wakes a loop that waits, too

    signal.signal(signal.SIGINT, interrupt)
    try:
        return await work
    except asyncio.CancelledError:
        if count == 1:  # beyond, it was raised already
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
