"""Binance's user data streams: listen keys, subscriptions, and what is pushed in both documented forms.

https://developers.binance.com/docs/derivatives/options-trading/user-data-streams
"""

import re
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from ccxt_mmp._redaction import HIDDEN, redacted_by_shape
from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.engine import StreamForm
from ccxt_mmp.simulator.events import Event
from ccxt_mmp.simulator.session import Frame, Session
from ccxt_mmp.simulator.venues.binance.calls import Call, ListenKey, ListenKeys, Parameters
from ccxt_mmp.simulator.venues.binance.tables import (
    COMBINED_PATHS,
    EXECUTIONS,
    LISTED_STATES,
    LISTEN_KEY_LIFE,
    NO_LISTEN_KEY,
    PRIVATE_STREAM,
    RAW_PATH,
    STATES,
    VENUE,
)
from ccxt_mmp.simulator.wire import ApiError, Times, parse_object

LISTEN_KEY = re.compile('[A-Za-z0-9]{40,}')  # by its shape: those of others, too


def open_key(call: Call) -> Parameters:
    """The active key of the account, or a new one; either is valid for another hour."""
    key = call.listen_keys.find(call.account, call.now)
    if key is None:
        key = ListenKey(call.account, secrets.token_hex(32), 0)
        call.listen_keys.by_value[key.value] = key
    key.expires = call.now + LISTEN_KEY_LIFE
    return {'listenKey': key.value}


def extend_key(call: Call) -> Parameters:
    key = call.listen_keys.find(call.account, call.now)
    if key is None:  # that this code is of these streams, too, is [unverified]
        raise ApiError(400, *NO_LISTEN_KEY)
    key.expires = call.now + LISTEN_KEY_LIFE
    return {}


def close_key(call: Call) -> Parameters:
    """Its streams say nothing any more."""
    key = call.listen_keys.find(call.account, call.now)
    if key is not None:
        del call.listen_keys.by_value[key.value]
    return {}


class BinanceSession(Session):
    subscribing = 'SUBSCRIBE'

    def __init__(
        self,
        serial: int,
        peers: Sequence[Session],
        listen_keys: ListenKeys,
        streams: list[str],
        form: StreamForm,
        *,
        is_combined: bool,
        is_private: bool,
    ) -> None:
        super().__init__(serial, peers)
        self.streams = streams  # names; of these the listen keys alone are pushed anything
        self._listen_keys = listen_keys
        self._form = form
        self._is_combined = is_combined  # events are in the envelope
        self._is_private = is_private
        self._expired: set[str] = set()  # those of which the client knows

    def operation(self, text: str) -> str | None:
        method = parse_object(text).get('method')
        return method if isinstance(method, str) else None

    def shown(self, text: str) -> str:
        for name in self.streams:
            text = text if '@' in name else text.replace(name, HIDDEN)
        return redacted_by_shape(LISTEN_KEY.sub(HIDDEN, text))

    def receive(self, text: str, times: Times) -> list[Frame]:
        message = parse_object(text)
        names, method = message.get('params', []), message.get('method')
        is_list = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
        if not is_list or method not in ('SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS'):
            # the form of an error is that of the futures API [unverified]
            error = {'code': 2, 'msg': 'Invalid request'}
            return [Frame({'error': error, **({'id': message['id']} if 'id' in message else {})})]
        if method == 'SUBSCRIBE':
            self.streams += [name for name in names if name not in self.streams]
        elif method == 'UNSUBSCRIBE':
            self.streams = [name for name in self.streams if name not in names]
        result = list(self.streams) if method == 'LIST_SUBSCRIPTIONS' else None
        return [Frame({'result': result, 'id': message.get('id')})]

    def tell(self, event: Event) -> list[Frame]:
        order = event.order
        if event.venue != VENUE or order is None:
            return []
        keys = [key for key in self._keys() if key.account is event.account and event.time < key.expires]
        return [self._pushed(key, _order_update(event, order, self._form)) for key in keys]

    def wake(self, now: int) -> list[Frame]:
        expired = [key for key in self._keys() if key.expires <= now and key.value not in self._expired]
        self._expired |= {key.value for key in expired}
        # in the form of the official client's model [unverified]
        told = [(key, {'e': 'listenKeyExpired', 'E': str(key.expires), 'listenKey': key.value}) for key in expired]
        return [self._pushed(key, body) for key, body in told]

    def _keys(self) -> list[ListenKey]:
        """Those that the client listens to."""
        if not self._is_private:
            return []
        known = (self._listen_keys.by_value.get(name) for name in self.streams)
        return [key for key in known if key is not None]

    def _pushed(self, key: ListenKey, body: Parameters) -> Frame:
        return Frame({'stream': key.value, 'data': body} if self._is_combined else body, body['e'])


