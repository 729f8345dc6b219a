"""The MMP flag of an order: its names and places, and which orders can have it."""

from functools import lru_cache
from typing import Any

from ccxt.base.errors import BadSymbol, InvalidOrder

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.host import Host
from ccxt_mmp.core.params import OWN_NAMES, misspelt
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import Params

# params that make a limit order conditional, by ccxt's names and the exchanges' own
CONDITIONS = (
    'activationPrice',
    'callbackRate',
    'stopLoss',
    'stopLossPrice',
    'stopPrice',
    'takeProfit',
    'takeProfitPrice',
    'trailingAmount',
    'trailingDelta',
    'trailingPercent',
    'trailingPrice',
    'trailingTriggerPrice',
    'triggerPrice',
)
POST_ONLY = ('PO', 'GTX')  # as times in force

# names of the flag and order types that imply it, without case and separators
FLAG_NAMES = {'mmp', 'ismmp'}
TYPE_NAMES = {'ordtype', 'ordertype', 'type'}
FLAGGED_TYPES = {'mmp', 'mmpandpostonly'}


class OrderFlag(Host):
    """Reads and checks the flag in the params of an order."""

    # --- set by the exchange mixins

    _own_flag_names: tuple[str, ...]  # the exchange's own params that carry the flag
    _own_order_types: tuple[str, ...]  # besides 'limit'
    _order_market_field: str  # the exchange's own name of the market, in the request of an order and in lists
    _has_flag_over_websocket: bool
    _loads_options: bool  # whether load_markets() loads options by default
    _flagged_markets: str = 'options'  # for people: the orders of which can have the flag

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        """The values of the flag under the exchange's own names."""
        raise NotImplementedError

    def _flag_told(self, info: Any) -> bool | None:
        """Whether the exchange's answer says that it is an MMP order; None if it does not say."""
        raise NotImplementedError

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        raise NotImplementedError

    # --- the flag

    def _is_mmp_order(self, type: Any, params: Params, method: str = 'createOrder') -> bool:
        """Whether the order has the flag, under any of its names. Raises InvalidOrder if they contradict each other."""
        self._refuse_misnamed_flag(method, params, self._own_flag_names)
        if isinstance(type, str) and type not in self._own_order_types and plain_name(type) in FLAGGED_TYPES:
            raise InvalidOrder(f'{self.id} {method}() has no order type {shown(type)}: the flag is params mmp')
        says = {self._flag(method, 'mmp', params.get('mmp'), InvalidOrder), *self._own_flags(type, params)}
        if True in says and False in says:
            raise InvalidOrder(
                f'{self.id} {method}() received contradicting flags: type {shown(type)}, params {shown(params)}'
            )
        return True in says

    def _refuse_misnamed_flag(self, method: str, params: Params, own_names: tuple[str, ...] = ()) -> None:
        """Raise for the flag under a name that the exchange does not read: the order would not be protected."""
        for name, value in params.items():
            if name == 'mmp' or name in own_names or value is None:
                continue
            names_flag = means_flag(name, value)
            if name == 'params' and isinstance(value, dict):
                names_flag = any(means_flag(inner, said) for inner, said in value.items())
            if names_flag:
                accepted = ' or '.join(('mmp', *own_names))
                raise InvalidOrder(
                    f'{self.id} {method}() does not know the MMP flag as {shown({name: value})}, use {accepted}'
                )

    def _refuse_foreign_params(self, method: str, params: Params) -> None:
        """Raise for params of other methods of this package, also misspelt ones."""
        for name, value in params.items():
            slip = misspelt([name])
            if value is not None and name != 'mmp' and (name in OWN_NAMES or slip is not None):
                meant = f', did you mean {slip[1]}?' if slip is not None else ' with the MMP flag'
                raise InvalidOrder(f'{self.id} {method}() takes no {shown(name)}{meant}')

    def _refuse_flag_beside_params(self, order: Params) -> None:
        """Raise for the flag beside the params of an order of ``create_orders``."""
        for name, value in order.items():
            if name not in ('type', 'params') and value is not None and value is not False and means_flag(name, value):
                raise InvalidOrder(
                    f'{self.id} createOrders() reads the MMP flag from the params of an order, not from the order: '
                    f'{shown(order)}'
                )

    def _is_post_only(self, symbol: str, type: Any, params: Params, method: str = 'createOrder') -> bool:
        """Whether an MMP order is post-only. Raises InvalidOrder unless it can be an MMP order."""
        market = self._listed_market(method, symbol)
        if not self._can_have_flag(market):
            raise self._no_mmp_order(symbol, f'of {self._flagged_markets}', params, method)
        field = self._order_market_field
        if params.get(field) not in (None, market['id']):  # ccxt would send it instead
            raise self._no_mmp_order(symbol, 'of one market', {field: params[field]}, method)
        if str(type).lower() not in ('limit', *self._own_order_types):
            raise self._no_mmp_order(symbol, 'limit orders', {'type': type}, method)
        conditions = {name: params[name] for name in CONDITIONS if params.get(name) is not None}
        if conditions:
            raise self._no_mmp_order(symbol, 'unconditional', conditions, method)
        time_in_force = str(params.get('timeInForce') or 'GTC').upper()
        if time_in_force not in ('GTC', *POST_ONLY):
            raise self._no_mmp_order(symbol, 'GTC or post-only', {'timeInForce': time_in_force}, method)
        given = self._flag(method, 'postOnly', params.get('postOnly'), InvalidOrder)
        implied = time_in_force in POST_ONLY or self._own_type_is_post_only(type, params)
        if implied and given is False:
            raise self._no_mmp_order(symbol, 'either post-only or not', params, method)
        return implied or given is True

    def _no_mmp_order(self, symbol: str, kind: str, given: Params, method: str = 'createOrder') -> InvalidOrder:
        return InvalidOrder(f'{self.id} {method}() MMP orders must be {kind}, received {symbol} {shown(given)}')

    def _flag_read(self, info: Any, market: Any) -> bool | None:
        """The flag of an order that was read: False where no order of its market can have it."""
        if self._is_option(market) is not None and not self._can_have_flag(market):
            return False
        return self._flag_told(info)

    # --- the market

    def _can_have_flag(self, market: dict[str, Any]) -> bool:
        """Whether the orders of a market can have the flag."""
        return market.get('option') is True

    async def _load_markets(self) -> None:
        if not self.markets:
            await await_result(self.load_markets())

    def _listed_market(self, method: str, symbol: Any) -> dict[str, Any]:
        """The market of a symbol or an id. ccxt would make one up for an option that it does not know."""
        if isinstance(symbol, str) and not self._is_listed(symbol) and resembles_option(symbol):
            raise BadSymbol(
                f'{self.id} {method}() finds no {symbol} among the loaded markets: {self._how_to_load_options()}'
            )
        market: dict[str, Any] = self.market(symbol)
        return market

    def _is_listed(self, symbol: str) -> bool:
        return symbol in (self.markets or {}) or symbol in (self.markets_by_id or {})

    def _how_to_load_options(self) -> str:
        configured = self.options.get('fetchMarkets')
        types = configured.get('types') if isinstance(configured, dict) else configured
        loads_all = isinstance(configured, dict) and configured.get('loadAllOptions')
        loads_options = 'option' in types if isinstance(types, (list, tuple)) else self._loads_options
        if loads_options or loads_all or self.options.get('loadAllOptions'):
            return 'load_markets(True) loads what was listed since the markets were loaded'
        return "options['fetchMarkets'] must have 'option', as in ['option']; then load_markets(True) loads it"

    def _is_option(self, market: Any) -> bool | None:
        """Whether a market is an option; None if it does not say."""
        is_option: bool | None = self.safe_bool(market, 'option') if isinstance(market, dict) else None
        return is_option


@lru_cache
def plain_name(name: str) -> str:
    """A name without case and separators."""
    return name.lower().replace('_', '').replace('-', '')


def means_flag(name: object, value: object) -> bool:
    """Whether a param is the flag in some spelling or of some exchange."""
    name = plain_name(str(name))
    if name in TYPE_NAMES:
        return isinstance(value, str) and plain_name(value) in FLAGGED_TYPES
    return name in FLAG_NAMES


def resembles_option(symbol: str) -> bool:
    """Whether ccxt takes the symbol for an option."""
    return '-C' in symbol or '-P' in symbol or symbol.startswith(('C-', 'P-'))
