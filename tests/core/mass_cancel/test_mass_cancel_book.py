"""A mass cancel of many orders: what it costs, and what goes side by side."""

import threading
import time

import pytest

import ccxt_mmp
import ccxt_mmp.async_support
from ccxt_mmp.simulator import Simulator
from tests.core.mass_cancel.cancelling import MINUTE, cancel, ids, quote


@pytest.fixture(scope='module')
def book():
    """A simulator whose clock stands at the beginning of a minute, with options of more underlyings."""
    with Simulator(clock=lambda: MINUTE) as simulator:
        simulator.list_options('binance', 'BTCUSDT', base='BTC', settle='USDT', strikes=range(200_000, 204_000, 1000))
        simulator.list_options('binance', 'BTCDOMUSDT', base='BTCDOM', settle='USDT', strikes=[2000, 3000])
        simulator.list_options('binance', 'BTCUSDC', base='BTC', settle='USDC', strikes=[62_500, 67_500])
        yield simulator


def quote_much(book, count):
    """The ids of the MMP orders of so many contracts of BTCUSDT, two of each, and those of all others."""
    book.clear()
    contracts = book.instruments('binance', 'BTCUSDT')[:count]
    assert len(contracts) == count
    mine = [book.rest('binance', 'BTCUSDT', mmp=True, symbol=each).order_id for each in contracts for _ in range(2)]
    others = [
        book.rest('binance', underlying, mmp=mmp, symbol=each).order_id
        for underlying, mmp in (('BTCUSDT', False), ('BTCDOMUSDT', True), ('BTCUSDC', True), ('ETHUSDT', True))
        for each in book.instruments('binance', underlying)[:16]
    ]
    return mine, others


def all_resting(book):
    everywhere = ('BTCUSDT', 'BTCDOMUSDT', 'BTCUSDC', 'ETHUSDT')
    return [order.order_id for underlying in everywhere for order in book.resting('binance', underlying)]


def test_full_book_goes_in_as_many_requests_as_it_has_contracts(flavour, book):
    mine, others = quote_much(book, 200)
    exchange = flavour.exchange('binance', book.url)
    exchange.milliseconds = book.now
    cancelled = cancel(flavour, exchange)
    assert sorted(all_resting(book)) == sorted(others)
    assert ids(cancelled['orders']) == sorted(mine)
    assert len(book.requests) == 1 + 200 + 1
    assert book.used_weight == 40 + 200 * 5 + 40


def test_book_goes_the_cheaper_way_if_little_weight_is_left(flavour, book):
    mine, others = quote_much(book, 50)
    exchange = flavour.exchange('binance', book.url)
    exchange.milliseconds = book.now
    book.use_weight(2200)
    cancelled = cancel(flavour, exchange)
    assert sorted(all_resting(book)) == sorted(others)
    assert ids(cancelled['orders']) == sorted(mine)
    assert len(book.requests) == 1 + 100 + 1
    assert book.used_weight == 2200 + 40 + 100 * 1 + 40


def test_batches_stay_where_single_cancellations_would_cost_more(flavour, book):
    book.clear()
    [few, many] = book.instruments('binance', 'BTCUSDT')[:2]
    for symbol, of_each in ((few, 4), (many, 9)):
        for _ in range(of_each):
            book.rest('binance', 'BTCUSDT', mmp=True, symbol=symbol)
    exchange = flavour.exchange('binance', book.url)
    exchange.milliseconds = book.now
    book.use_weight(2400 - 40 - 40 - 9)  # a batch of 5 and four single cancellations
    assert len(cancel(flavour, exchange)['orders']) == 13
    assert book.used_weight == 2400
    assert all(request.status == 200 for request in book.requests)


def test_weight_limit_can_be_set(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'weightLimit': 44}})
    quote(simulator, 'binance', 2)
    cancel(flavour, exchange)
    assert len(simulator.requests) == 1 + 4 + 1


def test_cancellations_go_side_by_side_but_not_too_many_at_once(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 5}})
    quote(simulator, 'binance', 20)
    simulator.latency = 30
    started = time.monotonic()
    cancel(flavour, exchange)
    took = time.monotonic() - started
    one_after_another, five_at_once = (1 + turns + 1 for turns in (20, 20 / 5))
    assert five_at_once * 0.030 <= took < one_after_another * 0.030


def test_cancellations_go_one_after_another_if_the_user_says_so(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, options={'massCancelMmp': {'concurrency': 1}})
    quote(simulator, 'binance', 5)
    under_way, most = [], []
    cancelling = exchange._cancel_chunk

    async def watched(*arguments):
        under_way.append(threading.get_ident())
        most.append(len(under_way))
        outcome = await cancelling(*arguments)
        under_way.pop()
        return outcome

    exchange._cancel_chunk = watched
    cancel(flavour, exchange)
    assert most == [1] * 5


def test_threads_of_a_mass_cancel_end_with_it_and_go_over_connections_of_their_own(simulator):
    exchange = simulator.connect(ccxt_mmp.binance)
    quote(simulator, 'binance', 30)
    simulator.latency = 10
    before = threading.active_count()
    exchange.mass_cancel_mmp('BTC/USDT')
    assert threading.active_count() == before
    ports = {request.port for request in simulator.requests}
    assert 2 <= len(ports) <= 10
    assert len(exchange._connections()._idle) == len(ports)
    exchange.close()
    assert exchange._connections()._idle == []


def test_thread_that_cannot_be_started_leaves_its_work_to_the_others(simulator, monkeypatch):
    exchange = simulator.connect(ccxt_mmp.binance)
    mine = quote(simulator, 'binance', 5)

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, 'start', start)
    assert ids(exchange.mass_cancel_mmp('BTC/USDT')['orders']) == sorted(mine)


def test_interrupt_stops_the_cancellations_that_have_not_begun(simulator):
    exchange = simulator.connect(ccxt_mmp.binance, options={'massCancelMmp': {'concurrency': 2}})
    quote(simulator, 'binance', 30)
    cancelling = exchange._cancel_chunk
    main = threading.get_ident()

    async def interrupted(*arguments):
        if threading.get_ident() == main:
            raise KeyboardInterrupt
        return await cancelling(*arguments)

    exchange._cancel_chunk = interrupted
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        exchange.mass_cancel_mmp('BTC/USDT')
    assert threading.active_count() == before
    assert len(simulator.requests) < 30
