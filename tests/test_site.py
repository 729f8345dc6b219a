"""The documentation as a site: it is built, and its reference and its lists have all that there is."""

import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ccxt_mmp
from ccxt_mmp import AsyncMmp, SyncMmp
from ccxt_mmp.registry import EXCHANGES
from tests.command_line_page import PAGE, page
from tests.extras import need_docs
from tests.rows import rows

ROOT = Path(__file__).parent.parent
DOCS = ROOT / 'docs'
PACKAGE = ROOT / 'ccxt_mmp'
REFERENCE = (DOCS / 'api.md').read_text()
VERIFICATION = (DOCS / 'verification.md').read_text()
MARK = re.compile(r'(?<!`)\[unverified')  # and not a text that speaks of it
DOCUMENTED = {  # the methods for users: their docstrings are written as ccxt's
    name
    for front in (SyncMmp, AsyncMmp)
    for each in front.__mro__
    if each.__module__.startswith('ccxt_mmp.')
    for name, value in vars(each).items()
    if not name.startswith('_') and callable(value) and (value.__doc__ or '').startswith('\n')
}


class Loaded(HTMLParser):
    """What a page has a browser load, and not merely links to."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        names = ('href',) if tag == 'link' else ('src', 'srcset')
        self.addresses += [re.split('[?#]', value)[0] for name, value in attrs if name in names]


@pytest.fixture
def site(tmp_path):
    need_docs('mkdocs', 'material', 'mkdocstrings')
    # what it makes stays to its end, so that it need not look for garbage
    program = 'import gc; gc.disable(); from mkdocs.__main__ import cli; cli()'
    command = ['-c', program, 'build', '--strict', '--quiet', '--site-dir', str(tmp_path)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_site_is_built_without_a_warning(site):
    pages = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob('*.html')}
    assert {f'{path.stem}.html' for path in DOCS.glob('*.md')} <= set(pages)
    assert {'index.html', 'changelog.html', 'contributing.html', 'security.html'} <= set(pages)
    assert {f'examples/{path.stem}.html' for path in ROOT.glob('examples/*.py')} <= set(pages)
    del pages['404.html']  # which is served for any address, so that its own begin with the site's
    for name, text in pages.items():
        addresses = Loaded(text).addresses
        assert addresses
        for address in addresses:
            assert (site / name).parent.joinpath(address).exists(), f'{name} loads {address}'
    reference = pages['api.html']
    assert not re.search(r':param |:returns', reference)  # no field is left as it was written
    for method in DOCUMENTED:
        assert re.search(rf'id="ccxt_mmp\.mixins\.(Mmp|SyncMmp|AsyncMmp)\.{method}"', reference), method
    for structure in (ccxt_mmp.MmpState, ccxt_mmp.MassCancel, ccxt_mmp.MmpHalt):
        for field in structure.__annotations__:
            assert f'id="ccxt_mmp.types.{structure.__name__}.{field}"' in reference


def test_reference_has_every_method():
    assert {'set_mmp', 'mass_cancel_mmp', 'watch_mmp', 'halt_mmp', 'create_order', 'create_order_ws'} < DOCUMENTED
    assert set(re.findall('^ +- ([a-z_]+)$', REFERENCE, re.MULTILINE)) == DOCUMENTED


@rows('name', sorted({*ccxt_mmp.__all__} - {'__version__'}))
def test_reference_has_every_name(name):
    assert re.search(rf'^::: ccxt_mmp\.(mixins\.)?{name}$|members: .*\b{name}\b', REFERENCE, re.MULTILINE)


@rows('exchange_id', EXCHANGES)
def test_reference_has_every_flavour_of(exchange_id):
    assert len(re.findall(rf'\[.*\b{exchange_id}\b.*\]', REFERENCE)) == 2  # those of async_support and of pro


def test_command_line_is_that_of_the_parser():
    assert PAGE.read_text() == page(), 'python -m tests.command_line_page'


def test_every_mark_of_the_source_is_in_the_list():
    marked = Counter({path: len(MARK.findall(path.read_text())) for path in PACKAGE.rglob('*.py')})
    named = Counter(
        PACKAGE / name for name in re.findall(r'`([\w/]+\.py)`', VERIFICATION.partition('is not verified')[2])
    )
    assert named == +marked


@rows('path', sorted(DOCS.glob('*.md')), ids=lambda path: path.name)
def test_page_with_a_mark_leads_to_the_list(path):
    text = path.read_text()
    assert not MARK.search(text) or path.name == 'verification.md' or '](verification.md' in text
