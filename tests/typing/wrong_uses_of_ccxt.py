"""Wrong uses of what comes from ccxt, for the type checkers that read ccxt: never run.

Every line that ends in ``# error: why`` is wrong and no other one is.
"""
# pyright: standard

import ccxt
import ccxt.async_support
import ccxt.pro

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp.simulator import Simulator


def names(okx: ccxt_mmp.okx, asynchronous: ccxt_mmp.async_support.okx, pro: ccxt_mmp.pro.binance) -> None:
    okx.fetch_tikcer('X')  # error: there is no such method
    okx.watch_orders_for_ever('X')  # error: there is no such method
    asynchronous.fetch_tikcer('X')  # error: there is no such method
    pro.watch_oders('X')  # error: there is no such method


async def await_that_is_too_much(okx: ccxt_mmp.okx, binance: ccxt_mmp.binance) -> None:
    await okx.fetch_ticker('X')  # error: a ticker is not awaitable
    await binance.cancel_order('1', 'X')  # error: an order is not awaitable
    await okx.create_order('X', 'limit', 'buy', 10, 0.01)  # error: an order is not awaitable
    async with okx as entered:  # error: a sync one is not entered
        entered.describe()


async def await_that_is_missing(okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.pro.binance) -> None:
    okx.fetch_ticker('X')['last']  # error: a coroutine has no keys
    okx.cancel_order('1', 'X')['id']  # error: a coroutine has no keys
    okx.edit_order('1', 'X', 'limit', 'buy')['id']  # error: a coroutine has no keys
    okx.create_order('X', 'limit', 'buy', 10, 0.01)['id']  # error: a coroutine has no keys
    binance.watch_orders('X')[0]  # error: a coroutine has no items
    with okx as entered:  # error: it is entered by async with
        entered.describe()


async def arguments(okx: ccxt_mmp.okx, pro: ccxt_mmp.pro.okx) -> None:
    okx.fetch_ticker(['X'])  # error: a list is no symbol
    okx.cancel_order()  # error: an id is required
    okx.edit_order('1', 'X', 'limit', 'hold')  # error: there is no such side
    okx.create_orders([1, 2])  # error: numbers are no orders
    okx.cancel_orders([1, 2], 'X')  # error: ids are strings
    await pro.cancel_order(5)  # error: an id is a string
    await pro.watch_orders(5)  # error: a number is no symbol
    (await pro.watch_orders())[0]['orderId']  # error: there is no such key


async def extended(okx: ccxt.okx, asynchronous: ccxt.async_support.okx, pro: ccxt.pro.binance) -> None:
    okx.fetch_mmp('BTC/USD')  # error: it has not been extended
    await ccxt_mmp.extend(okx).fetch_mmp('BTC/USD')  # error: a state is not awaitable
    ccxt_mmp.extend(asynchronous).fetch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys
    ccxt_mmp.extend(asynchronous).watch_oders('X')  # error: there is no such method
    ccxt_mmp.extend(pro).fetch_mmp('BTC/USDT')['frozen']  # error: a coroutine has no keys
    ccxt_mmp.extend(ccxt_mmp.okx).fetch_mmp('BTC/USD')  # error: a class is no object
    ccxt_mmp.extend('okx')  # error: a name is no object


def connected(simulator: Simulator) -> None:
    simulator.connect('okx')  # error: a name is no class
    simulator.connect(ccxt_mmp.okx())  # error: an object is no class
    simulator.connect(ccxt.okx).fetch_mmp('BTC/USD')  # error: it has not been extended
