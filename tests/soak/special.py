"""What happens to one exchange object of each flavour alone: signal handlers, loops that are closed, a websocket."""

import asyncio
import gc
import signal
import time

from ccxt_mmp.core.awaiting import run_sync
from tests.soak import bot as soak_bot

MAX_DELAY = 0.05  # s after the call of an order that a signal comes, at most
PAUSE = 1.0  # s between the mass cancels
PENDING = 4  # batches of orders that a loop is closed under
PATIENCE = 1.0  # s that an answer over the websocket is waited for, at most


def special_exchange(bot):
    _, underlying = soak_bot.SPECIAL
    contracts = {underlying: bot.plan.special_contracts}
    return bot.new_exchange('okx', bot.plan.special_credentials, contracts)


def pull_the_plug(bot, exchange):
    _, underlying = soak_bot.SPECIAL
    return bot.pull_the_plug(exchange, underlying, soak_bot.SPECIAL_UNIFIED, {})


def some_of(bot, rolled):
    return [rolled.choice(bot.plan.special_contracts) for _ in range(rolled.randint(1, 6))]


# --- sync


def live_with_signals(bot):
    """Orders in the main thread, in the middle of which a signal handler pulls the plug."""
    exchange, rolled = special_exchange(bot), bot.dice('signals')
    is_awaited = False

    def handle(*_):
        nonlocal is_awaited
        is_awaited = False
        run_sync(pull_the_plug(bot, exchange))

    before = signal.signal(signal.SIGALRM, handle)
    try:
        while time.monotonic() < bot.ends:
            is_awaited = True
            signal.setitimer(signal.ITIMER_REAL, rolled.uniform(0.0001, MAX_DELAY))
            while is_awaited:
                run_sync(bot.place(exchange, some_of(bot, rolled)))
            time.sleep(rolled.uniform(0, PAUSE))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    exchange.close()
    exchange.session.close()  # as in bot.live
    bot.broken += soak_bot.unsettled(exchange)


# --- async


def live_through_loops(bot):
    """Loops that are closed under pending orders; the plug is pulled in the next one, with the same object."""
    exchange, rolled = special_exchange(bot), bot.dice('loops')
    while time.monotonic() < bot.ends:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # it would tell of tasks that are pending, which is what it is for
        loop.run_until_complete(pull_the_plug(bot, exchange))
        renew(exchange)
        # longer than an answer takes, or not; none is awaited
        tasks = [loop.create_task(bot.place(exchange, some_of(bot, rolled))) for _ in range(PENDING)]
        loop.run_until_complete(asyncio.sleep(rolled.uniform(0, 0.1)))
        loop.close()
        del tasks
        if rolled.random() < 0.5:  # or later, whenever Python does
            gc.collect()
        bot.broken += soak_bot.overgrown(exchange)
        time.sleep(rolled.uniform(0, PAUSE))
    asyncio.run(leave(bot, exchange))


def renew(exchange):
    """What ccxt keeps of a loop: its session and its queue."""
    exchange.session = exchange.tcp_connector = exchange.asyncio_loop = None
    exchange.init_throttler()


async def leave(bot, exchange):
    await pull_the_plug(bot, exchange)
    renew(exchange)
    await exchange.close()
    gc.collect()
    bot.broken += soak_bot.unsettled(exchange)


# --- pro


async def live_on_a_socket(bot):
    """Orders over the websocket, which are answered, late, or never."""
    exchange = special_exchange(bot)
    exchange.urls['api']['ws'] = bot.plan.socket_url
    # in ccxt all wait for one future, which is cancelled for all of them when one gives up
    await exchange.authenticate()
    await asyncio.gather(*(quote(bot, exchange, f'socket {number}') for number in range(3)), cancel(bot, exchange))
    await exchange.close()
    bot.broken += soak_bot.unsettled(exchange)


async def quote(bot, exchange, name):
    rolled = bot.dice(name)
    while time.monotonic() < bot.ends:
        number = bot.next_number()
        order = bot.order(exchange, rolled.choice(bot.plan.special_contracts), number)
        terms = [order[name] for name in ('symbol', 'type', 'side', 'amount', 'price', 'params')]
        with soak_bot.asking_for((number,)):
            await bot.call(exchange, 'create_order_ws', *terms, patience=rolled.uniform(0.1, PATIENCE))
        await asyncio.sleep(rolled.uniform(0, 0.2))


async def cancel(bot, exchange):
    rolled = bot.dice('socket, cancel')
    while time.monotonic() < bot.ends:
        await pull_the_plug(bot, exchange)
        await asyncio.sleep(rolled.uniform(0, PAUSE))
