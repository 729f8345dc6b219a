"""OKX: the time, the instruments and the balance."""

from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.okx.calls import Call, Parameters, Rows, read_text
from ccxt_mmp.simulator.venues.okx.tables import FIRST_CODE, VENUE


def no_rows(call: Call) -> Rows:
    return []


def time(call: Call) -> Rows:
    return [{'ts': str(call.now)}]


def instruments(call: Call) -> Rows:
    if read_text(call.parameters, 'instType') != 'OPTION':
        return []
    wanted = call.parameters
    codes = {} if call.engine.unverified.instruments == 'old' else instrument_codes(call.engine)
    return [
        _instrument(option, codes.get(option.instrument_id))
        for option in call.engine.listed(VENUE, call.now)
        if wanted.get('instFamily', option.underlying) == option.underlying
        and wanted.get('uly', index_of(option)) == index_of(option)
        and wanted.get('instId', option.instrument_id) == option.instrument_id
    ]


def account_config(call: Call) -> Rows:
    """The level is that of portfolio margin, as for every account here [unverified]."""
    words = {'read': 'read_only', 'trade': 'trade'}
    return [
        {
            'acctLv': '4',
            'acctStpMode': 'cancel_maker',
            'autoLoan': False,
            'ctIsoMode': 'automatic',
            'enableSpotBorrow': False,
            'feeType': '0',
            'greeksType': 'PA',
            'ip': '',
            'kycLv': '3',
            'label': 'simulator',
            'level': 'Lv1',
            'levelTmp': '',
            'liquidationGear': '-1',
            'mainUid': '1',
            'mgnIsoMode': 'automatic',
            'opAuth': '1',
            'perm': ','.join(words[each] for each in ('read', 'trade') if each in call.account.permissions),
            'posMode': 'net_mode',
            'roleType': '0',
            'settleCcy': 'USDC',
            'settleCcyList': ['USD', 'USDC', 'USDG'],
            'spotBorrowAutoRepay': False,
            'spotOffsetType': '',
            'spotRoleType': '0',
            'spotTraderInsts': [],
            'traderInsts': [],
            'type': '0',
            'uid': '1',
        }
    ]


def balance(call: Call) -> Rows:
    time = str(call.now)
    details = [
        {
            'availBal': amount,
            'availEq': amount,
            'cashBal': amount,
            'ccy': currency,
            'crossLiab': '',
            'disEq': '',
            'eq': amount,
            'eqUsd': '',
            'frozenBal': '0',
            'interest': '',
            'isoEq': '0',
            'isoLiab': '',
            'liab': '',
            'maxLoan': '',
            'mgnRatio': '',
            'notionalLever': '0',
            'ordFrozen': '0',
            'twap': '0',
            'uTime': time,
            'upl': '0',
            'uplLiab': '',
        }
        for currency, amount in call.account.balances.items()
        if currency in call.parameters.get('ccy', currency).split(',')
    ]
    return [
        {
            'adjEq': '',
            'details': details,
            'imr': '',
            'isoEq': '0',
            'mgnRatio': '',
            'mmr': '',
            'notionalUsd': '',
            'ordFroz': '',
            'totalEq': '',
            'uTime': time,
        }
    ]


def index_of(option: Instrument) -> str:
    return option.underlying.removesuffix('_UM')


def instrument_codes(engine: Engine) -> dict[str, int]:
    """The instIdCode of every option by its id; those that are listed later have higher ones."""
    ids = [option.instrument_id for option in engine.instruments.values() if option.venue == VENUE]
    return {instrument_id: FIRST_CODE + number for number, instrument_id in enumerate(ids)}


def _instrument(option: Instrument, code: int | None) -> Parameters:
    row = {
        'alias': '',
        'baseCcy': '',
        'category': '1',
        'ctMult': str(option.coins_per_contract),
        'ctType': '',
        'ctVal': '1',
        'ctValCcy': option.base,
        'expTime': str(option.expiry),
        'instFamily': option.underlying,
        'instId': option.instrument_id,
        'instType': 'OPTION',
        'lever': '',
        'listTime': str(option.listed),
        'lotSz': option.lot,
        'minSz': option.lot,
        'optType': 'C' if option.is_call else 'P',
        'quoteCcy': '',
        'settleCcy': option.settle,
        'state': 'live',
        'stk': option.strike,
        'tickSz': option.tick,
        'uly': index_of(option),
    }
    return row if code is None else {**row, 'instIdCode': code}
