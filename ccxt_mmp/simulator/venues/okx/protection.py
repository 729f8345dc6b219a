"""OKX: rules and resets of MMP, of options and of block trading."""

from ccxt_mmp.simulator.accounts import Protection, Rule
from ccxt_mmp.simulator.venues.okx.calls import (
    Call,
    Parameters,
    Rows,
    read_family,
    read_integer,
    read_positive,
    require_privilege,
)
from ccxt_mmp.simulator.venues.okx.tables import MAX_RFQ_WINDOW, REJECTED, VENUE
from ccxt_mmp.simulator.wire import ApiError


def set_config(call: Call) -> Rows:
    require_privilege(call, '51035', REJECTED['no_privilege'][1])
    family = read_family(call)
    rule = Rule(
        window=read_integer(call.parameters, 'timeInterval'),
        frozen_time=read_integer(call.parameters, 'frozenInterval'),
        qty_limit=read_positive(call.parameters, 'qtyLimit'),
    )
    call.engine.set_rule(call.account, VENUE, family, rule)
    return [_config(family, rule)]


def get_config(call: Call) -> Rows:
    require_privilege(call, '51035', REJECTED['no_privilege'][1])
    every = call.engine.series[VENUE]
    families = [read_family(call)] if 'instFamily' in call.parameters else list(every)
    protections = [(family, call.account.protection(VENUE, family)) for family in families]
    return [
        {**_config(family, protection.rule), **_freeze(protection, call.now)}
        for family, protection in protections
        if protection.rule is not None
    ]


def reset(call: Call) -> Rows:
    require_privilege(call, '59509', 'Account does not have permission to reset MMP status')
    if call.parameters.get('instType', 'OPTION') != 'OPTION':
        raise ApiError(400, '51000', 'Parameter instType error')
    call.engine.reset(call.account, VENUE, read_family(call))
    return [{'result': True}]


def set_rfq_config(call: Call) -> Rows:
    require_privilege(call, '51035', REJECTED['no_privilege'][1])
    rule = Rule(
        window=read_integer(call.parameters, 'timeInterval'),
        frozen_time=read_integer(call.parameters, 'frozenInterval'),
        count_limit=str(read_integer(call.parameters, 'countLimit')),
    )
    if rule.count_limit == '0':
        raise ApiError(400, '51000', 'Parameter countLimit error')
    if rule.window > MAX_RFQ_WINDOW:
        raise ApiError(400, '51000', 'Parameter timeInterval error')
    call.engine.set_rule(call.account, VENUE, None, rule)
    return [_rfq_config(rule)]


def get_rfq_config(call: Call) -> Rows:
    require_privilege(call, '51035', REJECTED['no_privilege'][1])
    protection = call.account.protection(VENUE, None)
    if protection.rule is None:
        return []
    return [{**_rfq_config(protection.rule), **_freeze(protection, call.now)}]


def reset_rfq(call: Call) -> Rows:
    require_privilege(call, '59509', 'Account does not have permission to reset MMP status')
    call.engine.reset(call.account, VENUE, None)
    return [{'ts': str(call.now)}]


def _config(family: str, rule: Rule) -> Parameters:
    return {
        'frozenInterval': str(rule.frozen_time),
        'instFamily': family,
        'qtyLimit': rule.qty_limit,
        'timeInterval': str(rule.window),
    }


def _rfq_config(rule: Rule) -> Parameters:
    return {
        'frozenInterval': str(rule.frozen_time),
        'countLimit': rule.count_limit,
        'timeInterval': str(rule.window),
    }


def _freeze(protection: Protection, now: int) -> Parameters:
    # documented as remaining ms today, "" when not frozen or frozen until a reset
    until = protection.frozen_until(now)
    return {
        'mmpFrozen': protection.is_frozen(now),
        'mmpFrozenUntil': '' if until is None else str(until - now),
    }
