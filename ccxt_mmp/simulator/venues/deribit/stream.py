"""Deribit's websocket: JSON-RPC over it, logins of a connection, heartbeats, channels, and what it pushes.

https://docs.deribit.com/articles/json-rpc-overview
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from ccxt_mmp._redaction import HIDDEN
from ccxt_mmp.simulator.accounts import Account, Order
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.events import Event
from ccxt_mmp.simulator.session import Frame, Session
from ccxt_mmp.simulator.venues.deribit.calls import (
    InvalidParamsError,
    Parameters,
    number,
    read_integer,
    refusal,
    rpc_answer,
    rpc_error,
)
from ccxt_mmp.simulator.venues.deribit.orders import order_shape
from ccxt_mmp.simulator.venues.deribit.protection import named
from ccxt_mmp.simulator.venues.deribit.tables import (
    ALL,
    CHANNEL_KINDS,
    INTERVALS,
    KINDS,
    LEAST_HEARTBEAT,
    METHOD_NOT_FOUND,
    MOST_HEARTBEAT,
    PARSE_ERROR,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    VENUE,
)
from ccxt_mmp.simulator.wire import ApiError, Times, parse_object

Perform = Callable[[str, Parameters, Account | None, Times], Any]
Count = Callable[[Account, int], None]
CREDENTIAL = re.compile(r'client_id|client_secret|signature|access_token|refresh_token', re.IGNORECASE)
ANY = 'any'


class DeribitSession(Session):
    subscribing = 'private/subscribe'

    def __init__(
        self,
        serial: int,
        peers: Sequence[Session],
        engine: Engine,
        perform: Perform,
        account_of: Callable[[str], Account],
        count_subscription: Count,
    ) -> None:
        super().__init__(serial, peers)
        self.account: Account | None = None  # once the client has logged in
        self.channels: list[str] = []
        self._engine = engine
        self._perform = perform
        self._account_of = account_of  # by token
        self._count_subscription = count_subscription
        self._heartbeat: int | None = None  # ms
        self._beat_at = 0  # when the last one was sent
        self._is_tested = True  # the last test request was answered

    # --- what the client sends

    def operation(self, text: str) -> str | None:
        method = parse_object(text).get('method')
        return method if isinstance(method, str) else None

    def shown(self, text: str) -> str:
        if CREDENTIAL.search(text) is None:
            return text
        message = parse_object(text)
        return json.dumps({name: _hidden(value) for name, value in message.items()}) if message else HIDDEN

    def receive(self, text: str, times: Times) -> list[Frame]:
        message = parse_object(text)
        method, parameters = message.get('method'), message.get('params', {})
        try:
            if not isinstance(method, str):
                raise refusal(PARSE_ERROR)
            if not isinstance(parameters, dict):
                raise InvalidParamsError('params', 'must be an object')
            said: Parameters = {'result': self._answer(method, parameters, times)}
        except ApiError as error:
            said = rpc_error(error)
            # documented: the session is closed, too
            self.is_over = self.is_over or error.code == str(TOO_MANY_REQUESTS[0])
        return [Frame(rpc_answer(message, times.now, said))]

    def _answer(self, method: str, parameters: Parameters, times: Times) -> Any:
        public = {'public/set_heartbeat': self._set_heartbeat, 'public/disable_heartbeat': self._disable_heartbeat}
        private = {
            'private/subscribe': self._subscribe,
            'private/unsubscribe': self._unsubscribe,
            'private/unsubscribe_all': self._unsubscribe_all,
        }
        if method in public:
            return public[method](parameters, times.now)
        if method in private:
            if self.account is None:
                raise refusal(UNAUTHORIZED)
            return private[method](self.account, parameters, times.now)
        result = self._perform(method, parameters, self.account, times)
        if result is None:
            raise refusal(METHOD_NOT_FOUND)
        if method == 'public/auth':
            self.account = self._account_of(result['access_token'])
        self._is_tested = self._is_tested or method == 'public/test'
        return result

    def _set_heartbeat(self, parameters: Parameters, now: int) -> str:
        seconds = read_integer(parameters, 'interval', MOST_HEARTBEAT)
        if seconds < LEAST_HEARTBEAT:
            raise InvalidParamsError('interval', f'must be at least {LEAST_HEARTBEAT}')
        self._heartbeat, self._beat_at, self._is_tested = seconds * 1000, now, True
        return 'ok'

    def _disable_heartbeat(self, parameters: Parameters, now: int) -> str:
        self._heartbeat = None
        return 'ok'

    def _subscribe(self, account: Account, parameters: Parameters, now: int) -> list[str]:
        """The channels that there are; one that is none is left out of the answer [unverified]."""
        self._count_subscription(account, now)
        wanted = [each for each in _channels(parameters) if self._is_channel(each)]
        self.channels += [each for each in wanted if each not in self.channels]
        return wanted

    def _unsubscribe(self, account: Account, parameters: Parameters, now: int) -> list[str]:
        ended = [each for each in _channels(parameters) if each in self.channels]
        self.channels = [each for each in self.channels if each not in ended]
        return ended

    def _unsubscribe_all(self, account: Account, parameters: Parameters, now: int) -> str:
        self.channels.clear()
        return 'ok'

    def _is_channel(self, channel: str) -> bool:
        family, *terms = _split(channel)
        if family == 'user.mmp_trigger':
            return len(terms) == 1 and terms[0] in (*self._engine.series[VENUE], ALL, ANY)
        if family not in ('user.orders', 'user.trades') or not terms or terms[-1] not in INTERVALS:
            return False
        if len(terms) == 2:
            return self._engine.find_option(VENUE, terms[0]) is not None
        currencies = {each.settle for each in self._engine.series[VENUE].values()}
        return len(terms) == 3 and terms[0] in CHANNEL_KINDS and terms[1] in (*currencies, ANY)

    # --- what the client is pushed

    def tell(self, event: Event) -> list[Frame]:
        if event.account is not self.account or event.venue != VENUE:
            return []
        order = event.order
        if order is None:
            return self._triggered(event)
        frames = []
        for channel in self.channels:
            family, *terms = _split(channel)
            if family not in ('user.orders', 'user.trades') or not _covers(terms, order):
                continue
            if family == 'user.orders':
                row = order_shape(order)
                frames.append(_pushed(channel, row if terms[-1] == 'raw' else [row]))
            elif event.change == 'filled':
                frames.append(_pushed(channel, [_trade(event, order)]))
        return frames

    def _triggered(self, event: Event) -> list[Frame]:
        """What began a freeze. Its end and a reset are told of by nothing."""
        name = named(event.underlying)
        protection = event.account.protection(VENUE, event.underlying)
        data = {'frozen_until': protection.frozen_until(event.time) or 0, **name.shape}
        wanted = (f'user.mmp_trigger.{name.index}', f'user.mmp_trigger.{ANY}')
        return [_pushed(channel, data) for channel in self.channels if channel in wanted]

    def wake(self, now: int) -> list[Frame]:
        """A test request at each interval of heartbeats; one that is not answered until the next ends the session."""
        if self._heartbeat is None or now - self._beat_at < self._heartbeat:
            return []
        if not self._is_tested:
            self.is_over = True
            return []
        self._beat_at, self._is_tested = now, False
        return [Frame({'jsonrpc': '2.0', 'method': 'heartbeat', 'params': {'type': 'test_request'}}, 'heartbeat')]


def _hidden(value: Any) -> Any:
    return HIDDEN if CREDENTIAL.search(json.dumps(value)) else value


def _channels(parameters: Parameters) -> list[str]:
    channels = parameters.get('channels')
    if not isinstance(channels, list) or not all(isinstance(each, str) for each in channels) or not channels:
        raise InvalidParamsError('channels', 'must be a list of channels')
    return channels


def _split(channel: str) -> list[str]:
    """The family of a channel, such as user.orders, and its terms."""
    parts = channel.split('.')
    return ['.'.join(parts[:2]), *parts[2:]]


def _covers(terms: list[str], order: Order) -> bool:
    """Whether a channel of an instrument, or of a kind and a currency, has an order."""
    instrument = order.instrument
    if len(terms) == 2:
        return terms[0] == instrument.instrument_id
    return terms[0] in (ANY, KINDS[instrument.kind]) and terms[1] in (ANY, instrument.settle)


def _pushed(channel: str, data: Any) -> Frame:
    """Faults name a channel by its family."""
    params = {'channel': channel, 'data': data}
    return Frame({'jsonrpc': '2.0', 'method': 'subscription', 'params': params}, _split(channel)[0])


def _trade(event: Event, order: Order) -> Parameters:
    return {
        'trade_id': str(event.trade_id),
        'trade_seq': event.trade_id,
        'timestamp': event.time,
        'instrument_name': order.instrument.instrument_id,
        'direction': order.side,
        'price': number(order.price),
        'amount': number(event.quantity),
        'order_id': order.order_id,
        'order_type': 'limit',
        'label': order.client_order_id,
        'state': order_shape(order)['order_state'],
        'liquidity': 'M',
        'fee': 0,
        'fee_currency': order.instrument.settle,
        'mmp': order.mmp,
        'post_only': order.time_in_force == 'PO',
        'reduce_only': order.reduce_only,
        'api': True,
    }
