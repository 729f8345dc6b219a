"""What an import costs, in fresh processes."""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from benchmarks.measure import median
from benchmarks.report import Cell, Comparison, Result

REPETITIONS = 25
TARGET = 1.05
OURS, STOCK = 'ccxt_mmp', 'ccxt'

# the peak of the process itself: getrusage would count that of the process that started it
SCRIPT = """
import time
started = time.perf_counter()
import {package}
seconds = time.perf_counter() - started
try:
    with open('/proc/self/status') as status:
        kilobytes = next(line.split()[1] for line in status if line.startswith('VmHWM'))
except OSError:
    kilobytes = ''
print(seconds, kilobytes)
"""


def run() -> Result:
    times: dict[str, list[float]] = {OURS: [], STOCK: []}
    peaks: dict[str, list[float]] = {OURS: [], STOCK: []}
    # installed packages have their bytecode, a checkout has not where Python is told to write none
    with TemporaryDirectory() as bytecode:
        environment = {**os.environ, 'PYTHONPYCACHEPREFIX': bytecode}
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        for turn in range(REPETITIONS + 1):
            for package in (OURS, STOCK) if turn % 2 else (STOCK, OURS):
                seconds, *kilobytes = _import(package, environment)
                if turn:  # the first one compiles
                    times[package].append(seconds)
                    peaks[package].extend(kilobytes)
    details: list[dict[str, Cell]] = [
        {
            'import': package,
            'p50 ms': median(times[package]) * 1000,
            'peak MB': median(peaks[package]) / 1024 if peaks[package] else None,
        }
        for package in (OURS, STOCK)
    ]
    comparison = Comparison('import', median(times[OURS]), median(times[STOCK]), at_most=TARGET)
    return Result('imports', f'import in a fresh process, p50 of {REPETITIONS}', [comparison], details)


def _import(package: str, environment: dict[str, str]) -> list[float]:
    command = [sys.executable, '-c', SCRIPT.format(package=package)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [float(each) for each in done.stdout.split()]
