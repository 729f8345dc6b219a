"""Which worker of pytest-xdist runs which tests, and in which order."""

import contextlib
import os
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEST_FILES = sorted(Path(__file__).parent.rglob('test_*.py'))

# what one process prepares for all tests of a file takes long
TOGETHER = (
    'test_drift.py',
    'test_fault_matrix.py',
    'test_house.py',
    'test_official_clients.py',
    'test_packaging.py',
    'test_pictures.py',
    'test_typing.py',
)

# seconds; they start first, so that no worker is left with one of them while the others have nothing to do
SLOW = {
    'test_typing.py': 40,  # three type checkers read ccxt, and all that is imported in the first run
    'test_fault_matrix.py': 30,  # every fault of every method, to its last timeout
    'test_no_sequence_of_events_leaves_an_order_behind_or_disables_the_kill_switch': 20,  # a state machine, at random
    'test_secrets_are_neither_printed_nor_logged_nor_raised': 12,  # every fault of every flavour, with its retries
    'test_site_is_built_without_a_warning': 8,  # a process that renders every page
    'test_no_process_quotes_while_halted': 8,  # eight processes live for some seconds
    'test_every_screen_fits_and_folds_no_word': 7,  # every command on terminals of every width
    'test_bots_of_all_flavours_live_side_by_side': 6,  # three processes live for a second
    'test_four_hundred_orders_on_two_hundred_contracts_go_within_the_limits': 6,  # two seconds of the limit, twice
    'test_packaging.py': 6,  # builds the sdist and the wheel
    'test_documented_limit_is_kept_as_the_exchange_counts_it': 4,  # the time of the limit
    'test_breakage_fits_the_source': 4,  # hundreds of rows
    'test_answer_that_does_not_come_leaves_time_to_ask_again': 4,  # most of 0.3 s in each flavour, on each exchange
    'test_halt_stops_another_process': 3,  # two processes, and the second of the example
    'test_signal_ends_it_with_nothing_resting': 3,  # processes import ccxt
    'test_signal_ends_the_bot_with_nothing_resting': 3,  # the time in which an order may still arrive
    'test_each_trip_and_each_thaw_is_told_once_whatever_breaks': 3,  # the second of the soak, and what comes after it
    'test_answer_that_drips_does_not_outlast_its_time': 3,  # the time that it must not outlast
    'test_time_bounds_the_whole_call': 3,  # 0.1 s in each flavour, on each exchange, and as much to close
    'test_50_sockets_and_10_000_pushes_leave_nothing': 3,  # 10,000 pushes
    'test_2000_requests_of_50_concurrent_clients_without_an_error_or_a_leak': 3,  # 2,000 requests
}
USUAL = 0.02

# their tests mostly wait: for answers that never come, for processes, for the end of a limit or a freeze
WAITING = (
    'cli/test_alerts.py',
    'cli/test_cancel.py',
    'cli/test_cli_process.py',
    'cli/test_cli_terminal.py',
    'cli/test_exit_statuses.py',
    'cli/test_installed_screens.py',
    'cli/test_watch.py',
    'core/mass_cancel/test_mass_cancel_all_failures.py',
    'core/mass_cancel/test_mass_cancel_time.py',
    'core/streams/test_connections.py',
    'core/streams/test_stopped_orders.py',
    'core/test_connections.py',
    'core/test_fenced_orders.py',
    'core/test_hedging.py',
    'core/test_interrupts.py',
    'core/test_kill_switch_states.py',
    'core/test_locks.py',
    'core/test_orders_in_flight.py',
    'core/test_secrets.py',
    'core/test_socket_kill_switch.py',
    'core/test_sockets.py',
    'core/test_throttling.py',
    'core/test_validation.py',
    'exchanges/test_bybit_kill_switch.py',
    'exchanges/test_deribit_sockets.py',
    'simulator/test_faults.py',
    'tests/test_cookbook.py',
    'tests/test_doors.py',
    'tests/test_examples.py',
    'tests/test_halt_soak.py',
    'tests/test_readme.py',
    'tests/test_short_examples.py',
    'tests/test_soak.py',
)
WORKERS_PER_CORE = 2  # one computes while the other waits; where both compute, each takes longer


def scope_of(nodeid):
    """What one worker runs as a whole: a test with all its parameters, or a file of those above."""
    file = nodeid.partition('::')[0]
    return file if file.endswith(TOGETHER) else nodeid.partition('[')[0]


def seconds_of(scope, count):
    name = scope.rpartition('::')[2] if '::' in scope else Path(scope).name
    return SLOW.get(name, USUAL * count)


def is_waiting(scope):
    return scope.partition('::')[0].endswith(WAITING)


def number_of_workers(config):
    """Whole folders run in parallel; what is picked from them, or recorded, in this process. ``-n`` overrides it."""
    options = ('--record-mode', 'keyword', 'markexpr', 'lf', 'collectonly')
    is_picked = any(config.getoption(option, None) not in (None, 'none', '', False) for option in options)
    if is_picked or not all(Path(argument).is_dir() for argument in config.args):
        return 0
    return None if 'PYTEST_XDIST_AUTO_NUM_WORKERS' in os.environ else WORKERS_PER_CORE * (os.cpu_count() or 1)


def compile_share(worker):
    """Each worker compiles some files before it collects all, so that in a fresh clone no file is compiled by each."""
    share = TEST_FILES[int(worker['workerid'].removeprefix('gw')) :: worker['workercount']]
    for file in share:
        with contextlib.suppress(Exception, pytest.skip.Exception):  # the collection says so
            import_module('.'.join(file.relative_to(ROOT).with_suffix('').parts))


def scheduler(config, log):
    """The longest first. Every second worker begins with what waits, so that few compute at a time."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - may not be there

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return scope_of(nodeid)

        def _assign_work_unit(self, node):
            if not self.assigned_work.get(node):  # its first
                for scope in sorted(self.workqueue, key=self._place):
                    self.workqueue.move_to_end(scope)
            if self.nodes.index(node) % 2:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            super()._assign_work_unit(node)

        def _place(self, scope):
            seconds = seconds_of(scope, len(self.workqueue[scope]))
            return (1, seconds) if is_waiting(scope) else (0, -seconds)

        def mark_test_complete(self, node, item_index, duration=0):
            super().mark_test_complete(node, item_index, duration)
            # what is kept is counted after every test
            assigned = self.assigned_work[node]
            for scope in [scope for scope, done in assigned.items() if all(done.values())]:
                del assigned[scope]

    return Scheduling(config, log)
