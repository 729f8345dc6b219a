"""Right uses of what comes from ccxt, for the type checkers that read ccxt: never run."""
# pyright: standard
# (strict: ccxt's params are a dict of nobody knows what)

from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro
from ccxt.base.types import Order, OrderBook, Ticker
from typing_extensions import assert_type

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import AsyncMmp, BinanceMmp, MmpState, OkxMmp, SyncMmp
from ccxt_mmp.simulator import Simulator

# --- ccxt's own methods


def sync(okx: ccxt_mmp.okx, binance: ccxt_mmp.binance) -> None:
    assert_type(okx.fetch_ticker('X'), Ticker)
    assert_type(okx.fetch_order_book('X'), OrderBook)
    assert_type(okx.cancel_order('1', 'X'), Order)
    assert_type(okx.edit_order('1', 'X', 'limit', 'buy', 10, 0.01), Order)
    assert_type(okx.fetch_order('1', 'X'), Order)
    assert_type(okx.id, str)
    assert_type(binance.fetch_ticker('X'), Ticker)
    assert_type(binance.cancel_order('1', 'X'), Order)
    assert_type(binance.edit_order('1', 'X', 'limit', 'buy', 10, 0.01), Order)


async def asynchronous(okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.async_support.binance) -> None:
    assert_type(await okx.fetch_ticker('X'), Ticker)
    assert_type(await okx.fetch_order_book('X'), OrderBook)
    assert_type(await okx.cancel_order('1', 'X'), Order)
    assert_type(await okx.edit_order('1', 'X', 'limit', 'buy', 10, 0.01), Order)
    assert_type(await okx.fetch_order('1', 'X'), Order)
    assert_type(okx.id, str)
    assert_type(await binance.fetch_ticker('X'), Ticker)
    assert_type(await binance.cancel_order('1', 'X'), Order)
    assert_type(await binance.edit_order('1', 'X', 'limit', 'buy', 10, 0.01), Order)


async def pro(okx: ccxt_mmp.pro.okx, binance: ccxt_mmp.pro.binance) -> None:
    assert_type(await okx.fetch_ticker('X'), Ticker)
    assert_type(await okx.cancel_order('1', 'X'), Order)
    assert_type(await okx.edit_order('1', 'X', 'limit', 'buy', 10, 0.01), Order)
    assert_type(await okx.watch_orders(params={'type': 'option'}), list[Order])
    assert_type(await okx.watch_ticker('X'), Ticker)
    assert_type(await okx.cancel_order_ws('1', 'X'), Order)
    assert_type(await binance.fetch_ticker('X'), Ticker)
    assert_type(await binance.cancel_order('1', 'X'), Order)
    assert_type(await binance.edit_order('1', 'X', 'limit', 'buy', 10, 0.01), Order)
    assert_type(await binance.watch_orders('X'), list[Order])
    assert_type(await binance.watch_ticker('X'), Ticker)


# --- those of ccxt's methods that know the flag here


def sync_orders(okx: ccxt_mmp.okx, binance: ccxt_mmp.binance) -> None:
    for exchange in (okx, binance):
        assert_type(exchange.create_order('X', 'limit', 'buy', 10, 0.01, {'mmp': True}), Order)
        assert_type(exchange.create_orders([{'symbol': 'X', 'params': {'mmp': True}}]), list[Order])
        assert_type(exchange.fetch_open_orders(params={'mmp': True}), list[Order])
        assert_type(exchange.fetch_canceled_orders('X'), list[Order])
        assert_type(exchange.cancel_orders(['1'], 'X'), list[Order])
        assert_type(exchange.cancel_all_orders_after(10000), dict[str, Any])


async def asynchronous_orders(
    okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.async_support.binance, pro: ccxt_mmp.pro.okx
) -> None:
    for exchange in (okx, binance, pro):
        assert_type(await exchange.create_order('X', 'limit', 'buy', 10, 0.01, {'mmp': True}), Order)
        assert_type(await exchange.create_orders([{'symbol': 'X', 'params': {'mmp': True}}]), list[Order])
        assert_type(await exchange.fetch_open_orders(params={'mmp': True}), list[Order])
        assert_type(await exchange.fetch_canceled_orders('X'), list[Order])
        assert_type(await exchange.cancel_orders(['1'], 'X'), list[Order])
        assert_type(await exchange.cancel_all_orders_after(10000), dict[str, Any])
    order = await pro.create_order('X', 'limit', 'buy', 10, 0.01, {'mmp': True})
    if order.get('mmp') and order['status'] == 'open':
        assert_type(order['clientOrderId'], str | None)
    assert_type(await pro.create_order_ws('X', 'limit', 'buy', 10, 0.01, {'mmp': True}), Order)
    assert_type(await pro.create_orders_ws([{'symbol': 'X', 'params': {'mmp': True}}]), list[Order])


