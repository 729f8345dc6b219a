"""The command line, within this process: what is done, what is said, and the exit status."""

import io
import json
import re
import signal
import sys
import time
from contextlib import contextmanager

import pytest

import ccxt_mmp
from ccxt_mmp import async_support
from ccxt_mmp.cli import commands, main, screens, targets
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.output import is_terminal, say
from ccxt_mmp.cli.report import Result, duration, row
from ccxt_mmp.cli.screens import Plain, Rich
from ccxt_mmp.cli.targets import Exchanges, Target
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, Rule, redirect
from ccxt_mmp.types import MmpState

BOTH = ('okx:BTC/USD', 'binance:BTC/USDT')
RULE = ('--window', '5000', '--frozen-time', '60000', '--qty-limit', '10')
UNDERLYINGS = {'okx': 'BTC-USD', 'binance': 'BTCUSDT'}


@pytest.fixture
def ccxt_mmp_command(simulator, capsys):
    """Runs a command at the simulator; its exit status, output and errors."""

    def run(command, *arguments):
        status = main([command, *arguments, '--simulator', simulator.url])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def environment(simulator, monkeypatch):
    """The credentials of the simulator where ccxt's command line has them, and the exchanges there."""
    for name, value in {'APIKEY': KEY, 'SECRET': SECRET, 'PASSWORD': PASSPHRASE}.items():
        for exchange_id in ('OKX', 'BINANCE'):
            monkeypatch.setenv(f'{exchange_id}_{name}', value)

    def redirected(exchange_class):
        class Redirected(exchange_class):
            def __init__(self, config={}):
                super().__init__(config)
                redirect(self, simulator.url)

        return Redirected

    for exchange_id in ('okx', 'binance'):
        monkeypatch.setattr(async_support, exchange_id, redirected(getattr(async_support, exchange_id)))
    return monkeypatch


@pytest.fixture
def terminal(monkeypatch):
    """Everything is a terminal, and the user answers so."""
    monkeypatch.setattr(commands, 'is_terminal', lambda *_: True)

    def answers(line):
        monkeypatch.setattr(sys, 'stdin', type('Typed', (), {'readline': lambda self: line})())

    return answers


def lines(table):
    return [re.split(r'  +', line.strip()) for line in table.splitlines()]


def resting(simulator):
    return {
        (venue, order.mmp)
        for venue, underlying in UNDERLYINGS.items()
        for order in simulator.resting(venue, underlying)
    }


def quote(simulator):
    for venue, underlying in UNDERLYINGS.items():
        for mmp in (True, True, False):
            simulator.rest(venue, underlying, mmp=mmp)


# --- status


def test_status_shows_what_is_armed_frozen_and_off(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 2000, '100'))
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 0, '1.5', '0.5'))
    simulator.trip('okx', 'BTC-USD')
    status, out, err = ccxt_mmp_command('status', *BOTH, 'okx:rfq')
    heading, okx, binance, rfq, note = lines(out)
    assert heading[:5] == ['EXCHANGE', 'UNDERLYING', 'SCOPE', 'STATE', 'TIME LEFT']
    assert heading[5:] == ['WINDOW', 'FROZEN TIME', 'LIMITS', 'LAST TRIGGER']
    assert okx[:4] == ['okx', 'BTC/USD:BTC', 'orders', 'FROZEN']
    assert re.fullmatch(r'[01]\.\d s', okx[4])
    assert okx[5:] == ['5000 ms', '2000 ms', '100 contracts', '-']
    assert binance[:5] == ['binance', 'BTC/USDT:USDT', 'orders', 'armed', '-']
    assert binance[5:] == ['3000 ms', 'until reset', '1.5 contracts, delta 0.5 BTC', '-']
    assert rfq == ['okx', '-', 'rfq', 'off', *['-'] * 5]
    assert note == ['Contracts differ: 100 contracts are about 1 BTC on OKX and 100 BTC on Binance.']
    assert (status, err) == (0, '')


