"""Every code block of the documents runs; test_readme.py and test_adding_an_exchange.py have those of two of them."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from ccxt_mmp.cli import main
from ccxt_mmp.cli.arguments import parsed
from tests.test_readme import doors  # noqa: F401 - a fixture

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', ROOT / 'CHANGELOG.md', *sorted((ROOT / 'docs').glob('*.md'))]
TOOLS = {'pip', 'pytest', 'ruff', 'mypy', 'nox'}  # run by .ci/run


def blocks(language):
    for document in DOCUMENTS:
        for block in re.findall(rf'^```{language}\n(.*?)^```', document.read_text(), re.MULTILINE | re.DOTALL):
            yield pytest.param(block, id=f'{document.name}-{block.splitlines()[0]}')


PYTHON = [block for block in blocks('python') if not block.id.startswith(('README', 'adding-an-exchange'))]


@pytest.fixture
def folder_of_the_desk(tmp_path, monkeypatch):
    """Where the documents keep halts."""
    monkeypatch.setenv('CCXT_MMP_HALT', f'sqlite:{tmp_path}/halt.db')
    return str(tmp_path)


@pytest.mark.parametrize('code', PYTHON)
def test_python_block_runs(doors, folder_of_the_desk, code):  # noqa: F811
    code = code.replace('/var/lib/desk', folder_of_the_desk)
    exec(compile(code, 'document', 'exec'), {'__name__': 'example'})  # noqa: S102


@pytest.mark.parametrize('block', list(blocks('sh')))
@pytest.mark.usefixtures('folder_of_the_desk')
def test_command_can_be_run(block, simulator, capsys):
    for command in re.split(r'\n|&&', block.strip()):
        words = [word for word in shlex.split(command) if not re.match('[A-Z_]+=', word)]
        if words[0] == 'ccxt-mmp' and words[1] not in ('simulate', 'completion') and '--watch' not in words:
            assert main([*words[1:], '--simulator', simulator.url]) == 0
        elif words[0] == 'ccxt-mmp':
            assert parsed(words[1:])
        elif words[:2] == ['python', '-m']:
            assert find_spec(words[2])
        else:
            assert words[0] in TOOLS
        for word in words:
            assert not word.endswith('.py') or (ROOT / word).exists()


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    text = re.sub(r'^```.*?^```', '', document.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = {re.sub(r'[^\w -]', '', line).strip().lower().replace(' ', '-') for line in text.splitlines()}
    for target in re.findall(r'\]\(([^)]+)\)', text):
        if target.startswith('#'):
            assert target[1:] in headings
        elif not target.startswith('https://'):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_modules_that_are_named_exist(document):
    for module in re.findall(r'python -m ([\w.]+)', document.read_text()):
        assert find_spec(module), module
