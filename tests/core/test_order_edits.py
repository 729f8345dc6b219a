"""Edits of orders: the flag is kept, never changed, and an edit waits behind a mass cancel as an order does."""

import inspect
import json

import ccxt
import pytest
import werkzeug

from ccxt_mmp import MassCancelLocked, MmpFrozen
from tests.core.test_orders import STOCK, create, requests
from tests.rows import rows
from tests.trading import UNDERLYING, symbols, with_markets

MMP = {'mmp': True}


def row(market, **terms):
    """An order as OKX lists it."""
    return {
        'instType': 'OPTION',
        'instId': market['id'],
        'ordId': '7',
        'clOrdId': 'mine',
        'ordType': 'mmp',
        'state': 'live',
        'side': 'buy',
        'px': '5',
        'sz': '10',
        'accFillSz': '3',
        'cTime': '1790000000000',
        **terms,
    }


AMENDED = {'ordId': '7', 'clOrdId': 'mine', 'reqId': '', 'sCode': '0', 'sMsg': '', 'ts': '1790000000001'}


class Venue:
    """OKX as far as it reads and amends one order; it keeps what it received."""

    def __init__(self, httpserver):
        self.received = []
        self.order = {}
        self.amended = {'code': '0', 'msg': '', 'data': [AMENDED]}
        self.url = f'http://{httpserver.host}:{httpserver.port}'
        for path, method in (('/api/v5/trade/order', 'GET'), ('/api/v5/trade/amend-order', 'POST')):
            httpserver.expect_request(path, method=method).respond_with_handler(self.answer)
        httpserver.expect_request('/api/v5/trade/mass-cancel').respond_with_json(
            {'code': '0', 'msg': '', 'data': [{'result': True}]}
        )

    def answer(self, request):
        body = request.get_json() if request.method == 'POST' else request.args.to_dict()
        self.received.append((request.method, body))
        read = {'code': '0', 'msg': '', 'data': [self.order]}
        answer = read if request.method == 'GET' else self.amended
        return werkzeug.Response(json.dumps(answer), content_type='application/json')

    @property
    def amendments(self):
        return [body for method, body in self.received if method == 'POST']


@pytest.fixture
def venue(httpserver):
    return Venue(httpserver)


@pytest.fixture
def okx(flavour, venue):
    return with_markets(flavour.exchange('okx', venue.url))


@pytest.fixture
def market(okx, venue):
    market = okx.market(symbols(okx, 'BTC-USD')[0])
    venue.order = row(market)
    return market


def edit(flavour, exchange, market, params, amount=12, price=6, kind='limit', side='buy'):
    return flavour.take(exchange.edit_order('7', market['symbol'], kind, side, amount, price, params))


@pytest.mark.parametrize(
    ('kind', 'params'),
    [('limit', MMP), ('mmp', {}), ('limit', {'ordType': 'mmp'}), ('limit', {**MMP, 'postOnly': False})],
)
def test_edit_with_the_flag_keeps_it(flavour, venue, okx, market, kind, params):
    order = edit(flavour, okx, market, params, kind=kind)
    assert venue.amendments == [{'instId': market['id'], 'ordId': '7', 'newSz': '12', 'newPx': '6'}]
    expected = {
        'id': '7',
        'clientOrderId': 'mine',
        'symbol': market['symbol'],
        'type': 'limit',
        'side': 'buy',
        'price': 6.0,
        'amount': 12.0,
        'status': 'open',
        'postOnly': False,
        'mmp': True,
        'filled': None,
        'remaining': None,
        'info': AMENDED,
    }
    assert {name: order[name] for name in expected} == expected


def test_edit_of_the_price_alone_leaves_the_amount(flavour, venue, okx, market):
    order = edit(flavour, okx, market, MMP, amount=None)
    assert venue.amendments == [{'instId': market['id'], 'ordId': '7', 'newPx': '6'}]
    assert (order['price'], order['amount']) == (6.0, 10.0)


def test_post_only_order_stays_one(flavour, venue, okx, market):
    venue.order = row(market, ordType='mmp_and_post_only')
    for params in (MMP, {**MMP, 'postOnly': True}, {**MMP, 'timeInForce': 'PO'}):
        order = edit(flavour, okx, market, params)
        assert (order['mmp'], order['postOnly'], order['type']) == (True, True, 'limit')
    assert all(set(body) == {'instId', 'ordId', 'newSz', 'newPx'} for body in venue.amendments)
    with pytest.raises(ccxt.InvalidOrder, match='post-only'):
        edit(flavour, okx, market, {**MMP, 'postOnly': False})


