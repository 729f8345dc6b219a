"""``python -m tests.halt_soak`` in the repository's root; exit status 1 if an order was accepted while halted."""

import argparse
import sys
import tempfile
from pathlib import Path
from random import randrange

from tests.halt_soak.judge import Judge
from tests.redis_server import RedisServer


def over_sqlite(folder, processes, halts, seed, pause):
    file = Path(folder) / 'halt.db'
    with Judge(f'sqlite:{file}', processes, seed, pause=pause) as judge:
        for _ in range(halts):
            judge.halt_and_resume()
        judge.lose(file.unlink)
    return judge


def over_redis(folder, processes, halts, seed, pause):
    with RedisServer(folder) as server, Judge(server.url, processes, seed, pause=pause) as judge:
        for _ in range(halts):
            judge.halt_and_resume()
        judge.lose(server.suspend, server.resume)
        judge.lose(server.kill, server.start)  # it is back, and empty
    return judge


STORES = {'sqlite': over_sqlite, 'redis': over_redis}


def soak(store, processes, halts, seed, pause=0):
    """Every bot waits ``pause`` ms after each order."""
    with tempfile.TemporaryDirectory() as folder:
        return STORES[store](folder, processes, halts, seed, pause)


def main(argv=None):
    parser = argparse.ArgumentParser(prog='python -m tests.halt_soak', description=__doc__)
    parser.add_argument('--processes', type=int, default=8)
    parser.add_argument('--halts', type=int, default=50, help='with each store')
    parser.add_argument('--stores', default=','.join(STORES), help='%(default)s by default')
    parser.add_argument('--seed', type=int, help='of the decisions; a random one by default')
    arguments = parser.parse_args(argv)
    stores = arguments.stores.split(',')
    if not set(stores) <= set(STORES):
        parser.error(f'stores are {", ".join(STORES)}')
    seed = randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311 - not for secrets
    print(f'the seed is {seed}', flush=True)
    judges = {}
    for store in stores:
        judge = judges[store] = soak(store, arguments.processes, arguments.halts, seed)
        print('\n'.join([f'{store}: {judge.report()}', *judge.violations]), flush=True)
    return 1 if any(judge.violations for judge in judges.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
