"""How the project is laid out: who imports whom, what core does not name, and what every exchange has.

Arrows run down: cli, doors, exchanges, core, errors and types. The simulator stands beside them.
"""

import ast
import io
import tokenize
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

from ccxt_mmp.registry import EXCHANGES
from tests.rows import rows

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / 'ccxt_mmp'

DOORS = ('__init__', 'async_support', 'pro')
LAYERS = {  # by the first name below the package, a module or a folder
    '_fall_through': 0,
    '_lazy_exchanges': 0,
    '_patterns': 0,
    '_redaction': 0,
    '_version': 0,
    'errors': 0,
    'halts': 0,
    'registry': 0,
    'types': 0,
    'core': 1,
    'exchanges': 2,
    'mixins': 3,
    'doors': 3,
    **dict.fromkeys(DOORS, 3),
    'simulator': 3,
    'cli': 4,
    '__main__': 4,
}
OF_SIMULATOR = ('simulator', '_version', '_redaction', 'registry')  # all that it imports of the package
EACH_FOR_ITSELF = ('exchanges', 'simulator.venues')  # folders with one entry for each exchange

PACKAGE_LINES, TEST_LINES = 450, 700

MODULES = {
    '.'.join(path.relative_to(PACKAGE).with_suffix('').parts).removesuffix('.__init__'): path
    for path in sorted(PACKAGE.rglob('*.py'))
}
CORE = [name for name in MODULES if name.partition('.')[0] == 'core']
PARTS = sorted({path.stem for path in PACKAGE.glob('exchanges/*/*.py')})


@cache
def parsed(source):
    """The tree and all nodes; most sources are looked at by several tests."""
    tree = ast.parse(source)
    return tree, list(ast.walk(tree))


def is_of_checkers(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == 'TYPE_CHECKING'


def imported(source, is_run=False):
    """The modules of the package that a source imports anywhere, by their names below it; the package is __init__.

    is_run: those alone that it does not import for a type checker.
    """
    _, nodes = parsed(source)
    of_checkers = {
        each for node in nodes if is_of_checkers(node) for statement in node.body for each in ast.walk(statement)
    }
    for node in nodes:
        if is_run and node in of_checkers:
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'imports have whole names'
            names = [
                each if each.removeprefix('ccxt_mmp.') in MODULES else str(node.module)
                for each in (f'{node.module}.{alias.name}' for alias in node.names)
            ]
        for name in names:
            first, _, rest = name.partition('.')
            if first == 'ccxt_mmp':
                yield rest or '__init__'


def wrong_arrows(module, source):
    """What a module must not import, and does."""
    own = module.partition('.')[0]
    for target in imported(source):
        layer = target.partition('.')[0]
        is_wrong = LAYERS[layer] > LAYERS[own]
        is_wrong |= own == 'simulator' and layer not in OF_SIMULATOR
        is_wrong |= layer == 'simulator' and own not in ('simulator', 'cli')
        is_wrong |= (own, layer) == ('core', 'registry')  # which names every exchange
        for folder in EACH_FOR_ITSELF:
            if module.startswith(f'{folder}.') and target.startswith(f'{folder}.'):
                depth = folder.count('.') + 1
                is_wrong |= module.split('.')[depth] != target.split('.')[depth]
        if is_wrong:
            yield target


def named_exchanges(source):
    """The exchanges that a source names elsewhere than in docstrings."""
    named = [exchange_id for exchange_id in EXCHANGES if exchange_id in source.lower()]
    if not named:
        return set()
    docstrings = set()
    for node in parsed(source)[1]:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node
        ):
            docstrings.add((node.body[0].lineno, node.body[0].col_offset))
    texts = [
        token.string.lower()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.start not in docstrings
    ]
    return {exchange_id for exchange_id in named if any(exchange_id in text for text in texts)}


