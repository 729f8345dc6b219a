"""What can be written after ``ccxt-mmp``, and how a command ends."""

import pytest

import ccxt_mmp
from ccxt_mmp import async_support
from ccxt_mmp.cli import main
from tests.cli.books import ALL, OTHERS_ALONE, quote, resting


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
    assert ccxt_mmp_command('cancel', 'okx:BTC/USD', '--timeout', '9000', *ALL[1:])[0] == 0
    assert resting(simulator) == OTHERS_ALONE


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
