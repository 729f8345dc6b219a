"""Bybit: rules, freezes and resets of MMP, of each coin."""

from ccxt_mmp.simulator.accounts import Protection, Rule
from ccxt_mmp.simulator.venues.bybit.calls import (
    Call,
    Parameters,
    invalid,
    read_coin,
    read_limit,
    read_natural,
    require_privilege,
)
from ccxt_mmp.simulator.venues.bybit.tables import DEFAULT_VEGA_LIMIT, NO_TIME, VENUE


def modify(call: Call) -> None:
    require_privilege(call)
    coin = read_coin(call)
    # no range is documented; a window of 0 would count nothing, and nothing switches MMP off [unverified]
    window = read_natural(call.parameters, 'window')
    if window == 0:
        raise invalid('window')
    # without the field the limit is the default again, not the earlier one [unverified]
    vega = call.parameters if call.parameters.get('vegaLimit') is not None else {'vegaLimit': DEFAULT_VEGA_LIMIT}
    rule = Rule(
        window=window,
        frozen_time=read_natural(call.parameters, 'frozenPeriod'),
        qty_limit=read_limit(call.parameters, 'qtyLimit'),
        delta_limit=read_limit(call.parameters, 'deltaLimit'),
        vega_limit=read_limit(vega, 'vegaLimit'),
    )
    call.engine.set_rule(call.account, VENUE, coin, rule)


def reset(call: Call) -> None:
    """It ends a freeze and clears what was counted; the rule stays."""
    require_privilege(call)
    call.engine.reset(call.account, VENUE, read_coin(call))


def state(call: Call) -> Parameters:
    """Of a coin that has no rule the array is empty [unverified]."""
    require_privilege(call)
    coin = read_coin(call)
    protection = call.account.protection(VENUE, coin)
    return {'result': [] if protection.rule is None else [_state(coin, protection.rule, protection, call.now)]}


def _state(coin: str, rule: Rule, protection: Protection, now: int) -> Parameters:
    until = protection.frozen_until(now)
    # the end of a freeze is told after it, too, as the documented example does
    ended = protection.freeze_ends if not protection.is_frozen(now) else 0
    return {
        'baseCoin': coin,
        'mmpEnabled': True,
        'window': str(rule.window),
        'frozenPeriod': str(rule.frozen_time),
        'qtyLimit': rule.qty_limit,
        'deltaLimit': rule.delta_limit,
        'vegaLimit': DEFAULT_VEGA_LIMIT if rule.vega_limit is None else rule.vega_limit,
        'mmpFrozenUntil': str(int(until or ended)) if until or ended else NO_TIME,
        'mmpFrozen': protection.is_frozen(now),
    }
