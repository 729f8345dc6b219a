"""``python -m tests.soak`` in the repository's root; exit status 1 if anything was not as it should be."""

import argparse
import sys
import time
from random import randrange

from tests.soak.judge import Desk

FLAVOURS = ('sync', 'async', 'pro')
REPORT_EVERY = 60  # s


def soak(seconds, seed, flavours=FLAVOURS, report=None):
    """Let the bots live for some time; the desks at which they were, with what was found."""
    desks = [Desk(flavour, seed, seconds) for flavour in flavours]
    for desk in desks:
        desk.start()
    next_report = time.monotonic() + REPORT_EVERY
    for desk in desks:
        while desk.is_alive():
            desk.join(1)
            if report is not None and time.monotonic() >= next_report:
                next_report += REPORT_EVERY
                report(desks)
    return desks


def main(argv=None):
    parser = argparse.ArgumentParser(prog='python -m tests.soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--seed', type=int, help='of the decisions; a random one by default')
    parser.add_argument('--flavours', default=','.join(FLAVOURS), help='%(default)s by default')
    arguments = parser.parse_args(argv)
    flavours = arguments.flavours.split(',')
    if not set(flavours) <= set(FLAVOURS):
        parser.error(f'flavours are {", ".join(FLAVOURS)}')
    seed = randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311 - not for secrets
    print(f'{arguments.minutes:g} minutes with the seed {seed}', flush=True)
    started = time.monotonic()

    def report(desks):
        print(f'\nafter {(time.monotonic() - started) / 60:.1f} minutes')
        print('\n'.join(desk.report() for desk in desks), flush=True)

    desks = soak(arguments.minutes * 60, seed, flavours, report)
    report(desks)
    violations = sum(len(desk.violations) for desk in desks)
    print(f'\n{violations} violations')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main())
