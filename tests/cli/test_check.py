"""``ccxt-mmp check``: what is right, what is not and what to do, and that nothing is changed."""

import json

import pytest
from ccxt.base.errors import (
    AuthenticationError,
    BadResponse,
    ExchangeNotAvailable,
    InvalidNonce,
    PermissionDenied,
    RateLimitExceeded,
)

from ccxt_mmp import async_support
from ccxt_mmp.cli import check, main
from ccxt_mmp.cli.accounts import Finding, of_bybit, of_bybit_key, of_deribit, of_deribit_key, of_okx
from ccxt_mmp.cli.screens import Plain
from ccxt_mmp.errors import MmpNotEnabled
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Rule
from tests.cli.books import ALL, load_without_queue, without_reset
from tests.flavours import Flavour
from tests.trading import UNDERLYING, with_markets

RULE = {each: Rule(5000, 2000, '100', '100' if each == 'binance' else None) for each in EXCHANGES}


async def load_markets(exchange):  # the same in every test: a class that is changed otherwise is prepared anew
    return with_markets(exchange).markets


@pytest.fixture(autouse=True)
def listed(request, monkeypatch):
    """Markets, without loading them but in one test."""
    if request.node.name != 'test_all_is_right':
        for exchange_id in EXCHANGES:
            monkeypatch.setattr(getattr(async_support, exchange_id), 'load_markets', load_markets)
    else:
        load_without_queue(monkeypatch)


def checks_of(ccxt_mmp_command, *arguments):
    """By exchange and check: whether it is right, what was found, and what to do."""
    status, out, err = ccxt_mmp_command('check', *arguments, '--json')
    return (
        status,
        {
            (entry['exchange'], each['check']): (each['right'], each['found'], each['todo'])
            for entry in json.loads(out)
            for each in entry['checks']
        },
        err,
    )


def set_rules(simulator):
    for exchange_id, underlying in UNDERLYING.items():
        simulator.set_rule(exchange_id, underlying, RULE[exchange_id])


def test_all_is_right(simulator, ccxt_mmp_command):
    set_rules(simulator)
    status, out, err = ccxt_mmp_command('check', *ALL)
    assert (status, err) == (0, '')
    verdict, heading, *rows = out.splitlines()
    assert verdict == 'READY: nothing that can be checked is wrong'
    assert heading.split() == ['EXCHANGE', 'CHECK', 'STATE', 'FOUND']
    assert not [row for row in rows if ' NO ' in row]
    assert 'ccxt loads its options only with' in rows[-1]
    asked = {(request.method, request.path.rpartition('/')[2]) for request in simulator.requests}
    assert all(method == 'GET' or name.startswith('get_') for method, name in asked)  # nothing is changed


def test_each_account_has_its_checks_once(simulator, ccxt_mmp_command):
    set_rules(simulator)
    simulator.set_rule('okx', 'ETH-USD', RULE['okx'])
    _, out, _ = ccxt_mmp_command('check', 'okx:BTC/USD', 'okx:ETH/USD', '--json')
    first, second = json.loads(out)
    names = [each['check'] for each in first['checks']]
    assert names[:5] == ['clock', 'key', 'trading', 'margin mode', 'privilege']
    assert names[5:] == ['rule BTC/USD:BTC', 'options BTC/USD']
    assert [each['check'] for each in second['checks']] == ['rule ETH/USD:ETH', 'options ETH/USD']


