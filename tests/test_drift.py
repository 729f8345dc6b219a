"""What the package relies on in ccxt is there in the installed version: what is not is named.

The lists are read from the source, so that nobody has to keep them: implicit methods, hooks that are overridden,
methods and attributes that are used and how they are called, names that are imported.
"""

import ast
import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import ccxt
import pytest

import ccxt_mmp
from ccxt_mmp import AsyncMmp, SyncMmp
from ccxt_mmp.registry import EXCHANGES
from tests.rows import rows

PACKAGE = Path(ccxt_mmp.__file__).parent
signature = cache(inspect.signature)  # of the same methods without each name
MIXINS = {each.id: each.mixin for each in EXCHANGES.values()}
FRONTS = {'ccxt': SyncMmp, 'ccxt.async_support': AsyncMmp, 'ccxt.pro': AsyncMmp}
# what ccxt has for no order or option of an exchange, and the mixin makes itself
# or what core calls where orders go over a websocket alone
OWN = {'deribit': {'create_order_request', 'timeDifference'}, 'bybit': {'authenticate'}}
NEWER = {'cancel_orders', 'fetch_canceled_orders'}  # which ccxt's base class has in newer versions alone
STOCK = [(module, exchange_id) for module in FRONTS for exchange_id in MIXINS]

IMPLICIT = re.compile(r'\bself\.([a-z][A-Za-z0-9]*(?:Get|Post|Put|Delete)[A-Z][A-Za-z0-9]*)\(')
# used where the source does not say self.name, or says it of its own class
BESIDES = {'enableRateLimit', 'lastRestRequestTimestamp', 'has', 'urls'}
# modules whose self is no exchange
NO_MIXINS = {
    'aliases',
    'awaiting',
    'connections',
    'coroutines',
    'credentials',
    'direct_requests',
    'fence',
    'halt_settings',
    'numbers',
    'protection_state',
    'request_context',
    'side_by_side',
    'socket_state',
    'tasks',
    'text',
    'throttling',
    'watched',
    'watching',
}
STREAMS = {'get_private_ws_url'}  # of Binance options, in ccxt 4.5.72 and later
PRO_ONLY = STREAMS | {
    'authenticate',
    'get_url',
    'handle_authenticate',
    'handle_error_message',
    'handle_message',
    'handle_order',
    'handle_order_update',
    'handle_orders',
    'handle_subscription_status',
    'keep_alive_listen_key',
    'request_id',
    'set_positions_cache',
    'un_watch_my_trades',  # in the base class in newer versions alone
    'un_watch_orders',
    'un_watch_positions',
    'watch_multiple',
}
ASYNC_ONLY = {
    'client',
    'clients',
    'close',
    'delay',
    'open',
    'watch',
}  # sync objects of older versions of ccxt are not closed


def stock_class(module, exchange_id):
    """ccxt's own class, whatever stands in its place in the package."""
    return getattr(import_module(f'{module}.{exchange_id}'), exchange_id)


def described(module, exchange_id):
    return f'{module}.{exchange_id} of ccxt {ccxt.__version__}'


@cache
def parsed(file):
    """The text and all nodes; the files of core are read for each exchange."""
    text = file.read_text()
    return text, list(ast.walk(ast.parse(text)))


class Source:
    """What the mixins of an exchange say of ccxt."""

    def __init__(self, exchange_id):
        shared = [file for file in PACKAGE.glob('core/*.py') if file.stem not in NO_MIXINS]
        files = [*shared, *PACKAGE.glob(f'exchanges/{exchange_id}/*.py')]
        self.text = '\n'.join(text for text, _ in map(parsed, files))
        nodes = [node for _, nodes_of_file in map(parsed, files) for node in nodes_of_file]
        own = {
            name
            for node in nodes
            if isinstance(node, ast.ClassDef)
            for statement in node.body
            for name in names_bound_by(statement)
        }
        self.overridden = {
            node.attr for node in nodes if isinstance(node, ast.Attribute) and is_super(node.value) and is_ours(node)
        }
        self.used = {
            node.attr
            for node in nodes
            if isinstance(node, ast.Attribute) and is_self(node.value) and is_ours(node) and node.attr not in own
        }
        self.calls = {
            (node.func.attr, len(node.args), tuple(keyword.arg for keyword in node.keywords))
            for node in nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in self.used | self.overridden
            and (is_self(node.func.value) or is_super(node.func.value))
            and not any(isinstance(argument, ast.Starred) for argument in node.args)
        }
        self.implicit = {*MIXINS[exchange_id]._mmp_endpoints.values(), *IMPLICIT.findall(self.text)} - own


