"""How the tests are spread over the workers."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.scheduling import SLOW, TOGETHER, WAITING, compile_share, number_of_workers, scheduler, scope_of, seconds_of

TESTS = Path(__file__).parent
WORKERS = 2 * os.cpu_count()


def test_slow_tests_are_there():
    files = list(TESTS.rglob('test_*.py'))
    names = {name for file in files for name in re.findall(r'^def (test_\w+)', file.read_text(), re.MULTILINE)}
    assert {*SLOW, *TOGETHER} <= names | {file.name for file in files}
    assert all(any(file.as_posix().endswith(each) for file in files) for each in WAITING)


def test_scope_is_a_test_or_a_file():
    assert scope_of('tests/core/test_a.py::test_b[c::d]') == 'tests/core/test_a.py::test_b'
    assert scope_of('tests/test_typing.py::test_b[c]') == 'tests/test_typing.py'
    assert seconds_of('tests/test_typing.py', 9) == SLOW['test_typing.py']
    assert seconds_of('tests/core/test_a.py::test_b', 100) == 2


def config(*arguments, **options):
    return SimpleNamespace(args=arguments, getoption=options.get)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (config(str(TESTS)), WORKERS),
        (config(str(TESTS / 'core'), str(TESTS / 'cli')), WORKERS),
        (config(__file__), 0),
        (config(str(TESTS), keyword='okx'), 0),
        (config(str(TESTS), lf=True), 0),
        (config(str(TESTS), **{'--record-mode': 'rewrite'}), 0),
    ],
)
def test_folders_run_on_two_workers_a_core_and_what_is_picked_in_one_process(monkeypatch, given, expected):
    monkeypatch.delenv('PYTEST_XDIST_AUTO_NUM_WORKERS', raising=False)
    assert number_of_workers(given) == expected


def test_variable_of_xdist_is_heeded(monkeypatch):
    monkeypatch.setenv('PYTEST_XDIST_AUTO_NUM_WORKERS', '3')
    assert number_of_workers(config(str(TESTS))) is None


def test_workers_compile_each_file_once_and_go_on_if_one_fails(monkeypatch):
    compiled = []

    def compiles(name):
        compiled.append(name)
        if name.endswith('test_packaging'):
            pytest.skip('the collection says so', allow_module_level=True)
        if name.endswith('test_typing'):
            raise ImportError(name)

    monkeypatch.setattr('tests.scheduling.import_module', compiles)
    for number in range(4):
        compile_share({'workerid': f'gw{number}', 'workercount': 4})
    assert len(compiled) == len({*compiled}) == len(list(TESTS.rglob('test_*.py')))
    assert {'tests.test_packaging', 'tests.test_typing', 'tests.core.test_orders'} <= {*compiled}


class Worker:
    shutting_down = False

    def __init__(self):
        self.sent = []

    def send_runtest_some(self, indexes):
        self.sent += indexes

    def shutdown(self):
        pass


def test_longest_is_started_first_and_every_second_worker_begins_with_what_waits():
    pytest.importorskip('xdist')
    scheduling = scheduler(SimpleNamespace(getvalue=lambda _: ['popen']), None)
    computing, waiting = Worker(), Worker()
    slow = next(name for name in SLOW if name.startswith('test_') and not name.endswith('.py'))
    names = ['test_a.py::test_one', *(f'test_a.py::test_many[{number}]' for number in range(9)), f'test_a.py::{slow}']
    waits = ['core/test_locks.py::test_a', 'core/test_locks.py::test_b[0]', 'core/test_locks.py::test_b[1]']
    ids = [f'tests/{name}' for name in (*waits, *names)]
    for each in ids:
        scheduling.workqueue.setdefault(scope_of(each), {})[each] = False
    for worker in (computing, waiting):
        scheduling.registered_collections[worker] = ids
        scheduling.assigned_work[worker] = {}
    for worker in (computing, waiting, computing, waiting, computing):
        scheduling._assign_work_unit(worker)
    assert [ids[index] for index in computing.sent] == [f'tests/{each}' for each in (names[10], *names[1:10], names[0])]
    assert [ids[index] for index in waiting.sent] == [f'tests/{each}' for each in (*waits[1:], waits[0])]


def test_what_is_done_is_not_counted_again():
    pytest.importorskip('xdist')
    scheduling = scheduler(SimpleNamespace(getvalue=lambda _: ['popen']), None)
    worker = Worker()
    ids = [f'tests/test_a.py::test_{name}' for name in ('a[0]', 'a[1]', 'b', 'c')]
    scheduling.workqueue.update({each: {each: False} for each in ids[2:]})
    scheduling.assigned_work[worker] = {scope_of(ids[0]): dict.fromkeys(ids[:2], False)}
    scheduling.registered_collections[worker] = ids
    for number, left in ((0, ['tests/test_a.py::test_a', ids[2]]), (1, ids[2:]), (2, ids[3:])):
        scheduling.mark_test_complete(worker, number)
        assert [*scheduling.assigned_work[worker]] == left
    assert worker.sent == [2, 3]
