"""Rows of one test: all are tried, and each that fails is named."""

import pytest

from tests.rows import rows


def test_every_row_that_fails_is_named_with_its_error():
    tried = []

    @rows(('a', 'b'), [(1, 1), (1, 2), pytest.param(3, 4, id='the last')])
    @rows('more', [0, 1])
    def check(a, b, more):
        tried.append((a, b, more))
        assert a == b + more

    with pytest.raises(pytest.fail.Exception) as caught:
        check()
    assert len(tried) == 6
    said = str(caught.value)
    assert said.startswith('3 of 3 rows failed:\n--- row 1: 1-1\n1 of 2 rows failed:\n--- row 2: 1\nTraceback')
    assert 'a == b + more' in said
    assert '--- the last\n2 of 2 rows failed' in said


@pytest.mark.parametrize('stop', [pytest.skip, pytest.fail])
def test_row_cannot_leave_the_others_out(stop):
    tried = []

    @rows('row', 'xy')
    def check(row):
        tried.append(row)
        stop('here')

    with pytest.raises(pytest.fail.Exception, match='2 of 2 rows failed'):
        check()
    assert tried == ['x', 'y']


def test_table_is_made_when_the_test_runs():
    made = []

    def table():
        made.append('table')
        return ['a', 'b']

    @rows('row', table)
    def check(row):
        made.append(row)

    assert made == []
    check()
    check()
    assert made == ['table', 'a', 'b', 'a', 'b']


def test_table_that_is_empty_fails():
    check = rows('row', list)(lambda row: None)
    with pytest.raises(AssertionError):
        check()


def test_rows_are_those_of_a_fixture():
    tried = []

    @rows('row', {'okx': 'ab', 'binance': 'c'}, by='exchange_id')
    def check(exchange_id, row):
        tried.append((exchange_id, row))

    check(exchange_id='okx')
    check(exchange_id='binance')
    assert tried == [('okx', 'a'), ('okx', 'b'), ('binance', 'c')]


def test_table_without_rows_is_an_error():
    with pytest.raises(AssertionError):
        rows('row', [])


@rows('row', [1, 2])
def test_simulator_is_as_new_for_each_row_and_exchanges_are_closed_after_it(flavour, simulator, row):
    assert simulator.requests == []
    assert flavour.opened == []
    flavour.take(flavour.exchange('okx', simulator.url).fetch_time())
    assert len(simulator.requests) == 1
    assert len(flavour.opened) == 1


def test_row_that_fails_says_what_the_simulator_saw(flavour, simulator):
    @rows('row', [1])
    def check(flavour, simulator, row):
        flavour.take(flavour.exchange('okx', simulator.url).fetch_time())
        raise ValueError('for once')

    with pytest.raises(pytest.fail.Exception, match=r'(?s)for once.*GET /api/v5/public/time -> 200'):
        check(flavour=flavour, simulator=simulator)


def test_fault_that_no_request_used_fails_its_row(flavour, simulator):
    @rows('row', [1, 2])
    def check(flavour, simulator, row):
        if row == 2:
            simulator.fault('drop', 'public/time')

    with pytest.raises(pytest.fail.Exception, match=r'(?s)1 of 2 rows failed.*no request came that they strike'):
        check(flavour=flavour, simulator=simulator)
