"""``ccxt-mmp orders``: the MMP orders that rest, and no others."""

import json

import pytest

from ccxt_mmp.cli import orders
from ccxt_mmp.cli.screens import Plain
from ccxt_mmp.registry import EXCHANGES
from tests.cli.books import ALL
from tests.fault_matrix.methods import OTHER
from tests.trading import UNDERLYING


def quote(simulator, exchange_id, count=2, underlying=None):
    name = underlying or UNDERLYING[exchange_id]
    simulator.rest(exchange_id, name, mmp=False)
    return [simulator.rest(exchange_id, name, mmp=True).order_id for _ in range(count)]


def test_orders_of_each_target_are_listed_and_no_others(simulator, ccxt_mmp_command):
    mine = [order_id for each in EXCHANGES for order_id in quote(simulator, each)]
    for each in EXCHANGES:
        quote(simulator, each, underlying=OTHER[each])
    status, out, err = ccxt_mmp_command('orders', *ALL)
    assert (status, err) == (0, '')
    heading, *rows, last, untagged, of_tag = out.splitlines()
    assert heading.split()[:5] == ['EXCHANGE', 'CONTRACT', 'SIDE', 'PRICE', 'SIZE']
    assert last == f'{len(mine)} MMP orders rest.'
    assert untagged == 'bybit:BTC: 1 order rests without the tag.'
    assert of_tag.startswith('Bybit does not say which orders are MMP orders: these are the ones with a client id mmp-')
    assert sorted(each for row in rows for each in row.split() if each in mine) == sorted(mine)
    assert {row.split()[0] for row in rows} == set(EXCHANGES)
    assert all(' buy ' in row and ' no ' in row for row in rows)


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_exchange_alone_is_all_underlyings(simulator, ccxt_mmp_command, exchange_id):
    both = [*quote(simulator, exchange_id, 1), *quote(simulator, exchange_id, 1, OTHER[exchange_id])]
    status, out, _ = ccxt_mmp_command('orders', exchange_id, '--json')
    [entry] = json.loads(out)
    assert status == 0
    assert entry['orders'] == 2
    assert sorted(each['id'] for each in entry['listed']) == sorted(both)
    assert all(each['mmp'] and each['status'] == 'open' and each['symbol'] for each in entry['listed'])


def test_order_is_shown_once_and_one_is_no_plural(simulator, ccxt_mmp_command):
    quote(simulator, 'okx', 1)
    _, out, _ = ccxt_mmp_command('orders', 'okx', 'okx:BTC/USD')
    assert len(out.splitlines()) == 3
    assert out.endswith('1 MMP order rests.\n')


def test_no_orders_are_no_table(simulator, ccxt_mmp_command):
    simulator.rest('okx', 'BTC-USD', mmp=False)
    assert ccxt_mmp_command('orders', 'okx:BTC/USD') == (0, '0 MMP orders rest.\n', '')


def test_own_label_is_shown(simulator, ccxt_mmp_command):
    [order_id] = quote(simulator, 'deribit', 1)
    simulator.order(order_id).client_order_id = 'mine'
    for target in ('deribit', 'deribit:BTC/USD'):
        _, out, _ = ccxt_mmp_command('orders', target)
        assert ' mine ' in out


def test_failure_stops_no_other_target(simulator, ccxt_mmp_command):
    quote(simulator, 'okx', 1)
    status, out, err = ccxt_mmp_command('orders', 'okx:BTC/USD', 'okx:rfq', 'kraken:BTC/USD')
    assert status == 1
    assert '1 MMP order rests.' in out
    assert 'okx:rfq: NotSupported' in err
    assert 'kraken' in err
    status, out, _ = ccxt_mmp_command('orders', 'okx:rfq', '--json')
    [entry] = json.loads(out)
    assert (status, entry['orders'], entry['listed'], entry['error']['type']) == (1, None, None, 'NotSupported')


@pytest.mark.parametrize('target', ['okx:BTC/USD', 'okx'])
def test_order_that_does_not_say_is_a_failure(simulator, ccxt_mmp_command, target):
    row = {'instId': 'BTC', 'ordId': '1', 'ordType': 'mmp'}
    body = {'code': '0', 'msg': '', 'data': [row]}
    simulator.answer('GET', '/api/v5/trade/orders-pending', body)
    status, _, err = ccxt_mmp_command('orders', target)
    assert status == 1
    assert 'without saying whether it is an MMP order' in err


def test_nothing_is_changed_and_no_markets_are_loaded(simulator, ccxt_mmp_command):
    quote(simulator, 'okx')
    ccxt_mmp_command('orders', *ALL)
    names = {request.path.rpartition('/')[2] for request in simulator.requests}
    assert names == {'time', 'get_time', 'orders-pending', 'openOrders', 'get_open_orders', 'realtime'}


def test_columns_are_left_out_on_a_narrow_terminal(simulator, ccxt_mmp_command, monkeypatch):
    [order_id] = quote(simulator, 'okx', 1)
    monkeypatch.setattr(orders, 'screen', Plain)
    for width in (60, 80, 100):
        monkeypatch.setattr(Plain, 'size', (width - 1, 49))
        _, out, _ = ccxt_mmp_command('orders', 'okx')
        assert max(map(len, out.splitlines())) < width
        assert simulator.order(order_id).instrument.instrument_id in out
        assert (order_id in out) == (width > 60)
