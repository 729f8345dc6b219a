"""OKX: the positions that fills made."""

from ccxt_mmp.simulator.positions import Position
from ccxt_mmp.simulator.pricing import plain
from ccxt_mmp.simulator.venues.okx.calls import Call, Parameters, Rows
from ccxt_mmp.simulator.venues.okx.market_data import coin_greeks
from ccxt_mmp.simulator.venues.okx.tables import VENUE


def positions(call: Call) -> Rows:
    if call.parameters.get('instType', 'OPTION') != 'OPTION':
        return []
    rows = [position_shape(call, each) for each in call.account.open_positions(VENUE, call.now)]
    wanted = {name: call.parameters[name].split(',') for name in ('instId', 'posId') if name in call.parameters}
    return [row for row in rows if all(row[name] in values for name, values in wanted.items())]


def position_shape(call: Call, position: Position) -> Parameters:
    option = position.instrument
    value = call.engine.market.value(option, call.now)
    coins = position.quantity * option.coins_per_contract
    cost = abs(position.worth(position.average_price))
    profit = position.unrealized(value.mark)
    ratio = plain(profit / cost) if cost else '0'
    dollars = {'delta': value.delta, 'gamma': value.gamma, 'theta': value.theta, 'vega': value.vega}
    return {
        'adl': '0',
        'availPos': plain(position.quantity),
        'avgPx': plain(position.average_price),
        'baseBal': '',
        'baseBorrowed': '',
        'baseInterest': '',
        'bePx': '',
        'bizRefId': '',
        'bizRefType': '',
        'cTime': str(position.opened),
        'ccy': option.settle,
        'clSpotInUseAmt': '',
        'closeOrderAlgo': [],
        **{f'{name}BS': plain(greek * float(coins)) for name, greek in dollars.items()},
        **{f'{name}PA': plain(greek * float(coins)) for name, greek in coin_greeks(value).items()},
        'fee': '0',
        'fundingFee': '0',
        'hedgedPos': '',
        'idxPx': plain(value.index),
        'imr': '',
        'instId': option.instrument_id,
        'instType': 'OPTION',
        'interest': '',
        'last': plain(round(value.mark / value.step) * value.step),
        'lever': '',
        'liab': '',
        'liabCcy': '',
        'liqPenalty': '0',
        'liqPx': '',
        'margin': '',
        'markPx': plain(value.mark),
        'maxSpotInUseAmt': '',
        'mgnMode': 'cross',
        'mgnRatio': '',
        'mmr': '',
        'nonSettleAvgPx': '',
        'notionalUsd': plain(abs(coins) * value.index),
        'optVal': plain(position.worth(value.mark)),
        'pTime': str(call.now),
        'pendingCloseOrdLiabVal': '0',
        'pnl': plain(position.realized),
        'pos': plain(position.quantity),
        'posCcy': '',
        'posId': position.position_id,
        'posSide': 'net',
        'quoteBal': '',
        'quoteBorrowed': '',
        'quoteInterest': '',
        'realizedPnl': plain(position.realized),
        'settledPnl': '',
        'spotInUseAmt': '',
        'spotInUseCcy': '',
        'tradeId': '',
        'uTime': str(position.updated),
        'upl': plain(profit),
        'uplLastPx': plain(profit),
        'uplRatio': ratio,
        'uplRatioLastPx': ratio,
        'usdPx': plain(value.index if value.in_coin else 1),
    }
