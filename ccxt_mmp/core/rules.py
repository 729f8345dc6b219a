"""Checks params and the rule of a protection before anything is sent."""

from decimal import Decimal
from typing import Any

from ccxt.base.errors import ArgumentsRequired, BadRequest, ExchangeError, NotSupported

from ccxt_mmp.core.contract_sizes import UNITS, in_coins, whole_contracts
from ccxt_mmp.core.freezes import Freezes
from ccxt_mmp.core.numbers import EXACT, MAX_DECIMALS, MAX_NUMBER, exact_decimal, is_integer, plain
from ccxt_mmp.core.params import (
    GROUP,
    LIMITS,
    LIMITS_IN_PARAMS,
    MASS_CANCEL_FLAGS,
    NEVER_SENT,
    ONLY_CHECK,
    OWN_PARAMS,
    PASSED_OVER,
    has_misspelt,
    misspelt,
)
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import Params, Scope

ARGUMENTS = tuple(name for name in LIMITS if name not in LIMITS_IN_PARAMS)
TAKEN_LIMITS = {'setMmp': LIMITS, 'massCancelMmp': ('lockInterval',)}


class Rules(Freezes):
    """Checks against the table ``options['mmpLimits']`` of an exchange."""

    # --- set by the exchange mixins

    _mass_cancel_flag: str  # which of MASS_CANCEL_FLAGS the exchange has, '' if none
    _mass_cancel_fields: tuple[str, ...] = ()  # the exchange's own fields that a mass cancel sends
    _group_field: str = ''  # its own name of a group of mass quotes, '' if it has none
    _scope_field: str = ''  # its own flag of the scope rfq, '' if it has none

    def _describe_mmp(self) -> dict[str, Any]:
        """The settings that are added to ccxt's."""
        return {}

    def _contract_size(self, underlying_id: str) -> Decimal | None:
        """Coins per contract of the options of an underlying, or None if not known."""
        return Decimal(1)

    # --- params

    def _refuse_misspelt(self, method: str, params: Params, error: type[ExchangeError]) -> None:
        """Raise if a name is nearly one of the plugin's own: it must neither be ignored nor sent."""
        of_method = self.options.get(method)
        if not params and not of_method:
            return
        for where, given in (('params', params), (f"options['{method}']", of_method)):
            if not given or not isinstance(given, dict):
                continue
            if not has_misspelt(tuple(given)):
                continue
            own_fields = {*self._limit_fields(), self._group_field}
            slip = misspelt([name for name, value in given.items() if value is not None], own_fields)
            if slip is not None:
                raise error(f'{self.id} {method}() has no {slip[0]} in {where}, did you mean {slip[1]}?')

    def _has_scope(self, scope: Scope) -> bool:
        given = self.options.get('mmpLimits')
        return (isinstance(given, dict) and scope in given) or scope in self._default_limits()

    def _default_limits(self) -> dict[str, Any]:
        limits: dict[str, Any] = self._default_option('mmpLimits')
        return limits

    def _default_option(self, name: str) -> Any:
        """The plugin's default of an option, since the user may have replaced ``options``."""
        return self._describe_mmp().get('options', {}).get(name, {})

    def _mmp_limits(self, scope: Scope) -> dict[str, Any]:
        """What each limit accepts: ``options['mmpLimits']`` over the defaults."""
        default, given = self._default_limits().get(scope, {}), self.options.get('mmpLimits')
        of_scope = given.get(scope) if isinstance(given, dict) else None
        limits: dict[str, Any] = self.deep_extend(default, of_scope) if isinstance(of_scope, dict) else default
        return limits

    def _limit_fields(self) -> set[str]:
        """The exchange's own names of limits."""
        return {rule['field'] for limits in self._default_limits().values() for rule in limits.values() if rule}

    def _refuse_what_has_no_place(self, method: str, scope: Scope, params: Params) -> None:
        """Raise NotSupported for a limit or flag that the method or the exchange does not have."""
        own_flag = ('massCancelMmp', self._mass_cancel_flag)
        for name, value in params.items():
            if value is None or (method, name) == own_flag:
                continue
            if (method, name) == ('massCancelMmp', 'hedge') and self.has.get('massCancelMmpWs'):
                continue
            limits = self._mmp_limits(scope)
            if name in limits or name in LIMITS:
                taken = [each for each in TAKEN_LIMITS.get(method, ()) if limits.get(each) is not None]
                if name not in taken:
                    accepted = ', '.join(taken) or 'none'
                    raise NotSupported(
                        f'{self.id} {method}() has no {name} in the scope {scope}, of limits it takes {accepted}'
                    )
            elif name in MASS_CANCEL_FLAGS and value is not False and value is not ONLY_CHECK:
                raise NotSupported(f'{self.id} {method}() does not support {name}')
            elif name == GROUP and not self._group_field:
                raise NotSupported(f'{self.id} {method}() has no groups of mass quotes')
            elif name == 'qtyUnit' and (method != 'setMmp' or limits.get('qtyLimit') is None):
                raise NotSupported(f'{self.id} {method}() has no qtyLimit in the scope {scope}, so it takes no qtyUnit')

    def _mass_cancel_params(self, params: Params) -> Params:
        """The params that a mass cancel reads or sends. Raises NotSupported for others: they could narrow it."""
        if not params:
            return params
        if params.get('mmp') not in (None, True):
            raise BadRequest(f'{self.id} massCancelMmp() cancels MMP orders, received mmp {shown(params["mmp"])}')
        taken = {}
        for name, value in params.items():
            is_passed_over = name in PASSED_OVER and name not in self._mass_cancel_fields
            if value is None or is_passed_over:
                continue
            if name not in (*OWN_PARAMS, 'lockInterval', *self._mass_cancel_fields):
                raise NotSupported(
                    f'{self.id} massCancelMmp() cancels all MMP orders of an underlying and takes no {shown(name)}'
                )
            taken[name] = value
        return taken

    # --- the rule

    def _mmp_rule(
        self, method: str, scope: Scope, underlying_id: str | None, arguments: dict[str, object], params: Params
    ) -> Params:
        """The checked request fields of a rule. The exchange's own fields in params win over arguments."""
        limits = self._mmp_limits(scope)
        unit, params = self._mmp_option(method, 'qtyUnit', 'contracts', params)
        if unit not in UNITS:
            raise BadRequest(f'{self.id} {method}() qtyUnit must be one of {", ".join(UNITS)}, received {shown(unit)}')
        for name in ARGUMENTS:
            if params.get(name) is not None and name not in self._limit_fields():
                raise BadRequest(f'{self.id} {method}() takes {name} as an argument, not in params')
        arguments = {**arguments, **{name: params.get(name) for name in LIMITS_IN_PARAMS}}
        params = self._sent(self.omit(params, list(LIMITS_IN_PARAMS)))
        in_coins = unit == 'base' and underlying_id is not None and self._contract_size(underlying_id) != 1
        request: Params = {}
        for name in LIMITS:
            rule, value = limits.get(name), arguments.get(name)
            is_converted = in_coins and name == 'qtyLimit'
            if rule is None:
                self._refuse_what_has_no_place(method, scope, {name: value})
            elif is_converted and rule.get('field', name) in params:
                raise BadRequest(
                    f'{self.id} {method}() qtyLimit in params is in contracts: give coins as the argument, not there'
                )
            elif value is not None:
                number = self._mmp_number(method, name, rule, value)
                if is_converted:
                    number = self._in_contracts(method, rule, str(underlying_id), number)
                field = rule.get('field', name)
                if name in LIMITS_IN_PARAMS and field in params and exact_decimal(params[field]) != Decimal(number):
                    raise BadRequest(
                        f'{self.id} {method}() has two values in params for one limit, {name} {shown(value)} and '
                        f'{field} {shown(params[field])}'
                    )
                request[field] = number
            elif rule.get('required', True) and rule.get('field', name) not in params:
                raise ArgumentsRequired(
                    f'{self.id} {method}() requires a {name} in the scope {scope}: {_accepted_number(rule)}'
                )
        return {**request, **params}

    def _in_contracts(self, method: str, rule: dict[str, Any], underlying_id: str, coins: str) -> str:
        size = self._contract_size(underlying_id)
        if size is None:
            raise ArgumentsRequired(
                f'{self.id} {method}() does not know how many coins a contract of {underlying_id} is: load the markets '
                f"or set options['mmpContractSizes']['{underlying_id}']"
            )
        contracts = whole_contracts(Decimal(coins), size)
        if contracts is None:
            raise BadRequest(
                f'{self.id} {method}() qtyLimit of {coins} coins is no whole number of contracts of {plain(size)} coins'
            )
        return self._mmp_number(method, 'qtyLimit', rule, contracts)

    def _qty_limit_base(self, entry: dict[str, Any], name: str, underlying_id: str | None) -> float | None:
        """The quantity limit of an answer, in coins."""
        coins = None
        if underlying_id is not None and self._safe_number(entry, name) is not None:
            coins = in_coins(self.safe_string(entry, name), self._contract_size(underlying_id))
        value: float | None = self.parse_number(coins)
        return value

    def _mmp_number(self, method: str, name: str, rule: dict[str, Any], value: object) -> str:
        """The checked number as the plain decimal to send, in steps where the exchange counts steps."""
        number = exact_decimal(value)
        if (
            number is None
            or (rule.get('integer') and not is_integer(number))
            or ('min' in rule and number < rule['min'])
            or ('max' in rule and number > rule['max'])
            or ('above' in rule and number <= rule['above'])
            or ('step' in rule and EXACT.remainder(number, rule['step']))
            or ('decimals' in rule and not is_integer(EXACT.scaleb(number, rule['decimals'])))
        ):
            raise BadRequest(f'{self.id} {method}() {name} must be {_accepted_number(rule)}, received {shown(value)}')
        return plain(EXACT.divide(number, rule['step']) if 'step' in rule else number)

    @staticmethod
    def _sent(params: Params) -> Params:
        """A copy of params without None values and without what is not meant for the exchange."""
        return {name: value for name, value in params.items() if value is not None and name not in NEVER_SENT}


def _accepted_number(rule: dict[str, Any]) -> str:
    """What a limit accepts, in words."""
    bounds = (('min', 'of at least'), ('above', 'above'), ('max', 'and at most'))
    rule = {'max': MAX_NUMBER, **rule}
    words = [f'{words} {rule[bound]}' for bound, words in bounds if bound in rule]
    kind = f'a number of at most {rule.get("decimals", MAX_DECIMALS)} decimals'
    if rule.get('integer'):
        kind = f'a multiple of {rule["step"]}' if 'step' in rule else 'an integer'
    return ' '.join([kind, *words])
