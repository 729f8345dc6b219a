"""Every fault of every request: nothing is said to be done that is not, whatever goes wrong, and docs/faults.md."""

import pytest
from ccxt.base.errors import OrderNotFound

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.throttling import REFUSALS
from tests.fault_matrix import (
    DOCUMENT,
    NOT_KNOWN,
    ROWS,
    Bench,
    CreateOrders,
    MassCancel,
    document,
    outcome,
)

LATE, BANS = 'no answer in time', ('HTTP 429', 'HTTP 418')
DROPPED = ('dropped before the effect', 'dropped after the effect')


@pytest.fixture(scope='module')
def bench(request):
    """It is at work on the rows of all tests that are run, while the first ones wait for theirs."""
    with Bench() as bench:
        bench.begin(item.callspec.params['row'] for item in request.session.items if 'row' in item.fixturenames)
        yield bench


@pytest.fixture(params=ROWS, ids=[row.name for row in ROWS])
def row(request):
    return request.param


@pytest.fixture
def seen(bench, row):
    """What came of a row, by flavour."""
    return bench.observe(row)


def test_nothing_is_said_that_is_not(row, seen):
    for name, each in seen.items():
        error = each.error
        if error is None:
            assert row.method.is_done(each), name
        elif isinstance(error, MassCancelIncomplete):
            assert each.resting.keys().isdisjoint(error.cancelled), name
            assert NOT_KNOWN in str(error) or each.resting.keys() <= {*error.remaining, *error.unknown}, name
        elif isinstance(error, OrderNotFound):
            assert not each.resting, name
        elif isinstance(error, REFUSALS):
            assert row.method.is_untouched(each), name


def test_fault_strikes_and_touches_no_other_order(row, seen):
    for name, each in seen.items():
        assert each.has_struck, name
        assert each.others_rest, name


def test_nothing_but_a_mass_cancel_is_sent_twice(row, seen):
    """A GET or DELETE may be, by the transport."""
    if isinstance(row.method, MassCancel):
        return
    most = 2 if isinstance(row.method, CreateOrders) else 1
    for name, each in seen.items():
        posts = [count for endpoint, count in each.requests.items() if endpoint.startswith('POST')]
        assert all(count <= most for count in posts), name


def test_flavours_do_the_same(row, seen):
    """But for what docs/faults.md says of the transports."""

    def all_of(each):
        # ccxt has an error of its own for a broken connection in sync
        said = outcome(row.method, each).replace('`NetworkError`', '`ExchangeNotAvailable`')
        return said, each.requests, row.method.afterwards(each)

    assert all_of(seen['async']) == all_of(seen['pro'])
    if is_repeated_by_the_transport(row) or is_stopped_on_the_way(row):
        assert seen['sync'].requests <= seen['async'].requests
    else:
        assert all_of(seen['sync']) == all_of(seen['async'])


def is_repeated_by_the_transport(row):
    return row.fault in DROPPED and row.endpoint.startswith(('GET', 'DELETE'))


def is_stopped_on_the_way(row):
    """Side by side with it another request is sent, in async and pro."""
    is_stopped = row.fault in BANS or (row.fault == LATE and row.is_for_ever)
    return is_stopped and isinstance(row.method, MassCancel) and row.endpoint == 'DELETE batchOrders'


def test_document_says_what_is_observed(bench):
    assert document(bench).splitlines() == DOCUMENT.read_text().splitlines()
