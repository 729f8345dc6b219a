"""What is a coroutine function in ccxt is one in this package, too."""

import asyncio
import inspect

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro

PAIRS = [(ccxt.async_support, ccxt_mmp.async_support), (ccxt.pro, ccxt_mmp.pro)]


def coroutine_functions(kind):
    return {name for name in dir(kind) if inspect.iscoroutinefunction(getattr(kind, name))}


@pytest.mark.parametrize(('stock', 'ours'), PAIRS, ids=['async', 'pro'])
def test_coroutine_functions_of_ccxt_are_coroutine_functions(stock, ours, exchange_id):
    expected = coroutine_functions(getattr(stock, exchange_id))
    assert {'cancel_order', 'fetch_my_trades'} <= expected
    assert expected <= coroutine_functions(getattr(ours, exchange_id))


@pytest.mark.parametrize(('stock', 'ours'), PAIRS, ids=['async', 'pro'])
def test_signatures_stay(stock, ours, exchange_id):
    for name in ('cancel_order', 'fetch_positions', 'fetch_my_trades', 'edit_orders'):
        said, expected = (
            list(inspect.signature(getattr(getattr(each, exchange_id), name)).parameters) for each in (ours, stock)
        )
        assert said == expected, name


@pytest.mark.parametrize(('stock', 'ours'), PAIRS, ids=['async', 'pro'])
def test_what_is_refused_is_raised_when_it_is_awaited(stock, ours, exchange_id):
    async def main():
        async with getattr(ours, exchange_id)({'timeout_on_exit': 0}) as exchange:
            calls = [exchange.fetch_positions(None, {'mmp': True}), exchange.fetchPositions(None, {'mmp': True})]
            return await asyncio.gather(*calls, return_exceptions=True)

    assert [type(each) for each in asyncio.run(main())] == [ccxt.NotSupported] * 2


def test_method_of_a_class_of_the_user_stays_as_it_is():
    class Mine(ccxt_mmp.async_support.okx):
        def fetch_positions(self, symbols=None, params={}):
            return 'mine'

    assert Mine.fetch_positions is vars(Mine)['fetch_positions']
    assert not inspect.iscoroutinefunction(Mine.fetch_positions)
    assert inspect.iscoroutinefunction(Mine.fetch_position)


def test_class_of_the_user_below_may_have_plain_methods():
    class Mine(ccxt.async_support.okx):
        def fetch_positions(self, symbols=None, params={}):
            return ['mine', params]

    class Protected(ccxt_mmp.AsyncMmp, ccxt_mmp.OkxMmp, Mine):
        pass

    async def main():
        async with Protected({'timeout_on_exit': 0}) as exchange:
            return await exchange.fetch_positions(None, {'x': 1})

    assert asyncio.run(main()) == ['mine', {'x': 1}]
