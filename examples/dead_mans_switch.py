"""A dead man's switch beside a bot: it cancels the bot's orders when the bot is no longer heard of.

    python examples/dead_mans_switch.py --simulate [--exchange okx|binance|deribit|bybit]
    python examples/dead_mans_switch.py --exchange okx --underlying BTC/USD --heartbeat /run/desk/bot.alive

The bot touches a file in every turn, after its work: ``Path(file).touch()``. This is a process of its own. While the
bot lives, it renews the countdown of the exchange. When the bot is dead, it pulls the kill switch at once. If this
process, the machine or the network dies too, nobody renews the countdown, and the exchange cancels:

| OKX     | a countdown of the account, 10 to 120 s: every order goes, with the flag or without |
| Binance | a countdown of an underlying, from 5 s; then it refuses new orders (-2010) until it is disarmed, by a 0 |
| Bybit   | no countdown: it cancels when every websocket that subscribed dcp.option is dead, on request |
| Deribit | no countdown: it cancels on disconnect the orders that were placed over that websocket |

Without --simulate the keys are taken from the environment: OKX_APIKEY, OKX_SECRET, OKX_PASSWORD and so on.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import ccxt
from keys import with_keys

from ccxt_mmp import async_support

UNDERLYINGS = {'okx': 'BTC/USD', 'binance': 'BTC/USDT', 'deribit': 'BTC/USD', 'bybit': 'BTC'}
COUNTDOWN = 15  # s until the exchange cancels; many renewals may fail before
RENEWAL = 1  # s


def age_of(heartbeat):
    """Seconds since the last heartbeat. No file: the bot was never there, or somebody has removed it to stop it."""
    try:
        return time.time() - heartbeat.stat().st_mtime
    except FileNotFoundError:
        return float('inf')


async def guard(exchange, underlying, age, patience=3, sleep=asyncio.sleep, say=print):
    """Until the bot is dead, and none of its MMP orders rests.

    :param age: tells the seconds since the last heartbeat
    :param patience: seconds without one after which the bot counts as dead
    """
    has_countdown = exchange.id in ('okx', 'binance')
    params = {'underlying': underlying} if exchange.id == 'binance' else {}
    if not has_countdown:
        say(f'{exchange.id} has no countdown: this guards as long as this process and its network live')
    while age() <= patience:
        try:
            if has_countdown:
                await exchange.cancel_all_orders_after(COUNTDOWN * 1000, params)
        except ccxt.NetworkError as error:  # the next one may arrive
            say(f'the countdown was not renewed: {type(error).__name__}')
        await sleep(RENEWAL)
    say(f'nothing was heard of the bot for {patience} s: cancels its MMP orders')
    while True:
        try:
            await exchange.mass_cancel_mmp(underlying)
            break
        except ccxt.BaseError as error:
            say(f'NOT CERTAIN, tries again: {type(error).__name__}: {error}')
            await sleep(RENEWAL)
    say(f'no MMP order rests{"; the countdown runs, for all other orders" if has_countdown else ""}')


async def simulate(exchange_id, heartbeat):
    """A bot that quotes for two seconds, and hangs."""
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - production has none

    underlying = UNDERLYINGS[exchange_id]
    with Simulator() as simulator:
        async with simulator.connect(getattr(async_support, exchange_id)) as exchange:
            heartbeat.touch()
            guarding = asyncio.create_task(guard(exchange, underlying, lambda: age_of(heartbeat), patience=1))
            tag = 'mmp-' if exchange_id == 'bybit' else ''  # by which the plugin knows MMP orders there
            for turn in range(4):
                simulator.rest(exchange_id, underlying, mmp=True, client_order_id=tag and f'{tag}{turn}')
                heartbeat.touch()
                await asyncio.sleep(0.5)
            print(f'{len(simulator.resting(exchange_id, underlying))} quotes rest, and the bot hangs')
            await guarding
            print(f'{len(simulator.resting(exchange_id, underlying))} quotes rest')


async def trade(exchange_id, underlying, heartbeat):
    async with with_keys(getattr(async_support, exchange_id)) as exchange:
        await guard(exchange, underlying, lambda: age_of(heartbeat))


def main(argv=None):
    parser = argparse.ArgumentParser(description='Cancels the orders of a bot that is no longer heard of.')
    parser.add_argument('--simulate', action='store_true', help='on the simulator, without keys')
    parser.add_argument('--exchange', choices=UNDERLYINGS, default='okx')
    parser.add_argument('--underlying', help='such as BTC/USD')
    parser.add_argument('--heartbeat', type=Path, help='the file that the bot touches')
    arguments = parser.parse_args(argv)
    if arguments.simulate:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(simulate(arguments.exchange, Path(folder, 'bot.alive')))
    elif arguments.heartbeat is None or arguments.underlying is None:
        parser.error('--underlying and --heartbeat are needed without --simulate')
    else:
        asyncio.run(trade(arguments.exchange, arguments.underlying, arguments.heartbeat))


if __name__ == '__main__':
    main()
