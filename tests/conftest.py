"""How a run is spread over processes. What the tests have in common is loaded by those that run some."""

import gc
import os
import shutil
import signal
from importlib import import_module
from pathlib import Path

import pytest

from tests import warm
from tests.scheduling import compile_share, number_of_workers, scheduler

# SQLite waits for the disk in each halt: 40 ms, in memory 1 ms
MEMORY, ROOM = Path('/dev/shm'), 2**29  # noqa: S108 - bytes of all that the tests leave, some times over
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault('PYTEST_DEBUG_TEMPROOT', str(MEMORY))

# what a shell starts in the background has Ctrl-C ignored, and so would the processes that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Without the garbage collector, which would look at all that is imported, again and again: a tenth of the time."""
    gc.disable()
    try:
        if hasattr(session.config, 'workerinput'):
            compile_share(session.config.workerinput)
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    return number_of_workers(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """All workers have one server of processes."""
    node.workerinput['warm'] = warm.server()


def pytest_configure(config):
    if hasattr(config, 'workerinput'):
        warm.SHARED['path'] = config.workerinput['warm']
    # who only hands the tests out need not wait for the imports; a profile is asked for by its name there, too
    hands_out = config.getoption('dist', 'no') != 'no'
    if not hands_out or config.getoption('hypothesis_profile', None):
        gc.disable()  # they make many objects, none of them garbage
        config.pluginmanager.register(import_module('tests.fixtures'))
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return scheduler(config, log)


def pytest_collection_finish():
    """Coverage is of the processes that run tests, not of those that the tests start."""
    os.environ.pop('COVERAGE_PROCESS_CONFIG', None)
    # ccxt and the collected tests stay to the end: a collection that looks at all of them takes 0.7 s
    gc.freeze()
