"""``python -m tests.stream_soak`` in the repository's root; exit status 1 if anything was not as it should be."""

import argparse
import asyncio
import sys
from random import randrange

from tests.stream_soak.judge import WATCHED, Judge


def main(argv=None):
    parser = argparse.ArgumentParser(prog='python -m tests.stream_soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--seed', type=int, help='of the decisions; a random one by default')
    parser.add_argument('--exchanges', default=','.join(WATCHED), help='%(default)s by default')
    arguments = parser.parse_args(argv)
    exchanges = arguments.exchanges.split(',')
    if not set(exchanges) <= set(WATCHED):
        parser.error(f'exchanges are {", ".join(WATCHED)}')
    seed = randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311 - not for secrets
    print(f'{arguments.minutes:g} minutes with the seed {seed}', flush=True)

    def report(minutes):
        print(f'\nafter {minutes:.1f} minutes\n{judge.report()}', flush=True)

    judge = Judge(arguments.minutes * 60, seed, exchanges=exchanges, tell=report)
    asyncio.run(judge.live())
    print(f'\n{judge.report()}\n\n{len(judge.violations)} violations')
    return 1 if judge.violations else 0


if __name__ == '__main__':
    sys.exit(main())
