"""What a command makes of results that are there already."""

import asyncio

from ccxt_mmp.cli import cancelling, watching
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.commands import Command
from ccxt_mmp.types import MassCancel, MmpState

DONE = dict.fromkeys(MassCancel.__required_keys__)


def test_interrupt_leaves_what_is_done(ccxt_mmp_command):
    command = Command(parsed(['cancel', 'okx:BTC/USD', 'okx:ETH/USD']))
    done, waiting = command.results
    done.cancelled = DONE
    command.interrupt(KeyboardInterrupt('stopped'))
    assert (done.error, waiting.message) == (None, 'stopped')


def test_progress_is_told_of_what_is_waited_for_alone(ccxt_mmp_command, capsys, monkeypatch):
    monkeypatch.setattr(cancelling, 'TICK', 0)
    command = Command(parsed(['cancel', 'okx:BTC/USD']))
    command.results[0].cancelled = DONE

    async def progress():
        telling = asyncio.ensure_future(cancelling._tell_progress(command))
        for _ in range(20):
            await asyncio.sleep(0)
        telling.cancel()

    asyncio.run(progress())
    assert capsys.readouterr().err == ''


def test_failed_command_is_told_below_a_live_table_alone(ccxt_mmp_command, capsys):
    command = Command(parsed(['status', 'okx:BTC/USD', '--watch', '--on-change', 'exit 7']))
    command.is_live = True
    state = dict.fromkeys(MmpState.__required_keys__)

    async def change():
        changes = watching.Changes(command)
        for frozen in (False, True):
            command.results[0].state = {**state, 'enabled': True, 'frozen': frozen}
            changes.look()
        await changes.end()
        return changes.notes

    assert asyncio.run(change()) == ['--on-change: exit status 7 for okx:BTC/USD']
    assert capsys.readouterr().err == ''
