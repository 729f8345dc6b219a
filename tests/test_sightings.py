"""A test that fails prints what the simulator saw, and no secret."""

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET

HOOK = 'from tests.sightings import pytest_runtest_makereport\n'


def run(pytester, test):
    pytester.makeconftest(HOOK)
    pytester.makepyfile(
        f"""
        import ccxt_mmp

        def test_bot(mmp_simulator):
            exchange = mmp_simulator.connect(ccxt_mmp.binance, enableRateLimit=False)
            mmp_simulator.fault('drop_before', 'mmpReset')
            exchange.fetch_mmp('BTC/USDT')
            {test}
        """
    )
    # other tracebacks show sources: to find the lines of a statement, all of ccxt's exchange is parsed
    return pytester.runpytest_inprocess('--tb=native')


def test_failing_test_prints_the_requests(pytester):
    result = run(pytester, "exchange.reset_mmp('BTC/USDT')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*what the simulator at http://127.0.0.1:* saw*', '*GET /eapi/v1/mmp -> *'])
    result.stdout.fnmatch_lines(['*POST /eapi/v1/mmpReset -> dropped'])
    for secret in (KEY, SECRET, PASSPHRASE, 'signature'):
        assert secret not in result.stdout.str().partition(' saw ')[2]


def test_test_that_passes_prints_nothing(pytester):
    result = run(pytester, 'mmp_simulator.clear_faults()')
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line('*saw*')
