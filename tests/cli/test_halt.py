"""``ccxt-mmp halt`` and ``resume``, and halts in ``status``."""

import json
import re

import pytest

from ccxt_mmp import async_support
from ccxt_mmp.core.halt_check import DEFAULTS
from ccxt_mmp.errors import OperationFailed
from ccxt_mmp.registry import EXCHANGES
from tests.cli.books import ALL, OTHERS_ALONE, UNDERLYINGS, quote, resting


@pytest.fixture
def url(tmp_path, monkeypatch):
    url = f'sqlite:{tmp_path}/halt.db'
    monkeypatch.setenv('CCXT_MMP_HALT', url)
    monkeypatch.setenv('CCXT_MMP_HALT_ACCOUNT', 'desk1')
    return url


@pytest.fixture(autouse=True)
def no_grace(monkeypatch):
    monkeypatch.setitem(DEFAULTS, 'grace', 0)


def test_halt_cancels_and_stands_until_the_resume(simulator, ccxt_mmp_command, url):
    quote(simulator)
    status, out, _ = ccxt_mmp_command('halt', *ALL, '--reason', 'at three in the morning', '--for', '2h')
    assert status == 0
    assert resting(simulator) == OTHERS_ALONE
    assert 'binance:BTC/USDT: cancelled 2 MMP orders\n' in out
    assert 'HALTED okx BTC/USD:BTC until ' in out
    assert out.count(': at three in the morning\n') == len(ALL)
    status, out, _ = ccxt_mmp_command('status', *ALL)
    assert [line.split()[0] for line in out.splitlines()[: len(ALL) + 1]] == ['HALTED'] * len(ALL) + ['EXCHANGE']
    status, out, _ = ccxt_mmp_command('resume', *ALL)
    assert status == 0
    assert out.count('resumed, it was halted since 20') == len(ALL)
    assert 'HALTED' not in ccxt_mmp_command('status', *ALL)[1]


def test_halt_says_whom_it_stops(simulator, ccxt_mmp_command, url, monkeypatch):
    halt, resume = ('halt', 'okx:BTC/USD', '--no-cancel'), ('resume', 'okx:BTC/USD')
    out = ccxt_mmp_command(*halt)[1]
    assert "okx:BTC/USD: stops the bots of this store whose account is 'desk1', no others\n" in out
    assert 'halt.db is a new store: no bot has used it yet\n' in out
    assert 'new store' not in ccxt_mmp_command(*halt)[1]
    monkeypatch.delenv('CCXT_MMP_HALT_ACCOUNT')
    said = 'stops the bots of this store and API key that name no account: for others set CCXT_MMP_HALT_ACCOUNT\n'
    assert f'nothing to resume, it was not halted; a halt {said}' in ccxt_mmp_command(*resume)[1]
    assert f'okx:BTC/USD: {said}' in ccxt_mmp_command(*halt)[1]


@pytest.mark.parametrize('command', ['halt', 'resume'])
def test_account_with_white_space_at_its_ends_is_none(simulator, ccxt_mmp_command, url, monkeypatch, command):
    monkeypatch.setenv('CCXT_MMP_HALT_ACCOUNT', 'desk1 ')
    status, out, err = ccxt_mmp_command(command, 'okx:BTC/USD')
    assert (status, out) == (1, '')
    assert "options['mmpHalt']['account'] must be a text that is not empty, without white space at its ends" in err
    assert "received 'desk1 '" in err
    assert simulator.requests == []


def test_exchange_alone_is_all_of_it(simulator, ccxt_mmp_command, url):
    simulator.set_rule('okx', 'BTC-USD')
    quote(simulator)
    status, out, _ = ccxt_mmp_command('halt', 'okx')
    assert status == 0
    assert [order.mmp for order in simulator.resting('okx', 'BTC-USD')] == [False]
    assert out.startswith('okx:BTC/USD:BTC: cancelled all MMP orders, locked until ')
    assert 'HALTED okx all underlyings until resumed, since ' in out
    status, out, err = ccxt_mmp_command('resume', 'okx:BTC/USD')
    assert status == 1
    assert 'resume_mmp() ends every halt' in err
    assert ccxt_mmp_command('halt', 'okx:ETH/USD', '--no-cancel')[0] == 0
    assert '2 halts ended' in ccxt_mmp_command('resume', 'okx')[1]


