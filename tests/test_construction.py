"""Objects that are made cheaply are those that ccxt makes."""

import sys

import ccxt
import pytest

from ccxt_mmp.registry import EXCHANGES

MODULE = sys.modules[ccxt.Exchange.__module__]


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_object_has_the_names_and_values_of_one_that_ccxt_makes(flavour, exchange_id, monkeypatch):
    cheap = flavour.exchange(exchange_id)
    monkeypatch.setattr(MODULE, 'dir', dir, raising=False)
    made_by_ccxt = flavour.exchange(exchange_id)
    assert dir(cheap) == dir(made_by_ccxt)
    assert vars(cheap).keys() == vars(made_by_ccxt).keys()
    for name in ('has', 'options', 'urls', 'api', 'exceptions', 'features', 'headers', 'rateLimit'):
        assert getattr(cheap, name) == getattr(made_by_ccxt, name)


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
