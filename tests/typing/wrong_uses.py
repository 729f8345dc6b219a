"""What users get wrong, for the type checkers alone: never run. ``tests/test_typing.py`` checks that both flag it.

Every line that ends in ``# error: why`` is wrong and no other one is.
"""

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancel, MassCancelIncomplete, MmpState
from ccxt_mmp.simulator import Simulator


async def await_that_is_missing(
    okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.async_support.binance, pro: ccxt_mmp.pro.okx
) -> MmpState:
    okx.fetch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys
    binance.mass_cancel_mmp('BTC/USDT')['orders']  # error: a coroutine has no keys
    pro.fetch_mmps()['BTC/USD:BTC']  # error: a coroutine has no keys
    okx.reset_mmp('BTC/USD')  # error: nothing is sent
    pro.mass_cancel_mmp('BTC/USD')  # error: nothing is sent
    pro.mass_cancel_mmps()  # error: nothing is sent
    pro.warm_up()  # error: nothing is sent
    pro.watch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys
    pro.un_watch_mmp()  # error: nothing is sent
    await pro.watch_mmp()  # error: an underlying is required
    okx.halt_mmp()  # error: nothing is halted
    pro.fetch_mmp_halt()['until']  # error: a coroutine has no keys
    async with okx as entered:
        entered.fetch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys
    state: MmpState = binance.set_mmp('BTC/USDT', 3000, 0, 1, 0.5)  # error: a coroutine is no state
    return state


async def await_that_is_too_much(okx: ccxt_mmp.okx, binance: ccxt_mmp.binance) -> None:
    await okx.set_mmp('BTC/USD', 5000, 2000, 100)  # error: a state is not awaitable
    await okx.fetch_mmps()  # error: a dict is not awaitable
    await binance.mass_cancel_mmp('BTC/USDT')  # error: an answer is not awaitable
    await binance.warm_up()  # error: None is not awaitable
    await okx.resume_mmp()  # error: a halt is not awaitable
    okx.fetch_mmp_halt()['until']  # error: there may be none


def arguments(okx: ccxt_mmp.okx, binance: ccxt_mmp.binance) -> None:
    okx.set_mmp('BTC/USD', [5000], 2000, 100)  # error: a list is no window
    okx.set_mmp('BTC/USD', 5000, 2000, qtyLimit={'max': 1})  # error: a dict is no qtyLimit
    okx.set_mmp(5, 5000, 2000)  # error: a number is no underlying
    okx.set_mmp('BTC/USD')  # error: a rule has a window and a frozenTime
    okx.set_mmp('BTC/USD', 5000, 2000, quantity=100)  # error: there is no quantity
    okx.fetch_mmps([1, 2])  # error: numbers are no underlyings
    okx.mass_cancel_mmp()  # error: an underlying is required
    okx.mass_cancel_mmp(None)  # error: None is no underlying
    okx.mass_cancel_mmps([1, 2])  # error: numbers are no underlyings
    binance.mass_cancel_mmp('BTC/USDT', ['includeNonMmp'])  # error: params are a dict
    binance.reset_mmp(b'BTC/USDT')  # error: bytes are no underlying


def arguments_of_deribit(deribit: ccxt_mmp.deribit, pro: ccxt_mmp.pro.deribit) -> None:
    deribit.set_mmp('BTC/USD', 3000)  # error: a rule has a window and a frozenTime
    pro.fetch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys


def arguments_of_bybit(bybit: ccxt_mmp.bybit, pro: ccxt_mmp.pro.bybit) -> None:
    bybit.set_mmp('BTC', 5000)  # error: a rule has a window and a frozenTime
    pro.fetch_mmp('BTC')['frozen']  # error: a coroutine has no keys


async def asynchronous_arguments(okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.pro.binance) -> None:
    await okx.set_mmp('BTC/USD', [5000], 2000, 100)  # error: a list is no window
    await okx.mass_cancel_mmp()  # error: an underlying is required
    await binance.fetch_mmps([1, 2])  # error: numbers are no underlyings
    await binance.reset_mmp('BTC/USDT', ['scope'])  # error: params are a dict


def answers(okx: ccxt_mmp.okx, state: MmpState, answer: MassCancel) -> int:
    state['quantityLimit']  # error: there is no such key
    state['is_frozen']  # error: there is no such key
    answer['frozen']  # error: there is no such key
    okx.fetch_mmp('BTC/USD')['tripped']  # error: there is no such key
    okx.fetch_mmps()['BTC/USD:BTC']['orders']  # error: there is no such key
    state['scope'] = 'positions'  # error: there is no such scope
    return state['window']  # error: it may be None


def errors(error: MassCancelIncomplete) -> list[int]:
    return error.cancelled  # error: ids are strings


async def connected(simulator: Simulator) -> None:
    await simulator.connect(ccxt_mmp.okx).fetch_mmp('BTC/USD')  # error: a state is not awaitable
    simulator.connect(ccxt_mmp.async_support.okx).fetch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys
    simulator.connect(ccxt_mmp.pro.binance).fetch_mmp('BTC/USDT')['frozen']  # error: a coroutine has no keys


async def extended(okx: ccxt_mmp.okx, pro: ccxt_mmp.pro.okx) -> None:
    await ccxt_mmp.extend(okx).fetch_mmp('BTC/USD')  # error: a state is not awaitable
    ccxt_mmp.extend(pro).fetch_mmp('BTC/USD')['frozen']  # error: a coroutine has no keys
