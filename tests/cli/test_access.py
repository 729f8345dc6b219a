"""The credentials of a command, where its requests go, and that it tells no secret."""

import json
import re
import sys

import ccxt_mmp
from ccxt_mmp import async_support
from ccxt_mmp.cli import cancelling, main, targets
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.targets import Exchanges, Target
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET, redirect
from tests.cli.books import ALL, OTHERS_ALONE, RULE, quote, resting


def test_credentials_are_those_of_the_environment(simulator, environment, capsys):
    assert main(['status', *ALL]) == 0
    environment.setenv('OKX_SECRET', 'another')
    assert main(['status', *ALL]) == 1
    assert 'okx:BTC/USD: AuthenticationError' in capsys.readouterr().err


def test_credentials_that_are_missing_are_named(simulator, environment, capsys):
    environment.delenv('OKX_PASSWORD')
    environment.setenv('OKX_APIKEY', '')
    environment.setattr(cancelling, 'TICK', 60)  # on a busy machine it would say what it waits for
    quote(simulator)
    assert main(['cancel', *ALL]) == 1
    assert capsys.readouterr().err == (
        'ccxt-mmp: okx:BTC/USD: AuthenticationError: okx needs OKX_APIKEY, OKX_SECRET, OKX_PASSWORD '
        'in the environment or in --env-file, missing: OKX_APIKEY, OKX_PASSWORD\n'
    )
    assert resting(simulator) == {('okx', True), *OTHERS_ALONE}


def test_credentials_of_a_file_win(simulator, environment, tmp_path):
    file = tmp_path / 'desk.env'
    file.write_text(f'# of the desk\nexport OKX_SECRET="{SECRET}"\nOKX_APIKEY=\n')
    environment.setenv('OKX_SECRET', 'another')
    assert main(['status', 'okx:BTC/USD', '--env-file', str(file)]) == 0


def test_file_that_cannot_be_read_is_one_line(simulator, environment, tmp_path, capsys):
    assert main(['cancel', *ALL, '--env-file', str(tmp_path / 'none.env')]) == 1
    assert capsys.readouterr().err.startswith('ccxt-mmp: cannot read --env-file: ')
    assert main(['cancel', *ALL, '--json', '--env-file', str(tmp_path / 'none.env')]) == 1
    [told] = json.loads(capsys.readouterr().out)
    assert told['error']['type'] == 'FileNotFoundError'
    (tmp_path / 'latin.env').write_bytes(b'OKX_SECRET=\xe4\n')
    assert main(['cancel', *ALL, '--json', '--env-file', str(tmp_path / 'latin.env')]) == 1
    [told] = json.loads(capsys.readouterr().out)
    assert told['error']['type'] == 'UnicodeDecodeError'
    environment.setitem(sys.modules, 'dotenv', None)
    assert main(['cancel', *ALL, '--env-file', str(tmp_path)]) == 1
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
    exchanges = Exchanges(parsed(['status', *ALL, '--sandbox']))
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
        main([command[0], *ALL, *command[1:], '--verbose'])
        simulator.advance(3000)  # nothing counts towards a limit any more
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


def test_url_of_the_halts_is_in_no_message(environment):
    url = 'redis://:SEKRET@127.0.0.1:1/0'
    environment.setenv('CCXT_MMP_HALT', url)
    exchanges = Exchanges(parsed(['status', 'okx:BTC/USD']))
    exchanges.of(Target.parsed('okx:BTC/USD'))
    assert exchanges.without_secrets(f'cannot use {url}') == 'cannot use ***'


def redirected_log_in(stock, url):
    def log_in(self, exchange, target):
        stock(self, exchange, target)
        redirect(exchange, url)

    return log_in
