"""What a mass cancel of one request costs beyond the bare request: no order rests and no limiter waits."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import ccxt.async_support

import ccxt_mmp.async_support
from benchmarks.measure import median, percentile, take_turns, take_turns_async
from benchmarks.report import Cell, Comparison, Result
from benchmarks.venue import connected, opened_venue
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET

ROUNDS = 1500
FAMILY, UNDERLYING = 'BTC-USD', 'BTCUSDT'
OURS, STOCK = 'ccxt_mmp', 'stock ccxt'
TARGET = 1.10

Calls = dict[str, Callable[[], Any]]


def run() -> Result:
    times: dict[str, dict[str, list[float]]] = {}
    with opened_venue(enforce_limits=False) as (_, url), ExitStack() as clients:
        for exchange_id, calls, official in (
            ('okx', _okx_calls, _python_okx),
            ('binance', _binance_calls, _binance_sdk),
        ):
            plugin, stock = (
                connected(getattr(module, exchange_id), url, enableRateLimit=False) for module in (ccxt_mmp, ccxt)
            )
            times[f'{exchange_id}, sync'] = take_turns({**calls(plugin, stock), **official(url, clients)}, ROUNDS)
            times[f'{exchange_id}, async'] = asyncio.run(_async_times(exchange_id, calls, url))
    details: list[dict[str, Cell]] = [
        {
            'mass cancel': what,
            'by': name,
            'p50 ms': median(each) * 1000,
            'p99 ms': percentile(each, 99) * 1000,
            'p50 / stock': round(median(each) / median(taken[STOCK]), 2),
        }
        for what, taken in times.items()
        for name, each in taken.items()
    ]
    comparisons = [
        Comparison(f'one mass cancel, {what}', median(each[OURS]), median(each[STOCK]), at_most=TARGET)
        for what, each in times.items()
    ]
    return Result(
        'overhead',
        f'one request, {ROUNDS} times each, limiter off (binance: includeNonMmp)',
        comparisons,
        details,
    )


async def _async_times(exchange_id: str, calls: Callable[[Any, Any], Calls], url: str) -> dict[str, list[float]]:
    plugin, stock = (
        connected(getattr(module, exchange_id), url, enableRateLimit=False)
        for module in (ccxt_mmp.async_support, ccxt.async_support)
    )
    async with plugin, stock:
        return await take_turns_async(calls(plugin, stock), ROUNDS)


def _okx_calls(plugin: Any, stock: Any) -> Calls:
    return {
        OURS: lambda: plugin.mass_cancel_mmp('BTC/USD'),
        STOCK: lambda: stock.privatePostTradeMassCancel({'instType': 'OPTION', 'instFamily': FAMILY}),
    }


def _binance_calls(plugin: Any, stock: Any) -> Calls:
    return {
        OURS: lambda: plugin.mass_cancel_mmp('BTC/USDT', {'includeNonMmp': True}),
        STOCK: lambda: stock.eapiPrivateDeleteAllOpenOrdersByUnderlying({'underlying': UNDERLYING}),
    }


def _python_okx(url: str, clients: ExitStack) -> Calls:
    if find_spec('okx') is None:
        return {}
    client = clients.enter_context(import_module('okx.Trade').TradeAPI(KEY, SECRET, PASSPHRASE, flag='0', domain=url))

    def mass_cancel() -> None:
        # it has no method for the endpoint: this is what all its methods go through
        answer = client._request_with_params(
            'POST', '/api/v5/trade/mass-cancel', {'instType': 'OPTION', 'instFamily': FAMILY}
        )
        if answer['code'] != '0':
            raise RuntimeError(f'python-okx was refused: {answer}')

    return {'python-okx': mass_cancel}


def _binance_sdk(url: str, clients: ExitStack) -> Calls:
    package = 'binance_sdk_derivatives_trading_options'
    if find_spec(package) is None:
        return {}
    configuration = import_module('binance_common.configuration').ConfigurationRestAPI(
        api_key=KEY, api_secret=SECRET, base_path=url
    )
    client = import_module(f'{package}.{package.removeprefix("binance_sdk_")}').DerivativesTradingOptions(configuration)
    # an answer is read when data() is called
    return {'binance-sdk': lambda: client.rest_api.cancel_all_option_orders_by_underlying(UNDERLYING).data()}
