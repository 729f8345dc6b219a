"""The MMP orders that rest, counted without loading markets."""

from typing import Any

from ccxt.base.errors import BadResponse

CONTRACT = ('instId', 'symbol', 'instrument_name')  # as the exchanges call it


async def resting(exchange: Any, underlying: str) -> dict[str, str]:
    """The contracts of the MMP orders of an underlying that rest, by the ids of the orders."""
    underlying_id = exchange._resolve_underlying('fetchOpenOrders', underlying)
    # the list of a mass cancel that never begins: its fence stays open
    progress = exchange._mass_cancel(underlying_id, {})
    rows: list[Any] = []
    await exchange._list_open_orders(underlying_id, {}, progress, rows)
    found: dict[str, str] = {}
    for row in rows:
        is_mmp = exchange._is_to_cancel(row, underlying_id)
        if is_mmp is None:
            raise BadResponse(f'{exchange.id} lists an order without saying whether it is an MMP order of {underlying}')
        if is_mmp:
            found[str(exchange.safe_string(row, exchange._order_id_field))] = str(exchange.safe_string_n(row, CONTRACT))
    return found
