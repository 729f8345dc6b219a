"""What ``ccxt-mmp cancel`` cancels and says."""

import io
import json
import re
import sys
import time

import pytest

import ccxt_mmp
from ccxt_mmp.cli import cancelling, threads
from ccxt_mmp.core.awaiting import run_sync
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
    untagged = r'; 2 orders rest without the tag: bybit:BTC'
    assert re.match(rf'CANCELLED all MMP orders(, \d+ or more)? \(Bybit: the tagged ones\){untagged}\n', out)
    assert re.search(r'okx:BTC/USD: cancelled all MMP orders(, 2 or more)?\n', out)
    assert 'binance:BTC/USDT: cancelled 2 MMP orders\n' in out
    assert [cells[-1] for cells in lines(out) if cells[0] in UNDERLYINGS] == ['0'] * len(ALL)
    assert status == 0


def test_cancel_is_on_its_way_before_anything_else_is_answered(simulator, ccxt_mmp_command):
    simulator.fault('delay', 'orders-pending', milliseconds=800, times=9)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD')[0] == 0
    came = {request.path.rpartition('/')[2]: request.time for request in reversed(simulator.requests)}
    assert came['mass-cancel'] - came['orders-pending'] < 700
    assert came['mmp-config'] >= came['mass-cancel']


def test_cancels_begin_before_the_lists(simulator, ccxt_mmp_command, monkeypatch):
    begun, stock = [], threads.in_thread

    async def in_thread(call, *arguments):
        begun.append(getattr(call, '__name__', ''))
        return await stock(call, *arguments)

    monkeypatch.setattr(threads, 'in_thread', in_thread)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', 'binance:BTC/USDT')[0] == 0
    assert begun[:3] == ['mass_cancel_mmp', 'mass_cancel_mmp', '<lambda>']


def test_cancel_asks_for_no_clock(simulator, ccxt_mmp_command):
    assert ccxt_mmp_command('cancel', *ALL)[0] == 0
    assert not [request for request in simulator.requests if request.path.endswith(('/time', 'get_time'))]


def test_cancel_does_not_wait_for_another_target(simulator, ccxt_mmp_command, monkeypatch):
    monkeypatch.setattr(cancelling, 'TICK', 0.05)
    for timeout in ('400', '2400', '9000'):  # the others may need longer on a busy machine
        simulator.clear()
        quote(simulator)
        simulator.fault('delay', 'mass-cancel', milliseconds=60_000, times=9)
        status, out, err = ccxt_mmp_command('cancel', *ALL, '--timeout', timeout)
        waited = re.search(r'ccxt-mmp: \d s: 3 of 4 done, waiting for okx:BTC/USD\n', err)
        if waited and 'cancelled 6 MMP orders' in out:
            break
    assert 'binance:BTC/USDT: cancelled 2 MMP orders\n' in out
    assert re.search('okx:BTC/USD: (RequestTimeout|MassCancelIncomplete)', err)
    assert out.startswith('NOT CERTAIN, run it again: okx:BTC/USD; cancelled 6 MMP orders (Bybit: the tagged ones)')
    assert 'okx:BTC/USD: NOT CERTAIN: ' in out
    assert waited
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
    okx, binance, deribit, _ = json.loads(out)
    assert okx['cancelled']['orders'] is None
    assert (deribit['ordersBefore'], deribit['orders'], okx['orders'], binance['orders']) == (0, 0, 0, 1)
    assert okx['state']['enabled'] is False
    assert binance['state']['enabled'] is False
    assert binance['cancelled'] is None
    error = binance['error']
    assert (error['type'], error['cancelled'], error['remaining']) == ('MassCancelIncomplete', [other], [stubborn])
    assert error['unknown'] == []
    assert 'ccxt-mmp: binance:BTC/USDT: MassCancelIncomplete: ' in err
    assert status == 1


def test_order_that_is_left_is_told_with_its_contract(simulator, ccxt_mmp_command):
    order = simulator.rest('binance', 'BTCUSDT', mmp=True)
    simulator.refuse_cancel(order.order_id)
    status, out, _ = ccxt_mmp_command('cancel', 'binance:BTC/USDT')
    assert out.startswith('NOT CERTAIN, run it again: binance:BTC/USDT\n')
    left = f'{order.instrument.instrument_id} {order.order_id}'
    assert f'binance:BTC/USDT: NOT CERTAIN: 1 order left: {left}\n' in out
    assert status == 1


def test_order_that_rests_afterwards_is_no_success(simulator, ccxt_mmp_command, monkeypatch):
    """As where a bot quotes on."""
    monkeypatch.setattr(cancelling, 'LOOK_LIMIT', 0.5)

    def quotes(self, underlying, params={}):
        done = run_sync(self._cancel_or_halt(underlying, params))
        simulator.rest('okx', 'BTC-USD', mmp=True)
        return done

    monkeypatch.setattr(ccxt_mmp.okx, 'mass_cancel_mmp', quotes)
    status, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD')
    [order] = simulator.resting('okx', 'BTC-USD')
    assert out.startswith('NOT CERTAIN, run it again: okx:BTC/USD\n')
    assert f'; 1 MMP order rests NOW: {order.instrument.instrument_id} {order.order_id}\n' in out
    assert status == 1


