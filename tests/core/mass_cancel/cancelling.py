"""Mass cancels for the tests: orders to cancel, and what becomes of them."""

import time
from itertools import count
from types import SimpleNamespace

import ccxt
import ccxt.async_support
import ccxt.pro

from ccxt_mmp.core import acknowledging
from tests.trading import UNDERLYING, UNIFIED

PARAMS = {'binance': {}, 'okx': {'emulate': True}, 'deribit': {}, 'bybit': {}}
LIST = {'binance': 'openOrders', 'okx': 'orders-pending', 'deribit': 'get_open_orders', 'bybit': 'realtime'}
BATCH = {'binance': 'batchOrders', 'okx': 'cancel-batch-orders', 'deribit': '/cancel', 'bybit': 'cancel-batch'}
CLOCK = {'bybit': 'market/time'}  # the end of its path, elsewhere 'time'
MINUTE = 1_800_000_000_000 // 60_000 * 60_000  # the beginning of one


def quote(simulator, exchange_id, contracts, orders_each=2, mmp=True):
    """The ids of orders that rest, so many of each of the first contracts."""
    underlying = UNDERLYING[exchange_id]
    return [
        simulator.rest(exchange_id, underlying, mmp=mmp, symbol=symbol).order_id
        for symbol in simulator.instruments(exchange_id, underlying)[:contracts]
        for _ in range(orders_each)
    ]


def cancel(flavour, exchange, **params):
    return flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange.id], {**PARAMS[exchange.id], **params}))


def resting(simulator, exchange_id):
    return [order.order_id for order in simulator.resting(exchange_id, UNDERLYING[exchange_id])]


def ids(orders):
    return sorted(order['id'] for order in orders)


def lists(simulator, exchange_id):
    """The lists that were asked for, however many pages they have."""
    asked = [each for each in simulator.requests if each.path.endswith(LIST[exchange_id])]
    return [each for each in asked if 'cursor=' not in each.query]


def after_each_list(exchange, act):
    """Let ``act`` see and change what a mass cancel lists; its arguments are the number of the list, from 0, and it."""
    listed, numbers = exchange._list_open_orders, count()

    async def list_then_act(*arguments):
        await listed(*arguments)
        act(next(numbers), arguments[-1])

    exchange._list_open_orders = list_then_act


def lose_all_but_the_first(number, rows):
    if number > 0:
        rows.clear()
        raise ccxt.ExchangeNotAvailable('no list')


def sleep_by_the_clock(simulator, exchange, monkeypatch):
    """Let an exchange sleep on the simulator's clock, which it sets forward; the seconds that it slept."""
    slept = []

    def sleep(milliseconds):
        slept.append(milliseconds / 1000)
        simulator.advance(int(milliseconds) + 1)

    async def async_sleep(milliseconds):
        sleep(milliseconds)

    exchange.sleep = sleep if exchange.synchronous else async_sleep
    exchange.milliseconds = simulator.now
    # what is acknowledged has the time that passes so
    monkeypatch.setattr(acknowledging, 'time', SimpleNamespace(monotonic=lambda: time.monotonic() + sum(slept)))
    return slept
