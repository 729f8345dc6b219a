"""A worker tells of each test, and of all that fails beside it."""

import pytest

from tests import reporting


class Worker:
    """A process that runs tests for another."""

    pytest_runtest_protocol = staticmethod(reporting.pytest_runtest_protocol)

    def __init__(self, **settings):
        self.settings = settings

    def pytest_configure(self, config):
        vars(config).update(self.settings)


@pytest.fixture
def told(pytester):
    """What is told of some tests, in order."""
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def fails_first():
            raise ValueError

        @pytest.fixture
        def fails_last():
            yield
            raise ValueError

        def test_that_passes():
            pass

        def test_that_fails():
            raise ValueError

        def test_that_cannot_begin(fails_first):
            pass

        def test_that_leaves_something(fails_last):
            pass

        @pytest.mark.skip
        def test_that_is_left_out():
            pass

        @pytest.mark.xfail
        def test_that_is_expected_to_fail():
            raise ValueError
    """)

    def run(**settings):
        recorded = pytester.inline_run('-q', plugins=[Worker(**settings)])
        reports = recorded.getreports('pytest_runtest_logreport')
        return [(report.head_line, report.when, report.outcome) for report in reports]

    return run


def test_worker_tells_how_each_test_ended_and_what_else_failed(told):
    assert told(workerinput={}) == [
        ('test_that_passes', 'call', 'passed'),
        ('test_that_fails', 'call', 'failed'),
        ('test_that_cannot_begin', 'setup', 'failed'),
        ('test_that_leaves_something', 'call', 'passed'),
        ('test_that_leaves_something', 'teardown', 'failed'),
        ('test_that_is_left_out', 'setup', 'skipped'),
        ('test_that_is_expected_to_fail', 'call', 'skipped'),
    ]


def test_process_that_runs_its_own_tests_tells_all(told):
    said = told()
    assert [each for each in said if each[0] == 'test_that_passes'] == [
        ('test_that_passes', when, 'passed') for when in ('setup', 'call', 'teardown')
    ]
