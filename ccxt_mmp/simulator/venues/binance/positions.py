"""Binance: the positions that fills made, and the margin account of options."""

from decimal import Decimal

from ccxt_mmp.simulator.positions import Position
from ccxt_mmp.simulator.pricing import plain
from ccxt_mmp.simulator.venues.binance.calls import Call, Parameters, read_option
from ccxt_mmp.simulator.venues.binance.tables import VENUE


def positions(call: Call) -> list[Parameters]:
    held = call.account.open_positions(VENUE, call.now)
    if 'symbol' in call.parameters:
        option = read_option(call, call.parameters)
        held = [each for each in held if each.instrument is option]
    return [position_shape(call, each) for each in held]


def margin_account(call: Call) -> Parameters:
    """No margin is reckoned: all of a balance is available."""
    held = call.account.open_positions(VENUE, call.now)
    return {
        'asset': [
            {
                'asset': asset,
                'marginBalance': balance,
                'equity': plain(Decimal(balance) + profit),
                'available': balance,
                'initialMargin': '0',
                'maintMargin': '0',
                'unrealizedPNL': plain(profit),
                'adjustedEquity': plain(Decimal(balance) + profit),
            }
            for asset, balance in call.account.balances.items()
            if asset in {series.settle for series in call.engine.series[VENUE].values()}
            for profit in [sum((_profit(call, each) for each in held if each.instrument.settle == asset), Decimal(0))]
        ],
        'greek': [
            {
                'underlying': underlying,
                **_greeks(call, [each for each in held if each.instrument.underlying == underlying]),
            }
            for underlying in dict.fromkeys(each.instrument.underlying for each in held)
        ],
        'time': call.now,
        'canTrade': True,
        'canDeposit': True,
        'canWithdraw': True,
        'reduceOnly': False,
    }


def position_shape(call: Call, position: Position) -> Parameters:
    option = position.instrument
    mark = call.engine.market.value(option, call.now).mark
    orders = [order for order in call.account.open_orders(VENUE) if order.instrument is option]
    cost = position.worth(position.average_price)
    profit = position.unrealized(mark)
    return {
        'entryPrice': plain(position.average_price),
        'symbol': option.instrument_id,
        'side': 'LONG' if position.quantity > 0 else 'SHORT',
        'quantity': plain(position.quantity),
        'reducibleQty': plain(position.quantity),
        'markValue': plain(position.worth(mark)),
        'ror': plain(profit / abs(cost)) if cost else '0',
        'unrealizedPNL': plain(profit),
        'markPrice': plain(mark),
        'strikePrice': option.strike,
        'positionCost': plain(cost),
        'expiryDate': option.expiry,
        'priceScale': 1,
        'quantityScale': 2,
        'optionSide': 'CALL' if option.is_call else 'PUT',
        'quoteAsset': option.settle,
        'time': position.updated,
        'bidQuantity': plain(sum(order.quantity - order.filled for order in orders if order.side == 'buy')),
        'askQuantity': plain(sum(order.quantity - order.filled for order in orders if order.side == 'sell')),
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.unrealized(call.engine.market.value(position.instrument, call.now).mark)


def _greeks(call: Call, held: list[Position]) -> dict[str, str]:
    values = [(call.engine.market.value(each.instrument, call.now), float(each.worth(Decimal(1)))) for each in held]
    return {
        name: plain(sum(getattr(value, name) * coins for value, coins in values))
        for name in ('delta', 'gamma', 'theta', 'vega')
    }
