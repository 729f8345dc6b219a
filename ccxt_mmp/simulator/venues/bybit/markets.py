"""Bybit: the time, the instruments, the account and its key."""

from urllib.parse import unquote

from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.bybit.calls import Call, Parameters, invalid, read_category, read_rows
from ccxt_mmp.simulator.venues.bybit.tables import DEFAULT_INSTRUMENTS, MAX_INSTRUMENTS, VENUE
from ccxt_mmp.simulator.wire import is_natural


def no_rows(call: Call) -> Parameters:
    return {'rows': []}


def time(call: Call) -> Parameters:
    return {'timeSecond': str(call.now // 1000), 'timeNano': f'{call.now}000000'}


def instruments(call: Call) -> Parameters:
    """Options of BTC where no coin is named; the lists of spot and futures are empty."""
    category, wanted = read_category(call), call.parameters
    if category != 'option':
        return {'category': category, 'list': [], 'nextPageCursor': ''}
    coin = wanted.get('baseCoin') or (None if wanted.get('symbol') else 'BTC')
    listed = [
        option
        for option in call.engine.listed(VENUE, call.now)
        if coin in (None, option.base)
        and wanted.get('symbol') in (None, '', option.instrument_id)
        and wanted.get('status') in (None, '', 'Trading')
    ]
    limit = read_rows(wanted, MAX_INSTRUMENTS, DEFAULT_INSTRUMENTS)
    start = unquote(wanted.get('cursor') or '0').partition(',')[0]
    if not is_natural(start):
        raise invalid('cursor')
    end = int(start) + limit
    cursor = f'{end}%2C{limit}' if end < len(listed) else ''
    return {
        'category': category,
        'list': [_instrument(option) for option in listed[int(start) : end]],
        'nextPageCursor': cursor,
    }


def key_information(call: Call) -> Parameters:
    trades = 'trade' in call.account.permissions
    return {
        'id': '13770661',
        'note': 'simulator',
        'apiKey': call.account.key,
        'readOnly': 0 if trades else 1,
        'secret': '',
        'permissions': {
            'ContractTrade': ['Order', 'Position'],
            'Spot': ['SpotTrade'],
            'Wallet': ['AccountTransfer'],
            'Options': ['OptionsTrade'],
            'Derivatives': ['DerivativesTrade'],
            'CopyTrading': [],
            'BlockTrade': [],
            'Exchange': [],
            'NFT': [],
        },
        'ips': ['*'],
        'type': 1,
        'deadlineDay': 83,
        'expiredAt': '2099-01-01T00:00:00Z',
        'createdAt': '2022-10-16T02:24:40Z',
        'unified': 0,
        'uta': 1,
        'userID': 24600000,
        'inviterID': 0,
        'vipLevel': 'No VIP',
        'mktMakerLevel': '0',
        'affiliateID': 0,
        'rsaPublicKey': '',
        'isMaster': True,
    }


def account_information(call: Call) -> Parameters:
    return {
        'marginMode': 'PORTFOLIO_MARGIN',
        'updatedTime': str(call.now),
        'unifiedMarginStatus': 6,
        'dcpStatus': 'OFF',
        'timeWindow': 0,
        'smpGroup': 0,
        'isMasterTrader': False,
        'spotHedgingStatus': 'OFF',
    }


def balance(call: Call) -> Parameters:
    """No margin is reckoned: all of a balance is available."""
    if call.parameters.get('accountType') != 'UNIFIED':
        raise invalid('accountType')
    wanted = str(call.parameters.get('coin') or '')
    return {
        'list': [
            {
                'accountType': 'UNIFIED',
                'accountIMRate': '0',
                'accountMMRate': '0',
                'accountLTV': '0',
                'totalEquity': '',
                'totalWalletBalance': '',
                'totalMarginBalance': '',
                'totalAvailableBalance': '',
                'totalPerpUPL': '0',
                'totalInitialMargin': '0',
                'totalMaintenanceMargin': '0',
                'coin': [
                    _coin(coin, amount)
                    for coin, amount in call.account.balances.items()
                    if not wanted or coin in wanted.split(',')
                ],
            }
        ]
    }


def _coin(coin: str, amount: str) -> Parameters:
    return {
        'coin': coin,
        'equity': amount,
        'usdValue': '',
        'walletBalance': amount,
        'locked': '0',
        'spotHedgingQty': '0',
        'borrowAmount': '0',
        'availableToBorrow': '',
        'availableToWithdraw': '',
        'accruedInterest': '0',
        'totalOrderIM': '0',
        'totalPositionIM': '0',
        'totalPositionMM': '0',
        'unrealisedPnl': '0',
        'cumRealisedPnl': '0',
        'bonus': '0',
        'marginCollateral': True,
        'collateralSwitch': True,
    }


def _instrument(option: Instrument) -> Parameters:
    return {
        'symbol': option.instrument_id,
        'status': 'Trading',
        'baseCoin': option.base,
        'quoteCoin': option.settle,
        'settleCoin': option.settle,
        'optionsType': 'Call' if option.is_call else 'Put',
        'launchTime': str(option.listed),
        'deliveryTime': str(option.expiry),
        'deliveryFeeRate': '0.00015',
        'priceFilter': {'minPrice': option.tick, 'maxPrice': '10000000', 'tickSize': option.tick},
        'lotSizeFilter': {'maxOrderQty': '500', 'minOrderQty': option.lot, 'qtyStep': option.lot},
    }
