"""Rate limits to the millisecond."""

import pytest

from ccxt_mmp.simulator.limits import FixedWindows, RollingWindows


@pytest.mark.parametrize(('now', 'admitted'), [(2999, False), (3000, True)])
def test_rolling_window_has_room_when_its_first_request_is_a_window_old(now, admitted):
    windows = RollingWindows()
    assert [windows.admit('key', 1, 2, 2000, time) for time in (1000, 1500)] == [True, True]
    assert windows.admit('key', 1, 2, 2000, now) is admitted


def test_refused_request_is_not_counted():
    windows = RollingWindows()
    assert windows.admit('key', 1, 1, 2000, 1000)
    assert not windows.admit('key', 1, 1, 2000, 2000)
    assert windows.admit('key', 1, 1, 2000, 3000)


def test_weight_and_keys_are_counted():
    windows = RollingWindows()
    assert windows.admit('key', 4, 5, 2000, 0)
    assert not windows.admit('key', 2, 5, 2000, 0)
    assert windows.admit('key', 1, 5, 2000, 0)
    assert windows.admit('another', 5, 5, 2000, 0)


@pytest.mark.parametrize(('now', 'used'), [(59_999, 7), (60_000, 0)])
def test_fixed_window_is_that_of_the_clock(now, used):
    windows = FixedWindows()
    assert windows.use('weight', 2, 60_000, 59_000) == 2
    assert windows.use('weight', 5, 60_000, 59_500) == 7
    assert windows.used('weight', 60_000, now) == used
    assert windows.used('another', 60_000, 59_999) == 0
