"""A worker tells of each test, and of all that fails or is printed beside it."""

import pytest

from tests.reporting import without_empty_messages
from tests.scheduling import ROOT

ROWS = """
import pytest

@pytest.fixture
def fails_first():
    raise ValueError

@pytest.fixture
def fails_last():
    yield
    raise ValueError

@pytest.fixture
def says_last():
    yield
    print('said in the end')

def test_that_passes():
    pass

def test_that_fails(says_last):
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
"""


def test_nothing_that_fails_or_is_printed_is_lost_in_a_worker(pytester, monkeypatch):
    pytest.importorskip('xdist')
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    pytester.makeconftest('from tests.reporting import pytest_sessionstart')
    pytester.makepyfile(ROWS)
    result = pytester.runpytest_subprocess('-n', '1', '-p', 'no:ccxt_mmp_pytest', '-p', 'no:cacheprovider')
    result.assert_outcomes(passed=2, failed=1, errors=2, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(['*Captured stdout teardown*', 'said in the end'])


def test_two_messages_are_sent_of_a_test_that_passes():
    sent = []
    send = without_empty_messages(lambda name, **content: sent.append((name, content.get('data', {}).get('when'))))
    send('logstart', nodeid='a')
    for when in ('setup', 'call', 'teardown'):
        send('testreport', data={'when': when, 'outcome': 'passed', 'sections': [], 'user_properties': []})
    send('logfinish', nodeid='a')
    send('runtest_protocol_complete', item_index=0, duration=0.1)
    assert sent == [('testreport', 'call'), ('runtest_protocol_complete', None)]


@pytest.mark.parametrize('word', [{'outcome': 'failed'}, {'sections': [('a', 'b')]}, {'user_properties': [('a', 1)]}])
def test_step_that_says_something_is_told(word):
    sent = []
    send = without_empty_messages(lambda name, **_: sent.append(name))
    step = {'when': 'teardown', 'outcome': 'passed', 'sections': [], 'user_properties': []}
    send('testreport', data=step | word)
    assert sent == ['testreport']
