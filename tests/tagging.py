"""MMP orders of other clients at the simulator, which on Bybit are told by a tag that the plugin gives its own."""

from itertools import count

from ccxt_mmp.simulator.engine import Engine

TAG = 'mmp-'
_NUMBERS = count()


def tag_what_rests():
    """Let every MMP order that a test puts into the book have a client order id as the plugin makes them."""
    place = Engine.place

    def tag_and_place(engine, account, order, now):
        if order.venue == 'bybit' and order.mmp and not order.client_order_id:
            order.client_order_id = f'{TAG}{next(_NUMBERS):032x}'
        return place(engine, account, order, now)

    Engine.place = tag_and_place
