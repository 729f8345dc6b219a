"""What the simulator's modules may import, and which of them may name an exchange."""

import ast
import functools
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ccxt_mmp.simulator
from ccxt_mmp.registry import EXCHANGES
from tests.rows import rows

PACKAGE = 'ccxt_mmp.simulator'
FOLDER = Path(ccxt_mmp.simulator.__file__).parent
ALLOWED = {'ccxt_mmp._version', 'ccxt_mmp._redaction', 'ccxt_mmp.registry'}


@functools.cache
def modules(folder=FOLDER, package=PACKAGE):
    """Every module of a package by its name, and its syntax tree."""
    found = {}
    for file in sorted(folder.rglob('*.py')):
        parts = file.relative_to(folder).with_suffix('').parts
        name = '.'.join([package, *(part for part in parts if part != '__init__')])
        found[name] = ast.parse(file.read_text())
    return found


def imported(tree, known):
    """What a module imports of ccxt_mmp, anywhere in it, a name of a package as the module that it is."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            each_name = {f'{node.module}.{each.name}' for each in node.names}
            names |= {name if name in known else node.module for name in each_name}
    return {name for name in names if name.split('.')[0] == 'ccxt_mmp'}


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def words(tree):
    """The names and the texts in the code of a module, but for its docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if is_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias | ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_no_module_imports_one_that_imports_it():
    TopologicalSorter({name: imported(tree, modules()) for name, tree in modules().items()}).prepare()


def test_circle_would_be_noticed(tmp_path):
    (tmp_path / 'one.py').write_text('from ccxt_mmp.x import two\n')
    (tmp_path / 'two.py').write_text(
        'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ccxt_mmp.x.one import a\n'
    )
    found = modules(tmp_path, 'ccxt_mmp.x')
    with pytest.raises(ValueError, match='cycle'):
        TopologicalSorter({name: imported(tree, found) for name, tree in found.items()}).prepare()


@rows('name', modules)
def test_simulator_imports_nothing_of_the_plugin(name):
    others = {each for each in imported(modules()[name], modules()) if each not in modules()}
    assert others <= ALLOWED


@rows('name', lambda: [name for name in modules() if not name.startswith(f'{PACKAGE}.venues.')])
def test_only_a_venue_names_its_exchange(name):
    assert not [word for word in words(modules()[name]) if any(each in word.lower() for each in EXCHANGES)]


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_venue_names_no_other_exchange(exchange_id):
    folder = f'{PACKAGE}.venues.{exchange_id}'
    others = [each for each in EXCHANGES if each != exchange_id]
    of_it = [tree for name, tree in modules().items() if name.startswith(folder)]
    assert of_it
    assert not [word for tree in of_it for word in words(tree) if any(each in word.lower() for each in others)]


def test_venues_have_the_same_files():
    files = {each: sorted(file.name for file in (FOLDER / 'venues' / each).glob('*.py')) for each in EXCHANGES}
    assert len(set(map(tuple, files.values()))) == 1


def test_engine_does_no_io_and_has_no_clock():
    of_engine = {
        each
        for name in ('engine', 'accounts', 'listing', 'instruments', 'limits')
        for node in ast.walk(modules()[f'{PACKAGE}.{name}'])
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    assert not of_engine & {'time', 'asyncio', 'socket', 'threading', 'os', 'random', 'aiohttp'}
