"""OKX: tickers, order books, mark prices and greeks of options, all of them made up (``simulator/pricing.py``)."""

from decimal import Decimal

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.pricing import VOLATILITY, Level, Valuation, plain
from ccxt_mmp.simulator.venues.okx.calls import Call, Parameters, Rows, read_integer, read_text
from ccxt_mmp.simulator.venues.okx.markets import index_of
from ccxt_mmp.simulator.venues.okx.tables import MAX_DEPTH, VENUE
from ccxt_mmp.simulator.wire import ApiError


def ticker(call: Call) -> Rows:
    return [_ticker(call, _read_option(call))]


def tickers(call: Call) -> Rows:
    return [_ticker(call, option) for option in _options(call)]


def books(call: Call) -> Rows:
    value = call.engine.market.value(_read_option(call), call.now)
    # ccxt sends a number; documented as a string
    depth = min(read_integer({'sz': str(call.parameters.get('sz', '1'))}, 'sz'), MAX_DEPTH)
    return [
        {
            'asks': [_level(each) for each in value.asks[:depth]],
            'bids': [_level(each) for each in value.bids[:depth]],
            'ts': str(call.now),
            'seqId': call.now,
        }
    ]


def mark_price(call: Call) -> Rows:
    return [
        {
            'instId': option.instrument_id,
            'instType': 'OPTION',
            'markPx': plain(call.engine.market.value(option, call.now).mark),
            'ts': str(call.now),
        }
        for option in _options(call)
    ]


def option_summary(call: Call) -> Rows:
    if not {'uly', 'instFamily'} & call.parameters.keys():
        raise ApiError(400, '50015', 'Either parameter uly or instFamily is required')
    date = call.parameters.get('expTime')
    return [
        _summary(call, option)
        for option in _options(call)
        if date in (None, option.instrument_id.removeprefix(option.underlying).split('-')[1])
    ]


def coin_greeks(value: Valuation) -> dict[str, float]:
    """As OKX counts in coins ("PA"), of one coin; of an option that is priced in dollars the dollars' ones."""
    if not value.in_coin:
        return {'delta': value.delta, 'gamma': value.gamma, 'theta': value.theta, 'vega': value.vega}
    price = float(value.index)
    return {
        'delta': value.delta - float(value.mark),
        'gamma': value.gamma * price - value.delta + float(value.mark),
        'theta': value.theta / price,
        'vega': value.vega / price,
    }


def _options(call: Call) -> list[Instrument]:
    wanted = call.parameters
    if wanted.get('instType', 'OPTION') != 'OPTION':
        return []  # other markets are there and empty
    return [
        option
        for option in call.engine.listed(VENUE, call.now)
        if wanted.get('instFamily', option.underlying) == option.underlying
        and wanted.get('uly', index_of(option)) == index_of(option)
        and wanted.get('instId', option.instrument_id) == option.instrument_id
    ]


def _read_option(call: Call) -> Instrument:
    option = call.engine.find_option(VENUE, read_text(call.parameters, 'instId'))
    if option is None:
        raise ApiError(200, '51001', "Instrument ID doesn't exist.")
    return option


def _level(level: Level) -> list[str]:
    price, contracts = level
    return [plain(price), plain(contracts), '0', '1']


def _ticker(call: Call, option: Instrument) -> Parameters:
    value = call.engine.market.value(option, call.now)
    last = plain(round(value.mark / value.step) * value.step)
    has_bid = value.bid is not None
    return {
        'instType': 'OPTION',
        'instId': option.instrument_id,
        'last': last,
        'lastSz': '0',
        'askPx': plain(value.ask),
        'askSz': plain(value.contracts),
        'bidPx': plain(value.bid or 0) if has_bid else '',
        'bidSz': plain(value.contracts) if has_bid else '0',
        'open24h': last,
        'high24h': last,
        'low24h': last,
        'volCcy24h': '0',
        'vol24h': '0',
        'ts': str(call.now),
        'sodUtc0': last,
        'sodUtc8': last,
    }


def _summary(call: Call, option: Instrument) -> Parameters:
    value = call.engine.market.value(option, call.now)
    volatility = plain(VOLATILITY)
    dollars = {'delta': value.delta, 'gamma': value.gamma, 'theta': value.theta, 'vega': value.vega}
    return {
        'instType': 'OPTION',
        'instId': option.instrument_id,
        'uly': index_of(option),
        **{name: plain(greek) for name, greek in coin_greeks(value).items()},
        **{f'{name}BS': plain(greek) for name, greek in dollars.items()},
        'lever': plain(value.index / value.mark if value.mark else Decimal(0)),
        'markVol': volatility,
        'bidVol': volatility if value.bid else '',
        'askVol': volatility,
        'realVol': '',
        'volLv': volatility,
        'fwdPx': plain(value.index),
        'ts': str(call.now),
    }