def test_status_says_when_it_cannot_tell(simulator, ccxt_mmp_command):
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 0, '1', '1'))
    simulator.trip('binance', 'BTCUSDT')
    _, out, _ = ccxt_mmp_command('status', 'binance:BTC/USDT')
    *_, state, time_left, _, _, limits, last_trigger = lines(out)[1]
    assert (state, time_left, limits) == ('unknown', '-', '1 contract, delta 1 BTC')
    assert re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC', last_trigger)


def test_status_counts_by_the_clock_of_the_exchange(simulator, ccxt_mmp_command):
    simulator.advance(3_600_000)
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 300_000, '1', '1'))
    simulator.trip('binance', 'BTCUSDT')
    _, out, _ = ccxt_mmp_command('status', 'binance:BTC/USDT')
    assert lines(out)[1][3] == 'FROZEN'
    assert re.fullmatch('5:00|4:5[0-9]', lines(out)[1][4])
    assert 'a reset by another program may not show' in out


def test_status_as_json_is_one_document(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 2000, '100'))
    status, out, err = ccxt_mmp_command('status', *BOTH, 'kraken:BTC/USD', '--json')
    okx, binance, kraken = json.loads(out)
    assert (okx['target'], okx['exchange'], okx['error']) == ('okx:BTC/USD', 'okx', None)
    assert okx['state'].keys() == MmpState.__required_keys__
    assert (okx['state']['qtyLimit'], okx['state']['deltaLimit'], okx['before']) == (100, None, None)
    assert binance['state']['enabled'] is False
    assert kraken['state'] is None
    assert kraken['error']['type'] == 'BadSymbol'
    assert err == f'ccxt-mmp: kraken:BTC/USD: {kraken["error"]["message"]}\n'
    assert status == 1


@pytest.mark.parametrize(
    ('wrong', 'error'),
    [
        ('kraken:BTC/USD', 'BadSymbol: a target is okx:UNDERLYING or binance:UNDERLYING, not kraken:BTC/USD'),
        ('okx', 'BadSymbol: okx fetchMmp'),
        ('okx:', 'BadSymbol: okx fetchMmp'),
        ('okx:BTC/USDT', 'BadSymbol: okx fetchMmp'),
        ('binance:rfq', 'NotSupported: binance fetchMmp'),
    ],
)
def test_target_that_fails_stops_no_other(simulator, ccxt_mmp_command, wrong, error):
    simulator.set_rule('okx', 'BTC-USD')
    status, out, err = ccxt_mmp_command('status', wrong, 'okx:BTC/USD')
    assert [cells[3] for cells in lines(out)[1:3]] == ['failed', 'armed']
    assert err.startswith(f'ccxt-mmp: {wrong}: {error}')
    assert err.count('\n') == 1
    assert status == 1


def test_failure_is_one_short_line(simulator, ccxt_mmp_command):
    simulator.fault('malformed', 'mmp-config', times=9)
    _, _, err = ccxt_mmp_command('status', 'okx:BTC/USD')
    assert err.startswith('ccxt-mmp: okx:BTC/USD: BadResponse: ')
    assert err.count('\n') == 1
    assert len(err) < 600


@pytest.fixture
def watched(monkeypatch):
    """What is drawn while a command watches; at the given picture it is interrupted."""
    pictures = []

    def until(count, *, is_terminal, then=()):
        class Fake:
            @contextmanager
            def live(self):
                yield draw

        def draw(rows, notes):
            pictures.append((rows, notes))
            if then and rows[0][3] != 'unknown':
                then.pop()()
            if len(pictures) == count:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(commands, 'screen', Fake)
        monkeypatch.setattr(commands, 'is_terminal', lambda *_: is_terminal)
        return pictures

    return until


def test_status_is_watched_until_it_is_interrupted(simulator, ccxt_mmp_command, watched):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 60_000, '1'))
    simulator.trip('okx', 'BTC-USD')
    pictures = watched(8, is_terminal=True)
    status, out, err = ccxt_mmp_command('status', 'okx:BTC/USD', 'kraken:BTC', '--watch', '1')
    assert len(pictures) == 8
    left = [float(rows[0][4].removesuffix(' s')) for rows, _ in pictures]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1]
    assert {(rows[0][3], rows[1][3]) for rows, _ in pictures} == {('FROZEN', 'failed')}
    assert all(re.match('kraken:BTC: BadSymbol', note) for _, [note] in pictures)
    polls = [request for request in simulator.requests if request.path.endswith('mmp-config')]
    assert 1 < len(polls) < 8  # and not once for each picture
    assert (status, out, err) == (1, '', '')


