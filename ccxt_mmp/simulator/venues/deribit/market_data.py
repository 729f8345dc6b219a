"""Deribit: tickers and order books, all of them made up (``simulator/pricing.py``)."""

from decimal import Decimal
from typing import Any

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.pricing import STEPS, VOLATILITY, Level
from ccxt_mmp.simulator.venues.deribit.calls import (
    Call,
    InvalidParamsError,
    Parameters,
    number,
    read_instrument,
    read_integer,
    read_text,
)
from ccxt_mmp.simulator.venues.deribit.tables import VENUE

MAX_DEPTH = 10_000


def ticker(call: Call) -> Parameters:
    return _ticker(call, read_instrument(call))


def order_book(call: Call) -> Parameters:
    instrument = read_instrument(call)
    depth = read_integer(call.parameters, 'depth', MAX_DEPTH, '5')
    bids, asks = book(call, instrument)
    rows = {
        'bids': [list(map(number, each)) for each in bids[:depth]],
        'asks': [list(map(number, each)) for each in asks[:depth]],
    }
    return {**_ticker(call, instrument), **rows, 'change_id': call.now}


def index_price(call: Call) -> Parameters:
    name = read_text(call.parameters, 'index_name')
    series = call.engine.series[VENUE].get(name)
    if series is None:
        raise InvalidParamsError('index_name', 'invalid index name')
    price = number(call.engine.market.index(VENUE, series.base))
    return {'index_price': price, 'estimated_delivery_price': price}


def mark(call: Call, instrument: Instrument) -> Decimal:
    """Of a future or perpetual the index."""
    if instrument.kind != 'option':
        return call.engine.market.index(VENUE, instrument.base)
    return call.engine.market.value(instrument, call.now).mark


def book(call: Call, instrument: Instrument) -> tuple[list[Level], list[Level]]:
    """Bids and asks."""
    if instrument.kind == 'option':
        value = call.engine.market.value(instrument, call.now)
        return value.bids, value.asks
    price, tick, lot = mark(call, instrument), Decimal(instrument.tick), Decimal(instrument.lot)
    steps = [(tick * (step + 1), lot * 100 * (step + 1)) for step in range(STEPS)]
    return [(price - step, amount) for step, amount in steps], [(price + step, amount) for step, amount in steps]


def _ticker(call: Call, instrument: Instrument) -> Parameters:
    bids, asks = book(call, instrument)
    price = mark(call, instrument)
    index = call.engine.market.index(VENUE, instrument.base)
    last = number(round(price / Decimal(instrument.tick)) * Decimal(instrument.tick))
    row: dict[str, Any] = {
        'timestamp': call.now,
        'stats': {'volume': 0, 'price_change': 0, 'low': last, 'high': last},
        'state': 'open',
        'settlement_price': number(price),
        'open_interest': 0,
        'min_price': number(instrument.tick),
        'max_price': number(price * 2 + Decimal(instrument.tick)),
        'mark_price': number(price),
        'last_price': last,
        'instrument_name': instrument.instrument_id,
        'index_price': number(index),
        'best_bid_price': number(bids[0][0]) if bids else 0,
        'best_bid_amount': number(bids[0][1]) if bids else 0,
        'best_ask_price': number(asks[0][0]),
        'best_ask_amount': number(asks[0][1]),
    }
    if instrument.kind != 'option':
        return row
    value = call.engine.market.value(instrument, call.now)
    greeks = {'delta': value.delta, 'gamma': value.gamma, 'theta': value.theta, 'vega': value.vega, 'rho': 0}
    volatility = VOLATILITY * 100
    return {
        **row,
        'underlying_price': number(index),
        'underlying_index': 'index_price',
        'interest_rate': 0,
        'bid_iv': volatility,
        'ask_iv': volatility,
        'mark_iv': volatility,
        'greeks': greeks,
    }
