"""The pictures of README and quickstart: ``python -m tests.pictures`` draws them with rich, from the simulator."""

import asyncio
import contextlib
import io
import re
import sys
from pathlib import Path
from unittest.mock import patch  # noqa: TID251 - of no class of ccxt, and in no test

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from ccxt_mmp.cli import commands, main, views
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.demo import run, verdict
from ccxt_mmp.cli.screens import Rich
from ccxt_mmp.cli.targets import Exchanges
from ccxt_mmp.cli.views import LiveView
from ccxt_mmp.simulator import Rule, Simulator

FOLDER = Path(__file__).parent.parent / 'docs'
WIDTH = 80
THEMES = {'dark': SVG_EXPORT_THEME, 'light': DEFAULT_TERMINAL_THEME}
NOW = 1_790_000_000_000
FONTS = re.compile(r'@font-face \{.*?\}\s*', re.DOTALL)  # from a host that readers should not have to ask


def console():
    return Console(
        record=True,
        width=WIDTH,
        height=50,
        file=io.StringIO(),
        force_terminal=True,
        color_system='standard',
        _environ={'TERM': 'xterm-256color'},  # not that of who draws them
    )


def save(recorded, title, folder, name):
    """For readers on a dark and on a light page."""
    for theme, colours in THEMES.items():
        svg = recorded.export_svg(title=title, unique_id=f'{name}-{theme}', theme=colours, clear=False)
        lines = [line.rstrip() for line in FONTS.sub('', svg).splitlines()]
        (folder / f'{name}-{theme}.svg').write_text('\n'.join(lines) + '\n')


def status(folder):
    targets = ['okx:BTC/USD', 'okx:ETH/USD', 'okx:rfq', 'binance:BTC/USDT', 'deribit:BTC/USD']
    told = io.StringIO()
    with contextlib.ExitStack() as opened:
        simulator = opened.enter_context(Simulator(clock=lambda: NOW))
        opened.enter_context(patch.object(commands, 'screen', lambda: Rich(console())))
        opened.enter_context(contextlib.redirect_stdout(told))
        opened.enter_context(patch.object(Exchanges, 'now', lambda *_: simulator.now()))  # however long it takes
        simulator.set_rule('okx', 'BTC-USD', Rule(5000, 300_000, '100'))
        simulator.set_rule('okx', 'ETH-USD', Rule(5000, 0, '500'))
        simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 300_000, '1', '0.5'))
        simulator.trip('okx', 'BTC-USD')
        simulator.trip('binance', 'BTCUSDT')
        simulator.advance(47_700)
        simulator.set_rule('deribit', 'btc_usd', Rule(5000, 0, '10', max_quote='30'))
        main(['status', *targets, '--simulator', simulator.url])
    recorded = console()
    recorded.print(Text.from_ansi(told.getvalue()))
    save(recorded, f'ccxt-mmp status {targets[0]} ...', folder, 'status')


def demo(folder):
    recorded = console()
    with Simulator() as simulator, patch.object(views, 'PAUSE', 0):
        view = LiveView(simulator, recorded)
        succeeded = asyncio.run(run(simulator, view, parsed(['demo'])))
        view.end(verdict(simulator, succeeded))
    recorded.print(view.renderable())
    save(recorded, 'ccxt-mmp demo', folder, 'demo')


def draw(folder):
    folder.mkdir(exist_ok=True)
    for picture in (status, demo):
        picture(folder)


if __name__ == '__main__':
    sys.exit(draw(FOLDER))
