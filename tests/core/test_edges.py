"""What happens rarely: the other side of a branch that the tests of a behaviour pass by."""

import asyncio
import json

import ccxt
import pytest
import requests

import ccxt_mmp
import ccxt_mmp.pro
from ccxt_mmp import MmpFrozen
from ccxt_mmp._redaction import _guarded
from ccxt_mmp.core import throttling
from ccxt_mmp.core.connections import Connections
from ccxt_mmp.core.request_context import RequestAttribute
from ccxt_mmp.simulator import Simulator
from tests.trading import symbols, with_markets


def test_request_that_is_signed_by_hand_is_signed(flavour):
    signed = flavour.exchange('okx').sign('account/mmp-config', 'private', 'POST', {'instFamily': 'BTC-USD'})
    assert signed['url'].endswith('/api/v5/account/mmp-config')


def test_attribute_of_a_request_is_there_on_the_class():
    assert isinstance(ccxt_mmp.okx.timeout, RequestAttribute)


def test_option_of_all_methods_holds(flavour):
    exchange = flavour.exchange('okx', options={'scope': 'rfq'})
    assert exchange._mmp_option('fetchMmp', 'scope', 'orders', {}) == ('rfq', {})


class Raced(list):
    """Another thread takes what was there."""

    def pop(self, *arguments):
        super().pop(*arguments)
        raise IndexError


def test_idle_session_that_another_thread_takes_is_made_anew():
    connections, stock = Connections(), requests.Session()
    connections._idle = Raced([(0, stock, requests.Session())])
    with connections.lend(stock) as session:
        assert session is not stock


def test_websocket_is_rejected_by_what_is_no_error_too():
    assert _guarded(lambda result: result)('closed') == 'closed'


def test_lock_is_a_new_one_in_a_forked_process():
    before = throttling._LOCK
    throttling._renew_lock()
    assert throttling._LOCK is not before


def test_raw_order_of_no_option_has_no_fence(flavour):
    exchange = flavour.exchange('binance')
    assert list(exchange._mmp_underlyings_sent('order', {'isMmp': True, 'symbol': 'nonsense'})) == []
    assert list(exchange._mmp_underlyings_sent('batchOrders', {'orders': '[7]'})) == []


def test_refusal_over_a_websocket_is_the_error_of_its_item():
    """Newer versions of ccxt name it by themselves."""

    async def refuse():
        item = {'ordId': '', 'sCode': '51034', 'sMsg': 'Fill rate exceeds'}
        raise ccxt.ExchangeError(f'okx {json.dumps({"op": "order", "code": "1", "msg": "", "data": [item]})}')

    with pytest.raises(MmpFrozen):
        asyncio.run(ccxt_mmp.pro.okx()._told_over_websocket(refuse()))
    assert ccxt_mmp.pro.binance()._refusal_over_websocket(ccxt.ExchangeError('binance {}')) is None


def test_edit_says_what_was_asked_for_and_no_more(flavour):
    exchange = with_markets(flavour.exchange('okx'))
    before = {'symbol': symbols(exchange, 'BTC-USD')[0], 'amount': 10, 'price': 5, 'mmp': True}
    assert exchange._edited('editOrder', 'of a class of the user', before, 1, 1) == 'of a class of the user'
    edited = exchange._edited('editOrder', {'id': '7', 'info': {}}, before, None, 6)
    assert (edited['amount'], edited['price'], edited['mmp']) == (10, 6, True)
    assert exchange._edited('editOrder', {'id': '7', 'info': {}}, before, 8, None)['amount'] == 8


def test_item_that_cannot_be_read_loses_no_other(flavour):
    exchange = with_markets(flavour.exchange('okx'))

    def fail(item):
        raise KeyError(item)

    exchange._refusal = fail
    order, error = exchange._answer({'clOrdId': 'mine', 'instId': 'BTC-USD-261225-100000-C'}, {'ordId': '7'})
    assert order['clientOrderId'] == 'mine'
    assert type(error) is ccxt.BadResponse


def test_underlying_whose_options_have_all_expired_lists_none():
    with Simulator() as simulator, pytest.raises(ValueError, match='lists no option of BTC-USD'):
        simulator._engine.options('okx', 'BTC-USD', simulator.now() + 10**12)
