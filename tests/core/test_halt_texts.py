"""Each text about halts names the method that was called, in every flavour and on every exchange."""

import pytest

from ccxt_mmp import MassCancelLocked, MmpHalted
from ccxt_mmp.errors import AuthenticationError, BadRequest, BaseError, NotSupported
from ccxt_mmp.halts import HaltStoreError
from tests.core.fencing import raw_orders
from tests.core.ordering import listed
from tests.core.sockets import MMP, OVER_SOCKET, connected, run
from tests.rows import rows
from tests.trading import UNDERLYING, UNIFIED, symbols

HALTED = 'MMP orders of all underlyings are halted until they are resumed'


@pytest.fixture
def halting(exchange, tmp_path):
    exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
    return exchange


def lose(exchange, monkeypatch):
    """The store of an exchange cannot be read from now on."""

    def fail(*arguments):
        raise HaltStoreError('gone')

    monkeypatch.setattr(exchange._halts().store, 'read', fail)


def close_fence(exchange, monkeypatch):
    """A mass cancel comes while the store of an exchange is read."""

    def read(*arguments):
        with exchange._mmp_fence(UNDERLYING[exchange.id]).close():
            return []

    monkeypatch.setattr(exchange._halts().store, 'read', read)


def ways(exchange, symbol):
    """Methods that place or change MMP orders over REST; None is a raw call."""
    placing = ('limit', 'buy', 10, 5, MMP)
    calls = [
        ('createOrder', lambda: exchange.create_order(symbol, *placing)),
        ('createOrders', lambda: exchange.create_orders(listed([symbol], 2))),
        *((None, call) for call in raw_orders(exchange)),
    ]
    if exchange.id != 'binance':  # it has no edits of options
        calls.append(('editOrder', lambda: exchange.edit_order('7', symbol, *placing)))
    return calls


def begins(exchange, method):
    return f'{exchange.id} {"an MMP order" if method is None else f"{method}()"} was not sent: '


def read_before(exchange, symbol):
    """Edits find an MMP order, which the exchange need not be asked for."""

    async def order_before(*arguments):
        return {'id': '7', 'symbol': symbol, 'mmp': True, 'amount': 10, 'price': 5, 'info': {}}

    exchange._order_before = order_before


def test_halted_order_names_the_method_that_was_called(flavour, simulator, halting, quoted, monkeypatch):
    read_before(halting, quoted[0])
    flavour.take(halting.halt_mmp(None, {'cancel': False}))
    for method, call in ways(halting, quoted[0]):
        with pytest.raises(MmpHalted) as raised:
            flavour.take(call())
        assert str(raised.value).startswith(begins(halting, method) + HALTED)
    lose(halting, monkeypatch)
    for method, call in ways(halting, quoted[0]):
        with pytest.raises(MmpHalted) as raised:
            flavour.take(call())
        assert str(raised.value).startswith(begins(halting, method) + 'whether MMP orders are halted is not known')
    assert simulator.requests == []


def test_order_behind_a_mass_cancel_names_the_method_that_was_called(flavour, simulator, halting, quoted, monkeypatch):
    read_before(halting, quoted[0])
    close_fence(halting, monkeypatch)
    for method, call in ways(halting, quoted[0]):
        with pytest.raises(MassCancelLocked) as raised:
            flavour.take(call())
        said = str(raised.value).partition(';')[0]
        assert said == begins(halting, method) + 'a mass cancel came after it was asked for'
    assert simulator.requests == []


@pytest.mark.parametrize('exchange_id', OVER_SOCKET)
def test_halted_order_over_a_socket_names_the_method_that_was_called(simulator, exchange_id, tmp_path):
    async def main():
        async with connected(simulator, exchange_id) as exchange:
            exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db'}
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            read_before(exchange, symbol)
            await exchange.halt_mmp(None, {'cancel': False})
            placing = ('limit', 'buy', 10, 5, MMP)
            for method, call in (
                ('createOrderWs', exchange.create_order_ws(symbol, *placing)),
                ('createOrdersWs', exchange.create_orders_ws(listed([symbol], 2))),
                ('editOrderWs', exchange.edit_order_ws('7', symbol, *placing)),
            ):
                with pytest.raises(MmpHalted) as raised:
                    await call
                assert str(raised.value).startswith(begins(exchange, method) + HALTED)

    run(main())