def methods(exchange_id, part):
    """The methods of an exchange in one of its files, in their order."""
    tree, _ = parsed((PACKAGE / 'exchanges' / exchange_id / f'{part}.py').read_text())
    return [
        node.name
        for each in tree.body
        if isinstance(each, ast.ClassDef)
        for node in each.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


# --- arrows


@rows('module', MODULES)
def test_module_imports_what_is_below_it(module):
    assert list(wrong_arrows(module, MODULES[module].read_text())) == []


@rows(
    ('module', 'source', 'wrong'),
    [
        ('core.orders', 'from ccxt_mmp.exchanges.okx import OkxMmp', ['exchanges.okx']),
        ('core.orders', 'import ccxt_mmp.exchanges.okx.tables', ['exchanges.okx.tables']),
        ('core.orders', 'def f():\n    from ccxt_mmp import okx', ['__init__']),
        ('core.orders', 'import ccxt_mmp', ['__init__']),
        ('core.orders', 'from ccxt_mmp.registry import EXCHANGES', ['registry']),
        ('core.orders', 'from ccxt_mmp import cli, errors', ['cli']),
        ('errors', 'from ccxt_mmp.core.text import shown', ['core.text']),
        ('exchanges.okx.orders', 'from ccxt_mmp.exchanges.binance.tables import OWN_ID', ['exchanges.binance.tables']),
        ('exchanges.okx.orders', 'from ccxt_mmp.exchanges import binance', ['exchanges.binance']),
        ('exchanges.okx', 'from ccxt_mmp.doors import extend', ['doors']),
        ('exchanges.okx', 'from ccxt_mmp.simulator import Simulator', ['simulator']),
        ('pro', 'from ccxt_mmp.cli import main', ['cli']),
        ('simulator.server', 'from ccxt_mmp.core.numbers import plain', ['core.numbers']),
        ('simulator.server', 'from ccxt_mmp.errors import MmpFrozen', ['errors']),
        ('simulator.server', 'import ccxt_mmp.async_support', ['async_support']),
        ('simulator.venues.okx', 'from ccxt_mmp.simulator.venues.binance import CODES', ['simulator.venues.binance']),
        ('simulator.venues.okx', 'from ccxt_mmp.simulator.wire import Answer', []),
        ('simulator.server', 'from ccxt_mmp._version import __version__\nimport ccxt', []),
        ('exchanges.okx.orders', 'from ccxt_mmp.exchanges.okx.tables import OWN_ID\nimport json', []),
        ('cli.targets', 'from ccxt_mmp import async_support, MmpFrozen\nfrom ccxt_mmp.simulator import KEY', []),
    ],
)
def test_arrow_that_runs_up_is_found(module, source, wrong):
    assert list(wrong_arrows(module, source)) == wrong


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: {*imported(path.read_text(), is_run=True)} for module, path in MODULES.items()}
    in_order = list(TopologicalSorter(graph).static_order())
    assert set(in_order) == set(MODULES)
    assert in_order.index('errors') < in_order.index('core.orders') < in_order.index('exchanges.okx')


@rows('module', CORE)
def test_core_names_no_exchange(module):
    assert named_exchanges(MODULES[module].read_text()) == set()


@pytest.mark.parametrize(
    ('source', 'expected'),
    [
        ('"""On OKX."""\nclass Mmp:\n    """And Binance."""\n    async def f(self):\n        """OKX"""\n', set()),
        ('def f(id):\n    """Asks."""\n    return id == "okx"\n', {'okx'}),
        ('def f(id):\n    """Asks."""\n    return f"{id} is no Binance"\n', {'binance'}),
        ('# as OKX has it\nx = 1\n', {'okx'}),
        ('class OkxMmp:\n    pass\n', {'okx'}),
        ('x = self.binance_weight\n', {'binance'}),
    ],
)
def test_exchange_that_is_named_is_found(source, expected):
    assert named_exchanges(source) == expected


# --- one exchange like another


