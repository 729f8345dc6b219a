"""What the exchanges say of an account and its key, as far as it is documented: permissions, mode and privilege."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from ccxt.base.errors import BadResponse

from ccxt_mmp.core.text import shown

KEY, TRADING, MODE, PRIVILEGE = 'key', 'trading', 'margin mode', 'privilege'


class Finding(NamedTuple):
    """What one check found."""

    what: str
    is_right: bool | None  # None: it is not known, which is no failure
    says: str
    todo: str = ''  # what to do if it is not right


NO_WORD, TAKEN = 'the exchange does not say', 'it is taken'


async def of_okx(exchange: Any) -> list[Finding]:
    answer = await exchange.privateGetAccountConfig()
    #
    #     {"code":"0","msg":"","data":[{"acctLv":"2","perm":"read_only,withdraw,trade","posMode":"net_mode",...}]}
    #
    rows = exchange.safe_list(answer, 'data', [])
    entry = rows[0] if rows and isinstance(rows[0], dict) else {}
    given = exchange.safe_string(entry, 'perm')
    level = exchange.safe_string(entry, 'acctLv')
    trading = Finding(TRADING, None, NO_WORD)
    if given is not None:
        has_it = 'trade' in given.split(',')
        trading = Finding(TRADING, has_it, given, 'give the API key the permission to trade, on the page of API keys')
    mode = NO_WORD if level is None else f'account level {level}'
    return [Finding(KEY, True, TAKEN), trading, Finding(MODE, None, mode, 'MMP orders need the portfolio margin mode')]


async def of_deribit(exchange: Any) -> list[Finding]:
    answer = await exchange.privateGetGetAccountSummary({'currency': 'BTC', 'extended': True})
    #
    #     {"jsonrpc":"2.0","result":{"portfolio_margining_enabled":false,"mmp_enabled":true,"currency":"BTC",...}}
    #
    summary = exchange.safe_dict(answer, 'result')
    if summary is None:
        raise BadResponse(f'{exchange.id} does not tell of the account: {shown(answer)}')
    mode = exchange.safe_bool(summary, 'portfolio_margining_enabled')
    privilege = exchange.safe_bool(summary, 'mmp_enabled')
    modes = {True: 'portfolio margin', False: 'no portfolio margin', None: NO_WORD}
    privileges = {True: 'MMP is enabled', False: 'MMP is not enabled', None: NO_WORD}
    return [
        Finding(KEY, True, TAKEN),
        Finding(TRADING, None, NO_WORD),
        Finding(MODE, mode, modes[mode], 'MMP orders of options need portfolio margin: change the margin model'),
        Finding(PRIVILEGE, privilege, privileges[privilege], exchange._mmp_access),
    ]


async def of_any(exchange: Any) -> list[Finding]:
    """An exchange of which it is not documented what tells."""
    return [Finding(KEY, None, NO_WORD), Finding(TRADING, None, NO_WORD), Finding(MODE, None, NO_WORD)]


ASKED: dict[str, Callable[[Any], Awaitable[list[Finding]]]] = {'okx': of_okx, 'deribit': of_deribit}
