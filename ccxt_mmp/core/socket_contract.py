"""The contract of the methods that go over a websocket."""

from collections.abc import Awaitable
from typing import Any, NoReturn

from ccxt.base.errors import NotSupported

from ccxt_mmp.core.host import Host
from ccxt_mmp.types import MassCancel, Params


class SocketContract(Host):
    """What ``Mmp`` has over a websocket, in pro: ``has['massCancelMmpWs']`` and ``has['createOrdersWs']`` say where."""

    # --- the contract

    def mass_cancel_mmp_ws(self, underlying: str, params: Params = {}) -> MassCancel | Awaitable[MassCancel]:
        """
        ``mass_cancel_mmp`` over the private websocket (OKX and Deribit, pro)

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-ws-mass-cancel-order
        https://docs.deribit.com/api-reference/trading/private-cancel_by_label

        The same requests, fence, limit, retries and errors as over REST; both ways share the limit. It is sent at once,
        not behind ccxt's limiter. Where no websocket is open, it opens one and logs in, which takes from its time:
        ``warm_up({'hedge': True})`` does so before. ``NetworkError`` if there was none in time, ``RequestTimeout`` if
        no answer came, ``MassCancelIncomplete`` past its time. If nothing at all comes after it was sent, the
        connection is given up and the retry opens another. Answers come in turn: behind 100 orders it takes longer than
        over REST.

        ``NotSupported`` in sync and async and on Binance, which have no such way, and with ``emulate``.

        :param str underlying: unified underlying, exchange id or option symbol
        :param dict [params]: none but the following
        :param int [params.lockInterval]: as in ``mass_cancel_mmp``
        :param int [params.timeout]: as in ``mass_cancel_mmp``
        :param bool [params.includeNonMmp]: Deribit: as in ``mass_cancel_mmp``
        :returns dict: a MassCancel, ``info`` is the exchange's message; on Deribit ``orders`` as in ``mass_cancel_mmp``
        """
        self._front_missing()

    def _front_missing(self) -> NoReturn:
        raise NotImplementedError(
            f'{type(self).__name__} has no front: put SyncMmp (sync) or AsyncMmp (async, pro) before the other bases'
        )

    # --- the cores, written once in the exchange mixins

    async def _mass_cancel_mmp_ws(self, underlying: str | None, params: Params) -> MassCancel:
        self._require_socket('massCancelMmpWs')
        raise NotSupported(f'{self.id} massCancelMmpWs() is not supported yet')

    # --- where there is a websocket

    def _require_socket(self, method: str) -> None:
        """Before anything is sent."""
        if not self.has.get(method):
            raise NotSupported(
                f'{self.id} {method}() goes over a websocket, which this class does not have: see has in ccxt_mmp.pro'
            )


def is_pro(exchange: Any) -> bool:
    """Whether an exchange object, extended or not, is of ccxt.pro."""
    return any(each.__module__.startswith('ccxt.pro.') for each in type(exchange).__mro__)