def test_resume_of_an_exchange_says_which_halts_it_ended(simulator, ccxt_mmp_command, url):
    for number, names in ((1, ('BTC',)), (2, ('BTC', 'ETH'))):
        for name in names:
            assert ccxt_mmp_command('halt', f'okx:{name}/USD', '--no-cancel')[0] == 0
        status, out, _ = ccxt_mmp_command('resume', 'okx')
        assert (status, out.startswith('okx: resumed, it was halted since 20')) == (0, True)
        ended = ', '.join(f'{name}/USD:{name}' for name in names)
        assert out.endswith(f'{number} halt{"s" if number > 1 else ""} ended: {ended}\n')
    assert ccxt_mmp_command('halt', 'okx:BTC/USD', '--no-cancel')[0] == 0
    [told] = json.loads(ccxt_mmp_command('resume', 'okx', '--json')[1])
    assert [each['underlying'] for each in told['resumed']['info']] == ['BTC-USD']
    [told] = json.loads(ccxt_mmp_command('resume', 'okx', '--json')[1])
    assert (told['resumed']['since'], told['resumed']['info'], told['halt']) == (None, [], None)


def test_halt_of_an_exchange_tells_its_cancels(simulator, ccxt_mmp_command, url):
    status, out, _ = ccxt_mmp_command('halt', 'deribit')
    said = 'no rule is set there, so nothing was cancelled: name underlyings'
    assert (status, out.splitlines()[0]) == (0, f'deribit: {said}')
    simulator.set_rule('okx', 'BTC-USD')
    quote(simulator)
    simulator.fault('status', 'mass-cancel', times=99)
    status, out, err = ccxt_mmp_command('halt', 'okx', '--timeout', '2s')
    assert err.startswith('ccxt-mmp: okx:BTC/USD:BTC: ExchangeNotAvailable: ')
    assert (status, 'HALTED okx all underlyings' in out) == (1, True)
    simulator.clear_faults()
    status, out, _ = ccxt_mmp_command('halt', 'okx', '--json')
    [told] = json.loads(out)
    assert (status, told['target'], told['cancelled']['underlyingId']) == (0, 'okx:BTC/USD:BTC', 'BTC-USD')
    assert told['halt']['underlying'] is None
    assert [order.mmp for order in simulator.resting('okx', 'BTC-USD')] == [False]


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_halt_of_an_exchange_cancels_there(simulator, ccxt_mmp_command, url, exchange_id):
    if exchange_id in ('okx', 'deribit'):
        simulator.set_rule(exchange_id, UNDERLYINGS[exchange_id])
    quote(simulator)
    before = resting(simulator)
    status, out, err = ccxt_mmp_command('halt', exchange_id)
    assert (status, err, resting(simulator)) == (0, '', before - {(exchange_id, True)})
    cancelled = {'okx': 'all MMP orders, locked until ', 'bybit': '2 tagged MMP orders\n'}
    assert re.match(rf'{exchange_id}:BTC\S*: cancelled {cancelled.get(exchange_id, "2 MMP orders")}', out)
    assert f'\nHALTED {exchange_id} all underlyings until resumed, since ' in out


@pytest.mark.parametrize('target', ['binance', 'binance:BTC/USDT'])
def test_halt_that_cannot_be_read_back_loses_no_line_of_what_was_cancelled(
    simulator, ccxt_mmp_command, url, target, monkeypatch
):
    async def fail(self, underlying=None, params={}):
        raise OperationFailed('the store is gone')

    monkeypatch.setattr(async_support.binance, 'fetch_mmp_halt', fail)
    quote(simulator)
    status, out, err = ccxt_mmp_command('halt', target)
    assert re.fullmatch(r'binance:BTC/USDT(:USDT)?: cancelled 2 MMP orders\n', out)
    assert err == f'ccxt-mmp: {target}: OperationFailed: the store is gone; the halt was stored\n'
    assert status == 1
    quote(simulator)
    status, out, _ = ccxt_mmp_command('halt', target, '--json')
    told = json.loads(out)
    assert [len(each['cancelled']['orders']) for each in told if each['cancelled']] == [2]
    [error] = [each['error'] for each in told if each['error']]
    assert error == {'type': 'OperationFailed', 'message': 'OperationFailed: the store is gone; the halt was stored'}
    assert (status, {each['halt'] for each in told}) == (1, {None})


