"""``ccxt-mmp cancel okx``: everything that an exchange has."""

import json

import pytest

import ccxt_mmp
from ccxt_mmp.registry import EXCHANGES
from tests.cli.books import OTHERS_ALONE, UNDERLYINGS, quote, resting


@pytest.fixture
def quoted(simulator):
    """Rules and orders everywhere."""
    for venue, underlying in UNDERLYINGS.items():
        simulator.set_rule(venue, underlying)
    quote(simulator)
    return simulator


def test_exchange_alone_is_everything_there(quoted, ccxt_mmp_command):
    status, out, err = ccxt_mmp_command('cancel', *EXCHANGES)
    assert resting(quoted) == OTHERS_ALONE
    assert out.startswith('CANCELLED all MMP orders, ')
    assert '\nokx:BTC/USD:BTC: cancelled all MMP orders\n' in out
    assert '\nbinance:BTC/USDT:USDT: cancelled 2 MMP orders\n' in out
    assert 'Error' not in err
    assert status == 0


def test_exchange_where_nothing_is_says_so(simulator, ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('cancel', 'okx')
    assert out == 'CANCELLED 0 MMP orders: none was there\nokx: nothing was there to cancel\n'
    assert status == 0


@pytest.mark.parametrize('exchange_id', ['binance', 'bybit'])
def test_option_that_is_lacking_where_nothing_is_contradicts_nothing(simulator, ccxt_mmp_command, exchange_id):
    status, out, err = ccxt_mmp_command('cancel', exchange_id, '--lock-interval', '5s')
    said = {'binance': ('MMP orders', 'nothing'), 'bybit': ('tagged MMP orders', 'no tagged MMP order')}[exchange_id]
    headline = f'CANCELLED 0 {said[0]}: none was there'
    assert out == f'{headline}\n{exchange_id}: {said[1]} was there to cancel\n'
    assert f'{exchange_id} has no --lock-interval' in err
    assert status == 1


def test_underlying_that_fails_is_told_and_stops_no_other(quoted, ccxt_mmp_command):
    stubborn = quoted.rest('binance', 'ETHUSDT', mmp=True)
    quoted.refuse_cancel(stubborn.order_id)
    status, out, err = ccxt_mmp_command('cancel', 'binance')
    assert out.startswith('NOT CERTAIN, run it again: binance:ETH/USDT:USDT; cancelled 2 MMP orders\n')
    assert f'1 order left: {stubborn.instrument.instrument_id} {stubborn.order_id}\n' in out
    assert 'ccxt-mmp: binance:ETH/USDT:USDT: MassCancelIncomplete: ' in err
    assert status == 1


def test_rules_that_cannot_be_listed_are_not_certain(quoted, ccxt_mmp_command):
    quoted.fault('status', 'mmp-config', status=503, times=99)
    status, out, _ = ccxt_mmp_command('cancel', 'okx', '--timeout', '3s')
    assert out.startswith('NOT CERTAIN, run it again: okx\n')
    assert status == 1


def test_exchange_where_nothing_is_has_no_row(quoted, ccxt_mmp_command):
    quoted.clear()
    quoted.set_rule('okx', 'BTC-USD')
    _, out, _ = ccxt_mmp_command('cancel', 'okx', 'binance')
    assert 'binance: nothing was there to cancel' in out
    assert [line.split()[0] for line in out.splitlines()[3:]] == ['EXCHANGE', 'okx']


def test_everything_as_json_is_an_entry_for_each_underlying(quoted, ccxt_mmp_command):
    told = json.loads(ccxt_mmp_command('cancel', 'okx', '--json')[1])
    assert [(each['target'], each['cancelled']['underlying'], each['orders']) for each in told] == [
        ('okx:BTC/USD:BTC', 'BTC/USD:BTC', 0)
    ]


def test_list_that_is_not_whole_is_not_certain(simulator, ccxt_mmp_command, monkeypatch):
    def cancel_some(self, underlyings=None, params={}):
        done = self.mass_cancel_mmp('BTC/USD')
        raise ccxt_mmp.MassCancelIncomplete('the list was cut off', results={'BTC/USD:BTC': done})

    monkeypatch.setattr(ccxt_mmp.okx, 'mass_cancel_mmps', cancel_some)
    status, out, err = ccxt_mmp_command('cancel', 'okx')
    assert out.startswith('NOT CERTAIN, run it again: okx; cancelled all MMP orders')
    assert '\nokx: NOT CERTAIN: MassCancelIncomplete: the list was cut off\n' in out
    assert 'ccxt-mmp: okx: MassCancelIncomplete: ' in err
    assert status == 1
