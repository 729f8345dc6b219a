"""Ctrl-C cancels a command, and what it has opened is closed before it ends, in every version of Python."""

import asyncio
import gc
import signal
from asyncio.runners import _cancel_all_tasks
from concurrent.futures import ThreadPoolExecutor

import pytest

from ccxt_mmp.cli import watching
from ccxt_mmp.cli.interrupts import interruptible


@pytest.fixture(autouse=True)
def interrupted_tasks_are_collected():
    """Nobody asks what came of them, so asyncio logs it then: here, and not in a test that minds what is logged."""
    yield
    gc.collect()


async def step(number=signal.SIGINT):
    """A step of a task within others, in which the interrupt comes."""
    signal.raise_signal(number)
    await asyncio.sleep(60)


class Work:
    """It waits for another task, and closes what it has opened, for which it waits again."""

    def __init__(self, closing=lambda: asyncio.sleep(0.01)):
        self.is_closed = False
        self.closing = closing

    async def run(self, in_a_step=step):
        self.task = asyncio.ensure_future(asyncio.wait_for(in_a_step(), 60))
        try:
            await asyncio.sleep(60)
        finally:
            await self.closing()
            self.is_closed = True


def run_in_a_loop(work):
    """Without asyncio.run, which from Python 3.11 on has a handler of its own."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        _cancel_all_tasks(loop)
        loop.close()


@pytest.fixture(params=[run_in_a_loop, asyncio.run])
def run(request):
    yield request.param
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_in_the_step_of_any_task_cancels_the_work_which_closes(run):
    work = Work()
    with pytest.raises(KeyboardInterrupt):
        run(interruptible(work.run()))
    assert work.is_closed


def test_second_interrupt_is_not_waited_for(run):
    async def closing():
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    work = Work(closing)
    with pytest.raises(KeyboardInterrupt):
        run(interruptible(work.run()))
    assert not work.is_closed


def test_second_interrupt_in_another_task_is_raised_once(run):
    """What ends the other tasks goes on."""
    ended, others = [], []

    async def end_slowly():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    async def closing():
        others.extend(asyncio.ensure_future(each) for each in (end_slowly(), step()))
        await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run(interruptible(Work(closing).run()))
    assert ended == [True]


def test_what_is_not_interrupted_ends_as_it_does(run):
    async def cancelled():
        raise asyncio.CancelledError

    assert run(interruptible(asyncio.sleep(0, 'done'))) == 'done'
    with pytest.raises(asyncio.CancelledError):
        run(interruptible(cancelled()))


def test_handler_that_is_there_stays():
    async def interrupted():
        signal.raise_signal(signal.SIGINT)

    came = []
    stock = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        run_in_a_loop(interruptible(interrupted()))
    finally:
        signal.signal(signal.SIGINT, stock)
    assert came == [True]


def test_thread_has_no_interrupts(run):
    with ThreadPoolExecutor() as pool:
        assert pool.submit(run, interruptible(asyncio.sleep(0, 'done'))).result() == 'done'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_command_closes_its_exchanges(ccxt_mmp_command, monkeypatch, number):
    """Else ccxt says at the end that they are not closed."""
    exchanges = []

    async def watch(command):
        exchanges.extend(command.exchanges.of(result.target) for result in command.results)
        for each in exchanges:
            each.open()
        await Work().run(lambda: step(number))

    monkeypatch.setattr(watching, 'watch', watch)
    assert ccxt_mmp_command('status', 'okx:BTC/USD', 'binance:BTC/USDT', '--watch')[0] == 1  # nothing was seen
    assert [each.session for each in exchanges] == [None, None]
