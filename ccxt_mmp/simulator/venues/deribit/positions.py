"""Deribit: the positions that fills made."""

from ccxt_mmp.simulator.positions import Position
from ccxt_mmp.simulator.venues.deribit.calls import Call, Parameters, number, read_instrument
from ccxt_mmp.simulator.venues.deribit.market_data import mark
from ccxt_mmp.simulator.venues.deribit.tables import KINDS, VENUE


def positions(call: Call) -> list[Parameters]:
    currency, kind = call.parameters.get('currency', 'any'), call.parameters.get('kind')
    return [
        position_shape(call, each)
        for each in call.account.open_positions(VENUE, call.now)
        if currency in ('any', each.instrument.settle) and kind in (None, KINDS[each.instrument.kind])
    ]


def position(call: Call) -> Parameters:
    return position_shape(call, call.account.position(read_instrument(call)))


def position_shape(call: Call, position: Position) -> Parameters:
    instrument = position.instrument
    price = mark(call, instrument)
    coins = instrument.coins(position.quantity, price)
    delta = 1.0
    if instrument.kind == 'option':
        delta = call.engine.market.value(instrument, call.now).delta
    profit = number(position.unrealized(price)) if instrument.kind == 'option' else 0  # of futures none is reckoned
    row = {
        'average_price': number(position.average_price),
        'delta': float(coins) * delta,
        'direction': 'buy' if position.quantity > 0 else 'sell' if position.quantity else 'zero',
        'floating_profit_loss': profit,
        'index_price': number(call.engine.market.index(VENUE, instrument.base)),
        'initial_margin': 0,
        'instrument_name': instrument.instrument_id,
        'kind': KINDS[instrument.kind],
        'maintenance_margin': 0,
        'mark_price': number(price),
        'realized_profit_loss': number(position.realized),
        'settlement_price': number(price),
        'size': number(position.quantity),
        'total_profit_loss': profit,
    }
    return row if instrument.kind == 'option' else {**row, 'leverage': 50, 'size_currency': number(coins)}