# --- what is made of stock objects and classes


def extended_sync(okx: ccxt.okx, binance: ccxt.binance, exchange: ccxt.Exchange) -> None:
    assert_type(ccxt_mmp.extend(okx), ccxt_mmp.okx)
    assert_type(ccxt_mmp.extend(okx).fetch_mmp('BTC/USD'), MmpState)
    assert_type(ccxt_mmp.extend(binance), ccxt_mmp.binance)
    assert_type(ccxt_mmp.extend(binance).fetch_mmp('BTC/USDT'), MmpState)
    assert_type(ccxt_mmp.extend(exchange).fetch_mmp('BTC/USD'), MmpState)
    assert_type(ccxt_mmp.extend(exchange).id, str)


async def extended_async(
    okx: ccxt.async_support.okx, binance: ccxt.async_support.binance, exchange: ccxt.async_support.Exchange
) -> None:
    assert_type(ccxt_mmp.extend(okx), ccxt_mmp.async_support.okx)
    assert_type(await ccxt_mmp.extend(okx).fetch_mmp('BTC/USD'), MmpState)
    assert_type(ccxt_mmp.extend(binance), ccxt_mmp.async_support.binance)
    assert_type(await ccxt_mmp.extend(binance).fetch_mmp('BTC/USDT'), MmpState)
    assert_type(await ccxt_mmp.extend(exchange).fetch_mmp('BTC/USD'), MmpState)
    assert_type(ccxt_mmp.extend(exchange).id, str)


async def extended_pro(okx: ccxt.pro.okx, binance: ccxt.pro.binance) -> None:
    assert_type(ccxt_mmp.extend(okx), ccxt_mmp.pro.okx)
    assert_type(await ccxt_mmp.extend(okx).watch_orders(), list[Order])
    assert_type(ccxt_mmp.extend(binance), ccxt_mmp.pro.binance)
    assert_type(await ccxt_mmp.extend(binance).fetch_mmp('BTC/USDT'), MmpState)


class Quoter(ccxt.okx):
    def quote(self) -> int:
        return 1


def extended_of_ones_own(quoter: Quoter) -> None:
    extended = ccxt_mmp.extend(quoter)
    assert_type(extended.fetch_mmp('BTC/USD'), MmpState)
    assert_type(extended.fetch_ticker('X'), Ticker)
    assert_type(quoter.quote(), int)


def connected_stock(simulator: Simulator) -> None:
    assert_type(simulator.connect(ccxt.okx), ccxt.okx)
    assert_type(simulator.connect(ccxt.async_support.binance), ccxt.async_support.binance)
    assert_type(simulator.connect(ccxt.pro.okx), ccxt.pro.okx)
    assert_type(simulator.connect(Quoter).quote(), int)


# --- classes of the user's own
#
# Where a class of ccxt has no method of a front, it has the base's, which only raises: to return is to contradict it.
# Binance's rawencode needs to know the object, and ccxt's is static.


class MyOkx(SyncMmp, OkxMmp, ccxt.okx):
    pass


class MyAsyncOkx(AsyncMmp, OkxMmp, ccxt.async_support.okx):  # pyright: ignore[reportIncompatibleMethodOverride]
    pass


class MyProOkx(AsyncMmp, OkxMmp, ccxt.pro.okx):
    pass


class MyBinance(SyncMmp, BinanceMmp, ccxt.binance):  # pyright: ignore[reportIncompatibleMethodOverride]
    pass


class MyAsyncBinance(AsyncMmp, BinanceMmp, ccxt.async_support.binance):  # pyright: ignore[reportIncompatibleMethodOverride]
    pass


class MyProBinance(AsyncMmp, BinanceMmp, ccxt.pro.binance):  # pyright: ignore[reportIncompatibleMethodOverride]
    pass


class MoreOfIt(ccxt_mmp.pro.okx):
    async def cancel_order(self, id: str, symbol: str | None = None, params: dict[str, Any] = {}) -> Order:
        return await super().cancel_order(id, symbol, params)

    async def create_order(
        self, symbol: str, type: str, side: str, amount: Any, price: Any = None, params: dict[str, Any] = {}
    ) -> Order:
        return await super().create_order(symbol, type, side, amount, price, params)


async def of_ones_own(okx: MyOkx, asynchronous: MyAsyncBinance, pro: MyProOkx, more: MoreOfIt) -> None:
    assert_type(okx.fetch_ticker('X'), Ticker)
    assert_type(okx.fetch_mmp('BTC/USD'), MmpState)
    assert_type(await asynchronous.cancel_order('1', 'X'), Order)
    assert_type(await pro.watch_orders(), list[Order])
    assert_type(await more.watch_orders(), list[Order])
    async with MyProOkx() as exchange:
        assert_type(exchange, MyProOkx)
