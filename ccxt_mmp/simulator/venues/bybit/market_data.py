"""Bybit: tickers and order books of options, all of them made up (``simulator/pricing.py``)."""

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.pricing import VOLATILITY, plain
from ccxt_mmp.simulator.venues.bybit.calls import (
    Call,
    Parameters,
    invalid,
    read_category,
    read_option,
    read_rows,
    require_options,
)
from ccxt_mmp.simulator.venues.bybit.tables import MAX_DEPTH, VENUE


def tickers(call: Call) -> Parameters:
    """Of options, of a contract or a coin and an expiry."""
    category, wanted = read_category(call), call.parameters
    if category != 'option':
        return {'category': category, 'list': []}
    if wanted.get('symbol'):
        options = [read_option(call, wanted)]
    elif wanted.get('baseCoin'):
        options = [each for each in call.engine.listed(VENUE, call.now) if each.base == wanted['baseCoin']]
    else:
        raise invalid('symbol')
    date = wanted.get('expDate')
    return {
        'category': category,
        'list': [_ticker(call, each) for each in options if date in (None, '', each.instrument_id.split('-')[1])],
    }


def order_book(call: Call) -> Parameters:
    require_options(call)
    option = read_option(call, call.parameters)
    depth = read_rows(call.parameters, MAX_DEPTH, 1)
    value = call.engine.market.value(option, call.now)
    return {
        's': option.instrument_id,
        'b': [[plain(price), plain(contracts)] for price, contracts in value.bids[:depth]],
        'a': [[plain(price), plain(contracts)] for price, contracts in value.asks[:depth]],
        'ts': call.now,
        'u': call.now,
        'seq': call.now,
        'cts': call.now,
    }


def _ticker(call: Call, option: Instrument) -> Parameters:
    value = call.engine.market.value(option, call.now)
    last = plain(round(value.mark / value.step) * value.step)
    volatility = plain(VOLATILITY)
    has_bid = value.bid is not None
    return {
        'symbol': option.instrument_id,
        'bid1Price': plain(value.bid or 0),
        'bid1Size': plain(value.contracts) if has_bid else '0',
        'bid1Iv': volatility if has_bid else '0',
        'ask1Price': plain(value.ask),
        'ask1Size': plain(value.contracts),
        'ask1Iv': volatility,
        'lastPrice': last,
        'highPrice24h': last,
        'lowPrice24h': last,
        'markPrice': plain(value.mark),
        'indexPrice': plain(value.index),
        'markIv': volatility,
        'underlyingPrice': plain(value.index),
        'openInterest': '0',
        'turnover24h': '0',
        'volume24h': '0',
        'totalVolume': '0',
        'totalTurnover': '0',
        'delta': plain(value.delta),
        'gamma': plain(value.gamma),
        'vega': plain(value.vega),
        'theta': plain(value.theta),
        'predictedDeliveryPrice': '0',
        'change24h': '0',
    }