def names_bound_by(statement):
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    if isinstance(statement, ast.AnnAssign):
        return [statement.target.id]
    return [target.id for target in statement.targets] if isinstance(statement, ast.Assign) else []


def is_self(node):
    return isinstance(node, ast.Name) and node.id == 'self'


def is_super(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'super'


def is_ours(node):
    """Whether it is a name that ccxt would have: those with an underscore are the package's own."""
    return not node.attr.startswith('_')


@cache
def source_of(exchange_id):
    return Source(exchange_id)


@cache
def new_methods():
    public = {
        name
        for front in SyncMmp.__mro__
        if front.__name__.startswith('Sync')
        for name, value in vars(front).items()
        if inspect.isfunction(value) and not name.startswith('_')
    }
    # the last is ccxt's, too, and there for no exchange of these
    return public - source_of('okx').overridden - {'create_orders_ws'}


def positional(function):
    """The names of the parameters, without self; None if it takes any."""
    parameters = list(signature(function).parameters.values())
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if parameter.name != 'self']


def narrowed(name, ours, stock):
    """What ccxt's own method takes and the override does not: by position, by keyword, on the class."""
    parameters = signature(getattr(stock, name)).parameters.values()
    named = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    real = getattr(stock, '_stock', stock)
    is_static = isinstance(inspect.getattr_static(type(real), name), staticmethod)
    override = getattr(ours if is_static else object.__new__(ours), name)
    required = [each.name for each in parameters if each.default is each.empty and each.name in named]
    for by_position, by_keyword in ((named, []), ([], named), (required, [])):
        try:
            signature(override).bind(*by_position, **dict.fromkeys(by_keyword))
        except TypeError as error:  # noqa: PERF203 - each way is tried
            yield f'{name}() takes {named}, which the override refuses: {error}'


def of_newer_versions(exchange_id, stock):
    """What the installed version of ccxt does not have yet, and the package does without."""
    streams = set() if hasattr(stock, 'handle_options_order_update') else set(STREAMS)
    if not hasattr(ccxt.Exchange, 'un_watch_positions'):
        streams |= {'un_watch_positions'}
    is_old = exchange_id == 'deribit' and not hasattr(ccxt.Exchange, 'fetch_canceled_orders')
    return streams | (NEWER if is_old else set())


def drift(module, exchange_id, stock):
    """What is gone or has changed in an instance of a stock class, or something that stands for it."""
    source = source_of(exchange_id)
    relied_on = {
        **dict.fromkeys(source.used | BESIDES, 'used by the mixins'),
        **dict.fromkeys(source.overridden, 'overridden by the mixins'),
        **dict.fromkeys(source.implicit, 'an implicit method that is called'),
    }
    if module != 'ccxt.pro':
        relied_on = {name: why for name, why in relied_on.items() if name not in PRO_ONLY}
    if module == 'ccxt':
        relied_on = {name: why for name, why in relied_on.items() if name not in ASYNC_ONLY}
    where, own = described(module, exchange_id), OWN.get(exchange_id, set()) | of_newer_versions(exchange_id, stock)
    relied_on = {name: why for name, why in relied_on.items() if name not in own}
    gone = [name for name in relied_on if not hasattr(stock, name)]
    yield from (f'{where} has no {name}, {relied_on[name]}' for name in gone)

    ours = type('ours', (FRONTS[module], MIXINS[exchange_id]), {})
    for name in sorted(source.overridden.intersection(dir(ours), dir(stock))):
        taken, given = positional(getattr(ours, name)), positional(getattr(stock, name))
        if taken not in (None, given):
            yield f'{where} {name}() has the parameters {given}, the override {taken}'
        yield from (f'{where} {each}' for each in narrowed(name, ours, stock))

    for name, count, keywords in sorted(source.calls):
        if name in relied_on and name not in gone:
            try:
                signature(getattr(stock, name)).bind(*[None] * count, **dict.fromkeys(keywords))
            except TypeError as error:
                yield f'{where} {name}() cannot be called with {count} arguments and {list(keywords)}: {error}'

    for name in sorted(new_methods()):
        camel_case = re.sub('_(.)', lambda found: found[1].upper(), name)
        yield from (
            f'{where} has a {each} of its own now, which the package hides'
            for each in (name, camel_case)
            if hasattr(stock, each) or each in stock.has
        )
    if exchange_id == 'okx' and 'createOrder' not in stock.options:
        yield f"{where} has no options['createOrder'], which says that one order goes to batch-orders"
    if 'timeDifference' not in stock.options and 'timeDifference' not in own:
        yield f"{where} has no options['timeDifference'], which warm_up() loads"
    if stock.synchronous is not (module == 'ccxt'):
        yield f'{where} has synchronous {stock.synchronous}'


