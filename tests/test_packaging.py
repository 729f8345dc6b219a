"""What is built and would be uploaded: an sdist, and a wheel that is built from it."""

import configparser
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from importlib.util import find_spec
from pathlib import Path

import pytest

import ccxt_mmp
from tests.extras import need_lint

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / 'ccxt_mmp'
BESIDE = {'ccxt_mmp_command.py', 'ccxt_mmp_pytest.py'}  # the package, whose import brings ccxt
VERSION = ccxt_mmp.__version__
HIDDEN = {'.ci', '.github', '.pre-commit-config.yaml'}  # and of the project


def not_of_the_project(folder, names):
    """What a working copy has besides: environments, caches, and what earlier builds left."""
    return [
        name
        for name in names
        if (name.startswith('.') and name not in HIDDEN)
        or name.endswith('.egg-info')
        or name in ('__pycache__', 'build', 'dist')
        or (Path(folder) / name / 'pyvenv.cfg').exists()
    ]


def run(*command):
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The folder of both; without isolation, so that nothing is downloaded."""
    need_lint('build', 'setuptools')
    source, dist = (tmp_path_factory.mktemp(name) for name in ('source', 'dist'))
    shutil.copytree(ROOT, source, ignore=not_of_the_project, dirs_exist_ok=True)
    # nor is asked twice what setuptools needs, for which it would start two processes
    run('-m', 'build', '--no-isolation', '--skip-dependency-check', '--outdir', str(dist), str(source))
    return dist


@pytest.fixture(scope='module')
def wheel(built):
    [file] = built.glob('*.whl')
    assert file.name == f'ccxt_mmp-{VERSION}-py3-none-any.whl'
    with zipfile.ZipFile(file) as archive:
        yield archive


@pytest.fixture(scope='module')
def metadata(wheel):
    return message_from_bytes(wheel.read(f'ccxt_mmp-{VERSION}.dist-info/METADATA'))


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    packed = {name for name in wheel.namelist() if not name.startswith(f'ccxt_mmp-{VERSION}.dist-info/')}
    sources = {file.relative_to(ROOT).as_posix() for file in PACKAGE.rglob('*.py')}
    assert packed == sources | {'ccxt_mmp/py.typed'} | BESIDE
    named = ('py.typed', 'cli/commands.py', 'simulator/venues/okx/venue.py', 'exchanges/okx/__init__.py')
    assert {f'ccxt_mmp/{name}' for name in named} <= packed


def test_the_wheel_has_the_command_and_the_pytest_plugin(wheel):
    entry_points = configparser.ConfigParser()
    entry_points.read_string(wheel.read(f'ccxt_mmp-{VERSION}.dist-info/entry_points.txt').decode())
    assert {section: dict(entry_points[section]) for section in entry_points.sections()} == {
        'console_scripts': {'ccxt-mmp': 'ccxt_mmp_command:main'},
        'pytest11': {'ccxt-mmp': 'ccxt_mmp_pytest'},
    }


def test_the_wheel_requires_ccxt_alone(metadata):
    assert metadata['Name'] == 'ccxt-mmp'
    assert metadata['Version'] == VERSION
    assert metadata['Requires-Python'] == '>=3.10'
    assert set(metadata.get_all('Provides-Extra')) == {'cli', 'redis', 'test', 'lint', 'docs', 'dev'}
    required = [line for line in metadata.get_all('Requires-Dist') if 'extra ==' not in line]
    assert [re.split(r'[^\w-]', line)[0] for line in required] == ['ccxt']
    assert set(required[0].removeprefix('ccxt').strip(' ()').split(',')) == {'>=4.4.87', '!=4.5.41'}


def test_the_description_is_the_readme(metadata, wheel):
    assert metadata['Description-Content-Type'] == 'text/markdown'
    assert metadata.get_payload(decode=True).decode().strip() == (ROOT / 'README.md').read_text().strip()
    [licence] = [name for name in wheel.namelist() if name.endswith('/LICENSE')]
    assert wheel.read(licence) == (ROOT / 'LICENSE').read_bytes()


@pytest.fixture(scope='module')
def packed(built):
    """What the sdist has."""
    [file] = built.glob('*.tar.gz')
    with tarfile.open(file) as archive:
        return {name.partition('/')[2] for name in archive.getnames()}


def test_the_sdist_holds_what_the_wheel_is_built_from(packed, wheel):
    needed = {name for name in wheel.namelist() if name.startswith('ccxt_mmp/')} | BESIDE
    assert needed | {'setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'} <= packed
    # the tests, which can be run from it
    assert {'tests/conftest.py', 'tests/static/request/okx.json', 'cassettes/okx/life_cycle.yaml'} <= packed
    assert not [name for name in packed if name.endswith('.pyc')]


def named(document):
    """The files of the project that a document leads to, shows, or runs."""
    text = document.read_text()
    links = re.findall(r'\]\(([^):#]+)[#)]', text)
    words = [word for word in re.findall(r'[\w./-]+', text) if (ROOT / word).is_file()]
    modules = [find_spec(name).origin for name in re.findall(r'python -m ([\w.]+)', text)]
    return {*links, *words, *(Path(origin).relative_to(ROOT).as_posix() for origin in modules)}


@pytest.mark.parametrize('document', ['README.md', 'CONTRIBUTING.md'])
def test_the_sdist_holds_what_is_named_in(document, packed):
    files = named(ROOT / document)
    assert {'docs/adding-an-exchange.md', 'CHANGELOG.md'} & files
    assert {name for name in files if name.rstrip('/') not in packed} == set()


def test_the_index_would_take_both(built):
    need_lint('twine')
    run('-m', 'twine', 'check', '--strict', *map(str, sorted(built.iterdir())))
