"""Binance: the time, the options, and the bit of the spot API that ccxt asks for."""

from decimal import Decimal

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.binance.calls import Call, Parameters
from ccxt_mmp.simulator.venues.binance.tables import (
    MINUTE,
    ORDER_LIMITS,
    TEN_SECONDS,
    UNDERLYING_IDS,
    VENUE,
    WEIGHT_LIMIT,
)


def empty_list(call: Call) -> list[Parameters]:
    return []


def time(call: Call) -> Parameters:
    return {'serverTime': call.now}


def nothing_listed(call: Call) -> Parameters:
    return {'timezone': 'UTC', 'serverTime': call.now, 'rateLimits': [], 'exchangeFilters': [], 'symbols': []}


def exchange_info(call: Call) -> Parameters:
    options = call.engine.listed(VENUE, call.now)
    series = call.engine.series[VENUE].values()
    assets = dict.fromkeys(each.settle for each in series)
    limits = [
        ('REQUEST_WEIGHT', 'MINUTE', 1, WEIGHT_LIMIT),
        ('ORDERS', 'MINUTE', 1, ORDER_LIMITS[MINUTE]),
        ('ORDERS', 'SECOND', 10, ORDER_LIMITS[TEN_SECONDS]),
    ]
    return {
        'timezone': 'UTC',
        'serverTime': call.now,
        'optionContracts': [
            {
                'id': underlying_number(call, each.underlying),
                'baseAsset': each.base,
                'quoteAsset': each.settle,
                'underlying': each.underlying,
                'settleAsset': each.settle,
            }
            for each in series
        ],
        'optionAssets': [{'id': number, 'name': asset} for number, asset in enumerate(assets, 1)],
        'optionSymbols': [_symbol(call, number, option) for number, option in enumerate(options, 1)],
        'rateLimits': [
            {'rateLimitType': kind, 'interval': interval, 'intervalNum': number, 'limit': limit}
            for kind, interval, number, limit in limits
        ],
    }


def spot_account(call: Call) -> Parameters:
    return {
        'makerCommission': 0,
        'takerCommission': 0,
        'buyerCommission': 0,
        'sellerCommission': 0,
        'canTrade': True,
        'canWithdraw': False,
        'canDeposit': False,
        'updateTime': call.now,
        'accountType': 'SPOT',
        'balances': [
            {'asset': asset, 'free': amount, 'locked': '0'} for asset, amount in call.account.balances.items()
        ],
        'permissions': ['SPOT'],
    }


def underlying_number(call: Call, underlying: str) -> int:
    return UNDERLYING_IDS.get(underlying) or 1 + list(call.engine.series[VENUE]).index(underlying)


def _symbol(call: Call, number: int, option: Instrument) -> Parameters:
    return {
        'contractId': underlying_number(call, option.underlying),
        'expiryDate': option.expiry,
        'filters': [
            {'filterType': 'PRICE_FILTER', 'minPrice': option.tick, 'maxPrice': '100000', 'tickSize': option.tick},
            {'filterType': 'LOT_SIZE', 'minQty': option.lot, 'maxQty': '1000', 'stepSize': option.lot},
        ],
        'id': number,
        'symbol': option.instrument_id,
        'side': 'CALL' if option.is_call else 'PUT',
        'strikePrice': f'{Decimal(option.strike):.8f}',
        'underlying': option.underlying,
        'unit': int(option.coins_per_contract),
        'makerFeeRate': '0.00020000',
        'takerFeeRate': '0.00020000',
        'minQty': option.lot,
        'maxQty': '1000',
        'initialMargin': '0.15000000',
        'maintenanceMargin': '0.07500000',
        'minInitialMargin': '0.10000000',
        'minMaintenanceMargin': '0.05000000',
        'priceScale': 1,
        'quantityScale': 2,
        'quoteAsset': option.settle,
        # documented by the official client, which says their types and no example [unverified]
        'liquidationFeeRate': '0.0019000',
        'contractType': '',
        'underlyingType': '',
        'nakedSell': True,
        'status': 'TRADING',
    }
