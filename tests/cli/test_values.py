"""What options take: it is checked at once, before anything is sent."""

import pytest

from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.values import duration, written
from tests.cli.books import RULE

TARGET = 'okx:BTC/USD'


@pytest.mark.parametrize(
    ('text', 'milliseconds'),
    [('300ms', 300), ('300', 300), ('5s', 5000), ('5S', 5000), ('5m', 300_000), ('2h', 7_200_000)],
)
@pytest.mark.parametrize(
    ('option', 'name'), [('halt --for', 'duration'), ('cancel --timeout', 'timeout'), ('set --window', 'window')]
)
def test_time(option, name, text, milliseconds):
    command, option = option.split()
    rule = RULE if command == 'set' else ()
    assert getattr(parsed([command, TARGET, *rule, option, text]), name) == milliseconds


@pytest.mark.parametrize('text', ['0', '0s', '-5s', '5 s', '5d', '', 's', '1.5s', '1e3', '\u0665s', '1' * 16])
@pytest.mark.parametrize('option', ['orders --timeout', 'cancel --timeout', 'status --timeout'])
def test_what_is_no_time_is_refused(option, text):
    command, option = option.split()
    with pytest.raises(SystemExit, match='2') as exited:
        parsed([command, TARGET, f'{option}={text}'])
    assert 'is no duration above 0, such as 300ms, 5s, 5m, 2h; a bare number is ms' in exited.value.message


@pytest.mark.parametrize('text', ['5', '99ms', '0', 'x'])
def test_halt_of_milliseconds_is_refused(text):
    with pytest.raises(SystemExit) as exited:
        parsed(['halt', TARGET, '--for', text])
    assert 'is no duration of at least 100ms, such as 300ms' in exited.value.message


def test_times_that_may_be_0():
    assert parsed(['cancel', TARGET, '--lock-interval', '0']).lock_interval == 0
    assert parsed(['set', TARGET, *RULE, '--frozen-time', '0', '--window', '0']).frozen_time == 0


def test_lock_is_as_long_as_an_exchange_locks():
    assert parsed(['cancel', TARGET, '--lock-interval', '10s']).lock_interval == 10_000
    with pytest.raises(SystemExit) as exited:
        parsed(['cancel', TARGET, '--lock-interval', '11s'])
    assert 'is no duration up to 10s' in exited.value.message


@pytest.mark.parametrize('milliseconds', [0, 1, 300, 1500, 5000, 60_000, 300_000, 3_600_000, 7_200_000, 90_000])
def test_time_is_written_as_it_can_be_typed(milliseconds):
    assert duration(0)(written(milliseconds)) == milliseconds


def test_time_is_written_short():
    assert [written(each) for each in (0, 1500, 5000, 300_000, 7_200_000)] == ['0', '1500ms', '5s', '5m', '2h']


@pytest.mark.parametrize(('text', 'seconds'), [('2', 2), ('0.5', 0.5), ('.5', 0.5), ('300ms', 0.3), ('1m', 60)])
def test_interval(text, seconds):
    assert parsed(['status', TARGET, '--watch', text]).watch == seconds


@pytest.mark.parametrize('text', ['0', 'inf', 'nan', '-1', '0ms', '1e3', TARGET, '9' * 12])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(SystemExit) as exited:
        parsed(['status', TARGET, f'--watch={text}'])
    assert 'is no interval above 0' in exited.value.message


@pytest.mark.parametrize('option', ['--qty-limit', '--delta-limit', '--vega-limit', '--max-quote-quantity'])
@pytest.mark.parametrize('text', ['0', '0.0', '1e3', '-1', 'nan', 'inf', '1,5', '', '1_0', '\u0661', '1' * 21])
def test_what_is_no_number_is_refused(option, text):
    with pytest.raises(SystemExit) as exited:
        parsed(['set', TARGET, *RULE, f'{option}={text}'])
    assert 'is no number above 0, such as 100 or 0.5' in exited.value.message


def test_number_is_kept_as_it_was_written():
    arguments = parsed(['set', TARGET, *RULE, '--delta-limit', '0.10000000000000000001', '--count-limit', '7'])
    assert (arguments.delta_limit, arguments.count_limit) == ('0.10000000000000000001', '7')


@pytest.mark.parametrize('text', ['0', '1.5', '-1', 'x', ''])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(SystemExit) as exited:
        parsed(['set', TARGET, *RULE, f'--count-limit={text}'])
    assert 'is no whole number above 0' in exited.value.message


@pytest.mark.parametrize('text', ['65536', '-1', 'x', ''])
def test_what_is_no_port_is_refused(text):
    with pytest.raises(SystemExit) as exited:
        parsed(['simulate', f'--port={text}'])
    assert 'is no port, 0 to 65535' in exited.value.message


def test_states_to_fail_for():
    assert parsed(['status', TARGET]).fail_if == []
    assert parsed(['status', TARGET, '--fail-if', 'Frozen,off']).fail_if == ['frozen', 'off']
    with pytest.raises(SystemExit) as exited:
        parsed(['status', TARGET, '--fail-if', 'armed'])
    assert "'armed' is neither frozen nor off" in exited.value.message
