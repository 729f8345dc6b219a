"""``ccxt-mmp orders``: the MMP orders that rest."""

import argparse
import json
import sys
from typing import Any

from ccxt.base.errors import NotSupported

from ccxt_mmp.cli.commands import Command
from ccxt_mmp.cli.layout import NOTHING
from ccxt_mmp.cli.output import say
from ccxt_mmp.cli.report import Result, document, moment, notes, printable, resting_orders, untagged
from ccxt_mmp.cli.resting import contract_of, rows_of
from ccxt_mmp.cli.screens import Shown, screen
from ccxt_mmp.types import Order

COLUMNS = ('exchange', 'contract', 'side', 'price', 'size', 'filled', 'post-only', 'order id', 'client id', 'placed')


class Orders(Command):
    """Lists the MMP orders of each target, without loading markets."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(arguments)
        self.listed: dict[Result, list[Order]] = {}

    async def work(self) -> None:
        await self.each(self._list)

    async def _list(self, exchange: Any, result: Result) -> None:
        target = result.target
        if target.scope != 'orders':
            raise NotSupported(f'{target.exchange_id} has no orders of block trading that rest')
        rows, result.untagged = await rows_of(exchange, target.underlying)
        orders, result.orders = [order_of(exchange, row) for row in rows.values()], len(rows)
        self.listed[result] = sorted(orders, key=lambda order: (name_of(exchange, order), order['timestamp'] or 0))

    def draw(self, parts: list[Result]) -> None:
        shown = screen()
        # each once, also where a target is all of an exchange
        each = {
            (result.target.place, order['id']): self._row(result, order)
            for result, orders in self.listed.items()
            for order in orders
        }
        count = len(each)
        if count:
            shown.table(Shown(COLUMNS, list(each.values())))
        if self.listed:
            shown.notes([f'{resting_orders(count, "MMP order")}.', *untagged(parts), *notes(parts)])

    def _row(self, result: Result, order: Order) -> list[str]:
        exchange = self.exchanges.of(result.target)
        post_only = {True: 'yes', False: 'no', None: NOTHING}[order.get('postOnly')]
        cells = [
            result.target.place,
            name_of(exchange, order),
            order.get('side'),
            number(order.get('price')),
            number(order.get('amount')),
            number(order.get('filled')),
            post_only,
            order.get('id'),
            order.get('clientOrderId'),
            moment(order.get('timestamp')),
        ]
        return [printable(str(cell or NOTHING)) for cell in cells]

    def say_document(self, indent: int | None = None) -> None:
        self.has_shown = True
        entries = document(self.results)
        for entry, result in zip(entries, self.results, strict=True):
            entry |= {'listed': self.listed.get(result)}
        say(json.dumps(entries, indent=indent), sys.stdout)


def order_of(exchange: Any, row: dict[str, Any]) -> Order:
    """A listed order, in ccxt's form."""
    underlying_id = exchange._underlying_of_mmp(row)
    order: Order = exchange._cancelled_order(row, str(contract_of(exchange, row)), underlying_id)
    return order


def name_of(exchange: Any, order: Order) -> str:
    """The name of a contract: the exchange's own is shorter than ccxt's."""
    return str(contract_of(exchange, order['info']) or order.get('symbol'))


def number(value: float | None) -> str | None:
    return None if value is None else f'{value:.15g}'
