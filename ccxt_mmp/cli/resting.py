"""The MMP orders that rest, listed without loading markets."""

from typing import Any

from ccxt.base.errors import BadResponse

from ccxt_mmp.registry import EXCHANGES


async def resting(exchange: Any, underlying: str) -> tuple[dict[str, str], int]:
    """The contracts of the MMP orders of an underlying that rest, by the ids of the orders; and the untagged ones."""
    rows, untagged = await rows_of(exchange, underlying)
    return {order_id: str(contract_of(exchange, row)) for order_id, row in rows.items()}, untagged


def contract_of(exchange: Any, row: dict[str, Any]) -> str | None:
    """The exchange's own name of the contract of a listed order; None if the row does not say it."""
    contract: str | None = exchange.safe_string(row, exchange._order_market_field)
    return contract


async def rows_of(exchange: Any, underlying: str | None) -> tuple[dict[str, dict[str, Any]], int]:
    """The MMP orders of an underlying that rest, or None for all, as the exchange lists them, by their ids.

    And how many others rest there that may be MMP orders, too: without a tag they do not say.
    """
    underlying_id = '' if underlying is None else exchange._resolve_underlying('fetchOpenOrders', underlying)
    # the list of a mass cancel that never begins: its fence stays open
    progress = exchange._mass_cancel(underlying_id, {})
    rows: list[Any] = []
    await exchange._list_open_orders(underlying_id, {}, progress, rows)
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        of_row = underlying_id or exchange._underlying_of_mmp(row)
        if of_row is None:
            continue
        is_mmp = exchange._is_to_cancel(row, of_row) if of_row else None
        if is_mmp is None:
            raise BadResponse(
                f'{exchange.id} lists an order without saying whether it is an MMP order of {underlying or "what"}'
            )
        if is_mmp:
            found[str(exchange.safe_string(row, exchange._order_id_field))] = row
    return found, len(rows) - len(found) if EXCHANGES[exchange.id].mmp_tag else 0
