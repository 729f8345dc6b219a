"""What the simulators of a test that failed saw, beside its traceback."""

import pytest

from ccxt_mmp.simulator import Simulator


def told(simulator):
    """A line for each request, without what it said: that has the key."""
    requests = list(simulator.requests)
    return '\n'.join(
        f'{(each.time - requests[0].time) / 1000:8.3f} s  {each.method} {each.path} -> {each.status or "dropped"}'
        for each in requests
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        simulators = {id(each): each for each in getattr(item, 'funcargs', {}).values() if isinstance(each, Simulator)}
        for simulator in simulators.values():
            report.sections.append((f'what the simulator at {simulator.url} saw', told(simulator) or 'no request'))
    return report
