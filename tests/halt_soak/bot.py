"""``python -m tests.halt_soak.bot SETTINGS``: quotes until its standard input ends, and prints what it met, as JSON."""

import asyncio
import json
import sys
import threading
from collections import Counter, deque

import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MmpHalted
from ccxt_mmp.core.awaiting import await_result, run_sync
from ccxt_mmp.errors import OrderNotFound
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect
from tests.trading import UNDERLYING, option_market

CONFIG = {'enableRateLimit': False, 'apiKey': KEY, 'secret': SECRET, 'password': PASSPHRASE}
PAUSE = 5  # ms after a refusal
QUOTES = 10  # of each loop that may rest: a mass cancel has to cancel those of all within its time
LOOPS = 2  # of a process that has an event loop


def made(settings):
    module = {'sync': ccxt_mmp, 'async': ccxt_mmp.async_support, 'pro': ccxt_mmp.pro}[settings['flavour']]
    exchange = getattr(module, settings['exchange'])(CONFIG)
    exchange.timeout_on_exit = 0
    redirect(exchange, settings['simulator'])
    exchange.set_markets([option_market(exchange, settings['option'], UNDERLYING[exchange.id])])
    exchange.options['mmpHalt'] = settings['halt']
    return exchange


def listen(stopped):
    """Stop at the end of the standard input, which comes with that of the judge, too."""

    def wait():
        sys.stdin.read()
        stopped.set()

    threading.Thread(target=wait, daemon=True).start()


def counted(met, error=None):
    if error is None:
        met['accepted'] += 1
    elif isinstance(error, MmpHalted):
        met['halted' if error.halt else 'lost'] += 1
    else:
        met[f'{type(error).__name__}: {error}'[:300]] += 1


async def place(exchange, symbol, quotes, met):
    try:
        order = await await_result(exchange.create_order(symbol, 'limit', 'buy', 1, 5, {'mmp': True}))
    except Exception as error:  # noqa: BLE001 - the judge judges it
        counted(met, error)
        await await_result(exchange.sleep(PAUSE))
    else:
        counted(met)
        quotes.append(order['id'])


async def cancel(exchange, symbol, order_id, met):
    try:
        await await_result(exchange.cancel_order(order_id, symbol))
    except OrderNotFound:
        pass  # a halt has cancelled it
    except Exception as error:  # noqa: BLE001 - the judge judges it
        counted(met, error)


async def quote(exchange, symbol, stopped, met, pause):
    quotes = deque()
    while not stopped.is_set():
        await place(exchange, symbol, quotes, met)
        if len(quotes) > QUOTES:
            await cancel(exchange, symbol, quotes.popleft(), met)
        await await_result(exchange.sleep(pause))


async def quote_in_loops(exchange, symbol, stopped, met, pause):
    await asyncio.gather(*(quote(exchange, symbol, stopped, met, pause) for _ in range(LOOPS)))
    await exchange.close()


def main():
    settings = json.loads(sys.argv[1])
    exchange, stopped, met = made(settings), threading.Event(), Counter()
    [symbol] = exchange.symbols
    listen(stopped)
    sys.stderr.write('ready\n')
    sys.stderr.flush()
    if exchange.synchronous:
        run_sync(quote(exchange, symbol, stopped, met, settings['pause']))
        exchange.close()
    else:
        asyncio.run(quote_in_loops(exchange, symbol, stopped, met, settings['pause']))
    sys.stdout.write(json.dumps(met))


if __name__ == '__main__':
    main()
