"""How the tests of orders place them, and what rests then."""

from collections import Counter
from functools import lru_cache

import ccxt
import ccxt.async_support
import ccxt.pro

from tests.trading import OPTIONS_OF_EACH, UNDERLYING, symbols, with_markets

STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
NOW = 1_790_000_000_000
LARGEST = {'okx': 20, 'binance': 10, 'deribit': 1, 'bybit': 20}  # orders in a request


def create(flavour, exchange, symbol, params, kind='limit', price=5):
    return flavour.take(exchange.create_order(symbol, kind, 'buy', 10, price, params))


def resting(simulator, exchange_id):
    return simulator.resting(exchange_id, UNDERLYING[exchange_id])


def list_few(simulator):
    """Let it list the first options of each underlying alone: ccxt takes 0.1 s to read them all."""
    engine, count, few = simulator._engine, Counter(), {}
    for key, each in engine.instruments.items():
        alike = (each.venue, each.kind, each.base, each.settle)
        count[alike] += 1
        if count[alike] <= OPTIONS_OF_EACH:
            few[key] = each
    engine.instruments = few


def listed(symbols, count, **terms):
    """Orders of several symbols, with a price each by which they can be told."""
    return [
        {
            'symbol': symbols[index % len(symbols)],
            'type': 'limit',
            'side': 'buy',
            'amount': 10,
            'price': index + 1,
            'params': {'mmp': True},
            **terms,
        }
        for index in range(count)
    ]


def batches(simulator):
    return [
        request
        for request in simulator.requests
        if request.path.endswith(('batch-orders', 'batchOrders', '/buy', 'create-batch'))
    ]


@lru_cache
def offline(exchange_class):
    """An exchange that sends nothing, with the clock and the ids set."""
    exchange = with_markets(exchange_class({'apiKey': 'k', 'secret': 's', 'password': 'p', 'enableRateLimit': False}))
    exchange.milliseconds = lambda: NOW
    # else Bybit's asks once whether the account is unified
    exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)
    exchange.uuid16 = exchange.uuid22 = lambda *arguments: 'x' * 16
    return exchange


def requests(flavour, exchange_class, call):
    """What a call would send: method, URL, headers and body."""
    exchange = offline(exchange_class)
    sent = []

    def record(url, method='GET', headers=None, body=None):
        if exchange.id == 'deribit':  # a nonce is never the same
            headers = {name: value for name, value in (headers or {}).items() if name != 'Authorization'}
        sent.append((method, url, headers, body))
        return [] if method == 'GET' and 'binance' in url else {'code': '0', 'data': [{'sCode': '0'}], 'msg': ''}

    async def record_later(*arguments, **keywords):
        return record(*arguments, **keywords)

    exchange.fetch = record if flavour.loop is None else record_later
    name, *arguments = call
    option = symbols(exchange, UNDERLYING[exchange.id])[0]
    arguments = [option if each == 'option' else each for each in arguments]
    if name == 'create_orders':
        arguments[0] = listed([arguments[0]], 2, params={'clientOrderId': 'mine'})
    try:
        flavour.take(getattr(exchange, name)(*arguments))
    except ccxt.BaseError as error:
        sent.append(repr(error))
    except Exception as error:  # noqa: BLE001 - ccxt's own, about the answers that are none
        sent.append(type(error))
    return [each for each in sent if isinstance(each, tuple)]
