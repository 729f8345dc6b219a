"""The fixture ``mmp_simulator`` in the tests of somebody else."""


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
                exchange.privateGetAccountPositions()
    """)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['*requests that it does not know: GET /api/v5/account/positions*'])
