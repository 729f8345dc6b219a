"""Objects that are made cheaply are those that ccxt makes."""

import asyncio
import gc
import ssl
import weakref
from types import MethodType

import ccxt
import pytest

from ccxt_mmp import async_support
from ccxt_mmp.registry import EXCHANGES
from tests.construction import BASE, MODULE, OF_EACH
from tests.trading import OF_MARKETS, WITH_OPTIONS, load_markets, markets, with_markets

SETTINGS = [{}, {'enableRateLimit': True, 'options': {'defaultType': 'option'}, 'sandbox': True}]


def with_functions(value, exchange):
    """The value, with functions for the methods of the object."""
    if isinstance(value, dict):
        return {name: with_functions(each, exchange) for name, each in value.items()}
    return value.__func__ if isinstance(value, MethodType) and value.__self__ is exchange else value


@pytest.mark.parametrize('config', SETTINGS, ids=['usual', 'sandbox'])
@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_object_has_the_names_and_values_of_one_that_ccxt_makes(flavour, exchange_id, config, monkeypatch):
    flavour.exchange(exchange_id, **config)
    cheap = flavour.exchange(exchange_id, **config)
    monkeypatch.setattr(MODULE, 'dir', dir, raising=False)
    monkeypatch.setattr(BASE, '__init__', BASE.__init__.__wrapped__)
    made_by_ccxt = flavour.exchange(exchange_id, **config)
    assert dir(cheap) == dir(made_by_ccxt)
    assert vars(cheap).keys() == vars(made_by_ccxt).keys()
    for name, value in vars(made_by_ccxt).items():
        if name in OF_EACH:
            assert type(getattr(cheap, name)) is type(value)
            assert value is None or getattr(cheap, name) != value
        else:
            assert with_functions(getattr(cheap, name), cheap) == with_functions(value, made_by_ccxt), name
    if made_by_ccxt.synchronous:
        assert vars(cheap.session).keys() == vars(made_by_ccxt.session).keys()
        assert cheap.session.trust_env is made_by_ccxt.session.trust_env
    else:
        assert vars(cheap.throttler).keys() == vars(made_by_ccxt.throttler).keys()
        assert cheap.throttler.config == made_by_ccxt.throttler.config


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_objects_share_nothing_that_may_be_changed(flavour, exchange_id):
    flavour.exchange(exchange_id)
    first, second = flavour.exchange(exchange_id), flavour.exchange(exchange_id)

    def differ(one, other):
        assert not isinstance(one, (dict, list)) or one is not other
        for key, value in one.items() if isinstance(one, dict) else ():
            differ(value, other[key])

    for name, value in vars(first).items():
        if name != 'api':
            differ(value, vars(second)[name])


def test_object_that_is_copied_does_not_live_on(flavour):
    first = weakref.ref(flavour.exchange('okx', timeout=12_345))
    flavour.disconnect()
    gc.collect()
    assert first() is None


def test_object_of_a_class_that_somebody_has_changed_is_made_anew(flavour, monkeypatch):
    flavour.exchange('okx')
    monkeypatch.setattr(flavour.exchange_class('okx'), 'fetch_ticker', lambda self, *arguments: 'replaced')
    assert flavour.exchange('okx').fetchTicker() == 'replaced'
    monkeypatch.undo()
    assert flavour.exchange('okx').fetchTicker.__func__ is flavour.exchange_class('okx').fetch_ticker


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