def test_what_is_documented_is_told_and_all_else_is_not_known(simulator, ccxt_mmp_command):
    set_rules(simulator)
    _, found, _ = checks_of(ccxt_mmp_command, *ALL)
    assert found['okx', 'trading'][:2] == (True, 'read_only,trade')
    assert found['okx', 'margin mode'][:2] == (None, 'account level 4')
    assert found['okx', 'privilege'][:2] == (True, 'a rule is set')
    assert found['deribit', 'margin mode'][:2] == (True, 'portfolio margin')
    assert found['deribit', 'privilege'][:2] == (True, 'MMP is enabled')
    assert found['deribit', 'trading'][:2] == (True, 'trade:read_write')
    assert found['bybit', 'trading'][:2] == (True, 'options')
    assert found['bybit', 'account'][:2] == (True, 'unified')
    assert found['bybit', 'margin mode'][:2] == (None, 'portfolio margin')
    for each in (('binance', 'trading'), ('binance', 'margin mode'), ('bybit', 'privilege')):
        assert found[each][0] is None or found[each][:2] == (True, 'a rule is set')
    assert found['binance', 'trading'][1] == found['binance', 'margin mode'][1] == 'it does not say'


def test_rule_that_is_missing_has_the_command_that_sets_it(simulator, ccxt_mmp_command):
    status, found, _ = checks_of(ccxt_mmp_command, *ALL, 'okx:rfq', 'deribit')
    assert status == 1
    window = '--window 5s --frozen-time 0'
    assert found['okx', 'rule BTC/USD:BTC'] == (
        False,
        'none is set',
        f'ccxt-mmp set okx:BTC/USD:BTC {window} --qty-limit N',
    )
    assert found['okx', 'rule rfq'][2] == f'ccxt-mmp set okx:rfq {window} --count-limit N'
    assert found['binance', 'rule BTC/USDT:USDT'][2].endswith(f'{window} --qty-limit N --delta-limit N')
    assert found['deribit', 'rule BTC/USD:BTC'][2].endswith(f'{window} --qty-limit N --max-quote-quantity N')
    assert found['deribit', 'rules'][:2] == (False, 'none is set')
    status, out, _ = ccxt_mmp_command('check', 'okx:BTC/USD')
    assert out.startswith('NOT READY: 1 check of 7 failed\n')
    assert f'NO: okx rule BTC/USD:BTC: ccxt-mmp set okx:BTC/USD:BTC {window} --qty-limit N' in out


def test_frozen_rule_is_not_right(simulator, ccxt_mmp_command):
    set_rules(simulator)
    simulator.trip('okx', 'BTC-USD')
    status, found, _ = checks_of(ccxt_mmp_command, 'okx')
    assert status == 1
    assert found['okx', 'rule BTC/USD:BTC'][:2] == (False, 'FROZEN')
    assert 'ccxt-mmp reset okx:BTC/USD:BTC' in found['okx', 'rule BTC/USD:BTC'][2]


def test_freeze_that_is_not_known_is_no_failure(simulator, ccxt_mmp_command):
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 0, '1', '1'))
    simulator.trip('binance', 'BTCUSDT')
    status, found, _ = checks_of(ccxt_mmp_command, 'binance:BTC/USDT')
    assert status == 0
    assert found['binance', 'rule BTC/USDT:USDT'][0] is None


def test_reset_is_no_advice_where_there_is_none(simulator, ccxt_mmp_command, monkeypatch):
    for exchange_id in ('okx', 'binance'):
        monkeypatch.setattr(async_support, exchange_id, without_reset(getattr(async_support, exchange_id)))
        simulator.set_rule(exchange_id, UNDERLYING[exchange_id], Rule(5000, 0, '100', '100'))
        simulator.trip(exchange_id, UNDERLYING[exchange_id])
    _, found, _ = checks_of(ccxt_mmp_command, 'okx:BTC/USD', 'binance:BTC/USDT')
    assert found['okx', 'rule BTC/USD:BTC'][1:] == ('FROZEN', check.NO_RESET)
    assert found['binance', 'rule BTC/USDT:USDT'][1:] == ('maybe frozen', check.NO_RESET)


def test_exchange_that_lists_no_rules_is_asked_whether_it_takes_the_key(simulator, ccxt_mmp_command):
    status, found, _ = checks_of(ccxt_mmp_command, 'binance')
    assert status == 0
    assert found['binance', 'key'][:2] == (True, 'it is taken')
    assert found['binance', 'rules'] == (None, 'not listed', 'name one: binance:UNDERLYING')


