"""What the exchanges say of an account and its key, as far as it is documented: permissions, mode and privilege."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from ccxt.base.errors import BadResponse

from ccxt_mmp.core.text import shown

KEY, TRADING, ACCOUNT, MODE, PRIVILEGE = 'key', 'trading', 'account', 'margin mode', 'privilege'


class Finding(NamedTuple):
    """What one check found."""

    what: str
    is_right: bool | None  # None: it is not known, which is no failure
    says: str
    todo: str = ''  # what to do if it is not right


Ask = Callable[[Any], Awaitable[list[Finding]]]

NO_WORD, TAKEN = 'it does not say', 'it is taken'  # short ones: a terminal may be narrow
# of Bybit, by the names that it has for them
MODES = {
    'PORTFOLIO_MARGIN': 'portfolio margin',
    'REGULAR_MARGIN': 'cross margin',
    'ISOLATED_MARGIN': 'isolated margin',
}
TRADES = 'trade:'  # begins the scope of Deribit
MAY_TRADE = f'{TRADES}read_write'


async def of_okx(exchange: Any) -> list[Finding]:
    answer = await exchange.privateGetAccountConfig()
    #
    #     {"code":"0","msg":"","data":[{"acctLv":"2","perm":"read_only,withdraw,trade","posMode":"net_mode",...}]}
    #
    rows = exchange.safe_list(answer, 'data', [])
    entry = rows[0] if rows and isinstance(rows[0], dict) else {}
    given = exchange.safe_string(entry, 'perm')
    level = exchange.safe_string(entry, 'acctLv')
    found = [Finding(KEY, True, TAKEN)]
    if given is not None:
        has_it = 'trade' in given.split(',')
        todo = 'give the API key the permission to trade, on the page of API keys'
        found.append(Finding(TRADING, has_it, given, todo))
    mode = NO_WORD if level is None else f'account level {level}'
    return [*found, Finding(MODE, None, mode, 'MMP orders need the portfolio margin mode: see the account settings')]


async def of_deribit(exchange: Any) -> list[Finding]:
    answer = await exchange.privateGetGetAccountSummary({'currency': 'BTC', 'extended': True})
    #
    #     {"jsonrpc":"2.0","result":{"portfolio_margining_enabled":false,"mmp_enabled":true,"currency":"BTC",...}}
    #
    summary = exchange.safe_dict(answer, 'result')
    if summary is None:
        raise BadResponse(f'{exchange.id} does not tell of the account: {shown(answer)}')
    found = [Finding(KEY, True, TAKEN)]
    mode = exchange.safe_bool(summary, 'portfolio_margining_enabled')
    if mode is not None:
        says = 'portfolio margin' if mode else 'not portfolio'
        todo = 'MMP orders of options need portfolio margin: change the margin model'
        found.append(Finding(MODE, mode, says, todo))
    privilege = exchange.safe_bool(summary, 'mmp_enabled')
    if privilege is not None:
        says = 'MMP is enabled' if privilege else 'not enabled'
        found.append(Finding(PRIVILEGE, privilege, says, exchange._mmp_access))
    return found


async def of_deribit_key(exchange: Any) -> list[Finding]:
    time, nonce = str(exchange.nonce()), secrets.token_hex(8)
    answer = await exchange.publicGetAuth(
        {
            'grant_type': 'client_signature',
            'client_id': exchange.apiKey,
            'timestamp': time,
            'nonce': nonce,
            'data': '',
            'signature': exchange._login_signature(time, nonce),
        }
    )
    #
    #     {"jsonrpc":"2.0","result":{"token_type":"bearer","scope":"account:read_write trade:read_write ...",...}}
    #
    scope = exchange.safe_string(exchange.safe_dict(answer, 'result', {}), 'scope')
    if scope is None:
        return []
    of_trading = [each for each in scope.split() if each.startswith(TRADES)]
    todo = f'give the API key the scope {MAY_TRADE}, on the page of API keys'
    says = ' '.join(of_trading) or 'no scope to trade'
    return [Finding(TRADING, MAY_TRADE in of_trading, says, todo)]


async def of_bybit(exchange: Any) -> list[Finding]:
    answer = await exchange.privateGetV5AccountInfo()
    #
    #     {"retCode":0,"retMsg":"OK","result":{"marginMode":"REGULAR_MARGIN","unifiedMarginStatus":5,...}}
    #
    mode = exchange.safe_string(exchange.safe_dict(answer, 'result', {}), 'marginMode')
    if mode is None:
        return []
    return [Finding(MODE, None, MODES.get(mode, mode), 'Bybit does not document which modes MMP orders need')]


async def of_bybit_key(exchange: Any) -> list[Finding]:
    answer = await exchange.privateGetV5UserQueryApi()
    #
    #     {"retCode":0,"retMsg":"","result":{"readOnly":0,"permissions":{"ContractTrade":[...],"Options":[...],...},
    #         "uta":0,...},"retExtInfo":{},"time":1676891757649}
    #
    result = exchange.safe_dict(answer, 'result', {})
    found = [Finding(KEY, True, TAKEN)]
    reads_alone = exchange.safe_integer(result, 'readOnly')
    options = exchange.safe_list(exchange.safe_dict(result, 'permissions', {}), 'Options')
    todo = 'give the API key the permission to trade options, on the page of API keys'
    if reads_alone == 1:
        found.append(Finding(TRADING, False, 'it may only read', todo))
    elif options is not None:
        found.append(Finding(TRADING, bool(options), 'options' if options else 'no options', todo))
    is_unified = exchange.safe_integer(result, 'uta')
    if is_unified is not None:
        says = 'unified' if is_unified else 'not unified'
        found.append(Finding(ACCOUNT, is_unified == 1, says, 'upgrade it to a unified trading account: MMP needs one'))
    return found


# what is asked of an account; the others do not say, or it is not documented where
ASKED: dict[str, tuple[Ask, ...]] = {
    'okx': (of_okx,),
    'deribit': (of_deribit, of_deribit_key),
    'bybit': (of_bybit, of_bybit_key),
}
