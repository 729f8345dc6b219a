"""Objects that are made cheaply are those that ccxt makes."""

import asyncio
import ssl
import sys

import ccxt
import pytest

from ccxt_mmp import async_support
from ccxt_mmp.registry import EXCHANGES
from tests.trading import OF_MARKETS, WITH_OPTIONS, load_markets, markets, with_markets

MODULE = sys.modules[ccxt.Exchange.__module__]


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_object_has_the_names_and_values_of_one_that_ccxt_makes(flavour, exchange_id, monkeypatch):
    cheap = flavour.exchange(exchange_id)
    monkeypatch.setattr(MODULE, 'dir', dir, raising=False)
    for kind in type(cheap).__mro__:
        if hasattr(vars(kind).get('describe'), '__wrapped__'):
            monkeypatch.setattr(kind, 'describe', kind.describe.__wrapped__)
    made_by_ccxt = flavour.exchange(exchange_id)
    assert dir(cheap) == dir(made_by_ccxt)
    assert vars(cheap).keys() == vars(made_by_ccxt).keys()
    for name in ('has', 'options', 'urls', 'api', 'exceptions', 'features', 'headers', 'rateLimit'):
        assert getattr(cheap, name) == getattr(made_by_ccxt, name)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_objects_share_nothing_that_may_be_changed(flavour, exchange_id):
    first, second = flavour.exchange(exchange_id), flavour.exchange(exchange_id)
    for name in ('has', 'options', 'urls', 'exceptions', 'features', 'fees', 'limits'):
        one, other = getattr(first, name), getattr(second, name)
        assert one is not other
        for key, value in one.items():
            assert not isinstance(value, (dict, list)) or value is not other[key]


def test_markets_that_are_shared_are_those_that_ccxt_sets(flavour, simulator):
    for exchange_id in EXCHANGES:
        shared = with_markets(with_markets(flavour.exchange(exchange_id)) and flavour.exchange(exchange_id))
        set_by_ccxt = flavour.exchange(exchange_id)
        set_by_ccxt.set_markets(markets(exchange_id))
        loaded = flavour.exchange(exchange_id, simulator.url, options=WITH_OPTIONS)
        flavour.take(loaded.load_markets())
        for _ in range(2):
            loaded_cheaply = flavour.exchange(exchange_id, simulator.url, options=WITH_OPTIONS)
            load_markets(flavour, loaded_cheaply)
        for one, other in ((shared, set_by_ccxt), (loaded_cheaply, loaded)):
            for name, value in vars(other).items():
                if name in OF_MARKETS or (('arket' in name or 'urrenc' in name) and 'loading' not in name):
                    assert getattr(one, name) == value, name
            symbol = other.symbols[0]
            one.market(symbol)['id'] = 'changed'  # of this object alone
            assert other.market(symbol)['id'] != 'changed'


def test_tls_context_that_is_shared_checks_certificates():
    async def opened(**config):
        async with async_support.okx(config) as exchange:
            exchange.open()
            return exchange.ssl_context

    first, second, without = (asyncio.run(opened(**config)) for config in ({}, {}, {'verify': False}))
    assert first is second
    assert first.verify_mode == ssl.CERT_REQUIRED
    assert first.check_hostname
    assert without is False


def test_class_of_a_test_may_change_between_its_objects():
    class Mine(ccxt.okx):
        pass

    Mine()
    Mine.fetch_ticker = lambda self, *arguments: 'replaced'
    assert Mine().fetchTicker() == 'replaced'


def test_method_of_an_object_has_its_alias(flavour):
    class Mine(flavour.exchange_class('okx')):
        def a_method(self):
            return 'mine'

    exchange = Mine()
    exchange.timeout_on_exit = 0
    assert exchange.aMethod() == 'mine'
