"""Orders that were sent before a mass cancel: it waits until they cannot arrive any more, and cancels them."""

import asyncio
import gc
import re
import time

import ccxt
import ccxt.async_support
import pytest

import ccxt_mmp
import ccxt_mmp.async_support
import ccxt_mmp.pro
from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp.core import kill_switch
from tests.core.fencing import ORDER, WAYS, placing, raw_orders, until
from tests.trading import UNDERLYING, UNIFIED, at_simulator, symbols, with_markets


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('rate_limit', [True, False])
def test_order_that_was_on_its_way_before_a_mass_cancel_does_not_survive_it(fast, way, rate_limit):
    """Its answer comes after that of the mass cancel, which then looks again."""
    exchange_id, params = way

    async def main(milliseconds):
        # Bybit's own limit is a second
        config = {'enableRateLimit': rate_limit, 'options': {'mmpRateLimits': {'POST order/cancel-all': [1, 100]}}}
        async with getattr(ccxt_mmp.async_support, exchange_id)(config) as exchange:
            at_simulator(exchange, fast)
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            fast.fault('hold', ORDER[exchange_id], milliseconds=milliseconds)
            placing = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await until(lambda: not fast._faults)
            cancelled = await exchange.mass_cancel_mmp(UNIFIED[exchange_id], params)
            placed = await placing
            if cancelled['orders'] is not None:
                assert [each['id'] for each in cancelled['orders']] == [placed['id']]

    for milliseconds in (20, 100, 500):  # a busy machine may need more
        seen = len(fast.requests)
        asyncio.run(main(milliseconds))
        assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []
        if not fast.requests[seen].path.endswith(ORDER[exchange_id]):
            return
    pytest.fail('the mass cancel itself waited')