@pytest.mark.parametrize('target', ['binance', 'binance:BTC/USDT'])
def test_halt_that_somebody_ends_meanwhile_is_a_failure(simulator, ccxt_mmp_command, url, target, monkeypatch):
    async def found(self, underlying=None, params={}):
        return None

    monkeypatch.setattr(async_support.binance, 'fetch_mmp_halt', found)
    quote(simulator)
    status, out, err = ccxt_mmp_command('halt', target)
    assert re.fullmatch(r'binance:BTC/USDT(:USDT)?: cancelled 2 MMP orders\n', out)
    said = 'it is NOT HALTED any more: somebody has resumed, or its time is over'
    assert (status, err) == (1, f'ccxt-mmp: {target}: OperationFailed: {said}\n')
    [error] = [each['error'] for each in json.loads(ccxt_mmp_command('halt', target, '--json')[1]) if each['error']]
    assert error['message'] == f'OperationFailed: {said}'


def test_halt_that_is_not_stored_loses_no_line_of_what_was_cancelled(
    simulator, ccxt_mmp_command, monkeypatch, tmp_path
):
    monkeypatch.setenv('CCXT_MMP_HALT', f'sqlite:{tmp_path}/no/halt.db')
    quote(simulator)
    status, out, err = ccxt_mmp_command('halt', 'binance')
    assert (status, out.splitlines()[0]) == (1, 'binance:BTCUSDT: cancelled 2 MMP orders')
    assert 'HALTED' not in out
    failures = err.splitlines()
    assert len(failures) == 2
    assert failures[0].startswith(
        'ccxt-mmp: binance: MassCancelIncomplete: binance massCancelMmps() could not store the'
    )
    assert failures[1].startswith(
        'ccxt-mmp: binance: OperationFailed: binance fetchMmpHalt() does not know the halts: '
    )
    assert 'was stored' not in err
    quote(simulator)
    told = json.loads(ccxt_mmp_command('halt', 'binance', '--json')[1])
    assert [(each['target'], each['error'] and each['error']['type']) for each in told] == [
        ('binance:BTCUSDT', None),
        ('binance', 'MassCancelIncomplete'),
        ('binance', 'OperationFailed'),
    ]


def test_halt_of_an_underlying_that_is_not_stored_tells_what_was_cancelled(
    simulator, ccxt_mmp_command, monkeypatch, tmp_path
):
    monkeypatch.setenv('CCXT_MMP_HALT', f'sqlite:{tmp_path}/no/halt.db')
    quote(simulator)
    status, out, err = ccxt_mmp_command('halt', 'binance:BTC/USDT')
    assert (status, out) == (1, 'binance:BTC/USDT: cancelled 2 MMP orders\n')
    assert err.startswith(
        'ccxt-mmp: binance:BTC/USDT: MassCancelIncomplete: binance massCancelMmp() could not store the'
    )
    quote(simulator)
    [told] = json.loads(ccxt_mmp_command('halt', 'binance:BTC/USDT', '--json')[1])
    assert (len(told['cancelled']['orders']), told['error']['type']) == (2, 'MassCancelIncomplete')


def test_halt_of_an_underlying_whose_cancel_is_refused_claims_no_cancel(simulator, ccxt_mmp_command, url):
    quote(simulator)
    for each in simulator.resting('binance', 'BTC/USDT'):
        simulator.refuse_cancel(each.order_id)
    status, out, err = ccxt_mmp_command('halt', 'binance:BTC/USDT')
    assert (status, out) == (1, '')
    assert 'MassCancelIncomplete: binance massCancelMmp() of BTCUSDT is incomplete: cancelled 0' in err


