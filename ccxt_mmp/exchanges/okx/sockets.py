"""OKX's private websocket: what ccxt makes of it, without what hangs, and the requests that go over it.

https://www.okx.com/docs-v5/en/#overview-websocket
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import AuthenticationError, NetworkError

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.core.socket_state import (
    LOGIN,
    Subscription,
    end_subscriptions,
    forget_login,
    is_of_channel,
    open_subscriptions,
    state_of,
)
from ccxt_mmp.core.text import shown
from ccxt_mmp.exchanges.okx.answers import OkxAnswers
from ccxt_mmp.exchanges.okx.tables import NO_CODE, SOCKET_OPERATIONS
from ccxt_mmp.types import Params

CHANNEL = Pattern(r'channel\W+(?P<name>[\w-]+)')  # in the text of an error
NEEDS_LOGIN = '60011'


class OkxSockets(OkxAnswers):
    """The private websocket. ccxt looks for these methods on the object, in all its versions."""

    if not TYPE_CHECKING:

        async def authenticate(self, params={}):
            self.check_required_credentials()
            url = self.get_url('users', self.safe_string(params, 'access', 'private'))
            return await self._log_in(url, partial(super().authenticate, params))

        def handle_authenticate(self, client, message):
            state_of(client).is_logged_in = True
            if LOGIN in client.futures:
                super().handle_authenticate(client, message)

        def watch(self, url, message_hash, message=None, subscribe_hash=None, subscription=None):
            if isinstance(message, dict) and message.get('op') == 'subscribe':
                subscribe_hash = self._subscribed_as(self.client(url), message, message_hash, subscribe_hash)
            elif isinstance(message, dict) and message.get('op') in SOCKET_OPERATIONS.values():
                message = {**message, 'args': [self._with_code(arg) for arg in message['args']]}
            return super().watch(url, message_hash, message, subscribe_hash, subscription)

        def handle_error_message(self, client, message):
            refused = Refused()
            is_right = super().handle_error_message(refused, message)
            if refused.error is None:
                return is_right
            self._refuse(client, message, refused.error, refused.request_id)
            return False

    # --- what is received

    def _hashes_of(self, client: Any, message: Any) -> Iterator[str]:
        arg = message.get('arg') if isinstance(message, dict) else None
        channel = arg.get('channel') if isinstance(arg, dict) else None
        return (each for each in client.futures if channel and is_of_channel(each, channel))

    def _take_message(self, client: Any, message: Any) -> bool:
        if super()._take_message(client, message):
            return True
        if not isinstance(message, dict):
            return False
        if message.get('op') in SOCKET_OPERATIONS.values():
            return self._answered_id(message) not in client.futures  # nobody waits for this answer any more
        if message.get('event') == 'subscribe':
            for each in state_of(client).subscriptions.values():
                each.is_acknowledged = each.is_acknowledged or each.arg == message.get('arg')
        if message.get('event') == 'channel-conn-count-error':
            #
            #     {"event":"channel-conn-count-error","channel":"orders","connCount":"30","connId":"a4d3ae55"}
            #
            error = NetworkError(f'{self.id} ended a subscription, too many connections have it: {shown(message)}')
            channel = str(message.get('channel'))
            end_subscriptions(
                client, error, [key for key, each in open_subscriptions(client) if each.arg.get('channel') == channel]
            )
            return True
        return False

    def _refuse(self, client: Any, message: Params, error: Exception, request_id: str | None) -> None:
        """Tell an error to those whom it is about: ccxt would fail whoever waits, and lose the login."""
        state = state_of(client)
        if NO_CODE in str(error):
            self._explain_no_code(error)
        if request_id is not None:
            asked = [key for key, each in open_subscriptions(client) if each.request_id == request_id]
            end_subscriptions(client, error, asked)
            if request_id in client.futures:
                client.reject(error, request_id)
        elif message.get('event') == 'notice':
            #
            #     {"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. .."}
            #
            self._leave(client, error if isinstance(error, NetworkError) else NetworkError(str(error)))
        elif not state.is_logged_in and LOGIN in client.futures:
            client.reject(error, LOGIN)
        else:
            self._refuse_subscriptions(client, message, error)

    def _refuse_subscriptions(self, client: Any, message: Params, error: Exception) -> None:
        """An error without an id is about subscriptions that are not acknowledged, of the channel that it names."""
        if str(message.get('code')) == NEEDS_LOGIN and isinstance(error, AuthenticationError):
            forget_login(client)
        named = CHANNEL.search(str(message.get('msg')))
        channel = named['name'] if named else None
        asked = [
            key
            for key, each in open_subscriptions(client)
            if not each.is_acknowledged and channel in (None, each.arg.get('channel'))
        ]
        if asked:
            end_subscriptions(client, error, asked)
            return
        requests = state_of(client).requests
        waiting = [each for each in client.futures if each not in requests and each != LOGIN]
        about = [each for each in waiting if channel is not None and is_of_channel(each, channel)] or waiting
        for each in about:
            client.subscriptions.pop(each, None)
            client.reject(error, each)
        if not about:
            self.logger.error('%s', error)

    # --- what is sent

    def _subscribed_as(self, client: Any, message: Params, message_hash: str, subscribe_hash: str) -> str:
        """The hash of a subscription: ccxt has one for a channel, and never sends a second one of it."""
        args = message.get('args')
        if not isinstance(args, list) or len(args) != 1:
            return subscribe_hash
        [arg] = args
        subscribed = dict(open_subscriptions(client))
        for key, each in subscribed.items():
            is_covered = each.arg in (arg, {**arg, 'instType': 'ANY'})
            if is_covered and key.partition(' ')[0] == subscribe_hash:
                return key
        key = subscribe_hash if subscribe_hash not in client.subscriptions else f'{subscribe_hash} {self.json(arg)}'
        state_of(client).subscriptions[key] = Subscription(message_hash, arg, self._answered_id(message))
        return key

    def _with_code(self, arg: Params) -> Params:
        """An order or an operation of one that names its option as OKX wants it over a websocket."""
        option_id = arg.get('instId')
        code = None if option_id is None else self._instrument_code(str(option_id))
        if code is None:
            return arg
        return {**{name: value for name, value in arg.items() if name != 'instId'}, 'instIdCode': code}

    def _instrument_code(self, option_id: str) -> int | None:
        for market in self.safe_list(self.markets_by_id or {}, option_id, []):
            code: int | None = self.safe_integer(market, 'instIdCode')  # older versions of ccxt do not have it there
            if code is None:
                code = self.safe_integer(self.safe_dict(market, 'info', {}), 'instIdCode')
            if code is not None:
                return code
        return None

    def _socket_url(self) -> str:
        url: str = self.get_url('private', 'private')
        return url

    def _socket_request(self, endpoint: str, request: Any) -> tuple[str, Params]:
        request_id: str = self.uuid22()  # up to 32 letters and digits
        args = request if isinstance(request, list) else [request]
        return request_id, {'id': request_id, 'op': SOCKET_OPERATIONS[endpoint], 'args': args}

    def _read_answer_of_socket(self, endpoint: str, answer: Any) -> None:
        #
        #     {"id":"1512","op":"mass-cancel","code":"0","msg":"","data":[{"result":true}]}
        #
        method, path = endpoint.split()
        url = f'/api/v5/{path}'
        self.handle_errors(200, '', url, method, {}, self.json(answer), answer, {}, {})

    async def _place_batch_over_socket(self, requests: list[Params], params: Params) -> list[Any]:
        orders = [self._with_code(each) for each in requests]
        answer = await self._order_over_socket('POST trade/batch-orders', orders, params)
        #
        #     {"id":"1513","op":"batch-orders","code":"2","msg":"","data":[
        #         {"clOrdId":"","ordId":"12345689","tag":"","ts":"1695190491421","sCode":"0","sMsg":"","subCode":""},
        #         {"clOrdId":"","ordId":"","tag":"","ts":"...","sCode":"51008","sMsg":"Order failed. ...","subCode":""}
        #     ],"inTime":"1695190491421339","outTime":"1695190491423240"}
        #
        return self._entries('createOrdersWs', answer)


class Refused:
    """Stands in for a client where ccxt rejects futures, to learn which error it makes and whom it would tell."""

    error: Exception | None = None
    request_id: str | None = None

    def reject(self, error: Exception, request_id: str | None = None) -> None:
        self.error, self.request_id = error, request_id
