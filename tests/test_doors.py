"""Every way in which a program comes to the methods: a changed import, an object extended, ccxt replaced."""

import asyncio
import importlib
import json
import pickle
import subprocess
from pathlib import Path

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import Mmp, extend, install, uninstall
from ccxt_mmp.core.contract import HAS
from ccxt_mmp.registry import EXCHANGES, Exchange
from ccxt_mmp.simulator import redirect
from tests.core.test_fronts import METHODS
from tests.flavours import FLAVOURS
from tests.trading import RULES, UNDERLYING, UNIFIED, symbols, with_markets
from tests.warm import python, python_with_the_package

STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}
SUBMODULES = {'sync': '', 'async': 'async_support', 'pro': 'pro'}


@pytest.fixture
def installed():
    install()
    yield
    uninstall()


def by_class(flavour, exchange_id, config):
    return flavour.exchange_class(exchange_id)(config)


def by_changed_import(flavour, exchange_id, config):
    import ccxt_mmp as ccxt  # noqa: PLC0415

    submodule = SUBMODULES[flavour.name]
    return getattr(getattr(ccxt, submodule) if submodule else ccxt, exchange_id)(config)


def by_extending(flavour, exchange_id, config):
    exchange = getattr(STOCK[flavour.name], exchange_id)(config)
    assert extend(exchange) is exchange
    return exchange


def by_installing(flavour, exchange_id, config):
    install()
    try:
        return getattr(STOCK[flavour.name], exchange_id)(config)
    finally:
        uninstall()


DOORS = [by_class, by_changed_import, by_extending, by_installing]