def test_halt_that_began_beyond_the_last_year_is_told(flavour, halting, quoted):
    halting.milliseconds = lambda: 10**15
    flavour.take(halting.halt_mmp(None, {'cancel': False}))
    del halting.milliseconds
    with pytest.raises(MmpHalted, match=f'since {10**15} ms by'):
        flavour.take(halting.create_order(quoted[0], 'limit', 'buy', 10, 5, MMP))


# --- params


BAD_PARAMS = [
    ({'foo': 1}, NotSupported),
    ({'timeout': 0}, BadRequest),
    ({'Timeout': 5}, BadRequest),
    ({'emulate': 1}, BadRequest),
    ({'includeNonMmp': 1}, BaseError),
    ({'hedge': 1}, BaseError),
    ({'scope': 'blocks'}, BadRequest),
    ({'mmp': False}, BadRequest),
    ({'lockInterval': 'x'}, BaseError),
    ({'window': 5}, NotSupported),
    ({'reason': 5}, BadRequest),
    ({'duration': 0}, BadRequest),
    ({'Duration': 5}, BadRequest),
]


@rows(('params', 'error'), BAD_PARAMS)
def test_bad_params_name_the_method_that_was_called(flavour, simulator, halting, params, error):
    """The checks of the mass cancel that a halt does, too."""
    underlying = UNIFIED[halting.id]
    calls = [('haltMmp', lambda: halting.halt_mmp(underlying, params))]
    halt = {**params, 'halt': True}
    if {*params} <= {'foo', 'timeout', 'mmp', 'reason', 'duration', 'Duration'}:
        # others it refuses before it comes to the halt
        calls.append(('massCancelMmps', lambda: halting.mass_cancel_mmps([underlying], halt)))
    calls.append(('massCancelMmp', lambda: halting.mass_cancel_mmp(underlying, halt)))
    if halting.has['massCancelMmpWs'] and flavour.name == 'pro':
        calls.append(('massCancelMmpWs', lambda: halting.mass_cancel_mmp_ws(underlying, halt)))
    for method, call in calls:
        with pytest.raises(error) as raised:
            flavour.take(call())
        assert str(raised.value).startswith(f'{halting.id} {method}() ')
    assert flavour.take(halting.fetch_mmp_halts()) == []
    assert simulator.requests == []


def test_what_has_no_socket_names_the_method_that_was_called(simulator, tmp_path):
    async def main():
        async with connected(simulator) as exchange:
            exchange.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
            for params in ({'emulate': True}, {'hedge': True}):
                with pytest.raises(NotSupported, match=r'^okx massCancelMmpWs\(\) '):
                    await exchange.mass_cancel_mmp_ws('BTC/USD', {**params, 'halt': True})
            assert await exchange.fetch_mmp_halts() == []

    run(main())


def test_halt_without_keys_says_which_is_missing(flavour, simulator, halting):
    halting.options['mmpHalt']['account'] = 'desk'
    halting.secret = ''
    with pytest.raises(AuthenticationError, match='"secret"'):
        flavour.take(halting.halt_mmp(UNIFIED[halting.id]))
    assert flavour.take(halting.fetch_mmp_halts()) == []
    assert simulator.requests == []


@rows('params', [{'foo': 1}, {'timeout': 5}, {'scope': 'rfq'}, {'cancel': False}, {'halt': True}, {'reason': 'x'}])
def test_params_that_are_not_taken_name_the_method_that_was_called(flavour, halting, params):
    underlying = UNIFIED[halting.id]
    for method, call in (
        ('resumeMmp', lambda: halting.resume_mmp(underlying, params)),
        ('resumeMmp', lambda: halting.resume_mmp(None, params)),
        ('resumeMmp', lambda: halting.resume_mmp('nothing', params)),
        ('fetchMmpHalt', lambda: halting.fetch_mmp_halt(underlying, params)),
        ('fetchMmpHalts', lambda: halting.fetch_mmp_halts(params)),
    ):
        with pytest.raises(BaseError) as raised:
            flavour.take(call())
        assert str(raised.value).startswith(f'{halting.id} {method}() ')
