"""Binance: tickers, order books, marks and indices of options, all of them made up (``simulator/pricing.py``)."""

from decimal import Decimal

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.pricing import VOLATILITY, plain
from ccxt_mmp.simulator.venues.binance.calls import Call, Parameters, read_integer, read_option, read_underlying
from ccxt_mmp.simulator.venues.binance.tables import DAY, MAX_DEPTH, VENUE
from ccxt_mmp.simulator.wire import ApiError


def tickers(call: Call) -> list[Parameters]:
    return [_ticker(call, option) for option in _options(call)]


def depth(call: Call) -> Parameters:
    value = call.engine.market.value(read_option(call, call.parameters), call.now)
    limit = read_integer({'limit': '100', **call.parameters}, 'limit')
    if not 0 < limit <= MAX_DEPTH:
        raise ApiError(400, '-1130', "Data sent for parameter 'limit' is not valid.")
    return {
        'bids': [[plain(price), plain(contracts)] for price, contracts in value.bids[:limit]],
        'asks': [[plain(price), plain(contracts)] for price, contracts in value.asks[:limit]],
        'T': call.now,
        'lastUpdateId': call.now,
        'u': call.now,  # the name of it until 2025, which ccxt reads
    }


def marks(call: Call) -> list[Parameters]:
    return [_mark(call, option) for option in _options(call)]


def index(call: Call) -> Parameters:
    base = call.engine.series[VENUE][read_underlying(call)].base
    return {'time': call.now, 'indexPrice': plain(call.engine.market.index(VENUE, base))}


def _options(call: Call) -> list[Instrument]:
    if 'symbol' in call.parameters:
        return [read_option(call, call.parameters)]
    return call.engine.listed(VENUE, call.now)


def _ticker(call: Call, option: Instrument) -> Parameters:
    value = call.engine.market.value(option, call.now)
    last = plain(round(value.mark / value.step) * value.step)
    return {
        'symbol': option.instrument_id,
        'priceChange': '0',
        'priceChangePercent': '0',
        'lastPrice': last,
        'lastQty': '0',
        'open': last,
        'high': last,
        'low': last,
        'volume': '0',
        'amount': '0',
        'bidPrice': plain(value.bid or 0),
        'askPrice': plain(value.ask),
        'openTime': call.now - DAY,
        'closeTime': call.now,
        'firstTradeId': 0,
        'tradeCount': 0,
        'strikePrice': option.strike,
        'exercisePrice': plain(value.index),
    }


def _mark(call: Call, option: Instrument) -> Parameters:
    value = call.engine.market.value(option, call.now)
    volatility = plain(VOLATILITY)
    return {
        'symbol': option.instrument_id,
        'markPrice': plain(value.mark),
        'bidIV': volatility if value.bid else '0',
        'askIV': volatility,
        'markIV': volatility,
        'delta': plain(value.delta),
        'theta': plain(value.theta),
        'gamma': plain(value.gamma),
        'vega': plain(value.vega),
        'highPriceLimit': plain(value.ask + value.index / 10),
        'lowPriceLimit': plain(max(value.step, (value.bid or Decimal(0)) - value.index / 10)),
        'riskFreeInterest': '0',
    }
