"""A venue that is added to the registry is served without a change of the simulator."""

import json
import urllib.error
import urllib.request
from types import SimpleNamespace
from typing import ClassVar

import pytest

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Rule, Simulator
from ccxt_mmp.simulator.instruments import Series
from ccxt_mmp.simulator.listing import Listing
from ccxt_mmp.simulator.venue import Venue
from ccxt_mmp.simulator.wire import Answer


class AcmeListing(Listing):
    venue = 'acme'
    # its options have the ids of Binance's: a venue's ids are its own
    series = (Series('acme', 'BTC', 'BTC', 'USDC', range(60_000, 165_000, 5_000), '1', '1', '0.1'),)
    first_order_id = 7

    def quote(self, series):
        return series.settle

    def usual_settle(self, base, quote):
        return quote

    def underlying_id(self, base, quote, settle):
        return base

    def option_prefix(self, series):
        return series.base


class AcmeVenue(Venue):
    listing = AcmeListing()
    too_many_requests: ClassVar = {'error': 'slow down'}

    def serves(self, path):
        return path.startswith('/acme/')

    def answer(self, request, times):
        if not self.serves(request.path):
            return None
        return Answer({'time': times.now, 'options': len(self.engine.listed('acme', times.now))}), []


@pytest.fixture
def simulator(monkeypatch):
    monkeypatch.setitem(EXCHANGES, 'acme', SimpleNamespace(id='acme', venue=AcmeVenue, has_rfq=False))
    with Simulator(clock=lambda: 1_700_000_000_000) as simulator:
        yield simulator


def fetch(url):
    try:
        answer = urllib.request.urlopen(url)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
        return answer.status, json.loads(text) if text.startswith('{') else text, answer.headers['Retry-After']


def test_it_answers_its_requests(simulator):
    assert fetch(f'{simulator.url}/acme/time')[:2] == (200, {'time': 1_700_000_000_000, 'options': 4 * 21 * 2})
    assert [request.path for request in simulator.requests] == ['/acme/time']


def test_control_methods_know_it_by_its_names(simulator):
    assert simulator.instruments('acme', 'BTC/USDC') == simulator.instruments('binance', 'BTC/USDT')
    order = simulator.rest('acme', 'BTC/USDC:USDC', mmp=True)
    simulator.set_rule('acme', 'BTC', Rule(5000, 0, qty_limit='10'))
    simulator.fill(order.order_id)
    assert order.order_id == '7'
    assert simulator.protection('acme', 'BTC').is_frozen(simulator.now())
    assert not simulator.protection('binance', 'BTCUSDT').is_frozen(simulator.now())
    with pytest.raises(ValueError, match='acme lists no option of None'):
        simulator.trip('acme')
    with pytest.raises(ValueError, match='a venue is one of okx, binance, deribit, bybit, acme, not Acme'):
        simulator.trip('Acme', 'BTC')


@pytest.mark.parametrize(
    ('path', 'body', 'retry_after'),
    [
        ('/acme/time', {'error': 'slow down'}, '7'),
        ('/api/v5/public/time', {'code': '50011', 'data': [], 'msg': 'Too Many Requests'}, '7'),
        ('/eapi/v1/time', {'code': -1003, 'msg': 'Too many requests.'}, '7'),
        (
            '/v5/market/time',
            {'retCode': 10006, 'retMsg': 'Too many visits. Exceeded the API Rate Limit.', 'result': {}},
            '7',
        ),
        ('/of/nobody', '<html><body>The service is unavailable.</body></html>', None),
    ],
)
def test_limit_that_is_used_up_is_told_as_the_exchange_does(simulator, path, body, retry_after):
    simulator.fault('status', path, status=429, retry_after=7)
    assert fetch(simulator.url + path) == (429, body, retry_after)


@pytest.mark.parametrize(
    ('path', 'body'),
    [
        ('/acme/time', {'result': False}),
        ('/api/v5/public/time', {'code': '0', 'data': [{'result': False}], 'msg': ''}),
        ('/v5/market/time', {'retCode': 0, 'retMsg': 'OK', 'result': {'success': '0'}}),
        ('/of/nobody', {'result': False}),
    ],
)
def test_result_that_is_false_is_told_as_the_exchange_does(simulator, path, body):
    simulator.fault('result_false', path)
    assert fetch(simulator.url + path)[:2] == (200, body)