@pytest.mark.parametrize('way', [('okx', {}), ('binance', {})])
def test_order_whose_answer_was_given_up_does_not_survive_a_mass_cancel(fast, set_grace, way):
    """Its task is cancelled, as bots do before they pull the plug; it arrives later."""
    exchange_id, params = way
    set_grace(0.5)  # longer than it takes to arrive

    async def main():
        async with getattr(ccxt_mmp.async_support, exchange_id)({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            symbol = symbols(exchange, UNDERLYING[exchange_id])[0]
            exchange_fetch, arriving = exchange.fetch, []

            async def arrive_later(url, method='GET', headers=None, body=None):
                if method == 'POST' and 'cancel' not in url:
                    arriving.append(asyncio.ensure_future(send_later(url, method, headers, body)))
                    await asyncio.shield(arriving[-1])
                return await exchange_fetch(url, method, headers, body)

            async def send_later(*request):
                await asyncio.sleep(0.1)
                return await exchange_fetch(*request)

            exchange.fetch = arrive_later
            placing = asyncio.ensure_future(exchange.create_order(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await asyncio.sleep(0.02)
            placing.cancel()
            await asyncio.gather(placing, return_exceptions=True)
            await exchange.mass_cancel_mmp(UNIFIED[exchange_id], params)
            await asyncio.gather(*arriving)

    asyncio.run(main())
    assert len([each for each in fast.requests if each.path.endswith('order') or 'batch' in each.path]) > 0
    assert fast.resting(exchange_id, UNDERLYING[exchange_id]) == []


@pytest.mark.usefixtures('short_grace')
@pytest.mark.parametrize('is_lost', [False, True])
@pytest.mark.parametrize(('lock', 'requests'), [(10_000, 1), (20, 2)])
def test_lock_looks_after_orders_that_were_in_flight_if_it_lasts_as_long(fast, is_lost, lock, requests):
    async def main():
        async with ccxt_mmp.async_support.okx({'enableRateLimit': False}) as exchange:
            at_simulator(exchange, fast)
            fence = exchange._mmp_fence('BTC-USD')
            sent = fence.send(fence.mark(), time.monotonic() + 11)
            asyncio.get_running_loop().call_later(0.2, fence.lost if is_lost else fence.answered, sent)
            return await exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': lock})

    cancelled = asyncio.run(main())
    assert len(fast.requests) == requests
    assert cancelled['lockedUntil'] <= fast.requests[-1].time + lock


def test_lock_that_outlasts_orders_in_flight_spares_the_wait(flavour, fast):
    """The exchange refuses them when they come."""
    exchange = flavour.exchange('okx', fast.url)
    fence = exchange._mmp_fence('BTC-USD')
    fence.send(fence.mark(), time.monotonic() + 8)
    flavour.take(exchange.mass_cancel_mmp('BTC/USD', {'lockInterval': 10_000}))
    assert fence.in_flight_until() > time.monotonic()
    assert len(fast.requests) == 1


@pytest.mark.parametrize('way', WAYS)
def test_order_that_may_arrive_after_the_time_is_over_is_told_and_cancelled_for_a_last_time(
    flavour, simulator, monkeypatch, way
):
    monkeypatch.setattr(kill_switch, 'RESERVE', 5 * kill_switch.RESERVE)  # a busy machine needs some time, too
    exchange_id, params = way
    exchange = flavour.exchange(exchange_id, simulator.url)
    fence = exchange._mmp_fence(UNDERLYING[exchange_id])
    for timeout in (100, 400, 1600, 6400):  # a busy machine may need more for two requests
        seen, begun = len(simulator.requests), simulator.now()
        fence.send(fence.mark(), time.monotonic() + 5 + timeout / 1000)
        with pytest.raises(MassCancelIncomplete, match='sent before it are not answered'):
            flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], {'timeout': timeout, **params}))
        sent = [request.time - begun for request in simulator.requests[seen:]]
        if len(sent) >= 2 and sent[-1] >= 0.375 * timeout:  # the last one when no more is left than is kept for it
            return
    pytest.fail(f'sent after {sent} ms of {timeout}')


REFUSED = {
    'okx': '{"code":"51008","msg":"","data":[]}',
    'binance': '{"code":-2010,"msg":"NEW_ORDER_REJECTED"}',
    'deribit': '{"jsonrpc":"2.0","id":1,"error":{"code":10009,"message":"not_enough_funds"}}',
    'bybit': '{"retCode":110007,"retMsg":"ab not enough for new order","result":{},"retExtInfo":{}}',
}


def test_order_that_was_refused_is_not_waited_for(flavour, canned, exchange_id):
    """Whatever the status of the answer says."""
    canned.answer(REFUSED[exchange_id], status=500)
    exchange = with_markets(flavour.exchange(exchange_id, canned.url))
    with pytest.raises(ccxt.ExchangeError):
        flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert len(canned.received()) == 1
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() == 0


@pytest.mark.parametrize('status', [500, 503, 504])
def test_order_that_a_gateway_gave_up_may_still_arrive(flavour, fast, exchange_id, status):
    fast.fault('status', ORDER[exchange_id], status=status)
    exchange = with_markets(flavour.exchange(exchange_id, fast.url))
    with pytest.raises(ccxt.NetworkError):
        flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() > time.monotonic()


def test_order_whose_answer_broke_off_may_still_arrive(flavour, httpserver, exchange_id):
    """ccxt raises the same as for a refusal."""
    broken = {'Content-Encoding': 'gzip'}
    httpserver.expect_request(re.compile('')).respond_with_data(b'{"code":"0"', headers=broken)
    exchange = with_markets(flavour.exchange(exchange_id, f'http://{httpserver.host}:{httpserver.port}'))
    with pytest.raises(ccxt.ExchangeError):
        flavour.take(raw_orders(exchange)[0]())
    assert exchange._mmp_fence(UNDERLYING[exchange_id]).in_flight_until() > time.monotonic()


def test_order_is_counted_when_it_is_signed(flavour, exchange_id):
    """So that a fetch of the user's is fenced, too."""
    exchange = with_markets(flavour.exchange(exchange_id))
    fence = exchange._mmp_fence(UNDERLYING[exchange_id])
    answer = {
        'okx': {'code': '0', 'data': [{'ordId': '1', 'sCode': '0'}]},
        'binance': {'orderId': 1},
        'deribit': {'result': {'order': {'order_id': '1'}, 'trades': []}},
        'bybit': {'retCode': 0, 'result': {'orderId': '1', 'orderLinkId': 'mmp-1'}},
    }[exchange_id]
    seen = []

    def fetch(*arguments):
        seen.append(fence.in_flight_until() > time.monotonic())
        return answer

    async def async_fetch(*arguments):
        return fetch(*arguments)

    exchange.fetch = fetch if exchange.synchronous else async_fetch
    flavour.take(placing(exchange, symbols(exchange, UNDERLYING[exchange_id])[0]))
    assert seen == [True]
    assert fence.in_flight_until() == 0


def cancelled_after_its_loop(fast, exchange, grace, *, is_collected):
    """Whether no order rests after a mass cancel, and the next one does not wait; the loop of the order is closed."""
    symbol = symbols(exchange, UNDERLYING[exchange.id])[0]
    fast.fault('hold', ORDER[exchange.id], milliseconds=round(400 * grace))
    loop = asyncio.new_event_loop()
    pending = [loop.create_task(placing(exchange, symbol))]
    loop.run_until_complete(until(lambda: pending[0].done() or not fast._faults))
    loop.close()
    pending[0]._log_destroy_pending = False  # asyncio would warn, rightly
    was_sent = not pending[0].done()
    fast.clear_faults()
    if is_collected:
        pending.clear()
        gc.collect()

    async def main():
        await exchange.mass_cancel_mmp(UNIFIED[exchange.id])
        resting = fast.resting(exchange.id, UNDERLYING[exchange.id])
        started = time.monotonic()
        await exchange.mass_cancel_mmp(UNIFIED[exchange.id])
        took = time.monotonic() - started
        await exchange._connections().close()
        return was_sent and not resting and took < grace

    is_done = asyncio.run(main())
    exchange.session = exchange.tcp_connector = None
    return is_done


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # what the closed loop leaves behind
@pytest.mark.parametrize('is_collected', [True, False])
def test_order_whose_loop_was_closed_disables_no_mass_cancel(fast, set_grace, exchange_id, is_collected):
    for seconds in (0.05, 0.5, 2.5):  # a busy machine may need more to send the order, and for it to arrive
        grace = set_grace(seconds)
        settings = {'timeout': 1000 * seconds}
        exchange = at_simulator(getattr(ccxt_mmp.async_support, exchange_id)(settings), fast)
        if cancelled_after_its_loop(fast, exchange, grace, is_collected=is_collected):
            break
    else:
        pytest.fail('an order rests, or the next mass cancel waits')
    exchange = None
    gc.collect()  # here, and not in the course of another test


def test_order_over_the_websocket_that_is_never_answered_disables_no_mass_cancel(fast, set_grace):
    grace = set_grace(0.2)

    async def main():
        async with ccxt_mmp.pro.okx({'timeout': 200}) as exchange:
            at_simulator(exchange, fast)
            sent = asyncio.Event()

            async def authenticate(params={}):
                pass

            async def watch(*arguments):
                sent.set()
                await asyncio.Event().wait()

            exchange.authenticate, exchange.watch = authenticate, watch
            symbol = symbols(exchange, 'BTC-USD')[0]
            waiting = asyncio.ensure_future(exchange.create_order_ws(symbol, 'limit', 'buy', 10, 5, {'mmp': True}))
            await sent.wait()
            started = time.monotonic()
            await exchange.mass_cancel_mmp('BTC/USD')  # waits until it is given up, and cancels again
            assert time.monotonic() - started >= grace
            assert len(fast.requests) == 2
            await exchange.mass_cancel_mmp('BTC/USD')
            assert len(fast.requests) == 3
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(main())


@pytest.mark.parametrize('status', [200, 400])
def test_order_whose_answer_leaves_it_open_may_still_arrive(flavour, canned, status):
    """OKX 50004: the endpoint request timed out, which does not say whether it was done."""
    canned.answer('{"code":"50004","data":[],"msg":"Endpoint request timeout"}', status=status)
    exchange = with_markets(flavour.exchange('okx', canned.url))
    with pytest.raises(ccxt.RequestTimeout):
        flavour.take(placing(exchange, symbols(exchange, 'BTC-USD')[0]))
    assert exchange._mmp_fence('BTC-USD').in_flight_until() > time.monotonic()


def test_gateway_that_has_no_code_of_okx_leaves_it_open(flavour, canned):
    canned.answer('{"message":"upstream request timeout"}', status=504)
    exchange = with_markets(flavour.exchange('okx', canned.url))
    with pytest.raises(ccxt.ExchangeNotAvailable):
        flavour.take(placing(exchange, symbols(exchange, 'BTC-USD')[0]))
    assert exchange._mmp_fence('BTC-USD').in_flight_until() > time.monotonic()


def test_second_request_that_fails_is_told(flavour, simulator):
    okx, requests = flavour.exchange('okx', simulator.url), []
    fence, send = okx._mmp_fence('BTC-USD'), okx._urgent_request
    fence.send(fence.mark(), time.monotonic() + 0.05)  # an order that is given up soon

    async def send_once(*arguments):
        requests.append(arguments)
        if len(requests) > 1:
            raise ccxt.ExchangeError('no')
        return await send(*arguments)

    okx._urgent_request = send_once
    with pytest.raises(MassCancelIncomplete, match='first failure ExchangeError: no'):
        flavour.take(okx.mass_cancel_mmp('BTC/USD'))
    assert len(requests) == 2