def test_status_that_nobody_sees_is_written_when_it_is_new(simulator, ccxt_mmp_command, watched):
    pictures = watched(3, is_terminal=False)
    status, _, err = ccxt_mmp_command('status', 'okx:BTC/USD', 'kraken:BTC', '--watch', '0.4')
    polls = [request for request in simulator.requests if request.path.endswith('mmp-config')]
    assert len(polls) >= len(pictures) == 3
    assert err.count('ccxt-mmp: kraken:BTC: BadSymbol') >= 3
    assert {(*notes,) for _, notes in pictures} == {()}
    assert status == 1


def test_exchange_that_is_slow_holds_up_no_other(simulator, ccxt_mmp_command, watched):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.fault('delay', '/eapi/v1/mmp', milliseconds=60_000, times=99)
    pictures = watched(12, is_terminal=True)
    started = time.monotonic()
    status, _, _ = ccxt_mmp_command('status', *BOTH, '--watch', '0.5')
    assert time.monotonic() - started < 30
    assert [cells[3] for cells in pictures[-1][0]] == ['armed', 'unknown']
    assert [request.path for request in simulator.requests].count('/api/v5/account/mmp-config') > 1
    assert status == 1  # one was never seen


def test_state_that_is_old_is_said_to_be(simulator, ccxt_mmp_command, watched):
    simulator.set_rule('okx', 'BTC-USD')
    pictures = watched(30, is_terminal=True, then=[lambda: simulator.fault('delay', milliseconds=60_000, times=99)])
    assert ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '0.5')[0] == 0
    assert pictures[0][1] == []
    assert re.fullmatch(r'okx:BTC/USD: as it was \d+ s ago', pictures[-1][1][0])


# --- set and reset


def test_set_sets_the_rule_and_shows_before_and_after(simulator, ccxt_mmp_command):
    status, out, err = ccxt_mmp_command('set', *BOTH[1:], *RULE, '--delta-limit', '0.25')
    before, _, off, after, _, armed = lines(out)
    assert (before, after) == (['before:'], ['after:'])
    assert off[3] == 'off'
    assert (armed[3], armed[7]) == ('armed', '10 contracts, delta 0.25 BTC')
    assert simulator.protection('binance', 'BTCUSDT').rule == Rule(5000, 60000, '10', '0.25')
    assert (status, err) == (0, '')


def test_set_of_block_trading(simulator, ccxt_mmp_command):
    rule = ('--window', '5000', '--frozen-time', '0', '--count-limit', '7')
    assert ccxt_mmp_command('set', 'okx:rfq', *rule)[0] == 0
    assert simulator.protection('okx').rule.count_limit == '7'


def test_limit_that_an_exchange_does_not_have_is_never_dropped(simulator, ccxt_mmp_command):
    status, _, err = ccxt_mmp_command('set', *BOTH, *RULE, '--delta-limit', '1')
    assert err.startswith('ccxt-mmp: okx:BTC/USD: NotSupported: okx setMmp() has no deltaLimit')
    assert simulator.protection('okx', 'BTC-USD').rule is None
    assert simulator.protection('binance', 'BTCUSDT').rule is not None
    assert status == 1


@pytest.mark.parametrize('command', [('reset',), ('set', *RULE)])
def test_frozen_protection_is_left_alone_where_nobody_can_be_asked(simulator, ccxt_mmp_command, command):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.set_rule('okx', 'ETH-USD')
    simulator.trip('okx', 'BTC-USD')
    simulator.advance(0)
    command, *rest = command
    status, out, err = ccxt_mmp_command(command, 'okx:BTC/USD', 'okx:ETH/USD', *rest)
    assert 'LeftAlone: it is FROZEN, and nobody can be asked; --yes does it unasked' in err
    assert [cells[3] for cells in lines(out)[-2:]] == ['FROZEN', 'armed']
    assert not [request for request in simulator.requests if request.method == 'POST' and 'BTC-USD' in request.body]
    assert [request for request in simulator.requests if request.method == 'POST' and 'ETH-USD' in request.body]
    assert status == 1


