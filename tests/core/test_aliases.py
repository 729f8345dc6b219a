"""Methods have the camelCase names that ccxt gives them, and the class of an object is not changed for every object."""

import sys

import ccxt
import pytest

from ccxt_mmp.core.aliases import Aliases
from ccxt_mmp.registry import EXCHANGES

MODULE = sys.modules[ccxt.Exchange.__module__]


class Recording(type):
    """Of classes that know what was set on them."""

    def __setattr__(cls, name, value):
        vars(cls)['changes'].append(name)
        super().__setattr__(name, value)


def subclass(flavour, exchange_id, **names):
    return Recording('Mine', (flavour.exchange_class(exchange_id),), {'changes': [], **names})


def make(kind):
    exchange = kind()
    exchange.timeout_on_exit = 0
    return exchange


def says(text):
    return lambda exchange: text


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_methods_have_the_names_that_ccxt_gives_them(flavour, exchange_id, monkeypatch):
    def made():
        own = {'my_own_method': says('mine'), 'fetch_my_ohlcv': says('bars'), 'fetch_ticker': says('replaced')}
        exchange = make(subclass(flavour, exchange_id, **own))
        names = [name for name in dir(exchange) if name[0] != '_' and name != 'changes']
        kind = type(exchange)
        methods = {name: getattr(kind, name, None) for name in names}
        found = {name: getattr(method, '__func__', method) for name, method in methods.items()}
        return exchange, vars(exchange).keys(), {**found, **{name: own.get(name) for name in found if name in own}}

    exchange, *ours = made()
    monkeypatch.setattr(MODULE, 'dir', dir, raising=False)
    monkeypatch.delattr(Aliases, '__dir__')
    _, *of_ccxt = made()
    for names, names_of_ccxt in zip(ours, of_ccxt, strict=True):
        assert set(names) == set(names_of_ccxt)
    for name, method in ours[1].items():
        assert getattr(method, '__code__', method) == getattr(of_ccxt[1][name], '__code__', of_ccxt[1][name]), name
    assert [exchange.myOwnMethod(), exchange.fetchMyOHLCV(), exchange.fetchTicker()] == ['mine', 'bars', 'replaced']


def test_class_is_changed_by_its_first_objects_alone(flavour):
    kind = subclass(flavour, 'okx')
    make(kind)
    kind.changes.clear()  # those were made at once
    make(kind)
    assert len(kind.changes) < 100  # Python 3.13 is slow with a class that was changed a thousand times
    changes = list(kind.changes)
    make(kind)
    assert kind.changes == changes


def test_class_may_change_between_its_objects(flavour):
    kind = subclass(flavour, 'okx', my_own_method=says('mine'))
    assert [make(kind).myOwnMethod() for _ in range(3)] == ['mine'] * 3
    kind.my_own_method = says('replaced')
    assert make(kind).myOwnMethod() == 'replaced'
    del kind.my_own_method
    kind.my_other_method = says('added')
    assert make(kind).myOtherMethod() == 'added'
    kind.createOrder = says('not what create_order is')
    assert make(kind).createOrder.__func__ is kind.create_order


def test_method_that_the_first_objects_replace_is_that_of_the_class_for_others(flavour):
    kind = subclass(flavour, 'okx', my_own_method=says('mine'))

    def replaced():
        return 'of the first'

    for _ in range(2):
        first = kind({'create_order': replaced, 'my_own_method': replaced})
        first.timeout_on_exit = 0
        assert first.createOrder() == first.myOwnMethod() == 'of the first'
    for _ in range(2):
        other = make(kind)
        assert other.createOrder == other.create_order
        assert other.createOrder.__func__ is kind.create_order
        assert other.myOwnMethod() == 'mine'


def test_names_of_an_object_are_complete(flavour):
    seen = []
    describe = flavour.exchange_class('okx').describe
    kind = subclass(flavour, 'okx', describe=lambda exchange: seen.append(dir(exchange)) or describe(exchange))
    exchange = make(kind)
    for names in (seen[0], dir(exchange)):  # while it is made, and then
        assert {'fetch_ticker', 'describe', 'set_mmp', 'options', '_mmp_request'} <= {*names}
    assert 'fetchTicker' in dir(exchange)
