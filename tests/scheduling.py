"""Which worker of pytest-xdist runs which tests, and in which order."""

import os
from pathlib import Path

# what one process prepares for all tests of a file takes long
TOGETHER = ('test_fault_matrix.py', 'test_packaging.py', 'test_pictures.py', 'test_typing.py')

# seconds; they start first, so that no worker is left with one of them while the others have nothing to do
SLOW = {
    'test_fault_matrix.py': 40,  # every fault of every method, to its last timeout
    'test_typing.py': 15,  # two type checkers read ccxt
    'test_no_sequence_of_events_leaves_an_order_behind_or_disables_the_kill_switch': 15,  # a state machine, at random
    'test_secrets_are_neither_printed_nor_logged_nor_raised': 15,  # every fault of every flavour, with its retries
    'test_cancel_works_whatever_becomes_of_the_output': 10,  # six processes import ccxt
    'test_bots_of_all_flavours_live_side_by_side': 6,  # three processes live for some seconds
    'test_full_book_goes_the_cheaper_way_if_little_weight_is_left': 6,  # hundreds of orders in each flavour
    'test_packaging.py': 6,  # builds the sdist and the wheel
    'test_answer_that_drips_does_not_outlast_its_time': 6,  # the time that it must not outlast
    'test_recording_selects_what_its_source_can_bring_about': 4,  # starts pytest
    'test_2000_requests_of_50_concurrent_clients_without_an_error_or_a_leak': 3,  # 2,000 requests
}
USUAL = 0.02


def scope_of(nodeid):
    """What one worker runs as a whole: a test with all its parameters, or a file of those above."""
    file = nodeid.partition('::')[0]
    return file if file.endswith(TOGETHER) else nodeid.partition('[')[0]


def seconds_of(scope, count):
    name = scope.rpartition('::')[2] if '::' in scope else Path(scope).name
    return SLOW.get(name, USUAL * count)


def number_of_workers(config):
    """Whole folders run in parallel; what is picked from them, or recorded, in this process. ``-n`` overrides it."""
    options = ('--record-mode', 'keyword', 'markexpr', 'lf', 'collectonly')
    is_picked = any(config.getoption(option, None) not in (None, 'none', '', False) for option in options)
    if is_picked or not all(Path(argument).is_dir() for argument in config.args):
        return 0
    return None if 'PYTEST_XDIST_AUTO_NUM_WORKERS' in os.environ else os.cpu_count() or 1


def scheduler(config, log):
    """The longest first."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - may not be there

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return scope_of(nodeid)

        def _assign_work_unit(self, node):
            if not self.assigned_work.get(node):  # its first
                by_length = sorted(self.workqueue, key=lambda scope: seconds_of(scope, len(self.workqueue[scope])))
                for scope in by_length:
                    self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log)