def test_cancel_counts_before_and_after(simulator, ccxt_mmp_command):
    quote(simulator)
    told = json.loads(ccxt_mmp_command('cancel', *ALL, '--json')[1])
    assert [each['orders'] for each in told] == [0] * len(ALL)
    # the least that were there, where the list is asked for beside the cancel
    assert told[0]['ordersBefore'] in (None, 2)
    assert [each['ordersBefore'] for each in told[1:]] == [2] * (len(ALL) - 1)


def test_cancel_of_nothing_says_so(simulator, ccxt_mmp_command):
    assert ccxt_mmp_command('cancel', 'binance:BTC/USDT')[1].startswith('CANCELLED 0 MMP orders: none was there\n')


def test_cancel_of_nothing_by_the_tag_says_what_it_is_of(simulator, ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('cancel', 'bybit:BTC')
    assert out.startswith('CANCELLED 0 tagged MMP orders: none was there\nbybit:BTC: cancelled 0 tagged MMP orders\n')
    assert status == 0
    order = simulator.rest('bybit', 'BTC', mmp=True, client_order_id='of-another-program')
    status, out, _ = ccxt_mmp_command('cancel', 'bybit:BTC')
    headline, details, *_ = out.splitlines()
    untold = 'CANCELLED 0 tagged MMP orders: none was there; 1 order rests without the tag: bybit:BTC'
    assert (headline, simulator.order(order.order_id).is_open) == (untold, True)
    assert '; 1 order rests without the tag mmp-, maybe of MMP: see --include-non-mmp' in details
    [told] = json.loads(ccxt_mmp_command('cancel', 'bybit:BTC', '--json')[1])
    assert (told['orders'], told['untagged'], status) == (0, 1, 0)
    status, out, _ = ccxt_mmp_command('cancel', 'bybit:BTC', '--include-non-mmp')
    assert out.startswith('CANCELLED all orders')
    assert 'tag' not in out
    assert simulator.resting('bybit', 'BTC') == []


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_tag_is_that_of_the_exchange(exchange_id):
    of_orders = getattr(ccxt_mmp, exchange_id)().options.get('createOrder')
    tag = of_orders['mmpTag'] if isinstance(of_orders, dict) and 'mmpTag' in of_orders else ''
    assert tag == EXCHANGES[exchange_id].mmp_tag


def test_cancel_of_an_unknown_name_is_undone(simulator, ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('cancel', 'okx:nonsense', 'binance:BTC/USDT')
    assert out.startswith('NOT CANCELLED: okx:nonsense; cancelled 0 MMP orders')
    assert 'okx:nonsense: NOT CANCELLED: BadSymbol: ' in out
    assert status == 1


@pytest.mark.parametrize('target', ['okx:BCT/USD', 'binance:BCT/USDT', 'deribit:BCT/USD', 'bybit:BCT'])
def test_cancel_of_a_name_that_no_option_has_is_undone(simulator, ccxt_mmp_command, target):
    status, out, _ = ccxt_mmp_command('cancel', target)
    assert out.startswith(f'NOT CANCELLED: {target}')
    assert f'{target}: NOT CANCELLED: BadSymbol: ' in out
    assert status == 1


def test_verdict_does_not_wait_for_a_state(simulator, ccxt_mmp_command, monkeypatch):
    monkeypatch.setattr(cancelling, 'LOOK_LIMIT', 0.2)
    simulator.fault('delay', 'mmp-config', milliseconds=60_000)
    started = time.monotonic()
    status, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '90s')  # and so 30 s for the state
    assert out.startswith('CANCELLED all MMP orders\n')
    assert time.monotonic() - started < 25
    assert status == 0


def test_cancel_says_how_short_its_times_were(simulator, ccxt_mmp_command):
    """A bare number is milliseconds, and nobody is asked."""
    said = 'ccxt-mmp: --lock-interval was 10 ms; seconds are written 10s\n'
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--lock-interval', '10')[2] == said
    assert '--timeout was 1 ms; seconds are' in ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '1')[2]
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--lock-interval', '0')[2] == ''


def test_cancel_with_a_lock_says_until_when(simulator, ccxt_mmp_command):
    _, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD', '--lock-interval', '10s')
    assert re.search(r'\nokx:BTC/USD: cancelled all MMP orders, locked until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n', out)


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
    assert 'okx:BTC/USD: cancelled 2 MMP orders\n' in out
    assert status == 0
    simulator.clear_faults()  # the endpoint was not asked


def test_cancel_shows_how_it_is_after_a_failure_too(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.fault('result_false', 'mass-cancel', times=9)
    status, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD')
    assert out.startswith('NOT CERTAIN, run it again: okx:BTC/USD\n')
    assert [cells[3] for cells in lines(out) if cells[0] == 'okx'] == ['armed']
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
    assert out.startswith('CANCELLED all MMP orders')
    assert len(out.splitlines()) == 2  # and no table
    assert err.startswith('ccxt-mmp: okx:BTC/USD: its state is not known: ')
    assert err.count('\n') == 1
    assert status == 0


def test_cancel_needs_no_clock(simulator, ccxt_mmp_command):
    simulator.advance(3_600_000)  # it is wrong, and the exchange says so
    quote(simulator)
    assert ccxt_mmp_command('cancel', *ALL)[0] == 0
    assert resting(simulator) == OTHERS_ALONE