def test_every_exchange_has_the_same_files():
    files = {each: {path.stem for path in PACKAGE.glob(f'exchanges/{each}/*.py')} for each in EXCHANGES}
    assert all(stems == set(PARTS) for stems in files.values()), files
    assert {'__init__', 'tables', 'protection', 'orders', 'cancelling'} <= set(PARTS)


def test_what_the_exchanges_share_is_in_the_same_file_in_the_same_order():
    found = {each: [(part, name) for part in PARTS for name in methods(each, part)] for each in EXCHANGES}
    first = found[next(iter(EXCHANGES))]
    for exchange_id, listed in found.items():
        assert len(listed) == len(set(listed))
        names = {name for _, name in listed} & {name for _, name in first}
        assert len(names) > 20
        shared = [[each for each in some if each[1] in names] for some in (first, listed)]
        assert shared[0] == shared[1], exchange_id


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_exchange_is_put_together_of_its_files(exchange_id):
    mixin = EXCHANGES[exchange_id].mixin
    folder = f'ccxt_mmp.exchanges.{exchange_id}'
    assert (mixin.__module__, mixin.__name__) == (folder, EXCHANGES[exchange_id].mixin_name)
    of_exchange = [each.__module__ for each in mixin.__mro__ if each.__module__.startswith('ccxt_mmp.exchanges')]
    assert sorted(of_exchange) == sorted([folder, *(f'{folder}.{part}' for part in PARTS if part != '__init__')])
    assert mixin.__mro__[: len(of_exchange)] == tuple(each for each in mixin.__mro__ if each.__module__ in of_exchange)


def test_exchanges_and_venues_are_those_of_the_registry():
    assert {path.parent.name for path in PACKAGE.glob('exchanges/*/__init__.py')} == set(EXCHANGES)
    assert {path.parent.name for path in PACKAGE.glob('simulator/venues/*/__init__.py')} == set(EXCHANGES)


@pytest.mark.parametrize('door', DOORS)
def test_door_has_the_exchanges_of_the_registry(door):
    module = import_module('ccxt_mmp' if door == '__init__' else f'ccxt_mmp.{door}')
    tree, _ = parsed((PACKAGE / f'{door}.py').read_text())
    for_checkers = filter(is_of_checkers, tree.body)
    statements = [each for node in for_checkers for each in node.body if isinstance(each, ast.ClassDef)]
    assert [each.name for each in statements] == list(EXCHANGES)
    for statement in statements:
        made = getattr(module, statement.name)
        assert (made.__module__, made.__name__, made.__qualname__) == (module.__name__, statement.name, statement.name)
        assert made.__doc__ == ast.get_docstring(statement)
        names = [ast.unparse(base) for base in statement.bases]
        assert made.__bases__ == tuple(attrgetter(name)(module) for name in names)
    assert set(EXCHANGES) <= set(module.__all__)
    for exchange_id, exchange in EXCHANGES.items():
        assert issubclass(getattr(module, exchange_id), exchange.mixin)
        assert exchange_id not in MODULES  # no module is called as a class beside it


def test_mixins_are_those_of_the_registry():
    public = import_module('ccxt_mmp.mixins')
    names = {each.mixin_name for each in EXCHANGES.values()}
    assert set(public.__all__) - names == {'AsyncMmp', 'Mmp', 'SyncMmp'}
    assert all(getattr(public, each.mixin_name) is each.mixin for each in EXCHANGES.values())
    assert names <= set(import_module('ccxt_mmp').__all__)


# --- files


@rows('module', MODULES)
def test_file_says_first_what_it_is_for(module):
    source = MODULES[module].read_text()
    assert source.startswith('"""')
    assert ast.get_docstring(parsed(source)[0]).partition('\n')[0]


def test_file_can_be_read_in_one_sitting():
    limits = {PACKAGE: PACKAGE_LINES, ROOT / 'tests': TEST_LINES}
    long = {
        path.relative_to(ROOT).as_posix()
        for folder, limit in limits.items()
        for path in folder.rglob('*.py')
        if path.name != 'tables.py' and len(path.read_text().splitlines()) > limit
    }
    assert not long