@pytest.mark.parametrize('answer', ['y\n', 'YES\n'])
def test_frozen_protection_is_reset_if_the_user_says_so(simulator, ccxt_mmp_command, terminal, answer):
    terminal(answer)
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))
    simulator.trip('okx', 'BTC-USD')
    status, out, err = ccxt_mmp_command('reset', 'okx:BTC/USD')
    assert err == 'okx:BTC/USD is FROZEN: reset it? [y/N] '
    assert [cells[3] for cells in (lines(out)[2], lines(out)[5])] == ['FROZEN', 'armed']
    assert not simulator.protection('okx', 'BTC-USD').is_frozen(simulator.now())
    assert status == 0


@pytest.mark.parametrize('answer', ['\n', 'n\n', ''])
def test_frozen_protection_stays_so_otherwise(simulator, ccxt_mmp_command, terminal, answer):
    terminal(answer)
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))
    simulator.trip('okx', 'BTC-USD')
    status, _, err = ccxt_mmp_command('reset', 'okx:BTC/USD')
    assert err.endswith('ccxt-mmp: okx:BTC/USD: LeftAlone: it is FROZEN, and is left alone\n')
    assert simulator.protection('okx', 'BTC-USD').is_frozen(simulator.now())
    assert status == 1


def test_protection_that_is_off_and_frozen_is_asked_about(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))
    simulator.trip('okx', 'BTC-USD')
    simulator.set_rule('okx', 'BTC-USD', Rule(0, 0, '1'))
    status, _, err = ccxt_mmp_command('reset', 'okx:BTC/USD')
    assert 'it is FROZEN, and nobody can be asked' in err
    assert status == 1


def test_protection_that_freezes_while_another_is_asked_about_is_asked_about_too(
    simulator, ccxt_mmp_command, terminal, monkeypatch
):
    for family in ('BTC-USD', 'ETH-USD'):
        simulator.set_rule('okx', family, Rule(5000, 0, '1'))
    simulator.trip('okx', 'BTC-USD')

    class Slow:
        def readline(self):
            simulator.trip('okx', 'ETH-USD')
            return 'n\n'

    terminal('')
    monkeypatch.setattr(sys, 'stdin', Slow())
    status, _, err = ccxt_mmp_command('reset', 'okx:BTC/USD', 'okx:ETH/USD')
    assert 'okx:ETH/USD is FROZEN: reset it? [y/N]' in err
    assert not [request for request in simulator.requests if request.method == 'POST']
    assert status == 1


def test_protection_that_may_be_frozen_is_asked_about(simulator, ccxt_mmp_command):
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 0, '1', '1'))
    simulator.trip('binance', 'BTCUSDT')
    status, _, err = ccxt_mmp_command('reset', 'binance:BTC/USDT')
    assert 'it may be frozen, and nobody can be asked' in err
    assert status == 1


def test_frozen_protection_is_reset_unasked_with_yes(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))
    simulator.trip('okx', 'BTC-USD')
    assert ccxt_mmp_command('reset', 'okx:BTC/USD', '--yes')[0] == 0
    assert not simulator.protection('okx', 'BTC-USD').is_frozen(simulator.now())


def test_state_that_cannot_be_fetched_does_not_stop_what_need_not_be_asked(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))
    simulator.fault('status', 'mmp-config', status=503, times=9)
    status, out, err = ccxt_mmp_command('reset', 'okx:BTC/USD', '--yes')
    assert 'okx:BTC/USD: its state is not known: ExchangeNotAvailable' in err
    assert lines(out)[2][3] == 'unknown'
    assert lines(out)[5][3] == 'not frozen'  # as the reset said
    assert status == 0


