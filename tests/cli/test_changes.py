"""What ``ccxt-mmp set`` and ``reset`` change, show and ask."""

import json
import sys

import pytest

from ccxt_mmp.cli import changing
from ccxt_mmp.simulator import Rule
from tests.cli.books import ALL, RULE, lines
from tests.rows import rows


def test_set_sets_the_rule_and_shows_before_and_after(simulator, ccxt_mmp_command):
    status, out, err = ccxt_mmp_command('set', 'binance:BTC/USDT', *RULE, '--delta-limit', '0.25')
    before, _, off, after, _, armed = lines(out)
    assert (before, after) == (['before:'], ['after:'])
    assert off[3] == 'off'
    assert (armed[3], armed[7]) == ('armed', '10 contracts, delta 0.25 BTC')
    assert simulator.protection('binance', 'BTCUSDT').rule == Rule(5000, 60000, '10', '0.25')
    assert (status, err) == (0, '')


@rows(
    'target, underlying_id, others, contracts',
    [
        ('okx:BTC/USD', 'BTC-USD', (), '50'),
        ('okx:BTC-USD_UM', 'BTC-USD_UM', (), '50'),  # whose size the exchange alone says
        ('bybit:BTC', 'BTC', ('--delta-limit', '1'), '0.5'),
    ],
)
def test_quantity_in_coins_is_the_same_on_every_exchange(
    simulator, ccxt_mmp_command, target, underlying_id, others, contracts
):
    half_a_coin = (*RULE, '--qty-limit', '0.5', '--qty-unit', 'base')
    status, _, err = ccxt_mmp_command('set', target, *half_a_coin, *others)
    assert (status, err) == (0, '')
    exchange_id = target.partition(':')[0]
    assert simulator.protection(exchange_id, underlying_id).rule.qty_limit == contracts
    loaded = [request for request in simulator.requests if 'instruments' in request.path]
    assert bool(loaded) == (exchange_id == 'okx'), 'markets are loaded where a contract is no coin'


def test_quantity_that_is_no_whole_number_of_contracts_is_refused(simulator, ccxt_mmp_command):
    status, _, err = ccxt_mmp_command('set', 'okx:BTC/USD', *RULE, '--qty-limit', '0.005', '--qty-unit', 'base')
    assert 'BadRequest: okx setMmp() qtyLimit of 0.005 coins is no whole number of contracts' in err
    assert simulator.protection('okx', 'BTC-USD').rule is None
    assert status == 1


def test_set_of_block_trading(simulator, ccxt_mmp_command):
    rule = ('--window', '5000', '--frozen-time', '0', '--count-limit', '7')
    assert ccxt_mmp_command('set', 'okx:rfq', *rule)[0] == 0
    assert simulator.protection('okx').rule.count_limit == '7'


def test_limit_that_an_exchange_does_not_have_is_never_dropped(simulator, ccxt_mmp_command):
    status, _, err = ccxt_mmp_command('set', *ALL, *RULE, '--delta-limit', '1')
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
    assert 'LeftAlone: it is FROZEN, and there is no terminal to ask at; --yes does it without asking' in err
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
    assert err.endswith('ccxt-mmp: okx:BTC/USD: LeftAlone: it is FROZEN, and was left as it is\n')
    assert simulator.protection('okx', 'BTC-USD').is_frozen(simulator.now())
    assert status == 1


def test_protection_that_is_off_and_frozen_is_asked_about(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 0, '1'))
    simulator.trip('okx', 'BTC-USD')
    simulator.set_rule('okx', 'BTC-USD', Rule(0, 0, '1'))
    status, _, err = ccxt_mmp_command('reset', 'okx:BTC/USD')
    assert 'it is FROZEN, and there is no terminal to ask at' in err
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
    assert 'it may be frozen, and there is no terminal to ask at' in err
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


@pytest.mark.parametrize('times', [('--window', '5', '--frozen-time', '0'), ('--window', '5s', '--frozen-time', '99')])
def test_time_of_a_few_milliseconds_is_asked_about(simulator, ccxt_mmp_command, terminal, capsys, monkeypatch, times):
    rule = ('--qty-limit', '10', *times)
    said = '--frozen-time 99 is 99 ms' if '99' in times else '--window 5 is 5 ms'
    monkeypatch.setattr(changing, 'is_terminal', lambda _: False)
    with pytest.raises(SystemExit, match='2'):
        ccxt_mmp_command('set', 'okx:BTC/USD', *rule)
    assert f'{said}, less than 100 ms: write 5s for seconds, or add --yes' in capsys.readouterr().err
    monkeypatch.setattr(changing, 'is_terminal', lambda _: True)
    terminal('n\n')
    with pytest.raises(SystemExit, match='2'):
        ccxt_mmp_command('set', 'okx:BTC/USD', *rule)
    assert f'{said}, less than 100 ms: set it? [y/N] ' in capsys.readouterr().err
    assert simulator.requests == []
    terminal('y\n')
    assert ccxt_mmp_command('set', 'okx:BTC/USD', *rule)[0] == 0
    terminal('n\n')
    assert ccxt_mmp_command('set', 'okx:BTC/USD', *rule, '--yes')[0] == 0


def test_time_of_a_few_milliseconds_is_one_document(ccxt_mmp_command, capsys):
    with pytest.raises(SystemExit, match='2'):
        ccxt_mmp_command('set', 'okx:BTC/USD', '--json', '--window', '5', '--frozen-time', '0')
    [told] = json.loads(capsys.readouterr().out)
    assert told['error']['type'] == 'Refused'
