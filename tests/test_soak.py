"""The soak, for a few seconds, and that its judge sees what it is to see."""

import time
from collections import Counter

import pytest

from tests.soak import __main__ as command
from tests.soak.__main__ import FLAVOURS, soak
from tests.soak.bot import Cancelled, Health, overgrown
from tests.soak.judge import MAX_GROWTH, WARM_UP, Desk, growth_of

SECONDS = 1  # with one look at what each process keeps, and some mass cancels


def has_done_all(desk):
    calls = desk.health[-1].calls
    return desk.cancels['okx done'] > 0 and all(
        calls.get(name) for name in ('create_orders', 'mass_cancel_mmp', 'set_mmp', 'fetch_mmp')
    )


def test_bots_of_all_flavours_live_side_by_side():
    for times in (1, 3, 10, 30):  # a busy machine takes longer
        desks = soak(times * SECONDS, seed=1)
        assert [desk.violations for desk in desks] == [[]] * len(FLAVOURS)
        if all(map(has_done_all, desks)):
            break
    assert [has_done_all(desk) for desk in desks] == [True] * len(FLAVOURS)


@pytest.fixture
def desk():
    desk = Desk('async', seed=1, seconds=1)
    desk.plan()
    yield desk
    desk.simulator.close()
    desk.sockets.loop.close()


HEALTH = {'time': 0, 'rss': 2**20, 'sockets': 1, 'tasks': 1, 'threads': 1, 'calls': {}, 'errors': {}, 'broken': []}


@pytest.mark.parametrize('violations', [[], ['an example']])
def test_report_and_exit_status_tell_of_violations(desk, capsys, monkeypatch, violations):
    asked_for = []

    def recorded(seconds, seed, flavours, report):
        asked_for.append((seconds, seed, flavours))
        desk.examine(Health(**HEALTH))
        desk.violations += violations
        return [desk]

    monkeypatch.setattr(command, 'soak', recorded)
    assert command.main(['--minutes', '0.5', '--seed', '1', '--flavours', 'async']) == len(violations)
    assert asked_for == [(30, 1, ['async'])]
    printed = capsys.readouterr().out
    assert ('VIOLATION: an example' in printed) == bool(violations)
    assert f'{len(violations)} violations' in printed
    assert 'RSS 1.0 MiB at first' in printed


def rest(desk, number):
    order = desk.simulator.rest('okx', 'BTC-USD', mmp=True, account=desk.account)
    order.client_order_id = f'soak{number:012d}'
    return order


def said(**facts):
    """What a mass cancel of OKX said that was called in the far past unless it says otherwise."""
    cancelled = {
        'called_at': 0,
        'asked': 0,
        'pending': frozenset(),
        'seconds': 0.1,
        'error': None,
        'claimed': [],
        'params': {},
        'may_others_be_gone': False,
    }
    return Cancelled(**{'exchange_id': 'okx', 'underlying': 'BTC-USD', **cancelled, **facts})


def test_order_that_was_asked_for_before_a_mass_cancel_and_rests_is_a_violation(desk):
    rest(desk, 5)
    desk.judge(said(asked=4))
    assert desk.violations == []
    desk.judge(said(asked=5))
    assert len(desk.violations) == 1


def test_order_that_was_asked_for_before_a_mass_cancel_and_comes_after_it_is_a_violation(desk):
    desk.judge(said(asked=5))
    rest(desk, 6)
    desk.judge(said(error='OperationFailed', asked=6))
    assert desk.violations == []
    rest(desk, 5)
    desk.judge(said(error='OperationFailed', asked=6))
    assert len(desk.violations) == 1


def test_order_that_came_before_a_mass_cancel_and_rests_is_a_violation(desk):
    rest(desk, 5)
    desk.judge(said(called_at=time.time_ns() // 1_000_000 + 1000))
    assert len(desk.violations) == 1


def test_order_that_rests_and_is_claimed_to_be_cancelled_is_a_violation(desk):
    order = rest(desk, 5)
    desk.judge(said(error='MassCancelIncomplete', asked=5))
    assert desk.violations == []
    desk.judge(said(error='MassCancelIncomplete', asked=5, claimed=[order.order_id]))
    assert len(desk.violations) == 1


def test_order_without_the_flag_that_was_cancelled_is_a_violation(desk):
    for may_be_gone, violations in ((True, 0), (False, 1)):
        other = desk.others['okx', 'BTC-USD']
        other.state, other.updated = 'canceled', time.time_ns() // 1_000_000
        desk.judge(said(may_others_be_gone=may_be_gone))
        assert len(desk.violations) == violations
        assert desk.others['okx', 'BTC-USD'] is not other


def test_order_without_the_flag_that_a_late_request_cancelled_is_no_violation(desk):
    desk.judge(said(params={'includeNonMmp': True}))
    for seconds_later, violations in ((1, 0), (60, 1)):
        other = desk.others['okx', 'BTC-USD']
        other.state, other.updated = 'canceled', time.time_ns() // 1_000_000 + seconds_later * 1000
        desk.judge(said())
        assert len(desk.violations) == violations


@pytest.mark.parametrize('fact', [{'sockets': 1000}, {'tasks': 1000}, {'broken': ['an example']}])
def test_process_that_keeps_too_much_is_a_violation(desk, fact):
    desk.examine(Health(**HEALTH))
    assert desk.violations == []
    desk.examine(Health(**{**HEALTH, **fact}))
    assert len(desk.violations) == 1


def test_more_requests_than_a_limit_allows_are_a_violation(desk):
    desk.requests, desk.faults = 1000, Counter({'status 429': 20})
    desk.process = type('Process', (), {'returncode': 0})
    desk.too_many['/mass-cancel'] = 40
    desk.judge_the_end()
    assert desk.violations == []
    desk.too_many['/mass-cancel'] = 41
    desk.judge_the_end()
    assert len(desk.violations) == 1
    assert 'mass-cancel' in desk.violations[0]


def test_bot_that_failed_is_a_violation(desk):
    desk.process = type('Process', (), {'returncode': 1})
    desk.judge_the_end()
    assert len(desk.violations) == 1


def test_growth_is_what_comes_after_the_warm_up():
    warming_up = [(seconds, seconds * 2**20) for seconds in range(WARM_UP)]
    steady = [(WARM_UP + seconds, 100 * 2**20) for seconds in range(100)]
    leaking = [(WARM_UP + seconds, 100 * 2**20 + seconds * 2**17) for seconds in range(100)]
    assert growth_of(warming_up) == 0
    assert growth_of(warming_up + steady) == 0
    assert growth_of(warming_up + leaking) > MAX_GROWTH


def test_memory_may_grow_in_the_first_third_of_a_run():
    filling = [(seconds, min(seconds, 600) * 2**17) for seconds in range(1800)]
    leaking = [(seconds, seconds * 2**17) for seconds in range(1800)]
    assert growth_of(filling) == 0
    assert growth_of(leaking) > MAX_GROWTH


def test_windows_and_fences_that_grow_are_seen(flavour):
    exchange = flavour.exchange('okx')
    assert overgrown(exchange) == []
    for name in ('BTC-USD', 'ETH-USD', 'SOL-USD'):
        exchange._mmp_fence(name)
    window = exchange._mmp_window('POST trade/mass-cancel')
    for _ in range(16):
        window.reserve()
    assert overgrown(exchange) == ['okx has 3 in _mmp_fences', 'okx counts 16 calls of POST trade/mass-cancel']
