"""Bybit's private websocket, which tells of orders and fills, and its websocket of orders.

https://bybit-exchange.github.io/docs/v5/ws/connect
https://bybit-exchange.github.io/docs/v5/websocket/trade/guideline
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ccxt_mmp._redaction import HIDDEN
from ccxt_mmp.simulator.accounts import Account, Order
from ccxt_mmp.simulator.engine import Engine
from ccxt_mmp.simulator.events import Event
from ccxt_mmp.simulator.session import Frame, Session
from ccxt_mmp.simulator.venues.bybit.calls import Parameters, Windows, is_signed
from ccxt_mmp.simulator.venues.bybit.orders import order_shape
from ccxt_mmp.simulator.venues.bybit.tables import (
    AHEAD,
    BAD_KEY,
    BAD_SIGN,
    BAD_TIME,
    DEFAULT_RECV_WINDOW,
    MAX_TOPICS,
    NOT_AUTHORIZED,
    OPERATIONS,
    PRODUCT,
    SWITCH,
    TOPICS,
    UNKNOWN_OPERATION,
    VENUE,
)
from ccxt_mmp.simulator.wire import Times, is_natural, parse_json

Perform = Callable[[Account, str, Parameters, int, dict[str, str]], Parameters]


class BybitSession(Session):
    """What both have: a client proves who it is, and pings."""

    subscribing = 'subscribe'

    def __init__(self, serial: int, peers: Sequence[Session], accounts: Mapping[str, Account]) -> None:
        super().__init__(serial, peers)
        self.account: Account | None = None  # once the client has said who it is
        self.connection_id = f'cejreaspqfh3sjdnldmg-{serial:x}'
        self._accounts = accounts

    def operation(self, text: str) -> str | None:
        op = _message(text).get('op')
        return op if isinstance(op, str) else None

    def shown(self, text: str) -> str:
        if 'auth' not in text:
            return text
        message = _message(text)
        if message.get('op') == 'auth' and 'args' in message:
            return json.dumps({**message, 'args': HIDDEN})
        return text if message else HIDDEN

    def receive(self, text: str, times: Times) -> list[Frame]:
        message = _message(text)
        if message.get('op') == 'ping':
            return [Frame(self._pong(message, times.now))]
        if message.get('op') == 'auth':
            refusal = self._authenticate(message.get('args'), times)
            return [Frame(self._authenticated(message, refusal))]
        return [Frame(self._answer(message, times))]

    def tell(self, event: Event) -> list[Frame]:
        return []

    @abstractmethod
    def _authenticated(self, message: Parameters, refusal: tuple[str, str] | None) -> Parameters:
        """The answer to a client that says who it is."""

    @abstractmethod
    def _answer(self, message: Parameters, times: Times) -> Parameters:
        """The answer to anything else."""

    def _authenticate(self, values: Any, times: Times) -> tuple[str, str] | None:
        """Why a client is not whom it says it is; None if it is."""
        found = [str(value) for value in values] if isinstance(values, list) else []
        key, expires, sign = (*found, '', '', '')[:3]
        account = self._accounts.get(key)
        if account is None:
            return BAD_KEY
        if not is_natural(expires) or int(expires) <= min(times.now, times.clock):
            return BAD_TIME
        if not is_signed(account, f'GET/realtime{expires}', sign):
            return BAD_SIGN
        if self.account not in (None, account):  # a connection is of one account [unverified]
            return BAD_KEY
        self.account = account
        return None

    def _pong(self, message: Parameters, now: int) -> Parameters:
        named = {'req_id': message['req_id']} if 'req_id' in message else {}
        return {**named, 'op': 'pong', 'args': [str(now)], 'conn_id': self.connection_id}


class PrivateSession(BybitSession):
    """``/v5/private``."""

    def __init__(
        self,
        serial: int,
        peers: Sequence[Session],
        accounts: Mapping[str, Account],
        engine: Engine,
        windows: Windows,
    ) -> None:
        super().__init__(serial, peers, accounts)
        self.topics: list[str] = []
        self._engine = engine
        self._windows = windows

    def _authenticated(self, message: Parameters, refusal: tuple[str, str] | None) -> Parameters:
        return self._said(message, refusal[1] if refusal else '')  # a refusal in the form that pybit reads

    def _answer(self, message: Parameters, times: Times) -> Parameters:
        op, topics = message.get('op'), message.get('args')
        if op not in ('subscribe', 'unsubscribe') or not isinstance(topics, list) or not topics:
            return self._said(message, 'error:invalid op')
        # how a client that has not said who it is is answered is known of its logs alone [unverified]
        if self.account is None:
            return self._said(message, NOT_AUTHORIZED)
        names = [topic for topic in topics if isinstance(topic, str)]
        wrong = [topic for topic in topics if topic not in TOPICS]
        if wrong or len(names) > MAX_TOPICS:
            return self._said(message, f'error:handler not found,topic:{",".join(map(str, wrong))}')
        bases = {topic for topic in names if '.' not in topic}
        if any(topic.partition('.')[0] in bases for topic in names if '.' in topic):
            return self._said(message, 'error:a topic of all categories beside one of them')
        kept = [topic for topic in self.topics if topic not in names]
        self.topics = kept + (names if op == 'subscribe' else [])
        if SWITCH in self.topics:
            self.account.countdowns.pop((VENUE, SWITCH), None)
        return self._said(message, '')

    def end(self, now: int) -> None:
        """The dead man's switch runs once no connection of the account is left that subscribed it.

        Bybit switches it on for institutions; here whoever sets its window has it.
        """
        seconds = None if self.account is None else self._windows.get((self.account.key, PRODUCT))
        mine = [each for each in self.peers if isinstance(each, PrivateSession) and each.account is self.account]
        if self.account is None or seconds is None or SWITCH not in self.topics:
            return
        if not any(SWITCH in each.topics for each in mine):
            self._engine.start_countdown(self.account, VENUE, SWITCH, seconds * 1000, now, covers=lambda order: True)

    def tell(self, event: Event) -> list[Frame]:
        order = event.order
        if event.venue != VENUE or order is None or event.account is not self.account:
            return []
        kinds = ['execution', 'order'] if event.change == 'filled' else ['order']
        return [
            self._pushed(topic, event, _execution(event, order) if kind == 'execution' else _order(order))
            for kind in kinds
            for topic in self.topics
            if topic in (kind, f'{kind}.option')
        ]

    def _pushed(self, topic: str, event: Event, row: Parameters) -> Frame:
        serial = f'{self.connection_id}:{event.time}'
        return Frame({'id': serial, 'topic': topic, 'creationTime': event.time, 'data': [row]}, topic)

    def _said(self, message: Parameters, problem: str) -> Parameters:
        named = {'req_id': message['req_id']} if 'req_id' in message else {}
        said = {'success': not problem, 'ret_msg': problem, 'op': message.get('op', '')}
        return {**said, 'conn_id': self.connection_id, **named}


class TradeSession(BybitSession):
    """``/v5/trade``: orders over a socket, which share the limits of the endpoints."""

    def __init__(
        self, serial: int, peers: Sequence[Session], accounts: Mapping[str, Account], perform: Perform
    ) -> None:
        super().__init__(serial, peers, accounts)
        self._perform = perform

    def _authenticated(self, message: Parameters, refusal: tuple[str, str] | None) -> Parameters:
        code, text = refusal or ('0', 'OK')
        return {'retCode': int(code), 'retMsg': text, 'op': 'auth', 'connId': self.connection_id}

    def _answer(self, message: Parameters, times: Times) -> Parameters:
        op, args = message.get('op'), message.get('args')
        headers: dict[str, str] = {}
        if op not in OPERATIONS:
            body = _refused(UNKNOWN_OPERATION)
        elif self.account is None:
            body = _refused(BAD_KEY)  # [unverified]
        elif not _is_timely(message.get('header'), times):
            body = _refused(BAD_TIME)
        else:
            one = args[0] if isinstance(args, list) and len(args) == 1 and isinstance(args[0], dict) else {}
            body = self._perform(self.account, OPERATIONS[op], one, times.now, headers)
        further = {'retExtInfo': body['retExtInfo']} if body.get('retExtInfo') else {}
        return {
            'reqId': message.get('reqId', ''),
            'retCode': body['retCode'],
            'retMsg': body['retMsg'],
            'op': op,
            'data': body['result'],
            **further,
            'header': {**headers, 'Timenow': str(times.now)},
            'connId': self.connection_id,
        }


def _refused(refusal: tuple[str, str]) -> Parameters:
    return {'retCode': int(refusal[0]), 'retMsg': refusal[1], 'result': {}}


def _is_timely(header: Any, times: Times) -> bool:
    """Whether the header of an operation says a time that is within its window."""
    found = header if isinstance(header, dict) else {}
    timestamp = str(found.get('X-BAPI-TIMESTAMP', ''))
    window = str(found.get('X-BAPI-RECV-WINDOW') or DEFAULT_RECV_WINDOW)
    return is_natural(timestamp) and is_natural(window) and times.within(int(timestamp), int(window), AHEAD)


def _message(text: str) -> Parameters:
    """A frame of the client; empty if it is none that can be read."""
    try:
        message = parse_json(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _order(order: Order) -> Parameters:
    """A row of the topic ``order``: that of the endpoint, with the fields that pushes alone have."""
    further = {'category': 'option', 'closedPnl': '0', 'feeCurrency': '', 'rpiTakerAccess': False, 'rpiMatchedQty': '0'}
    return {**order_shape(order), **further}


def _execution(event: Event, order: Order) -> Parameters:
    """A row of the topic ``execution``."""
    return {
        'category': 'option',
        'symbol': order.instrument.instrument_id,
        'isLeverage': '',
        'orderId': order.order_id,
        'orderLinkId': order.client_order_id,
        'side': order.side.capitalize(),
        'orderPrice': order.price,
        'orderQty': str(order.quantity),
        'leavesQty': str(order.quantity - order.filled),
        'createType': 'CreateByUser',
        'orderType': 'Limit',
        'stopOrderType': '',
        'execFee': '0',
        'execId': str(event.trade_id),
        'execPrice': order.price,
        'execQty': str(event.quantity),
        'execPnl': '0',
        'execType': 'Trade',
        'execValue': str(event.quantity * Decimal(order.price)),
        'execTime': str(event.time),
        'isMaker': True,
        'feeRate': '0',
        'tradeIv': '',
        'markIv': '',
        'markPrice': '',
        'indexPrice': '',
        'underlyingPrice': '',
        'blockTradeId': '',
        'closedSize': '',
        'extraFees': '',
        'seq': event.trade_id,
        'feeCurrency': '',
    }
