"""What is seen on terminals of 60, 80 and 100 columns, with rich and without it."""

import re

import pytest

from ccxt_mmp.cli.targets import Exchanges
from ccxt_mmp.simulator import Rule
from tests.terminal import CONTROL, Here, interrupt

pyte = pytest.importorskip('pyte')

FAMILIES = ('BTC-USD', 'ETH-USD')
TARGETS = ('okx:BTC/USD', 'okx:ETH/USD', 'okx:rfq', 'binance:BTC/USDT', 'deribit:BTC/USD', 'deribit:BTC/USDC')
WIDTHS = (60, 80, 100)


@pytest.fixture(params=[True, False], ids=['rich', 'plain'])
def with_rich(request):
    return request.param


@pytest.fixture
def desk(simulator):
    """Rules of all kinds; the last one of OKX's is frozen."""
    for family in FAMILIES:
        simulator.set_rule('okx', family, Rule(5000, 600_000, '100'))
    simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 300_000, '1.5', '0.5'))
    simulator.set_rule('deribit', 'btc_usd', Rule(5000, 0, '10', max_quote='300'))
    for venue, underlying in (('okx', 'BTC-USD'), ('binance', 'BTCUSDT'), ('deribit', 'btc_usd')):
        for mmp in (True, True, False):
            simulator.rest(venue, underlying, mmp=mmp)
    simulator.trip('okx', 'ETH-USD')
    return simulator


def seen(output, columns, lines=50):
    """The lines of a screen after an output."""
    screen = pyte.Screen(columns, lines)
    pyte.Stream(screen).feed(output)
    return [line.rstrip() for line in screen.display]


def assert_fits(output, columns):
    for line in CONTROL.sub('', output).splitlines():
        assert len(line) <= columns, line


def rows(lines):
    """The rows of the table that is on a screen, by their underlyings."""
    heading = next(index for index, line in enumerate(lines) if line.startswith('EXCHANGE'))
    names = re.split(r'  +', lines[heading])
    table = {}
    for line in lines[heading + 1 :]:
        cells = re.split(r'  +', line)
        if len(cells) != len(names):
            break
        table[cells[0], cells[1]] = dict(zip(names, cells, strict=True))
    return table


@pytest.mark.parametrize('columns', WIDTHS)
def test_status_fits_and_folds_no_word(desk, monkeypatch, with_rich, columns):
    terminal = Here(monkeypatch, with_rich=with_rich, columns=columns)
    ends = desk.protection('okx', 'ETH-USD').frozen_until(desk.now())
    monkeypatch.setattr(Exchanges, 'now', lambda *_: ends - 252_000)  # however long it takes
    terminal.run(['status', *TARGETS, '--orders', '--simulator', desk.url])
    assert_fits(terminal.output, columns)
    lines = seen(terminal.output, columns)
    table = rows(lines)
    assert len(table) == len(TARGETS)
    assert table['okx', 'ETH/USD:ETH']['STATE'] == 'FROZEN'
    assert table['okx', 'ETH/USD:ETH']['TIME LEFT'] == '4:12'
    assert table['binance', 'BTC/USDT:USDT'].get('LIMITS', '') in ('', '1.5 contracts, delta 0.5 BTC')
    assert table['deribit', 'BTC/USD:BTC']['MMP ORDERS'] == '2'
    assert any(line.startswith('Not shown here: ') for line in lines)
    assert ' '.join(lines).count('100 contracts are about') == 1


@pytest.mark.parametrize('columns', WIDTHS)
def test_cancel_fits_and_says_the_verdict_first(desk, monkeypatch, with_rich, columns):
    stubborn = desk.resting('binance', 'BTCUSDT')[0]
    desk.refuse_cancel(stubborn.order_id)
    terminal = Here(monkeypatch, with_rich=with_rich, columns=columns)
    terminal.run(['cancel', *TARGETS[:2], *TARGETS[3:], '--simulator', desk.url])
    assert_fits(terminal.output[terminal.output.index('NOT CERTAIN') :], columns)
    text = ' '.join(' '.join(seen(terminal.output, columns)).split())
    assert 'NOT CERTAIN, run it again: binance:BTC/USDT; cancelled all MMP orders' in text
    assert f'1 order left: {stubborn.instrument.instrument_id} {stubborn.order_id}' in text
    assert ('\x1b[1;31mNOT CERTAIN' in terminal.output) == with_rich
    assert terminal.status == 1


@pytest.mark.parametrize('columns', WIDTHS)
@pytest.mark.parametrize(
    ('targets', 'headline'),
    [
        (('okx',), r'all MMP orders where a rule is set(, \d+ or more)? okx:'),
        (
            ('okx', 'binance', 'deribit', 'bybit'),
            r'all MMP orders, \d+ or more \(OKX, Deribit: where a rule is set; Bybit: the tagged ones\); 1 order ',
        ),
    ],
)
def test_cancel_of_everything_fits_and_says_where_it_finds_orders(
    desk, monkeypatch, with_rich, columns, targets, headline
):
    for mmp in (True, False):
        desk.rest('bybit', 'BTC', mmp=mmp)
    terminal = Here(monkeypatch, with_rich=with_rich, columns=columns)
    terminal.run(['cancel', *targets, '--simulator', desk.url])
    assert_fits(terminal.output, columns)
    assert re.match(f'CANCELLED {headline}', ' '.join(' '.join(seen(terminal.output, columns)).split()))
    assert terminal.status == 0


@pytest.mark.parametrize('columns', WIDTHS)
def test_watch_on_a_low_terminal_never_hides_what_is_frozen(desk, monkeypatch, with_rich, columns):
    monkeypatch.setenv('LINES', '6')
    screen = pyte.Screen(columns, 6)
    stream = pyte.Stream(screen)
    terminal = Here(monkeypatch, with_rich=with_rich, columns=columns)
    terminal.run(
        ['status', *TARGETS, '--watch', '0.1', '--simulator', desk.url],
        ('FROZEN', lambda: None),
        (r'And 3 more: .*\.', interrupt),
    )
    # what came last may be half a picture: the one before it is whole
    whole = terminal.output.rpartition('\x1b[J')[0]
    stream.feed(whole)
    lines = [line.rstrip() for line in screen.display]
    assert any('FROZEN' in line for line in lines)
    assert lines[0].startswith('EXCHANGE')
    assert_fits(whole, columns)
