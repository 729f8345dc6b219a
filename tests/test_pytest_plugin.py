"""The fixture ``mmp_simulator`` in the tests of somebody else."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ccxt_mmp_pytest
from ccxt_mmp.simulator import Simulator

ROOT = Path(__file__).parent.parent


def test_fixture_is_a_running_simulator(pytester):
    pytester.makepyfile("""
        import ccxt

        def test_bot(mmp_simulator):
            exchange = mmp_simulator.connect(ccxt.okx, enableRateLimit=False)
            assert exchange.fetch_time() > 0
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_request_that_the_simulator_does_not_know_fails_the_test(pytester):
    pytester.makepyfile("""
        import ccxt
        import pytest

        def test_bot(mmp_simulator):
            exchange = mmp_simulator.connect(ccxt.okx, enableRateLimit=False)
            with pytest.raises(ccxt.BaseError):
                exchange.privateGetAccountRiskState()
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['*requests that it does not know: GET /api/v5/account/risk-state*'])


def run_with(pytester, settings, test):
    pytester.makeini('[pytest]\n' + settings)
    pytester.makepyfile(test)
    return pytester.runpytest_inprocess('--strict-config')


def test_options_of_the_fixture_are_in_the_ini_file(pytester):
    result = run_with(
        pytester,
        'mmp_simulator_unknown = ignore\nmmp_simulator_latency = 5\nmmp_simulator_log_size = 1\n'
        'mmp_simulator_enforce_limits = false\n',
        """
        import ccxt
        import pytest

        def test_bot(mmp_simulator):
            assert mmp_simulator.latency == 5
            exchange = mmp_simulator.connect(ccxt.okx, enableRateLimit=False)
            for _ in range(20):
                exchange.fetch_time()  # OKX allows 10
            with pytest.raises(ccxt.BaseError):
                exchange.privateGetAccountRiskState()
            assert len(mmp_simulator.requests) == 1
        """,
    )
    result.assert_outcomes(passed=1)


def test_every_option_of_the_simulator_is_one_of_the_fixture():
    of_simulator = set(inspect.signature(Simulator).parameters) - {'port', 'clock'}
    assert set(ccxt_mmp_pytest.OPTIONS) == of_simulator


@pytest.mark.parametrize(
    ('setting', 'said'),
    [
        ('latency = soon', '*mmp_simulator_latency = soon: ms by which*'),
        ('enforce_limits = maybe', '*mmp_simulator_enforce_limits = maybe: true or false*'),
        ('unknown = warn', '*unknown is one of fail, ignore*'),
        ('trigger = sometimes', '*trigger is one of reach, exceed*'),
    ],
)
def test_option_that_says_nothing_is_an_error(pytester, setting, said):
    result = run_with(pytester, f'mmp_simulator_{setting}\n', 'def test_bot(mmp_simulator):\n    pass\n')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])


HEAVY = ('ccxt', 'ccxt_mmp', 'requests', 'aiohttp', 'asyncio')


def run_pytest(folder, *, plugin='ccxt_mmp_pytest'):
    """A run of its own with no other plugin than this one."""
    environment = {
        **os.environ,
        'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1',
        'PYTHONPATH': os.pathsep.join([str(folder), str(ROOT)]),
    }
    # a traceback that shows sources parses all of ccxt's
    options = ['-p', plugin, '-p', 'no:cacheprovider', '--tb=native', '--rootdir', str(folder)]
    return subprocess.run(
        [sys.executable, '-m', 'pytest', *options, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
        cwd=folder,
    )


def test_run_without_the_fixture_imports_neither_ccxt_nor_a_web_server(tmp_path):
    (tmp_path / 'conftest.py').write_text(
        f'import sys\n\n\ndef pytest_sessionfinish():\n    print("HEAVY", sorted(set({HEAVY}) & sys.modules.keys()))\n'
    )
    (tmp_path / 'test_it.py').write_text('def test_it():\n    pass\n')
    without = run_pytest(tmp_path, plugin='no:ccxt_mmp_pytest')
    ran = run_pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert 'HEAVY []' in without.stdout, 'pytest alone'
    assert 'HEAVY []' in ran.stdout


@pytest.mark.parametrize('module', ['ccxt', 'aiohttp', 'requests'])
def test_run_without_the_fixture_does_not_mind_a_broken_package(tmp_path, module):
    (tmp_path / f'{module}.py').write_text('raise RuntimeError("broken")\n')
    (tmp_path / 'test_it.py').write_text(
        'def test_it():\n    pass\n\n\ndef test_bot(mmp_simulator):\n    mmp_simulator.connect\n'
    )
    ran = run_pytest(tmp_path)
    assert '1 passed, 1 error' in ran.stdout, ran.stdout + ran.stderr
    assert 'RuntimeError: broken' in ran.stdout
