"""What can be written after ``ccxt-mmp``, and how a command ends."""

import asyncio
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import ccxt_mmp
from ccxt_mmp.cli import cancelling, main
from tests.cli.books import ALL, OTHERS_ALONE, quote, resting


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'required: COMMAND'),
        (['status'], 'required: TARGET'),
        (['status', '--watch', 'okx:rfq'], 'targets come before --watch'),
        (['status', 'okx:rfq', '--on-change', 'true'], '--on-change needs --watch'),
        (['cancel', 'okx:rfq', '--timeout', '1.5'], "argument --timeout: '1.5' is no duration above 0"),
        (['cancel', 'okx:rfq', '--lock-interval', '5x'], "argument --lock-interval: '5x' is no duration up to 10s"),
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
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.startswith('ccxt-mmp: ')
    assert said.err.count('\n') == 1


def test_arguments_that_make_no_sense_are_a_document_too(capsys):
    with pytest.raises(SystemExit):
        main(['cancel', 'okx:BTC/USD', '--json', '--timeout', 'soon'])
    [told] = json.loads(capsys.readouterr().out)
    assert told['target'] is None
    assert told['error']['message'].startswith("argument --timeout: 'soon' is no duration")


@pytest.mark.parametrize('again', ['okx:BTC/USD', 'okx:BTC-USD', 'okx:BTC/USD:BTC'])
def test_protection_that_is_named_twice_is_one(simulator, ccxt_mmp_command, again):
    ccxt_mmp_command('reset', 'okx:BTC/USD', 'okx:rfq', again, '--yes')
    assert [request.path.rpartition('/')[2] for request in simulator.requests].count('mmp-reset') == 2


def test_targets_may_come_after_options(simulator, ccxt_mmp_command):
    quote(simulator)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '9000', *ALL[1:])[0] == 0
    assert resting(simulator) == OTHERS_ALONE


@pytest.fixture
def interrupted(monkeypatch):
    """A signal comes when a cancel has begun."""

    def by(number):
        async def cancel_all(command):
            signal.raise_signal(number)
            await asyncio.sleep(60)

        monkeypatch.setattr(cancelling, 'cancel_all', cancel_all)

    return by


@pytest.mark.parametrize(
    ('number', 'how', 'status'), [(signal.SIGINT, 'interrupted', 130), (signal.SIGTERM, 'terminated', 143)]
)
def test_command_that_is_ended_says_so_and_leaves_a_document(ccxt_mmp_command, interrupted, number, how, status):
    interrupted(number)
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD') == (
        status,
        '',
        f'ccxt-mmp: {how}; what was sent may have taken effect\n',
    )
    ended, out, _ = ccxt_mmp_command('cancel', 'okx:BTC/USD', '--json')
    [told] = json.loads(out)
    assert told['error'] == {
        'type': 'KeyboardInterrupt',
        'message': 'interrupted; what was sent may have taken effect',
    }
    assert ended == status
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_command_that_ignores_interrupts_ends_when_it_is_terminated(ccxt_mmp_command, interrupted):
    stock = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        interrupted(signal.SIGTERM)
        assert ccxt_mmp_command('cancel', 'okx:BTC/USD')[0] == 143
    finally:
        signal.signal(signal.SIGINT, stock)


def test_command_works_in_a_thread_too(simulator, ccxt_mmp_command):
    with ThreadPoolExecutor() as pool:
        assert pool.submit(ccxt_mmp_command, 'status', 'okx:BTC/USD').result()[0] == 0


@pytest.mark.parametrize('option', ['--version', '-V'])
def test_version(capsys, option):
    with pytest.raises(SystemExit) as caught:
        main([option])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f'ccxt-mmp {ccxt_mmp.__version__}\n'


@pytest.mark.parametrize('shell', ['bash', 'zsh', 'tcsh'])
def test_completion_knows_commands_and_options(capsys, shell):
    pytest.importorskip('shtab')
    assert main(['completion', shell]) == 0
    out = capsys.readouterr().out
    assert 'lock-interval' in out
    assert 'resume' in out


def test_completion_needs_its_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'shtab', None)
    assert main(['completion', 'bash']) == 1
    assert "pip install 'ccxt-mmp[cli]'" in capsys.readouterr().err


def test_every_command_has_help(capsys):
    for command in ('status', 'set', 'reset', 'cancel', 'halt', 'resume', 'demo', 'simulate', 'completion'):
        with pytest.raises(SystemExit) as caught:
            main([command, '--help'])
        assert caught.value.code == 0
    assert capsys.readouterr().err == ''
