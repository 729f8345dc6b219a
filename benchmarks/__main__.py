"""``python -m benchmarks [names...]`` in the repository's root; exit status 1 if a target is missed."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence

import ccxt

import ccxt_mmp
from benchmarks import commands, emulation, halts, imports, latency, overhead, scaling, sockets, streams
from benchmarks.report import as_markdown

BENCHMARKS = {
    'overhead': overhead.run,
    'latency': latency.run,
    'emulation': emulation.run,
    'scaling': scaling.run,
    'streams': streams.run,
    'sockets': sockets.run,
    'halts': halts.run,
    'imports': imports.run,
    'commands': commands.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    parser.add_argument('names', nargs='*', metavar='name', help=f'of {", ".join(BENCHMARKS)}; all by default')
    form = parser.add_mutually_exclusive_group()
    form.add_argument('--json', action='store_true', help='one JSON document')
    form.add_argument('--markdown', action='store_true', help='a table of the main figures')
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f'there is no {", ".join(sorted(unknown))}')

    environment = {
        'ccxt_mmp': ccxt_mmp.__version__,
        'ccxt': ccxt.__version__,
        'python': platform.python_version(),
        'system': f'{platform.system()} {platform.machine()}',
        'cpus': os.cpu_count(),
    }
    where = (
        'ccxt_mmp {ccxt_mmp}, ccxt {ccxt}, Python {python}, {system}, {cpus} CPUs, '
        'the built-in simulator over loopback HTTP'
    ).format(**environment)
    is_text = not (arguments.json or arguments.markdown)
    if is_text:
        print(where, flush=True)
    started = time.perf_counter()
    results = []
    for name, run in BENCHMARKS.items():
        if not arguments.names or name in arguments.names:
            results.append(run())
            if is_text:
                print(f'\n\n{results[-1].as_text()}', flush=True)
    seconds = time.perf_counter() - started
    targets = [each for result in results for each in result.comparisons if each.has_target]
    missed = [each for each in targets if not each.is_met]
    if arguments.json:
        document = {**environment, 'seconds': seconds, 'results': [each.as_json() for each in results]}
        print(json.dumps(document, indent=2))
    elif arguments.markdown:
        print(f'{as_markdown(results)}\n\n{where}.')
    else:
        print(f'\n\n{len(targets) - len(missed)} of {len(targets)} figures meet their targets, in {seconds:.0f} s')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
