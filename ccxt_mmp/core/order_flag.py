"""The MMP flag of an order: where it is written, what it is called, and which orders can have it."""

from functools import lru_cache
from typing import Any

from ccxt.base.errors import BadSymbol, InvalidOrder

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.host import Host
from ccxt_mmp.core.params import OWN_NAMES, misspelt
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import Params

# what makes a limit order something else, by ccxt's names and the exchanges' own
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

# the flag as the exchanges call it, and the order types that are it, without case and separators
FLAG_NAMES = {'mmp', 'ismmp'}
TYPE_NAMES = {'ordtype', 'ordertype', 'type'}
FLAGGED_TYPES = {'mmp', 'mmpandpostonly'}


class OrderFlag(Host):
    """What the params of an order say about the flag."""

    # --- what the exchange mixins say of it

    _own_flag_names: tuple[str, ...]  # params that say whether it is an MMP order
    _own_order_types: tuple[str, ...]  # besides 'limit'
    _has_flag_over_websocket: bool
    _loads_options: bool  # whether load_markets() loads options unless it is told otherwise
    _flagged_markets: str = 'options'  # for people: the orders of which can have the flag

    def _own_flags(self, type: Any, params: Params) -> set[bool]:
        """What the exchange's own names say about the flag."""
        raise NotImplementedError

    def _flag_told(self, info: Any) -> bool | None:
        """Whether the exchange's own answer is about an MMP order; None if it does not say."""
        raise NotImplementedError

    def _own_type_is_post_only(self, type: Any, params: Params) -> bool:
        raise NotImplementedError

    # --- the flag

    def _is_mmp_order(self, type: Any, params: Params, method: str = 'createOrder') -> bool:
        """Whether an order is to carry the flag, by ccxt's name or the exchange's own; InvalidOrder if they differ."""
        self._refuse_misnamed_flag(method, params, self._own_flag_names)
        if isinstance(type, str) and type not in self._own_order_types and plain_name(type) in FLAGGED_TYPES:
            raise InvalidOrder(f'{self.id} {method}() has no order type {shown(type)}: the flag is params mmp')
        says = {self._flag(method, 'mmp', params.get('mmp'), InvalidOrder), *self._own_flags(type, params)}
        if True in says and False in says:
            raise InvalidOrder(
                f'{self.id} {method}() is told by one name that it is an MMP order and by another that it is not: '
                f'type {shown(type)}, params {shown(params)}'
            )
        return True in says

    def _refuse_misnamed_flag(self, method: str, params: Params, own_names: tuple[str, ...] = ()) -> None:
        """An order that is protected by a name which the exchange does not read is not protected at all."""
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
        """What other methods of this package take, or nearly, is never dropped in silence, nor sent with MMP orders."""
        for name, value in params.items():
            slip = misspelt([name])
            if value is not None and name != 'mmp' and (name in OWN_NAMES or slip is not None):
                meant = f', did you mean {slip[1]}?' if slip is not None else ' with the MMP flag'
                raise InvalidOrder(f'{self.id} {method}() takes no {shown(name)}{meant}')

    def _refuse_flag_beside_params(self, order: Params) -> None:
        """The flag of an order of ``create_orders``, which reads it from the order's params alone."""
        for name, value in order.items():
            if name not in ('type', 'params') and value is not None and value is not False and means_flag(name, value):
                raise InvalidOrder(
                    f'{self.id} createOrders() reads the MMP flag from the params of an order, not from the order: '
                    f'{shown(order)}'
                )

    def _is_post_only(self, symbol: str, type: Any, params: Params, method: str = 'createOrder') -> bool:
        """Whether an MMP order is post-only; InvalidOrder if it is anything but a limit order of an option."""
        if not self._can_have_flag(self._listed_market(method, symbol)):
            raise self._no_mmp_order(symbol, self._flagged_markets, params, method)
        if str(type).lower() not in ('limit', *self._own_order_types):
            raise self._no_mmp_order(symbol, 'limit', {'type': type}, method)
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
        return InvalidOrder(f'{self.id} {method}() MMP orders are {kind} alone, received {symbol} {shown(given)}')

    # --- the market

    def _can_have_flag(self, market: dict[str, Any]) -> bool:
        """Whether the orders of a market can have the flag."""
        return market.get('option') is True

    async def _load_markets(self) -> None:
        if not self.markets:
            await await_result(self.load_markets())

    def _listed_market(self, method: str, symbol: Any) -> dict[str, Any]:
        """The market of a symbol or an id. ccxt makes up one of an option that it does not know, without precision."""
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
        return "options['fetchMarkets']['types'] must have 'option'; then load_markets(True) loads it"

    def _is_option(self, market: Any) -> bool | None:
        """Whether the market of an order is one of an option; None if it is not known."""
        is_option: bool | None = self.safe_bool(market, 'option') if isinstance(market, dict) else None
        return is_option


@lru_cache
def plain_name(name: str) -> str:
    """A name without case and separators."""
    return name.lower().replace('_', '').replace('-', '')


def means_flag(name: object, value: object) -> bool:
    """Whether a param would be the flag under some spelling or on some exchange."""
    name = plain_name(str(name))
    if name in TYPE_NAMES:
        return isinstance(value, str) and plain_name(value) in FLAGGED_TYPES
    return name in FLAG_NAMES


def resembles_option(symbol: str) -> bool:
    """Whether ccxt would take it for an option."""
    return '-C' in symbol or '-P' in symbol or symbol.startswith(('C-', 'P-'))