def test_clock_that_is_wrong_is_told_and_spoils_no_other_check(simulator, ccxt_mmp_command):
    set_rules(simulator)
    simulator.advance(3_600_000)
    status, found, _ = checks_of(ccxt_mmp_command, *ALL)
    assert status == 1
    for exchange_id in EXCHANGES:
        is_right, says, todo = found[exchange_id, 'clock']
        assert (is_right, says.split()[1:]) == (False, ['ms', 'behind'])
        assert 3_590_000 < int(says.split()[0]) <= 3_600_100
        assert 'NTP' in todo
        assert found[exchange_id, 'key'][0] is True


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_privilege_that_is_missing_says_whom_to_ask(simulator, ccxt_mmp_command, exchange_id):
    simulator.privileged = False
    status, found, _ = checks_of(ccxt_mmp_command, f'{exchange_id}:{EXCHANGES[exchange_id].underlying}')
    assert status == 1
    is_right, _, todo = found[exchange_id, 'privilege']
    assert is_right is False
    assert todo == EXCHANGES[exchange_id].mixin._mmp_access


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_key_without_the_permission_to_trade(simulator, ccxt_mmp_command, exchange_id):
    simulator.set_rule(exchange_id, UNDERLYING[exchange_id], RULE[exchange_id])
    simulator._account.permissions.discard('trade')
    _, found, _ = checks_of(ccxt_mmp_command, f'{exchange_id}:{EXCHANGES[exchange_id].underlying}')
    what = {
        'okx': ('trading', False),
        'binance': ('key', False),
        'deribit': ('trading', True),  # the simulator's keys all have the same scope
        'bybit': ('trading', False),
    }
    name, is_right = what[exchange_id]
    assert found[exchange_id, name][0] is is_right


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_key_that_is_refused_ends_the_checks_of_the_account(environment, capsys, exchange_id):
    environment.setenv(f'{exchange_id.upper()}_SECRET', 'another-' + 'secret')
    status = main(['check', f'{exchange_id}:{EXCHANGES[exchange_id].underlying}', '--json'])
    [entry] = json.loads(capsys.readouterr().out)
    found = {each['check']: each for each in entry['checks']}
    assert status == 1
    assert found['key']['right'] is False
    assert 'another-' not in json.dumps(entry)
    assert not [name for name in found if name.startswith('rule')]


def test_key_that_is_missing_names_the_variables(environment, capsys):
    environment.delenv('OKX_SECRET')
    status = main(['check', 'okx:BTC/USD'])
    out = capsys.readouterr().out
    assert status == 1
    assert 'it is missing' in out
    assert 'OKX_SECRET' in out


def test_exchange_that_is_not_reached(simulator, ccxt_mmp_command):
    simulator.fault('status', 'time', status=503, times=9)
    status, found, _ = checks_of(ccxt_mmp_command, 'okx:BTC/USD')
    simulator.clear_faults()
    assert status == 1
    assert list(found) == [('okx', 'the exchange')]
    assert 'ExchangeNotAvailable' in found['okx', 'the exchange'][2]


@pytest.mark.parametrize('name', ['okx:NOTHING', 'deribit:XYZ/USD'])
def test_underlying_that_there_is_not(simulator, ccxt_mmp_command, name):
    status, found, _ = checks_of(ccxt_mmp_command, name)
    underlying = name.partition(':')[2]
    assert status == 1
    wrong = [what for (_, what), (is_right, *_) in found.items() if is_right is False]
    assert f'rule {underlying}' in wrong or f'options {underlying}' in wrong


def test_options_that_cannot_be_loaded(simulator, ccxt_mmp_command, monkeypatch):
    async def fail(exchange):
        raise ExchangeNotAvailable('x')

    set_rules(simulator)
    monkeypatch.setattr(async_support.okx, 'load_markets', fail)
    status, found, _ = checks_of(ccxt_mmp_command, 'okx:BTC/USD')
    assert status == 1
    assert found['okx', 'options'][:2] == (False, 'not loaded')


