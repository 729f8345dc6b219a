"""The installed command on terminals of 60, 80 and 100 columns, with rich and without it: what is on the screen."""

import re

import pytest

from ccxt_mmp.simulator import Rule
from tests.cli.books import ALL, UNDERLYINGS
from tests.terminal import CONTROL, Commands, environment

pyte = pytest.importorskip('pyte')

WIDTHS = (60, 80, 100)
LOW = 7  # lines
WIDE = 1000  # nothing is folded there
VARIES = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+|ahead|behind')
TARGETS = (*ALL, 'okx:ETH/USD', 'okx:rfq', 'deribit:BTC/USDC')
REASON = 'quotes were filled at three in the morning and nobody knows why, so all of them stay away'
COMMANDS = {
    'halt': ('halt', 'okx:BTC/USD', '--reason', REASON),
    'status': ('status', *TARGETS, '--orders'),
    'resume': ('resume', 'okx:BTC/USD'),
    'orders': ('orders', *ALL),
    'check': ('check', *ALL, 'okx:rfq', 'kraken:BTC/USD'),
    'cancel': ('cancel', *TARGETS, 'kraken:BTC/USD', '--lock-interval', '5s'),
    'demo': ('demo',),
}
STATUSES = {'check': 1, 'cancel': 1}
NAMES = ', '.join((*TARGETS, 'kraken:BTC/USD'))
# what a command may say on a busy machine alone: its progress, and how many orders a list had meanwhile
WHEN_BUSY = f'1 s: 1 of 2 done, waiting for {NAMES}, {" ".join(NAMES.split(", "))} all MMP orders, 2 or more, or more'


@pytest.fixture(scope='module', params=[True, False], ids=['rich', 'plain'])
def terminal(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp('terminal')
    environ = environment(folder, with_rich=request.param) | {'CCXT_MMP_HALT': f'sqlite:{folder}/halt.db'}
    with Commands(folder, environ) as terminal:
        terminal.with_rich = request.param
        terminal.whole_words = {}  # of each command, where nothing is folded
        yield terminal


def prepare(desk):
    """Rules and orders of all kinds; one is frozen."""
    desk.clear()
    for family in ('BTC-USD', 'ETH-USD'):
        desk.set_rule('okx', family, Rule(5000, 600_000, '100'))
    desk.set_rule('binance', 'BTCUSDT', Rule(3000, 300_000, '1.5', '0.5'))
    desk.set_rule('deribit', 'btc_usd', Rule(5000, 0, '10', max_quote='300'))
    desk.trip('okx', 'ETH-USD')
    for venue, underlying in UNDERLYINGS.items():
        for mmp in (True, False):
            desk.rest(venue, underlying, mmp=mmp)


def run(terminal, desk, name, columns):
    """The lines of the screen after a command; every one fits."""
    prepare(desk)
    simulated = [] if name == 'demo' else ['--simulator', desk.url]
    status, output = terminal.run([*COMMANDS[name], *simulated], columns=columns)
    assert status == STATUSES.get(name, 0), output
    lines = CONTROL.sub('', output).splitlines()
    assert all(len(line) <= columns for line in lines), lines
    return lines if columns == WIDE else seen(output, columns)


def seen(output, columns, rows=200):
    """The lines of a screen after an output."""
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(output)
    return [line.rstrip() for line in screen.display if line.strip()]


def words_of(lines):
    """The words of a screen; times, counts and ids differ from one run to the next."""
    return {re.sub(VARIES, '0', word) for line in lines for word in line.split()}


def names_of_columns(words):
    """The words of the headings as the line has them that says which columns are not shown."""
    return {
        'Not',
        'shown',
        'here:',
        *(word.lower() + mark for word in words if word.isupper() for mark in ('', ',', '.')),
    }


@pytest.mark.parametrize('columns', WIDTHS)
def test_every_screen_fits_and_folds_no_word(terminal, simulator, columns):
    for name in COMMANDS if not terminal.whole_words else ():
        terminal.whole_words[name] = words_of(run(terminal, simulator, name, WIDE))
    for name, whole in terminal.whole_words.items():
        lines = run(terminal, simulator, name, columns)
        folded = words_of(lines) - whole - names_of_columns(whole) - words_of([WHEN_BUSY])
        assert not folded, f'{name}: {folded}'


@pytest.mark.parametrize('columns', WIDTHS)
def test_low_terminal_is_redrawn_in_place_and_hides_nothing_that_is_frozen(terminal, simulator, columns):
    prepare(simulator)
    pictures = []

    def look():
        pictures.append(terminal.output.rpartition('\x1b[J')[0])  # what came last may be half a picture

    rest = ('--watch', '0.1', '--simulator', simulator.url)
    status, output = terminal.run(
        ['status', *TARGETS, *rest],
        (r'FROZEN +\d+:\d\d[^\x00]*And \d more: [^\x00]*FROZEN +\d+:\d\d[^\x00]*And \d more', look),
        ('', lambda: simulator.advance(600_000)),
        (r'And \d more: \d armed', terminal.interrupt),
        columns=columns,
        rows=LOW,
    )
    assert status == 0
    assert all(len(line) <= columns for line in CONTROL.sub('', output).splitlines())
    lines = seen(pictures[0], columns, LOW)
    assert lines[0].startswith('EXCHANGE')
    assert len(lines) < LOW
    assert sum('FROZEN' in line for line in lines) == 1
    assert sum(line.startswith('EXCHANGE') for line in seen(output, columns, LOW)) == 1
