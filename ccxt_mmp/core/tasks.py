"""Tasks that outlive the call that started them, such as a login that several calls wait for."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any


class Tasks:
    """The tasks of an exchange object, by name, and its timers: ``close()`` of the exchange ends them."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._timers: list[asyncio.TimerHandle] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return Tasks, ()  # a copy of an exchange runs nothing

    def join(self, name: str, start: Callable[[], Coroutine[Any, Any, Any]]) -> 'asyncio.Task[Any]':
        """The task of this name that runs, or a new one."""
        task = self._running.get(name)
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            # it inherits no context: that of the request during which it is started ends before it
            task = Context().run(asyncio.ensure_future, start())
            task.add_done_callback(partial(self._forget, name))
            self._running[name] = task
        return task

    def keep(self, timer: asyncio.TimerHandle) -> None:
        """A timer of ccxt, which would keep a closed object in memory until it is over, for up to an hour."""
        now = asyncio.get_running_loop().time()
        self._timers = [each for each in self._timers if not each.cancelled() and each.when() > now] + [timer]

    async def end(self) -> None:
        """Cancel them and the timers, and wait until they have ended."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        await self.end_those('')

    async def end_those(self, prefix: str) -> None:
        """Cancel those whose names begin so, and wait until they have ended."""
        loop = asyncio.get_running_loop()
        ended = {name: task for name, task in self._running.items() if name.startswith(prefix)}
        self._running = {name: task for name, task in self._running.items() if name not in ended}
        running = [task for task in ended.values() if task.get_loop() is loop and not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _forget(self, name: str, task: 'asyncio.Task[Any]') -> None:
        if self._running.get(name) is task:
            del self._running[name]
        retrieve(task)  # nobody may wait any more for what failed


def retrieve(future: 'asyncio.Future[Any]') -> None:
    """Who waited for a failure may be gone: asyncio would complain that nobody looked at it."""
    if not future.cancelled():
        future.exception()


def started(work: Coroutine[Any, Any, None]) -> 'asyncio.Task[None]':
    task = asyncio.ensure_future(work)
    task.add_done_callback(retrieve)
    return task


def release(waiting: 'asyncio.Future[None]') -> None:
    if not waiting.done():
        waiting.set_result(None)