def test_block_trading_has_no_options(simulator, ccxt_mmp_command):
    simulator.set_rule('okx', None, Rule(5000, 0, count_limit='10'))
    status, found, _ = checks_of(ccxt_mmp_command, 'okx:rfq')
    assert status == 0
    assert found['okx', 'rule rfq'][:2] == (True, 'armed')
    assert not [what for _, what in found if what.startswith('options')]


def test_exchange_that_there_is_not_is_an_error(simulator, ccxt_mmp_command):
    status, out, err = ccxt_mmp_command('check', 'kraken:BTC/USD')
    assert (status, out) == (1, '')
    assert 'kraken' in err


@pytest.mark.parametrize(
    ('error', 'what', 'is_right'),
    [
        (InvalidNonce('x'), 'clock', False),
        (MmpNotEnabled('x'), 'privilege', False),
        (AuthenticationError('x'), 'key', False),
        (PermissionDenied('x'), 'margin mode', None),
        (RateLimitExceeded('x'), 'the exchange', False),
        (ExchangeNotAvailable('x'), 'the exchange', False),
        (BadResponse('x'), 'key', None),
    ],
)
def test_refusal_says_what_is_wrong(ccxt_mmp_command, monkeypatch, error, what, is_right):
    async def refuse(exchange):
        raise error

    monkeypatch.setitem(check.ASKED, 'okx', (refuse,))
    _, found, _ = checks_of(ccxt_mmp_command, 'okx:BTC/USD')
    assert found['okx', what][0] is is_right or found['okx', what][0] is True


def test_protection_that_the_key_may_not_read(ccxt_mmp_command, monkeypatch):
    async def refuse(*_):
        raise PermissionDenied('x')

    monkeypatch.setattr(async_support.okx, 'fetch_mmp', refuse)
    status, found, _ = checks_of(ccxt_mmp_command, 'okx:BTC/USD')
    assert found['okx', 'trading'] == (False, 'no permission', 'let the API key trade options: PermissionDenied: x')
    assert status == 1


@pytest.fixture
def offline():
    flavour = Flavour('async')
    yield flavour.exchange, flavour.take
    flavour.close()


@pytest.fixture
def findings(offline):
    """What an answer says: whether each check is right, and what was found."""

    def of(ask, exchange_id, endpoint, answer):
        exchange, take = offline[0](exchange_id), offline[1]

        async def told(*_):
            return answer

        setattr(exchange, endpoint, told)
        return {each.what: each[1:3] for each in take(ask(exchange))}

    return of


@pytest.mark.parametrize('answer', [{}, {'data': []}, {'data': ['x']}, {'data': [{}]}])
def test_answer_of_okx_that_says_nothing(findings, answer):
    found = findings(of_okx, 'okx', 'privateGetAccountConfig', answer)
    assert found == {'key': (True, 'it is taken'), 'margin mode': (None, 'it does not say')}


@pytest.mark.parametrize(
    ('summary', 'told'),
    [
        ({}, {}),
        ({'mmp_enabled': False}, {'privilege': (False, 'not enabled')}),
        ({'portfolio_margining_enabled': False}, {'margin mode': (False, 'not portfolio')}),
    ],
)
def test_answer_of_deribit_that_says_little(findings, summary, told):
    found = findings(of_deribit, 'deribit', 'privateGetGetAccountSummary', {'result': summary})
    assert found == {'key': (True, 'it is taken'), **told}
    with pytest.raises(BadResponse):
        findings(of_deribit, 'deribit', 'privateGetGetAccountSummary', {})


