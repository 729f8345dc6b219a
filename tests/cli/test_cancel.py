"""What ``ccxt-mmp cancel`` cancels and says."""

import io
import json
import re
import sys

import pytest

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Rule
from tests.cli.books import ALL, OTHERS_ALONE, UNDERLYINGS, lines, quote, resting


def test_cancel_cancels_everywhere_and_asks_nothing(simulator, ccxt_mmp_command):
    quote(simulator)
    for venue, underlying in UNDERLYINGS.items():
        simulator.set_rule(venue, underlying, Rule(5000, 60000, '100', '100'))
        simulator.trip(venue, underlying)
        simulator.protection(venue, underlying)
    simulator.advance(60_001)
    quote(simulator)
    status, out, _ = ccxt_mmp_command('cancel', *ALL)
    assert resting(simulator) == OTHERS_ALONE
    assert 'okx:BTC/USD: cancelled all MMP orders\n' in out
    assert 'binance:BTC/USDT: cancelled 2 orders\n' in out
    assert [cells[0] for cells in lines(out)].count('before:') == 1
    assert status == 0


def test_cancel_is_on_its_way_before_anything_else_is_answered(simulator, ccxt_mmp_command):
    simulator.fault('delay', 'mmp-config', milliseconds=800)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD')[0] == 0
    came = {request.path.rpartition('/')[2]: request.time for request in simulator.requests[:2]}
    assert came.keys() == {'mass-cancel', 'mmp-config'}
    assert came['mass-cancel'] - came['mmp-config'] < 700


def test_cancel_does_not_wait_for_another_target(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('delay', 'mass-cancel', milliseconds=5000, times=9)
    status, out, err = ccxt_mmp_command('cancel', *ALL, '--timeout', '1200')
    assert 'binance:BTC/USDT: cancelled 2 orders\n' in out
    assert re.search('okx:BTC/USD: (RequestTimeout|MassCancelIncomplete)', err)
    assert status == 1


def test_cancel_asks_again_where_no_answer_comes(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('delay', 'mass-cancel', milliseconds=5000)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '2400')[0] == 0
    assert [request.path.rpartition('/')[2] for request in simulator.requests].count('mass-cancel') == 2


def test_cancel_as_json_says_what_was_cancelled_and_what_was_not(simulator, ccxt_mmp_command):
    stubborn, other = (simulator.rest('binance', 'BTCUSDT', mmp=True).order_id for _ in range(2))
    simulator.refuse_cancel(stubborn)
    status, out, err = ccxt_mmp_command('cancel', *ALL, '--json')
    okx, binance, *_ = json.loads(out)
    assert okx['cancelled']['orders'] is None
    assert okx['state']['enabled'] is False
    assert binance['state']['enabled'] is False
    assert binance['cancelled'] is None
    error = binance['error']
    assert (error['type'], error['cancelled'], error['remaining']) == ('MassCancelIncomplete', [other], [stubborn])
    assert error['unknown'] == []
    assert err.startswith('ccxt-mmp: binance:BTC/USDT: MassCancelIncomplete: ')
    assert status == 1


def test_cancel_with_a_lock_says_until_when(simulator, ccxt_mmp_command):
    _, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD', '--lock-interval', '10000')
    assert re.match(r'okx:BTC/USD: cancelled all MMP orders, locked until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n', out)


@pytest.mark.parametrize(
    ('option', 'lacking', 'left'),
    [
        (('--lock-interval', '10000'), 'binance:BTC/USDT: NotSupported: binance has no --lock-interval', 'obd'),
        (('--include-non-mmp',), 'okx:BTC/USD: NotSupported: okx has no --include-non-mmp', 'o'),
    ],
)
def test_cancel_that_an_exchange_has_in_part_is_done_as_far_as_it_goes(
    simulator, ccxt_mmp_command, option, lacking, left
):
    quote(simulator)
    status, out, err = ccxt_mmp_command('cancel', *ALL, *option)
    assert resting(simulator) == {(each, False) for each in EXCHANGES if each[0] in left}
    assert f'ccxt-mmp: {lacking}' in err
    assert 'okx:BTC/USD: cancelled all MMP orders' in out
    assert ('binance:BTC/USDT: cancelled all orders' in out) == (left == 'o')
    assert status == 1


def test_cancel_without_the_privilege(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('result_false', 'mass-cancel')
    status, out, _ = ccxt_mmp_command('cancel', *ALL, '--emulate')
    assert resting(simulator) == OTHERS_ALONE
    assert 'okx:BTC/USD: cancelled 2 orders' in out
    assert status == 0
    simulator.clear_faults()  # the endpoint was not asked


def test_cancel_shows_how_it_is_after_a_failure_too(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.fault('result_false', 'mass-cancel', times=9)
    status, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD')
    assert [cells[3] for cells in lines(out) if cells[0] == 'okx'] == ['armed', 'armed']
    assert status == 1


@pytest.mark.parametrize('stream', ['stdout', 'stderr'])
@pytest.mark.parametrize('arguments', [(), ('--verbose',), ('--json',)])
def test_cancel_stops_for_nobody_who_does_not_read(simulator, ccxt_mmp_command, monkeypatch, stream, arguments):
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    quote(simulator)
    monkeypatch.setattr(sys, stream, Broken())
    assert ccxt_mmp_command('cancel', 'okx:BTC/USDX', *ALL, *arguments)[0] == 1
    assert resting(simulator) == OTHERS_ALONE


def test_cancel_succeeds_without_the_state(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('status', 'mmp-config', status=503, times=9)
    status, out, err = ccxt_mmp_command('cancel', 'okx:BTC/USD')
    assert out == 'okx:BTC/USD: cancelled all MMP orders\n'
    assert err.startswith('ccxt-mmp: okx:BTC/USD: its state is not known: ')
    assert err.count('\n') == 1
    assert status == 0


def test_cancel_needs_no_clock(simulator, ccxt_mmp_command):
    simulator.advance(3_600_000)  # it is wrong, and the exchange says so
    quote(simulator)
    assert ccxt_mmp_command('cancel', *ALL)[0] == 0
    assert resting(simulator) == OTHERS_ALONE