def test_order_is_edited_by_the_clients_id(flavour, venue, okx, market):
    edit(flavour, okx, market, {**MMP, 'clientOrderId': 'mine'})
    [(_, read), (_, amended)] = venue.received
    assert read == {'instId': market['id'], 'clOrdId': 'mine'}
    assert amended['clOrdId'] == 'mine'


@rows(
    ('kind', 'params'),
    [('limit', {'mmp': True}), ('limit', {'mmp': False}), ('mmp', {}), ('limit', {'ordType': 'mmp'})],
)
def test_edit_that_would_change_the_flag_is_refused(flavour, venue, okx, market, kind, params):
    venue.order = row(market, ordType='mmp' if params == {'mmp': False} else 'limit')
    with pytest.raises(ccxt.InvalidOrder, match='cannot change the flag'):
        edit(flavour, okx, market, params, kind=kind)
    assert venue.amendments == []


def test_edit_of_an_order_without_the_flag_that_says_so_is_ccxts(flavour, venue, okx, market):
    venue.order = row(market, ordType='limit')
    edit(flavour, okx, market, {'mmp': False})
    assert venue.amendments == [{'instId': market['id'], 'ordId': '7', 'newSz': '12', 'newPx': '6'}]


@rows(
    ('params', 'kind', 'side'),
    [
        ({'mmp': 1}, 'limit', 'buy'),
        ({'mmp': 'true'}, 'limit', 'buy'),
        ({**MMP, 'ordType': 'limit'}, 'limit', 'buy'),
        ({'mmp': False}, 'mmp', 'buy'),
        ({**MMP, 'postOnly': True}, 'limit', 'buy'),
        ({**MMP, 'timeInForce': 'PO'}, 'limit', 'buy'),
        ({**MMP, 'timeInForce': 'IOC'}, 'limit', 'buy'),
        ({**MMP, 'stopLossPrice': 4}, 'limit', 'buy'),
        ({**MMP, 'newSlTriggerPx': '4'}, 'limit', 'buy'),
        (MMP, 'trigger', 'buy'),
        (MMP, 'market', 'buy'),
        (MMP, 'limit', 'sell'),
    ],
)
def test_edit_that_asks_for_another_kind_of_order_is_refused(flavour, venue, okx, market, params, kind, side):
    with pytest.raises(ccxt.InvalidOrder):
        edit(flavour, okx, market, params, kind=kind, side=side)
    assert venue.amendments == []


@pytest.mark.parametrize('order', [{'ordId': '7'}, {}])
def test_order_that_does_not_say_is_not_edited(flavour, venue, okx, market, order):
    venue.order = order
    with pytest.raises(ccxt.BadResponse):
        edit(flavour, okx, market, MMP)
    assert venue.amendments == []


def test_refused_edit_says_why(flavour, venue, okx, market):
    venue.amended = {'code': '1', 'msg': '', 'data': [{**AMENDED, 'sCode': '51034', 'sMsg': 'Fill rate exceeds'}]}
    with pytest.raises(MmpFrozen):
        edit(flavour, okx, market, MMP)
    venue.amended = {'code': '0', 'msg': '', 'data': []}
    with pytest.raises(ccxt.BadResponse):
        edit(flavour, okx, market, MMP)


def test_edit_is_never_repeated(flavour, venue, okx, market, httpserver):
    httpserver.expect_oneshot_request('/api/v5/trade/amend-order').respond_with_data('', status=503)
    okx.options['maxRetriesOnFailure'] = 3
    with pytest.raises(ccxt.ExchangeNotAvailable):
        edit(flavour, okx, market, MMP)
    assert venue.amendments == []


@pytest.mark.parametrize('is_flagged', [True, False])
def test_edit_that_waits_behind_a_mass_cancel_is_not_sent(flavour, venue, okx, market, is_flagged):
    """The mass cancel comes while the order is read."""
    venue.order = row(market, ordType='mmp' if is_flagged else 'limit')
    fetch_order = okx.fetch_order

    def cancel_before(*arguments):
        okx.mass_cancel_mmp('BTC/USD')
        return fetch_order(*arguments)

    async def cancel_before_later(*arguments):
        await okx.mass_cancel_mmp('BTC/USD')
        return await fetch_order(*arguments)

    okx.fetch_order = cancel_before if flavour.name == 'sync' else cancel_before_later
    if is_flagged:
        with pytest.raises(MassCancelLocked):
            edit(flavour, okx, market, MMP)
    else:
        edit(flavour, okx, market, {'mmp': False})
    assert len(venue.amendments) == (not is_flagged)
    okx.fetch_order = fetch_order
    venue.order = row(market)
    edit(flavour, okx, market, MMP)  # asked for after it, it goes through


