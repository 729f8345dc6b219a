"""Bybit: the positions that fills made."""

from ccxt_mmp.simulator.positions import Position
from ccxt_mmp.simulator.pricing import plain
from ccxt_mmp.simulator.venues.bybit.calls import Call, Parameters, read_category
from ccxt_mmp.simulator.venues.bybit.tables import VENUE


def positions(call: Call) -> Parameters:
    """All of them on one page."""
    category, wanted = read_category(call), call.parameters
    held = call.account.open_positions(VENUE, call.now) if category == 'option' else []
    return {
        'category': category,
        'nextPageCursor': '',
        'list': [
            position_shape(call, each)
            for each in held
            if wanted.get('symbol') in (None, '', each.instrument.instrument_id)
            and wanted.get('baseCoin') in (None, '', each.instrument.base)
            and wanted.get('settleCoin') in (None, '', each.instrument.settle)
        ],
    }


def position_shape(call: Call, position: Position) -> Parameters:
    option = position.instrument
    value = call.engine.market.value(option, call.now)
    coins = float(position.quantity * option.coins_per_contract)
    greeks = {'delta': value.delta, 'gamma': value.gamma, 'vega': value.vega, 'theta': value.theta}
    return {
        'positionIdx': 0,
        'riskId': 0,
        'riskLimitValue': '',
        'symbol': option.instrument_id,
        'side': 'Buy' if position.quantity > 0 else 'Sell',
        'size': plain(abs(position.quantity)),
        'avgPrice': plain(position.average_price),
        'positionValue': plain(abs(position.worth(position.average_price))),
        'tradeMode': 0,
        'autoAddMargin': 0,
        'positionStatus': 'Normal',
        'leverage': '',
        'markPrice': plain(value.mark),
        'liqPrice': '',
        'bustPrice': '',
        'positionIM': '',
        'positionMM': '',
        'positionBalance': '',
        'takeProfit': '',
        'stopLoss': '',
        'trailingStop': '',
        'unrealisedPnl': plain(position.unrealized(value.mark)),
        'curRealisedPnl': plain(position.realized),
        'cumRealisedPnl': plain(position.realized),
        'sessionAvgPrice': '',
        **{name: plain(greek * coins) for name, greek in greeks.items()},
        'createdTime': str(position.opened),
        'updatedTime': str(position.updated),
        'seq': position.updated,
        'isReduceOnly': False,
        'adlRankIndicator': 0,
        'mmrSysUpdatedTime': '',
        'leverageSysUpdatedTime': '',
    }
