"""What users write, for the type checkers alone: never run. ``tests/test_typing.py`` checks that it has no error."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable
from decimal import Decimal
from typing import Any, TypedDict

import ccxt
import ccxt.async_support
import ccxt.pro
from typing_extensions import assert_type

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import (
    AsyncMmp,
    BinanceMmp,
    MassCancel,
    MassCancelIncomplete,
    MassCancelLocked,
    Mmp,
    MmpFrozen,
    MmpHalt,
    MmpHalted,
    MmpNotEnabled,
    MmpState,
    OkxMmp,
    SyncMmp,
)
from ccxt_mmp.simulator import Simulator
from ccxt_mmp.types import Scope

# --- sync: results


def sync(exchange: ccxt_mmp.okx) -> None:
    assert_type(exchange.set_mmp('BTC/USD', 5000, 2000, 100), MmpState)
    assert_type(exchange.set_mmp('BTC/USD', window='5000', frozenTime=0, qtyLimit=Decimal('0.5')), MmpState)
    assert_type(exchange.set_mmp(None, 5000, 2000, params={'scope': 'rfq', 'countLimit': 3}), MmpState)
    assert_type(exchange.reset_mmp(), MmpState)
    assert_type(exchange.reset_mmp('BTC/USD', {'scope': 'orders'}), MmpState)
    assert_type(exchange.fetch_mmp('BTC/USD'), MmpState)
    assert_type(exchange.fetch_mmps(['BTC/USD', 'ETH/USD']), dict[str, MmpState])
    assert_type(exchange.fetch_mmps(('BTC/USD',)), dict[str, MmpState])
    assert_type(exchange.fetch_mmps()['BTC/USD:BTC']['frozen'], bool | None)
    assert_type(exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 10000}), MassCancel)
    assert_type(exchange.mass_cancel_mmp_ws('BTC/USD'), MassCancel)
    assert_type(exchange.mass_cancel_mmp('BTC/USD', {'halt': True}), MassCancel)
    assert_type(exchange.mass_cancel_mmps(), dict[str, MassCancel])
    assert_type(exchange.mass_cancel_mmps(['BTC/USD'], {'lockInterval': 10000}), dict[str, MassCancel])
    assert_type(exchange.halt_mmp(), MmpHalt)
    assert_type(exchange.halt_mmp('BTC/USD', {'reason': 'a wild market', 'duration': 60000})['until'], int | None)
    assert_type(exchange.resume_mmp('BTC/USD'), MmpHalt)
    assert_type(exchange.fetch_mmp_halt(), MmpHalt | None)
    assert_type(exchange.fetch_mmp_halts(), list[MmpHalt])
    try:
        exchange.create_order('BTC/USD:BTC-271231-100000-C', 'limit', 'buy', 1, 5, {'mmp': True})
    except MmpHalted as error:
        assert_type(error.halt, MmpHalt | None)
        assert_type(len(error.orders), int)
    exchange.warm_up()
    exchange.warm_up({'hedge': True})


def sync_binance(exchange: ccxt_mmp.binance) -> None:
    assert_type(exchange.set_mmp('BTC/USDT', 3000, 300000, 1, deltaLimit='0.5'), MmpState)
    assert_type(exchange.reset_mmp('BTC/USDT'), MmpState)
    assert_type(exchange.fetch_mmp('BTC/USDT'), MmpState)
    assert_type(exchange.fetch_mmps(['BTC/USDT']), dict[str, MmpState])
    assert_type(exchange.mass_cancel_mmp('BTC/USDT', {'includeNonMmp': True}), MassCancel)
    exchange.warm_up()


def made() -> None:
    assert_type(ccxt_mmp.okx({'apiKey': '...'}).fetch_mmp('BTC/USD'), MmpState)
    assert_type(ccxt_mmp.binance().fetch_mmp('BTC/USDT'), MmpState)
    assert_type(ccxt_mmp.deribit().fetch_mmp('BTC/USD'), MmpState)
    assert_type(ccxt_mmp.deribit().set_mmp('BTC/USD', 3000, 0, 5, None, {'maxQuoteQuantity': 2}), MmpState)
    assert_type(ccxt_mmp.deribit().mass_cancel_mmp('BTC/USD'), MassCancel)
    assert_type(ccxt_mmp.bybit().fetch_mmp('BTC'), MmpState)
    assert_type(ccxt_mmp.bybit().set_mmp('BTC', 5000, 0, 50, 20, {'vegaLimit': 1000}), MmpState)
    assert_type(ccxt_mmp.bybit().mass_cancel_mmp('BTC', {'includeNonMmp': True}), MassCancel)


# --- async: coroutines of the same


async def asynchronous(exchange: ccxt_mmp.async_support.okx) -> None:
    assert_type(await exchange.set_mmp('BTC/USD', 5000, 2000, 100), MmpState)
    assert_type(await exchange.set_mmp('BTC/USD', window='5000', frozenTime=0, qtyLimit=Decimal('0.5')), MmpState)
    assert_type(await exchange.reset_mmp('BTC/USD'), MmpState)
    assert_type(await exchange.fetch_mmp('BTC/USD'), MmpState)
    assert_type(await exchange.fetch_mmps(['BTC/USD']), dict[str, MmpState])
    assert_type(await exchange.mass_cancel_mmp('BTC/USD'), MassCancel)
    assert_type(await exchange.mass_cancel_mmps(['BTC/USD', 'ETH/USD']), dict[str, MassCancel])
    await exchange.warm_up()


async def watching(exchange: ccxt_mmp.pro.okx, binance: ccxt_mmp.pro.binance) -> None:
    assert_type(await exchange.watch_mmp('BTC/USD'), MmpState)
    assert_type(await exchange.watch_mmp('BTC/USD', {'pollInterval': 500}), MmpState)
    assert_type(await binance.watch_mmps(['BTC/USDT']), dict[str, MmpState])
    assert_type((await exchange.watch_mmps())['BTC/USD:BTC']['frozen'], bool | None)
    await exchange.un_watch_mmp()
    await binance.un_watch_mmp('BTC/USDT')


async def halted(exchange: ccxt_mmp.async_support.okx, other: ccxt_mmp.pro.binance) -> None:
    assert_type(await exchange.halt_mmp('BTC/USD'), MmpHalt)
    assert_type(await exchange.resume_mmp(), MmpHalt)
    assert_type(await other.fetch_mmp_halt('BTC/USDT'), MmpHalt | None)
    assert_type(await other.fetch_mmp_halts(), list[MmpHalt])


async def asynchronous_binance(exchange: ccxt_mmp.async_support.binance) -> None:
    assert_type(await exchange.set_mmp('BTC/USDT', 3000, 0, 1, '0.5'), MmpState)
    assert_type(await exchange.reset_mmp('BTC/USDT'), MmpState)
    assert_type(await exchange.fetch_mmp('BTC/USDT'), MmpState)
    assert_type(await exchange.fetch_mmps(['BTC/USDT']), dict[str, MmpState])
    assert_type(await exchange.mass_cancel_mmp('BTC/USDT'), MassCancel)
    await exchange.warm_up()


# not by assert_type: to mypy it is a Coroutine, to pyright a CoroutineType, which is one
class Pending(TypedDict):
    state: Coroutine[Any, Any, MmpState]
    states: Coroutine[Any, Any, dict[str, MmpState]]
    mass_cancel: Coroutine[Any, Any, MassCancel]
    warm_up: Coroutine[Any, Any, None]


def not_awaited_yet(
    okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.async_support.binance, pro: ccxt_mmp.pro.okx
) -> list[Pending]:
    return [
        {
            'state': okx.set_mmp('BTC/USD', 5000, 2000, 100),
            'states': okx.fetch_mmps(),
            'mass_cancel': okx.mass_cancel_mmp('BTC/USD'),
            'warm_up': okx.warm_up(),
        },
        {
            'state': binance.reset_mmp('BTC/USDT'),
            'states': binance.fetch_mmps(['BTC/USDT']),
            'mass_cancel': binance.mass_cancel_mmp('BTC/USDT'),
            'warm_up': binance.warm_up(),
        },
        {
            'state': pro.fetch_mmp('BTC/USD'),
            'states': pro.fetch_mmps(),
            'mass_cancel': pro.mass_cancel_mmp('BTC/USD'),
            'warm_up': pro.warm_up(),
        },
    ]


async def gathered(exchange: ccxt_mmp.async_support.okx) -> None:
    states = await asyncio.gather(exchange.fetch_mmp('BTC/USD'), exchange.reset_mmp('BTC/USD'))
    assert_type(states, tuple[MmpState, MmpState])
    assert_type(await asyncio.create_task(exchange.mass_cancel_mmp('BTC/USD')), MassCancel)


async def made_asynchronous() -> None:
    assert_type(await ccxt_mmp.async_support.okx({'apiKey': '...'}).fetch_mmp('BTC/USD'), MmpState)
    assert_type(await ccxt_mmp.async_support.binance().fetch_mmp('BTC/USDT'), MmpState)
    assert_type(await ccxt_mmp.async_support.deribit().fetch_mmps(), dict[str, MmpState])
    assert_type(await ccxt_mmp.pro.deribit().reset_mmp('BTC/USD'), MmpState)
    assert_type(await ccxt_mmp.async_support.bybit().fetch_mmps(['BTC']), dict[str, MmpState])
    assert_type(await ccxt_mmp.pro.bybit().watch_mmp('BTC'), MmpState)


# --- pro: as async


async def pro(okx: ccxt_mmp.pro.okx, binance: ccxt_mmp.pro.binance) -> None:
    assert_type(await okx.set_mmp('BTC/USD', 5000, 0, 100), MmpState)
    assert_type(await okx.reset_mmp('BTC/USD'), MmpState)
    assert_type(await okx.fetch_mmp('BTC/USD'), MmpState)
    assert_type(await okx.fetch_mmps(), dict[str, MmpState])
    assert_type(await okx.mass_cancel_mmp('BTC/USD'), MassCancel)
    assert_type(await okx.mass_cancel_mmp('BTC/USD', {'hedge': True}), MassCancel)
    assert_type(await okx.mass_cancel_mmp_ws('BTC/USD', {'lockInterval': 1000}), MassCancel)
    await okx.warm_up({'hedge': True})
    assert_type(await binance.set_mmp('BTC/USDT', 3000, 0, 1, '0.5'), MmpState)
    assert_type(await binance.reset_mmp('BTC/USDT'), MmpState)
    assert_type(await binance.fetch_mmp('BTC/USDT'), MmpState)
    assert_type(await binance.fetch_mmps(['BTC/USDT']), dict[str, MmpState])
    assert_type(await binance.mass_cancel_mmp('BTC/USDT'), MassCancel)
    assert_type(await binance.mass_cancel_mmp_ws('BTC/USDT'), MassCancel)
    await binance.warm_up()


# --- what is entered, extended and connected is of its own class


async def entered() -> None:
    async with ccxt_mmp.async_support.okx({'apiKey': '...'}) as okx, ccxt_mmp.async_support.binance() as binance:
        assert_type(okx, ccxt_mmp.async_support.okx)
        assert_type(binance, ccxt_mmp.async_support.binance)
        assert_type(await okx.fetch_mmp('BTC/USD'), MmpState)
    async with ccxt_mmp.pro.okx() as pro_okx, ccxt_mmp.pro.binance() as pro_binance, MyProOkx() as mine:
        assert_type(pro_okx, ccxt_mmp.pro.okx)
        assert_type(pro_binance, ccxt_mmp.pro.binance)
        assert_type(mine, MyProOkx)


def extended(
    okx: ccxt_mmp.okx, binance: ccxt_mmp.async_support.binance, pro: ccxt_mmp.pro.okx, more: 'MoreOfIt'
) -> None:
    assert_type(ccxt_mmp.extend(okx), ccxt_mmp.okx)
    assert_type(ccxt_mmp.extend(binance), ccxt_mmp.async_support.binance)
    assert_type(ccxt_mmp.extend(pro), ccxt_mmp.pro.okx)
    assert_type(ccxt_mmp.extend(more), MoreOfIt)


async def connected() -> None:
    with Simulator() as simulator:
        assert_type(simulator.connect(ccxt_mmp.okx), ccxt_mmp.okx)
        assert_type(simulator.connect(ccxt_mmp.binance, enableRateLimit=False), ccxt_mmp.binance)
        assert_type(simulator.connect(ccxt_mmp.async_support.okx), ccxt_mmp.async_support.okx)
        assert_type(simulator.connect(ccxt_mmp.pro.binance, timeout=100), ccxt_mmp.pro.binance)
        assert_type(simulator.connect(MoreOfIt), MoreOfIt)
        assert_type(simulator.connect(ccxt_mmp.okx).fetch_mmp('BTC/USD'), MmpState)
        assert_type(await simulator.connect(ccxt_mmp.pro.okx).fetch_mmp('BTC/USD'), MmpState)


# --- any of them, by what all have in common


def unified(exchange: Mmp) -> None:
    assert_type(exchange.fetch_mmp('BTC/USD'), MmpState | Awaitable[MmpState])


def every_sync_one_is_one(okx: ccxt_mmp.okx, binance: ccxt_mmp.binance) -> list[SyncMmp]:
    unified(okx)
    return [okx, binance]


def every_asynchronous_one_is_one(okx: ccxt_mmp.async_support.okx, binance: ccxt_mmp.pro.binance) -> list[AsyncMmp]:
    unified(binance)
    return [okx, binance]


# --- answers


def state(answer: MmpState) -> None:
    assert_type(answer['info'], dict[str, Any])
    assert_type(answer['underlying'], str | None)
    assert_type(answer['underlyingId'], str | None)
    assert_type(answer['scope'], Scope)
    assert_type(answer['enabled'], bool | None)
    assert_type(answer['window'], int | None)
    assert_type(answer['frozenTime'], int | None)
    assert_type(answer['qtyLimit'], float | None)
    assert_type(answer['qtyLimitBase'], float | None)
    assert_type(answer['deltaLimit'], float | None)
    assert_type(answer['vegaLimit'], float | None)
    assert_type(answer['countLimit'], int | None)
    assert_type(answer['maxQuoteQuantity'], float | None)
    assert_type(answer['frozen'], bool | None)
    assert_type(answer['frozenUntil'], int | None)
    assert_type(answer['lastTriggerTimestamp'], int | None)
    assert_type(answer['timestamp'], int | None)
    assert_type(answer['datetime'], str | None)


def mass_cancel(answer: MassCancel) -> None:
    assert_type(answer['info'], Any)
    assert_type(answer['underlying'], str | None)
    assert_type(answer['underlyingId'], str)
    assert_type(answer['orders'], list[dict[str, Any]] | None)
    assert_type(answer['lockedUntil'], int | None)
    assert_type(answer['timestamp'], int | None)
    assert_type(answer['datetime'], str | None)
    for order in answer['orders'] or ():
        assert_type(order, dict[str, Any])


# --- errors


def errors(exchange: ccxt_mmp.okx) -> list[str]:
    try:
        exchange.mass_cancel_mmp('BTC/USD')
    except MassCancelIncomplete as error:
        assert_type(error.cancelled, list[str])
        assert_type(error.remaining, list[str])
        assert_type(error.unknown, list[str])
        assert_type(error.results, dict[str, MassCancel | Exception])
        return error.remaining
    except (MmpFrozen, MmpNotEnabled, MassCancelLocked) as refusal:
        return [str(refusal), *(str(order['id']) for order in refusal.orders)]
    return []


def incomplete(ids: Iterable[str]) -> MassCancelIncomplete:
    return MassCancelIncomplete('of BTC-USD', cancelled=ids, remaining=('1', '2'))


# --- classes of the user's own


class MyOkx(SyncMmp, OkxMmp, ccxt.okx):
    def is_frozen(self) -> bool | None:
        return self.fetch_mmp('BTC/USD')['frozen']


class MyBinance(AsyncMmp, BinanceMmp, ccxt.async_support.binance):  # pyright: ignore[reportIncompatibleMethodOverride]
    async def is_frozen(self) -> bool | None:
        return (await self.fetch_mmp('BTC/USDT'))['frozen']


class MyProOkx(AsyncMmp, OkxMmp, ccxt.pro.okx):
    pass


class MoreOfIt(ccxt_mmp.okx):
    def fetch_mmp(self, underlying: str | None = None, params: dict[str, Any] = {}) -> MmpState:
        return super().fetch_mmp(underlying, params)


async def of_ones_own(mine: MyOkx, binance: MyBinance, okx: MyProOkx, more: MoreOfIt) -> None:
    assert_type(mine.is_frozen(), bool | None)
    assert_type(mine.mass_cancel_mmp('BTC/USD'), MassCancel)
    assert_type(await binance.is_frozen(), bool | None)
    assert_type(await okx.fetch_mmps(), dict[str, MmpState])
    assert_type(more.fetch_mmp('BTC/USD'), MmpState)
