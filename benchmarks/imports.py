"""What an import costs beside that of ccxt, in fresh processes.

Both are timed in one process, one after the other: from process to process the import of ccxt differs by more than all
that follows it takes.
"""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from benchmarks.measure import median
from benchmarks.report import Cell, Comparison, Result

REPETITIONS = 25
TARGET = 1.05
STOCK = 'import ccxt'
OURS = ('import ccxt_mmp', 'from ccxt_mmp import okx')

# the peak of the process itself: getrusage would count that of the process that started it
SCRIPT = """
import time
started = time.perf_counter()
{stock}
loaded = time.perf_counter()
{statement}
done = time.perf_counter()
try:
    with open('/proc/self/status') as status:
        kilobytes = next(line.split()[1] for line in status if line.startswith('VmHWM'))
except OSError:
    kilobytes = ''
print(loaded - started, done - loaded, kilobytes)
"""


def run() -> Result:
    statements = (STOCK, *OURS)
    stock: list[float] = []
    added: dict[str, list[float]] = {each: [] for each in statements}
    peaks: dict[str, list[float]] = {each: [] for each in statements}
    # installed packages have their bytecode, a checkout has not where Python is told to write none
    with TemporaryDirectory() as bytecode:
        environment = {**os.environ, 'PYTHONPYCACHEPREFIX': bytecode}
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        for turn in range(REPETITIONS + 1):
            for statement in statements if turn % 2 else reversed(statements):
                first, then, *kilobytes = _import(statement, environment)
                if turn:  # the first one compiles
                    stock.append(first)
                    added[statement].append(then)
                    peaks[statement].extend(kilobytes)
    base = median(stock)
    seconds = {statement: base + median(each) for statement, each in added.items()}
    details: list[dict[str, Cell]] = [
        {
            'import': statement,
            'p50 ms': seconds[statement] * 1000,
            'peak MB': median(peaks[statement]) / 1024 if peaks[statement] else None,
        }
        for statement in statements
    ]
    comparisons = [Comparison(each, seconds[each], base, at_most=TARGET) for each in OURS]
    return Result('imports', f'import in a fresh process, p50 of {REPETITIONS}', comparisons, details)


def _import(statement: str, environment: dict[str, str]) -> list[float]:
    command = [sys.executable, '-c', SCRIPT.format(stock=STOCK, statement=statement)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [float(each) for each in done.stdout.split()]
