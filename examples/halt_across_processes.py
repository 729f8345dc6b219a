"""A halt: one process stops the MMP orders of an account in every process.

    python examples/halt_across_processes.py --simulate

It starts a bot in a process of its own, which quotes. Then this process halts the account: the quotes go, and the bot's
next order is refused before it is sent, until this process resumes. Both know the same store, a file.

With keys (OKX_APIKEY, OKX_SECRET, OKX_PASSWORD) run the bot in one shell and the command line in another:

    python examples/halt_across_processes.py --store sqlite:/var/lib/desk/halt.db --symbol SYMBOL --price PRICE
    CCXT_MMP_HALT=sqlite:/var/lib/desk/halt.db CCXT_MMP_HALT_ACCOUNT=desk ccxt-mmp halt okx:BTC/USD --reason "wild"
"""

import argparse
import multiprocessing
import tempfile
import time

import ccxt
from keys import with_keys

from ccxt_mmp import MmpHalted, okx

UNDERLYING = 'BTC/USD'
PAUSE = 0.05  # s between two turns of the bot


def desk_options(store):
    """The same store and account in every process: without the option an object knows of no halt."""
    return {'mmpHalt': {'url': store, 'account': 'desk', 'grace': 100}}


def keep_quoting(exchange, symbol, price, say=print):
    """Have one order in the book, while the account is not halted."""
    order, is_halted = None, False
    while True:
        try:
            if order is None or exchange.fetch_order(order['id'], symbol)['status'] != 'open':
                order = exchange.create_order(symbol, 'limit', 'buy', 1, price, {'mmp': True, 'postOnly': True})
                say(f'bot: {"quotes again" if is_halted else "quotes"}')
                is_halted = False
        except MmpHalted as halted:  # nothing was sent. The halt is None if the store cannot be read
            order = None
            if not is_halted:
                say(f'bot: is refused: {halted.halt["reason"] if halted.halt else halted}')
            is_halted = True
        except (ccxt.NetworkError, ccxt.InvalidOrder) as error:  # OKX's lock of a mass cancel is one of these
            say(f'bot: {type(error).__name__}')
        time.sleep(PAUSE)


def simulated_bot(url, store, symbol, price):
    """The other process: it shares nothing with this one but the exchange and the store."""
    from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect  # noqa: PLC0415 - production has none

    keys = {'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE}
    exchange = okx({**keys, 'options': desk_options(store), 'enableRateLimit': False})
    redirect(exchange, url)
    exchange.load_markets()
    keep_quoting(exchange, symbol, price)


def wait_for(condition, bot):
    while not condition():
        if not bot.is_alive():
            raise SystemExit('the bot has ended')
        time.sleep(PAUSE)


def simulate(folder):
    """Quotes, a halt, a look at the book, and a resume. Returns how many orders rested at each step."""
    from ccxt_mmp.simulator import Simulator  # noqa: PLC0415 - production has none

    store = f'sqlite:{folder}/halt.db'
    with Simulator() as simulator:

        def resting():
            return len(simulator.resting('okx', UNDERLYING))

        desk = simulator.connect(okx, options=desk_options(store))
        desk.load_markets()
        symbol = desk.safe_symbol(simulator.instruments('okx', UNDERLYING)[0])
        bot = multiprocessing.get_context('spawn').Process(
            target=simulated_bot, args=(simulator.url, store, symbol, 0.01), daemon=True
        )
        bot.start()
        try:
            wait_for(resting, bot)
            rested = [resting()]
            # OKX itself refuses MMP orders for the lockInterval, too: 10 s if it is not given
            halt = desk.halt_mmp(UNDERLYING, {'reason': 'prices are stale', 'lockInterval': 500})
            rested.append(resting())
            print(f'desk: {halt["underlying"]} is halted, {resting()} orders rest')
            time.sleep(1)  # the lock is over, and the halt goes on
            rested.append(resting())
            print(f'desk: after a second {resting()} orders rest')
            desk.resume_mmp(UNDERLYING)
            wait_for(resting, bot)
            rested.append(resting())
            print(f'desk: {UNDERLYING} was resumed, {resting()} orders rest')
        finally:
            bot.terminate()
            bot.join()
    return rested


def main(argv=None):
    parser = argparse.ArgumentParser(description='A halt of one process stops the MMP orders of another.')
    parser.add_argument('--simulate', action='store_true', help='on the simulator, without keys')
    parser.add_argument('--store', help='such as sqlite:/var/lib/desk/halt.db')
    parser.add_argument('--symbol', help='of an option, such as BTC/USD:BTC-260327-110000-C')
    parser.add_argument('--price', type=float)
    arguments = parser.parse_args(argv)
    if arguments.simulate:
        with tempfile.TemporaryDirectory() as folder:
            simulate(folder)
        return
    if None in (arguments.store, arguments.symbol, arguments.price):
        parser.error('--store, --symbol and --price are needed without --simulate')
    exchange = with_keys(okx, options=desk_options(arguments.store))
    exchange.load_markets()
    try:
        keep_quoting(exchange, arguments.symbol, arguments.price)
    finally:
        exchange.mass_cancel_mmp(UNDERLYING)


if __name__ == '__main__':
    main()
