"""Many cheap rows in one test: they share its fixtures, all of them are tried, and each that fails is named."""

import functools
import inspect
import sys
import traceback

import pytest

from tests.sightings import told


def rows(names, table, ids=None, *, by=None):
    """As ``pytest.mark.parametrize``, without a test for each row: that takes longer than what many rows test.

    A row must leave an ``exchange`` of the fixtures as it found it. After each row its other exchanges are closed and
    the ``simulator`` is checked and cleared. ``by`` names a fixture, by whose value the table has its rows. A function
    makes the table when the test runs: every worker collects all tests, and one of them runs this one.
    """
    names = [name.strip() for name in names.split(',')] if isinstance(names, str) else list(names)

    @functools.cache
    def tables():
        made = {
            key: [(named(row, ids, index), values_of(row, len(names))) for index, row in enumerate(listed)]
            for key, listed in (table if by else {None: table() if callable(table) else table}).items()
        }
        assert all(made.values())
        assert all(len(values) == len(names) for each in made.values() for _, values in each)
        return made

    if not callable(table):
        tables()  # what is wrong with it is an error of the collection

    def decorate(test):
        @functools.wraps(test)
        def try_all(**fixtures):
            __tracebackhide__ = True
            failed, named_rows = [], tables()[by and fixtures[by]]
            for name, values in named_rows:
                failure = failure_of(test, fixtures, dict(zip(names, values, strict=True)))
                if failure is not None:
                    failed.append(f'\n--- {name}\n{failure}')
            if failed:
                pytest.fail(f'{len(failed)} of {len(named_rows)} rows failed:{"".join(failed)}', pytrace=False)

        signature = inspect.signature(test)
        assert signature.parameters.keys() >= set(names)
        left = [each for name, each in signature.parameters.items() if name not in names]
        try_all.__signature__ = signature.replace(parameters=left)
        return try_all

    return decorate


def failure_of(test, fixtures, row):
    """What went wrong with a row and what the simulator saw, or None."""
    flavour, simulator = fixtures.get('flavour'), fixtures.get('simulator')
    before = len(flavour.opened) if flavour else 0
    try:
        test(**fixtures, **row)
        if simulator:
            simulator.check()
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - whatever it is
        return text_of(error) + (f'what the simulator saw:\n{told(simulator)}\n' if simulator else '')
    else:
        return None
    finally:
        if flavour:
            flavour.disconnect(before)
        if simulator:
            simulator.clear()


def text_of(error):
    if isinstance(error, pytest.fail.Exception) and not error.pytrace:  # rows of a row
        return str(error)
    try:
        return ''.join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - of an error that cannot say what it is
        return f'{type(error).__name__}, which cannot be shown: {sys.exc_info()[1]!r}\n'


def values_of(row, count):
    if hasattr(row, 'marks'):  # pytest.param
        assert not row.marks, 'a row has no marks'
        return row.values
    return (row,) if count == 1 else tuple(row)


def named(row, ids, index):
    given = getattr(row, 'id', None) if hasattr(row, 'marks') else None
    if given is None and ids is not None and not callable(ids):
        given = list(ids)[index]
    if given is not None:
        return str(given)
    values = row.values if hasattr(row, 'marks') else row if isinstance(row, tuple) else (row,)
    return f'row {index + 1}: ' + '-'.join(ids(value) if ids else short(value) for value in values)


def short(value, length=60):
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a value that tests what cannot be shown
        text = type(value).__name__
    return text if len(text) <= length else text[: length - 3] + '...'
