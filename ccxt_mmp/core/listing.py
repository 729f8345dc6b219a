"""Lists of MMP orders alone, complete unless a limit is asked for, for the exchange mixins."""

from collections.abc import Callable, Sequence
from typing import Any

from ccxt.base.errors import BadRequest, BadResponse

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.order_flag import OrderFlag
from ccxt_mmp.types import Order, Params, Stock


class OrderLists(OrderFlag):
    """``fetch_open_orders`` and ``fetch_canceled_orders``, with the flag or without."""

    # --- what the exchange mixins say of it

    _own_flag_names_of_lists: tuple[str, ...]  # filters by the kind of order

    async def _fetch_open_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """The open orders of an option, or of all of them, or at least those within since and limit."""
        raise NotImplementedError

    async def _fetch_canceled_mmp_orders(
        self, stock: Stock, market: Params | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """The cancelled ones, likewise."""
        raise NotImplementedError

    async def _fetch_any_canceled_orders(
        self, stock: Stock, symbol: str | None, since: int | None, limit: int | None, params: Params
    ) -> list[Order]:
        """Those with the flag and without: ccxt's alone unless the exchange mixin says otherwise."""
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
        """The MMP orders alone; a limit counts them, not what the exchange lists beside them."""
        await self._load_markets()
        self._refuse_foreign_params(method, params)
        market = None if symbol is None else self._listed_market(method, symbol)
        if market is not None and not self._can_have_flag(market):
            return []  # no order of another market is one
        if limit is None:
            limit = self.safe_integer(params, 'limit')
        # it is all that there is, so that neither ccxt's pagination nor a market type has a say
        rest = self.omit(params, ['limit', 'paginate', 'type'])
        orders = await fetch(stock, market, since, limit, rest)
        unclear = [order['id'] for order in orders if order['mmp'] is None]
        if unclear:
            raise BadResponse(f'{self.id} {method}() was not told whether {unclear} are MMP orders')
        # those of one millisecond by id, so that a limit takes the newest
        in_time = sorted((order for order in orders if order['mmp']), key=age)
        listed: list[Order] = self.filter_by_symbol_since_limit(in_time, market and market['symbol'], since, limit)
        return listed


def last_id(orders: Sequence[Order]) -> str | None:
    """The id of the oldest order of a page, as they ascend; None if one has none."""
    ids = [order['id'] for order in orders]
    return min(ids, key=as_number) if all(ids) else None


def age(order: Order) -> tuple[int, int, str]:
    """What orders are sorted by, the oldest first."""
    return order['timestamp'] or 0, *as_number(order['id'] or '')


def as_number(order_id: str) -> tuple[int, str]:
    """An id that sorts as the number that it is."""
    return len(order_id), order_id
