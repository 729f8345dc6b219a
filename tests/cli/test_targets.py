"""What targets can be: protections, exchanges alone, accounts, and lines of files."""

import json

import pytest

from ccxt_mmp.cli import main
from ccxt_mmp.cli.targets import Target, halt_option
from ccxt_mmp.simulator import Rule
from tests.cli.books import ALL, OTHERS_ALONE, RULE, lines, quote, resting


@pytest.mark.parametrize(
    ('text', 'exchange_id', 'account', 'underlying', 'scope', 'is_all'),
    [
        ('okx:BTC/USD', 'okx', '', 'BTC/USD', 'orders', False),
        ('OKX:btc/usd', 'okx', '', 'BTC/USD', 'orders', False),
        ('okx:btc-usd_um', 'okx', '', 'BTC-USD_UM', 'orders', False),
        ('Deribit:BTC_USDC', 'deribit', '', 'btc_usdc', 'orders', False),
        ('okx:RFQ', 'okx', '', None, 'rfq', False),
        ('okx', 'okx', '', None, 'orders', True),
        ('OKX@Desk-2', 'okx', 'desk-2', None, 'orders', True),
        ('okx@desk_2:rfq', 'okx', 'desk_2', None, 'rfq', False),
        ('okx:', 'okx', '', '', 'orders', False),
        ('okx:Nonsense', 'okx', '', 'Nonsense', 'orders', False),
        ('kraken:btc/usd', 'kraken', '', 'btc/usd', 'orders', False),
        ('okx@:BTC/USD', 'okx@', '', 'BTC/USD', 'orders', False),
        ('okx@a b:BTC/USD', 'okx@a b', '', 'BTC/USD', 'orders', False),
    ],
)
def test_target_is_read(text, exchange_id, account, underlying, scope, is_all):
    assert Target.parsed(text) == Target(text, exchange_id, underlying, scope, account, is_all)


@pytest.mark.parametrize('again', ['okx:BTC-USD', 'OKX:btc/usd:btc'])
def test_spellings_of_one_protection_are_one(again):
    assert Target.parsed(again).protection == Target.parsed('okx:BTC/USD').protection


def test_targets_that_are_others_are_others():
    texts = ('okx', 'okx:rfq', 'okx:BTC/USD', 'okx@desk2:BTC/USD', 'okx@desk2', 'binance:BTC/USDT', 'okx:ETH/USD')
    assert len({Target.parsed(each).protection for each in texts}) == len(texts)


def test_account_has_credentials_of_its_own(simulator, environment, capsys):
    simulator.add_account('second key', 'second secret', 'second phrase')
    environment.setenv('OKX_DESK_2_APIKEY', 'second key')
    environment.setenv('OKX_DESK_2_SECRET', 'second secret')
    assert main(['status', 'okx@desk-2:BTC/USD', 'okx:BTC/USD', '--json']) == 1
    said = capsys.readouterr()
    assert 'okx@desk-2 needs OKX_DESK_2_APIKEY, OKX_DESK_2_SECRET, OKX_DESK_2_PASSWORD in the environment' in said.err
    assert [each['account'] for each in json.loads(said.out)] == ['desk-2', None]
    environment.setenv('OKX_DESK_2_PASSWORD', 'second phrase')
    assert main(['set', 'okx@desk-2:BTC/USD', *RULE]) == 0
    capsys.readouterr()
    assert main(['status', 'okx@desk-2:BTC/USD', 'okx:BTC/USD']) == 0
    assert [cells[:4] for cells in lines(capsys.readouterr().out)[1:3]] == [
        ['okx@desk-2', 'BTC/USD:BTC', 'orders', 'armed'],
        ['okx', 'BTC/USD:BTC', 'orders', 'off'],
    ]


def test_halts_of_an_account_are_its_own():
    environment = {'CCXT_MMP_HALT': 'sqlite:/h', 'CCXT_MMP_HALT_ACCOUNT': 'a', 'CCXT_MMP_HALT_ACCOUNT_DESK_2': 'b'}
    assert halt_option(environment) == {'url': 'sqlite:/h', 'account': 'a'}
    assert halt_option(environment, 'desk-2') == {'url': 'sqlite:/h', 'account': 'b'}
    assert halt_option(environment, 'desk3') == {'url': 'sqlite:/h', 'account': None}


@pytest.fixture
def file(tmp_path):
    def write(*written, encoding='utf-8'):
        path = tmp_path / 'targets'
        path.write_text('\n'.join(written) + '\n', encoding=encoding)
        return str(path)

    return write


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_targets_of_a_file_come_after_those_that_are_named(simulator, ccxt_mmp_command, file, encoding):
    path = file('# of the desk', '', 'binance:BTC/USDT  # the quotes', '  okx:BTC/USD', encoding=encoding)
    status, out, _ = ccxt_mmp_command('status', 'okx:rfq', '--targets', path)
    assert [cells[0] for cells in lines(out)[1:4]] == ['okx', 'binance', 'okx']
    assert status == 0


