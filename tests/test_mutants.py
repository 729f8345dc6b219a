"""The list of breakages fits the source; ``python -m tests.mutants`` tries them."""

import pytest

from tests import mutants
from tests.mutants import Mutant, listed, path_of
from tests.rows import rows

MUTANTS = listed()
TESTS = mutants.ROOT / 'tests'


@rows('mutant', MUTANTS, ids=lambda mutant: f'{mutant.file}: {mutant.breaks}')
def test_breakage_fits_the_source(mutant):
    source = path_of(mutant).read_text()
    broken = mutant.break_text(source)
    compile(broken, mutant.file, 'exec')
    assert broken != source
    file, _, name = mutant.tests.partition('::')
    assert f'def {name}(' in (TESTS / file).read_text() or not name


@rows(
    ('text', 'where'),
    [
        ('a.py: []\nb.py: []\na.py: []\n', 'a.py stands twice: .* line 3,'),
        ('a.py:\n- old: x\n  new: y\n  old: z\n', 'old stands twice: .* line 4,'),
    ],
)
def test_key_that_stands_twice_is_an_error(text, where):
    """Else the rows of the first would be tried by nobody."""
    with pytest.raises(ValueError, match=where):
        mutants.loaded(text)


def test_breakages_are_told_apart():
    assert len({(mutant.file, mutant.breaks) for mutant in MUTANTS}) == len(MUTANTS) >= 250


def test_every_file_that_a_call_goes_through_is_broken():
    package = mutants.ROOT / 'ccxt_mmp'
    only_names = {'__main__', '_fall_through', '_version', 'async_support', 'mixins', 'pro', 'registry', 'types'}
    only_names |= {'_lazy_exchanges', '_patterns'}
    only_names |= {'__init__', 'tables'}
    nothing_yet = {'exchanges/bybit/sockets.py', 'exchanges/deribit/sockets.py', 'exchanges/deribit/watching.py'}
    files = [file for where in ('*.py', 'core/*.py', 'exchanges/*/*.py') for file in package.glob(where)]
    files = [file for file in files if file.stem not in only_names]
    called = {file.relative_to(package).as_posix() for file in files} - nothing_yet
    assert called <= {mutant.file for mutant in MUTANTS}


@pytest.mark.parametrize('old', ['no such text', 'import'])
def test_text_that_is_not_there_once_is_an_error(old):
    with pytest.raises(ValueError, match='not once'):
        Mutant('core/numbers.py', 'nothing', old, '', '').break_text('import re\nimport sys\n')


def test_copy_is_what_processes_import(tmp_path):
    project = mutants.copy_project(str(tmp_path))
    assert mutants.imported_from(project) == project / 'ccxt_mmp' / '__init__.py'


@pytest.mark.parametrize(
    ('test', 'seconds', 'expected'),
    [
        ('', 60, 'test_it.py::test_that_fails'),
        ('::test_that_passes', 60, None),
        ('::test_that_hangs', 0.1, mutants.TIMEOUT),
    ],
)
def test_first_failure_is_named(tmp_path, monkeypatch, test, seconds, expected):
    monkeypatch.setenv('PYTEST_DISABLE_PLUGIN_AUTOLOAD', '1')  # which would take seconds to load
    (tmp_path / 'test_it.py').write_text(
        'import time\n'
        'def test_that_passes(): pass\n'
        'def test_that_fails(): assert False\n'
        'def test_that_hangs(): time.sleep(600)\n'
    )
    assert mutants.first_failure(tmp_path, ['-x', f'test_it.py{test}'], seconds) == expected


def test_tests_that_are_not_there_notice_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTEST_DISABLE_PLUGIN_AUTOLOAD', '1')
    with pytest.raises(RuntimeError, match='could not be run'):
        mutants.first_failure(tmp_path, ['test_it.py'], 60)


@pytest.mark.parametrize(
    ('noticing', 'fails_anyway', 'status'),
    [('test_a', None, 0), (mutants.TIMEOUT, None, 0), (None, None, 1), ('test_a', 'test_a', 1)],
)
def test_exit_status_says_whether_all_was_noticed(monkeypatch, capsys, noticing, fails_anyway, status):
    monkeypatch.setattr(mutants, 'noticed_by', lambda mutant: (noticing, 1.0))
    monkeypatch.setattr(mutants, 'fails_without_a_breakage', lambda tests: fails_anyway)
    assert mutants.main(['--only', 'core/numbers.py', '--jobs', '2']) == status
    assert (noticing or 'NOTHING') in capsys.readouterr().out


def test_list_tries_nothing(monkeypatch, capsys):
    monkeypatch.setattr(mutants, 'noticed_by', None)
    assert mutants.main(['--list']) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(MUTANTS)


def test_name_of_no_breakage_is_an_error(capsys):
    with pytest.raises(SystemExit):
        mutants.main(['--only', 'nothing of the kind'])
    assert 'nothing of the kind' in capsys.readouterr().err
