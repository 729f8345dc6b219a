"""A small bot as there are many: it reads which exchanges to use and makes them by their ids."""

import asyncio
import json
import sys

import ccxt.async_support as ccxt


def connect(exchange_id, settings, url):
    exchange = getattr(ccxt, exchange_id)({**settings['keys'], 'enableRateLimit': True})
    exchange.urls['api'] = {
        name: url + '/' + address.split('/', 3)[-1] if address.count('/') > 2 else url
        for name, address in exchange.urls['api'].items()
        if isinstance(address, str)
    }
    return exchange


async def pull_the_plug(exchange, underlying):
    try:
        return exchange.id, (await exchange.mass_cancel_mmp(underlying))['underlying']
    finally:
        await exchange.close()


async def main(path):
    with open(path) as file:  # noqa: ASYNC230, PTH123 - as bots do
        configuration = json.load(file)
    exchanges = configuration['exchanges']
    plugs = [
        pull_the_plug(connect(exchange_id, settings, configuration['url']), settings['underlying'])
        for exchange_id, settings in exchanges.items()
    ]
    print(json.dumps(dict(await asyncio.gather(*plugs))))  # noqa: T201


asyncio.run(main(sys.argv[1]))