def imported(nodes):
    """The names that are imported from ccxt, each with its module."""
    for node in nodes:
        # that is asked for under a checker alone is no matter of the version that runs
        is_of_ccxt = isinstance(node, ast.ImportFrom) and (node.module or '').split('.')[0] == 'ccxt'
        if is_of_ccxt and [alias.asname for alias in node.names] != ['Host']:
            yield from ((node.module, alias.name) for alias in node.names)


def imported_by_the_package():
    return {name for file in PACKAGE.rglob('*.py') for name in imported(parsed(file)[1])}


def not_there(names):
    return [
        f'{module} of ccxt {ccxt.__version__} has no {name}'
        for module, name in sorted(names)
        if not hasattr(import_module(module), name)
    ]


def report(lines):
    return '\n'.join(['ccxt has drifted away from what the package relies on:', *lines])


class Changed:
    """A stock exchange that lacks a name, or has another thing under it."""

    def __init__(self, stock, *without, **changes):
        self.__dict__.update(changes, _stock=stock, _without=without)

    def __getattr__(self, name):
        if name in self._without:
            raise AttributeError(name)
        return getattr(self._stock, name)


# --- the installed ccxt


@pytest.mark.parametrize(('module', 'exchange_id'), STOCK)
def test_ccxt_has_what_the_package_relies_on(module, exchange_id):
    lines = list(drift(module, exchange_id, stock_class(module, exchange_id)()))
    assert not lines, report(lines)


@pytest.mark.parametrize(('module', 'exchange_id'), STOCK)
def test_ccxt_has_no_method_of_the_same_name(module, exchange_id):
    """Else the next release decides which of them a user gets."""
    ours = [name for name in dir(FRONTS[module]) if name == 'warm_up' or re.match(r'(?!_).*_mmps?(_|$)', name)]
    ours += [name for name in dir(FRONTS[module]) if re.match(r'(?!_).*_mmp_halts?$', name)]
    assert len(ours) >= 14
    assert [name for name in ours if hasattr(stock_class(module, exchange_id), name)] == []


def test_overrides_of_static_methods_are_called_on_the_class(flavour):
    binance = flavour.exchange_class('binance')
    params = {'b': 1, 'a': [2], 'orders': '[]', 'batchOrders': '[]'}
    assert (
        binance.rawencode(params)
        == binance().rawencode(params)
        == ccxt.binance.rawencode({**params}).replace('&batchOrders=[]', '')
    )
    assert binance.rawencode({'b': 1, 'batchOrders': '[]'}) == 'b=1&batchOrders=[]'
    if 'sort' in inspect.signature(ccxt.binance.rawencode).parameters:
        assert binance.rawencode(params=params, sort=True) == binance().rawencode(params, sort=True)


@pytest.mark.parametrize(('exchange_id', 'status'), [('okx', 'httpCode'), ('binance', 'code')])
def test_errors_are_handled_by_keyword_as_in_ccxt(flavour, exchange_id, status):
    names = ('reason', 'url', 'method', 'headers', 'body', 'response', 'requestHeaders', 'requestBody')
    answer = {**dict.fromkeys(names), 'url': 'https://x/y', 'body': '{}', 'response': {'code': '0'}, status: 200}
    assert flavour.exchange_class(exchange_id)().handle_errors(**answer) is None


@pytest.mark.parametrize('name', ['rawencode', 'handle_errors'])
def test_override_that_takes_less_is_named(name):
    class Narrow:
        def rawencode(self, params):
            pass

        def handle_errors(self, httpCode):
            pass

    assert list(narrowed(name, Narrow, stock_class('ccxt', 'binance')()))


def test_ccxt_has_every_name_that_is_imported():
    lines = not_there(imported_by_the_package())
    assert not lines, report(lines)


# --- the guard itself


