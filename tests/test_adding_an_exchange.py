"""docs/adding-an-exchange.md: the exchange that it adds works in all flavours, and it names all that has to be said."""

import ast
import functools
import importlib
import re
import sys
from pathlib import Path

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
from ccxt.base.errors import BadRequest, NotSupported

import ccxt_mmp
from ccxt_mmp import registry
from ccxt_mmp._lazy_exchanges import lazy_exchanges
from ccxt_mmp.cli import demo, main
from ccxt_mmp.core.contract import HAS
from ccxt_mmp.simulator import Simulator
from tests.flavours import FLAVOURS
from tests.rows import rows
from tests.test_house import PACKAGE, PARTS, wrong_arrows
from tests.trading import OTHER_IDS, RULES

DOCUMENT = (PACKAGE.parent / 'docs' / 'adding-an-exchange.md').read_text()
BLOCK = re.compile(
    r'^```python\n# (?P<path>\S+\.py)(?P<addition>, [^\n]+)?\n(?P<code>.*?)^```', re.MULTILINE | re.DOTALL
)
BLOCKS = list(BLOCK.finditer(DOCUMENT))
FILES = {each['path']: each['code'] for each in BLOCKS if not each['addition']}
ADDITIONS = {each['path']: each['code'] for each in BLOCKS if each['addition']}
FOLDER = 'ccxt_mmp/exchanges/acme/'
IN_CCXT = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
BASES = {'sync': ccxt.Exchange, 'async': ccxt.async_support.Exchange, 'pro': ccxt.async_support.Exchange}


def module_name(path):
    return '.'.join(Path(path).with_suffix('').parts).removesuffix('.__init__')


def run(code, path, names):
    exec(compile(code, 'document', 'exec'), names)  # noqa: S102
    return names


@pytest.fixture
def test_of_acme(tmp_path, monkeypatch):
    """The test that the document has, with Acme added to ccxt and to the package as long as it takes."""
    for path, code in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)
    for name in ('ccxt_mmp.exchanges', 'ccxt_mmp.simulator.venues'):
        package, folder = importlib.import_module(name), tmp_path.joinpath(*name.split('.'))
        monkeypatch.setattr(package, '__path__', [*package.__path__, str(folder)])
        monkeypatch.setattr(package, 'acme', None, raising=False)  # so that what an import puts there is taken away
    before = set(sys.modules)
    stand_ins = run(FILES['ccxt/acme.py'], 'ccxt/acme.py', {'__name__': 'ccxt.acme'})
    for flavour, namespace in IN_CCXT.items():
        shared = stand_ins['AcmeOfPro' if flavour == 'pro' else 'AcmeOfCcxt']
        stock = type('acme', (shared, BASES[flavour]), {'__module__': f'{namespace.__name__}.acme'})
        monkeypatch.setattr(namespace, 'acme', stock, raising=False)

    entry = eval(ADDITIONS['ccxt_mmp/registry.py'], vars(registry))  # noqa: S307
    monkeypatch.setitem(registry.EXCHANGES, entry.id, entry)
    mixins = importlib.import_module('ccxt_mmp.mixins')
    added = run(ADDITIONS['ccxt_mmp/mixins.py'], 'ccxt_mmp/mixins.py', {})['AcmeMmp']
    assert added is entry.mixin
    monkeypatch.setattr(mixins, 'AcmeMmp', added, raising=False)
    door = ADDITIONS['ccxt_mmp/__init__.py']
    for flavour, module in FLAVOURS.items():
        as_there = door if flavour == 'sync' else door.replace('SyncMmp', 'AsyncMmp')
        as_there = as_there.replace('ccxt.acme', f'{IN_CCXT[flavour].__name__}.acme')
        for_checkers = run(as_there, module.__name__, {**vars(module)})['acme']
        ours = lazy_exchanges(module, for_checkers.__bases__[0], IN_CCXT[flavour])['acme']()
        assert ours.__bases__ == for_checkers.__bases__
        assert ours.__doc__ == for_checkers.__doc__
        monkeypatch.setattr(module, 'acme', ours, raising=False)

    [path] = [path for path in FILES if path.startswith('tests/')]
    names = run(FILES[path], path, {'__name__': module_name(path)})
    [test] = [value for name, value in names.items() if name.startswith('test_')]
    yield test
    for name in set(sys.modules) - before:
        if 'acme' in name.split('.'):
            del sys.modules[name]


def test_acme_works(test_of_acme, flavour):
    with Simulator() as simulator:
        test_of_acme(flavour, simulator)


def test_object_made_elsewhere_can_be_extended(test_of_acme, flavour):
    exchange = ccxt_mmp.extend(IN_CCXT[flavour.name].acme())
    flavour.opened.append(exchange)
    assert type(exchange) is flavour.exchange_class('acme')


def test_has_names_every_method(test_of_acme, flavour):
    has = flavour.exchange('acme').has
    assert HAS.keys() <= has.keys()
    assert (has['fetchMmps'], has['haltMmp'], has['createOrdersWs']) == (False, True, False)
    assert has['watchMmp'] == ('emulated' if flavour.name == 'pro' else False)


@rows(
    ('arguments', 'said', 'status'),
    [
        (('status', 'acme:BTC/USD'), 'off', 0),
        (('status', 'acme'), 'acme lists no rules: name underlyings, acme:UNDERLYING', 1),
        (('check', 'acme'), 'name one: acme:UNDERLYING', 0),
        (('orders', 'acme:BTC/USD'), 'BTC-USD-', 0),
        (('cancel', 'acme:BTC/USD'), 'CANCELLED 1 MMP order', 0),
    ],
)
def test_command_line_knows_it(test_of_acme, capsys, arguments, said, status):
    with Simulator() as simulator:
        simulator.rest('acme', 'BTC/USD', mmp=True)
        assert main([*arguments, '--simulator', simulator.url]) == status
    told = capsys.readouterr()
    assert said in told.out + told.err