def test_state_that_cannot_be_fetched_stops_what_may_have_to_be_asked(simulator, ccxt_mmp_command):
    simulator.fault('status', 'mmp-config', status=503)
    status, _, err = ccxt_mmp_command('reset', 'okx:BTC/USD')
    assert err.startswith('ccxt-mmp: okx:BTC/USD: ExchangeNotAvailable')
    assert {request.method for request in simulator.requests if 'mmp-' in request.path} == {'GET'}
    assert status == 1


# --- cancel


def test_cancel_cancels_everywhere_and_asks_nothing(simulator, ccxt_mmp_command):
    quote(simulator)
    for venue, underlying in UNDERLYINGS.items():
        simulator.set_rule(venue, underlying, Rule(5000, 60000, '100', '100'))
        simulator.trip(venue, underlying)
        simulator.protection(venue, underlying)
    simulator.advance(60_001)
    quote(simulator)
    status, out, _ = ccxt_mmp_command('cancel', *BOTH)
    assert resting(simulator) == {('okx', False), ('binance', False)}
    assert 'okx:BTC/USD: cancelled all MMP orders\n' in out
    assert 'binance:BTC/USDT: cancelled 2 orders\n' in out
    assert [cells[0] for cells in lines(out)].count('before:') == 1
    assert status == 0


def test_cancel_is_on_its_way_before_anything_else_is_answered(simulator, ccxt_mmp_command):
    simulator.fault('delay', 'mmp-config', milliseconds=1500)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD')[0] == 0
    came = {request.path.rpartition('/')[2]: request.time for request in simulator.requests[:2]}
    assert came.keys() == {'mass-cancel', 'mmp-config'}
    assert came['mass-cancel'] - came['mmp-config'] < 1000


def test_cancel_does_not_wait_for_another_target(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('delay', 'mass-cancel', milliseconds=5000, times=9)
    status, out, err = ccxt_mmp_command('cancel', *BOTH, '--timeout', '500')
    assert out.startswith('binance:BTC/USDT: cancelled 2 orders\n')
    assert re.search('okx:BTC/USD: (RequestTimeout|MassCancelIncomplete)', err)
    assert status == 1


def test_cancel_asks_again_where_no_answer_comes(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('delay', 'mass-cancel', milliseconds=5000)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '4500')[0] == 0
    assert [request.path.rpartition('/')[2] for request in simulator.requests].count('mass-cancel') == 2


def test_cancel_as_json_says_what_was_cancelled_and_what_was_not(simulator, ccxt_mmp_command):
    stubborn, other = (simulator.rest('binance', 'BTCUSDT', mmp=True).order_id for _ in range(2))
    simulator.refuse_cancel(stubborn)
    status, out, err = ccxt_mmp_command('cancel', *BOTH, '--json')
    okx, binance = json.loads(out)
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
        (('--lock-interval', '10000'), 'binance:BTC/USDT: NotSupported: binance has no --lock-interval', 'ob'),
        (('--include-non-mmp',), 'okx:BTC/USD: NotSupported: okx has no --include-non-mmp', 'o'),
    ],
)
def test_cancel_that_an_exchange_has_in_part_is_done_as_far_as_it_goes(
    simulator, ccxt_mmp_command, option, lacking, left
):
    quote(simulator)
    status, out, err = ccxt_mmp_command('cancel', *BOTH, *option)
    assert resting(simulator) == {({'o': 'okx', 'b': 'binance'}[venue], False) for venue in left}
    assert err.startswith(f'ccxt-mmp: {lacking}')
    assert 'okx:BTC/USD: cancelled all MMP orders' in out
    assert ('binance:BTC/USDT: cancelled all orders' in out) == (left == 'o')
    assert status == 1


def test_cancel_without_the_privilege(simulator, ccxt_mmp_command):
    quote(simulator)
    simulator.fault('result_false', 'mass-cancel')
    status, out, _ = ccxt_mmp_command('cancel', *BOTH, '--emulate')
    assert resting(simulator) == {('okx', False), ('binance', False)}
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
    assert ccxt_mmp_command('cancel', 'okx:BTC/USDX', *BOTH, *arguments)[0] == 1
    assert resting(simulator) == {('okx', False), ('binance', False)}


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
    assert ccxt_mmp_command('cancel', *BOTH)[0] == 0
    assert resting(simulator) == {('okx', False), ('binance', False)}


