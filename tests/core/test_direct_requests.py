"""The kill switch skips steps of ccxt only where they are ccxt's own."""

import functools

import ccxt
import pytest

from tests.trading import UNIFIED

ENDPOINTS = {'okx': 'privatePostTradeMassCancel', 'binance': 'eapiPrivateDeleteAllOpenOrdersByUnderlying'}
PARAMS = {'okx': {}, 'binance': {'includeNonMmp': True}}
STEPS = ['request', 'fetch2', 'handle_option_and_params', 'calculate_rate_limiter_cost', 'throttle', 'sign', 'fetch']
EXCHANGES = pytest.mark.parametrize('exchange_id', ['okx', 'binance'])


def counted(function, calls):
    @functools.wraps(function)
    def call(*arguments, **keywords):
        calls.append(function.__name__)
        return function(*arguments, **keywords)

    return call


@EXCHANGES
@pytest.mark.parametrize('step', STEPS)
def test_step_that_a_class_of_the_user_replaces_is_called(flavour, simulator, exchange_id, step):
    calls = []
    kind = flavour.exchange_class(exchange_id)
    mine = type(exchange_id, (kind,), {step: counted(getattr(kind, step), calls)})
    exchange = simulator.connect(mine)
    exchange.timeout_on_exit = 0
    flavour.opened.append(exchange)
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], PARAMS[exchange_id]))
    assert step in calls


@EXCHANGES
@pytest.mark.parametrize('step', [*STEPS, 'endpoint'])
def test_step_that_is_replaced_on_an_object_is_called(flavour, simulator, exchange_id, step):
    exchange, calls = flavour.exchange(exchange_id, simulator.url, enableRateLimit=True), []
    name = ENDPOINTS[exchange_id] if step == 'endpoint' else step
    setattr(exchange, name, counted(getattr(exchange, name), calls))
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], PARAMS[exchange_id]))
    assert calls


@EXCHANGES
@pytest.mark.parametrize('step', ['request', 'fetch2', 'handle_option_and_params', 'endpoint'])
def test_step_that_is_replaced_later_in_ccxt_is_called(flavour, simulator, exchange_id, step, monkeypatch):
    exchange, calls = flavour.exchange(exchange_id, simulator.url), []
    call = functools.partial(exchange.mass_cancel_mmp, UNIFIED[exchange_id], PARAMS[exchange_id])
    flavour.take(call())
    assert not calls
    kind = flavour.exchange_class(exchange_id)
    stock = next(each for each in kind.__mro__ if each.__module__.startswith('ccxt.'))
    if step == 'endpoint':  # ccxt may have put it on the class of the object
        monkeypatch.setattr(kind, ENDPOINTS[exchange_id], counted(getattr(kind, ENDPOINTS[exchange_id]), calls))
    elif step == 'handle_option_and_params':  # which ours replaces for such requests
        monkeypatch.setattr(kind, step, counted(getattr(kind, step), calls))
    else:
        monkeypatch.setattr(stock, step, counted(getattr(stock, step), calls))
    flavour.take(call())
    assert calls


@EXCHANGES
def test_ccxt_keeps_its_history_where_it_is_asked_to(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url, fetchHistoryCacheSize=3)
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], PARAMS[exchange_id]))
    if hasattr(ccxt.Exchange, 'fetchHistoryCacheSize'):  # not in older versions
        assert len(exchange.fetchHistoryCache) == 1


@EXCHANGES
def test_ccxt_knows_the_last_request(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)
    before = exchange.milliseconds()
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], PARAMS[exchange_id]))
    [request] = simulator.requests
    assert request.path in exchange.last_request_url
    assert exchange.last_request_headers
    assert (exchange.last_request_body is None) == (exchange_id == 'binance')
    assert exchange.lastRestRequestTimestamp >= before


@pytest.mark.parametrize('module', ['binance', 'okx'])
@pytest.mark.parametrize('api', [['eapiPrivate'], 'eapiPrivate'])
def test_request_of_ccxt_does_nothing_for_these_endpoints(module, api):
    """Binance notes there that the spot API has answered."""
    exchange = getattr(ccxt, module)()
    exchange.fetch2 = lambda *arguments: 'answer'
    options = dict(exchange.options)
    assert exchange.request('path', api, 'POST', {}) == 'answer'
    assert exchange.options == options
