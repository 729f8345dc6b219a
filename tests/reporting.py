"""What a worker of pytest-xdist tells the process that hands the tests out."""

import pytest
from _pytest.runner import runtestprotocol


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """How a test ended, and whatever else did not pass: not that it begins, is set up, is taken down and is over.

    To tell all of that takes as long as a short test.
    """
    if not hasattr(item.config, 'workerinput'):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == 'call' or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True
