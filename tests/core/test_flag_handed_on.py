"""No method of ccxt that has to do with orders, trades or positions hands the flag on to the exchange."""

import asyncio
import inspect
import json
import re
from functools import lru_cache

import ccxt
import pytest

from ccxt_mmp.registry import EXCHANGES
from tests.core.ordering import STOCK
from tests.trading import UNDERLYING, symbols, with_markets

VERBS = ('cancel', 'close', 'edit', 'fetch', 'un_watch', 'watch')  # those that create orders read it
OF_ORDERS = re.compile(rf'({"|".join(VERBS)})_.*(order(?!_book)|my_trade|position(?!_mode|s?_adl))')
FLAG = re.compile(r"""['"?&]mmp['"=]""")  # as a name, in JSON, a query or what is shown
ANSWER = {'code': '0', 'data': [], 'retCode': 0, 'result': {'list': []}}
ARGUMENTS = {
    'id': '1',
    'ids': ['1'],
    'clientOrderId': '1',
    'clientOrderIds': ['1'],
    'type': 'limit',
    'side': 'buy',
    'amount': 10,
    'price': 5,
    'timeout': 10_000,
}
OF_MARKETS = {
    'symbol': lambda symbol: symbol,
    'symbols': lambda symbol: [symbol],
    'order': lambda symbol: {'id': '1', 'symbol': symbol},
    'orders': lambda symbol: [
        {'id': '1', 'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': {'mmp': True}}
    ],
}


class Wire(list):
    """What an exchange would send, in words. Nothing is sent."""

    def __init__(self, exchange):
        super().__init__()
        exchange.fetch = self.fetch if exchange.synchronous else self.fetch_later
        exchange.watch = exchange.watch_multiple = self.watch
        exchange.authenticate = self.authenticate

    def fetch(self, url, method='GET', headers=None, body=None):
        self.append(f'{url} {body}')
        return ANSWER

    async def fetch_later(self, *arguments, **keywords):
        return self.fetch(*arguments, **keywords)

    async def watch(self, url, hashes, message=None, *arguments):
        self.append(f'{url} {hashes} {json.dumps(message)}')
        raise ccxt.NetworkError('there is nobody')

    async def authenticate(self, params={}):
        self.append(str(params))


@lru_cache
def methods(exchange_class):
    """Names with parameters, without those of the package itself."""
    found = {name: getattr(exchange_class, name) for name in dir(exchange_class) if OF_ORDERS.match(name)}
    signatures = {name: inspect.signature(method).parameters for name, method in found.items()}
    return {name: list(given.values())[1:] for name, given in signatures.items() if 'params' in given}


def asked(parameter, symbol):
    if parameter.name == 'params':
        return {'mmp': True}
    if parameter.name in OF_MARKETS:
        return OF_MARKETS[parameter.name](symbol)
    return ARGUMENTS.get(parameter.name, None if parameter.default is parameter.empty else parameter.default)


@pytest.mark.parametrize(('exchange_id', 'is_unified'), [*((each, True) for each in EXCHANGES), ('bybit', False)])
def test_flag_is_handed_on_by_no_method_of_orders_trades_and_positions(flavour, exchange_id, is_unified):
    exchange = with_markets(flavour.exchange(exchange_id))
    exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=is_unified)
    wire, handed_on, tried = Wire(exchange), [], set()
    for symbol in (symbols(exchange, UNDERLYING[exchange_id])[0], 'BTC/USDT:USDT', 'BTC/USDT'):
        exchange.options['defaultType'] = exchange.market(symbol)['type']
        for name, parameters in methods(type(exchange)).items():
            wire.clear()
            try:
                call = getattr(exchange, name)(*(asked(each, symbol) for each in parameters))
                while inspect.isawaitable(call):  # some of ccxt's own return what they should have awaited
                    call = flavour.take(asyncio.wait_for(call, 60))
            except Exception:  # noqa: BLE001, S110 - what it says of the answer is no matter
                pass
            tried |= {name} if wire else set()
            handed_on += [(name, symbol, each) for each in wire if FLAG.search(each)]
    assert handed_on == []
    assert {'cancel_order', 'fetch_open_orders'} <= tried


def test_methods_of_orders_are_found():
    """Else the test above would try none."""
    found = methods(STOCK['pro'].binance).keys() | methods(STOCK['pro'].bybit).keys()
    assert {'edit_spot_order', 'edit_contract_order', 'edit_orders', 'close_position', 'fetch_positions_risk'} <= found
    assert {'fetch_orders_classic', 'un_watch_orders', 'watch_positions', 'watch_my_trades'} <= found
    assert not found & {'fetch_order_book', 'create_order', 'fetch_position_mode', 'fetch_mmp'}
