"""Binance's user data stream of options: its listen key is renewed, and its end is told.

https://developers.binance.com/docs/derivatives/options-trading/user-data-streams
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import AuthenticationError, BaseError, NetworkError, NotSupported

from ccxt_mmp.core.awaiting import await_result
from ccxt_mmp.core.text import described
from ccxt_mmp.exchanges.binance.answers import BinanceAnswers
from ccxt_mmp.exchanges.binance.tables import LISTEN_KEY_LIFE, MINUTE
from ccxt_mmp.types import Params

REFRESH_RATE = 1_200_000  # ms, ccxt's
WATCHERS = {'ORDER_TRADE_UPDATE': ('orders', 'myTrades')}  # the hashes of ccxt's futures, by event


class BinanceSockets(BinanceAnswers):
    """The user data stream. ccxt looks for these methods on the object, in all its versions."""

    if not TYPE_CHECKING:

        async def authenticate(self, params={}):
            given = {name: value for name, value in params.items() if value is not None}  # ccxt would send 'None'
            if not self._is_of_options(given):
                return await super().authenticate(given)
            return await self._open_listen_key(partial(super().authenticate, given))

        async def keep_alive_listen_key(self, params={}):
            # ccxt's own renewal: it takes the key for one of another API, or comes once
            if not self._is_of_options(params):
                await super().keep_alive_listen_key(params)

        def set_positions_cache(self, client, type, *arguments, **keywords):
            if type == 'option':  # of which ccxt would load the positions of futures
                from ccxt.async_support.base.ws.cache import ArrayCacheBySymbolBySide  # noqa: PLC0415 - not in sync

                self.positions = self.positions or {}
                self.positions.setdefault(type, ArrayCacheBySymbolBySide())
            super().set_positions_cache(client, type, *arguments, **keywords)  # which does nothing where there is one

    # --- what is received

    def _hashes_of(self, client: Any, message: Any) -> Iterator[str]:
        names = WATCHERS.get(str(event_of(message).get('e')), ())
        return (each for each in client.futures if each.partition(':')[0] in names)

    def _take_message(self, client: Any, message: Any) -> bool:
        event = event_of(message)
        if event.get('e') != 'listenKeyExpired':
            return super()._take_message(client, message)
        #
        #     {"e":"listenKeyExpired","E":"1699596037418","listenKey":"OfYGbUzi3PraNagEkdKuFwUHn48brFsItTdsuiIX..."}
        #
        self._end_stream(str(event.get('listenKey')), NetworkError(f'{self.id} the listen key of the stream expired'))
        return True

    # --- the listen key

    def _is_of_options(self, params: Params) -> bool:
        is_portfolio_margin = params.get('papi') or params.get('portfolioMargin')
        market_type, _ = self.handle_market_type_and_params('authenticate', None, params)
        # older versions of ccxt take a linear option for a future, and hand its symbol on
        market = (self.markets or {}).get(params.get('symbol')) or {}
        return bool((market_type == 'option' or market.get('option')) and not is_portfolio_margin)

    async def _open_listen_key(self, stock: Any) -> None:
        """The active key of the account, which is renewed as long as a stream of it is open."""
        if 'optionPrivate' not in self.urls['api']['ws']:
            raise NotSupported(f'{self.id} streams of options need ccxt 4.5.72 or later')
        before = self._listen_key()
        if before is None or not self._is_recent():
            # ccxt asks for one once in 20 minutes; in between nothing is waited for: a push would be told to nobody
            await self._shared('listenKey', stock)
        if before not in (None, self._listen_key()):
            self._end_client(str(before), NetworkError(f'{self.id} another listen key has replaced that of the stream'))
        self._tasks().join('renewal', self._renew_listen_key)

    def _listen_key(self) -> str | None:
        key: str | None = self.safe_string(self.options.get('option'), 'listenKey')
        return key

    def _is_recent(self) -> bool:
        """Whether the key was asked for or renewed within ccxt's interval."""
        renewed = self.safe_integer(self.options.get('option'), 'lastAuthenticatedTime') or 0
        rate: int = self.safe_integer(self.options, 'listenKeyRefreshRate', REFRESH_RATE)
        return bool(self.milliseconds() - renewed <= rate)

    async def _renew_listen_key(self) -> None:
        rate: int = self.safe_integer(self.options, 'listenKeyRefreshRate', REFRESH_RATE)
        renewed, pause = self.milliseconds(), rate
        while True:
            await await_result(self.sleep(pause))
            key = self._listen_key()
            if key is None or self._stream_url(key) not in self.clients:
                return  # nobody watches; who does next starts it again
            try:
                await await_result(self.eapiPrivatePutListenKey())
                #
                #     {}
                #
            except BaseError as error:
                is_over = self.milliseconds() - renewed > LISTEN_KEY_LIFE
                if isinstance(error, AuthenticationError) or is_over:
                    text = f'{self.id} the listen key of the stream could not be renewed: {described(error)}'
                    self._end_stream(key, NetworkError(text))
                    return
                pause = MINUTE
            else:
                renewed, pause = self.milliseconds(), rate
                self.options['option'] = {**self.options['option'], 'lastAuthenticatedTime': renewed}

    def _stream_url(self, key: str) -> str:
        url: str = self.get_private_ws_url('optionPrivate', key)
        return url

    def _end_stream(self, key: str, error: NetworkError) -> None:
        """End a stream whose key is over: pending calls fail, and the next one asks for a key and opens another."""
        for name, options in list(self.options.items()):
            if isinstance(options, dict) and options.get('listenKey') == key:
                self.options[name] = {**options, 'listenKey': None, 'lastAuthenticatedTime': 0}
        self._end_client(key, error)

    def _end_client(self, key: str, error: NetworkError) -> None:
        for client in [each for url, each in self.clients.items() if key in url]:
            client.on_error(error)


def event_of(message: Any) -> Params:
    """The event of a message, which may be in an envelope; empty if there is none."""
    inner = message.get('data') if isinstance(message, dict) and 'stream' in message else message
    return inner if isinstance(inner, dict) else {}