# --- credentials and where it goes


def test_credentials_are_those_of_the_environment(simulator, environment, capsys):
    assert main(['status', *BOTH]) == 0
    environment.setenv('OKX_SECRET', 'another')
    assert main(['status', *BOTH]) == 1
    assert 'okx:BTC/USD: AuthenticationError' in capsys.readouterr().err


def test_credentials_that_are_missing_are_named(simulator, environment, capsys):
    environment.delenv('OKX_PASSWORD')
    environment.setenv('OKX_APIKEY', '')
    quote(simulator)
    assert main(['cancel', *BOTH]) == 1
    assert capsys.readouterr().err == (
        'ccxt-mmp: okx:BTC/USD: AuthenticationError: okx needs OKX_APIKEY, OKX_SECRET, OKX_PASSWORD '
        'in the environment or in --env-file, missing: OKX_APIKEY, OKX_PASSWORD\n'
    )
    assert resting(simulator) == {('okx', True), ('okx', False), ('binance', False)}


def test_credentials_of_a_file_win(simulator, environment, tmp_path):
    file = tmp_path / 'desk.env'
    file.write_text(f'# of the desk\nexport OKX_SECRET="{SECRET}"\nOKX_APIKEY=\n')
    environment.setenv('OKX_SECRET', 'another')
    assert main(['status', 'okx:BTC/USD', '--env-file', str(file)]) == 0


def test_file_that_cannot_be_read_is_one_line(simulator, environment, tmp_path, capsys):
    assert main(['cancel', *BOTH, '--env-file', str(tmp_path / 'none.env')]) == 1
    assert capsys.readouterr().err.startswith('ccxt-mmp: cannot read --env-file: ')
    environment.setitem(sys.modules, 'dotenv', None)
    assert main(['cancel', *BOTH, '--env-file', str(tmp_path)]) == 1
    assert "pip install 'ccxt-mmp[cli]'" in capsys.readouterr().err


def test_simulator_is_never_sent_the_users_credentials(simulator, monkeypatch):
    monkeypatch.setenv('OKX_APIKEY', 'mine')
    monkeypatch.setenv('OKX_SECRET', 'mine')
    monkeypatch.setenv('OKX_PASSWORD', 'mine')
    exchange = Exchanges(parsed(['status', 'okx:BTC/USD', '--simulator', simulator.url])).of(
        Target.parsed('okx:BTC/USD')
    )
    assert (exchange.apiKey, exchange.secret, exchange.password) == (KEY, SECRET, PASSPHRASE)


def test_sandbox_is_the_demo_of_each_exchange(environment):
    exchanges = Exchanges(parsed(['status', *BOTH, '--sandbox']))
    okx = exchanges.of(Target.parsed('okx:BTC/USD'))
    assert okx.headers['x-simulated-trading'] == '1'
    if hasattr(ccxt_mmp.binance, 'enable_demo_trading'):
        binance = exchanges.of(Target.parsed('binance:BTC/USDT'))
        assert binance.urls['api']['eapiPrivate'] == binance.urls['demo']['eapiPrivate']


def test_sandbox_that_this_ccxt_does_not_have_is_refused(environment, capsys):
    environment.setattr(targets, 'hasattr', lambda *_: False, raising=False)
    assert main(['cancel', 'binance:BTC/USDT', '--sandbox']) == 1
    assert 'NotSupported: binance has no --sandbox with this version of ccxt' in capsys.readouterr().err


