"""What the engine tells its observer, by itself: without a socket, a clock or a thread."""

from decimal import Decimal

import pytest

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Account, Order, Rule
from tests.simulator.engines import new_engine


@pytest.fixture
def account():
    return Account('key', 'secret', 'passphrase')


@pytest.fixture
def engine():
    engine = new_engine()
    engine.told = []
    engine.observe = engine.told.append
    return engine


def place(engine, account, now=1, **details):
    option = next(option for option in engine.instruments.values() if option.venue == 'okx')
    details = {'side': 'buy', 'price': '0.01', 'quantity': Decimal(10), 'mmp': True, **details}
    return engine.place(account, Order('', option, **details), now)


def told(engine):
    return [(event.change, event.time, event.order and event.order.state) for event in engine.told]


@pytest.mark.parametrize('exchange', EXCHANGES.values(), ids=list(EXCHANGES))
def test_fill_is_told_before_what_it_trips(engine, account, exchange):
    engine.set_rule(account, exchange.id, exchange.underlying_id, Rule(5000, 0, qty_limit='10'))
    option = engine.options(exchange.id, exchange.underlying_id, 1)[0]
    orders = [
        engine.place(account, Order('', option, 'buy', '1', Decimal(10), mmp=is_mmp), 1)
        for is_mmp in (True, True, False)
    ]
    engine.fill(account, orders[0], Decimal(4), 2)
    engine.fill(account, orders[0], Decimal(6), 3)
    assert told(engine)[3:] == [
        ('filled', 2, 'partially_filled'),
        ('filled', 3, 'filled'),
        ('triggered', 3, None),
        ('canceled', 3, 'mmp_canceled'),
    ]
    assert [event.quantity for event in engine.told[3:5]] == [4, 6]
    assert [event.trade_id for event in engine.told[3:5]] == [1, 2]
    assert {(event.venue, event.underlying) for event in engine.told} == {(exchange.id, exchange.underlying_id)}
    assert all(event.account is account for event in engine.told)


def test_amendment_is_told(engine, account):
    order = place(engine, account)
    engine.amend(account, order, 2, price='0.02', quantity=Decimal(20))
    assert told(engine)[1:] == [('amended', 2, 'live')]
    assert (engine.told[1].order.price, engine.told[1].order.quantity) == ('0.02', 20)


def test_order_is_a_copy_of_that_moment(engine, account):
    order = place(engine, account)
    engine.cancel(account, order, 2)
    assert told(engine) == [('placed', 1, 'live'), ('canceled', 2, 'canceled')]
    assert all(event.order is not order for event in engine.told)


def test_order_that_finds_nobody_is_told_and_cancelled(engine, account):
    place(engine, account, time_in_force='IOC')
    assert told(engine) == [('placed', 1, 'live'), ('canceled', 1, 'canceled')]


def test_every_way_of_cancelling_is_told_once(engine, account):
    underlying = place(engine, account).underlying
    engine.mass_cancel(account, 'okx', underlying, 0, 2)
    place(engine, account, 3)
    engine.cancel_where(account, 'okx', lambda order: True, 4)
    place(engine, account, 5)
    engine.start_countdown(account, 'okx', '', 1000, 5, covers=lambda order: True)
    engine.expire_countdowns([account], 2000)
    engine.expire_countdowns([account], 3000)
    cancelled = [event for event in engine.told if event.change == 'canceled']
    assert [(event.time, event.order.cancel_source) for event in cancelled] == [
        (2, 'mass_cancel'),
        (4, 'user'),
        (2000, 'countdown'),
    ]


def test_refusal_is_no_change(engine, account):
    account.privileged = False
    with pytest.raises(Exception, match='no_privilege'):
        place(engine, account)
    assert engine.told == []


def test_trigger_of_block_trading_has_no_underlying(engine, account):
    engine.set_rule(account, 'okx', None, Rule(5000, 0, count_limit='1'))
    engine.execute_block_trades(account, 'okx', 1, 7)
    assert [(event.change, event.underlying, event.time) for event in engine.told] == [('triggered', None, 7)]


def test_engine_needs_no_observer(account):
    engine = new_engine()
    engine.cancel(account, place(engine, account), 2)
