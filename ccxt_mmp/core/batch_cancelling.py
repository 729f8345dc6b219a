"""``cancel_orders`` in batches, with what came of each order."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from ccxt.base.errors import ArgumentsRequired, BadRequest

from ccxt_mmp.core.awaiting import gather, succeeded
from ccxt_mmp.core.orders import Answer, chunked, if_any_succeeded
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import Order

TryBatch = Callable[[Sequence[Any]], Coroutine[Any, Any, list[Answer]]]  # cancels some by their ids, and never raises


async def cancelled_in_batches(exchange: Any, ids: Any, size: int, try_batch: TryBatch) -> list[Order]:
    """An order for each id, in the order asked; raises only if none was cancelled."""
    if isinstance(ids, str):
        raise BadRequest(f'{exchange.id} cancelOrders() takes a list of ids, received {shown(ids)}')
    if not ids:
        raise ArgumentsRequired(f'{exchange.id} cancelOrders() requires ids')
    tried = await gather(exchange.synchronous, [partial(try_batch, batch) for batch in chunked(list(ids), size)])
    return if_any_succeeded([answer for answers in succeeded(tried) for answer in answers])
