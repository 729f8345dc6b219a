"""The life of a protection, as a market maker sees it: set, quote, trip, refused, reset, quote again, mass cancel."""

import pytest

from ccxt_mmp import MmpFrozen
from ccxt_mmp.registry import EXCHANGES
from tests.trading import FROZEN, ID_PREFIX, UNDERLYING, UNIFIED, option_market

# what the exchanges differ in: everything else of the story is the same
LIMITS = {
    'okx': {'qtyLimit': 10},
    'binance': {'qtyLimit': 10, 'deltaLimit': 100},
    'deribit': {'qtyLimit': 10, 'params': {'maxQuoteQuantity': 100}},
    'bybit': {'qtyLimit': 10, 'deltaLimit': 100},
}


def live(flavour, exchange, symbol, trade):
    """The story on any exchange; ``trade`` lets somebody take an order. What was cancelled in the end."""
    underlying = UNIFIED[exchange.id]

    def quote(price, client_order_id):
        terms = {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': price}
        named = {'clientOrderId': ID_PREFIX.get(exchange.id, '') + client_order_id}
        return {**terms, 'params': {'mmp': True, 'postOnly': True, **named}}

    # of Bybit, where ccxt wants to know that its list is of the last 500
    acknowledged = {'acknowledged': True} if exchange.id == 'bybit' else {}

    def place(order):
        return flavour.take(exchange.create_order(*list(order.values())))

    state = flavour.take(exchange.set_mmp(underlying, 3000, 60_000, **LIMITS[exchange.id]))
    assert (state['enabled'], state['qtyLimit']) == (True, 10)
    quoted = flavour.take(exchange.create_orders([quote(5, 'first'), quote(6, 'second'), quote(7, 'third')]))
    assert [order['status'] for order in quoted] == ['open'] * 3

    trade(quoted[0])
    assert flavour.take(exchange.fetch_mmp(underlying))['frozen'] is True
    assert flavour.take(exchange.fetch_order(quoted[1]['id'], symbol, acknowledged))['status'] == 'canceled'
    with pytest.raises(FROZEN.get(exchange.id, MmpFrozen)):
        place(quote(5, 'fourth'))

    assert flavour.take(exchange.reset_mmp(underlying))['frozen'] is False
    assert flavour.take(exchange.fetch_mmp(underlying))['frozen'] is False
    again = place(quote(5, 'fifth'))
    assert (again['status'], again['mmp'], again['postOnly']) == ('open', True, True)
    [rests] = flavour.take(exchange.fetch_open_orders(symbol, params={'mmp': True}))
    assert rests['id'] == again['id']

    cancelled = flavour.take(exchange.mass_cancel_mmp(underlying))
    assert flavour.take(exchange.fetch_open_orders(symbol, params={'mmp': True})) == []
    assert flavour.take(exchange.fetch_order(again['id'], symbol, acknowledged))['status'] == 'canceled'
    return cancelled


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_life_of_a_protection(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url)
    underlying = UNDERLYING[exchange_id]
    option_id = simulator.instruments(exchange_id, underlying)[0]
    exchange.set_markets([option_market(exchange, option_id, underlying)])
    other = simulator.rest(exchange_id, underlying, mmp=False)
    cancelled = live(
        flavour, exchange, exchange.markets_by_id[option_id][0]['symbol'], lambda order: simulator.fill(order['id'])
    )
    assert cancelled['underlyingId'] == underlying
    assert simulator.resting(exchange_id, underlying) == [other]
