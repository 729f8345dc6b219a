"""Every block of code in the documents runs, and every link leads somewhere.

test_readme.py, test_quickstart.py and test_adding_an_exchange.py look closer at three of them.
"""

import argparse
import re
import shlex
from importlib.util import find_spec

import ccxt
import pytest
import requests

from ccxt_mmp.cli import main
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.core.halt_check import DEFAULTS
from tests.cli.books import load_without_queue
from tests.documents import DOCUMENTS, FENCE, README, ROOT, anchors, blocks, doors, run, without_blocks  # noqa: F401

TOOLS = {'pip', 'pytest', 'ruff', 'mypy', 'nox'}  # run by .ci/run
LANGUAGES = {'python', 'sh', 'ini', 'json', 'text'}  # the first two run
ELSEWHERE = ('README.md', 'adding-an-exchange.md')  # which have tests of their own


def curl(words, url):
    """The status of what it asks a simulator, which is at another address here."""
    parser = argparse.ArgumentParser()
    parser.add_argument('-H')
    parser.add_argument('-d')
    parser.add_argument('url')
    asked = parser.parse_args(words)
    headers = dict([asked.H.split(': ')]) if asked.H else {}
    address = asked.url.replace('http://127.0.0.1:8080', url)
    return requests.request(
        'POST' if asked.d else 'GET', address, data=asked.d, headers=headers, timeout=10
    ).status_code


def named(language, documents=DOCUMENTS):
    for document in documents:
        for block in blocks(document, language):
            yield pytest.param(document, block, id=f'{document.name}-{block.splitlines()[0]}')


PYTHON = list(named('python', [each for each in DOCUMENTS if each.name not in ELSEWHERE]))


@pytest.fixture
def folder_of_the_desk(tmp_path, monkeypatch):
    """Where the documents keep halts."""
    monkeypatch.setenv('CCXT_MMP_HALT', f'sqlite:{tmp_path}/halt.db')
    return str(tmp_path)


@pytest.mark.parametrize(('document', 'code'), [each for each in PYTHON if 'def test_' not in each.values[1]])
def test_python_block_runs(doors, folder_of_the_desk, document, code):  # noqa: F811
    code = code.replace('/var/lib/desk', folder_of_the_desk)
    code = code.replace('frozenTime=2000', 'frozenTime=100')  # no long wait
    run(code, document)


def test_bot_in_another_process_talks_to_the_simulator(simulator):
    testing = ROOT / 'docs' / 'testing.md'
    [code] = [each for each in blocks(testing, 'python') if ' redirect(' in each or '\nredirect(' in each]
    exchange = run(code.replace('http://127.0.0.1:8080', simulator.url), testing)['exchange']
    assert exchange.private_get_account_config()['code'] == '0'
    assert [request.path for request in simulator.requests] == ['/api/v5/account/config']


def test_reads_of_a_bot_sleep_by_the_simulator():
    testing = ROOT / 'docs' / 'testing.md'
    [code] = [each for each in blocks(testing, 'python') if 'exchange.sleep' in each and 'def test_' not in each]
    code += """
    import asyncio, threading, time

    def advance():
        while not simulator.sleepers:
            time.sleep(0.001)
        simulator.advance(60_000)

    thread = threading.Thread(target=advance)
    thread.start()
    asyncio.run(asyncio.wait_for(exchange.sleep(60_000), 20))
    thread.join()
"""
    run(code, testing)


@pytest.mark.parametrize(('document', 'code'), [each for each in PYTHON if 'def test_' in each.values[1]])
def test_test_of_a_bot_passes(pytester, document, code):
    pytester.makepyfile(code)
    # warnings are of plugins that are installed beside this one
    pytester.runpytest_inprocess().assert_outcomes(passed=code.count('def test_'))


@pytest.mark.parametrize(('document', 'block'), list(named('sh')))
@pytest.mark.usefixtures('folder_of_the_desk')
def test_command_can_be_run(document, block, simulator, capsys, monkeypatch):
    load_without_queue(monkeypatch)
    monkeypatch.setitem(DEFAULTS, 'grace', 0)  # a halt would wait for orders that are under way
    simulator.set_rule('okx', 'BTC/USD')  # of an account that is ready
    for command in re.split(r'\n|&&', block.strip()):
        words = [word for word in shlex.split(command) if not re.match('[A-Z_]+=', word)]
        if words[0] == 'ccxt-mmp' and words[1] not in ('demo', 'simulate', 'completion') and '--watch' not in words:
            assert main([*words[1:], '--simulator', simulator.url]) == 0
        elif words[0] == 'ccxt-mmp':
            assert parsed(words[1:])
        elif words[:2] == ['python', '-m']:
            assert find_spec(words[2])
        elif words[0] == 'python':
            assert (ROOT / words[1]).exists()
        elif words[0] == 'curl':
            assert curl(words[1:], simulator.url) == 200
        else:
            assert words[0] in TOOLS
        for word in words:
            assert not word.endswith('.py') or (ROOT / word).exists()


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_languages_of_blocks_are_known(document):
    """A block of another name would be run by nobody."""
    lines = [line for line in document.read_text().splitlines() if line.lstrip().startswith('```')]
    opening, closing = lines[::2], lines[1::2]
    assert {each.removeprefix('```') for each in opening} <= LANGUAGES
    assert {*closing} <= {'```'}
    assert len(FENCE.findall(document.read_text())) == len(opening)


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    text = without_blocks(document)
    targets = [*re.findall(r'\]\(([^)]+)\)', text), *re.findall(r'(?:src|srcset)="([^"]+)"', text)]
    for target in targets:
        if not target.startswith('https://'):
            path, _, anchor = target.partition('#')
            page = document.parent / path if path else document
            assert page.exists(), target
            assert not anchor or anchor in anchors(page), target


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_what_is_named_exists(document):
    text = document.read_text()
    for module in re.findall(r'python -m ([\w.]+)', text):
        assert find_spec(module), module
    for path in re.findall(r'`((?:docs|examples|tests|ccxt_mmp|benchmarks)/[\w/.-]+\.\w+)`', text):
        assert document.name == 'CHANGELOG.md' or (ROOT / path).exists(), path


def test_raw_calls_are_of_ccxt():
    text = (ROOT / 'docs' / 'migrating.md').read_text()
    called = re.findall(r'\b(\w+)\.((?:private|eapi)\w+)\(', text)
    assert len(called) > 10
    for exchange_id, name in called:
        assert hasattr(getattr(ccxt, exchange_id), name), name


def test_readme_leads_to_every_page():
    """By itself, or by a page that it leads to."""
    found, new = set(), {README}
    while new:
        found |= new
        linked = {
            (document.parent / target).resolve()
            for document in new
            for target in re.findall(r'\]\(([^):#]+\.md)', without_blocks(document))
        }
        new = linked - found
    assert {*DOCUMENTS} <= found
