"""Answers with an error status and without a code of the exchange: a proxy in between gives them, and says nothing."""

import ccxt
import pytest

from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core.request_context import REFUSALS
from tests.core.ordering import listed
from tests.rows import rows
from tests.trading import RULES, UNDERLYING, UNIFIED, symbols, with_markets

UNKNOWN = 402
ERRORS = {
    404: ccxt.ExchangeNotAvailable,
    418: ccxt.BadResponse,
    422: ccxt.BadResponse,
    451: ccxt.ExchangeNotAvailable,
}
BODIES = ('{}', '[]', '{"error":{"message":"no"}}', '{"code":"","retCode":""}', '<html>', '')


@pytest.fixture
def proxied(flavour, canned, exchange_id):
    """An exchange behind a proxy that answers in its place."""
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)  # else Bybit's is asked
    return exchange


def call(exchange, method):
    quoted, name = symbols(exchange, UNDERLYING[exchange.id]), UNIFIED[exchange.id]
    orders = listed(quoted, 1)
    calls = {
        'set_mmp': lambda: exchange.set_mmp(name, 5000, 2000, **RULES[exchange.id]),
        'create_order': lambda: exchange.create_order(**orders[0]),
        'create_orders': lambda: exchange.create_orders(orders),
        'all': lambda: exchange.mass_cancel_mmp(name, {'includeNonMmp': True} if exchange.id != 'okx' else {}),
    }
    return calls.get(method, lambda: getattr(exchange, method)(name))()


def raised(flavour, canned, exchange, method, status, body):
    canned.answer(body, status, 'text/html' if body.startswith('<') else 'application/json')
    with pytest.raises(ccxt.BaseError) as caught:
        flavour.take(call(exchange, method))
    return caught.value


@rows(
    ('status', 'body', 'error'),
    [(UNKNOWN, body, ccxt.BadResponse) for body in BODIES]
    + [(status, '{}', error) for status, error in ERRORS.items()],
)
def test_order_that_a_proxy_answers_may_rest(flavour, canned, exchange_id, proxied, status, body, error):
    vars(proxied).pop('_mmp_fences', None)  # of the row before
    caught = raised(flavour, canned, proxied, 'create_order', status, body)
    is_ban = exchange_id == 'binance' and status == 418  # the one whose status it is
    assert type(caught) is (ccxt.DDoSProtection if is_ban else error)
    assert [each['status'] for each in caught.orders] == ['rejected' if is_ban else None]
    assert proxied._mmp_fence(UNDERLYING[exchange_id]).has_in_flight is not is_ban  # it may still arrive


@pytest.mark.usefixtures('short_grace')  # of the orders of a row, which are looked for by those after it
@rows('method', ['set_mmp', 'reset_mmp', 'fetch_mmp', 'create_orders', 'mass_cancel_mmp', 'all'])
def test_answer_of_a_proxy_is_no_refusal(flavour, canned, proxied, method):
    caught = raised(flavour, canned, proxied, method, UNKNOWN, '{}')
    is_of_list = method == 'mass_cancel_mmp' and isinstance(caught, MassCancelIncomplete)
    assert type(caught.__cause__ if is_of_list else caught) is ccxt.BadResponse
    assert not isinstance(caught, REFUSALS)
    assert [each['status'] for each in getattr(caught, 'orders', ())] == [None] * (method == 'create_orders')