def test_halt_of_an_exchange_tells_what_it_cancelled_beside_what_failed(simulator, ccxt_mmp_command, url):
    quote(simulator)
    stubborn = simulator.rest('binance', 'ETHUSDT', mmp=True)
    simulator.refuse_cancel(stubborn.order_id)
    status, out, err = ccxt_mmp_command('halt', 'binance')
    assert 'binance:BTC/USDT:USDT: cancelled 2 MMP orders\n' in out
    assert f'binance:ETH/USDT:USDT: NOT CERTAIN: 1 order left: {stubborn.order_id}\n' in out
    assert '\nHALTED binance all underlyings' in out
    assert err.startswith('ccxt-mmp: binance:ETH/USDT:USDT: MassCancelIncomplete: ')
    assert (status, err.count('\n')) == (1, 1)


def test_target_without_a_name_halts_nothing(simulator, ccxt_mmp_command, url):
    for arguments in (('okx:',), ('okx:', '--no-cancel')):
        assert ccxt_mmp_command('halt', *arguments)[0] == 1
    assert 'HALTED' not in ccxt_mmp_command('status', 'okx')[1]
    assert not [request for request in simulator.requests if request.method == 'POST']


def test_halt_without_a_cancel_leaves_the_orders(simulator, ccxt_mmp_command, url):
    quote(simulator)
    before = resting(simulator)
    assert ccxt_mmp_command('halt', *ALL, '--no-cancel')[0] == 0
    assert resting(simulator) == before


def test_halts_as_json(simulator, ccxt_mmp_command, url):
    status, out, _ = ccxt_mmp_command('halt', ALL[0], '--json', '--reason', 'r')
    [result] = json.loads(out)
    assert (status, result['halt']['reason'], result['halt']['account']) == (0, 'r', 'desk1')
    [result] = json.loads(ccxt_mmp_command('status', ALL[0], '--json')[1])
    assert result['halt']['reason'] == 'r'
    [result] = json.loads(ccxt_mmp_command('resume', ALL[0], '--json')[1])
    assert result['error'] is None
    assert json.loads(ccxt_mmp_command('status', ALL[0], '--json')[1])[0]['halt'] is None


@pytest.mark.parametrize('command', ['halt', 'resume'])
def test_without_a_url_it_says_what_to_set(simulator, ccxt_mmp_command, monkeypatch, command):
    monkeypatch.delenv('CCXT_MMP_HALT', raising=False)
    status, _, err = ccxt_mmp_command(command, ALL[0])
    assert status == 1
    assert 'CCXT_MMP_HALT' in err
    assert simulator.requests == []


@pytest.mark.parametrize('url', ['', 'halt.db', 'redis://:secret@host:port'])
def test_halt_without_a_url_that_can_be_read_says_what_cancels(simulator, ccxt_mmp_command, monkeypatch, url):
    monkeypatch.setenv('CCXT_MMP_HALT', url)
    said = 'nothing was cancelled: ccxt-mmp cancel okx:BTC/USD cancels\n'
    for arguments in (('okx:BTC/USD',), ('okx:BTC/USD', '--json')):
        status, _, err = ccxt_mmp_command('halt', *arguments)
        assert (status, err.endswith(f'; {said}'), 'secret' in err) == (1, True, False)
    for arguments in (('halt', 'okx:BTC/USD', '--no-cancel'), ('resume', 'okx:BTC/USD')):
        status, _, err = ccxt_mmp_command(*arguments)
        assert (status, 'nothing was cancelled' in err) == (1, False)
    assert 'nothing was cancelled: ccxt-mmp cancel okx cancels\n' in ccxt_mmp_command('halt', 'okx')[2]
    assert simulator.requests == []


def test_store_that_cannot_be_read_fails_no_status(simulator, ccxt_mmp_command, monkeypatch, tmp_path):
    monkeypatch.setenv('CCXT_MMP_HALT', f'sqlite:{tmp_path}/no/halt.db')
    status, out, _ = ccxt_mmp_command('status', ALL[0])
    assert status == 0
    assert 'okx: not known whether it is halted: ' in out.splitlines()[0]