def test_edits_of_a_list_do_not_know_the_flag(flavour, venue, okx, market):
    order = {'id': '7', 'symbol': market['symbol'], 'type': 'limit', 'side': 'buy', 'amount': 12, 'price': 6}
    if not hasattr(okx, 'edit_orders') or not okx.has.get('editOrders'):
        pytest.skip('ccxt has none yet')
    for flag in (True, False):
        with pytest.raises(ccxt.NotSupported, match='edit_order'):
            flavour.take(okx.edit_orders([{**order, 'params': {'mmp': flag}}]))
    assert venue.received == []


@pytest.mark.parametrize('flag', [True, False])
def test_edits_of_a_list_of_any_exchange_do_not_know_the_flag(flavour, simulator, exchange_id, flag):
    exchange = with_markets(flavour.exchange(exchange_id, simulator.url))
    symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
    order = {'id': '7', 'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 12, 'price': 6}
    exchange.markets = None  # nothing is asked before the flag is refused
    for orders, params in (
        ([order], {'mmp': flag}),
        ([order, {**order, 'params': {'mmp': flag}}], {}),
        ([order, {**order, 'mmp': True}], {}),
    ):
        with pytest.raises(ccxt.NotSupported, match='edit_order'):
            flavour.take(exchange.edit_orders(orders, params))
    misspelt = {'MMP': flag}
    for orders, params in (([order], misspelt), ([{**order, 'params': misspelt}], {}), ([{**order, 'MMP': True}], {})):
        with pytest.raises(ccxt.InvalidOrder, match=r'editOrders\(\) does not know the MMP flag as'):
            flavour.take(exchange.edit_orders(orders, params))
    assert simulator.requests == []


def test_orders_that_were_read_without_the_flag_are_edited_as_a_list(flavour, exchange_id, monkeypatch):
    exchange = with_markets(flavour.exchange(exchange_id))
    stock = next(each for each in STOCK[flavour.name].__dict__[exchange_id].__mro__ if 'edit_orders' in vars(each))
    monkeypatch.setattr(stock, 'edit_orders', lambda self, *received: received)
    order = exchange.parse_order({}, exchange.market('BTC/USDT'))
    assert order['mmp'] is False
    edited = exchange.edit_orders([order])
    assert (flavour.take(edited) if inspect.isawaitable(edited) else edited) == ([order], {})


@pytest.mark.parametrize('flag', [True, False])
def test_option_of_binance_has_no_edit(flavour, simulator, flag):
    exchange = with_markets(flavour.exchange('binance', simulator.url))
    symbol = symbols(exchange, 'BTCUSDT')[0]
    for params in ({'mmp': flag}, {'isMmp': flag or None}, {}):
        with pytest.raises(ccxt.NotSupported):
            flavour.take(exchange.edit_order('7', symbol, 'limit', 'buy', 12, 6, params))
    assert simulator.requests == []


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
@pytest.mark.parametrize('symbol', ['BTC/USDT', 'BTC/USDT:USDT'])
def test_order_of_another_market_has_no_flag_to_keep(flavour, simulator, exchange_id, symbol):
    exchange = with_markets(flavour.exchange(exchange_id, simulator.url))
    with pytest.raises(ccxt.InvalidOrder, match='must be of options'):
        flavour.take(exchange.edit_order('7', symbol, 'limit', 'buy', 12, 6, MMP))
    assert simulator.requests == []


@rows('exchange_id', ['okx', 'binance'])
@rows(
    ('symbol', 'flag'),
    [
        *((symbol, flag) for symbol in ('BTC/USDT', 'BTC/USDT:USDT') for flag in (None, False)),
        ('option', None),  # with False, the order is read before
    ],
)
def test_edits_without_the_flag_are_ccxts_to_the_byte(flavour, exchange_id, symbol, flag):
    call = ('edit_order', '7', symbol, 'limit', 'buy', 12, 6)
    ours, theirs = flavour.exchange_class(exchange_id), getattr(STOCK[flavour.name], exchange_id)
    plain = requests(flavour, theirs, call)
    assert requests(flavour, ours, call) == plain
    assert requests(flavour, ours, (*call, {'mmp': flag})) == plain
    tagged = {'clientOrderId': 'mine', 'x': 'y'}
    assert requests(flavour, ours, (*call, tagged)) == requests(flavour, theirs, (*call, tagged))


def test_order_that_was_placed_can_be_asked_for_by_its_id(flavour, simulator):
    """The edit of an order that the simulator does not amend yet: it is read, and the edit is refused or sent."""
    exchange = with_markets(flavour.exchange('okx', simulator.url))
    symbol = symbols(exchange, UNDERLYING['okx'])[0]
    plain = create(flavour, exchange, symbol, {})
    with pytest.raises(ccxt.InvalidOrder, match='cannot change the flag'):
        flavour.take(exchange.edit_order(plain['id'], symbol, 'limit', 'buy', 12, 6, MMP))