@pytest.mark.parametrize('exchange_id', EXCHANGES)
@pytest.mark.parametrize('door', DOORS)
def test_door_leads_to_the_methods(flavour, simulator, door, exchange_id):
    account = simulator._account
    config = {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase, 'enableRateLimit': False}
    exchange = door(flavour, exchange_id, config)
    exchange.timeout_on_exit = 0
    flavour.opened.append(exchange)
    redirect(exchange, simulator.url)
    with_markets(exchange)
    underlying = UNIFIED[exchange_id]
    assert flavour.take(exchange.set_mmp(underlying, 3000, 2000, **RULES[exchange_id]))['enabled'] is True
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    order = flavour.take(exchange.createOrder(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
    assert order['mmp'] is True
    assert [each.order_id for each in simulator.resting(exchange_id, UNDERLYING[exchange_id])] == [order['id']]
    flavour.take(exchange.massCancelMmp(underlying))
    assert simulator.resting(exchange_id, UNDERLYING[exchange_id]) == []
    simulator.privileged = False
    with pytest.raises(ccxt_mmp.MmpNotEnabled):
        flavour.take(exchange.fetch_mmp(underlying))
    assert exchange.has['setMmp'] is True
    assert exchange.id == exchange_id
    assert type(exchange).__name__ == exchange_id


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_stock_class_has_none_of_it(flavour, simulator, exchange_id):
    by_extending(flavour, exchange_id, {})
    by_installing(flavour, exchange_id, {})
    stock = getattr(STOCK[flavour.name], exchange_id)
    assert stock.__module__ == f'{STOCK[flavour.name].__name__}.{exchange_id}'
    assert not issubclass(stock, Mmp)
    assert not [name for names in METHODS.items() for name in names if hasattr(stock, name)]
    plain = stock()
    assert 'setMmp' not in plain.has
    assert 'mmpLimits' not in plain.options


# --- import ccxt_mmp as ccxt


@pytest.mark.parametrize('flavour_name', FLAVOURS)
def test_every_other_name_is_ccxts(flavour_name):
    ours, stock = FLAVOURS[flavour_name], STOCK[flavour_name]
    for name in ('kraken', 'Exchange', 'exchanges', 'NetworkError', 'TICK_SIZE'):
        if hasattr(stock, name):
            assert getattr(ours, name) is getattr(stock, name)
    assert ours.kraken is stock.kraken
    names = dir(ours)
    assert {'okx', 'binance', 'kraken', 'exchanges'} <= set(names)
    assert names == sorted(set(names))


def test_submodules_are_this_packages():
    assert ccxt_mmp.async_support.__name__ == 'ccxt_mmp.async_support'
    assert ccxt_mmp.pro.__name__ == 'ccxt_mmp.pro'
    assert {'async_support', 'pro', 'errors'} <= set(dir(ccxt_mmp))
    assert ccxt_mmp.__version__ != ccxt.__version__
    assert ccxt_mmp.async_support.__version__ == ccxt_mmp.pro.__version__ == ccxt_mmp.__version__
    assert {'NetworkError', 'error_hierarchy', 'MmpFrozen'} <= set(dir(ccxt_mmp.errors))


def test_submodules_are_loaded_when_they_are_asked_for():
    code = (
        'import sys, ccxt_mmp as ccxt\n'
        'assert not {"ccxt.async_support", "ccxt.pro", "ccxt_mmp.cli"} & set(sys.modules)\n'
        'assert "ccxt_mmp.simulator" not in sys.modules\n'
        'engines = {"ccxt_mmp.halts.sqlite", "ccxt_mmp.halts.redis", "sqlite3", "redis"}\n'
        'assert not engines & set(sys.modules)\n'
        'ccxt.okx({"apiKey": "k", "options": {"mmpHalt": {"url": "sqlite:x.db", "account": "a"}}})._halts()\n'
        'assert engines & set(sys.modules) == {"ccxt_mmp.halts.sqlite", "sqlite3"}\n'
        'assert ccxt.pro.okx.__module__ == "ccxt_mmp.pro"\n'
        'assert ccxt.async_support.okx.__module__ == "ccxt_mmp.async_support"\n'
    )
    subprocess.run(python_with_the_package('-c', code), check=True)


def test_exchanges_are_loaded_when_they_are_asked_for():
    code = (
        'import sys, ccxt_mmp, ccxt_mmp.async_support, ccxt_mmp.mixins, ccxt_mmp.pro\n'
        'def loaded():\n'
        '    return {name.split(".")[2] for name in sys.modules if name.startswith("ccxt_mmp.exchanges.")}\n'
        'assert loaded() == set()\n'
        'from ccxt_mmp import okx\n'
        'assert loaded() == {"okx"}\n'
        'ccxt_mmp.extend(ccxt_mmp.pro.ccxt.pro.deribit())\n'
        'assert loaded() == {"okx", "deribit"}\n'
        'ccxt_mmp.mixins.BybitMmp\n'
        'assert loaded() == {"okx", "deribit", "bybit"}\n'
        'assert {"binance", "BinanceMmp"} <= {*dir(ccxt_mmp), *dir(ccxt_mmp.async_support), *dir(ccxt_mmp.pro)}\n'
        'assert "BinanceMmp" in dir(ccxt_mmp.mixins)\n'
        'from ccxt_mmp.async_support import *\n'
        'assert loaded() == {"okx", "deribit", "bybit", "binance"}\n'
        'assert binance is ccxt_mmp.async_support.binance\n'
        'assert isinstance(ccxt_mmp.exchanges, list)\n'
    )
    subprocess.run(python_with_the_package('-c', code), check=True)


def test_exchange_that_was_asked_for_stays_the_same(monkeypatch):
    """Two threads that are the first, and whoever takes it out of the module and puts it back."""
    code = (
        'import threading, ccxt_mmp\n'
        'together, found = threading.Barrier(8), []\n'
        'def ask():\n'
        '    together.wait()\n'
        '    found.append(ccxt_mmp.okx)\n'
        'threads = [threading.Thread(target=ask) for _ in range(8)]\n'
        'for each in threads: each.start()\n'
        'for each in threads: each.join()\n'
        'from ccxt_mmp import okx\n'
        'assert found == [okx] * 8, found\n'
    )
    subprocess.run(python_with_the_package('-c', code), check=True)
    before = ccxt_mmp.okx
    monkeypatch.delattr(ccxt_mmp, 'okx')
    assert ccxt_mmp.okx is before
    assert vars(ccxt_mmp)['okx'] is before


def test_exchange_extends_what_ccxt_had_when_this_package_was_imported():
    code = 'import ccxt, ccxt_mmp\nstock, ccxt.okx = ccxt.okx, None\nassert ccxt_mmp.okx.__bases__[-1] is stock\n'
    subprocess.run(python_with_the_package('-c', code), check=True)


@pytest.mark.parametrize('module', ['ccxt_mmp', 'ccxt_mmp.async_support', 'ccxt_mmp.pro'])
def test_class_is_pickled_to_a_process_that_has_imported_only_the_package(module):
    exchange_class = getattr(importlib.import_module(module), 'okx')  # noqa: B009
    pickled = pickle.dumps((exchange_class, ccxt_mmp.OkxMmp, ccxt_mmp.okx({'apiKey': 'k'})))
    code = (
        'import ccxt_mmp, pickle, sys\n'
        'exchange_class, mixin, exchange = pickle.loads(sys.stdin.buffer.read())\n'
        'assert exchange_class is getattr(sys.modules[sys.argv[1]], "okx")\n'
        'assert mixin is ccxt_mmp.OkxMmp\n'
        'assert type(exchange) is ccxt_mmp.okx\n'
        'assert exchange.apiKey == "k"\n'
    )
    subprocess.run(python_with_the_package('-c', code, module), input=pickled, check=True)


def test_submodule_that_is_not_loaded_is_imported(monkeypatch):
    monkeypatch.delattr(ccxt_mmp, 'pro')
    assert ccxt_mmp.pro.okx.__module__ == 'ccxt_mmp.pro'


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_registry_says_all_of_an_exchange(exchange_id):
    entry, fields = EXCHANGES[exchange_id], Exchange.__annotations__
    assert [name for name in fields if not hasattr(entry, name)] == []
    assert vars(entry).keys() <= fields.keys()


def test_errors_are_ccxts_too():
    assert ccxt_mmp.errors.NetworkError is ccxt.NetworkError
    assert issubclass(ccxt_mmp.errors.MmpFrozen, ccxt_mmp.errors.OperationRejected)


@pytest.mark.parametrize('flavour', FLAVOURS)
def test_errors_are_in_every_door(flavour):
    """Else an ``except ccxt.MmpFrozen`` fails when something else is raised."""
    defined = {
        name for name, each in vars(ccxt_mmp.errors).items() if getattr(each, '__module__', '') == 'ccxt_mmp.errors'
    }
    own = {name for name in defined if not name.startswith('_')}
    assert own == {'MassCancelIncomplete', 'MassCancelLocked', 'MmpFrozen', 'MmpHalted', 'MmpNotEnabled'}
    for name in own:
        assert getattr(FLAVOURS[flavour], name) is getattr(ccxt_mmp.errors, name)
        assert name in FLAVOURS[flavour].__all__


@pytest.mark.parametrize('module', [ccxt_mmp, ccxt_mmp.async_support, ccxt_mmp.pro, ccxt_mmp.errors, ccxt_mmp.mixins])
def test_missing_name_is_an_error_that_names_the_module(module):
    for name in ('nothing', '__nothing__'):
        with pytest.raises(AttributeError, match=module.__name__):
            getattr(module, name)
    with pytest.raises(AttributeError):
        ccxt_mmp.errors.Exchange  # noqa: B018 - it is no error


# --- extend


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_extended_object_keeps_what_it_has(flavour, simulator, exchange_id):
    options = {'massCancelMmp': {'timeout': 77}, 'mine': {'nested': 1}}
    exchange = with_markets(getattr(STOCK[flavour.name], exchange_id)({'options': options, 'timeout': 123}))
    flavour.opened.append(exchange)
    exchange.timeout_on_exit = 0
    session, markets, mine = exchange.session, exchange.markets, lambda cost=None: None
    exchange.throttle = mine
    exchange.urls['test'] = {'mine': 'http://mine'}
    has = dict(exchange.has)
    extend(exchange)
    assert exchange.session is session
    assert exchange.markets is markets
    assert exchange.throttle is mine
    assert exchange.timeout == 123
    assert exchange.options['massCancelMmp']['timeout'] == 77
    assert exchange.options['massCancelMmp']['concurrency'] == 20
    assert exchange.options['mine'] == {'nested': 1}
    assert exchange.urls['test'] == {'mine': 'http://mine'}
    changed = {'cancelAllOrdersAfter', *HAS, *exchange._describe_mmp()['has']}
    assert {name: exchange.has[name] for name in has if name not in changed} == {
        name: value for name, value in has.items() if name not in changed
    }
    fresh = flavour.exchange(exchange_id)
    assert {name: exchange.has.get(name) for name in changed} == {name: fresh.has.get(name) for name in changed}
    assert exchange.exceptions == fresh.exceptions
    assert exchange.options['mmpLimits'] == fresh.options['mmpLimits']
    again = exchange.options
    assert extend(exchange) is exchange
    assert exchange.options is again


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_methods_of_the_users_class_win(flavour, exchange_id):
    stock = getattr(STOCK[flavour.name], exchange_id)

    class Mine(stock):
        def reset_mmp(self, underlying=None, params={}):
            return 'mine'

        def create_order(self, *arguments):
            return 'mine'

        def nonce(self):
            return 5

    exchanges = [Mine(), Mine()]
    for exchange in exchanges:
        exchange.timeout_on_exit = 0
        flavour.opened.append(exchange)
        extend(exchange)
        assert exchange.reset_mmp() == exchange.resetMmp() == exchange.createOrder() == 'mine'
        assert exchange.nonce() == 5
        assert isinstance(exchange, Mine)
        assert isinstance(exchange, flavour.exchange_class(exchange_id))
        assert type(exchange).__name__ == 'Mine'
        assert callable(exchange.setMmp)
    assert type(exchanges[0]) is type(exchanges[1])
    assert not hasattr(Mine, 'set_mmp')


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_other_spelling_of_a_method_of_the_users_class_is_that_of_this_package(flavour, exchange_id):
    class Mine(getattr(STOCK[flavour.name], exchange_id)):
        pass

    exchange = Mine()
    flavour.opened.append(exchange)
    exchange.timeout_on_exit = 0
    extend(exchange)
    ours = flavour.exchange_class(exchange_id)
    assert type(exchange).createOrder is type(exchange).create_order is ours.create_order
    assert type(exchange).fetchOpenOrders is ours.fetch_open_orders


def test_settings_of_the_user_stay(flavour):
    class MyError(ccxt.ExchangeError):
        pass

    class Mine(STOCK[flavour.name].okx):
        def describe(self):
            return self.deep_extend(super().describe(), {'exceptions': {'exact': {'51034': MyError}}})

    exchange = Mine({'has': {'setMmp': 'mine'}})
    flavour.opened.append(exchange)
    exchange.timeout_on_exit = 0
    options = exchange.options
    extend(exchange)
    assert exchange.exceptions['exact']['51034'] is MyError
    assert exchange.exceptions['exact']['70008'] is ccxt_mmp.MmpFrozen
    assert exchange.has['setMmp'] == 'mine'
    assert exchange.options is options


@pytest.mark.skipif(not hasattr(ccxt.binance, 'enable_demo_trading'), reason='this version of ccxt has no demo trading')
def test_object_in_demo_mode_reaches_the_options_demo_host(flavour):
    exchange = STOCK[flavour.name].binance()
    flavour.opened.append(exchange)
    exchange.timeout_on_exit = 0
    exchange.enable_demo_trading(True)
    extend(exchange)
    assert exchange.urls['api']['eapiPrivate'].startswith('https://demo-fapi.binance.com')


def test_alias_follows_a_method_that_was_replaced():
    class Mine(ccxt.okx):
        pass

    extend(Mine())
    Mine.create_order = lambda self, *arguments: 'replaced'
    assert extend(Mine()).createOrder() == 'replaced'


def test_class_that_somebody_else_put_there_stays():
    install()
    theirs, ccxt.okx = ccxt.okx, 'theirs'
    try:
        uninstall()
        assert ccxt.okx == 'theirs'
    finally:
        ccxt.okx = theirs.__mro__[[each.__module__ == 'ccxt.okx' for each in theirs.__mro__].index(True)]


def test_open_session_is_used_on(simulator):
    async def main():
        async with simulator.connect(ccxt.async_support.okx, enableRateLimit=False) as exchange:
            await exchange.fetch_time()
            session = exchange.session
            await extend(exchange).mass_cancel_mmp('BTC/USD')
            assert exchange.session is session
            await exchange.fetch_time()

    asyncio.run(main())
    before, cancelled, after = [request.port for request in simulator.requests]
    assert before == after != cancelled  # the kill switch has connections of its own


@pytest.mark.parametrize('stranger', [ccxt.kraken(), ccxt.binanceusdm(), ccxt.myokx(), None, 'okx', object()])
def test_anything_else_is_not_supported(stranger):
    *others, last = EXCHANGES
    with pytest.raises(ccxt.NotSupported, match=f'{", ".join(others)} and {last}'):
        extend(stranger)


# --- install


def test_install_is_undone_exactly_however_often_it_was_called():
    before = {(name, exchange_id): getattr(STOCK[name], exchange_id) for name in STOCK for exchange_id in EXCHANGES}
    for _ in range(3):
        install()
    for (name, exchange_id), stock in before.items():
        assert getattr(STOCK[name], exchange_id) is getattr(FLAVOURS[name], exchange_id)
        assert getattr(STOCK[name], exchange_id) is not stock
    uninstall()
    uninstall()
    assert before == {key: getattr(STOCK[key[0]], key[1]) for key in before}


def test_install_comes_before_any_import_of_pro():
    """ccxt's own pro classes must not be made over those of this package."""
    code = (
        'import ccxt, ccxt_mmp\n'
        'ccxt_mmp.install()\n'
        'import ccxt.async_support, ccxt.pro\n'
        'for namespace in (ccxt, ccxt.async_support, ccxt.pro):\n'
        '    assert issubclass(namespace.okx, ccxt_mmp.Mmp), namespace\n'
        'ccxt_mmp.uninstall()\n'
        'assert not issubclass(ccxt.pro.okx, ccxt_mmp.Mmp)\n'
    )
    subprocess.run(python_with_the_package('-c', code), check=True)


@pytest.mark.usefixtures('installed')
def test_objects_made_meanwhile_keep_their_methods(simulator):
    exchange = simulator.connect(ccxt.okx, enableRateLimit=False)
    uninstall()
    exchange.mass_cancel_mmp('BTC/USD')


# --- a program as bots are


HOST = (Path(__file__).parent / 'host' / 'bot.py').read_text()
CHANGED_IMPORT = HOST.replace('import ccxt.async_support as ccxt', 'import ccxt_mmp.async_support as ccxt')
INSTALLED = f'import ccxt_mmp\nccxt_mmp.install()\n{HOST}'
PROGRAMS = {'one import changed': (CHANGED_IMPORT, python), 'installed': (INSTALLED, python_with_the_package)}


@pytest.mark.parametrize(('program', 'process'), PROGRAMS.values(), ids=PROGRAMS)
def test_bot_gets_the_methods_unchanged(simulator, tmp_path, program, process):
    """It reads a configuration, makes its exchanges by their ids and uses them side by side."""
    assert program != HOST
    account = simulator._account
    keys = {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase}
    configuration = {
        'url': simulator.url,
        'exchanges': {exchange_id: {'keys': keys, 'underlying': UNIFIED[exchange_id]} for exchange_id in EXCHANGES},
    }
    (tmp_path / 'bot.json').write_text(json.dumps(configuration))
    (tmp_path / 'bot.py').write_text(program)
    for exchange_id in EXCHANGES:
        simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True)
    run = subprocess.run(
        process('bot.py', 'bot.json'), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.returncode, run.stderr) == (0, '')
    assert json.loads(run.stdout) == {
        'binance': 'BTC/USDT:USDT',
        'okx': 'BTC/USD:BTC',
        'deribit': 'BTC/USD:BTC',
        'bybit': 'BTC',
    }
    assert [simulator.resting(exchange_id, UNDERLYING[exchange_id]) for exchange_id in EXCHANGES] == [[]] * len(
        EXCHANGES
    )


def test_bot_without_it_has_no_such_methods(tmp_path):
    (tmp_path / 'bot.py').write_text(HOST)
    configuration = {'url': 'http://127.0.0.1:1', 'exchanges': {'okx': {'keys': {}, 'underlying': ''}}}
    (tmp_path / 'bot.json').write_text(json.dumps(configuration))
    run = subprocess.run(
        python('bot.py', 'bot.json'), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert "has no attribute 'mass_cancel_mmp'" in run.stderr
