"""OKX's private websocket: login, subscriptions, orders over the socket, and what it pushes.

https://www.okx.com/docs-v5/en/#overview-websocket
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ccxt_mmp._redaction import HIDDEN
from ccxt_mmp.simulator.accounts import Account, Order
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.events import Event
from ccxt_mmp.simulator.limits import RollingWindows
from ccxt_mmp.simulator.session import Frame, Session
from ccxt_mmp.simulator.venues.okx.calls import Call, Endpoint, Parameters, Rows, code_of, require_permission
from ccxt_mmp.simulator.venues.okx.endpoints import ENDPOINTS
from ccxt_mmp.simulator.venues.okx.markets import instrument_codes
from ccxt_mmp.simulator.venues.okx.orders import order_shape
from ccxt_mmp.simulator.venues.okx.tables import (
    CHANNELS,
    CONNECTIONS,
    FIRST_UID,
    HOUR,
    KINDS,
    NO_CODE,
    NOTICE,
    OPERATIONS,
    PREFIX,
    REQUESTS_AN_HOUR,
    SILENCE,
    SOCKET_ERRORS,
    TIMESTAMP_TOLERANCE,
    TOO_LATE,
    UNKNOWN_OPTION,
    VENUE,
    WITH_DEADLINE,
)
from ccxt_mmp.simulator.wire import ApiError, Times, is_natural, parse_object

Count = Callable[[tuple[str, str], Endpoint, Account, int, int], None]
CREDENTIALS = ('apikey', 'passphrase', 'sign')
CREDENTIAL = re.compile(rf'(?:{"|".join(CREDENTIALS)})\\*"\s*:', re.IGNORECASE)  # also in an error that repeats it
KEYS = {'op', 'args', 'id', 'expTime'}


class OkxSession(Session):
    idle = SILENCE
    # what a client is told that was silent for too long is known of its logs alone [unverified]
    idle_code, idle_reason = 4004, 'No data received in 30s.'
    subscribing = 'subscribe'

    def __init__(
        self,
        serial: int,
        peers: Sequence[Session],
        engine: Engine,
        accounts: Mapping[str, Account],
        count: Count,
        *,
        enforce_limits: bool = True,
    ) -> None:
        super().__init__(serial, peers)
        self.account: Account | None = None  # once the client has logged in
        self.subscriptions: list[Parameters] = []
        self._connection_id = f'{serial:08x}'
        self._engine = engine
        self._accounts = accounts
        self._count = count
        self._enforce_limits = enforce_limits
        self._requests = RollingWindows()

    # --- what the client sends

    def operation(self, text: str) -> str | None:
        op = parse_object(text).get('op')
        return op if isinstance(op, str) else None

    def shown(self, text: str) -> str:
        lowered = text.lower()  # quicker than the expression, and most frames have none of these
        if not any(name in lowered for name in CREDENTIALS) or CREDENTIAL.search(text) is None:
            return text
        message = parse_object(text)
        return json.dumps({**message, 'args': HIDDEN}) if message.get('op') == 'login' else HIDDEN

    def receive(self, text: str, times: Times) -> list[Frame]:
        if text == 'ping':
            return [Frame('pong')]
        message = parse_object(text)
        op, args = message.get('op'), message.get('args')
        if op in OPERATIONS and set(message) <= KEYS:  # another key is an invalid request, as clients have seen
            return [self._operate(message, times)]
        try:
            if op not in ('login', 'subscribe', 'unsubscribe') or not isinstance(args, list) or not args:
                raise _error('invalid_request', text)
            # with what a request beyond this limit is answered is not documented in what was captured [unverified]
            if self._enforce_limits and not self._requests.admit('', 1, REQUESTS_AN_HOUR, HOUR, times.now):
                raise _error('too_frequent')
            if op == 'login':
                return [self._login(args[0], times)]
            if self.account is None:
                raise _error('not_logged_in')
        except ApiError as error:
            return [self._refused(message, error)]
        handle = self._subscribe if op == 'subscribe' else self._unsubscribe
        return [frame for arg in args for frame in handle(self.account, message, arg, times.now)]

    def _login(self, values: Any, times: Times) -> Frame:
        names = ('apiKey', 'passphrase', 'timestamp', 'sign')
        found = values if isinstance(values, dict) else {}
        key, passphrase, timestamp, sign = (str(found.get(name, '')) for name in names)
        account = self._accounts.get(key)
        if not all((key, passphrase, timestamp, sign)):
            raise _error('login')
        if account is None:
            raise _error('key')
        if passphrase != account.passphrase:
            raise _error('passphrase')
        tolerance = TIMESTAMP_TOLERANCE
        if not is_natural(timestamp) or not times.within(int(timestamp) * 1000, tolerance, tolerance):
            raise _error('timestamp')
        signed = f'{timestamp}GET/users/self/verify'.encode()
        digest = base64.b64encode(hmac.new(account.secret.encode(), signed, hashlib.sha256).digest())
        if not hmac.compare_digest(digest, sign.encode(errors='replace')):
            raise _error('sign')
        if self.account not in (None, account):  # a connection is of one account [unverified]
            raise _error('login')
        self.account = account
        return Frame({'event': 'login', 'code': '0', 'msg': '', 'connId': self._connection_id})

    def _subscribe(self, account: Account, message: Parameters, arg: Any, now: int) -> list[Frame]:
        try:
            channel = _checked_channel(arg)
        except ApiError as error:
            return [self._refused(message, error)]
        if arg not in self.subscriptions:
            self.subscriptions.append(arg)
        acknowledged = Frame(self._event('subscribe', message, arg=arg))
        connections = self._connections(channel)
        if self._enforce_limits and connections > CONNECTIONS:
            return [acknowledged, *self.end_channel(channel)]
        number = {'event': 'channel-conn-count', 'channel': channel, 'connCount': str(connections)}
        snapshot = [] if channel == 'orders' else self._state_of(account, arg, 'snapshot', now)
        return [acknowledged, Frame({**number, 'connId': self._connection_id}), *snapshot]

    def _unsubscribe(self, account: Account, message: Parameters, arg: Any, now: int) -> list[Frame]:
        if arg not in self.subscriptions:
            return [self._refused(message, _error('invalid_request', json.dumps(arg)))]
        self.subscriptions.remove(arg)
        return [Frame(self._event('unsubscribe', message, arg=arg))]

    def _connections(self, channel: str) -> int:
        """How many connections of the account have subscribed a channel, this one too."""
        of_account = [each for each in self.peers if isinstance(each, OkxSession) and each.account is self.account]
        return sum(any(arg['channel'] == channel for arg in each.subscriptions) for each in of_account)

    def end_channel(self, channel: str) -> list[Frame]:
        ended = [arg for arg in self.subscriptions if channel in ('', arg['channel'])]
        self.subscriptions = [arg for arg in self.subscriptions if arg not in ended]
        return [
            Frame(
                {
                    'event': 'channel-conn-count-error',
                    'channel': name,
                    'connCount': str(CONNECTIONS),
                    'connId': self._connection_id,
                }
            )
            for name in dict.fromkeys(arg['channel'] for arg in ended)
        ]

    def notice(self) -> Frame | None:
        return Frame({'event': 'notice', 'code': '64008', 'msg': NOTICE, 'connId': self._connection_id})

    # --- orders over the socket

    def _operate(self, message: Parameters, times: Times) -> Frame:
        op = message['op']
        try:
            rows = self._perform(op, message, times)
            body = {'data': rows, 'code': code_of(rows), 'msg': ''}
        except ApiError as error:
            body = {'data': [], 'code': error.code, 'msg': error.message}
        microseconds = str(times.now * 1000)
        in_and_out = {} if op == 'mass-cancel' else {'inTime': microseconds, 'outTime': microseconds}
        return Frame({'id': message.get('id', ''), 'op': op, **body, **in_and_out})

    def _perform(self, op: str, message: Parameters, times: Times) -> Rows:
        """What the endpoint of the operation does, with its permission, limit and errors."""
        if self.account is None:
            raise _error('not_logged_in')
        path = OPERATIONS[op]
        endpoint = ENDPOINTS.get(('POST', path))
        items = message.get('args')
        if endpoint is None or not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise _error('arguments')
        if not 0 < len(items) <= (20 if endpoint.is_batch else 1):
            raise _error('arguments')
        require_permission(endpoint, self.account)
        counted = len(items) if endpoint.is_batch else 0
        self._count(('POST', PREFIX + path), endpoint, self.account, counted, times.now)
        deadline = str(message.get('expTime', ''))
        if op in WITH_DEADLINE and is_natural(deadline) and int(deadline) < times.now:
            raise ApiError(200, *TOO_LATE)
        if op == 'mass-cancel':
            return endpoint.handle(self._call(self.account, items[0], [], times.now))
        named = self._named(items)
        good = [item for item, refusal in named if refusal is None]
        done: Rows = []
        if good:
            done = endpoint.handle(self._call(self.account, {} if endpoint.is_batch else good[0], good, times.now))
        left = iter(done)
        return [
            {**(next(left) if refusal is None else _refused_item(item, refusal, times.now)), 'subCode': ''}
            for item, refusal in named
        ]

    def _call(self, account: Account, parameters: Parameters, items: Rows, now: int) -> Call:
        return Call(self._engine, account, parameters, items, now, refuse_every_second=False)

    def _named(self, items: Rows) -> list[tuple[Parameters, tuple[str, str] | None]]:
        """Each item with the id of the option that its code stands for, or why it is refused."""
        if self._engine.unverified.instruments == 'old':
            return [(item, None) for item in items]
        ids = {code: instrument_id for instrument_id, code in instrument_codes(self._engine).items()}
        named: list[tuple[Parameters, tuple[str, str] | None]] = []
        for item in items:
            others = {name: value for name, value in item.items() if name != 'instIdCode'}
            code = item.get('instIdCode')
            if code is None or code == '':
                named.append((item, NO_CODE))
            elif type(code) is not int or code not in ids:
                named.append((item, UNKNOWN_OPTION))
            else:
                named.append(({**others, 'instId': ids[code]}, None))
        return named

    # --- what the client is pushed

    def tell(self, event: Event) -> list[Frame]:
        account, order = event.account, event.order
        if account is not self.account or event.venue != VENUE or order is None:
            return []
        frames = []
        arg = next((each for each in self.subscriptions if _wants_order(each, order)), None)
        if arg is not None:  # whether two subscriptions that overlap are pushed twice is [unverified]
            frames.append(self._pushed(account, arg, [_order_row(event, order)]))
        for each in self.subscriptions:
            if each['channel'] == 'account' or (each['channel'] == 'positions' and event.change == 'filled'):
                frames += self._state_of(account, each, 'event_update', event.time, order.instrument.instrument_id)
        return frames

    def _state_of(
        self, account: Account, arg: Parameters, event_type: str, now: int, instrument_id: str | None = None
    ) -> list[Frame]:
        """The balance or the positions, as the endpoint over HTTP has them.

        An update has the position of that option alone, and none where the subscription does not cover it.
        """
        is_account = arg['channel'] == 'account'
        endpoint = ENDPOINTS['GET', 'account/balance' if is_account else 'account/positions']
        names = ('ccy',) if is_account else ('instId',)
        rows = endpoint.handle(self._call(account, {name: arg[name] for name in names if name in arg}, [], now))
        if not is_account:
            rows = [row for row in rows if _covers(arg, row, instrument_id)]
        if not rows and event_type == 'event_update':
            return []
        return [self._pushed(account, arg, rows, eventType=event_type, curPage=1, lastPage=True)]

    def _pushed(self, account: Account, arg: Parameters, rows: Rows, **further: Any) -> Frame:
        uid = FIRST_UID + list(self._accounts).index(account.key)
        return Frame({'arg': {**arg, 'uid': str(uid)}, **further, 'data': rows}, arg['channel'])

    # --- shapes

    def _event(self, event: str, message: Parameters, **further: Any) -> Parameters:
        named = {'id': message['id']} if 'id' in message else {}
        return {**named, 'event': event, **further, 'connId': self._connection_id}

    def _refused(self, message: Parameters, error: ApiError) -> Frame:
        return Frame(self._event('error', message, code=error.code, msg=error.message))


def _error(reason: str, what: str = '') -> ApiError:
    code, text = SOCKET_ERRORS[reason]
    return ApiError(200, code, text.replace('{0}', what))


def _checked_channel(arg: Any) -> str:
    """The channel of a subscription that is right."""
    is_read = isinstance(arg, dict) and all(isinstance(value, str) for value in arg.values())
    if not is_read or 'channel' not in arg:
        raise _error('invalid_request', json.dumps(arg))
    channel: str = arg['channel']
    needed, further = CHANNELS.get(channel, ((), ()))
    is_known = channel in CHANNELS and set(needed) <= set(arg) <= {'channel', *needed, *further}
    if not is_known or arg.get('instType', 'ANY') not in KINDS.get(channel, ('ANY',)):
        raise _error('channel', ','.join(f'{name}:{value}' for name, value in arg.items()))
    return channel


def _refused_item(item: Parameters, refusal: tuple[str, str], now: int) -> Parameters:
    ids = {'ordId': '', 'clOrdId': str(item.get('clOrdId', '')), 'tag': str(item.get('tag', ''))}
    return {**ids, 'ts': str(now), 'sCode': refusal[0], 'sMsg': refusal[1]}


def _wants_order(arg: Parameters, order: Order) -> bool:
    own = {'instFamily': order.underlying, 'instId': order.instrument.instrument_id}
    is_of_options = arg['channel'] == 'orders' and arg['instType'] in ('OPTION', 'ANY')
    return is_of_options and all(arg.get(name, value) == value for name, value in own.items())


def _covers(arg: Parameters, row: Parameters, instrument_id: str | None) -> bool:
    if arg['instType'] not in ('OPTION', 'ANY') or instrument_id not in (None, row.get('instId')):
        return False
    return str(row.get('instId', '')).startswith(f'{arg["instFamily"]}-' if 'instFamily' in arg else '')


def _order_row(event: Event, order: Order) -> Parameters:
    """A row of the channel ``orders``: that of the endpoint, with the fields that pushes alone have."""
    row = order_shape(order)
    is_fill = event.change == 'filled'
    price = order.price if is_fill else ''
    return {
        **row,
        'amendResult': '0' if event.change == 'amended' else '',
        'amendSource': '1' if event.change == 'amended' else '',
        'code': '0',
        'execType': 'M' if is_fill else '',
        'fillFee': '0',
        'fillFeeCcy': order.instrument.settle if is_fill else '',
        'fillFwdPx': '',
        'fillIdxPx': '',
        'fillMarkPx': '',
        'fillMarkVol': '',
        'fillNotionalUsd': '',  # the simulator has no price of the coin
        'fillPnl': '0',
        'fillPx': price,
        'fillPxUsd': '',
        'fillPxVol': '',
        'fillSz': str(event.quantity),
        'fillTime': str(event.time) if is_fill else '',
        'lastPx': price,
        'msg': '',
        'notionalUsd': '',
        'reqId': '',
        'tradeId': str(event.trade_id) if is_fill else '',
        'uTime': str(event.time),
    }
