"""What ``ccxt-mmp status`` shows."""

import json
import re

import pytest

from ccxt_mmp.simulator import Rule
from ccxt_mmp.types import MmpState
from tests.cli.books import ALL, lines


def test_status_shows_what_is_armed_frozen_and_off(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 2000, '100'))
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 0, '1.5', '0.5'))
    simulator.trip('okx', 'BTC-USD')
    status, out, err = ccxt_mmp_command('status', *ALL, 'okx:rfq')
    heading, okx, binance, deribit, bybit, rfq, note = lines(out)
    assert heading[:5] == ['EXCHANGE', 'UNDERLYING', 'SCOPE', 'STATE', 'TIME LEFT']
    assert heading[5:] == ['WINDOW', 'FROZEN TIME', 'LIMITS', 'LAST TRIGGER']
    assert okx[:4] == ['okx', 'BTC/USD:BTC', 'orders', 'FROZEN']
    assert re.fullmatch(r'[01]\.\d s|2\.0 s', okx[4])
    assert okx[5:] == ['5s', '2s', '100 contracts', '-']
    assert binance[:5] == ['binance', 'BTC/USDT:USDT', 'orders', 'armed', '-']
    assert binance[5:] == ['3s', 'until reset', '1.5 contracts, delta 0.5 BTC', '-']
    assert deribit == ['deribit', 'BTC/USD:BTC', 'orders', 'off', *['-'] * 5]
    assert bybit == ['bybit', 'BTC', 'orders', 'off', *['-'] * 5]
    assert rfq == ['okx', '-', 'rfq', 'off', *['-'] * 5]
    units = '1 BTC on OKX and 100 BTC on Binance, Deribit and Bybit'
    assert note == [f'Contracts differ: 100 contracts are about {units}.']
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
    status, out, err = ccxt_mmp_command('status', *ALL, 'kraken:BTC/USD', '--json')
    okx, binance, _, _, kraken = json.loads(out)
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
        ('kraken:BTC/USD', 'BadSymbol: a target is okx:UNDERLYING or binance:UNDERLYING or deribit:UNDERLYING'),
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


def test_orders_that_cannot_be_counted_fail_no_target(simulator, ccxt_mmp_command):
    simulator.set_rule('deribit', 'btc_usd', Rule(5000, 0, vega_limit='7', max_quote='3'))
    simulator.fault('status', 'get_open_orders', status=503, times=99)
    status, out, err = ccxt_mmp_command('status', 'deribit:BTC/USD', 'okx:rfq', '--orders')
    assert lines(out)[1][7:] == ['vega 7 USD, max quote 3', '-', '-']
    assert err.startswith('ccxt-mmp: deribit:BTC/USD: its orders are not known: ')
    assert status == 0
