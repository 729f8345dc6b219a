"""The terminal of the tests: it neither breaks a character nor waits for a process that has ended."""

import sys
import time

import pytest

from tests.terminal import PATIENCE, Commands, Terminal, environment

IN_TWO = """
import os, sys, time
os.write(1, 'é'.encode()[:1])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
os.write(1, 'é'.encode()[1:])
"""


def test_character_may_come_in_two_pieces(tmp_path):
    both = tmp_path / 'both'
    with Terminal(['-c', IN_TWO, both], environment(tmp_path, with_rich=True), program=[sys.executable]) as terminal:
        assert terminal._read(PATIENCE)
        assert terminal.output == ''
        both.touch()
        assert terminal.wait() == 0
        assert terminal.output == 'é'


def test_process_that_has_ended_is_not_waited_for(tmp_path):
    with Commands(tmp_path, environment(tmp_path, with_rich=True)) as commands:
        commands.process.kill()
        commands.process.wait()
        begun = time.monotonic()
        with pytest.raises(AssertionError):
            commands.run(['--version'], columns=80)
        assert time.monotonic() - begun < PATIENCE
