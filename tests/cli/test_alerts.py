"""``status --fail-if``, ``--on-change``, ``--watch --json`` and streams: what programs make of a status."""

import asyncio
import json
import signal
import sys
import threading
import time

import pytest

from ccxt_mmp.cli import main, watching
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.commands import Command
from ccxt_mmp.simulator import Rule
from ccxt_mmp.types import MmpState
from tests.cli.books import ALL

PATIENCE = 60  # s


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(watching, 'TICK', 0.05)


@pytest.fixture
def until(monkeypatch):
    """Interrupts a command that watches as soon as something has happened."""

    def run(happened, then=lambda: None):
        def wait():
            ends = time.monotonic() + PATIENCE
            while not (has_happened := happened()) and time.monotonic() < ends:
                time.sleep(0.02)
            outcomes.append(bool(has_happened))
            then()

        thread = threading.Thread(target=wait)
        thread.start()
        threads.append(thread)

    threads, outcomes = [], []
    yield run
    for thread in threads:
        thread.join()
    assert all(outcomes), f'did not happen within {PATIENCE} s'


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def requests_of(simulator, name):
    return [request for request in simulator.requests if request.path.endswith(name)]


@pytest.mark.parametrize(
    ('fail_if', 'frozen', 'status'),
    [('frozen', True, 3), ('frozen', False, 0), ('off', False, 3), ('frozen,off', True, 3)],
)
def test_status_that_is_looked_for_is_exit_status_3(simulator, ccxt_mmp_command, fail_if, frozen, status):
    simulator.set_rule('okx', 'BTC-USD')
    targets = ['okx:BTC/USD'] if fail_if == 'frozen' else ['okx:BTC/USD', 'binance:BTC/USDT']
    if frozen:
        simulator.trip('okx', 'BTC-USD')
    assert ccxt_mmp_command('status', *targets, '--fail-if', fail_if)[0] == status


def test_what_is_not_known_not_to_be_frozen_counts_and_a_failure_does_not_hide_it(simulator, ccxt_mmp_command):
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 0, '1', '1'))
    simulator.trip('binance', 'BTCUSDT')
    arguments = ['binance:BTC/USDT', 'kraken:BTC/USD']
    assert ccxt_mmp_command('status', *arguments, '--fail-if', 'frozen')[0] == 3
    assert ccxt_mmp_command('status', *arguments, '--fail-if', 'off')[0] == 1


def test_watch_ends_when_it_has_found_what_it_looks_for(simulator, ccxt_mmp_command, until):
    simulator.set_rule('okx', 'BTC-USD')
    until(lambda: requests_of(simulator, 'mmp-config'), lambda: simulator.trip('okx', 'BTC-USD'))
    assert ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '0.1', '--fail-if', 'frozen')[0] == 3


def test_watch_as_json_is_a_document_a_line(simulator, ccxt_mmp_command, until):
    simulator.set_rule('okx', 'BTC-USD')
    until(lambda: requests_of(simulator, '/mmp'), lambda: time.sleep(0.5) or interrupt())
    status, out, _ = ccxt_mmp_command('status', *ALL, '--watch', '0.1', '--json')
    documents = [json.loads(line) for line in out.splitlines()]
    assert all([each['target'] for each in document] == [*ALL] for document in documents)
    assert documents
    assert status in (0, 1)  # 1 if it ended before all were seen


def test_watch_that_ends_at_once_leaves_a_document(simulator, ccxt_mmp_command, monkeypatch):
    async def interrupted(command):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(watching, 'watch', interrupted)
    _, out, _ = ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '--json')
    assert len(json.loads(out)) == 1
    assert out.count('\n') == 1


def test_command_is_run_when_a_state_changes(simulator, ccxt_mmp_command, until, tmp_path):
    told = tmp_path / 'told'
    script = f'(echo $CCXT_MMP_TARGET $CCXT_MMP_WAS $CCXT_MMP_STATE; cat) >> {told}; exit 7'
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 600_000, '1'))
    until(lambda: len(requests_of(simulator, 'mmp-config')) > 1, lambda: simulator.trip('okx', 'BTC-USD'))
    until(lambda: told.exists() and told.read_text().count('FROZEN') > 0, lambda: time.sleep(0.2) or interrupt())
    status, _, err = ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '0.1', '--on-change', script)
    line, document = told.read_text().split('\n', 1)
    assert line == 'okx:BTC/USD armed FROZEN'
    assert json.loads(document)['state']['frozen'] is True
    assert err == 'ccxt-mmp: --on-change: exit status 7 for okx:BTC/USD\n'
    assert status == 0


def test_commands_are_run_one_after_the_other(ccxt_mmp_command, tmp_path):
    told = tmp_path / 'told'
    line = f'sleep 0.1; echo $CCXT_MMP_STATE >> {told}'
    command = Command(parsed(['status', 'okx:BTC/USD', '--watch', '--on-change', line]))
    [result] = command.results
    state = dict.fromkeys(MmpState.__required_keys__)

    async def change():
        changes = watching.Changes(command)
        changes.look()  # nothing is known
        for frozen in (False, True, False):
            result.state = {**state, 'enabled': True, 'frozen': frozen}
            changes.look()
        await changes.end()
        return changes.notes

    assert asyncio.run(change()) == []
    assert told.read_text().split() == ['FROZEN', 'armed']


def test_trip_of_a_streamed_protection_is_seen_with_few_requests(simulator, ccxt_mmp_command, until):
    simulator.set_rule('okx', 'BTC-USD', Rule(5000, 600_000, '1'))
    order = simulator.rest('okx', 'BTC-USD', mmp=True)
    until(
        lambda: len(requests_of(simulator, 'mmp-config')) > 1,
        lambda: time.sleep(0.3) or simulator.fill(order.order_id),
    )
    before = time.monotonic()
    assert ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '1h', '--fail-if', 'frozen')[0] == 3
    assert time.monotonic() - before < PATIENCE
    assert len(requests_of(simulator, 'mmp-config')) < 6


def test_stream_that_fails_is_read_instead(simulator, ccxt_mmp_command, until):
    simulator.set_rule('okx', 'BTC-USD')
    simulator.fault('close', op='login', times=999)
    until(lambda: len(requests_of(simulator, 'mmp-config')) > 3, interrupt)
    assert ccxt_mmp_command('status', 'okx:BTC/USD', '--watch', '0.1')[0] == 0
    simulator.clear_faults()


@pytest.mark.parametrize('encoding', ['ascii', 'latin-1', 'cp1252'])
def test_name_that_the_output_cannot_encode_takes_nothing_with_it(simulator, monkeypatch, tmp_path, encoding):
    simulator.set_rule('okx', 'BTC-USD')
    with (tmp_path / 'out').open('w', encoding=encoding) as out:
        monkeypatch.setattr(sys, 'stdout', out)
        assert main(['status', 'okx:₿/USD', 'okx:BTC/USD', '--simulator', simulator.url]) == 1
    told = (tmp_path / 'out').read_text(encoding=encoding)
    assert '\\u20bf/USD' in told
    assert 'armed' in told
