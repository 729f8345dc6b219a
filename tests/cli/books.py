"""Targets of commands, the orders in their books, and tables that were read."""

import re

from ccxt.base.errors import NotSupported

from ccxt_mmp.cli.targets import Exchanges
from ccxt_mmp.registry import EXCHANGES

UNDERLYINGS = {each.id: each.underlying_id for each in EXCHANGES.values()}
ALL = tuple(f'{each.id}:{each.underlying}' for each in EXCHANGES.values())
SECTIONS = len(EXCHANGES) + 2  # of the demo, which has block trading and the kill switch besides
OTHERS_ALONE = {(exchange_id, False) for exchange_id in EXCHANGES}  # what rests after a kill switch
RULE = ('--window', '5000', '--frozen-time', '60000', '--qty-limit', '10')


def without_reset(exchange_class):
    """An exchange that has no request that ends a freeze."""

    class WithoutReset(exchange_class):
        def describe(self):
            return self.deep_extend(super().describe(), {'has': {'resetMmp': False}})

        async def reset_mmp(self, underlying=None, params={}):
            raise NotSupported(f'{self.id} resetMmp() is not supported yet')

    return WithoutReset


def load_without_queue(monkeypatch):
    """Commands wait for none of ccxt's limits: to load all markets takes a second with them."""
    stock = Exchanges._open

    def opened(self, target):
        exchange = stock(self, target)
        exchange.enableRateLimit = False
        return exchange

    monkeypatch.setattr(Exchanges, '_open', opened)


def lines(table):
    return [re.split(r'  +', line.strip()) for line in table.splitlines()]


def resting(simulator):
    return {
        (venue, order.mmp)
        for venue, underlying in UNDERLYINGS.items()
        for order in simulator.resting(venue, underlying)
    }


def quote(simulator):
    for venue, underlying in UNDERLYINGS.items():
        for mmp in (True, True, False):
            simulator.rest(venue, underlying, mmp=mmp)
