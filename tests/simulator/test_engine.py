"""The engine, without I/O and without a clock."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccxt_mmp.simulator import Account, Order, Rule
from ccxt_mmp.simulator.engine import RejectedError, Unverified
from tests.simulator.engines import new_engine

RULE = Rule(window=5000, frozen_time=2000, qty_limit='100')
DAY = 86_400_000


def engine_and_account(**unverified):
    return new_engine(**unverified), Account('key', 'secret', 'passphrase')


def new_order(engine, venue='okx', underlying='BTC-USD', mmp=True, side='buy', quantity='1000', call=True, **fields):
    option = next(
        each
        for each in engine.instruments.values()
        if (each.venue, each.underlying, each.is_call) == (venue, underlying, call)
    )
    return Order('', option, side, '1', Decimal(quantity), mmp, **fields)


def place(engine, account, now=0, **fields):
    return engine.place(account, new_order(engine, **fields), now)


def test_grid_is_realistic():
    engine = new_engine(1_700_000_000_000)
    series = {}
    for option in engine.instruments.values():
        if option.kind != 'option':
            continue
        series.setdefault((option.venue, option.underlying), []).append(option)
        assert option.expiry > 1_700_000_000_000
        assert option.expiry % DAY == 8 * 3_600_000
    assert set(series) == {
        ('okx', 'BTC-USD'),
        ('okx', 'ETH-USD'),
        ('okx', 'BTC-USD_UM'),
        ('binance', 'BTCUSDT'),
        ('binance', 'ETHUSDT'),
        ('deribit', 'btc_usd'),
        ('deribit', 'eth_usd'),
        ('deribit', 'btc_usdc'),
        ('bybit', 'BTC'),
        ('bybit', 'ETH'),
    }
    for options in series.values():
        assert len({option.expiry for option in options}) == 4
        assert len({option.strike for option in options}) == 21
        assert len(options) == 4 * 21 * 2 * len({option.settle for option in options})


@pytest.mark.parametrize(
    ('trigger', 'fills', 'trips'),
    [
        ('reach', [99], False),
        ('reach', [100], True),
        ('reach', [60, 40], True),
        ('exceed', [100], False),
        ('exceed', [60, 40], False),
        ('exceed', [60, 41], True),
    ],
)
def test_quantity_limit(trigger, fills, trips):
    engine, account = engine_and_account(trigger=trigger)
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    order = place(engine, account)
    for quantity in fills:
        engine.fill(account, order, Decimal(quantity), 10_000)
    assert account.protection('okx', 'BTC-USD').is_frozen(10_000) is trips


@pytest.mark.parametrize(('second', 'trips'), [(14_999, True), (15_000, False)])
def test_window_slides_to_the_millisecond(second, trips):
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    order = place(engine, account)
    engine.fill(account, order, Decimal(99), 10_000)
    engine.fill(account, order, Decimal(1), second)
    assert account.protection('okx', 'BTC-USD').is_frozen(second) is trips


@pytest.mark.parametrize(
    ('fills', 'trips'),
    [
        ([('buy', True, '1', '2.2')], False),
        ([('buy', True, '1', '2.3')], True),
        ([('sell', True, '1', '2.3')], True),
        ([('buy', True, '1', '2'), ('sell', True, '1', '2')], False),
        ([('buy', False, '4', None), ('buy', True, '4', None)], False),  # a straddle: -2 and 2
        ([('buy', True, '4.6', None)], True),  # 0.5 of each
        ([('sell', False, '4.6', None)], True),
    ],
)
def test_net_delta_limit(fills, trips):
    engine, account = engine_and_account()
    engine.set_rule(account, 'binance', 'BTCUSDT', Rule(3000, 0, qty_limit='1000', delta_limit='2.3'))
    for side, call, quantity, delta in fills:
        order = place(engine, account, venue='binance', underlying='BTCUSDT', side=side, call=call)
        engine.fill(account, order, Decimal(quantity), 10_000, None if delta is None else Decimal(delta))
    assert account.protection('binance', 'BTCUSDT').is_frozen(10_000) is trips


def test_fills_of_other_orders_and_underlyings_do_not_count():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    for fields in ({'mmp': False}, {'underlying': 'BTC-USD_UM'}, {'underlying': 'ETH-USD'}):
        engine.fill(account, place(engine, account, **fields), Decimal(1000), 10_000)
    assert not account.protection('okx', 'BTC-USD').is_frozen(10_000)


def test_window_0_is_no_protection():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', Rule(0, 2000, qty_limit='1'))
    engine.fill(account, place(engine, account), Decimal(1000), 10_000)
    assert not account.protection('okx', 'BTC-USD').is_frozen(10_000)


def test_fills_before_a_reset_do_not_count_after_it():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    order = place(engine, account)
    engine.fill(account, order, Decimal(99), 10_000)
    engine.reset(account, 'okx', 'BTC-USD')
    engine.fill(account, order, Decimal(99), 10_001)
    assert not account.protection('okx', 'BTC-USD').is_frozen(10_001)


def test_block_trading_counts_attempts_apart():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', None, Rule(5000, 2000, count_limit='10'))
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    order = place(engine, account)
    engine.execute_block_trades(account, 'okx', 9, 10_000)
    assert not account.protection('okx', None).is_frozen(10_000)
    engine.execute_block_trades(account, 'okx', 1, 10_000)
    assert account.protection('okx', None).is_frozen(10_000)
    assert not account.protection('okx', 'BTC-USD').is_frozen(10_000)
    assert order.is_open


def tripped(rule, now=10_000, **unverified):
    engine, account = engine_and_account(**unverified)
    engine.set_rule(account, 'okx', 'BTC-USD', rule)
    engine.trip(account, 'okx', 'BTC-USD', now)
    return engine, account, account.protection('okx', 'BTC-USD')


@pytest.mark.parametrize(
    ('now', 'frozen', 'until'),
    [(10_000, True, 12_000), (11_999, True, 12_000), (12_000, False, None), (60_000, False, None)],
)
def test_freeze_ends_to_the_millisecond(now, frozen, until):
    engine, account, protection = tripped(RULE)
    assert protection.is_frozen(now) is frozen
    assert protection.frozen_until(now) == until
    if frozen:
        with pytest.raises(RejectedError, match='frozen'):
            place(engine, account, now)
    else:
        assert place(engine, account, now).is_open
    assert place(engine, account, now, mmp=False).is_open
    assert place(engine, account, now, underlying='BTC-USD_UM').is_open


def test_frozen_time_0_ends_by_a_reset_alone():
    engine, account, protection = tripped(Rule(5000, 0))
    assert protection.is_frozen(10**15)
    assert protection.frozen_until(10**15) is None
    engine.reset(account, 'okx', 'BTC-USD')
    assert not protection.is_frozen(10_000)


def test_rule_set_after_a_freeze_does_not_bring_it_back():
    engine, account, protection = tripped(RULE)
    order = place(engine, account, 12_000)
    engine.set_rule(account, 'okx', 'BTC-USD', Rule(5000, 0, qty_limit='100'))
    assert not protection.is_frozen(12_001)
    assert order.is_open


@pytest.mark.parametrize('ends', [False, True])
def test_setting_a_rule_ends_a_freeze_or_not(ends):
    engine, account, protection = tripped(RULE, set_ends_freeze=ends)
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    assert protection.is_frozen(10_001) is not ends


@pytest.mark.parametrize('clears', [False, True])
def test_reset_clears_the_last_trigger_or_not(clears):
    engine, account, protection = tripped(RULE, reset_clears_last_trigger=clears)
    engine.reset(account, 'okx', 'BTC-USD')
    assert protection.last_trigger == (0 if clears else 10_000)


def test_protection_without_a_rule_cannot_trip():
    engine, account = engine_and_account()
    with pytest.raises(ValueError, match='okx BTC-USD has no rule'):
        engine.trip(account, 'okx', 'BTC-USD', 0)


def test_trigger_cancels_the_mmp_orders_of_the_underlying_and_no_other():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    filled, gone = place(engine, account), place(engine, account)
    kept = [
        place(engine, account, mmp=False),
        place(engine, account, underlying='BTC-USD_UM'),
        place(engine, account, underlying='ETH-USD'),
    ]
    engine.fill(account, filled, Decimal(100), 10_000)
    assert [order.state for order in (filled, gone)] == ['mmp_canceled'] * 2
    assert [order.cancel_source for order in (filled, gone)] == ['trigger'] * 2
    assert {order.state for order in kept} == {'live'}


def test_fills_before_a_trigger_do_not_count_after_the_freeze():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', Rule(60_000, 2000, qty_limit='100'))
    engine.fill(account, place(engine, account), Decimal(100), 10_000)
    engine.fill(account, place(engine, account, 12_000), Decimal(99), 12_000)
    assert not account.protection('okx', 'BTC-USD').is_frozen(12_000)


def test_fills_before_a_rule_was_disabled_do_not_count_after_it_is_enabled():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', RULE)
    order = place(engine, account)
    engine.fill(account, order, Decimal(99), 10_000)
    for rule in (Rule(0, 2000, qty_limit='100'), RULE):
        engine.set_rule(account, 'okx', 'BTC-USD', rule)
    engine.fill(account, order, Decimal(1), 10_001)
    assert not account.protection('okx', 'BTC-USD').is_frozen(10_001)


def test_trigger_in_a_freeze_prolongs_it():
    engine, account, protection = tripped(RULE)
    engine.trip(account, 'okx', 'BTC-USD', 11_000)
    assert (protection.last_trigger, protection.frozen_until(11_000)) == (11_000, 13_000)


def test_disabled_protection_cannot_trip():
    engine, account = engine_and_account()
    engine.set_rule(account, 'okx', 'BTC-USD', Rule(0, 2000, qty_limit='100'))
    with pytest.raises(ValueError, match='no rule that could trip'):
        engine.trip(account, 'okx', 'BTC-USD', 0)


def test_accounts_are_apart():
    engine, account = engine_and_account()
    another = Account('another', 'secret', 'passphrase')
    for each in (account, another):
        engine.set_rule(each, 'okx', 'BTC-USD', RULE)
    theirs = place(engine, another)
    engine.trip(account, 'okx', 'BTC-USD', 10_000)
    assert theirs.is_open
    assert place(engine, another, 10_000).is_open


def test_lock_refuses_mmp_orders_until_it_ends():
    engine, account = engine_and_account()
    order = place(engine, account)
    assert engine.mass_cancel(account, 'okx', 'BTC-USD', 12_000, 10_000) == [order]
    assert (order.state, order.cancel_source) == ('canceled', 'mass_cancel')
    with pytest.raises(RejectedError, match='locked'):
        place(engine, account, 11_999)
    assert place(engine, account, 11_999, mmp=False).is_open
    assert place(engine, account, 12_000).is_open


def test_lock_is_ended_by_a_mass_cancel_without_one():
    engine, account = engine_and_account()
    engine.mass_cancel(account, 'okx', 'BTC-USD', 12_000, 10_000)
    engine.mass_cancel(account, 'okx', 'BTC-USD', 10_001, 10_001)
    assert place(engine, account, 10_001).is_open


def test_mmp_orders_need_the_privilege():
    engine, account = engine_and_account()
    account.privileged = False
    with pytest.raises(RejectedError, match='no_privilege'):
        place(engine, account)
    assert place(engine, account, mmp=False).is_open


def test_client_order_id_is_unique_among_open_orders():
    engine, account = engine_and_account()
    first = place(engine, account, client_order_id='a')
    with pytest.raises(RejectedError, match='duplicate'):
        place(engine, account, client_order_id='a')
    engine.cancel(account, first, 1)
    second = place(engine, account, client_order_id='a')
    assert account.find('okx', None, 'a') is second
    assert account.find('okx', first.order_id, None) is first
    assert account.find('binance', first.order_id, None) is None


@pytest.mark.parametrize('time_in_force', ['IOC', 'FOK'])
def test_there_is_nobody_to_trade_with_at_once(time_in_force):
    engine, account = engine_and_account()
    assert place(engine, account, mmp=False, time_in_force=time_in_force).state == 'canceled'


def test_fills_add_up_and_more_than_the_order_is_an_error():
    engine, account = engine_and_account()
    order = place(engine, account, quantity='3')
    engine.fill(account, order, Decimal(1), 1)
    assert (order.state, order.filled) == ('partially_filled', 1)
    for wrong in ('0', '-1', '2.5'):
        with pytest.raises(ValueError, match='cannot be filled'):
            engine.fill(account, order, Decimal(wrong), 1)
    engine.fill(account, order, Decimal(2), 1)
    assert (order.state, order.is_open) == ('filled', False)
    with pytest.raises(ValueError, match='cannot be filled'):
        engine.fill(account, order, Decimal(1), 1)


def test_countdown_cancels_the_orders_that_it_covers_once():
    engine, account = engine_and_account()
    tagged, untagged = place(engine, account, tag='t1'), place(engine, account, mmp=False)
    elsewhere = place(engine, account, venue='binance', underlying='BTCUSDT')
    engine.start_countdown(account, 'okx', 't1', 10_000, 0, covers=lambda order: order.tag == 't1')
    engine.expire_countdowns([account], 9_999)
    assert tagged.is_open
    engine.expire_countdowns([account], 10_000)
    assert [order.is_open for order in (tagged, untagged, elsewhere)] == [False, True, True]
    assert tagged.cancel_source == 'countdown'
    engine.start_countdown(account, 'okx', '', 10_000, 10_000, covers=lambda order: True)
    engine.expire_countdowns([account], 20_000)
    assert [order.is_open for order in (untagged, elsewhere)] == [False, True]
    assert place(engine, account, 20_000).is_open


def test_countdown_that_blocks_refuses_orders_until_it_is_ended():
    engine, account = engine_and_account()
    where = {'venue': 'binance', 'underlying': 'BTCUSDT'}
    mmp, other = place(engine, account, **where), place(engine, account, **where, mmp=False)
    another = place(engine, account, venue='binance', underlying='ETHUSDT')
    terms = {'covers': lambda order: order.underlying == 'BTCUSDT', 'blocks': True}
    engine.start_countdown(account, 'binance', 'BTCUSDT', 5_000, 0, **terms)
    engine.expire_countdowns([account], 5_000)
    engine.expire_countdowns([account], 6_000)
    assert [order.is_open for order in (mmp, other, another)] == [False, False, True]
    with pytest.raises(RejectedError, match='countdown'):
        place(engine, account, 6_000, **where, mmp=False)
    assert place(engine, account, 6_000, venue='binance', underlying='ETHUSDT').is_open
    engine.start_countdown(account, 'binance', 'BTCUSDT', 0, 6_000, **terms)
    assert place(engine, account, 6_000, **where).is_open


FAMILIES = st.sampled_from(['BTC-USD', 'BTC-USD', 'ETH-USD'])
TIMES = st.sampled_from([0, 1, 1999, 2000, 2001, 5000, 10_000])
EVENTS = st.one_of(
    st.tuples(st.just('place'), st.sampled_from([True, True, False]), FAMILIES),
    st.tuples(st.just('fill'), st.integers(0, 5), st.integers(20, 120)),
    st.tuples(st.just('wait'), TIMES),
    st.tuples(st.just('reset'), FAMILIES),
    st.tuples(st.just('set'), FAMILIES, TIMES, TIMES),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(EVENTS, max_size=60),
    st.sampled_from(['reach', 'exceed']),
    st.booleans(),
    st.booleans(),
)
def test_no_mmp_order_rests_or_is_accepted_while_frozen_and_no_other_is_ever_touched(events, trigger, clears, ends):
    engine = _ENGINE
    engine.unverified = Unverified(trigger, clears, ends)
    account = Account('key', 'secret', 'passphrase')
    for family in ('BTC-USD', 'ETH-USD'):
        engine.set_rule(account, 'okx', family, RULE)
    now = 10_000
    for event, *details in events:
        if event == 'wait':
            now += details[0]
        elif event == 'place':
            mmp, family = details
            frozen = account.protection('okx', family).is_frozen(now)
            accepted = True
            try:
                place(engine, account, now, mmp=mmp, underlying=family)
            except RejectedError:
                accepted = False
            assert accepted is not (mmp and frozen)
        elif event == 'fill':
            open_orders = account.open_orders('okx')
            if open_orders:
                engine.fill(account, open_orders[details[0] % len(open_orders)], Decimal(details[1]), now)
        elif event == 'reset':
            engine.reset(account, 'okx', details[0])
        else:
            engine.set_rule(account, 'okx', details[0], Rule(details[1], details[2], qty_limit='100'))
        for order in account.orders:
            if order.mmp and account.protection('okx', order.underlying).is_frozen(now):
                assert not order.is_open
            if not order.mmp:
                assert order.is_open or order.state == 'filled'


_ENGINE = new_engine()
