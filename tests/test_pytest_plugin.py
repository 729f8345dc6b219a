"""The fixture ``mmp_simulator`` in the tests of somebody else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
                exchange.privateGetAccountConfig()
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['*requests that it does not know: GET /api/v5/account/config*'])


HEAVY = ('ccxt', 'ccxt_mmp', 'requests', 'aiohttp', 'asyncio')


def run_pytest(folder, *, plugin='ccxt_mmp_pytest'):
    """A run of its own with no other plugin than this one."""
    environment = {
        **os.environ,
        'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1',
        'PYTHONPATH': os.pathsep.join([str(folder), str(ROOT)]),
    }
    return subprocess.run(
        [sys.executable, '-m', 'pytest', '-p', plugin, '-p', 'no:cacheprovider', '--rootdir', str(folder), str(folder)],
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