@pytest.mark.parametrize(
    ('result', 'told'),
    [
        ({}, {}),
        ({'scope': 'account:read trade:read_write'}, {'trading': (True, 'trade:read_write')}),
        ({'scope': 'account:read trade:read'}, {'trading': (False, 'trade:read')}),
        ({'scope': 'account:read'}, {'trading': (False, 'no scope to trade')}),
    ],
)
def test_scope_of_a_key_of_deribit(findings, result, told):
    assert findings(of_deribit_key, 'deribit', 'publicGetAuth', {'result': result}) == told


@pytest.mark.parametrize(
    ('result', 'told'),
    [
        ({}, {}),
        ({'readOnly': 1, 'permissions': {'Options': ['OptionsTrade']}}, {'trading': (False, 'it may only read')}),
        ({'readOnly': 0, 'permissions': {'Options': []}}, {'trading': (False, 'no options')}),
        ({'readOnly': 0, 'permissions': {}, 'uta': 0}, {'account': (False, 'not unified')}),
        (
            {'permissions': {'Options': ['OptionsTrade']}, 'uta': 1},
            {'trading': (True, 'options'), 'account': (True, 'unified')},
        ),
    ],
)
def test_key_of_bybit(findings, result, told):
    found = findings(of_bybit_key, 'bybit', 'privateGetV5UserQueryApi', {'result': result})
    assert found == {'key': (True, 'it is taken'), **told}


@pytest.mark.parametrize(
    ('result', 'told'),
    [
        ({}, {}),
        ({'marginMode': 'REGULAR_MARGIN'}, {'margin mode': (None, 'cross margin')}),
        ({'marginMode': 'ANOTHER'}, {'margin mode': (None, 'ANOTHER')}),
    ],
)
def test_mode_of_an_account_of_bybit(findings, result, told):
    assert findings(of_bybit, 'bybit', 'privateGetV5AccountInfo', {'result': result}) == told


def test_verbose_check_tells_no_token(simulator, ccxt_mmp_command):
    _, _, err = ccxt_mmp_command('check', 'deribit:BTC/USD', '--verbose')
    assert '"access_token":"***"' in err.replace(' ', '')
    assert '"refresh_token":"***"' in err.replace(' ', '')


def test_all_that_is_wrong_says_what_to_do(simulator, ccxt_mmp_command):
    simulator.privileged = False
    simulator.advance(3_600_000)
    simulator._account.permissions.discard('trade')
    _, found, _ = checks_of(ccxt_mmp_command, *ALL, *EXCHANGES, 'okx:NOTHING', 'okx:rfq')
    wrong = {name: todo for name, (is_right, _, todo) in found.items() if is_right is False}
    assert {exchange_id for exchange_id, _ in wrong} == set(EXCHANGES)
    assert all(wrong.values())


def test_file_of_targets_that_cannot_be_read_stops_no_check(simulator, ccxt_mmp_command, tmp_path):
    set_rules(simulator)
    status, found, err = checks_of(ccxt_mmp_command, 'okx:BTC/USD', '--targets', str(tmp_path / 'none'))
    assert status == 1
    assert found['okx', 'key'][0] is True
    assert 'none' in err


def test_what_is_wrong_wins():
    one, two, three = Finding('key', None, 'a'), Finding('key', True, 'b'), Finding('key', False, 'c')
    assert check.most_certain([one, two]) == check.most_certain([two, one]) == [two]
    assert check.most_certain([two, three, one]) == [three]


def test_accounts_that_are_asked_are_of_exchanges_that_there_are():
    assert set(check.ASKED) < set(EXCHANGES)


def test_table_fits_the_terminal(simulator, ccxt_mmp_command, monkeypatch):
    monkeypatch.setattr(check, 'screen', Plain)
    for width in (60, 80, 100):
        monkeypatch.setattr(Plain, 'size', (width - 1, 49))
        _, out, _ = ccxt_mmp_command('check', *ALL)
        assert max(map(len, out.splitlines())) < width
        assert 'rule BTC/USDT:USDT  NO' in out