@pytest.mark.parametrize('encoding', ['latin-1', 'utf-16'])
def test_name_that_cannot_be_decoded_stops_no_other(simulator, ccxt_mmp_command, file, encoding):
    path = file('okx:\xc4\xd6', 'okx:BTC/USD', encoding=encoding)
    status, out, err = ccxt_mmp_command('status', 'binance:BTC/USDT', '--targets', path, '--json')
    told = {each['target']: each['error'] for each in json.loads(out)}
    assert told.pop('binance:BTC/USDT') is None
    assert (told.get('okx:BTC/USD', 'failed') is None) == (encoding == 'latin-1')
    assert err.isprintable() or '\n' in err
    assert status == 1


def test_targets_are_those_of_the_file_of_the_environment_where_none_is_named(
    simulator, ccxt_mmp_command, file, monkeypatch
):
    monkeypatch.setenv('CCXT_MMP_TARGETS', file(*ALL))
    quote(simulator)
    assert ccxt_mmp_command('cancel')[0] == 0
    assert resting(simulator) == OTHERS_ALONE
    assert len(lines(ccxt_mmp_command('status', 'okx:rfq')[1])) == 2


def test_file_that_cannot_be_read_keeps_no_cancel_from_cancelling(simulator, ccxt_mmp_command, tmp_path):
    quote(simulator)
    status, out, err = ccxt_mmp_command('cancel', *ALL, '--targets', str(tmp_path / 'none'))
    assert resting(simulator) == OTHERS_ALONE
    assert f'ccxt-mmp: --targets {tmp_path}/none: [Errno 2]' in err
    assert out.startswith(f'NOT CANCELLED: --targets {tmp_path}/none; cancelled ')
    assert status == 1


def test_file_that_cannot_be_read_is_in_the_document(ccxt_mmp_command, tmp_path):
    _, out, err = ccxt_mmp_command('status', 'okx:BTC/USD', '--targets', str(tmp_path / 'none'))
    assert [cells[0] for cells in lines(out)] == ['EXCHANGE', 'okx']  # it is in no row
    assert 'ccxt-mmp: --targets ' in err
    status, out, _ = ccxt_mmp_command('status', '--json', '--targets', str(tmp_path))
    [told] = json.loads(out)
    assert told['error']['type'] == 'IsADirectoryError'
    assert status == 1


def test_no_target_is_refused(ccxt_mmp_command, file, monkeypatch, capsys):
    for arguments in ([], ['--targets', file('# none')]):
        with pytest.raises(SystemExit, match='2'):
            main(['cancel', *arguments])
        assert 'required: TARGET, ' in capsys.readouterr().err


@pytest.mark.parametrize('command', [('reset',), ('set', *RULE)])
def test_changes_are_of_what_is_named(simulator, ccxt_mmp_command, command, capsys):
    with pytest.raises(SystemExit, match='2'):
        ccxt_mmp_command(command[0], 'okx:BTC/USD', 'okx', *command[1:])
    assert f'{command[0]} changes what is named: okx:UNDERLYING' in capsys.readouterr().err
    assert simulator.requests == []


def test_status_of_an_exchange_is_all_of_its_rules(simulator, ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('status', 'okx')
    assert lines(out)[1] == ['okx', 'all', 'orders', 'no rules', *['-'] * 5]
    assert status == 0
    simulator.set_rule('okx', 'BTC-USD')
    simulator.set_rule('okx', 'ETH-USD', Rule(5000, 0, '1'))
    simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.trip('okx', 'ETH-USD')
    status, out, _ = ccxt_mmp_command('status', 'okx', '--orders')
    assert sorted([*cells[1:4], cells[-1]] for cells in lines(out)[1:]) == [
        ['BTC/USD:BTC', 'orders', 'armed', '1'],
        ['ETH/USD:ETH', 'orders', 'FROZEN', '0'],
    ]
    assert status == 0
    told = json.loads(ccxt_mmp_command('status', 'okx', '--json')[1])
    assert sorted((each['target'], each['state']['frozen']) for each in told) == [
        ('okx:BTC/USD:BTC', False),
        ('okx:ETH/USD:ETH', True),
    ]


def test_exchange_that_lists_no_rules_says_what_to_name(ccxt_mmp_command):
    status, out, err = ccxt_mmp_command('status', 'binance')
    assert err == 'ccxt-mmp: binance: NotSupported: binance lists no rules: name underlyings, binance:UNDERLYING\n'
    assert lines(out)[1][3] == 'failed'
    assert status == 1


def test_odd_names_are_told_in_one_line(ccxt_mmp_command):
    status, out, _ = ccxt_mmp_command('status', 'okx:BTC\n/USD\x1b[31m', 'okx:BTC/USD')
    assert 'BTC?/USD?[31m' in out
    assert status == 1
