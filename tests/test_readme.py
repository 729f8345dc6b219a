"""The README: its blocks run, against the simulator, its table is true, and it stays short."""

import asyncio
import re
import time

import pytest

from ccxt_mmp import pro
from ccxt_mmp.registry import EXCHANGES
from tests.documents import README, blocks, doors, run  # noqa: F401 - a fixture

TEXT = README.read_text()
SYNC, ASYNC, LOOP, TEST = blocks(README, 'python')
LINES = 150
LOCK = {'lockInterval': 10_000}

LOADING_MARKETS = ('/public/instruments', '/asset/currencies')
SENT = {
    SYNC: [
        'POST account/mmp-config',
        'POST trade/batch-orders',
        'GET account/mmp-config',
        'POST trade/mass-cancel',
    ],
    ASYNC: ['POST mmpSet', 'GET openOrders', 'DELETE order', 'GET openOrders'],
}


def test_it_is_short():
    assert len(TEXT.splitlines()) <= LINES


def test_commands_are_two():
    """The commands that .ci/run takes from here."""
    assert re.findall(r'^pip install .*$', TEXT, re.MULTILINE) == [
        'pip install . && python -m ccxt_mmp demo',
        "pip install '.[test]' && pytest",
    ]


@pytest.mark.parametrize('code', SENT, ids=['sync', 'async'])
def test_example_runs(doors, simulator, code):  # noqa: F811
    simulator.rest('binance', 'BTCUSDT', mmp=True)
    run(code, README)
    sent = [
        f'{request.method} {re.sub("^/(api/v5|eapi/v1)/", "", request.path)}'
        for request in simulator.requests
        if not request.path.endswith(LOADING_MARKETS)
    ]
    assert sent == SENT[code]
    assert {request.status for request in simulator.requests} <= {200}


async def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


@pytest.mark.parametrize('frozen_time', [2000, 0], ids=['it waits', 'it resets'])
def test_loop_quotes_until_frozen_and_again_after_it(simulator, monkeypatch, frozen_time):
    assert 'timeout=1)' in LOOP
    names = run(LOOP.replace('timeout=1)', 'timeout=0.01)'), README)
    exchange = simulator.connect(pro.okx, enableRateLimit=False)
    monkeypatch.setattr(pro.okx, '_least_poll_interval', 100)
    exchange.options['watchMmp']['pollInterval'] = 100
    quoted, told = [], []
    watch_mmp = exchange.watch_mmp

    async def watch(*arguments):
        told.append(await watch_mmp(*arguments))
        return told[-1]

    async def quote():
        quoted.append(None)
        order = {'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 0.01, 'params': {'mmp': True}}
        await exchange.create_orders([{**order, 'symbol': exchange.symbols[0]}])

    def reads():
        return sum(request.method == 'GET' and 'mmp-config' in request.path for request in simulator.requests)

    async def trade():
        async with exchange:
            await exchange.load_markets()
            await exchange.set_mmp('BTC/USD', window=5000, frozenTime=frozen_time, qtyLimit=10)
            exchange.watch_mmp = watch
            loop = asyncio.create_task(names['keep_quoting'](exchange, quote))
            await until(lambda: simulator.resting('okx', 'BTC/USD') or loop.done())
            simulator.trip('okx', 'BTC/USD')
            await until(lambda: any(each['frozen'] for each in told) or loop.done())
            if frozen_time:
                before, read = len(quoted), reads()
                await until(lambda: reads() > read + 1)  # a tenth of a second: ten turns of the loop
                assert len(quoted) == before
                simulator.advance(frozen_time)
            await until(lambda: simulator.resting('okx', 'BTC/USD') or loop.done())
            assert not loop.done()
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    asyncio.run(trade())
    resets = [request for request in simulator.requests if request.path.endswith('mmp-reset')]
    assert len(resets) == (0 if frozen_time else 1)


@pytest.mark.parametrize('stop', ['lock', 'halt'])
def test_loop_goes_on_after_a_lock_and_after_a_halt(simulator, tmp_path, stop):
    names = run(LOOP.replace('timeout=1)', 'timeout=0.01)'), README)
    bot, desk = (simulator.connect(pro.okx, enableRateLimit=False) for _ in range(2))
    tried = []

    async def quote():
        tried.append(None)
        order = {'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 0.01, 'params': {'mmp': True}}
        await bot.create_orders([{**order, 'symbol': bot.symbols[0]}])

    async def trade():
        async with bot, desk:
            for each in (bot, desk):
                each.options['mmpHalt'] = {'url': f'sqlite:{tmp_path}/halt.db', 'grace': 0}
            await bot.load_markets()
            await bot.set_mmp('BTC/USD', window=5000, frozenTime=0, qtyLimit=10)
            loop = asyncio.create_task(names['keep_quoting'](bot, quote))
            await until(lambda: simulator.resting('okx', 'BTC/USD') or loop.done())
            await (desk.halt_mmp('BTC/USD') if stop == 'halt' else desk.mass_cancel_mmp('BTC/USD', LOCK))
            before = len(tried)
            await until(lambda: len(tried) > before + 1 or loop.done())
            assert simulator.resting('okx', 'BTC/USD') == []
            if stop == 'halt':
                await desk.resume_mmp('BTC/USD')
            simulator.advance(LOCK['lockInterval'] + 1)
            await until(lambda: simulator.resting('okx', 'BTC/USD') or loop.done())
            assert not loop.done()
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    asyncio.run(trade())


def test_example_of_the_fixture_runs(pytester):
    pytester.makepyfile(TEST)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


# --- the table of methods


def rows():
    """Each row as its methods, and what is said of each exchange."""
    table = TEXT.partition('| method |')[2].partition('\n\n')[0].splitlines()
    for line in table[2:]:
        cells = [each.strip() for each in line.strip('|').split('|')]
        yield cells[0], cells[1:]


def test_table_has_every_exchange():
    heads = TEXT.partition('| method |')[2].partition('\n')[0]
    assert [each.strip() for each in heads.strip(' |').split('|')] == [each.name for each in EXCHANGES.values()]


def told(exchange, method):
    """What ``has`` says of a method, in the table's words."""
    alias = re.sub('_([a-z])', lambda match: match[1].upper(), method)
    return {True: 'yes', 'emulated': 'emulated'}.get(exchange.has.get(alias), '-')


@pytest.mark.parametrize(
    ('methods', 'cells'), [each for each in rows() if ' with ' not in each[0] and '`rfq`' not in each[0]]
)
def test_table_says_what_has_says(methods, cells):
    names = re.findall(r'`(\w+)`', methods)
    assert names
    for cell, exchange_id in zip(cells, EXCHANGES, strict=True):
        exchange = getattr(pro, exchange_id)()
        assert {told(exchange, name) for name in names} == {cell}


def test_table_says_where_there_is_block_trading():
    [cells] = [cells for methods, cells in rows() if '`rfq`' in methods]
    assert cells == ['yes' if each.has_rfq else '-' for each in EXCHANGES.values()]