def test_the_lists_are_complete():
    okx, binance = source_of('okx'), source_of('binance')
    assert {'privatePostTradeMassCancel', 'privatePostTradeBatchOrders'} <= okx.implicit
    assert {'eapiPublicGetTime', 'eapiPrivatePostBatchOrders', 'eapiPrivateGetMmp'} <= binance.implicit
    assert {'handle_errors', 'sign', 'throttle', 'handle_option_and_params', 'create_order_request'} <= okx.overridden
    assert {'safe_order', 'parse_order_status', 'create_order_ws'} <= okx.overridden
    assert {'rawencode', 'get_exceptions_by_url'} <= binance.overridden - okx.overridden
    assert {'load_time_difference', 'sleep', 'market', 'synchronous', 'options'} <= okx.used & binance.used
    assert {'parse_order', 'authenticate', 'markets_by_id'} <= okx.used & binance.used
    new = {'set_mmp', 'reset_mmp', 'fetch_mmp', 'fetch_mmps', 'mass_cancel_mmp', 'mass_cancel_mmp_ws', 'warm_up'}
    new |= {'mass_cancel_mmps', 'watch_mmp', 'watch_mmps', 'un_watch_mmp'}
    new |= {'halt_mmp', 'resume_mmp', 'fetch_mmp_halt', 'fetch_mmp_halts'}
    assert new == new_methods()
    errors = {name for module, name in imported_by_the_package()}
    assert {'OperationFailed', 'RateLimitExceeded', 'ExchangeClosedByUser'} <= errors


def names_relied_on():
    for exchange_id in MIXINS:
        source = source_of(exchange_id)
        names = (source.used | source.overridden | source.implicit | BESIDES) - OWN.get(exchange_id, set())
        # those are what the guard itself reads
        yield from ((exchange_id, name) for name in sorted(names - {'has', 'options', 'synchronous'}))


@pytest.fixture(scope='module')
def stock():
    return {exchange_id: stock_class('ccxt.pro', exchange_id)() for exchange_id in MIXINS}


@rows(('exchange_id', 'name'), names_relied_on)
def test_what_is_gone_is_named(stock, exchange_id, name):
    if name in of_newer_versions(exchange_id, stock[exchange_id]):
        return
    lines = list(drift('ccxt.pro', exchange_id, Changed(stock[exchange_id], name)))
    assert any(line.startswith(f'{described("ccxt.pro", exchange_id)} has no {name}, ') for line in lines), lines


@rows(
    ('exchange_id', 'changes', 'said'),
    [
        (
            'okx',
            {'handle_errors': lambda httpCode, reason, url: None},
            "handle_errors() has the parameters ['httpCode', 'reason', 'url'], the override ['httpCode', 'reason',",
        ),
        (
            'binance',
            {'create_order_request': lambda symbol, kind, side, amount, price, params: None},
            "create_order_request() has the parameters ['symbol', 'kind', 'side', 'amount', 'price', 'params'], the",
        ),
        ('okx', {'throttle': lambda cost, endpoint: None}, "throttle() has the parameters ['cost', 'endpoint'], the"),
        ('okx', {'safe_order': lambda order: None}, "safe_order() has the parameters ['order'], the override"),
        ('binance', {'sleep': lambda: None}, 'sleep() cannot be called with 1 arguments and []: too many'),
        ('okx', {'privatePostTradeBatchOrders': lambda: None}, 'privatePostTradeBatchOrders() cannot be called with'),
        ('okx', {'set_mmp': lambda: None}, 'has a set_mmp of its own now'),
        ('binance', {'massCancelMmp': lambda: None}, 'has a massCancelMmp of its own now'),
        ('okx', {'has': {'fetchMmp': None}}, 'has a fetchMmp of its own now'),
        ('okx', {'options': {'timeDifference': 0}}, "has no options['createOrder']"),
        ('binance', {'options': {}}, "has no options['timeDifference']"),
        ('binance', {'synchronous': True}, 'has synchronous True'),
    ],
)
def test_what_has_changed_is_named(stock, exchange_id, changes, said):
    lines = list(drift('ccxt.pro', exchange_id, Changed(stock[exchange_id], **changes)))
    assert any(line.startswith(f'{described("ccxt.pro", exchange_id)} {said}') for line in lines), lines
    assert said in report(lines)


def test_an_import_that_is_gone_is_named():
    source = 'from ccxt.base.errors import BaseError, NoSuchError\nfrom os import path'
    nodes = ast.walk(ast.parse(source))
    assert not_there(set(imported(nodes))) == [f'ccxt.base.errors of ccxt {ccxt.__version__} has no NoSuchError']
