"""``ccxt-mmp cancel okx``: everything that an exchange has."""

import json

import pytest

import ccxt_mmp
from ccxt_mmp.registry import EXCHANGES
from tests.cli.books import OTHERS_ALONE, UNDERLYINGS, quote, resting
from tests.fault_matrix.methods import OTHER


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
    where = '(OKX, Deribit: where a rule is set; Bybit: the tagged ones)'
    assert out.startswith(f'CANCELLED all MMP orders, 6 or more {where}; ')
    assert '\nokx:BTC/USD:BTC: cancelled all MMP orders\n' in out
    assert '\nbinance:BTC/USDT:USDT: cancelled 2 MMP orders\n' in out
    assert 'Error' not in err
    assert status == 0


def test_exchange_where_nothing_is_says_so(simulator, ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('cancel', 'okx')
    headline = 'CANCELLED 0 MMP orders where a rule is set: none was there\n'
    assert out == f'{headline}okx: no rule is set there, so nothing was cancelled: name underlyings\n'
    assert status == 0


@pytest.mark.parametrize(
    ('exchange_id', 'headline'),
    [
        ('okx', 'all MMP orders where a rule is set'),
        ('binance', '4 MMP orders'),
        ('deribit', '2 MMP orders where a rule is set'),
        ('bybit', '4 tagged MMP orders'),
    ],
)
def test_verdict_says_where_a_cancel_of_everything_finds_orders(quoted, ccxt_mmp_command, exchange_id, headline):
    others = [quoted.rest(exchange_id, OTHER[exchange_id], mmp=True) for _ in range(2)]  # there is no rule
    status, out, _ = ccxt_mmp_command('cancel', exchange_id)
    assert out.splitlines()[0].partition(';')[0] == f'CANCELLED {headline}'
    assert [order.is_open for order in others] == ['where' in headline] * 2
    assert status == 0


def test_emulated_cancel_of_everything_goes_by_the_orders(quoted, ccxt_mmp_command):
    quoted.rest('okx', OTHER['okx'], mmp=True)
    assert ccxt_mmp_command('cancel', 'okx', '--emulate')[1].startswith('CANCELLED 3 MMP orders\n')
    assert ccxt_mmp_command('cancel', 'okx', '--emulate')[1] == (
        'CANCELLED 0 MMP orders: none was there\nokx: no MMP order was there to cancel\n'
    )


@pytest.mark.parametrize(
    ('exchange_id', 'where'),
    [
        ('binance', 'where MMP orders were'),
        ('deribit', 'where a rule is set'),
        ('bybit', 'where tagged MMP orders were'),
    ],
)
def test_other_orders_go_only_where_it_finds_an_underlying(quoted, ccxt_mmp_command, exchange_id, where):
    other = quoted.rest(exchange_id, OTHER[exchange_id], mmp=False)
    status, out, _ = ccxt_mmp_command('cancel', exchange_id, '--include-non-mmp')
    assert out.startswith(f'CANCELLED all orders {where}\n')
    assert (quoted.resting(exchange_id, UNDERLYINGS[exchange_id]), other.is_open, status) == ([], True, 0)


@pytest.mark.parametrize('exchange_id', ['binance', 'bybit'])
def test_option_that_is_lacking_where_nothing_is_contradicts_nothing(simulator, ccxt_mmp_command, exchange_id):
    status, out, err = ccxt_mmp_command('cancel', exchange_id, '--lock-interval', '5s')
    said = {'binance': 'MMP order', 'bybit': 'tagged MMP order'}[exchange_id]
    headline = f'CANCELLED 0 {said}s: none was there'
    assert out == f'{headline}\n{exchange_id}: no {said} was there to cancel\n'
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
    assert 'binance: no MMP order was there to cancel' in out
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
    assert out.startswith('NOT CERTAIN, run it again: okx; cancelled all MMP orders where a rule is set\n')
    assert '\nokx: NOT CERTAIN: MassCancelIncomplete: the list was cut off\n' in out
    assert 'ccxt-mmp: okx: MassCancelIncomplete: ' in err
    assert status == 1


def test_list_that_is_not_whole_is_told_beside_an_underlying_that_failed(simulator, ccxt_mmp_command, monkeypatch):
    def cancel_none(self, underlyings=None, params={}):
        failed = ccxt_mmp.MassCancelIncomplete('it rests', [], ['1'])
        raise ccxt_mmp.MassCancelIncomplete('no list', results={'BTC/USD:BTC': failed}) from TimeoutError('slow')

    monkeypatch.setattr(ccxt_mmp.okx, 'mass_cancel_mmps', cancel_none)
    status, out, err = ccxt_mmp_command('cancel', 'okx')
    assert out.startswith('NOT CERTAIN, run it again: okx:BTC/USD:BTC, okx\n')
    assert 'ccxt-mmp: okx: MassCancelIncomplete: no list\n' in err
    assert status == 1


def test_option_that_is_lacking_is_in_the_document_beside_what_was_cancelled(quoted, ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('cancel', 'binance', '--lock-interval', '5s', '--json')
    told = {each['target']: each['error'] and each['error']['type'] for each in json.loads(out)}
    assert told == {'binance:BTC/USDT:USDT': None, 'binance': 'NotSupported'}
    assert status == 1
