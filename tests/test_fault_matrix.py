"""Whatever goes wrong, nothing is said to be done that is not; and docs/faults.md says what comes of it."""

import pytest
from ccxt.base.errors import OrderNotFound

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core.request_context import REFUSALS
from tests.core.streams.watching import BINANCE_STREAMS
from tests.fault_matrix.bench import Bench
from tests.fault_matrix.document import DOCUMENT, arrived, document, outcome
from tests.fault_matrix.methods import METHODS, CreateOrders, MassCancel, may_others_rest
from tests.fault_matrix.rows import ROWS


@pytest.fixture(scope='module')
def bench(request):
    """At work on all that is going to be asked of it, since some of it takes its time."""
    with Bench() as bench:
        asked = [item.callspec.params['method'] for item in request.session.items if 'method' in item.fixturenames]
        bench.begin(row for row in ROWS if row.method in asked)
        yield bench


@pytest.fixture(params=METHODS, ids=[f'{method.exchange_id} {method.name}' for method in METHODS])
def method(request):
    return request.param


@pytest.fixture
def seen(bench, method):
    """What came of each row, by flavour."""
    return {row: bench.observe(row) for row in ROWS if row.method is method}


def each_of(seen):
    return [(f'{row.name}, {name}', row, each) for row, by_flavour in seen.items() for name, each in by_flavour.items()]


def test_what_is_returned_is_done(method, seen):
    for name, _, each in each_of(seen):
        assert each.error or method.is_done(each), name


def test_what_is_refused_is_not_done(method, seen):
    for name, _, each in each_of(seen):
        if isinstance(each.error, OrderNotFound):
            assert not each.resting, name
        elif isinstance(each.error, REFUSALS):
            assert method.is_untouched(each), name


def test_what_is_incomplete_says_what_rests(seen):
    for name, _, each in each_of(seen):
        error = each.error
        if isinstance(error, MassCancelIncomplete):
            assert each.resting.keys().isdisjoint(error.cancelled), name
            assert may_others_rest(error) or each.resting.keys() <= {*error.remaining, *error.unknown}, name


def test_other_orders_stay(seen):
    for name, _, each in each_of(seen):
        assert each.others_rest, name


def test_every_fault_strikes(seen):
    for name, _, each in each_of(seen):
        assert each.has_struck, name


def test_nothing_but_a_mass_cancel_is_sent_twice(method, seen):
    """A GET or DELETE may be, by the transport."""
    most = 1
    if isinstance(method, CreateOrders):
        most = 4 if method.exchange_id == 'deribit' else 2  # requests that it takes
    for name, _, each in each_of(seen):
        posts = [count for endpoint, count in each.requests.items() if endpoint.startswith('POST')]
        assert isinstance(method, MassCancel) or all(count <= most for count in posts), name


def test_flavours_do_the_same(method, seen):
    """But for what docs/faults.md says of the transports."""

    def all_of(row, each):
        # ccxt has an error of its own for a broken connection in sync
        said = outcome(method, each).replace('`NetworkError`', '`ExchangeNotAvailable`')
        return said, arrived(row, each), method.afterwards(each)

    for row, by_flavour in seen.items():
        seen_in = {name: all_of(row, each) for name, each in by_flavour.items()}
        if len(seen_in) == 1:
            continue
        assert seen_in['async'] == seen_in['pro'], row.name
        if row.is_for_ever or not row.is_repeated_by_the_transport:
            assert seen_in['sync'] == seen_in['async'], row.name
        else:
            assert by_flavour['sync'].requests <= by_flavour['async'].requests, row.name


def test_document_says_what_is_observed(bench):
    said = DOCUMENT.read_text()
    if not BINANCE_STREAMS:  # there ccxt has no listen key of options to ask for
        said = said.replace(', `POST listenKey`', '')
    assert document(bench).splitlines() == said.splitlines()
