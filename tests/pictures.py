"""The pictures of the README: ``python -m tests.pictures`` draws them with rich, from the simulator."""

import asyncio
import io
import re
import sys
from pathlib import Path
from unittest.mock import patch

from rich.console import Console

from ccxt_mmp.cli import commands, main, views
from ccxt_mmp.cli.arguments import parsed
from ccxt_mmp.cli.demo import run, verdict
from ccxt_mmp.cli.screens import Rich
from ccxt_mmp.cli.views import LiveView
from ccxt_mmp.simulator import Rule, Simulator

FOLDER = Path(__file__).parent.parent / 'docs'
NOW = 1_790_000_000_000
FONTS = re.compile(r'@font-face \{.*?\}\s*', re.DOTALL)  # from a host that readers should not have to ask


def console(width):
    return Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system='truecolor')


def saved(recorded, title, path):
    svg = recorded.export_svg(title=title, unique_id=path.stem)
    lines = [line.rstrip() for line in FONTS.sub('', svg).splitlines()]
    path.write_text('\n'.join(lines) + '\n')


def status(path):
    recorded = console(144)
    targets = ['okx:BTC/USD', 'okx:ETH/USD', 'okx:rfq', 'binance:BTC/USDT', 'binance:ETH/USDT']
    with Simulator(clock=lambda: NOW) as simulator, patch.object(commands, 'screen', lambda: Rich(recorded)):
        simulator.set_rule('okx', 'BTC-USD', Rule(5000, 300_000, '100'))
        simulator.set_rule('okx', 'ETH-USD', Rule(5000, 0, '500'))
        simulator.set_rule('binance', 'BTCUSDT', Rule(3000, 300_000, '1', '0.5'))
        simulator.trip('okx', 'BTC-USD')
        simulator.trip('binance', 'BTCUSDT')
        simulator.advance(47_700)
        simulator.set_rule('binance', 'ETHUSDT', Rule(3000, 300_000, '20', '5'))
        main(['status', *targets, '--simulator', simulator.url])
    saved(recorded, f'ccxt-mmp status {" ".join(targets)}', path)


def demo(path):
    recorded = console(132)
    with Simulator() as simulator, patch.object(views, 'PAUSE', 0):
        view = LiveView(simulator, recorded)
        succeeded = asyncio.run(run(simulator, view, parsed(['demo'])))
        view.end(verdict(simulator, succeeded))
    recorded.print(view.renderable())
    saved(recorded, 'ccxt-mmp demo', path)


def draw(folder):
    folder.mkdir(exist_ok=True)
    for picture in (status, demo):
        picture(folder / f'{picture.__name__}.svg')


if __name__ == '__main__':
    sys.exit(draw(FOLDER))
