"""Binance: rules and resets of MMP."""

from ccxt_mmp.simulator.accounts import Protection, Rule
from ccxt_mmp.simulator.venues.binance.calls import (
    Call,
    Parameters,
    read_integer,
    read_limit,
    read_privileged_underlying,
    read_text,
)
from ccxt_mmp.simulator.venues.binance.markets import underlying_number
from ccxt_mmp.simulator.venues.binance.tables import MAX_WINDOW, VENUE
from ccxt_mmp.simulator.wire import ApiError, is_natural


def set_config(call: Call) -> Parameters:
    underlying = read_privileged_underlying(call)
    window = read_integer(call.parameters, 'windowTimeInMilliseconds')
    if not 0 < window <= MAX_WINDOW:
        raise ApiError(400, '-6001', 'Invalid mmp window time limit')
    text = read_text(call.parameters, 'frozenTimeInMilliseconds')
    if not is_natural(text):
        raise ApiError(400, '-6002', 'Invalid mmp frozen time limit')
    rule = Rule(
        window=window,
        frozen_time=int(text),
        qty_limit=read_limit(call.parameters, 'qtyLimit'),
        delta_limit=read_limit(call.parameters, 'deltaLimit'),
    )
    return _config(call, underlying, rule, call.engine.set_rule(call.account, VENUE, underlying, rule))


def reset(call: Call) -> Parameters:
    underlying, rule, protection = _known_rule(call)
    call.engine.reset(call.account, VENUE, underlying)
    return _config(call, underlying, rule, protection)


def get_config(call: Call) -> Parameters:
    return _config(call, *_known_rule(call))


def _known_rule(call: Call) -> tuple[str, Rule, Protection]:
    underlying = read_privileged_underlying(call)
    protection = call.account.protection(VENUE, underlying)
    if protection.rule is None:
        raise ApiError(400, '-6006', 'Mmp rules are not existing')
    return underlying, protection.rule, protection


def _config(call: Call, underlying: str, rule: Rule, protection: Protection) -> Parameters:
    return {
        'underlyingId': underlying_number(call, underlying),
        'underlying': underlying,
        'windowTimeInMilliseconds': rule.window,
        'frozenTimeInMilliseconds': rule.frozen_time,
        'qtyLimit': rule.qty_limit,
        'deltaLimit': rule.delta_limit,
        'lastTriggerTime': protection.last_trigger,
    }