def open_session(
    path: str, query: str, serial: int, peers: Sequence[Session], listen_keys: ListenKeys, form: StreamForm
) -> Session | None:
    """A listen key in the path, or any names of streams by SUBSCRIBE or in the query.

    A key that is unknown or has expired is served, and told nothing [unverified].
    """
    if path.startswith(RAW_PATH):
        streams, is_combined = [path.removeprefix(RAW_PATH)], False
    elif path in COMBINED_PATHS:
        streams, is_combined = parse_qs(query).get('streams', [''])[0].split('/'), True
    else:
        return None
    is_private = path.startswith(RAW_PATH) or path == PRIVATE_STREAM
    streams = [name for name in streams if name]
    return BinanceSession(serial, peers, listen_keys, streams, form, is_combined=is_combined, is_private=is_private)


def _order_update(event: Event, order: Order, form: StreamForm) -> Parameters:
    if form == 'list':
        return {'e': 'ORDER_TRADE_UPDATE', 'E': event.time, 'o': [_listed(event, order)]}
    return {'e': 'ORDER_TRADE_UPDATE', 'E': event.time, 'T': event.time, 'o': _object(event, order)}


def _object(event: Event, order: Order) -> Parameters:
    """As documented for futures, whose page the one of options follows."""
    is_fill = event.change == 'filled'
    return {
        's': order.instrument.instrument_id,
        'c': order.client_order_id,
        'S': order.side.upper(),
        'o': 'LIMIT',
        'f': order.time_in_force,
        'q': str(order.quantity),
        'p': order.price,
        'ap': order.price if order.filled else '0',
        'x': EXECUTIONS[event.change],
        'X': STATES[order.state],
        'i': int(order.order_id),
        'l': str(event.quantity),
        'z': str(order.filled),
        'L': order.price if is_fill else '0',
        'N': order.instrument.settle,
        'n': '0',
        'T': event.time,
        't': event.trade_id,
        'b': '0',
        'a': '0',
        'm': is_fill,
        'R': order.reduce_only,
        'ot': 'LIMIT',
        'rp': '0',
        'V': 'EXPIRE_MAKER',
    }


def _listed(event: Event, order: Order) -> Parameters:
    """An order of the list form, in which the quantity of one that sells is negative."""
    fill: dict[str, Any] = {
        't': str(event.trade_id),
        'p': order.price,
        'q': str(event.quantity),
        'T': event.time,
        'm': 'MAKER',
        'f': '0',
    }
    return {
        'T': order.created,
        't': event.time,
        's': order.instrument.instrument_id,
        'c': order.client_order_id,
        'oid': order.order_id,
        'p': order.price,
        'q': f'{"-" if order.side == "sell" else ""}{order.quantity}',
        'stp': 0,
        'r': order.reduce_only,
        'po': order.time_in_force == 'GTX',
        'S': LISTED_STATES[order.state],
        'e': str(order.filled),
        'ec': str(order.filled * order.instrument.coins_per_contract * Decimal(order.price)),
        'f': '0',
        'tif': order.time_in_force,
        'oty': 'LIMIT',
        'fi': [fill] if event.change == 'filled' else [],
    }
