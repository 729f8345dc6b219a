"""Lists of MMP orders only, complete unless a limit is given."""

from collections.abc import Callable, Sequence
from typing import Any

from ccxt.base.errors import BadRequest, BadResponse

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.order_flag import OrderFlag
from ccxt_mmp.types import Order, Params, Stock


class OrderLists(OrderFlag):
    """``fetch_open_orders`` and ``fetch_canceled_orders``, with the flag or without."""

    # --- set by the exchange mixins

    _own_flag_names_of_lists: tuple[str, ...]  # the exchange's filters by the kind of order

    async def _fetch_open_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """The open orders of one option or of all options, at least those within since and limit."""
        raise NotImplementedError

    async def _fetch_canceled_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """The cancelled orders, in the same way."""
        raise NotImplementedError

    async def _fetch_any_canceled_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """All cancelled orders: ccxt's own method, unless the exchange mixin replaces it."""
        orders: list[Order] = await await_result(stock(symbol, since, limit, params))
        return orders

    # --- the lists

    async def _fetch_open_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        flag, rest = self._flag_of_list('fetchOpenOrders', params)
        if not flag:
            orders: list[Order] = await await_result(stock(symbol, since, limit, rest))
            return orders
        fetch = self._fetch_open_mmp_orders
        return await self._mmp_orders('fetchOpenOrders', fetch, stock, symbol, since, limit, rest)

    async def _fetch_canceled_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        flag, rest = self._flag_of_list('fetchCanceledOrders', params)
        if not flag:
            return await self._fetch_any_canceled_orders(stock, symbol, since, limit, rest)
        fetch = self._fetch_canceled_mmp_orders
        return await self._mmp_orders('fetchCanceledOrders', fetch, stock, symbol, since, limit, rest)

    def _flag_of_list(self, method: str, params: Params) -> tuple[bool | None, Params]:
        self._refuse_misnamed_flag(method, params, self._own_flag_names_of_lists)
        flag = self._flag(method, 'mmp', params.get('mmp'), BadRequest)
        return flag, self.omit(params, 'mmp') if 'mmp' in params else params

    async def _mmp_orders(
        self,
        method: str,
        fetch: Callable[..., Any],
        stock: Stock,
        symbol: str | None,
        since: int | None,
        limit: int | None,
        params: Params,
    ) -> list[Order]:
        """The MMP orders only. A limit counts MMP orders, not the other orders in the list."""
        await self._load_markets()
        self._refuse_foreign_params(method, params)
        market = None if symbol is None else self._listed_market(method, symbol)
        if market is not None and not self._can_have_flag(market):
            return []  # other markets have no MMP orders
        if limit is None:
            limit = self.safe_integer(params, 'limit')
        # the list is complete and of options, so ccxt's pagination and market type do not apply
        rest = self.omit(params, ['limit', 'paginate', 'type'])
        orders = await fetch(stock, market, since, limit, rest)
        unclear = [order['id'] for order in orders if order['mmp'] is None]
        if unclear:
            raise BadResponse(f'{self.id} {method}() was not told whether {unclear} are MMP orders')
        # within a millisecond by id, so that a limit takes the newest
        in_time = sorted((order for order in orders if order['mmp']), key=age)
        listed: list[Order] = self.filter_by_symbol_since_limit(in_time, market and market['symbol'], since, limit)
        return listed


def last_id(orders: Sequence[Order]) -> str | None:
    """The lowest id of a page, which is its oldest order; None if an order has no id."""
    ids = [order['id'] for order in orders]
    return min(ids, key=as_number) if all(ids) else None


def age(order: Order) -> tuple[int, int, str]:
    """The sort key of orders, oldest first."""
    return order['timestamp'] or 0, *as_number(order['id'] or '')


def as_number(order_id: str) -> tuple[int, str]:
    """A sort key of an id, in numerical order."""
    return len(order_id), order_id
