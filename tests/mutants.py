"""Breakages of the source, each of which a test must notice: ``python -m tests.mutants``.

Each is applied to a copy of the project, never to the project itself, and the tests that should notice it run there;
if they do not, all tests do. What comes out is a table of what noticed what. The exit status is 1 if a breakage
survives, or if a test that noticed one fails without it as well.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.test_packaging import not_of_the_project

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_suffix('.yaml')
EXAMPLES = '--hypothesis-profile=ci'  # as many as there are in .ci/run
WHOLE_SUITE = (EXAMPLES, 'tests', '--ignore=tests/test_mutants.py')  # which would notice any change at all
SECONDS, SECONDS_OF_WHOLE_SUITE = 120, 1200  # after which tests that were started are given up
TIMEOUT = 'timeout'


@dataclass(frozen=True)
class Mutant:
    """A breakage of a file of the package: what it breaks, the text that is replaced, and which tests should notice."""

    file: str
    breaks: str
    old: str
    new: str
    tests: str

    def break_text(self, source: str) -> str:
        count = source.count(self.old)
        if count != 1:
            raise ValueError(f'{self.file} has {self.old!r} {count} times, not once')
        return source.replace(self.old, self.new)


class Loader(getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):  # the one in C, if it is there, takes a tenth of the time
    """Refuses a key that stands twice: the second would hide what the first has."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if key.value in keys:
                raise ValueError(f'{key.value} stands twice: {str(key.start_mark).strip()}')
            keys.add(key.value)
        mapping: dict[str, Any] = super().construct_mapping(node, deep)
        return mapping


def loaded(text: str) -> dict[str, list[dict[str, str]]]:
    by_file: dict[str, list[dict[str, str]]] = yaml.load(text, Loader)  # noqa: S506 - a safe one
    return by_file


def listed() -> list[Mutant]:
    by_file = loaded(LIST.read_text())
    return [Mutant(file, **details) for file, mutants in by_file.items() for details in mutants]


def path_of(mutant: Mutant, project: Path = ROOT) -> Path:
    return project / 'ccxt_mmp' / mutant.file


def copy_project(folder: str) -> Path:
    project = Path(folder, 'project')
    shutil.copytree(ROOT, project, ignore=not_of_the_project)
    return project


def environ_of(project: Path) -> dict[str, str]:
    """In which all processes import the package from the project, and hypothesis tries the same in every run."""
    paths = [str(project), *filter(None, [os.environ.get('PYTHONPATH')])]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'CI': '1'}


def imported_from(project: Path) -> Path:
    """The file of the package that tests, and the processes that they start anywhere, import."""
    program = "from importlib.util import find_spec; print(find_spec('ccxt_mmp').origin)"
    command = [sys.executable, '-c', program]
    found = subprocess.run(
        command, cwd=project.parent, env=environ_of(project), capture_output=True, text=True, check=True
    )
    return Path(found.stdout.strip())


def first_failure(project: Path, arguments: Sequence[str], seconds: float) -> str | None:
    """The id of the first test that fails, or TIMEOUT; None if all pass."""
    command = [sys.executable, '-m', 'pytest', '-q', *arguments]
    with subprocess.Popen(
        command,
        cwd=project,
        env=environ_of(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that what tests start ends with them
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return TIMEOUT
    if process.returncode == 0:
        return None
    if process.returncode != 1:
        raise RuntimeError(f'{" ".join(arguments)} could not be run:\n{output}')
    failed = json.loads((project / '.pytest_cache/v/cache/lastfailed').read_text())
    return next(iter(failed))


def noticed_by(mutant: Mutant) -> tuple[str | None, float]:
    """The test that notices a breakage, and the seconds that it took."""
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        project = copy_project(folder)
        assert imported_from(project) == project / 'ccxt_mmp' / '__init__.py'
        path = path_of(mutant, project)
        path.write_text(mutant.break_text(path.read_text()))
        failure = first_failure(project, [EXAMPLES, '-x', f'tests/{mutant.tests}'], SECONDS)
        if failure is None and first_failure(project, WHOLE_SUITE, SECONDS_OF_WHOLE_SUITE):
            # among so many a test may fail by chance: what fails again notices it
            failure = first_failure(project, ['-x', '--last-failed', *WHOLE_SUITE], SECONDS)
    return failure, time.monotonic() - started


def fails_without_a_breakage(tests: Sequence[str]) -> str | None:
    with TemporaryDirectory() as folder:
        return first_failure(copy_project(folder), [EXAMPLES, '-x', *tests], SECONDS_OF_WHOLE_SUITE) if tests else None


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.mutants', description=__doc__.partition(':')[0])
    parser.add_argument('--only', default='', metavar='NAME', help='those that have this in their file or words')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), metavar='N', help='how many are tried at once')
    parser.add_argument('--list', action='store_true', help='try none of them')
    arguments = parser.parse_args(argv)
    mutants = [each for each in listed() if arguments.only in f'{each.file}: {each.breaks}']
    if not mutants:
        parser.error(f'there is no breakage {arguments.only!r}')
    for each in mutants:
        each.break_text(path_of(each).read_text())
    widths = (max(len(each.file) for each in mutants), max(len(each.breaks) for each in mutants), len('seconds'))

    def print_row(*columns: str) -> None:
        print('|', ' | '.join(text.ljust(width) for text, width in zip(columns, (*widths, 0), strict=True)), '|')
        sys.stdout.flush()

    print_row('file', 'what it breaks', 'seconds', 'tests' if arguments.list else 'noticed by')
    print_row(*('-' * width for width in (*widths, 3)))
    if arguments.list:
        for each in mutants:
            print_row(each.file, each.breaks, '', each.tests)
        return 0
    noticing = []
    with ThreadPoolExecutor(arguments.jobs) as threads:
        for each, (test, seconds) in zip(mutants, threads.map(noticed_by, mutants), strict=True):
            print_row(each.file, each.breaks, f'{seconds:.1f}', test or 'NOTHING')
            noticing.append(test)
    survivors, timeouts = noticing.count(None), noticing.count(TIMEOUT)
    print(f'\n{len(mutants)} breakages, {survivors} noticed by nothing, {timeouts} by a timeout alone')
    wrong = fails_without_a_breakage(sorted({*noticing} - {None, TIMEOUT}))
    if wrong:
        print(f'{wrong} fails without a breakage, too')
    return int(bool(survivors or wrong))


if __name__ == '__main__':
    sys.exit(main())
