"""Deribit: the time, logins, the currencies, the instruments and the account."""

import hashlib
import hmac

from ccxt_mmp.simulator.accounts import Account
from ccxt_mmp.simulator.instruments import Instrument
from ccxt_mmp.simulator.venues.deribit.calls import Call, InvalidParamsError, Parameters, number, read_text, refusal
from ccxt_mmp.simulator.venues.deribit.tables import (
    AHEAD,
    BUCKETS,
    INVALID_CREDENTIALS,
    INVALID_TOKEN,
    KINDS,
    SIGNATURE_LIFE,
    TOKEN_LIFE,
    VENUE,
)
from ccxt_mmp.simulator.wire import is_natural

LONG_NAMES = {'BTC': 'Bitcoin', 'ETH': 'Ethereum', 'USDC': 'USD Coin'}


def time(call: Call) -> int:
    return call.now


def test(call: Call) -> Parameters:
    return {'version': '1.2.26'}


def status(call: Call) -> Parameters:
    return {'locked': 'false', 'locked_indices': []}


def auth(call: Call) -> Parameters:
    account = call.accounts(read_text(call.parameters, 'client_id'))
    if account is None:
        raise refusal(INVALID_CREDENTIALS)
    grant = read_text(call.parameters, 'grant_type')
    if grant == 'client_signature':
        _require_signature(call, account)
    elif grant != 'client_credentials':
        raise InvalidParamsError('grant_type', 'the simulator knows client_credentials and client_signature')
    elif account.secret != call.parameters.get('client_secret'):
        raise refusal(INVALID_CREDENTIALS)
    return {
        'access_token': call.logins.token(account, call.now),
        'expires_in': TOKEN_LIFE // 1000,
        'refresh_token': call.logins.token(account, call.now),
        'scope': 'trade:read_write account:read',
        'token_type': 'bearer',
        'enabled_features': [],
        'sid': '',
    }


def _require_signature(call: Call, account: Account) -> None:
    """That of the timestamp, the nonce and the data; a nonce is good for one login."""
    timestamp, nonce = read_text(call.parameters, 'timestamp'), read_text(call.parameters, 'nonce')
    signed = f'{timestamp}\n{nonce}\n{call.parameters.get("data", "")}'
    digest = hmac.new(account.secret.encode(), signed.encode(errors='replace'), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(digest.encode(), read_text(call.parameters, 'signature').encode(errors='replace')):
        raise refusal(INVALID_CREDENTIALS)
    if not is_natural(timestamp) or not call.times.within(int(timestamp), SIGNATURE_LIFE, AHEAD):
        raise refusal(INVALID_TOKEN)
    used = (f'login of {account.key}', nonce)  # whether those of requests count, too, is [unverified]
    if used in call.logins.nonces:
        raise refusal(INVALID_TOKEN)
    call.logins.nonces.add(used)


def currencies(call: Call) -> list[Parameters]:
    coins = dict.fromkeys(each.settle for each in call.engine.series[VENUE].values())
    return [
        {
            'coin_type': 'BITCOIN' if coin == 'BTC' else 'ETHEREUM',
            'currency': coin,
            'currency_long': LONG_NAMES.get(coin, coin),
            'fee_precision': 4,
            'in_cross_collateral_pool': True,
            'min_confirmations': 1,
            'min_withdrawal_fee': 0.0005,
            'withdrawal_fee': 0.0005,
            'withdrawal_priorities': [],
        }
        for coin in coins
    ]


def instruments(call: Call) -> list[Parameters]:
    currency = call.parameters.get('currency', 'any')
    kind = call.parameters.get('kind')
    return [
        _instrument(each)
        for each in call.engine.listed(VENUE, call.now)
        if currency in ('any', each.settle) and kind in (None, KINDS[each.kind])
    ]


def index_names(call: Call) -> list[str]:
    return list(call.engine.series[VENUE])


def account_summary(call: Call) -> Parameters:
    currency = read_text(call.parameters, 'currency')
    return {**_summary(call, currency), 'mmp_enabled': call.account.privileged}


def account_summaries(call: Call) -> Parameters:
    return {
        'id': 1,
        'type': 'main',
        'username': 'simulator',
        'mmp_enabled': call.account.privileged,
        'summaries': [_summary(call, currency) for currency in call.account.balances],
    }


def _summary(call: Call, currency: str) -> Parameters:
    """No margin is reckoned: all of a balance is available."""
    balance = number(call.account.balances.get(currency, '0'))
    burst, rate = BUCKETS['matching']
    others = BUCKETS['others']
    return {
        'currency': currency,
        'balance': balance,
        'equity': balance,
        'margin_balance': balance,
        'available_funds': balance,
        'available_withdrawal_funds': balance,
        'initial_margin': 0,
        'maintenance_margin': 0,
        'margin_model': 'segregated_pm',
        'portfolio_margining_enabled': True,
        'limits': {
            'non_matching_engine': {'burst': others[0], 'rate': others[1]},
            'limits_per_currency': False,
            'matching_engine': {
                'trading': {'total': {'burst': burst, 'rate': rate}},
                'cancel_all': {'burst': BUCKETS['cancel_all'][0], 'rate': BUCKETS['cancel_all'][1]},
            },
        },
    }


def _instrument(each: Instrument) -> Parameters:
    is_option, is_linear = each.kind == 'option', each.settle != each.base
    quote = each.settle if is_option or is_linear else 'USD'
    row = {
        'base_currency': each.base,
        'block_trade_commission': 0.0003,
        'contract_size': 10 if each.is_inverse else 1,
        'counter_currency': each.settle if is_linear else 'USD',
        'creation_timestamp': each.listed,
        'expiration_timestamp': each.expiry,
        'instrument_name': each.instrument_id,
        'instrument_type': 'linear' if is_linear else 'reversed',
        'is_active': True,
        'kind': KINDS[each.kind],
        'maker_commission': 0.0003,
        'min_trade_amount': number(each.lot),
        'price_index': each.underlying,
        'quote_currency': quote,
        'settlement_currency': each.settle,
        'settlement_period': 'perpetual' if each.kind == 'perpetual' else 'week',
        'taker_commission': 0.0003,
        'tick_size': number(each.tick),
    }
    if is_option:
        return {**row, 'option_type': 'call' if each.is_call else 'put', 'strike': float(each.strike)}
    return {**row, 'max_leverage': 50, 'max_liquidation_commission': 0.0075}