@rows('table', [OTHER_IDS, RULES], ids=lambda table: table.name)
def test_table_of_the_tests_without_it_names_itself(table):
    with pytest.raises(LookupError, match=f'tests/trading.py: {table.name} has no line of acme'):
        table['acme']
    assert f'`{table.name}`' in DOCUMENT


def test_reset_may_be_left_out(test_of_acme, monkeypatch, capsys):
    mixin = registry.EXCHANGES['acme'].mixin
    describe = mixin._describe_mmp

    def without_reset(self):
        settings = describe(self)
        del settings['has']['resetMmp']
        return settings

    protection = importlib.import_module('ccxt_mmp.exchanges.acme.protection')
    monkeypatch.delattr(protection.AcmeProtection, '_reset_mmp')
    monkeypatch.setattr(mixin, '_describe_mmp', without_reset)
    monkeypatch.setattr(demo, 'GRID', 20)
    with pytest.raises(NotSupported, match='acme resetMmp'):
        ccxt_mmp.acme().reset_mmp('BTC/USD')
    assert main(['demo']) == 0
    assert "(it has no reset_mmp: 2000 ms pass) fetch_mmp('BTC/USD')" in capsys.readouterr().out


def test_seconds_of_the_page_are_sent_as_it_says(test_of_acme):
    rule = ast.literal_eval(re.search(r"\{'field': 'windowSec'.*?\}", DOCUMENT)[0])
    acme = ccxt_mmp.acme()
    assert acme._mmp_number('setMmp', 'window', rule, 5000) == '5'
    with pytest.raises(BadRequest, match='window must be a multiple of 1000 of at least 1000 and at most 60000'):
        acme._mmp_number('setMmp', 'window', rule, 5500)


# --- it cannot fall behind


def test_keys_of_limits_are_named():
    source = (PACKAGE / 'core' / 'rules.py').read_text()
    read = {*re.findall(r"\brule(?:\.get\(|\[)'(\w+)'", source), *re.findall(r"'(\w+)' in rule\b", source)}
    assert {'field', 'above', 'step'} <= read
    table = DOCUMENT.partition('| key of a limit |')[2].partition('\n\n')[0]
    assert {key for line in table.splitlines()[2:] for key in re.findall(r'`(\w+)`', line.split('|')[1])} == read


def is_of_self(node):
    is_attribute = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == 'self'
    return is_attribute and re.fullmatch('_[a-z]\\w*', node.attr)


def is_left_to_the_mixin(method):
    return any(ast.unparse(each) == 'raise NotImplementedError' for each in method.body)


@functools.cache
def hooks():
    """What core asks of a mixin, each with its file: annotated and not set, not implemented, or nowhere in core."""
    return sorted(set(asked_of_a_mixin()))


def asked_of_a_mixin():
    trees = {path.name: ast.parse(path.read_text()) for path in sorted((PACKAGE / 'core').glob('*.py'))}
    nodes = [(file, node) for file, tree in trees.items() for node in ast.walk(tree)]
    in_core = {node.name for _, node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for _, node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            in_core.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    for file, node in nodes:
        if is_of_self(node) and node.attr not in in_core:
            yield file, node.attr
        for each in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(each, ast.AnnAssign) and each.value is None and each.target.id.startswith('_'):
                yield file, each.target.id
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and is_left_to_the_mixin(each):
                yield file, each.name


LEFT_OUT = re.findall(r'^\| `(\w+\.py)` \| `(_\w+)` \|', DOCUMENT, re.MULTILINE)


def test_every_block_is_a_file_or_an_addition_to_one():
    assert len(BLOCKS) == DOCUMENT.count('```python\n') == len(FILES) + len(ADDITIONS)
    assert all((PACKAGE.parent / path).exists() for path in ADDITIONS)


@rows('path', sorted({*re.findall(r'`((?:ccxt_mmp|tests)/[\w/.]+)`', DOCUMENT)}))
def test_path_that_is_named_is_there(path):
    assert (PACKAGE.parent / path).exists()


def test_files_are_those_of_every_exchange():
    assert sorted(Path(path).stem for path in FILES if path.startswith(FOLDER)) == PARTS
    assert all(f'\n`{part}.py` ' in DOCUMENT for part in PARTS if part != '__init__')


@pytest.mark.parametrize('path', [path for path in FILES if path.startswith('ccxt_mmp/')])
def test_file_is_as_every_file_is(path):
    assert list(wrong_arrows(module_name(path).removeprefix('ccxt_mmp.'), FILES[path])) == []
    assert FILES[path].startswith('"""')


def test_hooks_are_found():
    of_kill_switch = {name for file, name in hooks() if file == 'kill_switch.py'}
    assert {'_rule_endpoint', '_until_room'} <= of_kill_switch
    assert ('list_and_cancel.py', '_cancel_chunk') in hooks()
    assert '_should_retry' not in of_kill_switch


@rows(('file', 'name'), hooks)
def test_hook_is_named(file, name):
    """Where it is set, or among those that are left out."""
    is_set = any(re.search(rf'^    (async )?(def )?{name}\b', code, re.MULTILINE) for code in FILES.values())
    assert is_set or (file, name) in LEFT_OUT


@pytest.mark.parametrize(('file', 'name'), LEFT_OUT)
def test_hook_that_is_left_out_is_there(file, name):
    assert re.search(rf'^    (async )?(def )?{name}\b', (PACKAGE / 'core' / file).read_text(), re.MULTILINE)
