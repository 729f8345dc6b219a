"""Deribit: rules, freezes and resets of MMP: of orders, of groups of mass quotes, and of Block RFQ."""

from dataclasses import dataclass

from ccxt_mmp.simulator.accounts import Protection, Rule
from ccxt_mmp.simulator.venues.deribit.calls import (
    Call,
    InvalidParamsError,
    Parameters,
    number,
    read_boolean,
    read_integer,
    read_limit,
    read_text,
    require_privilege,
)
from ccxt_mmp.simulator.venues.deribit.tables import ALL, MAX_GROUPS, MAX_LABEL, MAX_SECONDS, MAX_TRADES, VENUE

BLOCK_RFQ = 'block_rfq:'  # what the engine calls the Block-RFQ protection of an index
LIMITS = {'quantity_limit': 'qty_limit', 'delta_limit': 'delta_limit', 'vega_limit': 'vega_limit'}


@dataclass(frozen=True)
class Name:
    """A protection: of orders, of a group of mass quotes, or of Block RFQ."""

    index: str
    group: str | None = None
    block_rfq: bool = False

    @property
    def key(self) -> str | None:
        """What the engine calls it."""
        if self.block_rfq:
            return None if self.index == ALL else f'{BLOCK_RFQ}{self.index}'
        return self.index if self.group is None else f'{self.index}/{self.group}'

    @property
    def shape(self) -> Parameters:
        row: Parameters = {'index_name': self.index}
        if self.group is not None:
            row['mmp_group'] = self.group
        if self.block_rfq:
            row['block_rfq'] = True
        return row


def set_config(call: Call) -> Parameters:
    require_privilege(call)
    name = _name(call)
    interval = read_integer(call.parameters, 'interval', MAX_SECONDS)
    frozen_time = read_integer(call.parameters, 'frozen_time', MAX_SECONDS)
    limits = {own: read_limit(call.parameters, field) for field, own in LIMITS.items()}
    max_quote = read_limit(call.parameters, 'max_quote_quantity')
    trades = None
    if call.parameters.get('trade_count_limit') is not None:
        if name.key is not None:
            raise InvalidParamsError('trade_count_limit', 'only allowed with block_rfq and index_name all')
        trades = str(read_integer(call.parameters, 'trade_count_limit', MAX_TRADES))
    if max_quote is None and not name.block_rfq:
        raise InvalidParamsError('max_quote_quantity', 'value required')
    if interval and trades is None and not any(limits.values()):
        raise InvalidParamsError('quantity_limit', 'at least one limit is required')
    if name.group is not None:
        groups = {each.group: each.index for each in _every(call) if each.group is not None}
        if groups.get(name.group, name.index) != name.index:
            raise InvalidParamsError('mmp_group', 'group is of another index')
        if name.group not in groups and len(groups) >= MAX_GROUPS:
            raise InvalidParamsError('mmp_group', f'at most {MAX_GROUPS} groups')
    rule = Rule(interval * 1000, frozen_time * 1000, count_limit=trades, max_quote=max_quote, **limits)
    protection = call.engine.set_rule(call.account, VENUE, name.key, rule)
    if interval == 0:  # what becomes of open orders then is not documented: they stay [unverified]
        protection.rule = None
    elif name.key is not None:
        call.engine.curtail(call.account, VENUE, name.key, call.now)
    return _config(name, rule)


def get_config(call: Call) -> list[Parameters]:
    require_privilege(call)
    rules = [(each, call.account.protection(VENUE, each.key).rule) for each in _asked(call)]
    return [_config(name, rule) for name, rule in rules if rule is not None]


def get_status(call: Call) -> list[Parameters]:
    """Those that are frozen; 0 is until a reset."""
    require_privilege(call)
    protections = [(each, call.account.protection(VENUE, each.key)) for each in _asked(call)]
    return [
        {**name.shape, 'frozen_until': protection.frozen_until(call.now) or 0}
        for name, protection in protections
        if protection.is_frozen(call.now)
    ]


def reset(call: Call) -> str:
    require_privilege(call)
    call.engine.reset(call.account, VENUE, _name(call).key)
    return 'ok'


def _name(call: Call) -> Name:
    """The protection that the parameters name."""
    index = read_text(call.parameters, 'index_name')
    block_rfq = read_boolean(call.parameters, 'block_rfq')
    if index not in call.engine.series[VENUE] and not (index == ALL and block_rfq):
        raise InvalidParamsError('index_name', 'invalid index name')
    group = call.parameters.get('mmp_group')
    if group is not None and (block_rfq or not isinstance(group, str) or not 0 < len(group) <= MAX_LABEL):
        raise InvalidParamsError('mmp_group', 'invalid group')
    return Name(index, group, block_rfq)


def _asked(call: Call) -> list[Name]:
    """The one that the parameters name, or every one of that kind."""
    if call.parameters.get('index_name') is not None:
        return [_name(call)]
    if call.parameters.get('mmp_group') is not None:
        raise InvalidParamsError('index_name', 'value required')
    block_rfq = read_boolean(call.parameters, 'block_rfq')
    return [each for each in _every(call) if each.block_rfq == block_rfq]


def _every(call: Call) -> list[Name]:
    """Every protection that the account was given."""
    keys = [key for (venue, key), each in call.account.protections.items() if venue == VENUE and _is_known(each)]
    return [named(key) for key in keys]


def _is_known(protection: Protection) -> bool:
    return protection.rule is not None or protection.freeze_ends > 0


def named(key: str | None) -> Name:
    if key is None:
        return Name(ALL, block_rfq=True)
    if key.startswith(BLOCK_RFQ):
        return Name(key.removeprefix(BLOCK_RFQ), block_rfq=True)
    index, _, group = key.partition('/')
    return Name(index, group or None)


def _config(name: Name, rule: Rule) -> Parameters:
    """A limit that is off is left out."""
    limits = {
        'quantity_limit': rule.qty_limit,
        'delta_limit': rule.delta_limit,
        'vega_limit': rule.vega_limit,
        'max_quote_quantity': rule.max_quote,
        'trade_count_limit': rule.count_limit,
    }
    seconds = {'interval': rule.window // 1000, 'frozen_time': rule.frozen_time // 1000}
    return {**name.shape, **seconds, **{each: number(limit) for each, limit in limits.items() if limit is not None}}