def test_nothing_that_is_said_has_a_secret(simulator, environment, capsys):
    simulator.fault('status', 'mmp-config', status=503)
    simulator.fault('drop_after', 'mmp')
    for command in (
        ('status',),
        ('set', *RULE, '--delta-limit', '1', '--yes'),
        ('set', *RULE, '--yes'),
        ('reset', '--yes'),
        ('cancel',),
    ):
        main([command[0], *BOTH, *command[1:], '--verbose'])
    said = capsys.readouterr()
    assert re.search(r'okx POST /api/v5/account/mmp-config \{"instFamily":"BTC-USD",.*\} -> 200 \{', said.err)
    assert re.search(r'binance POST /eapi/v1/mmpSet \S*underlying=BTCUSDT\S* -> 200 \{', said.err)
    for secret in (KEY, SECRET, PASSPHRASE):
        assert secret not in said.out + said.err
    assert {*re.findall(r'signature=([^\s&]*)', said.out + said.err)} == {'***'}


def test_secret_in_an_answer_is_not_repeated(environment, canned, capsys):
    environment.setattr(async_support, 'okx', ccxt_mmp.async_support.okx)
    canned.answer(json.dumps({'code': '50111', 'msg': f'Invalid OK-ACCESS-KEY {KEY}', 'data': []}))
    environment.setattr(Exchanges, '_log_in', redirected_log_in(Exchanges._log_in, canned.url))
    assert main(['status', 'okx:BTC/USD', '--verbose']) == 1
    said = capsys.readouterr()
    assert 'Invalid OK-ACCESS-KEY ***' in said.err
    assert KEY not in said.out + said.err


def redirected_log_in(stock, url):
    def log_in(self, exchange):
        stock(self, exchange)
        redirect(exchange, url)

    return log_in


# --- arguments


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'required: COMMAND'),
        (['status'], 'required: TARGET'),
        (['status', 'okx:rfq', '--watch', '--json'], '--json prints one document'),
        (['status', '--watch', 'okx:rfq'], 'targets come before --watch'),
        (['status', 'okx:rfq', '--watch', '0'], 'no number of seconds above 0'),
        (['status', 'okx:rfq', '--watch', 'inf'], 'no number of seconds above 0'),
        (['cancel', 'okx:rfq', '--timeout', '1.5'], 'no number of milliseconds above 0'),
        (['cancel', 'okx:rfq', '--timeout', '0'], 'no number of milliseconds above 0'),
        (['cancel', 'okx:rfq', '--sandbox', '--simulator', 'http://127.0.0.1:1'], 'not allowed with'),
        (['cancel', 'okx:BTC/USD', '--include'], 'unrecognized arguments: --include'),
        (['cancel', 'okx:BTC/USD', '--json', 'binance:BTC/USDT', '-x'], 'unrecognized arguments: binance:BTC/USDT -x'),
        (['cancel', 'okx:BTC/USD', '--emulate', '--lock-interval', '1'], '--emulate has no lock'),
        (['demo', 'okx:BTC/USD'], 'unrecognized arguments: okx:BTC/USD'),
        (['cancel', 'okx:BTC/USD', '--simulator', ''], 'no URL of a simulator'),
        (['set', 'okx:BTC/USD', '--qty-limit', '1'], 'required: --window, --frozen-time'),
    ],
)
def test_arguments_that_make_no_sense_are_refused(capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('again', ['okx:BTC/USD', 'okx:BTC-USD', 'okx:BTC/USD:BTC'])
def test_protection_that_is_named_twice_is_one(simulator, ccxt_mmp_command, again):
    ccxt_mmp_command('reset', 'okx:BTC/USD', 'okx:rfq', again, '--yes')
    assert [request.path.rpartition('/')[2] for request in simulator.requests].count('mmp-reset') == 2


def test_targets_may_come_after_options(simulator, ccxt_mmp_command):
    quote(simulator)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '9000', 'binance:BTC/USDT')[0] == 0
    assert resting(simulator) == {('okx', False), ('binance', False)}