@pytest.mark.parametrize('target', ['okx:BTC/USD', 'okx'])
def test_json_says_that_it_does_not_know_the_halts(simulator, ccxt_mmp_command, monkeypatch, tmp_path, target):
    simulator.set_rule('okx', 'BTC-USD')
    monkeypatch.setenv('CCXT_MMP_HALT', f'sqlite:{tmp_path}/no/halt.db')
    status, out, err = ccxt_mmp_command('status', target, '--json')
    [told] = json.loads(out)
    assert told['warning'].startswith('not known whether it is halted: ')
    assert err == f'ccxt-mmp: okx: {told["warning"]}\n'
    assert (status, told['halt'], told['error']) == (0, None, None)
    # beside another warning
    simulator.answer('GET', '/api/v5/trade/orders-pending', {'code': '0', 'msg': '', 'data': [{'ordType': 'mmp'}]})
    [told] = json.loads(ccxt_mmp_command('status', target, '--json', '--orders')[1])
    assert told['warning'].startswith('not known whether it is halted: ')
    assert '; its orders are not known: ' in told['warning']


def test_block_trading_has_no_halt(simulator, ccxt_mmp_command, url):
    for command in ('halt', 'resume'):
        assert ccxt_mmp_command(command, 'okx:rfq')[0] == 1
    assert simulator.requests == []
    assert 'HALTED' not in ccxt_mmp_command('status', 'okx')[1]
    assert ccxt_mmp_command('status', 'okx:rfq')[0] == 0


def test_status_of_an_exchange_alone_has_the_halts_of_all(simulator, ccxt_mmp_command, url):
    simulator.set_rule('okx', 'BTC-USD')
    assert ccxt_mmp_command('halt', 'okx:BTC/USD', '--no-cancel')[0] == 0
    assert ccxt_mmp_command('status', 'okx')[1].startswith('HALTED okx BTC/USD:BTC until resumed')
    [told] = json.loads(ccxt_mmp_command('status', 'okx', '--json')[1])
    assert told['halt']['underlying'] == 'BTC/USD:BTC'


def test_json_of_an_exchange_alone_has_halts_of_what_has_no_rule(simulator, ccxt_mmp_command, url):
    def halts(target):
        told = json.loads(ccxt_mmp_command('status', target, '--json')[1])
        return [(each['target'], each['halt'] and each['halt']['underlyingId']) for each in told]

    assert ccxt_mmp_command('halt', 'okx:ETH/USD', 'binance:ETH/USDT', '--no-cancel')[0] == 0
    assert halts('okx') == [('okx', None), ('okx:ETH/USD:ETH', 'ETH-USD')]
    assert halts('binance') == [('binance', None), ('binance:ETH/USDT:USDT', 'ETHUSDT')]
    simulator.set_rule('okx', 'BTC-USD')
    assert halts('okx') == [('okx:BTC/USD:BTC', None), ('okx:ETH/USD:ETH', 'ETH-USD')]


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_json_of_an_exchange_without_rules_has_the_halt_of_all(simulator, ccxt_mmp_command, url, exchange_id):
    assert ccxt_mmp_command('halt', exchange_id, '--no-cancel')[0] == 0
    [told] = json.loads(ccxt_mmp_command('status', exchange_id, '--json')[1])
    assert (told['target'], told['halt']['underlying'], told['halt']['until']) == (exchange_id, None, None)
    assert told['halt']['since'] is not None


def test_json_has_the_halt_of_all_and_those_of_underlyings(simulator, ccxt_mmp_command, url):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.set_rule('okx', 'ETH-USD')
    assert ccxt_mmp_command('halt', 'okx', 'okx:BTC/USD', '--no-cancel')[0] == 0
    told = json.loads(ccxt_mmp_command('status', 'okx', '--json')[1])
    assert [(each['target'], each['halt']['underlyingId']) for each in told] == [
        ('okx:BTC/USD:BTC', 'BTC-USD'),
        ('okx:ETH/USD:ETH', None),
    ]
    assert ccxt_mmp_command('halt', 'okx:ETH/USD', '--no-cancel')[0] == 0
    told = json.loads(ccxt_mmp_command('status', 'okx', '--json')[1])
    assert [(each['target'], each['halt']['underlyingId']) for each in told] == [
        ('okx:BTC/USD:BTC', 'BTC-USD'),
        ('okx:ETH/USD:ETH', 'ETH-USD'),
        ('okx', None),
    ]