def test_interrupted_command_says_so(simulator, ccxt_mmp_command, monkeypatch):
    async def interrupted(self, *arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(async_support.okx, 'mass_cancel_mmp', interrupted)
    status, _, err = ccxt_mmp_command('cancel', 'okx:BTC/USD')
    assert (status, err) == (130, 'ccxt-mmp: interrupted; what was sent may have taken effect\n')


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(['--version'])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f'ccxt-mmp {ccxt_mmp.__version__}\n'


# --- tables


STATE = {**dict.fromkeys(MmpState.__required_keys__), 'scope': 'orders', 'underlying': 'BTC/USD:BTC'}
TARGET = Target.parsed('okx:BTC/USD')


@pytest.mark.parametrize(
    ('known', 'state', 'time_left'),
    [
        ({'enabled': True, 'frozen': False}, 'armed', '-'),
        ({'enabled': None, 'frozen': False}, 'not frozen', '-'),
        ({'enabled': False, 'frozen': None}, 'off', '-'),
        ({'enabled': True, 'frozen': None}, 'unknown', '-'),
        ({'enabled': None, 'frozen': None}, 'unknown', '-'),
        ({'enabled': True, 'frozen': True, 'frozenUntil': 1_065_000}, 'FROZEN', '1:05'),
        ({'enabled': True, 'frozen': True, 'frozenUntil': 1_000_050}, 'FROZEN', '0.1 s'),
        ({'enabled': True, 'frozen': True, 'frozenUntil': 999_000}, 'FROZEN', '0.0 s'),
        ({'enabled': True, 'frozen': True, 'frozenTime': 0}, 'FROZEN', 'until reset'),
        ({'enabled': True, 'frozen': True, 'frozenTime': 2000}, 'FROZEN', '-'),
    ],
)
def test_states_are_words_and_what_is_not_known_is_none(known, state, time_left):
    assert row(TARGET, {**STATE, **known}, 1_000_000)[3:5] == [state, time_left]


@pytest.mark.parametrize(
    ('milliseconds', 'text'), [(0, '0.0 s'), (59_940, '59.9 s'), (60_000, '1:00'), (3_661_000, '1:01:01')]
)
def test_durations(milliseconds, text):
    assert duration(milliseconds) == text


def test_plain_table_changes_in_place(capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '60')
    monkeypatch.setattr(screens, 'is_terminal', lambda _: True)
    with Plain().live() as draw:
        draw([row(TARGET, None, 0)], ['a note ' * 10])
        draw([row(TARGET, {**STATE, 'frozen': True}, 0)], [])
    first, second = capsys.readouterr().out.split('\x1b[4F\x1b[J')
    assert [len(line) <= 59 for line in (first + second).splitlines()] == [True] * 6
    assert ' '.join(first.splitlines()[2:]) == ('a note ' * 10).strip()
    assert 'FROZEN' in second


def test_plain_table_in_a_file_is_written_again(capsys):
    with Plain().live() as draw:
        draw([row(TARGET, None, 0)], [])
        draw([row(TARGET, None, 0)], ['a note'])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ['EXCHANGE', 'okx'] * 2 + ['a']


def test_rich_table_reads_without_colour_too(capsys):
    pytest.importorskip('rich')
    rows = [row(TARGET, {**STATE, 'frozen': True}, 0), row(TARGET, None, 0, is_failed=True)]
    shown = Rich()
    shown.table(rows, 'before')
    with shown.live() as draw:
        draw(rows, ['a note'])
    out = capsys.readouterr().out
    assert out.count('FROZEN') == out.count('failed') == 2
    assert 'a note' in out


def test_screen_is_what_is_there(monkeypatch):
    assert type(screens.screen()) is Plain
    monkeypatch.setattr(screens, 'is_terminal', lambda _: True)
    assert type(screens.screen()) is Rich
    monkeypatch.setitem(sys.modules, 'rich.console', None)
    assert type(screens.screen()) is Plain


def test_stream_that_was_closed_before_the_beginning_is_no_terminal_and_takes_anything():
    say('nobody reads it', None)
    assert not is_terminal(None)


def test_incomplete_cancel_is_told_with_its_orders():
    error = MassCancelIncomplete('incomplete', ['1'], ['2'], ['3'])
    [told] = commands.document([Result(TARGET, error=error, message='in one line')])
    assert told['error'] == {
        'type': 'MassCancelIncomplete',
        'message': 'in one line',
        'cancelled': ['1'],
        'remaining': ['2'],
        'unknown': ['3'],
    }
